// One Plotly chart of several, chosen by measure.
let measure = 0;
let onView = false;
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
  await Plotly.react(holder.querySelector('.gs-curve'), data, layout, { displayModeBar: false, responsive: true });
  holder.dataset.state = 'drawn';
};
element.addEventListener('change', (event) => {
  if (!event.target.matches('.gs-measure')) return;
  measure = Number(event.target.value);
  drawChart();
});
whenSeen(() => { onView = true; drawChart(); });
watch('value', drawChart);
