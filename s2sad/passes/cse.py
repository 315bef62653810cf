"""Common subexpressions: generated code reads what is computed already instead of computing it again.

The user's instructions are never joined with each other: the text stays as it was written. Generated
ones may read a dominating value of the user's, but do not take cheap arithmetic out of its expressions.
What prints as shortly as a name (`x[i]`, `i - 1`, a view) is written out again by `repeat`, at the end.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.op import Kind
from s2sad.ir.types import Array, Scalar
from s2sad.passes.rewrite import Rewriter
from s2sad.passes.site import is_int
from s2sad.record import replace

# Each call makes an array of its own, to be written to: sharing one would only bring back a copy.
OWN = frozenset(
    ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "copy", "undef")
)

SCALES = ("multiply", "divide")


def cse(fn: Function) -> Function:
    """Return the function with repeated generated instructions replaced by the first one's result."""
    return _Joiner().function(fn)


def share_reads(fn: Function) -> Function:
    """Return the function with every element of an array read once, the user's code included: for what
    is derived from it, which would keep each of them on a tape."""
    return _Joiner(reads=True).function(fn)


class _Joiner(Rewriter):
    def __init__(self, reads: bool = False) -> None:
        super().__init__()
        self.reads = reads
        self.known: dict[Hashable, Instr] = {}
        self.scaled: dict[Value, Instr] = {}  # products and quotients
        self.same: dict[Value, Operand] = {}  # equal values of which both stay
        self.before: list[dict[Hashable, Instr | None]] = []  # what the blocks we are in have overridden

    def block(self, block: Block) -> Block:
        self.before.append({})
        new = super().block(block)
        for key, instr in self.before.pop().items():
            if instr is None:
                del self.known[key]
            else:
                self.known[key] = instr
        return new

    def know(self, key: Hashable, instr: Instr) -> None:
        self.before[-1].setdefault(key, self.known.get(key))
        self.known[key] = instr

    def visit(self, instr: Instr) -> Sequence[Instr]:
        new = self.inside(instr)
        if new.op.name in SCALES:
            self.scaled[new.result] = new
        elif new.op.name == "sum" and new.role:
            new = self.of_known_sum(new)
        if new.blocks or not new.op.pure or not new.results or new.op.name in OWN or new.op.name == "call":
            return (new,)
        if all(isinstance(a, Literal) for a in new.args):  # a number is as well written twice
            return (new,)
        key = self.key(new)
        first = self.known.get(key)
        if first is None:
            self.know(key, new)
            return (new,)
        if self.reads and new.op.name == "getitem" and not new.results[0].name:
            self.map[new.results[0]] = first.results[0]
            return ()
        if new.role and _is_cheap_part(first):  # the user's expression stays as it is written
            self.know(key, new)
            return self.both(new, first)
        if new.role and (first.results[0].name or not _is_short(new)):
            for old, result in zip(new.results, first.results, strict=True):
                if first.role:
                    self.replaced(old, result)
                else:
                    self.map[old] = result
            return ()
        if new.results[0].name and not first.results[0].name:  # later ones had better read that
            self.know(key, new)
        return self.both(new, first)

    def of_known_sum(self, instr: Instr) -> Instr:
        """Return `sum(a) / c` for `sum(a / c)` where c is one number for each sum and `sum(a)` is known: what
        the largest element gets back in a softmax. The factor comes last."""
        scaled = self.scaled.get(instr.args[0]) if isinstance(instr.args[0], Value) else None
        for k in range(0 if scaled is None else 2 if scaled.op.commutes else 1):
            assert scaled is not None
            a, factor = scaled.args[k], scaled.args[1 - k]
            first = self.known.get(self.key(replace(instr, args=(a,))))
            if first is not None and _is_one_each(factor, a, instr):
                return replace(instr, op=scaled.op, args=(first.result, factor), params=())
        return instr

    def both(self, new: Instr, first: Instr) -> Sequence[Instr]:
        """Keep an instruction beside an equal one."""
        self.same.update(zip(new.results, first.results, strict=True))
        return (new,)

    def key(self, instr: Instr) -> Hashable:
        args = tuple(self.same.get(a, a) if isinstance(a, Value) else a for a in instr.args)
        return (instr.op, instr.params, frozenset(args) if instr.op.commutes else args)


def _is_one_each(factor: Operand, a: Operand, summed: Instr) -> bool:
    """True if a factor of the elements of `a` is the same for all that are summed together."""
    if not isinstance(a.type, Array) or a.type.dtype != summed.result.type.dtype:
        return False
    if isinstance(factor.type, Scalar):
        return True
    is_aligned = bool(summed.param("keepdims")) and a.type.ndim == factor.type.ndim
    return is_aligned and factor.type.shape == summed.result.type.shape


def _is_cheap_part(instr: Instr) -> bool:
    """True for a step of arithmetic inside an expression of the user's."""
    if instr.role or instr.results[0].name or is_int(instr.results[0].type):
        return False
    return instr.op.cost == 1 and instr.op.kind is Kind.ELEMENTWISE


def _is_short(instr: Instr) -> bool:
    """True for what is written out wherever it is read, by emit: `x.shape[0]`."""
    return instr.op.name == "size"
