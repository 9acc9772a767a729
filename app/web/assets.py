"""The page's own scripts and styles, `assets/page/`: in which order, under which address, how packed."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.web.gradio_files import first_files, gradio_routes
from app.web.han_font import font_html, font_route
from app.web.header import present_words, tour_words
from app.web.packed_file import packed, packed_response
from app.web.security import BOOT, refusal
from app.web.tabs import SLIDES, TABS
from app.wording.catalogue import LANGUAGES, say

PAGE = Path(__file__).parents[2] / "assets" / "page"

STYLES = (
    *("colours", "gradio", "marks", "header", "hero", "prompt", "panel", "legend", "player", "strip", "sides"),
    *("glyphs", "lab", "experts", "alone", "disagreement", "layers", "words", "lens", "charts", "proof", "figures"),
    *(
        "report",
        "change",
        "answers",
        "patching",
        "comparison",
        "findings",
        "exchange",
        "drawing",
        "flips",
        "attribution",
    ),
    *("attention", "silencing", "lesson", "room"),
    *("glossary", "tabs", "link", "recover", "tour", "present", "sheet", "first", "embed"),
)
"""The style sheets in the order of the cascade: what all share, the panels from top to bottom, what lies over them.
Among rules of one weight the later wins, so a panel may refine what is shared, and no panel another one."""

FIRST_STYLES = ("colours", "marks", "header", "hero", "prompt", "panel", "strip", "sides", "first", "embed")
"""Those that the first view needs; it is in the page before any of them could be fetched."""

PAPER_STYLE = "print"
"""The one that only paper needs: not among them, as the head of the page has it as it is."""

FIRST_SCRIPT = "first.js"
PLOTLY = "plotly-basic.min.js"
VENDOR = PAGE.parent / "vendor"
"""Scripts of others, as they were published."""


def style_paths() -> list[Path]:
    """The files of the style sheets, for Gradio, which puts them one after the other."""
    return [PAGE / f"{name}.css" for name in STYLES]


def first_style() -> str:
    """The style of the first view."""
    return "".join((PAGE / f"{name}.css").read_text(encoding="utf-8") for name in FIRST_STYLES)


def first_script() -> str:
    """The script of the first view, the only one that stands in the page itself."""
    return (PAGE / FIRST_SCRIPT).read_text(encoding="utf-8")


def inline_mount(name: str, selector: str) -> str:
    """A module that imports nothing as a script in the page itself, for what should not wait for modules: they run
    only after Gradio's own."""
    source = modules()[name].decode()
    assert "import " not in source.split("export ")[0] and "</script" not in source, name
    return f"(() => {{{source.replace('export const ', 'const ')}mount(document.querySelector('{selector}'));}})();"


@cache
def modules() -> Mapping[str, bytes]:
    """The ES modules by the names of their files."""
    return {path.name: path.read_bytes() for path in sorted(PAGE.glob("*.js")) if path.name != FIRST_SCRIPT}


@cache
def version() -> str:
    """A checksum of all modules. It is in their address, so that browsers may keep them for good, and as the folder's
    name, so that what they import from each other carries it too."""
    digest = hashlib.sha256()
    for name, source in modules().items():
        digest.update(f"{name} {len(source)}\n".encode() + source)
    return digest.hexdigest()[:16]


def module_address(name: str) -> str:
    """Where a module is, from the page: there may be a path before it that only the browser knows."""
    assert name in modules(), name
    return f"gs/page/{version()}/{name}"


def call_module(name: str, function: str, arguments: str) -> str:
    """JavaScript that calls what a module exports. Code made from text resolves an address against Gradio's scripts,
    so it is resolved against the page first."""
    return (
        f"import(new URL('{module_address(name)}', document.baseURI))\n"
        f"  .then((module) => module.{function}({arguments}))"
    )


def mount_script(name: str) -> str:
    """What an HTML component runs when it is there: hand itself and Gradio's functions to its module."""
    return call_module(name, "mount", "element, { props, trigger, watch, server }")


FIRST_MODULES = ("main.js", "hero.js", "panel.js", "strip.js", "glyphs.js", "link.js", "news.js")
"""What the first view needs, with what these import; the others are fetched once nothing else is."""


def preload_html(types: Collection[str], theme: str) -> str:
    """Let the browser fetch at once what would be asked for piece by piece: our modules, and Gradio's own files for
    components of these types, with its theme of this checksum."""
    files = first_files(frozenset(types))
    first = needed_modules(FIRST_MODULES)
    links = [
        *(f"<link rel='stylesheet' crossorigin href='assets/{name}'>" for name in files if name.endswith(".css")),
        f"<link rel='preload' as='style' href='theme.css?v={theme}'>",
        *(f"<link rel='modulepreload' href='assets/{name}'>" for name in files if name.endswith(".js")),
        *(f"<link rel='modulepreload' href='{module_address(name)}'>" for name in first),
        *(
            f"<link rel='prefetch' crossorigin href='{module_address(name)}'>"
            for name in modules()
            if name not in first
        ),
    ]
    return "".join(links)


def needed_modules(names: Iterable[str]) -> tuple[str, ...]:
    """Modules with all that they import."""
    found: dict[str, None] = {}
    asked = list(names)
    while asked:
        if (name := asked.pop(0)) not in found:
            found[name] = None
            asked += _IMPORTED.findall(modules()[name].decode())
    return tuple(found)


_IMPORTED = re.compile(r"^import .* from '\./([\w.]+)';$", re.MULTILINE)


def head_html() -> str:
    """What the page runs as a whole, and the sentences that the scripts say."""
    said = {
        "away": {language: say("away", language) for language in LANGUAGES},
        "broke_off": {language: say("broke_off", language) for language in LANGUAGES},
        "maps": {language: [say("maps_away", language), say("maps_again", language)] for language in LANGUAGES},
        "present": {language: present_words(language) for language in LANGUAGES},
        "sheet": {
            language: {"title": say("sheet_title", language), "close": say("sheet_close", language)}
            for language in LANGUAGES
        },
        "tabs": {language: say("contents", language) for language in LANGUAGES},
        "tour": {language: tour_words(language) for language in LANGUAGES},
    }
    facts = script_json({"boot": BOOT, "tabs": TABS, "slides": SLIDES, "said": said})
    return (
        f"{font_html()}<style media='print'>{(PAGE / f'{PAPER_STYLE}.css').read_text(encoding='utf-8')}</style>"
        f"<script type='application/json' id='gs-page'>{facts}</script>"
        f"<script type='module' src='{module_address('main.js')}'></script>"
    )


def script_json(value: Any) -> str:
    """A value as JSON that no text in it can end the script element of."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def page_routes() -> list[Route]:
    """Our modules, Plotly's script, our font, and Gradio's files."""
    return [
        *gradio_routes(),
        font_route(),
        Route("/gs/page/{version}/{name}", page_module),
        Route(f"/gs/{PLOTLY}", plotly_script),
    ]


async def page_module(request: Request) -> Response:
    """One of our modules; only of this version, since modules of two versions must not be mixed on one page."""
    name = request.path_params["name"]
    if request.path_params["version"] != version() or name not in modules():
        return refusal(404, "no_such_page", request.scope)
    return _script(request, name, "public, max-age=31536000, immutable")


async def plotly_script(request: Request) -> Response:
    """The script that draws interactive figures: the part of Plotly that draws curves and points, a third of the
    whole that plotly.py carries."""
    return _script(request, PLOTLY, "public, max-age=86400")


def _script(request: Request, name: str, caching: str) -> Response:
    return packed_response(request, lambda coding: _packed(name, coding), "text/javascript", caching)


@cache
def _packed(name: str, coding: str) -> bytes:
    """A script as it is sent; packed once."""
    return packed((VENDOR / PLOTLY).read_bytes() if name == PLOTLY else modules()[name], coding)
