// A walk through the page: at each stop a sentence, and what is to be seen there happens by itself.
(() => {
  const one = (selector) => document.querySelector(selector);
  let timer = null;
  const rest = () => { clearInterval(timer); timer = null; };
  const climb = (panel) => {
    const slider = one(`${panel} .gs-layer`);
    if (!slider) return;
    let layer = 0;
    const step = () => {
      if (!slider.isConnected || layer > Number(slider.max)) return rest();
      slider.value = layer++;
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    };
    step();
    timer = setInterval(step, 900);
  };
  const acts = {
    glyphs: () => one(".gs-chip[data-index='2']")?.click(),
    experts: () => one('#disagreement button[data-index]')?.click(),
    layers: () => climb('#layers'),
    words: () => climb('#words'),
  };
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const words = () => GS_TOUR[one('.gs-language input:checked')?.value] ?? GS_TOUR.en;
  let at = 0;
  let from = null;
  const close = () => {
    rest();
    one('.gs-guide')?.remove();
    from?.focus();
  };
  const button = (text, act, off = false) => {
    const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text, disabled: off });
    made.addEventListener('click', act);
    return made;
  };
  const go = (stop) => {
    rest();
    at = stop;
    const said = words();
    const count = said.panels.length;
    if (at === count) return close();
    const guide = one('.gs-guide') ?? document.body.appendChild(document.createElement('section'));
    guide.className = 'gs-guide';
    guide.setAttribute('role', 'dialog');
    guide.setAttribute('aria-label', said.tour);
    const text = Object.assign(document.createElement('p'), { textContent: said.stops[at] });
    text.setAttribute('aria-live', 'polite');
    const place = Object.assign(document.createElement('span'), { textContent: `${at + 1} / ${count}` });
    const next = button(at + 1 < count ? said.next : said.close, () => go(at + 1));
    const bar = document.createElement('div');
    bar.append(button(said.back, () => go(at - 1), at === 0), place, next, button('✕', close));
    bar.lastChild.setAttribute('aria-label', said.close);
    guide.replaceChildren(text, bar);
    next.focus({ preventScroll: true });
    document.getElementById(said.panels[at])?.scrollIntoView({ behavior: still.matches ? 'auto' : 'smooth', block: 'start' });
    acts[said.panels[at]]?.();
  };
  addEventListener('click', (event) => {
    const asked = event.target.closest?.('.gs-tour');
    if (asked) { from = asked; go(0); }
  });
  addEventListener('keydown', (event) => { if (event.key === 'Escape' && one('.gs-guide')) close(); });
})();
