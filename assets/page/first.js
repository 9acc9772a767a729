// The first view stays until the page itself has come with the same text and answers.
(() => {
  const first = document.currentScript.parentElement;
  first.classList.toggle('dark', matchMedia('(prefers-color-scheme: dark)').matches);
  let patience; // a page that is there but has no text after ten seconds has something else to say
  const eye = new MutationObserver(() => {
    if (document.querySelector('.gradio-container .gs-strip .gs-chip')) leave();
    else if (document.querySelector('#prompt')) patience ??= setTimeout(leave, 10000);
  });
  const leave = () => { first.remove(); eye.disconnect(); clearTimeout(patience); };
  eye.observe(document.body, { childList: true, subtree: true });
})();
