"""The page on a device that has no font with Chinese characters."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import CHROMIUM, QUIET, needs_browser, open_page

pytestmark = needs_browser

DRAWN = """([character, family]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 48, height: 48 });
  const pen = canvas.getContext('2d');
  pen.font = `32px ${family}`;
  pen.fillText(character, 4, 38);
  return pen.getImageData(0, 0, 48, 48).data.join();
}"""
"""How a character looks in a family of fonts."""


@pytest.fixture
def bare(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    """A browser whose device has one font, for Latin and Cyrillic letters."""
    if shutil.which("fc-match") is None:
        pytest.skip("no fontconfig")
    asked = ["fc-match", "--format=%{file}", "DejaVu Sans"]
    font = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    if "DejaVu" not in font.name:
        pytest.skip("no DejaVu Sans")
    (tmp_path / "fonts").mkdir()
    shutil.copy(font, tmp_path / "fonts")
    settings = tmp_path / "fonts.conf"
    settings.write_text(
        f"<fontconfig><dir>{tmp_path}/fonts</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>", encoding="utf-8"
    )
    other = browser.browser_type.launch(
        executable_path=CHROMIUM, args=QUIET, env={**os.environ, "FONTCONFIG_FILE": str(settings)}
    )
    yield other
    other.close()


def test_chinese_labels_read_where_the_device_has_no_font_for_them(bare: Browser, bundled: str) -> None:
    page = open_page(bare, bundled, locale="zh-CN")
    label = page.locator("#tabs button[role='tab']").first
    family = label.evaluate("(node) => getComputedStyle(node).fontFamily")
    page.wait_for_function("() => document.fonts.check(\"16px 'Glyphscope Han'\", '读词')")
    text = label.inner_text().strip()
    first, second = text[0], text[1]
    boxes = [page.evaluate(DRAWN, [character, "'DejaVu Sans'"]) for character in (first, second)]
    assert boxes[0] == boxes[1], "the device has a font with these characters after all"
    shown = [page.evaluate(DRAWN, [character, family]) for character in (first, second)]
    assert shown[0] != shown[1] and boxes[0] not in shown
    page.context.close()
