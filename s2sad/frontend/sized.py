"""Calls whose result has a rank or a length that depends on sizes: these are assumed to stay as they are."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from typing import Any

import gast

from s2sad.frontend.streams import Streams
from s2sad.frontend.values import Abstract, Num, Ref, Static, Struct, tuple_of
from s2sad.ir.core import Literal, Value
from s2sad.ir.size import Size
from s2sad.ops.call import expr, exprs
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply
from s2sad.ops.meaning_reduce import reduce_

SPLIT_ALONG = {"split": 0, "vsplit": 0, "hsplit": 1, "dsplit": 2}
FULL = Struct("slice", (0, 1, 2), (Static(None),) * 3)


class Sized(Streams):
    """Arguments made definite by facts about sizes."""

    def sized(
        self, name: str, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> tuple[tuple[Abstract, ...], dict[str, Abstract]]:
        """Return the arguments of a call with what follows from the sizes of this call."""
        x = self.contents(args[0]) if args else None
        if not isinstance(x, Ref):
            return args, kwargs
        if name == "squeeze" and len(args) == 1 and "axis" not in kwargs:
            pinned = [self.sizes.pin(n, self.place(node)) for n in x.type.shape]
            if None not in pinned:
                axes = tuple(Num(Literal(k)) for k, n in enumerate(pinned) if n == 1)
                return args, {**kwargs, "axis": tuple_of(axes)}
        if name == "reshape":
            given = [kwargs[k] for k in ("shape", "newshape") if k in kwargs]
            self.check_reshape(x, (*args[1:], *given), node)
        if name in SPLIT_ALONG and len(args) > 1:
            along = kwargs.get("axis", args[2] if len(args) > 2 else Num(Literal(SPLIT_ALONG[name])))
            self.check_division(x, args[1], along, node)
        if name in ("cov", "corrcoef") and len(args) == 1 and "y" not in kwargs and x.type.ndim == 2:
            by_rows = kwargs.get("rowvar", Num(Literal(True)))
            axis = 0 if self.static_value(by_rows, "rowvar", node) else 1
            rows = x.type.shape[axis]
            known = self.sizes.example(rows)
            if known is not None and known > 1:
                self.sizes.at_least(rows, 2, self.place(node))
            elif known is not None:
                self.sizes.pin(rows, self.place(node))
            if known == 1:  # NumPy takes the axis away
                first: Abstract = Num(Literal(0))
                return (self.getitem(x, (first,) if axis == 0 else (FULL, first)), *args[1:]), kwargs
        return args, kwargs

    def check_reshape(self, x: Ref, shape: tuple[Abstract, ...], node: Any) -> None:
        """Assume that the elements of an array fit a shape; where those of this call do not, emit the check
        of np.reshape: a derivative may not need its result, and must raise all the same."""
        parts = [self.contents(part) for part in shape]
        items = [i for p in parts for i in (p.items if isinstance(p, Struct) else (p,))]
        dims: list[Size] = []
        for item in items:
            n = item.literal if isinstance(item, Num) else None
            t = item.operand.type if isinstance(item, Num) else None
            size = Size.of(n) if isinstance(n, int) else getattr(t, "size", None)
            if size is None:
                return
            dims.append(self.sizes.canonical(size))
        known = [k for k, n in enumerate(dims) if n != Size.of(-1)]
        count, wanted = product(map(self.sizes.canonical, x.type.shape)), product(dims[k] for k in known)
        elements, room = self.sizes.example(count), self.sizes.example(wanted)
        if elements is None or room is None or room <= 0 < len(dims) - len(known) or room < 0:
            return
        rest = count - (wanted if len(known) == len(dims) else count // wanted * wanted)
        if self.sizes.example(rest) == 0:
            self.sizes.vanishes(rest, self.place(node))
            return
        self.sizes.vanishes(count - elements, self.place(node))  # the message tells the sizes of this call
        self.sizes.vanishes(wanted - room, self.place(node))
        one: Abstract = Num(Literal(1))
        found, needed = one, one
        for axis in range(x.type.ndim):
            found = self.binary(gast.Mult, found, self.size(x, axis), node)
        for k in known:
            needed = self.binary(gast.Mult, needed, items[k], node)
        if len(known) < len(dims):
            found, needed = self.binary(gast.Mod, found, needed, node), Num(Literal(0))
        text = ",".join(
            "newaxis" if k not in known else str(self.sizes.example(n)) for k, n in enumerate(dims)
        )
        message = f"cannot reshape array of size {elements} into shape ({text})"
        self.guard(self.emit("equal", self.operand(found), self.operand(needed)), ValueError, message)

    def check_division(self, x: Ref, parts: Abstract, axis: Abstract, node: Any) -> None:
        """Emit the check of np.split that a dimension can be divided: of an array without elements, reshaping
        it would not tell."""
        k = self.static_int(axis, "axis", node)
        sections = parts.literal if isinstance(parts, Num) else None
        if x.type.ndim > 1 and -x.type.ndim <= k < x.type.ndim and isinstance(sections, int) and sections > 0:
            n = self.size(x, k % x.type.ndim).operand
            if isinstance(n, Value):
                rest = self.emit("remainder", n, Literal(sections))
                message = "array split does not result in an equal division"
                self.guard(self.emit("equal", rest, Literal(0)), ValueError, message)

    def check_values(self, name: str, given: dict[str, Any], node: Any) -> None:
        """Emit the checks that NumPy makes of values: indices that do not exist would raise another error."""
        if name == "interp":
            points = given["xp"]
            count = points.dims[0] if isinstance(points, Expr) and points.ndim else Size.of(1)
            if points == () or count == Size.of(0):
                raise self.mismatch("S319", "ValueError: array of sample points is empty", "", node)
            if self.sizes.example(count):
                self.sizes.at_least(count, 1, self.place(node))
            elif not count.is_const:
                there = self.absorb(apply("greater", apply("size", points, axis=0), 0), {})
                self.guard(self.operand(there), ValueError, "array of sample points is empty")
        if name == "choose" and given.get("mode", "raise") == "raise":
            index, choices = expr(given["a"]), given["choices"]
            listed = isinstance(choices, Expr) and choices.ndim and choices.dims[0].is_const
            n = choices.dims[0].const if listed else len(exprs(choices))
            known = literal_value(index)
            if isinstance(known, int) and not 0 <= known < n:
                raise self.mismatch("S319", "ValueError: invalid entry in choice array", "", node)
            exists = apply("bitwise_and", index >= 0, index < n)
            chosen = self.absorb(reduce_("all", exists, None, False) if index.is_array else exists, {})
            self.guard(self.operand(chosen), ValueError, "invalid entry in choice array")

    def unstacked(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract | None:
        """Return the tuple that np.unstack makes of an array of the length of this call."""
        x = self.contents(args[0]) if len(args) == 1 else None
        axis = self.static_int(kwargs.get("axis", Num(Literal(0))), "axis", node)
        if not isinstance(x, Ref) or not -x.type.ndim <= axis < x.type.ndim:
            return None
        count = self.sizes.pin(x.type.shape[axis], self.place(node))
        if count is None:
            return None
        before = (FULL,) * (axis % x.type.ndim)
        items = tuple(self.getitem(x, (*before, Num(Literal(k)))) for k in range(count))
        return tuple_of(items)


def product(sizes: Iterable[Size]) -> Size:
    """Return the product of sizes."""
    return functools.reduce(operator.mul, sizes, Size.of(1))
