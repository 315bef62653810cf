"""Bytes as formulas in sizes: `16*n*x.0 bytes`."""

from __future__ import annotations

from collections.abc import Iterable

from s2sad.ir.size import Size
from s2sad.ir.types import Array, Type


def memory(types: Iterable[Type]) -> str:
    """Return the bytes of values of these types: a sum of products of sizes, in a fixed order."""
    totals: dict[tuple[str, ...], int] = {}
    for t in types:
        count, factors = t.dtype.itemsize, []
        for size in t.shape if isinstance(t, Array) else ():
            if size.is_const:
                count *= size.const
            else:
                factors.append(_factor(size))
        key = tuple(sorted(factors))
        totals[key] = totals.get(key, 0) + count
    terms = [
        "*".join([str(k), *key])
        for key, k in sorted(totals.items(), key=lambda item: (-len(item[0]), item[0]))
        if k
    ]
    return " + ".join(terms or ["0"]) + " bytes"


def _factor(size: Size) -> str:
    plain = len(size.terms) == 1 and not size.const and size.terms[0][1] == 1
    return str(size) if plain else f"({size})"
