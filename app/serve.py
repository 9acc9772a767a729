"""Start the server: load the model, build the page, warm up in the background."""

import gzip
import json
import os
import sys
import threading
from functools import cache
from pathlib import Path

import brotli
import gradio as gr
import torch
from plotly.offline import get_plotlyjs
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api import add_api
from app.bundle import MINI, load_bundle
from app.desk import Desk
from app.engine import Engine
from app.errors import UserError
from app.gate import BOOT, Gate
from app.layer_views import layers_view
from app.lexicon import Lexicon
from app.opening import opening_trace
from app.page import ASSETS, build_page
from app.pictures import check_font
from app.texts import LANGUAGES, say, speaker
from app.twins import read_twins
from app.word_views import words_view
from app.words import PRESETS, preset

EVENTS = 160
"""Events that may be under way at once; those that need the model wait at its desk, and hold no thread there."""

SWITCH_SECONDS = 5e-4
"""How long a thread that draws panels keeps the one that runs the model waiting (Python's own: ten times that)."""

SESSIONS = 100
"""Visitors whose last trace is kept (about 2 MB each at most); the longest idle one goes first."""


def load_engine() -> Engine:
    """The engine over the folder in GLYPHSCOPE_MODEL (default: the bundled mini), with
    GLYPHSCOPE_THREADS threads (default: all cores but one, which draws the panels; 1 to 4)."""
    cores = os.cpu_count() or 1
    torch.set_num_threads(int(os.environ.get("GLYPHSCOPE_THREADS", min(4, max(1, cores - 1)))))
    return Engine(load_bundle(model_folder()))


def model_folder() -> Path:
    """The checkpoint folder on display."""
    return Path(os.environ.get("GLYPHSCOPE_MODEL", MINI))


def build_demo(engine: Engine, lexicon: Lexicon) -> gr.Blocks:
    """Page and API, with their queue."""
    desk = Desk(engine)
    demo = build_page(desk, lexicon, read_twins(model_folder()))
    add_api(demo, desk)
    demo.queue(max_size=EVENTS)
    return demo


def main() -> None:
    """Serve until interrupted; host and port come from GRADIO_SERVER_NAME and GRADIO_SERVER_PORT."""
    try:
        check_font()
        engine = load_engine()
    except UserError as error:
        sys.exit(str(error))
    sys.setswitchinterval(SWITCH_SECONDS)
    lexicon = Lexicon(engine)
    try:
        demo = build_demo(engine, lexicon)
    except OSError:  # Gradio keeps a folder for temporary files
        sys.exit(say("no_room"))
    threading.Thread(target=warm_up, args=(engine, lexicon), daemon=True).start()
    port = int(os.environ.get("GRADIO_SERVER_PORT", 7860))  # given outright: else a taken one is silently skipped
    try:
        launch(demo, port)
    except OSError:  # in use, or not allowed
        sys.exit(say("bad_port", port=port))


def warm_up(engine: Engine, lexicon: Lexicon) -> None:
    """Make the opening example, read the word list and draw both once, so that late imports are over when
    visitors come."""
    say = speaker("en")
    trace = opening_trace(engine)
    lexicon.prepare(model_folder())
    layers_view(engine, trace, 1, say)
    words_view(lexicon, preset(PRESETS[0]), say)


def launch(demo: gr.Blocks, port: int) -> None:
    """Serve a page on a port, with our style, without anything that asks other hosts."""
    demo.launch(
        server_port=port,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css_paths=[ASSETS / "page" / "page.css"],
        footer_links=["api"],
        run_history=False,
        state_session_capacity=SESSIONS,
        max_threads=EVENTS,
        head=f"<script>{recovery_script()}</script>",
        max_file_size=1,
        app_kwargs={
            "routes": [Route("/gs/plotly.min.js", plotly_script), Route("/gs/alive", alive)],
            "middleware": [Middleware(Gate)],
        },
        ssr_mode=False,
        share=False,
    )


async def plotly_script(request: Request) -> Response:
    """The script that draws interactive figures: the one that plotly.py carries, compressed once."""
    coding = "br" if "br" in request.headers.get("accept-encoding", "") else "gzip"
    headers = {"Content-Encoding": coding, "Vary": "Accept-Encoding", "Cache-Control": "public, max-age=86400"}
    return Response(_compressed(coding), media_type="text/javascript", headers=headers)


async def alive(request: Request) -> Response:
    """Which start of the server this is."""
    return Response(BOOT, media_type="text/plain", headers={"Cache-Control": "no-store"})


def recovery_script() -> str:
    """What keeps a page and its text over a restart of the server, with the sentences that it says."""
    away = json.dumps({language: say("away", language) for language in LANGUAGES}, ensure_ascii=False)
    script = (ASSETS / "page" / "recover.js").read_text(encoding="utf-8")
    return f"const GS_BOOT = '{BOOT}', GS_AWAY = {away};\n{script}"


@cache
def _compressed(coding: str) -> bytes:
    script = get_plotlyjs().encode()
    return brotli.compress(script, quality=9) if coding == "br" else gzip.compress(script, 6)
