"""The Chinese characters that come with the page: all that it needs, found where the page asks for them."""

import io
import re

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.web.han_font import ADDRESS, FAMILY, FILE, SHOWN, font_html, font_route, is_han, needed
from app.wording.catalogue import LANGUAGES


def test_every_chinese_character_of_our_texts_is_in_the_font() -> None:
    """If this fails: `python -m app.web.han_font` makes the font anew."""
    missing = needed() - set(map(chr, TTFont(FILE).getBestCmap()))
    assert not missing, "".join(sorted(missing))
    assert {"的", "，", "猫", *LANGUAGES["zh"]} <= needed() and "app/wording/zh.toml" in SHOWN
    assert not any(map(is_han, "aя—“”…"))


def test_the_font_is_small_and_goes_by_a_name_of_its_own() -> None:
    assert FILE.stat().st_size < 200_000
    assert str(TTFont(FILE)["name"].getDebugName(1)) == FAMILY
    assert "Open Font License" in (FILE.parent / "LICENSE-han.txt").read_text(encoding="utf-8")


def test_the_page_asks_for_it_after_the_fonts_of_the_device() -> None:
    style = font_html()
    assert style.index("local('Microsoft YaHei')") < style.index(f"url('{ADDRESS}')")
    assert re.search(r"unicode-range:U\+2E80-9FFF", style)
    answer = TestClient(Starlette(routes=[font_route()])).get(f"/{ADDRESS}")
    assert answer.headers["content-type"] == "font/woff2"
    assert len(TTFont(io.BytesIO(answer.content)).getBestCmap()) >= len(needed())
