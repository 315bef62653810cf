"""Where control flow joins: the branches of an `if`, and the header of a loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import numpy as np

from s2sad.frontend.arrays import Arrays
from s2sad.frontend.machine import State, said, shown
from s2sad.frontend.memory import stale
from s2sad.frontend.values import (
    NAMING,
    UNBOUND,
    Abstract,
    Box,
    MaybeUnbound,
    Num,
    Poison,
    Ref,
    Series,
    Static,
    Struct,
    is_none,
    may_be_none,
)
from s2sad.ir.builder import Builder
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.types import INT, WEAK_BOOL, WEAK_INT, Array, Scalar, Type, sample, without_sizes
from s2sad.passes.sizes import Resolver
from s2sad.record import dataclass, replace


@dataclass(slots=True, eq=False)
class Edge:
    """One way into a join: the state there, the open block, and the values handed over."""

    state: State
    builder: Builder
    values: list[Operand] = field(default_factory=list)


def join_types(a: Type, b: Type) -> Type | None:
    """Return the type of a name that is `a` on one path and `b` on another, or None."""
    if isinstance(a, Array) and isinstance(b, Array):
        return a if without_sizes(a) == without_sizes(b) else None
    if isinstance(a, Array) or isinstance(b, Array):
        return None
    if (a.dtype, a.weak) == (b.dtype, b.weak):
        return a if a.size == b.size else Scalar(a.dtype, a.weak)
    if a.weak and b.weak:
        return Scalar(np.result_type(a.dtype, b.dtype), weak=True)
    if a.weak != b.weak:
        strong, weak = (b, a) if a.weak else (a, b)
        return Scalar(np.result_type(strong.dtype, sample(Scalar(weak.dtype, True))))  # type: ignore[arg-type]
    return Scalar(np.result_type(a.dtype, b.dtype))


U64 = np.dtype(np.uint64)
BY_TEXT = "put what it selects in the branches (if c: d['a'] = v, else: d['b'] = v), or use an array"
"""What to write for a text that is known when the program runs only."""


def overflows(a: Operand, t: Type) -> bool:
    """True if a Python int may not be one of an integer type that it is joined with."""
    if not isinstance(a.type, Scalar) or not a.type.weak or a.type.dtype.kind != "i":
        return False
    if isinstance(t, Array) or t.weak or t.dtype.kind not in "iu" or t.dtype == INT:
        return False
    limits = np.iinfo(t.dtype.name)
    return not (isinstance(a, Literal) and limits.min <= a.value.real <= limits.max)


def joined_items(kinds: Iterable[str]) -> str:
    """Return what kind of items (`Series.items`) a list has that has some of each of these kinds."""
    found = set(kinds)
    if found <= {"ints", "floats", "complexes"} and len(found) > 1:
        return "complexes" if "complexes" in found else "floats"
    if found & {"complexes", "some complex"} and len(found) > 1:
        return "some complex"
    return "lists" if "lists" in found else found.pop() if len(found) == 1 else ""


class Joins(Arrays):
    """Joining states."""

    @contextmanager
    def on(self, edge: Edge) -> Iterator[None]:
        """Emit into the block of an edge, seeing its state."""
        saved = self.builder, self.state
        origin = self.builder.origin
        self.builder, self.state = edge.builder, edge.state
        self.builder.origin = origin
        try:
            yield
        finally:
            self.builder, self.state = saved

    def sizes_in_scope(self, state: State) -> Resolver:
        """Return what the arrays of a state, and the ints that names are bound to, tell about sizes: first
        of all the parameters, for what a function reads of its first caller is not there at other calls."""
        ints = [o for o in self.int_names(state) if isinstance(o, Value)]
        body = next(f.body for f in reversed(self.frames) if f.body is not None)
        return Resolver([*body.entry.values(), *state.buffers.values(), *self.fixed.values(), *ints])

    def int_names(self, state: State) -> list[Operand]:
        """Return the int operands that names are bound to."""
        bound = [v for names in state.frames.values() for v in names.values()]
        return [v.operand for v in bound if isinstance(v, Num) and v.operand.type.dtype.kind == "i"]

    def join(self, before: State, edges: list[Edge]) -> list[Value]:
        """Make `self.state` the join of the edges' states (after an `if`); fill in `edge.values` and
        return the results that the owning instruction gives."""
        joiner = _Joiner(self, before, edges)
        after = State(stale={k: v for e in edges for k, v in e.state.stale.items()})
        for frame, names in before.frames.items():
            joined: dict[str, Abstract] = {}
            order = dict.fromkeys(n for e in edges for n in e.state.frames[frame])
            for name in order:
                parts = [e.state.frames[frame].get(name, UNBOUND) for e in edges]
                same = name in names and all(p == names[name] for p in parts)
                joined[name] = names[name] if same else joiner.named(parts, name)
            after.frames[frame] = joined
        for edge in edges:  # frames of closures made inside
            for frame, names in edge.state.frames.items():
                after.frames.setdefault(frame, names)
        for key in dict.fromkeys(k for e in edges for k in e.state.heap):
            parts = [e.state.heap[key] for e in edges if key in e.state.heap]
            same = key in before.heap and all(p == before.heap[key] for p in parts)
            if len(parts) == len(edges):  # others are out of reach now
                after.heap[key] = parts[0] if same else joiner.value(parts, "")
        for buffer in before.buffers:
            versions = [e.state.buffers[buffer] for e in edges]
            if all(v is before.buffers[buffer] for v in versions):
                after.buffers[buffer] = versions[0]
            else:
                kept = self.buffers[buffer].name
                after.buffers[buffer] = joiner.slot(list(versions), before.buffers[buffer].type, kept)
        after.buffers.update(joiner.made)
        after.heap.update(joiner.heap)
        self.state = after
        return joiner.results


def unlike(name: str) -> Poison:
    """Return what is known of a name that is a Python int on one path and one of uint64 on another."""
    why = f"{said(name)} is a Python int on one path, and np.uint64 on another"
    return Poison("S313", why, "begin with np.uint64(...), or convert with int(...)")


def both_unknown(name: str) -> Poison:
    """Return what is known of a name that is a value, None or not bound, on three paths."""
    return Poison(
        "S313", f"{said(name)} may be None here, or not bound at all", f"begin with `{name} = None`"
    )


class _Joiner:
    def __init__(self, machine: Joins, before: State, edges: list[Edge]):
        self.m, self.before, self.edges = machine, before, edges
        self.results: list[Value] = []
        self.made: dict[int, Value] = {}
        self.heap: dict[int, Abstract] = {}  # contents of containers that stand for several
        self.roots: dict[tuple[int, ...], int] = {}
        self.flags: dict[tuple[Operand, ...], Operand] = {}
        self.slots: dict[tuple[Any, ...], Value] = {}

    def slot(self, operands: list[Operand], t: Type, name: str) -> Value:
        key = (*operands, without_sizes(t), name)
        if key in self.slots:
            return self.slots[key]
        result = Value(shown(name), t)
        self.results.append(result)
        for edge, operand in zip(self.edges, operands, strict=True):
            with self.m.on(edge):
                edge.values.append(self.m.convert(operand, t))
        self.slots[key] = result
        return result

    def named(self, parts: list[Abstract], name: str) -> Abstract:
        """Join what a name of the program is on each path: it may be None on some."""
        if not any(map(may_be_none, parts)) or all(map(is_none, parts)) or name.startswith("$"):
            return self.value(parts, name)
        if any(p is UNBOUND or (isinstance(p, MaybeUnbound) and not p.none) for p in parts):
            return both_unknown(name)
        return self.maybe(parts, name, none=True)

    def value(self, parts: list[Abstract], name: str) -> Abstract:
        first = parts[0]
        if len(parts) > 1 and all(p is first or p == first for p in parts):
            return self.moved(first, name)
        if len(parts) == 1 and not isinstance(first, MaybeUnbound):
            return self.moved(first, name)
        if any(p is UNBOUND or isinstance(p, MaybeUnbound) for p in parts):
            return self.maybe(parts, name)
        poison = next((p for p in parts if isinstance(p, Poison)), None)
        if poison is not None:
            return poison
        if all(isinstance(p, Num | Static) and _is_number(p) for p in parts):
            return self.number(parts, name)
        if all(isinstance(p, Ref) for p in parts):
            return self.array([p for p in parts if isinstance(p, Ref)], name)
        if all(isinstance(p, Struct) for p in parts):
            structs = [p for p in parts if isinstance(p, Struct)]
            s = structs[0]
            if all((p.kind, p.keys, p.cls) == (s.kind, s.keys, s.cls) for p in structs):
                columns = [list(column) for column in zip(*(p.items for p in structs), strict=True)]
                items = tuple(
                    self.item(s, k, column, name) for k, column in zip(s.keys, columns, strict=True)
                )
                return Struct(s.kind, s.keys, items, s.cls)
        if all(isinstance(p, Series) or (isinstance(p, Struct) and p.kind == "list") for p in parts):
            return self.series(parts, name)
        if all(isinstance(p, Static) and isinstance(p.value, str) for p in parts):
            return Poison("S313", f"{said(name)} is another text on different paths", BY_TEXT)
        if all(isinstance(p, Box) for p in parts):
            return self.boxes([p for p in parts if isinstance(p, Box)], name)
        return Poison(
            "S313",
            f"{said(name)} is of another kind on different paths",
            "give it the same kind (number, array of one rank, tuple) on every path",
        )

    def item(self, whole: Struct, key: Any, parts: list[Abstract], name: str) -> Abstract:
        """Join what an item of a container is on each path: an attribute may be None, as a name may."""
        if whole.kind not in NAMING:
            return self.value(parts, name)
        label = name or str(key)
        return self.named(parts, label) if any(map(may_be_none, parts)) else self.value(parts, label)

    def moved(self, part: Abstract, name: str) -> Abstract:
        """Return a value that is the same on all edges, brought out of a single branch if need be."""
        if len(self.edges) > 1 and not isinstance(part, Ref | Struct | Series):
            return part
        match part:
            case Num(operand) if isinstance(operand, Value) and len(self.edges) == 1:
                return Num(self.slot([operand], operand.type, name or operand.name))
            case Ref():
                return self.array([part] * len(self.edges), name)
            case Struct():
                items = tuple(self.value([i] * len(self.edges), name) for i in part.items)
                return Struct(part.kind, part.keys, items, part.cls)
            case Series():
                rows = self.array([part.rows] * len(self.edges), name)
                assert isinstance(rows, Ref)
                count = self.value([Num(part.count)] * len(self.edges), "")
                assert isinstance(count, Num)
                return Series(rows, count.operand, items=part.items)
        return part

    def number(self, parts: list[Abstract], name: str) -> Abstract:
        operands: list[Operand] = []
        for edge, part in zip(self.edges, parts, strict=True):
            with self.m.on(edge):
                operands.append(self.m.operand(part))
        t: Type | None = operands[0].type
        for operand in operands[1:]:
            t = join_types(t, operand.type) if t is not None else None
        if t is None:
            return Poison("S313", f"{said(name)} is a number on one path and an array on another", "")
        self.m.note_complex(t, [o.type for o in operands])
        if any(overflows(o, t) for o in operands):
            if t.dtype == U64:
                return unlike(name)
            t = WEAK_INT
        if isinstance(t, Scalar) and t.dtype == INT and t.size is None:
            t = replace(t, size=self.m.sizes.fresh_int())
        return Num(self.slot(operands, t, name))

    def array(self, refs: list[Ref], name: str) -> Abstract:
        first = refs[0]
        for edge, ref in self.pairs(refs):
            if ref.buffer in edge.state.stale:
                return stale(edge.state.stale[ref.buffer])
        same = all(r.buffer == first.buffer and r.path == first.path for r in refs)
        if same and (first.buffer in self.before.buffers or first.buffer in self.m.fixed):
            return self.with_operands(first.buffer, refs)
        if (
            len({r.path for r in refs}) == 1
            and len({without_sizes(self.version(e, r.buffer).type) for e, r in self.pairs(refs)}) == 1
        ):
            return self.with_operands(self.root(tuple(r.buffer for r in refs), name), refs)
        if len({without_sizes(r.type) for r in refs}) != 1:
            return Poison(
                "S313", f"{said(name)} has another rank or dtype on different paths", "use one rank and dtype"
            )
        values: list[Operand] = []
        for edge, ref in self.pairs(refs):
            with self.m.on(edge):
                values.append(self.m.read(ref))
        result = self.slot(values, self.array_type([v.type for v in values]), name)
        return self.new_root(result, tuple(r.buffer for r in refs), name)

    def pairs(self, refs: list[Ref]) -> list[tuple[Edge, Ref]]:
        return list(zip(self.edges, refs, strict=True))

    def version(self, edge: Edge, buffer: int) -> Value:
        return self.m.fixed[buffer] if buffer in self.m.fixed else edge.state.buffers[buffer]

    def with_operands(self, buffer: int, refs: list[Ref]) -> Ref:
        columns = zip(*(r.operands for r in refs), strict=True)
        operands: list[Operand] = []
        for column in columns:
            joined = self.value([Num(o) for o in column], "")
            assert isinstance(joined, Num)
            operands.append(joined.operand)
        t = self.array_type([r.type for r in refs])
        return Ref(buffer, refs[0].path, tuple(operands), t)

    def array_type(self, types: list[Any]) -> Array:
        shape = []
        for dims in zip(*(t.shape for t in types), strict=True):
            known = {self.m.sizes.canonical(d) for d in dims}
            shape.append(known.pop() if len(known) == 1 else self.m.sizes.fresh())
        return Array(types[0].dtype, tuple(shape))

    def root(self, buffers: tuple[int, ...], name: str) -> int:
        if buffers in self.roots:
            return self.roots[buffers]
        versions: list[Operand] = []
        for edge, buffer in zip(self.edges, buffers, strict=True):
            with self.m.on(edge):
                self.m.check_fresh(Ref(buffer, (), (), self.version(edge, buffer).type))  # type: ignore[arg-type]
            versions.append(self.version(edge, buffer))
        label = name or self.m.buffers[buffers[0]].name
        result = self.slot(versions, self.array_type([v.type for v in versions]), label)
        return self.new_root(result, buffers, name).buffer

    def new_root(self, result: Value, buffers: tuple[int, ...], name: str) -> Ref:
        m = self.m
        ref = m.new_buffer(result, name)
        m.state.buffers.pop(ref.buffer)
        self.made[ref.buffer] = result
        readonly = {m.buffers[b].readonly for b in buffers} - {""}
        m.buffers[ref.buffer].readonly = min(readonly, default="")
        m.buffers[ref.buffer].outer = any(m.buffers[b].outer for b in buffers)
        for other in (*self.before.buffers, *m.fixed):
            if any(m.may_overlap(b, other) for b in buffers):
                m.overlaps.add(frozenset((ref.buffer, other)))
        for mates, made in self.roots.items():
            if any(m.may_overlap(a, b) for a, b in zip(buffers, mates, strict=True)):
                m.overlaps.add(frozenset((ref.buffer, made)))
        self.roots[buffers] = ref.buffer
        return ref

    def maybe(self, parts: list[Abstract], name: str, none: bool = False) -> Abstract:
        lacking = [is_none(p) if none else p is UNBOUND for p in parts]
        bound = [p for p, lacks in zip(parts, lacking, strict=True) if not lacks]
        if not bound:
            return UNBOUND
        flags: list[Operand] = []
        inner: list[Abstract] = []
        template = bound[0].value if isinstance(bound[0], MaybeUnbound) else bound[0]
        where = parts.index(bound[0])
        for edge, part, lacks in zip(self.edges, parts, lacking, strict=True):
            if lacks:
                flags.append(Literal(False))
                with self.m.on(edge):
                    inner.append(blank(self.m, template, self.edges[where].state))
            elif isinstance(part, MaybeUnbound):
                flags.append(part.bound)
                inner.append(part.value)
            else:
                flags.append(Literal(True))
                inner.append(part)
        value = self.value(inner, name)
        if all(f == flags[0] for f in flags) and isinstance(flags[0], Literal):
            return MaybeUnbound(value, flags[0], none)
        return MaybeUnbound(value, self.slot(flags, WEAK_BOOL, ""), none)

    def series(self, parts: list[Abstract], name: str) -> Abstract:
        made: list[Series] = []
        like = next((p for p in parts if isinstance(p, Series)), None)
        if like is None:  # lists of different lengths: the longest tells what the items are
            sizes = [len(p.items) for p in parts if isinstance(p, Struct)]
            longest = sizes.index(max(sizes))
            with self.m.on(self.edges[longest]):
                part = parts[longest]
                assert isinstance(part, Struct)
                like = self.m.series_like(part, part)
        for edge, part in zip(self.edges, parts, strict=True):
            with self.m.on(edge):
                made.append(part if isinstance(part, Series) else self.m.series_of(part, like))
        rows = self.value([s.rows for s in made], name)
        count = self.value([Num(s.count) for s in made], "")
        alike = len({s.items for s in made}) == 1 or not self.m.has_singles()
        if isinstance(rows, Ref) and isinstance(count, Num) and alike:
            return Series(rows, count.operand, items=joined_items([s.items for s in made]))
        return Poison("S313", f"{said(name)} holds other things on different paths", "")

    def boxes(self, parts: list[Box], name: str) -> Abstract:
        contents = [e.state.heap[p.id] for e, p in zip(self.edges, parts, strict=True)]
        joined = self.value(contents, name)
        if isinstance(joined, Poison):
            return joined
        made = Box(self.m.fresh_id())
        self.heap[made.id] = joined
        ids = {p.id for p in parts}
        ids |= {k for pair in self.m.twins if pair & ids for k in pair}
        self.m.twins |= {frozenset((made.id, k)) for k in ids}
        if ids & self.m.rowed:
            self.m.rowed.add(made.id)
        return made


def blank(
    m: Arrays, template: Abstract, source: State | None = None, scope: Resolver | None = None
) -> Abstract:
    """Return a placeholder of the same kind for a name that is not bound on a path. Containers are
    looked up in the state `source` and get placeholder contents under the same identity. An array whose shape
    can be computed in `scope` is one of that shape, so that a loop carries it as such."""
    match template:
        case Num(operand):
            t = operand.type
            return Num(m.emit("undef", type=Scalar(t.dtype, getattr(t, "weak", False))))
        case Ref(type=t):
            shape = tuple(map(m.sizes.canonical, t.shape))
            if scope is not None and all(map(scope.knows, shape)):
                dims = [scope.operand(m.builder, n) for n in shape]
                array = m.builder.retype(m.emit("empty", *dims, dtype=t.dtype), Array(t.dtype, shape))
                assert isinstance(array, Value)
                return m.new_buffer(array)
            value = m.emit("undef", type=Array(t.dtype, tuple(m.sizes.fresh() for _ in t.shape)))
            return m.new_buffer(value)
        case Struct():
            items = tuple(blank(m, i, source, scope) for i in template.items)
            return Struct(template.kind, template.keys, items, template.cls)
        case Series(rows):
            made = blank(m, rows)
            assert isinstance(made, Ref)
            return Series(made, Literal(0), items=template.items)
        case Box(k) if k not in m.state.heap and source is not None:
            m.state.heap[k] = blank(m, source.heap[k], source, scope)
    return template


def _is_number(part: Abstract) -> bool:
    if isinstance(part, Num):
        return True
    value = getattr(part, "value", None)
    return isinstance(value, int | float | complex | np.generic) and not isinstance(value, np.bool_)
