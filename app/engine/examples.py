"""The examples on the page, and the one that it opens with."""

import threading
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.trace.record import Trace


@dataclass(frozen=True)
class Example:
    """A prompt and the seed that the page sets with it."""

    prompt: str
    seed: int = 0

    def fill(self) -> tuple[str, int]:
        """Values for the prompt and seed fields."""
        return self.prompt, self.seed


EXAMPLES = (
    Example("I love my mother. Я люблю маму. 我爱", seed=4),
    Example("Жила-была девочка Маша", seed=3),
    Example("I want to", seed=3),
    Example("你知道", seed=7),
    Example("Маша и мишка", seed=1),
    Example("Tom wants", seed=6),
    Example("我喜欢", seed=6),
)
LAB_EXAMPLES = (("A", "А"), ("己", "已"), ("未", "末"), ("и", "й"), ("мир", "мин"), ("cat", "eat"), ("龙", "尤"))
"""Pairs for the glyph laboratory: one picture, near twins, look-alike words."""

_lock = threading.Lock()
_traces: WeakKeyDictionary[Engine, Trace] = WeakKeyDictionary()  # a model that is let go takes its text along


def opening_trace(engine: Engine) -> Trace:
    """The finished run of the first example, made once by the model on display; of the beginning of it, if that
    is all that the model can read."""
    with _lock:
        if engine not in _traces:
            prompt = EXAMPLES[0].prompt
            while len(engine.ids_of(prompt)) > engine.context // 2 and len(prompt) > 2:
                prompt = prompt[: 2 * len(prompt) // 3]
            *_, last = engine.generate(prompt, Sampling(seed=EXAMPLES[0].seed))
            assert last.trace is not None
            _traces[engine] = last.trace
        return _traces[engine]
