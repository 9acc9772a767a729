"""The page's own scripts and styles: complete, short of line, without globals, and served packed."""

import gzip
import json
import re
from pathlib import Path

import brotli
import pytest
from plotly.offline import get_plotlyjs_version
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.web.assets import (
    FIRST_SCRIPT,
    FIRST_STYLES,
    PAGE,
    PAPER_STYLE,
    PLOTLY,
    STYLES,
    VENDOR,
    head_html,
    module_address,
    modules,
    mount_script,
    page_routes,
    preload_html,
    script_json,
)

ROOT = Path(__file__).parents[2]
FILES = sorted([*PAGE.glob("*.js"), *PAGE.glob("*.css")])
MODULES = {name: source.decode() for name, source in modules().items()}
IMPORT = re.compile(r"^import \{([^}]+)\} from '\./([\w.]+)';$", re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_lines_fit_the_width(path: Path) -> None:
    long = [line for line in path.read_text(encoding="utf-8").splitlines() if len(line) > 120]
    assert not long


def test_every_style_sheet_has_its_place_in_the_cascade() -> None:
    assert sorted([*STYLES, PAPER_STYLE]) == [path.stem for path in sorted(PAGE.glob("*.css"))]
    places = [STYLES.index(name) for name in FIRST_STYLES]
    assert places == sorted(places), "the first view reads them in the same order"


def test_every_module_is_imported() -> None:
    """By another one, or by its name in Python: a panel, the head or a button."""
    python = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app" / "web").glob("*.py"))
    roots = {name for name in re.findall(r"\"([\w.]+\.js)\"|'([\w.]+\.js)'", python) for name in name if name}
    roots |= set(re.findall(r"/(\w+\.js)'", head_html()))
    imported = {name for source in MODULES.values() for _, name in IMPORT.findall(source)}
    roots -= {FIRST_SCRIPT, PLOTLY}
    assert roots | imported == set(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_import_what_others_export(name: str) -> None:
    assert MODULES[name].count("import {") == len(IMPORT.findall(MODULES[name]))
    for names, other in IMPORT.findall(MODULES[name]):
        for wanted in (part.split(" as ")[0].strip() for part in names.split(",")):
            declared = rf"^export const {wanted}\b|^export \{{[^}}]*\b{wanted}\b"
            assert re.search(declared, MODULES[other], re.MULTILINE), (other, wanted)


def test_an_experts_colour_stands_in_one_file() -> None:
    """So that changing it touches one file: neither its name is set anew elsewhere, nor its value repeated."""
    colours = (PAGE / "colours.css").read_text(encoding="utf-8")
    values = re.findall(r"--gs-(?:first|second|third|fourth): (#\w+);", colours)
    assert len(values) >= 4
    sources = [path for folder in ("app", "viz", "assets/page") for path in (ROOT / folder).rglob("*.*")]
    for path in sources:
        if path.suffix in (".py", ".css", ".js", ".html") and path.name != "colours.css":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"--gs-(first|second|third|fourth):", text), path
            assert not any(value in text for value in values), path


@pytest.mark.parametrize("name", sorted([*MODULES, FIRST_SCRIPT]))
def test_scripts_make_no_globals(name: str) -> None:
    source = (PAGE / name).read_text(encoding="utf-8")
    assert not re.search(r"\b(window|globalThis|self)(\.\w+|\[[^]]+\])\s*(=(?!=)|\?\?=|\|\|=)", source)
    read = set(re.findall(r"\bwindow\.(\w+)", source)) - {"sessionStorage"}
    assert read <= ({"Plotly"} if name == "plotly.js" else set()), "Plotly's own script makes the one global"


def test_plotlys_script_is_of_the_version_that_plotly_py_checks_figures_for() -> None:
    """So that what one takes the other draws; of the kinds of traces it holds those that our figures have."""
    script = (VENDOR / PLOTLY).read_text(encoding="utf-8")
    major = get_plotlyjs_version().split(".")[0]
    assert re.match(rf"/\*\*\n\* plotly\.js \(basic - minified\) v{major}\.", script)
    assert "MIT License" in (VENDOR / "LICENSE-plotly.txt").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "viz").glob("*.py"))
    kinds = {kind.lower() for kind in re.findall(r"\bgo\.(\w+)\(", source)} - {"figure", "layout"}
    kinds |= set(re.findall(r"\"type\": \"(\w+)\"", source)) - {"line"}
    assert kinds == {"scatter"}, "the basic script draws only scatter, bar and pie"


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=page_routes()))


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_are_served_packed_and_kept_for_good(client: TestClient, name: str) -> None:
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}
    for coding in unpack:
        with client.stream("GET", "/" + module_address(name), headers={"accept-encoding": coding}) as answer:
            body = b"".join(answer.iter_raw())
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers.get("content-encoding", "") == coding and answer.headers["vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["cache-control"]
        assert unpack[coding](body) == (PAGE / name).read_bytes()


def test_other_versions_and_other_files_are_not_there(client: TestClient) -> None:
    address = module_address("words.js")
    folder = address.rsplit("/", 1)[0]
    for wrong in ("gs/page/0123456789abcdef/words.js", f"{folder}/none.js", f"{folder}/{FIRST_SCRIPT}",
                  f"{folder}/words.css", f"{folder}/%2e%2e%2fwords.js"):  # fmt: skip
        answer = client.get("/" + wrong)
        assert answer.status_code == 404 and "immutable" not in answer.headers.get("cache-control", ""), wrong


def test_addresses_are_relative_to_the_page() -> None:
    """A reverse proxy may put a path before all of them."""
    for html in (head_html(), preload_html((), "abc"), mount_script("words.js")):
        found = re.findall(r"(?:src|href|URL)[=(]'([^']+)'", html)
        assert found and all(address.startswith(("gs/page/", "assets/", "theme.css?v=")) for address in found)


def test_sentences_for_scripts_cannot_end_their_element() -> None:
    hostile = {"text": "</script><img src=x onerror=alert(1)>", "<!--": "привет"}
    written = script_json(hostile)
    assert "<" not in written and json.loads(written) == hostile
    inside = re.search(r"id='gs-page'>(.*?)</script>", head_html())
    assert inside and set(json.loads(inside.group(1))) == {"boot", "tabs", "slides", "said"}
