"""The strip: the text as chips, coloured by one measure; finished, or while the model writes."""

from collections.abc import Iterable
from dataclasses import replace

from app.checkpoint.bundle import Bundle
from app.engine.engine import Engine, Step
from app.substrate.byte_text import shared_characters
from app.substrate.pictures import cell_borders
from app.substrate.scripts import script_of
from app.trace.fusion import (
    disagreement,
    overlap,
    preference,
    surprise,
    winner_balance,
)
from app.trace.record import Floats, Trace
from viz.html import Say
from viz.strip import STRIP_MEASURES, Chip, strip


def most_disputed(trace: Trace) -> int:
    """The token to look at first: of those the model wrote (else of all) and that have a letter,
    the one before which the experts disagreed most; of a single expert, the least expected one."""
    first = trace.prompt if trace.prompt < len(trace) else 1
    apart = disagreement(trace) if len(trace.experts) > 1 else surprise(trace)
    lettered = [i for i in range(first, len(trace)) if script_of(trace.texts[i]) != "other"]
    return max(lettered or range(first, len(trace)), key=lambda i: float(apart[i - 1]))


def measured(trace: Trace, measure: str) -> Floats:
    """A strip's measure at every position (T,): what held just before the token that follows."""
    functions = {
        "preference": preference,
        "balance": winner_balance,
        "disagreement": disagreement,
        "overlap": overlap,
        "surprise": surprise,
    }
    return trace.jensen_shannon if measure == "jensen_shannon" else functions[measure](trace)


def measures_of(bundle: Bundle) -> tuple[str, ...]:
    """The measures that make sense for a model's experts, the one to begin with first."""
    if len(bundle.experts) == 1:
        return ("surprise",)
    if len(bundle.experts) > 2:
        return ("disagreement", "jensen_shannon", "surprise")
    return tuple(name for name in STRIP_MEASURES if bundle.additive or name != "balance")


def strip_view(engine: Engine, trace: Trace, selected: int, say: Say, measure: str = "preference") -> str:
    """The strip of a finished text; the start token has no chip."""
    known = measures_of(engine.bundle)
    measure = measure if measure in known else known[0]
    values = measured(trace, measure)
    parts = zip(trace.ids[1:].tolist(), values[:-1].tolist(), strict=True)
    return strip(_chips(engine, parts, trace.prompt), selected, STRIP_MEASURES[measure], trace.experts, say)


def writing_view(engine: Engine, prompt: list[int], written: list[tuple[int, float]], say: Say) -> str:
    """The strip while the model writes: prompt ids, then the id of each new token with its preference, or with
    its surprise where there are not two experts."""
    parts = [*((i, None) for i in prompt), *written]
    measure = "preference" if len(engine.bundle.experts) == 2 else "surprise"
    chips = _chips(engine, parts, len(prompt) + 1)
    return strip(chips, -1, STRIP_MEASURES[measure], engine.bundle.experts, say, writing=True)


def _whole(chips: list[Chip]) -> list[Chip]:
    """Chips that are parts of a character know which one they form."""
    runs = shared_characters([chip.text for chip in chips])
    if not runs:
        return chips
    whole = {index: (text, run) for run, text in runs for index in run}
    return [
        replace(chip, whole=whole[i][0], first=i == whole[i][1].start) if i in whole else chip
        for i, chip in enumerate(chips)
    ]


def written_value(engine: Engine, step: Step) -> float:
    """What `writing_view` shows of a token that was just drawn."""
    scores = step.log_probs
    return float(scores[0] - scores[1]) if len(engine.bundle.experts) == 2 else -float(scores[-1])


def _chips(engine: Engine, parts: Iterable[tuple[int, float | None]], first_written: int) -> list[Chip]:
    """Chips, from index 1, of token ids with the value of each."""
    substrate, unknown = engine.bundle.substrate, engine.bundle.tokenizer.token_to_id("<unk>")
    tokens, pictures, recipe = substrate.tokens, substrate.pictures, substrate.recipe
    return _whole(
        [
            Chip(i, text, pictures[token], value, i >= first_written, token == unknown, cell_borders(text, recipe))
            for i, (token, value) in enumerate(parts, 1)
            for text in (tokens[token],)
        ]
    )
