"""Iteration: `for` loops over every kind of iterable, comprehensions, lists that grow."""

from __future__ import annotations

import functools
import itertools
import operator
from collections import deque
from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from s2sad.errors import TypeMismatch
from s2sad.frontend import syntax
from s2sad.frontend.arrays import describe
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.expressions import Expressions
from s2sad.frontend.machine import Unroll
from s2sad.frontend.outcome import RETURN, Outcome, Returned, StaticExit, Unrolled
from s2sad.frontend.slots import Loop
from s2sad.frontend.values import (
    Abstract,
    Box,
    Generator,
    Lazy,
    Num,
    Range,
    Ref,
    Series,
    Static,
    Struct,
    tuple_of,
)
from s2sad.ir.core import Block, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array, Scalar
from s2sad.ops.expr import Leaf, apply
from s2sad.passes.sizes import at_least_zero

UNROLL_ITEMS = 16
UNROLL_LIMIT = 200
ENDLESS = {  # iterators that may have no end -> what to write instead
    itertools.count: "use `while True:` and count by hand, or enumerate(...)",
    itertools.cycle: "use an index: xs[k % len(xs)]",
    itertools.repeat: "use the value itself",
}

Item = Callable[[Operand], Abstract]


class Iterate(Expressions):
    """Loops over iterables."""

    def __init__(self, sizes: Assumptions):
        super().__init__(sizes)
        # id of the iterable's node -> the `for` statement, and what follows it
        self.loop_nodes: dict[int, tuple[Any, list[Any]]] = {}

    def fixed_items(self, value: Abstract, node: Any) -> list[Abstract] | None:
        """Return the items if their number is known at compile time, else None."""
        if self.is_object(value) or self.overloaded(value, "iter") is not None:
            value = self.iterated_by_method(value, node)
        box = self.contents(value)
        match box:
            case Struct():
                return [
                    Static(k) if box.kind == "dict" else i for k, i in zip(box.keys, box.items, strict=True)
                ]
            case Static(value=v):
                return self.static_iterable(box, v, node)
            case Generator() | Lazy(kind="enumerate"):
                return None
            case Lazy(kind="map", parts=(function, *iterables)):
                rows = zip(*(self.static_items(p, node) for p in iterables), strict=False)
                return [self.call_value(function, tuple(row), {}, node) for row in rows]
            case Lazy(kind=kind, parts=parts):
                return self.lazy_items(kind, parts, node)
        return None

    def static_iterable(self, owner: Static, v: Any, node: Any) -> list[Abstract] | None:
        """Return the items of a compile-time list, dict, string or range."""
        if isinstance(v, np.ndarray):
            return None
        endless = next((why for kind, why in ENDLESS.items() if isinstance(v, kind)), None)
        if endless is not None and operator.length_hint(v, -1) < 0:
            why = f"itertools.{type(v).__name__} has no end that is known when the program is read"
            raise self.refuse("S109", why, endless, node)
        try:
            keys = list(v)
        except Exception as error:
            raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error
        if isinstance(v, list | tuple | deque) and owner.access is not None:
            access = owner.access
            return [self.captured(Static(item, access.item(k)), node) for k, item in enumerate(keys)]
        return [self.captured(Static(item), node) for item in keys]

    def lazy_items(self, kind: str, parts: tuple[Abstract, ...], node: Any) -> list[Abstract] | None:
        """Return the items of zip, enumerate, reversed or dict views over fixed iterables."""
        columns = [self.fixed_items(p, node) for p in parts]
        if kind == "zip" and any(c is not None and not self.are_rows(c) for c in columns):
            try:  # what is no rows of an array is taken item by item, and the arrays beside it as well
                pairs = zip(parts, columns, strict=True)
                columns = [self.static_items(p, node) if c is None else c for p, c in pairs]
            except TypeMismatch:
                if any(self.row_shape(item) is None for c in columns if c is not None for item in c):
                    raise
        if any(c is None for c in columns):
            return None
        known = [c for c in columns if c is not None]
        match kind:
            case "zip":
                rows = [tuple(row) for row in zip(*known, strict=False)]
                return [tuple_of(r) for r in rows]
            case "reversed":
                return known[0][::-1]
            case "keys" | "iter":
                return known[0]
        box = self.contents(parts[0])
        assert isinstance(box, Struct)
        if kind == "values":
            return list(box.items)
        return [
            tuple_of((Static(k) if not isinstance(k, int) else Num(Literal(k)), i))
            for k, i in zip(box.keys, box.items, strict=True)
        ]

    def are_rows(self, items: list[Abstract]) -> bool:
        """True if the items can be the rows of one array: numbers, arrays and lists of one shape."""
        shapes = {self.row_shape(item) for item in items}
        return len(shapes) < 2 and None not in shapes

    def row_shape(self, item: Abstract) -> tuple[Any, ...] | None:
        """Return the shape of a number, array or list of them; None for other things and ragged lists."""
        match found := self.contents(item):
            case Num():
                return ()
            case Ref(type=t):
                return tuple(map(self.sizes.canonical, t.shape))
            case Static(value=bool() | int() | float() | complex() | np.generic()):
                return ()
            case Static(value=np.ndarray() as v):
                return tuple(map(Size.of, v.shape))
            case Struct(kind="list" | "tuple", cls=None) if self.are_rows(list(found.items)):
                inner = self.row_shape(found.items[0]) if found.items else ()
                return None if inner is None else (Size.of(len(found.items)), *inner)
        return None

    def enumerated(self, value: Lazy, node: Any) -> list[Abstract] | None:
        """Return the items of enumerate over a fixed iterable."""
        items = self.fixed_items(value.parts[0], node)
        if items is None:
            return None
        start = self.static_int(value.parts[1], "the start of enumerate", node)
        return [tuple_of((Num(Literal(start + k)), i)) for k, i in enumerate(items)]

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
            if value.kind in ("iter", "reversed"):
                items = columns[0] if value.kind == "iter" else columns[0][::-1]
            if value.kind == "zip":
                items = [tuple_of(r) for r in (tuple(r) for r in zip(*columns, strict=False))]
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
                count = self.size(ref, 0).operand
                return Literal(0), count, Literal(1), lambda i: self.getitem(ref, (Num(i),))
            case Series():
                return Literal(0), box.count, Literal(1), lambda i: self.series_pick(value, i)
            case Static(value=np.ndarray()):
                return self.counted(self.new_buffer(self.constant_array(box.value)), node)
            case Struct(kind="list") | Struct(kind="tuple"):
                made = self.array_of(box)
                return self.counted(made, node)
            case Lazy(kind="map"):
                items = tuple(self.static_items(box, node))
                return self.counted(tuple_of(items), node)
            case Lazy(kind=kind, parts=parts):
                return self.counted_lazy(kind, parts, node)
            case Num(operand):
                raise (
                    self.needs_rank(box, 1, node)
                    if not isinstance(operand, Literal)
                    else self.mismatch("S318", "a number cannot be iterated over", "use range(n)", node)
                )
        raise self.mismatch("S318", f"{describe(box)} cannot be iterated over", "", node)

    def series_pick(self, value: Abstract, i: Operand) -> Abstract:
        """Return an item of a list built in a loop as it is in the present trip, which may have set it."""
        series = self.contents(value)
        assert isinstance(series, Series)
        return self.row_read(series, self.getitem(self.series_rows(series), (Num(i),)))

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
                return tuple_of([pick(i) for pick in picks])

            return Literal(0), count, Literal(1), together
        if kind == "iter":
            return self.counted(parts[0], node)
        if kind == "enumerate":
            count, pick = self.normal(*self.counted(parts[0], node))
            start = parts[1]

            def numbered(i: Operand) -> Abstract:
                number = self.binary(gast.Add, Num(i), start, node) if start != Num(Literal(0)) else Num(i)
                return tuple_of((number, pick(i)))

            return Literal(0), count, Literal(1), numbered
        if kind == "reversed":
            backwards = reversed_range(Lazy(kind, parts))
            if backwards is not None:
                hi = self.binary(gast.Sub, Num(backwards.hi), Num(Literal(1)), node)
                lo = self.binary(gast.Sub, Num(backwards.lo), Num(Literal(1)), node)
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
        span = Leaf(hi) - Leaf(lo) if lo != Literal(0) else Leaf(hi)
        trips = span if step == Literal(1) else -((-span) // Leaf(step))
        return self.lower(apply("where", trips > 0, trips, 0)) if step != Literal(1) else self.lower(trips)

    def shorter(self, a: Operand, b: Operand) -> Operand:
        """Return the smaller of two counts."""
        size_a, size_b = getattr(a.type, "size", None), getattr(b.type, "size", None)
        if a == b or (
            size_a is not None
            and size_b is not None
            and self.sizes.canonical(size_a) == self.sizes.canonical(size_b)
        ):
            return a
        made = self.branch(self.lower(apply("less", Leaf(a), Leaf(b))), lambda: Num(a), lambda: Num(b))
        return self.operand(made)

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
        if isinstance(iterable, Generator):
            iterable = self.listed(iterable)
        numbered = isinstance(iterable, Lazy) and iterable.kind == "enumerate"
        fixed = self.enumerated(iterable, node) if numbered else self.fixed_items(iterable, node)  # type: ignore[arg-type]
        if fixed is not None and self.worth_unrolling(fixed):
            self.run_unrolled(iterable, fixed, target, body, node)
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
            self.run_unrolled(iterable, self.static_items(iterable, node), target, body, node)

    pending_symbol: str = ""
    branch_depth: int = 0  # run-time conditions around what is being read

    def worth_unrolling(self, items: list[Abstract]) -> bool:
        """True if the items cannot be an array: then the loop over them is unrolled."""
        return not (
            len(items) > UNROLL_ITEMS
            and all(isinstance(i, Num) and isinstance(i.operand, Literal) for i in items)
        )

    def run_unrolled(
        self, iterable: Abstract, items: list[Abstract], target: Any, body: Callable[[], Any], node: Any
    ) -> None:
        """Run the body for each item in turn."""
        if len(items) > UNROLL_LIMIT:
            raise self.refuse(
                "S116",
                f"a loop over {len(items)} compile-time items is too long to unroll",
                "stack them in an array",
                node,
            )
        loop, after = self.loop_nodes.get(id(node), (None, []))
        marker = Unrolled(self.branch_depth)
        views = self.iterated(iterable)

        def trips(first: int) -> Outcome:
            """Read the trips from one on; StaticExit for a break."""
            for k in range(first, len(items)):
                marker.later = functools.partial(later, k + 1)
                if k:
                    self.check_unchanged(views, k, node)
                self.assign(target, items[k])
                left: Outcome = body()
                if left is not None and not (isinstance(left, StaticExit) and left.kind == "continue"):
                    return left
                if RETURN in self.state.frames[self.frame.id]:
                    more = functools.partial(trips, k + 1)
                    return self.run_after_return(more, functools.partial(self.as_branch, marker, more))
            if items:
                self.check_unchanged(views, len(items), node)
            return None

        def later(first: int, broke: bool) -> Outcome:
            left = StaticExit("break") if broke else trips(first)
            if left is not None and not isinstance(left, StaticExit):
                return left
            loops.remove(marker)
            try:
                otherwise = loop.orelse if loop is not None and left is None else []
                return self.to_the_end([*otherwise, *after])
            finally:
                loops.append(marker)

        loops = self.frame.loops
        loops.append(marker)
        try:
            left = trips(0)
        finally:
            loops.remove(marker)
        self.unrolled_exit = None if isinstance(left, StaticExit) else left

    unrolled_exit: Any = None

    def as_branch(self, loop: Unrolled, read: Callable[[], Outcome]) -> Outcome:
        """Read what may leave an unrolled loop, as a branch: what follows the loop follows the branch."""
        depth, loop.branch_depth = loop.branch_depth, self.branch_depth
        try:
            outcome = read()
        finally:
            loop.branch_depth = depth
        return None if isinstance(outcome, StaticExit | Returned) else outcome

    def iterated(self, iterable: Abstract, kind: str = "") -> list[tuple[Box, str, Abstract]]:
        """Return the containers that a loop runs over, how, and what they hold now."""
        if isinstance(iterable, Lazy):
            return [v for part in iterable.parts for v in self.iterated(part, iterable.kind)]
        if not isinstance(iterable, Box):
            return []
        contents = self.state.heap[iterable.id]
        if isinstance(contents, Struct) and contents.kind == "dict" and kind not in ("values", "items"):
            kind = "keys"
        return [(iterable, kind, contents)]

    def check_unchanged(self, views: list[tuple[Box, str, Abstract]], k: int, node: Any) -> None:
        """Refuse a loop that changes what is to come of its iterable, from item `k` on."""
        for box, kind, was in views:
            now = self.state.heap[box.id]
            if isinstance(was, Struct) and isinstance(now, Struct) and was.keys == now.keys:
                start = 0 if kind == "reversed" else k
                same = kind == "keys" or was.items[start:] == now.items[start:]
            elif isinstance(was, Series) and isinstance(now, Series):
                same = was.count == now.count and was.rows.buffer == now.rows.buffer
            else:
                same = False
            if not same:
                raise self.refuse(
                    "S107", "the loop changes what it runs over", "loop over a copy: for y in list(ys)", node
                )

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
        is_range = isinstance(iterable, Range) or reversed_range(iterable) is not None
        named = None if isinstance(iterable, Lazy) and iterable.kind == "ndindex" else target
        hint = target.id if is_range and isinstance(target, gast.Name) else _index_name(named)

        def trip(loop: Loop) -> tuple[tuple[Value, ...], tuple[Block, ...], tuple[Operand, ...]]:
            symbol = self.sizes.fresh_int()
            index = Value(hint, Scalar(INT, weak=True, size=symbol))
            name = str(symbol)
            if all(isinstance(o, Literal) for o in (lo, hi, step)):
                trips = len(range(*(int(o.value.real) for o in (lo, hi, step) if isinstance(o, Literal))))
                self.loop_symbols[name] = trips
            self.note_index(index, lo, hi, step)
            self.install_counts(loop, index)
            self.assign(target, item(index))
            views = self.iterated(iterable)
            loop.at_next = lambda: self.check_unchanged(views, 0, node)
            self.running.append(name)
            try:
                left = body()
                end = self.end("yield", *self.loop_values(loop)) if left is None else left
            except Unroll as unroll:
                if unroll.symbol == name:
                    self.pending_symbol = name
                raise
            finally:
                self.running.pop()
            params = (index, *loop.params)
            return (index,), (Block(params, tuple(self.builder.instrs), end),), (lo, hi, step)

        trips = None
        loop = self.loop_nodes.get(id(node), (None, []))[0]  # None: a comprehension
        skips = loop is not None and syntax.leaves_loop(loop.body, gast.Continue)
        if lo == Literal(0) and step == Literal(1) and not skips:
            trips = self.nonnegative(hi)
        breaks = loop is not None and (
            syntax.leaves_loop(loop.body, gast.Break) or syntax.has_return(loop.body)
        )
        self.run_loop(names, escaping, trip, "for", trips, breaks)

    def nonnegative(self, count: Operand) -> Operand:
        """Return `max(count, 0)`."""
        size = getattr(count.type, "size", None)
        if isinstance(count, Literal) or (size is not None and size.clamped() == size):
            return count if not isinstance(count, Literal) else Literal(max(0, int(count.value.real)))
        found = at_least_zero(self.builder, count)
        return self.builder.retype(
            found, Scalar(INT, weak=True, size=self.sizes.fresh() if size is None else size.clamped())
        )

    def index_operand(self, operand: Operand, node: Any) -> Operand:
        """Return a range bound, which must be an int, as the Python int that `range` makes of it: an unsigned
        or short one would overflow where the bounds are computed with."""
        if isinstance(operand.type, Array) or operand.type.dtype.kind not in "iub":
            raise self.mismatch("S320", "range() needs ints", "convert with int()", node)
        if operand.type.dtype == INT:
            return self.convert(operand, Scalar(INT, weak=True))
        return self.lower(apply("to_int", Leaf(operand)))


def reversed_range(iterable: Abstract) -> Range | None:
    """Return the range of `reversed(range(...))` with steps of 1, whose index is the item; else None."""
    match iterable:
        case Lazy(kind="reversed", parts=(Range(step=step) as found,)) if step == Literal(1):
            return found
    return None


def _index_name(target: Any) -> str:
    if isinstance(target, gast.Tuple) and target.elts and isinstance(target.elts[0], gast.Name):
        return str(target.elts[0].id) if len(target.elts) == 2 else "k"
    return "k"
