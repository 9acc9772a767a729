"""Which texts the code asks for: found by the calls that say them, followed back to where their codes are written.

A code is a literal, or put together from literals and names.  A name is followed to its assignments, to the tables it
runs over, and, where it is a parameter, to the calls of its function.  What cannot be followed is a star.
"""

import ast
from collections.abc import Iterable, Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

from jinja2 import Environment, nodes

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

SPEAKERS = {"say": 0, "speak": 0, "UserError": 0, "refusal": 1, "News": 1, "progress": 0, "tell": 0}
"""Calls that take a code, and the place of its argument; the last three hand it to the line of status."""

STAR = "*"


class Source:
    """One module: its tree, the functions around every node, and its constants."""

    def __init__(self, path: Path) -> None:
        self.path, self.tree = path, ast.parse(path.read_text(encoding="utf-8"))
        self.around: dict[ast.AST, tuple[Function, ...]] = {}
        self._enter(self.tree, ())
        self.constants = dict(_bindings(self.tree.body))

    def _enter(self, node: ast.AST, around: tuple[Function, ...]) -> None:
        self.around[node] = around
        inner = (*around, node) if isinstance(node, Function) else around
        for child in ast.iter_child_nodes(node):
            self._enter(child, inner)


def _bindings(body: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """(name, expression) of every name that is assigned, as such or as an element, in these nodes."""
    for top in body:
        for node in _own_nodes(top):
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                targets = [node.target]
            for target in targets:
                yield from _pairs(target, node.value)  # type: ignore[attr-defined]
            if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                yield from _elements_of(node.target, node.iter)


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what it holds, but for the insides of functions and classes."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from _own_nodes(child)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, other)


def _elements_of(target: ast.expr, whole: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, _Each(whole, None)
    elif isinstance(target, ast.Tuple):
        for place, part in enumerate(target.elts):
            yield from ((name.id, _Each(whole, place)) for name in ast.walk(part) if isinstance(name, ast.Name))


class _Each(ast.expr):
    """An element of an iterable, or what stands at a place in it."""

    def __init__(self, whole: ast.expr, place: int | None) -> None:
        super().__init__()
        self.whole, self.place = whole, place


def _said_in_template(path: Path) -> set[str]:
    """The codes that a Jinja2 template says; they are literals there."""
    calls = Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call)
    said = [call.args[0] for call in calls if isinstance(call.node, nodes.Name) and call.node.name == "say"]
    assert all(isinstance(code, nodes.Const) for code in said), f"{path}: a code that is put together"
    return {code.value for code in said if isinstance(code, nodes.Const)}


class Calls:
    """The codes of all speaking calls in some sources."""

    def __init__(self, paths: Iterable[Path]) -> None:
        paths = list(paths)
        self.templates = [path for path in paths if path.suffix == ".html"]
        self.sources = [Source(path) for path in paths if path.suffix == ".py"]
        self.calls = [
            (source, node, _name(node.func))
            for source in self.sources
            for node in source.around
            if isinstance(node, ast.Call)
        ]

    def codes(self) -> set[str]:
        """Every code that is said; a star where a part of one cannot be followed."""
        found = set(chain.from_iterable(map(_said_in_template, self.templates)))
        for source, call, name in self.calls:
            if name in SPEAKERS and len(call.args) > SPEAKERS[name]:
                found |= self._codes(call.args[SPEAKERS[name]], source, source.around[call], frozenset())
        return found

    def _codes(
        self, node: ast.expr, source: Source, around: tuple[Function, ...], seen: frozenset[ast.AST]
    ) -> set[str]:
        if node in seen:
            return set()
        seen |= {node}
        if isinstance(node, ast.Constant):
            return {node.value} if isinstance(node.value, str) else set()
        if isinstance(node, ast.IfExp):
            return self._codes(node.body, source, around, seen) | self._codes(node.orelse, source, around, seen)
        if isinstance(node, ast.BinOp | ast.JoinedStr):
            parts = [node.left, node.right] if isinstance(node, ast.BinOp) else list(node.values)
            each = [self._codes(part, source, around, seen) for part in parts]
            return {"".join(parts).replace("**", STAR) for parts in product(*each)}
        if isinstance(node, ast.FormattedValue):
            return self._codes(node.value, source, around, seen)
        if isinstance(node, ast.Name):
            return self._named(node.id, source, around, seen)
        return {STAR}

    def _named(self, name: str, source: Source, around: tuple[Function, ...], seen: frozenset[ast.AST]) -> set[str]:
        for depth in range(len(around) - 1, -1, -1):
            function, outer = around[depth], around[: depth + 1]
            bound = [value for known, value in _bindings(_body(function)) if known == name]
            if bound:
                return set().union(*(self._value(value, source, outer, seen) for value in bound))
            if name in _parameters(function):
                return self._passed(function, name, source, seen)
        owner = next((s for s in [source, *self.sources] if name in s.constants), None)
        return {STAR} if owner is None else self._value(owner.constants[name], owner, (), seen)

    def _value(
        self, value: ast.expr, source: Source, around: tuple[Function, ...], seen: frozenset[ast.AST]
    ) -> set[str]:
        if not isinstance(value, _Each):
            return self._codes(value, source, around, seen)
        elements = self._elements(value.whole, value.place, source, around)
        return {STAR} if elements is None else set().union(*(self._codes(e, source, around, seen) for e in elements))

    def _elements(
        self, whole: ast.expr, place: int | None, source: Source, around: tuple[Function, ...]
    ) -> list[ast.expr] | None:
        """The elements of a table that is written out in the code, or what stands at a place of each."""
        if isinstance(whole, ast.Tuple | ast.List):
            rows = whole.elts
            return rows if place is None else [r.elts[place] for r in rows if isinstance(r, ast.Tuple)]
        if isinstance(whole, ast.Dict):
            return [key for key in whole.keys if key] if not place else whole.values
        if isinstance(whole, ast.Call) and isinstance(whole.func, ast.Attribute) and not whole.args:
            by_method = {"items": place, "keys": 0, "values": 1}
            return self._elements(whole.func.value, by_method.get(whole.func.attr), source, around)
        if isinstance(whole, ast.Call) and _name(whole.func) == "zip" and place is not None:
            return self._elements(whole.args[place], None, source, around)
        if isinstance(whole, ast.Name):
            scopes = [_body(function) for function in reversed(around)] + [source.tree.body]
            for name, value in chain.from_iterable(map(_bindings, scopes)):
                if name == whole.id and not isinstance(value, _Each):
                    return self._elements(value, place, source, around)
        return None

    def _passed(self, function: Function, name: str, source: Source, seen: frozenset[ast.AST]) -> set[str]:
        """What the calls of a function pass for a parameter, and its default."""
        if isinstance(function, ast.Lambda):
            return {STAR}
        parameters, found = _parameters(function), set[str]()
        for default_of, default in zip(reversed(function.args.args), reversed(function.args.defaults), strict=False):
            if default_of.arg == name:
                found |= self._codes(default, source, (), seen)
        for other, call, called in self.calls:
            if called != function.name or (function.name.startswith("_") and other is not source):
                continue
            place = parameters.index(name) - (parameters[0] == "self")
            given = [k.value for k in call.keywords if k.arg == name]
            given += call.args[place : place + 1] if place >= 0 else []
            for value in given:
                found |= self._codes(value, other, other.around[call], seen)
        return found or {STAR}


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _body(function: Function) -> list[Any]:
    return [function.body] if isinstance(function, ast.Lambda) else function.body


def _parameters(function: Function) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
