"""Checkpoints that are not ours, in many anatomies: loaded, verified, imported, and shown by every panel."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import nn

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.foreign.files.names import expert_names
from app.foreign.load import load_foreign
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.panels.report import report_view
from app.panels.strip import measures_of, strip_view
from app.panels.words import words_view
from app.probing.word_cache import WordCache
from app.probing.word_list import preset
from app.probing.word_states import word_states
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary
from app.trace.fusion import next_log_probs
from app.wording.catalogue import LANGUAGES, speaker
from tests.foreign.cases import TEXT, Loaded, plain_logits
from tests.support.folders import CHARACTERS, GRAMS, Folder, seeded, write_folder

SAY = speaker("en")


def test_experts_layers_and_fusion_are_found(loaded: Loaded) -> None:
    report, case = loaded.engine.bundle.report, loaded.case
    assert report is not None
    assert loaded.engine.bundle.experts == case.experts and report.fusion == case.fusion
    assert loaded.engine.model.shape.layers == case.layers
    assert loaded.trace.hidden.shape[:2] == (len(case.experts), case.layers + 1)


def test_what_is_proved_is_imported_and_what_is_not_runs_as_it_is(loaded: Loaded) -> None:
    report = loaded.engine.bundle.report
    assert report is not None
    assert all(part in report.style for part in loaded.case.style)
    assert bool(report.style) == bool(loaded.case.style) and bool(report.reason) != bool(report.style)
    assert report.probes == 5 and report.numbers > 500 and report.largest < 5e-4


def test_log_probabilities_are_those_of_its_own_code(loaded: Loaded) -> None:
    ids = loaded.trace.ids.tolist()
    expected = plain_logits(loaded.network, ids).log_softmax(-1)
    for position, following in enumerate(ids[1:]):
        found = next_log_probs(loaded.trace)[position, -1]
        assert found == pytest.approx(float(expected[position, following]), abs=2e-3)
    assert loaded.trace.candidates[:, -1, 0].tolist() == expected.argmax(-1).tolist()


def test_a_cached_text_is_the_one_its_own_code_would_write(loaded: Loaded) -> None:
    steps = list(loaded.engine.generate("The cat", Sampling(temperature=0, new_tokens=6)))
    trace = steps[-1].trace
    assert trace is not None
    ids = trace.ids.tolist()
    banned = [i for i in map(loaded.engine.bundle.tokenizer.token_to_id, ("<pad>", "<unk>")) if i is not None]
    for position in range(trace.prompt - 1, len(ids) - 1):
        logits = plain_logits(loaded.network, ids[: position + 1])[-1].clone()
        logits[banned] = -torch.inf
        assert ids[position + 1] == int(logits.argmax())


def test_exact_shares_only_where_the_fusion_is_a_sum(loaded: Loaded) -> None:
    trace, additive = loaded.trace, loaded.case.fusion not in ("learned", "probabilities")
    assert trace.additive == additive == loaded.engine.bundle.additive
    ids = trace.candidates[:, -1, :4]
    fused = plain_logits(loaded.network, trace.ids.tolist()).numpy()
    sums = trace.candidate_logits[:, -1, :4] @ trace.weights
    apart = np.abs(sums - np.take_along_axis(fused, ids.astype(int), 1)).max()
    assert (apart < 5e-3) == additive


VIEWS: dict[str, Callable[[Loaded, Any], str]] = {
    "strip": lambda x, say: strip_view(x.engine, x.trace, 3, say),
    "glyphs": lambda x, say: glyph_view(x.engine, int(x.trace.ids[3]), say),
    "experts": lambda x, say: experts_view(x.engine, x.trace, 3, 0.5, say),
    "disagreement": lambda x, say: disagreement_view(x.engine, x.trace, 3, say),
    "layers": lambda x, say: layers_view(x.engine, x.trace, 3, say),
    "lens": lambda x, say: lens_view(x.engine, x.trace, 3, say),
    "depth": lambda x, say: depth_view(x.engine, x.trace, 3, say),
    "report": lambda x, say: report_view(x.engine, say),
}


@pytest.mark.parametrize("panel", VIEWS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_panel_is_drawn_in_every_language(loaded: Loaded, panel: str, language: str) -> None:
    html = re.sub(r"(base64,|data-packed=')[\w+/=]+", "", VIEWS[panel](loaded, speaker(language)))
    assert "gs-" in html and not re.search(r"\bnan\b|\binf\b", html, re.IGNORECASE)
    for name in loaded.case.experts:
        assert name in html or panel in ("strip", "glyphs", "report", "disagreement")


def test_every_measure_of_the_strip_that_is_offered_is_drawn(loaded: Loaded) -> None:
    known = measures_of(loaded.engine.bundle)
    assert ("preference" in known) == (len(loaded.case.experts) == 2)
    drawn = [strip_view(loaded.engine, loaded.trace, 1, SAY, name) for name in known]
    assert len(set(drawn)) == len(drawn)


def test_the_experts_panel_says_what_is_not_to_be_had(loaded: Loaded) -> None:
    html = unescape(experts_view(loaded.engine, loaded.trace, 3, 0.5, SAY))
    sentences = {"single": "single expert", "joined": "mixes its towers", "learned": "shares are not additive"}
    for kind, sentence in sentences.items():
        assert (sentence in html) == (loaded.case.fusion == kind)
    split = "each expert's exact share" in html or "each expert's share" in html
    assert split == (len(loaded.case.experts) > 1 and loaded.trace.additive)


def test_words_are_read_and_mapped(loaded: Loaded) -> None:
    word_cache = WordCache(loaded.engine)
    words = preset("few_en")
    states = word_states(loaded.engine, words)
    shape = loaded.engine.model.shape
    assert states.states.shape == (shape.experts, shape.layers + 1, len(words), shape.width)
    assert "gs-words-data" in words_view(word_cache, words, SAY)


LIBRARY: dict[str, tuple[Any, dict[str, Any], str]] = {
    "gpt2": (transformers.GPT2Config, {"n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 64}, "gelu_tanh"),
    "llama": (
        transformers.LlamaConfig,
        {"hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2,
         "intermediate_size": 48, "max_position_embeddings": 64},
        "pre-RMSNorm",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LIBRARY)
def test_models_whose_code_is_in_the_library_need_no_trust(kind: str, tmp_path: Path) -> None:
    make, sizes, style = LIBRARY[kind]
    vocabulary = mini_vocabulary(CHARACTERS, GRAMS)
    network = transformers.AutoModelForCausalLM.from_config(make(vocab_size=len(vocabulary.tokens), **sizes))
    seeded(network, 3.0)
    network.eval().save_pretrained(tmp_path)
    build_tokenizer(vocabulary, spaced_words=True).save(str(tmp_path / "tokenizer.json"))
    bundle = load_foreign(tmp_path, kind, trusted=False)
    assert bundle.report is not None and style in bundle.report.style and not bundle.report.code
    trace = Engine(bundle).look(TEXT)
    expected = plain_logits(network, trace.ids.tolist()).argmax(-1)
    assert trace.candidates[:, -1, 0].tolist() == expected.tolist()


@pytest.mark.parametrize("towers", [["half_ru", "half_zh"], ["model.ru.net", "model.zh.net"]])
def test_experts_are_called_by_what_tells_their_places_apart(towers: list[str]) -> None:
    assert expert_names({}, towers) == ("RU", "ZH")


def test_experts_without_telling_places_are_numbered_and_a_config_may_name_them() -> None:
    assert expert_names({}, ["experts.0", "experts.1"]) == ("E1", "E2")
    assert expert_names({"expert_names": ["a", "b"]}, ["experts.0", "experts.1"]) == ("a", "b")


def test_learned_fusion_is_heard_from_each_side(tmp_path: Path) -> None:
    """The table of the experts panel against the network's own parts."""
    network = write_folder(tmp_path / "adapted", Folder("adapted"))
    engine = Engine(load_foreign(tmp_path / "adapted", "adapted", trusted=True))
    trace = engine.look(TEXT)
    kept: list[torch.Tensor] = []
    for head in (network.left_head, network.right_head):
        assert isinstance(head, nn.Module)
        head.register_forward_hook(lambda _, __, out: kept.append(out[0].detach()))
    fused = plain_logits(network, trace.ids.tolist())[4].softmax(-1)
    left, right = (logits[4].softmax(-1) for logits in kept)
    best = int(fused.argmax())
    html = experts_view(engine, trace, 5, 0.5, SAY)
    for share in (fused[best], left[best], right[best]):
        assert f"{100 * float(share):.1f}%" in html or "&lt;0.1%" in html or "<0.1%" in html
