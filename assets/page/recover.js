// A server that goes away and comes back: say so, load the page anew, keep the visitor's text.
import { boot, sentence } from './sentences.js';

const KEY = 'gs-prompt';
const MILLISECONDS = 5000;

// A page inside another one may not be allowed to keep anything.
const storage = () => {
  try {
    return window.sessionStorage;
  } catch {
    return { getItem: () => null, setItem: () => {} };
  }
};

const promptBox = () => document.querySelector('#prompt textarea');

const write = (text) => {
  const box = promptBox();
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, text);
  box.dispatchEvent(new Event('input', { bubbles: true }));
};

// The page writes its opening text into the box when it is ready, now and then once more.
const writeWhenReady = (text) => {
  const tries = setInterval(() => {
    if (!document.querySelector(".gs-strip[data-state='done']") || !promptBox()) return;
    clearInterval(tries);
    write(text);
    setTimeout(() => promptBox().value !== text && write(text), 500);
  }, 100);
};

export const keepPrompt = () => {
  const shelf = storage();
  addEventListener('input', ({ target }) => {
    if (target === promptBox()) shelf.setItem(KEY, target.value);
  });
  const kept = shelf.getItem(KEY);
  const reloaded = performance.getEntriesByType('navigation')[0]?.type === 'reload';
  if (reloaded && kept) writeWhenReady(kept);
};

const tell = (away) => {
  const line = document.querySelector('.gs-away');
  if (!away) line?.remove();
  if (!away || line) return;
  const said = Object.assign(document.createElement('p'), { className: 'gs-away', textContent: sentence('away') });
  said.setAttribute('role', 'alert');
  document.body.append(said);
};

export const watchServer = () => {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const now = await (await fetch('gs/alive', { cache: 'no-store' })).text();
      if (now !== boot) location.reload();
      tell(false);
    } catch {
      tell(true);
    }
  }, MILLISECONDS);
};
