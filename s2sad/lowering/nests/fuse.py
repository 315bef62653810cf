"""Neighbouring loops become one where that keeps the meaning.

Two loops over the same range are fused if whatever both touch, and one of them writes, is touched in the
same order as before: the first loop gets to an element in no later trip than the second. What stands
between them goes before the new loop, or after it if it depends on the first one. Sums that generated
code accumulates into one array may be added in any order.

Only loops of one kind are fused: a recurrence would keep the others from being vectorised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.types import Array, Scalar
from s2sad.ir.walk import substitute, use_counts, used_values
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.nests.reductions import running_sums
from s2sad.lowering.overlap import NONE, Roots, Storage

LOOK_BACK = 12  # loops before this one that it is tried to be fused with


def fuse(fn: Function) -> Function:
    """Return the function with neighbouring loops fused, outer ones first."""
    fuser = _Fuser(fn)
    block = fuser.block(fn.block)
    return fn if block is fn.block else replace(fn, block=block)


@dataclass(frozen=True, slots=True)
class Access:
    """An element that a loop's body reads or writes: where it is known, its index."""

    value: Value
    is_write: bool
    adds: bool  # by `+=` of generated code
    index: tuple[Linear, ...] | None


@dataclass(frozen=True, slots=True)
class Effects:
    """The arrays that an instruction reads and writes, by their roots."""

    reads: Roots
    writes: Roots


class _Fuser:
    def __init__(self, fn: Function) -> None:
        self.storage = Storage(fn)
        self.forms = Forms(fn.block)
        self.counts = use_counts(fn.block)
        self.effects: dict[Instr, Effects] = {}
        self.accesses: dict[Instr, list[Access] | None] = {}
        self.meet: dict[tuple[Roots, Roots], bool] = {}

    def block(self, block: Block) -> Block:
        instrs = list(block.instrs)
        k = 0
        while k < len(instrs):
            count = len(instrs)
            if instrs[k].op.name == "for":
                self.absorb(instrs, k)
            k += 1 - (count - len(instrs))
        instrs = [self.inside(i) for i in instrs]
        if len(instrs) == len(block.instrs) and all(
            a is b for a, b in zip(instrs, block.instrs, strict=True)
        ):
            return block
        return Block(block.params, tuple(instrs), block.end)

    def inside(self, instr: Instr) -> Instr:
        if not instr.blocks:
            return instr
        blocks = tuple(map(self.block, instr.blocks))
        same = all(a is b for a, b in zip(blocks, instr.blocks, strict=True))
        return instr if same else replace(instr, blocks=blocks)

    def absorb(self, instrs: list[Instr], k: int) -> None:
        """Fuse loop k of a block with an earlier one, if there is one that it may be fused with."""
        second = instrs[k]
        tried = 0
        for j in range(k - 1, -1, -1):
            first = instrs[j]
            if first.op.name != "for" or not self.same_range(first, second):
                continue
            tried += 1
            if tried > LOOK_BACK:
                return
            around = self.arrange(first, instrs[j + 1 : k], second)
            if around is None or not self.may_fuse(first, second):
                continue
            before, after = around
            fused = self.join(first, second)
            if fused is not None:
                instrs[j : k + 1] = [*before, fused, *after]
                self.absorb(instrs, j + len(before))
                return

    # --- what stands between ----------------------------------------------------------------------

    def arrange(
        self, first: Instr, between: Sequence[Instr], second: Instr
    ) -> tuple[list[Instr], list[Instr]] | None:
        """Return what goes before and after the fused loop; None if the second loop has to wait for
        something that waits for the first."""
        before: list[Instr] = []
        after: list[Instr] = []
        for instr in between:
            waits = self.waits(instr, first) or any(self.waits(instr, a) for a in after)
            (after if waits else before).append(instr)
        if any(self.waits(second, a) for a in after):
            return None
        return before, after

    def waits(self, later: Instr, earlier: Instr) -> bool:
        """True if two instructions may not change places."""
        if not later.op.pure and not earlier.op.pure and later.op.name != "comment":
            return True
        defined = set(earlier.results)
        if any(v in defined for v in used_values(later)):
            return True
        a, b = self.effects_of(earlier), self.effects_of(later)
        return self.may_meet(a.writes, b.reads | b.writes) or self.may_meet(a.reads, b.writes)

    def may_meet(self, a: Roots, b: Roots) -> bool:
        if not a or not b:
            return False
        key = (a, b)
        if key not in self.meet:
            self.meet[key] = self.storage.may_alias(a, b)
        return self.meet[key]

    def effects_of(self, instr: Instr) -> Effects:
        if instr not in self.effects:
            reads, writes = NONE, NONE
            for inner in (instr, *(i for b in instr.blocks for i in b.walk())):
                arrays = [a for a in inner.args if isinstance(a, Value) and isinstance(a.type, Array)]
                if inner.op.name in ("setitem", "accum"):
                    writes |= self.storage.roots(arrays[0])
                    arrays = arrays[1:]
                elif inner.op.name == "call":
                    callee: Function = inner.param("callee")
                    for w in callee.writes:
                        target = inner.args[w]
                        assert isinstance(target, Value)
                        writes |= self.storage.roots(target)
                elif inner.op.name in ("for", "while", "if", "size"):
                    arrays = []
                for a in arrays:
                    reads |= self.storage.roots(a)
            self.effects[instr] = Effects(reads, writes)
        return self.effects[instr]

    # --- two loops --------------------------------------------------------------------------------

    def same_range(self, a: Instr, b: Instr) -> bool:
        return a.args[2] == b.args[2] and all(
            self.forms.of(x) == self.forms.of(y) for x, y in zip(a.args[:2], b.args[:2], strict=True)
        )

    def may_fuse(self, first: Instr, second: Instr) -> bool:
        a, b = self.accesses_of(first), self.accesses_of(second)
        if a is None or b is None or kind_of(first) != kind_of(second):
            return False
        together = False
        i, j = first.blocks[0].params[0], second.blocks[0].params[0]
        inner = self.defined(first) | self.defined(second)
        sign = 1 if first.args[2] == Literal(1) else -1
        for x in a:
            for y in b:
                if not self.may_meet(self.storage.roots(x.value), self.storage.roots(y.value)):
                    continue
                together = True
                if not (x.is_write or y.is_write) or (x.adds and y.adds):
                    continue
                if not self.in_order(x, y, i, j, inner, sign):
                    return False
        return together

    def defined(self, loop: Instr) -> set[Value]:
        found = set(loop.blocks[0].params)
        for instr in loop.blocks[0].walk():
            found.update(instr.results)
            for b in instr.blocks:
                found.update(b.params)
        return found

    def in_order(self, x: Access, y: Access, i: Value, j: Value, inner: set[Value], sign: int) -> bool:
        """True if the first loop touches an element in no later trip than the second."""
        if x.index is None or y.index is None or len(x.index) != len(y.index):
            return False
        legal = False
        for left, right in zip(x.index, y.index, strict=True):
            k = left.factor(i)
            if k not in (1, -1) or right.factor(j) != k:
                continue
            left, right = left.without(i), right.without(j)
            gap = right - left  # k * (trip of the first - trip of the second)
            if not gap.is_const or any(a in inner for a in (*left.atoms(), *right.atoms())):
                continue
            if gap.const and x.adds != y.adds:
                return False  # sums into neighbours stay by themselves, to be gathered
            legal = legal or gap.const * k * sign <= 0
        return legal

    def accesses_of(self, loop: Instr) -> list[Access] | None:
        """Return what a loop touches; None if it does more than read and write elements."""
        if loop not in self.accesses:
            step = loop.args[2]
            plain = step in (Literal(1), Literal(-1))
            found: list[Access] = []
            self.accesses[loop] = found if plain and self.collect(loop.blocks[0], found) else None
        return self.accesses[loop]

    def collect(self, block: Block, found: list[Access]) -> bool:
        if block.end.kind != "yield":
            return False
        for instr in block.instrs:
            match instr.op.name:
                case "for" | "if":
                    if not all(self.collect(b, found) for b in instr.blocks):
                        return False
                case "getitem" | "item0":
                    if isinstance(instr.result.type, Array):
                        return False
                    found.append(self.access(instr, instr.args[0], instr.args[1:]))
                case "setitem" | "accum":
                    found.append(self.access(instr, instr.args[0], instr.args[2:]))
                case "size" | "comment":
                    pass
                case _:
                    values = (*instr.args, *instr.results)
                    if instr.blocks or not instr.op.pure or any(isinstance(a.type, Array) for a in values):
                        return False
        return True

    def access(self, instr: Instr, array: Operand, index: Sequence[Operand]) -> Access:
        assert isinstance(array, Value)
        is_write = instr.op.name in ("setitem", "accum")
        known = not instr.param("at") and len(index) == array.type.ndim
        adds = instr.op.name == "accum" and bool(instr.role) and array.type.dtype.kind in "fc"
        return Access(array, is_write, adds, tuple(map(self.forms.of, index)) if known else None)

    # --- the new loop --------------------------------------------------------------------------------

    def join(self, first: Instr, second: Instr) -> Instr | None:
        """Return the loop that does in each trip what both do; None if a value would be read too late."""
        (a,), (b,) = first.blocks, second.blocks
        results, yields = list(first.results), list(a.end.args)
        slot = {r: k for k, r in enumerate(first.results)}
        new: dict[Value, Operand] = {b.params[0]: a.params[0]}
        own: list[int] = []  # slots of the second loop that the first has not
        handed: dict[int, int] = {}
        for k, init in enumerate(second.args[3:]):
            at = slot.get(init) if isinstance(init, Value) else None
            if at is None or not isinstance(init.type, Array):
                own.append(k)
                continue
            if at in handed.values() or self.counts.get(first.results[at], 0) != 1:
                return None  # the array as the first loop leaves it is read elsewhere
            handed[k] = at
            new[b.params[1 + k]] = yields[at]
        for v in used_values(second):
            if v in slot and slot[v] not in handed.values():
                if not isinstance(v.type, Array):
                    return None
                new[v] = yields[slot[v]]
        body = substitute(Block((), b.instrs, b.end), new)
        for k, at in handed.items():
            results[at], yields[at] = second.results[k], body.end.args[k]
        params = (*a.params, *(b.params[1 + k] for k in own))
        yields += [body.end.args[k] for k in own]
        results += [second.results[k] for k in own]
        end = End("yield", tuple(yields), (), a.end.origin)
        args = (*first.args, *(second.args[3 + k] for k in own))
        block = Block(params, (*a.instrs, *body.instrs), end)
        fused = replace(first, args=args, results=tuple(results), blocks=(block,))
        self.forms.known = {}  # forms that mention the second loop's index
        self.forms.maker.update((r, i) for i in block.walk() for r in i.results)
        return fused


def kind_of(loop: Instr) -> str:
    """Return what keeps an innermost loop from being vectorised; all loops around others are alike."""
    (body,) = loop.blocks
    if any(i.op.name == "for" for i in body.walk()):
        return "outer"
    scalars = {p for p in body.params[1:] if isinstance(p.type, Scalar)}
    if scalars - running_sums(loop).keys():
        return "recurrence"
    return "free"
