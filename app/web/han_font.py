"""Chinese characters for devices that have no font for them: a subset of Noto Sans CJK SC, `assets/fonts/han.woff2`.

It holds the characters of our own texts and word lists.  The browser fetches it only where a page shows such a
character and none of the device's usual fonts has it.  Made anew by

    python -m app.web.han_font /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
"""

import sys
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ROOT = Path(__file__).parents[2]
FILE = ROOT / "assets" / "fonts" / "han.woff2"
FAMILY = "Glyphscope Han"
ADDRESS = "gs/han.woff2"
SHOWN = (
    "app/wording/en.toml",
    "app/wording/ru.toml",
    "app/wording/zh.toml",
    "app/wording/catalogue.py",
    "app/engine/examples.py",
    "app/probing/contexts.py",
    "app/probing/word_list.py",
    "app/web/on_translate.py",
    "assets/words.tsv",
    "assets/words_second.tsv",
    "assets/stories.toml",
)
"""The files whose Chinese characters the page shows whatever the model says."""

_RANGES = ((0x2E80, 0x9FFF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF))
"""CJK with its punctuation and full-width forms; curly quotes and dashes are in every font."""
_ON_DEVICES = (
    "PingFang SC",
    "PingFangSC-Regular",
    "Microsoft YaHei",
    "MicrosoftYaHei",
    "Noto Sans CJK SC",
    "NotoSansCJKsc-Regular",
    "Noto Sans SC",
    "NotoSansSC-Regular",
    "Source Han Sans SC",
    "Noto Sans CJK JP",
    "NotoSansCJKjp-Regular",
    "Hiragino Sans GB",
    "HiraginoSansGB-W3",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "SimSun",
)
"""Fonts that devices have, by full or PostScript name."""
_FACE = "Noto Sans CJK SC"  # the face in the collection
_NAMES = {1: FAMILY, 3: FAMILY, 4: FAMILY, 6: FAMILY.replace(" ", "")}


def is_han(character: str) -> bool:
    """Whether a character is one that only fonts for Chinese have."""
    return any(low <= ord(character) <= high for low, high in _RANGES)


def needed() -> set[str]:
    """The Chinese characters of our own texts and word lists."""
    return {c for name in SHOWN for c in (ROOT / name).read_text(encoding="utf-8") if is_han(c)}


def font_html() -> str:
    """The font as a style: fonts of the device first, then ours."""
    local = ",".join(f"local('{name}')" for name in _ON_DEVICES)
    ranges = ",".join(f"U+{low:X}-{high:X}" for low, high in _RANGES)
    return (
        f"<style>@font-face{{font-family:'{FAMILY}';src:{local},url('{ADDRESS}') format('woff2');"
        f"font-display:swap;unicode-range:{ranges}}}</style>"
    )


def font_route() -> Route:
    """Where the font is."""
    return Route(f"/{ADDRESS}", _font)


async def _font(request: Request) -> Response:
    return Response(_bytes(), media_type="font/woff2", headers={"Cache-Control": "public, max-age=604800"})


@cache
def _bytes() -> bytes:
    return FILE.read_bytes()


def make_subset(collection: Path, to: Path = FILE) -> None:
    """Write the subset of a collection of Noto's CJK fonts; under a name of its own, for it is not the whole font."""
    from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
    from fontTools.ttLib import TTCollection  # type: ignore[import-untyped]

    font = next(f for f in TTCollection(collection).fonts if f["name"].getDebugName(4) == _FACE)
    options = Options(layout_features=[], hinting=False, desubroutinize=True, name_IDs=[0, 1, 2, 3, 4, 6, 13, 14])
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[ord(c) for c in needed()])
    subsetter.subset(font)
    for record in font["name"].names:
        record.string = _NAMES.get(record.nameID, record.toUnicode())
    font.flavor = "woff2"
    font.save(to)


if __name__ == "__main__":
    make_subset(Path(sys.argv[1]))
