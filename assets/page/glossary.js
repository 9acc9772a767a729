// Terms of the field: where a panel uses one it is a link to the glossary, with its sentence as a tip. `#glossary` in
// the address opens the glossary, `#glossary-KEY` at that word.
const NAME = 'glossary';
const PROSE =
  '.gs-lead, .gs-summary, .gs-note, .gs-said, figcaption, .gs-panel h3, dt, .gs-lines > span, .gs-ribbon > span';
const SOON = 60; // milliseconds: what comes together is marked together
const SKIPPED = 'a, button, summary, select, label, bdi, svg, .gs-save';

const dialog = () => document.querySelector('#gs-glossary');
const entryOf = (key) => dialog()?.querySelector(`#${CSS.escape(`${NAME}-${key}`)}`);

// Forms as one pattern: longer ones first; a * goes on with letters; no letters stand around a form, unless its script
// has no spaces.
const patternOf = (forms) => {
  const parts = forms.split(' | ').sort((a, b) => b.length - a.length);
  const escaped = parts.map((form) => form.replace(/[.()[\]+?]/g, '\\$&').replaceAll('*', '\\p{L}*'));
  const bare = parts.every((form) => /^\p{Script=Han}/u.test(form));
  return new RegExp(bare ? escaped.join('|') : `(?<![\\p{L}\\p{N}])(?:${escaped.join('|')})(?![\\p{L}\\p{N}])`, 'iu');
};

// The words of the glossary as it is: it may speak another language later, in the same elements.
let known = { title: null, terms: [] };
const titleOf = () => dialog()?.querySelector('h2').textContent ?? null;
const terms = () => {
  const title = titleOf();
  if (known.title !== title) {
    const marked = [...document.querySelectorAll('#gs-glossary [data-forms]')].filter((entry) => entry.dataset.forms);
    const read = (entry) => ({ key: entry.id.slice(NAME.length + 1), pattern: patternOf(entry.dataset.forms) });
    known = { title, terms: marked.map(read) };
  }
  return known.terms;
};

const linkTo = (key, text) => {
  const link = Object.assign(document.createElement('a'), { className: 'gs-term', textContent: text });
  link.setAttribute('href', `#${NAME}-${key}`);
  link.setAttribute('aria-describedby', 'gs-tip');
  return link;
};

// The first place of a term in an element's own sentences, made a link.
const markTerm = (element, { key, pattern }) => {
  if (!pattern.test(element.textContent)) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const found = pattern.exec(text.data);
    if (!found || text.parentElement.closest(SKIPPED)) continue;
    const term = text.splitText(found.index);
    term.splitText(found[0].length);
    term.replaceWith(linkTo(key, found[0]));
    return;
  }
};

// Each term once a panel. Gradio fits what is there to a new value, text by text, which takes links out again.
const markPanel = (panel) => {
  const prose = [...panel.querySelectorAll(PROSE)];
  for (const term of terms()) {
    for (const element of prose) {
      if (panel.querySelector(`.gs-term[href="#${NAME}-${term.key}"]`)) break;
      markTerm(element, term);
    }
  }
};

const due = new Set();
const markDue = () => {
  for (const panel of due) if (panel.isConnected) markPanel(panel);
  due.clear();
};
const noteChange = (records) => {
  if (!terms().length) return;
  const idle = !due.size;
  for (const { target } of records) {
    if (target.closest('svg')) continue;
    const around = target.closest('.gs-panel');
    for (const panel of around ? [around] : target.querySelectorAll('.gs-panel')) due.add(panel);
  }
  if (idle && due.size) setTimeout(markDue, SOON);
};

// The tip lies above everything, a panel that fills the screen too.
const tip = () => {
  const there = document.querySelector('#gs-tip');
  if (there) return there;
  const made = Object.assign(document.createElement('div'), { id: 'gs-tip', className: 'gs-tip', role: 'tooltip' });
  made.setAttribute('popover', 'manual');
  return document.body.appendChild(made);
};

const hideTip = () => {
  const shown = document.querySelector('#gs-tip:popover-open');
  shown?.hidePopover();
};

const showTip = ({ target }) => {
  const term = target.closest?.('.gs-term');
  const entry = term && entryOf(term.getAttribute('href').slice(NAME.length + 2));
  if (!entry) return;
  const box = tip();
  if (!box.showPopover) return; // an older browser: the link is enough
  box.textContent = entry.querySelector('dd').textContent;
  hideTip();
  box.showPopover();
  const at = term.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const below = at.bottom + 6;
  box.style.left = `${Math.max(12, Math.min(at.left, innerWidth - width - 12))}px`;
  box.style.top = `${below + height > innerHeight ? Math.max(6, at.top - height - 6) : below}px`;
};

const asked = () => {
  const [, key = ''] = new RegExp(`^#${NAME}(?:-(.*))?$`).exec(location.hash) ?? [null, null];
  return key;
};

// Open or closed as the address says.
const follow = () => {
  const box = dialog();
  const key = asked();
  if (!box) return;
  if (key === null) return box.close();
  hideTip();
  if (!box.open) box.showModal();
  for (const entry of box.querySelectorAll('.gs-asked')) entry.classList.remove('gs-asked');
  const entry = key && entryOf(key);
  box.querySelector('dl').focus({ preventScroll: true });
  if (!entry) return;
  entry.classList.add('gs-asked');
  entry.scrollIntoView({ block: 'center' });
};

let from = null; // the link that was followed; going to a place in the page takes the focus from it
const forget = () => {
  from?.focus({ preventScroll: true });
  from = null;
  if (asked() === null) return;
  const address = new URL(location.href);
  address.hash = '';
  history.replaceState(history.state, '', address);
};

export const offerGlossary = () => {
  let seen = null;
  new MutationObserver((records) => {
    noteChange(records);
    if (titleOf() === seen) return;
    seen = titleOf(); // the page has come, or speaks another language
    noteChange([{ target: document.body }]);
    if (asked() !== null) follow();
  }).observe(document.body, { childList: true, subtree: true });
  addEventListener('hashchange', follow);
  // A link's own way would be from the page's base, which may be another address.
  addEventListener('click', (event) => {
    const link = event.target.closest?.(`a[href="#${NAME}"], a[href^="#${NAME}-"]`);
    if (link) {
      event.preventDefault();
      from = link;
      location.hash = link.getAttribute('href');
    } else if (event.target === dialog()) dialog().close(); // its backdrop
  });
  addEventListener('close', ({ target }) => target === dialog() && forget(), true);
  for (const kind of ['pointerover', 'focusin']) addEventListener(kind, showTip);
  for (const kind of ['pointerout', 'focusout', 'scroll']) addEventListener(kind, hideTip, true);
  addEventListener('keydown', ({ key }) => key === 'Escape' && hideTip());
};
