// What "Try to break it" shows that only the browser knows, for a link: the open folds, the chosen cell of the maps,
// and the picture on the grid with its sliders.
export const shownInstruments = () => {
  if (!document.querySelector('#tab-break-button[aria-selected="true"]')) return {};
  const cell = document.querySelector('#patching td[aria-pressed="true"]')?.dataset;
  const slider = (name) => Number(document.querySelector(`#editor ${name}`)?.value ?? 0);
  return {
    folds: [...document.querySelectorAll('.gs-fold:has(> button.open)')].map(({ id }) => id.replace('fold-', '')),
    place: cell && [cell.expert, cell.layer, cell.position].map(Number),
    pixels: document.querySelector('#editor .gs-editor')?.dataset.now,
    share: slider('.gs-morph'),
    noise: slider('.gs-noise'),
    fewest: Boolean(document.querySelector('#flips .gs-flips')),
  };
};
