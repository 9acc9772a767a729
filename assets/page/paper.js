// On paper a page is light and narrow.  Figures have their colours and their size in them, so they are drawn anew for
// it, and again afterwards.
const PAPER = 'gs-paper';

let dark = false;

const look = (paper) => {
  document.documentElement.classList.toggle(PAPER, paper);
  if (dark) document.body.classList.toggle('dark', !paper);
  document.dispatchEvent(new Event('gs-look'));
};

export const offerPaper = () => {
  addEventListener('beforeprint', () => {
    dark = document.body.classList.contains('dark');
    look(true);
  });
  addEventListener('afterprint', () => look(false));
};
