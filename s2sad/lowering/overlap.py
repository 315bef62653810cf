"""Which arrays may share memory: storage roots of the source function.

A root is the value of a fresh allocation, a parameter, or a loop slot. The slots of one loop are
taken to be disjoint if their inits are and one trip keeps them so; a buffer allocated in a loop body
cannot be what a slot held before the trip.
"""

from __future__ import annotations

from dataclasses import field

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.loops import loop_ends
from s2sad.ir.op import Alias
from s2sad.ir.path import is_fancy
from s2sad.ir.types import Array
from s2sad.record import dataclass

Roots = frozenset[Value]
NONE: Roots = frozenset()


@dataclass(slots=True, eq=False)
class _Slots:
    """The carried arrays of one loop: parameters (or results) that stand for the same slots."""

    serial: int  # in order of definition
    inits: list[Roots]
    yields: list[list[Roots]] = field(default_factory=list)
    overlapping: set[tuple[int, int]] = field(default_factory=set)  # pairs that may share, i <= j
    inside: set[Value] = field(default_factory=set)  # what the loop's blocks define


class Storage:
    """The storage roots of every array of a function."""

    def __init__(self, fn: Function):
        self._roots: dict[Value, Roots] = {}
        self._slots: dict[Value, tuple[_Slots, int]] = {}
        self._all: list[_Slots] = []
        self._origins: dict[Roots, Roots] = {}
        self._masks: dict[Value, int] = {}
        for p in fn.params:
            self._roots[p] = frozenset({p})
        self._block(fn.block)
        self._compared = False

    def _compare(self) -> None:
        """Find which slots of loops may share memory, once somebody asks."""
        self._compared = True
        self._mask_slots()
        changed = True
        while changed:  # overlap of one loop's slots can make another's overlap
            before = sum(len(s.overlapping) for s in self._all)
            for slots in self._all:
                slots.overlapping |= self._collisions(slots)
            changed = sum(len(s.overlapping) for s in self._all) > before

    def _mask_slots(self) -> None:
        """Give every slot a set of bits: one for each allocation and parameter that it may be."""
        changed = True
        while changed:
            changed = False
            for x, (slots, k) in self._slots.items():
                mask = 0
                for r in slots.inits[k].union(*(state[k] for state in slots.yields)):
                    mask |= self._mask(r)
                changed |= mask != self._masks.get(x, 0)
                self._masks[x] = mask

    def _mask(self, x: Value) -> int:
        if x not in self._masks:
            self._masks[x] = 0 if x in self._slots else 1 << len(self._masks)
        return self._masks[x]

    def roots(self, value: Value) -> Roots:
        """Return the roots of a source value (itself if it is not an array of the function)."""
        return self._roots.get(value, frozenset({value}))

    def origins(self, roots: Roots) -> Roots:
        """Return the allocations and parameters that arrays with these roots may be, whenever: what
        `may_alias` knows of a moment does not hold for code that is moved."""
        if roots in self._origins:
            return self._origins[roots]
        found: set[Value] = set()
        seen: set[Value] = set()
        todo = list(roots)
        while todo:
            x = todo.pop()
            if x in seen:
                continue
            seen.add(x)
            if x not in self._slots:
                found.add(x)
                continue
            slots, k = self._slots[x]
            todo += slots.inits[k].union(*(state[k] for state in slots.yields))
        self._origins[roots] = frozenset(found)
        return self._origins[roots]

    def may_alias(self, a: Roots, b: Roots) -> bool:
        """Return False if arrays with these roots cannot share memory."""
        if not self._compared:
            self._compare()
        seen: set[tuple[Value, Value]] = set()
        return any(self._meet(x, y, seen) for x in a for y in b)

    def _meet(self, x: Value, y: Value, seen: set[tuple[Value, Value]]) -> bool:
        # a search for one pair that is the same: pairs already looked at need no second look
        if x is y:
            return True
        if (x, y) in seen:
            return False
        seen.update(((x, y), (y, x)))
        if self._serial(x) < self._serial(y):
            x, y = y, x
        if x not in self._slots:
            return False
        slots, k = self._slots[x]  # the one defined last: the other cannot be made of it
        if y in self._slots and self._slots[y][0] is slots:
            other = self._slots[y][1]
            return k == other or (min(k, other), max(k, other)) in slots.overlapping
        if y in slots.inside and y not in self._slots:
            return False  # allocated during a trip: not what the slot held before it
        if not self._mask(x) & self._mask(y):
            return False  # most pairs: what they may be made of need not be searched
        sources = slots.inits[k].union(*(state[k] for state in slots.yields))
        return any(self._meet(r, y, seen) for r in sources)

    def _serial(self, x: Value) -> int:
        return self._slots[x][0].serial if x in self._slots else -1

    def _block(self, block: Block) -> None:
        for instr in block.instrs:
            self._instr(instr)

    def _of(self, a: Operand) -> Roots:
        return self._roots.get(a, NONE) if isinstance(a, Value) else NONE

    def _instr(self, instr: Instr) -> None:
        match instr.op.name:
            case "if":
                for block in instr.blocks:
                    self._block(block)
                for k, result in enumerate(instr.results):
                    ends = [b.end for b in instr.blocks if b.end.kind == "yield"]
                    self._set(result, *(self._of(e.args[k]) for e in ends))
            case "for":
                self._loop(instr, instr.args[3:], [instr.blocks[0].params[1:]])
            case "while":
                self._loop(instr, instr.args, [b.params for b in instr.blocks])
            case "call":
                for result in instr.results:
                    self._set(result, frozenset({result}), *map(self._of, instr.args))
            case "getitem" if is_fancy(instr.param("path")):
                self._set(instr.result)
            case _:
                for result in instr.results:
                    self._op(instr, result)

    def _op(self, instr: Instr, result: Value) -> None:
        match instr.op.alias:
            case Alias.FRESH:
                self._set(result)
            case Alias.MAYBE:
                self._set(result, frozenset({result}), self._of(instr.args[0]))
            case _:
                self._set(result, self._of(instr.args[0]))

    def _set(self, value: Value, *roots: Roots) -> None:
        if isinstance(value.type, Array):
            self._roots[value] = NONE.union(*roots) or frozenset({value})

    def _loop(self, instr: Instr, inits: tuple[Operand, ...], params: list[tuple[Value, ...]]) -> None:
        slots = _Slots(len(self._all), [self._of(a) for a in inits])
        self._all.append(slots)
        for group in (*params, instr.results):
            for k, v in enumerate(group):
                if isinstance(v.type, Array):
                    self._roots[v] = frozenset({v})
                    self._slots[v] = (slots, k)
        for block in instr.blocks:
            self._block(block)
            slots.inside |= {r for i in block.walk() for r in i.results}
        for end in loop_ends(instr.blocks[-1]):
            slots.yields.append([self._of(a) for a in end.args])

    def _collisions(self, slots: _Slots) -> set[tuple[int, int]]:
        return {
            (i, j)
            for state in (slots.inits, *slots.yields)
            for i, a in enumerate(state)
            for j, b in enumerate(state[i + 1 :], i + 1)
            if a and b and (i, j) not in slots.overlapping and self.may_alias(a, b)
        }
