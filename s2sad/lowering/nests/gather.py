"""Sums scattered into the neighbours of an element are gathered at the element.

The adjoint of a stencil adds each cotangent to several neighbours: `x_bar[i - 1] += v; x_bar[i + 1] += v`.
Such a nest writes every element as often as the stencil has points, in an order that keeps it from being
vectorised. Turned around, each element is written once: with all its terms where they all exist, and term
by term along the edges (Hueckelheim, Kukreja, Narayanan, Luporini, Gorman and Hovland 2019, "Automatic
differentiation for adjoint stencil loops"). The order of the terms of one element is the order in which
the statements stand.

What is set just before is set in the same go: an element that gets its terms after `x_bar[i, j] = 0` starts
from 0 and is not read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value, with_inner
from s2sad.ir.types import Array, Scalar, Type
from s2sad.lowering.code import ONE, ZERO, Code
from s2sad.lowering.frames import Arrays
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.nests.fuse import may_raise
from s2sad.lowering.nests.order import Orders
from s2sad.lowering.nests.perfect import Nest, apart, fill_of, nest_of, same_spans
from s2sad.passes.base import sizes_after
from s2sad.record import dataclass, replace

LEAST = 3  # terms
MOST = 4  # operations on numbers for each term, on average: those of all terms may be done for each
CHEAP = ("add", "subtract", "multiply", "negative", "getitem", "widen", "to_float64")
Offsets = tuple[int, ...]


def split_sums(fn: Function) -> Function:
    """Return the function with sums into neighbours in nests of their own, to be gathered."""
    return _done(_Splitter, fn)


def gather(fn: Function) -> Function:
    """Return the function with nests that scatter to neighbours turned around."""
    return _done(_Turner, fn)


def has_sums(fn: Function) -> bool:
    """True if a function may have sums into neighbours: a look at its instructions, no more."""
    return sum(i.op.name == "accum" for i in fn.block.walk()) >= LEAST


def _done(kind: type[_Finder], fn: Function) -> Function:
    if not has_sums(fn):
        return fn
    finder = kind(fn)
    block = finder.block(fn.block)
    return replace(fn, block=block) if finder.found else fn


@dataclass(frozen=True, slots=True)
class _Term:
    """`x[place + offsets] += value` of the innermost block of a nest, which computes it by `needed`, or
    `x[place + offsets] = value` of one before it; `line` tells apart those whose elements differ in a
    dimension that has no loop."""

    write: Instr
    offsets: Offsets
    line: Offsets
    nest: Nest
    needed: tuple[Instr, ...]

    @property
    def value(self) -> Operand:
        """What is added or set."""
        return self.write.args[1]

    @property
    def sets(self) -> bool:
        """True if the element is not read."""
        return self.write.op.name == "setitem"


class _Finder(ABC):
    """Finds nests that scatter."""

    def __init__(self, fn: Function) -> None:
        self.sizes = sizes_after(fn)
        self.arrays, self.forms = Arrays(fn), Forms(fn.block)
        self.orders, self.counts = Orders(self.forms), fn.block.counts
        self.found = 0

    def block(self, block: Block) -> Block:
        """Return a block with what stands for the nests in it."""
        instrs: list[Instr] = []
        for instr in block.instrs:
            nest = nest_of(instr) if instr.op.name == "for" else None
            found = self.scattering(nest) if nest is not None else None
            if nest is not None and found is not None:
                self.found += 1
                self.replaced(nest, *found, instrs)
                continue
            if instr.blocks:
                instr = replace(instr, blocks=tuple(map(self.block, instr.blocks)))
            instrs.append(instr)
        return Block(block.params, tuple(instrs), block.end)

    @abstractmethod
    def replaced(self, nest: Nest, k: int, terms: list[_Term], before: list[Instr]) -> None:
        """Append to what stands before a nest what it becomes."""

    # --- what may be turned ---------------------------------------------------------------------------

    def scattering(self, nest: Nest) -> tuple[int, list[_Term]] | None:
        """Return the slot of a nest that is scattered to, and the terms; None if there is none, or it must
        stay."""
        for k in range(len(nest.loops[-1].results)):
            terms = self.terms(nest, k)
            if terms is not None and self.may_turn(nest, terms):
                return k, terms
        return None

    def terms(self, nest: Nest, k: int) -> list[_Term] | None:
        """Return the terms that the nest adds to the array of slot k, if it only does that with it and
        the elements are neighbours."""
        body = nest.body
        first = len(body.params) - len(nest.loops[-1].results)
        counts = body.counts
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
        places = [nest.places(self.forms, w) for w in writes]
        base = places[0]
        needed = self.needed(nest, [w.args[1] for w in writes])
        if base is None or needed is None:
            return None
        terms: list[_Term] = []
        for w, p in zip(writes, places, strict=True):
            term = (
                None if p is None or not isinstance(w.args[1], Value) else term_of(w, p, base, nest, needed)
            )
            if term is None:
                return None
            terms.append(term)
        return terms if len({(t.offsets, t.line) for t in terms}) >= LEAST else None

    def may_turn(self, nest: Nest, terms: list[_Term]) -> bool:
        """True if the terms can be computed again, before the rest of the nest."""
        target = terms[0].write.args[0]
        needed = terms[0].needed
        if sum(i.result.type.dtype.kind in "fc" for i in needed) > MOST * len(terms):
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

    def same_element(self, nest: Nest, read: Instr, write: Instr) -> bool:
        """True if a read and a write touch one element only in one trip."""
        if self.arrays.frame(read.args[0]) is not self.arrays.frame(write.args[0]):
            return False  # one of them through a view
        places = nest.places(self.forms, write)
        return places is not None and [self.forms.of(a) for a in read.args[1:]] == places

    def needed(self, nest: Nest, values: list[Operand]) -> tuple[Instr, ...] | None:
        """Return the instructions of the body that values are computed by; None if one is costly."""
        maker = {r: i for i in nest.body.instrs for r in i.results}
        found: dict[Instr, None] = {}
        params = set(nest.body.params) - set(nest.indices)
        todo = list(values)
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
        return tuple(i for i in nest.body.instrs if i in found)


def term_of(
    write: Instr, places: Sequence[Linear], base: Sequence[Linear], nest: Nest, needed: tuple[Instr, ...]
) -> _Term | None:
    """Return a write as a term; None if its element is not one at a fixed distance of that at `base`."""
    gaps = [a - b for a, b in zip(places, base, strict=True)]
    if not all(g.is_const for g in gaps):
        return None
    looped = [nest.loop_of(form) is not None for form in places]
    offsets = tuple(g.const for g, is_looped in zip(gaps, looped, strict=True) if is_looped)
    line = tuple(g.const for g, is_looped in zip(gaps, looped, strict=True) if not is_looped)
    return _Term(write, offsets, line, nest, needed)


class _Splitter(_Finder):
    """Gives what scatters a nest of its own."""

    def replaced(self, nest: Nest, k: int, terms: list[_Term], before: list[Instr]) -> None:
        """Append the nest in two."""
        before += apart(nest, k, {t.write for t in terms}, self.sizes)


class _Turner(_Finder):
    """Turns nests around that do nothing but scatter."""

    def scattering(self, nest: Nest) -> tuple[int, list[_Term]] | None:
        """Return what is scattered, if that is all that the nest does."""
        return super().scattering(nest) if len(nest.loops[0].results) == 1 else None

    def replaced(self, nest: Nest, k: int, terms: list[_Term], before: list[Instr]) -> None:
        """Append loops over the elements that are scattered to."""
        lines: dict[Offsets, list[_Term]] = {}
        for t in terms:
            lines.setdefault(t.line, []).append(t)
        array = nest.loops[0].args[3 + k]
        setting = self.set_before(nest, array, terms[0], before)
        if setting is not None and setting[1].line in lines:
            fill, term = setting
            before.remove(fill)
            array = fill.args[3]
            lines[term.line].insert(0, term)
        result = nest.loops[0].results[k]
        for n, some in enumerate(lines.values()):
            after = result if n == len(lines) - 1 else Value(result.name, result.type)
            before += _Writer(self, nest, some).gathered(array, after)
            array = after

    def set_before(
        self, nest: Nest, array: Operand, base: _Term, before: list[Instr]
    ) -> tuple[Instr, _Term] | None:
        """Return the loop that sets elements of the array right before the nest, over the same trips, and
        what it sets as a term; None if there is none that may be done in the nest."""
        for instr in reversed(before):
            if array in instr.results:
                break
            if may_raise(instr) or any(self.touches(i, array) for i in with_inner(instr)):
                return None
        else:
            return None
        fill = fill_of(self.forms, instr)
        if fill is None or self.counts.get(instr.result) != 1 or not same_spans(self.orders, fill.nest, nest):
            return None
        if not fits(fill.write.args[1], array.type):
            return None
        needed = self.needed(fill.nest, [fill.write.args[1]])
        if needed is None or any(self.touches(i, array) for i in needed):
            return None
        later = before[before.index(instr) + 1 :]
        if any(self.writes_what_is_read(i, needed) for j in later for i in with_inner(j)):
            return None
        trips = dict(zip(fill.nest.indices, nest.indices, strict=True))
        places = [form.renamed(trips) for form in fill.places]
        base_places = nest.places(self.forms, base.write)
        assert base_places is not None
        term = term_of(fill.write, places, base_places, nest, ())
        return None if term is None else (instr, replace(term, nest=fill.nest, needed=needed))

    def touches(self, instr: Instr, array: Operand) -> bool:
        """True if an instruction may read or write the memory of an array, or hold it."""
        arrays = [a for a in instr.args if isinstance(a, Value) and isinstance(a.type, Array)]
        return instr.op.name != "size" and any(self.arrays.may_meet(a, array) for a in arrays)

    def writes_what_is_read(self, instr: Instr, readers: Sequence[Instr]) -> bool:
        """True if an instruction may write to what some others read."""
        if instr.op.name not in ("setitem", "accum"):
            return not instr.op.pure and not instr.blocks
        reads = (r.args[0] for r in readers if r.op.name == "getitem")
        return any(self.arrays.may_meet(r, instr.args[0]) for r in reads)


def fits(value: Operand, t: Type) -> bool:
    """True if what is set is what is read."""
    return value == Literal(0.0) or value.type.dtype == t.dtype


class _Writer:
    """Writes the nest over the elements to which terms are added."""

    def __init__(self, turner: _Turner, nest: Nest, terms: list[_Term]) -> None:
        self.code = Code(turner.sizes)
        self.turner, self.nest, self.terms = turner, nest, terms
        self.base = next(t for t in terms if not t.sets)
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
        for instr in dict.fromkeys(i for t in (self.base, *self.terms) for i in t.nest.fixed):
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
        starts = terms and terms[0].sets
        total = self.value(terms[0], place, terms[0].value) if starts else self.read(array, place)
        makers = {r: i for t in terms for i in t.needed for r in i.results}
        for term in terms[1:] if starts else terms:
            maker = makers.get(term.value) if isinstance(term.value, Value) else None
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
            op = "setitem" if term.sets else "accum"
            return (self.write(state[0], at, self.value(term, at, term.value), op),)

        return self.code.loop((lo, hi, ONE), (array,), one)[0]

    def value(self, term: _Term, place: tuple[Operand, ...], of: Operand) -> Operand:
        """Return a value of the body computed at the trip that adds the term to the element at `place`."""
        trip = {
            i: self.code.add(p, Literal(-o))
            for i, p, o in zip(term.nest.indices, place, term.offsets, strict=True)
        }
        known: dict[Value, Operand] = self.fixed | trip
        for instr in (*term.nest.between, *term.needed):
            args = tuple(known.get(a, a) if isinstance(a, Value) else a for a in instr.args)
            if instr.op.name == "getitem":
                args = (term.nest.outside(args[0]), *args[1:])
            known[instr.result] = self.again(instr, args)
        return known.get(of, of) if isinstance(of, Value) else of

    def again(self, instr: Instr, args: tuple[Operand, ...]) -> Operand:
        name = instr.op.name
        if name in ("add", "subtract") and instr.result.type.dtype.kind == "i":
            return self.code.add(*args) if name == "add" else self.code.sub(*args)
        value = Value("", instr.result.type)
        self.code.add_instr(replace(instr, args=args, results=(value,)))
        return value

    def _index(self, place: tuple[Operand, ...]) -> tuple[Operand, ...]:
        # the first term's place, of the trip `place` counted from the base
        found: list[Operand] = []
        trips = {
            i: self.code.add(p, Literal(-o))
            for i, p, o in zip(self.nest.indices, place, self.base.offsets, strict=True)
        }
        for a in self.base.write.args[2:]:
            i = self.nest.loop_of(self.turner.forms.of(a))
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
        first = self.base.write
        return self.code.op("getitem", array, *self._index(place), path=first.param("path"))

    def write(self, array: Operand, place: tuple[Operand, ...], v: Operand, op: str) -> Value:
        first = self.base.write
        params: dict[str, object] = {"at": False} if op == "accum" else {}
        return self.code.op(
            op, array, v, *self._index(place), path=first.param("path"), hint=array.name, **params
        )
