"""Tokens that are parts of characters.  Byte-level tokenizers cut characters outside their vocabulary into bytes (the
emoji U+1F600 is F0 9F 98 80); a part is written as its bytes, `<0xF0>`, as tokenizers with byte fallback name them."""

import codecs
import re
from collections.abc import Iterable, Sequence

_NAMED_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_LONGEST = 4  # bytes of a character in UTF-8


def _name_wrong_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    return "".join(f"<0x{byte:02X}>" for byte in wrong), error.end


codecs.register_error("glyphscope.named_bytes", _name_wrong_bytes)


def named_bytes(data: bytes) -> str:
    """Bytes as text, those that form no character by their names.

    >>> named_bytes(bytes([32, 240, 159]))
    ' <0xF0><0x9F>'
    """
    return data.decode("utf-8", "glyphscope.named_bytes")


def has_bytes(text: str) -> bool:
    """Whether a token's text names bytes."""
    return _NAMED_BYTE.search(text) is not None


def without_bytes(text: str) -> str:
    """A token's text without the bytes that it names."""
    return _NAMED_BYTE.sub("", text)


def bytes_of(text: str) -> bytes:
    """The bytes that a token's text stands for: UTF-8, and named bytes as they are."""
    parts = _NAMED_BYTE.split(text)  # text and hexadecimal numbers, in turn
    return b"".join(bytes.fromhex(p) if i % 2 else p.encode("utf-8", "replace") for i, p in enumerate(parts))


def joined(texts: Iterable[str]) -> str:
    """The text of tokens one after the other, with whole characters where bytes of several form one; U+FFFD for
    bytes that form none.

    >>> joined(["a", "<0xC3>", "<0xA9>"])
    'aé'
    """
    known = list(texts)
    if not any(map(has_bytes, known)):
        return "".join(known)  # as it is, lone surrogates included
    return b"".join(map(bytes_of, known)).decode("utf-8", "replace")


def shared_characters(texts: Sequence[str]) -> list[tuple[range, str]]:
    """Runs of tokens that form a character only together, each with what it reads: (indices of tokens, text).

    >>> shared_characters(["a", "<0xC3>", "<0xA9>"])
    [(range(1, 3), 'é')]
    """
    parts = [bytes_of(text) if has_bytes(text) else b"" for text in texts]
    if not any(parts):
        return []
    runs: list[tuple[range, str]] = []
    first = 0
    while first < len(texts):
        last = _end_of_run(parts, first)
        if last > first + 1:
            runs.append((range(first, last), joined(texts[first:last])))
        first = last
    return runs


def _end_of_run(parts: Sequence[bytes], first: int) -> int:
    """Where the tokens end that hang together with a first one: after the fewest that read without a loss, else after
    the first alone."""
    data = b""
    for last in range(first, min(len(parts), first + _LONGEST * _LONGEST)):
        if not parts[last]:
            break
        data += parts[last]
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        return last + 1
    return first + 1
