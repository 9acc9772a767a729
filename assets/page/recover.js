// A server that goes away and comes back: say so, load the page anew, keep the visitor's text.
(() => {
  const box = () => document.querySelector('#prompt textarea');
  addEventListener('input', (event) => {
    if (event.target === box()) sessionStorage.setItem('gs-prompt', event.target.value);
  });
  const kept = sessionStorage.getItem('gs-prompt');
  const again = performance.getEntriesByType('navigation')[0]?.type === 'reload';
  if (again && kept) {
    const write = () => {
      Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box(), kept);
      box().dispatchEvent(new Event('input', { bubbles: true }));
    };
    const tries = setInterval(() => {
      if (!document.querySelector(".gs-strip[data-state='done']") || !box()) return;
      clearInterval(tries);
      write();
      setTimeout(() => box().value !== kept && write(), 500);
    }, 100);
  }
  const sentence = () => GS_AWAY[document.querySelector('.gs-language input:checked')?.value] ?? GS_AWAY.en;
  const tell = (away) => {
    let line = document.querySelector('.gs-away');
    if (!away) return line?.remove();
    if (line) return;
    line = Object.assign(document.createElement('p'), { className: 'gs-away', textContent: sentence() });
    line.setAttribute('role', 'alert');
    document.body.append(line);
  };
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const boot = await (await fetch('gs/alive', { cache: 'no-store' })).text();
      if (boot !== GS_BOOT) location.reload();
      tell(false);
    } catch { tell(true); }
  }, 5000);
})();
