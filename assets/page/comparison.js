// Two texts side by side: one slider over the layers moves the bars over all tokens and marks a column of the maps.
import { mount as mountPanel } from './panel.js';
import { createPlayer } from './player.js';

const MILLISECONDS = 900;
const FULL = 1.4; // the distance of unrelated states

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  const holderOf = () => element.querySelector('.gs-compared');
  let parsed = null; // the distances on view: read once, not at every move

  const distancesOf = (holder) => {
    const text = holder.dataset.distance;
    if (parsed?.text !== text) parsed = { text, data: JSON.parse(text) };
    return parsed.data;
  };

  const show = () => {
    const holder = holderOf();
    if (!holder) return;
    const distances = distancesOf(holder);
    player.fit();
    const { layer } = player;
    holder.querySelector('.gs-layer').value = layer;
    holder.querySelector('output').textContent = layer;
    for (const chip of holder.querySelectorAll('[data-pair]')) {
      chip.querySelectorAll('.gs-apart').forEach((bar, expert) => {
        bar.style.setProperty('--d', Math.min(distances[expert][layer][chip.dataset.pair] / FULL, 1));
      });
    }
    for (const cell of holder.querySelectorAll('[data-layer]')) {
      cell.classList.toggle('gs-here', Number(cell.dataset.layer) === layer);
    }
  };

  const last = () => {
    const holder = holderOf();
    return holder ? distancesOf(holder)[0].length - 1 : null;
  };
  const player = createPlayer(element, { last, show, every: MILLISECONDS });
  gradio.watch('value', show);
  show();
};
