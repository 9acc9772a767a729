// Who looks where: arcs of the selected token, or of the one under the pointer; presses on heads, tokens and parts.
import { cellBeside } from './grid.js';
import { mount as mountPanel } from './panel.js';
import { language } from './sentences.js';

const SHOWN = 0.01; // a weight below draws no arc
const SVG = 'http://www.w3.org/2000/svg';

const arc = (from, to, height, reach) => {
  if (from === to) return `M${from - 7} ${height}c-9 -34 23 -34 14 0`;
  const top = height - 18 - (height - 26) * Math.min(1, Math.abs(from - to) / reach);
  return `M${from} ${height}C${from} ${top} ${to} ${top} ${to} ${height}`;
};

const draw = (arcs, position) => {
  const row = JSON.parse(arcs.dataset.weights)[position] ?? [];
  const chips = [...arcs.querySelectorAll('button[data-token]')];
  const middles = chips.map((chip) => chip.offsetLeft + chip.offsetWidth / 2);
  const svg = arcs.querySelector('svg');
  const percent = new Intl.NumberFormat(language() ?? 'en', { style: 'percent' });
  const width = arcs.firstElementChild.offsetWidth;
  const height = Number.parseFloat(getComputedStyle(svg).height); // a box on the screen may be enlarged
  svg.setAttribute('width', width);
  svg.replaceChildren();
  for (const [i, chip] of chips.entries()) {
    const weight = row[i] ?? 0;
    chip.style.setProperty('--p', weight);
    chip.classList.toggle('gs-shut', i > position);
    chip.querySelector('i').textContent = i <= position && weight >= 0.005 ? percent.format(weight) : '';
    if (weight < SHOWN) continue;
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', arc(middles[position], middles[i], height, Math.max(160, middles[position] - middles[0])));
    path.setAttribute('stroke-width', 1 + 7 * weight);
    path.setAttribute('stroke-opacity', 0.25 + 0.7 * weight);
    svg.append(path);
  }
};

const selected = (arcs) => Number(arcs.querySelector('button[aria-pressed="true"]')?.dataset.token ?? 0);

// Where a text is wider than its box, the selected token stands at the right: its arcs go to the left.
const reveal = (arcs) => {
  const chip = arcs.querySelector('button[aria-pressed="true"]');
  if (chip) arcs.scrollLeft = chip.offsetLeft + chip.offsetWidth + 8 - arcs.clientWidth;
};

const pressed = (button) => {
  const { token, look, kind, expert, layer, head, clear } = button.dataset;
  if (clear) return { clear: true };
  if (token !== undefined) return { token: Number(token) };
  if (kind) return { part: { kind, expert: Number(expert), layer: Number(layer), head: Number(head) } };
  const [of, block, number] = look.split(' ').map(Number);
  return { look: { expert: of, layer: block, head: number } };
};

const PRESSED = 'button[data-token], button[data-look], button[data-kind], button[data-clear]';

export const mount = (element, gradio) => {
  mountPanel(element, gradio);

  const shown = () => element.querySelector('.gs-arcs');
  const redraw = () => {
    const arcs = shown();
    if (arcs) draw(arcs, selected(arcs));
  };
  const sizes = new ResizeObserver(() => {
    redraw();
    if (shown()) reveal(shown());
  });

  // What is new is drawn, and followed when it changes its width; every grid can be reached by Tab.
  const begin = () => {
    sizes.disconnect();
    const row = element.querySelector('.gs-arc-row');
    if (row) sizes.observe(row);
    for (const grid of element.querySelectorAll('.gs-head-grid')) {
      const heads = [...grid.querySelectorAll('.gs-thumbnail')];
      if (heads.length && heads.every((head) => head.tabIndex < 0)) heads[0].tabIndex = 0;
    }
    redraw();
  };

  const preview = ({ target }) => {
    const chip = target.closest?.('.gs-arc-row button');
    if (chip) draw(shown(), Number(chip.dataset.token));
  };
  element.addEventListener('mouseover', preview);
  element.addEventListener('focusin', preview);
  element.addEventListener('mouseout', ({ target }) => target.closest('.gs-arc-row') && redraw());
  element.addEventListener('focusout', ({ target }) => target.closest('.gs-arc-row') && redraw());

  element.addEventListener('click', ({ target }) => {
    const button = target.closest(PRESSED);
    if (button) gradio.trigger('select', pressed(button));
  });
  element.addEventListener('keydown', (event) => {
    const head = event.target.closest('.gs-thumbnail');
    const next = head && cellBeside(head.parentNode, event.key)?.querySelector('.gs-thumbnail');
    if (!next) return;
    [head.tabIndex, next.tabIndex] = [-1, 0];
    next.focus();
    event.preventDefault();
  });
  gradio.watch('value', begin);
  begin();
};
