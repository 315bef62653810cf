"""Calls whose result has a rank or a length that depends on sizes: these are assumed to stay as they are."""

from __future__ import annotations

from typing import Any

from s2sad.frontend.streams import Streams
from s2sad.frontend.values import Abstract, Num, Ref, Static, Struct
from s2sad.ir.core import Literal


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
            known = [self.sizes.pin(n, self.place(node)) for n in x.type.shape]
            if None not in known:
                axes = tuple(Num(Literal(k)) for k, n in enumerate(known) if n == 1)
                return args, {**kwargs, "axis": Struct("tuple", tuple(range(len(axes))), axes)}
        if name in ("cov", "corrcoef") and len(args) == 1 and "y" not in kwargs and x.type.ndim == 2:
            by_rows = kwargs.get("rowvar", Num(Literal(True)))
            axis = 0 if self.static_value(by_rows, "rowvar", node) else 1
            rows = x.type.shape[axis]
            if self.sizes.example(rows) == 1:  # NumPy takes the axis away
                self.sizes.pin(rows, self.place(node))
                first: Abstract = Num(Literal(0))
                whole: Abstract = Struct("slice", (0, 1, 2), (Static(None),) * 3)
                return (self.getitem(x, (first,) if axis == 0 else (whole, first)), *args[1:]), kwargs
        return args, kwargs
