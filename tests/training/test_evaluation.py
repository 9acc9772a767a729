"""What trained experts are scored by: bits per character and translations, against plain loops."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from app.checkpoint.bundle import merge
from app.network.experts import StackedExperts
from app.training import commands as train
from app.training.evaluate import bits_per_character, chunks, load_network
from app.training.prepare import SEPARATOR
from app.training.translation import WAYS, score, translate


def test_greedy_translation_by_a_plain_loop(toy_work: Path) -> None:
    """Whole text anew for every token, one sentence at a time, no cache; each expert, the mean and the gate."""
    states = train.load_states(toy_work, ["ru", "zh"])
    model = load_network(merge([state["model"] for state in states.values()]), train.merged_shape(states))
    tokenizer = Tokenizer.from_file(str(toy_work / "tokenizer.json"))
    sources = ["Где кот?", "Мама любит дом.", "Да."]

    def plain(source: str, way: str | int) -> str:
        ids = [SEPARATOR, *tokenizer.encode(f"= {source} = en:", add_special_tokens=False).ids]
        start = len(ids)
        for _ in range(min(model.shape.context - start, 2 * start + 12)):
            with torch.inference_mode():
                each = model(torch.tensor([ids])).logits[:, 0].log_softmax(-1)
            known = sum(each[:, t, ids[t + 1]] for t in range(len(ids) - 1))
            if isinstance(way, int):
                scores = each[way, -1]
            elif way == "mean of logits":
                scores = each[:, -1].mean(0)
            else:
                scores = (torch.softmax(torch.as_tensor(known), 0)[:, None] * each[:, -1].exp()).sum(0)
            ids.append(int(scores.argmax()))
            if ids[-1] == SEPARATOR:
                ids.pop()
                break
        return tokenizer.decode(ids[start:], skip_special_tokens=False).strip()

    for way in (0, 1, *WAYS):
        assert translate(model, tokenizer, sources, "en", way) == [plain(source, way) for source in sources]


def test_scores_of_translations() -> None:
    same = score(["Я люблю маму и папу."], ["Я люблю маму и папу."], "ru")
    assert same == {"bleu": 100.0, "chrf": 100.0}
    assert score(["我喜欢那只猫。"], ["我喜欢这只猫。"], "zh")["bleu"] < 60


def test_bits_per_character_by_hand(toy_work: Path) -> None:
    """One line, token by token, with plain probabilities."""
    states = train.load_states(toy_work, ["ru", "zh"])
    model = StackedExperts(train.merged_shape(states))
    model.load_state_dict(merge([state["model"] for state in states.values()]))
    tokenizer = Tokenizer.from_file(str(toy_work / "tokenizer.json"))
    line = "Где кот?"
    ids = [SEPARATOR, *tokenizer.encode(line).ids]
    with torch.inference_mode():
        z = model(torch.tensor([ids])).logits[:, 0, :-1].double()
    p = z.softmax(-1)
    fused = z.mean(0).softmax(-1)
    at = range(len(ids) - 1)
    expected = {
        "RU": -sum(torch.log2(p[0, t, ids[t + 1]]) for t in at) / len(line),
        "ZH": -sum(torch.log2(p[1, t, ids[t + 1]]) for t in at) / len(line),
        "mean of logits": -sum(torch.log2(fused[t, ids[t + 1]]) for t in at) / len(line),
        "mean of probabilities": -sum(torch.log2(p.mean(0)[t, ids[t + 1]]) for t in at) / len(line),
    }
    gate, so_far = torch.zeros(()).double(), torch.ones(2).double()
    for t in at:
        gate -= torch.log2((so_far / so_far.sum()) @ p[:, t, ids[t + 1]]) / len(line)
        so_far = so_far * p[:, t, ids[t + 1]]
    expected["gate by likelihood"] = gate
    measured = bits_per_character([model], tokenizer, [line], SEPARATOR, ["RU", "ZH"])
    assert measured == pytest.approx({name: float(value) for name, value in expected.items()}, rel=1e-4)


def test_long_lines_are_scored_in_chunks_that_lose_nothing(toy_work: Path) -> None:
    tokenizer = Tokenizer.from_file(str(toy_work / "tokenizer.json"))
    line = "Мама любит дом. " * 20
    rows = chunks([line], tokenizer, SEPARATOR, context=16)
    assert all(row[0] == SEPARATOR and len(row) <= 16 for row in rows)
    assert [i for row in rows for i in row[1:]] == tokenizer.encode(line).ids


def test_experts_on_different_tables_are_not_merged(toy_work: Path) -> None:
    states = [state["model"] for state in train.load_states(toy_work, ["ru", "zh"]).values()]
    with pytest.raises(ValueError, match="share one frozen embedding"):
        merge([states[0], {**states[1], "embedding": states[1]["embedding"] + 1}])
