"""Start the server: load the model, build the page, warm up in the background."""

import argparse
import importlib.util
import os
import sys
import threading
from collections.abc import Sequence

import gradio as gr
from fastapi.exceptions import RequestValidationError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.engine.examples import opening_trace
from app.engine.job_queue import JobQueue
from app.models import ModelRegistry, open_registry
from app.panels.hero import hero_html
from app.panels.layers import layers_view
from app.panels.settings import PanelSettings
from app.panels.words import words_view
from app.probing.word_list import PRESETS, preset
from app.probing.word_proof import PROOF_SETS
from app.rooms.registry import RoomRegistry
from app.substrate.pictures import check_font
from app.system.caches import temporary_setting
from app.system.cores import keep_to_one_core
from app.system.gradio_stubs import MCP
from app.system.memory import collect_from_now, limit_retained_memory, release_memory, settle
from app.system.threads import network_threads, set_network_threads
from app.web.api import add_api
from app.web.api_attention import add_attention_api
from app.web.api_intervene import add_intervene_api
from app.web.api_words import add_words_api
from app.web.assets import head_html, page_routes, style_paths
from app.web.endpoint import name_fields, take_short_calls
from app.web.first_paint import FirstPaint
from app.web.han_font import FAMILY
from app.web.lesson_sheet import sheet_route
from app.web.on_tab import model_panels
from app.web.on_words import proof_answer
from app.web.page import Page, build_page
from app.web.path_prefix import PathPrefix, normalise_setting
from app.web.preview import preview_picture
from app.web.room_api import RoomApi
from app.web.room_panel import lesson_questions
from app.web.security import BOOT, EMBED, SecurityMiddleware, security_headers, unfit_body
from app.web.signatures import remember_signatures
from app.wording.catalogue import LANGUAGES, say, speaker
from app.wording.errors import UserError

EVENTS = 160
"""Events that may be under way at once; those that need the model wait in its request queue, and hold no thread."""

SWITCH_SECONDS = 5e-4
"""How long a thread that draws panels keeps the one that runs the model waiting (Python's own: ten times that)."""

LOOK_SECONDS = 0.01
"""How often Gradio looks whether somebody pressed something; its own thousand times a second take a twentieth of a core
from a page that nobody uses."""

SESSIONS = 100
"""Visitors whose last trace is kept (about 2 MB each at most); the longest idle one goes first."""


def build_demo(registry: ModelRegistry) -> Page:
    """Page and API, with their queue."""
    remember_signatures()
    jobs = JobQueue()

    def add_endpoints() -> None:
        add_api(registry)
        add_intervene_api(registry, jobs)
        add_attention_api(registry, jobs)
        add_words_api(registry)

    page = build_page(registry, add_endpoints)
    demo = page.layout.blocks
    take_short_calls(demo)
    name_fields(demo)
    demo._queue.max_size = EVENTS  # `queue()` would set up the routes once more, of .06 s
    demo._queue.sleep_when_free = LOOK_SECONDS
    # Gradio keeps what a visitor who left did not fetch, panels of 100 kB and more, for the last 2,000 of them.
    demo._queue.pending_messages_per_session.max_size = 2 * SESSIONS
    return page


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; host and port come from GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, the number of
    threads that a network runs on from GLYPHSCOPE_THREADS (default: all cores but one, which draws the panels; 1 to
    4), the sites that may show the page in a frame from GLYPHSCOPE_EMBED."""
    options = make_parser().parse_args(arguments)
    limit_retained_memory()
    normalise_setting()
    set_network_threads(int(os.environ.get("GLYPHSCOPE_THREADS", min(4, max(1, (os.cpu_count() or 1) - 1)))))
    try:
        check_font()
        headers = security_headers(os.environ.get("GLYPHSCOPE_EMBED", EMBED))
        registry, wanted = open_registry(options.model)
    except UserError as error:
        sys.exit(str(error))
    if registry.loading.error is not None:
        print(registry.loading.error, file=sys.stderr)
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        page = build_demo(registry)
    except OSError:  # Gradio keeps a folder for temporary files
        sys.exit(say("no_room", name=temporary_setting()))
    collect_from_now()
    threading.Thread(target=warm_up, args=(registry, wanted), daemon=True).start()
    port = int(os.environ.get("GRADIO_SERVER_PORT", 7860))  # given outright: else a taken one is silently skipped
    try:
        launch(page, registry, port, headers)
    except UserError as error:
        sys.exit(str(error))
    except OSError:  # in use, or not allowed
        sys.exit(say("bad_port", port=port))


def make_parser() -> argparse.ArgumentParser:
    """The command line of app.py."""
    parser = argparse.ArgumentParser(description="Serve the page.")
    parser.add_argument(
        "--model",
        default=os.environ.get("GLYPHSCOPE_MODEL"),
        help="a checkpoint folder or owner/name@revision (default: GLYPHSCOPE_MODEL, else the bundled model)",
    )
    return parser


def warm_up(registry: ModelRegistry, wanted: str) -> None:
    """Make the opening example, read the word list and draw both once, so that late imports are over when
    visitors come; then load the model that was asked for, and show it first when it is ready."""
    say, model = speaker("en"), registry.of("")
    if wanted:
        registry.load(wanted, first=True)
    trace = opening_trace(model.engine, "en")
    hero_html(model, "en")
    model.word_cache.prepare(model.folder)
    layers_view(model.engine, trace, 1, say)
    words_view(model.word_cache, preset(PRESETS[0]), say)
    proof_answer(model.word_cache, None, PROOF_SETS[0], "en")
    model_panels(model, PanelSettings())
    for language in LANGUAGES:
        opening_trace(model.engine, language)
        hero_html(model, language)
    settle()
    release_memory()
    if network_threads() == 1:
        keep_to_one_core()  # not before: a start gains from two


def launch(page: Page, registry: ModelRegistry, port: int, headers: dict[str, str]) -> None:
    """Serve a page on a port, with our style and these headers, without anything that asks other hosts."""
    page.layout.blocks.launch(
        server_port=port,
        theme=gr.themes.Base(font=["system-ui", FAMILY, "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css_paths=style_paths(),
        footer_links=["api"],
        run_history=False,
        mcp_server=wants_mcp(),
        state_session_capacity=SESSIONS,
        max_threads=EVENTS,
        head=head_html(),
        max_file_size=1,
        app_kwargs={
            "routes": own_routes(registry),
            "exception_handlers": {RequestValidationError: unfit_body},
            "middleware": [
                Middleware(PathPrefix),
                Middleware(SecurityMiddleware, headers=headers),
                Middleware(FirstPaint, registry=registry, opening=page.opening),
            ],
        },
        ssr_mode=False,
        share=False,
    )


def wants_mcp() -> bool:
    """Whether an MCP server is asked for.

    Raises:
        UserError: `no_mcp` where its package is missing.
    """
    if os.environ.get(MCP) != "1":
        return False
    if importlib.util.find_spec("mcp") is None:
        raise UserError("no_mcp")
    return True


def own_routes(registry: ModelRegistry) -> list[Route]:
    """All that the server answers beside Gradio: the page's files, classes, the answer from which a page sees that the
    server was restarted, the lesson on paper, and the picture for previews of links."""
    rooms = RoomApi(RoomRegistry(), lesson_questions(registry))
    return [
        *page_routes(),
        *rooms.routes(),
        Route("/gs/alive", alive),
        sheet_route(registry),
        Route("/gs/preview.png", preview_picture),
    ]


async def alive(request: Request) -> Response:
    """Identifies this start of the server."""
    return Response(BOOT, media_type="text/plain", headers={"Cache-Control": "no-store"})
