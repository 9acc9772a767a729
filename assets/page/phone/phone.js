// A pupil's phone: takes a seat, asks now and then what is going on, sends votes. It stands alone in its page.
(() => {
  const LETTERS = 'ABCDEFGH';
  const EVERY = 1500; // milliseconds between two questions to the server, and a little more at random:
  const SPREAD = 300; // a class should not ask at the same moment
  const HIDDEN = 8000; // while the phone shows something else
  const FULL = 8000; // before the door is tried again
  const SIDE = 32;

  document.documentElement.classList.toggle('dark', matchMedia('(prefers-color-scheme: dark)').matches);

  const draw = (bits) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
    const brush = canvas.getContext('2d');
    for (let i = 0; i < bits.length; i++) if (bits[i] === '1') brush.fillRect(i % SIDE, Math.floor(i / SIDE), 1, 1);
    canvas.setAttribute('aria-hidden', 'true');
    return canvas;
  };

  const part = (className, text = '') =>
    Object.assign(document.createElement('span'), { className, textContent: text });

  const start = () => {
    const room = document.querySelector('#room');
    if (!room) return;
    const of = (id) => document.getElementById(id);
    const base = `${location.pathname.replace(/\/+$/, '')}/`;
    const memory = `gs-room-${room.dataset.code}`;
    const language = document.documentElement.lang;
    let token = null;
    let tag = null;
    let state = null;
    let timer = null;
    let trouble = false; // with asking: what is told of it goes once that works again
    let asked = 0; // counts questions to the server: an answer that was overtaken is not shown

    // One phone, one seat, also after a reload. Where nothing can be kept, the seat lasts as long as the page.
    const keep = (value) => {
      token = value;
      try {
        if (value) localStorage.setItem(memory, value);
        else localStorage.removeItem(memory);
      } catch {}
    };
    const kept = () => {
      try {
        return localStorage.getItem(memory);
      } catch {
        return null;
      }
    };

    const say = (sentence) => {
      of('error').textContent = sentence;
    };
    const failed = (sentence) => {
      trouble = true;
      say(sentence);
    };
    const worked = () => {
      if (trouble) say('');
      trouble = false;
    };
    const send = async (verb, body) => {
      const answer = await fetch(`${base}${verb}?lang=${language}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ token, ...body }),
      });
      return [answer.status, answer.status === 204 ? null : await answer.json()];
    };

    const build = () => {
      const { options, picture } = state;
      of('options').replaceChildren(
        ...options.map((text, i) => {
          const button = Object.assign(document.createElement('button'), { type: 'button', className: `kind${i % 6}` });
          button.dataset.option = i;
          button.append(part('bar'), part('mark', LETTERS[i]));
          if (picture[i]) button.append(draw(picture[i]));
          button.append(part('words', text), part('count'));
          return button;
        }),
      );
    };

    const show = (next) => {
      const another = !state || state.number !== next.number;
      state = next;
      room.dataset.phase = state.phase;
      of('number').textContent = state.said.number;
      of('prompt').textContent = state.prompt;
      of('note').textContent = state.said.note;
      of('score').textContent = state.said.score;
      if (another) {
        build();
        say('');
      }
      const votes = state.counts?.reduce((sum, count) => sum + count, 0) ?? 0;
      [...of('options').children].forEach((button, i) => {
        const right = state.right === i;
        button.setAttribute('aria-pressed', String(state.mine === i));
        button.disabled = state.phase !== 'open';
        button.classList.toggle('wrong', state.right !== null && !right);
        const missed = state.right !== null && state.mine === i;
        button.querySelector('.mark').textContent = right ? '✓' : missed ? '✗' : LETTERS[i];
        button.querySelector('.count').textContent = state.counts ? state.counts[i] : '';
        button.querySelector('.bar').style.setProperty('--share', votes ? state.counts[i] / votes : 0);
        if (right) button.setAttribute('aria-description', room.dataset.right);
        else button.removeAttribute('aria-description');
      });
    };

    const join = async () => {
      token = kept();
      const [status, answer] = await send('join', {});
      if (status === 200) {
        keep(answer.token);
        tag = null;
        worked();
        return true;
      }
      if (status === 404) return over();
      failed(answer.detail);
      return false;
    };
    const over = () => {
      keep(null);
      location.reload(); // the page at this address says so
      return false;
    };

    // Ask what is going on; returns the milliseconds until the next time.
    const ask = async () => {
      if (!token && !(await join())) return FULL;
      asked += 1;
      const number = asked;
      const headers = { 'X-Room-Token': token, ...(tag && { 'If-None-Match': tag }) };
      const answer = await fetch(`${base}state?lang=${language}`, { headers, cache: 'no-store' });
      if (answer.status === 404) over();
      if (answer.status === 403) {
        keep(null); // the seat went to another one while this phone was silent
        return 0;
      }
      if (answer.status === 200 || answer.status === 304) worked();
      else failed((await answer.json()).detail);
      if (answer.status === 200 && number === asked) {
        tag = answer.headers.get('ETag');
        show(await answer.json());
      }
      return document.hidden ? HIDDEN : EVERY + SPREAD * Math.random();
    };
    const go = async () => {
      clearTimeout(timer);
      let wait = EVERY;
      try {
        wait = await ask();
      } catch {
        failed(room.dataset.lost);
      }
      clearTimeout(timer);
      timer = setTimeout(go, wait);
    };

    const vote = async (option) => {
      say('');
      for (const button of of('options').children) {
        button.setAttribute('aria-pressed', String(Number(button.dataset.option) === option));
      }
      tag = null; // whatever comes of it, show what the room has
      try {
        const [status, answer] = await send('vote', { question: state.number, option });
        await go();
        if (status !== 204) say(answer.detail);
      } catch {
        say(room.dataset.lost);
      }
    };

    of('options').addEventListener('click', ({ target }) => {
      const button = target.closest('button');
      if (button) vote(Number(button.dataset.option));
    });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) go();
    });
    go();
  };

  addEventListener('DOMContentLoaded', start);
})();
