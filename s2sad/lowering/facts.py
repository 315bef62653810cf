"""Checks, at the head of a lowered function, of what it was built to assume about sizes. Loops do not
raise by themselves where NumPy would, so every assumption is checked."""

from __future__ import annotations

from collections.abc import Mapping

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Function, Literal, Operand
from s2sad.ir.size import Atom, Size
from s2sad.ir.types import Array, Sparse
from s2sad.lowering.code import ZERO, Code
from s2sad.lowering.slices import normalized
from s2sad.passes.base import sizes_after

SPARSE_SIZES = ("sparse_rows", "sparse_columns")


class Assumed(Sizes):
    """Sizes that a function's facts make equal, as they are checked at its head."""

    def __init__(self, fn: Function) -> None:
        super().__init__()
        self.count = sizes_after(fn).count
        self.selected = sizes_after(fn).selected
        names = {p.name for p in fn.params}
        self.equal: dict[Size, Size] = {}
        for fact in fn.facts:
            pair = (self.canonical(fact.left), self.canonical(fact.right))
            known = all(name.partition(".")[0] in names for size in pair for name in size.symbols())
            if known and pair[0] != pair[1] and not pair[0].is_const:
                self.equal[pair[0]] = pair[1]

    def canonical(self, size: Size) -> Size:
        """Return the representative of all sizes that are checked to be equal to this one."""
        while self.equal and size in self.equal:
            size = self.equal[size]
        return size


def check_facts(code: Code, fn: Function) -> None:
    """Append a test that raises ValueError for each fact of the function."""
    if not fn.facts:
        return
    symbols: dict[str, Operand] = {}
    for p in fn.params:
        if isinstance(p.type, Array):
            symbols |= {f"{p.name}.{k}": code.op("size", p, axis=k) for k in range(p.type.ndim)}
        elif isinstance(p.type, Sparse):
            symbols |= {f"{p.name}.{k}": code.op(name, p) for k, name in enumerate(SPARSE_SIZES)}
        elif p.type.dtype.kind in "iu":
            symbols[p.name] = p
    for fact in dict.fromkeys(fn.facts):
        if not (fact.left.symbols() | fact.right.symbols()) <= symbols.keys():
            continue  # a size that is known at run time only: checked where it arises
        code.origin = fact.origin
        differ = code.differ(number(code, fact.left, symbols), number(code, fact.right, symbols))
        code.fail_if(differ, ValueError, f"{fact.left} must equal {fact.right}")


def number(code: Code, size: Size, symbols: Mapping[str, Operand]) -> Operand:
    """Return the operand that holds a size, computed from the operands of its symbols."""
    total: Operand = Literal(size.const)
    for atom, k in size.terms:
        total = code.add(total, code.mul(_atom(code, atom, symbols), Literal(k)))
    return total


def _atom(code: Code, atom: Atom, symbols: Mapping[str, Operand]) -> Operand:
    if atom.kind == "symbol":
        return symbols[atom.name]
    parts = [number(code, p, symbols) for p in atom.parts]
    match atom.kind:
        case "clamp":
            return code.maximum(parts[0], ZERO)
        case "minimum":
            return code.minimum(*parts)
        case "product":
            return code.product(parts)
        case "slice":
            return normalized(code, *parts)[1]
        case _:
            return code.floordiv(*parts)
