// The first view stays until the page itself has come with the same text and answers. No module: it stands in the
// page's HTML and runs at once, so that a dark page is dark from its first frame.
(() => {
  const first = document.currentScript.parentElement;
  // A frame on another site never shows what embed.css hides.
  document.documentElement.classList.toggle('gs-embed', /[?&]embed=1(&|$)/.test(location.search));
  first.classList.toggle('dark', matchMedia('(prefers-color-scheme: dark)').matches);
  // The page's own moving picture goes on where this one is, so it has to be there before this one goes.
  const moving = () =>
    !first.querySelector('.gs-hero') || document.querySelector('.gradio-container .gs-hero[data-kept]');
  // A chip that is pressed here is chosen once the page can answer (`select.js`).
  first.addEventListener('click', ({ target }) => {
    const chip = target.closest('.gs-chip');
    if (!chip) return;
    for (const other of first.querySelectorAll('.gs-chip')) other.setAttribute('aria-pressed', String(other === chip));
    document.documentElement.dataset.chosen = chip.dataset.index;
  });
  let patience; // a page that is there but has no text after ten seconds has something else to say
  const observer = new MutationObserver(() => {
    if (document.querySelector('.gradio-container .gs-strip .gs-chip') && moving()) leave();
    else if (document.querySelector('#prompt')) patience ??= setTimeout(leave, 10000);
  });
  const leave = () => {
    first.remove();
    observer.disconnect();
    clearTimeout(patience);
  };
  observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ['data-kept'] });
})();
