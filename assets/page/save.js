// Files of what a panel draws, made in the browser: nothing is asked of the server.
const offer = (address, name) => Object.assign(document.createElement('a'), { href: address, download: name }).click();

const offerText = (parts, type, name) => {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  offer(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10000);
};

const fileName = (panel, kind) => `glyphscope-${panel.dataset.name}.${kind}`;

// What the panel draws, as JSON; it comes packed.
const unpacked = (panel) => {
  const coded = panel.querySelector('.gs-download').dataset.packed;
  const bytes = Uint8Array.from(atob(coded), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
};

export const saveFacts = async (panel) =>
  offerText([await unpacked(panel)], 'application/json', fileName(panel, 'json'));

// A leading = + - @ would be a formula to a spreadsheet.
const csvCell = (value) => {
  const text = String(typeof value === 'string' && /^[=+@\t\r-]/.test(value) ? `'${value}` : (value ?? ''));
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const csvLine = (values) => values.map(csvCell).join(',');

// The panel's table as CSV: one line for each cell of its axes.
export const saveTable = async (panel) => {
  const { index, values } = JSON.parse(await unpacked(panel)).table;
  const axes = Object.values(index);
  const lines = [csvLine([...Object.keys(index), ...Object.keys(values)])];
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
  offerText([`\ufeff${lines.join('\r\n')}\r\n`], 'text/csv', fileName(panel, 'csv'));
};

// The rules that a panel's look depends on; a sheet from elsewhere may not be read.
const panelRules = () =>
  [...document.styleSheets]
    .flatMap((sheet) => {
      try {
        return [...sheet.cssRules].map((rule) => rule.cssText);
      } catch {
        return [];
      }
    })
    .filter((rule) => /gs-|js-plotly|plot-container|svg-container|main-svg/.test(rule));

// A copy without its buttons, its sliders where they are.
const copyOf = (panel, width) => {
  const copy = panel.cloneNode(true);
  for (const node of copy.querySelectorAll('.gs-save, .gs-full')) node.remove();
  const inputs = panel.querySelectorAll('input');
  copy.querySelectorAll('input').forEach((node, i) => void node.setAttribute('value', inputs[i].value));
  copy.style.width = `${width}px`;
  copy.style.margin = '0';
  return copy;
};

// The panel as it stands, as one SVG with its styles inside.
const drawn = (panel, width, height) => {
  const rules = panelRules();
  const here = getComputedStyle(panel);
  const root = document.createElement('div');
  root.className = document.body.classList.contains('dark') ? 'dark' : '';
  const names = [...new Set(rules.join('').match(/--gs-[\w-]+/g))];
  const colours = names.map((name) => `${name}:${here.getPropertyValue(name)}`).join(';');
  const text = `font:${here.font};line-height:${here.lineHeight};color:${here.color}`;
  root.setAttribute('style', `${colours};${text};background:${here.backgroundColor}`);
  const sheet = document.createElement('style');
  sheet.textContent = `*{box-sizing:border-box}ol,ul{margin:0}${rules.join('\n')}`;
  const inner = document.createElement('div');
  inner.className = 'gs-root';
  inner.append(copyOf(panel, width));
  root.append(sheet, inner);
  const body = new XMLSerializer().serializeToString(root);
  const content = `<foreignObject width="100%" height="100%">${body}</foreignObject>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`;
};

// As SVG, or as a PNG of twice its size.
export const saveShot = async (panel, kind) => {
  const { width, height } = panel.getBoundingClientRect();
  const address = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawn(panel, width, height))}`;
  if (kind === 'svg') return offer(address, fileName(panel, kind));
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 2 * width, height: 2 * height });
  canvas.getContext('2d').drawImage(image, 0, 0, 2 * width, 2 * height);
  offer(canvas.toDataURL('image/png'), fileName(panel, kind));
};
