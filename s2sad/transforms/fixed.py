"""Numbers that all trips of a loop have in common, `dt ** 2`: no tape needs an entry for each of them."""

from __future__ import annotations

from s2sad.analysis.cost import recompute_cost
from s2sad.analysis.program import Program
from s2sad.ir.core import Instr, Value
from s2sad.ir.types import Scalar

# operations on numbers that may run before a loop of no trips: no number makes them raise
NEVER_RAISE = frozenset(
    ("add", "subtract", "multiply", "negative", "exp", "tanh", "sin", "cos", "maximum", "minimum", "widen")
)


def fixed_in_loops(program: Program) -> dict[Value, Instr | None]:
    """Return the numbers computed in loops from numbers of outside alone, each with the innermost loop on
    whose trip it depends (None: on none)."""
    found: dict[Value, Instr | None] = {}
    for instr in program.fn.block.walk():
        operands = [a for a in instr.args if isinstance(a, Value)]
        if instr.blocks or len(instr.results) != 1 or not operands or recompute_cost(instr) is None:
            continue
        if not all(isinstance(v.type, Scalar) for v in (*operands, instr.result)):
            continue
        homes = [found[a] if a in found else program.frame(a) for a in operands]
        home = max(homes, key=lambda loop: 0 if loop is None else len(program.enclosing(loop)))
        if home is not program.frame(instr.result):
            found[instr.result] = home
    return found
