"""Neighbouring loops become one where that keeps the meaning.

Two loops over the same range are fused if whatever both touch, and one of them writes, is touched in the
same order as before: the first loop gets to an element in no later trip than the second. What stands
between them goes before the new loop, or after it if it depends on the first one. Sums that generated
code accumulates into one array may be added in any order.

The reverse sweep of a loop runs downwards. If its trips do not depend on each other it may as well run
upwards, in one loop with the forward sweep: a trip is reversed when it has just been run, and what it puts
on a tape is in the cache, or in a scalar ("independent iterations": Hascoet and Pascual 2013, "The Tapenade
automatic differentiation tool", section 4). What the transform promises is made use of: a trip of the
reverse sweep reads of the tapes what this very trip has written, and sets cursors back to where it began.

Only loops of one kind are fused: a recurrence would keep the others from being vectorised.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence, Set

from s2sad.ir.core import Block, End, Function, Instr, Operand, Value
from s2sad.ir.types import Array, Scalar
from s2sad.ir.walk import has_effect, substitute, used_values
from s2sad.lowering.nests.accesses import Access, Accesses, defined
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.nests.checks import Checks
from s2sad.lowering.nests.order import UP, Orders, leaves
from s2sad.lowering.nests.reductions import running_sums
from s2sad.lowering.nests.scratch import ends_with_zeros
from s2sad.passes.slots import drop_slots
from s2sad.record import dataclass, replace

LOOK_BACK = 12  # loops before this one that it is tried to be fused with


def fuse(fn: Function) -> Function:
    """Return the function with neighbouring loops fused, outer ones first. Sums into neighbours stay by
    themselves, to be gathered."""
    return _fused(_Fuser(fn, gathered=False), fn)


def fuse_sums(fn: Function) -> Function:
    """Return the function with neighbouring loops fused, those with sums into neighbours too, where these
    have been gathered."""
    return _fused(_Fuser(fn, gathered=True), fn)


def _fused(fuser: _Fuser, fn: Function) -> Function:
    block = fuser.block(fn.block)
    return fn if block is fn.block else replace(fn, block=block)


@dataclass(frozen=True, slots=True)
class Effects:
    """The arrays that an instruction reads and writes, by their first names, and what it defines in its
    blocks."""

    reads: frozenset[Value]
    writes: frozenset[Value]
    inner: frozenset[Value]


class _Behind:
    """A loop and instructions that stay behind it: which later ones have to wait for one of them?"""

    def __init__(self, fuser: _Fuser, first: Instr) -> None:
        self.fuser = fuser
        self.is_seen = self.leaves = False
        self.results: set[Value] = set()
        self.raising: list[Instr] = []
        self.reading: list[Effects] = []
        self.writing: list[Effects] = []
        self.add(first)

    def add(self, instr: Instr) -> None:
        """Add an instruction."""
        fuser, effects = self.fuser, self.fuser.effects_of(instr)
        self.is_seen |= fuser.is_seen(instr)
        self.leaves |= fuser.leaves(instr)
        self.results.update(instr.results)
        if fuser.may_raise(instr):
            self.raising.append(instr)
        if effects.reads:
            self.reading.append(effects)
        if effects.writes:
            self.writing.append(effects)

    def holds(self, later: Instr) -> bool:
        """True if an instruction may not change places with one of them."""
        fuser = self.fuser
        if self.leaves or fuser.leaves(later) or (self.is_seen and fuser.is_seen(later)):
            return True
        if not self.results.isdisjoint(fuser.used_by(later)):
            return True
        b = fuser.effects_of(later)
        touched = b.reads | b.writes
        return (
            any(fuser.checks.rely(later, a) for a in self.raising)
            or (bool(touched) and any(fuser.meet(a.writes, touched, a.inner, b.inner) for a in self.writing))
            or (bool(b.writes) and any(fuser.meet(a.reads, b.writes, a.inner, b.inner) for a in self.reading))
        )


class _Fuser:
    def __init__(self, fn: Function, gathered: bool) -> None:
        self.gathered = gathered
        self.forms = Forms(fn.block)
        self.accesses = Accesses(fn, self.forms)
        self.arrays = self.accesses.arrays
        self.counts = dict(fn.block.counts)
        self.effects: dict[Instr, Effects] = {}
        self.used: dict[Instr, frozenset[Value]] = {}
        self.orders = Orders(self.forms)
        self.checks = Checks(self.forms, self.arrays.origins)
        self.writes_parameters = bool(fn.writes)
        # asked of pairs of instructions, again and again
        self.kind_of, self.raises = functools.cache(kind_of), functools.cache(raises)
        self.may_raise, self.is_seen = functools.cache(may_raise), functools.cache(is_seen)
        self.leaves = functools.cache(leaves)

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
            if first.op.name != "for" or not self.orders.same_trips(first, second):
                continue
            tried += 1
            if tried > LOOK_BACK:
                return
            a, b = self.effects_of(first), self.effects_of(second)
            if not self.meet(a.reads | a.writes, b.reads | b.writes, a.inner, b.inner):
                continue
            leader = self.leader(first, second)
            around = self.arrange(first, instrs[j + 1 : k], second) if leader is not None else None
            if around is None or leader is None:
                continue
            before, after = around
            fused = self.join(first, second, leader)
            if fused is not None:
                instrs[j : k + 1] = [*before, fused, *after]
                self.absorb(instrs, j + len(before))
                return

    def leader(self, first: Instr, second: Instr) -> Instr | None:
        """Return the loop whose order the fused loop has; None if the loops may not be fused."""
        a, b = self.accesses.of(first), self.accesses.of(second)
        if a is None or b is None or self.kind_of(first) != self.kind_of(second):
            return None
        raised = [self.raises(first), self.raises(second)]
        if any(raised) and (self.writes_parameters or (all(raised) and len(set().union(*raised)) > 1)):
            return None
        leader = first
        if first.args[2] != second.args[2]:
            if self.is_reversible(second):
                leader = first
            elif self.is_reversible(first):
                leader = second
            else:
                return None
        return leader if self.keeps_order(first, second, leader) else None

    # --- what stands between ----------------------------------------------------------------------

    def arrange(
        self, first: Instr, between: Sequence[Instr], second: Instr
    ) -> tuple[list[Instr], list[Instr]] | None:
        """Return what goes before and after the fused loop; None if the second loop has to wait for
        something that waits for the first."""
        before: list[Instr] = []
        after: list[Instr] = []
        behind = _Behind(self, first)
        for instr in between:
            if not behind.holds(instr):
                before.append(instr)
                continue
            if _Behind(self, instr).holds(second):
                return None
            after.append(instr)
            behind.add(instr)
        return before, after

    def used_by(self, instr: Instr) -> frozenset[Value]:
        """Return the values that an instruction reads."""
        if instr not in self.used:
            self.used[instr] = frozenset(used_values(instr))
        return self.used[instr]

    def meet(self, a: frozenset[Value], b: frozenset[Value], *inner: Set[Value]) -> bool:
        """True if some of these arrays may share memory."""
        return any(self.accesses.may_share(x, y, *inner) for x in a for y in b)

    def effects_of(self, instr: Instr) -> Effects:
        if instr not in self.effects:
            reads: set[Value] = set()
            writes: set[Value] = set()
            for inner in (instr, *(i for b in instr.blocks for i in b.walk())):
                arrays = [a for a in inner.args if isinstance(a, Value) and isinstance(a.type, Array)]
                if inner.op.name in ("setitem", "accum"):
                    writes.add(self.arrays.frame(arrays[0]))
                    arrays = arrays[1:]
                elif inner.op.name == "call":
                    callee: Function = inner.param("callee")
                    writes |= {self.arrays.frame(inner.args[w]) for w in callee.writes}
                elif inner.op.name in ("for", "while", "if", "size"):
                    arrays = []
                reads |= set(map(self.arrays.frame, arrays))
            self.effects[instr] = Effects(frozenset(reads), frozenset(writes), frozenset(defined(instr)))
        return self.effects[instr]

    # --- two loops --------------------------------------------------------------------------------

    def keeps_order(self, first: Instr, second: Instr, leader: Instr) -> bool:
        """True if two loops share an array, and one loop in the order of the leader does what both do."""
        together = False
        i, j = first.blocks[0].params[0], second.blocks[0].params[0]
        inner = self.effects_of(first).inner | self.effects_of(second).inner
        sign = 1 if leader.args[2] == UP else -1
        for x in self.accesses.of(first) or ():
            for y in self.accesses.of(second) or ():
                if not self.accesses.may_share(x.value, y.value, inner):
                    continue
                together = True
                if not (x.is_write or y.is_write) or (x.adds and y.adds) or (x.tape and y.tape):
                    continue
                if not self.in_order(x, y, i, j, inner, sign):
                    return False
                if x.adds != y.adds and not self.gathered and is_shifted(x, y, inner):
                    return False
        return together

    def is_reversible(self, loop: Instr) -> bool:
        """True if the trips of a loop may run in the opposite order."""
        (body,) = loop.blocks
        sums = running_sums(loop)
        for k, p in enumerate(body.params[1:]):
            if isinstance(p.type, Array) and not self.is_updated(body, k):
                return False
            if isinstance(p.type, Scalar) and p not in sums and not self.orders.is_cursor(loop, k):
                return False
        i, inner = body.params[0], defined(loop)
        found = self.accesses.of(loop) or []
        restored: dict[Value, bool] = {}
        for n, x in enumerate(found):
            for y in found[n:]:
                if not (x.is_write or y.is_write) or (x.adds and y.adds):
                    continue
                if not self.accesses.may_share(x.value, y.value, inner):
                    continue
                if self.accesses.in_one_trip(x, y, i, inner):
                    continue
                for v in (x.value, y.value):
                    if v not in restored:
                        restored[v] = self.is_restored(loop, v)
                if not (restored[x.value] and restored[y.value]):
                    return False
        return True

    def is_restored(self, loop: Instr, array: Value) -> bool:
        """True if an array is all zeros whenever a trip begins."""
        (body,) = loop.blocks
        for p, init in zip(body.params[1:], loop.args[3:], strict=True):
            if not self.arrays.origins(p).isdisjoint(self.arrays.origins(array)):
                made = self.forms.maker.get(init) if isinstance(init, Value) else None
                if made is None or made.op.name != "zeros":
                    return False
                return ends_with_zeros(self.forms, body, p, made)
        return False

    def in_order(self, x: Access, y: Access, i: Value, j: Value, inner: Set[Value], sign: int) -> bool:
        """True if the first loop touches an element in no later trip than the second."""
        if not self.accesses.are_comparable(x, y):
            return False
        legal = False
        for left, right in zip(x.index or (), y.index or (), strict=True):
            k = left.factor(i)
            if k not in (1, -1) or right.factor(j) != k:
                continue
            left, right = left.without(i), right.without(j)
            gap = right - left  # k * (trip of the first - trip of the second)
            if not gap.is_const or any(a in inner for a in (*left.atoms(), *right.atoms())):
                continue
            legal = legal or gap.const * k * sign <= 0
        return legal

    # --- the new loop --------------------------------------------------------------------------------

    def join(self, first: Instr, second: Instr, leader: Instr) -> Instr | None:
        """Return the loop that does in each trip what both do; None if a value would be read too late."""
        (a,), (b,) = first.blocks, second.blocks
        results, yields = list(first.results), list(a.end.args)
        slot = {r: k for k, r in enumerate(first.results)}
        new: dict[Value, Operand] = {b.params[0]: a.params[0]}
        own: list[int] = []  # slots of the second loop that the first has not
        handed: dict[int, int] = {}
        cursors: set[int] = set()
        for k, init in enumerate(second.args[3:]):
            at = slot.get(init) if isinstance(init, Value) else None
            if at is None:
                own.append(k)
                continue
            if at in handed.values() or at in cursors or self.counts.get(first.results[at], 0) != 1:
                return None  # what the first loop leaves is read elsewhere
            new[b.params[1 + k]] = yields[at]
            if isinstance(first.results[at].type, Array):
                if not (self.is_updated(a, at) or self.is_tape(second, b.params[1 + k])):
                    return None
                if not self.is_updated(b, k):
                    return None
                handed[k] = at
                continue
            is_cursor = self.orders.is_cursor(first, at) and self.orders.is_cursor(second, k)
            if not is_cursor or self.counts.get(second.results[k], 0):
                return None
            cursors.add(at)
        for v in used_values(second):
            if v in slot and slot[v] not in handed.values() and slot[v] not in cursors:
                if not isinstance(v.type, Array):
                    return None
                if not (self.is_updated(a, slot[v]) or self.is_tape(second, v)):
                    return None
                new[v] = yields[slot[v]]
        body = substitute(Block((), b.instrs, b.end), new)
        self.count_again(new, [yields[at] for at in handed.values()])
        for k, at in handed.items():
            results[at], yields[at] = second.results[k], body.end.args[k]
        params = (*a.params, *(b.params[1 + k] for k in own))
        yields += [body.end.args[k] for k in own]
        results += [second.results[k] for k in own]
        end = End("yield", tuple(yields), (), a.end.origin)
        args = (*leader.args[:3], *first.args[3:], *(second.args[3 + k] for k in own))
        block = Block(params, (*a.instrs, *body.instrs), end)
        fused = replace(first, args=args, results=tuple(results), blocks=(block,))
        if cursors:  # they stand where they stood whenever a trip begins
            kept = [k not in cursors for k in range(len(results))]
            starts = {a.params[1 + k]: first.args[3 + k] for k in cursors}
            fused = drop_slots(replace(fused, blocks=(substitute(block, starts),)), kept)
        self.forms.known = {}  # forms that mention the second loop's index
        self.forms.maker.update((r, i) for i in fused.blocks[0].walk() for r in i.results)
        return fused

    def is_updated(self, body: Block, k: int) -> bool:
        """True if a trip hands on, in slot k, the array that it was given, with other elements. Of another
        array in each trip the last one is meant behind the loop, not that of the trip."""
        return self.arrays.frame(body.end.args[k]) is self.arrays.frame(body.params[1 + k])

    def is_tape(self, loop: Instr, array: Value) -> bool:
        """True if a loop reads of an array the tape of the trip only."""
        frame = self.arrays.frame(array)
        found = self.accesses.of(loop) or ()
        return all(x.tape and not x.is_write for x in found if self.arrays.frame(x.value) is frame)

    def count_again(self, new: dict[Value, Operand], replaced: Sequence[Operand]) -> None:
        """Note that values are used in place of others, and how often the ends of trips use them no more."""
        for v, a in new.items():
            if isinstance(a, Value):
                self.counts[a] = self.counts.get(a, 0) + self.counts.get(v, 0)
        for a in replaced:
            if isinstance(a, Value):
                self.counts[a] -= 1


def is_shifted(x: Access, y: Access, inner: Set[Value]) -> bool:
    """True if two accesses are to neighbours, by the forms of their indices but for the loops' own."""
    for left, right in zip(x.index or (), y.index or (), strict=True):
        for form in (left, right):
            if sum(a in inner for a in form.atoms()) != 1:
                return False
        gap = _without(left, inner) - _without(right, inner)
        if gap.is_const and gap.const:
            return True
    return False


def _without(form: Linear, atoms: Set[Value]) -> Linear:
    return Linear(frozenset((a, k) for a, k in form.terms if a not in atoms), form.const)


def kind_of(loop: Instr) -> str:
    """Return what keeps an innermost loop from being vectorised; all loops around others are alike."""
    (body,) = loop.blocks
    if any(i.op.name in ("for", "while") for i in body.walk()):
        return "outer"
    if may_raise(loop):
        return "checked"
    scalars = {p for p in body.params[1:] if isinstance(p.type, Scalar)}
    if scalars - running_sums(loop).keys():
        return "recurrence"
    return "free"


def is_seen(instr: Instr) -> bool:
    """True if an instruction may do what is seen from outside, in the order in which it happens: it raises,
    prints, draws."""
    if instr.op.name == "comment":
        return False
    return not instr.op.pure or may_raise(instr) or any(is_seen(i) for b in instr.blocks for i in b.instrs)


def may_raise(instr: Instr) -> bool:
    """True if an instruction may raise by what stands in the program."""
    if not instr.blocks and instr.op.name != "call" and not instr.op.name.startswith("lapack_"):
        return False
    if instr.op.name == "call":
        return has_effect(instr.param("callee"))
    return instr.op.name.startswith("lapack_") or bool(raises(instr))


def raises(instr: Instr) -> set[type[Exception]]:
    """Return the exceptions that the blocks of an instruction raise."""
    found: set[type[Exception]] = set()
    for b in instr.blocks:
        if b.end.kind == "raise":
            found.add(dict(b.end.params)["exception"])
        for inner in b.instrs:
            found |= raises(inner)
    return found
