"""What a training record says of its text."""

import pytest

from app.checkpoint.training_record import translated_share


def test_translated_sentences_are_counted_in_the_mix_that_has_most() -> None:
    recipes = [
        {"mix": {"ru": 3.0, "en-ru": 1.0}},
        {"mix": {"ru": 0.6, "en-ru": 0.3, "ru-zh": 0.1, "zh_stories-sa": 1.0}},
    ]
    assert translated_share({"experts": {"RU": {"recipes": recipes}}}) == pytest.approx(0.25)
    assert translated_share({"experts": {"RU": {"recipes": [{"mix": {"ru": 1.0}}]}, "ZH": {}}}) == 0
    assert translated_share({}) == 0
