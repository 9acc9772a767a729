"""How a checkpoint that is not ours was understood, and how far that was verified: plain facts for the page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """How a checkpoint was found, understood and compared with its own code."""

    source: str
    """Folder or hub id, with its revision."""
    code: bool
    """Whether the checkpoint's own code ran."""
    fusion: str
    """`single`, `joined`, `mean`, `weighted`, `probabilities` or `learned`."""
    tables: int
    """How many different embeddings the experts read."""
    frozen: bool
    """Whether the checkpoint marks them as not trained."""
    probes: int
    """Texts on which it was compared with the network's own code."""
    numbers: int
    """Numbers of hidden states and rows of logits that were compared."""
    largest: float
    """Their largest difference, in units of their root mean square."""
    style: str
    """The blocks in one line where they run in our own cached decoder; empty where the network's own code runs."""
    reason: str
    """Why that code runs."""
    precision: str
    """`bfloat16`, `float32` or `int8`."""
    start: str
    """The token put before every text."""
    fitted: int
    """Tokens that the picture basis was fitted on."""
    tested: int
    """Other tokens that it was tested on."""
    exact: int
    """How many of these decoded to exactly their own picture."""
    agreement: float
    """Mean cosine of their vectors and the predicted ones."""
    drift: tuple[float, float] | None = None
    """Of int8, measured on this model: mean divergence from bfloat16 in bits, and the share of likeliest tokens that
    stay."""
    left_out: int = 0
    """Towers of another depth or width, which are not shown."""
    newer: str = ""
    """The commit that its branch points at now, if the branch has moved."""

    @property
    def pictures(self) -> bool:
        """Whether the table was verified to hold pictures: rounding leaves a cosine of 0.999."""
        return self.agreement > 0.99
