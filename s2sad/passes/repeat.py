"""Repeating what prints as shortly as a name: `x[i] * x[i]` rather than `t1 = x[i]` and `t1 * t1`.

The last thing before memory is decided. Only numbers, steps from a named int and reads of named arrays
are repeated, these only where the array is not written before the last of them, so that nothing is kept
alive for longer. More than a few reads by generated code share one value, which gets a name.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.op import Alias
from s2sad.ir.path import is_fancy
from s2sad.ir.types import Array
from s2sad.passes.rewrite import Rewriter
from s2sad.passes.site import is_int
from s2sad.record import dataclass, replace

FEW = 4  # reads by generated code that are written out


def repeat(fn: Function) -> Function:
    """Return the function with short anonymous values computed anew wherever they are read."""
    uses = _Uses(fn)
    chosen = {v: instr for v, instr in uses.short.items() if uses.may_repeat(v)}
    return _Repeater(uses, chosen).function(fn) if chosen else fn


@dataclass(frozen=True, slots=True)
class _Use:
    position: int
    by: Instr | End
    role: str
    loops: tuple[Instr, ...]  # that the use is in, from the outermost


class _Uses:
    """All reads of all values, with their positions in program order."""

    def __init__(self, fn: Function) -> None:
        self.of: dict[Value, list[_Use]] = {}
        self.short: dict[Value, Instr] = {}
        self.loops: dict[Value, tuple[Instr, ...]] = {}
        self.views: dict[Value, Operand] = {}
        self.bound: dict[str, list[tuple[Value, _Use]]] = {}  # where arrays get their names
        self.position = 0
        self.visit(fn.block, (), "")

    def visit(self, block: Block, loops: tuple[Instr, ...], role: str) -> None:
        for instr in block.instrs:
            self.note(instr, instr.args, loops, instr.role)
            inner = (*loops, instr) if instr.op.name in ("for", "while") else loops
            for b in instr.blocks:
                self.visit(b, inner, instr.role)
            for result in instr.results:
                self.loops[result] = loops
                if result.name and isinstance(result.type, Array):
                    use = _Use(self.position, instr, instr.role, loops)
                    self.bound.setdefault(result.name, []).append((result, use))
                if instr.op.alias not in (Alias.FRESH, Alias.INPLACE) and instr.args:
                    self.views[result] = instr.args[0]
            if _is_short(instr):
                self.short[instr.result] = instr
        self.note(block.end, block.end.args, loops, role)

    def note(self, by: Instr | End, args: tuple[Operand, ...], loops: tuple[Instr, ...], role: str) -> None:
        self.position += 1
        for a in args:
            if isinstance(a, Value):
                self.of.setdefault(a, []).append(_Use(self.position, by, role, loops))

    def may_repeat(self, v: Value) -> bool:
        """True if `v` is read more than once, and nothing is written before it is; or a step, in a
        loop that it is not in."""
        uses = self.of.get(v, [])
        instr = self.short[v]
        if instr.op.name != "getitem":
            return len(uses) > 1 or any(use.loops != self.loops[v] for use in uses)
        if len(uses) < 2:
            return False
        hazards = self.hazards(instr.args[0])
        depth = len(self.loops.get(v, ()))
        for use in uses:
            entered = set(use.loops[depth:])
            end = self.printed(use)
            if any(h.position < end or entered.intersection(h.loops) for h in hazards):
                return False
        return True

    def hazards(self, base: Operand) -> list[_Use]:
        """Return what may write to the memory of `base`, an array or a view of one, or take its name away."""
        found = [use for v, use in self.bound.get(base.name, ()) if v != base] if base.name else []
        while isinstance(base, Value):
            found += [use for use in self.of.get(base, ()) if _hands_on(use.by, base)]
            if base not in self.views:
                break
            base = self.views[base]
        return found

    def printed(self, use: _Use) -> int:
        """Return the position of the statement that a use is printed in, as far as that is known yet."""
        while isinstance(use.by, Instr) and len(use.by.results) == 1 and not use.by.result.name:
            further = self.of.get(use.by.result, [])
            if len(further) != 1 or further[0].loops != use.loops or use.by.blocks:
                break
            use = further[0]
        return use.position


def _is_short(instr: Instr) -> bool:
    if instr.op.name == "widen":  # a number, whatever it is called
        return bool(instr.role) and isinstance(instr.args[0], Literal)
    if len(instr.results) != 1 or instr.result.name:
        return False
    if instr.op.name == "getitem":
        return bool(
            not is_fancy(instr.param("path")) and all(isinstance(a, Literal) or a.name for a in instr.args)
        )
    if instr.op.name in ("add", "subtract") and is_int(instr.result.type):
        left, right = instr.args
        return bool(left.name) and isinstance(right, Literal)
    return False


def _hands_on(by: Instr | End, base: Value) -> bool:
    """True if `by` writes to `base`, or makes another name for it that may be written to."""
    if isinstance(by, End) or by.blocks or by.op.name == "call":
        return True
    return by.op.name != "getitem" and by.op.alias is not Alias.FRESH and by.args[0] == base


class _Repeater(Rewriter):
    def __init__(self, uses: _Uses, chosen: dict[Value, Instr]) -> None:
        super().__init__()
        self.chosen = chosen
        self.shared = {
            v
            for v, instr in chosen.items()
            if instr.op.name != "widen" and sum(1 for use in uses.of[v] if use.role) > FEW
        }

    def visit(self, instr: Instr) -> Sequence[Instr]:
        if any(r in self.chosen and r not in self.shared for r in instr.results):
            return ()
        made: list[Instr] = []
        args = tuple(self.again(a, instr.role, made) for a in instr.args)
        new = self.inside(instr)
        return (*made, new if args == instr.args else replace(new, args=args))

    def block(self, block: Block) -> Block:
        new = super().block(block)
        made: list[Instr] = []
        args = tuple(self.again(a, "", made) for a in block.end.args)
        if not made:
            return new
        return Block(new.params, (*new.instrs, *made), replace(new.end, args=args))

    def again(self, a: Operand, role: str, made: list[Instr]) -> Operand:
        """Return a value that is read here only, made by an instruction added to `made`."""
        if not isinstance(a, Value) or a not in self.chosen:
            return a
        if a in self.shared and role:
            return a
        chosen = self.chosen[a]
        # what reads or writes an entry of a tape is known by its role, and nothing else may have that
        kept = chosen.role if "tape" in (chosen.role, role) else role
        copy = replace(chosen, results=(Value("", a.type),), role=kept)
        made.append(copy)
        return copy.result
