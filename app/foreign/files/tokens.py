"""The tokenizer of a checkpoint that is not ours, and the text of every id."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from app.wording.errors import UserError

PROBES = ("The cat sees the dog and 2 birds.", "Мама любит новый дом.", "我们喜欢这只猫，你呢？")
_STARTS = ("<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "</s>", "<|endoftext|>", "<eos>", "<pad>")


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
    told: list[Any] = []
    for said in (config, _said(folder, "generation_config.json")):
        value = said.get("eos_token_id")
        told += value if isinstance(value, list) else [value]
    told += [tokenizer.token_to_id(name) for name in _special(folder, "eos_token")]
    return list(dict.fromkeys(i for i in told if isinstance(i, int) and not isinstance(i, bool)))


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
        name if i in special or not text else text
        for i, (name, text) in enumerate(
            zip(names, tokenizer.decode_batch([[i] for i in range(vocabulary)], skip_special_tokens=False), strict=True)
        )
    ]

    def right(texts: list[str]) -> int:
        read = ((probe, tokenizer.encode(probe, add_special_tokens=False).ids) for probe in PROBES)
        return sum("".join(texts[i] for i in ids).strip() == probe for probe, ids in read)

    best = max((names, bar, decoded), key=right)
    return tuple(best)


def _start(folder: Path, config: dict[str, Any], tokenizer: Tokenizer) -> int:
    """The id that begins a text: what the folder says, else the usual names, else 0."""
    told = config.get("bos_token_id")
    if isinstance(told, int) and tokenizer.id_to_token(told) is not None:
        return told
    names = (*_special(folder, "bos_token"), *_STARTS)
    return next((i for name in names if (i := tokenizer.token_to_id(name)) is not None), 0)
