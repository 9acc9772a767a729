"""A model hub on this machine: just enough of its protocol for one folder to be fetched."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"


def listing(folder: Path) -> list[dict[str, object]]:
    """The files of a folder as the hub's tree lists them."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [{"type": "file", "path": p.name, "size": p.stat().st_size, "oid": _digest(p.read_bytes())} for p in files]


def _digest(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@contextmanager
def hub(model: str, folder: Path) -> Iterator[str]:
    """The address of a hub that has one model at one revision, on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = self.path.split("?")[0]
            name = path.removeprefix(f"/{model}/resolve/{REVISION}/")
            if path.startswith(f"/api/models/{model}/"):
                if path.rsplit("/", 1)[1] != REVISION:
                    self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body)
                    return
                self._send(200, json.dumps(listing(folder)).encode(), {"Content-Type": "application/json"}, body)
            elif name != path and (folder / name).is_file():
                data = (folder / name).read_bytes()
                headers = {"ETag": f'"{_digest(data)}"', "X-Repo-Commit": REVISION}
                self._send(200, data, headers, body)
            else:
                self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)

        def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
