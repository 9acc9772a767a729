// The lesson: a click answers a question or opens a step; the server draws what follows. A text is read on the page.
import { showPanel } from './tabs.js';

// Put a text into the prompt as if it were typed, and have it read.
const readText = (text, panel) => {
  const prompt = document.querySelector('#prompt textarea');
  prompt.value = text;
  prompt.dispatchEvent(new Event('input', { bubbles: true }));
  setTimeout(async () => {
    document.getElementById('look').click();
    (await showPanel(panel))?.scrollIntoView({ block: 'start' });
  });
};

export const mount = (element, { trigger, watch }) => {
  let at = null;
  const ask = (sent) => {
    element.querySelector('.gs-lesson')?.setAttribute('aria-busy', 'true');
    trigger('select', sent);
  };
  element.addEventListener('click', (event) => {
    const { target } = event;
    const link = target.closest('a[data-text]');
    const option = target.closest('[data-option]');
    const step = target.closest('[data-goto]');
    if (link) {
      event.preventDefault();
      event.stopPropagation(); // else the link opens its panel before the text is read
      readText(link.dataset.text, link.getAttribute('href').slice(1));
    } else if (option) {
      option.setAttribute('aria-pressed', 'true');
      const question = option.closest('[data-question]').dataset.question;
      ask({ question, option: Number(option.dataset.option) });
    } else if (step) ask({ goto: Number(step.dataset.goto) });
    else if (target.closest('[data-next]')) ask({ next: true });
    else if (target.closest('[data-again]')) ask({ again: true });
  });
  // Another step begins at its top; an answer leaves the page where it is.
  watch('value', () => {
    const panel = element.querySelector('.gs-lesson');
    const before = at;
    at = panel?.dataset.at ?? null;
    if (before === null || before === at || !panel) return;
    if (panel.getBoundingClientRect().top < 0) panel.scrollIntoView({ block: 'start' });
  });
};
