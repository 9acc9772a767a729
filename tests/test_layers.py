"""Dependencies run one way: the contracts of pyproject.toml hold, and those that need a look at the modules."""

import subprocess
import sys

import grimp
import pytest
from importlinter.cli import lint_imports

from tests.support.import_map import mermaid, packages, reduced
from tests.support.server import ROOT

TRANSFORMERS = {
    "app.foreign.files.build",
    "app.foreign.files.family",
    "app.foreign.files.tokens",
    "app.network.transformers_model",
    "app.system.transformers_import",
    "app.training.translation",
}
"""Modules that import transformers."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("app", "viz", include_external_packages=True, cache_dir=None)


def test_contracts_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0, capsys.readouterr().out


def test_texts_need_only_the_standard_library_and_babel(graph: grimp.ImportGraph) -> None:
    modules = {"app.wording", *graph.find_descendants("app.wording")}
    found = {name.split(".")[0] for module in modules for name in graph.find_modules_directly_imported_by(module)}
    assert found - sys.stdlib_module_names <= {"app", "babel"}
    ours = {name for module in modules for name in graph.find_modules_directly_imported_by(module) if "app" in name}
    assert ours <= modules


def test_transformers_is_imported_where_it_is_said_to_be(graph: grimp.ImportGraph) -> None:
    assert graph.find_modules_that_directly_import("transformers") == TRANSFORMERS


def test_few_modules_lie_directly_in_app() -> None:
    assert len([path for path in (ROOT / "app").glob("*.py") if path.name != "__init__.py"]) <= 2


def test_every_package_says_what_it_is_for() -> None:
    packages = [path.parent for path in (ROOT / "app").rglob("__init__.py") if path.parent.name != "app"]
    assert len(packages) > 10
    for package in packages:
        text = " ".join((package / "__init__.py").read_text(encoding="utf-8").split())
        assert all(word in text for word in ("In:", "Out:", "May import")), package


def test_environment_is_set_before_anything_reads_it() -> None:
    """BLAS reads the number of its threads when NumPy is imported."""
    code = (
        "import sys\n"
        "from app.system.environment import set_defaults\n"
        "early = {'numpy', 'torch', 'gradio', 'viz'} & set(sys.modules)\n"
        "set_defaults()\n"
        "import numpy, threadpoolctl\n"
        "print(early, {pool['num_threads'] for pool in threadpoolctl.threadpool_info() if pool['user_api'] == 'blas'})"
    )
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=90)
    assert done.stdout.strip() == "set() {1}", done.stdout + done.stderr


def test_the_drawn_imports_are_those_there_are() -> None:
    drawn = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```mermaid\n")[1].split("```")[0]
    assert drawn.strip() == mermaid(reduced(packages())), "run python -m tests.support.import_map"
