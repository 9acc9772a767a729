"""Measure all stories anew on a network and print what holds: `python -m app.intervene [checkpoint folder]`."""

import argparse
from pathlib import Path

import numpy as np

from app.checkpoint.bundle import MINI, load_bundle
from app.engine.engine import Engine
from app.intervene.adversarial import fewest_pixels
from app.intervene.drawing import draw, open_canvas, picture_of
from app.intervene.exchange import Exchange, measure_exchange
from app.intervene.head_search import HeadFinding, measure_attention
from app.intervene.pixels import morph
from app.intervene.record import write_record
from app.intervene.search import Estimate, Finding, search
from app.intervene.steps import run_to_end
from app.intervene.stories import DrawingStory, read_stories
from app.system.threads import set_network_threads

_MORPHS = np.linspace(0, 1, 21)


def main(arguments: list[str] | None = None) -> None:
    """Measure the stories of a checkpoint folder and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=MINI, help="checkpoint folder (default: %(default)s)")
    parser.add_argument("--save", action="store_true", help="keep what the pair stories gave, for the page")
    options = parser.parse_args(arguments)
    engine = Engine(load_bundle(options.folder))
    set_network_threads(1)
    stories = read_stories()
    print("| story | expert | nats | block | moved through it | heads | restored | two random heads | fresh prompts |")
    print("|---|---|---|---|---|---|---|---|---|")
    findings = [finding for _, finding in search(engine, stories.pairs) if finding is not None]
    for finding in findings:
        print("\n".join(pair_lines(finding, engine)), flush=True)
    if options.save:
        write_record(engine, findings)
    print("\n| exchange | expert | gain in bits by layer: mean (95 % interval) |\n|---|---|---|")
    for exchange in stories.exchanges:
        print("\n".join(exchange_lines(run_to_end(measure_exchange(engine, exchange)), engine)), flush=True)
    print("\n| silenced head | looks at: previous, start, itself | nats, fresh texts | bits | random: nats | bits |")
    print("|---|---|---|---|---|---|")
    for attention in stories.attention:
        print(head_line(engine, run_to_end(measure_attention(engine, attention))), flush=True)
    print("\n| drawing | what happens |\n|---|---|")
    for drawing in stories.drawings:
        print(drawing_line(engine, drawing), flush=True)


def pair_lines(finding: Finding, engine: Engine) -> list[str]:
    """Rows of the table of a pair story."""
    lines = []
    for name, found in zip((*engine.bundle.experts, "fusion"), finding.found, strict=True):
        if found is None:
            lines.append(f"| {finding.story.key} | {name} | under 1 | | | | | | |")
            continue
        heads = " ".join(f"{layer}.{head}" for layer, head in found.heads)
        lines.append(
            f"| {finding.story.key} | {name} | {found.nats:.1f} | {found.layer} | {shown(found.moved)} | {heads} | "
            f"{shown(found.restored)} | {shown(found.by_chance)} | {found.moved.count} |"
        )
    opening = finding.opening and f"{finding.opening.first} / {finding.opening.second}"
    lines.append(f"| | offered: {finding.offered} | opens with {opening} | refused {finding.refused} | | | | | |")
    return lines


def exchange_lines(exchange: Exchange, engine: Engine) -> list[str]:
    """Rows of the table of an exchange."""
    names = (*engine.bundle.experts, "fusion")
    return [
        f"| {exchange.story.key} | {name} | {'; '.join(map(shown, gains))} |"
        for name, gains in zip(names, exchange.gain, strict=True)
    ]


def head_line(engine: Engine, found: HeadFinding) -> str:
    """One row: the chosen head of a story, beside a random one."""
    expert, layer, head = found.head
    shares = " ".join(f"{share:.0%}" for share in found.shares)
    effects = " | ".join(map(shown, (found.moved, found.bits, found.random_moved, found.random_bits)))
    return f"| {found.story.key}: {engine.bundle.experts[expert]} {layer}.{head} | {shares} | {effects} |"


def drawing_line(engine: Engine, story: DrawingStory) -> str:
    """One row: at which share of the way the answer changes, and by how few pixels."""
    ids = engine.encode(story.text)
    index = 1 + next(i for i, token in enumerate(ids) if story.character in engine.text_of(token))
    canvas = open_canvas(engine, story.text, index)
    answer = int(canvas.logits[-1].argmax())
    target = picture_of(engine, story.target)
    drawings = ((share, draw(canvas, morph(canvas.picture, target, float(share)))) for share in _MORPHS)
    turned = next(
        ((s, int(d.change.after.ids[-1, 0])) for s, d in drawings if d.change.after.ids[-1, 0] != answer), None
    )
    morphed = (
        "never" if turned is None else f"{engine.text_of(turned[1])} from {turned[0]:.0%} of the way to {story.target}"
    )
    flips = run_to_end(fewest_pixels(canvas))
    few = f"{len(flips.pixels)} pixels: {engine.text_of(flips.after)}, cosine {flips.cosine:.2f}"
    chance = f"as many random ones turn it in {flips.random_turned} of {len(flips.random_margin)}"
    return f"| {story.text}: {engine.text_of(answer)} | {morphed}; {few}; {chance} |"


def shown(value: Estimate | None) -> str:
    """A mean with its interval."""
    return "" if value is None else f"{value.mean:.2f} ({value.low:.2f}..{value.high:.2f})"


if __name__ == "__main__":
    main()
