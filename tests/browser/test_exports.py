"""What a panel saves: the file says what it is of, holds what is on the page, and is drawn whole by any program."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from app.checkpoint.identity import identity_of
from app.engine.examples import OPENINGS
from app.notebook import read_export
from app.system.version import VERSION
from tests.support.browsing import needs_browser, open_fold, open_page, open_tab, read_text, until_lens, write_on

pytestmark = needs_browser

SVG = "{http://www.w3.org/2000/svg}"
LONG = "Мама любит дом. Кот и дом. Мама и кот. " * 2
KINDS = {"json": ".gs-download", "csv": ".gs-csv", "png": "[data-kind='png']", "svg": "[data-kind='svg']"}


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Any:
    page = open_page(browser, address)
    write_on(page, "Мама любит")
    yield page
    page.context.close()


def save(page: Page, panel: str, kind: str, folder: Path) -> Path:
    menu = page.locator(f"#{panel} .gs-save summary").first
    menu.click()
    with page.expect_download() as waiting:
        page.locator(f"#{panel} {KINDS[kind]}").first.click()
    menu.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_three_numbers_on_the_page_follow_from_a_saved_file(page: Page, toy_bundle: Path, tmp_path: Path) -> None:
    path = save(page, "experts", "csv", tmp_path)
    token = page.locator(".gs-chip[aria-pressed='true']").get_attribute("data-index")
    text = "".join(page.locator(".gs-chip .gs-tok").all_inner_texts()).replace("␣", " ")
    assert path.name.startswith("experts_мама-любит") and path.name.endswith(f"_token{token}.csv")
    saved = read_export(path)
    about, table = saved.about, saved.table
    assert table is not None and about["text"] == text and about["token"] == int(token or 0)
    assert identity_of(toy_bundle).items() <= about.items() and about["model"] == toy_bundle.name
    assert about["project"] == f"Glyphscope {VERSION}" and about["date"][:2] == "20" and about["layer"] == "last"
    assert about["seed"] == OPENINGS["en"].seed and about["sampling"]["temperature"] == 0.8  # what the page opens with
    assert about["units"]["probability"] == "0 to 1"

    shown = page.locator("#experts .gs-column").evaluate_all(
        "(columns) => columns.map((c) => c.querySelector('.gs-candidate .gs-number').textContent)"
    )
    for source, percent in zip(("RU", "fused", "ZH"), shown, strict=True):  # the first candidate of each column
        best = table[(table["source"] == source) & (table["rank"] == 1)]["probability"].item()
        assert float(re.sub(r"[^\d.]", "", percent)) == pytest.approx(100 * best, abs=0.051)

    facts = json.loads(save(page, "experts", "json", tmp_path).read_text(encoding="utf-8"))
    page.locator("#experts .gs-more summary").click()
    said = page.locator("#experts .gs-panel").inner_text()
    assert f"{facts['disagreement']:.3f} nats" in said and f"{facts['jensen_shannon']:.3f} bits" in said
    assert {"date": None, **facts["about"]}.keys() == about.keys()


def test_every_panel_with_values_saves_what_it_is_of(page: Page, tmp_path: Path) -> None:
    for tab, panels in {
        "read": ("glyphs", "disagreement"),
        "layers": ("layers", "depth"),
        "break": ("attribution",),
        "proof": ("figures",),
    }.items():
        open_tab(page, tab)
        for panel in panels:
            if page.locator(f"#fold-{panel}").count():
                open_fold(page, f"fold-{panel}")
            page.locator(f"#{panel} .gs-panel").first.wait_for(timeout=30_000)
            saved = read_export(save(page, panel, "json", tmp_path))
            assert saved.table is not None and len(saved.table), panel
            assert {"model", "checksum", "project", "date", "units", "layer"} <= set(saved.about), panel
            assert panel == "figures" or saved.about["text"], panel


def test_a_long_lens_is_saved_whole_and_as_shapes(page: Page, tmp_path: Path) -> None:
    read_text(page, LONG[:60].strip())
    open_tab(page, "layers")
    until_lens(page)
    page.add_style_tag(content=".gs-lens .gs-scroll { max-height: 150px }")
    scrolled = page.locator("#lens .gs-scroll").first
    assert scrolled.evaluate("(node) => (node.scrollTop = node.scrollHeight, node.scrollTop)") > 50
    height = scrolled.evaluate("(node) => node.scrollHeight")
    root = ElementTree.parse(save(page, "lens", "svg", tmp_path)).getroot()
    assert root.find(f".//{SVG}foreignObject") is None and float(root.get("height", "0")) > height
    texts = [node.text for node in root.iter(f"{SVG}text")]
    for word in page.locator("#lens tbody th").all_inner_texts():  # those above and below the window too
        assert not word.strip() or word.strip() in texts
    metadata = root.findtext(f"{SVG}metadata")
    assert metadata and json.loads(metadata)["layer"] == "all"

    picture = save(page, "lens", "png", tmp_path)
    assert read_export(picture).about["panel"] == "lens"
    with Image.open(picture) as image:
        assert abs(image.height - 2 * float(root.get("height", "0"))) <= 2
        pixels = np.asarray(image.convert("RGB")).astype(int)
    rows = pixels[pixels.shape[0] // 2 :].std(axis=(1, 2))
    assert (rows > 5).mean() > 0.5  # its lower half is drawn
