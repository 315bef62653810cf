"""Dead code elimination: what nobody reads and what has no effect goes.

Slots of loops and ifs are looked at one by one: a carried value that only feeds itself is dead. An
instruction that could raise for the sake of its arguments (an index, a shape) counts as pure: its
exception goes with it. So does a loop that might not end, if it does nothing else. The user's maximum
of what may be empty stays, for it raises.
"""

from __future__ import annotations

from s2sad.ir.core import Block, End, Function, Instr, Operand, Value, held
from s2sad.ir.loops import loop_ends
from s2sad.passes.rewrite import same_objects
from s2sad.passes.slots import drop_slots
from s2sad.record import replace

EXTREMES = ("max", "min", "argmax", "argmin")


def dce(fn: Function) -> Function:
    """Return the function without instructions, slots and ifs that nobody needs."""
    marks = _Marks(fn)
    block = marks.sweep(fn.block)
    return fn if block is fn.block else replace(fn, block=block)


class _Marks:
    """Marks what is needed by following uses to definitions from the effects and returns."""

    def __init__(self, fn: Function) -> None:
        self.defined: dict[Value, tuple[Instr, int]] = {}  # by which instruction, at which position
        self.slots: dict[Value, tuple[Instr, int]] = {}  # block parameters: of which loop, which slot
        self.owner: dict[Instr, Instr | None] = {}
        self.jumps: dict[Instr, list[Instr]] = {}  # loop -> owners of the blocks that break or continue it
        self.ends: dict[Instr, list[End]] = {}
        self.needed: set[Instr] = set()
        self.live: set[Value | tuple[Instr, int]] = set()
        self.todo: list[Operand] = []
        self.effects: dict[Function, bool] = {}
        roots: list[tuple[Instr | None, End | None]] = []
        self.index(fn.block, None, None, roots)
        for instr, end in roots:
            self.need(instr)
            self.todo += end.args if end else instr.args if instr else ()
        self.propagate()

    def index(
        self,
        block: Block,
        owner: Instr | None,
        loop: Instr | None,
        roots: list[tuple[Instr | None, End | None]],
    ) -> None:
        for instr in block.instrs:
            self.owner[instr] = owner
            for k, result in enumerate(instr.results):
                self.defined[result] = (instr, k)
            inner = loop
            if instr.op.name in ("for", "while"):
                inner = instr
                self.jumps[instr] = []
                self.ends[instr] = loop_ends(instr.blocks[-1])
                for b in instr.blocks:
                    params = b.params[1:] if instr.op.name == "for" else b.params
                    self.slots.update((p, (instr, k)) for k, p in enumerate(params))
            for b in instr.blocks:
                self.index(b, instr, inner, roots)
            if self.has_effect(instr) and (owner is None or instr.op.name != "comment"):
                roots.append((instr, None))
        end = block.end
        if end.kind in ("return", "raise"):
            roots.append((owner, end))
        elif end.kind in ("break", "continue") and loop is not None and owner is not None:
            self.jumps[loop].append(owner)

    def has_effect(self, instr: Instr) -> bool:
        called = held(instr)
        if not called:
            return not instr.op.pure or (not instr.role and _raises_if_empty(instr))
        for callee in called:
            if callee not in self.effects:
                self.effects[callee] = False  # while looking into it: a recursive call adds no effect
                self.effects[callee] = self.raises(callee.block)
        return any(self.effects[callee] for callee in called)

    def raises(self, block: Block) -> bool:
        if block.end.kind == "raise":
            return True
        instrs = (i for i in block.instrs if i.op.name != "comment")
        return any(self.has_effect(i) or any(map(self.raises, i.blocks)) for i in instrs)

    def need(self, instr: Instr | None) -> None:
        """Note that control has to get to this instruction as it does now."""
        while instr is not None and instr not in self.needed:
            self.needed.add(instr)
            match instr.op.name:
                case "if":
                    self.todo += instr.args
                case "for":
                    self.todo += instr.args[:3]
                case "while":
                    self.todo += instr.blocks[0].end.args
            for inside in self.jumps.get(instr, ()):
                self.need(inside)
            instr = self.owner[instr]

    def propagate(self) -> None:
        while self.todo:
            a = self.todo.pop()
            if not isinstance(a, Value) or a in self.live:
                continue
            self.live.add(a)
            if a in self.defined:
                instr, k = self.defined[a]
                if instr not in self.needed:
                    self.need(instr)
                if instr.op.name == "if":
                    self.todo += (b.end.args[k] for b in instr.blocks if b.end.kind == "yield")
                elif instr.blocks:
                    self.slot(instr, k)
                else:
                    self.todo += instr.args
            elif a in self.slots:
                self.slot(*self.slots[a])

    def slot(self, loop: Instr, k: int) -> None:
        """Note that a carried value is read, in the loop or after it."""
        if (loop, k) in self.live:
            return
        self.live.add((loop, k))
        self.need(loop)
        self.todo.append(loop.args[k + 3 if loop.op.name == "for" else k])
        self.todo += (end.args[k] for end in self.ends[loop])

    def sweep(self, block: Block) -> Block:
        instrs: list[Instr] = []
        for instr in block.instrs:
            if instr not in self.needed and instr.op.name != "comment":  # comments keep no loop alive
                continue
            new = instr
            if instr.blocks:
                blocks = tuple(map(self.sweep, instr.blocks))
                if not same_objects(blocks, instr.blocks):
                    new = replace(instr, blocks=blocks)
                live = [r in self.live or (instr, k) in self.live for k, r in enumerate(instr.results)]
                if not all(live):
                    new = drop_slots(new, live)
            instrs.append(new)
        if same_objects(instrs, block.instrs):
            return block
        return Block(block.params, tuple(instrs), block.end)


def _raises_if_empty(instr: Instr) -> bool:
    if instr.op.name not in EXTREMES:
        return False
    shape, axis = instr.args[0].type.shape, instr.param("axis")
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return not all(shape[k].is_const and shape[k].const > 0 for k in axes)
