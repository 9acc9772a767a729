// Where the words of a map are written, so that none covers another or the mark of another and the edge cuts none: at
// its place or beside it, or else its mark alone. Plotly draws what this decides.

const POSITIONS = ['middle center', 'middle right', 'middle left', 'top center', 'bottom center'];
const LEADING = 1.25; // height of a line in units of its letters
const canvas = document.createElement('canvas').getContext('2d');

// A label's box around the place of its word: [left, top, right, bottom] in pixels.
const boxAt = ([x, y], position, width, height) => {
  const [down, across] = position.split(' ');
  const left = { left: x - width, center: x - width / 2, right: x }[across];
  const top = { top: y - height, middle: y - height / 2, bottom: y }[down];
  return [left, top, left + width, top + height];
};

// Whether a box is cut by the edge of the plot.
const cutBy = (plot) => {
  const { xaxis, yaxis } = plot._fullLayout;
  return ([left, top, right, bottom]) => left < 0 || top < 0 || right > xaxis._length || bottom > yaxis._length;
};

const covers = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

// In which order so many words are placed: `first` (null: none), then as they come.
const orderFrom = (count, first) => [...Array(count).keys()].sort((a, b) => (b === first) - (a === first) || a - b);

// Places (x, y in the map's own units) in pixels of a plot.
const pixelsOf = (plot, places) => {
  const { xaxis, yaxis } = plot._fullLayout;
  return places.map(([x, y]) => [xaxis.d2p(x), yaxis.d2p(y)]);
};

// For each word its text and position. `full`: mark and word; `marks`: the mark alone; `sizes` of the letters; `first`:
// the word that is written whatever it covers (null: none); `lit`: words of one group are written over faint marks.
export const placeLabels = (plot, places, { full, marks, sizes, first, lit }) => {
  const family = plot._fullLayout.font.family;
  const points = pixelsOf(plot, places);
  const width = (text, size) => {
    canvas.font = `${size}px ${family}`;
    return canvas.measureText(text).width;
  };
  const cut = cutBy(plot);
  const taken = [];
  const texts = [...marks];
  const positions = full.map(() => POSITIONS[0]);
  const order = orderFrom(full.length, first);
  const dots = marks.map((mark, i) => boxAt(points[i], POSITIONS[0], width(mark, sizes[i]), sizes[i]));
  for (const i of order.filter((i) => full[i] !== marks[i])) {
    const others = i === first ? [] : lit ? taken : [...taken, ...dots.filter((_, j) => j !== i)];
    const boxes = POSITIONS.map((position) => boxAt(points[i], position, width(full[i], sizes[i]), sizes[i] * LEADING));
    const free = boxes.findIndex((box) => !cut(box) && !others.some((other) => covers(box, other)));
    if (free < 0 && i !== first) continue;
    const at = Math.max(0, free);
    [texts[i], positions[i]] = [full[i], POSITIONS[at]];
    taken.push(boxes[at]);
  }
  return { texts, positions };
};

// Which words' pictures, squares of so many pixels that stand on their places, are drawn: none is cut by the edge, and
// none covers another or the place of another word. `first`: the word whose picture is drawn whatever it covers (null:
// none).
export const freePictures = (plot, places, size, first) => {
  const points = pixelsOf(plot, places);
  const boxes = points.map((point) => boxAt(point, 'top center', size, size));
  const inside = ([x, y], [left, top, right, bottom]) => left < x && x < right && top < y && y < bottom;
  const cut = cutBy(plot);
  const taken = [];
  const shown = new Set();
  for (const i of orderFrom(places.length, first)) {
    const hides = points.some((point, j) => j !== i && inside(point, boxes[i]));
    if (i !== first && (cut(boxes[i]) || hides || taken.some((box) => covers(boxes[i], box)))) continue;
    taken.push(boxes[i]);
    shown.add(i);
  }
  return shown;
};
