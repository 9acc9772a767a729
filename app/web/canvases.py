"""What is drawn on, kept between strokes."""

from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache

from app.engine.engine import Engine
from app.intervene.drawing import Canvas, open_canvas
from app.models import ModelRegistry
from app.wording.errors import UserError

KEPT = 24
"""Canvases that are kept, so that a stroke costs one run; about 1 MB each in the bundled model."""


@dataclass(frozen=True)
class DrawingRequest:
    """What is being drawn: a text as the visitor gave it, the position of a token in it (None: the last), what its
    picture can morph into; story: the key of the story whose opening is on view, if it is one; typed: the text whose
    picture was drawn to start from, if one was."""

    text: Any
    index: int | None = None
    target: str = ""
    story: str = ""
    typed: str = ""


class CanvasCache:
    """The canvases drawn on last; those over models that are gone are dropped."""

    def __init__(self, registry: ModelRegistry) -> None:
        self._registry = registry
        self._kept: LRUCache[tuple[str, int], Canvas] = LRUCache(KEPT)

    def open(self, engine: Engine, asked: DrawingRequest) -> Canvas:
        """A canvas; only the thread of the jobs calls this.

        Raises:
            UserError: see `open_canvas`.
        """
        loaded = {id(model.engine) for model in list(self._registry.loaded.values())}
        for key, canvas in list(self._kept.items()):
            if id(canvas.engine) not in loaded:
                del self._kept[key]
        index = len(engine.encode(asked.text)) if asked.index is None else asked.index
        known = self._kept.get((asked.text, index))
        if known is None or known.engine is not engine:
            if index == 0:  # the start token has no picture
                raise UserError("bad_position", last=len(engine.encode(asked.text)))
            known = open_canvas(engine, asked.text, index)
        self._kept[(asked.text, index)] = known
        return known
