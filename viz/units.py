"""Units of what panels export, by the names of their columns and facts."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache

UNITS = {
    "probability": "0 to 1",
    "probabilities": "0 to 1",
    "mass_*": "probability of all tokens of a script, 0 to 1",
    "log_prob*": "nats (natural logarithm)",
    "rank*": "1 is the best",
    "cosine": "-1 to 1",
    "disagreement": "nats",
    "surprise": "nats",
    "jensen_shannon": "bits",
    "spread": "standard deviation of logits, nats",
    "weight": "share of the first expert, 0 to 1",
    "shares": "nats of log-odds; under a mean of probabilities, probability",
    "odds": "nats of log-odds; under a mean of probabilities, probability",
    "added": "nats",
    "entropy": "bits",
    "divergence": "bits, from the last layer to this one",
    "x": "units of the map",
    "y": "units of the map",
    "pca_?": "units of the map",
    "umap_?": "units of the map",
    "shown": "share of the variance that the map shows",
    "trust": "trustworthiness of the map, 0 to 1",
    "changes": "share of the nearest neighbours that change to the next layer",
    "kept": "share of the picture's ink that is kept",
    "purity": "share of the nearest neighbours of the word's own group",
    "purity_before": "the same of the tokens before the words",
    "chance": "purity if labels say nothing",
    "effect": "share of the margin's change that one state restores",
    "margins": "nats",
    "fused": "nats",
    "nats": "nats",
    "distance": "a random token's is 1",
    "bits_per_character": "bits",
    "merges": "bits per character",
    "bleu": "0 to 100",
    "chrf": "0 to 100",
    "tokens": "tokens of training",
    "minutes": "minutes of training",
    "percent": "per cent",
    "interval": "half the 95 % interval, per cent",
    "values": "of the measure",
    "low": "of the measure, 2.5 % of bootstrap draws",
    "high": "of the measure, 97.5 % of bootstrap draws",
    "shuffled_*": "of the measure, under shuffled labels",
    "untrained": "of the measure, an untrained network",
    "unfrozen": "of the measure, a network with a trained table",
    "context": "of the measure, the tokens before the words",
}
"""Name or pattern of names -> unit.  What has none is a name, a text or a count."""


def units_of(names: Iterable[str]) -> dict[str, str]:
    """Units of those names that have one."""
    found = {name: _unit(name) for name in names}
    return {name: unit for name, unit in found.items() if unit is not None}


@cache
def _unit(name: str) -> str | None:
    return next((unit for pattern, unit in UNITS.items() if fnmatchcase(name, pattern)), None)
