"""Firefox and WebKit on the page, by the WebDriver commands that both know: https://www.w3.org/TR/webdriver2/.

Firefox takes them through its own Marionette port, so that no geckodriver is needed, which Debian does not have.
WebKit is the one of Debian's `webkit2gtk-driver`, on a screen of `xvfb`.
"""

import base64
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.server import free_port

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
MINI_BROWSERS = sorted(Path("/usr").glob("lib/*/webkit2gtk-4.*/MiniBrowser"))
MISSING = {
    "firefox": "" if FIREFOX else "no Firefox: apt-get install firefox-esr",
    "webkit": ""
    if shutil.which("WebKitWebDriver") and MINI_BROWSERS and shutil.which("Xvfb")
    else "no WebKit: apt-get install webkit2gtk-driver xvfb",
}
"""Why an engine cannot be tried here; empty where it can."""
NOTHING_FIRST = {
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "termsofuse.bypassNotification": True,
}
"""Settings of Firefox without which a new profile first asks and tells, and a session never begins."""
PATIENCE = 60
OVER_HTTP = {
    "NewSession": ("POST", ""),
    "SetWindowRect": ("POST", "/window/rect"),
    "Navigate": ("POST", "/url"),
    "ExecuteScript": ("POST", "/execute/sync"),
    "FindElement": ("POST", "/element"),
    "ElementClick": ("POST", "/element/{id}/click"),
    "ElementClear": ("POST", "/element/{id}/clear"),
    "ElementSendKeys": ("POST", "/element/{id}/value"),
    "TakeScreenshot": ("GET", "/screenshot"),
}
"""Method and address, below that of the session, of each command."""
ARROW_RIGHT, ENTER = "\ue014", "\ue007"


class WebDriverPage:
    """One window.  send: carries a command and its parameters out, and answers with its value."""

    def __init__(self, send: Callable[[str, dict[str, Any]], Any]) -> None:
        self._send = send

    def open(self, url: str, width: int = 1400, height: int = 900) -> None:
        self._send("SetWindowRect", {"width": width, "height": height})
        self._send("Navigate", {"url": url})
        self.run("window.failures = []; addEventListener('error', (e) => failures.push(e.message))")

    def run(self, script: str, *given: Any) -> Any:
        """What a script returns; what is given to it is its `arguments`."""
        return self._send("ExecuteScript", {"script": script, "args": [*given]})

    def until(self, condition: str, *given: Any) -> None:
        """Wait until an expression of JavaScript holds."""
        late = time.monotonic() + PATIENCE
        while not self.run(f"return Boolean({condition})", *given):
            assert time.monotonic() < late, f"never came true: {condition} {given}"
            time.sleep(0.05)

    def until_there(self, selector: str) -> None:
        self.until("document.querySelector(arguments[0])?.checkVisibility()", selector)

    def click(self, selector: str) -> None:
        self._send("ElementClick", {"id": self._find(selector)})

    def fill(self, selector: str, text: str) -> None:
        """Put a text in place of the one in a field, key by key."""
        self._send("ElementClear", {"id": self._find(selector)})
        self.press(selector, text)

    def press(self, selector: str, keys: str) -> None:
        self._send("ElementSendKeys", {"id": self._find(selector), "text": keys})

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def screenshot(self) -> bytes:
        return base64.b64decode(self._send("TakeScreenshot", {"full": False}))

    def _find(self, selector: str) -> str:
        self.until_there(selector)
        found: dict[str, str] = self._send("FindElement", {"using": "css selector", "value": selector})
        return next(iter(found.values()))


@contextmanager
def firefox() -> Iterator[WebDriverPage]:
    """A headless Firefox with a profile of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, ExitStack() as stack:
        settings = {**NOTHING_FIRST, "marionette.port": port, "ui.prefersReducedMotion": 1}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()]
        (Path(profile) / "user.js").write_text("\n".join(lines))
        command = [str(FIREFOX), "--headless", "--marionette", "--no-remote", "--profile", profile]
        _started(stack, command, {"HOME": profile})
        wire = stack.enter_context(_connected(port))
        reader = stack.enter_context(wire.makefile("rb"))
        numbers = itertools.count()

        def message() -> Any:
            size = b"".join(iter(lambda: reader.read(1), b":"))
            return json.loads(reader.read(int(size)))

        def send(command: str, given: dict[str, Any]) -> Any:
            body = json.dumps([0, next(numbers), f"WebDriver:{command}", given])
            wire.sendall(f"{len(body)}:{body}".encode())  # ASCII, as JSON is here
            _, _, error, result = message()
            assert error is None, error
            return result["value"] if isinstance(result, dict) and "value" in result else result

        message()  # it says who it is
        send("NewSession", {"strictFileInteractability": True})
        yield WebDriverPage(send)


@contextmanager
def webkit() -> Iterator[WebDriverPage]:
    """WebKitGTK's MiniBrowser on a screen of its own."""
    port, screen = free_port(), free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, ExitStack() as stack:
        _started(stack, ["Xvfb", f":{screen}", "-screen", "0", "2000x1200x24", "-nolisten", "tcp"], {})
        place = {"DISPLAY": f":{screen}", "HOME": home, "XDG_RUNTIME_DIR": home}
        place["WEBKIT_DISABLE_DMABUF_RENDERER"] = "1"  # with it screenshots are blank where there is no graphics card
        _started(stack, ["WebKitWebDriver", f"--port={port}"], place)
        _connected(port).close()
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE))
        session = "/session"

        def send(command: str, given: dict[str, Any]) -> Any:
            method, path = OVER_HTTP[command]
            body = None if method == "GET" else given
            answer = client.request(method, session + path.format(**given), json=body).json()["value"]
            assert not (isinstance(answer, dict) and "error" in answer), answer
            return answer

        options = {"binary": str(MINI_BROWSERS[-1]), "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        session = f"/session/{send('NewSession', wanted)['sessionId']}"
        try:
            yield WebDriverPage(send)
        finally:
            client.delete(session)


ENGINES = {"firefox": firefox, "webkit": webkit}


def _started(stack: ExitStack, command: list[str], settings: dict[str, str]) -> None:
    """A process that ends with the stack."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=quiet, stderr=quiet)
    stack.callback(process.wait, 20)
    stack.callback(process.terminate)


def _connected(port: int) -> socket.socket:
    """A connection to a process that has just been started."""
    late = time.monotonic() + PATIENCE
    while True:
        try:
            wire = socket.create_connection(("127.0.0.1", port), PATIENCE)
        except ConnectionRefusedError:
            assert time.monotonic() < late, f"nobody listens on {port}"
            time.sleep(0.1)
        else:
            return wire
