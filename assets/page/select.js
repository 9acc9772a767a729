// Plotly comes when the first interactive figure is near the window, once for all of them.
const plotly = () => {
  window.gsPlotly ??= new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = 'gs/plotly.min.js';
    script.onload = () => done(window.Plotly);
    script.onerror = failed;
    document.head.append(script);
  });
  return window.gsPlotly;
};
const whenSeen = (act) => {
  const eye = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    eye.disconnect();
    act();
  }, { rootMargin: '400px' });
  eye.observe(element);
};
// One layer for all panels: whoever's slider moves tells the others.
const tellLayer = (layer) => setTimeout(() => {
  document.dispatchEvent(new CustomEvent('gs-layer', { detail: { layer, from: element } }));
}, 50); // after the panel at hand has moved
const hearLayer = (take) => document.addEventListener('gs-layer', (event) => {
  if (event.detail.from !== element && element.isConnected) take(event.detail.layer);
});
const offer = (address, name) => Object.assign(document.createElement('a'), { href: address, download: name }).click();
const offerText = (parts, type, name) => {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  offer(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10000);
};
// What the panel draws, as JSON; it comes packed.
const unpacked = (panel) => {
  const coded = panel.querySelector('.gs-download').dataset.packed;
  const bytes = Uint8Array.from(atob(coded), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
};
const saveFacts = async (panel) =>
  offerText([await unpacked(panel)], 'application/json', `glyphscope-${panel.dataset.name}.json`);
// The panel's table as CSV: one line for each cell of its axes.
const saveTable = async (panel) => {
  const { index, values } = JSON.parse(await unpacked(panel)).table;
  // A leading = + - @ would be a formula to a spreadsheet.
  const cell = (value) => {
    const text = String(typeof value === 'string' && /^[=+@\t\r-]/.test(value) ? `'${value}` : value ?? '');
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const axes = Object.values(index);
  const columns = Object.values(values);
  const lines = [[...Object.keys(index), ...Object.keys(values)].map(cell).join(',')];
  const walk = (labels, parts) => {
    if (labels.length === axes.length) return lines.push([...labels, ...parts].map(cell).join(','));
    axes[labels.length].forEach((label, i) => walk([...labels, label], parts.map((part) => part[i])));
  };
  walk([], columns);
  offerText(['\ufeff' + lines.join('\r\n') + '\r\n'], 'text/csv', `glyphscope-${panel.dataset.name}.csv`);
};
// The panel as it stands, drawn into one SVG with its styles inside, or as a PNG of that.
const saveShot = async (panel, kind) => {
  const { width, height } = panel.getBoundingClientRect();
  const copy = panel.cloneNode(true);
  copy.querySelectorAll('.gs-save, .gs-full').forEach((node) => node.remove());
  copy.querySelectorAll('input').forEach((node, i) => node.setAttribute('value', panel.querySelectorAll('input')[i].value));
  copy.style.width = `${width}px`;
  copy.style.margin = '0';
  const rules = [...document.styleSheets].flatMap((sheet) => {
    try { return [...sheet.cssRules].map((rule) => rule.cssText); } catch { return []; }
  }).filter((rule) => /gs-|js-plotly|plot-container|svg-container|main-svg/.test(rule));
  const here = getComputedStyle(panel);
  const root = document.createElement('div');
  root.className = document.body.classList.contains('dark') ? 'dark' : '';
  const names = [...new Set(rules.join('').match(/--gs-[\w-]+/g))];
  root.setAttribute('style', names.map((name) => `${name}:${here.getPropertyValue(name)}`).join(';')
    + `;font:${here.font};line-height:${here.lineHeight};color:${here.color};background:${here.backgroundColor}`);
  const sheet = document.createElement('style');
  sheet.textContent = '*{box-sizing:border-box}ol,ul{margin:0}' + rules.join('\n');
  const inner = document.createElement('div');
  inner.className = 'gs-root';
  inner.append(copy);
  root.append(sheet, inner);
  const body = new XMLSerializer().serializeToString(root);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`
    + `<foreignObject width="100%" height="100%">${body}</foreignObject></svg>`;
  const address = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(svg);
  const name = `glyphscope-${panel.dataset.name}.${kind}`;
  if (kind === 'svg') return offer(address, name);
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 2 * width, height: 2 * height });
  canvas.getContext('2d').drawImage(image, 0, 0, 2 * width, 2 * height);
  offer(canvas.toDataURL('image/png'), name);
};
const choose = (index) => {
  document.querySelectorAll('.gs-root [data-index]').forEach((node) => {
    const chosen = Number(node.dataset.index) === index;
    if (node.hasAttribute('aria-pressed')) node.setAttribute('aria-pressed', String(chosen));
    if (node.hasAttribute('aria-selected')) node.setAttribute('aria-selected', String(chosen));
    node.querySelectorAll('td[data-layer]').forEach((cell) => (cell.tabIndex = chosen ? 0 : -1));
    if (node.classList.contains('gs-point')) node.classList.toggle('gs-selected', chosen);
  });
};
element.addEventListener('click', (event) => {
  const full = event.target.closest('.gs-full');
  if (full) {
    if (document.fullscreenElement) document.exitFullscreen();
    else full.closest('.gs-panel').requestFullscreen();
    return;
  }
  if (event.target.closest('.gs-csv')) return saveTable(event.target.closest('.gs-panel'));
  if (event.target.closest('.gs-download')) return saveFacts(event.target.closest('.gs-panel'));
  const shot = event.target.closest('.gs-shot');
  if (shot) return saveShot(shot.closest('.gs-panel'), shot.dataset.kind);
  const pin = event.target.closest('[data-pin]');
  if (pin) return trigger('select', { pin: Number(pin.dataset.pin) });
  const hit = event.target.closest('[data-index]');
  if (!hit || hit.closest('[data-state="writing"]')) return;
  const cell = event.target.closest('[data-layer]');
  const index = Number(hit.dataset.index);
  if (index < 1) return;
  choose(index);
  const at = cell && { expert: Number(cell.closest('[data-expert]').dataset.expert), layer: Number(cell.dataset.layer) };
  trigger('select', { index, ...at });
});
// Arrow keys walk over the cells of a lens, Enter or the space bar chooses one.
element.addEventListener('keydown', (event) => {
  const cell = event.target.closest('td[data-layer]');
  if (!cell) return;
  const row = cell.parentNode;
  const beside = (line) => line?.querySelector(`td[data-layer="${cell.dataset.layer}"]`);
  const next = {
    ArrowLeft: () => cell.previousElementSibling,
    ArrowRight: () => cell.nextElementSibling,
    ArrowUp: () => beside(row.previousElementSibling),
    ArrowDown: () => beside(row.nextElementSibling),
  }[event.key];
  if (next) next()?.focus();
  else if (event.key === 'Enter' || event.key === ' ') cell.click();
  else return;
  event.preventDefault();
});
