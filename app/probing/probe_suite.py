"""All measures over one word set, layer by layer, with every control that a curve needs to show anything.

Controls: layer 0 (the pictures alone); labels shuffled 200 times, of which the 95th percentile of the maximum over
layers counts; an untrained network of the same shape over the same frozen table; pairs of words that share letters left
out; for words read in sentences of their own, the states of the token before each, since a sentence can tell the group
before the word is read.  Beside them, where they are known, networks that trained their table too: no controls, for
meaning can arise there too, but what the frozen experts are compared with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from app.engine.engine import Engine
from app.network.experts import StackedExperts
from app.probing.control_states import ControlStates
from app.probing.curves import Curve, Curves, ProbeResults
from app.probing.measures import Emergence, emergence
from app.probing.probe_measures import MEASURES
from app.probing.word_list import check_groups
from app.probing.word_set import LayerStates, Measured, Numbers, WordSet
from app.probing.word_states import Progress, WordStates, part_of, token_pictures, word_states
from app.trace.record import Floats
from app.wording.errors import UserError

_UNTRAINED_SEED = 7
_ENDS = (0.025, 0.975)  # of a central 95 %

Layers = list[dict[str, Measured]]
"""What was measured in one network: by layer, by measure."""


def untrained_engine(engine: Engine) -> Engine:
    """One expert of the same shape over the same frozen table, as training would begin it; without a head
    where the network is not ours, since only its states are read."""
    ours = isinstance(engine.model, StackedExperts)
    shape = replace(engine.model.shape, experts=1)
    model = StackedExperts(shape if ours else replace(shape, vocabulary=1))
    model.initialise(torch.Generator().manual_seed(_UNTRAINED_SEED))
    model.embedding = engine.model.embedding
    model.requires_grad_(False).eval()
    return Engine(replace(engine.bundle, model=model, experts=("untrained",)))


def run_probes(
    engine: Engine,
    states: WordStates,
    progress: Progress = lambda share: True,
    controls: ControlStates | None = None,
    context: Floats | None = None,
) -> ProbeResults:
    """All measures of a word set, with their controls.  controls: what is known of other networks on the words;
    else an untrained network reads them now, in carrier sentences.  context (E, L + 1, n, d): states of the
    tokens before the words, for words that were not all read in the same sentences.

    Raises:
        UserError: `few_groups` for too few groups or words a group; `cancelled` when `progress` returns False.
    """
    check_groups(states.words)
    if controls is None:
        reading = part_of(progress, 0.0, 0.3)
        untrained = word_states(untrained_engine(engine), states.words, reading).states[0]
        controls, progress = ControlStates(untrained, untrained[None][:0]), part_of(progress, 0.3, 1.0)
    words = WordSet(states.words, token_pictures(engine, states.words))
    parts = {
        "experts": list(states.states),
        "untrained": [controls.untrained],
        "context": [] if context is None else list(context),
        "unfrozen": list(controls.unfrozen),
    }
    measured = _measure(words, parts, progress)
    return ProbeResults(
        experts=engine.bundle.experts,
        words=len(states.words),
        groups=len(set(words.labels)),
        in_text=states.in_text,
        neighbours=words.neighbours,
        chance=words.chance,
        best=words.best,
        curves={name: _curve(name, measured) for name in MEASURES},
    )


@dataclass(frozen=True, eq=False)
class _Networks:
    """What was measured in every network that a curve shows."""

    experts: Sequence[Layers]
    untrained: Sequence[Layers]
    """One network."""
    context: Sequence[Layers]
    """The experts' states of the token before each word; none where all words were read in the same sentences."""
    unfrozen: Sequence[Layers]
    """Each expert's control with a trained table, or none."""


def _measure(words: WordSet, parts: dict[str, list[Floats]], progress: Progress) -> _Networks:
    """Every measure of every layer of networks whose states are (L + 1, n, d) each.

    Raises:
        UserError: `cancelled` when `progress`, which is called before every layer, returns False.
    """
    total, done = sum(len(network) for part in parts.values() for network in part), 0
    measured: dict[str, list[Layers]] = {name: [] for name in parts}
    for name, part in parts.items():
        for network in part:
            layers: Layers = []
            for states in network:
                if not progress(done / total):
                    raise UserError("cancelled")
                layer = LayerStates(words, states)
                layers.append({measure: MEASURES[measure].compute(layer) for measure in MEASURES})
                done += 1
            measured[name].append(layers)
    return _Networks(**measured)


def _curve(name: str, networks: _Networks) -> Curve:
    """One measure by layer, with its controls."""
    values = _values(name, networks.experts)
    untrained, nowhere = _values(name, networks.untrained)[0], np.full(values.shape, np.nan)
    around, unfrozen = (_values(name, part) if part else nowhere for part in (networks.context, networks.unfrozen))
    draws = _by_layer(name, networks.experts, lambda measured: measured.draws)  # E of (B, L + 1)
    sampled = draws[0].size > 0
    low, high = _interval(draws) if sampled else (values, values)
    untrained_high = _upper(name, networks.untrained[0]) if sampled else untrained
    shuffled_low, shuffled_high, ceiling = nowhere, nowhere, np.full(len(values), np.nan)
    emergences: tuple[Emergence, ...] = ()
    if MEASURES[name].labelled:
        shuffled = _by_layer(name, networks.experts, lambda measured: measured.shuffled)  # E of (S, L + 1)
        shuffled_low, shuffled_high = _interval(shuffled)
        ceiling = np.array([np.quantile(labels.max(axis=1), 0.95) for labels in shuffled])
        emergences = tuple(
            emergence(draws[e], _ceilings(ceiling[e], values[e, 0], untrained_high, name, networks.context[e : e + 1]))
            for e in range(len(values))
        )
    single: Callable[[Any], Curves] = lambda array: np.asarray(array, np.float32)  # noqa: E731
    return Curve(
        values=single(values),
        low=single(low),
        high=single(high),
        shuffled_low=single(shuffled_low),
        shuffled_high=single(shuffled_high),
        ceiling=single(ceiling),
        untrained=single(untrained),
        untrained_high=single(untrained_high),
        unfrozen=single(unfrozen),
        context=single(around),
        emergence=emergences,
    )


def _values(name: str, networks: Sequence[Layers]) -> Numbers:
    """A measure in networks, by layer (N, L + 1)."""
    return np.array([[layer[name].value for layer in network] for network in networks])


def _by_layer(name: str, networks: Sequence[Layers], part: Callable[[Measured], Numbers]) -> list[Numbers]:
    """The draws, or the values under shuffled labels, of a measure: (draws, L + 1) for each network."""
    return [np.stack([part(layer[name]) for layer in network], 1) for network in networks]


def _interval(draws: list[Numbers]) -> tuple[Numbers, Numbers]:
    """Ends (E, L + 1) of the central 95 % of draws, (B, L + 1) for each expert."""
    ends = np.stack([np.quantile(draw, _ENDS, axis=0) for draw in draws], 1)
    return ends[0], ends[1]


def _upper(name: str, network: Layers) -> Numbers:
    """The upper end (L + 1,) of the central 95 % of a network's draws."""
    ends: Numbers = np.quantile([layer[name].draws for layer in network], _ENDS[1], axis=1)
    return ends


def _ceilings(
    shuffled: float, start: float, untrained_high: Numbers, name: str, context: Sequence[Layers]
) -> NDArray[np.float64]:
    """Upper ends (C, L + 1) of an expert's controls: shuffled labels, layer 0, the untrained network, and the tokens
    before the words where there are any."""
    flat = [np.full(len(untrained_high), value) for value in (shuffled, start)]
    return np.stack([*flat, untrained_high, *(_upper(name, network) for network in context)])
