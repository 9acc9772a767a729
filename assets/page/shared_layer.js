// One layer for all panels: the one whose slider moves tells the others.
const NAME = 'gs-layer';
let last = null; // what was told last: a panel of a tab that is opened later begins with it

export const sharedLayer = () => last;

export const tellLayer = (element, layer) => {
  last = layer;
  const event = new CustomEvent(NAME, { detail: { layer, from: element } });
  setTimeout(() => document.dispatchEvent(event), 50); // after the panel at hand has moved
};

export const hearLayer = (element, take) => {
  if (last !== null) setTimeout(() => take(last)); // once the panel is mounted
  document.addEventListener(NAME, ({ detail }) => {
    if (detail.from !== element && element.isConnected) take(detail.layer);
  });
};
