"""Random IR programs and arguments for them: what property tests of passes and of the IR run on."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import scipy.sparse as sp

from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, Function, Literal, Operand, Parameter, Value
from s2sad.ir.path import At, Index, Span, full
from s2sad.ir.size import Size
from s2sad.ir.tree import Leaf, Node
from s2sad.ir.types import F8, INT, WEAK_INT, Array, Scalar, Sparse, Type, without_sizes
from s2sad.ops import OPS

N = Size.symbol("x.0")
NUMBERS = (0.0, 1.0, -1.0, 2.0, 0.5, -0.0, 1, -2)


def program(seed: int, role: str = "tangent") -> Function:
    """Return a random program; about half of its instructions have the role, the others none."""
    return _Maker(random.Random(seed), role).function()


def arguments(fn: Function, seed: int) -> list[Any]:
    """Return random arguments of the parameters' types."""
    rng = np.random.default_rng(seed)
    length = int(rng.integers(2, 5))  # of all dimensions; ints are indices into them
    names = [name for p in fn.params for name in _symbols(p.type)]
    sizes = {name: length if "." in name else int(rng.integers(0, 2)) for name in names}
    return [_argument(p.type, sizes, rng) for p in fn.params]


def _symbols(t: Type) -> list[str]:
    if isinstance(t, Sparse):
        return sorted(t.rows.symbols() | t.columns.symbols())
    sizes = t.shape if isinstance(t, Array) else (t.size,) if t.size is not None else ()
    return sorted({name for size in sizes for name in size.symbols()})


def _argument(t: Type, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    if isinstance(t, Sparse):
        return sp.csr_array(rng.normal(size=(t.rows.evaluate(sizes), t.columns.evaluate(sizes))))
    shape = tuple(s.evaluate(sizes) for s in t.shape)
    if t.dtype.kind in "iu":
        size = t.size.evaluate(sizes) if isinstance(t, Scalar) and t.size is not None else None
        values = rng.integers(0, 2, shape) if size is None else np.full(shape, size)
    elif t.dtype.kind == "b":
        values = rng.random(shape) < 0.5
    else:
        values = rng.normal(size=shape).round(2)
    array = np.asarray(values).astype(t.dtype)
    if isinstance(t, Array):
        return array
    return array.item() if t.weak else array[()]


def assert_same_outcome(before: Function, after: Function, seed: int, run: Any, signs: bool = True) -> None:
    """Compare two functions on random arguments, bit for bit but for the payload of nan; without
    `signs`, 0.0 and -0.0 are the same."""
    leaves = arguments(before, seed)
    for a, b in zip(run(before, *leaves), run(after, *leaves), strict=True):
        assert type(a) is type(b), (type(a), type(b))
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)
        if signs and a.dtype.kind == "f":
            valid = ~np.isnan(a)
            assert (np.signbit(a) == np.signbit(b))[valid].all()


class _Maker:
    def __init__(self, rng: random.Random, role: str):
        self.rng, self.role = rng, role
        self.sizes = Sizes()
        self.names = 0
        self.emitted: list[tuple[str, tuple[Operand, ...], dict[str, Any]]] = []

    def function(self) -> Function:
        params = (
            Value("x", Array(F8, (N,))),
            Value("y", Array(F8, (N,))),
            Value("a", Scalar(F8, weak=True)),
            Value("n", Scalar(INT, weak=True, size=Size.symbol("n"))),
        )
        builder = Builder(self.sizes)
        pool: list[Operand] = [*params, Literal(2)]
        self.statements(builder, pool, depth=0, count=self.rng.randint(3, 12), loop=None)
        results = [self.pick(pool, params[k].type) for k in (0, 2, 0, 2, 0, 2)]
        block = builder.block((), "return", *results)
        tree = Node("tuple", tuple(range(6)), tuple(map(Leaf, range(6))))
        signature = tuple(Parameter(p.name, Leaf(k)) for k, p in enumerate(params))
        return Function("f", params, block, signature, tree)

    def name(self) -> str:
        self.names += 1
        return self.rng.choice(("", "", f"v{self.names}", "t"))

    def pick(self, pool: list[Operand], like: Type) -> Operand:
        kind = without_sizes(like)
        return self.rng.choice([v for v in pool if without_sizes(v.type) == kind][-6:])

    def pick_from(self, pool: list[Operand], *kinds: str) -> Operand:
        found = [v for v in pool if _kind(v.type) in kinds]
        return self.rng.choice(found[-8:] if self.rng.random() < 0.8 else found)

    def statements(
        self, b: Builder, pool: list[Operand], depth: int, count: int, loop: tuple[Type, ...] | None
    ) -> None:
        for _ in range(count):
            b.role = self.role if self.rng.random() < 0.6 else ""
            roll = self.rng.random()
            if roll < 0.05 and self.repeated(b, pool):
                continue
            if roll < 0.12 and depth < 3:
                self.branch(b, pool, depth, loop)
            elif roll < 0.24 and depth < 3:
                self.loop(b, pool, depth)
            elif roll < 0.45:
                self.array(b, pool)
            else:
                self.scalar(b, pool)

    def emit(self, b: Builder, pool: list[Operand], op: str, *args: Operand, **params: Any) -> None:
        pool.append(b.emit(OPS[op], *args, name=self.name(), **params))
        self.emitted.append((op, args, params))

    def repeated(self, b: Builder, pool: list[Operand]) -> bool:
        """Emit something once more."""
        for op, args, params in reversed(self.emitted[:-2]):
            if all(a in pool for a in args):
                self.emit(b, pool, op, *args, **params)
                return True
        return False

    def scalar(self, b: Builder, pool: list[Operand]) -> None:
        op = self.rng.choice(
            ("add", "add", "subtract", "multiply", "multiply", "negative", "negative", "positive")
        )
        kinds = ("float",) if self.rng.random() < 0.8 else ("int", "size")
        args = [self.pick_from(pool, *kinds) for _ in range(1 if op in ("negative", "positive") else 2)]
        if self.rng.random() < 0.3:
            args[-1] = Literal(self.rng.choice(NUMBERS))
        self.emit(b, pool, op, *args)

    def array(self, b: Builder, pool: list[Operand]) -> None:
        a = self.pick_from(pool, "array")
        other = self.pick_from(pool, "array", "float")
        match self.rng.randrange(10):
            case 0 | 1:
                self.emit(b, pool, self.rng.choice(("add", "multiply", "subtract")), a, other)
            case 2:
                self.emit(b, pool, "negative", a)
            case 3:
                self.emit(b, pool, "zeros_like", a, dtype=None)
            case 4:
                self.emit(b, pool, self.rng.choice(("setitem", "accum")), a, other, path=full(1))
            case 5:
                value = self.pick_from(pool, "float")
                op = self.rng.choice(("setitem", "accum"))
                self.emit(b, pool, op, a, value, Literal(1), path=(Index((At(),)),))
            case 6:
                self.emit(b, pool, "copy", a)
            case 7:
                self.emit(b, pool, "broadcast_like", other, a)
            case 8:
                self.emit(b, pool, "unbroadcast", a, a)
            case _:
                item = b.emit(OPS["getitem"], a, Literal(0), path=(Index((At(),)),))
                self.emit(b, pool, "to_float", item)
                self.emit(b, pool, "getitem", a, path=(Index((Span(),)),))

    def branch(self, b: Builder, pool: list[Operand], depth: int, loop: tuple[Type, ...] | None) -> None:
        left, right = self.pick_from(pool, "float"), self.pick_from(pool, "float", "int")
        condition: Operand = b.emit(OPS["less"], left, right)
        if self.rng.random() < 0.1:
            condition = Literal(self.rng.random() < 0.5)
        types = [self.pick_from(pool, "array", "float").type for _ in range(self.rng.randint(0, 3))]
        blocks = []
        leaving = loop is not None and self.rng.random() < 0.4
        for k in range(2):
            inner, inside = b.inner(), list(pool)
            self.statements(inner, inside, depth + 1, self.rng.randint(0, 3), loop)
            inner.role = b.role
            if leaving and k == 0 and loop is not None:
                kind = self.rng.choice(("break", "continue"))
                blocks.append(inner.block((), kind, *(self.pick(inside, t) for t in loop)))
            else:
                blocks.append(inner.block((), "yield", *(self.pick(inside, t) for t in types)))
        results = tuple(Value(self.name(), _plain(t)) for t in types)
        pool += b.owner(OPS["if"], (condition,), tuple(blocks), results)

    def loop(self, b: Builder, pool: list[Operand], depth: int) -> None:
        inits = [self.pick_from(pool, "array", "float") for _ in range(self.rng.randint(0, 3))]
        if inits and self.rng.random() < 0.4:
            inits.append(inits[0])
        types = tuple(_plain(a.type) for a in inits)
        if self.rng.random() < 0.6:
            self.for_loop(b, pool, depth, inits, types)
        else:
            self.while_loop(b, pool, depth, inits, types)

    def for_loop(
        self, b: Builder, pool: list[Operand], depth: int, inits: list[Operand], types: tuple[Type, ...]
    ) -> None:
        params = (Value("i", WEAK_INT), *(Value(self.name(), t) for t in types))
        hi = Literal(self.rng.randint(0, 3)) if self.rng.random() < 0.7 else self.pick_from(pool, "size")
        body = self.body(b, pool, depth, params, types, ())
        args = (Literal(0), hi, Literal(1), *inits)
        pool += b.owner(OPS["for"], args, (body,), tuple(Value(self.name(), t) for t in types))

    def while_loop(
        self, b: Builder, pool: list[Operand], depth: int, inits: list[Operand], types: tuple[Type, ...]
    ) -> None:
        types = (WEAK_INT, *types)
        test, params = ([Value(self.name(), t) for t in types] for _ in range(2))
        cond = b.inner()
        below = cond.emit(OPS["less"], test[0], Literal(3))
        step = b.inner()
        following = step.emit(OPS["add"], params[0], Literal(1))
        body = self.body(b, pool, depth, tuple(params), types, (following,), step)
        results = tuple(Value(self.name(), t) for t in types)
        blocks = (cond.block(tuple(test), "yield", below), body)
        pool += b.owner(OPS["while"], (Literal(0), *inits), blocks, results)

    def body(
        self,
        b: Builder,
        pool: list[Operand],
        depth: int,
        params: tuple[Value, ...],
        types: tuple[Type, ...],
        first: tuple[Operand, ...],
        inner: Builder | None = None,
    ) -> Block:
        inner = inner or b.inner()
        inside = [*pool, *params, *first]
        if not first:  # breaks would have to carry the counter on: only in `for`
            self.statements(inner, inside, depth + 1, self.rng.randint(0, 5), types)
        else:
            self.statements(inner, inside, depth + 1, self.rng.randint(0, 5), None)
        carried = params[len(params) - len(types) + len(first) :]
        ends = [p if self.rng.random() < 0.3 else self.pick(inside, p.type) for p in carried]
        inner.role = ""
        return inner.block(params, "yield", *first, *ends)


def _plain(t: Type) -> Type:
    return Array(t.dtype, (N,)) if isinstance(t, Array) else Scalar(t.dtype, t.weak)


def _kind(t: Type) -> str:
    if isinstance(t, Array):
        return "array"
    if t.dtype.kind == "i" and t.size is not None and not t.size.is_const:
        return "size"
    return "float" if t.dtype.kind == "f" else "int"
