"""Conditions made of conditions, as people write them."""

from __future__ import annotations

import ast


def joined_by(op: ast.boolop, left: ast.expr, right: ast.expr) -> ast.expr:
    """Return `left and right` or `left or right`; `a < b < c` for `a < b and b < c`."""
    parts = [*left.values] if isinstance(left, ast.BoolOp) and type(left.op) is type(op) else [left]
    between = _between(parts[-1], right) if isinstance(op, ast.And) else None
    parts[-1 if between is not None else len(parts) :] = [between or right]
    return ast.BoolOp(op, parts) if len(parts) > 1 else parts[0]


def _between(left: ast.expr, right: ast.expr) -> ast.expr | None:
    if not (isinstance(left, ast.Compare) and isinstance(right, ast.Compare)):
        return None
    ops, middle = [*left.ops, *right.ops], left.comparators[-1]
    alike = any(all(isinstance(op, kinds) for op in ops) for kinds in ((ast.Lt, ast.LtE), (ast.Gt, ast.GtE)))
    if not alike or ast.dump(middle) != ast.dump(right.left):
        return None
    return ast.Compare(left.left, ops, [*left.comparators, *right.comparators])
