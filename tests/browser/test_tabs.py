"""The tabs in a real browser: in the address, by keyboard, drawn when they are opened and not before."""

import json
import zlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, Response, ViewportSize, expect

from app.web.packed_stream import stream_packer
from app.web.tabs import SLIDES, TABS
from app.wording.catalogue import say
from tests.support.browsing import (
    needs_browser,
    open_fold,
    open_page,
    open_tab,
    read_text,
    until_lens,
    until_quiet,
    wait_written,
)

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = open_page(browser, address)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def shipped(browser: Browser, bundled: str) -> Iterator[Page]:
    page = open_page(browser, bundled)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def phone(browser: Browser, bundled: str) -> Iterator[Page]:
    page = open_page(browser, bundled, "phone")
    yield page
    page.context.close()


@pytest.mark.parametrize("device", ["page", "phone"])
def test_every_tab_is_drawn_when_it_is_opened_and_stands_in_the_address(page: Page, phone: Page, device: str) -> None:
    page = {"page": page, "phone": phone}[device]
    for name in [*TABS][::-1]:
        open_tab(page, name)
        page.wait_for_function("(name) => new URL(location).searchParams.get('tab') === name", arg=name)
        for panel in TABS[name]:
            if page.locator(f"#fold-{panel}").count():
                open_fold(page, f"fold-{panel}")
            expect(page.locator(f"#{panel}")).to_be_attached()


def test_the_address_opens_a_tab_and_a_link_into_another_one_switches(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}?tab=layers")
    page.wait_for_selector("#layers .gs-panel")
    assert not page.locator("#glyphs .gs-panel").count(), "nothing of the other tabs is drawn"
    assert page.locator("#tab-layers-button").get_attribute("aria-selected") == "true"
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<a href=\"#figures\" id=\"there\">there</a>')")
    page.locator("#there").click()
    page.wait_for_selector("#tab-proof #figures .gs-panel")
    page.goto(f"{address}?tab=<b>nothing</b>")
    page.wait_for_selector("#glyphs .gs-panel")
    page.context.close()


def test_arrow_keys_walk_over_the_tabs(page: Page) -> None:
    assert page.locator("#tabs [role='tablist']").get_attribute("aria-label") == "Panels"
    page.locator("#tab-read-button").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#layers .gs-panel")
    page.keyboard.press("End")
    expect(page.locator(f"#tab-{[*TABS][-1]}-button")).to_be_focused()
    assert page.locator("#tabs [role='tab'][tabindex='0']").count() == 1


def test_the_server_knows_the_open_tab_when_another_was_opened_just_before(browser: Browser, address: str) -> None:
    """Tabs pressed one after the other, while the panels of the first are still drawn: a press on a token is then
    answered by the panels of the tab on view."""
    page = open_page(browser, address)
    page.wait_for_selector("#experts .gs-panel")
    for name in ("layers", "read"):
        page.locator(f"#tab-{name}-button").click()
    page.wait_for_selector("#layers .gs-panel", state="attached")
    until_quiet(page)
    last = page.locator(".gs-strip .gs-chip").last
    last.click()
    expect(page.locator(".gs-headline .gs-tok").first).to_have_text(last.locator(".gs-tok").inner_text())
    page.context.close()


def test_a_hidden_tab_shows_the_new_text_once_it_is_opened(page: Page) -> None:
    open_tab(page, "layers")
    open_tab(page, "read")
    read_text(page, "The cat and the dog")
    open_tab(page, "layers")
    until_lens(page)


def test_a_token_chosen_in_one_tab_is_chosen_in_the_others(page: Page) -> None:
    read_text(page, "The dog and the cat")
    open_tab(page, "layers")
    page.locator(".gs-chip").nth(2).click()
    text = page.locator(".gs-chip .gs-tok").nth(2).inner_text()
    page.wait_for_function("() => document.querySelector('#lens tr[aria-selected=true]').dataset.index === '3'")
    open_tab(page, "read")
    page.wait_for_function("(text) => document.querySelector('.gs-headline .gs-tok').textContent === text", arg=text)


def test_a_tapped_chip_brings_its_card_up_on_a_phone(phone: Page) -> None:
    page = phone
    open_tab(page, "read")
    page.wait_for_selector("#glyphs .gs-panel")
    strip = "(node) => [getComputedStyle(node).overflowY, node.scrollHeight - node.clientHeight]"
    assert page.locator("#strip .gs-strip").evaluate(strip) == ["visible", 0]
    sheet, chip = page.get_by_role("dialog", name="The chosen token"), page.locator("#strip .gs-chip").nth(1)
    for close in ("button", "Escape", "pull"):
        chip.click()
        expect(sheet.locator(".gs-headline .gs-tok")).to_have_text(chip.locator(".gs-tok").inner_text())
        expect(sheet).to_be_in_viewport(ratio=0.6)
        expect(chip).to_be_in_viewport()
        cross = page.get_by_role("button", name="Close the card")
        expect(cross).to_be_focused()
        if close == "button":
            cross.click()
        elif close == "Escape":
            page.keyboard.press("Escape")
        else:
            top = page.locator(".gs-sheet-head").evaluate("(node) => node.getBoundingClientRect().top")
            page.mouse.move(195, top + 20)
            page.mouse.down()
            page.mouse.move(195, top + 160, steps=5)
            page.mouse.up()
        expect(sheet).to_have_count(0)
        expect(chip).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def asked_for(page: Page, address: str, name: str) -> list[str]:
    """A list that grows with each request whose answer can fill the component of this name."""
    config = json.loads(page.request.get(f"{address}/config").text())
    own = {part["id"] for part in config["components"] if part["props"].get("elem_id") == name}
    assert own, name
    filling = {each["id"] for each in config["dependencies"] if own & set(each["outputs"])}
    asked: list[str] = []

    def note(request: Request) -> None:
        sent = json.loads(request.post_data or "{}") if request.method == "POST" else {}
        if sent.get("fn_index") in filling:
            asked.append(request.url)

    page.on("request", note)
    return asked


def test_no_tab_is_higher_than_three_screens(browser: Browser, bundled: str) -> None:
    """In Russian, whose sentences are the longest, with everything drawn, and the figures of groups that nobody chose
    first on the tab of proofs.  What is folded away is not asked for; a link into it unfolds and fills it."""
    page = open_page(browser, bundled, locale="ru-RU")
    folded = {name: asked_for(page, bundled, name) for name in ("exchange", "drawing", "attention")}
    heights = {}
    for name in TABS:
        open_tab(page, name)
        until_quiet(page)
        page.mouse.wheel(0, 1200)  # what is drawn when it is seen
        until_quiet(page)
        heights[name] = page.evaluate("document.documentElement.scrollHeight")
        if name == "proof":
            assert page.locator("#tab-proof .gs-panel").first.get_attribute("data-name") == "proof"
            assert page.locator("#proof-set input").input_value() == say("proof_set_kept_ru", "ru")
    assert max(heights.values()) <= 2_700, heights
    assert page.locator("#patching .gs-panel").count() and not any(folded.values()), folded
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<a href=\"#drawing\" id=\"there\">there</a>')")
    page.locator("#there").click()  # into a fold of another tab
    page.wait_for_selector("#fold-drawing #drawing .gs-panel")
    assert len(folded["drawing"]) == 1
    assert not page.locator("#lab .gs-lab").count()
    open_fold(page, "fold-lab")
    page.wait_for_selector("#lab .gs-lab")
    assert not folded["exchange"] and not folded["attention"]
    page.context.close()


SMALL = """(least) => {
  const walker = document.createTreeWalker(document.querySelector('.gs-on-view'), NodeFilter.SHOW_TEXT);
  const small = [];
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const around = text.parentElement;
    if (!text.data.trim() || around.closest('svg, option, .gs-figure, .gs-curve')) continue;
    if (!around.checkVisibility({ visibilityProperty: true }) || !around.offsetWidth) continue;
    const size = parseFloat(getComputedStyle(around).fontSize) * around.currentCSSZoom;
    if (size < least) small.push(`${text.data.trim().slice(0, 20)}: ${size}`);
  }
  return small;
}"""
"""Texts on view that are smaller than so many pixels of the screen."""


WALLS: dict[int, ViewportSize] = {20: {"width": 1920, "height": 1080}, 15: {"width": 1280, "height": 720}}
"""The smallest text, in pixels, and the size of a wall on which it is read."""


FILLS = """(width) => {
  const slide = document.querySelector('.gs-on-view');
  return slide.scrollWidth === slide.clientWidth && slide.getBoundingClientRect().width === width;
}"""
"""What is on view is as wide as the window, and nothing of it is wider."""
NO_FULL_SCREEN = """() => {
  window.fullScreen = Element.prototype.requestFullscreen;
  delete Element.prototype.requestFullscreen;
}"""


LEGEND_BELOW = """(chart) => {
  const box = (node) => node.getBoundingClientRect();
  const title = chart.querySelector('.xtitle');
  const keys = [...chart.parentNode.querySelectorAll('.gs-keys button')];
  const under = box(chart).bottom;
  return title && box(title).bottom <= under + 1 && keys.length > 1 && keys.every((key) => box(key).top >= under - 1);
}"""
"""Whether the name of a chart's axis is in the chart, and its keys stand under it."""
ARCS_MEET_TOKENS = """() => {
  const box = (node) => node.getBoundingClientRect();
  const arcs = document.querySelector('#attention .gs-arcs');
  const paths = [...arcs.querySelectorAll('path')].map(box);
  const chips = [...arcs.querySelectorAll('button[data-token]')].map(box);
  const near = (x) => chips.some((chip) => chip.left - 8 < x && x < chip.right + 8);
  return paths.length && paths.every((path) => path.bottom <= chips[0].top + 6 && near(path.left) && near(path.right));
}"""
"""Whether every arc ends at the upper edge of tokens."""


def test_panels_are_presented_one_at_a_time(shipped: Page) -> None:
    page = shipped
    open_tab(page, "layers")
    page.set_viewport_size(WALLS[20])
    page.wait_for_selector("#depth .gs-panel")
    page.evaluate("scrollTo(0, 700)")
    page.evaluate(NO_FULL_SCREEN)  # a window that fills the screen cannot be given another size
    page.keyboard.press("p")
    count = page.locator(".gs-present-count")
    while (place := count.inner_text()) != f"1 / {place.split()[-1]}":  # it began with what was before the eyes
        page.keyboard.press("ArrowLeft")
        expect(count).not_to_have_text(place)
    seen, walls = [], [*WALLS]
    while True:
        slide = page.locator(".gs-on-view")
        slide.wait_for()
        page.wait_for_function("() => document.querySelector('.gs-on-view').querySelector('.gs-panel, .gs-lab')")
        seen.append(slide.get_attribute("id"))
        for least in walls:  # sizes follow the window's
            page.set_viewport_size(WALLS[least])
            page.wait_for_function(f"() => ({SMALL})({least}).length === 0")
            page.wait_for_function(FILLS, arg=WALLS[least]["width"])
            for chart in page.locator(".gs-on-view .gs-curve").all():
                page.wait_for_function(f"(chart) => ({LEGEND_BELOW})(chart)", arg=chart.element_handle())
            if seen[-1] == "fold-attention":
                page.wait_for_function(f"() => ({ARCS_MEET_TOKENS})()")
            if seen[-1] == "slide-words" and least == 20:
                present_words(page)
        walls.reverse()  # the next panel begins where this one ended
        place, last = count.inner_text().split(" / ")
        if place == last:
            break
        page.keyboard.press("ArrowRight")
        expect(count).not_to_have_text(f"{place} / {last}")
    assert seen == [slide for slides in SLIDES.values() for slide in slides if slide != "report"]  # it has none here
    page.set_viewport_size(WALLS[20])
    page.keyboard.press("Escape")
    expect(page.locator(".gs-stage")).to_have_count(0)
    page.wait_for_selector("#tab-layers #lens .gs-panel")
    page.wait_for_function("() => Math.abs(scrollY - 700) < 5")
    page.evaluate("() => { Element.prototype.requestFullscreen = window.fullScreen; }")
    page.locator("#present").click()
    page.get_by_role("button", name="End (Escape)").click()
    expect(page.locator(".gs-on-view")).to_have_count(0)
    page.set_viewport_size({"width": 1400, "height": 900})


def present_words(page: Page) -> None:
    """The map fills the screen, of one expert if one is chosen, in the other colours too; its words can be chosen."""
    page.wait_for_selector("#words [data-state='drawn']")
    width = "() => Math.max(...[...document.querySelectorAll('.gs-figure')].map((f) => f._fullLayout?.width ?? 0))"
    assert page.evaluate(width) > 850
    page.locator(".gs-present-expert").select_option(label="ZH")
    page.wait_for_function(f"() => ({width})() > 1700")
    ink = "() => document.querySelectorAll('.gs-figure')[1].layout.font.color"
    before = page.evaluate(ink)
    page.get_by_role("button", name="Light or dark").click()
    page.wait_for_function(f"(before) => ({ink})() !== before", arg=before)
    page.get_by_role("button", name="Light or dark").click()
    page.locator("#word-set input").click()
    page.get_by_role("option", name="Four groups, English").click()
    page.wait_for_function("() => document.querySelector('#words .gs-summary').textContent.includes('4 groups')")


READ_ALL = """() => {
  window.came = [];
  const fetched = window.fetch;
  window.fetch = async (...given) => {
    const answer = await fetched(...given);
    if (!answer.body) return answer;
    const [ours, theirs] = answer.body.tee();
    const reader = ours.pipeThrough(new TextDecoderStream()).getReader();
    (async () => {
      for (let part; !(part = await reader.read()).done; ) window.came.push(part.value);
    })();
    return new Response(theirs, answer);
  };
}"""
"""Keep what the page is sent from now on, as it reads it."""
STORY = (
    "Once there was a girl who lived in a small house near the sea. Every morning she went to the river with her "
    "brother and the dog. One day they saw a big bird in the water. The girl said to her brother: "
)


def test_a_text_is_sent_once_and_with_the_open_tab_only(browser: Browser, bundled: str) -> None:
    """What comes while the model writes has no panel of a hidden tab, nothing twice, and stays small."""
    page = open_page(browser, bundled)
    until_quiet(page)
    page.evaluate(READ_ALL)
    streams: list[Response] = []
    page.on("response", lambda answer: streams.append(answer) if "/queue/data" in answer.url else None)
    page.locator("#prompt textarea").fill(STORY)
    page.locator("#generate").click()
    wait_written(page)
    until_quiet(page)
    parts, packer = page.evaluate("window.came"), stream_packer()
    came = "".join(parts)
    for shown in ("gs-glyphs", "gs-experts", "gs-disagreement"):
        assert came.count(f"class='gs-panel {shown}") == 1, shown
    for hidden in ("gs-layers", "gs-depth", "gs-words", "gs-proof"):
        assert f"class='gs-panel {hidden}" not in came, hidden
    tokens = page.locator(".gs-chip").count()
    assert tokens > 50
    assert came.count("class='gs-chip") <= 2.5 * tokens, "each token while it is written, and in the finished text"
    assert len(came.encode()) < 300_000, f"{tokens} tokens"
    # Of a stream that the page ends itself the browser does not tell how large it came.
    assert {answer.headers.get("content-encoding") for answer in streams} == {"gzip"}
    assert sum(len(packer.compress(p.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)) for p in parts) < 60_000
    page.context.close()


def test_terms_stand_behind_more_have_a_tip_and_lead_to_the_glossary(page: Page) -> None:
    open_tab(page, "read")
    facts = page.locator("#experts .gs-facts")
    expect(facts).to_be_hidden()
    page.locator("#experts .gs-more summary").press("Enter")
    expect(facts).to_be_visible()
    page.locator(".gs-chip").nth(1).click()
    page.wait_for_function("() => document.querySelector('#experts .gs-more').open")  # also when drawn anew
    for name in ("layers", "read"):
        open_tab(page, name)
        page.wait_for_selector(f"#tab-{name} .gs-term", state="attached")
        lost = "[...document.querySelectorAll('.gs-term')].filter((a) => !document.querySelector(a.hash))"
        assert page.evaluate(f"{lost}.map((a) => a.outerHTML)") == []
    term = page.locator("#disagreement .gs-lead .gs-term")
    term.focus()
    entry = page.locator(term.get_attribute("href") or "")
    expect(page.locator("#gs-tip")).to_have_text(entry.locator("dd").text_content() or "-")
    page.keyboard.press("Enter")
    expect(entry).to_be_visible()
    assert page.url.endswith("#glossary-bhattacharyya")
    page.keyboard.press("Escape")
    expect(page.locator("#gs-glossary")).to_be_hidden()
    expect(term).to_be_focused()
    assert "#" not in page.url
    page.evaluate("location.hash = '#glossary'")
    page.wait_for_selector("#gs-glossary[open]")
    page.go_back()
    expect(page.locator("#gs-glossary")).to_be_hidden()


def test_another_language_is_spoken_in_tabs_that_are_opened_later(page: Page) -> None:
    for name in ("layers", "proof", "read"):
        open_tab(page, name)
    page.get_by_label("Русский", exact=True).click()
    expect(page.locator("#tab-layers-button")).to_have_text("Слои")
    open_tab(page, "layers")
    page.wait_for_function("() => document.querySelector('#layers h2').textContent.startsWith('Слои')")
    open_tab(page, "proof")
    page.wait_for_function("() => !document.querySelector('#proof').textContent.includes('The')")
