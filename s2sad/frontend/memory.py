"""Memory: buffers, their versions, views of them, and which of them may be shared."""

from __future__ import annotations

from typing import Any

from s2sad.analysis.storage import SHARING, alias_of_op
from s2sad.errors import NotDifferentiable, Origin
from s2sad.frontend.hooks import Hooks
from s2sad.frontend.machine import Buffer, NamedView
from s2sad.frontend.values import (
    Abstract,
    Box,
    Closure,
    Lazy,
    MaybeUnbound,
    Method,
    Partial,
    Poison,
    Ref,
    Series,
    Struct,
)
from s2sad.ir import path as paths
from s2sad.ir.core import Operand, Value
from s2sad.ir.op import Alias
from s2sad.ir.path import Index, Path, Span
from s2sad.ir.types import Array
from s2sad.ops import OPS
from s2sad.ops.expr import Apply, Expr, Leaf


class Memory(Hooks):
    """Buffers and views."""

    def new_buffer(self, value: Value, name: str = "", **facts: Any) -> Ref:
        """Return a view of all of a new buffer that holds `value`."""
        assert isinstance(value.type, Array)
        made = self.fresh_id()
        self.buffers[made] = Buffer(name or value.name, **facts)
        self.state.buffers[made] = value
        return Ref(made, (), (), value.type)

    def read(self, ref: Ref, name: str = "") -> Value:
        """Return the value of a view at the present version of its buffer."""
        self.check_fresh(ref)
        version = self.version(ref.buffer)
        if not ref.path:
            return version
        key = (version, ref.path, ref.operands, self.builder)
        if key not in self.reads:
            base, path, operands = self.nearest(ref)
            if not path:
                return base
            self.reads[key] = self.builder.emit(self.op("getitem"), base, *operands, name=name, path=path)
        return self.reads[key]

    def name_view(self, ref: Ref, name: str) -> None:
        """Note that the user calls a view `name`: what is read of it is read from there, as long as its
        buffer is not written."""
        if ref.buffer in self.state.stale or paths.is_fancy(ref.path):
            return
        version = self.version(ref.buffer)
        base, path, operands = self.nearest(ref)
        if path:
            value = self.builder.emit(self.op("getitem"), base, *operands, name=name, path=path)
            seen = self.views.setdefault(version, [])
            seen.append(NamedView(ref.path, ref.operands, self.builder, value))

    def nearest(self, ref: Ref) -> tuple[Value, Path, tuple[Operand, ...]]:
        """Return what a view is read from: the longest part of it that has a name, or its buffer, and
        the path and operands that lead on from there."""
        version = self.version(ref.buffer)
        base, start, used = version, 0, 0
        for seen in self.views.get(version, ()):
            n, m = len(seen.path), len(seen.operands)
            is_part = (seen.path, seen.operands) == (ref.path[:n], ref.operands[:m])
            if n > start and is_part and self.builder.is_inside(seen.builder):
                base, start, used = seen.value, n, m
        return base, ref.path[start:], ref.operands[used:]

    def version(self, buffer: int) -> Value:
        """Return the present contents of a buffer."""
        return self.fixed[buffer] if buffer in self.fixed else self.state.buffers[buffer]

    def op(self, name: str) -> Any:
        """Return an op of the table."""
        return OPS[name]

    def check_fresh(self, ref: Ref) -> None:
        """Raise if the contents of a view are not known because of a write through another name."""
        if ref.buffer in self.state.stale:
            lost = stale(self.state.stale[ref.buffer])
            raise NotDifferentiable(lost.code, lost.why, lost.instead, self.place())

    def shared(self, expr: Expr, views: dict[Operand, Ref]) -> tuple[Ref, Alias] | None:
        """Return the reference whose memory an expression may share (reshape, a part of a broadcast),
        and whether it can be written to."""
        if isinstance(expr, Leaf):
            return (views[expr.operand], Alias.MAYBE) if expr.operand in views else None
        assert isinstance(expr, Apply)
        alias = alias_of_op(expr.op, expr.params)
        found = self.shared(expr.args[0], views) if alias in SHARING else None
        return (found[0], Alias.READONLY) if found and alias is Alias.READONLY else found

    def related(self, operand: Operand, base: Ref, alias: Alias, name: str) -> Ref:
        """Return a new buffer that may share memory with `base` (reshape, broadcast_to)."""
        assert isinstance(operand, Value)
        why = "a read-only view" if alias is Alias.READONLY else ""
        made = self.new_buffer(operand, name, readonly=why)
        for other in (base.buffer, *self.overlapping(base.buffer)):
            self.overlaps.add(frozenset((made.buffer, other)))
        return made

    def view(self, ref: Ref, path: Path, operands: tuple[Operand, ...]) -> Ref:
        """Return the view `path` of a view."""
        whole = (*ref.path, *path)
        if len(path) == 1 and isinstance(path[0], Index) and all(i == Span() for i in path[0].items):
            return ref
        types = tuple(o.type for o in operands)
        shape = paths.shape_of(ref.type.shape, path, types, self.sizes.fresh)
        return Ref(ref.buffer, whole, (*ref.operands, *operands), Array(ref.type.dtype, shape))

    def store(self, ref: Ref, version: Value) -> None:
        """Make `version` the contents of the buffer; what may overlap it becomes unknown."""
        self.state.buffers[ref.buffer] = version
        self.written.setdefault(ref.buffer, self.place())
        for other in self.overlapping(ref.buffer):
            self.state.stale.setdefault(other, self.place())

    def overlapping(self, buffer: int) -> list[int]:
        """Return the other buffers that may share memory with this one."""
        return [b for b in (*self.state.buffers, *self.fixed) if frozenset((b, buffer)) in self.overlaps]

    def may_overlap(self, a: int, b: int) -> bool:
        """True if two buffers are the same or may share memory."""
        return a == b or frozenset((a, b)) in self.overlaps

    def check_writeable(self, ref: Ref) -> None:
        """Raise if the view must not be written."""
        self.check_fresh(ref)
        info = self.buffers[ref.buffer]
        if info.readonly:
            raise self.mismatch(
                "S311", f"this array is {info.readonly} and cannot be written", "copy it first"
            )
        if info.outer:
            raise self.refuse(
                "S105",
                f"`{info.name}` lives outside the differentiated function and must not be written",
                "pass it as an argument, or write to a copy",
            )

    def reachable(self, value: Abstract, found: set[int], seen: set[int]) -> None:
        """Collect the buffers a value refers to."""
        match value:
            case Ref(buffer=b):
                found.add(b)
            case Struct() | Lazy():
                for item in value.items if isinstance(value, Struct) else value.parts:
                    self.reachable(item, found, seen)
            case Box(id=k) if k not in seen:
                seen.add(k)
                self.reachable(self.state.heap[k], found, seen)
            case Series(rows=r):
                found.add(r.buffer)
            case Method(owner=o):
                self.reachable(o, found, seen)
            case Partial():
                for item in (value.function, *value.args, *(v for _, v in value.kwargs)):
                    self.reachable(item, found, seen)
            case MaybeUnbound(value=v):
                self.reachable(v, found, seen)
            case Closure():
                for item in value.defaults.values():
                    self.reachable(item, found, seen)


def stale(where: Origin | None) -> Poison:
    """Return what stands for an array whose contents are lost by a write through another name."""
    return Poison(
        "S402",
        f"this array may share memory with one written at {where}, which cannot be told here",
        "make one of them independent with `.copy()`",
    )
