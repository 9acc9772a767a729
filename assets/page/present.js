// One panel at a time over the whole window, for a wall or a class: arrow keys and two buttons walk through the panels
// of all tabs, Escape leads back to where the page was.
import { resized } from './panel.js';
import { sentence, slides } from './sentences.js';
import { opened, openTab, waited } from './tabs.js';

const PRESENTING = 'gs-presenting';
const ON_VIEW = 'gs-on-view';
const DRAWN = 12; // so many times waited for a panel whose neighbours are drawn; it may have nothing to show
const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
// What arrow keys do something else in; text is written in fields.
const OWN_ARROWS =
  'input, select, textarea, [contenteditable], [role="listbox"], td[tabindex], .gs-grid, [role="grid"]';
const FIELDS = 'input:not([type="range"], [type="radio"], [type="checkbox"]), select, textarea, [contenteditable]';

const root = document.documentElement;
const presenting = () => root.classList.contains(PRESENTING);

let left = []; // [tab, id of a slide] in the page's order
let at = 0;
let turn = 0; // counts steps: one that was overtaken shows nothing
let from = null; // where the page was

const onView = () => document.querySelector(`.${ON_VIEW}`);
const drawn = (id) => document.getElementById(id)?.textContent.trim();

// Texts of 12 pixels, the smallest of panels, have 20 on a wall of 1,920, and 16 at 1,280.
const fitZoom = () => {
  if (presenting()) root.style.setProperty('--gs-zoom', Math.min(4, Math.max(1, 0.5 + innerWidth / 1600)).toFixed(3));
  else root.style.removeProperty('--gs-zoom');
};

// What is drawn by a script in sizes and colours of its own is drawn anew.
const relook = () => {
  document.dispatchEvent(new Event('gs-look'));
  resized();
};

const element = (name, values, ...inside) => {
  const made = Object.assign(document.createElement(name), values);
  made.append(...inside);
  return made;
};

const button = (sign, title, act) => {
  const made = element('button', { type: 'button', title, textContent: sign });
  made.setAttribute('aria-label', title);
  made.addEventListener('click', act);
  return made;
};

// Maps and tables of one expert, larger, or of all beside each other.
const chooser = () => {
  const said = sentence('present');
  const select = element('select', { className: 'gs-present-expert', title: said.expert });
  select.setAttribute('aria-label', said.expert);
  select.addEventListener('change', () => {
    const slide = onView();
    if (!slide) return;
    if (select.value) slide.dataset.only = select.value;
    else delete slide.dataset.only;
    relook();
  });
  return select;
};

const offerExperts = () => {
  const select = document.querySelector('.gs-present-expert');
  const plots = [...(onView()?.querySelectorAll('.gs-plot, .gs-lenses > .gs-lens[data-expert]') ?? [])];
  const named = plots.map((plot) => [
    plot.querySelector('h3').textContent,
    /gs-(first|second)/.exec(plot.className)?.[1],
  ]);
  const all = element('option', { value: '', textContent: sentence('present').all });
  select.replaceChildren(all, ...named.map(([textContent, value]) => element('option', { value, textContent })));
  select.value = onView()?.dataset.only ?? '';
  select.hidden = named.length < 2;
};

const toggleTheme = () => {
  document.body.classList.toggle('dark');
  relook();
};

const addStage = () => {
  const said = sentence('present');
  const count = element('span', { className: 'gs-present-count' });
  count.setAttribute('role', 'status');
  const bar = element(
    'div',
    { className: 'gs-present-bar' },
    chooser(),
    button('◐', said.theme, toggleTheme),
    button('‹', said.back, () => go(-1)),
    count,
    button('›', said.next, () => go(1)),
    button('✕', said.close, leave),
  );
  bar.setAttribute('role', 'toolbar');
  bar.setAttribute('aria-label', said.title);
  document.body.append(element('div', { className: 'gs-stage' }), bar);
};

const off = () => {
  const slide = onView();
  slide?.classList.remove(ON_VIEW);
  if (slide) delete slide.dataset.only;
};

// Show the slide at a place; one that has nothing to show is left out, and the next in that direction comes.
const show = async (place, step) => {
  turn += 1;
  const mine = turn;
  const overtaken = () => mine !== turn || !presenting();
  at = Math.max(0, Math.min(place, left.length - 1));
  const [tab, id] = left[at];
  off();
  document.querySelector('.gs-present-count').textContent = `${at + 1} / ${left.length}`;
  await openTab(tab);
  let tries = 0;
  const neighbours = left.filter(([name]) => name === tab).map(([, other]) => other);
  const found = await waited(() => {
    if (overtaken() || drawn(id)) return document.getElementById(id);
    if (neighbours.some(drawn)) tries += 1;
    return tries > DRAWN ? 'nothing' : null;
  });
  if (overtaken()) return;
  if (!(found instanceof Element)) {
    left.splice(at, 1);
    return show(step < 0 ? at - 1 : at, step);
  }
  const fold = found.querySelector(':scope > button');
  if (found.classList.contains('gs-fold') && !fold.classList.contains('open')) fold.click();
  found.classList.add(ON_VIEW);
  found.scrollTop = 0;
  offerExperts();
  resized();
};

const go = (step) => {
  if (at + step >= 0 && at + step < left.length) show(at + step, step);
};

// The slide that the reader has before the eyes: the last one of the tab that begins above the middle of the window.
const nearest = () => {
  const middle = innerHeight / 2;
  const there = left.map(([, id]) => document.getElementById(id)?.getBoundingClientRect());
  const seen = there.findLastIndex((box) => box?.height && box.top < middle);
  return Math.max(
    seen,
    there.findIndex((box) => box?.height),
    0,
  );
};

const enter = () => {
  if (presenting()) return;
  left = Object.entries(slides).flatMap(([tab, ids]) => ids.map((id) => [tab, id]));
  from = { tab: opened(), y: scrollY, focus: document.activeElement };
  const place = nearest();
  root.classList.add(PRESENTING);
  fitZoom();
  addStage();
  root.requestFullscreen?.().catch(() => {}); // without it the window is filled
  document.dispatchEvent(new Event('gs-look'));
  show(place, 1);
};

const leave = async () => {
  if (!presenting()) return;
  turn += 1;
  off();
  root.classList.remove(PRESENTING);
  fitZoom();
  for (const node of document.querySelectorAll('.gs-stage, .gs-present-bar')) node.remove();
  if (document.fullscreenElement === root) document.exitFullscreen();
  relook();
  const { tab, y, focus } = from;
  await openTab(tab);
  await waited(() => root.scrollHeight >= y + innerHeight);
  if (presenting()) return;
  scrollTo({ top: y, behavior: 'instant' });
  focus?.focus({ preventScroll: true });
};

const hearKey = (event) => {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || document.querySelector('dialog[open], .gs-guide')) return;
  if (!presenting()) {
    if (key.toLowerCase() === 'p' && !target.closest?.(FIELDS)) enter();
    return;
  }
  if (key === 'Escape' && !document.querySelector('ul[role="listbox"]')) return leave();
  const step = STEPS[key];
  if (!step || target.closest?.(OWN_ARROWS)) return;
  event.preventDefault();
  go(step);
};

export const offerPresent = () => {
  addEventListener('click', ({ target }) => target.closest?.('#present') && enter());
  addEventListener('keydown', hearKey);
  addEventListener('resize', fitZoom);
  // The browser ends its full screen by Escape itself, and tells no key.
  document.addEventListener('fullscreenchange', () => !document.fullscreenElement && leave());
  new MutationObserver(() => presenting() && onView() && offerExpertsOnce()).observe(document.body, {
    childList: true,
    subtree: true,
  });
};

// Panels are drawn while they are on view: the choice of experts follows.
let offering = false;
const offerExpertsOnce = () => {
  if (offering) return;
  offering = true;
  setTimeout(() => {
    offering = false;
    if (presenting()) offerExperts();
  }, 200);
};
