"""A rule for one mode in the other: it is linear in tangents or cotangents, and so has a transpose.

The transpose of a linear function is its vjp, at any point. That of a reverse half in its cotangents gives
forward mode: the vjp of a vjp is a jvp (J. Townsend, 2017).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from s2sad.analysis.activity import activity
from s2sad.analysis.pullback import Pullbacks
from s2sad.errors import Origin, UnsupportedOp
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Parameter, Value, distinct
from s2sad.ir.rule import Link, Read, Rule, Tangent
from s2sad.ir.tree import Leaf, Node
from s2sad.ir.types import is_differentiable
from s2sad.ir.walk import Copier, substitute
from s2sad.ops.control import CALL
from s2sad.passes.arguments import arguments
from s2sad.passes.base import sizes_after
from s2sad.passes.calls import everywhere
from s2sad.passes.dce import dce
from s2sad.passes.inline import flattened, inline
from s2sad.passes.shapes import shapes
from s2sad.record import replace
from s2sad.transforms.rules import zero
from s2sad.transforms.split import split

ROUNDS = 3  # of pruning: an argument that goes makes more dead code
SHAPES = ("zeros_like", "size", "empty_like")
"""Ops that read of their only argument no more than its shape."""
ZEROS = ("zeros_like", "zeros")


def along(rule: Rule, tangent: Tangent) -> tuple[Function, tuple[bool, ...]]:
    """Return the Function of a rule for forward mode, its tangents with the names of what they belong to (so
    that their cotangents are `x_bar`), and which of its parameters these are."""
    fn, count = flattened(tangent.fn), len(tangent.fn.params) - len(rule.targets)
    dots = tuple(
        Value(fn.params[k].name, p.type) for k, p in zip(rule.targets, fn.params[count:], strict=True)
    )
    block = substitute(fn.block, dict(zip(fn.params[count:], dots, strict=True)))
    made = replace(fn, params=(*fn.params[:count], *dots), block=block)
    return made, (False,) * count + (True,) * len(dots)


def transposed(rule: Rule, tangent: Tangent, joint: Function, values: int) -> Link:
    """Return the Link that comes of `joint`, the vjp (with value) of a rule for forward mode in its tangents,
    taken where these are 0. `values`: the number of results of a call."""
    forward, reverse = split(pruned(joint))
    count = len(forward.params) - len(rule.targets)
    block = at_zero(forward, count, rule)
    outs, first = block.end.args, len(tangent.fn.result_types)
    check_linear(rule, along(rule, tangent)[1], forward, reverse, first)
    params = forward.params[:count]
    kept, reads = list(outs[:values]), list[Read]()
    for a in outs[first:]:
        if isinstance(a, Value) and a in params:
            reads.append(("argument", params.index(a)))
        else:
            reads.append(("result", len(kept)))
            kept.append(a)
    dotted = [k for k, t in enumerate(tangent.fn.result_types) if is_differentiable(t)]
    seeds = dict(zip(dotted, reverse.params[len(reads) :], strict=True))
    of_dot = {dot: k for k, dot in tangent.dots.items()}
    taken = list(reverse.params[: len(reads)])
    for k, seed in seeds.items():
        if k in of_dot:
            reads.append(("seed", of_dot[k]))
            taken.append(seed)
        elif reads_value(reverse.block, seed):
            raise nonlinear(rule, tangent.fn.origin)
    made = flat(forward, params, Block((), block.instrs, replace(block.end, args=tuple(kept))))
    end, targets = nonzero(reverse.block, rule.targets)
    pulled = flat(reverse, tuple(taken), replace(reverse.block, end=end))
    return Link(everywhere(dce)(made), everywhere(dce)(pulled), tuple(reads), values, targets)


def nonzero(block: Block, targets: tuple[int, ...]) -> tuple[End, tuple[int, ...]]:
    """Return the end of a reverse half without the cotangents that are nothing but zeros, and the targets
    of the others."""
    zeros = {r for i in block.instrs if i.op.name in ZEROS for r in i.results}
    pairs = zip(block.end.args, targets, strict=True)
    kept = [(a, k) for a, k in pairs if a not in zeros and a != Literal(0.0)]
    return replace(block.end, args=tuple(a for a, _ in kept)), tuple(k for _, k in kept)


def at_zero(forward: Function, count: int, rule: Rule) -> Block:
    """Return the block of a forward half with zeros for the tangents, its last parameters."""
    builder = Builder(sizes_after(forward), forward.origin)
    zeros: dict[Value, Operand] = {}
    for k, dot in zip(rule.targets, forward.params[count:], strict=True):
        zeros[dot] = zero(builder, forward.params[k], dot.type, dot.name)
    block = substitute(forward.block, zeros)
    return Block((), (*builder.instrs, *block.instrs), block.end)


def backwards(link: Link) -> tuple[Function, tuple[bool, ...]]:
    """Return the reverse half of a rule, and which of its parameters are seeds."""
    return flattened(link.reverse), tuple(kind == "seed" for kind, _ in link.reads)


def pushed(rule: Rule, link: Link, joint: Function) -> Tangent:
    """Return the Tangent that comes of `joint`, the vjp of a Link's reverse half in its seeds."""
    joint = pruned(joint)
    flags = backwards(link)[1]
    for p, is_seed in zip(joint.params, flags, strict=False):
        if is_seed and reads_value(joint.block, p):
            raise nonlinear(rule, link.reverse.origin)
    forward = link.forward
    builder = Builder(sizes_after(forward), forward.origin)
    params = tuple(Value(p.name, p.type) for p in forward.params)
    dots = {k: Value(f"{params[k].name}_dot", params[k].type) for k in rule.targets}
    outs = call(builder, forward, params)
    seeds = {k: zero(builder, y) for k, y in enumerate(outs[: link.values]) if is_differentiable(y.type)}
    sources: dict[str, Sequence[Operand] | dict[int, Operand]] = {
        "argument": params,
        "result": outs,
        "seed": seeds,
    }
    held = [sources[kind][k] for kind, k in link.reads]
    of = [k for k, t in zip(link.targets, link.reverse.result_types, strict=True) if is_differentiable(t)]
    made = call(builder, flat(joint, joint.params, joint.block), (*held, *(dots[k] for k in of)))
    places = [k for kind, k in link.reads if kind == "seed"]
    first = {k: link.values + j for j, k in enumerate(places)}
    end = End("return", (*outs[: link.values], *made), origin=forward.origin)
    block = Block((), tuple(builder.instrs), end)
    return Tangent(inline(flat(forward, (*params, *dots.values()), block)), first)


def pruned(fn: Function) -> Function:
    """Return the function without what its results do not need."""
    fn = inline(fn)
    for _ in range(ROUNDS):
        for step in (shapes, dce, arguments):
            fn = everywhere(step)(fn)
    return fn


def call(builder: Builder, fn: Function, args: Sequence[Operand]) -> tuple[Value, ...]:
    """Append a call and return its results."""
    copier = Copier(builder.sizes)
    results = tuple(Value("", copier.type(t)) for t in fn.result_types)
    return builder.add(Instr(CALL, tuple(args), results, (("callee", fn),), (), builder.origin))


def check_linear(
    rule: Rule, flags: tuple[bool, ...], forward: Function, reverse: Function, first: int
) -> None:
    """Raise UnsupportedOp S205 if the reverse half reads a number that depends on a tangent."""
    varied = activity(forward, flags, Pullbacks()).varied
    for a, p in zip(forward.block.end.args[first:], reverse.params, strict=False):
        if a in varied and reads_value(reverse.block, p):
            raise nonlinear(rule, forward.origin)


@contextlib.contextmanager
def made_once(rule: Rule, origin: Origin | None) -> Iterator[None]:
    """Raise UnsupportedOp S128 if a rule has no mode at all, S205 if making one mode of the other asks for
    the same again."""
    if rule.tangent is None and rule.link is None:
        instead = (
            f"give it one: {rule.name}.defjvp or {rule.name}.defvjp, or stop_gradient around its argument"
        )
        raise UnsupportedOp("S128", f"`{rule.name}` has no derivative", instead, origin)
    if rule.busy:
        why = f"the rule of `{rule.name}` applies it to what a derivative flows through, without end"
        raise UnsupportedOp("S205", why, f"give `{rule.name}` a rule for both modes", rule.origin)
    rule.busy = True
    try:
        yield
    finally:
        rule.busy = False


def nonlinear(rule: Rule, origin: Origin | None) -> UnsupportedOp:
    """Return (to be raised) the error for a rule that is not linear in its tangents."""
    what, mode = ("tangents", "reverse") if rule.tangent is not None else ("cotangents", "forward")
    why = f"the rule of `{rule.name}` is not linear in its {what}, so it has no {mode} mode"
    instead = f"give `{rule.name}` one: a {'defvjp' if mode == 'reverse' else 'defjvp'}"
    return UnsupportedOp("S205", why, instead, origin)


def reads_value(block: Block, v: Value) -> bool:
    """True if a block reads more of a value than its shape."""

    def read(instr: Instr) -> bool:
        if any(reads_value(b, v) for b in instr.blocks):
            return True
        if instr.op is CALL:
            callee: Function = instr.param("callee")
            taken = zip(instr.args, callee.params, strict=True)
            return any(a is v and reads_value(callee.block, p) for a, p in taken)
        shape = instr.op.name in SHAPES
        return any(a is v and not (shape or k in instr.op.shape_args) for k, a in enumerate(instr.args))

    return v in block.end.args or any(map(read, block.instrs))


def flat(fn: Function, params: tuple[Value, ...], block: Block) -> Function:
    """Return a function of leaves: what calls call."""
    names = distinct(p.name or "t" for p in params)
    places = tuple(range(len(block.end.args)))
    result = Leaf(0) if len(places) == 1 else Node("tuple", places, tuple(map(Leaf, places)))
    signature = tuple(Parameter(name, Leaf(k)) for k, name in enumerate(names))
    extra = {"fresh_results": True, "inline": True}
    return replace(
        fn, params=params, block=block, signature=signature, result=result, writes=(), facts=(), extra=extra
    )
