// Drawing a picture: a grid of 32 by 32 pixels for mouse, finger and keyboard, with its tools.
import { mount as mountPanel } from './panel.js';

const SIDE = 32;
const CELL = 12;
const SEND_MS = 120; // between two pictures that are sent
const LOST_MS = 2000; // without an answer, the next picture goes all the same
const KEPT = 200; // steps that can be undone
const STEPS = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
const ARROWS = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };

const parse = (bits) => Uint8Array.from(bits, Number);

const shifted = (pixels, [right, down]) =>
  pixels.map((_, i) => {
    const [x, y] = [(i % SIDE) - right, Math.floor(i / SIDE) - down];
    return x >= 0 && x < SIDE && y >= 0 && y < SIDE ? pixels[y * SIDE + x] : 0;
  });

const thickened = (pixels) => {
  const beside = Object.values(STEPS).map((step) => shifted(pixels, step));
  return pixels.map((pixel, i) => pixel | beside.reduce((ink, other) => ink | other[i], 0));
};

// Turn over some pixels, by index.
const flipped = (pixels, indices) => {
  const turned = pixels.slice();
  for (const i of indices) turned[i] ^= 1;
  return turned;
};

// The cells of a straight line, the first left out: a quick finger is seen at a few points only.
const line = (from, to) => {
  const [x, y] = [from % SIDE, Math.floor(from / SIDE)];
  const [right, down] = [(to % SIDE) - x, Math.floor(to / SIDE) - y];
  const steps = Math.max(Math.abs(right), Math.abs(down));
  return Array.from({ length: steps }, (_, i) => {
    const share = (i + 1) / steps;
    return (y + Math.round(down * share)) * SIDE + x + Math.round(right * share);
  });
};

// One picture being drawn: what the sliders make of it, and the strokes (pixels turned over) on top.
const makeDrawing = (box) => {
  const [own, target, drawn] = [box.dataset.own, box.dataset.target, box.dataset.drawn].map(parse);
  const order = box.dataset.order.split(',').map(Number);
  const differing = order.filter((i) => own[i] !== target[i]);
  let [share, noise] = ['.gs-morph', '.gs-noise'].map((slider) => Number(box.querySelector(slider).value));
  const under = () => {
    const morphed = flipped(own, differing.slice(0, Math.round(share * differing.length)));
    return flipped(morphed, order.slice(0, noise));
  };
  const xor = (a, b) => a.map((pixel, i) => pixel ^ b[i]);
  let strokes = xor(drawn, under());
  return {
    own,
    pixels: () => xor(under(), strokes),
    put: (pixels) => {
      strokes = xor(pixels, under());
    },
    slide: (next) => {
      share = next.share ?? share;
      noise = next.noise ?? noise;
    },
    sliders: () => ({ share, noise }),
  };
};

const paint = (canvas, drawing, cursor) => {
  const brush = canvas.getContext('2d');
  const style = getComputedStyle(canvas);
  const [ink, paper, accent] = [style.color, style.backgroundColor, style.outlineColor];
  const pixels = drawing.pixels();
  brush.fillStyle = paper;
  brush.fillRect(0, 0, canvas.width, canvas.height);
  pixels.forEach((pixel, i) => {
    const [x, y] = [(i % SIDE) * CELL, Math.floor(i / SIDE) * CELL];
    const changed = pixel !== drawing.own[i];
    brush.fillStyle = pixel ? (changed ? accent : ink) : paper;
    brush.fillRect(x, y, CELL - 1, CELL - 1);
    if (changed && !pixel) {
      brush.strokeStyle = accent;
      brush.strokeRect(x + 2.5, y + 2.5, CELL - 6, CELL - 6);
    }
  });
  if (cursor === null || document.activeElement !== canvas) return;
  brush.strokeStyle = accent;
  brush.lineWidth = 2;
  brush.strokeRect((cursor % SIDE) * CELL, Math.floor(cursor / SIDE) * CELL, CELL, CELL);
  brush.lineWidth = 1;
};

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  let drawing = null;
  let history = [];
  let cursor = (SIDE * SIDE) / 2 + SIDE / 2;
  let stroke = null; // while one is drawn: whose pointer, ink or paper, and the cell that it has come to
  let timer = null;
  let sent = 0;
  let busy = false;
  let unsent = false;
  const box = () => element.querySelector('.gs-editor');
  const canvas = () => element.querySelector('.gs-grid');
  const bits = () => drawing.pixels().join('');
  const show = () => {
    paint(canvas(), drawing, cursor);
    box().dataset.now = bits(); // for links
  };

  // One picture at a time is under way; what is drawn meanwhile goes as one when the answer is there.
  const answered = () => {
    clearTimeout(timer);
    answers.disconnect();
    busy = false;
    if (unsent) send();
  };
  const answers = new MutationObserver(answered);
  const send = () => {
    unsent = true;
    if (busy) return;
    busy = true;
    timer = setTimeout(
      () => {
        [unsent, sent] = [false, Date.now()];
        for (const id of ['drawing', 'draw-status']) {
          answers.observe(document.getElementById(id), { childList: true, subtree: true, characterData: true });
        }
        timer = setTimeout(answered, LOST_MS);
        gradio.trigger('input', { pixels: bits() });
      },
      Math.max(0, sent + SEND_MS - Date.now()),
    );
  };
  const remember = () => {
    history.push({ pixels: drawing.pixels(), ...drawing.sliders() });
    history = history.slice(-KEPT);
  };
  const setSliders = ({ share, noise }) => {
    box().querySelector('.gs-morph').value = share;
    box().querySelector('.gs-noise').value = noise;
  };
  const edit = (pixels) => {
    remember();
    drawing.put(pixels);
    show();
    send();
  };
  const undo = () => {
    const last = history.pop();
    if (!last) return;
    drawing.slide(last);
    drawing.put(last.pixels);
    setSliders(last);
    show();
    send();
  };
  const reset = () => {
    remember();
    drawing.slide({ share: 0, noise: 0 });
    drawing.put(drawing.own);
    setSliders({ share: 0, noise: 0 });
    show();
    send();
  };
  const tools = {
    undo,
    reset,
    invert: () => edit(drawing.pixels().map((pixel) => 1 - pixel)),
    thicken: () => edit(thickened(drawing.pixels())),
  };

  // In another language the picture stays, with its sliders and what can be undone.
  const goOn = (before) => {
    if (before?.own.join('') === drawing.own.join('')) {
      drawing = before;
      setSliders(before.sliders());
    }
    show();
    send();
  };
  const restart = () => {
    if (!box()) {
      drawing = null;
      return;
    }
    const before = drawing;
    drawing = makeDrawing(box());
    if ('again' in box().dataset) return goOn(before);
    if (before && before.own.join('') === drawing.own.join('')) {
      history.push({ pixels: before.pixels(), ...before.sliders() });
    } else history = [];
    show();
  };

  const cellAt = (event) => {
    const frame = canvas().getBoundingClientRect();
    const [x, y] = [
      Math.floor(((event.clientX - frame.left) / frame.width) * SIDE),
      Math.floor(((event.clientY - frame.top) / frame.height) * SIDE),
    ];
    return x >= 0 && x < SIDE && y >= 0 && y < SIDE ? y * SIDE + x : null;
  };
  const dots = (cells) => {
    const pixels = drawing.pixels();
    const missed = cells.filter((cell) => pixels[cell] !== stroke.pen);
    if (!missed.length) return;
    for (const cell of missed) pixels[cell] = stroke.pen;
    drawing.put(pixels);
    show();
    send();
  };

  element.addEventListener('pointerdown', (event) => {
    if (!event.target.matches('.gs-grid') || !event.isPrimary) return; // a second finger draws nothing
    const cell = cellAt(event);
    if (cell === null) return;
    event.target.setPointerCapture(event.pointerId);
    remember();
    cursor = cell;
    stroke = { id: event.pointerId, pen: 1 - drawing.pixels()[cell], cell };
    dots([cell]);
  });
  element.addEventListener('pointermove', (event) => {
    if (event.pointerId !== stroke?.id) return;
    const seen = event.getCoalescedEvents?.() ?? [];
    for (const step of seen.length ? seen : [event]) {
      const cell = cellAt(step);
      if (cell !== null) dots(stroke.cell === null ? [cell] : line(stroke.cell, cell));
      stroke.cell = cell; // outside the grid there is none
    }
  });
  for (const end of ['pointerup', 'pointercancel']) {
    element.addEventListener(end, (event) => {
      if (event.pointerId === stroke?.id) stroke = null;
    });
  }

  const announce = () => {
    const said = drawing.pixels()[cursor] ? box().dataset.atInk : box().dataset.atPaper;
    element.querySelector('.gs-at').textContent = said
      .replace('{row}', Math.floor(cursor / SIDE) + 1)
      .replace('{column}', (cursor % SIDE) + 1);
  };
  element.addEventListener('keydown', (event) => {
    if (!event.target.matches('.gs-grid')) return;
    if ((event.ctrlKey || event.metaKey) && event.key === 'z') undo();
    else if (event.key === ' ') edit(flipped(drawing.pixels(), [cursor]));
    else if (ARROWS[event.key]) {
      const [right, down] = STEPS[ARROWS[event.key]];
      const x = Math.min(Math.max((cursor % SIDE) + right, 0), SIDE - 1);
      const y = Math.min(Math.max(Math.floor(cursor / SIDE) + down, 0), SIDE - 1);
      cursor = y * SIDE + x;
    } else return;
    event.preventDefault();
    show();
    announce();
  });
  for (const kind of ['focusin', 'focusout']) {
    element.addEventListener(kind, ({ target }) => {
      if (target.matches('.gs-grid')) requestAnimationFrame(show);
    });
  }

  element.addEventListener('click', ({ target }) => {
    const tool = target.closest('[data-tool]');
    const shift = target.closest('[data-shift]');
    const token = target.closest('[data-token]');
    if (tool) tools[tool.dataset.tool]();
    else if (shift) edit(shifted(drawing.pixels(), STEPS[shift.dataset.shift]));
    else if (token) gradio.trigger('select', { ask: 'token', index: Number(token.dataset.token) });
  });
  element.addEventListener('input', ({ target }) => {
    if (!target.matches('.gs-morph, .gs-noise')) return;
    if (!target.dataset.moving) remember();
    target.dataset.moving = 'yes';
    drawing.slide(target.matches('.gs-morph') ? { share: Number(target.value) } : { noise: Number(target.value) });
    show();
    send();
  });
  element.addEventListener('change', ({ target }) => {
    delete target.dataset.moving;
  });
  element.addEventListener('submit', (event) => {
    const form = event.target.closest('[data-ask]');
    if (!form) return;
    event.preventDefault();
    gradio.trigger('select', { ask: form.dataset.ask, text: form.querySelector('input').value, pixels: bits() });
  });
  gradio.watch('value', restart);
  restart();
};
