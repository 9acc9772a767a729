"""The tokenizer of a checkpoint that is not ours, and the text of every id."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from app.substrate.byte_text import joined, named_bytes
from app.system.lfs import refuse_pointers
from app.wording.errors import UserError

PROBES = ("The cat sees the dog and 2 birds.", "Мама любит новый дом.", "我们喜欢这只猫，你呢？")
_STARTS = ("<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "</s>", "<|endoftext|>", "<eos>", "<pad>")
_MOST_IDS = 2**32  # the library's ids are unsigned numbers of 32 bits


def _byte_letters() -> dict[str, int]:
    """The letter that byte-level vocabularies write for each byte (Radford et al. 2019): itself where it is printable
    in Latin-1, else one from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {**{chr(byte): byte for byte in printable}, **{chr(0x100 + i): byte for i, byte in enumerate(others)}}


_BYTE_OF = _byte_letters()


@dataclass(frozen=True, eq=False)
class Tokens:
    """texts: of every id, V of them.  start: the id put before a text; ends: ids that end one."""

    tokenizer: Tokenizer
    texts: tuple[str, ...]
    start: int
    ends: tuple[int, ...]


def read_tokens(folder: Path, config: dict[str, Any], vocabulary: int, trusted: bool) -> Tokens:
    """The tokenizer of a folder, for a network with so many ids.

    Raises:
        UserError: for none, or one that has ids which the network lacks.
    """
    tokenizer = _tokenizer(folder, trusted)
    check_ids(tokenizer, vocabulary, folder.name)
    start = _start(folder, config, tokenizer)
    try:
        texts = texts_of(tokenizer, vocabulary)
    except Exception as error:  # the library raises bare exceptions: for a word that it has no token for, say
        raise UserError("no_tokenizer", folder=folder.name) from error
    ends = tuple(i for i in _ends(folder, config, tokenizer) if 0 <= i < vocabulary)
    return Tokens(tokenizer, texts, start, ends)


def check_ids(tokenizer: Tokenizer, count: int, name: str) -> None:
    """Refuse a tokenizer with more ids than a table or a head has rows.

    Raises:
        UserError: `other_tokenizer`.
    """
    if tokenizer.get_vocab_size() > count:
        raise UserError("other_tokenizer", folder=name, ids=tokenizer.get_vocab_size(), limit=count)


def _ends(folder: Path, config: dict[str, Any], tokenizer: Tokenizer) -> list[int]:
    """Ids that end a text, by all files that may say so."""
    stated: list[Any] = []
    for said in (config, _said(folder, "generation_config.json")):
        value = said.get("eos_token_id")
        stated += value if isinstance(value, list) else [value]
    stated += [tokenizer.token_to_id(name) for name in _special(folder, "eos_token")]
    return list(dict.fromkeys(i for i in stated if isinstance(i, int) and not isinstance(i, bool)))


def _special(folder: Path, role: str) -> tuple[str, ...]:
    """The token of a role, by tokenizer_config.json; empty where it names none."""
    said = _said(folder, "tokenizer_config.json").get(role)
    name = said.get("content") if isinstance(said, dict) else said
    return (name,) if isinstance(name, str) else ()


def _said(folder: Path, name: str) -> dict[str, Any]:
    """A JSON object of a folder; empty if there is none."""
    try:
        said = json.loads((folder / name).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _tokenizer(folder: Path, trusted: bool) -> Tokenizer:
    path = folder / "tokenizer.json"
    refuse_pointers([path, folder / "tokenizer.model"])
    try:
        if path.is_file():
            return Tokenizer.from_file(str(path))
        from transformers import AutoTokenizer

        slow = AutoTokenizer.from_pretrained(folder, trust_remote_code=trusted)
        found: Tokenizer = slow.backend_tokenizer
    except Exception as error:  # the library raises bare exceptions, and so does code that is not ours
        raise UserError("no_tokenizer", folder=folder.name) from error
    return found


def texts_of(tokenizer: Tokenizer, vocabulary: int) -> tuple[str, ...]:
    """The text that each id stands for.  Tokenizers write their tokens in several ways (bytes as letters, a bar
    for a space): of all ways to read them the one is taken that gives probe texts back."""
    names = [tokenizer.id_to_token(i) or f"<unused_{i}>" for i in range(vocabulary)]
    bar = [name.replace("\u2581", " ") for name in names]
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    decoded = [
        name if i in special or not text else _with_bytes(name, text)
        for i, (name, text) in enumerate(
            zip(names, tokenizer.decode_batch([[i] for i in range(vocabulary)], skip_special_tokens=False), strict=True)
        )
    ]

    def right(texts: list[str]) -> int:
        read = ((probe, tokenizer.encode(probe, add_special_tokens=False).ids) for probe in PROBES)
        return sum(joined(texts[i] for i in ids).strip() == probe for probe, ids in read)

    best = max((names, bar, decoded), key=right)
    return tuple(best)


def _with_bytes(name: str, text: str) -> str:
    """A token's text with the bytes named that form no character (they read as U+FFFD, all alike); name: the token
    as its vocabulary writes it, a letter for each byte."""
    if "\ufffd" not in text or not all(letter in _BYTE_OF for letter in name):
        return text
    return named_bytes(bytes(_BYTE_OF[letter] for letter in name))


def _start(folder: Path, config: dict[str, Any], tokenizer: Tokenizer) -> int:
    """The id that begins a text: what the folder says, else the usual names, else 0."""
    start = config.get("bos_token_id")
    ids = [i for i in (start if isinstance(start, list) else [start]) if isinstance(i, int) and not isinstance(i, bool)]
    for known in ids:
        if 0 <= known < _MOST_IDS and tokenizer.id_to_token(known) is not None:
            return known
    names = (*_special(folder, "bos_token"), *_STARTS)
    return next((i for name in names if (i := tokenizer.token_to_id(name)) is not None), 0)
