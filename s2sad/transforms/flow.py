"""Where cotangents flow in the reverse sweep: which instructions have something to reverse, which values
get contributions, and which instructions are reversed inside a branch.

An instruction whose results are only used, as far as derivatives go, in one branch of a later `if` is
reversed in that branch: elsewhere its cotangent would be zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from s2sad.analysis.activity import Activity
from s2sad.analysis.program import Program
from s2sad.analysis.pullback import Pullbacks
from s2sad.ir.core import Block, Instr, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits
from s2sad.ir.rule import targets_of


class Flow:
    """The flow of cotangents through a function in tail form."""

    def __init__(self, program: Program, activity: Activity, pullbacks: Pullbacks):
        self.program, self.activity, self.pullbacks = program, activity, pullbacks
        self.branch_of: dict[Instr, Block] = {}  # instructions that are reversed in a branch
        self.sunk: dict[Block, list[Instr]] = {}  # by branch, in program order
        self._targets: dict[Block, dict[Value, None]] = {}
        self._sink(program.fn.block)

    def works(self, instr: Instr) -> bool:
        """True if there is something to reverse."""
        if instr.op.name in LOOPS:
            return bool(self.activity.slots(instr))
        return any(r in self.activity for r in instr.results)

    def sources(self, instr: Instr) -> Iterator[Value]:
        """Yield the arguments of a plain instruction that get contributions."""
        for k, a in enumerate(instr.args):
            if not isinstance(a, Value) or a not in self.activity:
                continue
            if instr.op.name in ("call", "linked"):
                targets = targets_of(instr)
                if targets is None or k in targets:
                    yield a
            elif self.pullbacks.of(instr)[k] is not None:
                yield a

    def targets(self, block: Block) -> dict[Value, None]:
        """Return the values from outside that get contributions when a block is reversed."""
        if block not in self._targets:
            inside = set(block.params)
            found: dict[Value, None] = {}
            for instr in block.instrs:
                inside.update(instr.results)
                if self.works(instr):
                    found.update(dict.fromkeys(self.instr_targets(instr)))
            if block.end.kind in ("yield", "break"):
                found.update((a, None) for a in self.end_targets(block))
            self._targets[block] = {v: None for v in found if v not in inside}
        return self._targets[block]

    def end_targets(self, block: Block) -> list[Value]:
        """Return the values that get the cotangents of what a block hands over at its end."""
        owner = self.program.owner.get(block)
        if owner is None or (owner.op.name in LOOPS and block is not owner.blocks[-1]):
            return []
        if block.end.kind == "break" or owner.op.name in LOOPS:
            loop = self.program.loop_of[block]
            assert loop is not None
            flags = self.activity.slots(loop)
        else:
            flags = [k for k, r in enumerate(owner.results) if r in self.activity]
        picked: list[Operand] = [block.end.args[k] for k in flags]
        return [a for a in picked if isinstance(a, Value) and a in self.activity]

    def instr_targets(self, instr: Instr) -> Iterator[Value]:
        """Yield the values that get contributions when an instruction is reversed."""
        match instr.op.name:
            case "if":
                for b in instr.blocks:
                    if not b.leaves:
                        yield from self.targets(b)
            case "for" | "while":
                for k in self.activity.slots(instr):
                    a = inits(instr)[k]
                    if isinstance(a, Value) and a in self.activity:
                        yield a
                yield from self.body_targets(instr)
            case _:
                yield from self.sources(instr)

    def body_targets(self, loop: Instr) -> dict[Value, None]:
        """Return the values from outside that get contributions from the trips of a loop."""
        body = loop.blocks[-1]
        found = dict(self.targets(body))
        for b in self.program.frame_blocks(body):
            way: Block | None = b if b.end.kind == "break" else None
            while way is not None and way is not body:  # a branch around may end nothing, and have no results
                found.update((v, None) for v in self._path_targets(way, body) if v not in found)
                way = self.program.parent.get(way)
        return found

    def _path_targets(self, block: Block, body: Block) -> Iterator[Value]:
        for v in self.targets(block):
            if not self.program.inside(self.program.block_of[v], body):
                yield v

    def passes_through(self, loop: Instr, k: int) -> bool:
        """True if a carried slot is handed on unchanged by every trip and no trip reads it."""
        p, body = carried(loop)[k], loop.blocks[-1]
        return body.end.kind == "yield" and body.end.args[k] is p and not self.reads(loop, p)

    def reads(self, loop: Instr, v: Value) -> bool:
        """True if an instruction of the loop's body contributes to the cotangent of `v`."""
        body = loop.blocks[-1]
        return any(v in self.instr_targets(i) for i in body.instrs if self.works(i))

    # sinking

    def _sink(self, block: Block) -> None:
        users: dict[Value, set[Block | None]] = {}  # branch of an `if` in this block; None: the block itself

        def use(values: Iterable[Value], where: Block | None) -> None:
            for v in values:
                users.setdefault(v, set()).add(where)

        use(self._kept_by_end(block), None)
        for instr in reversed([*self.sunk.get(block, []), *block.instrs]):
            if instr.op.name == "if":
                for b in instr.blocks:
                    if not b.leaves:
                        use(self.targets(b), b)
            elif self.works(instr):
                use(self.instr_targets(instr), self._sink_instr(block, instr, users))
        for instr in block.instrs:
            for b in instr.blocks:
                self._sink(b)

    def _sink_instr(self, block: Block, instr: Instr, users: dict[Value, set[Block | None]]) -> Block | None:
        """Note and return the branch in which an instruction can be reversed."""
        if instr.blocks or instr.op.name in ("call", "linked"):
            return None
        places: set[Block | None] = set()
        for r in instr.results:
            places |= users.get(r, set())
        place = next(iter(places)) if len(places) == 1 else None
        if place is not None:
            if instr in self.branch_of:  # deeper than where it was sunk to
                self.sunk[block].remove(instr)
            self.branch_of[instr] = place
            self.sunk.setdefault(place, []).insert(0, instr)
        return place

    def _kept_by_end(self, block: Block) -> list[Value]:
        if block.end.kind == "return":
            return [a for a in block.end.args if isinstance(a, Value)]
        return self.end_targets(block)
