"""From functional array writes to writes in place: copies exactly where the old contents are needed.

After it, running the instructions in order, with `setitem` and `accum` updating their first argument
and views sharing memory, gives the functional meaning (tests/emulate.py is that evaluator). A copy
is made where a written array shares memory with a value that is still needed, is not ours (a
parameter that the function does not say it writes), cannot be written (a broadcast), or where a
result must be fresh. One conflict is resolved at a time, at the place that runs least often:

    the write moves behind the last use of a view it would change    no copy
    a view that is read after its base was written is copied         where it is made
    the written array is copied                                      before the write, or before the
                                                                     loops that carry it
"""

from __future__ import annotations

from functools import partial

from s2sad.analysis.liveness import Numbering, liveness
from s2sad.analysis.storage import RESERVED, Lineage, Storage, Summary, contents_read, overwrites, summarize
from s2sad.errors import InternalError
from s2sad.ir.core import Block, End, Function, Instr, Operand, Value
from s2sad.ir.walk import holding
from s2sad.passes.bufferize_edit import apply
from s2sad.passes.bufferize_find import Conflicts
from s2sad.passes.bufferize_return import write_back
from s2sad.record import replace

_ROUNDS = 200


def bufferize(fn: Function) -> Function:
    """Return `fn` with the copies that make in-place execution right; called functions as well."""
    return _Functions().bufferized(fn)


class _Functions:
    """Called functions are bufferized once, before their callers ask how their results alias."""

    def __init__(self) -> None:
        self.done: dict[Function, Function] = {}
        self.summaries: dict[Function, Summary] = {}

    def bufferized(self, fn: Function) -> Function:
        if fn not in self.done:
            block = self._callees(fn.block)
            new = fn if block is fn.block else replace(fn, block=block)
            self.done[fn] = self._settle(_latest_versions(new))
        return self.done[fn]

    def _callees(self, block: Block) -> Block:
        instrs = []
        for instr in block.instrs:
            blocks = tuple(self._callees(b) for b in instr.blocks)
            if any(new is not old for new, old in zip(blocks, instr.blocks, strict=True)):
                instr = replace(instr, blocks=blocks)
            instrs.append(holding(instr, self.bufferized))
        if all(new is old for new, old in zip(instrs, block.instrs, strict=True)):
            return block
        return Block(block.params, tuple(instrs), block.end)

    def _settle(self, fn: Function) -> Function:
        for _ in range(_ROUNDS):
            numbering = Numbering(fn, RESERVED)
            storage = Storage(fn, numbering, self.summaries)
            lineage = Lineage(fn)
            live = liveness(fn, numbering, partial(_contents_read, numbering))
            found = Conflicts(fn, storage, live, lineage)
            edits = found.edits or write_back(fn, storage, lineage)
            if not edits:
                self.summaries[fn] = summarize(fn, storage)
                return fn
            fn = apply(fn, edits)
        raise InternalError("S902", f"bufferize of {fn.name} does not end")


def _contents_read(numbering: Numbering, node: Instr | End) -> int:
    return numbering.mask(contents_read(node))


def _latest_versions(fn: Function) -> Function:
    """Return `fn` with arguments of which only the shape or the memory is used (`x[:] = v`) replaced by
    the newest version of the same array: an old version that stays live for its shape alone would cost
    a copy, and a write to one would hide the writes in between from what follows the versions."""
    lineage = Lineage(fn)
    untouched = {p for k, p in enumerate(fn.params) if k not in fn.writes}  # as they came, for their shape

    def newest(a: Operand, latest: dict[Operand, Value]) -> Operand:
        return latest.get(lineage[a], a)

    def shape(a: Operand, latest: dict[Operand, Value]) -> Operand:
        return a if lineage[a] in untouched else newest(a, latest)

    def note(values: tuple[Value, ...], latest: dict[Operand, Value]) -> None:
        for v in values:
            latest[lineage[v]] = v

    def visit(block: Block, latest: dict[Operand, Value]) -> Block:
        latest = dict(latest)
        note(block.params, latest)
        instrs = []
        for instr in block.instrs:
            args = tuple(
                shape(a, latest) if k in instr.op.shape_args else a for k, a in enumerate(instr.args)
            )
            if overwrites(instr):
                args = (newest(instr.args[0], latest), *args[1:])
            blocks = tuple(visit(b, latest) for b in instr.blocks)
            if args != instr.args or any(n is not o for n, o in zip(blocks, instr.blocks, strict=True)):
                instr = replace(instr, args=args, blocks=blocks)
            instrs.append(instr)
            note(instr.results, latest)
        if all(new is old for new, old in zip(instrs, block.instrs, strict=True)):
            return block
        return Block(block.params, tuple(instrs), block.end)

    block = visit(fn.block, {})
    return fn if block is fn.block else replace(fn, block=block)
