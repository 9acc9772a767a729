"""One visitor of `python -m tests.bench.load`, from arrival to leaving, and what that visitor met."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import torch

from app.checkpoint.bundle import load_bundle
from app.engine.engine import Engine
from app.engine.sampling import Sampling
from tests.bench.session import STATUS, STRIP, Session, written_text
from viz.tokens import visible

PROMPTS = ("Жила-была девочка Маша и", "Мама сказала:", "The cat and the dog", "Tom wants a", "我喜欢你", "你知道吗")
TOKENS = 48
Instruments = tuple[tuple[str, Any, dict[str, Any]], ...]

INSTRUMENTS: Instruments = (
    ("on_move", None, {"input_0": "Маша никогда не", "input_1": "Миша никогда не"}),
    ("on_cell", {"expert": 0, "layer": 4, "position": 3}, {}),
    ("on_chosen", None, {"input_0": "Маша никогда не", "input_1": "Миша никогда не", "input_2": " была"}),
    (
        "on_exchange",
        None,
        dict(zip((f"input_{n}" for n in range(5)), ("This is a cat", "cat", "Это кошка", "кошка", "сад"), strict=True)),
    ),
    ("on_text", None, {"input_0": "他喝了一"}),
    ("on_stroke", {"pixels": "01" * 512}, {}),
    ("on_stroke", {"pixels": "0011" * 256}, {}),
    ("on_fewest", None, {}),
    ("on_split", None, {"input_1": "I drink a lot of"}),
    ("on_position", {"pin": 2}, {}),
    ("on_pair", None, {}),
    ("on_text_1", None, {"input_0": "You have too many"}),
    ("on_press", {"look": {"expert": 1, "layer": 2, "head": 3}}, {}),
    ("on_press", {"part": {"kind": "block", "expert": 0, "layer": 1}}, {}),
    ("on_press", {"token": 2}, {}),
)
"""What each visitor tries in the tab "Try to break it": listener, what the page's script sends, inputs.  Of two that
are called the same, Gradio numbers the second: `on_text` is the drawing's, `on_text_1` that of the heads."""
CROWDED = "waiting already"


@dataclass
class Visit:
    """What one visitor met: seconds to the opened page, to the first token and to the finished text, of
    every click, of every instrument; the text; sentences in the status line; what went wrong."""

    seed: int
    opened: float = 0.0
    first: float = 0.0
    finished: float = 0.0
    clicks: list[float] = field(default_factory=list)
    instruments: list[float] = field(default_factory=list)
    text: str = ""
    places: list[int] = field(default_factory=list)
    refused: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def prompt(self) -> str:
        return PROMPTS[self.seed % len(PROMPTS)]


async def visit(
    address: str, config: dict[str, Any], seed: int, patience: int, seconds: float, home: str = "",
    begun: asyncio.Event | None = None, instruments: bool = True,
) -> Visit:  # fmt: skip
    """One visitor from arrival to leaving; one who is told that the line is full tries again, so many times.  home: the
    address that the visitor comes from, if not this machine's; begun: set once there is a first token; instruments:
    whether each of those in "Try to break it" is tried too."""
    met, session = Visit(seed), None
    headers = {"X-Forwarded-For": home} if home else {}
    try:
        async with httpx.AsyncClient(
            base_url=address, timeout=seconds, headers=headers, limits=httpx.Limits(max_connections=4)
        ) as client:
            session = Session(client, config, f"load{seed}x{time.monotonic_ns()}", begun)
            await _visit(client, session, met, patience, INSTRUMENTS if instruments else ())
    except Exception as error:
        name, values = session.latest if session else ("", [])
        met.text = met.text or (written_text(values) if name == "on_generate" else "")
        met.failures.append(f"visitor {seed}: {type(error).__name__}: {error}")
    return met


async def _visit(
    client: httpx.AsyncClient, session: Session, met: Visit, patience: int, instruments: Instruments
) -> None:
    started = time.perf_counter()
    (await client.get("/")).raise_for_status()
    await session.call("on_load")
    met.opened = time.perf_counter() - started
    asked = time.perf_counter()
    for attempt in range(patience + 1):
        answers = await session.call("on_generate", input_0=met.prompt, input_4=met.seed, input_5=TOKENS)
        status = str(answers[-1][1][STATUS])
        if CROWDED not in status:
            break
        met.refused += 1
        await asyncio.sleep(1 + met.seed % 3 if attempt < patience else 0)
    else:
        return
    late = time.perf_counter() - asked - answers[-1][0]
    for after, values in answers:
        if found := re.search(r"number (\d+) in line", str(values[STATUS])):
            met.places.append(int(found.group(1)))
        if not met.first and "gs-written" in str(values[STRIP]):
            met.first = late + after
    met.finished = late + answers[-1][0]
    met.text = written_text(answers[-1][1])
    if "written" not in status:
        met.failures.append(f"visitor {met.seed}: {status}")
    for index in (2, 3, 5):
        met.clicks.append((await session.call("on_select", {"index": index}))[0][0])
    for weight in (0.2, 0.9):
        met.clicks.append((await session.call("on_weight", input_2=weight))[0][0])
    for name, event, given in instruments:
        answers = await session.call(name, event, **given)
        met.instruments.append(answers[-1][0])
        if "gs-failed" in str(answers[-1][1]):
            met.failures.append(f"visitor {met.seed}: {name}: {answers[-1][1]}")


def alone(engine: Engine, met: Visit) -> str:
    """What the same prompt and seed give when nobody else is there."""
    *_, last = engine.generate(met.prompt, Sampling(seed=met.seed, new_tokens=TOKENS))
    assert last.trace is not None
    return "".join(visible(text) for text in last.trace.texts[1:])


def mixed(visits: list[Visit]) -> list[str]:
    """Visitors whose text is not what their seed gives alone."""
    torch.set_num_threads(1)
    engine = Engine(load_bundle())
    return [f"visitor {v.seed}: another text than alone" for v in visits if v.finished and v.text != alone(engine, v)]
