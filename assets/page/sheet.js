// On a phone the card of a token is far below its chip: a tap on a chip brings it up as a sheet, which goes away by its
// button, by Escape, or by a pull downwards at its head.
import { sentence } from './sentences.js';
import { opened } from './tabs.js';

const SHEET = 'gs-sheet';
const FAR = 70; // pixels of a pull that let go of the sheet
const phone = matchMedia('(max-width: 760px)');
const card = () => document.getElementById('slide-glyphs');

let chip = null; // the number of the one that was tapped: chips are drawn anew
let start = null; // where a pull began

const close = () => {
  const sheet = document.querySelector(`.${SHEET}`);
  if (!sheet) return;
  sheet.classList.remove(SHEET);
  for (const name of ['role', 'aria-label']) sheet.removeAttribute(name);
  document.querySelector('.gs-sheet-head')?.remove();
  document.documentElement.style.removeProperty('--gs-pull');
  document.querySelector(`#strip .gs-chip[data-index="${chip}"]`)?.focus({ preventScroll: true });
};

const pull = (head) => {
  const moved = ({ clientY }) => Math.max(0, clientY - start);
  head.addEventListener('pointerdown', (event) => {
    if (event.target.closest('button')) return;
    start = event.clientY;
    head.setPointerCapture(event.pointerId);
  });
  head.addEventListener('pointermove', (event) => {
    if (start !== null) document.documentElement.style.setProperty('--gs-pull', `${moved(event)}px`);
  });
  head.addEventListener('pointerup', (event) => {
    if (start === null) return;
    if (moved(event) > FAR) close();
    document.documentElement.style.removeProperty('--gs-pull');
    start = null;
  });
  head.addEventListener('pointercancel', () => {
    start = null;
    document.documentElement.style.removeProperty('--gs-pull');
  });
};

const open = (tapped) => {
  const sheet = card();
  if (!sheet || sheet.classList.contains(SHEET)) return;
  const said = sentence('sheet');
  const head = Object.assign(document.createElement('div'), { className: 'gs-sheet-head' });
  const cross = Object.assign(document.createElement('button'), { type: 'button', textContent: '✕' });
  cross.setAttribute('aria-label', said.close);
  cross.addEventListener('click', close);
  head.append(document.createElement('i'), cross);
  pull(head);
  sheet.setAttribute('role', 'dialog');
  sheet.setAttribute('aria-label', said.title);
  sheet.classList.add(SHEET);
  sheet.scrollTop = 0;
  sheet.before(head);
  cross.focus({ preventScroll: true });
  tapped.scrollIntoView({ block: 'start' }); // above the sheet
};

export const offerSheet = () => {
  addEventListener('click', ({ target, isTrusted }) => {
    const tapped = target.closest?.('#strip .gs-strip[data-state="done"] .gs-chip');
    if (target.closest?.('#tabs > .tab-wrapper')) close();
    if (!tapped || !isTrusted || !phone.matches || opened() !== 'read') return; // the tour brings no sheet up
    chip = tapped.dataset.index;
    open(tapped);
  });
  addEventListener('keydown', ({ key }) => key === 'Escape' && !document.querySelector('dialog[open]') && close());
  phone.addEventListener('change', close);
};
