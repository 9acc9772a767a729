"""Start the real server as a subprocess, as `make run` does, over any checkpoint folder."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 90


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    model: Path | None = None, extra: dict[str, str] | None = None, port: int | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """The address, the process and the seconds to the first answer; stopped on leaving."""
    port = port or free_port()
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    environment |= extra or {}
    if model is not None:
        environment["GLYPHSCOPE_MODEL"] = str(model)
    started = time.perf_counter()
    # A pipe that nobody reads would stop the server once it is full.
    said = tempfile.TemporaryFile()  # noqa: SIM115  closed below
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=said, stderr=said)
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
        with urllib.request.urlopen(address, timeout=2) as response:
            return int(response.status) == 200
    except (urllib.error.URLError, OSError):
        return False
