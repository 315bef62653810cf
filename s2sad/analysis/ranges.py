"""Between what sizes the indices of loops lie."""

from __future__ import annotations

from collections.abc import Mapping

from s2sad.ir.core import Instr
from s2sad.ir.size import Size
from s2sad.ir.types import Scalar

Ranges = Mapping[str, tuple[Size, Size]]


def index_range(loop: Instr) -> tuple[str, Size, Size] | None:
    """Return the symbol of a loop's index with its smallest and largest value."""
    t = loop.blocks[0].params[0].type
    lo, hi, step = (a.type.size if isinstance(a.type, Scalar) else None for a in loop.args[:3])
    if not isinstance(t, Scalar) or t.size is None or len(t.size.terms) != 1 or t.size.const:
        return None
    if lo is None or hi is None or step is None or not step.is_const or step.const == 0:
        return None
    symbol = t.size.terms[0][0].name
    return (symbol, lo, hi - 1) if step.const > 0 else (symbol, hi + 1, lo)


def slope_in(n: Size, symbol: str) -> int | None:
    """Return the sign of `n`'s slope in a symbol, if it is affine in it up to a clamp."""
    if len(n.terms) == 1 and n.terms[0][0].kind == "clamp" and n.terms[0][1] > 0:
        return slope_in(n.terms[0][0].parts[0], symbol)
    slope = 0
    for atom, k in n.terms:
        if atom.kind == "symbol" and atom.name == symbol:
            slope = k
        elif symbol in Size(((atom, 1),)).symbols():
            return None
    return slope


def never_negative(n: Size, ranges: Ranges) -> bool:
    """True if `n` is not negative wherever each symbol lies between the ends given."""
    for _ in range(len(ranges) + 1):
        symbol = next((s for s in sorted(n.symbols()) if s in ranges), None)
        if symbol is None:
            return n.is_nonnegative or _without_clamps(n).is_nonnegative
        slope = slope_in(n, symbol)
        if slope is None:
            return False
        low, high = ranges[symbol]
        n = n.substitute({symbol: low if slope > 0 else high})
    return False


def _without_clamps(n: Size) -> Size:
    """Return a size that is not greater: `m` in place of each `max(m, 0)` that is added."""
    total = Size.of(n.const)
    for atom, k in n.terms:
        total = total + (atom.parts[0] if atom.kind == "clamp" and k > 0 else Size(((atom, 1),))) * k
    return total
