"""Which values are printed inside the expression that uses them, and which get a name.

An anonymous value with one use is printed there, unless something stands between that would change
it: a write to the memory it reads, a region, an effect, or a new value for a name that it reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from s2sad.analysis.liveness import Numbering
from s2sad.analysis.storage import Storage, is_write, written_args
from s2sad.emit.fixed import Fixed
from s2sad.emit.spelling import repeats
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value, held
from s2sad.ir.loops import LOOPS
from s2sad.ir.op import Alias
from s2sad.ir.tree import Leaf
from s2sad.ir.types import Array
from s2sad.ir.walk import has_effect, used_values
from s2sad.record import dataclass

_TERNARY = "if"
_DRAW = "draw"
_REPEATED = 6  # uses of a part of an array that are still printed in place, in the user's code
_REPEATED_BY_US = 3  # and in derivative code


@dataclass(frozen=True, slots=True)
class _Use:
    block: Block
    index: int  # of the instruction; the number of instructions for the end
    arg: int


class Whole:
    """What is known of a function however it is printed: its memory, what is fixed in it, and its uses."""

    def __init__(self, fn: Function, storage: Storage):
        self.fn, self.storage, self.fixed = fn, storage, Fixed(fn, storage)
        self.numbering = Numbering(fn)
        self.uses: dict[Value, list[_Use]] = {}
        self._count_uses(fn.block)
        self._named: dict[Value, bool] = {}
        self._anywhere: dict[Value, bool] = {}
        self._read: dict[Instr, tuple[frozenset[str], int]] = {}

    def must_be_named(self, v: Value) -> bool:
        """True if a use of `v` cannot print an expression."""
        if v not in self._named:
            self._named[v] = any(map(_cannot_print, self.uses[v]))
        return self._named[v]

    def is_printed_anywhere(self, instr: Instr, block: Block) -> bool:
        """True if what an instruction of a block computes can be printed at all of its uses."""
        v = instr.result
        if v not in self._anywhere:
            self._anywhere[v] = self.fixed.is_cheap(instr) and all(
                self.fixed.anywhere(instr, block, use.block) for use in self.uses[v]
            )
        return self._anywhere[v]

    def read_by(self, instr: Instr) -> tuple[frozenset[str], int]:
        """Return the names that an instruction reads, and the mask of the memory whose contents it reads."""
        found = self._read.get(instr)
        if found is None:
            values = tuple(used_values(instr))
            contents = {a for j, a in enumerate(instr.args) if j not in instr.op.shape_args}
            shapes = set(instr.args) - contents
            arrays = self.storage.of.mask(v for v in values if isinstance(v.type, Array) and v not in shapes)
            found = self._read[instr] = frozenset(v.name for v in values if v.name), arrays
        return found

    def _count_uses(self, block: Block) -> None:
        for index, instr in enumerate(block.instrs):
            self._note(block, index, instr.args)
            for inner in instr.blocks:
                self._count_uses(inner)
        self._note(block, len(block.instrs), block.end.args)

    def _note(self, block: Block, index: int, args: tuple[Operand, ...]) -> None:
        for k, a in enumerate(args):
            if isinstance(a, Value):
                self.uses.setdefault(a, []).append(_Use(block, index, k))


def _cannot_print(use: _Use) -> bool:
    """True if a use writes to its operand, or prints it twice."""
    if use.index == len(use.block.instrs):
        return False
    consumer = use.block.instrs[use.index]
    return any(arg == use.arg for arg, _ in written_args(consumer)) or repeats(consumer, use.arg)


class Inlining:
    """`inlined[v]` is the instruction to print wherever v is read. Values in `split` get a name in any
    case (their line would be too long), those in `moved` are printed in the end that hands them on."""

    def __init__(self, whole: Whole, split: frozenset[Value], moved: frozenset[Value]):
        self.whole, self.fn, self.storage, self.fixed = whole, whole.fn, whole.storage, whole.fixed
        self.numbering, self._uses = whole.numbering, whole.uses
        self.split, self.moved = split, moved
        self.inlined: dict[Value, Instr] = {}
        self.undefined: set[Value] = set()
        self._silent: set[Instr] = set()  # what is no statement
        self._absorbed: set[int] = set()  # ids of ends inside conditional expressions
        self._leaves: dict[Operand, tuple[Value, ...]] = {}
        self._masks: dict[Value, int] = {}
        self._block(self.fn.block)

    # --- what emission asks --------------------------------------------------------------------

    def leaves(self, a: Operand) -> tuple[Value, ...]:
        """Return the named values that printing `a` reads."""
        found = self._leaves.get(a)
        if found is None:
            found = self._leaves[a] = tuple(self._named_in(a))
        return found

    def _named_in(self, a: Operand) -> Iterator[Value]:
        if not isinstance(a, Value) or a in self.undefined:
            return
        instr = self.inlined.get(a)
        if instr is None:
            yield a
            return
        for arg in instr.args:
            yield from self.leaves(arg)
        for block in instr.blocks:
            for arg in block.end.args:
                yield from self.leaves(arg)

    def reads(self, node: Instr | End) -> int:
        """Return the mask of the named values that the printed form of an instruction or end reads."""
        if self.is_inlined(node) if isinstance(node, Instr) else id(node) in self._absorbed:
            return 0
        found = 0
        for a in node.args:
            if isinstance(a, Value):
                found |= self.mask(a)
        return found

    def mask(self, v: Value) -> int:
        """Return the mask of the named values that printing `v` reads."""
        if v in self.undefined:
            return 0
        found = self._masks.get(v)
        if found is None:
            instr = self.inlined.get(v)
            if instr is None:
                found = self.numbering[v]
            else:
                found = 0
                for args in (instr.args, *(block.end.args for block in instr.blocks)):
                    for a in args:
                        if isinstance(a, Value):
                            found |= self.mask(a)
            self._masks[v] = found
        return found

    def is_inlined(self, instr: Instr) -> bool:
        """True if the instruction is not a statement."""
        return instr in self._silent

    def only_use_is_end(self, v: Value, block: Block) -> bool:
        """True if `v` could be printed in the end of `block`: its one use, with nothing between."""
        uses = self._uses.get(v, [])
        if len(uses) != 1 or uses[0].block is not block or uses[0].index != len(block.instrs):
            return False
        for k, instr in enumerate(block.instrs):
            if instr.results == (v,):
                return self._can_print(instr) and self._free_way(block, k, len(block.instrs), instr)
        return False

    # --- the decision --------------------------------------------------------------------------

    def _block(self, block: Block) -> None:
        where = [0] * len(block.instrs)
        for k in range(len(block.instrs) - 1, -1, -1):
            instr = block.instrs[k]
            for inner in instr.blocks:
                self._block(inner)
            where[k] = k
            if instr.op.name == "undef":
                self.undefined.add(instr.result)
                self._silent.add(instr)
                continue
            position = self._position(block, k, instr, where)
            if position is not None:
                where[k] = position
                self.inlined[instr.result] = instr
                self._silent.add(instr)
                if instr.op.name == _TERNARY:
                    self._absorbed.update(id(b.end) for b in instr.blocks)

    def _position(self, block: Block, k: int, instr: Instr, where: list[int]) -> int | None:
        """Return the index of the statement in which the result is printed, None if it has a name."""
        if len(instr.results) != 1:
            return None
        (v,) = instr.results
        uses = self._uses.get(v, [])
        if v in self.split or (v.name and v not in self.moved and not self._begins_loop(instr, uses)):
            return None
        if not self._can_print(instr):
            return None
        if uses and self.fixed.is_size(v):
            return len(block.instrs)
        most = _REPEATED_BY_US if instr.role else _REPEATED
        if not uses or (len(uses) > most and not self.fixed.is_index(instr)):
            return None
        if instr.op.name == _DRAW and not (len(uses) == 1 and uses[0].block is block):
            return None
        if self.whole.is_printed_anywhere(instr, block):
            if self.whole.must_be_named(v):
                return None
            return max(where[use.index] if self._is_here(use, block) else k for use in uses)
        if any(use.block is not block for use in uses):
            return None
        if (len(uses) > 1 and not self.fixed.is_cheap(instr)) or self.whole.must_be_named(v):
            return None
        position = max(where[use.index] if self._is_here(use, block) else use.index for use in uses)
        return position if self._free_way(block, k, position, instr) else None

    def _begins_loop(self, instr: Instr, uses: list[_Use]) -> bool:
        """True for a number that is only what a loop starts with: printed where that is assigned."""
        is_number = instr.op.name == "widen" and isinstance(instr.args[0], Literal)
        if not is_number or len(uses) != 1 or uses[0].index == len(uses[0].block.instrs):
            return False
        return uses[0].block.instrs[uses[0].index].op.name in LOOPS

    def _is_here(self, use: _Use, block: Block) -> bool:
        return use.block is block and use.index < len(block.instrs)

    def _can_print(self, instr: Instr) -> bool:
        if len(instr.results) != 1 or instr.op.alias is Alias.INPLACE:
            return False
        if not instr.op.pure and instr.op.name != _DRAW:
            return False
        match instr.op.name:
            case "if":
                return all(
                    b.end.kind == "yield" and all(self.is_inlined(i) for i in b.instrs) for b in instr.blocks
                )
            case "call":
                callee: Function = instr.param("callee")
                return isinstance(callee.result, Leaf) and not callee.writes and not has_effect(callee)
            case "optimize":
                return not any(map(has_effect, held(instr)))
            case "for" | "while":
                return False
        return True

    def _free_way(self, block: Block, k: int, position: int, instr: Instr) -> bool:
        if position == k + 1:
            return True
        names, arrays = self.whole.read_by(instr)
        is_draw = instr.op.name == _DRAW
        for j in range(k + 1, position):
            other = block.instrs[j]
            if is_draw and (other.blocks or not other.op.pure):
                return False  # draws stay in order
            if self.is_inlined(other) or other.op.name == "comment":
                continue
            if other.blocks or not other.op.pure or other.op.name == "call":
                return False
            if is_write(other):
                if any(self.storage.mask(other.args[a]) & arrays for a, _ in written_args(other)):
                    return False
            elif any(r.name in names for r in other.results):
                return False
        return True
