"""Held-out bits per character: of each expert alone, and of three ways to fuse them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from app.network.experts import StackedExperts, fuse
from app.network.interface import Shape
from app.training.corpus import LANGUAGES
from app.training.prepare import SEPARATOR

_ROWS = {"cpu": 24, "cuda": 192}
"""Rows that are scored at once, by device."""

FUSION_ROWS = ("mean of logits", "mean of probabilities", "gate by likelihood")


def chunks(lines: Sequence[str], tokenizer: Tokenizer, separator: int, context: int) -> list[list[int]]:
    """Every line as ids after a separator; a line longer than the context continues in the next
    chunk, which again starts after a separator (so it is scored without what came before)."""
    size = context - 1
    rows = [encoding.ids for encoding in tokenizer.encode_batch(list(lines), add_special_tokens=False)]
    return [[separator, *row[i : i + size]] for row in rows for i in range(0, len(row), size)]


def padded(rows: Sequence[list[int]], batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of rows of like length: ids (B, T) filled up with zeros, and which of them are real."""
    ordered = sorted(rows, key=len)
    for i in range(0, len(ordered), batch):
        part = [torch.tensor(row) for row in ordered[i : i + batch]]
        ids = torch.nn.utils.rnn.pad_sequence(part, batch_first=True)
        real = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in part], batch_first=True)
        yield ids, real.bool()


@torch.inference_mode()
def nats(models: Sequence[StackedExperts], rows: Sequence[list[int]]) -> Tensor:
    """Total negative log-likelihood (E + 3,) in nats of all tokens after the first of each row: each
    expert of each model, the mean of logits, the mean of probabilities, and that mean weighted by each
    expert's likelihood of the row so far.  Experts of one model share a table, those of two need not."""
    device = models[0].embedding.device
    total = torch.zeros(sum(model.shape.experts for model in models) + len(FUSION_ROWS), dtype=torch.float64)
    for ids, real in padded(rows, _ROWS[device.type]):
        inputs, targets, scored = (t.to(device) for t in (ids[:, :-1], ids[:, 1:], real[:, 1:]))
        experts = torch.cat([model(inputs).logits for model in models]).float().log_softmax(-1)  # (E, B, T, V)
        by_logits = fuse(experts).log_softmax(-1)
        at = targets[None, ..., None].expand(len(experts), *targets.shape, 1)
        single = experts.gather(-1, at).squeeze(-1)
        by_probabilities = single.logsumexp(0) - torch.log(torch.tensor(float(len(experts))))
        fused = by_logits.gather(-1, targets[..., None]).squeeze(-1)
        so_far = single.cumsum(-1) - single  # of the tokens before
        by_gate = (so_far.log_softmax(0) + single).logsumexp(0)
        all_scores = torch.cat((single, torch.stack((fused, by_probabilities, by_gate))))  # (E + 3, B, T)
        total -= (all_scores * scored).sum((1, 2)).double().cpu()
    return total


def bits_per_character(
    models: Sequence[StackedExperts], tokenizer: Tokenizer, lines: Sequence[str], separator: int, names: Sequence[str]
) -> dict[str, float]:
    """Bits per character of `lines` for each of `names` (one an expert) and every fusion.

    Characters are those of the lines as written; a character outside the vocabulary is scored as
    the unknown token.
    """
    rows = chunks(lines, tokenizer, separator, models[0].shape.context)
    characters = sum(map(len, lines))
    bits = nats(models, rows) / torch.log(torch.tensor(2.0, dtype=torch.float64)) / characters
    return dict(zip((*names, *FUSION_ROWS), bits.tolist(), strict=True))


def evaluate(
    work: Path,
    models: Sequence[StackedExperts],
    names: Sequence[str],
    limit: int | None = None,
    streams: Sequence[str] = LANGUAGES,
) -> dict[str, dict[str, float]]:
    """Bits per character of named experts on a work folder's held-out lines, `{stream: {who: bits}}`;
    `limit` takes the first lines only."""
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    report = {}
    for stream in streams:
        lines = (work / f"{stream}.held_out.txt").read_text(encoding="utf-8").split("\n")[:limit]
        report[stream] = bits_per_character(models, tokenizer, lines, SEPARATOR, names)
    return report


def held_out_streams(work: Path) -> list[str]:
    """The streams that a work folder holds lines out of: the three languages, then others such as `en_stories`."""
    others = {path.name.removesuffix(".held_out.txt") for path in work.glob("*.held_out.txt")} - set(LANGUAGES)
    return [*LANGUAGES, *sorted(others)]


def load_network(weights: dict[str, Tensor], shape: Shape) -> StackedExperts:
    """A network with these weights, for inference."""
    model = StackedExperts(shape)
    model.load_state_dict(weights)
    return model.requires_grad_(False).eval()
