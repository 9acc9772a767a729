"""What a server really sends: a relay before it that counts the bytes, for a browser does not tell how long a packed
stream was that it ended itself."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_PART = 65_536


@contextmanager
def relayed(address: str) -> Iterator[tuple[str, Callable[[], int]]]:
    """Another address of the same server, and a function that gives the bytes that came from there so far, with
    headers."""
    server = urlsplit(address)
    count = 0
    lock = threading.Lock()

    def pump(source: socket.socket, target: socket.socket, counts: bool) -> None:
        nonlocal count
        with contextlib.suppress(OSError):  # either end may go away at any time
            while part := source.recv(_PART):
                if counts:
                    with lock:
                        count += len(part)
                target.sendall(part)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((server.hostname or "", server.port or 80)) as there:
                asking = threading.Thread(target=pump, args=(self.request, there, False), daemon=True)
                asking.start()
                pump(there, self.request, True)
                asking.join(1)

    class Relay(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address = True, True

    with Relay(("127.0.0.1", 0), Handler) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{relay.server_address[1]}", lambda: count
        relay.shutdown()
