"""Where the names of marks stand in a chart over the layers."""

import numpy as np
import pytest

from viz.plotly_figure import Line, curve_figure


@pytest.mark.parametrize(
    ("places", "sides"),
    [
        ((3,), ("right",)),
        ((5,), ("left",)),
        ((2, 3), ("left", "right")),
        ((3, 2), ("right", "left")),
        ((1, 2), ("right", "right")),
        ((2, 4), ("right", "right")),
        ((3, 3), ("right", "right")),
    ],
)
def test_the_name_of_a_mark_stands_where_no_line_crosses_it(places: tuple[int, ...], sides: tuple[str, ...]) -> None:
    """Seven layers; one at the edge has it on the inner side, one beside another line on the other side, if it can."""
    line = Line("RU", np.zeros(7), "--gs-first", "solid", "circle")
    marks = [(f"mark {place}", "--gs-first", float(place)) for place in places]
    notes = curve_figure([line], None, marks, "layer")["layout"]["annotations"]
    assert [note["x"] for note in notes] == list(places)
    assert tuple({"left": "right", "right": "left"}[note["xanchor"]] for note in notes) == sides
