"""The experts panel: shares, parts and facts against the network itself."""

import re
from typing import Any

import numpy as np
import pytest
import torch

from app.engine.engine import Engine
from app.panels.experts import experts_view
from app.trace.record import Trace
from app.wording.catalogue import speaker
from tests.support.html import Reader

SAY = speaker("en")


def test_candidates_show_the_probabilities_of_the_model(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    for selected, weight in ((3, 0.5), (5, 0.5), (5, 0.2), (5, 1.0)):
        reader = Reader(experts_view(engine, trace, selected, weight, SAY))
        shown = [(int(a["data-id"]), float(a["style"].split(":")[1])) for a in reader.with_class("gs-candidate")]
        z = rows[:, selected - 1]
        mixed = [z[0], weight * z[0] + (1 - weight) * z[1], z[1]]
        expected = []
        for row in mixed:
            best = row.softmax(-1).sort(descending=True)
            expected += list(zip(best.indices.tolist()[:8], best.values.tolist()[:8], strict=True))
        assert [i for i, _ in shown] == [i for i, _ in expected]
        assert [p for _, p in shown] == pytest.approx([p for _, p in expected], abs=1e-3)


def test_margin_bars_add_up_as_displayed(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    for selected in range(1, len(trace)):
        html = experts_view(engine, trace, selected, 0.5, SAY)
        first, second, total = (float(x) for x in re.findall(r"([+-]\d+\.\d{3})</span></div>", html))
        z = rows[:, selected - 1].mean(0).sort(descending=True).values
        assert total == pytest.approx(float(z[0] - z[1]), abs=2e-3)
        assert first + second == pytest.approx(total, abs=2e-3)


def test_facts_show_divergences_of_the_full_distributions(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    html = experts_view(engine, trace, 4, 0.5, SAY)
    p = rows[:, 3].softmax(-1).numpy()
    overlap = -np.log(np.sqrt(p[0] * p[1]).sum())
    m = p.mean(0)
    divergence = sum((q * np.log2(q / m)).sum() for q in p) / 2
    shown = [float(x) for x in re.findall(r"<dd>(\d+\.\d{3})", html)]
    assert shown == pytest.approx([overlap, divergence], abs=1.5e-3)


def test_parts_of_every_candidate_add_up_as_displayed(engine: Engine, trace: Trace, rows: torch.Tensor) -> None:
    """Log-odds over the winner from the model's own logits; the three numbers of a line add up exactly."""
    for selected, weight in ((3, 0.5), (6, 0.2)):
        html = experts_view(engine, trace, selected, weight, SAY)
        lines = re.findall(r"<tr>(.*?)</tr>", html.split("gs-parts")[1])[1:]
        z = rows[:, selected - 1]
        fused = weight * z[0] + (1 - weight) * z[1]
        order = fused.sort(descending=True).indices[:8]
        assert len(lines) == 8
        for rank, line in enumerate(lines):
            first, second, total = (float(x) for x in re.findall(r"</i>([+-]\d+\.\d{3})</td>", line))
            assert first + second == pytest.approx(total, abs=1e-9)
            token_id, rival = order[rank], order[0 if rank else 1]
            assert total == pytest.approx(float(fused[token_id] - fused[rival]), abs=2e-3)
            assert first == pytest.approx(float(weight * (z[0, token_id] - z[0, rival])), abs=2e-3)
            log_fused = float(fused.log_softmax(-1)[token_id])
            added = [log_fused - float(z[e].log_softmax(-1)[token_id]) for e in (1, 0)]
            shown = [
                (-1 if mark == "▼" else 1) * float(x) for mark, x in re.findall(r"<td>([▲▼]?)(\d+\.\d\d)</td>", line)
            ]
            assert shown == pytest.approx(added, abs=6e-3)


def test_the_texts_own_token_is_shown_also_where_it_is_no_candidate(
    engine: Engine, trace: Trace, rows: torch.Tensor
) -> None:
    seen = 0
    for selected in range(1, len(trace)):
        for weight, fusion in ((0.5, "logits"), (0.3, "logits"), (1.0, "logits"), (0.3, "probabilities")):
            html = experts_view(engine, trace, selected, weight, SAY, fusion)  # type: ignore[arg-type]
            z, token_id = rows[:, selected - 1], trace.ids[selected]
            p = z.softmax(-1)
            mixed = (weight * z[0] + (1 - weight) * z[1]).softmax(-1)
            mixed = mixed if fusion == "logits" else weight * p[0] + (1 - weight) * p[1]
            columns = html.split("<ol>")[1:4]
            for column, chances in zip(columns, (p[0], mixed, p[1]), strict=True):
                rank = int((chances > chances[token_id]).sum()) + 1
                found = re.search(r"gs-beyond.*?(?:#(\d+)</span>)?<span class='gs-number'>(.*?)</span>", column)
                assert (found is not None) == (rank > 8)
                if found is not None:
                    seen += 1
                    assert found.group(2) == SAY.percent(float(chances[token_id]))
                    assert found.group(1) is None or int(found.group(1)) == rank
    assert seen > 20


@pytest.mark.parametrize("fusion", ["probabilities", "gate"])
def test_parts_add_up_under_a_mean_of_probabilities(engine: Engine, trace: Trace, fusion: Any) -> None:
    html = experts_view(engine, trace, 5, 0.5, SAY, fusion).split("gs-parts")[1]
    for line in re.findall(r"<tr>(.*?)</tr>", html)[1:]:
        first, second, total = (float(x) for x in re.findall(r"</i>([+-]\d+\.\d{3})</td>", line))
        assert first + second == pytest.approx(total, abs=1e-9) and -1 <= total <= 1


@pytest.mark.parametrize("language", ["en", "ru"])
def test_candidates_carry_their_meaning_in_the_visitors_language(
    engine: Engine, trace: Trace, rows: torch.Tensor, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Whatever the toy experts expect is taken for a word that is known to one reader."""
    meant = {"en": "cat", "ru": ""}
    monkeypatch.setattr("app.panels.experts.token_gloss", lambda text, reader: meant[reader])
    shown = experts_view(engine, trace, 3, 0.5, speaker(language))
    assert shown.count(">cat</small>") == (24 if language == "en" else 0)
    assert ("found by machine" in shown) == (language == "en")
