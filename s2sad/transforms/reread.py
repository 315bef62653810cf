"""Values that the program itself keeps on a tape: derivatives of derivatives need no second one.

A tape is written once per entry (that is what the role `tape` of a write promises), so its final version
still has every value that was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from s2sad.analysis.program import Program
from s2sad.ir.core import Block, Instr, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits, loop_ends
from s2sad.ir.path import Path
from s2sad.ir.types import Array
from s2sad.ops.table import OPS
from s2sad.record import dataclass
from s2sad.transforms.exits import Counting


@dataclass(frozen=True, slots=True)
class Reread:
    """Where a value can be read again: at `path` of the final version of a tape."""

    tape: Value
    operands: tuple[Operand, ...]
    path: Path


def rereads(program: Program, counts: Mapping[Instr, Counting]) -> dict[Value, Reread]:
    """Return the values that are on a tape of the program, whichever way a trip takes that is reversed."""
    found: dict[Value, Reread] = {}
    for block in program.loop_of:
        for instr in block.instrs:
            if instr.op is not OPS["setitem"] or instr.role != "tape":
                continue
            v = instr.args[1]
            final = _final(program, instr.result)
            if not isinstance(v, Value) or final is None or final is instr.result:
                continue
            if _before_exits(program, counts, v, instr):
                found[v] = Reread(final, instr.args[2:], instr.param("path"))
    return found


def _before_exits(program: Program, counts: Mapping[Instr, Counting], v: Value, write: Instr) -> bool:
    """True if no way out of the loop with something to reverse lies between `v` and the write of it."""
    loop = program.loop_of[program.home[write]]
    counting = counts.get(loop) if loop is not None else None
    if counting is None:
        return True
    body = counting.body
    home = program.block_of[v]
    first = _place(program, home, program.producer.get(v), body) - (home is not body)
    last = _place(program, program.home[write], write, body)
    return not any(first < way.path[0][1] <= last for way in counting.partial)


def _place(program: Program, block: Block, instr: Instr | None, body: Block) -> int:
    """Return where in a body an instruction of the block stands, or the branch that it is in; -1 for what is
    there before."""
    while block is not body:
        if block not in program.parent:
            return -1
        instr, block = program.owner[block], program.parent[block]
    return -1 if instr is None else body.instrs.index(instr)


def needs_itself(program: Program, v: Value, again: Reread) -> bool:
    """True if it takes `v`, or its shape, to tell where it can be read again: `offset + v.size`."""
    if not isinstance(v.type, Array):
        return False
    seen: set[Operand] = set()
    todo = list(again.operands)
    while todo:
        a = todo.pop()
        if a is v:
            return True
        maker = program.producer.get(a) if isinstance(a, Value) and a not in seen else None
        seen.add(a)
        if maker is not None and not maker.blocks:
            todo += maker.args
    return False


def grown_arrays(program: Program, instr: Instr) -> list[Value] | None:
    """Return the arrays that an `if` makes longer where it has to, or None if it does something else."""
    if instr.op.name != "if" or instr.role != "tape" or any(b.leaves for b in instr.blocks):
        return None
    found: list[Value] = []
    for k in range(len(instr.results)):
        grown, kept = (b.end.args[k] for b in instr.blocks)
        producer = program.producer.get(grown) if isinstance(grown, Value) else None
        if producer is None or producer.op is not OPS["concatenate"] or not isinstance(kept, Value):
            return None
        if producer.args[0] is not kept:
            return None
        found.append(kept)
    return found


def is_tape_write(instr: Instr) -> bool:
    """True for a write to a tape of the program."""
    return instr.op is OPS["setitem"] and instr.role == "tape"


def tape_versions(program: Program) -> set[Value]:
    """Return all versions of the arrays that serve as tapes of the program."""
    links: dict[Value, list[Value]] = {}
    found: set[Value] = set()
    for block in program.loop_of:
        for instr in block.instrs:
            if is_tape_write(instr) or grown_arrays(program, instr):
                found.update(instr.results)
            for x, y in _same_buffer(program, instr):
                if isinstance(x, Value) and isinstance(y, Value):
                    links.setdefault(x, []).append(y)
                    links.setdefault(y, []).append(x)
    todo = list(found)
    while todo:
        for v in links.get(todo.pop(), ()):
            if v not in found:
                found.add(v)
                todo.append(v)
    return found


def _same_buffer(program: Program, instr: Instr) -> Iterator[tuple[Operand, Operand]]:
    """Yield pairs of values of which one is the other as it was written to or handed on."""
    if instr.op is OPS["setitem"]:
        yield instr.result, instr.args[0]
    elif instr.op.name == "if":
        arrays = grown_arrays(program, instr)
        yield from zip(arrays or (), instr.results, strict=False)
        for b in instr.blocks if arrays is None else ():
            if b.end.kind == "yield":
                yield from zip(b.end.args, instr.results, strict=True)
    elif instr.op.name in LOOPS:
        rows = [instr.results, inits(instr), *(end.args for end in loop_ends(instr.blocks[-1]))]
        for row in rows:
            yield from zip(carried(instr), row, strict=True)


def _final(program: Program, version: Value) -> Value | None:
    """Return what becomes of a version of an array outside all loops and branches, if it is handed on."""
    block = program.block_of[version]
    owner = program.owner.get(block)
    if owner is None:
        return version
    if block.end.kind != "yield" or (owner.op.name in LOOPS and block is not owner.blocks[-1]):
        return None
    for k, a in enumerate(block.end.args):
        if a is version:
            return _final(program, owner.results[k])
    return None
