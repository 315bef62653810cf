"""Arrays of which every trip has its own part, and nobody else any, lose that dimension.

After forward and reverse sweep have become one loop, `x_tape[i, k]` is written and read in trip i only:
one row serves all trips, and stays in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.path import At, Index
from s2sad.ir.types import Array
from s2sad.lowering.nests.affine import Forms
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

TOUCHING = ("getitem", "setitem", "accum")


def contract(fn: Function) -> Function:
    """Return the function with arrays contracted to what one trip of a loop needs."""
    while True:
        finder = _Finder(fn)
        finder.block(fn.block)
        if not finder.families:
            return fn
        fn = _Contracted(finder.families).function(fn)


class _Finder:
    """Finds arrays that may lose a dimension: all their versions, and which dimension."""

    def __init__(self, fn: Function) -> None:
        self.forms = Forms(fn.block)
        self.counts = fn.block.counts
        self.families: dict[Value, int] = {}

    def block(self, block: Block) -> None:
        made = {i.result: i for i in block.instrs if i.op.name == "empty"}
        for instr in block.instrs:
            if instr.op.name == "for":
                for k, init in enumerate(instr.args[3:]):
                    alone = isinstance(init, Value) and init in made and self.counts.get(init) == 1
                    if alone and not self.counts.get(instr.results[k]):
                        self.look(instr, k)
            for b in instr.blocks:
                self.block(b)

    def look(self, loop: Instr, k: int) -> None:
        """Note the array of a slot if one of its dimensions is the loop's."""
        (body,) = loop.blocks
        i, init = body.params[0], loop.args[3 + k]
        assert isinstance(init, Value)
        if init.type.ndim < 2:
            return
        family, touches = self.family(body, body.params[1 + k])
        if family is None or not touches:
            return
        inside = {r for x in body.walk() for r in x.results} | {
            p for x in body.walk() for b in x.blocks for p in b.params
        }
        for d in range(init.type.ndim):
            forms = {self.forms.of(t.args[(1 if t.op.name == "getitem" else 2) + d]) for t in touches}
            if len(forms) != 1:
                continue
            (form,) = forms
            rest = form.without(i)
            if form.factor(i) in (1, -1) and not any(a in inside for a in rest.atoms()):
                self.families.update(dict.fromkeys((*family, init, loop.results[k]), d))
                return

    def family(self, body: Block, first: Value) -> tuple[set[Value] | None, list[Instr]]:
        """Return all versions of an array in a loop and what touches its elements; None if it is used in
        another way."""
        family, touches = {first}, []
        for instr in body.walk():
            if instr.op.name in TOUCHING and instr.args[0] in family:
                if (isinstance(instr.result.type, Array) and instr.op.name == "getitem") or instr.param("at"):
                    return None, []
                if any(a in family for a in instr.args[1:]):
                    return None, []
                touches.append(instr)
                if instr.op.name != "getitem":
                    family.add(instr.result)
            elif instr.op.name in ("for", "while"):
                first_slot = 3 if instr.op.name == "for" else 0
                if any(a in family for a in instr.args[:first_slot]):
                    return None, []
                for k, a in enumerate(instr.args[first_slot:]):
                    if a in family:
                        family.add(instr.results[k])
                        family |= {b.params[k + (instr.op.name == "for")] for b in instr.blocks}
            elif instr.op.name == "if":
                if not self.joined(instr, family):
                    return None, []
            elif any(a in family for a in instr.args):
                return None, []
        return family, touches

    def joined(self, branch: Instr, family: set[Value]) -> bool:
        """Add the results of an `if` that are versions of the family; False if one may be another array."""
        inner = {x for b in branch.blocks for j in b.walk() for x in j.results}
        for k, r in enumerate(branch.results):
            if isinstance(r.type, Array):
                ends = [b.end.args[k] for b in branch.blocks if b.end.kind == "yield"]
                of_family = {self._from(e, family, inner) for e in ends}
                if len(of_family) > 1:
                    return False
                if True in of_family:
                    family.add(r)
        return True

    def _from(self, a: Operand, family: set[Value], inner: set[Value]) -> bool:
        """True if an array is a version of one of the family, by what a branch does to it."""
        while isinstance(a, Value):
            if a in family:
                return True
            maker = self.forms.maker.get(a)
            if maker is None or a not in inner:
                return False
            if maker.op.name in ("setitem", "accum"):
                a = maker.args[0]
            elif maker.op.name == "for":
                a = maker.args[3 + maker.results.index(a)]
            else:
                return False
        return False


class _Contracted(Rewriter):
    """Drops the dimension from all versions of the arrays."""

    def __init__(self, families: dict[Value, int]) -> None:
        super().__init__()
        self.dimension = families
        self.smaller = {v: Value(v.name, _without(v.type, d)) for v, d in families.items()}
        self.map = dict(self.smaller)

    def named(self, values: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(self.smaller.get(v, v) for v in values)

    def block(self, block: Block) -> Block:
        new = super().block(block)
        return replace(new, params=self.named(new.params))

    def visit(self, instr: Instr) -> Sequence[Instr]:
        args = instr.args
        params = instr.params
        name = instr.op.name
        array = args[0] if name in TOUCHING else None
        if isinstance(array, Value) and array in self.dimension:
            first = 1 if name == "getitem" else 2
            d = first + self.dimension[array]
            args = (*args[:d], *args[d + 1 :])
            count = len(args) - first
            path = (Index((At(),) * count),)
            params = tuple((k, path if k == "path" else v) for k, v in params)
        elif name == "empty" and instr.result in self.dimension:
            d = self.dimension[instr.result]
            args = (*args[:d], *args[d + 1 :])
        new = self.inside(replace(instr, args=args, params=params))
        return (replace(new, results=self.named(new.results)),)


def _without(t: object, d: int) -> Array:
    assert isinstance(t, Array)
    return Array(t.dtype, (*t.shape[:d], *t.shape[d + 1 :]))
