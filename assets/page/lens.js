// The lens: arrow keys walk over its cells, Enter or the space bar chooses one.
import { mount as mountPanel } from './panel.js';

const neighbour = (cell, key) => {
  const row = cell.parentNode;
  const beside = (line) => line?.querySelector(`td[data-layer="${cell.dataset.layer}"]`);
  const next = {
    ArrowLeft: cell.previousElementSibling,
    ArrowRight: cell.nextElementSibling,
    ArrowUp: beside(row.previousElementSibling),
    ArrowDown: beside(row.nextElementSibling),
  };
  return next[key];
};

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  element.addEventListener('keydown', (event) => {
    const cell = event.target.closest('td[data-layer]');
    if (!cell) return;
    if (event.key === 'Enter' || event.key === ' ') cell.click();
    else if (event.key.startsWith('Arrow')) neighbour(cell, event.key)?.focus();
    else return;
    event.preventDefault();
  });
};
