"""Links: a state survives the way through an address, and what is no link of ours is refused with a sentence."""

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.sampling import Sampling
from app.panels.link import link_view, qr_code
from app.probing.word_list import parse_words
from app.web.deep_link import (
    _USUAL,
    MAX_JSON,
    MAX_PACKED,
    PageLink,
    linked,
    linked_language,
    packed,
    unpacked,
)
from app.web.linked_instruments import (
    ComparedPictures,
    DrawnPicture,
    ExchangedState,
    LookedAt,
    MovedState,
    SplitMargin,
)
from app.web.on_link import written_out
from app.wording.catalogue import LANGUAGES, say, speaker
from app.wording.errors import UserError
from tests.support.odd import share, short_texts

ODD = "<b>${1}</b> & мир? #我=\"'%41+"
FULL = PageLink(
    text="I love my mother. Я люблю маму. 我爱", how="read", seed=4, temperature=0.55, top_k=7, made_with=0.3,
    language="ru", tab="layers", selected=7, cell=(1, 4), layer=3, weight=0.7, fusion="gate", measure="balance",
    word_set="kept_ru", own_words="pets: cat dog fox\nтрое: раз два три", proof_set="nouns_zh", layout="umap",
    colour="language", mode="dots", word=3,
)  # fmt: skip
INSTRUMENTS = FULL.model_copy(
    update={
        "tab": "break",
        "folds": ("patching", "exchange", "drawing", "attribution", "attention"),
        "moved": MovedState(first="虽然我很累，", second="因为我很累，", answers=(81, 4), back=True, cell=(2, 5, 7)),
        "drawn": DrawnPicture(text="他喝了一", index=2, target="开", pixels="00ff12ab" * 32, share=0.35, fewest=True),
        "exchanged": ExchangedState(
            text="= I have a cat. = zh:", word="cat", donor="= 我有一只猫。 = en:", translation="猫", unrelated="茶"
        ),
        "split": SplitMargin(text="Маша никогда не", answers=(811, 4_012), position=3),
        "looked": LookedAt(text="虽然我很累，", index=3, token=81, head=(1, 5, 2), parts=((0, "block", 4, 0),)),
        "lab": ComparedPictures(first="己", second="已"),
    }
)


def pack(state: Any, level: int = 9) -> str:
    """Anything as the parameter of a link, without the checks of our own packer."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, zdict=_USUAL)
    data = state if isinstance(state, bytes) else json.dumps(state).encode()
    return base64.urlsafe_b64encode(packer.compress(data) + packer.flush()).decode().rstrip("=")


def test_every_part_of_a_state_survives_and_the_link_is_short() -> None:
    usual = {name for name, value in INSTRUMENTS if value == PageLink.model_fields[name].default}
    assert usual == {"top_p", "new_tokens"}, "whatever else there is has another value here"
    assert unpacked(packed(FULL)) == FULL and len(packed(FULL)) < 400
    noise = np.random.default_rng(0).bytes(128).hex()  # no picture packs worse
    assert INSTRUMENTS.drawn is not None
    drawn = INSTRUMENTS.model_copy(update={"drawn": INSTRUMENTS.drawn.model_copy(update={"pixels": noise})})
    assert unpacked(packed(drawn)) == drawn and len(packed(drawn)) < 1_500
    assert unpacked(packed(PageLink())) == PageLink() and unpacked(pack({})) == PageLink()
    long = PageLink(text=ODD * 90, own_words="слово " * 1_000)
    assert unpacked(packed(long)) == long


def test_links_that_are_out_there_are_still_understood() -> None:
    """Packed once, by this very packer: a change of its dictionary would break every link there is."""
    assert (
        unpacked(
            "gzM8FXLyy1IVcisVcvNLMlKL9BQurFe4sPti34WNIFLhwp4LGy7sudisp_CsY-Lzjo1KMJOh_kGz2BThLHOYs03Q_GeMEgrAIICFHTSkkMPVHB7ihjomsfB4MEaOHnP0CMUW_ygJCZZgdFASXEFqSbGVQnJiiUJKfrpCWn5FTN7FposNF_Zd2GqlAKQ3XNiucGHLhU0XNiiAxXdgTcnAWEVP9NgyCDxHgTMSxHVAf9UCAA"
        )
        == FULL
    )


@given(text=short_texts(), seed=st.integers(0, 2**63 - 1), cell=st.tuples(st.integers(0, 9), st.integers(0, 99)))
@share(0.2)
def test_any_text_survives(text: str, seed: int, cell: tuple[int, int]) -> None:
    link = PageLink.of(text, Sampling(seed=seed), cell=cell)
    if any("\ud800" <= character <= "\udfff" for character in text):  # half a character: no address can carry it
        with pytest.raises(UserError):
            packed(link)
        return
    assert unpacked(packed(link)) == link and link.sampling == Sampling(seed=seed)


@pytest.mark.parametrize(
    "state",
    [
        [], "text", None, 7, {"text": 7}, {"text": None}, {"nothing": 1}, {"how": "burn"}, {"tab": "attic"},
        {"tab": ["read"]}, {"language": "de"}, {"fusion": "x"}, {"measure": {}}, {"word_set": "all"},
        {"proof_set": "../x"}, {"layout": "tsne"}, {"selected": -1}, {"selected": 1.5}, {"selected": True},
        {"selected": "1"}, {"cell": [1]}, {"cell": [1, 2, 3]}, {"cell": [0, 10**9]}, {"weight": 1.01},
        {"weight": float("nan")}, {"made_with": float("inf")}, {"seed": 1.5}, {"own_words": "x" * 7_000},
        {"folds": ["attic"]}, {"folds": "drawing"}, {"moved": []}, {"moved": {"first": "a"}}, {"moved": {"first": 1}},
        {"moved": {"first": "a", "second": "b", "answers": [1]}}, {"moved": {"first": "a" * 501, "second": "b"}},
        {"moved": {"first": "a", "second": "b", "cell": [0, -1, 0]}}, {"moved": {"first": "a", "second": "b", "x": 1}},
        {"drawn": {"text": "a", "index": 1, "target": "b", "pixels": "0" * 255}}, {"drawn": {"text": "a"}},
        {"drawn": {"text": "a", "index": 1, "target": "b", "pixels": "g" * 256}}, {"drawn": 7},
        {"drawn": {"text": "a", "index": 1, "target": "b" * 17, "pixels": "0" * 256}},
        {"drawn": {"text": "a", "index": 1, "target": "b", "pixels": "0" * 256, "noise": 257}}, {"exchanged": {}},
        {"split": {"text": "a", "answers": ["b", 1]}}, {"looked": {"text": "a", "parts": [[0, "soul", 1, 0]]}},
        {"looked": {"text": "a", "head": [0, 1]}}, {"looked": {"text": "a", "parts": [[0, "mlp", 1, 0]] * 513}},
        {"lab": {"first": "a"}}, {"lab": {"first": "a" * 33, "second": "b"}},
        b"{", b"", b"\xff\xfe", b'{"text": "a\xff"}', b"[" * 9_000,
    ],
)  # fmt: skip
def test_a_pack_of_anything_else_is_refused(state: Any) -> None:
    with pytest.raises(UserError) as found:
        unpacked(pack(state))
    assert found.value.code == "bad_link" and all(say("bad_link", language) for language in LANGUAGES)


@pytest.mark.parametrize("state", [{"seed": -1}, {"temperature": 3}, {"top_p": 0}, {"new_tokens": 10**6}])
def test_a_packed_setting_out_of_range_is_told(state: dict[str, float]) -> None:
    with pytest.raises(UserError) as found:
        unpacked(pack(state))
    assert found.value.code == f"bad_{next(iter(state))}"


def test_a_bomb_is_not_unpacked() -> None:
    """A few kB that would become many MB: unpacking ends at the largest state that there can be."""
    bomb = pack(b'{"text": "' + b"a" * 10_000_000 + b'"}')
    assert len(bomb) < MAX_PACKED, "it has to get to the unpacker"
    assert len(json.dumps({"text": "a" * MAX_JSON})) > MAX_JSON
    for hostile in (bomb, pack({"text": "a" * MAX_JSON}), "A" * (MAX_PACKED + 1)):
        with pytest.raises(UserError, match=say("bad_link")):
            unpacked(hostile)


@given(text=st.text(max_size=60) | st.text("ABCabc019-_=+/", max_size=200))
@share(0.3)
def test_any_parameter_is_understood_or_refused(text: str) -> None:
    try:
        assert isinstance(unpacked(text), PageLink)
    except UserError as error:
        assert all(say(error.code, language, **error.values) for language in LANGUAGES)


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_link_that_lost_its_end_is_refused(cut: int) -> None:
    with pytest.raises(UserError):
        unpacked(packed(FULL)[:-cut])


def test_an_address_of_the_older_form_names_a_text_and_how_to_write_on() -> None:
    whole = {"text": ODD, "temperature": "0.5", "top_k": "7", "top_p": "0.9", "seed": "11", "new_tokens": "5"}
    assert linked(whole) == PageLink.of(ODD, Sampling(0.5, 7, 0.9, 11, 5))
    assert linked({"text": "мир", "seed": "", "lang": "ru", "other": "x"}) == PageLink(text="мир")
    assert linked({"text": " \n", "seed": "1"}) is None and linked({}) is None
    assert linked({"text": "мир", "s": packed(FULL)}) == FULL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", "-1"),
        ("seed", "9" * 30),
        ("temperature", "nan"),
        ("top_p", "inf"),
        ("top_k", "5.5"),
        ("new_tokens", "a"),
    ],
)
def test_a_setting_out_of_range_is_told(name: str, value: str) -> None:
    with pytest.raises(UserError) as found:
        linked({"text": "мир", name: value})
    assert found.value.code == f"bad_{name}"


@given(query=st.dictionaries(st.sampled_from(["text", "s", "seed", "top_k", "top_p", "temperature"]), short_texts()))
@share(0.2)
def test_any_address_is_understood_or_refused(query: dict[str, str]) -> None:
    try:
        found = linked(query)
    except UserError as error:
        assert all(say(error.code, language, **error.values) for language in LANGUAGES)
    else:
        assert found is None or query.get("s") or found.text == query["text"]


def test_the_first_view_speaks_the_language_of_the_link() -> None:
    assert linked_language({"s": packed(FULL)}) == "ru" and linked_language({"s": packed(FULL), "lang": "zh"}) == "zh"
    assert linked_language({"s": "broken"}) is None and linked_language({"lang": "en"}) == "en"


def test_own_words_are_written_so_that_they_are_read_as_the_same() -> None:
    words = parse_words("pets: cat dog fox\n猫 狗 鸟\nцвета: белый, синий; алый")
    assert set(parse_words(written_out(words))) == set(words)


def test_the_box_shows_the_address_its_code_and_a_frame_and_nothing_of_it_is_markup() -> None:
    shown = link_view('https://x.org/?s=a"><script>', speaker("en"))
    assert "<script" not in shown and shown.count("<svg") == 1 and "embed=1" in shown
    assert qr_code("x" * 4_000) == "" and say("link_no_code", "ru") in link_view("x" * 4_000, speaker("ru"))
