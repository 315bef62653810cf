"""What the end of a trip sets to 0 is set to 0 at the beginning of the next one instead.

A reverse sweep that goes through a stencil leaves zeros where the primal has overwritten: `x_bar[i, j] = 0`
at the end of each trip, in a pass of its own, and the next trip adds to them. In front of those sums the
zeros cost nothing, for the sums are gathered (`gather.py`) and then need not read what they add to. The
array must be made of zeros before the loop; after the last trip they are set once more.
"""

from __future__ import annotations

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value, with_inner
from s2sad.ir.types import Array
from s2sad.ir.walk import Copier, expanded, substitute
from s2sad.lowering.code import Code
from s2sad.lowering.frames import Arrays
from s2sad.lowering.nests.affine import Forms, Linear, is_integer
from s2sad.lowering.nests.fuse import may_raise
from s2sad.lowering.nests.gather import LEAST, has_sums
from s2sad.lowering.nests.order import DOWN, UP, Orders, leaves
from s2sad.lowering.nests.perfect import Fill, fill_of, nest_of, same_spans
from s2sad.passes.base import sizes_after
from s2sad.record import dataclass, replace


def clear_first(fn: Function) -> Function:
    """Return the function with zeros set at the beginning of trips where sums into neighbours follow."""
    while has_sums(fn):
        mover = _Mover(fn)
        block = expanded(fn.block, mover.instr)
        if not mover.found:
            break
        fn = replace(fn, block=block)
    return fn


@dataclass(frozen=True, slots=True)
class _Clearing:
    """The last thing that a loop does with the array of a slot: it sets a part of it to 0."""

    slot: int
    fill: Fill
    first: int  # where the trip begins to touch the array
    bounds: tuple[Instr, ...]  # of the body: what the spans of the nest are computed by


class _Mover:
    def __init__(self, fn: Function) -> None:
        self.sizes = sizes_after(fn)
        self.arrays, self.forms = Arrays(fn), Forms(fn.block)
        self.orders, self.counts = Orders(self.forms), fn.block.counts
        self.found = 0

    def instr(self, instr: Instr) -> list[Instr]:
        """Return what stands for an instruction: a loop with its zeros moved."""
        clearing = self.clearing(instr)
        if clearing is None:
            return [instr]
        self.found += 1
        return self.moved(instr, clearing)

    # --- what may be moved ----------------------------------------------------------------------------

    def clearing(self, loop: Instr) -> _Clearing | None:
        """Return what a loop clears at the end of each trip and may clear at the beginning."""
        if loop.op.name != "for" or loop.args[2] not in (UP, DOWN):
            return None
        (body,) = loop.blocks
        if body.end.kind != "yield" or any(map(leaves, body.instrs)):
            return None
        for k, init in enumerate(loop.args[3:]):
            maker = self.forms.maker.get(init) if isinstance(init, Value) else None
            if maker is not None and maker.op.name == "zeros" and self.counts.get(maker.result) == 1:
                found = self.of_slot(body, k)
                if found is not None:
                    return found
        return None

    def of_slot(self, body: Block, k: int) -> _Clearing | None:
        p = body.params[1 + k]
        touching = [n for n, i in enumerate(body.instrs) if self.touches(i, p)]
        if len(touching) < 2:
            return None
        last = body.instrs[touching[-1]]
        fill = fill_of(self.forms, last)
        if fill is None or fill.write.args[1] != Literal(0.0) or body.end.args[k] is not last.result:
            return None
        if self.counts.get(last.result) != 1 or any(map(may_raise, body.instrs[: touching[-1]])):
            return None  # an index out of bounds may be found on the way
        if not self.begins_with_sums([body.instrs[n] for n in touching[:-1]], p, fill):
            return None
        bounds = self.bounds(body, last)
        return None if bounds is None else _Clearing(k, fill, touching[0], bounds)

    def begins_with_sums(self, touching: list[Instr], p: Value, fill: Fill) -> bool:
        """True if trips begin with sums into neighbours, by nests over the same trips."""
        places: set[tuple[Linear, ...]] = set()
        array: Operand = p
        for instr in touching:
            nest = nest_of(instr) if instr.op.name == "for" and array in instr.args else None
            if nest is None or not same_spans(self.orders, nest, fill.nest):
                break
            k = instr.args[3:].index(array)
            version: Operand = nest.body.params[len(nest.body.params) - len(instr.results) + k]
            for i in nest.body.instrs:
                if not self.touches(i, version):
                    continue
                found = nest.places(self.forms, i) if i.op.name == "accum" and i.role else None
                if found is None or i.args[0] is not version or i.param("at"):
                    return False
                version = i.result
                trips = dict(zip(nest.indices, fill.nest.indices, strict=True))
                places.add(tuple(form.renamed(trips) for form in found))
            array = instr.results[k]
        return len(places) >= LEAST

    def touches(self, instr: Instr, array: Operand) -> bool:
        """True if an instruction may read or write the memory of an array, or hold it."""
        return any(
            isinstance(a, Value) and isinstance(a.type, Array) and self.arrays.may_meet(a, array)
            for i in with_inner(instr)
            if i.op.name != "size"
            for a in i.args
        )

    def bounds(self, body: Block, loop: Instr) -> tuple[Instr, ...] | None:
        """Return the instructions of a body by which the spans of a loop in it are computed; None if they
        are not the same in each trip."""
        maker = {r: i for i in body.instrs for r in i.results}
        own = {v for i in with_inner(loop) for v in (*i.results, *(p for b in i.blocks for p in b.params))}
        found: set[Instr] = set()
        todo = [a for i in with_inner(loop) for a in i.args if is_integer(a)]
        while todo:
            a = todo.pop()
            if a in body.params:
                return None
            instr = maker.get(a) if isinstance(a, Value) and a not in own else None
            if instr is None or instr in found:
                continue
            if not all(map(is_integer, instr.args)) or not instr.op.pure or instr.blocks:
                return None
            found.add(instr)
            todo += instr.args
        return tuple(i for i in body.instrs if i in found)

    # --- moving ---------------------------------------------------------------------------------------

    def moved(self, loop: Instr, clearing: _Clearing) -> list[Instr]:
        """Return the loop with the zeros at the beginning of its trips, and what sets them after it."""
        (body,) = loop.blocks
        k, last = clearing.slot, clearing.fill.nest.loops[0]
        p, array = body.params[1 + k], last.args[3]
        ahead = self.copied(clearing, p)
        instrs = tuple(i for i in body.instrs if i is not last)
        end = replace(body.end, args=tuple(array if j == k else a for j, a in enumerate(body.end.args)))
        rest = substitute(Block((), instrs[clearing.first :], end), {p: ahead[-1].result})
        new = Block(body.params, (*instrs[: clearing.first], *ahead, *rest.instrs), rest.end)
        after = Value(loop.results[k].name, loop.results[k].type)
        results = tuple(after if j == k else r for j, r in enumerate(loop.results))
        return [replace(loop, results=results, blocks=(new,)), *self.once_more(loop, clearing, after)]

    def copied(self, clearing: _Clearing, array: Value) -> list[Instr]:
        """Return the nest for another version of the array, and what it needs of its body."""
        last = clearing.fill.nest.loops[0]
        assert isinstance(last.args[3], Value)
        copier = Copier(self.sizes, {last.args[3]: array})
        return [copier.instr(i) for i in (*clearing.bounds, last)]

    def once_more(self, loop: Instr, clearing: _Clearing, array: Value) -> list[Instr]:
        """Return what clears the array after the loop, if that had a trip: there its indices were checked."""
        code = Code(self.sizes)
        code.origin, code.role = loop.origin, loop.role
        code.open()
        lo, hi = loop.args[:2] if loop.args[2] == UP else loop.args[1::-1]

        def clear() -> tuple[Operand, ...]:
            for instr in self.copied(clearing, array):
                code.add_instr(instr)
            return (instr.result,)

        code.branch(code.op("less", lo, hi), clear, lambda: (array,))
        *instrs, last = code.scopes.pop().builder.instrs
        return [*instrs, replace(last, results=(loop.results[clearing.slot],))]
