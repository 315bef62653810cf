"""Simplification: local rewrites that a person would have made while writing.

The rewrites are rows of tables (`rows_*.py`), tried on each instruction in order until none fits;
branches and loops whose condition is known are resolved here. The user's own instructions are left as
they are written.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Leaving, Rewriter, fits
from s2sad.passes.rows_algebra import ALGEBRA
from s2sad.passes.rows_arrays import ARRAYS
from s2sad.passes.rows_signs import SIGNS
from s2sad.passes.rows_writes import WRITES
from s2sad.passes.site import Definitions, Made, Row, Site
from s2sad.record import replace

ROWS = (*ALGEBRA, *SIGNS, *ARRAYS, *WRITES)
LIMIT = 16  # rewrites of one instruction; every row makes it shorter, so this is not reached


def simplify(fn: Function) -> Function:
    """Return the function with generated instructions rewritten by the tables."""
    return _Simplifier(fn).function(fn)


def _by_op(rows: tuple[Row, ...]) -> dict[str, tuple[Row, ...]]:
    names = {name for row in rows for name in row.ops}
    return {name: tuple(row for row in rows if name in row.ops) for name in sorted(names)}


_ROWS_OF = _by_op(ROWS)


class _Simplifier(Rewriter):
    def __init__(self, fn: Function) -> None:
        super().__init__()
        self.defined = Definitions({}, {}, dict(fn.block.counts))
        self.known: dict[Value, bool] = {}  # conditions decided by the branch that we are in
        self.blocks = 0
        self.here = 0

    def block(self, block: Block) -> Block:
        outer = self.here
        self.blocks += 1
        self.here = self.blocks
        new = super().block(block)
        self.here = outer
        return new

    def visit(self, instr: Instr) -> Sequence[Instr] | Leaving:
        match instr.op.name:
            case "if":
                return self.branch(instr)
            case "for" if _no_trips(self.operands(instr.args[:3])):
                return self.dropped(instr, instr.args[3:])
            case "while" if _never(instr.blocks[0]):
                return self.dropped(instr, instr.args)
        new = self.inside(instr)
        if new.role and new.op.name in _ROWS_OF and len(new.results) == 1:
            return self.rewritten(new)
        return self.noted(new)

    def branch(self, instr: Instr) -> Sequence[Instr] | Leaving:
        condition = self.operand(instr.args[0])
        source, is_plain = self.asked(condition)
        known = source.value if isinstance(source, Literal) else self.known.get(source)
        if known is not None:
            return self.inlined(instr, instr.blocks[0 if bool(known) == is_plain else 1])
        assert isinstance(source, Value)
        blocks = []
        for value, block in zip((is_plain, not is_plain), instr.blocks, strict=True):
            self.known[source] = value
            blocks.append(self.block(block))
        del self.known[source]
        if condition is instr.args[0] and all(n is o for n, o in zip(blocks, instr.blocks, strict=True)):
            return self.noted(instr)
        return self.noted(replace(instr, args=(condition,), blocks=tuple(blocks)))

    def asked(self, condition: Operand) -> tuple[Operand, bool]:
        """Return what a condition is about: itself, or what it is the contrary of."""
        is_plain = True
        while isinstance(condition, Value) and (found := self.defined.by.get(condition)) is not None:
            if found.op.name != "not_":
                break
            condition, is_plain = self.operand(found.args[0]), not is_plain
        return condition, is_plain

    def end(self, end: End) -> End:
        """Return the end, with conditions handed on that are known where it stands."""
        end = super().end(end)
        if end.kind != "yield" or not any(a in self.known for a in end.args):
            return end
        told: dict[Operand, Operand] = {a: Literal(value) for a, value in self.known.items()}
        return replace(end, args=tuple(told.get(a, a) for a in end.args))

    def inlined(self, instr: Instr, block: Block) -> Sequence[Instr] | Leaving:
        instrs: list[Instr] = []
        for inner in block.instrs:
            new = self.visit(inner)
            if isinstance(new, Leaving):
                return Leaving((*instrs, *new.instrs), new.end)
            instrs += new
        end = self.end(block.end)
        if end.kind != "yield":
            return Leaving(tuple(instrs), end)
        return (*instrs, *self.dropped(instr, end.args))

    def dropped(self, instr: Instr, values: tuple[Operand, ...]) -> Sequence[Instr]:
        casts: list[Instr] = []
        for result, old in zip(instr.results, values, strict=True):
            value = self.operand(old)
            if fits(value, result.type):
                self.replaced(result, value)
            else:  # a Python number for a NumPy scalar
                params = (("dtype", result.type.dtype),)
                cast = Instr(OPS["cast"], (value,), (result,), params, (), instr.origin, instr.role)
                casts += self.noted(cast)
        return casts

    def replaced(self, old: Value, new: Operand) -> None:
        super().replaced(old, new)
        if isinstance(new, Value):
            uses = self.defined.uses
            uses[new] = uses.get(new, 0) + uses.get(old, 0)

    def noted(self, instr: Instr) -> tuple[Instr, ...]:
        for result in instr.results:
            self.defined.by[result] = instr
            self.defined.block[result] = self.here
        return (instr,)

    def rewritten(self, instr: Instr) -> Sequence[Instr]:
        made: list[Instr] = []
        for _ in range(LIMIT):
            answer = None
            for row in _ROWS_OF.get(instr.op.name, ()):
                answer = row.apply(Site(instr, self.defined, self.here))
                if answer is not None:
                    break
            if answer is None:
                break
            self.count(instr.args, -1)
            if not isinstance(answer, Made):
                self.replaced(instr.result, answer)
                return made
            args = self.operands_of(answer, instr, made)
            instr = replace(instr, op=OPS[answer.op], args=args, params=answer.params)
            self.count(args, 1)
        return (*made, *self.noted(instr))

    def operands_of(self, answer: Made, instr: Instr, made: list[Instr]) -> tuple[Operand, ...]:
        """Return the operands for an answer; the instructions for inner answers go to `made`."""
        args: list[Operand] = []
        for a in answer.args:
            if isinstance(a, Made):
                assert a.type is not None, "an inner instruction states its type"
                operands = self.operands_of(a, instr, made)
                like = a.like or instr
                result = Value(a.like.result.name if a.like else "", a.type)
                inner = Instr(OPS[a.op], operands, (result,), a.params, (), like.origin, like.role)
                self.count(operands, 1)
                made += self.rewritten(inner)
                args.append(self.operand(result))
            else:
                args.append(a)
        return tuple(args)

    def count(self, args: tuple[Operand, ...], change: int) -> None:
        """Count reads that come or go, and those of instructions that nobody reads any more."""
        uses = self.defined.uses
        for a in args:
            if isinstance(a, Value):
                uses[a] = uses.get(a, 0) + change
                source = self.defined.by.get(a)
                if change < 0 and not uses[a] and source is not None and source.op.pure and not source.blocks:
                    self.count(source.args, change)


def _no_trips(bounds: tuple[Operand, ...]) -> bool:
    numbers = [a.value for a in bounds if isinstance(a, Literal) and isinstance(a.value, int)]
    return len(numbers) == 3 and numbers[2] != 0 and not range(numbers[0], numbers[1], numbers[2])


def _never(cond: Block) -> bool:
    return not cond.instrs and isinstance(a := cond.end.args[0], Literal) and not a.value
