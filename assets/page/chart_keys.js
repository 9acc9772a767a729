// The keys of a chart: what each curve or band is called, and how it is drawn. They stand under the chart, not in it,
// as a legend takes Plotly as long as all the curves. A press hides what a key names; another one shows it again.

const SPACE = 'http://www.w3.org/2000/svg';
const DASHES = { dash: '7 4', dot: '2 3', dashdot: '7 3 2 3', longdash: '11 4', longdashdot: '11 3 2 3' };
const SYMBOLS = {
  circle: 'M11 6a4 4 0 1 0 8 0a4 4 0 1 0-8 0z',
  square: 'M11.5 2.5h7v7h-7z',
  diamond: 'M15 1l5 5-5 5-5-5z',
  cross: 'M13.6 2h2.8v2.6h2.6v2.8h-2.6v2.6h-2.8v-2.6h-2.6v-2.8h2.6z',
  x: 'M12 2l3 3 3-3 1 1-3 3 3 3-1 1-3-3-3 3-1-1 3-3-3-3z',
};

const svg = (name, attributes, ...children) => {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

// Names are escaped, since Plotly reads a little HTML in texts.
const plain = (name) => new DOMParser().parseFromString(name, 'text/html').body.textContent;

const band = ({ fillcolor }) => [svg('rect', { width: 30, height: 12, fill: fillcolor })];

const curve = ({ line, marker, mode }) => {
  const look = { stroke: line.color, 'stroke-width': 2.5, 'stroke-dasharray': DASHES[line.dash] ?? 'none' };
  const path = svg('path', { d: 'M0 6h30', fill: 'none', ...look });
  if (!mode.includes('markers')) return [path];
  const [symbol, open] = marker.symbol.split('-');
  const fill = open ? 'var(--gs-paper)' : marker.color;
  return [path, svg('path', { d: SYMBOLS[symbol], fill, stroke: marker.color })];
};

const sample = (trace) =>
  svg('svg', { viewBox: '0 0 30 12', 'aria-hidden': 'true' }, ...(trace.fill ? band(trace) : curve(trace)));

// The keys of traces, those of curves first; show(indices, visible): what a press asks for.
export const keysOf = (traces, show) =>
  traces
    .filter(({ name, showlegend }) => name && showlegend !== false)
    .sort((one, other) => Boolean(one.fill) - Boolean(other.fill))
    .map((trace) => {
      const key = Object.assign(document.createElement('button'), { type: 'button', className: 'gs-key' });
      key.append(sample(trace), plain(trace.name));
      key.setAttribute('aria-pressed', 'true');
      key.addEventListener('click', () => {
        const visible = key.getAttribute('aria-pressed') !== 'true';
        key.setAttribute('aria-pressed', String(visible));
        const own = [...traces.keys()].filter((i) => traces[i].name === trace.name); // a curve with its interval
        show(own, visible);
      });
      return key;
    });
