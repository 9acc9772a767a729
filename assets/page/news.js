// The line about models that are loaded or refused: its cross takes it away, for this visitor alone.
export const mount = (element, { trigger }) => {
  element.addEventListener('click', ({ target }) => {
    if (!target.closest('.gs-dismiss')) return;
    element.querySelector('.gs-news')?.remove();
    trigger('clear');
  });
};
