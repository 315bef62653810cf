"""Make a failing program small: delete and simplify statements while it still fails the same way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator


def bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield every statement list of a module."""
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body:
                yield body


def smaller(text: str) -> Iterator[str]:
    """Yield texts with one statement deleted, one block unwrapped, or one expression cut."""
    count = sum(len(body) for body in bodies(ast.parse(text)))
    for k in range(count):
        for edit in (delete, unwrap):
            tree = ast.parse(text)
            if edit(tree, k):
                yield ast.unparse(ast.fix_missing_locations(tree))
    operations = sum(isinstance(node, ast.BinOp | ast.Call | ast.IfExp) for node in ast.walk(ast.parse(text)))
    for k in range(operations):
        for side in (0, 1):
            tree = ast.parse(text)
            if Cut(k, side).cut(tree):
                yield ast.unparse(ast.fix_missing_locations(tree))


def delete(tree: ast.AST, k: int) -> bool:
    """Delete the k-th statement."""
    for body in bodies(tree):
        if k < len(body):
            del body[k]
            if not body:
                body.append(ast.Pass())
            return True
        k -= len(body)
    return False


def unwrap(tree: ast.AST, k: int) -> bool:
    """Replace the k-th statement by its body."""
    for body in bodies(tree):
        if k < len(body):
            inner = body[k]
            if not isinstance(inner, ast.If | ast.For | ast.While):
                return False
            body[k : k + 1] = inner.body
            return True
        k -= len(body)
    return False


class Cut(ast.NodeTransformer):
    """Replace the k-th operation by one of its operands."""

    def __init__(self, k: int, side: int):
        self.k, self.side, self.done = k, side, False

    def cut(self, tree: ast.AST) -> bool:
        """Return whether something was replaced."""
        self.visit(tree)
        return self.done

    def visit(self, node: ast.AST) -> ast.AST:
        """Count operations down to the one to replace."""
        if isinstance(node, ast.BinOp | ast.Call | ast.IfExp) and not self.done:
            if self.k == 0:
                parts = self.parts(node)
                if self.side < len(parts):
                    self.done = True
                    return parts[self.side]
            self.k -= 1
        return self.generic_visit(node)

    @staticmethod
    def parts(node: ast.AST) -> list[ast.expr]:
        """Return the operands that may stand for the whole."""
        if isinstance(node, ast.BinOp):
            return [node.left, node.right]
        if isinstance(node, ast.IfExp):
            return [node.body, node.orelse]
        return list(node.args) if isinstance(node, ast.Call) else []


def shrunk(text: str, fails: Callable[[str], bool], rounds: int = 400) -> str:
    """Return a small text for which `fails` still holds."""
    again = True
    while again and rounds > 0:
        again = False
        for candidate in smaller(text):
            rounds -= 1
            if rounds <= 0:
                break
            if len(candidate) < len(text) and fails(candidate):
                text, again = candidate, True
                break
    return text
