"""The notebooks in `examples/`: they run as they stand, and are kept without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def test_there_are_four_and_they_hold_no_outputs() -> None:
    assert [path.stem[0] for path in NOTEBOOKS] == ["1", "2", "3", "4"]
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            assert cell.cell_type == "markdown" or (cell.outputs == [] and cell.execution_count is None), path.name


@pytest.mark.slow
def test_they_run_and_draw_panels() -> None:
    """In one kernel, as each start of one takes seconds; a notebook finds nothing of those before it."""
    client = NotebookClient(new_notebook(), timeout=120, resources={"metadata": {"path": str(EXAMPLES)}})
    outputs: dict[str, str] = {}
    with client.setup_kernel():
        for path in NOTEBOOKS:
            client.nb = nbformat.read(path, as_version=4)
            client.execute_cell(new_code_cell("%reset -f"), 0)
            for place, cell in enumerate(client.nb.cells):
                client.execute_cell(cell, place)
            outputs[path.stem] = "".join(str(cell.get("outputs", "")) for cell in client.nb.cells)
    assert "gs-strip" in outputs["1_five_minutes"] and "gs-lens" in outputs["1_five_minutes"]
    assert "on the page" in outputs["2_reproduce_a_number"]
    assert "data-name='proof'" in outputs["3_own_words"].replace("\\'", "'")
    assert "gs-patching" in outputs["4_patching"]
