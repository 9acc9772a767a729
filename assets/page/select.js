const choose = (index) => {
  document.querySelectorAll('.gs-root [data-index]').forEach((node) => {
    const chosen = Number(node.dataset.index) === index;
    if (node.hasAttribute('aria-pressed')) node.setAttribute('aria-pressed', String(chosen));
    if (node.hasAttribute('aria-selected')) node.setAttribute('aria-selected', String(chosen));
    node.querySelectorAll('td[data-layer]').forEach((cell) => (cell.tabIndex = chosen ? 0 : -1));
    if (node.classList.contains('gs-point')) node.classList.toggle('gs-selected', chosen);
  });
};
element.addEventListener('click', (event) => {
  const full = event.target.closest('.gs-full');
  if (full) {
    if (document.fullscreenElement) document.exitFullscreen();
    else full.closest('.gs-panel').requestFullscreen();
    return;
  }
  const pin = event.target.closest('[data-pin]');
  if (pin) return trigger('select', { pin: Number(pin.dataset.pin) });
  const hit = event.target.closest('[data-index]');
  if (!hit || hit.closest('[data-state="writing"]')) return;
  const cell = event.target.closest('[data-layer]');
  const index = Number(hit.dataset.index);
  if (index < 1) return;
  choose(index);
  const at = cell && { expert: Number(cell.closest('[data-expert]').dataset.expert), layer: Number(cell.dataset.layer) };
  trigger('select', { index, ...at });
});
// Arrow keys walk over the cells of a lens, Enter or the space bar chooses one.
element.addEventListener('keydown', (event) => {
  const cell = event.target.closest('td[data-layer]');
  if (!cell) return;
  const row = cell.parentNode;
  const beside = (line) => line?.querySelector(`td[data-layer="${cell.dataset.layer}"]`);
  const next = {
    ArrowLeft: () => cell.previousElementSibling,
    ArrowRight: () => cell.nextElementSibling,
    ArrowUp: () => beside(row.previousElementSibling),
    ArrowDown: () => beside(row.nextElementSibling),
  }[event.key];
  if (next) next()?.focus();
  else if (event.key === 'Enter' || event.key === ' ') cell.click();
  else return;
  event.preventDefault();
});
