"""All instruments of the tab "Try to break it" on checkpoints that are not ours, against hooks on their own code; and
where a checkpoint runs by its own code, the sentence that it cannot be opened."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from app.engine.engine import Engine
from app.intervene.attention import block_attention, states_of
from app.intervene.attribution import attribute
from app.intervene.drawing import draw, open_canvas
from app.intervene.interface import Edits
from app.intervene.pairs import read_texts
from app.intervene.patching import patch_map
from app.intervene.runs import open_network, read
from app.intervene.silencing import Silenced, reference_means, silenced_logits
from app.intervene.stories import read_stories
from app.panels.attention import AttentionRequest, attend
from app.panels.attribution import attribution_of, attribution_view
from app.panels.drawing import drawing_view, editor_view
from app.panels.patching import PatchRequest, cell_view, patching_view, read_request
from app.panels.silencing import attention_view, silencing_view
from app.wording.catalogue import speaker
from app.wording.errors import UserError
from tests.foreign.cases import Loaded, plain_logits

FIRST, SECOND = "The cat loves", "The dog loves"
SAY = speaker("en")
STAYS = threading.Event()
Hook = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Joints:
    """Names of modules in a network's own code: of every expert the first block; of the first expert what block 1's
    attention and block 2's MLP end with."""

    blocks: tuple[str, ...]
    attention: str
    mlp: str


JOINTS = {
    ("half_ru", "half_zh"): Joints(("half_ru.stack.0", "half_zh.stack.0"), "half_ru.stack.0.a", "half_ru.stack.1.f"),
    ("minds",): Joints(("minds.0.cells.0",), "minds.0.cells.0.proj", "minds.0.cells.1.down"),
    ("left", "right"): Joints(("left.0", "right.0"), "left.0.o", "left.1.down"),
    ("body",): Joints(("body.0",), "body.0.attn", "body.1.back"),
}


def joints_of(loaded: Loaded) -> Joints:
    names = {name for name, _ in loaded.network.named_children()}
    found = next((joints for parts, joints in JOINTS.items() if set(parts) <= names), None)
    if found is None or loaded.case.layers < 2 or not loaded.case.style:
        pytest.skip("no joints that hooks could reach, or one block")
    if "minds" in names:
        minds = range(len(loaded.case.experts))
        return Joints(tuple(f"minds.{i}.cells.0" for i in minds), found.attention, found.mlp)
    return found


def hooked(network: nn.Module, ids: list[int], hooks: dict[str, Hook]) -> Tensor:
    """Logits (V,) after ids by the network's own code, with what some modules give passed through hooks."""

    def through(change: Hook) -> Callable[..., Any]:
        def hook(module: nn.Module, given: Any, output: Any) -> Any:
            return (change(output[0]), *output[1:]) if isinstance(output, tuple) else change(output)

        return hook

    handles = [network.get_submodule(name).register_forward_hook(through(change)) for name, change in hooks.items()]
    try:
        return plain_logits(network, ids)[-1]
    finally:
        for handle in handles:
            handle.remove()


def given(network: nn.Module, name: str, ids: list[int]) -> Tensor:
    """What a module gives (T, d) for a text."""
    seen: list[Tensor] = []

    def keep(x: Tensor) -> Tensor:
        seen.append(x[0].clone())
        return x

    hooked(network, ids, {name: keep})
    return seen[0]


def placed(state: Tensor, position: int) -> Hook:
    """Puts a state (d,) at one position of (1, T, d)."""

    def put(x: Tensor) -> Tensor:
        x = x.clone()
        x[:, position] = state
        return x

    return put


def everywhere(mean: Tensor) -> Hook:
    """Gives a mean (d,) at every position."""
    return lambda x: mean.expand_as(x)


def ids_of(engine: Engine, text: str) -> list[int]:
    return [engine.bundle.start, *engine.encode(text)]


def log_probs(logits: Tensor) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = logits.float().log_softmax(-1).numpy()
    return found


def test_states_moved_and_parts_silenced_equal_hooks_on_its_own_code(loaded: Loaded) -> None:
    joints, engine, network = joints_of(loaded), loaded.engine, loaded.network
    opened, means = open_network(engine), reference_means(engine)
    first, second = ids_of(engine, FIRST), ids_of(engine, SECOND)
    # Moving the state after block 1 at the token that differs, in all experts.
    own = [plain_logits(network, ids)[-1] for ids in (first, second)]
    answers = (int((own[0] - own[1]).argmax()), int((own[0] - own[1]).argmin()))
    pair = read_texts(opened, first, second, answers)
    assert np.allclose(pair.margins[-1], [float(z[answers[0]] - z[answers[1]]) for z in own], atol=5e-3)
    position = int(pair.pair.changed[0])
    moved = {name: placed(given(network, name, second)[position], position) for name in joints.blocks}
    logits = hooked(network, first, moved)
    wanted = float(logits[answers[0]] - logits[answers[1]])
    assert patch_map(pair).patched[-1, 1, position] == pytest.approx(wanted, abs=1e-2)
    # Silencing an attention and an MLP by means that are taken from its own code too.
    silent: dict[str, Hook] = {}
    reference = [[engine.bundle.start, *engine.ids_of(text)][: engine.context] for text in read_stories().reference]
    for name, found in ((joints.attention, means.attention[0, 0]), (joints.mlp, means.mlp[1, 0])):
        mean = torch.cat([given(network, name, ids)[1:] for ids in reference]).mean(0)
        assert torch.allclose(mean, found, atol=2e-3)
        silent[name] = everywhere(mean)
    parts = [Silenced(0, "attention", 1), Silenced(0, "mlp", 2)]
    before, after = silenced_logits(opened, means, first, parts)
    assert np.allclose(log_probs(before[-1]), log_probs(own[0]), atol=5e-3)
    assert np.allclose(log_probs(after[-1]), log_probs(hooked(network, first, silent)), atol=1e-2)
    # Attention weights, through its own values and output map, give what its own attention gives.
    run = read(opened, first)
    weights = torch.from_numpy(block_attention(opened, states_of(run), 1))[:, None]
    values = run.blocks[0].past.values
    heads = weights @ values.repeat_interleave(weights.shape[2] // values.shape[2], 2)
    block = opened.block(0, run.states[0], edits=Edits(heads=lambda _: heads.transpose(2, 3)))
    assert torch.allclose(block.attention[0, 0], given(network, joints.attention, first), atol=2e-3)


def test_every_instrument_answers_or_says_that_it_cannot_open_the_model(loaded: Loaded) -> None:
    engine, network = loaded.engine, loaded.network
    asks: list[Callable[[], Any]] = [
        lambda: read_request(engine, PatchRequest(FIRST, SECOND)),
        lambda: open_canvas(engine, FIRST, 2),
        lambda: attribution_of(engine, FIRST, (None, None)),
        lambda: attend(engine, AttentionRequest(FIRST), None, STAYS),
    ]
    closed = "mixes its towers" if loaded.case.fusion == "joined" else "its own code, so it cannot be opened"
    if not loaded.case.style or loaded.case.fusion == "joined":
        for ask in asks:
            with pytest.raises(UserError, match=closed):
                ask()
        return
    opened, ids = open_network(engine), ids_of(engine, FIRST)
    own = plain_logits(network, ids)[-1]
    # A part of the margin each: they add up to what its own code says, where the experts are added.
    found = attribute(opened, ids, (int(own.argmax()), int(own.argmin())))
    assert found.fused == pytest.approx(float(own.max() - own.min()), abs=5e-3)
    assert np.allclose(found.parts.sum(1), found.margins, atol=5e-3)
    assert (found.shares is not None) == engine.bundle.additive
    assert found.shares is None or found.shares.sum() == pytest.approx(found.fused, abs=5e-3)
    # The picture of another token, drawn: its own code, given that token.
    canvas, other = open_canvas(engine, FIRST, 2), engine.encode(SECOND)[1]
    drawn = draw(canvas, np.asarray(engine.bundle.substrate.pictures[other]))
    wanted = log_probs(plain_logits(network, [*ids[:2], other, *ids[3:]])[-1])
    assert int(drawn.neighbours[0]) == other
    assert np.allclose(drawn.change.after.log_probs[-1], wanted[drawn.change.after.ids[-1]], atol=0.02)
    # All panels are drawn, with numbers.
    read_pair = read_texts(opened, ids, ids_of(engine, SECOND), (int(own.argmax()), int(own.argmin())))
    _, attended = attend(engine, AttentionRequest(FIRST), PatchRequest(FIRST, SECOND), STAYS)
    views = (
        patching_view(engine, read_pair, patch_map(read_pair), None, SAY)
        + cell_view(engine, read_pair, (0, 1, 2), SAY),
        editor_view(canvas, "d", canvas.picture, (0, 0), SAY) + drawing_view(canvas, drawn.pixels, SAY),
        attribution_view(engine, ids, found, SAY),
        attention_view(attended, SAY),
        silencing_view(attended, SAY),
    )
    for view in views:
        assert "gs-" in view and ">nan<" not in view
    assert all(name in views[-2] and name in views[-1] for name in loaded.case.experts)
    expert = Silenced(0, "expert")
    if engine.bundle.additive:
        assert silenced_logits(opened, reference_means(engine), ids, [expert])[1].isfinite().all()
    else:
        with pytest.raises(UserError, match="needs all its experts"):
            silenced_logits(opened, reference_means(engine), ids, [expert])
