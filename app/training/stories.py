"""How long a text goes on after the opening of a story, and how much of it stays in the script of that opening."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.substrate.scripts import script_of

STORY_OPENINGS = {"en": "Once upon a time", "ru": "Жила-была девочка", "zh": "从前有一个"}


@dataclass(frozen=True)
class Stories:
    """What was written after one opening, a text a seed."""

    texts: tuple[str, ...]
    """Opening included."""
    lengths: tuple[int, ...]
    """Tokens written."""
    same_script: float
    """Share of the written letters, of all texts together, that are of the opening's script; NaN without letters."""

    @property
    def median_length(self) -> float:
        """Median of the tokens written."""
        return statistics.median(self.lengths)


def letters_by_script(text: str) -> Counter[str]:
    """How many letters of a text are of each script."""
    return Counter(script_of(character) for character in text if character.isalpha())


def write_stories(engine: Engine, opening: str, seeds: Sequence[int], new_tokens: int = 100) -> Stories:
    """Go on from an opening with the page's own sampling, once a seed, by up to `new_tokens` tokens."""
    texts, lengths, letters = [], [], Counter[str]()
    for seed in seeds:
        *_, last = engine.generate(opening, Sampling(seed=seed, new_tokens=new_tokens))
        assert last.trace is not None, "the closing step carries the trace"
        written = last.trace.texts[last.trace.prompt :]
        texts.append(opening + "".join(written))
        lengths.append(len(written))
        letters += letters_by_script("".join(written))
    total = sum(letters.values())
    share = letters[script_of(opening)] / total if total else float("nan")
    return Stories(tuple(texts), tuple(lengths), share)


def print_stories(engine: Engine, seeds: Sequence[int], shown: int = 5) -> None:
    """Median length, share of long ones and of the opening's script, and the first texts, for each language."""
    for language, opening in STORY_OPENINGS.items():
        stories = write_stories(engine, opening, seeds)
        long = sum(length >= 60 for length in stories.lengths)
        print(
            f"{language}: median {stories.median_length:g} tokens, {long} of {len(seeds)} at least 60, "
            f"{stories.same_script:.1%} of the letters in the opening's script"
        )
        for seed, text in zip(seeds[:shown], stories.texts, strict=False):
            print(f"  seed {seed}: {text}")
