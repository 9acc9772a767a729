"""What goes wrong while a server runs: clocks that jump, visitors who leave, runs that fail."""

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client

from app.engine.engine import Engine, Feed
from app.engine.fair_line import NOBODY, Visitor
from app.engine.queue import MAX_UNDER_WAY, QueuedRequest, RequestQueue
from app.engine.sampling import Sampling
from app.web.layout import WRITTEN
from tests.bench.session import Session
from tests.support.requests import Counting, finished
from tests.support.server import serving

LONG = Sampling(new_tokens=128, temperature=1.5, top_k=0, top_p=1.0)


JUMPING = """
import time
_time, _jumps = time.time, iter(range(10**9))
time.time = lambda: _time() + (86_400 if next(_jumps) % 2 else -86_400)
"""


@pytest.fixture(scope="module")
def jumping(toy_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose clock jumps two days at every look."""
    folder = tmp_path_factory.mktemp("jumping")
    (folder / "sitecustomize.py").write_text(JUMPING, encoding="utf-8")
    with serving(toy_bundle, {"PYTHONPATH": str(folder)}) as (address, _, _):
        yield address


def test_a_clock_that_jumps_changes_nothing(jumping: str, engine: Engine) -> None:
    client = Client(jumping, verbose=False)
    *_, last = engine.generate("Мама", Sampling(seed=3, new_tokens=12))
    assert last.trace is not None
    for _ in range(3):
        assert client.predict("Мама", 0.8, 50, 0.95, 3, 12, 0.5, api_name="/generate")["text"] == last.trace.text


def started(requests: RequestQueue, visitor: Visitor = NOBODY) -> QueuedRequest:
    """A request that has its first token."""
    order = requests.write("The cat", LONG, visitor=visitor)
    deadline = time.monotonic() + 20
    while not order.steps and time.monotonic() < deadline:
        time.sleep(0.001)
    assert order.steps
    return order


@pytest.mark.parametrize("how", ["stop", "abandon"])
def test_who_stops_or_leaves_frees_the_model_within_one_token(engine: Engine, how: str) -> None:
    counting = Counting(engine.bundle)
    requests = RequestQueue(counting)
    order = started(requests)
    getattr(order, how)()
    before = counting.fed
    assert order.done.wait(10)
    assert counting.fed - before <= 1 and (order.trace is not None) == (how == "stop")
    time.sleep(0.1)
    assert counting.fed - before <= 1 and requests.busy == 0


def test_who_leaves_the_line_is_not_served(engine: Engine) -> None:
    requests = RequestQueue(Counting(engine.bundle), batch_size=1)
    first = started(requests)
    second = requests.write("кот", LONG)
    assert requests.place(second) == 1 and requests.place(first) == 0
    second.abandon()
    assert second.done.wait(5) and not second.steps and requests.place(second) == 0
    first.abandon()


def test_a_run_that_fails_leaves_the_others_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = RequestQueue(engine)
    good = started(requests)

    def failing(*_: Any) -> Iterator[Feed]:
        yield Feed([engine.bundle.start], None)
        raise RuntimeError("a bug")

    monkeypatch.setattr(engine, "reading", failing)
    logging.disable(logging.CRITICAL)
    bad = requests.look("кот")
    assert bad.done.wait(10)
    logging.disable(logging.NOTSET)
    with pytest.raises(RuntimeError):
        bad.result()
    assert good.done.wait(30) and good.trace is not None


def test_texts_written_together_are_those_written_alone(engine: Engine) -> None:
    requests = RequestQueue(engine)
    settings = [Sampling(seed=seed, new_tokens=20, temperature=1.2) for seed in range(12)]
    prompts = ["Мама", "The cat and the dog", "我"]
    orders = [requests.write(prompts[s.seed % 3], s, visitor=Visitor("", str(s.seed))) for s in settings]
    for order, sampling in zip(orders, settings, strict=True):
        assert order.done.wait(30)
        *_, last = engine.generate(prompts[sampling.seed % 3], sampling)
        assert last.trace is not None and order.result().text == last.trace.text


def test_a_closed_connection_frees_its_places(address: str) -> None:
    """Four long texts of one session, dropped, three times over; the same session is then served at once."""

    async def drop_and_ask() -> str:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            session = Session(client, (await client.get("/config")).json(), "dropped")
            for _ in range(3):
                for seed in range(MAX_UNDER_WAY):
                    await session.join("on_generate", input_0="The cat", input_1=1.5, input_4=seed, input_5=128)
                async with session.listen() as stream:
                    await anext(stream.aiter_lines())
                await asyncio.sleep(1)
            return str((await session.call("on_look", input_0="The cat"))[-1][1][WRITTEN.index("status")])

    assert "tokens read" in finished(drop_and_ask())
