"""vmap(f): a loop whose trip is f on one lane of the arguments and writes one row of each result.

The trip is read as if it were written in the loop: views of the arguments, results stored where they
belong. What the arrays of results look like is known from reading f once beforehand.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from s2sad.frontend.arrays import describe
from s2sad.frontend.programs import lanes
from s2sad.frontend.pytrees import Pytrees
from s2sad.frontend.sized import FULL
from s2sad.frontend.transformed import Derived
from s2sad.frontend.values import Abstract, Callee, Num, Ref, Static, Struct, held
from s2sad.frontend.wrapped import function_name
from s2sad.ir.core import Function, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.transformed import Transformed, record_of
from s2sad.ir.tree import Tree
from s2sad.ir.types import INT, Scalar, Type
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Trip(Callee):
    """What a lane's number is handed to: the body of the loop."""

    called = "call_trip"
    run: Callable[[Abstract], None]


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """An argument whose leaves are batched: `axes` by path of keys in it."""

    value: Abstract
    axes: dict[tuple[Any, ...], int]


class Vmaps(Pytrees):
    """vmap inside programs."""

    def call_trip(
        self, function: Trip, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str
    ) -> Abstract:
        """Read the body of the loop, for a lane."""
        function.run(args[0])
        return Static(None)

    def make_derived(
        self, maker: Any, kind: str, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return `vmap(f, ...)` as a value."""
        if kind != "vmap":
            return super().make_derived(maker, kind, args, kwargs, node)
        given = inspect.signature(maker).bind(*args, **kwargs).arguments
        inside, outside = (
            self.static_value(given[k], f"`{k}`", node) if k in given else 0 for k in ("in_axes", "out_axes")
        )
        return Derived(Transformed("vmap", None, axes=(inside, outside)), given["fun"])

    def function_of(
        self, function: Abstract, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> tuple[Function, list[Operand]]:
        """Return a function value read into an IR Function, and the operands of its parameters."""
        record = record_of(function.value) if isinstance(function, Static) else None
        if record is not None and record.kind == "vmap":
            function = Derived(record, held(record.function))
        if not isinstance(function, Derived) or function.record.kind != "vmap":
            return super().function_of(function, args, kwargs, node)
        name = f"{function_name(function)}_vmap"
        return super().function_of(
            self.defined_here(function, name, len(args), list(kwargs)), args, kwargs, node
        )

    def called_vmap(
        self,
        derived: Derived,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        whole: dict[str, Abstract] | None = None,
    ) -> Abstract:
        """Return the result of a vmapped function; the keyword arguments `whole` are not batched."""
        in_axes, out_axes = derived.record.axes
        places = self.places(in_axes, args, node)
        batched = [self.lanes_of(a, s, node) for a, s in zip(args, places, strict=True)]
        named = {k: self.lanes_of(v, 0, node) for k, v in kwargs.items()}
        count = self.lane_count([*batched, *named.values()], derived, node)

        def one(b: Abstract) -> Abstract:
            picked = tuple(self.lane(a.value, a.axes, b, ()) for a in batched)
            more = {k: self.lane(v.value, v.axes, b, ()) for k, v in named.items()}
            return self.call_value(derived.function, picked, {**more, **(whole or {})}, node)

        tree, types = self.tried(one, node)
        axes = self.out_axes(out_axes, tree, types, node)
        rows = [self.room(t, axis, count, node) for t, axis in zip(types, axes, strict=True)]

        def trip(b: Abstract) -> None:
            leaves: list[Abstract] = []
            self.to_tree(one(b), leaves, node)
            for row, leaf, axis in zip(rows, leaves, axes, strict=True):
                self.put_row(row, axis, b, leaf)

        self.call_program(lanes, (Num(count), Trip(trip)), {}, node)
        return self.from_tree(tree, [*rows])

    # -- arguments ---------------------------------------------------------------------------------
    def places(self, in_axes: Any, args: tuple[Abstract, ...], node: Any) -> tuple[Any, ...]:
        """Return what `in_axes` says of each positional argument."""
        if not isinstance(in_axes, tuple | list):
            return (in_axes,) * len(args)
        if len(in_axes) != len(args):
            why = f"in_axes has {len(in_axes)} items for {len(args)} positional arguments"
            raise self.mismatch("S360", why, "give one for each, None where an argument is not batched", node)
        return tuple(in_axes)

    def lanes_of(self, value: Abstract, spec: Any, node: Any) -> Lanes:
        """Return an argument with the axis of each batched leaf."""
        if isinstance(value, Static) and isinstance(value.value, np.ndarray):
            value = self.new_buffer(self.constant_array(value.value))
        axes: dict[tuple[Any, ...], int] = {}
        self.spread_axes(value, spec, (), axes, node)
        return Lanes(value, axes)

    def spread_axes(
        self, value: Abstract, spec: Any, path: tuple[Any, ...], axes: dict[tuple[Any, ...], int], node: Any
    ) -> None:
        """Note the axis of each leaf: `spec` is an int, None, or a structure that begins like the value's."""
        box = self.contents(value)
        if spec is None or (isinstance(box, Static) and box.value is None):
            return
        if isinstance(box, Struct):
            for key, item, part in zip(
                box.keys, box.items, self.parts(box, spec, "in_axes", node), strict=True
            ):
                self.spread_axes(item, part, (*path, key), axes, node)
            return
        if isinstance(spec, bool) or not isinstance(spec, int):
            why = f"in_axes has {spec!r} for {describe(box)}"
            raise self.mismatch("S360", why, "an axis is an int, or None for what is not batched", node)
        rank = box.type.ndim if isinstance(box, Ref) else 0
        if not -rank <= spec < rank:
            what = f"an array of rank {rank}" if isinstance(box, Ref) else describe(box)
            why = f"vmap cannot take axis {spec} of {what}"
            raise self.mismatch(
                "S361", why, "in_axes=None (or its item for this argument) passes it whole", node
            )
        axes[path] = spec % rank

    def parts(self, box: Struct, spec: Any, label: str, node: Any) -> tuple[Any, ...]:
        """Return what a part of in_axes or out_axes says of each item of a container."""
        if isinstance(spec, int):
            return (spec,) * len(box.items)
        if box.kind == "dict" and isinstance(spec, dict) and set(spec) == set(box.keys):
            return tuple(spec[k] for k in box.keys)
        if box.kind == "record" and isinstance(spec, box.cls):
            return tuple(getattr(spec, k) for k in box.keys)
        if box.kind in ("tuple", "list") and isinstance(spec, tuple | list) and len(spec) == len(box.items):
            return tuple(spec)
        why = f"{label} has {spec!r} for {describe(box)}, which is built otherwise"
        raise self.mismatch(
            "S360", why, f"give an int{' or None' * (label == 'in_axes')}, or its structure", node
        )

    def lane_count(self, given: list[Lanes], derived: Derived, node: Any) -> Operand:
        """Return the number of lanes, which all batched leaves must agree on."""
        found = [(ref, axis) for a in given for ref, axis in self.batched_leaves(a.value, a.axes, ())]
        if not found:
            why = f"no argument of {function_name(derived.function)} is batched"
            raise self.mismatch(
                "S362", why, "vmap needs an axis to run over: in_axes=0 for some argument", node
            )
        first, axis = found[0]
        count = self.size(first, axis).operand
        for ref, k in found[1:]:
            self.same_count(first.type.shape[axis], ref.type.shape[k], node)
            if self.sizes.canonical(first.type.shape[axis]) != self.sizes.canonical(ref.type.shape[k]):
                same = self.emit("equal", count, self.size(ref, k).operand)
                self.guard(same, ValueError, "the batched axes of the arguments of vmap differ in size")
        return count

    def same_count(self, n: Size, m: Size, node: Any) -> None:
        """Refuse sizes that differ in the example arguments; else assume that they are equal."""
        left, right = self.sizes.example(n), self.sizes.example(m)
        if left is not None and right is not None and left != right:
            why = f"the batched axes of the arguments of vmap have sizes {left} and {right}"
            raise self.mismatch("S363", why, "they must be equal; in_axes chooses other axes, or None", node)
        self.sizes.equal(n, m, self.place(node))

    def batched_leaves(
        self, value: Abstract, axes: dict[tuple[Any, ...], int], path: tuple[Any, ...]
    ) -> Iterator[tuple[Ref, int]]:
        """Yield the batched arrays of an argument and their axes."""
        box = self.contents(value)
        if isinstance(box, Struct):
            for key, item in zip(box.keys, box.items, strict=True):
                yield from self.batched_leaves(item, axes, (*path, key))
        elif isinstance(box, Ref) and path in axes:
            yield box, axes[path]

    def lane(
        self, value: Abstract, axes: dict[tuple[Any, ...], int], b: Abstract, path: tuple[Any, ...]
    ) -> Abstract:
        """Return one lane of an argument: views of its batched leaves."""
        if not any(p[: len(path)] == path for p in axes):
            return value
        box = self.contents(value)
        if isinstance(box, Struct):
            items = tuple(
                self.lane(item, axes, b, (*path, key)) for key, item in zip(box.keys, box.items, strict=True)
            )
            return self.like(box, items)
        assert isinstance(box, Ref)
        return self.getitem(box, (FULL,) * axes[path] + (b,))

    # -- results -----------------------------------------------------------------------------------
    def tried(self, one: Callable[[Abstract], Abstract], node: Any) -> tuple[Tree, list[Type]]:
        """Return the structure of what a trip returns and the types of its leaves; nothing is emitted."""
        state, builder, written, depth = self.state, self.builder, dict(self.written), len(self.frames)
        self.state, self.builder = state.copy(), builder.inner()
        try:
            b = Value("b", Scalar(INT, weak=True, size=self.sizes.fresh_int()))
            leaves: list[Abstract] = []
            tree = self.to_tree(one(Num(b)), leaves, node)
            return tree, [self.operand(leaf, node).type for leaf in leaves]
        finally:
            del self.frames[depth:]
            self.state, self.builder, self.written = state, builder, written

    def out_axes(self, spec: Any, tree: Tree, types: list[Type], node: Any) -> list[int]:
        """Return the axis of each leaf of the result along which the lanes are stacked."""
        axes = [0] * len(types)
        leaves: list[Abstract] = [Num(Literal(k)) for k in range(len(types))]
        for leaf, axis in self.result_axes(self.from_tree(tree, leaves), spec, node):
            rank = types[leaf].ndim + 1
            if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis < rank:
                why = f"out_axes has {axis!r} for a result of rank {rank - 1}"
                raise self.mismatch("S364", why, f"an axis is an int from {-rank} to {rank - 1}", node)
            axes[leaf] = axis % rank
        return axes

    def result_axes(self, value: Abstract, spec: Any, node: Any) -> Iterator[tuple[int, Any]]:
        """Yield the leaves of the result, and what `out_axes` says of each."""
        box = self.contents(value)
        if isinstance(box, Struct):
            for item, part in zip(box.items, self.parts(box, spec, "out_axes", node), strict=True):
                yield from self.result_axes(item, part, node)
        elif isinstance(box, Num):
            assert isinstance(box.literal, int)
            yield box.literal, spec
        elif not (isinstance(box, Static) and box.value is None):
            raise self.mismatch(
                "S365", f"vmap cannot stack {describe(box)}", "return numbers or arrays", node
            )

    def room(self, t: Type, axis: int, count: Operand, node: Any) -> Ref:
        """Return the array that the rows of one result are written to."""
        if t.dtype.kind not in "biufc":
            raise self.mismatch("S365", f"vmap cannot stack {t}", "return numbers or arrays", node)
        scope = self.sizes_in_scope(self.state)
        dims: list[Operand] = []
        for n in map(self.sizes.canonical, t.shape):
            if not scope.knows(n):
                why = "the shape of what the function under vmap returns is not known before it runs"
                raise self.mismatch(
                    "S366", why, "return an array of a shape that follows from the arguments'", node
                )
            dims.append(scope.operand(self.builder, n))
        dims.insert(axis, count)
        return self.new_buffer(self.emit("empty", *dims, name="y", dtype=t.dtype), "y")

    def put_row(self, rows: Ref, axis: int, b: Abstract, value: Abstract) -> None:
        """Write one lane's result."""
        index = (FULL,) * axis + (b,)
        row = self.getitem(rows, index)
        if isinstance(value, Ref) and isinstance(row, Ref):
            self.check_fits(value, row, stretched=False)
        self.write(rows, index, value)
