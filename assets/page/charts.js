// One Plotly chart of several, chosen by measure: the proof panel, and that of the controls.
import { keysOf } from './chart_keys.js';
import { mount as mountPanel } from './panel.js';
import { colourOf, enlarged, keepFitted, painted, plotly, whenSeen } from './plotly.js';
import { hearLayer, tellLayer } from './shared_layer.js';

const translucent = (hex, alpha) => {
  const parts = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  return `rgba(${parts.join(',')},${alpha})`;
};

// A figure with the page's colours in the place of their names, `--gs-NAME` or `--gs-NAME/ALPHA`.
const coloured = (value, colour) => {
  if (typeof value === 'string' && value.startsWith('--gs-')) {
    const [name, alpha] = value.split('/');
    return alpha ? translucent(colour(name), alpha) : colour(name);
  }
  if (Array.isArray(value)) return value.map((part) => coloured(part, colour));
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, coloured(part, colour)]));
};

const isByLayer = (curve) => curve.layout.xaxis.dtick === 1;

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  let measure = 0;
  let onView = false;
  let due = false; // to be drawn in the next frame
  let layer = null; // the one that all panels show, once a slider has moved
  let shapes = []; // what the chart itself draws beside its curves

  const colour = (name) => colourOf(element, name);

  // Where the panels are, as a line in the plot; the axis is that of their slider.
  const markLayer = async () => {
    const curve = element.querySelector('.gs-curve');
    if (layer === null || !curve?.layout || !isByLayer(curve)) return;
    const line = { color: colour('--gs-ink'), width: 1, dash: 'dot' };
    const mark = { type: 'line', name: 'layer', x0: layer, x1: layer, y0: 0, y1: 1, yref: 'paper', line };
    (await plotly()).relayout(curve, { shapes: [...shapes, mark] });
  };

  // A click on a layer moves every panel there.
  const hearClicks = (curve) => {
    if (curve.heard || !curve.on) return;
    curve.on('plotly_click', ({ points }) => {
      if (!isByLayer(curve)) return;
      layer = points[0].x;
      markLayer();
      tellLayer(element, layer);
    });
    curve.heard = true;
  };

  const drawNow = async () => {
    const holder = element.querySelector('.gs-picker');
    if (!holder) return;
    const { figure, sentence } = JSON.parse(holder.dataset.charts)[measure];
    const { data, layout } = coloured(figure, colour);
    const Plotly = await plotly(holder);
    const select = holder.querySelector('.gs-measure');
    const curve = holder.querySelector('.gs-curve');
    select.value = measure;
    curve.setAttribute('aria-label', select.selectedOptions[0].textContent);
    holder.querySelector('.gs-said').textContent = sentence;
    layout.font.size *= enlarged();
    layout.width = curve.clientWidth || undefined; // a figure that is drawn anew would keep the width that it had
    await Plotly.react(curve, data, layout, { displayModeBar: false, responsive: true });
    const show = (indices, visible) => Plotly.restyle(curve, { visible: visible || 'legendonly' }, indices);
    holder.querySelector('.gs-keys').replaceChildren(...keysOf(data, show));
    shapes = layout.shapes ?? [];
    keepFitted(curve);
    hearClicks(curve);
    markLayer();
    holder.dataset.state = 'drawn';
  };

  // Once a frame, however much asks for it: a panel that comes is both a new value and seen for the first time.
  const draw = async () => {
    if (!onView || due) return;
    due = true;
    await painted(element);
    due = false;
    drawNow();
  };

  hearLayer(element, (told) => {
    layer = told;
    markLayer();
  });
  element.addEventListener('change', ({ target }) => {
    if (!target.matches('.gs-measure')) return;
    measure = Number(target.value);
    draw();
  });
  whenSeen(element, () => {
    onView = true;
    draw();
  });
  document.addEventListener('gs-look', () => element.isConnected && onView && drawNow()); // paper does not wait
  gradio.watch('value', draw);
};
