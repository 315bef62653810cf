"""The memory of arrays, and what their indices count in: an array by its first name, or a view of it."""

from __future__ import annotations

from s2sad.ir.core import Function, Instr, Operand, Value, returns
from s2sad.ir.loops import inits, loop_ends
from s2sad.ir.types import Array
from s2sad.lowering.overlap import Roots, Storage


class _Storage(Storage):
    """Knows of called functions whether they return new arrays."""

    def _instr(self, instr: Instr) -> None:
        if instr.op.name == "call" and returns_new_arrays(instr.param("callee")):
            for result in instr.results:
                self._set(result)
        else:
            super()._instr(instr)


def returns_new_arrays(fn: Function) -> bool:
    """True if what a function returns shares no memory with its arguments or another result."""
    storage = Storage(fn)
    seen: set[Value] = set(fn.params)
    for end in returns(fn.block):
        for a in end.args:
            if isinstance(a, Value) and isinstance(a.type, Array):
                roots = storage.origins(storage.roots(a))
                if not roots.isdisjoint(seen):
                    return False
                seen |= roots
    return True


class Arrays:
    """The arrays of a function: their memory and their first names."""

    def __init__(self, fn: Function) -> None:
        self.storage = _Storage(fn)
        self.before: dict[Value, Operand] = {}  # the version before an update
        self.known: dict[Value, Roots] = {}
        joins = [j for instr in fn.block.walk() for j in self.note(instr)]
        while True:  # what may be one of several arrays has a name of its own
            bad = [j for j in joins if len({self.frame(a) for a in j[1]}) > 1]
            if not bad:
                break
            joins = [j for j in joins if j not in bad]
            for names, _ in bad:
                for name in names:
                    del self.before[name]
        self.turned: set[Value] = set()  # memory of which a view gets another name
        for block in (fn.block, *(b for i in fn.block.walk() for b in i.blocks)):
            handed = block.end.args if block.end.kind != "return" else ()
            for a in (*handed, *(a for i in block.instrs if i.blocks for a in i.args)):
                if isinstance(a.type, Array) and self.frame(a) not in self.origins(a):
                    self.turned |= self.origins(a)

    def note(self, instr: Instr) -> list[tuple[list[Value], list[Operand]]]:
        """Note which values are versions of one array. Return names that stand for one of several values."""
        match instr.op.name:
            case "setitem" | "accum":
                self.before[instr.result] = instr.args[0]
                return []
            case "for" | "while":
                params = [b.params[-len(instr.results) :] if instr.results else () for b in instr.blocks]
                ends = loop_ends(instr.blocks[-1])
                first = inits(instr)
            case "if":
                params, first = [], ()
                ends = [b.end for b in instr.blocks if b.end.kind == "yield"]
            case _:
                return []
        joins = []
        for k, r in enumerate(instr.results):
            if isinstance(r.type, Array):
                names = [r, *(p[k] for p in params)]
                values = [*first[k : k + 1], *(e.args[k] for e in ends)]
                self.before.update(dict.fromkeys(names, values[0]))
                joins.append((names, values))
        return joins

    def frame(self, array: Operand) -> Value:
        """Return the first name of an array."""
        while isinstance(array, Value) and array in self.before:
            array = self.before[array]
        assert isinstance(array, Value)
        return array

    def origins(self, array: Operand) -> Roots:
        """Return the allocations and parameters that an array may be."""
        assert isinstance(array, Value)
        if array not in self.known:
            self.known[array] = self.storage.origins(self.storage.roots(array))
        return self.known[array]

    def may_meet(self, a: Operand, b: Operand) -> bool:
        """Return False if two arrays cannot share memory where they are."""
        assert isinstance(a, Value)
        assert isinstance(b, Value)
        return self.storage.may_alias(self.storage.roots(a), self.storage.roots(b))
