"""Which names a trip of a loop may read before it assigns them: those must come from the trip before."""

from __future__ import annotations

import functools
from typing import Any

import gast

from s2sad.frontend.syntax import SCOPES, assigned_names

Assigned = frozenset[str]  # names assigned on every path; None: control does not get here
BINDERS = (gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp, gast.Lambda)


@functools.lru_cache(maxsize=512)
def exposed_names(loop: Any) -> frozenset[str]:
    """Return the names read in a loop's body, or test, where an earlier part of the trip need not have
    assigned them."""
    found: set[str] = set()
    start: Assigned = frozenset()
    if isinstance(loop, gast.For):
        start = frozenset(assigned_names([loop.target]))
    else:
        start = _expression(loop.test, start, found)
    _block(loop.body, start, found)
    return frozenset(found)


def _block(statements: list[Any], assigned: Assigned | None, found: set[str]) -> Assigned | None:
    for statement in statements:
        if assigned is None:
            break
        assigned = _statement(statement, assigned, found)
    return assigned


def _statement(node: Any, assigned: Assigned, found: set[str]) -> Assigned | None:
    match node:
        case gast.If():
            assigned = _expression(node.test, assigned, found)
            return _join(_block(node.body, assigned, found), _block(node.orelse, assigned, found))
        case gast.For():
            assigned = _expression(node.iter, assigned, found)
            _block(node.body, assigned | frozenset(assigned_names([node.target])), found)
            return _block(node.orelse, assigned, found)
        case gast.While():
            assigned = _expression(node.test, assigned, found)
            _block(node.body, assigned, found)
            return _block(node.orelse, assigned, found)
        case gast.With():
            for item in node.items:
                assigned = _expression(item.context_expr, assigned, found)
            return _block(node.body, assigned, found)
        case gast.Return() | gast.Raise() | gast.Break() | gast.Continue():
            _expression(node, assigned, found)
            return None
        case gast.AugAssign(target=gast.Name(id=name)):
            if name not in assigned:
                found.add(name)
    return _expression(node, assigned, found) | frozenset(assigned_names([node]))


def _join(a: Assigned | None, b: Assigned | None) -> Assigned | None:
    return b if a is None else a if b is None else a & b


def _expression(node: Any, assigned: Assigned, found: set[str]) -> Assigned:
    """Note what an expression (or simple statement) reads; return what is assigned after it, a walrus
    counting only for what follows."""
    todo: list[tuple[Any, Assigned]] = [(node, assigned)]
    while todo:
        part, known = todo.pop()
        if isinstance(part, gast.Name) and isinstance(part.ctx, gast.Load) and part.id not in known:
            found.add(part.id)
        if isinstance(part, (*BINDERS, *SCOPES)):  # names of its own
            known = known | frozenset(_bound_inside(part))
        todo += ((child, known) for child in gast.iter_child_nodes(part))
    return assigned | frozenset(n.target.id for n in gast.walk(node) if isinstance(n, gast.NamedExpr))


def _bound_inside(node: Any) -> set[str]:
    kinds = (gast.Store, gast.Param)
    return {n.id for n in gast.walk(node) if isinstance(n, gast.Name) and isinstance(n.ctx, kinds)}
