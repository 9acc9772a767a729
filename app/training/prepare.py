"""First step of training: text in; vocabulary, pictures, frozen embedding and token streams out."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

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
from app.training.corpus import LANGUAGES, PAIRED, read_lines, read_pairs

SEPARATOR = MINI_SPECIALS.index("</s>")
PIECES = {"en": (0.22, r" ?[A-Za-z']+", 8), "ru": (0.25, r" ?[А-Яа-яЁё]+", 8), "zh": (0.104, r"\p{Han}+", 2)}
"""Language -> (share of the vocabulary, what a piece stays inside of, longest piece)."""


def corpus_vocabulary(lines: Mapping[str, tuple[str, ...]], size: int) -> Vocabulary:
    """The mini vocabulary of `size` ids: ASCII, Cyrillic, every other character seen 20 times,
    frequent pieces of each language, and as many of the most frequent Hanzi as fit."""
    pieces = [
        frequent_pieces(lines[name], round(share * size), word, longest)
        for name, (share, word, longest) in PIECES.items()
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


def prepare(text: Path, work: Path, size: int, width: int) -> None:
    """Read the text; write tokenizer, substrate and token streams to the work folder."""
    work.mkdir(parents=True, exist_ok=True)
    lines = {name: read_lines(text, name) for name in LANGUAGES}
    vocabulary = corpus_vocabulary({name: part.train for name, part in lines.items()}, size)
    tokenizer = build_tokenizer(vocabulary, spaced_words=True)
    tokenizer.save(str(work / "tokenizer.json"))
    pictures = draw_pictures(vocabulary.tokens, "legible")
    basis = fit_basis(pictures, width)
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
    for name, part in lines.items():
        np.save(work / f"{name}.npy", token_stream(part.train, tokenizer, SEPARATOR, seed=0))
        (work / f"{name}.held_out.txt").write_text("\n".join(part.held_out), encoding="utf-8")
        print(f"{name}: {len(part.train)} lines, {len(part.held_out)} held out, {part.dropped} dropped")
    for pair in PAIRED:
        if rows := read_pairs(text, pair):
            np.save(work / f"{pair}.npy", token_stream(rows, tokenizer, SEPARATOR, seed=0))
            print(f"{pair}: {len(rows)} pairs")
    print(f"{len(vocabulary.tokens)} tokens; {width} dimensions keep {basis.kept:.1%} of the pictures")
