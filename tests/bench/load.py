"""Many visitors at once, on a server of our own: `python -m tests.bench.load --visitors 30`.

Each arrives (opens the page and its session), writes, clicks tokens, slides the weight, and leaves.
Traffic goes to 127.0.0.1 only, and ends after `--seconds` at the latest.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import torch

from app.checkpoint.bundle import load_bundle
from app.engine.engine import Engine
from app.engine.queue import RELEASE_SECONDS
from app.engine.sampling import Sampling
from tests.bench.rows import resident_megabytes
from tests.support.server import serving
from viz.html import visible

PROMPTS = ("Жила-была девочка Маша и", "Мама сказала:", "The cat and the dog", "Tom wants a", "我喜欢你", "你知道吗")
TOKENS = 48
CROWDED = "waiting already"


@dataclass
class Visit:
    """What one visitor met: seconds to the opened page, to the first token and to the finished text, of
    every click; the text; sentences in the status line; what went wrong."""

    seed: int
    opened: float = 0.0
    first: float = 0.0
    finished: float = 0.0
    clicks: list[float] = field(default_factory=list)
    text: str = ""
    places: list[int] = field(default_factory=list)
    refused: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def prompt(self) -> str:
        return PROMPTS[self.seed % len(PROMPTS)]


class Session:
    """A page's own conversation with the server, spoken without a browser."""

    def __init__(self, client: httpx.AsyncClient, config: dict[str, Any], name: str) -> None:
        self._client, self._name, self._event = client, name, ""
        self._listeners = {d["api_name"]: d for d in config["dependencies"]}
        self._values = {c["id"]: c["props"].get("value") for c in config["components"]}

    async def call(self, name: str, event: Any = None, **given: Any) -> list[tuple[float, list[Any]]]:
        """Answers of a listener, each with its seconds since the call; `input_<n>` replaces its n-th input."""
        started = time.perf_counter()
        if (answer := await self.join(name, event, **given)) is not None:
            return [(time.perf_counter() - started, answer)]
        answers: list[tuple[float, list[Any]]] = []
        async with self.listen() as stream:
            async for line in stream.aiter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("event_id") not in (None, self._event):
                    continue  # of an earlier call that nobody listened to
                kind, output = message.get("msg"), message.get("output") or {}
                if kind == "process_completed" and not message["success"]:
                    raise RuntimeError(str(output))
                if kind == "process_generating" or (kind == "process_completed" and not answers):
                    values = _patched(answers[-1][1], output["data"]) if answers else output["data"]
                    answers.append((time.perf_counter() - started, values))
                if kind == "process_completed":
                    break
        return answers

    async def join(self, name: str, event: Any = None, **given: Any) -> list[Any] | None:
        """Ask a listener; its answer, or None where that comes by `listen`."""
        listener = self._listeners[name]
        data = [self._values.get(component) for component in listener["inputs"]]
        for key, value in given.items():
            data[int(key.removeprefix("input_"))] = value
        body = {"data": data, "fn_index": listener["id"], "session_hash": self._name, "event_data": event}
        answer = await self._client.post(
            "/gradio_api/" + ("queue/join" if listener["queue"] else "run/predict"), json=body
        )
        answer.raise_for_status()
        if not listener["queue"]:
            return list(answer.json()["data"])
        self._event = str(answer.json()["event_id"])
        return None

    def listen(self) -> AbstractAsyncContextManager[httpx.Response]:
        """The stream in which answers come."""
        return self._client.stream("GET", f"/gradio_api/queue/data?session_hash={self._name}")


def _patched(shown: list[Any], changes: list[Any]) -> list[Any]:
    """Values after a message of differences, as far as whole values and texts that grow go."""
    values = list(shown)
    for n, steps in enumerate(changes):
        for action, path, value in steps:
            if not path:
                values[n] = values[n] + value if action == "append" else value
    return values


async def visit(address: str, config: dict[str, Any], seed: int, patience: int, seconds: float) -> Visit:
    """One visitor from arrival to leaving; one who is told that the line is full tries again, so many times."""
    met = Visit(seed)
    try:
        async with httpx.AsyncClient(
            base_url=address, timeout=seconds, limits=httpx.Limits(max_connections=4)
        ) as client:
            await _visit(client, Session(client, config, f"load{seed}x{time.monotonic_ns()}"), met, patience)
    except Exception as error:
        met.failures.append(f"visitor {seed}: {type(error).__name__}: {error}")
    return met


async def _visit(client: httpx.AsyncClient, session: Session, met: Visit, patience: int) -> None:
    started = time.perf_counter()
    (await client.get("/")).raise_for_status()
    await session.call("on_load")
    met.opened = time.perf_counter() - started
    asked = time.perf_counter()
    for attempt in range(patience + 1):
        answers = await session.call("on_generate", input_0=met.prompt, input_4=met.seed, input_5=TOKENS)
        status = str(answers[-1][1][3])
        if CROWDED not in status:
            break
        met.refused += 1
        await asyncio.sleep(1 + met.seed % 3 if attempt < patience else 0)
    else:
        return
    late = time.perf_counter() - asked - answers[-1][0]
    for after, values in answers:
        if found := re.search(r"number (\d+) in line", str(values[3])):
            met.places.append(int(found.group(1)))
        if not met.first and "gs-written" in str(values[4]):
            met.first = late + after
    met.finished = late + answers[-1][0]
    met.text = "".join(map(unescape, re.findall(r"<bdi class='gs-tok'>(.*?)</bdi>", str(answers[-1][1][4]))))
    if "written" not in status:
        met.failures.append(f"visitor {met.seed}: {status}")
    for index in (2, 3, 5):
        met.clicks.append((await session.call("on_select", {"index": index}))[0][0])
    for weight in (0.2, 0.9):
        met.clicks.append((await session.call("on_weight", input_2=weight))[0][0])


async def crowd(address: str, visitors: int, patience: int, seconds: float) -> list[Visit]:
    """So many visitors at the same moment."""
    async with httpx.AsyncClient(base_url=address, timeout=seconds) as client:
        config = (await client.get("/config")).json()
    visits = [visit(address, config, seed, patience, seconds) for seed in range(visitors)]
    return list(await asyncio.wait_for(asyncio.gather(*visits), seconds))


def alone(engine: Engine, met: Visit) -> str:
    """What the same prompt and seed give when nobody else is there."""
    *_, last = engine.generate(met.prompt, Sampling(seed=met.seed, new_tokens=TOKENS))
    assert last.trace is not None
    return "".join(visible(text) for text in last.trace.texts[1:])


def mixed(visits: list[Visit]) -> list[str]:
    """Visitors whose text is not what their seed gives alone."""
    torch.set_num_threads(1)
    engine = Engine(load_bundle())
    return [f"visitor {v.seed}: another text than alone" for v in visits if v.text and v.text != alone(engine, v)]


async def soak(address: str, requests: int, process: int, seconds: float) -> list[tuple[str, str]]:
    """So many mixed requests from eight visitors at a time, after half as many to warm up, in which every kept
    session is replaced; what the server holds before and after, each time once it has come to rest."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        config = (await client.get("/config")).json()
        done, failures = 0, 0
        started = time.perf_counter()

        async def worker(number: int, goal: int) -> None:
            nonlocal done, failures
            while done < goal and time.perf_counter() - started < seconds:
                session = Session(client, config, f"soak{number}x{done}")
                seed = done
                asked: list[tuple[str, Any, dict[str, Any]]] = [
                    ("on_load", None, {}),
                    ("on_generate", None, {"input_0": PROMPTS[seed % 6], "input_4": seed, "input_5": 12}),
                    ("on_select", {"index": 2}, {}),
                    ("on_weight", None, {"input_2": 0.3}),
                    ("on_look", None, {"input_0": PROMPTS[seed % 5] * 3}),
                    ("on_components", None, {"input_2": 20}),
                    ("on_generate", None, {"input_0": "x" * 5_000}),
                    ("on_preset", None, {"input_0": "mixed"}),
                    ("on_compare", None, {"input_0": "кот", "input_1": "кит"}),
                ]
                for name, event, given in asked:
                    try:
                        await session.call(name, event, **given)
                    except Exception as error:
                        failures += 1
                        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
                    done += 1

        async def until(goal: int) -> tuple[float, int, int]:
            await asyncio.gather(*(worker(n, goal) for n in range(8)))
            await asyncio.sleep(RELEASE_SECONDS + 1)  # after which the next text makes the server tidy up
            await Session(client, config, f"last{done}").call("on_look", None, input_0=PROMPTS[0])
            await asyncio.sleep(1)
            return held(process)

        warm, end = await until(requests // 2), await until(3 * requests // 2)
    names = ("memory, MB", "threads", "open files")
    changes = [
        (f"{n}: warm, end, growth", f"{a:.0f}, {b:.0f}, {b - a:+.0f}") for n, a, b in zip(names, warm, end, strict=True)
    ]
    return [("requests", f"{done} in {time.perf_counter() - started:.0f} s"), ("failures", str(failures)), *changes]


def held(process: int) -> tuple[float, int, int]:
    """Memory in MB, threads and open files of a process."""
    folder = Path(f"/proc/{process}")
    return resident_megabytes(process), len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir()))


def cpu_seconds(process: int) -> float:
    """Processor time that a process has used."""
    user, system = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def rows_of(visits: list[Visit]) -> list[tuple[str, str]]:
    """What they met, in figures."""
    served = [v for v in visits if v.finished]
    places = [place for v in served for place in v.places]
    table = [
        (
            "visitors, served, told that the line is full",
            f"{len(visits)}, {len(served)}, {sum(v.refused > 0 for v in visits)}",
        ),
        ("shown a place in line; the highest", f"{sum(bool(v.places) for v in served)}; {max(places, default=0)}"),
    ]
    for name, values in (
        ("page opened", [v.opened for v in visits]),
        ("first token", [v.first for v in served]),
        ("text finished with panels", [v.finished for v in served]),
        ("click or slide", [click for v in served for click in v.clicks]),
    ):
        if values:
            table.append((f"{name}: median, worst", f"{statistics.median(values):.2f} s, {max(values):.2f} s"))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--patience", type=int, default=5, help="how often one who finds the line full tries again")
    parser.add_argument("--soak", type=int, default=0, metavar="REQUESTS", help="mixed requests instead of a crowd")
    parser.add_argument("--seconds", type=float, default=400.0)
    options = parser.parse_args()
    failures: list[str] = []
    with serving() as (address, process, _):
        time.sleep(6)  # the opening example and the word list are read in the background
        if options.soak:
            rows = asyncio.run(soak(address, options.soak, process.pid, options.seconds))
        else:
            before = cpu_seconds(process.pid)
            visits = asyncio.run(crowd(address, options.visitors, options.patience, options.seconds))
            failures = [failure for v in visits for failure in v.failures]
            rows = rows_of(visits)
            rows.append(("processor time of the server", f"{cpu_seconds(process.pid) - before:.1f} s"))
    if not options.soak:
        failures += mixed(visits)
        rows.append(("failures, texts mixed up included", str(len(failures))))
    for name, value in rows:
        print(f"{name:50} {value}")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
