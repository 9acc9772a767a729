"""A checkpoint of the published shape with random weights: 2 experts x 16 layers x 1,024, 32 heads, 131,072 tokens,
bfloat16, with code that is not ours.  `python -m tests.bench.large` writes it to a temporary folder, loads it as the
server would, and prints its speed.
"""

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import torch
from safetensors.torch import save_file

from app.engine.engine import Engine
from app.engine.sampling import Sampling
from app.foreign.compute.decoder import Decoder
from app.foreign.load import load_foreign
from app.substrate.vocabulary import build_tokenizer, mini_vocabulary
from app.system.memory import limit_retained_memory, release_memory
from tests.bench.decode import both_rates
from tests.bench.rows import resident_megabytes
from tests.bench.session import Session
from tests.support.folders import CHARACTERS, GRAMS, instantiate
from tests.support.foreign_code import TWO_TOWERS
from tests.support.server import serving

SIZES = {"vocab_size": 131_072, "n_embed": 1_024, "n_head": 32, "n_layer": 16, "block_size": 1_024}


def write_large(path: Path) -> int:
    """Write the folder; returns the number of weights."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "modeling_quill.py").write_text(TWO_TOWERS, encoding="utf-8")
    places = {"AutoConfig": "modeling_quill.QuillConfig", "AutoModelForCausalLM": "modeling_quill.Quill"}
    (path / "config.json").write_text(json.dumps({"auto_map": places, "model_type": "quill", **SIZES}))
    build_tokenizer(mini_vocabulary(CHARACTERS, GRAMS), spaced_words=True).save(str(path / "tokenizer.json"))
    with torch.device("meta"):
        network = instantiate(path, SIZES)
    generator = torch.Generator().manual_seed(3)
    state = {}
    for name, weight in network.state_dict().items():
        if weight.dim() == 1:
            state[name] = torch.ones(weight.shape) if name.endswith("weight") else torch.zeros(weight.shape)
        else:
            shrink = 5.6 if name.endswith(("mix.weight", "f.2.weight")) else 1.0  # what writes to the residual stream
            state[name] = torch.empty(weight.shape).normal_(0, 0.02 / shrink, generator=generator)
        if name == "glyphs.weight":
            state[name] /= state[name].norm(dim=1, keepdim=True)
        state[name] = state[name].bfloat16()
    save_file(state, path / "model.safetensors", metadata={"format": "pt"})
    return sum(weight.numel() for weight in state.values())


def weights_read(decoder: Decoder, bytes_each: float) -> float:
    """Bytes of weights that one token reads: every map of every block, and the heads."""
    blocks = [parts for expert in decoder.experts for parts in expert.blocks]
    maps = [m for p in blocks for m in (*p.attention_in, p.attention_out, *p.mlp_in, p.mlp_out)]
    heads = [expert.head for expert in decoder.experts]
    return bytes_each * sum(getattr(m, "numbers", 0) for m in (*maps, *heads))


def bandwidth() -> float:
    """Bytes a second that the threads of this run can read."""
    block = torch.ones(256 * 1024 * 1024)

    def seconds() -> float:
        started = time.perf_counter()
        block.sum()
        return time.perf_counter() - started

    return block.numel() * 4 / min(seconds() for _ in range(4))


def memory(field: str, process: int) -> float:
    """GB of a process, by the name that /proc gives it."""
    return resident_megabytes(process, field) * 1024 / 1e6


def measure(folder: Path, precision: str, threads: int) -> None:
    """Load a folder as the server would and print what it does on this machine."""
    torch.set_num_threads(threads)
    limit_retained_memory()
    started = time.perf_counter()
    stages: list[str] = []

    def tell(stage: str, share: float) -> None:
        if not stages or stages[-1].split()[0] != stage:
            stages.append(f"{stage} {time.perf_counter() - started:.0f} s")

    bundle = load_foreign(folder, "large", trusted=True, precision=precision, progress=tell)
    ready = time.perf_counter() - started
    release_memory()
    report, engine = bundle.report, Engine(bundle)
    assert report is not None
    print(f"{precision}, {threads} threads: ready after {ready:.0f} s ({', '.join(stages)})")
    print(f"  {report.style or report.reason}")
    if report.drift:
        bits, same = report.drift
        print(f"  int8 against bfloat16: {bits:.4f} bits, {100 * same:.1f} % of likeliest tokens stay")
    text = "the cat " * 16
    ids = torch.tensor([[bundle.start, *engine.encode(text)][:64]])
    engine.model(ids)
    prefill = min(_seconds(lambda: engine.model(ids)) for _ in range(3))
    traced, plain = both_rates(engine, "The cat sees the dog", Sampling(seed=1, new_tokens=25), turns=4)
    speed = bandwidth()
    assert isinstance(bundle.model, Decoder), "this one is imported"
    bound = speed / weights_read(bundle.model, 1.0 if precision == "int8" else 2.0)
    print(f"  decode {traced:.1f} tokens/s with trace, {plain:.1f} without; trace {plain / traced - 1:+.1%}")
    print(
        f"  bandwidth {speed / 1e9:.1f} GB/s allows {bound:.1f} tokens/s: {100 * plain / bound:.0f} % reached, "
        f"{100 * traced / bound:.0f} % with trace"
    )
    print(f"  prefill of {ids.shape[1]} tokens {prefill:.2f} s")
    held, mapped, most = (memory(field, os.getpid()) for field in ("VmRSS", "RssFile", "VmHWM"))
    print(f"  memory {held:.1f} GB, of which {mapped:.1f} mapped from files; at most {most:.1f}")


async def others(address: str, config: dict[str, Any], done: Callable[[], bool]) -> list[list[float]]:
    """Seconds of an opened page, a click and a slide of the weight, again and again until something is done."""
    waits: list[list[float]] = [[], [], []]
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        while not done():
            session = Session(client, config, f"other{time.monotonic_ns()}")
            started = time.perf_counter()
            (await client.get("/")).raise_for_status()
            await session.call("on_load")
            waits[0].append(time.perf_counter() - started)
            waits[1].append((await session.call("on_select", {"index": 2}))[0][0])
            waits[2].append((await session.call("on_weight", input_2=0.2))[0][0])
            await asyncio.sleep(0.2)
    return waits


async def visit(address: str, name: str) -> None:
    """Wait until a server shows a model; have it write, while others use the page."""
    async with httpx.AsyncClient(base_url=address, timeout=600) as client:
        config = (await client.get("/config")).json()
        line, seen = f"Model on display: {name} (", False

        async def shown() -> None:
            nonlocal seen
            while not seen:
                answer = await Session(client, config, f"wait{time.monotonic_ns()}").call("on_load")
                seen = line in str(answer)
                await asyncio.sleep(1)

        _, waits = await asyncio.gather(shown(), others(address, config, lambda: seen))
        print("  page while it loads: " + said(waits))
        writer = Session(client, config, "writer")
        writing = asyncio.create_task(writer.call("on_generate", input_0="The cat sees", input_4=1, input_5=64))
        waits = await others(address, config, writing.done)
        answers = await writing
        status = next(line for _, answer in reversed(answers) if (line := visible_status(answer)))
        print(f"  text of 64 tokens while others use the page: {answers[-1][0]:.1f} s; {status}")
        print("  page while it writes: " + said(waits))


def visible_status(answer: list[Any]) -> str:
    """The status line of an answer without its tags; "" where the answer leaves it as it is."""
    return re.sub(r"<[^>]+>", "", answer[3]).strip() if isinstance(answer[3], str) else ""


def said(waits: list[list[float]]) -> str:
    """Median and worst of some lists of seconds."""
    parts = zip(("opened", "click", "slide"), waits, strict=True)
    return ", ".join(f"{what} {statistics.median(w):.2f} s (worst {max(w):.2f})" for what, w in parts if w)


def serve(folder: Path) -> None:
    """What the page does while the server loads the folder and while the model writes."""
    print(f"served, {os.environ.get('GLYPHSCOPE_PRECISION', 'auto')}:")
    with serving(folder, {"GLYPHSCOPE_TRUST_REMOTE_CODE": "1"}) as (address, process, seconds):
        print(f"  first answer after {seconds:.1f} s")
        asyncio.run(visit(address, folder.name))
        print(f"  memory of the server {memory('VmRSS', process.pid):.1f} GB")


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]))
    elif len(sys.argv) == 4:
        measure(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    else:
        with tempfile.TemporaryDirectory() as place:
            target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(place)
            if not (target / "model.safetensors").is_file():
                print(f"{write_large(target) / 1e6:.0f} M weights written")
            for kind in ("bfloat16", "int8"):  # each in a process of its own, so that memory is its own
                subprocess.run(
                    [sys.executable, "-m", "tests.bench.large", str(target), kind, str(os.cpu_count())], check=True
                )
            serve(target)
