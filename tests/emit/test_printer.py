"""Expressions as text: what `ast.unparse` prints, for every expression of the package and the examples, but
for parentheses that `and` and `or` do not need."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from s2sad.emit.printer import expression

ROOT = Path(__file__).parent.parent.parent
FILES = sorted(p for folder in ("s2sad", "examples") for p in (ROOT / folder).rglob("*.py"))
SHAPES = """
-x ** 2; (-x) ** 2; (-x) ** -2; 2 ** -x; (a ** b) ** c; a ** b ** c; a - (b - c); (a - b) - c; a / (b * c)
not a == b; not (a and b); (not a) + 1; -(a + b); -a * b; - -a; a @ b @ c; a @ (b @ c); (a, b)[0]; (a + b)[0]
x[1, 2]; x[1,]; x[()]; x[a:b]; x[::2, None]; x[(a, b), :]; x[*a]; (yield); 1 .real; (1.5).real; 1e400; -1e400
(a if b else c) + d; a if b else c if d else e; (a if b else c) if d else e; f(*a, **b); f(x for x in y)
(a or b) and c; a or (b or c); (a < b) < c; a < b < c; a < (b, c); lambda x: x; (lambda x: x)(1); f"{a}"[0]
{1: 2}[1]; [x for x in y][0]; "a"[0]; ...; a & b | c; (a | b) + c; ~a; +a; (a := 1) + 2; 1j; (1 + 2j) * a; {1}
[]; (); (a,); [a]; a.b.c; (a + b).T; (-a).T; -a.T; f(a)(b); await_(a).b; True; None; a is not None; a not in b
"""


def shape(node: ast.expr) -> str:
    """Return a tree as text, without what tells reading from writing."""
    return re.sub(r"(Load|Store|Del)\(\)", "", ast.dump(node))


def check(node: ast.expr) -> None:
    """Check that the text means the same, and that it is the same where there is no `and` and no `or`."""
    text = expression(node)
    again = ast.parse(f"({text})", mode="eval").body
    assert shape(again) == shape(node)
    if any(isinstance(inside, ast.BoolOp) for inside in ast.walk(node)):
        assert len(text) <= len(ast.unparse(node))
    else:
        assert text == ast.unparse(node)


@pytest.mark.parametrize("shard", range(8))
def test_expressions_of_the_repository(shard: int):
    for path in FILES[shard::8]:
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for node in ast.iter_child_nodes(statement) if isinstance(statement, ast.stmt) else ():
                if isinstance(node, ast.expr):
                    check(node)


@pytest.mark.parametrize("text", [t.strip() for t in SHAPES.replace("\n", ";").split(";") if t.strip()])
def test_forms(text: str):
    check(ast.parse(f"({text})", mode="eval").body)
