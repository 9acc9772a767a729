// The link to the page as it is. The server packs it; what only the browser knows is sent to it, and set again when the
// page is opened by a link.
import { shownInstruments } from './break_view.js';
import { askMap, shownMap } from './map_view.js';
import { sharedLayer, tellLayer } from './shared_layer.js';

// What is set in the browser alone, as JSON for the server.
export const pageView = () => {
  const base = `${location.origin}${location.pathname}`;
  return JSON.stringify({ base, layer: sharedLayer(), ...shownMap(), ...shownInstruments() });
};

// A browser copies for a press on a button only, and may not at all: then the link stands there to be copied by hand.
const copy = async (box) => {
  const line = box.querySelector('.gs-status');
  try {
    await navigator.clipboard.writeText(box.querySelector('.gs-link').href);
    line.textContent = line.dataset.copied;
  } catch {
    box.querySelector('.gs-link').focus();
  }
};

const set = ({ layer, ...map }) => {
  if (Object.keys(map).length) askMap(map);
  if (Number.isInteger(layer)) tellLayer(null, layer);
};

export const mount = (element, { watch }) => {
  let done = null; // what was acted upon: it comes once, and is drawn more often
  const update = () => {
    const box = element.querySelector('.gs-link-box');
    const view = element.querySelector('.gs-view');
    const now = (box ?? view)?.outerHTML ?? null;
    if (now === done) return;
    done = now;
    if (box) copy(box);
    if (view) set(JSON.parse(view.dataset.view));
    done = (box ?? view)?.outerHTML ?? null;
  };
  element.addEventListener('click', ({ target }) => target.matches('.gs-snippet') && target.select());
  watch('value', update);
  update();
};
