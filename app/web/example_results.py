"""What each public endpoint answers to the call that its description shows, shortened: lists are cut, and the numbers
are made up, as the model on display may be another one."""

from typing import Any

_NAMES = {"model": "Glyphscope mini", "experts": ["RU", "ZH"]}
_LIKELY = [[{"id": 17, "text": " dog", "log_prob": -1.25}]]
_LIMITS = {"texts_in_one_call": 16, "characters": 2000, "tokens": 255}

EXAMPLE_RESULTS: dict[str, dict[str, Any]] = {
    "look": {
        **_NAMES,
        "tokens": [
            {
                "id": 17,
                "text": " cat",
                "log_probs": [-3.5, -2.5, -3.0],
                "disagreement": 0.02,
                "top": {"RU": [[17, " cat", -3.5]], "ZH": [[17, " cat", -2.5]], "fused": [[17, " cat", -3.0]]},
                "jsd": 0.04,
            }
        ],
    },
    "generate": {
        "text": "Мама сказала: ты",
        "prompt_tokens": 3,
        **_NAMES,
        "tokens": [
            {
                "id": 17,
                "text": " ты",
                "log_probs": [-1.0, -3.0, -1.5],
                "disagreement": 0.1,
                "shares": {"winner": 17, "runner_up": 21, "parts": [0.5, -0.25], "unit": "nats"},
            }
        ],
    },
    "model": {
        "model": "Glyphscope mini",
        "experts": ["RU", "ZH"],
        "shape": {"vocabulary": 8192, "width": 256, "layers": 6, "heads": 8, "experts": 2, "context": 256},
        "fusion": "mean of logits",
        "limits": _LIMITS,
    },
    "words": {
        "measures": ["purity"],
        "curves": {
            "purity": {
                "values": [[0.25, 0.75]],
                "untrained": [0.25, 0.25],
                "emergence": [{"layer": 1, "earliest": 1}],
            }
        },
        "words": [{"text": "cat", "language": "en", "group": "animals"}],
    },
    "attend": {
        **_NAMES,
        "tokens": ["<s>", " мама"],
        "weights": [[1.0, 0.0], [0.75, 0.25]],
        "shares": {"previous": 0.5, "start": 0.25, "itself": 0.25},
        "jsd": [0.02, 0.0, 0.01],
    },
    "silence": {
        **_NAMES,
        "parts": [{"expert": "RU", "kind": "block", "layer": 1}],
        "token": " что",
        "before": _LIKELY,
        "after": _LIKELY,
        "jsd": [0.5, 0.0, 0.25],
        "log_probs": [[-1.0, -2.0]],
    },
    "patch": {
        **_NAMES,
        "tokens": [["<s>", " I", " drink"], ["<s>", " I", " read"]],
        "changed": [2],
        "answers": [" water", " books"],
        "margins": [[2.5, -3.0]],
        "effect": [[[0.0, 0.0, 1.0]]],
    },
    "draw": {
        **_NAMES,
        "nearest": [{"id": 17, "text": " cat", "cosine": 0.75}],
        "before": _LIKELY,
        "after": _LIKELY,
        "jsd": [0.5, 0.25, 0.25],
        "path": [[1.0, 0.75]],
    },
    "attribute": {
        **_NAMES,
        "answers": [" water", " books"],
        "parts": ["embedding", "attention 1", "mlp 1"],
        "nats": [[0.25, -0.5, 1.25]],
        "margins": [1.0, 2.0],
        "fused": 1.5,
    },
}
