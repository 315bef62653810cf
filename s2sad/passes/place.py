"""Which element a read or write is about, as far as literal indices tell."""

from __future__ import annotations

from s2sad.ir.core import Instr, Literal, Operand
from s2sad.ir.path import At, Index, Path

WRITING = ("setitem", "accum")
Place = tuple[int | None, ...]


def element(instr: Instr) -> Place | None:
    """Return the index of the one element that a getitem, setitem or accum is about, None standing for
    an index that is not a literal; None if it is about more than one."""
    path: Path = instr.param("path")
    if len(path) != 1 or not isinstance(path[0], Index) or not path[0].items:
        return None
    if not all(isinstance(item, At) for item in path[0].items):
        return None
    return tuple(map(_number, instr.args[2:] if instr.op.name in WRITING else instr.args[1:]))


def _number(a: Operand) -> int | None:
    return a.value if isinstance(a, Literal) and isinstance(a.value, int) else None


def are_apart(a: Place, b: Place) -> bool:
    """True if the elements are certainly different: some index is, counted from the same end."""
    return any(
        i is not None and j is not None and i != j and (i < 0) == (j < 0) for i, j in zip(a, b, strict=True)
    )
