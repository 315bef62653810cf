"""Looking through blocks: uses, free values, substitution, copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, End, Function, Instr, Operand, Value, held
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar, Type
from s2sad.record import replace


def operands(block: Block) -> Iterator[Operand]:
    """Yield every operand read in a block, nested blocks and ends included."""
    for instr in block.every:
        yield from instr.args
        for inner in instr.blocks:
            yield from inner.end.args
    yield from block.end.args


def used_values(instr: Instr) -> Iterator[Value]:
    """Yield the values an instruction reads that are defined outside it."""
    for arg in instr.args:
        if isinstance(arg, Value):
            yield arg
    for block in instr.blocks:
        yield from free_values(block)


def free_values(block: Block) -> dict[Value, None]:
    """Return the values a block reads but does not define, in order of first use."""
    defined: set[Value] = set(block.params)
    found: dict[Value, None] = {}
    for instr in block.instrs:
        for value in used_values(instr):
            if value not in defined:
                found[value] = None
        defined.update(instr.results)
    for arg in block.end.args:
        if isinstance(arg, Value) and arg not in defined:
            found[arg] = None
    return found


def substitute(block: Block, mapping: Mapping[Value, Operand]) -> Block:
    """Return the block with operands replaced; the same object if none occurs."""
    if not mapping:
        return block

    def operand(a: Operand) -> Operand:
        while isinstance(a, Value) and a in mapping:
            a = mapping[a]
        return a

    def visit(b: Block) -> Block:
        changed = False
        instrs = []
        for instr in b.instrs:
            args = tuple(operand(a) for a in instr.args)
            blocks = tuple(visit(inner) for inner in instr.blocks)
            if args != instr.args or any(n is not o for n, o in zip(blocks, instr.blocks, strict=True)):
                instr = replace(instr, args=args, blocks=blocks)
                changed = True
            instrs.append(instr)
        end_args = tuple(operand(a) for a in b.end.args)
        if not changed and end_args == b.end.args:
            return b
        return Block(b.params, tuple(instrs), replace(b.end, args=end_args))

    return visit(block)


def expanded(block: Block, change: Callable[[Instr], Iterable[Instr]]) -> Block:
    """Return `block` with what `change` returns in place of each instruction, those inside it first."""
    instrs: list[Instr] = []
    for instr in block.instrs:
        if instr.blocks:
            instr = replace(instr, blocks=tuple(expanded(b, change) for b in instr.blocks))
        instrs += change(instr)
    return Block(block.params, tuple(instrs), block.end)


def at_returns(block: Block, change: Callable[[Block], Block]) -> Block:
    """Return `block` with `change(block)` applied to every block in it that ends in `return`."""
    instrs = tuple(
        replace(i, blocks=tuple(at_returns(b, change) for b in i.blocks)) if i.blocks else i
        for i in block.instrs
    )
    block = Block(block.params, instrs, block.end)
    return change(block) if block.end.kind == "return" else block


class Copier:
    """Copies blocks with fresh values. Run-time size symbols (`?3`, `$3`) defined by the copied code
    get fresh names, so that two copies of one block do not seem to have equal sizes."""

    def __init__(self, sizes: Sizes, mapping: Mapping[Value, Operand] | None = None):
        self.sizes = sizes
        self.map: dict[Value, Operand] = dict(mapping or {})
        self.symbols: dict[str, Size] = {}

    def operand(self, a: Operand) -> Operand:
        """Return what stands for operand `a` in the copy."""
        return self.map.get(a, a) if isinstance(a, Value) else a

    def size(self, s: Size) -> Size:
        """Return the size in terms of the copy's symbols."""
        for name in sorted(s.symbols()):
            if name[0] in "?$" and name not in self.symbols:
                self.symbols[name] = self.sizes.fresh() if name[0] == "?" else self.sizes.fresh_int()
        return s.substitute(self.symbols)

    def type(self, t: Type) -> Type:
        """Return the type in terms of the copy's symbols."""
        if isinstance(t, Array):
            return Array(t.dtype, tuple(self.size(s) for s in t.shape))
        return t if t.size is None else Scalar(t.dtype, t.weak, self.size(t.size))

    def define(self, v: Value) -> Value:
        """Return a fresh value for `v` and remember it."""
        new = Value(v.name, self.type(v.type))
        self.map[v] = new
        return new

    def instr(self, instr: Instr) -> Instr:
        """Return a copy of an instruction."""
        args = tuple(self.operand(a) for a in instr.args)
        blocks = tuple(self.block(b) for b in instr.blocks)
        return replace(instr, args=args, blocks=blocks, results=tuple(map(self.define, instr.results)))

    def end(self, end: End) -> End:
        """Return a copy of an end."""
        return replace(end, args=tuple(self.operand(a) for a in end.args))

    def block(self, block: Block) -> Block:
        """Return a copy of a block."""
        params = tuple(map(self.define, block.params))
        instrs = tuple(self.instr(i) for i in block.instrs)
        return Block(params, instrs, self.end(block.end))


def rewrite_types(
    fn: Function, change: Callable[[Size], Size], names: Mapping[Value, str] | None = None
) -> Function:
    """Return the function with every size in its types replaced by `change(size)`, and values without
    a name called as `names` says."""
    named = names or {}

    class Renamer(Copier):
        def size(self, s: Size) -> Size:
            return change(s)

        def define(self, v: Value) -> Value:
            new = Value(named.get(v, v.name), self.type(v.type))
            self.map[v] = new
            return new

    copier = Renamer(Sizes())
    params = tuple(map(copier.define, fn.params))
    return replace(fn, params=params, block=copier.block(fn.block))


def holding(instr: Instr, change: Callable[[Function], Function]) -> Instr:
    """Return an instruction with `change(fn)` for each function that it calls; the same if none differs."""
    old = held(instr)
    new = tuple(map(change, old))
    if all(a is b for a, b in zip(new, old, strict=True)):
        return instr
    put: dict[str, Any] = {"callee": new[0], "callees": new}
    return replace(instr, params=tuple((k, put.get(k, v)) for k, v in instr.params))


def has_effect(fn: Function) -> bool:
    """True if calling the function can do more than compute: print or raise."""
    seen = {fn}

    def acts(block: Block) -> bool:
        return block.end.kind == "raise" or any(map(does, block.instrs))

    def does(instr: Instr) -> bool:
        if instr.op.name != "comment" and (not instr.op.pure or any(map(acts, instr.blocks))):
            return True
        new = [fn for fn in held(instr) if fn not in seen]
        seen.update(new)
        return any(acts(fn.block) for fn in new)

    return acts(fn.block)


def every_instr(fn: Function) -> Iterator[Instr]:
    """Yield every instruction of a function and of those that it calls, each function once."""
    seen, todo = {fn}, [fn]
    while todo:
        for instr in todo.pop().block.walk():
            yield instr
            new = [callee for callee in held(instr) if callee not in seen]
            seen.update(new)
            todo += new


def draws(fn: Function) -> bool:
    """True if a function draws random numbers or seeds their source: it must run once."""
    return any(instr.op.name in ("draw", "seed") for instr in every_instr(fn))


def count(block: Block) -> int:
    """Return the number of instructions, nested ones included."""
    return len(block.every)
