"""The joint derivative in two functions: a forward sweep that returns its tape, and the reverse sweep."""

from __future__ import annotations

from s2sad.analysis.unbound import maybe_unbound
from s2sad.errors import InternalError
from s2sad.ir.core import Block, End, Function, Instr, Operand, Parameter, Value
from s2sad.ir.tree import Leaf, Node, Tree, leaves, renumber
from s2sad.ir.types import Array
from s2sad.ir.walk import Copier, free_values
from s2sad.passes.base import sizes_after
from s2sad.record import replace
from s2sad.transforms.define import define, without_known_sizes

REVERSE_SWEEP = "reverse sweep"


def split(fn: Function) -> tuple[Function, Function]:
    """Return the forward and the reverse half of what `vjp` made (with its value).

    The forward half takes the primal's parameters and returns the value leaves and the tape leaves; the
    reverse half takes the tape leaves and the seeds and returns the cotangents. `extra["tape"]` of both
    is the number of tape leaves."""
    cut = _cut(fn)
    primal, values = fn.extra["primal_params"], fn.extra["values"]
    params, seeds = fn.params[:primal], fn.params[primal:]
    before, after = fn.block.instrs[:cut], fn.block.instrs[cut + 1 :]
    assert fn.block.end.kind == "return"
    outs = fn.block.end.args
    rest = Block((), after, replace(fn.block.end, args=outs[values:]))
    tape = [v for v in free_values(rest) if v not in seeds]
    forward = _forward(fn, params, before, outs[:values], tape)
    return forward, _reverse(fn, rest, tape, seeds, maybe_unbound(Block((), before, fn.block.end)))


def _cut(fn: Function) -> int:
    for k, instr in enumerate(fn.block.instrs):
        if instr.op.name == "comment" and instr.param("text") == REVERSE_SWEEP:
            return k
    raise InternalError("S902", f"{fn.name} has no reverse sweep to cut off")


def _forward(
    fn: Function,
    params: tuple[Value, ...],
    instrs: tuple[Instr, ...],
    values: tuple[Operand, ...],
    tape: list[Value],
) -> Function:
    signature = tuple(p for p in fn.signature if p.name not in fn.extra["seeds"])
    places = tuple(range(len(tape)))
    bundle = Node("tuple", places, tuple(Leaf(len(values) + k) for k in places))
    result = Node("tuple", (0, 1), (_value_tree(fn), bundle))
    return replace(
        fn,
        name=_stem(fn) + "_fwd",
        params=params,
        block=define(Block((), instrs, End("return", (*values, *tape))), tape, sizes_after(fn)),
        signature=signature,
        result=result,
        doc=f"Return the value and the tape for {_stem(fn)}_rev.",
        extra=fn.extra | {"tape": len(tape)},
    )


def _reverse(
    fn: Function, rest: Block, tape: list[Value], seeds: tuple[Value, ...], placeholders: set[Value]
) -> Function:
    copier = Copier(sizes_after(fn))
    params = tuple(map(copier.define, (*tape, *seeds)))
    for k, v in enumerate(tape):
        if v in placeholders and isinstance(v.type, Array):  # of no size if its branch did not run
            unsized = Value(v.name, without_known_sizes(v.type, copier.sizes))
            copier.map[v] = unsized
            params = (*params[:k], unsized, *params[k + 1 :])
    block = copier.block(rest)
    places = tuple(range(len(tape)))
    bundle = Parameter("tape", Node("tuple", places, tuple(map(Leaf, places))))
    first = len(fn.params) - len(seeds)
    moved = {first + k: len(tape) + k for k in range(len(seeds))}
    seeded = [p for p in fn.signature if p.name in fn.extra["seeds"]]
    added = tuple(replace(p, tree=renumber(p.tree, moved)) for p in seeded)
    cotangents = fn.result.items[1] if isinstance(fn.result, Node) else fn.result
    values = fn.extra["values"]
    shift = {k: k - values for k in leaves(cotangents)}
    return replace(
        fn,
        name=_stem(fn) + "_rev",
        params=params,
        block=block,
        signature=(bundle, *(replace(p, kind="positional") for p in added)),
        result=renumber(cotangents, shift),
        facts=(),  # the forward half has checked them; what is on the tape may be a placeholder
        doc=f"Return the cotangents for a tape of {_stem(fn)}_fwd.",
        extra={k: v for k, v in fn.extra.items() if k != "captured"} | {"tape": len(tape)},
    )


def _value_tree(fn: Function) -> Tree:
    assert isinstance(fn.result, Node)
    return fn.result.items[0]


def _stem(fn: Function) -> str:
    return fn.name.removesuffix("_vjp")
