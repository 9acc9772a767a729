let layer = 0;
let timer = null;
const show = () => {
  const holder = element.querySelector('.gs-layers-data');
  if (!holder) return;
  const data = JSON.parse(holder.dataset.paths);
  const place = data.place;
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
watch('value', show);
show();
