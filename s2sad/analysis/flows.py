"""Where values go: what each value is computed from, through branches, loops, calls and returns. Reading
the shape of an array is no flow of its values."""

from __future__ import annotations

from collections.abc import Iterable

from s2sad.ir.core import Block, End, Function, Instr, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Returned:
    """Result leaf number `index` of a function."""

    fn: Function
    index: int


Place = Operand | Returned


@dataclass(frozen=True, slots=True)
class Flow:
    """`source` has a say in `target`: as an operand of `via`, or handed on as it is (`via` None). With
    `decides`, it says whether or how often the target is computed."""

    source: Place
    target: Place
    via: Instr | None = None
    decides: bool = False


def flows(fn: Function) -> list[Flow]:
    """Return the flows of a function and of those that it calls, in program order."""
    walk = _Walk()
    walk.function(fn)
    return walk.found


def reached(start: Iterable[Place], found: Iterable[Flow], backwards: bool = False) -> set[Place]:
    """Return the places that values get to from `start`; backwards: those from which they get there."""
    edges: dict[Place, list[Place]] = {}
    for flow in found:
        here, there = (flow.target, flow.source) if backwards else (flow.source, flow.target)
        edges.setdefault(here, []).append(there)
    seen = set(start)
    todo = list(seen)
    while todo:
        for place in edges.get(todo.pop(), ()):
            if place not in seen:
                seen.add(place)
                todo.append(place)
    return seen


class _Walk:
    def __init__(self) -> None:
        self.found: list[Flow] = []
        self.seen: set[Function] = set()
        self.deciding: list[tuple[Operand, Instr]] = []  # conditions around, with their `if` or loop

    def function(self, fn: Function) -> None:
        if fn not in self.seen:
            self.seen.add(fn)
            around, self.deciding = self.deciding, []
            self.block(fn, fn.block, (), None)
            self.deciding = around

    def flow(self, source: Operand, target: Place, via: Instr | None = None, decides: bool = False) -> None:
        self.found.append(Flow(source, target, via, decides))

    def block(
        self, fn: Function, block: Block, targets: tuple[tuple[Value, ...], ...], loop: Instr | None
    ) -> None:
        for instr in block.instrs:
            self.instr(fn, instr, loop)
        for places in self.targets(fn, block.end, targets, loop):
            for source, target in zip(block.end.args, places, strict=True):
                self.flow(source, target)
            for condition, owner in self.deciding:
                for target in places:
                    self.flow(condition, target, owner, decides=True)

    def targets(
        self, fn: Function, end: End, targets: tuple[tuple[Value, ...], ...], loop: Instr | None
    ) -> list[tuple[Place, ...]]:
        match end.kind:
            case "yield":
                return [*targets]
            case "return":
                return [tuple(Returned(fn, k) for k in range(len(end.args)))]
            case "break" | "continue" if loop is not None:
                return [loop.results] if end.kind == "break" else [loop.results, carried(loop)]
            case _:
                return []

    def instr(self, fn: Function, instr: Instr, loop: Instr | None) -> None:
        match instr.op.name:
            case "if":
                self.deciding.append((instr.args[0], instr))
                for block in instr.blocks:
                    self.block(fn, block, (instr.results,), loop)
                self.deciding.pop()
            case name if name in LOOPS:
                self.loop(fn, instr)
            case "call":
                callee: Function = instr.param("callee")
                self.function(callee)
                for a, p in zip(instr.args, callee.params, strict=True):
                    self.flow(a, p)
                for k, r in enumerate(instr.results):
                    self.found.append(Flow(Returned(callee, k), r))
            case _:
                for k, a in enumerate(instr.args):
                    for r in instr.results if k not in instr.op.shape_args else ():
                        self.flow(a, r, instr)

    def loop(self, fn: Function, loop: Instr) -> None:
        for source, target, result in zip(inits(loop), carried(loop), loop.results, strict=True):
            self.flow(source, target)
            self.flow(source, result)
        body = loop.blocks[-1]
        deciding: list[Operand] = []
        if loop.op.name == "for":
            for bound in loop.args[:3]:
                self.flow(bound, body.params[0], loop)
            deciding = list(loop.args[:3])
        else:
            cond = loop.blocks[0]
            for source, target in zip(carried(loop), cond.params, strict=True):
                self.flow(source, target)
            for instr in cond.instrs:
                self.instr(fn, instr, None)
            deciding = [cond.end.args[0]]
        self.deciding += [(a, loop) for a in deciding]
        self.block(fn, body, (carried(loop), loop.results), loop)
        del self.deciding[len(self.deciding) - len(deciding) :]
