"""Another model on the page: loaded while the bundled one serves, switched to when it is ready, refused in one
sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import needs_browser, open_page, open_tab, write_on
from tests.support.folders import Folder, write_folder
from tests.support.server import serving

pytestmark = needs_browser
PATIENCE = 120_000


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("models")
    for code in ("two_towers", "adapted", "single"):
        write_folder(base / code, Folder(code))
    return base


@pytest.fixture(scope="module")
def served(folders: Path) -> Iterator[str]:
    """A server that was asked for a checkpoint that is not ours, with two more to pick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLYPHSCOPE_TRUST_REMOTE_CODE", "1")
        patch.setenv("GLYPHSCOPE_MODELS", f"{folders / 'adapted'},{folders / 'single'},Bochkov/best_bvv_moe")
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        patch.setenv("HF_HUB_CACHE", str(folders / "cache" / "hub"))
        with serving(folders / "two_towers") as (address, _, _):
            yield address


def on_view(page: Page, name: str) -> None:
    expect(page.locator(".gs-foot")).to_contain_text(f"Model on display: {name} ", timeout=PATIENCE)
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=PATIENCE)


def pick(page: Page, name: str) -> None:
    page.locator("#model input").click()
    page.get_by_role("listbox").get_by_role("option", name=name, exact=True).click()


def errors_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def test_the_page_switches_over_and_says_how_the_model_was_understood(browser: Browser, served: str) -> None:
    page = open_page(browser, served)
    errors = errors_of(page)
    on_view(page, "two_towers")
    open_tab(page, "proof")
    report = page.locator("#report")
    expect(report).to_contain_text("our cached decoder over its weights: pre-LayerNorm")
    expect(report).to_contain_text("marked as frozen")
    open_tab(page, "read")
    expect(page.locator("#glyphs")).to_contain_text("held-out pictures back exactly")
    write_on(page, "The cat")
    expect(page.locator("#experts")).to_contain_text("each expert's exact share")
    assert not errors
    page.context.close()


def test_picked_models_fit_the_panels_to_what_they_have(browser: Browser, served: str) -> None:
    page = open_page(browser, served)
    errors = errors_of(page)
    on_view(page, "two_towers")
    for name, sentence in (("single", "single expert"), ("adapted", "shares are not additive")):
        pick(page, name)
        on_view(page, name)
        expect(page.locator("#experts")).to_contain_text(sentence, timeout=PATIENCE)
        expect(page.locator("#weight")).to_be_hidden()
        write_on(page, "Мама")
        expect(page.locator("#experts")).to_contain_text(sentence)
    pick(page, "glyphscope-mini")
    on_view(page, "glyphscope-mini")
    expect(page.locator("#weight")).to_be_visible()
    assert not errors
    page.context.close()


def test_a_refused_model_is_one_sentence_and_the_page_goes_on(browser: Browser, served: str) -> None:
    page = open_page(browser, served)
    on_view(page, "two_towers")
    pick(page, "Bochkov/best_bvv_moe")
    expect(page.locator("#loading")).to_contain_text("The hub cannot be reached", timeout=PATIENCE)
    write_on(page, "The dog")
    on_view(page, "two_towers")
    page.context.close()


@pytest.mark.parametrize("model", ["untrusted", "empty", "missing"])
def test_what_cannot_be_shown_leaves_the_bundled_model(
    browser: Browser, folders: Path, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLYPHSCOPE_TRUST_REMOTE_CODE", raising=False)
    places: dict[str, Any] = {"untrusted": folders / "two_towers", "empty": tmp_path, "missing": tmp_path / "none"}
    sentences = {"untrusted": "which is not run unasked", "empty": "lacks config.json", "missing": "There is no folder"}
    with serving(places[model]) as (address, process, _):
        page = open_page(browser, address)
        expect(page.locator("#loading")).to_contain_text(sentences[model], timeout=PATIENCE)
        on_view(page, "glyphscope-mini")
        assert process.poll() is None
        page.context.close()
