// Frames of boxes as SVG, from their computed styles.
import { paint, round } from './svg_shapes.js';

export const rect = ({ x, y, width, height }, look) => {
  if (width <= 0 || height <= 0) return '';
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"${look}/>`;
};

// Borders: one rectangle where all four are alike, else a line for each.
export const frame = (style, { x, y, width, height }, rounded) => {
  const sides = ['Top', 'Right', 'Bottom', 'Left'].map((side) => ({
    size: style[`border${side}Style`] === 'none' ? 0 : Number.parseFloat(style[`border${side}Width`]),
    kind: style[`border${side}Style`],
    ink: paint(style[`border${side}Color`]),
  }));
  const look = ({ size, kind, ink }) =>
    ` fill="none" stroke="${ink.colour}" stroke-width="${round(size)}"${ink.opacity('stroke')}` +
    (kind === 'dashed' ? ` stroke-dasharray="${3 * size} ${2 * size}"` : '') +
    (kind === 'dotted' ? ` stroke-dasharray="${size}"` : '');
  const [top, right, bottom, left] = sides;
  const shared = style.display === 'table-cell' && style.borderCollapse === 'collapse'; // each line is two cells'
  const within = (side) => (shared ? 0 : side.size / 2);
  if (sides.every(({ size, ink }) => size === top.size && ink.css === top.ink.css)) {
    if (!top.size || !top.ink.alpha) return '';
    const half = within(top);
    const inner = { x: x + half, y: y + half, width: width - 2 * half, height: height - 2 * half };
    return rect(inner, rounded + look(top));
  }
  const line = (side, x1, y1, x2, y2) =>
    side.size && side.ink.alpha ? `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}"${look(side)}/>` : '';
  return (
    line(top, x, y + within(top), x + width, y + within(top)) +
    line(right, x + width - within(right), y, x + width - within(right), y + height) +
    line(bottom, x, y + height - within(bottom), x + width, y + height - within(bottom)) +
    line(left, x + within(left), y, x + within(left), y + height)
  );
};

// Lines inside the edge, drawn as shadows without blur: all around, or along the top or the bottom.
export const insets = (style, { x, y, width, height }, rounded) => {
  const shadows = style.boxShadow.match(/(rgba?|color)\([^)]*\)[^,()]*inset/g) ?? [];
  return shadows
    .map((shadow) => {
      const { colour } = paint(shadow.match(/^(rgba?|color)\([^)]*\)/)[0]);
      const [, down, , spread] = shadow.match(/-?[\d.]+px/g).map(Number.parseFloat);
      if (spread) {
        const inner = { x: x + spread / 2, y: y + spread / 2, width: width - spread, height: height - spread };
        return rect(inner, `${rounded} fill="none" stroke="${colour}" stroke-width="${spread}"`);
      }
      const bar = { x, y: down < 0 ? y + height + down : y, width, height: Math.abs(down) };
      return rect(bar, ` fill="${colour}"`);
    })
    .join('');
};

export const outline = (style, { x, y, width, height }, rounded) => {
  const size = style.outlineStyle === 'none' ? 0 : Number.parseFloat(style.outlineWidth);
  const ink = paint(style.outlineColor);
  if (!size || !ink.alpha) return '';
  const away = size / 2 + (Number.parseFloat(style.outlineOffset) || 0);
  const wider = { x: x - away, y: y - away, width: width + 2 * away, height: height + 2 * away };
  return rect(wider, `${rounded} fill="none" stroke="${ink.colour}" stroke-width="${size}"`);
};
