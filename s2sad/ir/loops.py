"""What loops carry: initial values, parameters of the body, and the ends that hand them on."""

from __future__ import annotations

from collections.abc import Callable

from s2sad.ir.core import Block, End, Instr, Operand, Value
from s2sad.record import replace

LOOPS = ("for", "while")

MARK = "parallel"
"""The parameter of a `for` whose trips threads may share, and of the call that they share: what they do with
each slot."""
INDEPENDENT = "independent"
"""The parameter of an innermost `for` of which no trip writes what another one reads or writes."""
SHARED, SUM, OWN = "shared", "sum", "own"
"""Write to places of their own; have a sum each, to be added up; have an array each, to be dropped."""


def carried(loop: Instr) -> tuple[Value, ...]:
    """Return the body's parameters for the carried slots of a loop."""
    return loop.blocks[-1].params[1 if loop.op.name == "for" else 0 :]


def inits(loop: Instr) -> tuple[Operand, ...]:
    """Return the initial values of a loop's slots."""
    return loop.args[3 if loop.op.name == "for" else 0 :]


def loop_ends(body: Block) -> list[End]:
    """Return the ends by which the body of a loop goes to the next trip or leaves the loop with its
    slots, in program order: every `continue` and `break` of this loop, and the body's own yield."""
    found: list[End] = []

    def visit(block: Block) -> None:
        for instr in block.instrs:
            if instr.op.name == "if":
                for inner in instr.blocks:
                    visit(inner)
        if block.end.kind in ("break", "continue"):
            found.append(block.end)

    visit(body)
    if body.end.kind == "yield":
        found.append(body.end)
    return found


def at_loop_ends(body: Block, change: Callable[[Block], Block]) -> Block:
    """Return the body of a loop with `change(block)` applied to every block in it that ends in one of its
    `loop_ends`."""

    def visit(block: Block, kinds: tuple[str, ...]) -> Block:
        instrs = tuple(
            replace(i, blocks=tuple(visit(b, ("break", "continue")) for b in i.blocks))
            if i.op.name == "if"
            else i
            for i in block.instrs
        )
        block = Block(block.params, instrs, block.end)
        return change(block) if block.end.kind in kinds else block

    return visit(body, ("yield", "break", "continue"))
