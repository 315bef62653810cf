"""Conditions made of conditions, as people write them."""

from __future__ import annotations

import ast


class Name(ast.Name):  # `ast.unparse` goes by what a class is called
    """A comparison as its text: `ast.unparse` puts parentheses around the third one of `a and b and c`."""

    def __init__(self, tree: ast.expr):
        super().__init__(ast.unparse(tree), ast.Load())
        self.tree = tree


def joined_by(op: ast.boolop, left: ast.expr, right: ast.expr) -> ast.expr:
    """Return `left and right` or `left or right`; `a < b < c` for `a < b and b < c`."""
    parts = [*left.values] if isinstance(left, ast.BoolOp) and type(left.op) is type(op) else [left]
    between = _between(_whole(parts[-1]), right) if isinstance(op, ast.And) else None
    if between is not None:
        right = between
        parts.pop()
    is_tight = isinstance(right, ast.Compare) or (
        isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.Not)
    )
    parts.append(Name(right) if is_tight and len(parts) > 1 else right)
    return ast.BoolOp(op, parts) if len(parts) > 1 else right


def _whole(part: ast.expr) -> ast.expr:
    return part.tree if isinstance(part, Name) else part


def _between(left: ast.expr, right: ast.expr) -> ast.expr | None:
    if not (isinstance(left, ast.Compare) and isinstance(right, ast.Compare)):
        return None
    ops, middle = [*left.ops, *right.ops], left.comparators[-1]
    alike = any(all(isinstance(op, kinds) for op in ops) for kinds in ((ast.Lt, ast.LtE), (ast.Gt, ast.GtE)))
    if not alike or ast.dump(middle) != ast.dump(right.left):
        return None
    return ast.Compare(left.left, ops, [*left.comparators, *right.comparators])
