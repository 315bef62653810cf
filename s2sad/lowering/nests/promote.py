"""Sums that an innermost loop adds to one element of an array are added up in a scalar."""

from __future__ import annotations

from collections.abc import Mapping

from s2sad.ir.core import Block, End, Function, Instr, Literal, Value
from s2sad.ir.types import F8 as DOUBLE
from s2sad.ir.types import WEAK_BOOL, Array, Scalar
from s2sad.ir.walk import expanded
from s2sad.lowering.nests.affine import Forms
from s2sad.lowering.overlap import Storage
from s2sad.ops.table import OPS
from s2sad.record import replace

F8 = Scalar(DOUBLE)


def promote_sums(fn: Function) -> Function:
    """Return the function with `x[k] += v`, for a k that the loop does not change, as one addition after
    the loop."""
    promoter = _Promoter(fn)
    block = expanded(fn.block, promoter.instr)
    return replace(fn, block=block) if promoter.found else fn


class _Promoter:
    def __init__(self, fn: Function) -> None:
        self.storage, self.forms = Storage(fn), Forms(fn.block)
        self.found = 0

    def instr(self, loop: Instr) -> list[Instr]:
        if loop.op.name != "for":
            return [loop]
        (body,) = loop.blocks
        if body.end.kind != "yield" or any(i.blocks for i in body.instrs):
            return [loop]
        counts = body.counts
        inside = {r for i in body.instrs for r in i.results} | set(body.params)
        after: list[Instr] = []
        for k, p in enumerate(body.params[1:]):
            write = next((i for i in body.instrs if i.op.name == "accum" and i.args[0] is p), None)
            if write is None or counts.get(p) != 1 or not self.is_sum(write, body, k, counts, inside):
                continue
            loop, tail = self.promoted(loop, k, write)
            (body,) = loop.blocks
            after += tail
            self.found += 1
        return [loop, *after]

    def is_sum(
        self, write: Instr, body: Block, k: int, counts: Mapping[Value, int], inside: set[Value]
    ) -> bool:
        array, v, *index = write.args
        assert isinstance(array, Value)
        if (
            not write.role
            or write.param("at")
            or len(index) != array.type.ndim
            or array.type.dtype != F8.dtype
        ):
            return False
        if v.type.dtype != F8.dtype or body.end.args[k] is not write.result or counts.get(write.result) != 1:
            return False
        if any(a in inside for x in index for a in self.forms.of(x).atoms()):
            return False
        if any(x in inside for x in index if isinstance(x, Value)):
            return False
        mine = self.storage.roots(array)
        return not any(
            isinstance(a, Value)
            and isinstance(a.type, Array)
            and self.storage.may_alias(self.storage.roots(a), mine)
            for i in body.instrs
            if i is not write and i.op.name != "size"
            for a in i.args
        )

    def promoted(self, loop: Instr, k: int, write: Instr) -> tuple[Instr, list[Instr]]:
        """Return the loop with a scalar in slot k, and what adds the sum to the element after it."""
        (body,) = loop.blocks
        array, v, *index = write.args
        init, result = loop.args[3 + k], loop.results[k]
        before, total, after = (Value("", F8) for _ in range(3))
        add = Instr(OPS["add"], (before, v), (total,), (), (), write.origin, write.role)
        instrs = tuple(add if i is write else i for i in body.instrs)
        params = tuple(before if p is array else p for p in body.params)
        yields = tuple(total if a is write.result else a for a in body.end.args)
        args = (*loop.args[: 3 + k], Literal(0.0), *loop.args[4 + k :])
        results = (*loop.results[:k], after, *loop.results[k + 1 :])
        new = replace(
            loop, args=args, results=results,
            blocks=(Block(params, instrs, replace(body.end, args=yields)),),
        )  # fmt: skip
        written = Value(result.name, result.type)
        last = Instr(write.op, (init, after, *index), (written,), write.params, (), write.origin, write.role)
        lo, hi, step = loop.args[:3]
        trips = self.forms.of(hi)
        if lo == Literal(0) and step == Literal(1) and trips.is_const and trips.const > 0:
            return new, [replace(last, results=(result,))]
        some = Value("", WEAK_BOOL)
        up = step == Literal(1)
        test = Instr(OPS["less" if up else "greater"], (lo, hi), (some,), (), (), write.origin, write.role)
        then = Block((), (last,), End("yield", (written,)))
        other = Block((), (), End("yield", (init,)))
        branch = Instr(OPS["if"], (some,), (result,), (), (then, other), write.origin, write.role)
        return new, [test, branch]
