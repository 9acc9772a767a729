"""First step of training: text in; vocabulary, pictures, frozen embedding and token streams out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from app.substrate.embedding import embed, fit_basis
from app.substrate.pictures import draw_pictures
from app.substrate.vocabulary import (
    MINI_SPECIALS,
    Vocabulary,
    build_tokenizer,
    frequent_characters,
    frequent_pieces,
    is_han,
    mini_vocabulary,
)
from app.training.batches import token_stream
from app.training.corpus import (
    LANGUAGES,
    breaks_off,
    read_lines,
    read_pairs,
    story_from_opening,
    stream_names,
)
from app.training.pairs import repeats_test, test_sides, training_lines
from app.training.tales import tales

SEPARATOR = MINI_SPECIALS.index("</s>")
PIECES = {"en": (r" ?[A-Za-z']+", 8), "ru": (r" ?[А-Яа-яЁё]+", 8), "zh": (r"\p{Han}+", 2)}
"""Language -> (what a piece stays inside of, longest piece)."""
PIECE_SHARES = {"en": 0.22, "ru": 0.25, "zh": 0.104}
"""Language -> share of the vocabulary that goes to its pieces."""


def corpus_vocabulary(lines: Mapping[str, Sequence[str]], size: int, shares: Mapping[str, float]) -> Vocabulary:
    """The mini vocabulary of `size` ids: ASCII, Cyrillic, every other character seen 20 times,
    frequent pieces of each language, and as many of the most frequent Hanzi as fit."""
    pieces = [
        frequent_pieces(lines[name], round(shares[name] * size), word, longest)
        for name, (word, longest) in PIECES.items()
        if name in lines
    ]
    longest = max(map(len, pieces))
    grams = list(dict.fromkeys(p[rank] for rank in range(longest) for p in pieces if rank < len(p)))
    everything = [line for part in lines.values() for line in part]
    others = {c for c in frequent_characters(everything, 20) if not is_han(c)}
    characters = {chr(c) for c in range(0x20, 0x7F)} | {chr(c) for c in range(0x410, 0x450)} | {*"\nЁё"} | others
    hanzi = [c for c in frequent_characters(lines.get("zh", ()), 2) if is_han(c)]
    free = size - len(MINI_SPECIALS) - len(characters) - len(grams)
    return mini_vocabulary(characters | set(hanzi[: max(0, free)]), grams)


@dataclass(frozen=True)
class Plan:
    """What a work folder is made of.  size: of the vocabulary; width: of the table; pieces: share of the vocabulary
    that goes to whole words and parts of words of each language; origin: a folder whose tokenizer and table are
    taken as they are, in place of all three."""

    size: int = 8192
    width: int = 256
    pieces: Mapping[str, float] = field(default_factory=lambda: dict(PIECE_SHARES))
    origin: Path | None = None


def prepare(text: Path, work: Path, plan: Plan) -> None:
    """Read the text; write tokenizer, substrate, token streams, held-out lines and test pairs to the work folder.

    Raises:
        TextError: for text that is missing or cannot be read.
    """
    work.mkdir(parents=True, exist_ok=True)
    pairs = read_pairs(text)
    forbidden = test_sides(pairs.test)
    streams = {name: read_lines(text, name) for name in stream_names(text)}
    train = {name: [line for line in part.train if not repeats_test(line, forbidden)] for name, part in streams.items()}
    for language in LANGUAGES:  # so that a story's opening is followed by a story, however many short lines there are
        mine = [name for name in streams if name[:2] == language]
        if language == "zh" and (told := tales(line for name in mine if name != language for line in train[name])):
            train["zh_tales"] = told
        stories = [story_from_opening(line, language) for name in mine for line in train[name]]
        for name in mine:
            train[name] = [line for line in train[name] if not breaks_off(line, language)]
        if openings := [story for story in stories if story is not None]:
            train[f"{language}_openings"] = openings
    tokenizer = _substrate(work, {name: train[name] for name in LANGUAGES}, plan)
    for name, lines in train.items():
        np.save(work / f"{name}.npy", token_stream(lines, tokenizer, SEPARATOR, seed=0))
    for name, part in streams.items():
        (work / f"{name}.held_out.txt").write_text("\n".join(part.held_out), encoding="utf-8")
        print(
            f"{name}: {len(train[name])} lines, {len(part.held_out)} held out, {part.dropped} dropped, {part.cut} cut, "
            f"{len(part.train) - len(train[name])} left out: they hold a test sentence, or open a story and break off"
        )
    for name, rows in pairs.train.items():
        if lines := training_lines(rows, name):
            np.save(work / f"{name}.npy", token_stream(lines, tokenizer, SEPARATOR, seed=0))
            test = "".join("\t".join(pair) + "\n" for pair in pairs.test[name])
            (work / f"{name}.test.tsv").write_text(test, encoding="utf-8")
            print(f"{name}: {len(rows)} pairs, {len(pairs.test[name])} to test")


def _substrate(work: Path, lines: Mapping[str, Sequence[str]], plan: Plan) -> Tokenizer:
    """Write tokenizer and frozen table of a work folder: made from the lines, or those of a checkpoint folder."""
    if plan.origin is not None:
        (work / "tokenizer.json").write_bytes((plan.origin / "tokenizer.json").read_bytes())
        with safe_open(plan.origin / "model.safetensors", "np") as file:
            table = file.get_tensor("model.embedding")
        with safe_open(plan.origin / "substrate.safetensors", "np") as file:
            parts = {name: file.get_tensor(name) for name in ("pictures", "mean", "components")}
            save_file({"embedding": table, **parts}, work / "substrate.safetensors", metadata=file.metadata())
        return Tokenizer.from_file(str(work / "tokenizer.json"))
    vocabulary = corpus_vocabulary(lines, plan.size, plan.pieces)
    tokenizer = build_tokenizer(vocabulary, spaced_words=True)
    tokenizer.save(str(work / "tokenizer.json"))
    pictures = draw_pictures(vocabulary.tokens, "legible")
    basis = fit_basis(pictures, plan.width)
    # Rounded once to what the bundle stores, so that training and display use the same bits.
    table = embed(pictures, basis).astype(np.float16)
    save_file(
        {
            "embedding": table,
            "pictures": np.packbits(pictures.reshape(len(pictures), -1), axis=1),
            "mean": basis.mean,
            "components": basis.components,
        },
        work / "substrate.safetensors",
        metadata={"kept": repr(basis.kept), "recipe": "legible"},
    )
    print(f"{len(vocabulary.tokens)} tokens; {plan.width} dimensions keep {basis.kept:.1%} of the pictures")
    return tokenizer
