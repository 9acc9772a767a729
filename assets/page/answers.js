// The two compared tokens, each chosen from its row by a press.

export const mountAnswers = (element, gradio) => {
  let pressed = null; // the row of the button that has the focus, for the new rows to give it back

  element.addEventListener('click', ({ target }) => {
    const button = target.closest('button[data-answer]');
    if (!button) return;
    pressed = button.dataset.answer;
    for (const other of button.parentNode.querySelectorAll('button')) {
      other.setAttribute('aria-pressed', String(other === button));
    }
    gradio.trigger('input', { answer: Number(pressed), token: Number(button.dataset.id) });
  });
  gradio.watch('value', () => {
    const lost = document.activeElement === document.body || document.activeElement === null;
    if (pressed !== null && lost) {
      element.querySelector(`button[data-answer="${pressed}"][aria-pressed="true"]`)?.focus({ preventScroll: true });
    }
    pressed = null;
  });
};
