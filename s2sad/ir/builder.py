"""Appending instructions to a block, with types inferred as they are emitted."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from s2sad.errors import Origin, TypeMismatch
from s2sad.ir.core import Block, End, Instr, Operand, Value
from s2sad.ir.op import Op
from s2sad.ir.path import Path, selected_axis
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Dtype, Opaque, Scalar, Type, sample, type_of, without_sizes
from s2sad.record import replace

Dim = tuple[int, int, Size]  # which operand, which axis of it, and its size there


class Sizes:
    """The source of size symbols of one compilation. The frontend's subclass also decides by facts
    how two dimensions meet; this one knows nothing and mints a fresh symbol."""

    def __init__(self) -> None:
        self.count = 0
        self.selected: dict[Operand, Size] = {}  # how many elements a mask selects
        self.origin: Origin | None = None  # of the instruction whose types are being inferred

    def fresh(self) -> Size:
        """Return a size that is known only at run time and never negative."""
        self.count += 1
        return Size.symbol(f"?{self.count}")

    def fresh_int(self) -> Size:
        """Return an int that is known only at run time."""
        self.count += 1
        return Size.symbol(f"${self.count}")

    def canonical(self, size: Size) -> Size:
        """Return the representative of all sizes assumed equal to this one."""
        return size

    def meet(self, shapes: tuple[tuple[Size, ...], ...], origin: Origin | None) -> None:
        """Note that shapes are about to be broadcast together at `origin`."""

    def contract(self, a: Dim, b: Dim, origin: Origin | None, stretches: bool = False) -> None:
        """Note that a product is about to pair two dimensions (stretches: of which one may be 1)."""


class Builder:
    """A block under construction."""

    def __init__(self, sizes: Sizes, origin: Origin | None = None, parent: Builder | None = None):
        self.sizes = sizes
        self.origin = origin
        self.parent = parent
        self.role = ""
        self.instrs: list[Instr] = []
        self.operands: tuple[Operand, ...] = ()  # of the instruction being emitted

    def emit(self, op: Op, *args: Operand, name: str = "", **params: Any) -> Value:
        """Append an instruction with one result and return that result."""
        (value,) = self.emit_all(op, *args, names=(name,), **params)
        return value

    def emit_all(
        self, op: Op, *args: Operand, names: tuple[str, ...] = (), **params: Any
    ) -> tuple[Value, ...]:
        """Append an instruction and return its results."""
        self.operands = args
        types = infer(op, tuple(a.type for a in args), params, self.sizes, self.origin)
        if op.name == "getitem":
            types = (one_size_per_mask(args, params["path"], types[0], self.sizes),)
        names = names or ("",) * len(types)
        results = tuple(Value(n, t) for n, t in zip(names, types, strict=True))
        self.instrs.append(Instr(op, args, results, sorted_params(params), (), self.origin, self.role))
        return results

    def add(self, instr: Instr) -> tuple[Value, ...]:
        """Append a finished instruction."""
        self.instrs.append(instr)
        return instr.results

    def retype(self, a: Operand, t: Type) -> Operand:
        """Return `a` with type `t`, if it is the result appended last: its sizes are known better than
        the op can tell."""
        if a.type == t or not isinstance(a, Value) or not self.instrs:
            return a
        if self.instrs[-1].results != (a,) or without_sizes(a.type) != without_sizes(t):
            return a
        return self._appended_last(Value(a.name, t))

    def named(self, a: Operand, name: str) -> Operand:
        """Return `a` with a name, if it is the result appended last and has none."""
        if not isinstance(a, Value) or a.name or not self.instrs or self.instrs[-1].results != (a,):
            return a
        return self._appended_last(Value(name, a.type))

    def _appended_last(self, value: Value) -> Value:
        self.instrs[-1] = replace(self.instrs[-1], results=(value,))
        return value

    def inner(self) -> Builder:
        """Return a builder for a block owned by an instruction of this one."""
        inner = Builder(self.sizes, self.origin, self)
        inner.role = self.role
        return inner

    def is_inside(self, other: Builder) -> bool:
        """True if this block is `other` or nested in it."""
        builder: Builder | None = self
        while builder is not None and builder is not other:
            builder = builder.parent
        return builder is other

    def block(self, params: tuple[Value, ...], kind: str, *args: Operand) -> Block:
        """Close the block."""
        return Block(params, tuple(self.instrs), End(kind, args, origin=self.origin))

    def owner(
        self, op: Op, args: tuple[Operand, ...], blocks: tuple[Block, ...], results: tuple[Value, ...]
    ) -> tuple[Value, ...]:
        """Append an instruction that owns blocks (if, for, while) and return its results."""
        return self.add(Instr(op, args, results, (), blocks, self.origin, self.role))


def one_size_per_mask(args: tuple[Operand, ...], path: Path, t: Type, sizes: Sizes) -> Type:
    """Return the type of `x[mask]`, its length that of all arrays which this very mask selects."""
    place = selected_axis(path)
    if place is None or not isinstance(t, Array):
        return t
    axis, operand = place
    known = sizes.selected.setdefault(args[1 + operand], t.shape[axis])
    return Array(t.dtype, (*t.shape[:axis], known, *t.shape[axis + 1 :]))


def sorted_params(params: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return static parameters as Instr holds them."""
    return tuple(sorted(params.items()))


def infer(
    op: Op, types: tuple[Type, ...], params: dict[str, Any], sizes: Sizes, origin: Origin | None = None
) -> tuple[Type, ...]:
    """Return the result types of an op. Without a rule of its own, NumPy is asked: `evaluate` runs
    on sample operands (all dimensions 1), which tells dtype, rank and kind; `op.shape` tells sizes.
    Ops with several results have a rule."""
    types = tuple(canonical_type(t, sizes) for t in types)
    if op.infer is not None:
        sizes.origin = origin
        return op.infer(types, params, sizes)
    try:
        t = result_type(op.evaluate, types, params)
    except (TypeError, ValueError) as error:  # what NumPy says of these kinds of operands
        raise TypeMismatch("S325", f"{type(error).__name__}: {error}", "", origin) from error
    if isinstance(t, Scalar):
        return (_with_size(t, op, types),)
    if op.shape is None:
        return (Array(t.dtype, tuple(sizes.fresh() for _ in t.shape)),)
    sizes.meet(tuple(t.shape for t in types), origin)
    types = tuple(canonical_type(t, sizes) for t in types)
    return (Array(t.dtype, op.shape(types, params, sizes)),)


def result_type(evaluate: Callable[..., Any], types: tuple[Type, ...], params: dict[str, Any]) -> Type:
    """Return the kind, dtype and rank of the result of `evaluate`, found by trying it; sizes are 1."""
    return _sampled(evaluate, tuple(map(_bare, types)), sorted_params(params))


_Bare = tuple[Dtype, int] | Opaque  # an array's rank, -1 for a NumPy scalar, -2 for a Python number
_STRONG, _WEAK = -1, -2


@lru_cache(maxsize=8192)
def _sampled(
    evaluate: Callable[..., Any], types: tuple[_Bare, ...], params: tuple[tuple[str, Any], ...]
) -> Type:
    with np.errstate(all="ignore"):
        value = evaluate(*(sample(_typed(t)) for t in types), **dict(params))
    return _typed(_bare(type_of(value)))


def _bare(t: Type) -> _Bare:
    """Return what does not depend on sizes, as what is cheap to make and to compare."""
    if isinstance(t, Array):
        return t.dtype, len(t.shape)
    if isinstance(t, Opaque):
        return t
    return t.dtype, _WEAK if t.weak else _STRONG


def _typed(t: _Bare) -> Type:
    if isinstance(t, Opaque):
        return t
    dtype, rank = t
    return Array(dtype, (Size.of(1),) * rank) if rank >= 0 else Scalar(dtype, rank == _WEAK)


def _with_size(t: Scalar, op: Op, types: tuple[Type, ...]) -> Scalar:
    """Weak ints keep track of their value where the op says how (`extra["size"]`);
    where the values decide the type of a Python number, `extra["refine"]` says so."""
    if "refine" in op.extra:
        return op.extra["refine"](t, types)  # type: ignore[no-any-return]
    how = op.extra.get("size")
    known = [a.size if isinstance(a, Scalar) else None for a in types]
    if how is None or not t.weak or t.dtype.kind != "i" or None in known:
        return t
    return Scalar(t.dtype, weak=True, size=how(*known))


def canonical_type(t: Type, sizes: Sizes) -> Type:
    """Return the type with every size replaced by its representative."""
    if isinstance(t, Array):
        shape = tuple(map(sizes.canonical, t.shape))
        return t if shape == t.shape else Array(t.dtype, shape)
    if t.size is None:
        return t
    return Scalar(t.dtype, t.weak, sizes.canonical(t.size))
