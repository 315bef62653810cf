"""Finding writes in place that would be wrong, and choosing the edit that puts each right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from s2sad.analysis.liveness import Liveness
from s2sad.analysis.storage import CALLER, READONLY, Lineage, Storage, alias_of, written_args
from s2sad.ir import path as paths
from s2sad.ir.core import Block, Function, Instr, Operand, Value, returns
from s2sad.ir.loops import carried, inits, loop_ends
from s2sad.ir.op import Alias
from s2sad.ir.types import Array
from s2sad.ir.walk import used_values
from s2sad.ops.table import OPS
from s2sad.passes.bufferize_edit import Edits, copy_of
from s2sad.passes.bufferize_parts import apart
from s2sad.record import dataclass, replace

NOT_OURS = CALLER | READONLY
_VIEWS = (Alias.VIEW, Alias.MAYBE, Alias.SAME, Alias.READONLY)


@dataclass(frozen=True, slots=True)
class _Site:
    """Where a value is defined: by an instruction, or (None) at the start of the block; `owner` is
    the instruction that owns the block, `depth` the number of loops around it that repeat it."""

    instr: Instr | None
    block: Block
    owner: Instr | None
    depth: int
    position: int


@dataclass(frozen=True, slots=True)
class _Place:
    """An argument of an instruction that can be replaced by a copy of it."""

    instr: Instr
    arg: int
    depth: int


class Conflicts:
    """Walks a function once; `edits` resolves conflicts that have nothing to do with each other."""

    def __init__(self, fn: Function, storage: Storage, live: Liveness, lineage: Lineage):
        self.fn, self.storage, self.live, self.lineage = fn, storage, live, lineage
        self.of = storage.of
        self.edits = Edits()
        self.touched = 0  # what this round's edits are about: judged again in the next round
        self.sites: dict[Value, _Site] = {}
        self.position = 0
        self.sources = sources_of(fn)
        self.final = final_versions(fn)
        self.reads = fn.block.counts
        self._define(fn.params, None, fn.block, None, 0)
        self._sites(fn.block, None, 0)
        self._block(fn.block)

    # --- where everything is -------------------------------------------------------------------

    def _define(
        self, values: tuple[Value, ...], instr: Instr | None, block: Block, owner: Instr | None, depth: int
    ) -> None:
        self.position += 1
        for v in values:
            self.sites[v] = _Site(instr, block, owner, depth, self.position)

    def _sites(self, block: Block, owner: Instr | None, depth: int) -> None:
        self._define(block.params, None, block, owner, depth)
        for instr in block.instrs:
            inner = depth + (instr.op.name in ("for", "while"))
            for b in instr.blocks:
                once = instr.op.name == "if" and b.end.kind in ("return", "raise")
                self._sites(b, instr, 0 if once else inner)
            self._define(instr.results, instr, block, owner, depth)

    # --- the walk ------------------------------------------------------------------------------

    def _block(self, block: Block) -> None:
        for k, instr in enumerate(block.instrs):
            for inner in instr.blocks:
                self._block(inner)
            for arg, _ in written_args(instr):
                self._write(block, k, instr, arg)
        if block.end.kind == "return":
            self._return(block)

    def _write(self, block: Block, k: int, instr: Instr, arg: int) -> None:
        x = instr.args[arg]
        mask = self.storage.mask(x)
        live = self.live.after[instr] & ~self.of.mask(instr.results)
        bad = mask & (live | NOT_OURS)
        for v in self.of.members(bad):
            if self._is_apart(v, instr):
                bad &= ~self.of[v]
        if instr.op.name == "call":  # the callee must not see the array twice
            others = (a for j, a in enumerate(instr.args) if j != arg)
            bad |= mask & self.of.mask(others)
        if not bad or mask & self.touched or not isinstance(x, Value):
            return
        self.touched |= mask & ~NOT_OURS
        if bad & ~NOT_OURS and self._delayed(block, k, instr, bad & ~NOT_OURS):
            return
        if self._made_new(block, instr):
            return
        if not bad & NOT_OURS and self._readers_copied(instr, arg, x, bad):
            return
        self._copy_at(self._cheapest(instr, arg, x, bad), instr, bad)

    def _is_apart(self, v: Value, write: Instr) -> bool:
        """True if `v` is a view of a part of the written array that the write does not touch."""
        if write.op.name == "call":
            return False
        root = self.lineage[write.args[0]]
        while True:
            maker = self.sites[v].instr
            if maker is None or maker.op.name != "getitem" or not isinstance(maker.args[0], Value):
                return False
            if self.lineage[maker.args[0]] is root:
                return apart(maker, write)
            v = maker.args[0]

    def _copy_at(self, place: _Place, why: Instr, bad: int) -> None:
        value = place.instr.args[place.arg]
        assert isinstance(value, Value)
        maker = self.sites[value].instr
        name = self._name_at(place) or value.name
        only = self.reads[value] == 1 and maker is not None and not maker.blocks and len(maker.results) == 1
        origin = place.instr.origin or why.origin
        copy = copy_of(value, maker, name, origin, why.role)
        if maker is not None and bad == READONLY and copy.op is not OPS["copy"]:
            self.edits.replaced[maker] = replace(copy, results=(value,))  # for all readers
            return
        if maker is not None and only and copy.op is not OPS["copy"]:
            self.edits.dropped.add(maker)  # made anew where it is written
        elif maker is not None and only:
            source = Value("", value.type)  # nothing else reads it: the copy takes its name
            self.edits.results[value] = source
            copy = copy_of(source, None, name, origin, why.role)
        self.edits.before.setdefault(place.instr, []).append(copy)
        self.edits.args[place.instr, place.arg] = copy.result

    def _name_at(self, place: _Place) -> str:
        """Return the name under which the copy goes on: that of the next version, or of the carried value."""
        for arg, result in written_args(place.instr):
            if arg == place.arg:
                return place.instr.results[result].name
        return place.instr.results[place.arg - len(place.instr.args)].name

    # --- moving the write ----------------------------------------------------------------------

    def _delayed(self, block: Block, k: int, instr: Instr, bad: int) -> bool:
        """Move the write behind the last reader, if nothing there depends on it."""
        if self.of.mask(block.end.args) & bad or instr.op.name == "call":
            return False
        if instr in self.edits.delays.values():  # something moves behind it already
            return False
        last = k
        for j in range(k + 1, len(block.instrs)):
            if self.of.mask(used_values(block.instrs[j])) & bad:
                last = j
        results = self.of.mask(instr.results)
        for other in block.instrs[k + 1 : last + 1]:
            if self.of.mask(used_values(other)) & results or other in self.edits.delays:
                return False
            if any(self.storage.shares(w, a) for w in self._written_in(other) for a in instr.args):
                return False
        behind = block.instrs[last]
        later = self.live.after[behind]
        if last == k or later & bad:
            return False
        self.edits.delays[instr] = behind
        return True

    def _written_in(self, instr: Instr) -> Iterator[Operand]:
        for arg, _ in written_args(instr):
            yield instr.args[arg]
        for block in instr.blocks:
            for inner in block.walk():
                for arg, _ in written_args(inner):
                    yield inner.args[arg]

    # --- making a new array instead of writing ---------------------------------------------------

    def _made_new(self, block: Block, instr: Instr) -> bool:
        """Replace a write of a whole array: `a1 = a.copy(); a1 += v` is `a1 = a + v`, and a copy that
        is overwritten is what it is overwritten with."""
        if instr.op.name not in ("setitem", "accum") or self.final & set(instr.results):
            return False
        x, v = instr.args[:2]
        whole = instr.param("path") == paths.full(x.type.ndim) and not instr.param("at")
        if not whole or not isinstance(v, Value) or v.type.dtype != x.type.dtype:
            return False
        if instr.op.name == "accum":
            if isinstance(v.type, Array) and v.type.ndim > x.type.ndim:
                return False
            self.edits.replaced[instr] = replace(instr, op=OPS["add"], args=(x, v), params=())
            return True
        if v.type != x.type:
            return False
        maker = self.sites[v].instr
        fresh = maker is not None and not maker.blocks and alias_of(maker) is Alias.FRESH
        if maker is not None and fresh and self.sites[v].block is block and self.reads[v] == 1:
            self.edits.results[v] = instr.result
            self.edits.dropped.add(instr)
        else:
            self.edits.replaced[instr] = replace(instr, op=OPS["copy"], args=(v,), params=())
        self.touched |= self.storage.mask(v) & ~NOT_OURS
        return True

    # --- copying what is read ------------------------------------------------------------------

    def _readers_copied(self, instr: Instr, arg: int, x: Value, bad: int) -> bool:
        """Copy the values that are read after the write, where they are made: if they are views, or
        if the written array must stay the caller's."""
        place = self._cheapest(instr, arg, x, bad)
        readers = list(self.of.members(bad))
        chain = self._chain(instr, arg, readers) if self.final & set(instr.results) else None
        if chain is None and not all(
            self._is_view(v) and self.sites[v].depth <= place.depth for v in readers
        ):
            return False
        kept = {instr.args[arg] for instr, arg in chain or ()}
        if (self._made_from(x) & set(readers)) - kept:
            return False  # the written array would be made from the copy as well
        self.edits.kept_args |= chain or set()
        for v in readers:
            self._copy_where_made(v, instr)
        return True

    def _made_from(self, x: Operand) -> set[Value]:
        """Return the values whose array `x` may be, by way of views, writes, loops and ifs."""
        return closure(self.sources, [x])

    def _copy_where_made(self, v: Value, instr: Instr) -> None:
        site = self.sites[v]
        maker = site.instr
        self.touched |= self.storage.mask(v) & ~NOT_OURS
        if maker is not None and self._is_view(v):  # the copy takes the view's place
            view = Value("", v.type)
            self.edits.results[v] = view
            copy = Instr(OPS["copy"], (view,), (v,), (), (), maker.origin or instr.origin, maker.role)
            self.edits.behind.setdefault(maker, []).append(copy)
            return
        origin = (maker.origin if maker is not None else None) or instr.origin
        copy = copy_of(v, maker, v.name, origin, instr.role)
        self.edits.renames[v] = copy.result
        if maker is None:
            self.edits.at_start.setdefault(site.block, []).append(copy)
        else:
            self.edits.behind.setdefault(maker, []).append(copy)

    def _is_view(self, v: Value) -> bool:
        maker = self.sites[v].instr
        return maker is not None and alias_of(maker) in _VIEWS

    def _chain(self, instr: Instr, arg: int, readers: list[Value]) -> set[tuple[Instr, int]] | None:
        """Return the places through which a written parameter reaches this write: they go on with the
        array itself, all other reads of it get copies. None if one of them runs again with the same
        version, so that no copy for other readers can help."""
        chain: set[tuple[Instr, int]] = set()
        place: _Place | None = _Place(instr, arg, self._depth(instr))
        while place is not None:
            a = place.instr.args[place.arg]
            if not isinstance(a, Value) or (a in readers and self.sites[a].depth < place.depth):
                return None
            chain.add((place.instr, place.arg))
            place = self._source(a)
        return chain

    # --- copying what is written ---------------------------------------------------------------

    def _cheapest(self, instr: Instr, arg: int, x: Operand, bad: int) -> _Place:
        """Return where to copy the written array: before the write, or earlier, where it enters the
        loops around as the initial value of what they carry."""
        here = _Place(instr, arg, self._depth(instr))
        best = here
        wanted: list[int | Value] = [bad & NOT_OURS] if bad & NOT_OURS else []
        wanted += self.of.members(bad)
        ways = [self._places(x, w) for w in wanted]
        for place in ways[0]:
            if place.depth <= best.depth and all(place in way for way in ways):
                best = place
        return best

    def _places(self, x: Operand, w: int | Value) -> list[_Place]:
        """Return the places, going back, where a copy would part the written array from `w`."""
        places: list[_Place] = []
        while isinstance(x, Value):
            found = self._earlier(x, w)
            if found is None:
                break
            place, x, w = found
            places.append(place)
        return places

    def _depth(self, instr: Instr) -> int:
        return self.sites[instr.results[0]].depth

    def _earlier(self, x: Value, w: int | Value) -> tuple[_Place, Operand, int | Value] | None:
        """Follow the written array one step back: through a write, or from a carried value to its
        initial value, as long as it shares with `w` there already."""
        place = self._source(x)
        if place is None or x is w:
            return None
        if self.sites[x].instr is None:  # carried by a loop
            owner = place.instr
            params = carried(owner)
            if isinstance(w, Value) and w in params:
                outer = inits(owner)[params.index(w)]
                if not isinstance(outer, Value):
                    return None
                w = outer
            start = self._start(owner)
        else:
            start = self.sites[x].position
        source = place.instr.args[place.arg]
        if not self._conflicts(source, w) or not self._before(w, start):
            return None
        return place, source, w

    def _source(self, x: Value) -> _Place | None:
        """Return the argument that `x` is the same array as: of a write, or an initial value."""
        site = self.sites[x]
        if site.instr is not None:
            for arg, result in written_args(site.instr):
                if site.instr.results[result] is x:
                    return _Place(site.instr, arg, site.depth)
            return None
        owner = site.owner
        if owner is None or owner.op.name not in ("for", "while") or x not in carried(owner):
            return None
        first = len(owner.args) - len(owner.results)
        return _Place(owner, first + carried(owner).index(x), site.depth - 1)

    def _start(self, owner: Instr) -> int:
        return min(self.sites[p].position for p in owner.blocks[0].params)

    def _conflicts(self, a: Operand, w: int | Value) -> bool:
        if isinstance(w, int):
            return bool(self.storage.mask(a) & w)
        return a is w or self.storage.shares(a, w)

    def _before(self, w: int | Value, position: int) -> bool:
        return isinstance(w, int) or self.sites[w].position < position

    # --- results -------------------------------------------------------------------------------

    def _return(self, block: Block) -> None:
        """Copy results that must be the caller's own: writeable, apart from parameters and each other."""
        if not self.fn.extra.get("fresh_results"):
            return
        params = self.of.mask(p for p in self.fn.params if isinstance(p.type, Array))
        given = 0
        for k, a in enumerate(block.end.args):
            mask = self.storage.mask(a)
            if isinstance(a, Value) and mask & (NOT_OURS | params | given) and not mask & self.touched:
                site = self.sites[a]
                role = site.instr.role if site.instr is not None else ""
                copy = copy_of(a, site.instr, "", block.end.origin, role)
                self.edits.at_end.setdefault(block, []).append(copy)
                self.edits.end_args[block, k] = copy.result
            given |= self.of.mask((a,))


def sources_of(fn: Function, views: bool = True) -> dict[Value, list[Operand]]:
    """Return, for each value, the operands whose array it may be; without `views`, the whole of it."""
    sources: dict[Value, list[Operand]] = {}
    for instr in fn.block.walk():
        for arg, result in written_args(instr):
            sources[instr.results[result]] = [instr.args[arg]]
        if instr.op.name == "if":
            for k, r in enumerate(instr.results):
                sources[r] = [b.end.args[k] for b in instr.blocks if b.end.kind == "yield"]
        elif instr.op.name in ("for", "while"):
            ends = loop_ends(instr.blocks[-1])
            for k, (p, r) in enumerate(zip(carried(instr), instr.results, strict=True)):
                sources[p] = sources[r] = [inits(instr)[k], *(e.args[k] for e in ends)]
        elif views and instr.args and alias_of(instr) in _VIEWS:
            sources[instr.results[0]] = [instr.args[0]]
    return sources


def final_versions(fn: Function) -> set[Value]:
    """Return the values that become the final version of a written parameter: writes of them are
    writes of the caller's array."""
    if not fn.writes:
        return set()
    finals = [a for end in returns(fn.block) for a in end.args[-len(fn.writes) :]]
    return closure(sources_of(fn, views=False), finals)


def closure(sources: Mapping[Value, Sequence[Operand]], start: Iterable[Operand]) -> set[Value]:
    """Return the values reached from `start`, themselves included."""
    found: set[Value] = set()
    waiting = list(start)
    while waiting:
        v = waiting.pop()
        if isinstance(v, Value) and v not in found:
            found.add(v)
            waiting += sources.get(v, ())
    return found
