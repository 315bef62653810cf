"""Values get identifiers: values that can live in one variable are merged, then named.

Merged first are those that must be one variable (an array and its versions after writes, what a loop
carries and its result), then those that save an assignment, if they are never needed at the same
time. Never merged: two different names of the user, two dtypes, two ranks.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator

from s2sad.analysis.liveness import Liveness, liveness
from s2sad.analysis.storage import written_args
from s2sad.emit.inline import Inlining
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.loops import carried, inits, loop_ends
from s2sad.ir.types import Array

RESERVED = frozenset(keyword.kwlist) | frozenset(
    ("np", "math", "range", "len", "max", "min", "abs", "float", "int", "bool", "complex", "print", "slice")
)


class _Variable:
    """Values that share an identifier."""

    def __init__(self, value: Value, name: str, bit: int):
        self.members = bit
        self.conflicts = 0
        self.names: dict[str, None] = {name: None} if name else {}
        self.kind = kind_of(value)
        self.fixed = ""
        self.first = bit

    def absorb(self, other: _Variable) -> None:
        self.members |= other.members
        self.conflicts |= other.conflicts
        if self.fixed or (self.names and not other.fixed):
            self.names |= other.names
        else:
            self.names = other.names | self.names
        self.fixed = self.fixed or other.fixed
        self.first = min(self.first, other.first)

    def meets(self, other: _Variable) -> bool:
        """True if both are needed at the same time somewhere."""
        return bool(self.conflicts & other.members or other.conflicts & self.members)


def defined(block: Block) -> Iterator[Value]:
    """Yield the values that are defined in a block, in inner ones, too."""
    yield from block.params
    for instr in block.instrs:
        yield from instr.results
        for inner in instr.blocks:
            yield from defined(inner)


def kind_of(value: Value) -> tuple[object, ...]:
    """Return what all values of one variable agree in."""
    return isinstance(value.type, Array), value.type.dtype, value.type.ndim


class Names:
    """`names[v]` is the identifier of a value that is not printed inline. `fixed` gives parameters
    their names; `paths` are parameters that are no variables (`params["w"]`); identifiers in
    `reserved` are not used; `hints` are names for anonymous values."""

    def __init__(
        self,
        fn: Function,
        inlining: Inlining,
        fixed: dict[Value, str],
        paths: frozenset[Value],
        reserved: Iterable[str],
        hints: dict[Value, str],
    ):
        self.fn, self.inlining, self.hints = fn, inlining, hints
        self.of = inlining.numbering
        self.live: Liveness = liveness(fn, self.of, inlining.reads)
        self.skip = self.of.mask(paths)
        self.same: dict[Value, Value] = {}  # parameters of a while condition are those of the body
        self.variables: dict[Value, _Variable] = {}
        self.named: dict[Value, str] = {}
        self._create(fixed)
        self._parameters(fn, fixed)
        self._interfere(fn.block)
        self._force(fn.block)
        for v, root in inlining.fixed.lineage.root.items():
            self._must(root, v)
        self._coalesce()
        self._assign(frozenset(reserved) | RESERVED)

    def __getitem__(self, value: Value) -> str:
        return self.named[self.same.get(value, value)]

    def is_numbered(self, value: Value) -> bool:
        """True if a named value does not have its own name."""
        return bool(value.name) and self[value].rstrip("_") != value.name.rstrip("_")

    def needed_next(self, loop: Instr, k: int) -> bool:
        """True if slot k of a loop must be handed to the next trip, or to what follows the last."""
        return bool(self.live.head[loop] & self.of[carried(loop)[k]])

    def needed_after(self, instr: Instr, k: int) -> bool:
        """True if result k is read later."""
        return bool(self.live.after[instr] & self.of[instr.results[k]])

    def new(self, name: str) -> str:
        """Return a name like this one that nothing has."""
        return identifier(name, self.reserved.union(self.named.values()))

    # --- variables -----------------------------------------------------------------------------

    def _create(self, fixed: dict[Value, str]) -> None:
        for v in self.of.values:
            if v not in self.inlining.inlined and v not in self.inlining.undefined:
                self.variables[v] = _Variable(v, v.name or self.hints.get(v, ""), self.of[v])
        for v, name in fixed.items():
            self.variables[v].fixed = name
            self.variables[v].names = {name: None}

    def _parameters(self, fn: Function, fixed: dict[Value, str]) -> None:
        entry = self.live.entry[fn.block] | self.of.mask(fixed)
        for p in fn.params:
            self._conflict(p, entry)

    def _conflict(self, v: Value, live: int) -> None:
        if v in self.variables:
            self.variables[v].conflicts |= live & ~self.of[v] & ~self.skip

    def _interfere(self, block: Block) -> None:
        for instr in block.instrs:
            if self.inlining.is_inlined(instr):
                continue
            if instr.op.name in ("for", "while"):
                self._enter(instr)
            for r in instr.results:
                self._conflict(r, self.live.after[instr])
            for inner in instr.blocks:
                self._interfere(inner)

    def _enter(self, loop: Instr) -> None:
        head = self.live.head[loop]
        bounds = 0  # range is evaluated after the initial values are assigned
        if loop.op.name == "for":
            body = loop.blocks[0]
            for a in loop.args[:3]:
                bounds |= self.of.mask(self.inlining.leaves(a))
            index = body.params[0]
            inside = self.of.mask(v for v in defined(body) if v in self.variables)
            self._conflict(index, self.live.entry[body] | inside)  # a trip that assigns it would puzzle
            if index.name == "_" and self.live.entry[body] & self.of[index]:
                self.variables[index].names = {"k": None}  # the user's `_` says unused, and here it is used
        else:
            cond, body = loop.blocks
            self.same.update(zip(cond.params, body.params, strict=True))
        for k, (p, init) in enumerate(zip(carried(loop), inits(loop), strict=True)):
            if self.needed_next(loop, k):
                self._conflict(p, head | (bounds & ~self.of.mask((init,))))

    # --- merging -------------------------------------------------------------------------------

    def _of(self, a: Operand) -> _Variable | None:
        return self.variables.get(self.same.get(a, a)) if isinstance(a, Value) else None

    def _union(self, a: _Variable, b: _Variable) -> None:
        a.absorb(b)
        for v in self.of.members(b.members):
            self.variables[v] = a

    def _force(self, block: Block) -> None:
        for instr in block.instrs:
            for arg, result in written_args(instr):
                self._must(instr.args[arg], instr.results[result])
            if instr.op.name in ("for", "while"):
                for p, r in zip(carried(instr), instr.results, strict=True):
                    self._must(p, r)
            for inner in instr.blocks:
                self._force(inner)

    def _must(self, a: Operand, b: Value) -> None:
        left, right = self._of(a), self._of(b)
        if left is not None and right is not None and left is not right:
            self._union(left, right)

    def _may(self, a: Operand, b: Operand) -> None:
        left, right = self._of(a), self._of(b)
        if left is None or right is None or left is right or left.kind != right.kind or left.meets(right):
            return
        if left.fixed and right.fixed:
            return
        if left.names.keys() <= right.names.keys() or right.names.keys() <= left.names.keys():
            self._union(left, right)

    def _coalesce(self) -> None:
        loops: list[Instr] = []
        ifs: list[Instr] = []
        for instr in self.fn.block.walk():
            if instr.op.name in ("for", "while"):
                loops.append(instr)
            elif instr.op.name == "if" and not self.inlining.is_inlined(instr):
                ifs.append(instr)
        for loop in loops:
            for end in loop_ends(loop.blocks[-1]):
                for p, a in zip(carried(loop), end.args, strict=True):
                    self._may(p, a)
        for branch in ifs:
            for block in branch.blocks:
                if block.end.kind == "yield":
                    for r, a in zip(branch.results, block.end.args, strict=True):
                        self._may(r, a)
        for loop in loops:
            for p, a in zip(carried(loop), inits(loop), strict=True):
                self._may(p, a)

    # --- identifiers ---------------------------------------------------------------------------

    def _assign(self, reserved: frozenset[str]) -> None:
        found: dict[int, _Variable] = {}
        for v in self.of.values:
            if v in self.variables and not self.of[v] & self.skip:
                found.setdefault(id(self.variables[v]), self.variables[v])
        ordered = sorted(found.values(), key=lambda c: (not c.fixed, c.first))
        for v, name in _solutions(self.fn.block):  # better than a number
            if v in self.variables and not self.variables[v].names:
                self.variables[v].names = {name: None}
        hints = {self._hint(c, reserved) for c in ordered if c.names}
        prefix = temporary_prefix(hints | reserved)
        self.reserved = reserved
        self.spare = f"{prefix}0"
        taken: dict[str, list[_Variable]] = {}
        temporaries = 0
        for c in ordered:
            if c.names:
                name = self._free(c, self._hint(c, reserved), taken, hints | reserved)
            else:
                temporaries += 1
                while f"{prefix}{temporaries}" in taken:
                    temporaries += 1
                name = f"{prefix}{temporaries}"
            taken.setdefault(name, []).append(c)
            for v in self.of.members(c.members):
                self.named[v] = name

    def _hint(self, c: _Variable, reserved: frozenset[str]) -> str:
        return c.fixed or identifier(next(iter(c.names)), reserved)

    def _free(self, c: _Variable, hint: str, taken: dict[str, list[_Variable]], words: set[str]) -> str:
        name, k = hint, 0
        while not (c.fixed or self._fits(c, taken.get(name, []))):
            k += 1
            name = f"{hint}{k}" if not hint[-1].isdigit() else f"{hint}_{k}"
            while name in words:
                k += 1
                name = f"{hint}{k}" if not hint[-1].isdigit() else f"{hint}_{k}"
        return name

    def _fits(self, c: _Variable, others: list[_Variable]) -> bool:
        return all(c.kind == o.kind and not c.meets(o) for o in others)


def _solutions(block: Block) -> Iterator[tuple[Value, str]]:
    """Yield what is read of the results of SciPy's solvers, with its name there."""
    for instr in block.walk():
        if instr.op.name == "optimize":
            yield from zip(instr.results, instr.param("reads") or ("x",), strict=True)


def identifier(name: str, reserved: frozenset[str]) -> str:
    """Return `name` as an identifier that shadows nothing that emitted code needs."""
    name = re.sub(r"\W", "_", name)
    if not name or name[0].isdigit():
        name = "_" + name
    while name in reserved:
        name += "_"
    return name


def temporary_prefix(words: Iterable[str]) -> str:
    """Return the prefix of temporaries: `t`, unless some name looks like one of those."""
    taken = set(words)
    for prefix in ("t", "tmp", "tmp_"):
        if not any(word.startswith(prefix) and word[len(prefix) :].isdecimal() for word in taken):
            return prefix
    prefix = "tmp__"
    while any(word.startswith(prefix) for word in taken):
        prefix += "_"
    return prefix
