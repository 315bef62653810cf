"""Perfect nests: loops of which each but the innermost holds the next one and index arithmetic, no more."""

from __future__ import annotations

from collections.abc import Sequence, Set

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.walk import Copier
from s2sad.lowering.code import ONE
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.nests.order import Orders
from s2sad.passes.slots import drop_slots
from s2sad.record import dataclass, replace


@dataclass(frozen=True, slots=True)
class Nest:
    """A perfect nest: its loops, the index of each, and the block inside."""

    loops: tuple[Instr, ...]
    indices: tuple[Value, ...]
    body: Block
    between: tuple[Instr, ...]  # index arithmetic of the outer bodies
    fixed: tuple[Instr, ...]  # and what in them does not depend on the trip

    def loop_of(self, form: Linear) -> Value | None:
        """Return the loop index that an index grows with."""
        return next((i for i in self.indices if form.factor(i) == 1), None)

    def places(self, forms: Forms, write: Instr) -> list[Linear] | None:
        """Return the forms of a written element's index, each loop index in one, in the loops' order."""
        index = write.args[2:]
        if len(index) != write.args[0].type.ndim:
            return None
        inside = set(self.indices) | {r for i in (*self.body.instrs, *self.between) for r in i.results}
        found = [forms.of(a) for a in index]
        loops = [self.loop_of(form) for form in found]
        if [i for i in loops if i is not None] != list(self.indices):
            return None
        for form, i in zip(found, loops, strict=True):
            rest = form if i is None else form.without(i)
            if any(x in inside for x in rest.atoms()):
                return None
        return found

    def outside(self, array: Operand) -> Operand:
        """Return what a carried array is before the nest."""
        for loop in reversed(self.loops):
            (body,) = loop.blocks
            for p, init in zip(body.params[1:], loop.args[3:], strict=True):
                if array is p:
                    array = init
        return array


@dataclass(frozen=True, slots=True)
class Fill:
    """A perfect nest that does nothing but set the elements at `places` of one array."""

    nest: Nest
    write: Instr
    places: tuple[Linear, ...]


def fill_of(forms: Forms, loop: Instr) -> Fill | None:
    """Return a loop as one that sets elements of an array; None if it does anything else."""
    nest = nest_of(loop) if loop.op.name == "for" and len(loop.results) == 1 else None
    if nest is None:
        return None
    write = nest.body.instrs[-1] if nest.body.instrs else None
    if write is None or write.op.name != "setitem" or nest.body.end.args != write.results:
        return None
    array = nest.body.params[-1]
    if write.args[0] is not array or nest.body.counts.get(array) != 1:
        return None
    places = nest.places(forms, write)
    return None if places is None else Fill(nest, write, tuple(places))


def same_spans(orders: Orders, a: Nest, b: Nest) -> bool:
    """True if two nests run over the same trips, in whatever order."""
    return len(a.loops) == len(b.loops) and all(map(orders.same_trips, a.loops, b.loops))


def nest_of(loop: Instr) -> Nest | None:
    """Return a loop as a perfect nest; None if it is none."""
    loops = [loop]
    between: list[Instr] = []
    fixed: list[Instr] = []
    while True:
        if loop.args[2] not in (ONE, Literal(-1)):
            return None
        (body,) = loop.blocks
        if body.end.kind != "yield":
            return None
        inner = [i for i in body.instrs if i.blocks]
        if not inner:
            if any(not i.op.pure for i in body.instrs):
                return None
            indices = tuple(x.blocks[0].params[0] for x in loops)
            return Nest(tuple(loops), indices, body, tuple(between), tuple(fixed))
        if len(inner) != 1 or inner[0].op.name != "for" or inner[0] is not body.instrs[-1]:
            return None
        if body.end.args != inner[0].results or inner[0].args[3:] != body.params[1:]:
            return None
        index = body.params[0]
        rest = body.instrs[:-1]
        if not all(i.op.pure and len(i.results) == 1 and i.result.type.dtype.kind == "i" for i in rest):
            return None
        moving: set[Operand] = {index}
        for i in rest:
            if any(a in moving for a in i.args):
                moving.update(i.results)
            else:
                fixed.append(i)
        if any(a in moving for a in inner[0].args[:3]):
            return None
        between += [i for i in rest if i.result in moving]
        loop = inner[0]
        loops.append(loop)


def with_slots(nest: Nest, live: Sequence[bool], instrs: Sequence[Instr]) -> Instr:
    """Return the nest with the slots whose flag is set, and `instrs` in its innermost body."""
    found = nest.loops[-1]
    found = drop_slots(replace(found, blocks=(replace(nest.body, instrs=tuple(instrs)),)), live)
    for loop in reversed(nest.loops[:-1]):
        (outer,) = loop.blocks
        block = replace(outer, instrs=(*outer.instrs[:-1], found))
        found = drop_slots(replace(loop, blocks=(block,)), live)
    return found


def apart(nest: Nest, k: int, writes: Set[Instr], sizes: Sizes) -> list[Instr]:
    """Return the nest as one with nothing but the `writes` to slot k, and one for the other slots, after it,
    if there are any. What the first reads is what it was before the nest."""
    live = [j == k for j in range(len(nest.loops[0].results))]
    if all(live):
        return [nest.loops[0]]
    needed: set[Value] = set()
    kept: list[Instr] = []
    for instr in reversed(nest.body.instrs):
        if instr in writes or not needed.isdisjoint(instr.results):
            kept.append(instr)
            needed.update(a for a in instr.args if isinstance(a, Value))
    others: dict[Value, Operand] = {}
    for loop in nest.loops:
        params = loop.blocks[0].params[1:]
        others |= {p: nest.outside(p) for p, is_own in zip(params, live, strict=True) if not is_own}
    own = with_slots(nest, live, kept[::-1])
    copied = replace(Copier(sizes, others).instr(own), results=own.results)
    rest = with_slots(nest, [not is_own for is_own in live], [i for i in nest.body.instrs if i not in writes])
    return [copied, rest]
