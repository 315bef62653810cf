"""Arrays that a loop's trips use one after the other for what is their own: the trips may then run in another
order, and each thread may have such an array of its own."""

from __future__ import annotations

from s2sad.ir.core import Block, Instr, Literal, Value
from s2sad.ir.types import Array
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.nests.order import NOTHING, Orders, leaves

Span = tuple[Linear, Linear]


def begins_with_writes(forms: Forms, block: Block, array: Value, made: Instr) -> bool:
    """True if a trip writes to every element of an array before it reads any."""
    return _Scratch(forms, array, made).is_overwritten(block, {})


def ends_with_zeros(forms: Forms, block: Block, array: Value, made: Instr) -> bool:
    """True if the last thing that a trip does with an array is to write 0 to each of its elements. In the
    loops that do so no trip writes to another element: that might have its zero already."""
    return _Scratch(forms, array, made).is_cleared(block, {})


class _Scratch:
    def __init__(self, forms: Forms, array: Value, made: Instr) -> None:
        self.forms, self.orders = forms, Orders(forms)
        self.sizes = [forms.of(a) for a in made.args]
        self.versions = {array}

    def touching(self, block: Block) -> list[Instr] | None:
        """Return the instructions of a block that touch the array, its versions noted; None if a trip may
        end among them or the array gets another name."""
        if block.end.kind != "yield" or any(map(leaves, block.instrs)):
            return None
        found: list[Instr] = []
        for instr in block.instrs:
            if instr.op.name == "size" or not self.is_touched(instr):
                continue
            found.append(instr)
            if instr.op.name in ("setitem", "accum") and instr.args[0] in self.versions:
                self.versions.add(instr.result)
            elif instr.op.name == "for":
                for a, p, r in zip(instr.args[3:], instr.blocks[0].params[1:], instr.results, strict=True):
                    if a in self.versions:
                        self.versions |= {p, r}
            elif any(isinstance(r.type, Array) for r in instr.results) and instr.op.name != "call":
                return None
        return found

    def is_touched(self, instr: Instr) -> bool:
        inside = (a for b in instr.blocks for i in b.walk() for a in (*i.args, *_given(i)))
        return any(a in self.versions for a in instr.args) or any(a in self.versions for a in inside)

    def is_overwritten(self, block: Block, around: dict[Value, Span]) -> bool:
        found = self.touching(block)
        if not found:
            return False
        first = found[0]
        if first.op.name == "setitem":
            return self.is_alone(first, found) and self.is_whole(first, around)
        span = self.orders.span(first) if first.op.name == "for" else None
        if span is None or (around and len(found) > 1):
            return False
        (body,) = first.blocks
        inside = around | {body.params[0]: span}
        # of a loop over something else there may be no trip
        return self.is_overwritten(body, inside) or (len(found) == 1 and self.is_overwritten(body, around))

    def is_cleared(self, block: Block, around: dict[Value, Span]) -> bool:
        found = self.touching(block)
        if not found:
            return False
        last = found[-1]
        if last.op.name == "setitem":
            written = [i for i in found if i.op.name != "getitem"]
            is_zero = last.args[1] == Literal(0.0)
            return is_zero and (not around or self.is_alone(last, written)) and self.is_whole(last, around)
        span = self.orders.span(last) if last.op.name == "for" else None
        if span is None or (around and any(i is not last and i.op.name != "getitem" for i in found)):
            return False
        (body,) = last.blocks
        inside = around | {body.params[0]: span}
        return self.is_cleared(body, inside) or (len(found) == 1 and self.is_cleared(body, around))

    def is_alone(self, write: Instr, found: list[Instr]) -> bool:
        """True if other instructions touch no other element than a write does."""
        for i in found:
            first = 1 if i.op.name == "getitem" else 2
            if i.op.name not in ("setitem", "accum", "getitem") or i.args[first:] != write.args[2:]:
                return False
        return True

    def is_whole(self, write: Instr, around: dict[Value, Span]) -> bool:
        """True if the trips of the loops around a write get to every element."""
        index = [a for a in write.args[2:] if isinstance(a, Value)]
        if len(index) != len(self.sizes) or len(set(index)) != len(index) or set(index) != set(around):
            return False
        return all(around[i] == (NOTHING, n) for i, n in zip(index, self.sizes, strict=True))


def _given(instr: Instr) -> tuple[object, ...]:
    return tuple(a for b in instr.blocks for a in b.end.args)
