"""Odd input for property-based tests: any Unicode, markup of every kind, values that are not numbers.

`GLYPHSCOPE_CASES` is the number of cases of all properties together: 250 in a plain run, so that it stays
short; `GLYPHSCOPE_CASES=10000 python -m pytest tests/panels/test_odd_input.py` tries them at length.
"""

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("GLYPHSCOPE_CASES", "250"))
SECONDS = 20
"""No answer may take longer, whatever is asked."""

MARKUP = (
    "<script>window.hacked=1</script>", "<img src=x onerror=window.hacked=1>", "<svg/onload=window.hacked=1>",
    "'\"><b onmouseover=window.hacked=1>", "javascript:window.hacked=1", "${window.hacked=1}", "{{window.hacked=1}}",
    "{{{x}}}", "{{#each x}}", "`${1+1}`", "\\u003cscript>", "</textarea><script>", "<!--", "]]>", "%00", "&lt;b&gt;",
    "{0.__class__}", "{code}", "%s%n", "__import__('os')", "../../etc/passwd", "';--",
)  # fmt: skip
SCRIPTS = (
    "שלום", "مرحبا", "\u202eкот\u202c", "\u2066\u2069", "e\u0301\u0327", "и\u0306", "👨‍👩‍👧‍👦", "🏳️‍🌈", 
    "\ufeff", "\u200d",
    "ﷺ", "𝔊𝔩", "龘", "\U0010ffff", "\ud800", "a\udfffb", "\x00", "\x1b[31m", "\r\n", "\u2028", "ก็็็็็็", "Ⅷ", "ﬁ",
)  # fmt: skip
PLAIN = ("кот ", "мама ", "the cat ", "我爱 ", "Tom wants ", "\n", "  ", "0123", "-", "x")


def share(part: float) -> settings:
    """Settings of a property that gets a part of all cases."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(
        max_examples=max(8, round(part * CASES)), deadline=SECONDS * 1000, database=None, suppress_health_check=slow
    )


def texts() -> st.SearchStrategy[str]:
    """Any text: every code point there is, fragments that break things, and both many times over, to a megabyte."""
    anything = st.text(st.characters(exclude_categories=()), max_size=40)
    pieces = st.sampled_from([*MARKUP, *SCRIPTS, *PLAIN])
    mixed = st.lists(st.one_of(pieces, anything), max_size=12).map("".join)
    usual = st.lists(st.sampled_from(PLAIN), min_size=1, max_size=12).map("".join)
    long = st.builds(lambda text, times: (text or "x") * times, mixed, st.sampled_from([100, 3_000]))
    huge = st.builds(lambda text: (text or "x") * (1_000_000 // max(len(text), 1)), mixed)
    return st.one_of(usual, mixed, mixed, anything, long, huge)


def short_texts() -> st.SearchStrategy[str]:
    """Texts of which most fit into the context of the toy model."""
    pieces = st.sampled_from([*MARKUP, *SCRIPTS, *PLAIN])
    return st.lists(
        st.one_of(pieces, pieces, st.text(st.characters(exclude_categories=()), max_size=6)), max_size=5
    ).map("".join)


def values() -> st.SearchStrategy[Any]:
    """Any value that a browser could send, and some that only Python has."""
    numbers = st.one_of(
        st.floats(), st.integers(), st.booleans(), st.sampled_from([0, 1, 0.5, -1, 2**63, 10**400, -0.0, 1e308])
    )
    leaves = st.one_of(st.none(), numbers, st.text(max_size=8), st.just("NaN"))
    return st.one_of(leaves, st.lists(leaves, max_size=3), st.dictionaries(st.text(max_size=4), leaves, max_size=2))


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly good values, now and then any other."""
    return st.one_of(good, good, good, values())
