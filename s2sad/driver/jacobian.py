"""Jacobians as Functions: a call of the jvp along all basis vectors at once, or a loop over them where seeds
cannot have an axis.

For use inside programs, where they are differentiated further. Called from outside, the API makes the
basis vectors itself, in chunks (`s2sad/jacobian.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from s2sad.driver.draws import refused
from s2sad.errors import TypeMismatch, UnsupportedOp
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.path import At, Index, Permute, Span
from s2sad.ir.size import Size
from s2sad.ir.structure import map_tree
from s2sad.ir.tree import Static, Tree, renumber
from s2sad.ir.types import Array, Scalar, Type, is_differentiable
from s2sad.ir.walk import Copier, draws
from s2sad.ops.blocks import State, for_loop
from s2sad.ops.control import CALL
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.record import replace
from s2sad.transforms.batch import batch
from s2sad.transforms.lanes import Unbatchable


def jacobian_function(fn: Function, push: Function, active: Sequence[bool], inner: Tree) -> Function:
    """Return `x -> J`, given `push`, the jvp of `fn` in the active leaves. `inner` is the structure of
    the chosen arguments over the ranks of the active leaves."""
    if draws(fn):
        raise refused(fn)
    made = _Jacobian(fn, push, active)
    block, result = made.build(inner)
    return replace(
        fn,
        name=f"{fn.name}_jacobian",
        params=made.params,
        block=block,
        result=result,
        writes=(),
        doc=f"Return the Jacobian of {fn.name}" + (f" ({fn.origin})." if fn.origin else "."),
        extra={**push.extra},
    )


def called(fn: Function) -> Function:
    """Return a function that another one calls: it hands on what is captured."""
    kinds = ("keyword" if p.kind == "captured" else p.kind for p in fn.signature)
    return replace(fn, signature=tuple(replace(p, kind=k) for p, k in zip(fn.signature, kinds, strict=True)))


class _Jacobian:
    def __init__(self, fn: Function, push: Function, active: Sequence[bool]):
        self.fn, self.push = fn, called(push)
        self.sizes = sizes_after(push)
        self.copier = Copier(self.sizes)
        self.params = tuple(map(self.copier.define, fn.params))
        self.xs = [p for p, flag in zip(self.params, active, strict=True) if flag]
        self.first_dot = len(fn.result_types) - len(fn.writes)
        types = fn.result_types[: self.first_dot]
        self.floats = [k for k, t in enumerate(types) if is_differentiable(t)]
        self.many = self.batched()

    def batched(self) -> Function | None:
        """Return the jvp along many directions, None where there is none."""
        results = range(self.first_dot, len(self.push.result_types))
        doc = f"Return {self.fn.name} and its tangents along many directions."
        try:
            return called(batch(self.push, len(self.fn.params), results, doc))
        except Unbatchable:
            return None

    def build(self, inner: Tree) -> tuple[Block, Tree]:
        """Return the body and the structure of the result."""
        b = Builder(self.sizes, self.fn.origin)
        ys: list[Value] = []
        if self.many is None or any(isinstance(x.type, Array) and not x.type.ndim for x in self.xs):
            outs = self.call(b, self.push, [self.zero(b, x) for x in self.xs])
            ys = [outs[k] for k in self.floats]
        table: list[list[Operand]] = [self.columns(b, k, ys) for k in range(len(self.xs))]
        width = len(self.xs)
        results = [table[k][i] for i in range(len(self.floats)) for k in range(width)]
        rank = {leaf: i for i, leaf in enumerate(self.floats)}

        def block(leaf: int) -> Tree:
            if leaf not in rank:
                return Static(None)
            return renumber(inner, {k: rank[leaf] * width + k for k in range(width)})

        tree = map_tree(self.fn.result, block)
        return Block((), tuple(b.instrs), End("return", tuple(results), origin=self.fn.origin)), tree

    def call(
        self, b: Builder, callee: Function, dots: Sequence[Operand], here: dict[str, Size] | None = None
    ) -> tuple[Value, ...]:
        """Append a call of the jvp, or of that along many directions; return all its results. `here` says
        what sizes of the callee are at this call."""
        copier = Copier(self.sizes)
        copier.symbols.update(here or {})
        results = tuple(Value("", copier.type(t)) for t in callee.result_types)
        args = (*self.params, *dots)
        return b.add(Instr(CALL, args, results, (("callee", callee),), (), b.origin, b.role))

    def at_once(self, b: Builder, many: Function, k: int) -> list[Operand]:
        """Append a call along all basis vectors of argument `k`; return the blocks of the Jacobian."""
        x = self.xs[k]
        dims = self.dims(b, x)
        total = functools.reduce(lambda n, m: b.emit(OPS["multiply"], n, m), dims)
        dots: list[Operand] = []
        for other in self.xs:
            if other is x:
                eye = b.emit(OPS["eye"], total, total, name="x_dots", k=0, dtype=x.type.dtype)
                dots.append(eye if x.type.ndim == 1 else b.emit(OPS["reshape"], eye, total, *dims))
            else:
                dots.append(b.emit(OPS["zeros"], total, *self.dims(b, other), dtype=other.type.dtype))
        blocks: list[Operand] = []
        lanes = many.params[len(self.fn.params)].type.shape[0]
        count = total.type.size if isinstance(total.type, Scalar) else None
        here = {str(lanes): count or self.sizes.fresh()}
        for y_dots in self.call(b, many, dots, here)[self.first_dot :]:
            rank = y_dots.type.ndim - 1
            spread: Value = y_dots
            if x.type.ndim > 1:
                sizes = [b.emit(OPS["size"], y_dots, axis=axis + 1) for axis in range(rank)]
                spread = b.emit(OPS["reshape"], y_dots, *dims, *sizes)
            axes = (*range(x.type.ndim, x.type.ndim + rank), *range(x.type.ndim))
            turned = b.emit(OPS["getitem"], spread, path=(Permute(axes),)) if rank else spread
            blocks.append(turned)
        return blocks

    def columns(self, b: Builder, k: int, ys: Sequence[Value]) -> list[Operand]:
        """Append the loops over the elements of argument `k`; return the blocks of the Jacobian."""
        x = self.xs[k]
        if not isinstance(x.type, Array):
            dots = [self.one(b, x) if j == k else self.zero(b, other) for j, other in enumerate(self.xs)]
            return list(self.call(b, self.push, dots)[self.first_dot :])
        if self.many is not None and x.type.ndim:
            return self.at_once(b, self.many, k)
        made = [
            b.emit(OPS["zeros"], *self.dims(b, y), *self.dims(b, x), name="jac", dtype=y.type.dtype)
            for y in ys
        ]
        return list(self.nest(b, k, tuple(made), [], [y.type.ndim for y in ys]))

    def nest(self, b: Builder, k: int, carried: State, index: list[Operand], ranks: Sequence[int]) -> State:
        """Append a loop over the next dimension of argument `k`, or the innermost statements."""
        x = self.xs[k]
        if len(index) == x.type.ndim:
            return self.store(b, k, carried, index, ranks)
        size = b.emit(OPS["size"], x, axis=len(index))
        like = [Value("jac", c.type) for c in carried]

        def trip(inside: Builder, i: Operand, slots: State) -> Sequence[Operand]:
            return self.nest(inside, k, slots, [*index, i], ranks)

        return for_loop(b, (Literal(0), size, Literal(1)), carried, like, "i", trip)

    def store(self, b: Builder, k: int, carried: State, index: list[Operand], ranks: Sequence[int]) -> State:
        """Append the jvp along one basis vector and the writes of its columns."""
        dots = [self.zero(b, x) for x in self.xs]
        at = (At(),) * len(index)
        dots[k] = b.emit(OPS["setitem"], dots[k], Literal(1.0), *index, name="x_dot", path=(Index(at),))
        found = self.call(b, self.push, dots)[self.first_dot :]
        return tuple(
            b.emit(OPS["setitem"], jac, y_dot, *index, name="jac", path=(Index((Span(),) * rank + at),))
            for jac, y_dot, rank in zip(carried, found, ranks, strict=True)
        )

    def dims(self, b: Builder, v: Value) -> list[Operand]:
        """Return the sizes of an array."""
        return [b.emit(OPS["size"], v, axis=axis) for axis in range(v.type.ndim)]

    def zero(self, b: Builder, x: Value) -> Operand:
        """Return a zero tangent."""
        if isinstance(x.type, Array):
            return b.emit(OPS["zeros_like"], x, name="x_dot", dtype=None)
        return self.number(b, x.type, 0.0)

    def one(self, b: Builder, x: Value) -> Operand:
        """Return the tangent 1 of a scalar."""
        return self.number(b, x.type, 1.0)

    def number(self, b: Builder, t: Type, value: float) -> Operand:
        """Return a number of scalar type `t`."""
        assert isinstance(t, Scalar)
        number = Literal(complex(value) if t.dtype.kind == "c" else value)
        return number if t.weak else b.emit(OPS["cast"], number, dtype=t.dtype)


def complex_rows(fn: Function) -> TypeMismatch:
    """Return (to be raised) the error for rows of complex results: a seed of 1 yields their real part."""
    why = f"jacrev needs real results, but {fn.name} returns complex numbers"
    instead = "use jacfwd or jacobian, or return real and imaginary part"
    return TypeMismatch("S352", why, instead, fn.origin)


def refuse_aux(fn: Function, has_aux: bool) -> None:
    """Refuse a Jacobian with aux inside a program."""
    if has_aux:
        why = "has_aux is not supported for Jacobians inside a program"
        raise UnsupportedOp("S240", why, "return aux from a function of its own", fn.origin)
