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

const sample = ({ fill, fillcolor, line, marker, mode }) => {
  const parts = [];
  if (fill) parts.push(svg('rect', { width: 30, height: 12, fill: fillcolor }));
  else {
    const { color: stroke, dash } = line;
    const look = { stroke, 'stroke-width': 2.5, 'stroke-dasharray': DASHES[dash] ?? 'none' };
    parts.push(svg('path', { d: 'M0 6h30', fill: 'none', ...look }));
  }
  if (!fill && mode.includes('markers')) {
    const [symbol, open] = marker.symbol.split('-');
    const paper = open ? 'var(--gs-paper)' : marker.color;
    parts.push(svg('path', { d: SYMBOLS[symbol], fill: paper, stroke: marker.color }));
  }
  return svg('svg', { viewBox: '0 0 30 12', 'aria-hidden': 'true' }, ...parts);
};

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
        show(
          [...traces.keys()].filter((i) => traces[i].name === trace.name),
          visible,
        ); // a curve and its interval
      });
      return key;
    });
