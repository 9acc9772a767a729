"""Which package imports which, drawn by `python -m tests.support.import_map` as a mermaid diagram.

The imports are those that grimp finds (https://grimp.readthedocs.io); an arrow that other arrows imply is left out.
"""

import sys
from collections.abc import Iterable

import grimp

ROOTS = ("app", "viz")


def packages(roots: Iterable[str] = ROOTS) -> dict[str, set[str]]:
    """The packages that each package of the roots imports: `app.web` -> {`app.panels`, `viz`, …}."""
    graph = grimp.build_graph(*roots)
    imports: dict[str, set[str]] = {}
    for module in graph.modules:
        imports.setdefault(_package(module), set()).update(
            map(_package, graph.find_modules_directly_imported_by(module))
        )
    return {name: targets - {name} for name, targets in imports.items() if targets - {name} and "." in name}


def _package(module: str) -> str:
    root, *rest = module.split(".")
    return ".".join((root, *rest[:1])) if root == "app" else root


def reduced(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without the arrows that others imply."""

    def reached(name: str) -> set[str]:
        return {far for near in imports.get(name, ()) for far in {near, *reached(near)}}

    return {
        name: {target for target in targets if not any(target in reached(other) for other in targets - {target})}
        for name, targets in imports.items()
    }


def mermaid(imports: dict[str, set[str]]) -> str:
    """The diagram, from the page down to the wording."""
    arrows = [f"  {name} --> {target}" for name in sorted(imports) for target in sorted(imports[name])]
    return "\n".join(["graph TD", *(arrow.replace("app.", "") for arrow in arrows)])


if __name__ == "__main__":
    print(mermaid(reduced(packages(sys.argv[1:] or ROOTS))))
