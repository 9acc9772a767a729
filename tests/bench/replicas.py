"""One replica against two behind the proxy of `assets/nginx.conf`, on loopback: `python -m tests.bench.replicas`.

So many callers at once write a text each; what is printed is tokens a second of all together, which replicas
answered, and whether every caller stayed with one.  Then a replica is killed while visitors of the page are written
for: what they lose, and that none gets another one's text.  With `--crowd 300`, so many visitors of the page come at
once instead, each from an address of its own; who finds the line full tries again.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from app.checkpoint.bundle import load_bundle
from app.engine.engine import Engine
from tests.bench.load import cpu_seconds, crowd, rows_of
from tests.bench.visits import Visit, alone, mixed, visit
from tests.support.hosting import proxied
from tests.support.server import serving

CALLERS, TEXTS, TOKENS = 8, 2, 32
VISITORS, PATIENCE = 24, 180.0
WARM_SECONDS, CROWD_SECONDS, RETURNS = 8, 900.0, 100
"""What two replicas that have just started are given, and a crowd; how often one who finds the line full returns."""


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


async def killed(address: str, victim: subprocess.Popen[bytes]) -> tuple[list[Visit], list[Visit]]:
    """Visitors through the proxy, from whom a replica is taken away soon after the first token of all; and those who
    lost their text, as they come back."""
    config = httpx.get(f"{address}/config", timeout=60).json()
    begun = asyncio.Event()
    visits_due = (visit(address, config, seed, 5, PATIENCE, begun=begun) for seed in range(VISITORS))
    tasks = [asyncio.create_task(one) for one in visits_due]
    await begun.wait()
    await asyncio.sleep(0.5)
    victim.send_signal(signal.SIGKILL)
    visits = await asyncio.gather(*tasks)
    lost = [met for met in visits if met.failures]
    return visits, list(await asyncio.gather(*(visit(address, config, met.seed, 5, PATIENCE) for met in lost)))


def survival(visits: list[Visit], again: list[Visit]) -> list[str]:
    """What became of the texts, in words; a text that broke off must be the beginning of the right one."""
    engine = Engine(load_bundle())
    right = {met.seed: alone(engine, met) for met in visits}
    lost = [met for met in visits if met.failures]
    whole = [met for met in visits if not met.failures]
    mixed = [met for met in (*whole, *again) if met.text != right[met.seed]]
    mixed += [met for met in lost if not right[met.seed].startswith(met.text)]
    slowest = max((met.finished for met in whole), default=0)
    return [
        f"{VISITORS} visitors, one replica of two killed: {len(whole)} texts went on to their end"
        f" (the last after {slowest:.0f} s), {len(lost)} broke off, {sum(bool(met.text) for met in lost)} of them"
        " with words on the page",
        f"of these {sum(not met.failures for met in again)} were written on the other replica at the second press",
        f"texts that were not what their seed gives alone: {len(mixed)}",
    ]


def crowded(visitors: int) -> None:
    """So many visitors at once, on two replicas, and what they met."""
    behind = {"GLYPHSCOPE_PROXIES": "2"}  # nginx, and the visitors' own word for where they come from
    with ExitStack() as stack:
        replicas = [stack.enter_context(serving(extra=behind)) for _ in range(2)]
        address = stack.enter_context(proxied([address for address, _, _ in replicas]))
        time.sleep(WARM_SECONDS)
        before = [cpu_seconds(process.pid) for _, process, _ in replicas]
        visits = asyncio.run(crowd(address, visitors, RETURNS, CROWD_SECONDS, homes=True, instruments=False))
        used = [cpu_seconds(process.pid) - known for (_, process, _), known in zip(replicas, before, strict=True)]
    failures = [failure for met in visits for failure in met.failures] + mixed(visits)
    rows = [*rows_of(visits), ("processor time of each replica", " and ".join(f"{seconds:.0f} s" for seconds in used))]
    for name, value in [*rows, ("failures, texts mixed up included", str(len(failures)))]:
        print(f"{name:50} {value}")
    print("\n".join(failures[:10]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crowd", type=int, default=0, metavar="VISITORS", help="so many at once, and nothing else")
    options = parser.parse_args()
    if shutil.which("nginx") is None:
        sys.exit("There is no nginx: apt-get install nginx-light.")
    os.environ["GLYPHSCOPE_THREADS"] = "1"
    if options.crowd:
        return crowded(options.crowd)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {CALLERS} callers of {TEXTS} texts, a thread a replica"
    )
    for count in (1, 2):
        with ExitStack() as stack:
            replicas = [stack.enter_context(serving()) for _ in range(count)]
            address = stack.enter_context(proxied([address for address, _, _ in replicas]))
            print(f"{count} behind the proxy: {measure(address)}")
            if count == 2:
                print("\n".join(survival(*asyncio.run(killed(address, replicas[0][1])))))


if __name__ == "__main__":
    main()
