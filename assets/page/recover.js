// A server that goes away and comes back, or another one that takes its place: say so, load the page anew, keep the
// visitor's text, and say what was lost.
import { boot, sentence } from './sentences.js';

const KEY = 'gs-prompt';
const LOST = 'gs-lost';
const MILLISECONDS = 5000;

// A page inside another one may not be allowed to keep anything.
const storage = () => {
  try {
    return window.sessionStorage;
  } catch {
    return { getItem: () => null, setItem: () => {}, removeItem: () => {} };
  }
};

const promptBox = () => document.querySelector('#prompt textarea');

const write = (text) => {
  const box = promptBox();
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, text);
  box.dispatchEvent(new Event('input', { bubbles: true }));
};

// Once the page has its opening text and its controls.
const whenReady = (then) => {
  const tries = setInterval(() => {
    if (!document.querySelector(".gs-strip[data-state='done']") || !promptBox()) return;
    clearInterval(tries);
    then();
  }, 100);
};

const announce = (name) => {
  const line = Object.assign(document.createElement('p'), { className: 'gs-away', textContent: sentence(name) });
  line.setAttribute('role', 'alert');
  document.body.append(line);
  return line;
};

// The next press, or one on the line itself, takes it away.
const tellLoss = () => {
  storage().removeItem(LOST);
  const line = announce('broke_off');
  document.addEventListener('click', ({ target }) => {
    if (target === line || target.closest?.('#generate, #look')) line.remove();
  });
};

export const keepPrompt = () => {
  const shelf = storage();
  addEventListener('input', ({ target }) => {
    if (target === promptBox()) shelf.setItem(KEY, target.value);
  });
  const kept = shelf.getItem(KEY);
  const reloaded = performance.getEntriesByType('navigation')[0]?.type === 'reload';
  if (reloaded && kept) {
    whenReady(() => {
      write(kept);
      setTimeout(() => promptBox().value !== kept && write(kept), 500); // the page writes its own once more
    });
  }
  if (shelf.getItem(LOST)) whenReady(tellLoss);
};

let awayLine = null;

const tell = (away) => {
  if (!away) awayLine?.remove();
  awayLine = away ? (awayLine ?? announce('away')) : null;
};

// A text that was being written is gone with its server; who loads the page anew, this script or Gradio's, is open.
const markLoss = () => {
  if (document.querySelector(".gs-strip[data-state='writing']")) storage().setItem(LOST, 'yes');
};

export const watchServer = () => {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch('gs/alive', { cache: 'no-store' });
      if (!answer.ok) throw new Error(answer.status); // of a proxy without a server: its page would be a dead end
      if ((await answer.text()) === boot) {
        if (awayLine) storage().removeItem(LOST); // only the connection was lost
      } else {
        markLoss();
        location.reload();
      }
      tell(false);
    } catch {
      markLoss();
      tell(true);
    }
  }, MILLISECONDS);
};
