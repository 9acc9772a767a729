// The tabs: which one is open is in the address; links and the tour open them; arrow keys walk over them.
import { sentence, tabs } from './sentences.js';

const NAMES = Object.keys(tabs);
const MILLISECONDS = 50;
const PATIENCE = 100; // so many times

const bar = () => document.querySelector('#tabs [role="tablist"]');
export const opened = () => NAMES.find((name) => document.getElementById(`tab-${name}`)?.offsetParent);

// Where there is little room Gradio moves tabs into a menu, whose buttons have nothing but a text. A hidden row that it
// measures has all of them in their order.
const buttonOf = (name) => {
  const measured = document.querySelectorAll('#tabs > .tab-wrapper > [aria-hidden="true"] button');
  const text = measured[NAMES.indexOf(name)]?.textContent;
  const buttons = [...document.querySelectorAll('#tabs [role="tab"], #tabs .overflow-dropdown button')];
  return buttons.find((button) => button.textContent === text);
};

const remember = () => {
  const name = opened();
  const address = new URL(location.href);
  if (!name || address.searchParams.get('tab') === name) return;
  address.searchParams.set('tab', name);
  history.replaceState(history.state, '', address);
};

// The tab that a panel stands in, or that is called so.
const tabOf = (id) => NAMES.find((name) => tabs[name].includes(id)) ?? NAMES.find((name) => name === id);

// What `find` gives, once it gives something; null after some seconds.
export const waited = async (find) => {
  for (let tries = 0; tries < PATIENCE; tries += 1) {
    const found = find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, MILLISECONDS));
  }
  return null;
};

// Open a tab, and wait until it is there.
export const openTab = (name) => {
  if (name && opened() !== name) buttonOf(name)?.click();
  return waited(() => !name || opened() === name);
};

// Open the tab that a panel stands in, and its fold; the panel, once it is drawn, or the fold where that takes long.
export const showPanel = async (panel) => {
  const name = tabOf(panel);
  await openTab(name);
  const fold = document.querySelector(`#fold-${panel} > button`);
  if (fold && !fold.classList.contains('open')) fold.click();
  const panelThere = !name || tabs[name].includes(panel);
  const drawn = await waited(() => {
    const found = document.getElementById(panelThere ? panel : `tab-${name}`);
    return found?.offsetParent && found.textContent.trim() ? found : null;
  });
  return drawn ?? fold;
};

const follow = async (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  const panel = link?.getAttribute('href').slice(1);
  if (!panel || !tabOf(panel)) return;
  event.preventDefault();
  (await showPanel(panel))?.scrollIntoView({ block: 'start' });
};

const walk = (event) => {
  const tab = event.target.closest?.('#tabs [role="tab"]');
  if (!tab) return;
  const all = [...bar().querySelectorAll('[role="tab"]')];
  const at = all.indexOf(tab);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const chosen = all.at(next % all.length);
  chosen.focus();
  chosen.click();
};

// One stop of the tabulator key for the whole row, and a name for it.
const tidy = () => {
  const row = bar();
  if (!row) return;
  const name = sentence('tabs');
  if (row.getAttribute('aria-label') !== name) row.setAttribute('aria-label', name);
  for (const tab of row.querySelectorAll('[role="tab"]')) {
    const index = tab.getAttribute('aria-selected') === 'true' ? 0 : -1;
    if (tab.tabIndex !== index) tab.tabIndex = index;
  }
};

// A link to a tab shows the tab, not the picture above it; who has begun to scroll is left alone.
const toTabs = () => {
  if (scrollY === 0) document.getElementById('tabs').scrollIntoView();
};

export const watchTabs = () => {
  addEventListener('click', (event) => {
    follow(event);
    if (event.target.closest?.('#tabs > .tab-wrapper')) setTimeout(remember, MILLISECONDS);
  });
  addEventListener('keydown', walk);
  new MutationObserver(tidy).observe(document.body, {
    childList: true,
    subtree: true,
    attributeFilter: ['aria-selected'],
  });
  const asked = location.hash.slice(1);
  if (tabOf(asked))
    waited(opened)
      .then(() => showPanel(asked))
      .then((panel) => panel?.scrollIntoView());
  else if (NAMES.indexOf(new URLSearchParams(location.search).get('tab')) > 0) waited(opened).then(toTabs);
};
