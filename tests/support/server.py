"""Start the real server as a subprocess, as `make run` does, over any checkpoint folder."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 180
LONELY = """
import os, socket
_connect = socket.socket.connect
def connect(self, address):
    host = address[0] if isinstance(address, tuple) else ""
    if host not in ("", "127.0.0.1", "::1", "localhost", "0.0.0.0"):
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{address}\\n")
        raise OSError("no network")
    return _connect(self, address)
socket.socket.connect = connect
"""
"""Loaded by Python before anything else, as sitecustomize.py: every other host is out of reach, and who asks for one is
noted in the file $ASKED."""
ENDLESS_UMAP = """
import time
class AlignedUMAP:
    def __init__(self, **settings):
        pass
    def fit(self, states, relations):
        time.sleep(60)
"""
"""In the place of UMAP, as umap.py, for a server of which it is only asked that it can be cancelled: the real one would
be compiled there on and on, half a minute of a core.  tests/probing/test_words.py has its places computed."""


def free_port() -> int:
    """A port that nobody listens on just now, and that the system hands to no connection until our server has it."""
    while True:
        port = random.SystemRandom().randrange(10_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextmanager
def serving(
    model: Path | None = None,
    extra: dict[str, str] | None = None,
    port: int | None = None,
    inside: Sequence[str] = (),
) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """The address, the process and the seconds to the first answer; stopped on leaving.  inside: a command that runs
    another one, in a sandbox say."""
    port = port or free_port()
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    environment |= extra or {}
    if model is not None:
        environment["GLYPHSCOPE_MODEL"] = str(model)
    started = time.perf_counter()
    # A pipe that nobody reads would stop the server once it is full.
    said = tempfile.TemporaryFile()  # noqa: SIM115  closed below
    process = subprocess.Popen([*inside, sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=said, stderr=said)
    address = f"http://127.0.0.1:{port}"
    try:
        while not _answers(address):
            if process.poll() is not None or time.perf_counter() - started > START_SECONDS:
                process.kill()
                said.seek(0)
                raise RuntimeError(said.read().decode())
            time.sleep(0.05)
        yield address, process, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(10)
        said.close()


def ended(**settings: str) -> tuple[int, str]:
    """What a server that cannot start leaves: its exit status, and what it said to the error stream."""
    environment = {**os.environ, **settings}
    done = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, timeout=90)
    return done.returncode, done.stderr.decode()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=60) as response:
            return int(response.status) == 200
    except (urllib.error.URLError, OSError):
        return False
