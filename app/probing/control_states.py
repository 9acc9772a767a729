"""How controls of the experts see the word list, shipped in eight bits beside a model.

Their weights would take as much room as the experts'; their states on the words are all that a curve needs.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from app.checkpoint.checksums import damaged_files
from app.trace.record import Floats

STATES_FILE = "controls.safetensors"

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ControlStates:
    """States of other networks on the same words, read in the same sentences: untrained (L + 1, n, d);
    unfrozen (E, L + 1, n, d), of each expert's control whose table was trained along, or of none of them."""

    untrained: Floats
    unfrozen: Floats

    def __post_init__(self) -> None:
        assert self.untrained.shape == self.unfrozen.shape[1:], f"{self.untrained.shape}, {self.unfrozen.shape}"

    def rows(self, places: list[int]) -> "ControlStates":
        """The states of some of the words, by their places."""
        return ControlStates(self.untrained[:, places], self.unfrozen[:, :, places])


def write_control_states(folder: Path, controls: ControlStates) -> None:
    """Write `controls.safetensors`: each word's state at each layer in steps of 1/127 of its largest number."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, states in vars(controls).items():
        scale = np.maximum(np.abs(states).max(axis=-1, keepdims=True), 1e-9) / 127
        arrays |= {name: np.rint(states / scale).astype(np.int8), f"{name}_scale": scale.astype(np.float32)}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / STATES_FILE)
    (folder / STATES_FILE).chmod(0o644)


def read_control_states(folder: Path, shape: tuple[int, ...]) -> ControlStates | None:
    """The states of a folder, None where there are none for words and layers of this shape (L + 1, n, d), or
    none that are whole."""
    if damaged_files(folder, [STATES_FILE]):
        log.warning("%s is damaged and is not used", STATES_FILE)
        return None
    try:
        with safe_open(folder / STATES_FILE, "numpy") as file:
            untrained, unfrozen = (
                file.get_tensor(name).astype(np.float32) * file.get_tensor(f"{name}_scale")
                for name in ("untrained", "unfrozen")
            )
    except (OSError, SafetensorError):
        return None
    return ControlStates(untrained, unfrozen) if untrained.shape == shape else None
