"""Whether floats decide on the course of a function: what is computed from them reaches a condition, a bound
of a loop or an index."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, End, Function, Instr, Operand, Value
from s2sad.ir.op import Kind
from s2sad.ir.types import Type, is_differentiable

BY_ELEMENT = {"where", "where0"}  # conditions of these choose, but both choices count


def follows_values(fn: Function) -> bool:
    """True if the course of the function (a branch, the trips of a loop, an index) may depend on floats: then
    what depends on what may be otherwise at other arguments of the same sizes."""
    tainted = {p for p in fn.params if is_differentiable(p.type)}
    return _Course(tainted).of(fn.block)


class _Course:
    """Follows what is computed from floats until nothing is added."""

    def __init__(self, tainted: set[Value]):
        self.tainted: set[Operand] = set(tainted)

    def of(self, block: Block) -> bool:
        while True:
            before = len(self.tainted)
            if self.block(block):
                return True
            if len(self.tainted) == before:
                return False

    def block(self, block: Block) -> bool:
        return any([self.instr(i) for i in block.instrs])

    def instr(self, instr: Instr) -> bool:
        op = instr.op
        if op.name == "call":
            callee: Function = instr.param("callee")
            if any(a in self.tainted for a in instr.args):
                self.tainted.update(instr.results)
                self.tainted.update(
                    p for p, a in zip(callee.params, instr.args, strict=True) if a in self.tainted
                )
            return self.block(callee.block)
        if op.kind is Kind.CONTROL:
            return self.control(instr)
        read = [a for k, a in enumerate(instr.args) if k not in op.shape_args and op.name != "size"]
        if any(a in self.tainted for a in read):
            self.tainted.update(instr.results)
        if op.kind in (Kind.NONDIFF, Kind.ELEMENTWISE) or op.name in BY_ELEMENT:
            return False
        return any(a in self.tainted and _counts(a.type) for a in instr.args)

    def control(self, instr: Instr) -> bool:
        if instr.op.name == "if":
            steering = [instr.args[0]]
        elif instr.op.name == "for":
            steering = list(instr.args[:3])
            self.hand_on(instr.args[3:], instr.blocks[0].params[1:])
            self.hand_on(instr.args[3:], instr.results)
        else:
            steering = list(instr.blocks[0].end.args)
            for block in instr.blocks:
                self.hand_on(instr.args, block.params)
            self.hand_on(instr.args, instr.results)
        found = any([self.block(b) for b in instr.blocks])
        for end in (e for b in instr.blocks for e in _ends(b)):
            if instr.op.name == "if":
                if end.kind == "yield":
                    self.hand_on(end.args, instr.results)
            elif end.kind in ("yield", "break", "continue") and len(end.args) == len(instr.results):
                self.hand_on(end.args, instr.results)
                for block in instr.blocks:
                    self.hand_on(end.args, block.params[len(block.params) - len(end.args) :])
        return found or any(a in self.tainted for a in steering)

    def hand_on(self, sources: Sequence[Operand], targets: Sequence[Value]) -> None:
        self.tainted.update(t for s, t in zip(sources, targets, strict=True) if s in self.tainted)


def _ends(block: Block) -> list[End]:
    """Return the ends of a block and of the branches in it that leave it."""
    inner = [
        e for i in block.instrs if i.op.name == "if" for b in i.blocks for e in _ends(b) if e.kind != "yield"
    ]
    return [*inner, block.end]


def _counts(t: Type) -> bool:
    return t.dtype.kind in "biu"
