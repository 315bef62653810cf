"""A call of a function with arguments of its own, as a program: what the command line shows of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import product
from typing import Any

from s2sad.errors import S2sadError
from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, End, Function, Literal, Operand, Parameter, Value
from s2sad.ir.size import Size
from s2sad.ir.tree import Leaf as TreeLeaf
from s2sad.ir.tree import Node, Tree
from s2sad.ir.types import F8, GENERATOR, INT, WEAK_FLOAT, Array, Type
from s2sad.ops.call import Call
from s2sad.ops.expr import Apply, Expr, Leaf, lower

N = Size.symbol("n")
VECTOR, MATRIX, NUMBER = Array(F8, (N,)), Array(F8, (N, N)), WEAK_FLOAT
INTS = Array(INT, (N,))
KINDS = ("vector", "matrix", "number", "ints", "count", "several", "text")


def program(call: Call) -> Function | None:
    """Return a program that calls a function with its required arguments, None if no arguments that are
    tried fit: vectors, matrices, numbers, ints, tuples of vectors."""
    required = [
        p
        for p in call.signature.parameters.values()
        if p.default is inspect.Parameter.empty and p.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    for kinds in _choices(len(required)):
        params: list[Value] = []
        try:
            given = [_argument(p, kind, params) for p, kind in zip(required, kinds, strict=True)]
            found = call.expand(*given)
            return _function(call, params, found)
        except (S2sadError, TypeError, ValueError, AttributeError, AssertionError, IndexError, KeyError):
            continue
    return None


def made_of(fn: Function) -> list[str]:
    """Return the names of the operations of a program, in order."""
    return list(dict.fromkeys(instr.op.name for instr in fn.block.walk()))


def _choices(count: int) -> Iterator[tuple[str, ...]]:
    """All arguments of one kind first, then all mixtures."""
    yield from ((kind,) * count for kind in KINDS)
    if 1 < count <= 3:
        yield from product(KINDS, repeat=count)


def _argument(p: inspect.Parameter, kind: str, params: list[Value]) -> Any:
    if p.name == "rng":
        params.append(Value("rng", GENERATOR))
        return Leaf(params[-1])
    name = {"self": "x", "args": "x", "arys": "x"}.get(p.name, p.name)
    types: dict[str, Type] = {"vector": VECTOR, "matrix": MATRIX, "number": NUMBER, "ints": INTS}
    if kind in types:
        params.append(Value(name, types[kind]))
        return Leaf(params[-1])
    if kind == "count":
        return Leaf(Literal(2))
    if kind == "text":
        return "ij,jk"
    values = [Value(f"{name}{k}", VECTOR) for k in (1, 2)]
    params.extend(values)
    return tuple(map(Leaf, values))


def _function(call: Call, params: list[Value], found: Any) -> Function:
    builder, results = Builder(Sizes()), []
    memo: dict[object, tuple[Operand, ...]] = {}

    def tree(part: Any) -> Tree:
        if isinstance(part, tuple | list):
            return Node("tuple", tuple(range(len(part))), tuple(map(tree, part)))
        if not isinstance(part, Expr):
            raise TypeError("no expression")
        results.append(lower(part, builder, memo=memo))
        return TreeLeaf(len(results) - 1)

    result = tree(found)
    if isinstance(found, Apply) and not params:
        raise TypeError("no argument that varies")
    signature = tuple(Parameter(p.name, TreeLeaf(k)) for k, p in enumerate(params))
    block = Block((), tuple(builder.instrs), End("return", tuple(results)))
    return Function(_identifier(call.name), tuple(params), block, signature, result)


def _identifier(name: str) -> str:
    text = "".join(c if c.isalnum() else "_" for c in name)
    return text if text.isidentifier() else f"f_{text}"
