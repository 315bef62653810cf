"""Appending instructions that own blocks, each block filled by a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.ir.builder import Builder
from s2sad.ir.core import Operand, Value
from s2sad.ir.types import INT, Scalar
from s2sad.ops.control import FOR, IF, WHILE

State = tuple[Operand, ...]


def for_loop(
    b: Builder,
    bounds: tuple[Operand, Operand, Operand],
    inits: State,
    like: Sequence[Value],
    index: str,
    fill: Callable[[Builder, Operand, State], Sequence[Operand]],
    results: Sequence[Value] | None = None,
) -> State:
    """Append a counted loop; its slots have the names and types of `like`, and so have the results that are
    not given."""
    i = Value(index, Scalar(INT, weak=True, size=b.sizes.fresh_int()))
    params = tuple(Value(v.name, v.type) for v in like)
    inner = b.inner()
    out = tuple(fill(inner, i, params))
    block = inner.block((i, *params), "yield", *out)
    outs = tuple(results or (Value(v.name, v.type) for v in like))
    return b.owner(FOR, (*bounds, *inits), (block,), outs)


def while_loop(
    b: Builder,
    inits: State,
    like: Sequence[Value],
    test: Callable[[Builder, State], Operand],
    fill: Callable[[Builder, State], Sequence[Operand]],
) -> State:
    """Append a `while` loop; its slots have the names and types of `like`."""
    heads = tuple(Value(v.name, v.type) for v in like)
    head = b.inner()
    cond = head.block(heads, "yield", test(head, heads))
    params = tuple(Value(v.name, v.type) for v in like)
    inner = b.inner()
    body = inner.block(params, "yield", *fill(inner, params))
    results = tuple(Value(v.name, v.type) for v in like)
    return b.owner(WHILE, inits, (cond, body), results)


def branch(
    b: Builder,
    condition: Operand,
    like: Sequence[Value],
    then: Callable[[Builder], Sequence[Operand]],
    other: Callable[[Builder], Sequence[Operand]],
    results: Sequence[Value] | None = None,
) -> State:
    """Append an `if`; its results have the names and types of `like`, and so have those that are given."""
    blocks = []
    for fill in (then, other):
        inner = b.inner()
        blocks.append(inner.block((), "yield", *fill(inner)))
    outs = tuple(results or (Value(v.name, v.type) for v in like))
    return b.owner(IF, (condition,), tuple(blocks), outs)
