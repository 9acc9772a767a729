"""How a checkpoint that is not ours was understood, and how far that was proved: plain facts for the page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """source: folder or hub id, with its revision; newer: the commit that its branch points at by now, if that is
    another.  code: whether the checkpoint's own code ran.

    fusion: `single`, `joined`, `mean`, `weighted`, `probabilities` or `learned`.  tables: how many different
    embeddings the experts read; frozen: whether the checkpoint marks them as not trained.
    probes, numbers, largest: on so many texts so many hidden states and rows of logits were compared with
    the network's own, and differ by at most `largest` in units of their root mean square.
    style: the blocks in one line where they run in our own cached decoder, empty where the network's own
    code runs; reason: why.  precision: `bfloat16`, `float32` or `int8`; drift: mean divergence of int8 from
    bfloat16 in bits, and the share of likeliest tokens that stay, measured on this model.
    fitted, tested, exact, agreement: the picture basis fitted on so many tokens; of so many others so many
    decoded to their very picture; mean cosine of their vectors and predicted ones.  start: the token put
    before every text.  left_out: towers of another depth or width, which are not shown.
    """

    source: str
    code: bool
    fusion: str
    tables: int
    frozen: bool
    probes: int
    numbers: int
    largest: float
    style: str
    reason: str
    precision: str
    start: str
    fitted: int
    tested: int
    exact: int
    agreement: float
    drift: tuple[float, float] | None = None
    left_out: int = 0
    newer: str = ""

    @property
    def pictures(self) -> bool:
        """Whether the table was proved to hold pictures: rounding leaves a cosine of 0.999."""
        return self.agreement > 0.99
