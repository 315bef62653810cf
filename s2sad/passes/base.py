"""The contract of passes.

A pass is a function `Function -> Function` of this folder. Its input is verified and so is its output;
signature, results, effects and their order stay; values on `ir.interp` stay bit for bit except where a
rewrite says otherwise. It is deterministic, idempotent unless it says otherwise, reads no settings, and
returns the *same object* when it changes nothing. Analyses are called as functions.

The user's own code (`Instr.role` empty) keeps its form: passes drop what is not needed of it and
substitute values that are provably the same, but they do not rewrite it into something shorter.
"""

from __future__ import annotations

from collections.abc import Callable

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, Function
from s2sad.ir.path import selected_axis
from s2sad.ir.types import Array, Type

Pass = Callable[[Function], Function]


def sizes_after(fn: Function) -> Sizes:
    """Return a source of size symbols that are not used in `fn` yet."""
    sizes = Sizes()

    def see(t: Type) -> None:
        for size in t.shape if isinstance(t, Array) else (t.size,) if t.size is not None else ():
            for name in size.symbols():
                if name[0] in "?$" and name[1:].isdigit():
                    sizes.count = max(sizes.count, int(name[1:]))

    def visit(block: Block) -> None:
        for value in block.params:
            see(value.type)
        for instr in block.instrs:
            for value in instr.results:
                see(value.type)
            place = selected_axis(instr.param("path")) if instr.op.name == "getitem" else None
            if place is not None:
                sizes.selected.setdefault(instr.args[1 + place[1]], instr.result.type.shape[place[0]])
            for inner in instr.blocks:
                visit(inner)

    for param in fn.params:
        see(param.type)
    visit(fn.block)
    return sizes
