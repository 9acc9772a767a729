"""The examples on the page, and those that it opens with."""

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
    Example("I love my mother. Я люблю маму. 我爱", seed=1),
    Example("I love my", seed=1),
    Example("Жила-была девочка", seed=3),
    Example("我喜欢", seed=6),
    Example("Once upon a time", seed=0),
    Example("从前有一个", seed=7),
    Example("Маша и мишка", seed=6),
    Example("我的妈妈", seed=2),
)
OPENINGS = {"en": EXAMPLES[1], "ru": EXAMPLES[2], "zh": EXAMPLES[3]}
"""Language -> the example that the page opens with."""

LAB_EXAMPLES = (("A", "А"), ("己", "已"), ("未", "末"), ("и", "й"), ("мир", "мин"), ("cat", "eat"), ("龙", "尤"))
"""Pairs for the glyph laboratory: one picture, look-alike characters, look-alike words."""

_lock = threading.Lock()
_traces: WeakKeyDictionary[Engine, dict[Example, Trace]] = WeakKeyDictionary()  # a model let go takes its texts along


def opening_trace(engine: Engine, language: str) -> Trace:
    """The finished run of the example that the page opens with in a language, made once by the model on display; of the
    beginning of it, if that is all that the model can read."""
    example = OPENINGS[language]
    with _lock:
        known = _traces.setdefault(engine, {})
        if example not in known:
            prompt = example.prompt
            while len(engine.ids_of(prompt)) > engine.context // 2 and len(prompt) > 2:
                prompt = prompt[: 2 * len(prompt) // 3]
            *_, last = engine.generate(prompt, Sampling(seed=example.seed))
            assert last.trace is not None
            known[example] = last.trace
        return known[example]
