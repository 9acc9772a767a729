"""Import transformers late, and in one thread at a time: two threads that import its lazy modules at once find them
half loaded."""

import threading
from functools import cache

_lock = threading.Lock()


def transformers_ready() -> None:
    """Have the parts of transformers that are used here imported, once; it takes seconds the first time."""
    with _lock:
        _import()


@cache
def _import() -> None:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
    from transformers.modeling_outputs import CausalLMOutput

    assert all((AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, CausalLMOutput))
