"""The files of Gradio's own page: sent packed from memory, and kept by browsers for good, as their names change with
what is in them; and which of them a page needs at once.

Gradio would read and pack a file anew for each visitor, and its page would ask for scripts one after the other: each
one names the next.
"""

import mimetypes
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

import gradio
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from app.web.packed_file import packed, packed_response
from app.web.security import refusal

FILES = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
_TEXTS = (".js", ".css", ".svg")
_IMPORT = r"import\(`\./([\w.-]+\.js)`\)[^`]{0,40}?,__vite__mapDeps\(\[([\d,]*)\]\)"
"""A module that is fetched when it is needed, and the numbers of all files that it needs itself, as Vite writes it."""
_COMPONENT = r"\b%s:\{(?:(?!\}},).)*?component:\(\)=>\w+\(\(\)=>"
"""What stands before the import of a component of a type."""
_NUMBERED = re.compile(r"m\.f=\[([^]]*)\]")
_ENTRY = re.compile(r'src="\./assets/(index-[\w-]+\.js)"')


def gradio_routes() -> list[Route]:
    """Gradio's files."""
    return [Route("/assets/{name}", gradio_file)]


async def gradio_file(request: Request) -> Response:
    """One of them."""
    name = request.path_params["name"]
    if name not in _names():
        return refusal(404, "no_such_page", request.scope)
    caching = "public, max-age=31536000, immutable"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if not name.endswith(_TEXTS):
        return FileResponse(FILES / name, media_type=kind, headers={"Cache-Control": caching})
    return packed_response(request, lambda coding: _packed(name, coding), kind, caching)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in FILES.iterdir())


@cache
def _packed(name: str, coding: str) -> bytes:
    return packed((FILES / name).read_bytes(), coding)


@cache
def first_files(types: Collection[str]) -> tuple[str, ...]:
    """The names of the scripts and styles that a page with components of these types asks for when it is opened; fewer,
    or none, where Gradio's files are not written as they are today."""
    entry = _ENTRY.search((FILES.parent / "index.html").read_text(encoding="utf-8"))
    if entry is None:
        return ()
    needed = dict.fromkeys([entry[1], *_brought(entry[1], "Index-"), *_brought(entry[1], "core-")])
    for importer in list(needed):
        needed |= dict.fromkeys(_brought(importer, "Blocks-") if importer.startswith("Index-") else ())
    core = next((name for name in needed if name.startswith("core-") and name.endswith(".js")), entry[1])
    for kind in types:
        needed |= dict.fromkeys(_brought(core, "", _COMPONENT % re.escape(kind)))
    return tuple(needed)


def _brought(importer: str, begins: str, before: str = "") -> tuple[str, ...]:
    """What one import in a script brings, all that the module needs itself included; the module's name begins so, and
    this pattern stands before the import."""
    source = (FILES / importer).read_text(encoding="utf-8")
    files = [name.strip('"').removeprefix("./") for name in (_NUMBERED.search(source) or [""] * 2)[1].split(",")]
    found = next((one for one in re.finditer(before + _IMPORT, source) if one[1].startswith(begins)), None)
    return () if found is None else tuple(files[int(number)] for number in found[2].split(",") if number)
