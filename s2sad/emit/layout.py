"""Statements as lines of text: indentation, comments, `elif`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import field

from s2sad.emit.constants import quoted
from s2sad.emit.printer import expression
from s2sad.ir.core import Operand
from s2sad.record import dataclass

WIDTH = 100
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Simple:
    """A statement on a line of its own; `roots` are the operands printed in it."""

    node: ast.stmt
    comment: str = ""
    roots: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment line."""

    text: str


@dataclass(frozen=True, slots=True)
class Branch:
    """An `if` with its branches."""

    test: ast.expr
    body: list[Statement]
    orelse: list[Statement] = field(default_factory=list)
    roots: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """A `for` or `while`; `header` has a body that is not printed."""

    header: ast.stmt
    body: list[Statement]
    roots: tuple[Operand, ...] = ()


Statement = Simple | Remark | Branch | Loop


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that should be split, and the operands printed in it."""

    text: str
    roots: tuple[Operand, ...]


def string(text: str) -> ast.expr:
    """Return a string literal in our quotes: what `ast.unparse` prints as it stands."""
    return ast.Name(quoted(text), ast.Load())


def text_of(node: ast.stmt) -> str:
    """Return a statement as one line, the header of a loop without its body."""
    match node:
        case ast.Assign(targets, value):
            return " = ".join(map(expression_text, (*targets, value)))
        case ast.Return(ast.expr() as value):
            return f"return {expression_text(value)}"
        case ast.For(target, values):
            return f"for {expression_text(target)} in {expression_text(values)}:"
        case ast.While(test):
            return f"while {expression_text(test)}:"
        case ast.Expr(value):
            return expression_text(value)
        case _:
            return ast.unparse(node)


def expression_text(node: ast.expr) -> str:
    """Return an expression as text, without parentheses around it."""
    if isinstance(node, ast.Tuple) and len(node.elts) > 1:
        return ", ".join(map(expression, node.elts))
    return expression(node)


def lines(statements: Sequence[Statement], depth: int, long: list[TooLong]) -> Iterator[str]:
    """Yield the lines of statements; lines wider than WIDTH are noted in `long`."""
    pad = INDENT * depth
    for s in statements:
        match s:
            case Simple(node, comment, roots):
                text = text_of(node)
                _measure(pad + text, roots, long)
                first, *rest = _wrapped(node, text, pad)
                yield f"{pad}{first}  # {comment}" if comment else pad + first
                yield from rest
            case Remark(text):
                yield f"{pad}# {text}"
            case Loop(header, body, roots):
                text = text_of(header)
                _measure(pad + text, roots, long)
                yield pad + text
                yield from _suite(body, depth, long)
            case Branch():
                yield from _branch(s, "if", depth, long)


def _branch(s: Branch, word: str, depth: int, long: list[TooLong]) -> Iterator[str]:
    pad = INDENT * depth
    text = f"{word} {expression_text(s.test)}:"
    _measure(pad + text, s.roots, long)
    yield pad + text
    yield from _suite(s.body, depth, long)
    if len(s.orelse) == 1 and isinstance(s.orelse[0], Branch):
        yield from _branch(s.orelse[0], "elif", depth, long)
    elif s.orelse:
        yield f"{pad}else:"
        yield from _suite(s.orelse, depth, long)


def _suite(body: Sequence[Statement], depth: int, long: list[TooLong]) -> Iterator[str]:
    yield from lines(body, depth + 1, long)
    if all(isinstance(s, Remark) for s in body):
        yield INDENT * (depth + 1) + "pass"


def _wrapped(node: ast.stmt, text: str, pad: str) -> list[str]:
    """Return a statement, with the arguments on lines of their own where it is too wide and assigns what a
    function with keywords returns (or an attribute of that)."""
    if len(pad + text) <= WIDTH or not isinstance(node, ast.Assign):
        return [text]
    call = node.value.value if isinstance(node.value, ast.Attribute) else node.value
    if not (isinstance(call, ast.Call) and call.keywords):
        return [text]
    before = f"{text.partition(' = ')[0]} = {expression_text(call.func)}("
    after = f").{node.value.attr}" if isinstance(node.value, ast.Attribute) else ")"
    if not (text.startswith(before) and text.endswith(after)):
        return [text]
    inside = text.removeprefix(before).removesuffix(after)
    if len(pad + INDENT + inside) <= WIDTH:
        return [before, f"{pad}{INDENT}{inside}", pad + after]
    one = [ast.Call(call.func, [a], []) for a in call.args]
    one += [ast.Call(call.func, [], [k]) for k in call.keywords]
    name = text_of(ast.Expr(ast.Call(call.func, [], []))).removesuffix(")")
    each = [text_of(ast.Expr(c)).removeprefix(name).removesuffix(")") for c in one]
    return [before, *(f"{pad}{INDENT}{text}," for text in each), pad + after]


def _measure(line: str, roots: tuple[Operand, ...], long: list[TooLong]) -> None:
    if len(line) > WIDTH:
        long.append(TooLong(line, roots))
