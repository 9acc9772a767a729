// What every panel does: its menu of files, the full screen, and a click that chooses a token.
import { saveFacts, saveShot, saveTable } from './save.js';
import { mountSelection } from './select.js';

const toggleFullScreen = (panel) => {
  if (document.fullscreenElement) document.exitFullscreen();
  else panel.requestFullscreen();
};

export const mount = (element, { trigger }) => {
  element.addEventListener('click', ({ target }) => {
    const panel = target.closest('.gs-panel');
    const shot = target.closest('.gs-shot');
    if (target.closest('.gs-full')) toggleFullScreen(panel);
    else if (target.closest('.gs-csv')) saveTable(panel);
    else if (target.closest('.gs-download')) saveFacts(panel);
    else if (shot) saveShot(panel, shot.dataset.kind);
  });
  mountSelection(element, trigger);
};
