// The teacher's panel of a room: opens it, shows who answered what, reveals and goes on.
import { mount as mountPanel } from './panel.js';

const LETTERS = 'ABCDEFGH';
const EVERY = 1500; // milliseconds between two questions to the server
const SIDE = 32;
const MEMORY = 'gs-room'; // a reload keeps the room

// The room of this page: {code, token, link, door, qr}. It outlives the panel, which is drawn anew in another language.
let room = null;
let state = null;
let tag = null;
let timer = null;
let trouble = false; // with asking: what is told of it goes once that works again
let home = null; // the element that the panel stands in

const remember = (value) => {
  room = value;
  [state, tag] = [null, null];
  try {
    if (value) sessionStorage.setItem(MEMORY, JSON.stringify(value));
    else sessionStorage.removeItem(MEMORY);
  } catch {}
};
const recall = () => {
  try {
    return JSON.parse(sessionStorage.getItem(MEMORY));
  } catch {
    return null;
  }
};

const panel = () => home?.querySelector('.gs-room');
const of = (name) => panel().querySelector(`.gs-room-${name}`);
const say = (sentence) => {
  if (panel()) of('error').textContent = sentence;
};
const failed = (sentence) => {
  trouble = true;
  say(sentence);
};
const worked = () => {
  if (trouble) say('');
  trouble = false;
};
const address = (verb = '') => {
  const there = new URL(room ? `room/${room.code}/${verb}` : 'room', document.baseURI);
  there.searchParams.set('lang', panel()?.dataset.language ?? '');
  return there;
};
const post = async (verb, body) => {
  const answer = await fetch(address(verb), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const found = answer.status === 204 ? null : await answer.json();
  return { ok: answer.ok, sentence: answer.ok ? '' : found.detail, found };
};

const element = (tagName, className, ...children) => {
  const made = Object.assign(document.createElement(tagName), { className });
  made.append(...children);
  return made;
};
const drawn = (bits) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
  const brush = canvas.getContext('2d');
  for (let i = 0; i < bits.length; i++) if (bits[i] === '1') brush.fillRect(i % SIDE, Math.floor(i / SIDE), 1, 1);
  return canvas;
};

const bar = (i) => {
  const row = element('li', `gs-room-kind${i % 6}`, element('b', 'gs-room-mark', LETTERS[i]));
  if (state.picture[i]) row.append(drawn(state.picture[i]));
  row.append(
    element('span', 'gs-room-option', state.options[i]),
    element('span', 'gs-room-bar', element('i', '')),
    element('output', ''),
  );
  return row;
};
const showBars = () => {
  const rows = of('bars');
  const shown = `${room.code} ${state.number}`;
  if (rows.dataset.shown !== shown) {
    rows.dataset.shown = shown;
    rows.replaceChildren(...state.options.map((_, i) => bar(i)));
  }
  const votes = Math.max(
    1,
    state.counts.reduce((sum, count) => sum + count, 0),
  );
  [...rows.children].forEach((row, i) => {
    const right = state.right === i;
    row.classList.toggle('gs-room-right', right);
    row.classList.toggle('gs-room-wrong', state.right !== null && !right);
    row.querySelector('.gs-room-mark').textContent = right ? '✓' : LETTERS[i];
    row.querySelector('i').style.setProperty('--share', state.counts[i] / votes);
    row.querySelector('output').textContent = state.counts[i];
    if (right) row.setAttribute('aria-description', panel().dataset.right);
  });
};
const showResults = () => {
  of('results').replaceChildren(
    ...state.results.map(([prompt, right, votes], i) => {
      const line = element('i', '');
      line.style.setProperty('--share', votes ? right / votes : 0);
      return element(
        'li',
        '',
        element('span', 'gs-room-option', prompt),
        element('span', 'gs-room-bar', line),
        element('span', '', state.said.results[i]),
      );
    }),
  );
};

// Put what is known into the panel, which may be a new one.
const show = () => {
  if (!panel()) return;
  panel().dataset.phase = room ? (state?.phase ?? 'waiting') : 'closed';
  panel().querySelector('.gs-room-closed').hidden = Boolean(room);
  of('live').hidden = !room;
  if (!room) return;
  if (of('qr').dataset.code !== room.code) {
    of('qr').innerHTML = room.qr; // drawn by our server
    of('qr').dataset.code = room.code;
    const [host, ...path] = room.door.replace(/^https?:\/\//, '').split('/');
    of('address').replaceChildren(host, ...path.flatMap((part) => [element('wbr', ''), `/${part}`]));
    of('code').textContent = room.code;
  }
  if (!state) return;
  of('pupils').textContent = state.said.pupils;
  of('number').textContent = state.said.number;
  of('prompt').textContent = state.prompt;
  of('votes').textContent = state.said.votes;
  of('none').textContent = state.said.none;
  panel().querySelector('[data-do="step"]').textContent = state.said.next;
  if (state.options.length) showBars();
  if (state.phase === 'finished') showResults();
};

const ask = async () => {
  const headers = { 'X-Room-Token': room.token, ...(tag && { 'If-None-Match': tag }) };
  const asked = room;
  const answer = await fetch(address('state'), { headers, cache: 'no-store' });
  if (room !== asked) return;
  if (answer.ok || answer.status === 304) worked();
  if (answer.status === 304) return;
  const found = await answer.json();
  if (answer.status === 404 || answer.status === 403) {
    remember(null); // its time is over, or the server began anew
    show();
  }
  if (!answer.ok) return failed(found.detail);
  tag = answer.headers.get('ETag');
  state = found;
  show();
};
const go = async () => {
  clearTimeout(timer);
  if (!room) return;
  try {
    await ask();
  } catch {
    failed(panel()?.dataset.lost ?? '');
  }
  clearTimeout(timer);
  timer = setTimeout(go, EVERY);
};

const open = async (button) => {
  const { model, language, opening } = panel().dataset;
  const folder = new URL('.', document.baseURI).href;
  say('');
  button.disabled = true;
  of('error').dataset.busy = opening;
  const { sentence, found } = await post('', { model, language, address: folder });
  if (!sentence) remember(found);
  show();
  if (room) of('live').scrollIntoView({ block: 'nearest' }); // with the code that pupils read
  say(sentence);
  await go();
};
const actions = {
  open,
  close: () => {
    remember(null);
    show();
  },
  step: () => move('step'),
  reveal: () => move('reveal'),
};
const move = async (verb) => {
  const { sentence } = await post(verb, { token: room.token, question: state.number });
  say(sentence);
  await go();
};

export const mount = (mounted, gradio) => {
  mountPanel(mounted, gradio);
  home = mounted;
  room ??= recall();
  mounted.addEventListener('click', async ({ target }) => {
    const button = target.closest('[data-do]');
    if (!button || button.disabled) return;
    try {
      await actions[button.dataset.do](button);
    } catch {
      say(panel()?.dataset.lost ?? '');
    } finally {
      button.disabled = false;
      if (panel()) delete of('error').dataset.busy;
    }
  });
  const redraw = () => {
    tag = null; // sentences in another language
    show();
    go();
  };
  gradio.watch('value', redraw);
  redraw();
};
