"""What a visitor set the panels to, checked: widget values come from the browser and may be anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from app.checkpoint.bundle import Bundle
from app.trace.fusion import Fusion, pair_weights
from app.wording.catalogue import LANGUAGES
from app.wording.errors import UserError
from viz.strip import STRIP_MEASURES

Name = TypeVar("Name", bound=str)

FUSIONS: tuple[Fusion, ...] = get_args(Fusion)


@dataclass(frozen=True)
class PanelSettings:
    """What the visitor set the panels to: the first expert's weight on its grid, the fusion, the
    strip's measure, the language.

    Raises:
        UserError: for a weight outside 0..1.  Other unknown values fall back to the defaults.
    """

    weight: float = 0.5
    fusion: Fusion = "logits"
    measure: str = "preference"
    language: str = "en"

    @classmethod
    def of(cls, weight: Any, fusion: Any, measure: Any, language: Any) -> "PanelSettings":
        """From untrusted widget values."""
        if not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise UserError("bad_weights", count=2)
        return cls(
            weight=round(float(weight) * 20) / 20,
            fusion=_known(fusion, FUSIONS, FUSIONS[0]),
            measure=_known(measure, STRIP_MEASURES, cls.measure),
            language=_known(language, LANGUAGES, cls.language),
        )

    @property
    def weights(self) -> list[float]:
        """Of two experts, as the engine takes them."""
        return [float(w) for w in pair_weights(self.weight)]

    def blend(self, bundle: Bundle) -> list[float] | None:
        """The weights to write with; None, the model's own, where they are the nearest to the slider or where
        its experts cannot be weighed anew."""
        own = bundle.weights[0] if bundle.weights else 0.5
        return self.weights if bundle.adjustable and abs(self.weight - own) > 0.026 else None


def _known(value: Any, names: Iterable[Name], default: Name) -> Name:
    """A value if it is one of the names; it may be anything, and need not even be hashable."""
    return next((name for name in names if isinstance(value, str) and name == value), default)


def whole(value: Any) -> int | None:
    """A whole number that the browser sent, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
