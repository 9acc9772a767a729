"""What lets a checkpoint folder stand alone: the model's code beside its weights, as a model hub has it.

transformers' Auto classes read that code with `trust_remote_code=True`, wherever the folder lies and without this
project.  Each file is the project's own, but for the imports, which are relative; our own loader never runs them.
"""

import json
import re
from pathlib import Path

_PACKAGE = Path(__file__).parents[1] / "network"
_SOURCES = {
    "interface.py": "interface.py",
    "experts.py": "experts.py",
    "transformers_model.py": "modeling_bvv_moe.py",
}
"""File of `app.network` -> file of a checkpoint folder.  transformers copies what a modelling file imports itself,
but from a local folder not what those files import in turn: the last file imports from both others."""
AUTO_MAP = {
    "AutoConfig": "modeling_bvv_moe.BVVMoEConfig",
    "AutoModelForCausalLM": "modeling_bvv_moe.BVVMoEForCausalLM",
}
"""config.json's `auto_map`: which class of which file transformers takes."""


def modelling_files() -> dict[str, str]:
    """The text of every modelling file, by its name in a checkpoint folder."""
    return {name: _copy(source) for source, name in _SOURCES.items()}


def write_modelling_files(folder: Path) -> None:
    """Write the modelling files beside a folder's weights, and name them in its config.json."""
    for name, text in modelling_files().items():
        (folder / name).write_text(text, encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = json.dumps({**config, "auto_map": AUTO_MAP}, indent=1, ensure_ascii=False)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def _copy(source: str) -> str:
    """A file of `app.network` with relative imports, and a line that says what it is."""
    text = (_PACKAGE / source).read_text(encoding="utf-8")
    modules = {Path(old).stem: Path(new).stem for old, new in _SOURCES.items()}
    text = re.sub(r"^from app\.network\.(\w+) import", lambda m: f"from .{modules[m[1]]} import", text, flags=re.M)
    assert not re.search(r"^\s*(from|import) app\b", text, re.M), f"{source} imports more than its own package"
    return f"# Glyphscope's app/network/{source}, Apache-2.0, copied by `python -m app.training bundle`.\n{text}"
