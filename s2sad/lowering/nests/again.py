"""Arrays that are cheaper to compute again than to keep are not kept.

`t[i] = x[i] / total` in one loop and `t[i]` in a later one: the later loop divides itself, and the array that
would have carried the quotients from one to the other goes. What is computed again is arithmetic on elements
that are still what they were, and an exponential where each is read once, in a loop that is vectorised: eight
at a time, they take less than an array takes to write and to read that has left the nearest cache.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.loops import LOOPS, carried
from s2sad.ir.path import At, Index
from s2sad.ir.types import Array, Scalar
from s2sad.lowering.frames import Arrays
from s2sad.lowering.nests.affine import is_integer
from s2sad.lowering.nests.reductions import running_sums
from s2sad.lowering.ops import conversion_to
from s2sad.lowering.overlap import NONE, Roots
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Rewriter
from s2sad.record import dataclass, replace

CHEAP = (
    "add", "subtract", "multiply", "divide", "negative", "absolute", "maximum", "minimum", "square", "sign",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "both", "either", "not_",
    "select", "getitem", "to_float64", "to_bool", "widen",
)  # fmt: skip
ONCE = ("exp",)
MOST_STEPS, MOST_ARRAYS = 8, 2


def compute_again(fn: Function) -> Function:
    """Return the function without arrays that only hand cheap elements to later loops."""
    while True:
        finder = _Finder(fn)
        finder.block(fn.block)
        if not finder.found:
            return fn
        fn = _Again(finder.found).function(fn)


@dataclass(frozen=True, slots=True)
class _Store:
    """`array[indices] = value`, once for each trip of a nest; `version` is the array after the nest."""

    version: Value
    value: Operand
    indices: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A store of which the value can be computed again by `steps`, in order."""

    store: _Store
    steps: tuple[Instr, ...]


class _Finder:
    """Finds arrays that need not be kept, none of which is computed by the elements of another."""

    def __init__(self, fn: Function) -> None:
        self.counts = fn.block.counts
        self.arrays = Arrays(fn)
        self.found: dict[Value, _Kept] = {}
        self.needed: set[Value] = set()  # arrays that the steps of those read
        self.reads: dict[Value, list[int | None]] = {}  # the loops around each; None: not vectorised
        self.note_reads(fn.block, 0, None)

    def note_reads(self, block: Block, depth: int, vector: int | None) -> None:
        """Note where elements are read; `vector` is the depth of a block that is vectorised."""
        for instr in block.instrs:
            if instr.op.name == "getitem" and isinstance(instr.result.type, Scalar):
                array = instr.args[0]
                assert isinstance(array, Value)
                self.reads.setdefault(array, []).append(vector)
            inner = depth + (instr.op.name in LOOPS)
            for b in instr.blocks:
                self.note_reads(b, inner, inner if _is_vectorised(instr) else None)

    def block(self, block: Block, depth: int = 0) -> None:
        """Look through a block in so many loops, and those inside."""
        made = {i.result for i in block.instrs if i.op.name == "empty"}
        later = NONE  # what the instructions from here on write to
        for instr in reversed(block.instrs):
            if instr.op.name == "for" and made:
                self.loop(instr, made, later, depth)
            for b in instr.blocks:
                self.block(b, depth + (instr.op.name in LOOPS))
            later |= self.written(instr)

    def loop(self, loop: Instr, made: set[Value], rewritten: Roots, depth: int) -> None:
        """Look for arrays among those that a loop fills; `rewritten` are those that are written after it."""
        stores = {
            k: store
            for k, init in enumerate(loop.args[3:])
            if isinstance(init, Value) and init in made and self.counts.get(init) == 1
            for store in (self.store(loop, k),)
            if store is not None
        }
        if not stores:
            return
        written = rewritten | self.written(loop)
        inside = {r: i for i in loop.blocks[0].walk() for r in i.results}
        bound = {p for i in (loop, *loop.blocks[0].walk()) for b in i.blocks for p in b.params}
        for k, store in stores.items():
            reads = self.reads.get(store.version, [])
            if not reads or len(reads) != self.counts.get(store.version):
                continue
            others: dict[Operand, _Store] = {
                s.value: s
                for j, s in stores.items()
                if j != k and self.reads.get(s.version) and self.is_kept(s.version, rewritten)
            }
            steps = self.steps(store, inside, bound, others, written)
            if steps is None or store.version in self.needed:
                continue
            if any(map(_is_vectorised_call, steps)) and reads != [depth + len(store.indices)]:
                continue
            arrays = {a for i in steps if i.op.name == "getitem" and isinstance(a := i.args[0], Value)}
            if arrays.isdisjoint(self.found):
                self.found[store.version] = _Kept(store, tuple(steps))
                self.needed |= arrays

    def store(self, loop: Instr, k: int) -> _Store | None:
        """Return the only store into slot k of a nest, if the loops' indices are its index."""
        version = loop.results[k]
        indices: list[Value] = []
        while True:
            (body,) = loop.blocks
            p = body.params[1 + k]
            indices.append(body.params[0])
            if body.end.kind != "yield" or self.counts.get(p) != 1:
                return None
            user = next((i for i in body.instrs if p in i.args), None)
            if user is None:
                return None
            if user.op.name == "for":
                k, loop = user.args[3:].index(p), user
                if body.end.args[body.params[1:].index(p)] is not user.results[k]:
                    return None
                continue
            if user.op.name != "setitem" or user.args[0] is not p or len(user.args) - 2 != p.type.ndim:
                return None
            index = user.args[2:]
            if body.end.args[k] is not user.result or not set(index) <= set(indices):
                return None
            if len(set(index)) != len(index) or not index:
                return None
            if user.args[1].type.dtype != p.type.dtype:  # the store rounds it
                return None
            return _Store(version, user.args[1], tuple(a for a in index if isinstance(a, Value)))

    def written(self, instr: Instr) -> Roots:
        """Return the arrays that an instruction writes to."""
        found = NONE
        for i in (instr, *(x for b in instr.blocks for x in b.walk())):
            if i.op.name in ("setitem", "accum"):
                found |= self.arrays.origins(i.args[0])
            elif i.op.name == "call":
                for w in i.param("callee").writes:
                    found |= self.arrays.origins(i.args[w])
        return found

    def is_kept(self, array: Value, written: Roots) -> bool:
        """True if an array is none of those that are written."""
        return self.arrays.origins(array).isdisjoint(written)

    def steps(
        self,
        store: _Store,
        inside: dict[Value, Instr],
        bound: set[Value],
        others: dict[Operand, _Store],
        written: Roots,
    ) -> list[Instr] | None:
        """Return the instructions that compute a stored value after the nest, in order; None if that is not
        cheap, or of arrays that are not what they were."""
        order: dict[Value, int] = {v: n for n, v in enumerate(inside)}
        found: dict[Value, Instr] = {}
        arrays: set[Value] = set()
        todo: list[Operand] = [store.value]
        while todo:
            a = todo.pop()
            if not isinstance(a, Value) or a in found or a in store.indices:
                continue
            other = others.get(a) if a in inside or a in bound else None
            if other is not None and set(other.indices) <= set(store.indices):
                path = (Index((At(),) * len(other.indices)),)
                found[a] = Instr(OPS["getitem"], (other.version, *other.indices), (a,), (("path", path),))
                arrays.add(other.version)
                continue
            if a not in inside:
                if a in bound:
                    return None
                continue
            instr = inside[a]
            values = (*instr.args, *instr.results)
            if instr.op.name == "getitem":
                array = instr.args[0]
                assert isinstance(array, Value)
                if array in inside or array in bound or not self.is_kept(array, written):
                    return None
                arrays.add(array)
                todo += instr.args[1:]
            elif (
                instr.blocks
                or not instr.op.pure
                or any(isinstance(x.type, Array) for x in values)
                or not (instr.op.name in CHEAP or _is_vectorised_call(instr) or all(map(is_integer, values)))
            ):
                return None
            else:
                todo += instr.args
            found[a] = instr
        steps = sum(not is_integer(a) and i.op.name != "getitem" for a, i in found.items())
        if steps > MOST_STEPS or len(arrays) > MOST_ARRAYS or store.value not in found:
            return None
        return [found[a] for a in sorted(found, key=lambda a: order.get(a, -1))]


def _is_vectorised_call(instr: Instr) -> bool:
    """True for a function that loops compute of several real numbers at a time."""
    return instr.op.name in ONCE and instr.result.type.dtype.kind == "f"


def _is_vectorised(instr: Instr) -> bool:
    """True for an innermost loop without branches that carries nothing but arrays and sums."""
    if instr.op.name != "for" or any(i.blocks for i in instr.blocks[0].instrs):
        return False
    slots = [k for k, p in enumerate(carried(instr)) if not isinstance(p.type, Array)]
    return running_sums(instr).keys() >= set(slots)


class _Again(Rewriter):
    """Computes the elements of an array where they are read."""

    def __init__(self, kept: dict[Value, _Kept]) -> None:
        super().__init__()
        self.kept = kept

    def visit(self, instr: Instr) -> Sequence[Instr]:
        """Return the steps in place of a read."""
        array = instr.args[0] if instr.op.name == "getitem" else None
        kept = self.kept.get(array) if isinstance(array, Value) else None
        if kept is None:
            return (self.inside(instr),)
        store = kept.store
        known: dict[Value, Operand] = dict(zip(store.indices, self.operands(instr.args[1:]), strict=True))
        made: list[Instr] = []
        for step in kept.steps:
            args = tuple(
                known[a] if isinstance(a, Value) and a in known else self.operand(a) for a in step.args
            )
            value = Value("", step.result.type)
            known[step.result] = value
            made.append(replace(step, args=args, results=(value,), origin=instr.origin, role=instr.role))
        assert isinstance(store.value, Value)
        computed = known[store.value]
        self.map[instr.result] = computed
        if computed.type != instr.result.type:  # a Python number, which an array's element is not
            strong = Value("", instr.result.type)
            self.map[instr.result] = strong
            to = conversion_to(strong)
            made.append(Instr(to, (computed,), (strong,), (), (), instr.origin, instr.role))
        return made
