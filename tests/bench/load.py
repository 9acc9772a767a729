"""Many visitors at once, on a server of our own: `python -m tests.bench.load --visitors 30`.

Each arrives (opens the page and its session), writes, clicks tokens, slides the weight, tries every instrument, and
leaves.  All come from one address, as a school's pupils do, or each from its own (`--homes`); with `--flood 150`
another address has asked for so many texts just before, each under another name.  With `--room 30` a class of so many
pupils has its lesson meanwhile, and visitors come again and again until it is over.
Traffic goes to 127.0.0.1 only, and ends after `--seconds` at the latest.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from app.engine.queue import RELEASE_SECONDS
from tests.bench.room import Lesson, rows_of_lesson, teach
from tests.bench.rows import Row, resident_megabytes
from tests.bench.session import Session
from tests.bench.visits import INSTRUMENTS, PROMPTS, TOKENS, Visit, mixed, visit
from tests.support.server import serving

FLOOD, HOME = "203.0.113.5", "198.51.100.{}"
"""Addresses, of ranges that are kept for documentation; the server believes a proxy on its own machine."""


async def crowd(
    address: str, visitors: int, patience: int, seconds: float, homes: bool = False, floods: int = 0,
    instruments: bool = True,
) -> list[Visit]:  # fmt: skip
    """So many visitors at the same moment, from one address or each from its own, behind a flood from another."""
    async with httpx.AsyncClient(base_url=address, timeout=seconds, headers={"X-Forwarded-For": FLOOD}) as client:
        config = (await client.get("/config")).json()
        for number in range(floods):
            given = {"input_0": PROMPTS[number % len(PROMPTS)], "input_4": number, "input_5": TOKENS}
            await Session(client, config, f"flood{number}").join("on_generate", **given)
        visits = []
        for seed in range(visitors):
            home = HOME.format(seed % 250) if homes else ""
            visits.append(visit(address, config, seed, patience, seconds, home, instruments=instruments))
        return list(await asyncio.wait_for(asyncio.gather(*visits), seconds))


async def crowd_beside_a_class(
    address: str, visitors: int, pupils: int, patience: int, seconds: float
) -> tuple[list[Visit], Lesson]:
    """Visitors who come again and again, each time with another text, while a class has its lesson."""
    lesson, visits = asyncio.create_task(teach(address, pupils)), list[Visit]()
    async with httpx.AsyncClient(base_url=address, timeout=seconds) as client:
        config = (await client.get("/config")).json()

    async def again_and_again(first: int) -> None:
        for seed in range(first, 10_000, visitors):
            visits.append(await visit(address, config, seed, patience, seconds))
            if lesson.done():
                return

    await asyncio.wait_for(asyncio.gather(lesson, *map(again_and_again, range(visitors))), seconds)
    return visits, lesson.result()


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
                    *INSTRUMENTS,
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
        ("an instrument that breaks", [seconds for v in served for seconds in v.instruments]),
    ):
        if values:
            table.append((f"{name}: median, worst", f"{statistics.median(values):.2f} s, {max(values):.2f} s"))
    return table


def load_rows(visitors: int = 30) -> list[Row]:
    """So many visitors at the same moment, for the table of `python -m tests.bench`: those who write and read, then
    those who try every instrument too."""
    with serving() as (address, process, _):
        time.sleep(6)
        before = cpu_seconds(process.pid)
        visits = asyncio.run(crowd(address, visitors, 5, 400, instruments=False))
        used = cpu_seconds(process.pid) - before
        tried = asyncio.run(crowd(address, visitors, 5, 400))
        more = cpu_seconds(process.pid) - before - used
    served = [v for v in visits if v.finished]
    first, whole = ([getattr(v, name) for v in served] for name in ("first", "finished"))
    failures = sum(len(v.failures) for v in (*visits, *tried))
    at_once = f"{visitors} visitors at once"
    return [
        Row(f"{at_once}: served", f"{len(served)}", "failures", f"{failures}", aim="no failure"),
        Row(f"{at_once}: processor time of the server", f"{used:.1f} s", aim="under 9 s"),
        Row(f"{at_once}, with every instrument: the same", f"{more:.1f} s"),
        Row(f"{at_once}: first token, median", f"{statistics.median(first):.1f} s", "worst", f"{max(first):.1f} s",
            aim="under 2 s, 4 s"),
        Row(f"{at_once}: text with panels, median", f"{statistics.median(whole):.1f} s", "worst",
            f"{max(whole):.1f} s", aim="under 5 s"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--room", type=int, default=0, metavar="PUPILS", help="a class of so many beside them")
    parser.add_argument("--patience", type=int, default=5, help="how often one who finds the line full tries again")
    parser.add_argument("--homes", action="store_true", help="each visitor from an address of its own")
    parser.add_argument("--readers", action="store_true", help="visitors who try no instrument, only write and read")
    parser.add_argument("--flood", type=int, default=0, metavar="TEXTS", help="asked for before them by one address")
    parser.add_argument("--soak", type=int, default=0, metavar="REQUESTS", help="mixed requests instead of a crowd")
    parser.add_argument("--seconds", type=float, default=400.0)
    options = parser.parse_args()
    failures: list[str] = []
    with serving() as (address, process, _):
        time.sleep(6)  # the opening example and the word list are read in the background
        if options.soak:
            rows = asyncio.run(soak(address, options.soak, process.pid, options.seconds))
        else:
            before, limits = cpu_seconds(process.pid), (options.patience, options.seconds)
            lesson = None
            if options.room:
                visits, lesson = asyncio.run(crowd_beside_a_class(address, options.visitors, options.room, *limits))
            else:
                visits = asyncio.run(
                    crowd(address, options.visitors, *limits, options.homes, options.flood, not options.readers)
                )
            failures = [failure for v in visits for failure in v.failures] + (lesson.failures if lesson else [])
            rows = rows_of(visits) + (rows_of_lesson(lesson) if lesson else [])
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
