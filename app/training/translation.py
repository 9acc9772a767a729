"""Greedy translation in the training frame, and how good it is: BLEU and chrF on pairs kept out of training."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import DynamicCache

from app.network.experts import StackedExperts, fuse
from app.substrate.translation_frame import frame
from app.training.pairs import DIRECTIONS
from app.training.prepare import SEPARATOR

WAYS = ("mean of logits", "gate by likelihood")
"""How two experts are fused here, beside each expert alone."""

_ROOM = 2.0  # a translation may have so many times the tokens of its source, and
_MORE = 12  # so many more


@torch.inference_mode()
def translate(
    model: StackedExperts, tokenizer: Tokenizer, sources: Sequence[str], target: str, way: str | int, batch: int = 64
) -> list[str]:
    """Greedy translations of sentences into `target`, by one expert (its index) or by a way to fuse all (`WAYS`).

    Sentences of equal length in tokens are translated together, so that no padding is needed.
    """
    encoded = tokenizer.encode_batch([frame(source, target) for source in sources], add_special_tokens=False)
    prompts = [[SEPARATOR, *encoding.ids] for encoding in encoded]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    texts = [""] * len(prompts)
    while order:
        length = len(prompts[order[0]])
        part = [i for i in order[:batch] if len(prompts[i]) == length]
        order = order[len(part) :]
        rows = _continue(model, torch.tensor([prompts[i] for i in part]), way)
        for i, row in zip(part, rows, strict=True):
            texts[i] = tokenizer.decode(row, skip_special_tokens=False).strip()
    return texts


def _continue(model: StackedExperts, prompts: Tensor, way: str | int) -> list[list[int]]:
    """The likeliest tokens (B lists) after prompts of one length (B, T), up to the end of each text."""
    ids = prompts.to(model.embedding.device)
    limit = min(model.shape.context - ids.shape[1], int(_ROOM * ids.shape[1]) + _MORE)
    cache = DynamicCache()
    each = model(ids, cache=cache).logits.float().log_softmax(-1)  # (E, B, T, V)
    known = each[:, :, :-1].gather(-1, ids[None, :, 1:, None].expand(len(each), -1, -1, -1))
    so_far, each = known.sum((2, 3)), each[:, :, -1]  # log-likelihood (E, B) of the text up to here
    written: list[Tensor] = []
    done = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    while True:
        chosen = _fused(each, so_far, way).argmax(-1)
        written.append(chosen)
        done |= chosen == SEPARATOR
        if done.all() or len(written) == limit:
            break
        so_far = so_far + each.gather(-1, chosen.expand(len(each), -1)[..., None])[..., 0]
        each = model(chosen[:, None], cache=cache).logits[:, :, -1].float().log_softmax(-1)
    rows = torch.stack(written, 1).tolist()
    return [row[: row.index(SEPARATOR)] if SEPARATOR in row else row for row in rows]


def _fused(log_probs: Tensor, so_far: Tensor, way: str | int) -> Tensor:
    """Scores (B, V) of one expert, of the mean of logits, or of the mean of probabilities weighted by each expert's
    likelihood of what was written so far."""
    if isinstance(way, int):
        return log_probs[way]
    if way == "mean of logits":
        return fuse(log_probs)
    assert way == "gate by likelihood", f"{way} is none of {WAYS}"
    return (so_far.log_softmax(0)[..., None] + log_probs).logsumexp(0)


def score(translations: Sequence[str], references: Sequence[str], target: str) -> dict[str, float]:
    """BLEU (Papineni 2002; sacrebleu's 13a or zh tokens) and chrF (Popović 2015), 0..100, one reference each."""
    from sacrebleu.metrics.bleu import BLEU  # a development dependency
    from sacrebleu.metrics.chrf import CHRF

    bleu = BLEU(tokenize="zh" if target == "zh" else "13a")
    return {
        "bleu": round(bleu.corpus_score(list(translations), [list(references)]).score, 2),
        "chrf": round(CHRF().corpus_score(list(translations), [list(references)]).score, 2),
    }


def read_test(work: Path, direction: str) -> tuple[list[str], list[str]]:
    """Sources and references of a direction, `ru-en`, from the work folder's test pairs."""
    source, target = direction.split("-")
    path = work / f"{direction}.test.tsv"
    swapped = not path.is_file()
    if swapped:
        path = work / f"{target}-{source}.test.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    first, second = [row[0] for row in rows], [row[1] for row in rows]
    return (second, first) if swapped else (first, second)


def evaluate_translation(
    work: Path, model: StackedExperts, names: Sequence[str], limit: int | None = None
) -> dict[str, dict[str, dict[str, float]]]:
    """`{direction: {who: {bleu, chrf, pairs}}}` for each expert of a merged network and every way to fuse them."""
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    report: dict[str, dict[str, dict[str, float]]] = {}
    ways: dict[str, str | int] = {name: i for i, name in enumerate(names)} | {way: way for way in WAYS}
    for direction in DIRECTIONS:
        sources, references = (side[:limit] for side in read_test(work, direction))
        target = direction.split("-")[1]
        report[direction] = {
            name: {
                **score(translate(model, tokenizer, sources, target, way), references, target),
                "pairs": len(sources),
            }
            for name, way in ways.items()
        }
    return report
