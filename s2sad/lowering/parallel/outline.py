"""The bodies of marked loops as functions that a thread runs for its part of the trips.

In place of a loop there is a choice: where it has enough to do, a call that threads share, else a call by the
thread that is there. A loop inside of another, where calls would cost, stays in place for that."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Parameter, Value
from s2sad.ir.loops import LOOPS, MARK, SHARED
from s2sad.ir.tree import Leaf, Node
from s2sad.ir.types import INT, WEAK_BOOL, Array, Scalar
from s2sad.ir.walk import Copier, used_values
from s2sad.lowering.frames import Arrays
from s2sad.lowering.ops import LOWERED
from s2sad.lowering.parallel.mark import kinds_of
from s2sad.lowering.separate import BODY
from s2sad.ops.table import OPS
from s2sad.passes.calls import everywhere
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

PART = "_part"
# in additions
CHEAP, ROOT, COSTLY = 1, 5, 10
FREE = ("comment", "size", "as_index", "widen")
ROOTS = ("divide", "sqrt", "math_sqrt", "remainder", "floor_divide", "power")
UNKNOWN = 16  # trips of a loop whose number differs from trip to trip of the loop around


def has_marks(fn: Function) -> bool:
    """True if a loop of a function, or of one that it calls, is marked."""
    for i in fn.block.walk():
        if kinds_of(i) is not None or (i.op.name == "call" and has_marks(i.param("callee"))):
            return True
    return False


def outlined(fn: Function) -> Function:
    """Return the function with its marked loops as calls that threads share."""
    once = (fn.name, fn.name + BODY)
    return everywhere(lambda f: _Outliner(f, f.name in once).function(f))(fn)


class _Outliner(Rewriter):
    def __init__(self, fn: Function, runs_once: bool) -> None:
        super().__init__()
        self.arrays = Arrays(fn)
        self.name = fn.name
        self.depth = 0 if runs_once else 1  # of loops around

    def visit(self, instr: Instr) -> Sequence[Instr]:
        kinds = kinds_of(instr) if instr.op.name == "for" else None
        if kinds is None:
            self.depth += instr.op.name in LOOPS
            inside = self.inside(instr)
            self.depth -= instr.op.name in LOOPS
            return (inside,)
        plain = replace(instr, params=tuple(p for p in instr.params if p[0] != MARK))
        return self.choice(plain, kinds)

    def choice(self, loop: Instr, kinds: tuple[str, ...]) -> list[Instr]:
        made: list[Instr] = []
        lo, hi, step = loop.args[:3]
        cost = _Estimate(made, loop).block(loop.blocks[0])
        sizes = [a for a, kind in zip(loop.args[3:], kinds, strict=True) if kind != SHARED and _is_array(a)]
        worth = Value("", WEAK_BOOL)
        op = LOWERED["worth_threads"]
        made.append(Instr(op, (lo, hi, step, cost, *sizes), (worth,), (), (), loop.origin, loop.role))
        callee, given = self.part(loop)
        results = tuple(Value(r.name, r.type) for r in loop.results)
        params = (("callee", callee), (MARK, kinds), ("step", step))
        call = Instr(OPS["call"], (lo, hi, *given), results, params, (), loop.origin, loop.role)
        if self.depth:
            other = Copier(Sizes()).instr(loop)
        else:
            names = tuple(Value(r.name, r.type) for r in loop.results)
            other = replace(call, results=names, params=(("alone", True), *params))
        blocks = (
            Block((), (call,), End("yield", results)),
            Block((), (other,), End("yield", other.results)),
        )
        made.append(Instr(OPS["if"], (worth,), loop.results, (), blocks, loop.origin, loop.role))
        return made

    def part(self, loop: Instr) -> tuple[Function, list[Operand]]:
        """Return the function for a range of trips, and what is passed to it beside the range: what the loop
        carries, then what it reads. Names of one array are one parameter."""
        copier = Copier(Sizes())
        bounds = tuple(Value(n, Scalar(INT)) for n in ("first", "last"))
        params: list[Value] = list(bounds)
        given: list[Operand] = []
        by_frame: dict[Value, Value] = {}
        carried: list[Value] = []
        for a, slot in zip(loop.args[3:], loop.blocks[0].params[1:], strict=True):
            p = Value(slot.name, slot.type)
            params.append(p)
            carried.append(p)
            given.append(a)
            if _is_array(a):
                by_frame[self.arrays.frame(a)] = p
                assert isinstance(a, Value)
                copier.map[a] = p
        for v in dict.fromkeys(used_values(replace(loop, args=()))):
            if v in copier.map:
                continue
            known = by_frame.get(self.arrays.frame(v)) if _is_array(v) else None
            if known is None:
                known = Value(v.name, v.type)
                params.append(known)
                given.append(v)
                if _is_array(v):
                    by_frame[self.arrays.frame(v)] = known
            copier.map[v] = known
        copy = copier.instr(loop)
        copy = replace(copy, args=(*bounds, loop.args[2], *carried))
        instrs: tuple[Instr, ...] = (copy,)
        if self.are_apart([a for a in given if _is_array(a)]):
            instrs = (Instr(LOWERED["stay_apart"], (), ()), copy)
        count = len(loop.results)
        fn = Function(
            self.name + PART,
            tuple(params),
            Block((), instrs, End("return", copy.results)),
            tuple(Parameter(f"p{k}", Leaf(k)) for k in range(len(params))),
            Node("tuple", tuple(range(count)), tuple(map(Leaf, range(count)))),
        )
        return fn, given

    def are_apart(self, arrays: Sequence[Operand]) -> bool:
        """True if no two of the arrays share memory."""
        found: set[Value] = set()
        for a in arrays:
            roots = self.arrays.origins(a)
            if not roots.isdisjoint(found):
                return False
            found |= roots
        return True


def _is_array(a: Operand) -> bool:
    return isinstance(a.type, Array)


class _Estimate:
    """How long a trip takes, as an int that is computed before the loop."""

    def __init__(self, made: list[Instr], loop: Instr) -> None:
        self.made = made
        self.inner: set[Operand] = set(loop.blocks[0].params)
        self.inner |= {r for i in loop.blocks[0].walk() for r in i.results}
        self.inner |= {p for i in loop.blocks[0].walk() for b in i.blocks for p in b.params}

    def block(self, block: Block) -> Operand:
        known = 0
        rest: list[Operand] = []
        for instr in block.instrs:
            match instr.op.name:
                case "for":
                    rest.append(self.multiplied(self.trips(instr), self.block(instr.blocks[0])))
                case "while":
                    rest.append(self.multiplied(Literal(UNKNOWN), self.block(instr.blocks[1])))
                case "if":
                    rest += map(self.block, instr.blocks)
                case name:
                    known += cost_of(name)
        total: Operand = Literal(known + 1)
        for a in rest:
            total = self.emit("add", total, a)
        return total

    def trips(self, loop: Instr) -> Operand:
        lo, hi, step = loop.args[:3]
        if lo in self.inner or hi in self.inner or not isinstance(step, Literal):
            return Literal(UNKNOWN)
        first, last = (lo, hi) if step.value.real > 0 else (hi, lo)
        return self.emit("at_least", self.emit("subtract", last, first), Literal(0))

    def multiplied(self, a: Operand, b: Operand) -> Operand:
        return self.emit("multiply", a, b)

    def emit(self, name: str, a: Operand, b: Operand) -> Operand:
        """Append an operation on ints and return its result."""
        if isinstance(a, Literal) and isinstance(b, Literal):
            x, y = int(a.value.real), int(b.value.real)
            return Literal({"add": x + y, "subtract": x - y, "multiply": x * y, "at_least": max(x, y)}[name])
        op = LOWERED[name] if name in LOWERED else OPS[name]
        value = Value("", Scalar(INT))
        self.made.append(Instr(op, (a, b), (value,)))
        return value


def cost_of(name: str) -> int:
    """Return about how many additions an operation takes as long as."""
    if name in FREE:
        return 0
    if name == "call":
        return 4 * COSTLY
    if name in ROOTS:
        return ROOT
    is_function = name.startswith(("simd_", "math_", "special_"))
    return COSTLY if is_function else CHEAP
