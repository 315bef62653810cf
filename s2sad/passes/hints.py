"""Names that say nothing: a part, a multiple or a sum of u_bar is not another u_bar.

A reverse sweep names the cotangent of a nameless value after the variable that it flows into. Where it
is computed from a cotangent of that very name, it is better left without a name: what is short is then
printed where it is read. So is a cotangent that is only added to a part of another one.
"""

from __future__ import annotations

from s2sad.ir.core import Function, Value
from s2sad.passes.rewrite import Renamer
from s2sad.record import replace

PARTS = ("getitem", "negative", "multiply", "divide", "sum")


def hints(fn: Function) -> Function:
    """Return the function without names of generated values that repeat the name of an operand."""
    names: dict[Value, str] = {}
    uses = fn.block.counts
    ours = {r for i in fn.block.walk() if i.role == "reverse" and not i.blocks for r in i.results}
    for instr in fn.block.walk():
        if instr.role == "reverse" and instr.op.name in PARTS:
            name = instr.result.name
            if name and any(a.name == name for a in instr.args):
                names[instr.result] = ""
        if instr.role == "reverse" and instr.op.name == "accum" and instr.param("path"):
            added = instr.args[1]
            if isinstance(added, Value) and added.name and added in ours and uses[added] == 1:
                names[added] = ""
    return replace(fn, block=Renamer(names).block(fn.block)) if names else fn
