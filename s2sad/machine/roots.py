"""Which values are one array in one place, and which memory may have more than one owner.

An update of an array is the array itself. A loop that only updates an array carries nothing: all its
versions are the array from before the loop. Where an array may come from more than one place (two buffers
that swap, a tape that grows), its memory counts its owners."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

from s2sad.ir.core import Block, End, Function, Instr, Operand, Value, returns
from s2sad.ir.types import Array
from s2sad.record import dataclass


@dataclass(slots=True)
class Roots:
    """`same` leads from an array to the value that it is another name of; `memory` to one whose memory it
    shares; `sources` to what an array may be that differs by path. `counted` has the values whose memory
    counts its owners, `lasting` those whose memory may be in a result."""

    same: dict[Value, Value] = field(default_factory=dict)
    memory: dict[Value, Value] = field(default_factory=dict)
    sources: dict[Value, tuple[Value, ...]] = field(default_factory=dict)
    counted: set[Value] = field(default_factory=set)
    lasting: set[Value] = field(default_factory=set)

    def identity(self, v: Operand) -> Operand:
        """Return the first name of an array."""
        while isinstance(v, Value) and v in self.same:
            v = self.same[v]
        return v

    def owner(self, v: Operand) -> Operand:
        """Return the value that an array's memory was made for."""
        while isinstance(v, Value) and (v in self.same or v in self.memory):
            v = self.same[v] if v in self.same else self.memory[v]
        return v


def roots_of(fn: Function) -> Roots:
    """Return the roots of a function's arrays."""
    found = Roots()
    _visit(fn.block, found)
    found.counted = {r for v in found.counted if isinstance(r := found.owner(v), Value)}
    found.lasting = _reached(found, [a for end in returns(fn.block) for a in end.args])
    return found


def _reached(roots: Roots, values: Iterable[Operand]) -> set[Value]:
    """Return all that these arrays may be, whose memory was made for it."""
    found: set[Value] = set()
    todo = list(values)
    while todo:
        v = roots.owner(todo.pop())
        if isinstance(v, Value) and v not in found:
            found.add(v)
            todo += roots.sources.get(v, ())
    return found


def returned_params(fn: Function, roots: Roots) -> tuple[int | None, ...]:
    """Return for each result the parameter that it is, where it is one on every path."""
    places = {p: k for k, p in enumerate(fn.params)}
    found: list[int | None] = []
    for column in zip(*(end.args for end in returns(fn.block)), strict=True):
        arrays = [roots.identity(a) for a in column if isinstance(a.type, Array)]
        targets = {places.get(v) if isinstance(v, Value) else None for v in arrays}
        found.append(targets.pop() if len(targets) == 1 else None)
    return tuple(found)


def _visit(block: Block, roots: Roots) -> None:
    for instr in block.instrs:
        for inner in instr.blocks:
            _visit(inner, roots)
        match instr.op.name:
            case "for" | "while":
                _loop(instr, roots)
            case "if":
                _branch(instr, roots)
            case "setitem" | "accum":
                roots.same[instr.result] = _array(instr.args[0])
            case "call":
                _call(instr, roots)
            case _:
                _view(instr, roots)


def _array(a: Operand) -> Value:
    assert isinstance(a, Value)
    return a


def _view(instr: Instr, roots: Roots) -> None:
    if len(instr.results) == 1 and isinstance(instr.result.type, Array) and instr.args:
        first = instr.args[0]
        if is_view(instr) and isinstance(first, Value):
            roots.memory[instr.result] = first


def is_view(instr: Instr) -> bool:
    """True for what is made of the memory of its argument."""
    name = instr.op.name
    return name in ("getitem", "contiguous") or name.startswith("as_rank")


def _call(instr: Instr, roots: Roots) -> None:
    callee = instr.param("callee")
    for result, k in zip(instr.results, returned_params(callee, roots_of(callee)), strict=True):
        if k is not None:
            roots.same[result] = _array(instr.args[k])


def _loop(instr: Instr, roots: Roots) -> None:
    first = 3 if instr.op.name == "for" else 0
    inits = instr.args[first:]
    body = instr.blocks[-1]
    params = body.params[1:] if first else body.params
    ends = list(ends_of_trip(body))
    for k, (init, param, result) in enumerate(zip(inits, params, instr.results, strict=True)):
        if not isinstance(param.type, Array):
            continue
        handed = [end.args[k] for end in ends]
        if all(roots.identity(a) is param for a in handed):
            roots.same[param] = roots.same[result] = _array(init)
            if not first:
                roots.same[instr.blocks[0].params[k]] = _array(init)
        else:
            _differs(roots, [b.params[k] for b in instr.blocks[:-1]] + [param, result], (init, *handed))


def ends_of_trip(block: Block) -> Iterator[End]:
    """Yield how a trip of a loop may end and hand on values."""
    for instr in block.instrs:
        if instr.op.name == "if":
            for inner in instr.blocks:
                yield from (e for e in ends_of_trip(inner) if e.kind != "yield")
    if block.end.kind in ("yield", "continue", "break"):
        yield block.end


def _branch(instr: Instr, roots: Roots) -> None:
    ends = [b.end for b in instr.blocks if b.end.kind == "yield"]
    for k, result in enumerate(instr.results):
        if not isinstance(result.type, Array):
            continue
        handed = [end.args[k] for end in ends]
        firsts = {roots.identity(a) for a in handed}
        if len(firsts) == 1 and not _made_inside(instr.blocks, firsts):
            roots.same[result] = _array(handed[0])
        else:
            _differs(roots, [result], handed)


def _differs(roots: Roots, names: Sequence[Value], handed: Sequence[Operand]) -> None:
    values = tuple(v for v in handed if isinstance(v, Value))
    roots.sources |= dict.fromkeys(names, values)
    roots.counted |= set(values)


def _made_inside(blocks: Sequence[Block], values: set[Operand]) -> bool:
    return any(r in values for block in blocks for instr in block.walk() for r in instr.results)
