// How the words' map is shown, between the map and links: its kind, colours, marks and chosen word.
const NAMES = ['layout', 'colour', 'mode', 'word'];
const NAME = 'gs-map';
let asked = {};

// What stands on the map's controls, if there is a map.
export const shownMap = () => {
  const picks = NAMES.map((name) => [name, document.querySelector(`#words [data-pick="${name}"]`)?.value]);
  const shown = Object.fromEntries(picks.filter(([, value]) => value));
  if (shown.word) shown.word = Number(shown.word);
  return shown;
};

// A link asks for a view; it holds, for a map that comes later too, until the visitor picks another one.
export const askMap = (view) => {
  asked = view;
  document.dispatchEvent(new Event(NAME));
};

export const askedMap = () => asked;

export const forgetMap = () => {
  asked = {};
};

export const hearMap = (take) => document.addEventListener(NAME, take);
