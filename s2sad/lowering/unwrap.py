"""Loops whose indices count from the end if they are negative: where the first and the last are not, a copy
of the loop runs that does not ask."""

from __future__ import annotations

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, End, Function, Instr, Operand, Value
from s2sad.ir.types import WEAK_BOOL, Scalar
from s2sad.ir.walk import Copier, expanded, substitute
from s2sad.lowering.code import ZERO
from s2sad.lowering.nests.affine import Forms
from s2sad.lowering.nests.order import DOWN, UP
from s2sad.lowering.ops import LOWERED
from s2sad.ops.table import OPS
from s2sad.record import replace

MOST = 60  # instructions of a loop that is written twice


def unwrapped(fn: Function) -> Function:
    """Return the function with two copies of such innermost loops."""
    if not any(i.op.name == "wrap" for i in fn.block.walk()):
        return fn
    return replace(fn, block=expanded(fn.block, _Unwrapper(Forms(fn.block)).instr))


class _Unwrapper:
    def __init__(self, forms: Forms) -> None:
        self.forms = forms

    def instr(self, loop: Instr) -> list[Instr]:
        """Return an instruction; for such a loop, a choice of two."""
        if loop.op.name != "for":
            return [loop]
        (body,) = loop.blocks
        if loop.args[2] not in (UP, DOWN) or any(i.blocks for i in body.instrs) or len(body.instrs) > MOST:
            return [loop]
        makers = {r: i for i in body.instrs for r in i.results}
        index = body.params[0]
        wraps: dict[Value, Operand] = {}
        for i in body.instrs:
            if i.op.name == "wrap" and self.is_linear(i.args[0], index, makers, set(body.params[1:])):
                wraps[i.result] = i.args[0]
        if not wraps:
            return [loop]
        made: list[Instr] = []
        lo, hi, step = loop.args[:3]
        last = self.emit(made, loop, "subtract", hi, step)
        natural: Operand | None = None
        for end in (lo, last):
            known: dict[Value, Operand] = {index: end}
            for a in dict.fromkeys(wraps.values()):
                found = self.emit(made, loop, "greater_equal", _again(made, a, makers, known), ZERO)
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

    def is_linear(self, a: Operand, index: Value, makers: dict[Value, Instr], carried: set[Value]) -> bool:
        """True if an integer is between what it is in the first and in the last trip."""
        form = self.forms.of(a)
        if not form.factor(index) or any(x in makers or x in carried for x in form.atoms()):
            return False
        todo, seen = [a], set[Instr]()
        while todo:
            x = todo.pop()
            instr = makers.get(x) if isinstance(x, Value) else None
            if instr is not None and instr not in seen:
                seen.add(instr)
                todo += instr.args
                if not instr.op.pure or not all(isinstance(x.type, Scalar) for x in instr.args):
                    return False
        return not any(x in carried for i in seen for x in i.args)

    def emit(self, made: list[Instr], loop: Instr, name: str, a: Operand, b: Operand) -> Operand:
        """Append an operation on integers or conditions and return its result."""
        op = LOWERED[name] if name in LOWERED else OPS[name]
        value = Value("", WEAK_BOOL if name in ("greater_equal", "both") else loop.blocks[0].params[0].type)
        made.append(Instr(op, (a, b), (value,), (), (), loop.origin, loop.role))
        return value


def _again(made: list[Instr], a: Operand, makers: dict[Value, Instr], known: dict[Value, Operand]) -> Operand:
    """Append once more what computes an operand of a trip; `known` is what stands for values there."""
    if not isinstance(a, Value) or (a not in makers and a not in known):
        return a
    if a not in known:
        instr = makers[a]
        args = tuple(_again(made, x, makers, known) for x in instr.args)
        value = known[a] = Value("", a.type)
        made.append(replace(instr, args=args, results=(value,)))
    return known[a]
