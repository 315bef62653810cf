"""What must hold of results: the final contents of a written parameter are in the caller's array."""

from __future__ import annotations

from s2sad.analysis.storage import Lineage, Storage
from s2sad.ir import path as paths
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.types import Array
from s2sad.ops.table import OPS
from s2sad.passes.bufferize_edit import Edits
from s2sad.passes.bufferize_find import final_versions


def write_back(fn: Function, storage: Storage, lineage: Lineage) -> Edits | None:
    """Return edits that put the final contents of written parameters into the caller's arrays, where
    they ended up in others; None if they did not."""
    if not fn.writes:
        return None
    walk = _Returns(fn, storage, lineage)
    walk.block(fn.block, {})
    return walk.edits if walk.edits else None


class _Returns:
    def __init__(self, fn: Function, storage: Storage, lineage: Lineage):
        self.fn, self.storage, self.lineage = fn, storage, lineage
        self.finals = final_versions(fn)
        self.edits = Edits()

    def block(self, block: Block, latest: dict[Operand, Value]) -> None:
        """Visit blocks in scope order; `latest` is the newest version of what stays the caller's array."""
        latest = dict(latest)
        self._note(block.params, latest)
        for instr in block.instrs:
            for inner in instr.blocks:
                self.block(inner, latest)
            self._note(instr.results, latest)
        if block.end.kind == "return":
            self._return(block, latest)

    def _note(self, values: tuple[Value, ...], latest: dict[Operand, Value]) -> None:
        for v in values:
            if v in self.finals:
                latest[self.lineage[v]] = v

    def _return(self, block: Block, latest: dict[Operand, Value]) -> None:
        args = block.end.args
        first = len(args) - len(self.fn.writes)
        targets = {
            first + j: self.fn.params[k]
            for j, k in enumerate(self.fn.writes)
            if isinstance(self.fn.params[k].type, Array)
            and self.lineage[args[first + j]] is not self.fn.params[k]
        }
        if not targets:
            return
        before: list[Instr] = []
        after: list[Instr] = []
        for j, a in enumerate(args):
            if isinstance(a, Value) and any(self.storage.shares(a, p) for i, p in targets.items() if i != j):
                kept = Value("", a.type)
                before.append(Instr(OPS["copy"], (a,), (kept,), (), (), block.end.origin))
                self.edits.end_args[block, j] = a = kept
            if j in targets:
                param = targets[j]
                new = Value(param.name, param.type)
                path = (("path", paths.full(param.type.ndim)),)
                # All of it is overwritten: any version will do that stays the caller's array.
                after.append(
                    Instr(OPS["setitem"], (latest.get(param, param), a), (new,), path, (), block.end.origin)
                )
                self.edits.end_args[block, j] = new
        self.edits.at_end[block] = [*before, *after]
