"""Word sets: their hidden states, and the probes over them with every control."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.notebook.record import Record
from app.probing.curves import ProbeResults, plain_results
from app.probing.measures import agreement, chance_purity, nearest_rows, neighbours_of
from app.probing.probe_measures import MEASURES
from app.probing.word_list import Word
from app.probing.word_states import WordStates
from app.trace.projection import aligned_points
from app.trace.record import Floats
from viz.html import Table


@dataclass(frozen=True, eq=False)
class SetStates(Record):
    """Hidden states of a word set: of each word's last token, averaged over the sentences that it was read in."""

    found: WordStates

    @property
    def words(self) -> tuple[Word, ...]:
        return self.found.words

    @property
    def states(self) -> Floats:
        """(E, L + 1, n, d); layer 0 is the frozen picture."""
        return self.found.states

    def purity(self) -> Floats:
        """(E, L + 1): share of a word's nearest neighbours that belong to its own group."""
        groups = [word.concept for word in self.words]
        count = neighbours_of(groups)
        rows = [[agreement(nearest_rows(layer, count), groups).mean() for layer in expert] for expert in self.states]
        return np.array(rows, np.float32)

    def chance(self) -> float:
        """`purity` if the groups said nothing."""
        return chance_purity([word.concept for word in self.words])

    def table(self) -> Table:
        """Without the states themselves, which are wide: where each word lies on the aligned map of its expert."""
        shape = self.states.shape[:3]
        points = self._points()
        named = {"group": [word.concept for word in self.words], "language": [word.language for word in self.words]}
        return Table(
            {
                "expert": self.model.engine.bundle.experts,
                "layer": range(shape[1]),
                "word": [word.text for word in self.words],
            },
            {
                **{name: np.broadcast_to(np.array(values, object), shape) for name, values in named.items()},
                "pca_x": points[..., 0],
                "pca_y": points[..., 1],
            },
        )

    def _points(self) -> Floats:
        """Where each word lies on the aligned map of its expert (E, L + 1, n, 2)."""
        return np.stack([aligned_points(expert)[0] for expert in self.states])

    def facts(self) -> dict[str, Any]:
        return {"purity": self.purity(), "chance": self.chance()}

    def html(self) -> str:
        return self.map_of(self.states.shape[1] - 1)

    def map_of(self, layer: int) -> str:
        """The map of one layer, as HTML."""
        from viz.static import word_maps

        points = self._points()[:, layer]
        words, groups = [word.text for word in self.words], [word.concept for word in self.words]
        return word_maps(self.model.engine.bundle.experts, points, words, groups, layer, self.say)


@dataclass(frozen=True, eq=False)
class SetProbes(Record):
    """Measures of meaning by layer, each beside its controls."""

    words: tuple[Word, ...]
    results: ProbeResults

    def table(self) -> Table:
        curves = [self.results.curves[name] for name in MEASURES]
        fields = ("values", "low", "high", "shuffled_low", "shuffled_high")
        shape = (len(MEASURES), *curves[0].values.shape)
        untrained = np.broadcast_to(np.stack([curve.untrained for curve in curves])[:, None], shape)
        return Table(
            {"measure": list(MEASURES), "expert": self.results.experts, "layer": range(shape[2])},
            {**{field: np.stack([getattr(c, field) for c in curves]) for field in fields}, "untrained": untrained},
        )

    def facts(self) -> dict[str, Any]:
        plain = plain_results(self.results)
        emergence = {name: curve["emergence"] for name, curve in plain.pop("curves").items()}
        return {**plain, "emergence": emergence, "words": [vars(word) for word in self.words]}

    def html(self) -> str:
        """Every chart; needs Plotly, which checks the figures."""
        from app.panels.proof import probe_charts, subject_of
        from viz.static import charts_panel

        charts, subject = probe_charts(self.results, self.say), subject_of(self.results, self.say, "proof_set_map")
        return charts_panel("proof", charts, subject, self.say("proof_summary"), self.table(), self.say)
