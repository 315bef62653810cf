"""Questions about syntax trees: which names are assigned, loaded, shared; what leaves a loop."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import gast

DISPLAYS = (gast.Tuple, gast.List)
SCOPES = (gast.FunctionDef, gast.AsyncFunctionDef, gast.Lambda, gast.ClassDef)


def walk(nodes: list[Any]) -> Iterator[Any]:
    """Yield the nodes of one scope: nested functions are yielded but not entered."""
    todo = list(reversed(nodes))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, SCOPES):
            todo += reversed(list(gast.iter_child_nodes(node)))


def assigned_names(nodes: list[Any]) -> list[str]:
    """Return the names that statements (or targets) may bind, in order of appearance."""
    found: dict[str, None] = {}
    for node in walk(nodes):
        if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Store | gast.Del | gast.Param):
            found[node.id] = None
        elif isinstance(node, gast.FunctionDef | gast.ClassDef):
            found[node.name] = None
        elif isinstance(node, gast.Import | gast.ImportFrom):
            for alias in node.names:
                found[(alias.asname or alias.name).split(".")[0]] = None
    return list(found)


def declared(nodes: list[Any], kind: Any) -> frozenset[str]:
    """Return the names in `nonlocal` or `global` statements."""
    return frozenset(n for node in walk(nodes) if isinstance(node, kind) for n in node.names)


def body_of(function: Any) -> list[Any]:
    """Return the statements of a function, or the expression of a lambda."""
    return function.body if isinstance(function.body, list) else [function.body]


@functools.lru_cache(maxsize=512)  # trees are not changed: asked at every join and loop
def shared_names(function: Any) -> frozenset[str]:
    """Return the names that functions nested in this one declare nonlocal."""
    found: set[str] = set()
    for node in body_of(function):
        for inner in gast.walk(node):
            if isinstance(inner, gast.Nonlocal):
                found.update(inner.names)
    return frozenset(found)


@functools.lru_cache(maxsize=512)
def loaded_outside(function: Any, loop: Any, names: tuple[str, ...]) -> frozenset[str]:
    """Return which names assigned in a loop may be read after it: loads in the function outside the
    loop, not counting bodies of other `for` loops that bind the name themselves."""
    wanted = set(names)
    found: set[str] = set()

    def visit(node: Any, bound: frozenset[str]) -> None:
        if node is loop:
            for part in loop.orelse:
                visit(part, bound)
            return
        if isinstance(node, gast.Name):
            if isinstance(node.ctx, gast.Load) and node.id in wanted and node.id not in bound:
                found.add(node.id)
            return
        target = getattr(node, "target", None)
        if isinstance(node, gast.AugAssign) and isinstance(target, gast.Name) and target.id not in bound:
            found.update({target.id} & wanted)
        if isinstance(node, gast.For):
            visit(node.iter, bound)
            inner = bound | frozenset(assigned_names([node.target]))
            for part in node.body:
                visit(part, inner)
            for part in node.orelse:
                visit(part, bound)
            return
        if isinstance(node, gast.ListComp | gast.GeneratorExp | gast.DictComp | gast.SetComp):
            inner = bound | frozenset(n for g in node.generators for n in assigned_names([g.target]))
            for child in gast.iter_child_nodes(node):
                visit(child, inner)
            return
        for child in gast.iter_child_nodes(node):
            visit(child, bound)

    body = body_of(function)
    enclosing = _enclosing_targets(body, loop)
    for statement in body:
        visit(statement, frozenset())
    return frozenset(found | (enclosing & wanted & _loaded(function)))


def _enclosing_targets(body: list[Any], loop: Any) -> set[str]:
    # a name bound by an enclosing `for` and rebound inside is read by the enclosing loop's body
    found: set[str] = set()

    def holds(node: Any) -> bool:
        if node is loop:
            return True
        inside = any(map(holds, gast.iter_child_nodes(node)))
        if inside and isinstance(node, gast.For):
            found.update(assigned_names([node.target]))
        return inside

    any(map(holds, body))
    return found


@functools.lru_cache(maxsize=512)
def _loaded(function: Any) -> frozenset[str]:
    return frozenset(
        n.id
        for statement in body_of(function)
        for n in gast.walk(statement)
        if isinstance(n, gast.Name) and isinstance(n.ctx, gast.Load)
    )


def leaves_loop(body: list[Any], kinds: Any) -> bool:
    """True if a `break` or `continue` (as in `kinds`) of this loop occurs in its body."""
    for node in body:
        if isinstance(node, kinds):
            return True
        if isinstance(node, (gast.For, gast.While, *SCOPES)):
            if isinstance(node, gast.For | gast.While) and leaves_loop(node.orelse, kinds):
                return True
            continue
        children = [c for c in gast.iter_child_nodes(node) if isinstance(c, gast.stmt)]
        if leaves_loop(children, kinds):
            return True
    return False


def has_return(nodes: list[Any]) -> bool:
    """True if a `return` of this scope occurs in the statements."""
    return any(isinstance(n, gast.Return) for n in walk(nodes))


def falls_through(nodes: list[Any]) -> bool:
    """True unless the statements end in a `return` or `raise` on every path, as far as their form tells."""
    if not nodes or not isinstance(nodes[-1], gast.Return | gast.Raise | gast.If):
        return True
    last = nodes[-1]
    return isinstance(last, gast.If) and (falls_through(last.body) or falls_through(last.orelse))


def has_walrus(node: Any) -> bool:
    """True if an expression binds names."""
    return any(isinstance(n, gast.NamedExpr) for n in walk([node]))


def offsets(loop: Any) -> tuple[int, int, int] | None:
    """Return the range that a `for` statement over a display like `(-1, 0, 1)` runs over, if there are loops
    in its body that are not over displays themselves: a copy of those for each item would make long text,
    and copies of copies more than can be compiled. Else None."""
    items = _ints(loop.iter)
    if len(items) < 2 or not any(
        isinstance(n, gast.While) or (isinstance(n, gast.For) and not isinstance(n.iter, DISPLAYS))
        for n in walk(loop.body)
    ):
        return None
    step = items[1] - items[0]
    found = (items[0], items[-1] + step, step)
    return found if step and list(range(*found)) == items else None


def _ints(node: Any) -> list[int]:
    """Return the items of a tuple or list of ints as they stand in the text; nothing for anything else."""
    if not isinstance(node, DISPLAYS):
        return []
    try:
        found = gast.literal_eval(node)
    except ValueError:
        return []
    return list(found) if all(type(k) is int for k in found) else []
