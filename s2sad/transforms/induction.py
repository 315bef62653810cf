"""Carried ints that need no tape: those that grow by a known amount in every trip.

Where the amount is a constant, the value follows from the number of the trip. Where it is a multiple of
the trips of an inner loop, the reverse sweep carries the value and takes the amount away again.
"""

from __future__ import annotations

from s2sad.analysis.program import Program
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits
from s2sad.ir.types import Scalar, Type
from s2sad.ir.walk import used_values
from s2sad.record import dataclass
from s2sad.transforms.exits import Counting


@dataclass(frozen=True, slots=True)
class Step:
    """How the carried int `param` of slot `slot` of `loop` changes in a trip: by `amount`, or by `amount`
    for each trip of `inner`."""

    loop: Instr
    slot: int
    amount: int
    inner: Instr | None

    @property
    def param(self) -> Value:
        """Return the value as a trip finds it."""
        return carried(self.loop)[self.slot]

    @property
    def init(self) -> Operand:
        """Return the value as the first trip finds it."""
        return inits(self.loop)[self.slot]


Counts = dict[Instr, Counting]


def steps(program: Program, counting: Counts) -> dict[Value, Step]:
    """Return the carried ints whose steps are known."""
    found: dict[Value, Step] = {}
    for loop in program.loops:
        for k, p in enumerate(carried(loop)):
            step = _step(program, counting, loop, k)
            if step is not None:
                found[p] = step
    return {p: step for p, step in found.items() if not _goes_round(program, counting, step, found)}


def _goes_round(program: Program, counting: Counts, step: Step, found: dict[Value, Step]) -> bool:
    """True if how often the inner loop runs follows from values that the reverse sweep carries back itself:
    `for j in range(n % 3): n += 1`. To take the amount away it would need the value before."""
    if step.inner is None or step.inner in counting:
        return False
    carried_back = {p for p in carried(step.loop) if p in found and found[p].inner is not None}
    todo, seen = [a for a in step.inner.args[:3] if isinstance(a, Value)], set[Value]()
    while todo:
        a = todo.pop()
        if a in carried_back:
            return True
        maker = program.producer.get(a)
        if a not in seen and maker is not None and maker.op.name not in LOOPS:
            seen.add(a)
            todo += used_values(maker)
    return False


def _step(program: Program, counting: Counts, loop: Instr, k: int) -> Step | None:
    p, body = carried(loop)[k], loop.blocks[-1]
    if not _is_int(p.type) or body.end.kind != "yield":
        return None
    a = body.end.args[k]
    producer = program.producer.get(a) if isinstance(a, Value) else None
    if producer is None:
        return None
    if producer.op.name not in LOOPS:
        amount = _amount(producer, p)
        return None if amount is None else Step(loop, k, amount, None)
    if program.home[producer] is not body or not leaves_cleanly(loop, k, counting):
        return None
    j = producer.results.index(a)
    if inits(producer)[j] is not p or not leaves_cleanly(producer, j, counting):
        return None
    if producer.op.name == "while" and producer not in counting:
        return None
    inside = _step(program, counting, producer, j)
    return None if inside is None or inside.inner is not None else Step(loop, k, inside.amount, producer)


def leaves_cleanly(loop: Instr, k: int, counting: Counts) -> bool:
    """True if after the loop the slot has the value that the counted trips give it."""
    if loop not in counting:
        return not _breaks(loop)
    p, after = carried(loop)[k], loop.blocks[-1].end.args[k]
    return all(e.end.args[k] is (after if e.kind == "full" else p) for e in counting[loop].exits)


def _breaks(loop: Instr) -> bool:
    def visit(instr: Instr) -> bool:
        if instr.op.name != "if":
            return False
        return any(b.end.kind == "break" or any(map(visit, b.instrs)) for b in instr.blocks)

    return loop.blocks[-1].end.kind == "break" or any(map(visit, loop.blocks[-1].instrs))


def _amount(instr: Instr, p: Value) -> int | None:
    if len(instr.args) != 2 or p not in instr.args:
        return None
    a, b = instr.args
    if instr.op.name == "add":
        other = b if a is p else a
        return other.value if isinstance(other, Literal) and type(other.value) is int else None
    if instr.op.name == "subtract" and a is p and isinstance(b, Literal) and type(b.value) is int:
        return -b.value
    return None


def _is_int(t: Type) -> bool:
    return isinstance(t, Scalar) and t.weak and t.dtype.kind == "i"
