"""What a lesson asks: a question in one language, with its right answer, and what is told after it."""

from dataclasses import dataclass
from zlib import crc32

from app.substrate.pictures import PIXELS
from viz.lesson_charts import Bars, Curve


@dataclass(frozen=True)
class Question:
    """A question, worded in one language and not escaped."""

    key: str
    """Its name, the same in every language and over every model."""
    step: int
    """The step that it belongs to, from 1; steps that are left out are not counted."""
    prompt: str
    options: tuple[str, ...]
    right: int
    """Index of the option that the model itself decided."""
    picture: tuple[str, ...] | None = None
    """Of each option 32 x 32 pixels, row by row as 1,024 characters 0 and 1 (1: ink); None where they have none."""

    def __post_init__(self) -> None:
        assert 0 <= self.right < len(self.options), f"{self.right} of {len(self.options)} options"
        assert len(set(self.options)) == len(self.options), f"{self.options} repeat themselves"
        if self.picture is not None:
            assert len(self.picture) == len(self.options), f"{len(self.picture)} pictures, {len(self.options)} options"
            assert all(len(bits) == PIXELS for bits in self.picture), "a picture has 1,024 pixels"


@dataclass(frozen=True, eq=False)
class Asked:
    """A question with what is drawn once it is answered."""

    key: str
    prompt: str
    options: tuple[str, ...]
    right: int
    """Index of the option that the model itself decided."""
    told: str
    """One sentence."""
    chart: Bars | Curve | None = None
    """Numbers of the model that show it."""
    picture: tuple[str, ...] | None = None
    """Of each option, as in `Question`."""
    subject: tuple[str, str] | None = None
    """Caption and picture of what is asked about."""
    changed: tuple[str, str] | None = None
    """Those of what became of it."""


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the lesson over one model, in one language."""

    key: str
    title: str
    lead: str
    """What it is about."""
    questions: tuple[Asked, ...]
    learned: str
    """The sentence that closes it."""
    seen: str
    """Its line at the end of the lesson, with its limits."""
    task: str
    """A thing to do."""
    panel: str
    """Where: the id of a component of the page."""
    text: str = ""
    """To be read there first, if there is one."""


def placed(right: str, others: tuple[str, ...], key: str) -> tuple[tuple[str, ...], int]:
    """Options with the right one at a place that depends on the texts alone, and that place."""
    place = crc32(f"{key} {right}".encode()) % (len(others) + 1)
    return (*others[:place], right, *others[place:]), place


def ladder(right: int, apart: int, key: str) -> tuple[tuple[int, ...], int]:
    """Four of the numbers 0 to 100 at most so far apart, from small to large, with the right one among them at a place
    that depends on key and number alone; that place."""
    apart = min(apart, 100 // 4)  # so that there is a place for every number
    places = [place for place in range(4) if 0 <= right - place * apart <= 100 - 3 * apart]
    place = places[crc32(f"{key} {right}".encode()) % len(places)]
    return tuple(right + (i - place) * apart for i in range(4)), place
