// Moving a state: a click on a cell, or arrow keys and Enter, ask what it does.
import { mountAnswers } from './answers.js';
import { cellBeside } from './grid.js';
import { mount as mountPanel } from './panel.js';

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  mountAnswers(element, gradio);

  // One cell of every map can be reached by Tab; arrow keys go on from there.
  const reachable = () => {
    for (const map of element.querySelectorAll('.gs-map')) {
      const cells = [...map.querySelectorAll('td[data-layer]')];
      if (cells.length && cells.every((cell) => cell.tabIndex < 0)) cells.at(-1).tabIndex = 0;
    }
  };

  const choose = (cell) => {
    for (const other of element.querySelectorAll('td[aria-pressed="true"]')) {
      other.setAttribute('aria-pressed', 'false');
    }
    cell.setAttribute('aria-pressed', 'true');
    const { expert, layer, position } = cell.dataset;
    gradio.trigger('select', { expert: Number(expert), layer: Number(layer), position: Number(position) });
  };

  element.addEventListener('click', ({ target }) => {
    const cell = target.closest('td[data-position]');
    if (cell) choose(cell);
  });
  element.addEventListener('keydown', (event) => {
    const cell = event.target.closest('td[data-position]');
    if (!cell) return;
    if (event.key === 'Enter' || event.key === ' ') choose(cell);
    else if (event.key.startsWith('Arrow')) {
      const next = cellBeside(cell, event.key)?.closest('td');
      if (next) [cell.tabIndex, next.tabIndex] = [-1, 0];
      next?.focus();
    } else return;
    event.preventDefault();
  });
  gradio.watch('value', reachable);
  reachable();
};
