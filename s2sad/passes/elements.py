"""Elements of the beginning of an array: `x[:n][k]` is `x[k]` if `0 <= k < n`, and `x[:n][-1]` is `x[n - 1]`.

Lists that loops build are held in arrays of which the first `n` items are the list: what reads an item need
not know how many there are, where that is sure to be enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from s2sad.analysis.ranges import index_range, never_negative
from s2sad.ir.core import Function, Instr, Literal, Operand, Value
from s2sad.ir.path import At, Index, Path, Span
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Rewriter

FIRST = {"getitem": 1, "setitem": 2, "accum": 2}  # where the operands of the path begin


def elements(fn: Function) -> Function:
    """Return the function with elements of beginnings read and written as elements."""
    wanted = [i for i in fn.block.walk() if i.op.name in FIRST and _is_of_beginning(i.param("path"))]
    return _Elements(fn, wanted).function(fn) if wanted else fn


def _is_of_beginning(path: Path) -> bool:
    if len(path) < 2 or not isinstance(path[0], Index) or not isinstance(path[1], Index):
        return False
    first, second = path[0].items, path[1].items
    return first[0] == Span(hi=True) and all(i == Span() for i in first[1:]) and second[0] == At()


class _Elements(Rewriter):
    def __init__(self, fn: Function, wanted: Sequence[Instr]) -> None:
        super().__init__()
        self.wanted = set(wanted)
        found = (index_range(i) for i in fn.block.walk() if i.op.name == "for")
        self.ranges = {r[0]: r[1:] for r in found if r is not None}
        self.makers = {i.results[0]: i for i in fn.block.walk() if i.results}

    def visit(self, instr: Instr) -> Sequence[Instr]:
        direct = self.direct(instr) if instr in self.wanted else None
        return (self.inside(instr),) if direct is None else direct

    def direct(self, instr: Instr) -> Sequence[Instr] | None:
        """Return what gets at the element without the slice around it, if that is the same."""
        k = FIRST[instr.op.name]
        end, index = instr.args[k : k + 2]
        n, i = _size(end), _size(index)
        assert isinstance(instr.args[0].type, Array)
        length = instr.args[0].type.shape[0]
        if n is None or i is None:
            return None
        before: list[Instr] = []
        if never_negative(i, self.ranges):
            if not never_negative(n - 1 - i, self.ranges):
                return None
        elif i.is_const and never_negative(n + i, self.ranges) and never_negative(length - n, self.ranges):
            index = self.counted_back(end, -i.const, instr, before)
        else:
            return None
        args = (*instr.args[:k], index, *instr.args[k + 2 :])
        path = instr.param("path")[1:]
        params = tuple((key, path if key == "path" else value) for key, value in instr.params)
        return (*before, self.inside(replace(instr, args=args, params=params)))

    def counted_back(self, end: Operand, count: int, instr: Instr, before: list[Instr]) -> Operand:
        """Return `end - count`."""
        maker = self.makers.get(end) if isinstance(end, Value) else None
        if maker is not None and maker.op.name == "add" and maker.args[1] == Literal(count):
            return maker.args[0]
        size = _size(end)
        assert size is not None
        result = Value("", Scalar(end.type.dtype, True, size - count))
        role = instr.role
        before.append(
            Instr(OPS["subtract"], (end, Literal(count)), (result,), origin=instr.origin, role=role)
        )
        return result


def _size(a: Operand) -> Size | None:
    return a.type.size if isinstance(a.type, Scalar) else None
