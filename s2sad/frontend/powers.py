"""`2 ** n` of ints: an int where n is not negative, which the arguments of the call tell."""

from __future__ import annotations

from typing import Any

import gast

from s2sad.errors import Origin
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.nones import Nones
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Scalar

LARGEST = 62  # the exponent of the largest power of 2 that is an int of 64 bits


class Powers(Nones):
    """Powers of 2 whose exponents are ints known when the program runs."""

    def __init__(self, sizes: Assumptions):
        super().__init__(sizes)
        self.index_ends: dict[str, tuple[Size, Size]] = {}  # indices of loops -> their first and last values

    def note_index(self, index: Value, lo: Operand, hi: Operand, step: Operand) -> None:
        """Note between which values the index of a loop is that counts up by 1."""
        first, end = (
            Size.of(int(o.value.real)) if isinstance(o, Literal) else getattr(o.type, "size", None)
            for o in (lo, hi)
        )
        if step == Literal(1) and first is not None and end is not None and isinstance(index.type, Scalar):
            self.index_ends[str(index.type.size)] = first, end - Size.of(1)

    def is_power_of_two(self, kind: Any, base: Operand, exponent: Operand, node: Any) -> bool:
        """True for `2 ** n` where n is from 0 to 62. Where the arguments of this call decide on that, it is
        assumed: a call with a negative n, of which Python makes a float, is read anew."""
        t = exponent.type
        is_two = isinstance(base, Literal) and type(base.value) is int and base.value == 2
        if kind is not gast.Pow or not is_two or isinstance(exponent, Literal) or not isinstance(t, Scalar):
            return False
        if not t.weak or t.dtype != INT or t.size is None:
            return False
        low, high = self.end_of(t.size, 0), self.end_of(t.size, 1)
        least, most = self.sizes.example(low), self.sizes.example(high)
        if least is None or most is None or least < 0 or most > LARGEST:
            return False
        where: Origin | None = self.place(node)
        self.sizes.at_least(low, 0, where)
        self.sizes.at_least(Size.of(LARGEST) - high, 0, where)
        return True

    def end_of(self, size: Size, end: int) -> Size:
        """Return the smallest (end 0) or largest (end 1) value of a size over the trips of the loops whose
        indices are in it."""
        size = self.sizes.canonical(size)
        for _ in range(len(self.index_ends)):
            found = [(a.name, k) for a, k in size.terms if a.kind == "symbol" and a.name in self.index_ends]
            if not found:
                break
            name, k = found[-1]
            value = self.index_ends[name][end if k > 0 else 1 - end]
            size = self.sizes.canonical(size.substitute({name: value}))
        return size
