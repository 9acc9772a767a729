"""Checkpoints that differ from the usual where nobody looks at first: each reads as its own code does, or is refused
in one sentence."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.foreign.compute.decoder import Decoder, _mapped, as_int8
from app.foreign.compute.kernels import in_int8
from app.foreign.load import load_foreign
from app.foreign.verify.original import Joined
from app.panels.report import report_view
from app.trace.fusion import next_log_probs
from app.wording.catalogue import LANGUAGES, speaker
from app.wording.errors import UserError
from tests.foreign.cases import TEXT, plain_logits
from tests.support.folders import Folder, write_folder

LONG = "The cat loves the dog. Мама любит дом. 我们喜欢这只猫。" * 4
MEAN = "logits = (self.half_ru(x) + self.half_zh(x)) / 2"
LOOK_UP = "x = self.glyphs(input_ids)"
CAUSAL = 'w = w.masked_fill(torch.triu(torch.ones(T, T, dtype=torch.bool), 1), float("-inf")).softmax(-1)'
WINDOW = """far = torch.triu(torch.ones(T, T, dtype=torch.bool), 1)
        far = far | torch.tril(torch.ones(T, T, dtype=torch.bool), -50)
        w = w.masked_fill(far, float("-inf")).softmax(-1)"""


@dataclass(frozen=True, eq=False)
class Odd:
    """A folder, whether it is imported, and how its experts are fused."""

    folder: Folder
    imported: bool = True
    fusion: str = "mean"


def towers(*edits: tuple[str, str], sizes: dict[str, int] | None = None) -> Folder:
    return Folder("two_towers", sizes=sizes or {}, edits=edits)


ODD = {
    "a window that only long texts notice": Odd(towers((CAUSAL, WINDOW)), imported=False),
    "positions that are counted differently after 50": Odd(
        towers(("pos = torch.arange(T)", "pos = torch.arange(T).clamp_max(50)")), imported=False
    ),
    "ids that are banned by a huge number": Odd(
        towers((MEAN, MEAN + "\n        logits[..., :3] = -1e30")), fusion="learned"
    ),
    "weights that add up to more than one": Odd(
        towers((MEAN, "logits = 0.9 * self.half_ru(x) + 0.3 * self.half_zh(x)")), fusion="weighted"
    ),
    "a mean of probabilities": Odd(
        towers((MEAN, "logits = ((self.half_ru(x).softmax(-1) + self.half_zh(x).softmax(-1)) / 2).log()")),
        fusion="probabilities",
    ),
    "a gate that depends on the token": Odd(
        towers(
            (MEAN, "g = torch.sigmoid(self.gate(x)); logits = g * self.half_ru(x) + (1 - g) * self.half_zh(x)"),
            (
                "self.half_ru, self.half_zh = Half(config), Half(config)",
                "self.half_ru, self.half_zh, self.gate = Half(config), Half(config), nn.Linear(config.n_embed, 1)",
            ),
        ),
        imported=False,
        fusion="learned",
    ),
    "one block in every place": Odd(
        towers(
            ("nn.ModuleList([Layer(c) for _ in range(c.n_layer)])", "nn.ModuleList([Layer(c)] * c.n_layer)"),
        )
    ),
    "one block in every place, and a fusion of its own": Odd(
        towers(
            ("nn.ModuleList([Layer(c) for _ in range(c.n_layer)])", "nn.ModuleList([Layer(c)] * c.n_layer)"),
            (MEAN, "logits = torch.maximum(self.half_ru(x), self.half_zh(x))"),
        ),
        fusion="learned",
    ),
    "a table behind a map": Odd(
        towers(
            (LOOK_UP, "x = self.widen(self.glyphs(input_ids))"),
            ("self.glyphs = nn.Embedding(config.vocab_size, config.n_embed)",
             "self.widen = nn.Linear(12, config.n_embed); self.glyphs = nn.Embedding(config.vocab_size, 12)"),
        )
    ),
    "codes of bits instead of a table": Odd(
        towers(
            (LOOK_UP, "x = self.widen((input_ids[..., None] >> torch.arange(9) & 1).float() * 2 - 1)"),
            ("self.glyphs = nn.Embedding(config.vocab_size, config.n_embed)\n"
             "        self.glyphs.weight.requires_grad = False",
             "self.widen = nn.Linear(9, config.n_embed)"),
        )
    ),
    "ids that are not the first argument": Odd(
        towers(("(self, input_ids, labels=None)", "(self, attention_mask, input_ids, labels=None)"))
    ),
    "a head wider than the table": Odd(
        towers(("self.out = nn.Linear(c.n_embed, c.vocab_size)", "self.out = nn.Linear(c.n_embed, c.vocab_size + 40)"))
    ),
    "a table longer than the head": Odd(
        towers(("nn.Embedding(config.vocab_size,", "nn.Embedding(config.vocab_size + 40,"))
    ),
    "a tower of another depth beside the two": Odd(
        towers(
            ("self.half_ru, self.half_zh = Half(config), Half(config)",
             "self.half_ru, self.half_zh, self.deep = Half(config), Half(config), Half(config)\n"
             "        self.deep.stack = nn.ModuleList([Layer(config), Layer(config)])"),
            (MEAN, "logits = (self.half_ru(x) + self.half_zh(x)) / 2 + 0.1 * self.deep(x)"),
        ),
        imported=False,
        fusion="learned",
    ),
}  # fmt: skip


def own_logits(network: nn.Module, ids: list[int]) -> torch.Tensor:
    """Logits (T, V) by the network's own pass, also where ids are its second argument."""
    if "attention_mask" in network.forward.__code__.co_varnames:
        with torch.inference_mode():
            found: torch.Tensor = network(None, torch.tensor([ids]))["logits"][0]
            return found
    return plain_logits(network, ids)


@pytest.mark.parametrize("name", ODD)
def test_reads_and_writes_as_its_own_code_does(name: str, tmp_path: Path) -> None:
    odd = ODD[name]
    network = write_folder(tmp_path / "quill", odd.folder)
    engine = Engine(load_foreign(tmp_path / "quill", "quill", trusted=True))
    report = engine.bundle.report
    assert report is not None
    assert (bool(report.style), report.fusion) == (odd.imported, odd.fusion), report.reason
    text = LONG
    while len(engine.ids_of(text)) >= engine.context:
        text = text[:-1]
    for read in (TEXT, text):
        trace = engine.look(read)
        ids = trace.ids.tolist()
        expected = own_logits(network, ids).log_softmax(-1)
        found = next_log_probs(trace)[:, -1]
        for position, following in enumerate(ids[1:]):
            assert found[position] == pytest.approx(float(expected[position, following]), abs=2e-3)
        assert trace.candidates[:, -1, 0].tolist() == expected.argmax(-1).tolist()
    last = list(engine.generate("The cat", Sampling(temperature=0, new_tokens=5)))[-1].trace
    assert last is not None and last.ids.max() < engine.bundle.tokenizer.get_vocab_size()


def test_towers_that_are_not_shown_are_reported(tmp_path: Path) -> None:
    write_folder(tmp_path / "quill", ODD["a tower of another depth beside the two"].folder)
    bundle = load_foreign(tmp_path / "quill", "quill", trusted=True)
    assert bundle.experts == ("RU", "ZH") and bundle.report is not None and bundle.report.left_out == 1
    for language in LANGUAGES:
        say = speaker(language)
        assert say("report_left_out", count=1) in unescape(report_view(Engine(bundle), say))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path / "quill", Folder("two_towers"))
    return tmp_path / "quill"


def first_logits(folder: Path) -> torch.Tensor:
    with torch.inference_mode():
        return load_foreign(folder, "quill", trusted=True).model(torch.tensor([[1, 2, 3]])).logits


OTHER_FILES: dict[str, Callable[[Path, dict[str, torch.Tensor]], object]] = {
    "an older copy": lambda f, s: save_file(s, f / "old.safetensors"),
    "a copy that sorts after it": lambda f, s: save_file(s, f / "model_before.safetensors"),
    "the older format": lambda f, s: torch.save(s, f / "pytorch_model.bin"),
    "parts that nothing names": lambda f, s: save_file(s, f / "model-00001-of-00001.safetensors"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_other_weight_files_do_not_count(name: str, folder: Path) -> None:
    before = first_logits(folder)
    state = load_file(folder / "model.safetensors")
    OTHER_FILES[name](folder, {key: torch.zeros_like(value) for key, value in state.items()})
    assert torch.equal(first_logits(folder), before)


def test_an_index_says_which_files_count(folder: Path) -> None:
    before = first_logits(folder)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = list(state)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, keys in parts.items():
        save_file({key: state[key] for key in keys}, folder / file)
    save_file({key: torch.zeros_like(value) for key, value in state.items()}, folder / "c.safetensors")
    index = {"weight_map": {key: file for file, keys in parts.items() for key in keys}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert torch.equal(first_logits(folder), before)
    (folder / "b.safetensors").unlink()
    with pytest.raises(UserError, match=r"b\.safetensors"):
        first_logits(folder)


@pytest.mark.parametrize(
    ("made", "refused"), [("torch.ones(config.n_embed)", False), ("torch.rand(config.n_embed)", True)]
)
def test_a_buffer_may_be_missing_only_where_the_code_computes_it(made: str, refused: bool, tmp_path: Path) -> None:
    table = "self.glyphs.weight.requires_grad = False"
    edits = ((table, f"{table}\n        self.register_buffer('tint', {made})"), (LOOK_UP, f"{LOOK_UP} * self.tint"))
    write_folder(tmp_path / "quill", towers(*edits))
    path = tmp_path / "quill" / "model.safetensors"
    save_file({key: value for key, value in load_file(path).items() if key != "tint"}, path)
    if refused:
        with pytest.raises(UserError, match="tint"):
            first_logits(tmp_path / "quill")
    else:
        assert first_logits(tmp_path / "quill").isfinite().all()


def test_every_file_that_may_name_the_end_is_asked(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "eos_token_id": 7}))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [9, 7, True, "x"]}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": {"content": "a"}}))
    bundle = load_foreign(folder, "quill", trusted=True)
    assert bundle.ends == (7, 9, bundle.tokenizer.token_to_id("a"))


PLAIN_ORDER = "q, k, v = (w(x).view(B, T, self.h, -1).transpose(1, 2) for w in (self.wq, self.wk, self.wv))"
OTHER_ORDER = "k, v, q = (w(x).view(B, T, self.h, -1).transpose(1, 2) for w in (self.wk, self.wv, self.wq))"


@pytest.mark.parametrize(
    "written", [Folder("two_towers"), towers((PLAIN_ORDER, OTHER_ORDER)), Folder("adapted"), Folder("mixed")]
)
def test_maps_that_run_as_one_in_int8_give_what_they_give_alone(written: Folder, tmp_path: Path) -> None:
    write_folder(tmp_path / "quill", written)
    network = load_foreign(tmp_path / "quill", "quill", trusted=True).model
    decoder = network.network if isinstance(network, Joined) else network
    assert isinstance(decoder, Decoder)
    ids = torch.tensor([[1, 20, 3, 40, 5]])
    together, apart = as_int8(decoder), _mapped(decoder, in_int8, torch.float32)
    count = lambda d: sum(len(p.attention_in) + len(p.mlp_in) for e in d.experts for p in e.blocks)  # noqa: E731
    assert count(together) == 2 * sum(len(e.blocks) for e in decoder.experts) <= count(apart)
    for ours, theirs in zip(together(ids).hidden, apart(ids).hidden, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("code", ["adapted", "odd"])
def test_many_readers_at_once_get_what_one_gets_alone(code: str, tmp_path: Path) -> None:
    """The network's own parts are swapped and hooked while it runs: never under another reader."""
    write_folder(tmp_path / "quill", Folder(code))
    engine = Engine(load_foreign(tmp_path / "quill", "quill", trusted=True))
    texts = [TEXT[start:] for start in range(0, 24, 3)]
    alone = [next_log_probs(engine.look(text)) for text in texts]
    wrong: list[str] = []

    def read(first: int) -> None:
        for number in range(4 * len(texts)):
            place = (first + number) % len(texts)
            found = next_log_probs(engine.look(texts[place]))
            if found.shape != alone[place].shape or abs(found - alone[place]).max() > 1e-3:
                wrong.append(texts[place])

    threads = [threading.Thread(target=read, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
