// Plotly comes when the first interactive figure is near the window, once for all of them.  If its script does not
// arrive, it is asked for again, ever later; the figures that wait for it say so, and offer to ask at once.
import { sentence } from './sentences.js';

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
    script.src = 'gs/plotly.min.js';
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

// Once what stands in the page is painted: a first figure takes Plotly a tenth of a second, and nothing else has to
// wait for that.
export const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

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
