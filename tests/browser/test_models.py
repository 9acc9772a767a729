"""Another model on the page: loaded while the bundled one serves, switched to when it is ready, refused in one
sentence."""

from collections.abc import Iterator
from pathlib import Path

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


ERRORS: list[str] = []
"""Of the page's scripts."""


def on_view(page: Page, name: str) -> None:
    expect(page.locator(".gs-foot")).to_contain_text(f"Model on display: {name} ", timeout=PATIENCE)
    page.wait_for_selector(".gs-strip[data-state='done'] .gs-chip", timeout=PATIENCE)


def pick(page: Page, name: str) -> None:
    page.locator("#model input").click()
    page.get_by_role("listbox").get_by_role("option", name=name, exact=True).click()


@pytest.fixture(scope="module")
def page(browser: Browser, served: str) -> Iterator[Page]:
    page = open_page(browser, served)
    on_view(page, "two_towers")  # what the server was asked for, once it is loaded
    page.on("pageerror", lambda error: ERRORS.append(str(error)))
    page.on("console", lambda message: ERRORS.append(message.text) if message.type == "error" else None)
    yield page
    page.context.close()


def show(page: Page, name: str) -> None:
    """Pick a model, unless it is the one on view."""
    if page.locator("#model input").input_value() != name:
        pick(page, name)
    on_view(page, name)


def test_the_page_switches_over_and_says_how_the_model_was_understood(page: Page) -> None:
    show(page, "two_towers")
    open_tab(page, "proof")
    report = page.locator("#report")
    expect(report).to_contain_text("our cached decoder over its weights: pre-LayerNorm")
    expect(report).to_contain_text("marked as frozen")
    open_tab(page, "read")
    expect(page.locator("#glyphs")).to_contain_text("held-out pictures exactly")
    write_on(page, "The cat")
    expect(page.locator("#experts")).to_contain_text("each expert's share")
    assert not ERRORS


def test_picked_models_fit_the_panels_to_what_they_have(page: Page) -> None:
    open_tab(page, "read")
    for name, sentence in (("single", "single expert"), ("adapted", "shares are not additive")):
        show(page, name)
        expect(page.locator("#experts")).to_contain_text(sentence, timeout=PATIENCE)
        expect(page.locator("#weight")).to_be_hidden()
        write_on(page, "Мама")
        expect(page.locator("#experts")).to_contain_text(sentence)
    show(page, "glyphscope-mini")
    expect(page.locator("#weight")).to_be_visible()
    assert not ERRORS


def test_a_refused_model_is_one_sentence_and_the_page_goes_on(browser: Browser, served: str, page: Page) -> None:
    show(page, "two_towers")
    pick(page, "Bochkov/best_bvv_moe")
    expect(page.locator("#loading")).to_contain_text("The hub cannot be reached", timeout=PATIENCE)
    other = open_page(browser, served)
    on_view(other, "two_towers")
    other.wait_for_timeout(2_000)  # a few ticks
    expect(other.locator("#loading .gs-news")).to_have_count(0)  # whoever chose nothing is told nothing
    other.context.close()
    page.get_by_role("button", name="Close this message").click()
    expect(page.locator("#loading .gs-news")).to_have_count(0)
    write_on(page, "The dog")
    on_view(page, "two_towers")


def test_what_cannot_be_shown_leaves_the_bundled_model(
    browser: Browser, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here code that nobody trusts; tests/foreign/test_refusals.py has the sentence of every other reason."""
    monkeypatch.delenv("GLYPHSCOPE_TRUST_REMOTE_CODE", raising=False)
    with serving(folders / "two_towers") as (address, process, _):
        page = open_page(browser, address)
        expect(page.locator("#loading")).to_contain_text("which is not run without consent", timeout=PATIENCE)
        on_view(page, "glyphscope-mini")
        assert process.poll() is None
        page.context.close()
