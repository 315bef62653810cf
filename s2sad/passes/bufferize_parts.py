"""Parts of one array that cannot overlap, whatever its size: `c[0]` and `c[1]`, `x[:2]` and `x[2:]`."""

from __future__ import annotations

from s2sad.ir.core import Instr, Literal, Operand
from s2sad.ir.path import At, Index, Item, Span

_Range = tuple[int, int | None]  # indices from, up to (None: to the end), none of them negative


def apart(one: Instr, other: Instr) -> bool:
    """True if two index operations on versions of the same array touch different elements of it."""
    left, right = _ranges(one), _ranges(other)
    return any(
        a is not None and b is not None and (_ends_before(a, b) or _ends_before(b, a))
        for a, b in zip(left, right, strict=False)
    )


def _ends_before(a: _Range, b: _Range) -> bool:
    return a[1] is not None and a[1] <= b[0]


def _ranges(instr: Instr) -> list[_Range | None]:
    """Return the range that the first step of a path takes of each dimension, where it is known."""
    path = instr.param("path")
    first = 1 if instr.op.name == "getitem" else 2  # behind x, or x and v
    rest = list(instr.args[first:])
    if not path or not isinstance(path[0], Index):
        return []
    out: list[_Range | None] = []
    for item in path[0].items:
        if not isinstance(item, At | Span):
            break  # an index array takes several dimensions, a new one none
        out.append(_range(item, rest))
    return out


def _range(item: Item, rest: list[Operand]) -> _Range | None:
    if isinstance(item, At):
        k = _number(rest.pop(0))
        return None if k is None else (k, k + 1)
    assert isinstance(item, Span)
    lo = _number(rest.pop(0)) if item.lo else 0
    hi = _number(rest.pop(0)) if item.hi else None
    if item.step:
        rest.pop(0)
    if lo is None or item.step or (item.hi and hi is None):
        return None
    return lo, hi


def _number(a: Operand) -> int | None:
    """Return a literal index that does not count from the end."""
    value = a.value if isinstance(a, Literal) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
