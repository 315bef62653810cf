"""Derivatives as functions `Function -> Function`: what a record means on the IR.

Everything but a jet is composed of two transforms, jvp and vjp. A gradient is a vjp whose cotangent seed is
bound to 1; a Hessian-vector product is the jvp of a gradient.
"""

from __future__ import annotations

from collections.abc import Mapping

from s2sad.driver.arguments import active_leaves, argument_trees, bars_tree, float_argnums, selected
from s2sad.driver.jacobian import complex_rows, jacobian_function, refuse_aux
from s2sad.driver.pipeline import clean
from s2sad.driver.trace import Trace
from s2sad.errors import InternalError, TypeMismatch, UnsupportedOp
from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import READ_AGAIN, Block, Function, Instr, Literal, Operand, Value, returns
from s2sad.ir.structure import map_tree
from s2sad.ir.transformed import IDENTITY, Transformed
from s2sad.ir.tree import Leaf, Node, Static, Tree, leaves, renumber
from s2sad.ir.types import Array, Scalar, Type, is_differentiable
from s2sad.ir.walk import at_returns, free_values, substitute
from s2sad.ops.table import OPS
from s2sad.record import replace
from s2sad.transforms.jet import jet
from s2sad.transforms.jvp import jvp
from s2sad.transforms.reverse import vjp


def derive(record: Transformed, fn: Function, trace: Trace | None = None) -> Function:
    """Return the Function that `record` makes of `fn`, cleaned."""
    trace = trace or Trace(fn.name)
    fn = clean(fn, trace)
    match record.kind:
        case kind if kind in IDENTITY:
            return fn
        case "grad":
            return gradient(fn, record, trace, with_value=False)
        case "value_and_grad":
            return gradient(fn, record, trace, with_value=True)
        case "jvp":
            return pushforward(fn, varied_leaves(fn, record.varied), trace)
        case "jet":
            return pushforward(fn, varied_leaves(fn, record.varied), trace, record.order)
        case "vjp":
            floats = float_argnums(fn)
            chosen = record.argnums
            if isinstance(chosen, tuple):  # those that are no floats have the cotangent None
                chosen = tuple(k for k in chosen if k in floats)
            return joint(fn, record, active_leaves(fn, chosen), trace)
        case "hvp":
            return hessian_product(fn, record, trace)
        case "jacfwd" | "jacrev" | "jacobian":
            return jacobian(fn, record, trace)
        case "slope":
            return slope(fn, record, trace)
        case "hessian":
            refuse_aux(fn, record.has_aux)
            return jacobian(slope(fn, record, trace), record, trace)
        case _:
            why = f"{record.kind} cannot be used inside a program"
            raise UnsupportedOp("S240", why, "use grad, jvp, vjp, hvp or jacobian there", fn.origin)


def pushforward(fn: Function, active: tuple[bool, ...], trace: Trace, order: int | None = None) -> Function:
    """Return `(x, x_dot) -> (y, y_dot)`, or with an order the jet `(x, x_d1, ...) -> (y, series)`."""
    made = trace.step("jvp", jvp(fn, active)) if order is None else trace.step("jet", jet(fn, active, order))
    assert isinstance(made.result, Node)
    y, dots = made.result.items
    count = 1 if order is None else order
    types = [a.type for a in returned(fn) if is_differentiable(a.type) for _ in range(count)]
    made = conform(made, dict(zip(leaves(dots), types, strict=True)))
    return clean(inherit(replace(made, result=_pair(y, map_tree(dots, Leaf))), fn), trace)


def inherit(made: Function, fn: Function) -> Function:
    """Return the derivative with what `fn` knows of captured values."""
    kept = {k: v for k, v in fn.extra.items() if k in READ_AGAIN}
    return replace(made, extra={**kept, **made.extra})


def jacobian(fn: Function, record: Transformed, trace: Trace) -> Function:
    """Return the Jacobian of `fn` in the chosen arguments, column by column."""
    refuse_aux(fn, record.has_aux)
    if record.kind == "jacrev" and any(t.dtype.kind == "c" for t in fn.result_types):
        raise complex_rows(fn)
    active = active_leaves(fn, record.argnums, real=True)
    push = pushforward(fn, active, trace)
    made = jacobian_function(fn, push, active, bars_tree(fn, record.argnums, active, 0))
    return clean(inherit(trace.step("jacobian", made), fn), trace)


def slope(fn: Function, record: Transformed, trace: Trace) -> Function:
    """Return the first derivative in reverse mode where the result is one number, else the Jacobian."""
    tree = (
        fn.result.items[0]
        if record.has_aux and isinstance(fn.result, Node) and fn.result.items
        else fn.result
    )
    if isinstance(tree, Leaf) and returned(fn)[tree.index].type.ndim == 0:
        return gradient(fn, record, trace, with_value=False)
    return jacobian(fn, record, trace)


def joint(fn: Function, record: Transformed, active: tuple[bool, ...], trace: Trace) -> Function:
    """Return `(x, y_bar) -> (y, cotangents)` for the active leaves; the cotangents as `argnums` says."""
    source = cut_aux(fn) if record.has_aux else fn
    joint = trace.step("vjp", vjp(source, active, checkpoint=record.checkpoint))
    made = conform(joint, _bar_types(fn, active, len(returned(fn))))
    bars = bars_tree(fn, record.argnums, active, len(returned(fn)))
    return clean(inherit(replace(made, result=_pair(fn.result, bars)), fn), trace)


def gradient(fn: Function, record: Transformed, trace: Trace, with_value: bool) -> Function:
    """Return the gradient of a scalar-valued function, with its value or without."""
    active = active_leaves(fn, record.argnums, real=True)
    check_scalar(fn, record.has_aux)
    if record.has_aux:
        return gradient_and_aux(fn, record, active, trace, with_value)
    made = trace.step("vjp", vjp(fn, active, with_value, seed_one=True, checkpoint=record.checkpoint))
    first = len(returned(fn)) if with_value else 0
    made = conform(made, _bar_types(fn, active, first))
    result = bars_tree(fn, record.argnums, active, first)
    if with_value:
        result = _pair(fn.result, result)
    return clean(inherit(replace(made, result=result, doc=_gradient_doc(made.doc)), fn), trace)


def gradient_and_aux(
    fn: Function, record: Transformed, active: tuple[bool, ...], trace: Trace, with_value: bool
) -> Function:
    """Return `(gradient, aux)`, or `((value, aux), gradient)`: aux takes no part in the vjp."""
    made = conform(trace.step("vjp", vjp(cut_aux(fn), active)), _bar_types(fn, active, len(returned(fn))))
    made = bind_seed(made, len(fn.params))
    bars = bars_tree(fn, record.argnums, active, len(returned(fn)))
    assert isinstance(fn.result, Node)
    if with_value:
        made = replace(made, result=_pair(fn.result, bars))
    else:
        made = keep_results(made, _pair(bars, fn.result.items[1]))
    name = f"{fn.name}_{'value_and_grad' if with_value else 'grad'}"
    return clean(inherit(replace(made, name=name, doc=_gradient_doc(made.doc)), fn), trace)


def _gradient_doc(doc: str) -> str:
    return doc.replace("the cotangents of", "the gradients in").replace("the cotangent of", "the gradient in")


def hessian_product(fn: Function, record: Transformed, trace: Trace) -> Function:
    """Return `(x, x_dot) -> H x_dot` over the varied arguments: the jvp of the gradient."""
    count = len(argument_trees(fn))
    varied = record.varied or (True,) * count
    chosen = tuple(k for k in range(count) if k < len(varied) and varied[k])
    argnums = chosen[0] if len(chosen) == 1 else chosen
    slope = gradient(fn, Transformed("grad", None, argnums), trace, with_value=False)
    both = pushforward(slope, active_leaves(fn, chosen), trace)
    assert isinstance(both.result, Node)
    names = [name for name, _ in selected(fn, chosen)]
    place = f" ({fn.origin})" if fn.origin else ""
    doc = f"Return the Hessian of {fn.name} in {', '.join(names)} times its tangents{place}."
    return clean(keep_results(replace(both, name=f"{fn.name}_hvp", doc=doc), both.result.items[1]), trace)


def varied_leaves(fn: Function, varied: tuple[bool, ...] | None) -> tuple[bool, ...]:
    """Return a flag per parameter leaf: True for float leaves of varied positional arguments."""
    trees = argument_trees(fn)
    flags = varied or (True,) * len(trees)
    chosen = tuple(k for k in range(len(trees)) if k < len(flags) and flags[k])
    return active_leaves(fn, chosen)


def returned(fn: Function) -> tuple[Operand, ...]:
    """Return the operands of the result proper: without the final versions of written parameters."""
    args = next(returns(fn.block)).args
    return args[: len(args) - len(fn.writes)]


def check_scalar(fn: Function, has_aux: bool) -> None:
    """Raise TypeMismatch unless the result (with has_aux its first item) is one real float."""
    tree: Tree = fn.result
    if has_aux:
        if not (isinstance(tree, Node) and tree.kind == "tuple" and len(tree.items) == 2):
            why = f"with has_aux, {fn.name} must return a pair (value, aux)"
            raise TypeMismatch("S350", why, "return value, aux", fn.origin)
        tree = tree.items[0]
    if not isinstance(tree, Leaf):
        what = "nothing" if isinstance(tree, Static) and tree.value is None else "more than one number"
        raise TypeMismatch(
            "S351",
            f"grad needs a scalar result, but {fn.name} returns {what}",
            "return one number, use has_aux=True for (value, aux), or use vjp or jacobian",
            fn.origin,
        )
    type = returned(fn)[tree.index].type
    if type.ndim:
        raise TypeMismatch(
            "S351",
            f"grad needs a scalar result, but {fn.name} returns an array of rank {type.ndim}",
            "use vjp or jacobian, or sum the result",
            fn.origin,
        )
    if type.dtype.kind != "f":
        raise TypeMismatch(
            "S352",
            f"grad needs a real float result, but {fn.name} returns {type}",
            "use vjp for complex results"
            if type.dtype.kind == "c"
            else "return a float, for instance 1.0 * y",
            fn.origin,
        )


def cut_aux(fn: Function) -> Function:
    """Return `(value, aux)` with the derivative of aux cut, so that it takes no part in a vjp."""
    if not (isinstance(fn.result, Node) and fn.result.kind == "tuple" and len(fn.result.items) == 2):
        why = f"with has_aux, {fn.name} must return a pair (value, aux)"
        raise TypeMismatch("S350", why, "return value, aux", fn.origin)
    aux = set(leaves(fn.result.items[1]))

    def cut(block: Block) -> Block:
        builder = Builder(Sizes(), fn.origin)
        builder.instrs.extend(block.instrs)
        args = [
            builder.emit(OPS["stop_gradient"], a, name=a.name) if k in aux and isinstance(a, Value) else a
            for k, a in enumerate(block.end.args)
        ]
        return Block(block.params, tuple(builder.instrs), replace(block.end, args=tuple(args)))

    return replace(fn, block=at_returns(fn.block, cut))


def bind_seed(made: Function, first: int) -> Function:
    """Return the joint function without its cotangent parameters (from leaf `first` on): the one that
    is read is bound to 1, others are not read by anything."""
    seeds = made.params[first:]
    read = free_values(Block((), made.block.instrs, made.block.end))
    used = [s for s in seeds if s in read]
    if len(used) > 1:
        raise InternalError("S904", f"{made.name} has {len(used)} seeds where one was expected")
    block = made.block
    if used:
        one, instrs = _one(used[0])
        block = substitute(block, {used[0]: one})
        block = Block(block.params, (*instrs, *block.instrs), block.end)
    signature = tuple(p for p in made.signature if all(i < first for i in leaves(p.tree)))
    return replace(made, params=made.params[:first], block=block, signature=signature)


def _one(seed: Value) -> tuple[Operand, tuple[Instr, ...]]:
    type = seed.type
    builder = Builder(Sizes())
    if isinstance(type, Scalar) and type.weak:
        return Literal(1.0), ()
    if isinstance(type, Array):
        made = builder.emit(OPS["ones"], name=seed.name, dtype=type.dtype)
    else:
        made = builder.emit(OPS["cast"], Literal(1.0), name=seed.name, dtype=type.dtype)
    return made, tuple(builder.instrs)


def keep_results(fn: Function, tree: Tree) -> Function:
    """Return the function whose result is `tree`, over the present result leaves; others are dropped."""
    kept = list(dict.fromkeys(leaves(tree)))
    count = len(returned(fn))

    def keep(block: Block) -> Block:
        args = block.end.args
        chosen = tuple(args[k] for k in kept) + args[count:]
        return Block(block.params, block.instrs, replace(block.end, args=chosen))

    result = renumber(tree, {old: new for new, old in enumerate(kept)})
    return replace(fn, block=at_returns(fn.block, keep), result=result)


def conform(fn: Function, types: Mapping[int, Type]) -> Function:
    """Return the function with the given result leaves (by index) in the kind of the given types: arrays
    of rank 0 for rank 0, NumPy scalars where a plain Python number would be returned."""

    def change(block: Block) -> Block:
        builder = Builder(Sizes(), block.end.origin)
        builder.instrs.extend(block.instrs)
        builder.role = "reverse"
        made = {r: i for i in block.instrs for r in i.results}
        args = list(block.end.args)
        for k, t in types.items():
            args[k] = _in_kind(args[k], t, builder, made)
        return Block(block.params, tuple(builder.instrs), replace(block.end, args=tuple(args)))

    return replace(fn, block=at_returns(fn.block, change))


def _in_kind(a: Operand, t: Type, builder: Builder, made: Mapping[Value, Instr]) -> Operand:
    if isinstance(t, Array) and t.ndim == 0 and isinstance(a.type, Scalar):
        return builder.emit(OPS["full"], a, name=a.name, dtype=t.dtype)
    if isinstance(t, Scalar) and not t.weak:
        while isinstance(a, Value) and a in made and made[a].op.name == "widen":
            a = made[a].args[0]
        if isinstance(a.type, Scalar) and a.type.weak:
            return builder.emit(OPS["cast"], a, name=a.name, dtype=t.dtype)
    return a


def _bar_types(fn: Function, active: tuple[bool, ...], first: int) -> dict[int, Type]:
    chosen = [p.type for p, flag in zip(fn.params, active, strict=True) if flag]
    return dict(enumerate(chosen, first))


def _pair(left: Tree, right: Tree) -> Node:
    return Node("tuple", (0, 1), (left, right))
