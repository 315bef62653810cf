"""Elements of the beginning of an array: `x[:n][k]` is `x[k]` if `0 <= k < n`, and `x[:n][-1]` is `x[n - 1]`.

Lists that loops build are held in arrays of which the first `n` items are the list: what reads an item need
not know how many there are, where that is sure to be enough. An element `x[n:][k]` of the rest is `x[k + n]`.

Index arrays made by `np.arange` hit no element twice: `x[np.arange(n), labels]` is marked as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from s2sad.analysis.ranges import index_range, never_negative
from s2sad.ir.core import Function, Instr, Literal, Operand, Value
from s2sad.ir.path import At, Fancy, Index, Path, Span, operand_count
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array, Scalar
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

FIRST = {"getitem": 1, "setitem": 2, "accum": 2}  # where the operands of the path begin


def elements(fn: Function) -> Function:
    """Return the function with elements of slices read and written as elements, and marked index arrays."""
    places = [i for i in fn.block.walk() if i.op.name in FIRST]
    sliced = {i for i in places if _is_element_of_slice(i.param("path"))}
    makers = {i.results[0]: i for i in fn.block.walk() if i.results}
    marked = {i: path for i in places if (path := _marked(i, makers)) is not None}
    return _Elements(fn, sliced, marked, makers).function(fn) if sliced or marked else fn


def _is_element_of_slice(path: Path) -> bool:
    if len(path) < 2 or not isinstance(path[0], Index) or not isinstance(path[1], Index):
        return False
    (first, *others), second = path[0].items, path[1].items
    is_slice = isinstance(first, Span) and (first.lo or first.hi) and not first.step
    return is_slice and all(i == Span() for i in others) and second[0] == At()


def _marked(instr: Instr, makers: Mapping[Value, Instr]) -> Path | None:
    """Return the path with index arrays marked that hit nothing twice, if there are any."""
    path: Path = instr.param("path")
    if len(path) != 1 or not isinstance(path[0], Index):
        return None
    items, rest = list(path[0].items), list(instr.args[FIRST[instr.op.name] :])
    arrays: list[tuple[int, Operand]] = []
    for k, item in enumerate(items):
        operands = [rest.pop(0) for _ in range(operand_count((Index((item,)),)))]
        if isinstance(item, Fancy):
            if item.mask or item.distinct or operands[0].type.ndim != 1:
                return None
            arrays.append((k, operands[0]))
    for k, a in arrays:
        counted = isinstance(a, Value) and a in makers and _counts_up(makers[a])
        n = a.type.shape[0]
        if counted and all(b.type.shape[0] == n or b.type.shape[0].is_one for _, b in arrays):
            items[k] = Fancy(distinct=True)
            return (Index(tuple(items)),)
    return None


def _counts_up(maker: Instr) -> bool:
    """True for `np.arange(n)`."""
    return maker.op.name == "arange" and maker.args[0] == Literal(0) and maker.args[2] == Literal(1)


class _Elements(Rewriter):
    def __init__(
        self, fn: Function, sliced: set[Instr], marked: Mapping[Instr, Path], makers: Mapping[Value, Instr]
    ) -> None:
        super().__init__()
        self.sliced, self.marked, self.makers = sliced, marked, makers
        found = (index_range(i) for i in fn.block.walk() if i.op.name == "for")
        self.ranges = {r[0]: r[1:] for r in found if r is not None}

    def visit(self, instr: Instr) -> Sequence[Instr]:
        if instr in self.marked:
            return (self.inside(_with_path(instr, instr.args, self.marked[instr])),)
        direct = self.direct(instr) if instr in self.sliced else None
        return (self.inside(instr),) if direct is None else direct

    def direct(self, instr: Instr) -> Sequence[Instr] | None:
        """Return what gets at the element without the slice around it, if that is the same."""
        path: Path = instr.param("path")
        assert isinstance(path[0], Index)
        span = path[0].items[0]
        assert isinstance(span, Span)
        first = FIRST[instr.op.name]
        bounds = list(instr.args[first : first + span.lo + span.hi])
        start: Operand = bounds.pop(0) if span.lo else Literal(0)
        index = instr.args[first + span.lo + span.hi]
        before: list[Instr] = []
        place = self.place(instr, start, bounds[0] if bounds else None, index, before)
        if place is None:
            return None
        args = (*instr.args[:first], place, *instr.args[first + span.lo + span.hi + 1 :])
        return (*before, self.inside(_with_path(instr, args, path[1:])))

    def place(
        self, instr: Instr, start: Operand, end: Operand | None, index: Operand, before: list[Instr]
    ) -> Operand | None:
        """Return where element `index` of `x[start:end]` is in `x`, if that is known; what computes it goes
        to `before`."""
        i, lo, n = _size(index), _size(start), _size(end) if end is not None else None
        if i is None or lo is None or (n is None and end is not None):
            return None
        if self.never_negative(i) and self.never_negative(lo):
            if n is not None and not self.never_negative(n - lo - 1 - i):
                return None
            return index if start == Literal(0) else _computed("add", index, start, instr, before)
        if end is None or n is None or not i.is_const or start != Literal(0):
            return None
        assert isinstance(instr.args[0].type, Array)
        if not self.never_negative(n + i) or not self.never_negative(instr.args[0].type.shape[0] - n):
            return None
        maker = self.makers.get(end) if isinstance(end, Value) else None
        if maker is not None and maker.op.name == "add" and maker.args[1] == Literal(-i.const):
            return maker.args[0]
        return _computed("subtract", end, Literal(-i.const), instr, before)

    def never_negative(self, n: Size) -> bool:
        """True if a size is known not to be negative."""
        return never_negative(n, self.ranges)


def _computed(op: str, a: Operand, b: Operand, like: Instr, before: list[Instr]) -> Operand | None:
    """Return the sum or difference of two Python ints."""
    n, m = _size(a), _size(b)
    if n is None or m is None or not all(isinstance(v.type, Scalar) and v.type.weak for v in (a, b)):
        return None
    size = n + m if op == "add" else n - m
    if size.is_const:
        return Literal(size.const)
    result = Value("", Scalar(INT, True, size))
    before.append(Instr(OPS[op], (a, b), (result,), origin=like.origin, role=like.role))
    return result


def _with_path(instr: Instr, args: tuple[Operand, ...], path: Path) -> Instr:
    params = tuple((key, path if key == "path" else value) for key, value in instr.params)
    return replace(instr, args=args, params=params)


def _size(a: Operand) -> Size | None:
    return a.type.size if isinstance(a.type, Scalar) else None
