"""The panel of figures: those of the training record, and those that were published."""

import csv
import re
from dataclasses import replace
from html import escape

import numpy as np
import pytest

from app.checkpoint.published import published
from app.engine.engine import Engine
from app.panels.figures import figures_view
from app.wording.catalogue import speaker
from tests.conftest import SHARED
from tests.support.html import Reader

SAY = speaker("en")


def test_figures_are_those_of_the_training_record_and_the_publication(engine: Engine) -> None:
    html = figures_view(engine, SAY)
    record = engine.bundle.training["bits_per_character"]
    for row in record.values():
        assert all(f"{bits:.3f}" in html for bits in row.values())
    gap = 100 * (record["ru"]["mean of logits"] / min(record["ru"]["RU"], record["ru"]["ZH"]) - 1)
    assert f"Russian {gap:+.1f}%" in Reader(html).text
    assert "19.7 ± 0.9" in html and "Published, not measured here" in html
    assert figures_view(Engine(replace(engine.bundle, training={})), SAY) == ""


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_translation_stands_beside_what_is_published(engine: Engine, language: str) -> None:
    """BLEU of each expert and way with the number of pairs; without such a record there is no table."""
    scores = {
        "en-ru": {"RU": 19.29, "ZH": 16.68, "mean of logits": 19.8, "gate by likelihood": 18.04},
        "ru-zh": {"RU": 12.41, "ZH": 14.6, "mean of logits": 13.56, "gate by likelihood": 13.48},
        "zh-en": {"RU": 12.0, "ZH": 22.22, "mean of logits": 22.19, "gate by likelihood": 13.48},
    }
    record = {
        direction: {who: {"bleu": bleu, "chrf": 30.0, "pairs": 1623} for who, bleu in row.items()}
        for direction, row in scores.items()
    }
    speak = speaker(language)
    training = {key: value for key, value in engine.bundle.training.items() if key != "translation"}
    without = figures_view(Engine(replace(engine.bundle, training=training)), speak)
    panel = figures_view(Engine(replace(engine.bundle, training={**training, "translation": record})), speak)
    title = speak("figures_translation")
    assert title in Reader(panel).text and title not in Reader(without).text
    table = panel[panel.index(escape(title)) :].split("</table>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    say = speak.number
    published, none = f"{say(6.5, 1)} ± {say(0.4, 1)}", "–"
    assert rows[0] == [
        say(19.3, 1),
        say(16.7, 1),
        f"<strong>{say(19.8, 1)}</strong>",
        say(18.0, 1),
        say(1623),
        published,
    ]
    assert rows[1] == [say(12.4, 1), f"<strong>{say(14.6, 1)}</strong>", say(13.6, 1), say(13.5, 1), say(1623), none]
    russian, chinese, english = (speak("words_" + code) for code in ("ru", "zh", "en"))
    gaps = ((english, russian, 0.5), (russian, chinese, -1.0), (chinese, english, 0.0))
    sentence = speak.clauses(f"{one}\u00a0→\u00a0{other} {speak.signed(gap, 1)}" for one, other, gap in gaps)
    assert sentence in Reader(panel).text


@pytest.mark.skipif(not (SHARED / "bvv241").is_dir(), reason="the published results are not on this machine")
def test_published_figures_are_as_published() -> None:
    with (SHARED / "bvv241" / "published_results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = {"CommonsenseQA": "C-SENSE", "SQuAD": "SQUAD"}
    for figure in published():
        name, _, subset = figure.benchmark.partition(" ")
        same = [
            row
            for row in rows
            if row["model"] == figure.model
            and row["benchmark"] == names.get(name, name)
            and (name == "MMLU" or row["subset"] == subset.replace("→", "-"))
        ]
        assert figure.percent == pytest.approx(np.mean([float(row["mean_percent"]) for row in same]), abs=0.006)
        assert figure.interval is None or figure.interval == float(same[0]["ci95_percent"])
    assert len(published()) == 45
