// Under the map of words: its legend, and the chosen word's nearest words, layer by layer, in each expert.
const SIDES = ['first', 'second', 'third', 'fourth'];

const made = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// One button a group; `pressed` is the index of the group that is lit, or null.
export const legendButtons = (groups, pressed) =>
  groups.names.map((name, group) => {
    const mark = made('i', { textContent: groups.marks[group] });
    mark.style.color = `var(${groups.colours[group]})`;
    const button = made('button', { type: 'button' }, mark, name);
    button.dataset.group = group;
    button.setAttribute('aria-pressed', String(pressed === group));
    return button;
  });

// A word with its translation, if it has one.
export const glossed = (data, index) => data.words[index] + (data.glosses[index] ? ` (${data.glosses[index]})` : '');

const cell = (data, chosen, other, layer, shown) => {
  const groups = data.groups.concept;
  const same = groups.of[other] === groups.of[chosen];
  const found = made('td', {
    className: (same ? 'gs-same-group' : '') + (layer === shown ? ' gs-now' : ''),
    title: glossed(data, other),
    textContent: (same ? '● ' : '') + data.words[other],
  });
  found.dataset.layer = layer;
  return found;
};

// A row a rank, a column a layer.
const table = (data, chosen, expert, shown) => {
  const layers = data.near[expert];
  const head = made(
    'tr',
    {},
    ...[data.experts[expert], ...layers.keys()].map((name) => made('th', { textContent: name })),
  );
  const rows = layers[0][chosen].map((_, rank) => {
    const cells = layers.map((words, layer) => cell(data, chosen, words[chosen][rank], layer, shown));
    return made('tr', {}, made('th', { textContent: rank + 1 }), ...cells);
  });
  const drawn = made('table', {}, made('thead', {}, head), made('tbody', {}, ...rows));
  const scroll = made('div', { className: 'gs-scroll' }, drawn);
  return made('div', { className: `gs-lens gs-${SIDES[expert % SIDES.length]}` }, scroll);
};

// The title and a table an expert; words of the chosen one's own group are marked, and so is the layer on view.
export const nearTables = (data, chosen, shown) => {
  const title = made('h3', { textContent: data.near_title.replace('\ufffc', glossed(data, chosen)) });
  const tables = data.near.map((_, expert) => table(data, chosen, expert, shown));
  return [title, made('div', { className: 'gs-lenses' }, ...tables)];
};
