"""What goes wrong on a machine: a sentence that names the remedy, or a page that goes on with less."""

import asyncio
import logging
import shutil
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx
import numpy as np
import pytest
from gradio_client import Client

from app.checkpoint.bundle import MINI, load_bundle
from app.checkpoint.checksums import CHECKSUMS_FILE, damaged_files
from app.engine.engine import Engine, Feed
from app.engine.examples import EXAMPLES
from app.engine.queue import MAX_UNDER_WAY, QueuedRequest, RequestQueue
from app.engine.sampling import Sampling
from app.foreign.files.hub import Place
from app.models import LoadedModel, ModelRegistry
from app.panels import compose as panels
from app.panels import lens as lens_module
from app.panels.settings import PanelSettings
from app.probing.control_record import CONTROLS_FILE, read_control_record
from app.probing.word_cache import PROOF_FILE, WORDS_FILE, WordCache, read_words, write_words
from app.probing.word_list import preset
from app.probing.word_states import word_states
from app.web.on_select import Listeners
from app.web.on_write import RenderedCache, WritingListeners
from app.web.tabs import TABS
from app.wording.errors import UserError
from tests.bench.load import Session
from tests.support.server import serving

Result = TypeVar("Result")
LONG = Sampling(new_tokens=128, temperature=1.5, top_k=0, top_p=1.0)


@pytest.fixture
def copy(toy_bundle: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(toy_bundle, folder)
    return folder


def flip(path: Path, at: float) -> None:
    """Turn one bit of a file, at a share of its length."""
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] ^= 4
    path.write_bytes(data)


FILES = ["config.json", "model.safetensors", "tokenizer.json", "substrate.safetensors"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("at", [0.0, 0.6, 1.0])
def test_one_flipped_bit_is_noticed_and_named(copy: Path, name: str, at: float) -> None:
    flip(copy / name, at)
    with pytest.raises(UserError, match=rf"{name}.*restore the folder") as caught:
        load_bundle(copy)
    assert caught.value.code == "damaged_files"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_a_cut_file_of_a_folder_without_checksums_is_refused(copy: Path, name: str, kept: float) -> None:
    (copy / CHECKSUMS_FILE).unlink()
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: int(kept if kept > 1 else kept * len(data))])
    with pytest.raises(UserError, match="restore the folder"):
        load_bundle(copy)


def test_what_is_shipped_fits_its_checksums() -> None:
    lines = (MINI / CHECKSUMS_FILE).read_text(encoding="utf-8").splitlines()
    names = [line.partition("  ")[2] for line in lines]
    assert {*FILES, WORDS_FILE, PROOF_FILE} <= set(names) and not damaged_files(MINI, names)


def test_a_damaged_word_list_is_not_used(engine: Engine, copy: Path) -> None:
    write_words(copy, engine)
    assert read_words(copy, engine) is not None
    flip(copy / PROOF_FILE, 0.5)
    without = read_words(copy, engine)
    assert without is not None and without.proof is None and not without.places
    flip(copy / WORDS_FILE, 0.5)
    assert read_words(copy, engine) is None
    lexicon = WordCache(engine)
    lexicon.prepare(copy)  # reads the list itself
    assert lexicon.bank is not None and lexicon.proof is None


def test_a_damaged_record_of_twins_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / CONTROLS_FILE).write_text('{"runs": [', encoding="utf-8")
    assert read_control_record(tmp_path) is None


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


# The request queue


def started(requests: RequestQueue, visitor: str = "") -> QueuedRequest:
    """A request that has its first token."""
    order = requests.write("The cat", LONG, visitor=visitor)
    deadline = time.monotonic() + 20
    while not order.steps and time.monotonic() < deadline:
        time.sleep(0.001)
    assert order.steps
    return order


class Counting(Engine):
    """An engine that counts what goes through the network, and takes its time."""

    fed = 0

    def feed(self, wanted: Any) -> Any:
        time.sleep(0.01)
        self.fed += len(wanted)
        return super().feed(wanted)


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


def finished(work: Coroutine[Any, Any, Result]) -> Result:
    """What asynchronous work gives, in a thread of its own: a browser's tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def test_texts_written_together_are_those_written_alone(engine: Engine) -> None:
    requests = RequestQueue(engine)
    settings = [Sampling(seed=seed, new_tokens=20, temperature=1.2) for seed in range(12)]
    prompts = ["Мама", "The cat and the dog", "我"]
    orders = [requests.write(prompts[s.seed % 3], s, visitor=str(s.seed)) for s in settings]
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
            return str((await session.call("on_look", input_0="The cat"))[-1][1][3])

    assert "tokens read" in finished(drop_and_ask())


# The page


def page_over(engine: Engine, requests: RequestQueue | None = None) -> tuple[WritingListeners, Listeners, LoadedModel]:
    """What answers a page over one engine."""
    shown = LoadedModel("toy", engine, requests or RequestQueue(engine), WordCache(engine), None, None)
    registry, kept = ModelRegistry({"toy": Place(None, "toy")}, {"toy": shown}, "toy"), RenderedCache()
    return WritingListeners(registry, kept), Listeners(registry, lambda *_: {}, kept), shown


def test_a_panel_that_fails_shows_its_own_error_and_the_others_go_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_view(*_: Any) -> str:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(panels, "lens_view", broken_view)
    logging.disable(logging.CRITICAL)
    _, _, model = page_over(engine)
    shown = panels.draw_all(model, engine.look("Мама любит дом"), PanelSettings(language="ru"), "", "layers")
    logging.disable(logging.NOTSET)
    assert "нарисовать не удалось" in shown["lens"]
    assert all("<section class='gs-panel" in shown[name] for name in ("layers", "depth"))
    assert not {"glyphs", "experts", "disagreement"} & set(shown), "of another tab"


def test_beyond_the_line_a_visitor_gets_one_sentence_and_can_try_again(engine: Engine) -> None:
    busy = Counting(engine.bundle)
    page, *_ = page_over(busy, RequestQueue(busy, batch_size=1, capacity=1))

    async def press(visitor: str, delay: float, tokens: int) -> str:
        class Request:
            session_hash = visitor

        await asyncio.sleep(delay)
        view = (0.5, "logits", "preference", "en")
        given = ("The cat", 1.5, 0, 1.0, 1, tokens, "read")
        shown = [frame async for frame in page.on_generate(*given, Request(), *view)]  # type: ignore[arg-type]
        return str(shown[-1]["status"])

    async def crowd() -> list[str]:
        return list(await asyncio.gather(press("a", 0, 40), press("b", 0.1, 4), press("c", 0.2, 4)))

    first, second, third = finished(crowd())
    assert "tokens written" in first and "tokens written" in second
    assert "1 text is waiting already: your text is kept, press the button again" in third and "gs-failed" in third
    assert "tokens written" in finished(press("c", 0, 4))


def test_writing_gives_frames_and_then_the_panels(engine: Engine) -> None:
    class Request:
        session_hash = "me"

    page, *_ = page_over(engine)

    async def gather() -> list[dict[str, Any]]:
        view = (0.5, "logits", "preference", "en")
        return [shown async for shown in page.on_generate("Мама", 0.8, 50, 0.95, 1, 20, "read", Request(), *view)]  # type: ignore[arg-type]

    frames = finished(gather())
    assert "data-state='done'" in frames[-1]["strip"] and frames[-1]["trace"].text.startswith(" Мама")
    assert all(set(frame) <= {"status", "strip"} for frame in frames[:-1]), "no panel is sent while the model writes"
    assert set(TABS["read"]) & set(frames[-1]) == {"glyphs", "experts", "disagreement"}
    assert not {"layers", "lens", "depth"} & set(frames[-1]) and frames[-1]["filled"] == ("read",)


def test_an_example_is_kept_and_says_so_and_drawn_anew_once_the_word_list_is_read(engine: Engine) -> None:
    class Request:
        session_hash = "me"

    page, _, model = page_over(engine)
    prompt, seed = EXAMPLES[1].fill()
    default = Sampling()

    async def press() -> str:
        given = (prompt, default.temperature, default.top_k, default.top_p, seed, default.new_tokens, "read")
        frames = page.on_generate(*given, Request(), 0.5, "logits", "preference", "en")  # type: ignore[arg-type]
        return [str(frame["status"]) async for frame in frames][-1]

    assert "a second" in finished(press())
    assert "Saved result" in finished(press())
    model.lexicon.bank = word_states(engine, preset("few_en"))
    model.lexicon.pictures = np.zeros((44, 32, 32), bool)
    assert "a second" in finished(press())  # with the panels that waited for the list
    again = finished(press())
    assert "Saved result" in again and "a second" not in again


def test_the_lens_of_a_large_model_follows_the_chosen_token(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    _, page, _ = page_over(engine)
    trace = engine.look("Мама и кот и дом и кот")
    view = (0.5, "logits", "preference", "en")

    def lens_after(index: int, before: int) -> str:
        class Event:
            _data: ClassVar = {"index": index}

        return str(page.on_select(trace, before, "layers", (), Event(), *view).get("lens"))  # type: ignore[arg-type]

    assert "<table" not in lens_after(9, 1)  # a small model's is whole already
    experts, layers, _, width = trace.hidden.shape
    monkeypatch.setattr(lens_module, "LENS_WORK", 4 * experts * layers * width * engine.model.shape.vocabulary)
    assert "<table" not in lens_after(2, 1)
    assert "data-index='9' aria-selected='true'" in lens_after(9, 1)
