// Which list of near words is on view: by layer and expert, once the visitor has chosen.
let nearLayer = null;
let nearExpert = null;
const showNear = () => {
  const box = element.querySelector('.gs-meanings');
  if (!box) return;
  const slider = box.querySelector('.gs-near-layer');
  const given = box.querySelector('[data-near][aria-pressed="true"]');
  const layer = Math.min(nearLayer ?? Number(slider.max), Number(slider.max));
  const expert = nearExpert ?? Number(given.dataset.near);
  slider.value = layer;
  box.querySelector('output').textContent = layer;
  box.querySelectorAll('[data-near]').forEach((b) => b.setAttribute('aria-pressed', String(Number(b.dataset.near) === expert)));
  box.querySelectorAll('[data-at]').forEach((list) => {
    list.hidden = Number(list.dataset.at) !== layer || Number(list.dataset.expert) !== expert;
  });
};
element.addEventListener('input', (event) => {
  if (!event.target.matches('.gs-near-layer')) return;
  nearLayer = Number(event.target.value);
  showNear();
  tellLayer(nearLayer);
});
hearLayer((layer) => {
  nearLayer = layer;
  showNear();
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-near]');
  if (!button) return;
  nearExpert = Number(button.dataset.near);
  showNear();
});
watch('value', showNear);
showNear();
