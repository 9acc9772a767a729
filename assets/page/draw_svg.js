// A panel as one SVG of plain shapes and texts, which any program draws: a copy is laid out beside the panel with
// nothing scrolled away, and every box, line of text and picture of it is written down where the browser put it.
import { frame, insets, outline, rect } from './svg_frames.js';
import { escaped, paint, round, textLines } from './svg_shapes.js';

const WIDEST = 6000; // pixels
const DRAWN = [
  ...['fill', 'fill-opacity', 'stroke', 'stroke-opacity', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin'],
  ...['stroke-linecap', 'vector-effect', 'opacity', 'image-rendering', 'filter'],
];
const WRITTEN = ['font-family', 'font-size', 'font-weight', 'font-style', 'text-anchor', 'dominant-baseline'];

// A copy of the panel without its buttons, wide and high enough for all that it scrolls.
const laidOut = (panel) => {
  const copy = panel.cloneNode(true);
  for (const node of copy.querySelectorAll('.gs-save, .gs-full, .gs-more')) node.remove();
  const state = (root) => root.querySelectorAll('input, select, canvas');
  const inputs = [...state(panel)].filter((node) => !node.closest('.gs-save'));
  state(copy).forEach((node, i) => {
    if (node.localName === 'canvas') node.getContext('2d').drawImage(inputs[i], 0, 0);
    else node.value = inputs[i].value;
  });
  let { width } = panel.getBoundingClientRect();
  Object.assign(copy.style, { position: 'absolute', left: '-30000px', top: '0', width: `${width}px`, margin: '0' });
  panel.parentNode.append(copy);
  const scrolled = [];
  for (const node of [copy, ...copy.querySelectorAll('*')]) {
    const style = getComputedStyle(node);
    if (style.position === 'sticky') node.style.position = 'static';
    if (!/auto|scroll/.test(style.overflow)) continue;
    node.style.maxHeight = 'none';
    scrolled.push(node);
  }
  for (let turn = 0; turn < 8 && width < WIDEST; turn += 1) {
    const lacking = Math.max(0, ...scrolled.map((node) => node.scrollWidth - node.clientWidth));
    if (!lacking) break;
    width = Math.min(WIDEST, width + lacking);
    copy.style.width = `${width}px`;
  }
  for (const node of scrolled) node.style.overflow = 'visible';
  return copy;
};

// An inner SVG with the look that the page's styles give it; scale: how much larger the file will be drawn, for lines
// that do not grow with it.
const innerSvg = (node, box, scale) => {
  const copy = node.cloneNode(true);
  const parts = [node, ...node.querySelectorAll('*')];
  [copy, ...copy.querySelectorAll('*')].forEach((part, i) => {
    const style = getComputedStyle(parts[i]);
    const names = /^(text|tspan)$/.test(part.localName) ? [...DRAWN, ...WRITTEN] : DRAWN;
    const look = names.map((name) => {
      const value = style.getPropertyValue(name);
      const fixed = /^stroke-(width|dasharray)$/.test(name) && style.vectorEffect !== 'none';
      if (fixed) return `${name}:${value.replace(/[\d.]+/g, (size) => scale * size)}`;
      return /^(fill|stroke)$/.test(name) ? `${name}:${paint(value).css}` : `${name}:${value}`;
    });
    if (style.display === 'none' || style.visibility === 'hidden') look.push('display:none');
    if (i && style.transform !== 'none') part.setAttribute('transform', style.transform);
    part.setAttribute('style', look.join(';').replaceAll('"', "'"));
    part.removeAttribute('class');
  });
  for (const [name, value] of Object.entries(box)) copy.setAttribute(name, round(value));
  copy.setAttribute('overflow', 'visible');
  return new XMLSerializer().serializeToString(copy);
};

// A picture as PNG: few programs that take an SVG file read the page's WebP.
const pngOf = (image) => {
  const { naturalWidth: width, naturalHeight: height } = image;
  if (!width) return image.src;
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL();
};

class Writer {
  constructor(root, scale) {
    this.origin = root.getBoundingClientRect();
    this.defined = new Map();
    this.scale = scale;
  }

  // Where a rectangle of the window lies in the file.
  place({ left, top, width, height }) {
    return { x: left - this.origin.left, y: top - this.origin.top, width, height };
  }

  define(content, make) {
    if (!this.defined.has(content)) this.defined.set(content, `d${this.defined.size}`);
    return make(this.defined.get(content));
  }

  // Stripes in a colour, for what is striped on the page.
  stripes(image) {
    const { css } = paint(image.match(/(rgba?|color)\([^)]*\)/)?.[0] ?? '#888');
    const tile = `<rect width="3" height="5" fill="${css}"/>`;
    const attributes = 'width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"';
    return this.define(`<pattern id="ID" ${attributes}>${tile}</pattern>`, (id) => `url(#${id})`);
  }

  // Ground, frame and outline of a box; the frame of a row of a table is drawn by its cells.
  box(style, box, isRow = false) {
    const radius = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, box.height / 2);
    const round_ = radius ? ` rx="${round(radius)}"` : '';
    const ground = paint(style.backgroundColor);
    let drawn = ground.alpha ? rect(box, `${round_} fill="${ground.colour}"${ground.opacity('fill')}`) : '';
    if (style.backgroundImage.includes('gradient'))
      drawn += rect(box, `${round_} fill="${this.stripes(style.backgroundImage)}"`);
    if (!isRow) drawn += frame(style, box, round_);
    return drawn + insets(style, box, round_) + outline(style, box, round_);
  }

  // A bar that stands before or after the content of a box.
  pseudo(node, name, { x, y }) {
    const style = getComputedStyle(node, name);
    if (style.content !== '""' || style.position !== 'absolute') return '';
    const [left, top, width, height] = ['left', 'top', 'width', 'height'].map((side) => Number.parseFloat(style[side]));
    return this.box(style, { x: x + node.clientLeft + left, y: y + node.clientTop + top, width, height });
  }

  // What a control shows: the place on its rail, the choice of a list.
  control(node, style, box) {
    const middle = box.y + box.height / 2;
    if (node.type === 'range') {
      const share = (node.value - node.min) / (node.max - node.min || 1);
      const rail = { x: box.x, y: middle - 2, width: box.width, height: 4 };
      const knob = `cx="${round(box.x + 7 + share * (box.width - 14))}" cy="${round(middle)}" r="7"`;
      return `${rect(rail, ' rx="2" fill="#8886"')}<circle ${knob} fill="${paint(style.accentColor).colour}"/>`;
    }
    const shown = node.localName === 'select' ? node.selectedOptions[0]?.textContent : node.value;
    const font = `font-family="${escaped(style.fontFamily)}" font-size="${style.fontSize}"`;
    const look = `${font} fill="${paint(style.color).colour}"`;
    return `<text x="${round(box.x + 8)}" y="${round(middle + 4)}" ${look}>${escaped(shown ?? '')}</text>`;
  }

  children(node) {
    const folded = node.localName === 'details' && !node.open;
    return [...node.childNodes]
      .filter((child) => !folded || child.localName === 'summary')
      .map((child) => {
        if (child.nodeType === Node.TEXT_NODE) return textLines(child, this.origin);
        return child.nodeType === Node.ELEMENT_NODE ? this.element(child) : '';
      })
      .join('');
  }

  // A box that hides what does not fit it.
  clipped(node, box, content) {
    const hides = node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1;
    if (!hides) return content;
    const shape = rect(box, '');
    const clip = this.define(`<clipPath id="ID">${shape}</clipPath>`, (id) => ` clip-path="url(#${id})"`);
    return `<g${clip}>${content}</g>`;
  }

  element(node) {
    const style = getComputedStyle(node);
    if (style.display === 'none' || style.visibility === 'hidden' || style.opacity === '0') return '';
    const box = this.place(node.getBoundingClientRect());
    const drawn = this.content(node, style, box);
    return style.opacity === '1' ? drawn : `<g opacity="${style.opacity}">${drawn}</g>`;
  }

  content(node, style, box) {
    if (style.display === 'contents') return this.children(node);
    const isRow = /^(tr|thead|tbody|tfoot)$/.test(node.localName);
    if (node.type === 'range') return this.control(node, style, box);
    let drawn = this.box(style, box, isRow);
    if (node.localName === 'svg') return box.width && box.height ? drawn + innerSvg(node, box, this.scale) : '';
    drawn += this.pseudo(node, '::before', box) + this.pseudo(node, '::after', box);
    if (/^(img|canvas)$/.test(node.localName)) return drawn + this.image(node, style, box);
    if (/^(input|select|textarea)$/.test(node.localName)) return drawn + this.control(node, style, box);
    const content = this.children(node);
    drawn += /hidden|clip/.test(style.overflowX) ? this.clipped(node, box, content) : content;
    return drawn;
  }

  image(node, style, { x, y, width, height }) {
    const source = node.localName === 'canvas' ? node.toDataURL() : pngOf(node);
    const filter = style.filter === 'none' ? '' : `filter:${style.filter};`;
    const place = `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
    return `<image ${place} style="${filter}image-rendering:pixelated" href="${escaped(source)}"/>`;
  }
}

// {svg, width, height} of a panel; facts: what the file says about itself; scale: how much larger it will be drawn.
export const svgOf = (panel, facts, scale = 1) => {
  const copy = laidOut(panel);
  try {
    const writer = new Writer(copy, scale);
    const width = Math.ceil(writer.origin.width);
    const height = Math.ceil(writer.origin.height);
    const drawn = writer.element(copy);
    const defined = [...writer.defined].map(([content, id]) => content.replace('ID', id)).join('');
    const title = escaped(panel.querySelector('h2')?.textContent ?? panel.dataset.name);
    const head = `<title>${title}</title><metadata>${escaped(JSON.stringify(facts))}</metadata>`;
    const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${head}<defs>${defined}</defs>${drawn}</svg>`;
    return { svg, width, height };
  } finally {
    copy.remove();
  }
};
