"""The edits that bufferize makes, collected first and applied in one walk."""

from __future__ import annotations

from dataclasses import field

from s2sad.analysis.storage import overwrites
from s2sad.errors import Origin
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.types import Scalar
from s2sad.ops.table import OPS
from s2sad.record import dataclass, replace

_CREATED = frozenset(
    ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "eye", "arange")
)


@dataclass(slots=True)
class Edits:
    """Changes keyed by the instructions and blocks of the function they are for. A renamed value
    (`renames`) keeps its name at the places in `kept_args`."""

    before: dict[Instr, list[Instr]] = field(default_factory=dict)
    behind: dict[Instr, list[Instr]] = field(default_factory=dict)
    at_start: dict[Block, list[Instr]] = field(default_factory=dict)
    at_end: dict[Block, list[Instr]] = field(default_factory=dict)
    args: dict[tuple[Instr, int], Value] = field(default_factory=dict)
    end_args: dict[tuple[Block, int], Value] = field(default_factory=dict)
    results: dict[Value, Value] = field(default_factory=dict)  # results by other names
    dropped: set[Instr] = field(default_factory=set)
    replaced: dict[Instr, Instr] = field(default_factory=dict)
    renames: dict[Value, Value] = field(default_factory=dict)
    kept_args: set[tuple[Instr, int]] = field(default_factory=set)
    delays: dict[Instr, Instr] = field(default_factory=dict)  # instr moves behind the other

    def __bool__(self) -> bool:
        places = (self.before, self.behind, self.at_start, self.at_end, self.args)
        return any(places) or any((self.delays, self.dropped, self.replaced))


def copy_of(value: Value, maker: Instr | None, name: str, origin: Origin | None, role: str) -> Instr:
    """Return an instruction that makes a new array with the contents of `value`. An array that was
    only just created (zeros) is created again instead, a broadcast scalar is written out."""
    new = Value(name, value.type)
    if maker is not None and maker.op.name == "broadcast_like":
        v, like = maker.args
        if isinstance(v.type, Scalar) and new.type.dtype == like.type.dtype:
            params = (("dtype", None),)
            return replace(maker, op=OPS["full_like"], args=(like, v), results=(new,), params=params)
    if maker is not None and maker.op.name == "broadcast_to" and isinstance(maker.args[0].type, Scalar):
        return replace(maker, op=OPS["full"], results=(new,), params=(("dtype", None),))
    if maker is not None and maker.op.name in _CREATED:
        return replace(maker, results=(new,), origin=origin or maker.origin, role=role)
    return Instr(OPS["copy"], (value,), (new,), (), (), origin, role)


def apply(fn: Function, edits: Edits) -> Function:
    """Return the function with the edits made."""
    return replace(fn, block=_block(fn.block, edits))


def _block(block: Block, edits: Edits) -> Block:
    instrs: list[Instr] = list(edits.at_start.get(block, ()))
    waiting: dict[Instr, list[Instr]] = {}
    for instr in block.instrs:
        if instr in edits.delays:
            waiting.setdefault(edits.delays[instr], []).append(instr)
            continue
        for each in (instr, *waiting.pop(instr, ())):
            instrs += edits.before.get(each, ())
            if each not in edits.dropped:
                instrs.append(_instr(each, edits))
            instrs += edits.behind.get(each, ())
    assert not waiting, "a write was to move behind an instruction of another block"
    instrs += edits.at_end.get(block, ())
    args = tuple(_end_arg(block, k, a, edits) for k, a in enumerate(block.end.args))
    end = block.end if args == block.end.args else replace(block.end, args=args)
    return Block(block.params, tuple(instrs), end)


def _instr(instr: Instr, edits: Edits) -> Instr:
    if instr in edits.replaced:
        return edits.replaced[instr]
    args = tuple(_arg(instr, k, a, edits) for k, a in enumerate(instr.args))
    blocks = tuple(_block(b, edits) for b in instr.blocks)
    results = tuple(edits.results.get(r, r) for r in instr.results)
    if results != instr.results:
        instr = replace(instr, results=results)
    if args == instr.args and not blocks:
        return instr
    return replace(instr, args=args, blocks=blocks)


def _arg(instr: Instr, k: int, a: Operand, edits: Edits) -> Operand:
    if (instr, k) in edits.args:
        return edits.args[instr, k]
    if k == 0 and overwrites(instr):  # a copy of what is overwritten would be of no use
        return a
    if isinstance(a, Value) and a in edits.renames and (instr, k) not in edits.kept_args:
        return edits.renames[a]
    return a


def _end_arg(block: Block, k: int, a: Operand, edits: Edits) -> Operand:
    if (block, k) in edits.end_args:
        return edits.end_args[block, k]
    if isinstance(a, Value) and a in edits.renames:
        return edits.renames[a]
    return a
