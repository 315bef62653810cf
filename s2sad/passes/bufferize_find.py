"""Finding writes in place that would be wrong, and choosing the edit that puts each right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from s2sad.analysis.liveness import Liveness
from s2sad.analysis.storage import (
    CALLER,
    READONLY,
    Lineage,
    Storage,
    alias_of,
    is_write,
    written_args,
)
from s2sad.errors import Origin
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.op import Alias
from s2sad.ir.types import Array
from s2sad.ir.walk import used_values
from s2sad.passes.bufferize_edit import Edits, copy_of

NOT_OURS = CALLER | READONLY


@dataclass(frozen=True, slots=True)
class _Site:
    """Where a value is defined: by an instruction, or (None) at the start of the block; `owner` is
    the instruction that owns the block, `depth` the number of loops around."""

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
        self.written = frozenset(fn.params[k] for k in fn.writes)
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
                self._sites(b, instr, inner)
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
        if instr.op.name == "call":  # the callee must not see the array twice
            others = (a for j, a in enumerate(instr.args) if j != arg)
            bad |= mask & self.of.mask(others)
        if not bad or mask & self.touched or not isinstance(x, Value):
            return
        self.touched |= mask & ~NOT_OURS
        if not bad & NOT_OURS and self._delayed(block, k, instr, bad):
            return
        if not bad & NOT_OURS and self._readers_copied(instr, arg, x, bad):
            return
        self._copy_at(self._cheapest(instr, arg, x, bad), instr)

    def _copy_at(self, place: _Place, why: Instr) -> None:
        value = place.instr.args[place.arg]
        assert isinstance(value, Value)
        maker = self.sites[value].instr
        copy = copy_of(value, maker, place.instr.origin or why.origin, why.role)
        self.edits.before.setdefault(place.instr, []).append(copy)
        self.edits.args[place.instr, place.arg] = copy.result

    # --- moving the write ----------------------------------------------------------------------

    def _delayed(self, block: Block, k: int, instr: Instr, bad: int) -> bool:
        """Move the write behind the last reader, if nothing there depends on it."""
        if self.of.mask(block.end.args) & bad or instr.op.name == "call":
            return False
        last = k
        for j in range(k + 1, len(block.instrs)):
            if self.of.mask(used_values(block.instrs[j])) & bad:
                last = j
        results = self.of.mask(instr.results)
        operands = 0
        for a in instr.args:
            operands |= self.storage.mask(a)
        for other in block.instrs[k + 1 : last + 1]:
            if self.of.mask(used_values(other)) & results or other in self.edits.delays:
                return False
            if any(mask & operands for mask in self._written_in(other)):
                return False
        behind = block.instrs[last]
        later = self.live.after[behind]
        if last == k or later & bad:
            return False
        self.edits.delays[instr] = behind
        return True

    def _written_in(self, instr: Instr) -> Iterator[int]:
        for arg, _ in written_args(instr):
            yield self.storage.mask(instr.args[arg])
        for block in instr.blocks:
            for inner in block.walk():
                for arg, _ in written_args(inner):
                    yield self.storage.mask(inner.args[arg])

    # --- copying what is read ------------------------------------------------------------------

    def _readers_copied(self, instr: Instr, arg: int, x: Value, bad: int) -> bool:
        """Copy the values that are read after the write, where they are made: if they are views, or
        if the written array must stay the caller's."""
        place = self._cheapest(instr, arg, x, bad)
        kept = self.lineage[x] in self.written
        readers = list(self.of.members(bad))
        if not kept and not all(self._is_view(v) and self.sites[v].depth <= place.depth for v in readers):
            return False
        for v in readers:
            site = self.sites[v]
            maker = site.instr
            copy = copy_of(v, maker if not self._is_view(v) else None, self._origin(site, instr), instr.role)
            self.edits.renames[v] = copy.result
            if kept:
                self._keep_lineage(v)
            if maker is None:
                self.edits.at_start.setdefault(site.block, []).append(copy)
            else:
                self.edits.behind.setdefault(maker, []).append(copy)
            self.touched |= self.storage.mask(v) & ~NOT_OURS
        return True

    def _origin(self, site: _Site, instr: Instr) -> Origin | None:
        return (site.instr.origin if site.instr is not None else None) or instr.origin

    def _is_view(self, v: Value) -> bool:
        maker = self.sites[v].instr
        return maker is not None and alias_of(maker) in (Alias.VIEW, Alias.MAYBE, Alias.SAME, Alias.READONLY)

    def _keep_lineage(self, v: Value) -> None:
        """The chain of writes from a written parameter to its final version goes on with `v` itself."""
        root = self.lineage[v]

        def visit(block: Block, owner: Instr | None, loop: Instr | None) -> None:
            for instr in block.instrs:
                for arg, _ in written_args(instr):
                    self.edits.kept_args.add((instr, arg))
                first = {"for": 3, "while": 0}.get(instr.op.name)
                if first is not None:
                    handed = self._handed(instr, root)
                    self.edits.kept_args |= {(instr, first + j) for j in handed}
                for inner in instr.blocks:
                    visit(inner, instr, instr if first is not None else loop)
            self._keep_ends(block, owner, loop, root)

        visit(self.fn.block, None, None)

    def _keep_ends(self, block: Block, owner: Instr | None, loop: Instr | None, root: Operand) -> None:
        count = len(block.end.args)
        if block.end.kind == "return":
            self.edits.kept_ends |= {(block, k) for k in range(count - len(self.fn.writes), count)}
            return
        target = owner if block.end.kind == "yield" else loop
        if target is not None and count == len(target.results):  # not the condition of a while
            self.edits.kept_ends |= {(block, k) for k in self._handed(target, root)}

    def _handed(self, instr: Instr, root: Operand) -> list[int]:
        return [k for k, r in enumerate(instr.results) if self.lineage[r] is root]

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
        site = self.sites[x]
        if site.instr is not None and is_write(site.instr):
            for arg, result in written_args(site.instr):
                if site.instr.results[result] is x:
                    source = site.instr.args[arg]
                    if not self._conflicts(source, w) or not self._before(w, site.position):
                        return None
                    return _Place(site.instr, arg, site.depth), source, w
        owner = site.owner
        if site.instr is None and owner is not None and owner.op.name in ("for", "while"):
            first = 3 if owner.op.name == "for" else 0
            params = site.block.params[1:] if owner.op.name == "for" else site.block.params
            if x not in params:
                return None
            k = params.index(x)
            if isinstance(w, Value) and w in params:
                outer: Operand | int = owner.args[first + params.index(w)]
                if not isinstance(outer, Value):
                    return None
                w = outer
            init = owner.args[first + k]
            if not self._conflicts(init, w) or not self._before(w, self._start(owner)):
                return None
            return _Place(owner, first + k, site.depth - 1), init, w
        return None

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
                copy = copy_of(a, site.instr, block.end.origin, site.instr.role if site.instr else "")
                self.edits.at_end.setdefault(block, []).append(copy)
                self.edits.end_args[block, k] = copy.result
            given |= self.of.mask((a,))
