"""A model hub on this machine: just enough of its protocol for a branch to be resolved and one folder fetched."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
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
def hub(model: str, folder: Path, branches: Mapping[str, str] | None = None, status: int = 0) -> Iterator[str]:
    """The address of a hub on loopback that has one model: at REVISION, and at the commits that its branches point at
    (`main` at REVISION, if none are given), with the same files in all.  status: what it answers to everything, if
    not 0."""
    heads = {"main": REVISION} if branches is None else branches

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = self.path.split("?")[0]
            file = re.fullmatch(f"/{re.escape(model)}/resolve/([0-9a-f]{{40}})/([^/]+)", path)
            if status:
                self._send(status, b"{}", {}, body)
            elif path.startswith(f"/api/models/{model}/"):
                kind, revision = path.split("/")[-2:]
                commit = heads.get(revision, revision)
                if commit not in (REVISION, *heads.values()):
                    self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body)
                    return
                answer = {"id": model, "sha": commit} if kind == "revision" else listing(folder)
                self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"}, body)
            elif file is not None and (folder / file[2]).is_file():
                data = (folder / file[2]).read_bytes()
                headers = {"ETag": f'"{_digest(data)}"', "X-Repo-Commit": file[1]}
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
