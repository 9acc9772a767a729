// Files of what a panel draws, made in the browser: nothing is asked of the server. Each says what it is of: the model,
// the text, how it was written, the layer, the units (`app/panels/provenance.py`) and the date.
import { svgOf } from './draw_svg.js';
import { withText } from './png_text.js';

const TALLEST = 16000; // pixels that a canvas has room for

const offer = (parts, type, name) => {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
};

// What the panel draws, as an object; it comes packed.
const unpacked = async (panel) => {
  const coded = panel.querySelector('.gs-download')?.dataset.packed;
  if (!coded) return {};
  const bytes = Uint8Array.from(atob(coded), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(stream).text());
};

// The text that a panel is of, where it is not the text on view.
const ownText = ({ text, texts, prompt }) => {
  if (Array.isArray(texts)) return { text: texts.map((tokens) => tokens.slice(1).join('')).join(' | ') };
  const own = typeof text === 'string' ? text : prompt;
  return own === undefined ? {} : { text: own };
};

const toldBy = (element) => JSON.parse(element?.dataset.about ?? '{}');

// What a file says about itself: what the server said of the model and of the panel, and what only the page knows.
const aboutOf = (panel, facts) => {
  const source = panel.closest('[data-about]');
  const model = toldBy(document.querySelector('[data-about]:has(> .gs-foot)'));
  const told = source ? toldBy(source) : { ...model, ...ownText(facts) };
  if (facts.groups) told.words = [...new Set(facts.groups)].join(' ');
  else if (typeof facts.words === 'string') told.words = facts.words;
  const slider = panel.querySelector('.gs-layer, .gs-near-layer');
  const layer = slider ? Number(slider.value) : (told.layer ?? (facts.table?.index.layer ? 'all' : 'last'));
  const title = panel.querySelector('h2').textContent;
  const when = { date: new Date().toISOString() };
  return { panel: panel.dataset.name, title, ...told, layer, units: facts.units ?? {}, ...when };
};

// experts_я-люблю_token7.csv: the panel, the beginning of its text, the token or the layer that it shows.
const LONGEST = 24;
const fileName = (about, kind) => {
  const words = (about.text ?? about.words ?? '').toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  let start = '';
  for (const word of words) {
    if (start && start.length + word.length >= LONGEST) break;
    start += (start ? '-' : '') + [...word].slice(0, LONGEST).join('');
  }
  const token = about.token === undefined ? '' : `token${about.token}`;
  const layer = typeof about.layer !== 'number' || token ? '' : `layer${about.layer}`;
  return `${[about.panel, start, token, layer].filter(Boolean).join('_')}.${kind}`;
};

export const saveFacts = async (panel) => {
  const facts = await unpacked(panel);
  const about = aboutOf(panel, facts);
  offer([JSON.stringify({ about, ...facts })], 'application/json', fileName(about, 'json'));
};

// A leading = + - @ would be a formula to a spreadsheet.
const csvCell = (value) => {
  const text = String(typeof value === 'string' && /^[=+@\t\r-]/.test(value) ? `'${value}` : (value ?? ''));
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const csvLine = (values) => values.map(csvCell).join(',');

// What the file is of: one line for each fact, `# name: value`, in a single cell.
const csvHead = (about) => Object.entries(about).map(([name, value]) => csvCell(`# ${name}: ${JSON.stringify(value)}`));

// The panel's table as CSV: one line for each cell of its axes, after the lines that begin with #.
export const saveTable = async (panel) => {
  const facts = await unpacked(panel);
  const about = aboutOf(panel, facts);
  const { index, values } = facts.table;
  const axes = Object.values(index);
  const lines = [...csvHead(about), csvLine([...Object.keys(index), ...Object.keys(values)])];
  const walk = (labels, parts) => {
    if (labels.length === axes.length) lines.push(csvLine([...labels, ...parts]));
    else
      axes[labels.length].forEach(
        (label, i) =>
          void walk(
            [...labels, label],
            parts.map((part) => part[i]),
          ),
      );
  };
  walk([], Object.values(values));
  offer([`\ufeff${lines.join('\r\n')}\r\n`], 'text/csv', fileName(about, 'csv'));
};

// The whole panel, with what its tables scroll: as SVG, or as a PNG of twice its size where a canvas has room for that.
export const saveShot = async (panel, kind) => {
  const about = aboutOf(panel, await unpacked(panel));
  const { svg, width, height } = svgOf(panel, about, kind === 'png' ? 2 : 1);
  const name = fileName(about, kind);
  if (kind === 'svg') return offer([svg], 'image/svg+xml', name);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const scale = Math.min(2, TALLEST / Math.max(width, height));
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: Math.round(scale * width), height: Math.round(scale * height) });
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  const file = await new Promise((done) => void canvas.toBlob(done));
  offer([await withText(file, 'Description', JSON.stringify(about))], 'image/png', name);
};
