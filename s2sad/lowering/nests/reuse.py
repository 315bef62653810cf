"""A new array takes the memory of one that has just been read for the last time.

Where a nest reads `a[i, j]` and then writes `b[i, j]`, and nobody looks at `a` afterwards, b is a: no second
array is allocated, and its pages need not be brought in.
"""

from __future__ import annotations

from dataclasses import replace

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.types import Array, Scalar
from s2sad.ir.walk import use_counts
from s2sad.lowering.nests.affine import Forms, Linear

ALLOCATIONS = ("empty", "zeros")


def reuse(fn: Function) -> Function:
    """Return the function with arrays in the memory of others that are done with."""
    reuser = _Reuser(fn)
    block = reuser.block(fn.block)
    return replace(fn, block=block) if reuser.changed else fn


class _Reuser:
    def __init__(self, fn: Function) -> None:
        self.counts = use_counts(fn.block)
        self.forms = Forms(fn.block)
        self.changed = False
        self.shared = {  # arrays that something else than an element may be made of
            a
            for i in fn.block.walk()
            if i.op.name not in ("for", "size", "setitem", "accum")
            and not (i.op.name == "getitem" and isinstance(i.result.type, Scalar))
            for a in i.args
        }

    def block(self, block: Block) -> Block:
        made = {i.result: i for i in block.instrs if i.op.name in ALLOCATIONS}
        owner: dict[Value, Instr] = dict(made)  # of versions: the allocation
        instrs: list[Instr] = []
        for at, instr in enumerate(block.instrs):
            if instr.blocks:
                instr = replace(instr, blocks=tuple(map(self.block, instr.blocks)))
            if instr.op.name == "for":
                rest = Block((), block.instrs[at + 1 :], block.end)
                instr = self.loop(instr, owner, made, use_counts(rest))
            instrs.append(instr)
        return Block(block.params, tuple(instrs), block.end)

    def loop(
        self,
        loop: Instr,
        owner: dict[Value, Instr],
        made: dict[Value, Instr],
        later: dict[Value, int],
    ) -> Instr:
        """Return a loop with the memory of an array that is done with in place of a new one; `later` are the
        values that are read after it."""
        args = list(loop.args)
        for k in range(3, len(args)):
            b = args[k]
            alloc = made.get(b) if isinstance(b, Value) else None
            if alloc is None or alloc.op.name != "empty" or self.counts.get(alloc.result) != 1:
                continue
            written = _written(loop, k - 3)
            if written is None:
                continue
            for a, source in list(owner.items()):
                if source is alloc or a in args or not self.fits(source, alloc):
                    continue
                if a not in later and a not in self.shared and self.before(loop, a, written):
                    args[k] = a
                    self.changed = True
                    del owner[a]
                    break
        for init, result in zip(loop.args[3:], loop.results, strict=True):
            if isinstance(init, Value) and init in owner and self.counts.get(init) == 1:
                owner[result] = owner.pop(init)
        return replace(loop, args=tuple(args)) if tuple(args) != loop.args else loop

    def fits(self, a: Instr, b: Instr) -> bool:
        """True if two allocations are of one dtype and shape."""
        x, y = a.result.type, b.result.type
        return (
            isinstance(x, Array)
            and isinstance(y, Array)
            and x.dtype == y.dtype
            and len(a.args) == len(b.args)
            and [self.forms.of(n) for n in a.args] == [self.forms.of(n) for n in b.args]
        )

    def before(self, loop: Instr, a: Value, written: tuple[Block, Instr]) -> bool:
        """True if all reads of an array come before the write to the same element, in the block of the
        write."""
        block, write = written
        index: list[Linear] = [self.forms.of(x) for x in write.args[2:]]
        position = block.instrs.index(write)
        reads = [(n, i) for n, i in enumerate(block.instrs) if i.args[:1] == (a,)]
        return 0 < len(reads) == _reads(loop, a) and all(
            n < position and i.op.name == "getitem" and [self.forms.of(x) for x in i.args[1:]] == index
            for n, i in reads
        )


def _reads(loop: Instr, a: Value) -> int:
    return sum(x is a for i in loop.blocks[0].walk() for x in i.args)


def _written(loop: Instr, k: int) -> tuple[Block, Instr] | None:
    """Return the only write to slot k of a nest, at the loops' indices, with the block it stands in."""
    indices: list[Operand] = []
    while True:
        (body,) = loop.blocks
        p = body.params[1 + k]
        indices.append(body.params[0])
        users = [i for i in body.instrs if p in i.args]
        if len(users) != 1 or body.end.kind != "yield":
            return None
        (user,) = users
        if user.op.name == "for" and body.end.args[k] is user.results[user.args[3:].index(p)]:
            k, loop = user.args[3:].index(p), user
            continue
        if user.op.name != "setitem" or body.end.args[k] is not user.result:
            return None
        return (body, user) if list(user.args[2:]) == indices else None
