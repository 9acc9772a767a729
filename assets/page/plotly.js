// Plotly comes once the first view stands and the browser has nothing else to do, or when the first interactive figure
// is near the window, once for all of them.  If its script does not arrive, it is asked for again, ever later; the
// figures that wait for it say so, and offer to ask at once.
import { sentence } from './sentences.js';
import { waited } from './tabs.js';

const PAUSES = [1000, 3000, 9000]; // milliseconds before each further attempt; then only when somebody asks

const waiting = new Set(); // elements that a figure is to be drawn in
let arrive;
const arrived = new Promise((done) => {
  arrive = done;
});
let asking = false;
let failed = false;
let askNow = null; // ends the pause

const attempt = () =>
  new Promise((done) => {
    const script = document.createElement('script');
    script.src = 'gs/plotly-basic.min.js';
    script.onload = () => done(window.Plotly); // the one global that is there: Plotly's own script makes it
    script.onerror = () => done(undefined);
    document.head.append(script);
  });

const pause = (milliseconds) =>
  new Promise((done) => {
    askNow = done;
    setTimeout(done, milliseconds);
  });

const said = (holder) => holder.querySelector('.gs-no-charts');

const tell = (holder) => {
  if (said(holder)) return;
  const note = Object.assign(document.createElement('p'), { className: 'gs-no-charts gs-status gs-failed' });
  const again = Object.assign(document.createElement('button'), { type: 'button', textContent: sentence('maps')[1] });
  note.setAttribute('role', 'alert');
  note.append(sentence('maps')[0], ' ', again);
  again.addEventListener('click', () => (asking ? askNow?.() : ask()));
  holder.prepend(note);
};

const ask = async () => {
  if (asking || window.Plotly) return;
  asking = true;
  for (const milliseconds of [0, ...PAUSES]) {
    if (milliseconds) await pause(milliseconds);
    const found = await attempt();
    failed = !found;
    for (const holder of waiting) {
      if (!holder.isConnected) waiting.delete(holder);
      else if (failed) tell(holder);
      else said(holder)?.remove();
    }
    if (found) {
      arrive(found);
      break;
    }
  }
  asking = false;
};

// Plotly, once it is there; holder: where a figure waits for it.
export const plotly = (holder) => {
  if (holder && !window.Plotly) {
    waiting.add(holder);
    if (failed) tell(holder);
  }
  ask();
  return arrived;
};

const idle = globalThis.requestIdleCallback ?? setTimeout; // Safari has none

// Draw something nobody sees: Plotly's first figure takes twice as long as the others, since its code is compiled then.
// Phones, which are slow and have a picture that moves on view, leave it.
const drawAside = async (Plotly) => {
  const aside = document.createElement('div');
  const curve = { x: [0, 1], y: [0, 1], mode: 'lines+markers', line: { dash: 'dot' }, marker: { symbol: 'square' } };
  const band = { x: [0, 1], y: [1, 2], mode: 'lines', fill: 'tonexty' };
  const axis = { title: { text: '0', standoff: 4 }, automargin: true };
  const [shapes, annotations] = [[{ x0: 0, x1: 1, y0: 0, y1: 1 }], [{ x: 0, y: 0, text: '0', showarrow: false }]];
  const layout = { xaxis: axis, yaxis: axis, shapes, annotations, showlegend: false };
  await Plotly.newPlot(aside, [curve, band], layout, { displayModeBar: false });
  Plotly.purge(aside);
};

// Have Plotly there before a figure needs it; not where the browser is told to save data.
export const fetchSoon = async () => {
  if (navigator.connection?.saveData) return;
  if (document.readyState !== 'complete') await new Promise((done) => addEventListener('load', done, { once: true }));
  await waited(() => document.querySelector("#strip .gs-strip[data-state='done']"));
  idle(async () => {
    ask();
    const Plotly = await arrived;
    if (matchMedia('(hover: hover)').matches) idle(() => drawAside(Plotly));
  });
};

export const whenSeen = (element, act) => {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      act();
    },
    { rootMargin: '400px' },
  );
  observer.observe(element);
};

// By how much texts are larger than usual: while panels are presented.
export const enlarged = () => Number(getComputedStyle(document.documentElement).getPropertyValue('--gs-zoom')) || 1;

// Once what stands in the page is painted, one figure a frame, those nearest to the window first: a figure takes Plotly
// up to a tenth of a second, and neither texts nor figures on view have to wait for those that are not.
const turns = []; // [element, what ends its waiting]
const outside = (element) => {
  const { top, bottom } = element.getBoundingClientRect();
  return Math.max(0, -bottom, top - innerHeight);
};
const nextTurn = () => {
  turns.sort(([one], [other]) => outside(one) - outside(other));
  const [, go] = turns.shift();
  go();
  if (turns.length) afterPaint(nextTurn);
};
const afterPaint = (act) => requestAnimationFrame(() => setTimeout(act));
export const painted = (element) =>
  new Promise((done) => {
    turns.push([element, done]);
    if (turns.length === 1) afterPaint(nextTurn);
  });

// A figure of Plotly's keeps to its place also where that changes without the window.  An observer reports the size
// that it begins with, too: the one that the figure was just drawn in.
export const keepFitted = (plot) => {
  if (plot.fitted) return;
  let { clientWidth: width, clientHeight: height } = plot;
  plot.fitted = new ResizeObserver(() => {
    if (!plot.data || !plot.clientWidth || (plot.clientWidth === width && plot.clientHeight === height)) return;
    width = plot.clientWidth;
    height = plot.clientHeight;
    window.Plotly.Plots.resize(plot);
  });
  plot.fitted.observe(plot);
};

// A colour of the page, by the name of its custom property: Plotly knows no `var(…)`.
export const colourOf = (element, name) =>
  getComputedStyle(element.querySelector('.gs-panel')).getPropertyValue(name).trim();
