"""Whatever is asked, the result is an answer or one of our sentences: never a traceback, never without end."""

import math
import unicodedata
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.engine import MAX_CHARACTERS, Engine
from app.engine.sampling import MAX_NEW_TOKENS, Sampling
from app.panels.depth import depth_view
from app.panels.disagreement import disagreement_view
from app.panels.experts import experts_view
from app.panels.glyphs import glyph_view
from app.panels.lab import lab_view
from app.panels.layers import layers_view
from app.panels.lens import lens_view
from app.panels.settings import PanelSettings, whole
from app.panels.strip import strip_view
from app.panels.words import words_view
from app.probing.word_list import MAX_WORDS, MIN_WORDS, parse_words
from app.substrate.pictures import RECIPES, cell_borders, draw_pictures
from app.substrate.plain_text import plain_text
from app.web.security import _OPEN
from app.web.visitor import asked_language
from app.wording.catalogue import LANGUAGES, say, speaker
from app.wording.errors import UserError
from tests.support.odd import mostly, share, short_texts, texts, values

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # of long arguments

SAMPLING = {
    "temperature": st.floats(0, 2), "top_k": st.integers(0, 60), "top_p": st.floats(0.01, 1),
    "seed": st.integers(0, 2**63 - 1), "new_tokens": st.integers(1, 12),
}  # fmt: skip


def is_one_sentence(error: UserError) -> bool:
    """Whether an error can be said in every language, without blanks left open or places of this machine."""
    sentences = [say(error.code, language, **error.values) for language in LANGUAGES]
    return all(text[-1] in ".。！!？?" and "/app/" not in text and "Traceback" not in text for text in sentences)


@given(text=texts())
@share(0.2)
def test_any_text_is_read_or_refused(engine: Engine, text: str) -> None:
    try:
        trace = engine.look(text)
    except UserError as error:
        assert is_one_sentence(error)
    else:
        assert len(text) <= MAX_CHARACTERS and 2 <= len(trace) <= engine.context
        assert all(math.isfinite(x) for x in trace.log_sum_exp.ravel())


@given(prompt=short_texts(), weights=mostly(st.just([0.5, 0.5])), **{n: mostly(s) for n, s in SAMPLING.items()})
@share(0.15)
def test_any_prompt_with_any_settings_is_written_on_or_refused(
    engine: Engine, prompt: str, weights: Any, **settings: Any
) -> None:
    try:
        *steps, last = engine.generate(prompt, Sampling(**settings), weights)
    except UserError as error:
        assert is_one_sentence(error)
    else:
        assert last.trace is not None and len(steps) <= MAX_NEW_TOKENS
        assert all(0 <= step.id < engine.model.shape.vocabulary for step in steps if step.id is not None)


@given(text=texts().filter(lambda text: len(text) < 5_000))
@share(0.15)
def test_tokens_spell_the_text_but_for_unknown_characters(engine: Engine, text: str) -> None:
    pieces = [engine.text_of(i) for i in engine.ids_of(text)]
    if not engine.unknown(text) and "<unk>" not in text:
        assert "".join(pieces).strip() == plain_text(text).strip()
    assert unicodedata.is_normalized("NFC", plain_text(text)) and plain_text(plain_text(text)) == plain_text(text)
    plain_text(text).encode("utf-8")


@given(text=texts().map(lambda text: text[:200]), recipe=st.sampled_from(sorted(RECIPES)))
@share(0.08)
def test_any_text_has_a_picture(text: str, recipe: str) -> None:
    assert draw_pictures([text], recipe).shape == (1, 32, 32)
    assert all(0 <= border <= 1 for border in cell_borders(text, recipe))


class Tags(HTMLParser):
    """What a browser would make of a page: names of tags and attributes, and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: dict[str, str] = {}
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name: value or "" for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


HARMFUL = {"script", "iframe", "object", "embed", "base", "link", "meta", "form", "b"}


def harmless(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert not tags.tags & HARMFUL, tags.tags & HARMFUL
    assert not [name for name in tags.attributes if name.startswith("on")]
    addresses = [value for name, value in tags.attributes.items() if name in ("src", "href", "action")]
    known = ("data:image/png", "data:image/webp", "data:application/json", "#")
    assert all(address.startswith(known) for address in addresses), addresses
    return tags


@given(text=short_texts(), language=st.sampled_from(sorted(LANGUAGES)), which=st.integers(1, 40))
@share(0.08)
def test_every_panel_shows_any_text_as_text(engine: Engine, text: str, language: str, which: int) -> None:
    speak = speaker(language)
    try:
        trace = engine.look(text)
    except UserError:
        return
    selected = 1 + which % (len(trace) - 1)
    for draw in (strip_view, disagreement_view, layers_view, lens_view, depth_view):
        harmless(draw(engine, trace, selected, speak))
    harmless(experts_view(engine, trace, selected, 0.35, speak))
    harmless(glyph_view(engine, int(trace.ids[selected]), speak))


@given(first=st.one_of(texts(), values()), second=texts().map(lambda text: text[:3]))
@share(0.08)
def test_the_laboratory_takes_any_pair(engine: Engine, first: Any, second: str) -> None:
    for pair in ((first, second), (first[:2] if isinstance(first, str) else first, second)):
        try:
            harmless(lab_view(engine, *pair, speaker("en")))
        except UserError as error:
            assert is_one_sentence(error)


WORD_PIECES = [
    "кот",
    "cat",
    "猫",
    "дом",
    "дерево",
    "red",
    "blue",
    "sun",
    "вода",
    "火",
    "水",
    "山",
    "x",
    "a:",
    "：",
    ", ",
    "\n",
]


@given(
    text=st.one_of(
        texts(),
        values(),
        st.lists(st.one_of(st.sampled_from(WORD_PIECES), short_texts()), max_size=40).map(" ".join),
    )
)
@share(0.1)
def test_any_word_set_is_taken_or_refused(text: Any) -> None:
    try:
        words = parse_words(text)
    except UserError as error:
        assert is_one_sentence(error)
    else:
        assert MIN_WORDS <= len(words) <= MAX_WORDS
        assert len({word.text for word in words}) == len(words)
        "".join(word.text + word.concept for word in words).encode("utf-8")


NAMES = st.one_of(short_texts(), st.sampled_from(["группа", "x<b>", "${1}"]))


@given(name=NAMES)
@share(0.02)
def test_the_name_of_a_group_is_shown_as_text(engine: Engine, name: str) -> None:
    from app.probing.word_cache import WordCache

    try:
        words = parse_words(f"{name}: кот cat дом мама red\nblue sun water fire")
    except UserError:
        return
    harmless(words_view(WordCache(engine), words, speaker("en")))


@given(value=st.lists(values(), min_size=4, max_size=4))
@share(0.06)
def test_any_value_of_a_widget_is_taken_or_refused(value: list[Any]) -> None:
    try:
        view = PanelSettings.of(*value)
    except UserError as error:
        assert is_one_sentence(error)
    else:
        assert view.language in LANGUAGES and sum(view.weights) == pytest.approx(1)
    assert whole(value[0]) is None or isinstance(value[0], int)


STEPS = ["..", "gradio_api", "file=", "etc", "passwd", "assets", "%2e%2e", "static", "upload", "proxy=http:"]
PATHS = st.one_of(
    texts().map(lambda text: "/" + text[:80]), st.lists(st.sampled_from(STEPS)).map("/".join).map("/{}".format)
)


@given(path=PATHS, language=st.binary(max_size=12))
@share(0.08)
def test_any_address_is_open_or_shut(path: str, language: bytes) -> None:
    shut = not _OPEN.fullmatch(path) or ".." in path
    inner = path.startswith("/gradio_api/") and path.split("/")[2]
    assert shut or inner not in ("file=", "upload", "proxy=http:")
    assert asked_language({"headers": [(b"accept-language", language)], "query_string": b""}) in LANGUAGES
