// The strip. Of a text that the model has finished only the chips that are new or differ are sent, after those that are
// there since it was written: they take their places.
import { mount as mountPanel } from './panel.js';

const settle = (element) => {
  const sequel = element.querySelector('.gs-sequel');
  if (!sequel) return;
  const strip = sequel.parentNode;
  sequel.remove();
  for (const chip of [...sequel.content.children]) {
    const old = strip.querySelector(`.gs-chip[data-index="${chip.dataset.index}"]`);
    if (!old) {
      strip.append(chip);
      continue;
    }
    for (const { name, value } of chip.attributes) old.setAttribute(name, value);
    old.replaceChildren(...chip.childNodes); // the chip itself stays, for it may have the focus
  }
  strip.dataset.state = 'done';
};

export const mount = (element, gradio) => {
  settle(element);
  mountPanel(element, gradio);
  gradio.watch('value', () => settle(element));
};
