// A click chooses a token on the whole page, a cell of the lens, or a word pinned to the depth panel.

// Mark the chosen token wherever it stands, before the server answers.
const markChosen = (index) => {
  for (const node of document.querySelectorAll('.gs-root [data-index]')) {
    const chosen = Number(node.dataset.index) === index;
    if (node.hasAttribute('aria-pressed')) node.setAttribute('aria-pressed', String(chosen));
    if (node.hasAttribute('aria-selected')) node.setAttribute('aria-selected', String(chosen));
    for (const cell of node.querySelectorAll('td[data-layer]')) cell.tabIndex = chosen ? 0 : -1;
    if (node.classList.contains('gs-point')) node.classList.toggle('gs-selected', chosen);
  }
};

const cellOf = (target) => {
  const cell = target.closest('[data-layer]');
  if (!cell) return {};
  return { expert: Number(cell.closest('[data-expert]').dataset.expert), layer: Number(cell.dataset.layer) };
};

// The chip that was pressed in the first view, before this page could answer.
const chooseEarly = (element) => {
  const { chosen } = document.documentElement.dataset;
  if (!chosen || !element.closest('#strip')) return;
  delete document.documentElement.dataset.chosen;
  element.querySelector(`.gs-chip[data-index="${chosen}"]`)?.click();
};

// `trigger` is Gradio's: it sends the event to the server.
export const mountSelection = (element, trigger) => {
  element.addEventListener('click', ({ target }) => {
    const pin = target.closest('[data-pin]');
    if (pin) return trigger('select', { pin: Number(pin.dataset.pin) });
    const hit = target.closest('[data-index]');
    if (!hit || hit.closest('[data-state="writing"]')) return;
    const index = Number(hit.dataset.index);
    if (index < 1) return;
    markChosen(index);
    trigger('select', { index, ...cellOf(target) });
  });
  chooseEarly(element);
};
