// A walk through the page: at each stop a sentence, and what is to be seen there happens by itself.
import { sentence } from './sentences.js';
import { showPanel } from './tabs.js';

const MILLISECONDS = 900;

const one = (selector) => document.querySelector(selector);
const reduced = matchMedia('(prefers-reduced-motion: reduce)');
let timer = null;
let at = 0;
let from = null; // what had the focus
let held = null; // the panel of the stop, until the visitor moves the page

const rest = () => {
  clearInterval(timer);
  timer = null;
};

// Move a panel's slider through all layers; the panel may be drawn anew meanwhile.
const climb = (panel) => {
  let layer = 0;
  const step = () => {
    const slider = one(`${panel} .gs-layer`);
    if (!slider || layer > Number(slider.max)) return rest();
    slider.value = layer;
    layer += 1;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  };
  step();
  timer = setInterval(step, MILLISECONDS);
};

const acts = {
  glyphs: () => one(".gs-chip[data-index='2']")?.click(),
  experts: () => one('#disagreement button[data-index]')?.click(),
  layers: () => climb('#layers'),
  words: () => climb('#words'),
};

const close = () => {
  rest();
  held = null;
  one('.gs-guide')?.remove();
  from?.focus();
};

const button = (text, act, off = false) => {
  const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text, disabled: off });
  made.addEventListener('click', act);
  return made;
};

// A panel, or what stands above it, may grow after the stop began: the panel stays at the top of the window.
const place = (behavior) => held?.scrollIntoView({ behavior, block: 'start' });

const letGo = () => {
  held = null;
};

// What the box holds at a stop: its sentence, and back, the place, next and close.
const contents = (said, next) => {
  const text = Object.assign(document.createElement('p'), { textContent: said.stops[at] });
  text.setAttribute('aria-live', 'polite');
  const place = Object.assign(document.createElement('span'), { textContent: `${at + 1} / ${said.panels.length}` });
  const bar = document.createElement('div');
  const cross = button('✕', close);
  cross.setAttribute('aria-label', said.close);
  bar.append(
    button(said.back, () => go(at - 1), at === 0),
    place,
    next,
    cross,
  );
  return [text, bar];
};

const go = async (stop) => {
  rest();
  held = null;
  at = stop;
  const said = sentence('tour');
  const count = said.panels.length;
  if (at === count) return close();
  const guide = one('.gs-guide') ?? document.body.appendChild(document.createElement('section'));
  guide.className = 'gs-guide';
  guide.setAttribute('role', 'dialog');
  guide.setAttribute('aria-label', said.tour);
  const next = button(at + 1 < count ? said.next : said.close, () => go(at + 1));
  guide.replaceChildren(...contents(said, next));
  next.focus({ preventScroll: true });
  const panel = said.panels[at];
  const shown = await showPanel(panel);
  if (at !== stop || !guide.isConnected) return; // gone on meanwhile
  held = shown;
  place(reduced.matches ? 'auto' : 'smooth');
  acts[panel]?.();
};

export const offerTour = () => {
  addEventListener('click', ({ target }) => {
    const asked = target.closest?.('.gs-tour');
    if (!asked) return;
    from = asked;
    go(0);
  });
  new ResizeObserver(() => place('auto')).observe(document.body);
  for (const kind of ['wheel', 'touchmove', 'pointerdown', 'keydown']) addEventListener(kind, letGo, { passive: true });
  addEventListener('keydown', ({ key }) => {
    if (key === 'Escape' && one('.gs-guide')) close();
  });
};
