"""Iteration: `for` loops over every kind of iterable, comprehensions, lists that grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from s2sad.frontend.arrays import describe
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.expressions import Expressions
from s2sad.frontend.machine import Unroll
from s2sad.frontend.loops import Loop
from s2sad.frontend import syntax
from s2sad.frontend.syntax import assigned_names
from s2sad.frontend.values import (
    Abstract,
    Box,
    Generator,
    Lazy,
    Num,
    Poison,
    Range,
    Ref,
    Series,
    Static,
    Struct,
)
from s2sad.ir.core import Block, Literal, Operand, Value
from s2sad.ir.types import INT, Array, Scalar
from s2sad.ops import OPS
from s2sad.ops.expr import Leaf, apply

UNROLL_ITEMS = 16
UNROLL_LIMIT = 200

Item = Callable[[Operand], Abstract]


class Iterate(Expressions):
    """Loops over iterables."""

    def __init__(self, sizes: Assumptions):
        super().__init__(sizes)
        self.loop_nodes: dict[int, Any] = {}  # id of the iterable's node -> the `for` statement

    # -- iterables -------------------------------------------------------------------------------------
    def fixed_items(self, value: Abstract, node: Any) -> list[Abstract] | None:
        """Return the items if their number is known at compile time, else None."""
        box = self.contents(value)
        match box:
            case Struct():
                return [Static(k) if box.kind == "dict" else i for k, i in zip(box.keys, box.items, strict=True)]
            case Static(value=v):
                return self.static_iterable(box, v, node)
            case Generator():
                return None
            case Lazy(kind=kind, parts=parts):
                return self.lazy_items(kind, parts, node)
        return None

    def static_iterable(self, owner: Static, v: Any, node: Any) -> list[Abstract] | None:
        """Return the items of a compile-time list, dict, string or range."""
        if isinstance(v, np.ndarray):
            return None
        try:
            keys = list(v)
        except Exception as error:
            raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error
        if isinstance(v, list | tuple) and owner.access is not None:
            access = owner.access
            return [self.captured(Static(item, access.item(k)), node) for k, item in enumerate(keys)]
        return [self.captured(Static(item), node) for item in keys]

    def lazy_items(self, kind: str, parts: tuple[Abstract, ...], node: Any) -> list[Abstract] | None:
        """Return the items of zip, enumerate, reversed or dict views over fixed iterables."""
        columns = [self.fixed_items(p, node) for p in parts]
        if any(c is None for c in columns):
            return None
        known = [c for c in columns if c is not None]
        match kind:
            case "zip":
                rows = [tuple(row) for row in zip(*known, strict=False)]
                return [Struct("tuple", tuple(range(len(r))), r) for r in rows]
            case "reversed":
                return known[0][::-1]
            case "enumerate":
                start = parts[0]
                del start
                return None
            case "keys":
                return known[0]
        box = self.contents(parts[0])
        assert isinstance(box, Struct)
        if kind == "values":
            return list(box.items)
        return [
            Struct("tuple", (0, 1), (Static(k) if not isinstance(k, int) else Num(Literal(k)), i))
            for k, i in zip(box.keys, box.items, strict=True)
        ]

    def enumerated(self, value: Lazy, node: Any) -> list[Abstract] | None:
        """Return the items of enumerate over a fixed iterable."""
        items = self.fixed_items(value.parts[0], node)
        if items is None:
            return None
        start = self.static_int(value.parts[1], "the start of enumerate", node)
        return [Struct("tuple", (0, 1), (Num(Literal(start + k)), i)) for k, i in enumerate(items)]

    def static_items(self, value: Abstract, node: Any) -> list[Abstract]:
        """Return the items of an iterable whose length is known at compile time."""
        if isinstance(value, Generator):
            value = self.listed(value)
        if isinstance(value, Lazy) and value.kind == "enumerate":
            items = self.enumerated(value, node)
        else:
            items = self.fixed_items(value, node)
        if items is None and isinstance(value, Range):
            bounds = [self.static_int(Num(o), "the range", node) for o in (value.lo, value.hi, value.step)]
            items = [Num(Literal(k)) for k in range(*bounds)]
        if items is None and isinstance(value, Ref) and value.type.ndim:
            count = self.static_int(self.size(value, 0), "the number of rows to unpack", node)
            items = [self.getitem(value, (Num(Literal(k)),)) for k in range(count)]
        if items is None and isinstance(value, Lazy):
            columns = [self.static_items(p, node) for p in value.parts]
            if value.kind == "zip":
                items = [
                    Struct("tuple", tuple(range(len(r))), r) for r in (tuple(r) for r in zip(*columns, strict=False))
                ]
        if items is None:
            raise self.mismatch("S305", f"the length of {describe(value)} must be known here", "", node)
        return items

    def counted(self, value: Abstract, node: Any) -> tuple[Operand, Operand, Operand, Item]:
        """Return (lo, hi, step, item of an index) for an iterable with a run-time length."""
        box = self.contents(value)
        match box:
            case Range(lo, hi, step):
                return lo, hi, step, Num
            case Ref(type=t):
                if t.ndim == 0:
                    raise self.mismatch("S318", "a 0-d array cannot be iterated over", "", node)
                ref = box
                return Literal(0), self.size(ref, 0).operand, Literal(1), lambda i: self.getitem(ref, (Num(i),))
            case Series():
                rows = self.series_rows(box)
                return Literal(0), box.count, Literal(1), lambda i: self.getitem(rows, (Num(i),))
            case Static(value=np.ndarray()):
                return self.counted(self.new_buffer(self.constant_array(box.value)), node)
            case Struct(kind="list") | Struct(kind="tuple"):
                made = self.array_of(box)
                return self.counted(made, node)
            case Lazy(kind=kind, parts=parts):
                return self.counted_lazy(kind, parts, node)
            case Num(operand):
                raise self.needs_rank(box, 1, node) if not isinstance(operand, Literal) else self.mismatch(
                    "S318", "a number cannot be iterated over", "use range(n)", node
                )
        raise self.mismatch("S318", f"{describe(box)} cannot be iterated over", "", node)

    def counted_lazy(
        self, kind: str, parts: tuple[Abstract, ...], node: Any
    ) -> tuple[Operand, Operand, Operand, Item]:
        """Return the loop bounds and items of zip, enumerate and reversed."""
        if kind == "zip":
            columns = [self.normal(*self.counted(p, node)) for p in parts]
            count = columns[0][0]
            for other, _ in columns[1:]:
                count = self.shorter(count, other)
            picks = [pick for _, pick in columns]

            def together(i: Operand) -> Abstract:
                return Struct("tuple", tuple(range(len(picks))), tuple(pick(i) for pick in picks))

            return Literal(0), count, Literal(1), together
        if kind == "enumerate":
            count, pick = self.normal(*self.counted(parts[0], node))
            start = parts[1]

            def numbered(i: Operand) -> Abstract:
                number = self.binary(gast.Add, Num(i), start, node) if start != Num(Literal(0)) else Num(i)
                return Struct("tuple", (0, 1), (number, pick(i)))

            return Literal(0), count, Literal(1), numbered
        if kind == "reversed":
            if isinstance(parts[0], Range) and parts[0].step == Literal(1):
                hi = self.binary(gast.Sub, Num(parts[0].hi), Num(Literal(1)), node)
                lo = self.binary(gast.Sub, Num(parts[0].lo), Num(Literal(1)), node)
                return self.operand(hi), self.operand(lo), Literal(-1), Num
            count, pick = self.normal(*self.counted(parts[0], node))
            last = self.operand(self.binary(gast.Sub, Num(count), Num(Literal(1)), node))
            return last, Literal(-1), Literal(-1), pick
        raise self.refuse("S109", f"iterating over `{kind}` is not supported here", "", node)

    def normal(self, lo: Operand, hi: Operand, step: Operand, pick: Item) -> tuple[Operand, Item]:
        """Return (count, item of 0..count-1)."""
        if lo == Literal(0) and step == Literal(1):
            return hi, pick

        def shifted(i: Operand) -> Abstract:
            scaled = self.binary(gast.Mult, Num(i), Num(step), None) if step != Literal(1) else Num(i)
            return pick(self.operand(self.binary(gast.Add, Num(lo), scaled, None)))

        return self.trip_count(lo, hi, step), shifted

    def trip_count(self, lo: Operand, hi: Operand, step: Operand) -> Operand:
        """Return the number of trips of `range(lo, hi, step)`: max(0, ceil((hi - lo) / step))."""
        span = Leaf(hi) - Leaf(lo)
        trips = span if step == Literal(1) else -((-span) // Leaf(step))
        return self.lower(apply("where", trips > 0, trips, 0)) if step != Literal(1) else self.lower(trips)

    def shorter(self, a: Operand, b: Operand) -> Operand:
        """Return the smaller of two counts."""
        size_a, size_b = getattr(a.type, "size", None), getattr(b.type, "size", None)
        if a == b or (size_a is not None and self.sizes.canonical(size_a) == self.sizes.canonical(size_b)):
            return a
        made = self.branch(
            self.lower(apply("less", Leaf(a), Leaf(b))), lambda: Num(a), lambda: Num(b)
        )
        return self.operand(made)

    # -- loops --------------------------------------------------------------------------------------------
    def run_for(
        self,
        iterable: Abstract,
        node: Any,
        target: Any,
        body: Callable[[], Any],
        names: list[str],
        escaping: set[str],
    ) -> None:
        """Run `body` once per item, with the item bound to `target`."""
        fixed = self.enumerated(iterable, node) if _is(iterable, "enumerate") else self.fixed_items(iterable, node)
        if fixed is not None and self.worth_unrolling(fixed):
            self.run_unrolled(fixed, target, body, node)
            return
        saved = self.state.copy(), self.builder, list(self.builder.instrs)
        try:
            self.run_counted(iterable, node, target, body, names, escaping)
        except Unroll as unroll:
            if self.pending_symbol != unroll.symbol or unroll.symbol not in self.loop_symbols:
                raise
            trips = self.loop_symbols.pop(unroll.symbol)
            if trips > UNROLL_ITEMS:
                raise unroll.error from None
            self.state, self.builder = saved[0], saved[1]
            self.builder.instrs[:] = saved[2]
            self.run_unrolled(self.static_items(iterable, node), target, body, node)

    pending_symbol: str = ""
    branch_depth: int = 0  # run-time conditions around what is being read

    def worth_unrolling(self, items: list[Abstract]) -> bool:
        """True if the items cannot be an array: then the loop over them is unrolled."""
        return not (
            len(items) > UNROLL_ITEMS
            and all(isinstance(i, Num) and isinstance(i.operand, Literal) for i in items)
        )

    def run_unrolled(self, items: list[Abstract], target: Any, body: Callable[[], Any], node: Any) -> None:
        """Run the body for each item in turn."""
        if len(items) > UNROLL_LIMIT:
            raise self.refuse(
                "S116", f"a loop over {len(items)} compile-time items is too long to unroll", "stack them in an array", node
            )
        from_loops = self.frame.loops
        marker = Unrolled(self.branch_depth)
        from_loops.append(marker)
        try:
            for item in items:
                self.assign(target, item)
                left = body()
                if isinstance(left, StaticExit):
                    if left.kind == "break":
                        break
                elif left is not None:
                    marker.left = left
                    break
        finally:
            from_loops.remove(marker)
        self.unrolled_exit = marker.left

    unrolled_exit: Any = None

    def run_counted(
        self,
        iterable: Abstract,
        node: Any,
        target: Any,
        body: Callable[[], Any],
        names: list[str],
        escaping: set[str],
    ) -> None:
        """Emit a `for` instruction."""
        lo, hi, step, item = self.counted(iterable, node)
        lo, hi, step = (self.index_operand(o, node) for o in (lo, hi, step))
        is_range = isinstance(iterable, Range)
        hint = target.id if is_range and isinstance(target, gast.Name) else _index_name(target)

        def trip(loop: Loop) -> tuple[tuple[Value, ...], tuple[Block, ...], tuple[Operand, ...]]:
            symbol = self.sizes.fresh_int()
            index = Value(hint, Scalar(INT, weak=True, size=symbol))
            name = str(symbol)
            if all(isinstance(o, Literal) for o in (lo, hi, step)):
                trips = len(range(*(int(o.value.real) for o in (lo, hi, step) if isinstance(o, Literal))))
                self.loop_symbols[name] = trips
            self.install_counts(loop, index)
            self.assign(target, item(index))
            try:
                left = body()
            except Unroll as unroll:
                if unroll.symbol == name:
                    self.pending_symbol = name
                raise
            params = (index, *loop.params)
            if left is None:
                end = self.end("yield", *self.loop_values(loop))
            else:
                end = left
            return (index,), (Block(params, tuple(self.builder.instrs), end),), (lo, hi, step)

        trips = None
        if lo == Literal(0) and step == Literal(1) and not self.leaves_early(node):
            trips = self.nonnegative(hi)
        self.run_loop(names, escaping, trip, "for", trips)

    def leaves_early(self, node: Any) -> bool:
        """True if a trip of the loop over iterable `node` may end early."""
        loop = self.loop_nodes.get(id(node))
        if loop is None:
            return False  # a comprehension
        kinds = (gast.Break, gast.Continue)
        return syntax.leaves_loop(loop.body, kinds) or syntax.has_return(loop.body)

    def nonnegative(self, count: Operand) -> Operand:
        """Return `max(count, 0)`."""
        size = getattr(count.type, "size", None)
        if isinstance(count, Literal) or (size is not None and size.clamped() == size):
            return count if not isinstance(count, Literal) else Literal(max(0, int(count.value.real)))
        positive = self.lower(apply("greater", Leaf(count), 0))
        result = Value("", Scalar(INT, weak=True, size=self.sizes.fresh()))
        sides = [self.inside().block((), "yield", o) for o in (count, Literal(0))]
        return self.builder.owner(OPS["if"], (positive,), tuple(sides), (result,))[0]

    def index_operand(self, operand: Operand, node: Any) -> Operand:
        """Return a range bound, which must be an int."""
        if isinstance(operand.type, Array) or operand.type.dtype.kind not in "iub":
            raise self.mismatch("S320", "range() needs ints", "convert with int()", node)
        return operand

    def assign(self, target: Any, value: Abstract) -> None:
        """Assign a value to a target."""
        raise NotImplementedError

    # -- comprehensions --------------------------------------------------------------------------------------
    def expr_ListComp(self, node: Any, name: str) -> Abstract:
        return self.comprehension(node)

    def expr_GeneratorExp(self, node: Any, name: str) -> Abstract:
        return Generator(node, self.frame.id)

    def expr_DictComp(self, node: Any, name: str) -> Abstract:
        made = self.box(Struct("dict", (), ()))

        def one() -> None:
            key = self.static_value(self.expr(node.key), "a dict key", node)
            box = self.state.heap[made.id]
            assert isinstance(box, Struct)
            pairs = dict(zip(box.keys, box.items, strict=True))
            pairs[key] = self.expr(node.value)
            self.state.heap[made.id] = Struct("dict", tuple(pairs), tuple(pairs.values()))

        self.comprehend(node, one)
        return made

    def expr_SetComp(self, node: Any, name: str) -> Abstract:
        raise self.refuse("S106", "set comprehensions are not supported", "build a list", node)

    def listed(self, value: Abstract) -> Abstract:
        """Return a generator expression run into a list."""
        assert isinstance(value, Generator)
        return self.comprehension(value.node)

    def comprehension(self, node: Any) -> Abstract:
        """Return the list a comprehension builds."""
        made = self.box(Struct("list", (), ()))
        self.comprehend(node, lambda: self.append(made, self.expr(node.elt), node))
        return made

    def comprehend(self, node: Any, one: Callable[[], None]) -> None:
        """Run `one` for each combination of a comprehension's clauses; its names stay inside."""
        scope = self.state.frames[self.frame.id]
        names = sorted({n for g in node.generators for n in assigned_names([g.target])})
        saved = {n: scope.pop(n, None) for n in names}
        hidden = self.frame.locals
        self.frame.locals = hidden | frozenset(names)
        try:
            self.clauses(node, list(node.generators), one)
        finally:
            self.frame.locals = hidden
        scope = self.state.frames[self.frame.id]
        for name, value in saved.items():
            scope.pop(name, None)
            if value is not None:
                scope[name] = value

    def clauses(self, node: Any, rest: list[Any], one: Callable[[], None]) -> None:
        """Run the remaining clauses of a comprehension."""
        if not rest:
            one()
            return
        clause = rest[0]
        iterable = self.expr(clause.iter)
        if isinstance(iterable, Generator):
            iterable = self.listed(iterable)

        if isinstance(iterable, Range) and isinstance(node, gast.ListComp | gast.DictComp):
            iterable = self.short_range(iterable)

        def body() -> None:
            self.filtered(list(clause.ifs), lambda: self.clauses(node, rest[1:], one))

        temporary = {n for n in self.state.frames[self.frame.id] if n.startswith("$acc")}
        names = sorted(set(assigned_names([clause.target])) | set(assigned_names([node])) | temporary)
        self.run_for(iterable, clause.iter, clause.target, body, names, set())

    def short_range(self, value: Range) -> Abstract:
        """Return a range of a few literal ints as a tuple: a list built over it has a known length."""
        bounds = [o.value for o in (value.lo, value.hi, value.step) if isinstance(o, Literal)]
        if len(bounds) < 3 or len(range(*map(int, bounds))) > UNROLL_ITEMS:  # type: ignore[arg-type]
            return value
        items = tuple(Num(Literal(k)) for k in range(*map(int, bounds)))  # type: ignore[arg-type]
        return Struct("tuple", tuple(range(len(items))), items)

    def filtered(self, conditions: list[Any], then: Callable[[], None]) -> None:
        """Run `then` where all conditions hold."""
        if not conditions:
            then()
            return
        cond = self.truth(conditions[0])
        self.run_if(cond, lambda: self.filtered(conditions[1:], then), lambda: None)

    def run_if(self, cond: Operand, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """Run one of two sides and join."""
        raise NotImplementedError

    def accumulate(self, node: Any, start: Abstract, step: Callable[[Abstract, Abstract], Abstract]) -> Abstract:
        """Return the fold of a generator expression."""
        name = f"$acc{self.fresh_id()}"
        scope = self.frame.id
        self.state.frames[scope][name] = start

        def one() -> None:
            value = self.expr(node.elt)
            now = self.state.frames[scope][name]
            self.state.frames[scope][name] = step(now, value)

        self.comprehend(node, one)
        return self.checked(self.state.frames[scope].pop(name), "the accumulated value")

    # -- lists ---------------------------------------------------------------------------------------------------
    def append(self, box: Box, value: Abstract, node: Any) -> None:
        """Append to a list."""
        now = self.state.heap[box.id]
        if isinstance(now, Struct):
            items = (*now.items, value)
            self.state.heap[box.id] = Struct("list", tuple(range(len(items))), items)
            return
        if isinstance(now, Poison):
            raise self.mismatch(now.code, now.why, now.instead, node)
        assert isinstance(now, Series)
        self.state.heap[box.id] = self.pushed(now, value, node)

    def pushed(self, series: Series, value: Abstract, node: Any) -> Series:
        """Return a series with one more row, grown where it is full."""
        value = self.row_value(value, node)
        source = self.operand(value, node)
        rows = self.read(series.rows)
        item = Array(rows.type.dtype, rows.type.shape[1:])
        if source.type.ndim != item.ndim:
            raise self.mismatch("S321", "items of a list built in a loop must have one rank", "", node)
        if series.fits:
            self.write(series.rows, (Num(series.count),), value)
            return Series(series.rows, self.scaled(series.count, 1, 1), True)
        capacity = self.emit("size", rows, axis=0)
        is_full = self.emit("equal", series.count, capacity)
        outer = self.builder
        grow, keep = outer.inner(), outer.inner()
        grow.origin = keep.origin = outer.origin
        more = grow.emit(OPS["empty_like"], rows, dtype=None)
        grown = grow.emit(OPS["concatenate"], rows, more, axis=0)
        t = Array(rows.type.dtype, (self.sizes.fresh(), *rows.type.shape[1:]))
        result = Value(rows.name, t)
        blocks = (grow.block((), "yield", grown), keep.block((), "yield", rows))
        outer.owner(OPS["if"], (is_full,), blocks, (result,))
        ref = self.new_buffer(result, rows.name)
        self.write(ref, (Num(series.count),), value)
        count = self.emit("add", series.count, 1)
        return Series(Ref(ref.buffer, (), (), t), count)

    def row_value(self, value: Abstract, node: Any) -> Abstract:
        """Return an item of a list that grows: a list of numbers as an array."""
        contents = self.contents(value)
        is_list = isinstance(contents, Struct) and contents.kind == "list" and contents.items
        return self.array_of(value, node) if is_list or isinstance(contents, Series) else value

    def scaled(self, trips: Operand, factor: int, offset: int) -> Operand:
        """Return `trips * factor + offset`."""
        value: Abstract = Num(trips)
        if factor != 1:
            value = self.binary(gast.Mult, value, Num(Literal(factor)), None)
        if offset:
            value = self.binary(gast.Add, value, Num(Literal(offset)), None)
        return self.operand(value)

    def series_of(
        self, value: Abstract, like: Series, capacity: Operand | None = None, name: str = "items"
    ) -> Series:
        """Return a list of known length as a series whose rows are like those of another."""
        assert isinstance(value, Struct)
        t = like.rows.type
        shape = t.shape[1:]
        count = len(value.items)
        dims: list[Operand] = [capacity or Literal(max(count, 8))]
        for axis, dim in enumerate(shape):
            dims.append(self.row_size(like, value, axis, dim))
        rows = self.new_buffer(self.emit("empty", *dims, name=name, dtype=t.dtype), name)
        for k, item in enumerate(value.items):
            self.write(rows, (Num(Literal(k)),), self.row_value(item, None))
        return Series(rows, Literal(count))

    def row_size(self, like: Series, value: Struct, axis: int, dim: Any) -> Operand:
        """Return one dimension of a series' rows as an operand that is known before the loop."""
        dim = self.sizes.canonical(dim)
        if dim.is_const:
            return Literal(dim.const)
        for candidate in (*self.state.buffers.values(), *self.fixed.values()):
            for k, other in enumerate(candidate.type.shape):
                if self.sizes.canonical(other) == dim:
                    return self.emit("size", candidate, axis=k)
        for scalar in self.int_names():
            if getattr(scalar.type, "size", None) == dim:
                return scalar
        raise self.mismatch(
            "S322",
            "the shape of the items of this list is not known before the loop",
            "fill an array instead: ys = np.empty((n, m)); ys[i] = y",
        )

    def int_names(self) -> list[Operand]:
        """Return the int operands that names are bound to."""
        found: list[Operand] = []
        for names in self.state.frames.values():
            found += [v.operand for v in names.values() if isinstance(v, Num) and v.operand.type.dtype.kind == "i"]
        return found

    def series_like(self, a: Struct, b: Struct) -> Series:
        """Return a description of a series that can hold the items of both lists."""
        types = []
        for item in (*a.items, *b.items):
            item = self.row_value(item, None)
            if isinstance(item, Struct | Box | Static):
                raise self.mismatch(
                    "S321",
                    f"a list built in a loop can hold numbers or arrays, not {describe(item)}",
                    "build one list for each part",
                )
            types.append(self.operand(item).type)
        dtype = np.result_type(*(np.empty(0, t.dtype) for t in types))
        shape = types[-1].shape
        if any(len(t.shape) != len(shape) for t in types):
            raise self.mismatch("S321", "items of a list built in a loop must have one rank", "")
        t = Array(dtype, (self.sizes.fresh(), *shape))
        return Series(Ref(-1, (), (), t), Literal(0))


class StaticExit:
    """A break or continue of an unrolled loop, decided at compile time."""

    def __init__(self, kind: str):
        self.kind = kind


class Unrolled:
    """Marks an unrolled loop on a frame's stack of loops."""

    def __init__(self, branch_depth: int):
        self.branch_depth = branch_depth
        self.left: Any = None


def _is(value: Abstract, kind: str) -> bool:
    return isinstance(value, Lazy) and value.kind == kind


def _index_name(target: Any) -> str:
    if isinstance(target, gast.Tuple) and target.elts and isinstance(target.elts[0], gast.Name):
        return str(target.elts[0].id) if len(target.elts) == 2 else "k"
    return "k"
