"""Functions that fit a screen, files that are read in one sitting, and a sentence on everything that others call."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FUNCTION_LINES, FILE_LINES, TEST_FILE_LINES = 60, 300, 400


def too_long(path: Path) -> Iterator[str]:
    """What exceeds the limits in a file."""
    text = path.read_text(encoding="utf-8")
    if (lines := len(text.splitlines())) > FILE_LINES:
        yield f"{path.relative_to(ROOT)}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path.relative_to(ROOT)}: {node.name} has {length} lines"


def test_functions_and_files_are_short() -> None:
    sources = [path for folder in ("app", "viz") for path in (ROOT / folder).rglob("*.py")]
    assert [fault for path in sources for fault in too_long(path)] == []


def test_test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "tests").rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > TEST_FILE_LINES} == {}


def test_public_functions_and_classes_say_what_they_are() -> None:
    silent = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for folder in ("app", "viz")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []
