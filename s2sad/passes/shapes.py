"""Shapes read from what is there anyway: `np.zeros_like(x * y)` is `np.zeros_like(x)`, of the same dtype.

A value of which nothing but the shape is read need not be computed where another value in scope, a parameter
first of all, is known to have that shape. What the user's own code reads stays as it is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Dtype, Scalar
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

LIKE = ("zeros_like", "ones_like", "empty_like", "full_like")
BY_SIZES = {
    "zeros_like": "zeros",
    "empty_like": "empty",
    "broadcast_like": "broadcast_to",
    "reshape_like": "reshape",
}
Key = tuple[tuple[Size, ...], Dtype | None]


def shapes(fn: Function) -> Function:
    """Return the function with shapes read from values that are there anyway."""
    wanted = _read_for_shape(fn.block) - set(fn.params)
    if not wanted:
        return fn
    rewriter = _Shapes(wanted, fn.params)
    return rewriter.function(fn)


def _read_for_shape(block: Block) -> set[Value]:
    """The arrays of which only generated code reads something, and that only the shape."""
    shape_only: set[Value] = set()
    others: set[Operand] = set()

    def visit(block: Block) -> None:
        for instr in block.instrs:
            for k, a in enumerate(instr.args):
                if isinstance(a, Value) and isinstance(a.type, Array):
                    (shape_only if instr.role and k in instr.op.shape_args else others).add(a)
            for inner in instr.blocks:
                visit(inner)
        others.update(block.end.args)

    visit(block)
    return shape_only - others


class _Shapes(Rewriter):
    def __init__(self, wanted: set[Value], params: tuple[Value, ...]):
        super().__init__()
        self.wanted = wanted
        self.params = {p.name: p for p in params if isinstance(p.type, Array)}
        self.of_params = frozenset(params)
        self.unsure: set[Operand] = set()  # may be undefined on this path: then their types say too much
        self.known: dict[Key, Value] = {}
        self.places: dict[Size, tuple[Value, int]] = {}
        self.ints: dict[Size, Value] = {}
        for p in params:
            self.offer(p)

    def offer(self, v: Value) -> None:
        """Note a value that has come into scope."""
        if isinstance(v.type, Scalar) and v.type.weak and v.type.size is not None and v not in self.unsure:
            self.ints.setdefault(v.type.size, v)
        if isinstance(v.type, Array) and v.type.shape and v not in self.wanted and v not in self.unsure:
            self.known.setdefault((v.type.shape, None), v)
            self.known.setdefault((v.type.shape, v.type.dtype), v)
            for axis, n in enumerate(v.type.shape):
                self.places.setdefault(n, (v, axis))

    def block(self, block: Block) -> Block:
        outside = dict(self.known), dict(self.places), dict(self.ints)
        self.unsure.update(block.params)
        new = super().block(block)
        self.known, self.places, self.ints = outside
        return new

    def visit(self, instr: Instr) -> Sequence[Instr]:
        if instr.op.name == "size" and instr.role and instr.args[0] in self.wanted:
            n = instr.result.type.size if isinstance(instr.result.type, Scalar) else None
            number = self.ints.get(n) if n is not None else None
            if number is not None:
                self.replaced(instr.result, number)
                return ()
        found: Sequence[Instr] = ()
        if instr.role and any(a in self.wanted for a in instr.args):
            instr = self.with_shapes(instr)
            found = self.by_sizes(instr)
        found = found or (self.inside(instr),)
        if instr.blocks or instr.op.name == "undef" or any(a in self.unsure for a in instr.args):
            self.unsure.update(instr.results)
        for r in instr.results:
            self.offer(r)
        return found

    def with_shapes(self, instr: Instr) -> Instr:
        args = list(instr.args)
        for k in instr.op.shape_args:
            a = args[k] if k < len(args) else None
            if isinstance(a, Value) and a in self.wanted and isinstance(a.type, Array):
                same_dtype = instr.op.name in LIKE and instr.param("dtype") is None
                dtype = a.type.dtype if same_dtype else None
                own = self.params.get(a.name)  # `b` itself for a copy of `b`
                if own and own.type.shape == a.type.shape and dtype in (None, own.type.dtype):
                    args[k] = own
                    continue
                found = self.known.get((a.type.shape, dtype), a)
                constant = instr.op.name in BY_SIZES and all(n.is_const for n in a.type.shape)
                if not constant or found in self.of_params:  # `np.zeros(3)` keeps nothing alive
                    args[k] = found
        if args == list(instr.args):
            return instr
        return replace(instr, args=tuple(args))

    def by_sizes(self, instr: Instr) -> Sequence[Instr]:
        """Return the instruction with a shape that is put together of sizes of other values, else nothing."""
        name = BY_SIZES.get(instr.op.name)
        like = [a for k, a in enumerate(instr.args) if k in instr.op.shape_args and a in self.wanted]
        if name is None or len(like) != 1 or not isinstance(like[0].type, Array):
            return ()
        shape = like[0].type.shape
        if not all(n.is_const or n in self.ints or n in self.places for n in shape):
            return ()
        made = Builder(Sizes(), instr.origin)
        made.role = instr.role
        dims: list[Operand] = []
        for n in shape:
            if n.is_const or n in self.ints:
                dims.append(Literal(n.const) if n.is_const else self.ints[n])
            else:
                source, axis = self.places[n]
                dims.append(made.emit(OPS["size"], source, axis=axis))
        rest = [self.operand(a) for k, a in enumerate(instr.args) if k not in instr.op.shape_args]
        given = dict(instr.params)
        if name in ("zeros", "empty"):
            given["dtype"] = given.get("dtype") or like[0].type.dtype
        params = tuple(sorted(given.items()))
        return [*made.instrs, replace(instr, op=OPS[name], args=(*rest, *dims), params=params)]
