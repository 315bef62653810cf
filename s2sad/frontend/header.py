"""Loop headers: what is assumed of each slot, and whether the trips agree."""

from __future__ import annotations

from s2sad.errors import NotDifferentiable, S2sadError
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.joins import U64, Joins, blank, both_unknown, join_types, joined_items, overflows, unlike
from s2sad.frontend.machine import said, shown
from s2sad.frontend.memory import stale
from s2sad.frontend.slots import Counted, Hint, Key, Loop, Refine, refine
from s2sad.frontend.values import (
    NAMING,
    UNBOUND,
    Abstract,
    Box,
    MaybeUnbound,
    Num,
    Poison,
    Ref,
    Series,
    Static,
    Struct,
    is_none,
)
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import INT, WEAK_BOOL, WEAK_INT, Array, Scalar, Type, without_sizes
from s2sad.record import replace

# kinds of hints that hold whatever else is learned: of a loop in loops, each attempt reads those again
AT_ONCE = ("num", "own")


class Header(Joins):
    """Slots of loops."""

    def __init__(self, sizes: Assumptions):
        super().__init__(sizes)
        self.first_buffers: dict[int, int] = {}
        self.header_values: dict[int, Value] = {}

    def header(self, loop: Loop, init: Abstract, key: Key, name: str) -> Abstract:
        """Return the assumed value of a slot at the loop's head."""
        hint = loop.hints.get(key)
        unreadable = self.unreadable(init, hint, name)
        if unreadable is not None:
            return unreadable
        if hint is not None and hint.kind == "maybe":
            return self.maybe_header(loop, init, hint, key, name)
        if hint is not None and hint.kind == "series":
            assert isinstance(hint.template, Series)
            if isinstance(init, Struct) and hint.per_trip and loop.trips is not None:
                return self.counted_series(loop, init, hint, key, name)
            if isinstance(init, Struct):
                init = self.series_of(init, hint.template, before=loop.before)
        match init:
            case Num(operand):
                t = hint.type if hint is not None and hint.type is not None else operand.type
                if isinstance(t, Array):
                    is_ours = name.startswith("$")
                    begin = (
                        "sum(ys, np.zeros(...))"
                        if is_ours
                        else f"`{name} = np.zeros(...)` of the right shape"
                    )
                    why = f"{said(name)} is a number before the loop and an array in it"
                    raise self.mismatch("S314", why, f"start from an array: {begin}")
                return self.number_header(loop, operand, t, key, name)
            case Ref():
                return self.ref_header(loop, init, hint, key, name)
            case Struct():
                is_named = bool(name) or init.kind not in NAMING  # else as an attribute or item is called
                items = tuple(
                    self.header(loop, item, (*key, k), name if is_named else str(k))
                    for k, item in zip(init.keys, init.items, strict=True)
                )
                return Struct(init.kind, init.keys, items, init.cls)
            case Series(rows, count):
                own = loop.hints.get((*key, "rows"), Hint("own"))
                rows = self.ref_header(loop, rows, Hint("own", own.type), (*key, "rows"), name)
                number = self.header(loop, Num(count), (*key, "count"), "")
                assert isinstance(number, Num)
                like = hint.template if hint is not None and isinstance(hint.template, Series) else init
                return Series(rows, number.operand, init.fits, items=like.items)
            case MaybeUnbound(value, bound):
                value = self.header(loop, value, (*key, "value"), name)
                flag = self.param(loop, bound, WEAK_BOOL, "")
                return MaybeUnbound(value, flag, init.none)
            case Box() if hint is not None and hint.kind == "box":
                return self.box_header(loop, init, key, name)
        return init

    def unreadable(self, init: Abstract, hint: Hint | None, name: str) -> Abstract | None:
        """Return what stands for a slot that must not be read in the loop, None for any other."""
        if hint is not None and hint.kind == "poison" and hint.template is not None:
            return hint.template
        if isinstance(init, Ref) and init.buffer in self.state.stale:
            return stale(self.state.stale[init.buffer])
        if hint is not None and hint.kind == "poison":
            why = f"{said(name)} changes its kind from trip to trip"
            return Poison("S313", why, "keep one kind of value in it")
        return None

    def box_header(self, loop: Loop, init: Box, key: Key, name: str) -> Box:
        """Return the assumed container of a name that every trip binds to a new one (`p = {...}`). It may be
        the one before the loop, and that of another such name: these are unknown once it is changed."""
        before = loop.before.heap.get(init.id, self.state.heap[init.id])  # its slot may be assumed already
        contents = self.header(loop, before, (*key, "box"), name)
        made = self.box(contents)
        ids = {init.id, *(other.id for other, _ in loop.boxed.values())}
        ids |= {k[-1] for k, hint in loop.hints.items() if hint.kind == "twin" and k[:-2] == key}
        ids |= {k for pair in self.twins if pair & ids for k in pair}
        self.twins |= {frozenset((made.id, k)) for k in ids}
        if ids & self.rowed:
            self.rowed.add(made.id)
        loop.boxed[key] = made, contents
        return made

    def number_header(self, loop: Loop, init: Operand, t: Scalar, key: Key, name: str) -> Num:
        """Return a number that a loop carries as one of a type, or as a Python int where it begins with one
        which that type may not hold."""
        if overflows(init, t):
            if t.dtype == U64:
                poison = unlike(name)
                raise self.mismatch(poison.code, poison.why, poison.instead)
            t = WEAK_INT
            loop.hints[key] = Hint("num", t)
        t = Scalar(t.dtype, t.weak, self.sizes.fresh_int() if t.dtype == INT else None)
        return Num(self.param(loop, self.convert(init, t), t, name or init.name))

    def counted_series(self, loop: Loop, init: Struct, hint: Hint, key: Key, name: str) -> Series:
        """Return a list to which every trip appends the same number of items: its room is made before
        the loop, and its length is known from the loop's index."""
        assert isinstance(hint.template, Series)
        assert loop.trips is not None
        before = len(init.items)
        added = self.scaled(loop.trips, hint.per_trip, before)
        made = self.series_of(init, hint.template, added, self.list_name(key), loop.before)
        rows = self.ref_header(loop, made.rows, Hint("own", made.rows.type), (*key, "rows"), name)
        count = None
        if loop.breaks:
            count = self.param(loop, Literal(before), Scalar(INT, True, self.sizes.fresh_int()), "count")
        loop.counts.append(Counted(key, before, hint.per_trip, count))
        return Series(rows, made.count, fits=True, items=made.items)

    def list_name(self, key: Key) -> str:
        """Return the name that the list of a heap slot is bound to."""
        for names in self.state.frames.values():
            for name, value in names.items():
                if value == Box(key[1]) and not name.startswith("$"):
                    return name
        return "items"

    def install_counts(self, loop: Loop, index: Operand) -> None:
        """Set the length of counted lists at the start of a trip."""
        for counted in loop.counts:
            now = self.state.heap[counted.key[1]]
            assert isinstance(now, Series)
            count = self.scaled(index, counted.per_trip, counted.before)
            self.state.heap[counted.key[1]] = replace(now, count=count)

    def param(self, loop: Loop, init: Operand, t: Type, name: str) -> Value:
        """Return a new loop parameter."""
        made = Value(shown(name), t)
        loop.params.append(made)
        loop.inits.append(init)
        return made

    def ref_header(self, loop: Loop, init: Ref, hint: Hint | None, key: Key, name: str) -> Ref:
        """Return the assumed array: the same buffer seen through varying indices, or one of its own."""
        if hint is None or hint.kind != "own":
            operands = []
            for k, o in enumerate(init.operands):
                number = self.header(loop, Num(o), (*key, "op", k), o.name)
                assert isinstance(number, Num)
                operands.append(number.operand)
            return Ref(init.buffer, init.path, tuple(operands), init.type)
        value = self.read(init)
        t = hint.type or value.type
        assert isinstance(t, Array)
        param = self.param(loop, value, t, name or value.name)
        made = self.new_buffer(param, name or self.buffers[init.buffer].name)
        self.buffers[made.buffer].readonly = self.buffers[init.buffer].readonly
        loop.owned[key] = made.buffer
        loop.heads[made.buffer] = param
        for other in (*loop.before.buffers, *self.fixed):
            if self.may_overlap(init.buffer, other):
                self.overlaps.add(frozenset((made.buffer, other)))
        for other_key, other in loop.owned.items():
            if other_key != key and self.may_overlap(self.init_buffer(loop, other_key), init.buffer):
                self.overlaps.add(frozenset((made.buffer, other)))
        self.first_buffers[made.buffer] = init.buffer
        return made

    def init_buffer(self, loop: Loop, key: Key) -> int:
        """Return the buffer that a slot with a buffer of its own starts from."""
        return self.first_buffers[loop.owned[key]]

    def maybe_header(self, loop: Loop, init: Abstract, hint: Hint, key: Key, name: str) -> Abstract:
        """Return the assumed value of a name that may not be bound yet, or None."""
        assert hint.template is not None
        flag: Operand
        if isinstance(init, MaybeUnbound):
            flag = init.bound
            init = init.value
        elif is_none(init) if hint.none else init is UNBOUND:
            scope = self.sizes_in_scope(loop.before)
            init, flag = blank(self, hint.template, hint.state, scope), Literal(False)
        else:
            flag = Literal(True)
        inner = loop.hints.get((*key, "value"))
        if isinstance(init, Ref) and inner is None:
            loop.hints[(*key, "value")] = Hint("own", init.type)
        value = self.header(loop, init, (*key, "value"), name)
        return MaybeUnbound(value, self.param(loop, flag, WEAK_BOOL, ""), hint.none)

    def loop_values(self, loop: Loop, leaves: bool = False) -> tuple[Operand, ...]:
        """Return the operands for all slots at the present state (end of body, break, continue)."""
        values: list[Operand] = []
        found: dict[Key, int] = {}
        learned: dict[Key, Hint] = {}
        facts = len(self.sizes.facts)
        loop.leaving = leaves
        if not leaves:
            loop.at_next()
        for key, header in loop.header.items():
            if key[0] == "heap":
                now: Abstract = self.state.heap[key[1]]
            else:
                now = self.state.frames[key[1]].get(key[2], UNBOUND)
            try:
                self.fit(loop, header, now, key, values, found)
            except Refine as one:
                if one.loop is not loop or one.hint.kind not in AT_ONCE:
                    refine(loop, learned)
                    raise
                learned.update(one.hints)
                if len(self.sizes.facts) > facts:
                    refine(loop, learned)  # sizes that were just assumed equal were not while this was read
            except S2sadError:
                refine(loop, learned)
                raise
        for key in loop.escaping:
            now = self.state.frames[key[1]].get(key[2], UNBOUND)
            if key not in loop.header and now is not UNBOUND and not isinstance(now, Poison):
                if isinstance(now, MaybeUnbound) and now.none:
                    refine(loop, learned)
                    raise Refine(loop, key, Hint("poison", None, both_unknown(key[2])))
                found_value = now.value if isinstance(now, MaybeUnbound) else now
                learned[key] = Hint("maybe", None, found_value, self.state)
        refine(loop, learned)
        for buffer in loop.buffers:
            values.append(self.state.buffers[buffer])
        self.check_overlaps(loop, found)
        self.note_listed(loop)
        fresh = (b for b in self.state.stale if b in loop.before.buffers and b not in loop.before.stale)
        refine(loop, {("stale", b): Hint("stale") for b in fresh if b not in loop.stale})
        return tuple(values)

    def note_listed(self, loop: Loop) -> None:
        """Note which lists are unknown in the next trip, for they hold arrays that every trip writes:
        `s += x; history.append(s)` appends one array many times."""
        lists = {s.rows.buffer for s in self.state.heap.values() if isinstance(s, Series)}
        for buffer, head in loop.heads.items():
            if buffer in lists or self.state.buffers.get(buffer, head) is head:
                continue
            for other in self.overlapping(buffer):
                if other in lists:
                    self.state.stale.setdefault(other, self.written.get(buffer))
        for key, slot in loop.header.items():
            if isinstance(slot, Series) and slot.rows.buffer in self.state.stale:
                raise Refine(loop, key, Hint("poison", None, stale(self.state.stale[slot.rows.buffer])))

    def check_overlaps(self, loop: Loop, found: dict[Key, int]) -> None:
        """Check that buffers assumed disjoint at the head are disjoint on this edge."""
        learned: dict[Key, Hint] = {}
        for key, now in found.items():
            mine = loop.owned[key]
            for other_key, other_now in found.items():
                if other_key == key:
                    continue
                if self.may_overlap(now, other_now) and not self.may_overlap(mine, loop.owned[other_key]):
                    learned["overlap", key, other_key] = Hint("overlap")
            for other in loop.buffers:
                if self.may_overlap(now, other) and not self.may_overlap(mine, other):
                    learned["overlap", key, other] = Hint("overlap")
        refine(loop, learned)

    def fit(  # noqa: C901 - a match of two kinds
        self,
        loop: Loop,
        header: Abstract,
        now: Abstract,
        key: Key,
        values: list[Operand],
        found: dict[Key, int],
    ) -> None:
        """Append the operands that hand `now` over to the slot assumed to be `header`."""
        if isinstance(header, MaybeUnbound):
            return self.fit_maybe(loop, header, now, key, values, found)
        if key[0] == "var" and len(key) == 3:
            self.fit_none(loop, header, now, key)
        if isinstance(header, Poison) and header is not UNBOUND:
            return None
        if key in loop.boxed and isinstance(now, Box):
            return self.fit_box(loop, now, key, values, found)
        match header, now:
            case _, Poison() if now is not UNBOUND:
                raise Refine(loop, key, Hint("poison", None, now))
            case Num(param), Num() | Static() if isinstance(param, Value):
                operand = self.operand(now)
                joined = join_types(param.type, operand.type)
                wide = loop.hints.get(key)
                if wide is not None and wide.type == WEAK_INT and operand.type.dtype.kind in "iu":
                    values.append(self.convert(operand, param.type))
                    return None
                if overflows(operand, param.type):
                    if param.type.dtype == U64:
                        raise Refine(loop, key, Hint("poison", None, unlike(param.name)))
                    raise Refine(loop, key, Hint("num", WEAK_INT))
                if joined is None:
                    raise Refine(loop, key, Hint("num", operand.type))
                self.note_complex(joined, [param.type, operand.type])
                if without_sizes(joined) != without_sizes(param.type):
                    raise Refine(loop, key, Hint("num", joined))
                values.append(self.convert(operand, param.type))
            case Num(param), Ref(type=t):
                raise Refine(loop, key, Hint("num", t))
            case Ref(), Ref() if now.buffer in self.state.stale:
                raise Refine(loop, key, Hint("poison", None, stale(self.state.stale[now.buffer])))
            case Ref(), Ref():
                self.fit_ref(loop, header, now, key, values, found)
            case Struct(), Struct() if (header.kind, header.keys, header.cls) == (
                now.kind,
                now.keys,
                now.cls,
            ):
                for k, old, new in zip(header.keys, header.items, now.items, strict=True):
                    if header.kind in NAMING and not isinstance(old, MaybeUnbound):
                        self.fit_none(loop, old, new, (*key, k))
                    self.fit(loop, old, new, (*key, k), values, found)
            case Struct(kind="list"), Struct(kind="list"):
                per_trip = (
                    len(now.items) - len(header.items) if loop.trips is not None and key[0] == "heap" else 0
                )
                try:
                    like = self.series_like(header, now, key[1] if key[0] == "heap" else None)
                    if self.rows_differ((*header.items, *now.items)):
                        self.unroll_instead(self.rows_unlike())
                except S2sadError as error:
                    self.unroll_instead(error)
                    raise
                raise Refine(loop, key, Hint("series", None, like, None, max(per_trip, 0)))
            case Struct(kind="list"), Series():
                raise Refine(loop, key, Hint("series", None, now))
            case Series(rows, count), Series():
                self.fit_ref(loop, rows, now.rows, (*key, "rows"), values, found)
                counted = next((c for c in loop.counts if c.key == key), None)
                if header.items != now.items:
                    both = replace(now, items=joined_items((header.items, now.items)))
                    per_trip = counted.per_trip if counted is not None else 0
                    raise Refine(loop, key, Hint("series", None, both, None, per_trip))
                if counted is not None and now.fits and now.added != counted.per_trip:
                    self.check_added(loop, key, now, counted)
                if counted is not None and counted.count is not None:
                    values.append(now.count)
                if counted is None:
                    if header.fits and now.count != count:
                        raise self.refuse(
                            "S107", "this list is appended to in too many ways", "fill an array"
                        )
                    values.append(now.count)
                elif not now.fits:
                    raise Refine(loop, key, Hint("series", None, replace(now, fits=False)))
            case Series(), Struct(kind="list"):
                made = self.series_of(now, header)
                self.fit(loop, header, made, key, values, found)
            case _ if header == now:
                return None
            case Box(), Box():
                raise Refine(loop, key, Hint("box"))
            case _ if isinstance(now, MaybeUnbound):
                raise Refine(loop, key, Hint("maybe", None, now.value, self.state))
            case _ if header is UNBOUND and key[0] == "var":
                raise Refine(loop, key, Hint("maybe", None, now, self.state))
            case _ if now is UNBOUND:
                raise Refine(loop, key, Hint("maybe", None, header, self.state))
            case _:
                raise Refine(loop, key, Hint("poison"))
        return None

    def fit_none(self, loop: Loop, header: Abstract, now: Abstract, key: Key) -> None:
        """Find out that a name is None in some trips and not in others."""
        if isinstance(now, MaybeUnbound) and now.none and not isinstance(header, Poison):
            raise Refine(loop, key, Hint("maybe", None, now.value, self.state, none=True))
        if is_none(header) != is_none(now) and not any(
            isinstance(v, Poison | MaybeUnbound) for v in (header, now)
        ):
            some = header if is_none(now) else now
            raise Refine(loop, key, Hint("maybe", None, some, self.state, none=True))

    def fit_box(self, loop: Loop, now: Box, key: Key, values: list[Operand], found: dict[Key, int]) -> None:
        """Hand the contents of a container over to a slot with one of its own."""
        assumed, contents = loop.boxed[key]
        twin = frozenset((assumed.id, now.id))
        if now.id in loop.before.heap and now != assumed and twin not in self.twins:
            raise Refine(loop, (*key, "twin", now.id), Hint("twin"))
        self.fit(loop, contents, self.state.heap[now.id], (*key, "box"), values, found)

    def check_added(self, loop: Loop, key: Key, now: Series, counted: Counted) -> None:
        """Check that a whole trip appends as many items as was assumed, and a last one no more."""
        if not loop.leaving:
            raise Refine(loop, key, Hint("series", None, replace(now, fits=False), None, now.added))
        if now.added > counted.per_trip:
            raise Refine(loop, key, Hint("series", None, replace(now, fits=False)))

    def fit_ref(
        self, loop: Loop, header: Ref, now: Ref, key: Key, values: list[Operand], found: dict[Key, int]
    ) -> None:
        """Hand an array over to its slot."""
        if key in loop.owned:
            value = self.read(now)
            param = self.header_param(loop, key)
            assert isinstance(param.type, Array)
            assert isinstance(value.type, Array)
            if without_sizes(value.type) != without_sizes(param.type):
                raise NotDifferentiable(
                    "S315",
                    f"an array of {now.type.dtype} and rank {now.type.ndim} replaces one of "
                    f"{header.type.dtype} and rank {header.type.ndim} in a loop",
                    "keep one dtype and rank from the start",
                    self.place(),
                )
            dims = self.carried_dims(loop, param.type, value.type)
            if dims is not None:
                raise Refine(loop, key, Hint("own", Array(param.type.dtype, dims)))
            values.append(value)
            found[key] = now.buffer
            return
        if now.buffer == header.buffer and now.path == header.path:
            for k, (old, new) in enumerate(zip(header.operands, now.operands, strict=True)):
                self.fit(loop, Num(old), Num(new), (*key, "op", k), values, found)
            return
        t = header.type
        if not header.path and without_sizes(now.type) == without_sizes(t):  # else sizes are as of its slices
            t = replace(t, shape=self.carried_dims(loop, t, now.type) or t.shape)
        raise Refine(loop, key, Hint("own", t))

    def carried_dims(self, loop: Loop, slot: Array, now: Array) -> tuple[Size, ...] | None:
        """Return the dimensions of a slot that is handed an array of other ones; None if it has them."""
        for n, m in zip(slot.shape, now.shape, strict=True):
            self.sizes.carried(n, m, self.place())
        wanted = [self.sizes.canonical(d) for d in slot.shape]
        given = [self.sizes.canonical(d) for d in now.shape]
        pairs = list(zip(wanted, given, strict=True))
        if all(d == g or d in loop.varying for d, g in pairs):
            return None
        return tuple(d if d == g or d in loop.varying else self.varying_dim(loop) for d, g in pairs)

    def varying_dim(self, loop: Loop) -> Size:
        """Return a fresh size, remembered as one that varies from trip to trip of a loop: in one inside of it
        this is a number, and what varies there has a size of its own."""
        made = self.sizes.fresh()
        loop.varying.add(made)
        return made

    def header_param(self, loop: Loop, key: Key) -> Value:
        """Return the parameter that holds a slot's own buffer."""
        return self.header_values[loop.owned[key]]

    def fit_maybe(
        self,
        loop: Loop,
        header: MaybeUnbound,
        now: Abstract,
        key: Key,
        values: list[Operand],
        found: dict[Key, int],
    ) -> None:
        """Hand a possibly unbound name over: its value, then its flag."""
        if header.lacks(now):
            now = MaybeUnbound(blank(self, header.value, loop.before), Literal(False), header.none)
        elif not isinstance(now, MaybeUnbound):
            now = MaybeUnbound(now, Literal(True), header.none)
        if now.none != header.none or now.value is UNBOUND or is_none(now.value):
            raise Refine(loop, key, Hint("poison", None, both_unknown(key[-1])))
        self.fit(loop, header.value, now.value, (*key, "value"), values, found)
        values.append(now.bound)
