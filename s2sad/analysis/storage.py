"""Which values may share memory once array writes happen in place, and which are the same array.

`Storage` is a relation between pairs of values, not a partition: after `r = a if c else b` the value
r may share with a and with b, while a and b stay apart. It is what a bufferized program does: views
share with what they are views of, writes return their first argument, loops and ifs hand arrays on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

from s2sad.analysis.liveness import Numbering
from s2sad.ir import path as paths
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value, returns
from s2sad.ir.loops import carried, inits, loop_ends
from s2sad.ir.op import Alias, Op
from s2sad.ir.types import Array
from s2sad.record import dataclass

CALLER = 1  # memory that belongs to the caller and must not be written
READONLY = 2  # NumPy refuses to write through this value
RESERVED = 2  # bits taken by these two

SHARING = (Alias.SAME, Alias.VIEW, Alias.READONLY, Alias.MAYBE, Alias.INPLACE)


def alias_of(instr: Instr) -> Alias:
    """Return what the result's memory has to do with the first argument's."""
    if not instr.results or not isinstance(instr.results[0].type, Array):
        return Alias.FRESH
    return alias_of_op(instr.op, dict(instr.params))


def alias_of_op(op: Op, params: Mapping[str, Any]) -> Alias:
    """Return what the memory of an array that an op with these parameters makes has to do with its first
    argument's."""
    if op.name == "getitem" and paths.is_fancy(params["path"]):
        return Alias.FRESH
    if op.name == "einsum":  # of one operand, without a sum: a transposition or a diagonal
        inputs, _, output = params["subscripts"].partition("->")
        return Alias.MAYBE if set(inputs) == set(output) else Alias.FRESH
    return op.alias


def is_write(instr: Instr) -> bool:
    """True if the instruction updates the memory of an argument."""
    return bool(written_args(instr))


def written_args(instr: Instr) -> tuple[tuple[int, int], ...]:
    """Return (argument, result) positions: the result is the argument's array, updated in place."""
    if instr.op.alias is Alias.INPLACE:
        return ((0, 0),)
    if instr.op.name != "call":
        return ()
    callee: Function = instr.param("callee")
    first = len(instr.results) - len(callee.writes)
    return tuple((k, first + j) for j, k in enumerate(callee.writes))


def overwrites(instr: Instr) -> bool:
    """True for `x[:] = v`: it needs the memory of x, not what is in it."""
    return instr.op.name == "setitem" and instr.param("path") == paths.full(instr.args[0].type.ndim)


def contents_read(node: Instr | End) -> Sequence[Operand]:
    """Return the operands of which an instruction or end needs what is in them."""
    return node.args[1:] if isinstance(node, Instr) and overwrites(node) else node.args


@dataclass(frozen=True, slots=True)
class Summary:
    """How the results of a called function share memory: `with_params[k]` lists the parameters that
    result k may share with, `with_results[k]` the earlier results; `readonly[k]`: it may be read-only."""

    with_params: tuple[tuple[int, ...], ...]
    with_results: tuple[tuple[int, ...], ...]
    readonly: tuple[bool, ...]


class Storage:
    """The relation for one function. `summaries` gives what is known of called functions."""

    def __init__(self, fn: Function, numbering: Numbering, summaries: dict[Function, Summary]):
        assert numbering.reserved == RESERVED
        self.fn = fn
        self.of = numbering
        self.summaries = summaries
        self.masks: dict[Value, int] = {}
        self.inner: dict[Instr, int] = {}
        self.arrays: dict[Block, list[Instr]] = {}  # the instructions that have to do with arrays
        self.changed = True
        for k, param in enumerate(fn.params):
            if isinstance(param.type, Array):
                self.masks[param] = numbering[param] | (0 if k in fn.writes else CALLER)
        while self.changed:
            self.changed = False
            self._block(fn.block)

    def mask(self, a: Operand) -> int:
        """Return the values that `a` may share memory with (itself included), CALLER, READONLY."""
        return self.masks.get(a, 0) if isinstance(a, Value) else 0

    def shares(self, a: Operand, b: Operand) -> bool:
        """True if two values may share memory."""
        return isinstance(b, Value) and bool(self.mask(a) & self.of[b])

    def _relate(self, v: Value, mask: int) -> None:
        if not isinstance(v.type, Array):
            return
        old = self.masks.get(v, 0)
        new = old | mask | self.of[v]
        if new == old:
            return
        self.changed = True
        self.masks[v] = new
        bit = self.of[v]
        for w in self.of.members(new & ~old):
            self.masks[w] = self.masks.get(w, 0) | bit

    def _block(self, block: Block) -> None:
        if block not in self.arrays:
            self.arrays[block] = [
                i for i in block.instrs if i.blocks or any(isinstance(r.type, Array) for r in i.results)
            ]
        for instr in self.arrays[block]:
            self._instr(instr)

    def _instr(self, instr: Instr) -> None:
        match instr.op.name:
            case "if":
                for block in instr.blocks:
                    self._block(block)
                ends = [b.end.args for b in instr.blocks if b.end.kind == "yield"]
                self._join(instr.results, ends, self._defined(instr))
            case "for" | "while":
                self._loop(instr)
            case "call":
                self._call(instr)
            case _:
                alias = alias_of(instr)
                mask = self.mask(instr.args[0]) if alias in SHARING and instr.args else 0
                if alias is Alias.READONLY:
                    mask |= READONLY
                for r in instr.results:
                    self._relate(r, mask)

    def _loop(self, instr: Instr) -> None:
        body = instr.blocks[-1]
        start, slots = inits(instr), carried(instr)
        nexts = [e.args for e in loop_ends(body) if e.kind != "break"]
        breaks = [e.args for e in loop_ends(body) if e.kind == "break"]
        inner = self._defined(instr)
        self._join(slots, [start, *nexts], inner)
        if instr.op.name == "while":
            for c, p in zip(instr.blocks[0].params, slots, strict=True):
                self.masks[c] = self.masks.get(p, 0)
        for block in instr.blocks:
            self._block(block)
        self._join(instr.results, [start, *nexts, *breaks], inner)

    def _join(self, targets: Sequence[Value], ways: Sequence[Sequence[Operand]], inner: int) -> None:
        """Relate values that are bound together to one of several tuples. Two of them share only if
        they do in one of the tuples; `inner` values are out of scope, or of the trip before."""
        arrays = [k for k, v in enumerate(targets) if isinstance(v.type, Array)]
        if not arrays:
            return
        together = ~self.of.mask(targets[k] for k in arrays)
        columns = [tuple(way[k] for way in ways) for k in arrays]
        masks = [tuple(map(self.mask, column)) for column in columns]
        bits = [tuple(self.of.mask((a,)) for a in column) for column in columns]
        for j, k in enumerate(arrays):
            mask = reduce(or_, masks[j], 0) & ~inner & together
            for i, other in enumerate(arrays):
                if i != j and any(map(and_, masks[i], bits[j])):
                    mask |= self.of[targets[other]]
            self._relate(targets[k], mask)

    def _call(self, instr: Instr) -> None:
        callee: Function = instr.param("callee")
        summary = self.summaries.get(callee)
        for k, r in enumerate(instr.results):
            mask = 0
            if summary is not None:
                mask |= READONLY if summary.readonly[k] else 0
                for j in summary.with_params[k]:
                    mask |= self.mask(instr.args[j])
                for j in summary.with_results[k]:
                    mask |= self.mask(instr.results[j])
            self._relate(r, mask)

    def _defined(self, instr: Instr) -> int:
        """Return the values defined in the blocks of an instruction."""
        if instr in self.inner:
            return self.inner[instr]
        found = 0
        for block in instr.blocks:
            found |= self.of.mask(block.params)
            for inner in block.walk():
                found |= self.of.mask(inner.results)
                for deeper in inner.blocks:
                    found |= self.of.mask(deeper.params)
        self.inner[instr] = found
        return found


def summarize(fn: Function, storage: Storage) -> Summary:
    """Return how the results of a bufferized function share memory."""
    count = len(next(returns(fn.block)).args)
    params: list[dict[int, None]] = [{} for _ in range(count)]
    results: list[dict[int, None]] = [{} for _ in range(count)]
    readonly = [False] * count
    for end in returns(fn.block):
        for k, a in enumerate(end.args):
            readonly[k] = readonly[k] or bool(storage.mask(a) & READONLY)
            for j, p in enumerate(fn.params):
                if storage.shares(a, p):
                    params[k][j] = None
            for j in range(k):
                if storage.shares(a, end.args[j]) and isinstance(a.type, Array):
                    results[k][j] = None
    return Summary(tuple(map(tuple, params)), tuple(map(tuple, results)), tuple(readonly))


class Lineage:
    """`root[v]`: the value that `v` is certain to be the same array as, at its oldest: writes, loops
    and ifs that only hand an array on lead back to where it comes from."""

    def __init__(self, fn: Function):
        self.root: dict[Value, Value] = {}
        self._block(fn.block)

    def __getitem__(self, a: Operand) -> Operand:
        return self.root.get(a, a) if isinstance(a, Value) else a

    def _block(self, block: Block) -> None:
        for instr in block.instrs:
            for inner in instr.blocks:
                self._block(inner)
            self._instr(instr)

    def _instr(self, instr: Instr) -> None:
        for arg, result in written_args(instr):
            self._same(instr.results[result], instr.args[arg])
        match instr.op.name:
            case "if":
                ends = [b.end.args for b in instr.blocks if b.end.kind == "yield"]
                for k, r in enumerate(instr.results):
                    roots = {self[args[k]] for args in ends}
                    if isinstance(r.type, Array) and len(roots) == 1:
                        self._same(r, roots.pop())
            case "for" | "while":
                self._loop(instr)

    def _loop(self, instr: Instr) -> None:
        body = instr.blocks[-1]
        start, slots = inits(instr), carried(instr)
        ends = loop_ends(body)
        handed = {
            k
            for k, p in enumerate(slots)
            if isinstance(p.type, Array) and all(self[e.args[k]] is p for e in ends)
        }
        for k, p in enumerate(slots):
            if k not in handed:
                continue
            if instr.op.name == "while":
                self._same(instr.blocks[0].params[k], start[k])
            self._same(p, start[k])
            self._same(instr.results[k], start[k])
        for v, root in self.root.items():  # what led to a carried value leads on to its init
            self.root[v] = self.root.get(root, root)

    def _same(self, v: Value, a: Operand) -> None:
        root = self[a]
        if not isinstance(root, Literal):
            self.root[v] = root
