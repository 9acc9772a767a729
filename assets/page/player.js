// A slider over the layers (`.gs-layer`) with a button that plays them (`.gs-play`).
import { hearLayer, tellLayer } from './shared_layer.js';

// last(): the index of the last layer, null while there is nothing to show.
// show(layer): draw that layer. every: milliseconds a layer. atOnce: the first step comes with the click.
export const createPlayer = (element, { last, show, every, atOnce = false }) => {
  let layer = 0;
  let timer = null;

  const pause = () => {
    clearInterval(timer);
    timer = null;
    const button = element.querySelector('.gs-play');
    if (button) button.textContent = '▶';
  };

  const step = () => {
    layer = layer >= last() ? 0 : layer + 1;
    show(layer);
    if (layer >= last()) pause();
  };

  const play = (button) => {
    button.textContent = '❚❚';
    timer = setInterval(step, every);
    if (atOnce) step();
  };

  // Another model may have fewer layers.
  const fit = () => {
    layer = Math.min(layer, last() ?? layer);
  };

  element.addEventListener('input', ({ target }) => {
    if (!target.matches('.gs-layer') || last() === null) return;
    pause();
    layer = Number(target.value);
    show(layer);
    tellLayer(element, layer);
  });

  hearLayer(element, (told) => {
    pause();
    layer = told;
    fit();
    if (last() !== null) show(layer);
  });

  element.addEventListener('click', ({ target }) => {
    const button = target.closest('.gs-play');
    if (!button || last() === null) return;
    if (timer) pause();
    else play(button);
  });

  return {
    get layer() {
      return layer;
    },
    fit,
    pause,
  };
};
