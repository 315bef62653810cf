"""Walking a function in program order while replacing values: what most passes are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from s2sad.ir.core import Block, End, Function, Instr, Operand, Value
from s2sad.ir.types import Type, without_sizes
from s2sad.record import dataclass, replace


@dataclass(frozen=True, slots=True)
class Leaving:
    """What an instruction was replaced by, if control never gets past it."""

    instrs: tuple[Instr, ...]
    end: End


class Rewriter:
    """Applies `map` (value -> operand) as it walks; a subclass overrides `visit` to do more. Blocks,
    instructions and functions in which nothing changes stay the same objects."""

    def __init__(self) -> None:
        self.map: dict[Value, Operand] = {}
        self.names: dict[Value, str] = {}  # for anonymous values that stand for named ones

    def operand(self, a: Operand) -> Operand:
        """Return what stands for `a` now."""
        while isinstance(a, Value) and a in self.map:
            a = self.map[a]
        return a

    def replaced(self, old: Value, new: Operand) -> None:
        """Read `new` instead of `old` from here on; an anonymous one inherits the name."""
        self.map[old] = new
        if isinstance(new, Value) and old.name and not new.name:
            self.names.setdefault(new, old.name)

    def operands(self, args: tuple[Operand, ...]) -> tuple[Operand, ...]:
        """Return what stands for `args` now; the same tuple if nothing changed."""
        known = self.map
        for a in args if known else ():
            if isinstance(a, Value) and a in known:
                return tuple(map(self.operand, args))
        return args

    def function(self, fn: Function) -> Function:
        """Return the rewritten function."""
        block = self.block(fn.block)
        if self.names:
            block = Renamer(self.names).block(block)
        return fn if block is fn.block else replace(fn, block=block)

    def block(self, block: Block) -> Block:
        """Return the rewritten block."""
        instrs: list[Instr] = []
        end = block.end
        for instr in block.instrs:
            new = self.visit(instr)
            if isinstance(new, Leaving):
                instrs += new.instrs
                end = new.end
                break
            instrs += new
        end = self.end(end)
        if end is block.end and same_objects(instrs, block.instrs):
            return block
        return Block(block.params, tuple(instrs), end)

    def end(self, end: End) -> End:
        """Return the rewritten end."""
        args = self.operands(end.args)
        return end if args is end.args else replace(end, args=args)

    def visit(self, instr: Instr) -> Sequence[Instr] | Leaving:
        """Return what to put in place of the instruction."""
        return (self.inside(instr),)

    def inside(self, instr: Instr) -> Instr:
        """Return the instruction with operands and blocks rewritten."""
        args = self.operands(instr.args)
        if not instr.blocks:
            return instr if args is instr.args else replace(instr, args=args)
        blocks = tuple(map(self.block, instr.blocks))
        if args is instr.args and same_objects(blocks, instr.blocks):
            return instr
        return replace(instr, args=args, blocks=blocks)


def same_objects(new: Sequence[Block | Instr], old: Sequence[Block | Instr]) -> bool:
    """True if both hold the same blocks or instructions (which are equal if they are the same) in order."""
    return tuple(new) == tuple(old)


class Renamer(Rewriter):
    """Gives names to values."""

    def __init__(self, names: Mapping[Value, str]) -> None:
        super().__init__()
        self.renamed = {v: Value(name, v.type) for v, name in names.items()}
        self.map.update(self.renamed)

    def defined(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Return the values under their new names."""
        return tuple(self.renamed.get(v, v) for v in values)

    def block(self, block: Block) -> Block:
        """Return the block with parameters and all else renamed."""
        new = super().block(block)
        params = self.defined(new.params)
        return new if params == new.params else replace(new, params=params)

    def visit(self, instr: Instr) -> tuple[Instr, ...]:
        """Return the instruction with results and all else renamed."""
        new = self.inside(instr)
        results = self.defined(new.results)
        return (new if results == new.results else replace(new, results=results),)


def fits(a: Operand, t: Type) -> bool:
    """True if `a` may be read in place of a value of type `t`. A Python number that starts a slot of
    a NumPy scalar may not: it would not promote the same way."""
    return isinstance(a, Value) or without_sizes(a.type) == without_sizes(t)
