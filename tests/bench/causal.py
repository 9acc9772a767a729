"""What the instruments of "Try to break it" cost on one thread."""

import numpy as np

from app.engine.engine import Engine
from app.intervene.adversarial import fewest_pixels
from app.intervene.drawing import open_canvas, picture_of
from app.intervene.pairs import read_texts
from app.intervene.patching import patch_map
from app.intervene.pixels import morph
from app.intervene.runs import open_network
from app.intervene.steps import run_to_end
from app.intervene.stories import read_stories
from app.panels.attribution import attribution_of
from app.panels.comparison import comparison_view
from app.panels.drawing import drawing_view
from app.panels.exchange import exchange_request, exchange_view, read_exchange
from app.probing.word_list import all_words
from app.web.on_drawing import story_index
from app.wording.catalogue import speaker
from tests.bench.rows import Row, median_seconds, seconds_by_turns


def causal_rows(engine: Engine) -> list[Row]:
    """Patching by length, a stroke of a drawing, and the rest, each with what it draws."""
    return [
        *(_patching(engine, tokens, aim) for tokens, aim in ((8, ""), (16, "300 ms"), (32, "800 ms"))),
        *_rest(engine),
    ]


def _patching(engine: Engine, tokens: int, aim: str) -> Row:
    """All layers and positions of both experts, in processor time; the texts differ in their first token, so that none
    can be left out."""
    ids = engine.ids_of(" ".join(word.text for word in all_words()))[:tokens]
    first, second = [engine.bundle.start, *ids], [engine.bundle.start, ids[-1], *ids[1:]]
    opened = open_network(engine)
    (seconds,) = seconds_by_turns(lambda: patch_map(read_texts(opened, first, second)), repeats=5)
    return Row(f"patch every layer and position, {tokens} tokens", f"{1000 * seconds:.0f} ms", aim=aim)


def _rest(engine: Engine) -> list[Row]:
    say, stories = speaker("en"), read_stories()
    story = stories.drawings[0]
    index = story_index(engine, story) or len(engine.encode(story.text))
    canvas = open_canvas(engine, story.text, index)
    shares = iter(np.linspace(0.05, 0.95, 100))
    target = picture_of(engine, story.target)
    asked = exchange_request(stories.exchanges[0])
    pair = stories.pairs[0].opening
    work = {
        "open a picture to draw on": (lambda: open_canvas(engine, story.text, index), ""),
        "one stroke, with its panel": (
            lambda: drawing_view(canvas, morph(canvas.picture, target, float(next(shares))), say), "150 ms",
        ),
        "fewest pixels that turn the answer": (lambda: run_to_end(fewest_pixels(canvas)), ""),
        "exchange a word's state, with its panel": (
            lambda: exchange_view(engine, asked, read_exchange(engine, asked), None, say), "",
        ),
        "split a margin into its parts": (lambda: attribution_of(engine, story.text, (None, None)), ""),
        "compare two texts, with the panel": (lambda: comparison_view(engine, pair.first, pair.second, say), "300 ms"),
    }  # fmt: skip
    return [Row(name, f"{1000 * median_seconds(step, 3):.0f} ms", aim=aim) for name, (step, aim) in work.items()]
