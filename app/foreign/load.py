"""A checkpoint that is not ours, from its folder to a bundle the engine can run: built, understood, verified.

Every step either succeeds or says in one sentence why the checkpoint cannot be shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import cast as cast_type

import numpy as np
import torch
from torch import Tensor

from app.checkpoint.bundle import Bundle
from app.checkpoint.import_report import Report
from app.foreign.anatomy.observe import Reader
from app.foreign.compute.decoder import Decoder, as_bfloat16, as_int8, cast
from app.foreign.compute.unit_rows import UnitRows
from app.foreign.compute.widened import keep_widened
from app.foreign.files.build import Built, build_network, check_memory, free_memory, read_config
from app.foreign.files.names import expert_names
from app.foreign.files.tokens import PROBES, Tokens, check_ids, read_tokens
from app.foreign.recover import Recovery, find_pictures
from app.foreign.verify.tail import Tail
from app.foreign.verify.understand import Understood, tables_of, understand
from app.network.interface import Network
from app.substrate.glyphs import Substrate
from app.trace.record import Floats
from app.wording.errors import UserError

PRECISIONS = ("auto", "float32", "bfloat16", "int8")
_SMALL = 100_000_000  # numbers up to which float32 is as quick as bfloat16
_SHARE_KEPT = 0.4  # of the free memory, for weights in float32 while a network is read again and again
_DRAWN_PROBE, _LONG_PROBE = 48, 1_024
_VOCABULARY = ("vocab_size", "n_vocab", "vocabulary_size", "num_tokens", "n_tokens", "padded_vocab_size")

LoadProgress = Callable[[str, float], object]
"""Called with what is being done (a code of `app.wording.catalogue`) and the share of it done, 0..1."""


def load_foreign(
    folder: Path,
    source: str,
    trusted: bool,
    precision: str = "auto",
    progress: LoadProgress = lambda stage, share: None,
) -> Bundle:
    """Load a hub-shaped folder.  source: as the page names it; trusted: whether its own code may run.

    Raises:
        UserError: one sentence for everything that can be wrong with it.
    """
    if precision not in PRECISIONS:
        raise UserError("bad_precision", known=", ".join(PRECISIONS))
    check_memory(folder)
    config = read_config(folder)
    progress("stage_weights", 0.0)
    built = build_network(folder, trusted)
    progress("stage_anatomy", 0.0)
    with keep_widened(_SHARE_KEPT * free_memory()):
        tokens, reader, probes, found = _understood(folder, config, built, trusted)
    towers = found.anatomy.towers
    table = towers[0].table
    assert table is not None, "understand() refuses a network without one"
    check_ids(tokens.tokenizer, len(table.weight), folder.name)
    running = _run_in(found, precision, built, probes, progress)
    shown = towers if running.network.shape.experts > 1 else towers[:1]
    progress("stage_pictures", 0.0)
    rows = unit_rows(as_long(table.weight, reader.vocabulary))
    recipe, pictures, recovery = find_pictures(tokens.texts, rows, lambda share: progress("stage_pictures", share))
    fusion = "mean" if found.fusion.kind in ("single", "mean", "joined") else found.fusion.kind
    return Bundle(
        name=source,
        folder=source,
        model=running.network,
        tokenizer=tokens.tokenizer,
        substrate=Substrate(tokens.texts, pictures, rows, recovery.basis, recipe),
        experts=expert_names(config, [tower.name for tower in shown]),
        start=tokens.start,
        training={},
        ends=tokens.ends,
        fusion=fusion,
        weights=found.fusion.weights if fusion == "weighted" else None,
        report=_report(source, config, found, built, running, tokens, recovery),
    )


def _report(
    source: str,
    config: dict[str, Any],
    found: Understood,
    built: Built,
    running: "_Running",
    tokens: Tokens,
    recovery: Recovery,
) -> Report:
    """What the page tells about the checkpoint."""
    table = found.anatomy.towers[0].table
    assert table is not None, "understand() refuses a network without one"
    return Report(
        source=source,
        code=bool(config.get("auto_map")),
        fusion=found.fusion.kind,
        tables=len({t.data_ptr() for t in tables_of(found.anatomy)}),
        frozen=all(name in built.frozen for name in table.sources or (table.name,)),
        left_out=found.anatomy.left_out,
        probes=found.agreement.probes,
        numbers=found.agreement.numbers,
        largest=found.agreement.largest,
        style=found.style,
        reason=found.reason,
        precision=running.precision,
        start=tokens.texts[tokens.start],
        drift=running.drift,
        fitted=recovery.fitted,
        tested=recovery.tested,
        exact=recovery.exact,
        agreement=recovery.agreement,
    )


def _understood(
    folder: Path, config: dict[str, Any], built: Built, trusted: bool
) -> tuple[Tokens, Reader, list[list[int]], Understood]:
    """Tokens, reader of the network, the ids it was tested on, and what was found.

    Raises:
        UserError: `cannot_run` for whatever code that is not ours raises.
    """
    try:
        reader = Reader(built.network, next((n for k in _VOCABULARY if isinstance(n := config.get(k), int)), 0))
    except Exception as error:
        raise UserError("cannot_run", folder=folder.name, reason=f"{type(error).__name__}") from error
    tokens = read_tokens(folder, config, reader.vocabulary, trusted)
    probes = probe_ids(tokens, min(reader.vocabulary, tokens.tokenizer.get_vocab_size()))
    try:
        return tokens, reader, probes, understand(reader, folder.name, config, probes)
    except (RuntimeError, TypeError, IndexError, AttributeError, KeyError) as error:
        raise UserError("cannot_run", folder=folder.name, reason=f"{type(error).__name__}") from error


def probe_ids(tokens: Tokens, vocabulary: int) -> list[list[int]]:
    """Texts in three languages, and two of ids drawn at random: a longer one, and one as long as can be read."""
    texts = [tokens.tokenizer.encode(text, add_special_tokens=False).ids for text in PROBES]
    generator = np.random.default_rng(0)
    drawn = [generator.integers(0, vocabulary, length).tolist() for length in (_DRAWN_PROBE, _LONG_PROBE)]
    return [[tokens.start, *ids] for ids in texts if len(ids) >= 4] + drawn


@dataclass(frozen=True, eq=False)
class _Running:
    """The network as it runs, its number format, and how far int8 drifts from it (see `Report`)."""

    network: Network
    precision: str
    drift: tuple[float, float] | None = None


def _run_in(
    found: Understood, precision: str, built: Built, probes: Sequence[list[int]], progress: LoadProgress
) -> _Running:
    """The network in the number format that was asked for: `auto` is bfloat16 for a large one, else float32."""
    if found.decoder is None:
        network = found.network(None)
        _count(found.original, built)
        return _Running(network, "float32")
    wanted = precision
    if precision == "auto":
        wanted = "float32" if built.numbers <= _SMALL else "bfloat16"
    dtype = torch.float32 if wanted == "float32" else torch.bfloat16
    decoder = cast(found.decoder, dtype)
    _count(decoder, built)
    found.tail.wide = not _runs_as_stored(found.tail, decoder, built)
    if wanted == "float32":
        return _Running(found.network(decoder), wanted)
    if wanted == "bfloat16":
        progress("stage_arrange", 0.0)
        arranged = as_bfloat16(decoder, lambda share: progress("stage_arrange", share))
        return _Running(found.network(arranged), wanted)
    progress("stage_int8", 0.0)
    small = as_int8(decoder, lambda share: progress("stage_int8", share))
    short = [probe[:_DRAWN_PROBE] for probe in probes]  # all logits of a long text would take gigabytes
    drifted = drift(found.network(decoder), found.network(small), short)
    decoder.release_weights()
    return _Running(found.network(small), "int8", drifted)


def _count(network: Any, built: Built) -> None:
    network.trained = built.trained


def _runs_as_stored(tail: Tail, decoder: Decoder, built: Built) -> bool:
    """Whether what follows the blocks can be computed as it is stored, without widening."""
    tail.wide, tail.dtype = False, built.dtype
    shape = decoder.shape
    try:
        tail(torch.zeros(shape.experts, 1, shape.width))
    except Exception:  # two number formats in one product, most likely
        return False
    return True


@torch.inference_mode()
def drift(whole: Network, small: Network, probes: Sequence[list[int]]) -> tuple[float, float]:
    """How far one network's predictions are from another's: mean KL(whole || small) in bits over all positions
    of some texts and all experts, and the share of positions whose likeliest token is the same."""
    bits, same = [], []
    for probe in probes:
        ids = torch.tensor([probe[: whole.shape.context]])
        first, second = (network(ids).logits[:, 0].log_softmax(-1) for network in (whole, small))
        bits.append(((first.exp() * (first - second)).sum(-1) / np.log(2)).flatten())
        same.append((first.argmax(-1) == second.argmax(-1)).float().flatten())
    return float(torch.cat(bits).mean()), float(torch.cat(same).mean())


def as_long(table: Tensor, vocabulary: int) -> Tensor:
    """A table of so many rows: heads and tables may be padded to different lengths.  Rows that are not there are
    zeros; they belong to ids that no token has."""
    missing = vocabulary - len(table)
    return table[:vocabulary] if missing <= 0 else torch.cat((table, table.new_zeros(missing, table.shape[1])))


def unit_rows(table: Tensor) -> Floats:
    """A table as the panels read it: a small one as an array, a large one where it lies."""
    if table.numel() > 16_000_000:
        return cast_type(Floats, UnitRows(table))
    rows = table.float()
    unit: Floats = (rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)).numpy()
    return unit
