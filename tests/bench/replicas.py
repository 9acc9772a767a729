"""One replica against two behind the proxy of `assets/nginx.conf`, on loopback: `python -m tests.bench.replicas`.

So many callers at once write a text each; what is printed is tokens a second of all together, which replicas
answered, and whether every caller stayed with one.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.support.server import ROOT, free_port, serving

CALLERS, TEXTS, TOKENS = 8, 2, 32


@contextmanager
def proxied(addresses: list[str]) -> Iterator[str]:
    """The address of the proxy in front of some replicas."""
    port = free_port()
    lines = "\n".join(f"server {address.removeprefix('http://')};" for address in addresses)
    text = (ROOT / "assets" / "nginx.conf").read_text(encoding="utf-8")
    text = re.sub(r"(?:^ *server 127\.0\.0\.1:\d+ .*$\n)+", lines + "\n", text, flags=re.MULTILINE)
    text = text.replace("listen 127.0.0.1:7860;", f"listen 127.0.0.1:{port};")
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "nginx.conf").write_text(text, encoding="utf-8")
        command = ["nginx", "-e", "stderr", "-p", place, "-c", "nginx.conf"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/gs/alive", timeout=5)
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def call(address: str, number: int) -> tuple[int, set[str]]:
    """One caller: opens the page, then has texts written; tokens written, and the replicas that answered."""
    written, replicas = 0, set()
    with httpx.Client(base_url=address, timeout=120) as client:
        client.get("/")  # the cookie
        for turn in range(TEXTS):
            replicas.add(client.get("/gs/alive").text)
            data = ["Мама сказала:", 1.0, 50, 0.95, 100 * number + turn, TOKENS, 0.5]
            event = client.post("/gradio_api/call/generate", json={"data": data}).json()["event_id"]
            answer = client.get(f"/gradio_api/call/generate/{event}").text
            assert "event: complete" in answer, answer[:200]
            written += answer.count('"log_probs"') - 3  # the prompt's tokens
    return written, replicas


def measure(address: str) -> str:
    """Callers at once, summed up in one line."""
    call(address, 99)
    started = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(lambda number: call(address, number), range(CALLERS)))
    seconds = time.perf_counter() - started
    spread = Counter(name for _, names in answers for name in names)
    faithful = sum(len(names) == 1 for _, names in answers)
    rate = sum(tokens for tokens, _ in answers) / seconds
    shares = sorted(spread.values())
    return f"{rate:.0f} tokens/s together; callers by replica {shares}; {faithful} of {CALLERS} stayed with one"


def main() -> None:
    if shutil.which("nginx") is None:
        sys.exit("There is no nginx: apt-get install nginx-light.")
    os.environ["GLYPHSCOPE_THREADS"] = "1"
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {CALLERS} callers of {TEXTS} texts, a thread a replica"
    )
    for count in (1, 2):
        with ExitStack() as stack:
            addresses = [stack.enter_context(serving())[0] for _ in range(count)]
            print(f"{count} behind the proxy: {measure(stack.enter_context(proxied(addresses)))}")


if __name__ == "__main__":
    main()
