// Two Plotly maps of a word set, moved through the layers in the browser.
const state = { layer: 0, layout: 'pca', colour: 'concept', mode: null, chosen: null, group: null };
let data = null;
let drawn = null;
let timer = null;
let onView = false;
const css = (name) => getComputedStyle(element.querySelector('.gs-panel')).getPropertyValue(name).trim();
const holder = () => element.querySelector('.gs-words-data');
const plots = () => [...element.querySelectorAll('.gs-figure')];
const places = (expert, layer) => data.layouts[state.layout].paths[expert][layer];
const split = (pairs) => ({ x: pairs.map((p) => p[0]), y: pairs.map((p) => p[1]) });
const glossed = (i) => data.words[i] + (data.glosses[i] ? ` (${data.glosses[i]})` : '');
const bare = () => state.mode !== 'words';

// How each word looks: its text, colour and opacity.
const looks = () => {
  const groups = data.groups[state.colour];
  const inks = groups.colours.map(css);
  const narrow = plots()[0].clientWidth < 420;
  return {
    text: data.words.map((word, i) => {
      const mark = groups.marks[groups.of[i]];
      if (state.mode === 'pictures') return mark + '\n';
      const named = state.group === null ? !bare() : groups.of[i] === state.group;
      return named || i === state.chosen ? `${mark} ${escapeText(word)}` : mark;
    }),
    colour: groups.of.map((g) => (state.group === null || g === state.group ? inks[g] : css('--gs-line'))),
    size: data.words.map((_, i) => (i === state.chosen ? 17 : narrow ? 10 : data.words.length > 100 ? 11 : 13)),
  };
};
// Plotly reads a little HTML in texts: what looks like it must stay text.
const escapeText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

// A picture has one screen pixel for each of its own where there is room.
const images = (expert) => {
  if (state.mode !== 'pictures') return [];
  const height = plots()[expert].clientHeight;
  const [low, high] = data.figure.layout.yaxis.range;
  const size = ((high - low) * (height < 320 ? 22 : 32)) / height;
  return places(expert, state.layer).map(([x, y], i) => ({
    source: data.pictures[i], x, y, sizex: size, sizey: size, xref: 'x', yref: 'y', xanchor: 'center', yanchor: 'bottom',
  }));
};
const trail = (expert, index) =>
  split(index === null ? [] : data.layouts[state.layout].paths[expert].map((layer) => layer[index]));

const draw = async () => {
  if (!onView || !holder()) return;
  data = JSON.parse(holder().dataset.words);
  state.layer = Math.min(state.layer, data.names.length - 1);
  if (!data.layouts[state.layout]) state.layout = 'pca';
  const modes = [...element.querySelector('[data-pick="mode"]').options].map((option) => option.value);
  if (!modes.includes(state.mode) || drawn !== data.words.join('\n')) state.mode = element.querySelector('[data-pick="mode"]').value;
  if (drawn !== data.words.join('\n')) state.chosen = state.group = null;
  drawn = data.words.join('\n');
  const Plotly = await plotly();
  for (const [expert, plot] of plots().entries()) {
    const figure = structuredClone(data.figure);
    const grid = css('--gs-line');
    Object.assign(figure.layout.xaxis, { zerolinecolor: grid });
    Object.assign(figure.layout.yaxis, { zerolinecolor: grid });
    figure.layout.font.color = css('--gs-ink');
    figure.data[0].line.color = css('--gs-ink');
    await Plotly.newPlot(plot, figure.data, figure.layout, { displayModeBar: false, responsive: true, doubleClick: 'reset' });
    plot.on('plotly_hover', (event) => event.points[0].curveNumber === 1 && follow(event.points[0].pointNumber));
    plot.on('plotly_unhover', () => follow(state.chosen));
    plot.on('plotly_click', (event) => event.points[0].curveNumber === 1 && choose_word(event.points[0].pointNumber));
  }
  restore();
  await paint();
  holder().dataset.state = 'drawn';
};

// Everything but the move: looks, legend, captions, the chosen word's list.
const paint = async () => {
  const Plotly = await plotly();
  const look = looks();
  await Promise.all(plots().map((plot, expert) => {
    const { x, y } = split(places(expert, state.layer));
    const path = trail(expert, state.chosen);
    return Plotly.update(plot, {
      x: [path.x, x], y: [path.y, y], text: [null, look.text], 'textfont.color': [null, look.colour],
      'textfont.size': [null, look.size], textposition: [null, 'middle center'],
    }, { images: images(expert) }, [0, 1]);
  }));
  captions();
  legend();
  nearWords();
};
const captions = () => {
  holder().querySelector('.gs-layer').value = state.layer;
  holder().querySelector('output').textContent = data.names[state.layer];
  element.querySelectorAll('.gs-plot figcaption').forEach((caption, expert) => {
    caption.textContent = data.layouts[state.layout].captions[expert][state.layer];
  });
  element.querySelectorAll('.gs-word-near [data-layer]').forEach((cell) => {
    cell.classList.toggle('gs-now', Number(cell.dataset.layer) === state.layer);
  });
};
const restore = () => {
  for (const name of ['layout', 'colour', 'mode']) element.querySelector(`[data-pick="${name}"]`).value = state[name];
  element.querySelector('[data-pick="word"]').value = state.chosen ?? '';
};

const move = async () => {
  captions();
  const Plotly = await plotly();
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const time = still ? 0 : 450;
  plots().forEach((plot, expert) => {
    if (state.mode === 'pictures') Plotly.relayout(plot, { images: images(expert) });
    Plotly.animate(plot, { data: [split(places(expert, state.layer))], traces: [1] }, {
      mode: 'immediate', transition: { duration: time, easing: 'cubic-in-out' }, frame: { duration: time, redraw: false },
    }).catch(() => {});
  });
};
const follow = async (index) => {
  const Plotly = await plotly();
  plots().forEach((plot, expert) => {
    const { x, y } = trail(expert, index);
    Plotly.restyle(plot, { x: [x], y: [y] }, [0]);
  });
  element.querySelectorAll('.gs-hover').forEach((node) => node.remove());
  if (index === null || index === state.chosen) return;
  const note = document.createElement('span');
  note.className = 'gs-hover';
  note.textContent = glossed(index);
  element.querySelector('.gs-picks').append(note);
};
const choose_word = (index) => {
  state.chosen = index === state.chosen ? null : index;
  restore();
  paint();
};

const legend = () => {
  const groups = data.groups[state.colour];
  const box = holder().querySelector('.gs-groups');
  box.replaceChildren(...groups.names.map((name, g) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.group = g;
    button.setAttribute('aria-pressed', String(state.group === g));
    const mark = document.createElement('i');
    mark.style.color = `var(${groups.colours[g]})`;
    mark.textContent = groups.marks[g];
    button.append(mark, name);
    return button;
  }));
};

// The chosen word's nearest words, layer by layer, in both experts; those of its own group are marked.
const nearWords = () => {
  const box = holder().querySelector('.gs-word-near');
  box.replaceChildren();
  if (state.chosen === null) return;
  const title = document.createElement('h3');
  title.textContent = data.near_title.replace('\ufffc', glossed(state.chosen));
  const groups = data.groups.concept;
  const tables = document.createElement('div');
  tables.className = 'gs-lenses';
  data.near.forEach((layers, expert) => {
    const frame = document.createElement('div');
    frame.className = `gs-lens gs-${['first', 'second', 'third', 'fourth'][expert % 4]}`;
    const scroll = document.createElement('div');
    scroll.className = 'gs-scroll';
    const table = document.createElement('table');
    const head = table.createTHead().insertRow();
    [data.experts[expert], ...layers.keys()].forEach((name) => {
      const cell = document.createElement('th');
      cell.textContent = name;
      head.append(cell);
    });
    const body = table.createTBody();
    layers[0][state.chosen].forEach((_, rank) => {
      const row = body.insertRow();
      const place = document.createElement('th');
      place.textContent = rank + 1;
      row.append(place);
      layers.forEach((layer, at) => {
        const other = layer[state.chosen][rank];
        const cell = row.insertCell();
        const same = groups.of[other] === groups.of[state.chosen];
        cell.dataset.layer = at;
        cell.className = (same ? 'gs-same-group' : '') + (at === state.layer ? ' gs-now' : '');
        cell.title = glossed(other);
        cell.textContent = (same ? '● ' : '') + data.words[other];
      });
    });
    scroll.append(table);
    frame.append(scroll);
    tables.append(frame);
  });
  box.append(title, tables);
};

const pause = () => {
  clearInterval(timer);
  timer = null;
  const button = element.querySelector('.gs-play');
  if (button) button.textContent = '▶';
};
element.addEventListener('input', (event) => {
  if (!event.target.matches('.gs-layer') || !data) return;
  pause();
  state.layer = Number(event.target.value);
  move();
  tellLayer(state.layer);
});
hearLayer((layer) => {
  pause();
  state.layer = layer;
  if (!data) return;
  state.layer = Math.min(layer, data.names.length - 1);
  move();
});
element.addEventListener('change', (event) => {
  const name = event.target.dataset.pick;
  if (!name || !data) return;
  if (name === 'word') state.chosen = event.target.value === '' ? null : Number(event.target.value);
  else state[name] = event.target.value;
  if (name === 'colour') state.group = null;
  paint();
});
element.addEventListener('click', (event) => {
  const group = event.target.closest('[data-group]');
  if (group) {
    state.group = state.group === Number(group.dataset.group) ? null : Number(group.dataset.group);
    return paint();
  }
  const button = event.target.closest('.gs-play');
  if (!button || !data) return;
  if (timer) return pause();
  const last = data.names.length - 1;
  if (state.layer === last) state.layer = -1;
  button.textContent = '❚❚';
  const step = () => {
    state.layer += 1;
    move();
    if (state.layer >= last) pause();
  };
  step();
  if (state.layer < last) timer = setInterval(step, 1000);
});
whenSeen(() => { onView = true; draw(); });
watch('value', () => { pause(); draw(); });
