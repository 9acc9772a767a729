// Pieces of an SVG file: colours as every program reads them, texts line by line where the browser put them.
export const round = (value) => Math.round(value * 100) / 100;

// Characters that XML cannot hold are left out.
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

export const escaped = (text) =>
  String(text)
    .replace(FORBIDDEN, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

// A computed colour, `rgb(…)`, `rgba(…)` or, of a mixture, `color(srgb …)`: the colour alone, and how much it covers.
export const paint = (value) => {
  const numbers = value.match(/-?\d*\.?\d+(e-?\d+)?/g)?.map(Number) ?? [];
  const mixed = value.startsWith('color(srgb');
  if (!/^(rgb|color\(srgb)/.test(value) || numbers.length < 3)
    return { css: value, colour: value, alpha: value === 'none' || value === 'transparent' ? 0 : 1, opacity: () => '' };
  const parts = numbers.slice(0, 3).map((part) => Math.round(mixed ? 255 * part : part));
  const alpha = numbers[3] ?? 1;
  const colour = `rgb(${parts.join(',')})`;
  return {
    colour,
    alpha,
    css: alpha === 1 ? colour : `rgba(${parts.join(',')},${round(alpha)})`,
    opacity: (name) => (alpha === 1 ? '' : ` ${name}-opacity="${round(alpha)}"`),
  };
};

const canvas = document.createElement('canvas').getContext('2d');
const ascents = new Map();

// How much of a line's height lies above its baseline: a share of ascent and descent together.
const ascentShare = (font) => {
  if (!ascents.has(font)) {
    canvas.font = font;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = canvas.measureText('Hg');
    ascents.set(font, up / (up + down));
  }
  return ascents.get(font);
};

// The lines into which the browser broke a text: [{text, rect}].
const broken = (node) => {
  const range = document.createRange();
  const end = node.data.trimEnd().length; // spaces around a text are not drawn
  let at = node.data.search(/\S/);
  range.setStart(node, at);
  range.setEnd(node, end);
  const rects = [...range.getClientRects()].filter(({ width }) => width > 0);
  if (!rects.length) return [];
  if (rects.every(({ top }) => Math.abs(top - rects[0].top) < 1))
    return [{ text: node.data.slice(at, end), rect: range.getBoundingClientRect() }];
  const lines = [];
  for (const letter of node.data.slice(at, end)) {
    range.setStart(node, at);
    at += letter.length;
    range.setEnd(node, at);
    const rect = [...range.getClientRects()].find(({ width }) => width > 0);
    if (!rect) continue;
    const line = lines.at(-1);
    if (!line || Math.abs(rect.top - line.rect.top) > rect.height / 2) {
      lines.push({ text: letter, rect: { left: rect.left, top: rect.top, right: rect.right, height: rect.height } });
      continue;
    }
    line.text += letter;
    line.rect.right = Math.max(line.rect.right, rect.right);
    line.rect.left = Math.min(line.rect.left, rect.left);
  }
  return lines;
};

const shown = (text, style) => {
  const cased = style.textTransform === 'uppercase' ? text.toUpperCase() : text;
  return style.whiteSpace.startsWith('pre') ? cased : cased.replace(/[ \t\n\r]+/g, ' ').trim();
};

// A text node as SVG texts, in the coordinates of an origin (left, top).
export const textLines = (node, origin) => {
  if (!node.data.trim()) return '';
  const style = getComputedStyle(node.parentElement);
  if (style.visibility === 'hidden') return '';
  const font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const ink = paint(style.color);
  const look =
    `font-family="${escaped(style.fontFamily.replaceAll('"', "'"))}" font-size="${style.fontSize}" ` +
    `fill="${ink.colour}"${ink.opacity('fill')}` +
    (style.fontWeight === '400' ? '' : ` font-weight="${style.fontWeight}"`) +
    (style.fontStyle === 'normal' ? '' : ` font-style="${style.fontStyle}"`) +
    (style.textDecorationLine === 'none' ? '' : ` text-decoration="${style.textDecorationLine}"`);
  return broken(node)
    .map(({ text, rect }) => {
      const width = rect.right - rect.left;
      const words = shown(text, style);
      if (!words) return '';
      const y = rect.top - origin.top + rect.height * ascentShare(font);
      const fit = `textLength="${round(width)}" lengthAdjust="spacingAndGlyphs"`;
      return `<text x="${round(rect.left - origin.left)}" y="${round(y)}" ${fit} ${look}>${escaped(words)}</text>`;
    })
    .join('');
};
