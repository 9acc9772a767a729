// The moving picture at the top: words as tiles that walk through the layers and back. The same code runs in the page's
// HTML before any module could come, so it imports nothing and exports one function.
const ROUND = 12000; // milliseconds of one way there and back
const START = 1000; // then it leaves the pictures,
const THERE = 6000; // has arrived at the last layer,
const LEAVE = 9000; // stays, leaves again,
const BACK = 11400; // and is back
const GLIDE = 450; // to another network's places

const eased = (share) => (1 - Math.cos(Math.PI * share)) / 2;
const mixed = (from, to, share) => from + (to - from) * share;

// How far the way to the last layer is done, 0 to 1, at a time of the round.
const wayAt = (time) => {
  if (time < START || time >= BACK) return 0;
  if (time < THERE) return eased((time - START) / (THERE - START));
  return time < LEAVE ? 1 : 1 - eased((time - LEAVE) / (BACK - LEAVE));
};

// A time of the round at which so much of the way is done.
const timeOf = (way) => START + ((THERE - START) * Math.acos(1 - 2 * way)) / Math.PI;

// What a visitor did to it, which the next one takes over: the first view's is followed by the page's own.
let memory = null;

const start = (hero, remembered) => {
  const data = JSON.parse(hero.dataset.hero);
  const last = data.captions[0].length - 1;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const stages = [hero.querySelector('.gs-hero-stage')];
  const slider = hero.querySelector('.gs-hero-layer');
  const playButton = hero.querySelector('.gs-hero-play');
  const state = { began: performance.now(), held: null, expert: data.first, asked: false, ...remembered };
  if (state.expert >= data.captions.length) state.expert = data.first;
  let shown = Math.min(state.held ?? 0, last);
  let kind = null;
  let glide = null; // the tiles' places at another network, and since when they have been leaving them
  let running = false;

  const keep = () => {
    memory = state;
    hero.dataset.kept = JSON.stringify(state);
  };

  // The state of all tiles of an expert at a layer, which may lie between two.
  const tilesAt = (expert, layer) => {
    const below = Math.min(Math.floor(layer), last);
    const above = Math.min(below + 1, last);
    const part = layer - below;
    const places = data.stages[kind].places[expert];
    return data.same[expert][below].map((same, i) => [
      mixed(places[below][i][0], places[above][i][0], part),
      mixed(places[below][i][1], places[above][i][1], part),
      Math.max(0, (mixed(same, data.same[expert][above][i], part) / data.k - data.chance) / (1 - data.chance)),
    ]);
  };

  const place = (stage, tiles) => {
    const unit = 100 / data.stages[kind].width;
    stage.querySelectorAll('.gs-hero-tile').forEach((tile, i) => {
      const [x, y, own] = tiles[i];
      tile.style.transform = `translate(${(x * unit).toFixed(3)}cqw, ${(y * unit).toFixed(3)}cqw) translate(-50%, -50%)`;
      tile.style.setProperty('--own', own.toFixed(3));
    });
  };

  // Captions and controls; only when they change, for they are read aloud.
  const tell = (layer) => {
    const key = `${state.expert} ${layer} ${state.held === null}`;
    if (hero.dataset.told === key) return;
    hero.dataset.told = key;
    const share = data.shares[state.expert][layer];
    hero.querySelector('output').textContent = data.captions[state.expert][layer];
    hero.querySelector('.gs-hero-bar').style.setProperty('--share', share);
    hero.style.setProperty('--found', Math.max(0, (share - data.chance) / (1 - data.chance)));
    slider.value = layer;
    slider.setAttribute('aria-valuetext', data.captions[state.expert][layer]);
    playButton.textContent = state.held === null ? '❚❚' : '▶';
    playButton.setAttribute('aria-label', state.held === null ? data.pause : data.play);
    for (const button of hero.querySelectorAll('[data-expert]')) {
      button.setAttribute('aria-pressed', String(Number(button.dataset.expert) === state.expert));
    }
  };

  const draw = (now) => {
    let tiles = tilesAt(state.expert, shown);
    if (glide) {
      const share = Math.min(1, (now - glide.since) / GLIDE);
      tiles = tiles.map((tile, i) => tile.map((value, j) => mixed(glide.from[i][j], value, eased(share))));
      if (share === 1) glide = null;
    }
    if (still) place(stages[0], tilesAt(state.expert, 0));
    place(stages.at(-1), tiles);
    tell(Math.round(shown));
  };

  const frame = (now) => {
    running = false;
    if (!hero.isConnected) return;
    if (state.held === null) shown = last * wayAt((((now - state.began) % ROUND) + ROUND) % ROUND);
    else if (Math.abs(state.held - shown) < 0.01 || still) shown = state.held;
    else shown = mixed(shown, state.held, 0.2);
    draw(now);
    if (state.held === null || shown !== state.held || glide) run();
  };
  const run = () => {
    if (running) return;
    running = true;
    requestAnimationFrame(frame);
  };

  // The stage has the proportions of the places that it shows: those for a narrow screen, or for two side by side.
  const fit = () => {
    const next = still || hero.clientWidth < 900 ? 'narrow' : 'wide';
    if (next === kind) return;
    kind = next;
    hero.dataset.kind = kind;
    for (const name of ['width', 'height', 'picture', 'letter']) {
      for (const stage of stages) stage.style.setProperty(`--${name}`, data.stages[kind][name]);
    }
    draw(performance.now());
  };

  const hold = (layer) => {
    state.held = layer;
    keep();
    run();
  };

  hero.addEventListener('click', ({ target }) => {
    const expert = target.closest('[data-expert]');
    if (expert) {
      glide = still ? null : { from: tilesAt(state.expert, shown), since: performance.now() };
      state.expert = Number(expert.dataset.expert);
      keep();
      run();
    } else if (target.closest('.gs-hero-play')) {
      if (state.held === null) return hold(shown);
      state.began = performance.now() - timeOf(shown / Math.max(1, last));
      hold(null);
    } else if (target.closest('.gs-hero-try')) {
      state.asked = true;
      keep();
      toPrompt();
    }
  });
  slider.addEventListener('input', () => hold(Number(slider.value)));

  // The prompt may not be there yet: then the page's own picture goes there when it comes.
  const toPrompt = () => {
    const prompt = document.querySelector('#prompt textarea');
    if (!state.asked || !prompt || hero.closest('#gs-first')) return;
    state.asked = false;
    keep();
    prompt.scrollIntoView({ block: 'center', behavior: still ? 'auto' : 'smooth' });
    prompt.focus({ preventScroll: true });
    prompt.select();
  };

  if (still) {
    stages.push(stages[0].cloneNode(true));
    stages[1].setAttribute('aria-hidden', 'true');
    stages[0].after(stages[1]);
    hero.classList.add('gs-hero-still');
    state.held ??= last;
    shown = state.held;
  }
  fit();
  new ResizeObserver(fit).observe(hero);
  run();
  keep();
  toPrompt();
};

export const mount = (element, { watch } = {}) => {
  const begin = () => {
    const hero = element.querySelector('.gs-hero');
    if (!hero || hero.dataset.kept) return;
    const before = document.querySelector('#gs-first .gs-hero')?.dataset.kept;
    start(hero, memory ?? (before && JSON.parse(before)));
  };
  watch?.('value', begin);
  begin();
};
