"""The public API of word sets: `words` probes one, with its controls."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.engine.job_queue import JobQueue
from app.models import LoadedModel, ModelRegistry
from app.panels.provenance import model_source
from app.probing.curves import plain_results
from app.probing.probe_measures import MEASURES
from app.probing.word_list import Word, asked_words
from app.web.endpoint import add_endpoint, with_gradio_errors
from app.web.visitor import visitor_of
from app.wording.errors import UserError


def add_words_api(registry: ModelRegistry) -> None:
    """Add the endpoint to the page that is open; it answers with the model that visitors see first."""
    jobs = JobQueue(capacity=8, each=1)  # seconds each

    async def words(words: str, request: gr.Request) -> dict[str, Any]:
        """Probe the hidden states of a set of words, layer by layer, beside every control.

        Args:
            words: The name of a set (kept_en, nouns_ru, few_zh, mixed and so on), or words of your own, one group a
                line, such as "animals: cat, dog, horse"; 6 to 200 words in Russian, Chinese or English.

        Returns:
            `words`: text, language and group of each, read at the end of several short sentences; `measures`: names;
            `curves` {measure: `values`, `low`, `high` (95 % of bootstrap draws), `shuffled_low`, `shuffled_high` (95 %
            under shuffled labels) [expert][layer]; `ceiling` [expert]; `untrained` [layer], the same measure in an
            untrained network; `emergence` [expert]: `layer`, the first above every control, or null};
            `chance` and `best` of both kinds of purity.
        """
        model, asked = registry.of(""), asked_words(words)
        return await jobs.run(visitor_of(request), lambda left: words_record(model, asked, lambda: not left.is_set()))

    add_endpoint(with_gradio_errors(words), {"words": "animals: cat, dog, horse, cow\nfood: bread, milk, soup, cake"})


def words_record(model: LoadedModel, words: tuple[Word, ...], go_on: Callable[[], bool]) -> dict[str, Any]:
    """What the endpoint answers; stopped once `go_on` returns False.

    Raises:
        UserError: `unknown_word` for a word that the vocabulary cannot write.
    """
    for word in words:
        if model.engine.unknown(word.text):
            raise UserError("unknown_word", word=word.text)
    found = model.word_cache.probed(words, lambda share: go_on())
    return {
        **model_source(model),
        "measures": list(MEASURES),
        **plain_results(found),
        "words": [{"text": word.text, "language": word.language, "group": word.concept} for word in words],
    }
