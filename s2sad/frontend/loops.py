"""Loops: the header state is found by running the body under assumptions until they hold.

Every name that the body assigns, every buffer and every container is a slot, assumed at first to
keep its kind. A body that disagrees raises `Refine` with what must be assumed instead, and is read
again. Slots that turn out never to change are dropped at the end.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from s2sad.errors import InternalError, S2sadError
from s2sad.frontend.header import Header
from s2sad.frontend.machine import State
from s2sad.frontend.outcome import NotBoundYet
from s2sad.frontend.slots import Hint, Key, Loop, Refine
from s2sad.frontend.values import (
    UNBOUND,
    Abstract,
    MaybeUnbound,
    Num,
    Ref,
    Series,
    Struct,
    is_none,
)
from s2sad.ir.core import Block, Instr, Operand, Value
from s2sad.ir.loops import at_loop_ends, loop_ends
from s2sad.ir.size import Size
from s2sad.ir.walk import Copier, substitute
from s2sad.ops import OPS
from s2sad.record import replace


class Loops(Header):
    """Building `for` and `while` instructions."""

    def run_loop(
        self,
        names: list[str],
        escaping: set[str],
        body: Callable[[Loop], tuple[tuple[Value, ...], tuple[Block, ...], tuple[Operand, ...]]],
        op: str,
        trips: Operand | None = None,
        breaks: bool = False,
    ) -> None:
        """Emit a loop. `body(loop)` runs with the header state installed and an empty builder; it
        returns extra leading parameters, the blocks, and extra leading operands of the instruction."""
        before, outer = self.state, self.builder
        hints: dict[Key, Hint] = {}
        varying: set[Size] = set()
        for _ in range(200):  # each attempt learns something of a slot
            self.state = before.copy()
            pre = self.builder = outer.inner()
            frame = self.frame.id
            loop = Loop(
                hints,
                varying,
                before=before,
                trips=trips,
                breaks=breaks,
                escaping=tuple(("var", frame, n) for n in sorted(escaping)),
            )
            try:
                self.make_header(loop, names)
                self.builder = outer.inner()
                self.frame.loops.append(loop)
                depth = len(self.frames)
                try:
                    extra, blocks, leading = self.unless_waiting(functools.partial(body, loop))
                finally:
                    del self.frames[depth:]
                    self.frame.loops.remove(loop)
                if loop.waiting is not None:
                    raise loop.waiting
            except NotBoundYet as early:
                self.state, self.builder = before, outer
                if early.loop is loop:
                    raise early.error from None
                return  # a loop around this one will be read again: now it is as if it had no trips
            except Refine as refine:
                if refine.loop is not loop:
                    self.state, self.builder = before, outer
                    raise
                hints.update(refine.hints)
                continue
            except BaseException:
                self.state, self.builder = before, outer
                raise
            self.builder = outer
            outer.instrs += pre.instrs
            self.finish(loop, OPS[op], extra, blocks, leading, names)
            return
        raise InternalError("S903", "the types of this loop's variables do not settle", "", self.place())

    def unless_waiting(self, read: Callable[[], Any]) -> Any:
        """Read a branch, or a loop's body. If it fails while a name is assumed to be None, or a list to be
        empty, that a later part of the body of a loop around it may fill, that is read to its end first."""
        depth = len(self.frames)
        try:
            return read()
        except S2sadError as error:
            for frame in reversed(self.frames[:depth]):
                for loop in frame.loops:
                    if isinstance(loop, Loop) and any(_is_start(k, v) for k, v in loop.header.items()):
                        loop.waiting = loop.waiting or error
                        raise NotBoundYet(loop, error) from None
            raise

    # -- header --------------------------------------------------------------------------------------
    def make_header(self, loop: Loop, names: list[str]) -> None:
        """Install the assumed state at the loop's head; fill in params and inits."""
        frame = self.frame.id
        scope = self.state.frames[frame]
        for name in names:
            key: Key = ("var", frame, name)
            if key in loop.hints or name in scope:
                scope[name] = loop.header[key] = self.header(loop, scope.get(name, UNBOUND), key, name)
        for other in self.frames:
            for name in sorted(self.shared_names(other)):
                key = ("var", other.id, name)
                scope = self.state.frames[other.id]
                if key not in loop.header and name in scope:
                    scope[name] = loop.header[key] = self.header(loop, scope[name], key, name)
        assumed = {made.id for made, _ in loop.boxed.values()}
        for box in [k for k in self.state.heap if k not in assumed]:
            key = ("heap", box)
            made = self.header(loop, self.state.heap[box], key, "")
            self.state.heap[box] = loop.header[key] = made
        for buffer in loop.before.buffers:
            version = self.state.buffers[buffer]
            param = Value(version.name or self.buffers[buffer].name, version.type)
            loop.buffers.append(buffer)
            loop.params.append(param)
            loop.inits.append(version)
            self.state.buffers[buffer] = loop.heads[buffer] = param
        for key, hint in loop.hints.items():
            if key[0] == "stale":
                self.state.stale.setdefault(key[1], self.place())
                loop.stale.add(key[1])
            elif key[0] == "overlap" and hint.kind == "overlap":
                a = loop.owned.get(key[1])
                b = loop.owned.get(key[2]) if isinstance(key[2], tuple) else key[2]
                if a is not None and b is not None:  # else the slot has no buffer of its own any more
                    self.overlaps.add(frozenset((a, b)))

    # -- edges ----------------------------------------------------------------------------------------
    # -- after the loop ------------------------------------------------------------------------------------
    def finish(
        self,
        loop: Loop,
        op: Any,
        extra: tuple[Value, ...],
        blocks: tuple[Block, ...],
        leading: tuple[Operand, ...],
        names: list[str],
    ) -> None:
        """Append the loop without the slots that never change; install the state after it."""
        params, inits = loop.params, loop.inits
        kept = [k for k in range(len(params)) if not _unchanged(blocks[-1], k, params[k], inits[k])]
        mapping: dict[Value, Operand] = {
            p: i for k, (p, i) in enumerate(zip(params, inits, strict=True)) if k not in kept
        }
        blocks = tuple(
            _with_slots(b, kept, mapping, len(extra), op, first=not k) for k, b in enumerate(blocks)
        )
        if op.name == "while":
            copier = Copier(self.sizes)
            blocks = (copier.block(blocks[0]), blocks[1])
        results = tuple(Value(params[k].name, params[k].type) for k in kept)
        args = (*leading, *(inits[k] for k in kept))
        self.builder.add(Instr(op, args, results, (), blocks, self.builder.origin, self.builder.role))
        outcome = dict(mapping)
        outcome.update({params[k]: r for k, r in zip(kept, results, strict=True)})
        self.state = self.after_loop(loop, outcome, names)

    def after_loop(self, loop: Loop, outcome: dict[Value, Operand], names: list[str]) -> State:
        """Return the state after the loop, with slots replaced by results."""
        after = loop.before.copy()
        for key, header in loop.header.items():
            value = _replace(header, outcome)
            for counted in loop.counts:
                if counted.key == key and loop.trips is not None:
                    assert isinstance(value, Series)
                    total = None if counted.count is None else outcome[counted.count]
                    total = total or self.scaled(loop.trips, counted.per_trip, counted.before)
                    value = Series(value.rows, total, items=value.items)
            if key[0] == "heap":
                after.heap[key[1]] = value
            else:
                after.frames[key[1]][key[2]] = value
        for made, contents in loop.boxed.values():
            after.heap[made.id] = _replace(contents, outcome)
        for name in names:
            key = ("var", self.frame.id, name)
            if key not in loop.header:
                after.frames[self.frame.id].pop(name, None)
        for buffer in (*loop.buffers, *loop.owned.values()):
            param = self.header_values.get(buffer)
            if buffer in loop.before.buffers:
                param = loop.params[len(loop.params) - len(loop.buffers) + loop.buffers.index(buffer)]
            assert param is not None
            version = outcome[param]
            assert isinstance(version, Value)
            after.buffers[buffer] = version
        for buffer in loop.stale:
            after.stale.setdefault(buffer, self.place())
        return after

    def new_buffer(self, value: Value, name: str = "", **facts: Any) -> Ref:
        """Return a view of all of a new buffer that holds `value`."""
        ref = super().new_buffer(value, name, **facts)
        self.header_values[ref.buffer] = value
        return ref


def _is_start(key: Key, value: Abstract) -> bool:
    """True for None and for an empty list, which are assumed of slots that begin with them."""
    if key[0] == "heap":
        return isinstance(value, Struct) and value.kind == "list" and not value.items
    return is_none(value)


def _replace(value: Abstract, mapping: dict[Value, Operand]) -> Abstract:
    def operand(o: Operand) -> Operand:
        return mapping.get(o, o) if isinstance(o, Value) else o

    match value:
        case Num(o):
            return Num(operand(o))
        case Ref():
            return replace(value, operands=tuple(map(operand, value.operands)))
        case Struct():
            return replace(value, items=tuple(_replace(i, mapping) for i in value.items))
        case Series(rows, count):
            made = _replace(rows, mapping)
            assert isinstance(made, Ref)
            return Series(made, operand(count), value.fits, items=value.items)
        case MaybeUnbound(inner, bound):
            return replace(value, value=_replace(inner, mapping), bound=operand(bound))
    return value


def _unchanged(body: Block, k: int, param: Value, init: Operand) -> bool:
    return all(e.args[k] in (param, init) for e in loop_ends(body))


def _with_slots(
    block: Block, kept: list[int], mapping: dict[Value, Operand], extra: int, op: Any, first: bool
) -> Block:
    def change(b: Block) -> Block:
        return replace(b, end=replace(b.end, args=tuple(b.end.args[k] for k in kept)))

    params = block.params
    block = Block(
        (*params[:extra], *(p for p in params[extra:] if p not in mapping)), block.instrs, block.end
    )
    is_cond = op.name == "while" and first
    block = block if is_cond else at_loop_ends(block, change)
    return substitute(block, mapping)
