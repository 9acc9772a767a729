// The words panel: a Plotly map of a word set in each expert, moved through the layers in the browser.
import { freePictures, placeLabels } from './map_labels.js';
import { askedMap, forgetMap, hearMap as hearAsked } from './map_view.js';
import { mount as mountPanel } from './panel.js';
import { createPlayer } from './player.js';
import { colourOf, enlarged, keepFitted, plotly, whenSeen } from './plotly.js';
import { glossed, legendButtons, nearTables } from './words_near.js';

const MILLISECONDS = 1000;
const TRANSITION = 450;
const MAP = { displayModeBar: false, responsive: true, doubleClick: 'reset' };
const reduced = matchMedia('(prefers-reduced-motion: reduce)');

const axes = (pairs) => ({ x: pairs.map((pair) => pair[0]), y: pairs.map((pair) => pair[1]) });

// Plotly reads a little HTML in texts: what looks like it must stay text.
const escapeText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const mount = (element, gradio) => {
  mountPanel(element, gradio);
  const state = { layout: 'pca', colour: 'concept', mode: null, chosen: null, group: null };
  let data = null;
  let drawn = null; // the words on the map
  let onView = false;

  const colour = (name) => colourOf(element, name);
  const holder = () => element.querySelector('.gs-words-data');
  const picker = (name) => element.querySelector(`[data-pick="${name}"]`);
  const plots = () => [...element.querySelectorAll('.gs-figure')];
  const paths = (expert) => data.layouts[state.layout].paths[expert];
  const places = (expert) => paths(expert)[player.layer];
  const trail = (expert, index) => axes(index === null ? [] : paths(expert).map((layer) => layer[index]));

  // What a word says on the map: its group's mark, and itself where words are on view or its group is lit.
  const label = (word, i, groups) => {
    const mark = groups.marks[groups.of[i]];
    if (state.mode === 'pictures') return `${mark}\n`;
    const named = state.group === null ? state.mode === 'words' : groups.of[i] === state.group;
    return named || i === state.chosen ? `${mark} ${escapeText(word)}` : mark;
  };

  const looks = () => {
    const groups = data.groups[state.colour];
    const inks = groups.colours.map(colour);
    const narrow = plots()[0].clientWidth < 420;
    const size = (narrow ? 10 : data.words.length > 100 ? 11 : 13) * enlarged();
    return {
      text: data.words.map((word, i) => label(word, i, groups)),
      marks: groups.of.map((g) => groups.marks[g]),
      colour: groups.of.map((g) => (state.group === null || g === state.group ? inks[g] : colour('--gs-line'))),
      size: data.words.map((_, i) => (i === state.chosen ? 17 * enlarged() : size)),
    };
  };

  // A picture has one screen pixel for each of its own where there is room.
  const images = (expert) => {
    if (state.mode !== 'pictures') return [];
    const plot = plots()[expert];
    const pixels = plot.clientHeight < 320 ? 22 : 32;
    const [low, high] = data.figure.layout.yaxis.range;
    const size = ((high - low) * pixels) / plot.clientHeight;
    const place = { sizex: size, sizey: size, xref: 'x', yref: 'y', xanchor: 'center', yanchor: 'bottom' };
    const shown = freePictures(plot, places(expert), pixels, state.chosen);
    return places(expert).flatMap(([x, y], i) => (shown.has(i) ? [{ source: data.pictures[i], x, y, ...place }] : []));
  };

  // Text and place of every label: beside each other where they would cover each other, the mark alone where they must.
  const written = (plot, expert, look) => {
    if (state.mode === 'pictures') return { texts: look.text, positions: 'middle center' };
    const { text: full, marks, size: sizes } = look;
    const [first, lit] = [state.chosen, state.group !== null];
    return placeLabels(plot, places(expert), { full, marks, sizes, first, lit });
  };

  const rewrite = async (plot, expert) => {
    const Plotly = await plotly();
    if (!plot.isConnected) return;
    const { texts, positions } = written(plot, expert, looks());
    Plotly.restyle(plot, { text: [texts], textposition: [positions] }, [1]);
  };

  const captions = () => {
    const { layer } = player;
    holder().querySelector('.gs-layer').value = layer;
    holder().querySelector('output').textContent = data.names[layer];
    element.querySelectorAll('.gs-plot figcaption').forEach((caption, expert) => {
      caption.textContent = data.layouts[state.layout].captions[expert][layer];
    });
    for (const cell of element.querySelectorAll('.gs-word-near [data-layer]')) {
      cell.classList.toggle('gs-now', Number(cell.dataset.layer) === layer);
    }
  };

  const restorePicks = () => {
    for (const name of ['layout', 'colour', 'mode']) picker(name).value = state[name];
    picker('word').value = state.chosen ?? '';
  };

  // Everything but the move: looks, legend, captions, the chosen word's list.
  const paint = async () => {
    const Plotly = await plotly();
    const look = looks();
    const update = ([expert, plot]) => {
      const { x, y } = axes(places(expert));
      const path = trail(expert, state.chosen);
      const { texts, positions } = written(plot, expert, look);
      const traces = {
        x: [path.x, x],
        y: [path.y, y],
        text: [null, texts],
        'textfont.color': [null, look.colour],
        'textfont.size': [null, look.size],
        textposition: [null, positions],
      };
      return Plotly.update(plot, traces, { images: images(expert) }, [0, 1]);
    };
    await Promise.all([...plots().entries()].map(update));
    captions();
    holder()
      .querySelector('.gs-groups')
      .replaceChildren(...legendButtons(data.groups[state.colour], state.group));
    const near = state.chosen === null ? [] : nearTables(data, state.chosen, player.layer);
    holder()
      .querySelector('.gs-word-near')
      .replaceChildren(...near);
  };

  const move = async () => {
    captions();
    const Plotly = await plotly();
    const duration = reduced.matches ? 0 : TRANSITION;
    const transition = { duration, easing: 'cubic-in-out' };
    const animation = { mode: 'immediate', transition, frame: { duration, redraw: false } };
    for (const [expert, plot] of plots().entries()) {
      if (state.mode === 'pictures') Plotly.relayout(plot, { images: images(expert) });
      // A move that the next one overtakes is refused.
      Plotly.animate(plot, { data: [axes(places(expert))], traces: [1] }, animation)
        .then(() => rewrite(plot, expert))
        .catch(() => {});
    }
  };

  // The way of a word through the layers, and its name; none where the index is null.
  const follow = async (index) => {
    const Plotly = await plotly();
    for (const [expert, plot] of plots().entries()) {
      const { x, y } = trail(expert, index);
      Plotly.restyle(plot, { x: [x], y: [y] }, [0]);
    }
    for (const node of element.querySelectorAll('.gs-hover')) node.remove();
    if (index === null || index === state.chosen) return;
    const note = Object.assign(document.createElement('span'), { className: 'gs-hover' });
    note.textContent = glossed(data, index);
    element.querySelector('.gs-picks').append(note);
  };

  const chooseWord = (index) => {
    forgetMap();
    state.chosen = index === state.chosen ? null : index;
    restorePicks();
    paint();
  };

  const hearMap = (plot, expert) => {
    const onWord = (act) => (event) => {
      const [point] = event.points;
      if (point.curveNumber === 1) act(point.pointNumber);
    };
    plot.on('plotly_hover', onWord(follow));
    plot.on('plotly_unhover', () => follow(state.chosen));
    plot.on('plotly_click', onWord(chooseWord));
    plot.on('plotly_relayout', () => rewrite(plot, expert)); // nearer, words have more room
  };

  const newMap = async (Plotly, plot, expert) => {
    const figure = structuredClone(data.figure);
    const { layout } = figure;
    const ink = colour('--gs-ink');
    for (const axis of [layout.xaxis, layout.yaxis]) axis.zerolinecolor = colour('--gs-line');
    layout.font.color = ink;
    figure.data[0].line.color = ink;
    await Plotly.newPlot(plot, figure.data, layout, MAP);
    hearMap(plot, expert);
    keepFitted(plot);
  };

  // Keep what the visitor picked, as far as the new words have it.
  const fitState = () => {
    player.fit();
    if (!data.layouts[state.layout]) state.layout = 'pca';
    const words = data.words.join('\n');
    const modes = [...picker('mode').options].map((option) => option.value);
    if (!modes.includes(state.mode) || drawn !== words) state.mode = picker('mode').value;
    if (drawn !== words) {
      state.chosen = null;
      state.group = null;
    }
    drawn = words;
    fitAsked(modes);
  };

  // What a link asks for, as far as these words have it.
  const fitAsked = (modes) => {
    const { layout, colour: by, mode, word } = askedMap();
    if (data.layouts[layout]) state.layout = layout;
    if (data.groups[by]) state.colour = by;
    if (modes.includes(mode)) state.mode = mode;
    if (data.words[word] !== undefined) state.chosen = word;
  };

  const draw = async () => {
    if (!onView || !holder()) return;
    data = JSON.parse(holder().dataset.words);
    fitState();
    const Plotly = await plotly(holder());
    for (const [expert, plot] of plots().entries()) await newMap(Plotly, plot, expert);
    restorePicks();
    await paint();
    holder().dataset.state = 'drawn';
  };

  const last = () => (data ? data.names.length - 1 : null);
  const player = createPlayer(element, { last, show: move, every: MILLISECONDS, atOnce: true });

  element.addEventListener('change', ({ target }) => {
    const name = target.dataset.pick;
    if (!name || !data) return;
    forgetMap();
    if (name === 'word') state.chosen = target.value === '' ? null : Number(target.value);
    else state[name] = target.value;
    if (name === 'colour') state.group = null;
    paint();
  });
  element.addEventListener('click', ({ target }) => {
    const button = target.closest('[data-group]');
    if (!button) return;
    const group = Number(button.dataset.group);
    state.group = state.group === group ? null : group;
    paint();
  });
  for (const hear of [hearAsked, (act) => document.addEventListener('gs-look', act)]) {
    hear(() => element.isConnected && draw());
  }
  whenSeen(element, () => {
    onView = true;
    draw();
  });
  gradio.watch('value', () => {
    player.pause();
    draw();
  });
};
