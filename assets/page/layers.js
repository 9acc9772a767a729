let layer = 0;
let timer = null;
let parsed = null; // the paths on view: read once, not at every move
const carried = (holder) => {
  const text = holder.dataset.paths;
  if (parsed?.text !== text) parsed = { text, data: JSON.parse(text) };
  return parsed.data;
};
const show = () => {
  const holder = element.querySelector('.gs-layers-data');
  if (!holder) return;
  const data = carried(holder);
  const place = data.place;
  if (holder.querySelectorAll('.gs-plot').length !== data.paths.length) return; // half of a new model is here
  layer = Math.min(layer, data.names.length - 1);
  holder.querySelector('.gs-layer').value = layer;
  holder.querySelector('output').textContent = data.names[layer];
  holder.querySelectorAll('.gs-plot').forEach((plot, expert) => {
    plot.querySelector('figcaption').textContent = data.shown[expert][layer];
    plot.querySelectorAll('.gs-point').forEach((point, i) => {
      const [x, y] = data.paths[expert][layer][i];
      point.style.transform = `translate(${place.x + x * place.scale}px,${place.y - y * place.scale}px)`;
    });
  });
};
const pause = () => {
  clearInterval(timer);
  timer = null;
  const button = element.querySelector('.gs-play');
  if (button) button.textContent = '▶';
};
element.addEventListener('input', (event) => {
  if (!event.target.matches('.gs-layer')) return;
  pause();
  layer = Number(event.target.value);
  show();
  tellLayer(layer);
});
hearLayer((told) => {
  pause();
  layer = told;
  show();
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('.gs-play');
  if (!button) return;
  if (timer) return pause();
  const last = Number(element.querySelector('.gs-layer').max);
  if (layer === last) layer = -1;
  button.textContent = '❚❚';
  timer = setInterval(() => {
    layer += 1;
    show();
    if (layer >= last) pause();
  }, 900);
});
element.addEventListener('click', (event) => {
  if (event.target.closest('.gs-toggle')) element.querySelector('.gs-layers-data').classList.toggle('gs-dots');
});
let look = 'script';
const colour = () => {
  const holder = element.querySelector('.gs-layers-data');
  if (!holder) return;
  holder.classList.toggle('gs-by-expert', look === 'expert');
  holder.querySelector('.gs-look').value = look;
};
element.addEventListener('change', (event) => {
  if (!event.target.matches('.gs-look')) return;
  look = event.target.value;
  colour();
});
const trail = (index) => {
  const holder = element.querySelector('.gs-layers-data');
  const data = carried(holder);
  holder.querySelectorAll('.gs-plot').forEach((plot, expert) => {
    const steps = index === null ? [] : data.paths[expert].map((layer) => layer[index]);
    const at = ([x, y]) => `${data.place.x + x * data.place.scale} ${data.place.y - y * data.place.scale}`;
    plot.querySelector('.gs-trail').setAttribute('d', steps.map((step, i) => (i ? 'L' : 'M') + at(step)).join(''));
  });
};
element.addEventListener('pointerover', (event) => {
  const point = event.target.closest('.gs-point');
  if (point) trail([...point.parentNode.querySelectorAll('.gs-point')].indexOf(point));
});
element.addEventListener('pointerout', (event) => {
  if (event.target.closest('.gs-point')) trail(null);
});
watch('value', () => { show(); colour(); });
show();
colour();
