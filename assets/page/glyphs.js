// The glyphs panel: which list of near words is on view, by layer and expert, once the visitor has chosen.
import { mount as mountPanel } from './panel.js';
import { hearLayer, tellLayer } from './shared_layer.js';

// A list is made of words that are there once, however many lists they stand in.
const fillNear = (shown, words, expert, layer) => {
  if (Number(shown.dataset.at) === layer && Number(shown.dataset.expert) === expert) return;
  shown.dataset.at = layer;
  shown.dataset.expert = expert;
  const rows = JSON.parse(words.dataset.lists)[expert][layer].map(([index, cosine]) => {
    const row = words.children[index].cloneNode(true);
    row.append(Object.assign(document.createElement('span'), { className: 'gs-number', textContent: cosine }));
    return row;
  });
  shown.firstElementChild.replaceChildren(...rows);
};

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  let nearLayer = null;
  let nearExpert = null;

  const showNear = () => {
    const box = element.querySelector('.gs-meanings');
    if (!box) return;
    const slider = box.querySelector('.gs-near-layer');
    const given = box.querySelector('[data-near][aria-pressed="true"]');
    const layer = Math.min(nearLayer ?? Number(slider.max), Number(slider.max));
    const expert = nearExpert ?? Number(given.dataset.near);
    slider.value = layer;
    box.querySelector('output').textContent = layer;
    for (const button of box.querySelectorAll('[data-near]')) {
      button.setAttribute('aria-pressed', String(Number(button.dataset.near) === expert));
    }
    fillNear(box.querySelector('[data-at]'), box.querySelector('.gs-near-words'), expert, layer);
  };

  element.addEventListener('input', ({ target }) => {
    if (!target.matches('.gs-near-layer')) return;
    nearLayer = Number(target.value);
    showNear();
    tellLayer(element, nearLayer);
  });
  hearLayer(element, (layer) => {
    nearLayer = layer;
    showNear();
  });
  element.addEventListener('click', ({ target }) => {
    const button = target.closest('[data-near]');
    if (!button) return;
    nearExpert = Number(button.dataset.near);
    showNear();
  });
  gradio.watch('value', showNear);
  showNear();
};
