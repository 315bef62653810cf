"""Loops whose indices count from the end if they are negative: where the first and the last are not, a copy
of the loop runs that does not ask."""

from __future__ import annotations

from dataclasses import replace

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.types import WEAK_BOOL
from s2sad.ir.walk import Copier, substitute
from s2sad.lowering.code import ZERO
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.nests.order import DOWN, UP
from s2sad.lowering.ops import LOWERED
from s2sad.ops.table import OPS

MOST = 60  # instructions of a loop that is written twice


def unwrapped(fn: Function) -> Function:
    """Return the function with two copies of such innermost loops."""
    if not any(i.op.name == "wrap" for i in fn.block.walk()):
        return fn
    return replace(fn, block=_Unwrapper(Forms(fn.block)).block(fn.block))


class _Unwrapper:
    def __init__(self, forms: Forms) -> None:
        self.forms = forms

    def block(self, block: Block) -> Block:
        """Return a block with the loops in it written twice."""
        instrs: list[Instr] = []
        for instr in block.instrs:
            if instr.blocks:
                instr = replace(instr, blocks=tuple(map(self.block, instr.blocks)))
            instrs += self.loop(instr) if instr.op.name == "for" else (instr,)
        return Block(block.params, tuple(instrs), block.end)

    def loop(self, loop: Instr) -> list[Instr]:
        """Return a loop, or a choice of two."""
        (body,) = loop.blocks
        if loop.args[2] not in (UP, DOWN) or any(i.blocks for i in body.instrs) or len(body.instrs) > MOST:
            return [loop]
        inside = {r for i in body.instrs for r in i.results} | set(body.params)
        index = body.params[0]
        wraps: dict[Value, Operand] = {}
        forms: list[Linear] = []
        for i in body.instrs:
            if i.op.name != "wrap":
                continue
            form = self.forms.of(i.args[0])
            if form.factor(index) and not any(a in inside for a in form.atoms() if a is not index):
                wraps[i.result] = i.args[0]
                forms.append(form)
        if not wraps:
            return [loop]
        made: list[Instr] = []
        lo, hi, step = loop.args[:3]
        last = self.emit(made, loop, "subtract", hi, step)
        natural: Operand | None = None
        for form in dict.fromkeys(forms):
            for end in (lo, last):
                found = self.emit(made, loop, "greater_equal", self.at(made, loop, form, index, end), ZERO)
                natural = found if natural is None else self.emit(made, loop, "both", natural, found)
        assert natural is not None
        copier = Copier(Sizes())
        copy = copier.instr(loop)
        plain: dict[Value, Operand] = {}
        for r, a in wraps.items():
            marked = copier.map[r]
            assert isinstance(marked, Value)
            plain[marked] = copier.operand(a)
        (inner,) = copy.blocks
        kept = tuple(i for i in inner.instrs if not any(r in plain for r in i.results))
        simple = substitute(Block(inner.params, kept, inner.end), plain)
        then = Block((), (replace(copy, blocks=(simple,)),), End("yield", copy.results))
        results = tuple(Value(r.name, r.type) for r in loop.results)
        other = Block((), (replace(loop, results=results),), End("yield", results))
        choice = Instr(OPS["if"], (natural,), loop.results, (), (then, other), loop.origin, loop.role)
        return [*made, choice]

    def at(self, made: list[Instr], loop: Instr, form: Linear, index: Value, end: Operand) -> Operand:
        """Append what computes a form at an index."""
        total: Operand = Literal(form.const)
        for atom, k in sorted(form.terms, key=lambda term: (term[0] is not index, term[1])):
            a = end if atom is index else atom
            part = a if k == 1 else self.emit(made, loop, "multiply", a, Literal(k))
            total = part if total == ZERO else self.emit(made, loop, "add", part, total)
        return total

    def emit(self, made: list[Instr], loop: Instr, name: str, a: Operand, b: Operand) -> Operand:
        """Append an operation on integers or conditions and return its result."""
        op = LOWERED[name] if name in LOWERED else OPS[name]
        value = Value("", WEAK_BOOL if name in ("greater_equal", "both") else loop.blocks[0].params[0].type)
        made.append(Instr(op, (a, b), (value,), (), (), loop.origin, loop.role))
        return value
