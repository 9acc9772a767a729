// Who adds what: a press chooses the token after which a margin is split, or one of the two that are compared.
import { mountAnswers } from './answers.js';
import { mount as mountPanel } from './panel.js';

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  mountAnswers(element, gradio);
};
