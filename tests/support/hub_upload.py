"""A model hub on this machine that takes a Space: who asked, what was created, and what it holds afterwards.

Files with a zero byte go the way of large files, as on the hub, which refuses them in a plain push.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"


@dataclass
class Received:
    """created: the wish for a repository; small, large: files by their paths, small as they came, large by their
    checksum; deleted: paths; stored: large contents by checksum; tokens: what was shown."""

    address: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    small: dict[str, bytes] = field(default_factory=dict)
    large: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)


@contextmanager
def taking_hub(space: str, before: list[str], token: str) -> Iterator[Received]:
    """A hub that holds a Space with some files, and lets only a token write."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("authorization") != f"Bearer {token}":
                return self._answer({"error": "no such Space"}, 404)
            if "/tree/" in self.path:
                return self._answer([{"type": "file", "path": p, "size": 1, "oid": "0" * 40} for p in before])
            self._answer({"id": space, "sha": COMMIT, "siblings": [{"rfilename": p} for p in before]})

        def do_PUT(self) -> None:
            received.stored[self.path.rpartition("/")[2]] = self._body()
            self._answer({})

        def do_POST(self) -> None:
            body, shown = self._body(), self.headers.get("authorization", "")
            received.tokens.add(shown)
            if shown != f"Bearer {token}":
                return self._answer({"error": "may not write"}, 403)
            if self.path.endswith(f"/spaces/{space}/commit/main"):
                return self._commit([json.loads(line) for line in body.splitlines()])
            asked = json.loads(body)
            if self.path.endswith("/repos/create"):
                received.created.append(asked)
                return self._answer({"url": f"{received.address}/spaces/{space}"})
            if self.path.endswith("/validate-yaml"):
                return self._answer({"warnings": [], "errors": []})
            if "/preupload/" in self.path:
                return self._answer({"files": [_mode(file) for file in asked["files"]]})
            assert self.path == f"/spaces/{space}.git/info/lfs/objects/batch", self.path
            self._answer({"transfer": "basic", "objects": [self._upload(one) for one in asked["objects"]]})

        def _upload(self, one: dict[str, Any]) -> dict[str, Any]:
            return {**one, "actions": {"upload": {"href": f"{received.address}/large/{one['oid']}"}}}

        def _commit(self, lines: list[dict[str, Any]]) -> None:
            for line in lines:
                value = line["value"]
                if line["key"] == "file":
                    received.small[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    received.large[value["path"]] = value["oid"]
                elif line["key"] == "deletedFile":
                    received.deleted.append(value["path"])
            url = f"{received.address}/spaces/{space}/commit/{COMMIT}"
            self._answer({"success": True, "commitOid": COMMIT, "commitUrl": url, "hookOutput": ""})

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("content-length", 0)))

        def _answer(self, value: Any, status: int = 200) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()


def _mode(file: dict[str, Any]) -> dict[str, Any]:
    large = b"\0" in base64.b64decode(file["sample"])
    return {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": None}
