"""Links to a text of one's own: what the address says is what the page does, and anything else is a sentence."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from app.engine.sampling import Sampling
from app.web.deep_link import Linked, linked
from app.wording.catalogue import LANGUAGES, say
from app.wording.errors import UserError
from tests.support.browsing import needs_browser, open_fold, open_page, wait_written
from tests.support.odd import share, short_texts

ODD = "<b>${1}</b> & мир? #我=\"'%41+"


def test_an_address_names_a_text_and_how_to_write_on() -> None:
    whole = {"text": ODD, "temperature": "0.5", "top_k": "7", "top_p": "0.9", "seed": "11", "new_tokens": "5"}
    assert linked(whole) == Linked(ODD, Sampling(0.5, 7, 0.9, 11, 5))
    assert linked({"text": "мир", "seed": "", "lang": "ru", "other": "x"}) == Linked("мир", Sampling())
    assert linked({"text": " \n", "seed": "1"}) is None and linked({}) is None


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


@given(query=st.dictionaries(st.sampled_from(["text", "seed", "top_k", "top_p", "temperature"]), short_texts()))
@share(0.2)
def test_any_address_is_understood_or_refused(query: dict[str, str]) -> None:
    try:
        found = linked(query)
    except UserError as error:
        assert all(say(error.code, language, **error.values) for language in LANGUAGES)
    else:
        assert found is None or found.text == query["text"]


@needs_browser
def test_a_copied_link_opens_the_same_text(browser: Browser, bundled: str) -> None:
    """Set, copy, open elsewhere: the same words are written there, without a click."""
    page = open_page(browser, bundled)
    page.locator("#prompt textarea").fill("Tom wants")
    open_fold(page, "sampling")
    page.get_by_label("Seed: same seed, same text").fill("9")
    page.locator("#link").click()
    address = page.locator(".gs-status .gs-link").get_attribute("href")
    assert address is not None
    asked = parse_qs(urlsplit(address).query)
    assert asked["text"] == ["Tom wants"] and asked["seed"] == ["9"] and asked["lang"] == ["en"]
    page.locator("#generate").click()
    wait_written(page)
    texts = page.locator(".gs-chip .gs-tok").all_inner_texts()
    other = open_page(browser, address)
    wait_written(other)
    assert other.locator(".gs-chip .gs-tok").all_inner_texts() == texts
    assert other.locator("#prompt textarea").input_value() == "Tom wants"
    for opened in (page, other):
        opened.context.close()


@needs_browser
def test_a_link_with_script_in_it_runs_nothing_and_a_bad_one_is_told(browser: Browser, bundled: str) -> None:
    page = open_page(
        browser, f"{bundled}?text=%3Cimg%20src%3Dx%20onerror%3D%22window.hurt%3D1%22%3E&seed=1&new_tokens=3"
    )
    wait_written(page)
    assert page.locator("#prompt textarea").input_value().startswith("<img") and not page.evaluate("window.hurt")
    page.goto(f"{bundled}?text=Tom&temperature=NaN")
    page.wait_for_selector(".gs-status.gs-failed", timeout=60_000)
    assert "0" in page.locator(".gs-status.gs-failed").inner_text() and page.locator(".gs-chip").count() > 5
    page.context.close()
