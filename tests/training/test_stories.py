"""Stories after an opening: their length and script, against a count by hand."""

import math

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.training.stories import letters_by_script, write_stories


def test_letters_are_counted_by_script_and_nothing_else_is() -> None:
    assert letters_by_script("Кот, cat 42: 猫猫!") == {"cyrillic": 3, "latin": 3, "han": 2}


def test_stories_are_what_the_engine_writes(engine: Engine) -> None:
    stories = write_stories(engine, "Мама", range(3), new_tokens=9)
    assert len({*stories.texts}) > 1
    letters = 0
    for seed, text, length in zip(range(3), stories.texts, stories.lengths, strict=True):
        steps = engine.generate("Мама", Sampling(seed=seed, new_tokens=9))
        ids = [step.id for step in steps if step.id is not None]
        assert length == len(ids) <= 9
        written = engine.bundle.tokenizer.decode(ids, skip_special_tokens=False)
        assert text == "Мама" + written
        letters += sum(c.isalpha() for c in written)
    cyrillic = sum("а" <= c.lower() <= "я" or c.lower() == "ё" for text in stories.texts for c in text[4:])
    assert stories.same_script == (cyrillic / letters if letters else math.nan)
