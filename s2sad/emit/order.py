"""The order of assignments: a name is given its new value after its old one was last read.

`s1 = s * x; s_dot = s_dot * x + s * x_dot` with s1 also called `s` needs a second name; computed the
other way round, it does not. Only pure statements move, and only over statements that do not read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from s2sad.analysis.storage import is_write
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.types import Array
from s2sad.ir.walk import used_values


def reorder(fn: Function) -> Function:
    """Return the function with assignments delayed where that frees their name. What is handed to a
    named variable of a loop or branch takes that name first."""
    renames: dict[Value, Value] = {}
    _find_names(fn.block, None, None, renames)
    block = _block(_renamed(fn.block, renames) if renames else fn.block)
    return fn if block is fn.block else replace(fn, block=block)


def _find_names(
    block: Block, owner: Instr | None, loop: Instr | None, renames: dict[Value, Value]
) -> None:
    """Note a named value for each anonymous one of this block that its end hands to a named variable."""
    made = {r for i in block.instrs if i.op.pure and i.op.name != "undef" for r in i.results}
    for instr in block.instrs:
        inner = instr if instr.op.name in ("for", "while") else loop
        for b in instr.blocks:
            is_test = instr.op.name == "while" and b is instr.blocks[0]
            _find_names(b, None if is_test else instr, inner, renames)
    target = owner if block.end.kind == "yield" else loop if block.end.kind in ("continue", "break") else None
    if target is None:
        return
    for a, r in zip(block.end.args, target.results, strict=True):
        if isinstance(a, Value) and not a.name and r.name and a in made and block.end.args.count(a) == 1:
            renames.setdefault(a, Value(r.name, a.type))


def _renamed(block: Block, renames: dict[Value, Value]) -> Block:
    def new(values: Iterable[Operand]) -> tuple[Operand, ...]:
        return tuple(renames.get(v, v) if isinstance(v, Value) else v for v in values)

    instrs = []
    for instr in block.instrs:
        results = tuple(renames.get(r, r) for r in instr.results)
        blocks = tuple(_renamed(b, renames) for b in instr.blocks)
        instrs.append(replace(instr, args=new(instr.args), results=results, blocks=blocks))
    return Block(block.params, tuple(instrs), replace(block.end, args=new(block.end.args)))


def _block(block: Block) -> Block:
    instrs = [_instr(i) for i in block.instrs]
    k = len(instrs) - 1
    while k >= 0:
        target = _later(block, instrs, k)
        if target is not None:
            instrs.insert(target, instrs.pop(k))
        k -= 1
    if all(a is b for a, b in zip(instrs, block.instrs, strict=True)):
        return block
    return Block(block.params, tuple(instrs), block.end)


def _instr(instr: Instr) -> Instr:
    blocks = tuple(map(_block, instr.blocks))
    if all(a is b for a, b in zip(blocks, instr.blocks, strict=True)):
        return instr
    return replace(instr, blocks=blocks)


def _later(block: Block, instrs: list[Instr], k: int) -> int | None:
    """Return the index to which instruction k should move, behind the last statement that reads the
    value whose name it takes over; None if it should stay or cannot move."""
    instr = instrs[k]
    if len(instr.results) != 1 or not instr.op.pure or instr.blocks or is_write(instr):
        return None
    new = instr.result
    if not new.name:
        return None
    uses = _uses(block, instrs)
    last = k
    for old in _taken_over(block, instrs, k):
        for j in uses.get(old, ()):
            last = max(last, _printed_at(instrs, j, uses))
    if last == k or last >= len(instrs):
        return None
    reads_memory = any(isinstance(a.type, Array) for a in instr.args)
    for other in instrs[k + 1 : last + 1]:
        if other.blocks or not other.op.pure or new in used_values(other):
            return None
        if reads_memory and is_write(other):
            return None
    return last


def _taken_over(block: Block, instrs: list[Instr], k: int) -> list[Value]:
    """Return the values of this block that have the name of what instruction k assigns."""
    name = instrs[k].result.name
    known = [*block.params, *(r for i in instrs[:k] for r in i.results)]
    return [v for v in known if v.name == name]


def _uses(block: Block, instrs: list[Instr]) -> dict[Value, list[int]]:
    found: dict[Value, list[int]] = {}
    for j, instr in enumerate(instrs):
        for v in used_values(instr):
            found.setdefault(v, []).append(j)
    for a in block.end.args:
        if isinstance(a, Value):
            found.setdefault(a, []).append(len(instrs))
    return found


def _printed_at(instrs: list[Instr], j: int, uses: dict[Value, list[int]]) -> int:
    """Return the index of the statement in which instruction j is printed if nothing keeps it from being
    printed where it is used."""
    while j < len(instrs) and len(instrs[j].results) == 1 and not instrs[j].result.name:
        places = uses.get(instrs[j].result, [])
        if len(places) != 1 or instrs[j].blocks or is_write(instrs[j]):
            break
        j = places[0]
    return j
