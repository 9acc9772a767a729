"""Word maps, exports, and what the panels' own scripts do, in a real browser."""

import csv
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from app.probing.word_list import preset
from app.web.tabs import TABS
from tests.support.browsing import needs_browser, open_fold, open_page, open_tab, places, until_quiet, word_map

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page over the toy experts, its maps drawn."""
    page = open_page(browser, address)
    word_map(page)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def shipped(browser: Browser, bundled: str) -> Iterator[Page]:
    """The page over the bundled model, its maps drawn."""
    page = open_page(browser, bundled)
    word_map(page)
    yield page
    page.context.close()


def carried(page: Page) -> dict[str, Any]:
    """What the panel was given to draw."""
    data: dict[str, Any] = json.loads(str(page.locator(".gs-words-data").get_attribute("data-words")))
    return data


def until_places(page: Page, expert: int, expected: list[list[float]]) -> None:
    page.wait_for_function(
        """([e, [xs, ys]]) => {
          const d = document.querySelectorAll('.gs-figure')[e].data[1];
          return xs.every((x, i) => Math.abs(x - d.x[i]) < 1e-6) && ys.every((y, i) => Math.abs(y - d.y[i]) < 1e-6);
        }""",
        arg=[expert, expected],
        timeout=10_000,
    )


def columns(pairs: list[list[float]]) -> list[list[float]]:
    return [[x for x, _ in pairs], [y for _, y in pairs]]


def test_the_slider_moves_the_words_without_asking_the_server(page: Page) -> None:
    word_map(page)
    until_quiet(page)
    paths = carried(page)["layouts"]["pca"]["paths"]
    assert places(page) == columns(paths[0][0])
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    page.locator("#words .gs-layer").fill("2")
    for expert in (0, 1):
        until_places(page, expert, columns(paths[expert][2]))
    expect(page.locator("#words figcaption").first).to_contain_text("Layer 2")
    until_quiet(page)
    assert not [url for url in calls if "queue" in url or "run" in url]
    open_tab(page, "layers")  # one layer for all panels
    page.wait_for_function("() => document.querySelector('#layers .gs-layer').value === '2'")


WRITTEN = """(expert) => {
  const labels = [...document.querySelectorAll('#words .gs-figure')[expert].querySelectorAll('.textpoint text')];
  return labels.map((node) => node.getBoundingClientRect()).map((box) => [box.left, box.top, box.right, box.bottom]);
}"""
"""Boxes of all labels on a map, marks and words."""


EDGES = """(expert) => {
  const box = document.querySelectorAll('#words .gs-figure')[expert].getBoundingClientRect();
  return [box.left, box.top, box.right, box.bottom];
}"""


def written(page: Page, expert: int) -> tuple[int, list[tuple[str, str]]]:
    """How many words are written on a map, and which of them cover another one or its mark, or are cut by the edge."""
    texts = page.evaluate("(e) => document.querySelectorAll('#words .gs-figure')[e].data[1].text", expert)
    boxes = page.evaluate(WRITTEN, expert)
    assert len(texts) == len(boxes)
    words = [i for i, text in enumerate(texts) if len(text) > 1]
    slack = 3.0  # pixels: the box of a line is taller than its letters
    left, top, right, bottom = page.evaluate(EDGES, expert)
    covered = [
        (texts[i], texts[j])
        for i in words
        for j in range(len(texts))
        if i != j
        and min(boxes[i][2], boxes[j][2]) - max(boxes[i][0], boxes[j][0]) > slack
        and min(boxes[i][3], boxes[j][3]) - max(boxes[i][1], boxes[j][1]) > slack
    ]
    cut = [
        (texts[i], "the edge")
        for i in words
        if min(boxes[i][0] - left, boxes[i][1] - top, right - boxes[i][2], bottom - boxes[i][3]) < -slack
    ]
    return len(words), covered + cut


def test_no_word_on_the_map_covers_another_word_or_its_mark_or_is_cut(shipped: Page) -> None:
    """At every layer a word is written beside others, or its mark stands alone; most are written."""
    page = shipped
    word_map(page)
    page.locator("#words [data-pick='mode']").select_option("words")
    data = carried(page)
    for layer in (0, 6):
        page.locator("#words .gs-layer").fill(str(layer))
        for expert in (0, 1):
            until_places(page, expert, columns(data["layouts"]["pca"]["paths"][expert][layer]))
            least = len(data["words"]) // 2 if layer else 10
            for _ in range(20):  # labels are chosen after a move
                count, covered = written(page, expert)
                if count > least and not covered:
                    break
                page.wait_for_timeout(250)
            assert count > least and not covered, f"layer {layer}, expert {expert}: {count}, {covered}"


def test_a_group_can_be_singled_out_and_marks_shown(page: Page) -> None:
    word_map(page)
    page.locator("#words [data-pick='mode']").select_option("dots")
    page.wait_for_function("() => document.querySelector('.gs-figure').data[1].text.every((t) => t.length === 1)")
    assert len(set(page.evaluate("document.querySelector('.gs-figure').data[1].text"))) == 5
    page.locator("#words [data-group='1']").click()
    page.wait_for_function("() => document.querySelector('.gs-figure').data[1].text.some((t) => t.length > 1)")
    texts = page.evaluate("document.querySelector('.gs-figure').data[1].text")
    data = carried(page)
    group = [i for i, of in enumerate(data["groups"]["concept"]["of"]) if of == 1]
    written = [i for i, text in enumerate(texts) if len(text) > 1]
    assert set(written) <= set(group) and len(group) == 11 and len(written) > 5  # the others would cover these
    page.locator("#words [data-group='1']").click()
    page.locator("#words [data-pick='mode']").select_option("words")


def test_a_click_on_the_map_chooses_a_word(page: Page) -> None:
    word_map(page)
    assert not page.locator(".gs-word-near h3").count()
    spot = page.evaluate(
        """() => {
          const box = document.querySelectorAll('.gs-figure .textpoint text')[3].getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2];
        }"""
    )
    page.mouse.move(*spot)
    page.mouse.click(*spot)
    page.wait_for_selector(".gs-word-near h3")


def test_a_word_shows_its_nearest_words_of_every_layer(page: Page) -> None:
    word_map(page)
    data = carried(page)
    page.locator("#words [data-pick='word']").select_option(label="door")
    page.wait_for_selector(".gs-word-near table")
    chosen = data["words"].index("door")
    for expert in (0, 1):
        shown = page.locator(".gs-word-near table").nth(expert).locator("tbody tr")
        for rank in range(5):
            texts = [text.removeprefix("● ") for text in shown.nth(rank).locator("td").all_inner_texts()]
            assert texts == [data["words"][data["near"][expert][layer][chosen][rank]] for layer in range(3)]
    trail = page.evaluate("[...document.querySelector('.gs-figure').data[0].x]")
    assert trail == [data["layouts"]["pca"]["paths"][0][layer][chosen][0] for layer in range(3)]


def test_play_goes_through_all_layers(page: Page) -> None:
    word_map(page)
    page.locator("#words .gs-layer").fill("0")
    page.locator("#words .gs-play").click()
    page.wait_for_function("() => document.querySelector('#words .gs-layer').value === '2'", timeout=15_000)
    page.wait_for_function("() => document.querySelector('#words .gs-play').textContent === '▶'")


def test_the_visitors_language_chooses_the_words(browser: Browser, bundled: str) -> None:
    page = open_page(browser, bundled, locale="zh-CN")
    word_map(page)
    assert carried(page)["words"] == [word.text for word in preset("kept_zh")]
    assert page.locator("#words [data-pick='mode']").input_value() == "pictures"
    figure = page.locator(".gs-figure").first
    images = "(figure) => (figure.layout?.images ?? []).map((image) => [image.x, image.y, image.source])"
    for layer in range(3):
        page.locator("#words .gs-layer").fill(str(layer))
        page.wait_for_function(
            "() => { const figure = document.querySelector('.gs-figure'); "
            "const { length } = figure.querySelectorAll('image'); "
            "return length > 5 && length === figure.layout.images.length; }"
        )
        data = carried(page)
        words = {(x, y, data["pictures"][i]) for i, (x, y) in enumerate(data["layouts"]["pca"]["paths"][0][layer])}
        assert {tuple(image) for image in figure.evaluate(images)} <= words  # pictures stay with their words
        boxes = [image.bounding_box() for image in figure.locator("image").all()]
        for one, other in combinations([box for box in boxes if box], 2):  # and none covers another
            beside = abs(one["x"] - other["x"]) > one["width"] - 0.5
            assert beside or abs(one["y"] - other["y"]) > one["height"] - 0.5
    page.context.close()


@pytest.mark.parametrize("panel", ["glyphs", "experts", "disagreement", "layers", "words", "proof", "lens", "depth"])
def test_every_panel_can_be_saved_as_data_and_picture(shipped: Page, panel: str, tmp_path: Path) -> None:
    page = shipped
    open_tab(page, next(tab for tab, panels in TABS.items() if panel in panels))
    menu = page.locator(f"#{panel} .gs-save summary")

    def save(selector: str) -> Path:
        menu.click()
        with page.expect_download() as waiting:
            page.locator(f"#{panel} {selector}").click()
        menu.click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    data = json.loads(save(".gs-download").read_text(encoding="utf-8"))
    index, values = data["table"]["index"], data["table"]["values"]
    with save(".gs-csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith(("# ", '"# '))))
    count = 1
    for labels in index.values():
        count *= len(labels)
    assert len(rows) == count and list(rows[0]) == [*index, *values]
    last: Any = values[list(values)[-1]]
    for _ in index:
        last = last[-1]
    assert rows[-1][list(values)[-1]].removeprefix("'") == str(last).removesuffix(".0")
    picture = Image.open(save("[data-kind='png']"))
    box = page.locator(f"#{panel} .gs-panel").bounding_box()
    assert box is not None and abs(picture.width - 2 * box["width"]) <= 2
    assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 50  # not an empty sheet
    assert save("[data-kind='svg']").read_text(encoding="utf-8").startswith("<svg")


WATCH_PROGRESS = """() => new MutationObserver(() => {
  window.progressShown ||= Boolean(document.querySelector('#proof-status progress'));
}).observe(document.body, {childList: true, subtree: true})"""
"""A bar that came and went between two looks was shown as well."""


def test_curves_are_drawn_switched_and_made_for_the_words_on_the_map(shipped: Page) -> None:
    page = shipped
    open_tab(page, "proof")
    page.locator("#proof").scroll_into_view_if_needed()
    page.wait_for_selector("#proof [data-state='drawn']", timeout=30_000)
    charts = json.loads(str(page.locator("#proof .gs-picker").get_attribute("data-charts")))
    page.locator("#proof .gs-measure").select_option(index=2)
    page.wait_for_function(
        "(said) => document.querySelector('.gs-said').textContent === said", arg=charts[2]["sentence"]
    )
    drawn = page.evaluate("document.querySelector('.gs-curve').data.map((trace) => [...trace.y])")
    assert drawn == [trace["y"] for trace in charts[2]["figure"]["data"]]
    page.evaluate(WATCH_PROGRESS)
    page.locator("#probe").click()
    page.wait_for_function("() => window.progressShown")
    page.wait_for_function(
        "() => document.querySelector('#proof .gs-picks span').textContent.includes('55 words')", timeout=60_000
    )
    assert page.locator("#proof .gs-measure").input_value() == "2"
    page.get_by_label("Русский", exact=True).click()  # the same words in another language
    page.wait_for_function("() => document.querySelector('#proof .gs-picks span').textContent.includes('55 слов')")
    page.get_by_label("English", exact=True).click()
    page.wait_for_function("() => document.querySelector('#proof .gs-picks span').textContent.includes('55 words')")


HOSTILE_WORDS = "<b>x</b>: <i>a b c\n${1+1}: {{x}} `y` &ltz"


def test_own_words_are_read_and_shown_literally(shipped: Page) -> None:
    page = shipped
    word_map(page)
    open_fold(page, "own-words")
    page.locator("#own-words textarea").fill(HOSTILE_WORDS)
    page.locator("#own-show").click()
    page.wait_for_function(
        "() => document.querySelector('#words .gs-summary').textContent.includes('6 words, 2 groups')"
    )
    page.wait_for_selector("#words [data-state='drawn']")
    page.locator("#words [data-pick='mode']").select_option("words")
    page.wait_for_function("() => document.querySelectorAll('.gs-figure .textpoint text').length === 12")
    shown = page.evaluate(
        "[...document.querySelectorAll('.gs-figure .textpoint')].slice(0, 6).map((n) => n.textContent)"
    )
    assert [text.split(" ")[1] for text in shown] == ["<i>a", "b", "c", "{{x}}", "`y`", "&ltz"]
    assert page.locator(".gs-groups button").all_text_contents() == ["●<b>x</b>", "■${1+1}"]
    assert page.locator("#words i:not(.gs-groups i), #words b").count() == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("one two", "at least 6"), ("a " * 50_000, "at most 200"), ("a b c d e 😀", "Latin, Cyrillic or Chinese"),
     ("a b c\nd e 龘", "lacks")],
    ids=["few", "novel", "emoji", "unknown"],
)  # fmt: skip
def test_bad_words_get_a_sentence_and_keep_the_old_map(page: Page, text: str, sentence: str) -> None:
    word_map(page)
    open_fold(page, "own-words")
    page.locator("#own-words textarea").fill(text)
    page.locator("#own-show").click()
    expect(page.locator("#words-status .gs-failed")).to_contain_text(sentence, timeout=30_000)
    assert len(carried(page)["words"]) == 55


def test_umap_can_be_cancelled(page: Page) -> None:
    word_map(page)
    page.locator("#umap").click()
    page.wait_for_selector("#words-status progress")
    page.locator("#words-cancel").click()
    page.wait_for_function("() => document.querySelector('#words-status')?.textContent.includes('Cancelled')")
    assert page.locator("#words [data-pick='layout'] option").count() == 1


def positions(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('#layers .gs-point')].map((p) => p.style.transform)"
    )
    return found


def test_layers_play_to_the_last_and_from_the_first_again(page: Page) -> None:
    open_tab(page, "layers")
    button, slider = page.locator("#layers .gs-play"), page.locator("#layers .gs-layer")
    last = slider.get_attribute("max")
    slider.fill("0")
    before = positions(page)
    for _ in range(2):  # the second time it stands on the last layer
        button.click()
        assert button.inner_text() == "❚❚"
        page.wait_for_function("() => document.querySelector('#layers .gs-play').textContent === '▶'", timeout=20_000)
        assert slider.input_value() == last and positions(page) != before
    slider.fill("0")
    assert positions(page) == before
    page.wait_for_function("() => document.querySelector('#words .gs-layer').value === '0'")
    button.click()
    slider.fill("1")  # a hand on the slider stops it
    assert button.inner_text() == "▶" and slider.input_value() == "1"


def test_near_words_follow_their_own_slider(page: Page) -> None:
    open_tab(page, "read")
    slider = page.locator("#glyphs .gs-near-layer")
    slider.fill("1")
    shown = (
        "() => [...document.querySelectorAll('#glyphs [data-at]')].filter((l) => !l.hidden).map((l) => l.dataset.at)"
    )
    assert page.evaluate(shown) == ["1"]
    lists = "JSON.parse(document.querySelector('#glyphs .gs-near-words').dataset.lists)"
    cosines = page.evaluate(f"{lists}[document.querySelector('#glyphs [data-at]').dataset.expert][1].map(([, c]) => c)")
    assert page.locator("#glyphs [data-at] .gs-number").all_inner_texts() == cosines
    open_tab(page, "layers")
    page.wait_for_function("() => document.querySelector('#layers .gs-layer').value === '1'")


OURS = "() => Object.keys(window).filter((name) => /^gs/i.test(name))"


def test_scripts_leave_no_globals(page: Page) -> None:
    word_map(page)
    assert page.evaluate(OURS) == []
