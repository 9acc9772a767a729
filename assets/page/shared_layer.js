// One layer for all panels: the one whose slider moves tells the others.
const NAME = 'gs-layer';

export const tellLayer = (element, layer) => {
  const event = new CustomEvent(NAME, { detail: { layer, from: element } });
  setTimeout(() => document.dispatchEvent(event), 50); // after the panel at hand has moved
};

export const hearLayer = (element, take) => {
  document.addEventListener(NAME, ({ detail }) => {
    if (detail.from !== element && element.isConnected) take(detail.layer);
  });
};
