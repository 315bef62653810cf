"""Functions of a rule made to fit the function they belong to: their parameters, results and structures."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.errors import TypeMismatch
from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, Function, Operand, Parameter, Value, distinct
from s2sad.ir.tree import Leaf, Node, Static, Tree, leaves
from s2sad.ir.types import Array, Scalar, Type, python_number, without_sizes
from s2sad.ir.walk import at_returns, substitute
from s2sad.ops import OPS
from s2sad.record import dataclass, replace


def misfit(fn: Function, why: str, instead: str = "") -> TypeMismatch:
    """Return (to be raised) the error for a rule that does not fit its function."""
    return TypeMismatch("S354", why, instead, fn.origin)


def two_parts(fn: Function, what: str, parts: str) -> tuple[Tree, Tree]:
    """Return the two items that a rule's function returns."""
    tree = fn.result
    if not (isinstance(tree, Node) and tree.kind in ("tuple", "list") and len(tree.items) == 2):
        raise misfit(fn, f"{what} must return a pair: {parts}", f"return {parts}")
    return tree.items[0], tree.items[1]


def pairs(wanted: Tree, found: Tree) -> list[tuple[int, int | None]] | None:
    """Return for each leaf of a structure the leaf at the same place in another, None for a None there or
    above it; None if the structures differ."""
    if isinstance(found, Static) and found.value is None:
        return [(k, None) for k in leaves(wanted)]
    if isinstance(wanted, Leaf):
        return [(wanted.index, found.index)] if isinstance(found, Leaf) else None
    if isinstance(wanted, Static):
        return []
    if not isinstance(found, Node) or len(found.items) != len(wanted.items):
        return None
    if (wanted.kind, wanted.keys, wanted.cls) != (found.kind, found.keys, found.cls):
        return None
    out: list[tuple[int, int | None]] = []
    for a, b in zip(wanted.items, found.items, strict=True):
        inner = pairs(a, b)
        if inner is None:
            return None
        out += inner
    return out


def same_values(fn: Function, what: str, tree: Tree, primal: Function, sizes: Sizes) -> list[int]:
    """Return which results of `fn` are those of `primal`, in order; they are to be of the same types."""
    found = pairs(primal.result, tree)
    if found is None or any(j is None for _, j in found):
        raise misfit(fn, f"{what} must return first what {primal.name} returns, in the same structure")
    types, wanted = fn.result_types, primal.result_types
    for k, j in found:
        assert j is not None
        if not (convertible(types[j], wanted[k]) and _may_be_one(types[j], wanted[k], sizes)):
            raise misfit(fn, f"{what} returns {types[j]} where {primal.name} returns {wanted[k]}")
    return [j for _, j in sorted(found) if j is not None]


def convertible(t: Type, wanted: Type) -> bool:
    """True if a value serves as one of another type: scalars of one dtype do, Python's and NumPy's."""
    if isinstance(t, Scalar) and isinstance(wanted, Scalar):
        return t.dtype == wanted.dtype
    return without_sizes(t) == without_sizes(wanted)


def _may_be_one(t: Type, wanted: Type, sizes: Sizes) -> bool:
    """True if two shapes are equal, or are both known at run time only."""
    return all(
        a == b or (any(s[0] == "?" for s in a.symbols()) and any(s[0] == "?" for s in b.symbols()))
        for a, b in zip(map(sizes.canonical, t.shape), map(sizes.canonical, wanted.shape), strict=True)
    )


@dataclass(frozen=True, slots=True)
class Out:
    """A result as it is to be: which present one, of what type, and in whose shape: that of a present result
    (`like`) or of a parameter to be (`like_param`), which it is not known to have."""

    place: int
    type: Type | None = None
    like: int | None = None
    like_param: int | None = None


def arranged(
    fn: Function, params: Sequence[int | None], like: Sequence[Value], results: Sequence[Out]
) -> Function:
    """Return the function with other parameters and results, all of them leaves. `params[k]` is the present
    place of parameter k, None for one that is not read; its name is that of `like[k]`, and its type, if it is
    not read."""
    chosen = tuple(
        Value(v.name, v.type if j is None else fn.params[j].type) for j, v in zip(params, like, strict=True)
    )
    renamed = {fn.params[j]: new for j, new in zip(params, chosen, strict=True) if j is not None}

    def change(block: Block) -> Block:
        builder = Builder(Sizes(), block.end.origin)
        builder.instrs.extend(block.instrs)
        outs = block.end.args
        args = []
        for out in results:
            shape = outs[out.like] if out.like is not None else None
            shape = chosen[out.like_param] if out.like_param is not None else shape
            args.append(_fitted(builder, outs[out.place], out.type, shape))
        return Block(block.params, tuple(builder.instrs), replace(block.end, args=tuple(args)))

    places = tuple(range(len(results)))
    result: Tree = Leaf(0) if len(places) == 1 else Node("tuple", places, tuple(map(Leaf, places)))
    signature = tuple(
        Parameter(name, Leaf(k)) for k, name in enumerate(distinct(p.name or "t" for p in chosen))
    )
    extra = {**fn.extra, "fresh_results": True, "inline": True}
    block = at_returns(substitute(fn.block, renamed), change)
    return replace(fn, params=chosen, block=block, signature=signature, result=result, extra=extra)


def _fitted(builder: Builder, a: Operand, t: Type | None, like: Operand | None) -> Operand:
    """Append what makes a value one of type `t` and of the shape of `like`: if its size is another, it raises
    when it runs."""
    if t is None:
        return a
    if a.type.dtype.kind == "c" and t.dtype.kind != "c":
        a = builder.emit(OPS["real"], a)
    if isinstance(t, Scalar):
        return _scalar(builder, a, t)
    if not isinstance(a.type, Array):
        a = builder.emit(OPS["full"], a, dtype=t.dtype)
    if like is not None:
        dims = [builder.emit(OPS["size"], like, axis=k) for k in range(t.ndim)]
        a = builder.retype(builder.emit(OPS["reshape"], a, *dims), Array(a.type.dtype, like.type.shape))
    return a if a.type.dtype == t.dtype else builder.emit(OPS["cast"], a, dtype=t.dtype)


def _scalar(builder: Builder, a: Operand, t: Scalar) -> Operand:
    if isinstance(a.type, Array):
        a = builder.emit(OPS["item0"], a)
    assert isinstance(a.type, Scalar)
    if (a.type.dtype, a.type.weak) == (t.dtype, t.weak):
        return a
    if not t.weak:
        return builder.emit(OPS["cast"], a, dtype=t.dtype)
    return builder.emit(OPS[python_number(t)], a)
