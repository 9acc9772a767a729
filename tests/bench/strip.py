"""The first ten seconds of the page as a visitor sees them, a frame a second, on one picture:
`python -m tests.bench.strip OUT.png [--phone]` starts the server and draws them side by side."""

import argparse
import base64
import io
import time
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright

from tests.support.browsing import CHROMIUM, QUIET, SIZES
from tests.support.server import serving

SECONDS = 10
WIDTH = 320
"""Of a frame, in pixels."""
ACROSS, GAP, LABEL = 4, 8, 16
"""Frames in a row; pixels between them, and those of the line above each."""


def frames_of(page: Page, address: str) -> list[Image.Image]:
    """What was on view at the navigation's first answer and at each second after it.  The browser sends every few of
    its frames by itself, as asking for one takes longer than a second while something moves."""
    sent: list[tuple[float, bytes]] = []
    session = page.context.new_cdp_session(page)

    def keep(event: dict[str, Any]) -> None:
        sent.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    session.on("Page.screencastFrame", keep)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 80, "everyNthFrame": 6})
    page.goto(address, wait_until="commit")
    started = time.time()
    page.wait_for_timeout(1000 * SECONDS + 500)
    session.send("Page.stopScreencast")
    frames = []
    for second in range(SECONDS + 1):
        seen = [data for at, data in sent if at <= started + second]
        shot = Image.open(io.BytesIO(seen[-1] if seen else sent[0][1])).convert("RGB")
        frames.append(shot.resize((WIDTH, round(shot.height * WIDTH / shot.width))))
    return frames


def laid_out(frames: list[Image.Image]) -> Image.Image:
    """The frames in rows, each under its second."""
    wide, high = WIDTH + GAP, frames[0].height + GAP + LABEL
    rows = -(-len(frames) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * wide + GAP, rows * high + GAP), "#777")
    draw = ImageDraw.Draw(sheet)
    for second, frame in enumerate(frames):
        x, y = GAP + second % ACROSS * wide, GAP + second // ACROSS * high
        draw.text((x, y), f"{second} s", "white")
        sheet.paste(frame, (x, y + LABEL))
    return sheet


def main() -> None:
    """Draw the strip that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.strip", description=__doc__)
    parser.add_argument("out", type=Path, help="the picture to write, a PNG")
    parser.add_argument("--phone", action="store_true", help="390 x 844 instead of 1400 x 900")
    asked = parser.parse_args()
    if CHROMIUM is None:
        parser.error("no Chromium: apt-get install chromium-headless-shell")
    width, height = SIZES["phone" if asked.phone else "desktop"]
    with (
        serving() as (address, _, _),
        sync_playwright() as driver,
        driver.chromium.launch(executable_path=CHROMIUM, args=QUIET) as chromium,
    ):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale="en-US", is_mobile=asked.phone, has_touch=asked.phone
        )
        laid_out(frames_of(context.new_page(), address)).save(asked.out)


if __name__ == "__main__":
    main()
