"""Sums scattered into the neighbours of an element are gathered at the element.

The adjoint of a stencil adds each cotangent to several neighbours: `x_bar[i - 1] += v; x_bar[i + 1] += v`.
Such a nest writes every element as often as the stencil has points, in an order that keeps it from being
vectorised. Turned around, each element is written once: with all its terms where they all exist, and term
by term along the edges (Hueckelheim, Kukreja, Narayanan, Luporini, Gorman and Hovland 2019, "Automatic
differentiation for adjoint stencil loops"). The order of the terms of one element is the order in which
the statements stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.types import Array, Scalar
from s2sad.ir.walk import use_counts
from s2sad.lowering.code import ONE, ZERO, Code
from s2sad.lowering.frames import Arrays
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.passes.base import sizes_after
from s2sad.passes.slots import drop_slots
from s2sad.record import dataclass

LEAST = 3  # terms
MOST = 4  # operations on numbers for each term, on average: those of all terms may be done for each
CHEAP = ("add", "subtract", "multiply", "negative", "getitem", "widen", "to_float64")
Offsets = tuple[int, ...]


def gather(fn: Function) -> Function:
    """Return the function with nests that scatter to neighbours turned around."""
    turner = _Turner(fn)
    block = turner.block(fn.block)
    return replace(fn, block=block) if turner.found else fn


@dataclass(frozen=True, slots=True)
class _Nest:
    """A perfect nest: its loops, the index of each, and the block inside."""

    loops: tuple[Instr, ...]
    indices: tuple[Value, ...]
    body: Block
    between: tuple[Instr, ...]  # index arithmetic of the outer bodies
    fixed: tuple[Instr, ...]  # and what in them does not depend on the trip


@dataclass(frozen=True, slots=True)
class _Term:
    """`x[place + offsets] += value` of the innermost block; `line` tells apart those whose elements differ
    in a dimension that has no loop."""

    write: Instr
    value: Value
    offsets: Offsets
    line: Offsets


class _Turner:
    def __init__(self, fn: Function) -> None:
        self.sizes = sizes_after(fn)
        self.arrays, self.forms = Arrays(fn), Forms(fn.block)
        self.found = 0

    def block(self, block: Block) -> Block:
        instrs: list[Instr] = []
        for instr in block.instrs:
            nest = _nest_of(instr) if instr.op.name == "for" else None
            turned = self.turned(nest) if nest is not None else None
            if turned is not None:
                self.found += 1
                instrs += turned
                continue
            if instr.blocks:
                instr = replace(instr, blocks=tuple(map(self.block, instr.blocks)))
            instrs.append(instr)
        return Block(block.params, tuple(instrs), block.end)

    # --- what may be turned ---------------------------------------------------------------------------

    def turned(self, nest: _Nest) -> list[Instr] | None:
        """Return what stands for a nest that scatters; None if it does not, or must stay."""
        for k in range(len(nest.loops[-1].results)):
            terms = self.terms(nest, k)
            if terms is not None and self.may_turn(nest, terms):
                return self.instructions(nest, k, terms)
        return None

    def terms(self, nest: _Nest, k: int) -> list[_Term] | None:
        """Return the terms that the nest adds to the array of slot k, if it only does that with it and
        the elements are neighbours."""
        body = nest.body
        first = len(body.params) - len(nest.loops[-1].results)
        counts = use_counts(body)
        array = body.params[first + k]
        writes: list[Instr] = []
        for instr in body.instrs:
            if instr.args[:1] != (array,):
                continue
            if instr.op.name != "accum" or counts.get(array) != 1 or not instr.role or instr.param("at"):
                return None
            writes.append(instr)
            array = instr.result
        if len(writes) < LEAST or body.end.args[k] is not array or counts.get(array) != 1:
            return None
        places = [self.places(nest, w) for w in writes]
        base = places[0]
        if base is None:
            return None
        terms: list[_Term] = []
        for w, p in zip(writes, places, strict=True):
            if p is None or not isinstance(w.args[1], Value):
                return None
            gaps = [a - b for a, b in zip(p, base, strict=True)]
            if not all(g.is_const for g in gaps):
                return None
            looped = [self.loop_of(nest, form) is not None for form in p]
            offsets = tuple(g.const for g, is_looped in zip(gaps, looped, strict=True) if is_looped)
            line = tuple(g.const for g, is_looped in zip(gaps, looped, strict=True) if not is_looped)
            terms.append(_Term(w, w.args[1], offsets, line))
        return terms if len({(t.offsets, t.line) for t in terms}) >= LEAST else None

    def loop_of(self, nest: _Nest, form: Linear) -> Value | None:
        """Return the loop index that an index grows with."""
        return next((i for i in nest.indices if form.factor(i) == 1), None)

    def places(self, nest: _Nest, write: Instr) -> list[Linear] | None:
        """Return the forms of a written element's index, each loop index in one, in the loops' order."""
        index = write.args[2:]
        if len(index) != write.args[0].type.ndim:
            return None
        inside = set(nest.indices) | {r for i in (*nest.body.instrs, *nest.between) for r in i.results}
        forms = [self.forms.of(a) for a in index]
        loops = [self.loop_of(nest, form) for form in forms]
        if [i for i in loops if i is not None] != list(nest.indices):
            return None
        for form, i in zip(forms, loops, strict=True):
            rest = form if i is None else form.without(i)
            if any(x in inside for x in rest.atoms()):
                return None
        return forms

    def may_turn(self, nest: _Nest, terms: list[_Term]) -> bool:
        """True if the terms can be computed again, before the rest of the nest."""
        target = terms[0].write.args[0]
        needed = self.needed(nest, terms)
        if needed is None or sum(i.result.type.dtype.kind in "fc" for i in needed) > MOST * len(terms):
            return False
        order = {i: n for n, i in enumerate(nest.body.instrs)}
        reads = [i for i in needed if i.op.name == "getitem"]
        own = {t.write for t in terms}
        others = [i for i in nest.body.instrs if i not in own]
        for i in others:
            arrays = [a for a in i.args if isinstance(a, Value) and isinstance(a.type, Array)]
            if i.op.name != "size" and any(self.arrays.may_meet(a, target) for a in arrays):
                return False
            if i.op.name not in ("setitem", "accum"):
                continue
            for r in reads:
                if not self.arrays.may_meet(r.args[0], arrays[0]):
                    continue
                if order[r] > order[i] or not self.same_element(nest, r, i):
                    return False
        return True

    def same_element(self, nest: _Nest, read: Instr, write: Instr) -> bool:
        """True if a read and a write touch one element only in one trip."""
        if self.arrays.frame(read.args[0]) is not self.arrays.frame(write.args[0]):
            return False  # one of them through a view
        places = self.places(nest, write)
        return places is not None and [self.forms.of(a) for a in read.args[1:]] == places

    def needed(self, nest: _Nest, terms: list[_Term]) -> list[Instr] | None:
        """Return the instructions of the body that the terms are computed by; None if one is costly."""
        maker = {r: i for i in nest.body.instrs for r in i.results}
        found: dict[Instr, None] = {}
        params = set(nest.body.params) - set(nest.indices)
        todo: list[Operand] = [t.value for t in terms]
        while todo:
            a = todo.pop()
            if not isinstance(a, Value):
                continue
            if a in params and not isinstance(a.type, Array):
                return None
            instr = maker.get(a)
            if instr is None or instr in found:
                continue
            is_index = all(isinstance(x.type, Scalar) and x.type.dtype.kind == "i" for x in instr.args)
            if instr.op.name not in CHEAP and not (is_index and instr.op.pure and not instr.blocks):
                return None
            found[instr] = None
            todo += instr.args
        return [i for i in nest.body.instrs if i in found]

    # --- the new nest ------------------------------------------------------------------------------------

    def instructions(self, nest: _Nest, k: int, terms: list[_Term]) -> list[Instr]:
        needed = self.needed(nest, terms) or []
        lines: dict[Offsets, list[_Term]] = {}
        for t in terms:
            lines.setdefault(t.line, []).append(t)
        found: list[Instr] = []
        array = nest.loops[0].args[3 + k]
        result = nest.loops[0].results[k]
        for n, some in enumerate(lines.values()):
            after = result if n == len(lines) - 1 else Value(result.name, result.type)
            found += _Writer(self, nest, some, needed).gathered(array, after)
            array = after
        rest = _without_slot(nest, k, {t.write for t in terms})
        return [*found, *([rest] if rest is not None else [])]


class _Writer:
    """Writes the nest over the elements to which terms are added."""

    def __init__(self, turner: _Turner, nest: _Nest, terms: list[_Term], needed: list[Instr]) -> None:
        self.code = Code(turner.sizes)
        self.turner, self.nest, self.terms, self.needed = turner, nest, terms, needed
        self.fixed: dict[Value, Operand] = {}
        offsets = [t.offsets for t in terms]
        self.least: Offsets = tuple(map(min, zip(*offsets, strict=True)))
        self.most: Offsets = tuple(map(max, zip(*offsets, strict=True)))

    def gathered(self, init: Operand, result: Value) -> list[Instr]:
        """Return what makes `result` of the array `init`."""
        code, nest = self.code, self.nest
        outer = nest.loops[0]
        code.origin, code.role = outer.origin, outer.role
        code.open()
        for instr in nest.fixed:
            args = tuple(self.fixed.get(a, a) if isinstance(a, Value) else a for a in instr.args)
            self.fixed[instr.result] = self.again(instr, args)
        # the spans of the trips, upwards
        self.spans = [self.upwards(loop) for loop in nest.loops]
        wide = self.wide()
        (after,) = self.rows(0, (), init, wide)
        instrs = code.scopes.pop().builder.instrs
        assert isinstance(after, Value)
        last = instrs[-1]
        results = tuple(result if r is after else r for r in last.results)
        return [*instrs[:-1], replace(last, results=results)]

    def upwards(self, loop: Instr) -> tuple[Operand, Operand]:
        lo, hi = (self.fixed.get(a, a) if isinstance(a, Value) else a for a in loop.args[:2])
        if loop.args[2] == ONE:
            return lo, hi
        return self.code.add(hi, ONE), self.code.add(lo, ONE)

    def wide(self) -> Operand:
        """Return the condition that the innermost loop is longer than the stencil is wide."""
        lo, hi = self.spans[-1]
        width = self.most[-1] - self.least[-1]
        return self.code.op("greater", self.code.sub(hi, lo), Literal(width))

    def rows(self, d: int, place: tuple[Operand, ...], array: Operand, whole: Operand) -> Sequence[Operand]:
        """Write the loops over all dimensions but the last; `whole`: all terms exist there."""
        code = self.code
        if d == len(self.spans) - 1:
            return code.branch(
                whole,
                lambda: self.line(place, array),
                lambda: self.term_by_term(place, array),
            )
        lo, hi = self.spans[d]
        first, last = code.add(lo, Literal(self.least[d])), code.add(hi, Literal(self.most[d]))

        def row(i: Value, state: list[Operand]) -> Sequence[Operand]:
            inside = code.op(
                "both",
                code.op("less_equal", code.add(lo, Literal(self.most[d])), i),
                code.op("less", i, code.add(hi, Literal(self.least[d]))),
            )
            return self.rows(d + 1, (*place, i), state[0], code.op("both", whole, inside))

        return code.loop((first, last, ONE), (array,), row)

    def line(self, place: tuple[Operand, ...], array: Operand) -> Sequence[Operand]:
        """Write a line of elements that have all terms but at its ends."""
        code = self.code
        lo, hi = self.spans[-1]
        least, most = self.least[-1], self.most[-1]
        for e in range(least, most):
            some = [t for t in self.terms if e - t.offsets[-1] >= 0]
            array = self.total((*place, code.add(lo, Literal(e))), array, some)
        span = (code.add(lo, Literal(most)), code.add(hi, Literal(least)), ONE)
        (array,) = code.loop(
            span, (array,), lambda j, state: (self.total((*place, j), state[0], self.terms),)
        )
        for e in range(least, most):
            some = [t for t in self.terms if e - t.offsets[-1] < 0]
            array = self.total((*place, code.add(hi, Literal(e))), array, some)
        return (array,)

    def total(self, place: tuple[Operand, ...], array: Operand, terms: Sequence[_Term]) -> Operand:
        """Write an element with terms added to it."""
        total: Operand = self.read(array, place)
        makers = {r: i for i in self.needed for r in i.results}
        for term in terms:
            maker = makers.get(term.value)
            if maker is not None and maker.op.name == "negative":
                total = self.code.op("subtract", total, self.value(term, place, maker.args[0]))
            else:
                total = self.code.op("add", total, self.value(term, place, term.value))
        return self.write(array, place, total, "setitem")

    def term_by_term(self, place: tuple[Operand, ...], array: Operand) -> Sequence[Operand]:
        code = self.code
        for term in self.terms:
            valid: Operand | None = None
            for d, i in enumerate(place):
                at = code.add(i, Literal(-term.offsets[d]))
                one = code.op(
                    "both",
                    code.op("less_equal", self.spans[d][0], at),
                    code.op("less", at, self.spans[d][1]),
                )
                valid = one if valid is None else code.op("both", valid, one)
            if valid is None:
                array = self.piece(place, array, term)
                continue
            array = self.if_valid(valid, place, array, term)
        return (array,)

    def if_valid(self, valid: Operand, place: tuple[Operand, ...], array: Operand, term: _Term) -> Operand:
        then = lambda: (self.piece(place, array, term),)  # noqa: E731
        return self.code.branch(valid, then, lambda: (array,))[0]

    def piece(self, place: tuple[Operand, ...], array: Operand, term: _Term) -> Operand:
        """Write a loop that adds one term to a line."""
        lo, hi = self.spans[-1]

        def one(j: Value, state: list[Operand]) -> Sequence[Operand]:
            at = (*place, self.code.add(j, Literal(term.offsets[-1])))
            return (self.write(state[0], at, self.value(term, at, term.value), "accum"),)

        return self.code.loop((lo, hi, ONE), (array,), one)[0]

    def value(self, term: _Term, place: tuple[Operand, ...], of: Operand) -> Operand:
        """Return a value of the body computed at the trip that adds the term to the element at `place`."""
        trip = {
            i: self.code.add(p, Literal(-o))
            for i, p, o in zip(self.nest.indices, place, term.offsets, strict=True)
        }
        known: dict[Value, Operand] = self.fixed | trip
        for instr in (*self.nest.between, *self.needed):
            args = tuple(known.get(a, a) if isinstance(a, Value) else a for a in instr.args)
            known[instr.result] = self.again(instr, args)
        return known.get(of, of) if isinstance(of, Value) else of

    def again(self, instr: Instr, args: tuple[Operand, ...]) -> Operand:
        name = instr.op.name
        if name in ("add", "subtract") and instr.result.type.dtype.kind == "i":
            return self.code.add(*args) if name == "add" else self.code.sub(*args)
        if name == "getitem":
            args = (self.outside(args[0]), *args[1:])
        value = Value("", instr.result.type)
        self.code.add_instr(replace(instr, args=args, results=(value,)))
        return value

    def outside(self, array: Operand) -> Operand:
        """Return the array that a carried one is before the nest."""
        for loop in reversed(self.nest.loops):
            (body,) = loop.blocks
            for p, init in zip(body.params[1:], loop.args[3:], strict=True):
                if array is p:
                    array = init
        return array

    def _index(self, place: tuple[Operand, ...]) -> tuple[Operand, ...]:
        # the first term's place, of the trip `place` counted from the base
        found: list[Operand] = []
        trips = {
            i: self.code.add(p, Literal(-o))
            for i, p, o in zip(self.nest.indices, place, self.terms[0].offsets, strict=True)
        }
        for a in self.terms[0].write.args[2:]:
            i = self.turner.loop_of(self.nest, self.turner.forms.of(a))
            found.append(self.moved(a, i, trips[i] if i is not None else ZERO))
        return tuple(found)

    def moved(self, a: Operand, i: Value | None, p: Operand) -> Operand:
        """Return index expression `a` with `p` for the loop index."""
        if a is i:
            return p
        if isinstance(a, Value) and a in self.fixed:
            return self.fixed[a]
        maker = {r: m for m in (*self.nest.between, *self.nest.body.instrs) for r in m.results}
        instr = maker.get(a) if isinstance(a, Value) else None
        if instr is None:
            return a
        args = tuple(self.moved(x, i, p) for x in instr.args)
        match instr.op.name:
            case "add":
                return self.code.add(*args)
            case "subtract":
                return self.code.sub(*args)
            case _:
                return self.again(instr, args)

    def read(self, array: Operand, place: tuple[Operand, ...]) -> Operand:
        first = self.terms[0].write
        return self.code.op("getitem", array, *self._index(place), path=first.param("path"))

    def write(self, array: Operand, place: tuple[Operand, ...], v: Operand, op: str) -> Value:
        first = self.terms[0].write
        params: dict[str, object] = {"at": False} if op == "accum" else {}
        return self.code.op(
            op, array, v, *self._index(place), path=first.param("path"), hint=array.name, **params
        )


def _nest_of(loop: Instr) -> _Nest | None:
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
            return _Nest(tuple(loops), indices, body, tuple(between), tuple(fixed))
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


def _without_slot(nest: _Nest, k: int, dropped: set[Instr]) -> Instr | None:
    """Return the nest without slot k and what was done with it; None if nothing is left."""
    live = [j != k for j in range(len(nest.loops[0].results))]
    if not any(live):
        return None
    body = nest.body
    block = replace(body, instrs=tuple(i for i in body.instrs if i not in dropped))
    found = drop_slots(replace(nest.loops[-1], blocks=(block,)), live)
    for loop in reversed(nest.loops[:-1]):
        (outer,) = loop.blocks
        block = replace(outer, instrs=(*outer.instrs[:-1], found))
        found = drop_slots(replace(loop, blocks=(block,)), live)
    return found
