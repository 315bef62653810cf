"""Comprehensions, and lists that grow in loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from s2sad.errors import TypeMismatch
from s2sad.frontend.arrays import describe
from s2sad.frontend.iterate import UNROLL_ITEMS, Iterate
from s2sad.frontend.joins import joined_items
from s2sad.frontend.machine import State
from s2sad.frontend.slots import Hint, Loop, Refine
from s2sad.frontend.syntax import assigned_names
from s2sad.frontend.values import (
    Abstract,
    Box,
    Generator,
    Num,
    Poison,
    Range,
    Ref,
    Series,
    Static,
    Struct,
    tuple_of,
)
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array, Scalar, Type
from s2sad.ops import OPS
from s2sad.record import replace


class Lists(Iterate):
    """Comprehensions and growing lists."""

    def expr_ListComp(self, node: Any, name: str) -> Abstract:
        """Read a `ListComp` expression."""
        return self.comprehension(node)

    def expr_GeneratorExp(self, node: Any, name: str) -> Abstract:
        """Read a `GeneratorExp` expression."""
        names = sorted({n.id for n in gast.walk(node.generators[0].iter) if isinstance(n, gast.Name)})
        return Generator(node, self.frame.id, tuple((n, self.lookup_local(n)) for n in names))

    def expr_DictComp(self, node: Any, name: str) -> Abstract:
        """Read a `DictComp` expression."""
        made = self.box(Struct("dict", (), ()))

        def one() -> None:
            key = self.static_value(self.expr(node.key), "a dict key", node)
            box = self.state.heap[made.id]
            assert isinstance(box, Struct)
            pairs = dict(zip(box.keys, box.items, strict=True))
            pairs[key] = self.expr(node.value)
            self.refill(made, Struct("dict", tuple(pairs), tuple(pairs.values())))

        self.comprehend(node, one)
        return made

    def expr_SetComp(self, node: Any, name: str) -> Abstract:
        """Read a `SetComp` expression."""
        raise self.refuse("S106", "set comprehensions are not supported", "build a list", node)

    def listed(self, value: Abstract) -> Abstract:
        """Return a generator expression run into a list."""
        assert isinstance(value, Generator)
        return self.comprehension(self.at_home(value).node)

    def at_home(self, generator: Generator) -> Generator:
        """Return a generator expression that is about to be run, where its names are known."""
        if generator.frame != self.frame.id:
            why = "a generator expression is run outside the function in which it is written"
            raise self.refuse("S109", why, "return a list: [... for ...]", generator.node)
        if any(self.lookup_local(name) != value for name, value in generator.names):
            why = "a generator expression is run after what it iterates over got another value"
            raise self.refuse("S109", why, "make a list: [... for ...]", generator.node)
        return generator

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
        literals = [o.value for o in (value.lo, value.hi, value.step) if isinstance(o, Literal)]
        bounds = [v for v in literals if isinstance(v, int)]
        if len(bounds) < 3 or len(range(*bounds)) > UNROLL_ITEMS:
            return value
        items = tuple(Num(Literal(k)) for k in range(*bounds))
        return tuple_of(items)

    def filtered(self, conditions: list[Any], then: Callable[[], None]) -> None:
        """Run `then` where all conditions hold."""
        if not conditions:
            then()
            return
        cond = self.truth(conditions[0])
        self.run_if(cond, lambda: self.filtered(conditions[1:], then), lambda: None)

    def accumulate(
        self,
        node: Any,
        start: Abstract,
        step: Callable[[Abstract, Abstract], Abstract],
        last: Abstract | None = None,
    ) -> Abstract:
        """Return the fold of a generator expression. `last`: what ends it, as True does `any`: the elements
        after that are not computed."""
        name = f"$acc{self.fresh_id()}"
        scope = self.frame.id
        self.state.frames[scope][name] = start

        def one() -> None:
            now = self.state.frames[scope][name]
            if last is not None and now == last:
                return
            before = self.state.copy() if last is not None and now != start else None
            value = self.expr(node.elt)
            if before is not None and not self.is_as_before(before):
                why = "whether this is run for all elements is known when it runs, and it writes something"
                raise self.refuse("S109", why, "write a loop", node)
            self.state.frames[scope][name] = step(self.state.frames[scope][name], value)

        self.comprehend(node, one)
        return self.checked(self.state.frames[scope].pop(name), "the accumulated value")

    def append(self, box: Box, value: Abstract, node: Any) -> None:
        """Append to a list."""
        now = self.state.heap[box.id]
        self.appends[box.id] = self.place(node)
        if isinstance(now, Struct):
            items = (*now.items, value)
            self.refill(box, Struct("list", tuple(range(len(items))), items))
            return
        if isinstance(now, Poison):
            raise self.mismatch(now.code, now.why, now.instead, node)
        assert isinstance(now, Series)
        self.refill(box, self.pushed(now, value, node))

    def pushed(self, series: Series, value: Abstract, node: Any) -> Series:
        """Return a series with one more row, grown where it is full."""
        items = joined_items((series.items, kind_of_item(value)))
        value = self.row_value(value, node)
        source = self.operand(value, node)
        rows = self.read(series.rows)
        item = Array(rows.type.dtype, rows.type.shape[1:])
        if not item.shape:
            self.check_alike(
                [Scalar(item.dtype, series.items in ("ints", "floats", "complexes")), source.type], node
            )
        if source.type.ndim != item.ndim:
            raise self.mismatch("S321", "items of a list built in a loop must have one rank", "", node)
        if series.fits:
            self.push_row(series.rows, Num(series.count), value)
            return Series(series.rows, self.scaled(series.count, 1, 1), True, series.added + 1, items)
        capacity = self.emit("size", rows, axis=0)
        is_full = self.emit("equal", series.count, capacity)
        outer = self.builder
        grow, keep = outer.inner(), outer.inner()
        grow.origin = keep.origin = outer.origin
        room = grow.emit(OPS["add"], capacity, Literal(8))  # also where there was none
        rest = [grow.emit(OPS["size"], rows, axis=k + 1) for k in range(item.ndim)]
        more = grow.emit(OPS["empty"], room, *rest, dtype=item.dtype)
        grown = grow.emit(OPS["concatenate"], rows, more, axis=0)
        t = Array(rows.type.dtype, (self.sizes.fresh(), *rows.type.shape[1:]))
        result = Value(rows.name, t)
        blocks = (grow.block((), "yield", grown), keep.block((), "yield", rows))
        outer.owner(OPS["if"], (is_full,), blocks, (result,))
        ref = self.new_buffer(result, rows.name)
        for other in (series.rows.buffer, *self.overlapping(series.rows.buffer)):
            self.overlaps.add(frozenset((ref.buffer, other)))
        self.push_row(ref, Num(series.count), value)
        count = self.emit("add", series.count, 1)
        return Series(Ref(ref.buffer, (), (), t), count, items=items)

    def uncounted(self, box: Box, series: Series) -> None:
        """Have a loop read again that counts on the number of items it appends to a list."""
        for frame in reversed(self.frames):
            for loop in frame.loops:
                if isinstance(loop, Loop) and any(c.key == ("heap", box.id) for c in loop.counts):
                    raise Refine(loop, ("heap", box.id), Hint("series", None, replace(series, fits=False)))

    def popped(self, box: Box, series: Series, k: int) -> Abstract:
        """Take an item out of a list built in a loop: the others go to rows of their own."""
        self.uncounted(box, series)
        is_there = self.emit("greater", series.count, k if k >= 0 else -k - 1)
        self.guard(is_there, IndexError, "pop index out of range")
        rows = self.series_rows(series)
        item = self.row_read(series, self.getitem(rows, (Num(Literal(k)),)))
        parts = [self.span(rows, None, k)] + [self.span(rows, k + 1, None)] * (k != -1)
        self.refill(
            box,
            self.series_copy(parts[1:] if k == 0 else parts, series.items, self.buffers[rows.buffer].name),
        )
        return item

    def inserted(self, box: Box, series: Series, k: int, value: Abstract, node: Any) -> None:
        """Put an item into a list built in a loop: all go to new rows."""
        self.uncounted(box, series)
        rows = self.series_rows(series)
        first = self.series_of(Struct("list", (0,), (value,)), series)
        new = self.span(first.rows, 0, 1)
        parts = [self.span(rows, None, k), new, self.span(rows, k, None)] if k else [new, rows]
        self.refill(box, self.series_copy(parts, first.items, self.buffers[rows.buffer].name))

    def span(self, rows: Ref, lo: int | None, hi: int | None) -> Ref:
        """Return the rows from one to another."""
        ends = tuple(Static(None) if end is None else Num(Literal(end)) for end in (lo, hi))
        found = self.getitem(rows, (Struct("slice", (0, 1, 2), (*ends, Static(None))),))
        assert isinstance(found, Ref)
        return found

    def check_alike(self, types: list[Type], node: Any) -> None:
        """Refuse numbers of which arithmetic tells the types apart as items of one list: Python's and NumPy's
        narrow ints, and with single precision about Python's floats and NumPy's, or two of NumPy's."""
        weak = any(t.weak for t in types if isinstance(t, Scalar))
        strong = {t.dtype for t in types if isinstance(t, Scalar) and not t.weak}
        ints = {d for d in strong if d.kind in "iu" and d != INT} if weak else set()
        floats = {d for d in strong if d.kind in "fc"} if self.has_singles() else set()
        if ints or len(floats) + weak > 1:
            names = sorted(d.name for d in ints or floats)
            why = f"a list built in a loop holds {' and '.join((['Python numbers'] if weak else []) + names)}"
            raise self.mismatch("S321", why, f"convert all items: np.{names[0]}(...)", node)

    def push_row(self, rows: Ref, k: Abstract, value: Abstract) -> None:
        """Copy an item to its row. The list of the program holds the array itself: from here on a write
        to one of them makes the other unknown."""
        dtype = self.operand(value).type.dtype
        if not np.can_cast(dtype, rows.type.dtype):
            raise self.mismatch(
                "S321",
                f"{dtype} cannot be an item of a list built in a loop that began with {rows.type.dtype}",
                "begin with the wider kind: 0.0 for 0",
            )
        if isinstance(value, Ref) and isinstance(row := self.getitem(rows, (k,)), Ref):
            why = "items of a list built in a loop or under a condition must have one shape"
            self.check_fits(value, row, stretched=False, why=why)
        self.write(rows, (k,), value, "push")
        if isinstance(value, Ref):
            for other in (value.buffer, *self.overlapping(value.buffer)):
                if other != rows.buffer:
                    self.overlaps.add(frozenset((rows.buffer, other)))

    def row_value(self, value: Abstract, node: Any) -> Abstract:
        """Return an item of a list that grows: a list of numbers as an array."""
        contents = self.contents(value)
        is_list = isinstance(contents, Struct) and contents.kind == "list" and contents.items
        if isinstance(value, Box):
            self.rowed.add(value.id)
            self.unclear = self.unclear or self.holds_complex(value)
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
        self,
        value: Abstract,
        like: Series,
        capacity: Operand | None = None,
        name: str = "items",
        before: State | None = None,
    ) -> Series:
        """Return a list of known length as a series whose rows are like those of another. `before`: what is
        there where it is made, if that is not all of the present state."""
        assert isinstance(value, Struct)
        t = like.rows.type
        shape = tuple(map(self.sizes.canonical, t.shape[1:]))
        count = len(value.items)
        dims: list[Operand] = [capacity or Literal(max(count, 8))]
        for dim in shape:
            dims.append(self.row_size(dim, before or self.state))
        made = self.emit("empty", *dims, name=name, dtype=t.dtype)
        array = self.builder.retype(made, Array(t.dtype, (made.type.shape[0], *shape)))
        assert isinstance(array, Value)
        rows = self.new_buffer(array, name)
        for k, item in enumerate(value.items):
            self.push_row(rows, Num(Literal(k)), self.row_value(item, None))
        return Series(rows, Literal(count), items=joined_items((like.items, *map(kind_of_item, value.items))))

    def row_size(self, dim: Size, before: State) -> Operand:
        """Return one dimension of a series' rows as an operand that is known before the loop."""
        scope = self.sizes_in_scope(before)
        if scope.knows(dim):
            return scope.operand(self.builder, dim)
        for scalar in self.int_names(before):
            if getattr(scalar.type, "size", None) == dim:
                return scalar
        raise self.rows_unlike()

    def rows_differ(self, items: tuple[Abstract, ...]) -> bool:
        """True if arrays to be in one list have sizes that depend on the index of the loop being read, or
        are made of the same sizes in different ways (x and x[1:]); others are compared at run time."""
        shapes = [tuple(map(self.sizes.canonical, i.type.shape)) for i in items if isinstance(i, Ref)]
        by_index = self.running and any(self.running[-1] in n.symbols() for shape in shapes for n in shape)
        return bool(by_index) or any(
            n != m and n.symbols() == m.symbols()
            for shape in shapes
            for n, m in zip(shape, shapes[-1], strict=False)
        )

    def rows_unlike(self) -> TypeMismatch:
        """Return the refusal of a list whose items have a shape that is known in the loop only."""
        return self.mismatch(
            "S322",
            "the shape of the items of this list is not known before the loop",
            "fill an array instead: ys = np.empty((n, m)); ys[i] = y",
        )

    def series_like(self, a: Struct, b: Struct, box: Any = None) -> Series:
        """Return a description of a series that can hold the items of both lists. What it cannot hold is
        refused where the list that `box` names was last appended to."""
        here = self.builder.origin
        self.builder.origin = self.appends.get(box, here)
        try:
            return self.series_of_items((*a.items, *b.items))
        finally:
            self.builder.origin = here

    def series_of_items(self, listed: tuple[Abstract, ...]) -> Series:
        """Return a description of a series that can hold some items."""
        types = []
        for item in listed:
            item = self.row_value(item, None)
            if isinstance(item, Struct | Box | Static):
                raise self.mismatch(
                    "S321",
                    f"a list built in a loop can hold numbers or arrays, not {describe(item)}",
                    "build one list for each part",
                )
            types.append(self.operand(item).type)
        self.check_alike(types, None)
        dtype = np.result_type(*(np.empty(0, t.dtype) for t in types))
        shape = types[-1].shape
        if any(len(t.shape) != len(shape) for t in types):
            raise self.mismatch("S321", "items of a list built in a loop must have one rank", "")
        t = Array(dtype, (self.sizes.fresh(), *shape))
        items = joined_items(map(kind_of_item, listed))
        return Series(Ref(-1, (), (), t), Literal(0), items=items)


def kind_of_item(value: Abstract) -> str:
    """Return what an item makes of the list it is in (`Series.items`)."""
    if isinstance(value, Box):
        return "lists"
    t = value.operand.type if isinstance(value, Num) else None
    if isinstance(t, Scalar) and t.weak:
        return {"b": "ints", "i": "ints", "f": "floats", "c": "complexes"}.get(t.dtype.kind, "")
    return ""
