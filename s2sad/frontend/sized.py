"""Calls whose result has a rank or a length that depends on sizes: these are assumed to stay as they are."""

from __future__ import annotations

from typing import Any

from s2sad.frontend.streams import Streams
from s2sad.frontend.values import Abstract, Num, Ref, Static, Struct, tuple_of
from s2sad.ir.core import Literal, Value

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
