"""Rooms in a real server on loopback, without a model: the teacher's panel on a bare page, and phones."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.rooms.registry import RoomRegistry
from app.web.assets import head_html, module_address, page_routes, style_paths
from app.web.room_api import RoomApi
from app.web.room_pages import room_html
from app.web.security import SecurityMiddleware
from app.web.visitor import asked_language
from tests.support.classroom import asked
from tests.support.server import free_port


async def bare_page(request: Request) -> HTMLResponse:
    """A page with nothing but the teacher's panel, mounted as Gradio does it."""
    facts = re.search(r"<script type='application/json'.*?</script>", head_html())
    styles = "".join(path.read_text(encoding="utf-8") for path in style_paths())
    assert facts
    return HTMLResponse(
        f"<!doctype html><meta charset='utf-8'><meta name='viewport' content='width=device-width'>{facts.group()}"
        f"<style>{styles} body {{ font-family: system-ui; background: var(--gs-ground); }}</style><script>"
        "document.documentElement.classList.toggle('dark', matchMedia('(prefers-color-scheme: dark)').matches);"
        f"</script><div id='room' class='gs-root'>{room_html('mini', asked_language(request.scope))}</div>"
        f"<script type='module'>import {{ mount }} from './{module_address('room.js')}';"
        "mount(document.querySelector('#room'), { trigger() {}, watch() {} });</script>"
    )


@contextmanager
def classroom() -> Iterator[tuple[str, RoomRegistry]]:
    """The address of the bare page, and its rooms."""
    rooms = RoomRegistry()
    api = RoomApi(rooms, asked)
    app = Starlette(
        routes=[Route("/", bare_page), *page_routes(), *api.routes()], middleware=[Middleware(SecurityMiddleware)]
    )
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        assert thread.is_alive(), "the server did not start"
    try:
        yield f"http://127.0.0.1:{port}/", rooms
    finally:
        server.should_exit = True
        thread.join(10)
