"""Start a second sooner: what Gradio does as it is imported, and a server has no use for, is left out.

It parses the source of each of its components, to write type stubs for editors beside it.  Where they are installed, it
imports IPython, to see whether it is in a notebook, and the MCP package, even if no MCP server is asked for.
"""

import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_WRITER = "gradio.component_meta", "create_or_modify_pyi"
MCP = "GLYPHSCOPE_MCP"
"""1: the endpoints are tools of an MCP server too; it needs the packages of `requirements-mcp.txt`."""


class _Finder(MetaPathFinder):
    """Finds the one module that writes stubs, and loads it as one that does not."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname == _WRITER[0] else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._own.exec_module(module)
        if hasattr(module, _WRITER[1]):
            setattr(module, _WRITER[1], lambda *_: None)


def skip_stubs() -> None:
    """To be called before Gradio is imported; afterwards it changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        for name in ["IPython"] if os.environ.get(MCP) == "1" else ["IPython", "mcp"]:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # as if it was not installed
