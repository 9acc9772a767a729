"""Opened networks against the networks themselves: every style of an imported decoder, and our own experts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from app.engine.engine import Engine
from app.foreign.compute.blocks import Parts, Style
from app.foreign.compute.decoder import Decoder, Expert
from app.foreign.compute.kernels import Map
from app.foreign.compute.norms import Norm
from app.foreign.load import load_foreign
from app.intervene.attribution import attribute
from app.intervene.decoder import OpenedDecoder
from app.intervene.drawing import open_canvas
from app.intervene.interface import Edits, OpenedNetwork
from app.intervene.pairs import read_texts
from app.intervene.patching import patch_cell, patch_map
from app.intervene.predictions import best as best_tokens
from app.intervene.runs import open_network, read
from app.network.interface import Shape
from app.wording.errors import UserError
from tests.support.folders import Folder, write_folder

WIDTH, HEADS, VOCABULARY = 16, 4, 40
IDS, OTHER = [3, 9, 4, 21, 7, 30], [3, 9, 14, 21, 8, 30]
BASE = Style(heads=HEADS, key_heads=HEADS, size=4, scale=0.5)
STYLES = {
    "plain": BASE,
    "halves": replace(BASE, rotation="halves", turned=4),
    "pairs, partly turned": replace(BASE, rotation="pairs", turned=2, activation="silu"),
    "slopes": replace(BASE, slopes=True, activation="relu"),
    "grouped": replace(BASE, key_heads=2, rotation="halves", turned=4),
    "gated": replace(BASE, gated=1, activation="silu"),
    "post": replace(BASE, placement="post", activation="gelu_tanh"),
    "parallel": replace(BASE, placement="parallel", rotation="halves", turned=4),
}


def random_decoder(style: Style, seed: int = 0) -> Decoder:
    """Two experts of three blocks, norms and maps with weights and biases, one of them an RMSNorm."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(*sizes: int) -> Tensor:
        return torch.randn(sizes, generator=generator)

    def linear(out: int, into: int) -> Map:
        return Map(drawn(out, into) / into**0.5, 0.2 * drawn(out))

    def norm(centred: bool = True) -> Norm:
        return Norm(centred, 1e-5, 1 + 0.3 * drawn(WIDTH), 0.2 * drawn(WIDTH) if centred else None)

    def parts() -> Parts:
        keys = style.key_heads * style.size
        into = tuple(linear(out, WIDTH) for out in (WIDTH, keys, keys))
        ups = tuple(linear(32, WIDTH) for _ in range(2 if style.gated else 1))
        return Parts(into, linear(WIDTH, WIDTH), ups, linear(WIDTH, 32), norm(), norm(False))

    table = drawn(VOCABULARY, WIDTH)
    experts = []
    for head_scale in (1.0, 2.0):
        positions, blocks = 0.5 * drawn(24, WIDTH), (parts(), parts(), parts())
        experts.append(Expert(table, 1.5, positions, blocks, norm(), linear(VOCABULARY, WIDTH), head_scale))
    return Decoder(Shape(VOCABULARY, WIDTH, 3, HEADS, 2, 24), style, experts, torch.float32)


@pytest.fixture(params=STYLES, ids=list(STYLES))
def decoder(request: pytest.FixtureRequest) -> Decoder:
    return random_decoder(STYLES[request.param])


def opened_decoder(decoder: Decoder) -> OpenedNetwork:
    return OpenedDecoder(decoder, torch.tensor([0.25, 0.75]))


def check_run(opened: OpenedNetwork, network: object, ids: Sequence[int]) -> None:
    output = network(torch.tensor([list(ids)]))  # type: ignore[operator]
    run = read(opened, ids)
    for found, wanted in zip(run.states, output.hidden, strict=True):
        assert torch.allclose(found, wanted, atol=1e-4)
    assert opened.weights is not None
    logits = output.logits[:, 0, -1]
    fused = torch.tensordot(opened.weights, logits, 1)
    assert torch.allclose(opened.read_out(run.last)[:, 0], torch.cat((logits, fused[None])), atol=1e-4)


def test_a_decoder_runs_as_it_does_closed(decoder: Decoder) -> None:
    check_run(opened_decoder(decoder), decoder, IDS)


def test_our_experts_run_as_they_do_closed(tiny: Engine, opened: OpenedNetwork) -> None:
    check_run(opened, tiny.model, [2, 20, 11, 30, 17, 9])


def check_pieces(opened: OpenedNetwork, ids: Sequence[int]) -> None:
    """Positions that follow a past, the last alone, and attention weights: all as in one whole run."""
    whole = read(opened, ids)
    for layer, inside in enumerate(whole.blocks):
        rows = whole.states[layer][:, :, 2:].expand(-1, 3, -1, -1)
        piece = opened.block(layer, rows, inside.past.before(2))
        assert torch.allclose(piece.states, whole.states[layer + 1][:, :, 2:].expand_as(piece.states), atol=1e-4)
        last = opened.block(layer, rows, inside.past.before(2), keep=1)
        assert torch.allclose(last.states, piece.states[:, :, -1:], atol=1e-4)
        alone = opened.project(layer, rows, 2, keep=1)
        assert torch.allclose(alone.queries, inside.queries[..., -1:, :].expand_as(alone.queries), atol=1e-4)
        for own, whole_text in ((alone.own.keys, inside.past.keys), (alone.own.values, inside.past.values)):
            assert torch.allclose(own, whole_text[..., 2:, :].expand_as(own), atol=1e-4)
        weights = opened.attention(layer, whole.states[layer])
        values = inside.past.values
        values = values.repeat_interleave(weights.shape[2] // values.shape[2], 2)
        assert torch.allclose((weights @ values).transpose(2, 3), inside.heads, atol=1e-4)
    final, tokens = whole.states[-1][:, :, -1], [11, 5, 11]
    assert torch.allclose(opened.read_out(final, tokens), opened.read_out(final)[..., tokens], atol=1e-4)


def test_pieces_of_a_decoders_run(decoder: Decoder) -> None:
    check_pieces(opened_decoder(decoder), IDS)


def test_pieces_of_our_run(opened: OpenedNetwork) -> None:
    check_pieces(opened, [2, 20, 11, 30, 17, 9])


def test_a_token_lifted_alone_stands_as_in_its_text(decoder: Decoder) -> None:
    opened = opened_decoder(decoder)
    whole = opened.embed(torch.tensor([IDS]))
    alone = opened.lift(decoder.embedding[IDS[3]][None], 3)
    assert torch.allclose(alone[:, 0], whole[:, 0, 3])


def test_parts_of_a_decoders_margin_add_up(decoder: Decoder) -> None:
    found = attribute(opened_decoder(decoder), IDS, (5, 11))
    assert found.parts.shape == (2, 8) and found.names[-1].kind == "constant"
    assert np.allclose(found.parts.sum(1), found.margins, atol=1e-4)
    assert found.shares is not None and found.shares.sum() == pytest.approx(found.fused, abs=1e-4)


def test_a_decoders_cells_equal_whole_patched_runs(decoder: Decoder) -> None:
    opened = opened_decoder(decoder)
    pair = read_texts(opened, IDS, OTHER, (5, 11))
    found = patch_map(pair)
    for layer in range(4):
        for position in range(len(IDS)):
            states = pair.first.states[layer].clone()
            states[:, :, position] = pair.second.states[layer][:, :, position]
            for number in range(layer, 3):
                states = opened.block(number, states).states
            logits = opened.read_out(states[:, :, -1])[:, 0]
            assert np.allclose(found.patched[:, layer, position], logits[:, 5] - logits[:, 11], atol=1e-3)
    logits = opened.read_out(pair.second.last)[:, 0].log_softmax(-1)
    assert np.allclose(patch_cell(pair, 3, len(IDS) - 1).patched.log_probs, logits.topk(8).values, atol=1e-4)


def test_edits_reach_every_joint(decoder: Decoder) -> None:
    opened = opened_decoder(decoder)
    x = read(opened, IDS).states[0]
    plain = opened.block(0, x)
    silent = opened.block(0, x, edits=Edits(attention=torch.zeros_like, mlp=torch.zeros_like))
    if decoder.style.placement != "post":
        assert torch.allclose(silent.states, x)
    doubled = opened.block(0, x, edits=Edits(heads=lambda heads: 2 * heads))
    bias = torch.stack([expert.blocks[0].attention_out(torch.zeros(WIDTH)) for expert in decoder.experts])
    bias = bias[:, None, None]
    assert torch.allclose(doubled.attention - bias, 2 * (plain.attention - bias), atol=1e-4)


def test_a_fusion_of_its_own_is_used() -> None:
    decoder = random_decoder(STYLES["plain"])
    decoder.fuse = lambda last: torch.zeros(last.shape[1], VOCABULARY) + last.sum()
    opened = OpenedDecoder(decoder, None)
    logits = opened.read_out(read(opened, IDS).last)
    assert len(logits[-1].unique()) == 1 and attribute(opened, IDS, (5, 11)).shares is None


@pytest.mark.parametrize(("folder", "additive"), [("two_towers", True), ("adapted", False)])
def test_imported_folders_are_opened(folder: str, additive: bool, tmp_path: Path) -> None:
    write_folder(tmp_path, Folder(folder))
    engine = Engine(load_foreign(tmp_path, folder, trusted=True))
    opened = open_network(engine)
    trace = engine.look("The cat loves Мама")
    logits = opened.read_out(read(opened, trace.ids.tolist()).last)[:, 0]
    best = best_tokens(logits)
    assert (opened.weights is not None) == additive
    assert best.ids[:, 0].tolist() == trace.candidates[-1, :, 0].tolist()
    assert np.allclose(logits.logsumexp(-1), trace.log_sum_exp[-1], atol=1e-3)
    assert open_canvas(engine, "The cat", 1).logits.shape == logits.shape


def test_a_network_with_its_own_code_cannot_be_opened(tiny: Engine) -> None:
    closed = Engine(replace(tiny.bundle))
    closed.model = lambda ids: ids  # type: ignore[assignment]
    with pytest.raises(UserError) as error:
        open_network(closed)
    assert error.value.code == "cannot_open" and "tiny" in str(error.value)
