// One Plotly chart of several, chosen by measure.
let measure = 0;
let onView = false;
let layer = null; // the one that all panels show, once a slider has moved
const inked = (value, ink) => {
  if (typeof value === 'string' && value.startsWith('--gs-')) {
    const [name, alpha] = value.split('/');
    return alpha ? translucent(ink(name), alpha) : ink(name);
  }
  if (Array.isArray(value)) return value.map((part) => inked(part, ink));
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, inked(v, ink)]));
  return value;
};
const translucent = (hex, alpha) => `rgba(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(',')},${alpha})`;
const drawChart = async () => {
  const holder = element.querySelector('.gs-picker');
  if (!onView || !holder) return;
  const charts = JSON.parse(holder.dataset.charts);
  const { figure, sentence } = charts[measure];
  const style = getComputedStyle(element.querySelector('.gs-panel'));
  const { data, layout } = inked(figure, (name) => style.getPropertyValue(name).trim());
  const Plotly = await plotly();
  const select = holder.querySelector('.gs-measure');
  select.value = measure;
  holder.querySelector('.gs-curve').setAttribute('aria-label', select.selectedOptions[0].textContent);
  holder.querySelector('.gs-said').textContent = sentence;
  const curve = holder.querySelector('.gs-curve');
  await Plotly.react(curve, data, layout, { displayModeBar: false, responsive: true });
  curve.marks = layout.shapes ?? [];
  // A click on a layer moves every panel there.
  if (!curve.heard && curve.on) curve.on('plotly_click', ({ points }) => byLayer(curve) && (layer = points[0].x, markLayer(), tellLayer(layer)));
  curve.heard = true;
  markLayer();
  holder.dataset.state = 'drawn';
};
const byLayer = (curve) => curve.layout.xaxis.dtick === 1;
// Where the panels are, as a line in the plot; the axis is that of their slider.
const markLayer = () => {
  const curve = element.querySelector('.gs-curve');
  if (layer === null || !curve?.layout || !byLayer(curve)) return;
  const ink = getComputedStyle(element.querySelector('.gs-panel')).getPropertyValue('--gs-ink').trim();
  const line = { color: ink, width: 1, dash: 'dot' };
  const mark = { type: 'line', name: 'layer', x0: layer, x1: layer, y0: 0, y1: 1, yref: 'paper', line };
  window.Plotly.relayout(curve, { shapes: [...curve.marks, mark] });
};
hearLayer((told) => { layer = told; markLayer(); });
element.addEventListener('change', (event) => {
  if (!event.target.matches('.gs-measure')) return;
  measure = Number(event.target.value);
  drawChart();
});
whenSeen(() => { onView = true; drawChart(); });
watch('value', drawChart);
