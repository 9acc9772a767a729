// The layers panel: the tokens of the text as points of each expert, moved through its layers.
import { mount as mountPanel } from './panel.js';
import { createPlayer } from './player.js';

const MILLISECONDS = 900;

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  let parsed = null; // the paths on view: read once, not at every move
  let colouring = 'script';

  const holderOf = () => element.querySelector('.gs-layers-data');
  const pathsOf = (holder) => {
    const text = holder.dataset.paths;
    if (parsed?.text !== text) parsed = { text, data: JSON.parse(text) };
    return parsed.data;
  };
  const pixels = ({ place }, [x, y]) => [place.x + x * place.scale, place.y - y * place.scale];

  const show = () => {
    const holder = holderOf();
    if (!holder) return;
    const data = pathsOf(holder);
    if (holder.querySelectorAll('.gs-plot').length !== data.paths.length) return; // half of a new model is here
    player.fit();
    const { layer } = player;
    holder.querySelector('.gs-layer').value = layer;
    holder.querySelector('output').textContent = data.names[layer];
    holder.querySelectorAll('.gs-plot').forEach((plot, expert) => {
      plot.querySelector('figcaption').textContent = data.shown[expert][layer];
      plot.querySelectorAll('.gs-point').forEach((point, i) => {
        const [x, y] = pixels(data, data.paths[expert][layer][i]);
        point.style.transform = `translate(${x}px,${y}px)`;
      });
    });
  };

  const last = () => {
    const holder = holderOf();
    return holder ? pathsOf(holder).names.length - 1 : null;
  };
  const player = createPlayer(element, { last, show, every: MILLISECONDS });

  const colour = () => {
    const holder = holderOf();
    if (!holder) return;
    holder.classList.toggle('gs-by-expert', colouring === 'expert');
    holder.querySelector('.gs-look').value = colouring;
  };
  element.addEventListener('change', ({ target }) => {
    if (!target.matches('.gs-look')) return;
    colouring = target.value;
    colour();
  });
  element.addEventListener('click', ({ target }) => {
    if (target.closest('.gs-toggle')) holderOf().classList.toggle('gs-dots');
  });

  // The way of one token through the layers; none where the index is null.
  const trail = (index) => {
    const holder = holderOf();
    const data = pathsOf(holder);
    holder.querySelectorAll('.gs-plot').forEach((plot, expert) => {
      const steps = index === null ? [] : data.paths[expert].map((places) => pixels(data, places[index]).join(' '));
      plot.querySelector('.gs-trail').setAttribute('d', steps.length ? `M${steps.join('L')}` : '');
    });
  };
  element.addEventListener('pointerover', ({ target }) => {
    const point = target.closest('.gs-point');
    if (point) trail([...point.parentNode.querySelectorAll('.gs-point')].indexOf(point));
  });
  element.addEventListener('pointerout', ({ target }) => {
    if (target.closest('.gs-point')) trail(null);
  });

  const update = () => {
    show();
    colour();
  };
  gradio.watch('value', update);
  update();
};
