// The moving picture at the top: words as tiles that walk through the layers and back. The same code runs in the page's
// HTML before any module could come (`inline_mount` in Python), so it imports nothing.

const ROUND = 12000; // milliseconds of one way there and back
const START = 700; // then it leaves the pictures,
const THERE = 5700; // has arrived at the last layer,
const LEAVE = 9000; // stays, leaves again,
const BACK = 11400; // and is back
const LAG = 110; // milliseconds in which a tile goes most of the way to where it should be
const FRAME = 120; // milliseconds that count between two frames at the most: nothing jumps after a rest
const APART = 30; // milliseconds between two frames of the first view at least: the page is made meanwhile
const PUSHES = 40; // rounds in which the places that tiles should have between two layers are moved apart
const WAY = 0.4; // share of what two tiles that meet on their way still have to go to lie as they will, in a frame
const STEP = 0.005; // but at most so much of the stage's width
const IN_VIEW = 0.2; // with less of it in the window it stands still: somebody reads what is below
const AGAIN = 100; // milliseconds after which the prompt is looked for again
const GROW = 250; // milliseconds in which a tile that became small is large again

const eased = (share) => (1 - Math.cos(Math.PI * share)) / 2;
const mixed = (from, to, share) => from + (to - from) * share;

// How far the way to the last layer is done, 0 to 1, at a time of the round.
const wayAt = (time) => {
  if (time < START || time >= BACK) return 0;
  if (time < THERE) return eased((time - START) / (THERE - START));
  return time < LEAVE ? 1 : 1 - eased((time - LEAVE) / (BACK - LEAVE));
};

// Milliseconds from a time of the round until the next way begins, 0 on a way.
const restAt = (time) => {
  if (time < START) return START - time;
  if (time < THERE || (time >= LEAVE && time < BACK)) return 0;
  return time < LEAVE ? LEAVE - time : ROUND - time + START;
};

// A time of the round at which so much of the way is done.
const timeOf = (way) => START + ((THERE - START) * Math.acos(1 - 2 * way)) / Math.PI;

// Tiles that would cover each other, pushed apart along the side on which they do so less. At a whole layer none does.
const separated = (tiles, widths, height) => {
  const moved = tiles.map(([x, y]) => [x, y]);
  for (let round = 0; round < PUSHES; round++) {
    let met = false;
    for (let i = 0; i < moved.length; i++) {
      for (let j = 0; j < i; j++) {
        const across = moved[i][0] - moved[j][0];
        const down = moved[i][1] - moved[j][1];
        const wide = (widths[i] + widths[j]) / 2 - Math.abs(across);
        const high = height - Math.abs(down);
        if (wide <= 1 || high <= 1) continue; // places are whole pixels
        met = true;
        const axis = wide < high ? 0 : 1;
        const push = (Math.min(wide, high) / 2) * ((axis ? down : across) < 0 ? -1 : 1);
        moved[i][axis] += push;
        moved[j][axis] -= push;
      }
    }
    if (!met) break;
  }
  return moved;
};

const inside = ([x, y], wide, { width, height, tall }) => [
  Math.min(Math.max(x, wide / 2), width - wide / 2),
  Math.min(Math.max(y, tall / 2), height - tall / 2),
];

// Tiles that meet on their way from one arrangement to another, each pair moved on along the side on which it lies
// apart in the other one: pushed back to where they came from they would never get past each other.
const passing = (tiles, wanted, stage) => {
  const { widths, width, tall } = stage;
  const moved = tiles.map(([x, y]) => [x, y]);
  for (let i = 0; i < moved.length; i++) {
    for (let j = 0; j < i; j++) {
      const reach = [(widths[i] + widths[j]) / 2, tall];
      const way = [0, 1].map((axis) => moved[i][axis] - moved[j][axis]);
      if (way.some((length, axis) => Math.abs(length) >= reach[axis] - 1)) continue;
      const end = [0, 1].map((axis) => wanted[i][axis] - wanted[j][axis]);
      const axis = Math.abs(end[0]) / reach[0] > Math.abs(end[1]) / reach[1] ? 0 : 1;
      const left = reach[axis] - way[axis] * Math.sign(end[axis]);
      const step = Math.min((WAY * left) / 2, STEP * width) * Math.sign(end[axis]);
      moved[i][axis] += step;
      moved[j][axis] -= step;
    }
  }
  return moved.map((place, i) => inside(place, widths[i], stage));
};

// How large tiles may be, 0 to 1, so that none covers another: while two pass each other both are small.
const sizesOf = (tiles, { widths, tall }) => {
  const sizes = tiles.map(() => 1);
  for (let i = 0; i < tiles.length; i++) {
    for (let j = 0; j < i; j++) {
      const across = Math.abs(tiles[i][0] - tiles[j][0]) / ((widths[i] + widths[j]) / 2 - 1);
      const size = Math.max(across, Math.abs(tiles[i][1] - tiles[j][1]) / (tall - 1));
      sizes[i] = Math.min(sizes[i], size);
      sizes[j] = Math.min(sizes[j], size);
    }
  }
  return sizes;
};

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
  let tiles = null; // where they are drawn: across, down, how much they are of their kind, how large
  let drawn = 0; // and when
  let running = false;
  let woken = 0; // the timer that ends a rest, in which nothing moves and nothing is drawn
  let onView = true;

  const keep = () => {
    memory = state;
    hero.dataset.kept = JSON.stringify(state);
  };

  // Where all tiles of an expert should be at a layer, which may lie between two, and how much they are of their kind.
  const tilesAt = (expert, layer) => {
    const below = Math.min(Math.floor(layer), last);
    const above = Math.min(below + 1, last);
    const part = layer - below;
    const { places, widths, tall } = data.stages[kind];
    const [from, to] = [places[expert][below], places[expert][above]];
    const between = from.map((point, i) => point.map((value, axis) => mixed(value, to[i][axis], part)));
    return separated(between, widths, tall).map((place, i) => {
      const same = mixed(data.same[expert][below][i], data.same[expert][above][i], part) / data.k;
      const own = Math.max(0, (same - data.chance) / (1 - data.chance));
      return [...inside(place, widths[i], data.stages[kind]), own, 1];
    });
  };

  // The tiles on their way to where they should be, after so many milliseconds.
  const nearer = (wanted, passed) => {
    const share = 1 - Math.exp(-passed / LAG);
    const mixes = tiles.map((tile, i) => tile.map((value, j) => mixed(value, wanted[i][j], share)));
    const moved = passing(mixes, wanted, data.stages[kind]);
    const sizes = sizesOf(moved, data.stages[kind]);
    return moved.map((place, i) => [...place, mixes[i][2], Math.min(sizes[i], tiles[i][3] + passed / GROW)]);
  };

  const place = (stage, tiles) => {
    const length = (pixels) => `${((100 * pixels) / data.stages[kind].width).toFixed(3)}cqw`;
    stage.querySelectorAll('.gs-hero-tile').forEach((tile, i) => {
      const [x, y, own, size] = tiles[i];
      const shrunk = size < 1 ? ` scale(${size.toFixed(3)})` : '';
      tile.style.transform = `translate(${length(x)}, ${length(y)}) translate(-50%, -50%)${shrunk}`;
      if (tile.style.getPropertyValue('--own') !== own.toFixed(2)) tile.style.setProperty('--own', own.toFixed(2));
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
    slider.value = Math.round(state.held ?? layer); // a hand on it is not led back
    slider.setAttribute('aria-valuetext', data.captions[state.expert][layer]);
    playButton.textContent = state.held === null ? '❚❚' : '▶';
    playButton.setAttribute('aria-label', state.held === null ? data.pause : data.play);
    for (const button of hero.querySelectorAll('[data-expert]')) {
      button.setAttribute('aria-pressed', String(Number(button.dataset.expert) === state.expert));
    }
  };

  // Let the tiles follow; returns whether they are all there.
  const draw = (now) => {
    const passed = Math.min(Math.max(now - drawn, 0), FRAME);
    const wanted = tilesAt(state.expert, shown);
    tiles = tiles && !still ? nearer(wanted, passed) : wanted;
    drawn = now;
    if (still) {
      place(stages[0], tilesAt(state.expert, 0));
      hero.querySelectorAll('figcaption').forEach((caption, i) => {
        caption.textContent = data.captions[state.expert][i * last];
      });
    }
    place(stages.at(-1), tiles);
    tell(Math.round(shown));
    const near = ([x, y, , size], i) => size === 1 && Math.hypot(x - wanted[i][0], y - wanted[i][1]) < 0.2;
    return tiles.every(near);
  };

  const frame = (now) => {
    running = false;
    if (!hero.isConnected || !onView) return;
    if (hero.closest('#gs-first') && now - drawn < APART) return run();
    const time = (now - state.began) % ROUND;
    if (state.held === null) shown = last * wayAt(time);
    else if (Math.abs(state.held - shown) < 0.01 || still) shown = state.held;
    else shown = mixed(shown, state.held, 0.2);
    const there = draw(now);
    const rest = state.held === null && there ? restAt(time) : 0;
    if (rest > 0) woken = setTimeout(run, rest);
    else if (state.held === null || shown !== state.held || !there) run();
  };
  const run = () => {
    clearTimeout(woken);
    if (running) return;
    running = true;
    requestAnimationFrame(frame);
  };

  // The stage has the proportions of the places that it shows: those for a narrow screen, or for two side by side.
  const fit = () => {
    const next = still || hero.clientWidth < 900 ? 'narrow' : 'wide';
    if (next === kind) return;
    kind = next;
    tiles = null;
    hero.dataset.kind = kind;
    for (const name of ['width', 'height', 'picture', 'letter']) {
      for (const stage of stages) stage.style.setProperty(`--${name}`, data.stages[kind][name]);
    }
    draw(performance.now());
  };

  const hold = (layer) => {
    state.held = layer;
    keep();
    tell(Math.round(shown));
    run();
  };

  hero.addEventListener('click', ({ target }) => {
    const expert = target.closest('[data-expert]');
    if (expert) {
      state.expert = Number(expert.dataset.expert);
      keep();
      tell(Math.round(shown));
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

  // The prompt may not be there yet, or not to be seen: the page's own picture goes there when it comes.
  const toPrompt = () => {
    if (!state.asked || !hero.isConnected || hero.closest('#gs-first')) return;
    const prompt = document.querySelector('#prompt textarea');
    prompt?.focus({ preventScroll: true });
    if (!prompt || document.activeElement !== prompt) {
      setTimeout(toPrompt, AGAIN);
      return;
    }
    state.asked = false;
    keep();
    prompt.scrollIntoView({ block: 'center', behavior: still ? 'auto' : 'smooth' });
    prompt.select();
  };

  // The page's own picture may stand a little higher or lower than the first view's: it slides from there.
  const follow = () => {
    const before = document.querySelector('#gs-first .gs-hero');
    if (!before || before === hero || still) return;
    const way = before.getBoundingClientRect().top - hero.getBoundingClientRect().top;
    if (Math.abs(way) < 400) hero.animate([{ translate: `0 ${way}px` }, {}], { duration: 350, easing: 'ease-out' });
  };

  // Two ends side by side, with what is told of each, instead of anything that moves.
  if (still) {
    stages.push(stages[0].cloneNode(true));
    stages[1].setAttribute('aria-hidden', 'true');
    for (const stage of stages) {
      const figure = document.createElement('figure');
      hero.querySelector('.gs-hero-stages').append(figure);
      figure.append(stage, document.createElement('figcaption'));
    }
    hero.classList.add('gs-hero-still');
    state.held = last;
    shown = last;
  }
  fit();
  follow();
  new ResizeObserver(fit).observe(hero);
  const seen = ([{ intersectionRatio }]) => {
    onView = intersectionRatio >= IN_VIEW;
    run();
  };
  new IntersectionObserver(seen, { threshold: [0, IN_VIEW] }).observe(hero);
  // Who writes should not have something moving beside the text.
  document.addEventListener('focusin', ({ target }) => {
    if (hero.isConnected && state.held === null && target.closest('#prompt')) hold(last);
  });
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
