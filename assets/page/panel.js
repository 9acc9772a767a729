// What every panel does: its menu of files, the full screen, and a click that chooses a token.
import { saveFacts, saveShot, saveTable } from './save.js';
import { mountSelection } from './select.js';

const FILLING = 'gs-filling';

// What fits its figures to the window does so by this event.
export const resized = () => dispatchEvent(new Event('resize'));

const fill = (panel, filling) => {
  panel.classList.toggle(FILLING, filling);
  resized();
};

addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape') return;
  for (const panel of document.querySelectorAll(`.${FILLING}`)) fill(panel, false);
});

// The whole screen; where there is none to have (telephones, pages within others) the whole window.
const toggleFullScreen = async (panel) => {
  if (document.fullscreenElement) return document.exitFullscreen();
  if (panel.classList.contains(FILLING)) return fill(panel, false);
  try {
    await panel.requestFullscreen();
  } catch {
    fill(panel, true);
  }
};

export const mount = (element, { trigger, watch }) => {
  element.addEventListener('click', ({ target }) => {
    const panel = target.closest('.gs-panel');
    const shot = target.closest('.gs-shot');
    if (target.closest('.gs-full')) toggleFullScreen(panel);
    else if (target.closest('.gs-csv')) saveTable(panel);
    else if (target.closest('.gs-download')) saveFacts(panel);
    else if (shot) saveShot(panel, shot.dataset.kind);
  });
  // What was unfolded stays so when the panel is drawn anew.
  let unfolded = false;
  element.addEventListener(
    'toggle',
    ({ target }) => {
      if (target.matches('.gs-more')) unfolded = target.open;
    },
    true,
  );
  watch?.('value', () => {
    const more = element.querySelector('.gs-more');
    if (more && unfolded) more.open = true;
  });
  mountSelection(element, trigger);
};
