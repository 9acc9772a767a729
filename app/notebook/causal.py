"""What follows from a change inside a model, or in what it reads."""

from dataclasses import dataclass
from typing import Any

from app.intervene.attribution import Attribution
from app.intervene.drawing import Canvas, Drawing
from app.intervene.pairs import ReadPair
from app.intervene.patching import PatchMap
from app.notebook.record import Record
from app.panels.attribution import attribution_view
from app.panels.drawing import drawing_view
from app.panels.patching import best_place, patching_view
from viz.html import Table


@dataclass(frozen=True, eq=False)
class Patched(Record):
    """The effect of every state of the second text, put into the run of the first, one at a time."""

    read: ReadPair
    found: PatchMap

    def table(self) -> Table:
        _, layers, length = self.found.effect.shape
        return Table(
            {
                "source": (*self.model.engine.bundle.experts, "fused"),
                "layer": range(layers),
                "position": range(length),
            },
            {"effect": self.found.effect},
        )

    def facts(self) -> dict[str, Any]:
        engine = self.model.engine
        return {
            "answers": [engine.text_of(i) for i in self.read.pair.answers],
            "margins": self.found.margins,
            "tokens": [[engine.text_of(int(i)) for i in ids] for ids in (self.read.pair.first, self.read.pair.second)],
        }

    def html(self) -> str:
        return patching_view(self.model.engine, self.read, self.found, best_place(self.found), self.say)


@dataclass(frozen=True, eq=False)
class Drawn(Record):
    """What a picture in the place of a token changes."""

    canvas: Canvas
    found: Drawing

    def table(self) -> Table:
        return Table(
            {"expert": self.model.engine.bundle.experts, "layer": range(self.found.path.shape[1])},
            {"distance": self.found.path},
        )

    def facts(self) -> dict[str, Any]:
        engine = self.model.engine
        return {
            "nearest": [engine.text_of(int(i)) for i in self.found.neighbours],
            "cosine": self.found.cosines,
            "jensen_shannon": self.found.change.jensen_shannon,
        }

    def html(self) -> str:
        return drawing_view(self.canvas, self.found.pixels, self.say)


@dataclass(frozen=True, eq=False)
class Attributed(Record):
    """The margin of two tokens after a text, part by part."""

    ids: list[int]
    found: Attribution

    def table(self) -> Table:
        names = [f"{name.kind} {name.layer}" if name.layer else name.kind for name in self.found.names]
        return Table({"expert": self.model.engine.bundle.experts, "part": names}, {"nats": self.found.parts})

    def facts(self) -> dict[str, Any]:
        return {
            "answers": [self.model.engine.text_of(i) for i in self.found.answers],
            "margins": self.found.margins,
            "fused": self.found.fused,
        }

    def html(self) -> str:
        return attribution_view(self.model.engine, self.ids, self.found, self.say)
