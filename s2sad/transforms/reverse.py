"""Reverse mode: the forward sweep, then every instruction's pullback in reverse order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from s2sad.analysis.activity import activity
from s2sad.analysis.program import Program
from s2sad.analysis.pullback import Contribution, Pullbacks, check_has_rule
from s2sad.errors import Origin
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value, returns
from s2sad.ir.op import Alias
from s2sad.ir.rule import Link, Rule, link_of, operand_of
from s2sad.ir.transformed import Scheme
from s2sad.ir.types import Array, Scalar, is_differentiable
from s2sad.ops.control import CALL, COMMENT, IF
from s2sad.ops.expr import Expr, Located, Masked, lower
from s2sad.ops.table import OPS
from s2sad.passes.cse import share_reads
from s2sad.record import replace
from s2sad.transforms.accumulate import Accumulator, Bar, Bars, pointwise
from s2sad.transforms.checkpoint import checkpointed, outermost_loops
from s2sad.transforms.custom import linked, unlinked
from s2sad.transforms.define import define
from s2sad.transforms.exits import count_trips
from s2sad.transforms.flow import Flow
from s2sad.transforms.forward import Forward, version
from s2sad.transforms.fresh import fresh, silent
from s2sad.transforms.interface import Interface
from s2sad.transforms.loops import LoopReversal
from s2sad.transforms.plan import Lengths, Plan, measured
from s2sad.transforms.reread import grown_arrays
from s2sad.transforms.rules import scalar_as, widen, zero
from s2sad.transforms.scope import Scope, World
from s2sad.transforms.split import REVERSE_SWEEP
from s2sad.transforms.tailform import tailform
from s2sad.transforms.taped import Taped, entries, of_any_length
from s2sad.transforms.transpose import along, flat, made_once, transposed

Memo = dict[tuple[Function, tuple[bool, ...]], Function]


def vjp(
    fn: Function,
    active: Sequence[bool],
    with_value: bool = True,
    seed_one: bool = False,
    checkpoint: Scheme | None = None,
) -> Function:
    """Return the function computing `fn`'s results and the cotangents of its active parameters, forward
    and reverse sweep in one. `seed_one`: the result is one scalar whose cotangent is 1. `checkpoint`: how
    loops are reversed that would have tapes."""
    interface = Interface(fresh(share_reads(fn)), active)
    return _Reverse(interface, {}, with_value, seed_one, checkpoint).build()


def taped(fn: Function, active: Sequence[bool]) -> Taped | None:
    """Return the vjp (without value) of trips of a loop, with tapes that it is given; None if what they put
    there is not known before the loop."""
    reverse = _Reverse(Interface(fresh(share_reads(fn)), active), {}, False, False, None)
    plan = reverse.plan
    found = entries(tuple(plan.tapes.values()), plan.top)
    if not found:
        return None
    plan.tapes = {v: of_any_length(tape) for v, tape in plan.tapes.items()}
    given = {tape.cell: version(tape.cell, plan.sizes) for tape in plan.tapes.values()}
    made = reverse.build(given)
    return Taped(flat(made, made.params, made.block), found, tuple(cell.name for cell in given))


class _Reverse(LoopReversal):
    def __init__(
        self,
        interface: Interface,
        memo: Memo,
        with_value: bool,
        seed_one: bool,
        checkpoint: Scheme | None,
    ):
        self.interface, self.memo, self.checkpoint = interface, memo, checkpoint
        self.with_value, self.seed_one = with_value, seed_one
        self.in_place: frozenset[Instr] = frozenset()
        fn = tailform(linked(interface.fn, interface.active, interface.seeded_results, _transpose))
        self.plan_all(fn)
        if checkpoint is not None and self.plan.tapes:
            at = {tape.at for tape in self.plan.tapes.values()}
            chosen = {k for k, loop in enumerate(outermost_loops(self.fn.block)) if loop in at}
            self.plan_all(checkpointed(fn, self.activity, chosen, checkpoint, self.step_back_of, taped))
        self.sums = Accumulator(self.plan)

    def plan_all(self, fn: Function) -> None:
        """Find out what is active and plan the sweeps."""
        interface = self.interface
        self.pullbacks = Pullbacks()
        self.activity = activity(fn, interface.active, self.pullbacks, interface.seeded_results)
        self.pullbacks.active = self.activity
        self.plan_for(fn, {})
        while missing := self.plan.unmeasured():
            fn, lengths = measured(fn, self.plan.lengths, missing, self.plan.top)
            self.plan_for(fn, lengths)

    def step_back_of(self, step: Function, active: Sequence[bool]) -> Function:
        """Return the reversal of a step of a loop with snapshots; loops in it have snapshots of their own."""
        return vjp(step, active, with_value=False, checkpoint=self.checkpoint)

    def plan_for(self, fn: Function, lengths: Lengths) -> None:
        """Plan the sweeps."""
        self.fn, self.counting = count_trips(fn, self.activity)
        program = Program(self.fn)
        self.flow = Flow(program, self.activity, self.pullbacks)
        self.plan = Plan(program, self.activity, self.pullbacks, self.flow, self.counting, lengths)

    def build(self, given: Mapping[Value, Value] = MappingProxyType({})) -> Function:
        """Return the derivative. Tapes that are `given` (by their cells) are further parameters, and their
        last versions further results."""
        fn, interface = self.fn, self.interface
        b = Builder(self.plan.sizes, fn.origin)
        forward = Forward(self.plan, b, given)
        tapes = tuple(forward.env[cell] for cell in given)
        b.origin, b.role = None, ""
        b.emit_all(COMMENT, text=REVERSE_SWEEP)
        b.role = "reverse"
        world = World(self.plan, forward.env, b)
        world.cursor, world.set_cursor = self.cursor_of(world), self.set_cursor
        scope = Scope(world, b, frozenset((fn.block,)), None)
        seeds = self.seed(scope)
        self.block(scope, fn.block)
        bars = tuple(
            self.result(scope, p) for p, flag in zip(fn.params, interface.active, strict=True) if flag
        )
        values: tuple[Operand, ...] = ()
        if fn.block.end.kind == "return" and self.with_value:
            values = tuple(fn.block.end.args[k] for k in interface.kept_results)
        end = fn.block.end if fn.block.end.kind != "return" else End("return", (*values, *bars, *tapes))
        to_bind = [*world.to_bind, *(v for v in self.plan.lengths if v in self.plan.unbound)]  # measured
        parameters, result = interface.reverse_signature(self.with_value, self.seed_one)
        added = {p.name for p in parameters} - {p.name for p in fn.signature}
        return replace(
            interface.fn,
            name=f"{fn.name}_{self.suffix()}",
            params=(*fn.params, *seeds, *given.values()),
            block=unlinked(define(Block((), tuple(b.instrs), end), to_bind, self.plan.sizes)),
            signature=parameters,
            result=result,
            writes=(),
            doc=self.describe(),
            extra=interface.extra()
            | {"primal_params": len(fn.params), "values": len(values), "seeds": frozenset(added)},
        )

    def suffix(self) -> str:
        """Return what is added to the function's name."""
        if not self.seed_one:
            return "vjp"
        return "value_and_grad" if self.with_value else "grad"

    def cursor_of(self, world: World) -> Callable[[Value], Operand]:
        """Return the function that tells how a cursor stands."""

        def cursor(cell: Value) -> Operand:
            bar = self.sums.bars.get(cell)
            return bar.value if bar is not None else world.env[cell]

        return cursor

    def set_cursor(self, cell: Value, value: Operand) -> None:
        """Note how a cursor stands."""
        self.sums.bars[cell] = Bar(value)

    def describe(self) -> str:
        """Return the docstring."""
        names = [p.name for p in self.interface.active_parameters()]
        listed = (
            names[0]
            if len(names) == 1
            else ", ".join(names[:-1]) + " and " + names[-1]
            if names
            else "nothing"
        )
        what = "cotangent" if len(names) == 1 else "cotangents"
        if self.with_value:
            return self.interface.describe(f"the {what} of {listed}")
        origin = f" ({self.fn.origin})" if self.fn.origin else ""
        return f"Return the {'gradient' if self.seed_one else what} of {self.fn.name} in {listed}{origin}."

    def seed(self, scope: Scope) -> list[Value]:
        """Give the results their cotangents; return the parameters that hold them."""
        end = next(returns(self.fn.block), None)
        seeds: list[Value] = []
        many = len(self.interface.dotted_results) > 1
        for n, k in enumerate(self.interface.dotted_results):
            t = self.interface.fn.result_types[k]
            seed: Operand = Literal(1.0)
            if self.plan.narrow and isinstance(t, Scalar):  # beside float32 it is no Python float
                seed = widen(scope.b, seed, t)
            if not self.seed_one:
                seed = Value(
                    f"y_bar{n}" if many else "y_bar", Scalar(t.dtype, t.weak) if isinstance(t, Scalar) else t
                )
                seeds.append(seed)
            a = end.args[k] if end is not None else None
            if isinstance(a, Value) and a in self.activity:
                self.sums.add(scope, a, seed)
        return seeds

    def result(self, scope: Scope, p: Value) -> Operand:
        """Return the cotangent of a parameter, in exactly its type."""
        value = self.sums.settled(scope, p)
        if isinstance(p.type, Scalar):
            return scalar_as(scope.b, value, Scalar(p.type.dtype, p.type.weak), f"{p.name}_bar")
        return value

    # instructions

    def block(self, scope: Scope, block: Block) -> None:
        """Append the reversal of a block."""
        for instr in reversed(block.instrs):
            if instr not in self.flow.branch_of:
                self.instr(scope, instr)
        for instr in reversed(self.flow.sunk.get(block, [])):
            if instr not in self.in_place:
                self.instr(scope, instr)

    def instr(self, scope: Scope, instr: Instr) -> None:
        """Append the reversal of an instruction, if it has any."""
        if not any(r in self.sums.bars for r in instr.results) and not self.plan.moves_cursors(instr):
            return
        scope.b.origin, scope.b.role = instr.origin, "reverse"
        match instr.op.name:
            case "if":
                self.branches(scope, instr)
            case "for" | "while":
                self.loop(scope, instr)
            case "linked":
                self.by_rule(scope, instr, link_of(instr))
            case "call":
                self.call(scope, instr)
            case _:
                self.pull(scope, instr)

    def pull(self, scope: Scope, instr: Instr) -> None:
        """Append the pullback of a plain instruction."""
        sums = self.sums
        gs: dict[Value, Operand] = {}
        mask: Operand | None = None
        lazy = False
        if not any(isinstance(a, Value) and a in self.activity for a in instr.args):
            for y in instr.results:
                sums.bars.pop(y, None)
            return
        for y in instr.results:
            bar = sums.bars.get(y)
            if bar is not None and pointwise(instr):
                gs[self.pullbacks.seed(y)], mask = bar.value, bar.mask
                lazy = not sums.is_full(bar.value, y)
            elif bar is not None and instr.op is OPS["getitem"]:  # what is added to a part is broadcast to it
                gs[self.pullbacks.seed(y)] = sums.unmasked(scope, bar)
            elif is_differentiable(y.type) and self.pullbacks.has_cotangent(instr, y):
                gs[self.pullbacks.seed(y)] = sums.settled(scope, y)
            sums.bars.pop(y, None)
        shared = set(gs.values())
        for k, c in enumerate(self.pullbacks.of(instr)):
            a = instr.args[k]
            if c is not None and isinstance(a, Value) and a in self.activity:
                check_has_rule(instr, k)
                self.contribute(scope, instr, k, c, gs, mask, lazy, shared)

    def contribute(
        self,
        scope: Scope,
        instr: Instr,
        k: int,
        c: Contribution,
        gs: dict[Value, Operand],
        mask: Operand | None,
        lazy: bool,
        shared: set[Operand],
    ) -> None:
        """Append one contribution of a pullback and add it to the cotangent of argument k."""
        sums, target = self.sums, instr.args[k]
        assert isinstance(target, Value)
        memo: dict[object, tuple[Operand, ...]] = {}
        sums.own_code = len(scope.b.instrs)

        def fetch(v: Value) -> Operand:
            return gs[v] if v in gs else scope.fetch(v)

        def fetch_shape(v: Value) -> Operand:
            return gs[v] if v in gs else scope.shape(v)

        def lowered(e: Expr) -> Operand:
            known = len(scope.b.instrs)
            out = lower(e, scope.b, fetch, fetch_shape, memo=memo)
            if len(scope.b.instrs) > known and scope.b.instrs[-1].op.alias in (Alias.FRESH, Alias.INPLACE):
                sums.owned.add(out)
            return out

        if isinstance(c, Located):
            operands = tuple(map(lowered, c.operands))
            sums.locate(scope, target, lowered(c.g), c.path, operands)
            return
        if isinstance(c, Masked):
            own = lowered(c.mask)
            mask = own if mask is None else scope.b.emit(OPS["bitwise_and"], mask, own)
            c = c.g
        assert isinstance(c, Expr)
        value = lowered(c)
        if value in shared:
            sums.owned.discard(value)
        if mask is not None and target.type.shape != instr.result.type.shape:
            value = sums.unmasked(scope, Bar(value, mask))
            mask = None
        before = value
        value = sums.project(scope, value, instr, k, lazy)
        if value is not before and isinstance(value.type, Array):
            sums.owned.add(value)
        sums.add(scope, target, value, mask, own=True)

    # branches

    def branches(self, scope: Scope, instr: Instr) -> None:
        """Append the reversal of an `if`."""
        bars = {k: self.sums.bars.pop(r) for k, r in enumerate(instr.results) if r in self.sums.bars}
        arrays = grown_arrays(self.plan.program, instr)
        if arrays is not None:  # the cotangent of a tape has room for all of it from the start
            for k, bar in bars.items():
                self.sums.add(scope, arrays[k], bar.value, bar.mask)
            return
        condition = scope.fetch(instr.args[0])

        def branch(block: Block) -> Callable[[Scope], None]:
            def fill(inner: Scope) -> None:
                inner.open_flat(block)
                for k, bar in bars.items():
                    a = block.end.args[k]
                    if isinstance(a, Value) and a in self.activity:
                        self.sums.add(inner, a, bar.value, bar.mask)
                self.block(inner, block)

            return fill

        then, other = instr.blocks
        self.fork(scope, condition, (frozenset((then,)), branch(then)), (frozenset((other,)), branch(other)))

    def fork(
        self,
        scope: Scope,
        condition: Operand,
        *arms: tuple[frozenset[Block], Callable[[Scope], None]],
    ) -> None:
        """Append an `if` whose arms change the cotangents; join what they changed."""
        sums, before = self.sums, self.sums.bars
        origin = scope.b.origin
        outcomes: list[tuple[Scope, Bars]] = []
        for blocks, fill in arms:
            inner = scope.inner(*blocks)
            inner.b.role = "reverse"
            sums.bars = dict(before)
            fill(inner)
            outcomes.append((inner, sums.bars))
        local = {b for blocks, _ in arms for b in blocks}
        keys = dict.fromkeys(key for _, bars in outcomes for key in bars)
        changed = []
        for key in keys:
            options = [bars.get(key) for _, bars in outcomes]
            if alike(*options):
                continue
            if self.plan.program.block_of.get(key) not in local:
                changed.append(key)
        joined: list[list[Operand]] = []
        for inner, bars in outcomes:
            sums.bars = bars
            inner.b.origin = origin
            joined.append([self.handed_over(inner, key, before.get(key)) for key in changed])
        sums.bars = {}
        for key in keys:
            options = [bars.get(key) for _, bars in outcomes]
            if alike(*options) and options[0] is not None:
                sums.bars[key] = options[0]
        if not changed:
            return
        results = tuple(Value(sums.name(key), sums.type_of(key)) for key in changed)
        closed = tuple(
            inner.b.block((), "yield", *ops) for (inner, _), ops in zip(outcomes, joined, strict=True)
        )
        scope.b.origin, scope.b.role = origin, "reverse"
        scope.b.owner(IF, (condition,), closed, results)
        for key, r in zip(changed, results, strict=True):
            sums.bars[key] = Bar(r)
            sums.owned.add(r)

    def handed_over(self, scope: Scope, key: Value, before: Bar | None) -> Operand:
        """Return a cotangent, or the cursor of a tape, as it stands at the end of an arm."""
        if key in self.plan.all_cursors:
            return self.cursor(scope, key)
        if key not in self.sums.bars and before is not None and self.sums.is_full(before.value, key):
            return zero(scope.b, before.value, before.value.type, self.sums.name(key))
        return self.sums.settled(scope, key)

    # calls

    def call(self, scope: Scope, instr: Instr) -> None:
        """Append the call of the callee's vjp, which computes what it needs again."""
        callee: Function = instr.param("callee")
        flags = tuple(isinstance(a, Value) and a in self.activity for a in instr.args)
        interface = Interface(fresh(share_reads(silent(callee))), flags, called=True)
        key = (callee, flags)
        if key not in self.memo:
            self.memo[key] = _Reverse(interface, self.memo, False, False, self.checkpoint).build()
        derivative = self.memo[key]
        seeds = []
        for k in interface.dotted_results:
            value = self.sums.settled(scope, instr.results[k])
            t = callee.result_types[k]
            seeds.append(scalar_as(scope.b, value, t) if isinstance(t, Scalar) else value)
        for r in instr.results:
            self.sums.bars.pop(r, None)
        args = tuple(map(scope.fetch, instr.args))
        targets = [a for a, flag in zip(instr.args, interface.active, strict=True) if flag]
        results = tuple(Value(self.sums.name(a), a.type) for a in targets if isinstance(a, Value))
        scope.b.add(
            Instr(instr.op, (*args, *seeds), results, (("callee", derivative),), (), instr.origin, "reverse")
        )
        for a, r in zip(targets, results, strict=True):
            assert isinstance(a, Value)
            self.sums.owned.add(r)
            self.sums.add(scope, a, r)

    def by_rule(self, scope: Scope, instr: Instr, link: Link) -> None:
        """Append the call of the reverse half of a rule."""
        seeds = {k: self.seed_of(scope, r) for k, r in enumerate(instr.results)}
        for r in instr.results:
            self.sums.bars.pop(r, None)
        args: list[Operand] = []
        for kind, k in link.reads:
            a = seeds[k] if kind == "seed" else operand_of(instr, (kind, k))
            assert a is not None
            args.append(a if kind == "seed" else scope.fetch(a))
        targets = [instr.args[link.values + k] for k in link.targets]
        results = tuple(Value(self.name_for(a), a.type) for a in targets)
        params = (("callee", link.reverse),)
        scope.b.add(Instr(CALL, tuple(args), results, params, (), instr.origin, "reverse"))
        for a, r in zip(targets, results, strict=True):
            if isinstance(a, Value) and a in self.activity:
                self.sums.owned.add(r)
                self.sums.add(scope, a, r)

    def seed_of(self, scope: Scope, r: Value) -> Operand | None:
        """Return the cotangent of a result in exactly its type; None where it has none."""
        if not is_differentiable(r.type):
            return None
        value = self.sums.settled(scope, r)
        return scalar_as(scope.b, value, r.type) if isinstance(r.type, Scalar) else value

    def name_for(self, a: Operand) -> str:
        """Return the name of the cotangent of an operand; none where nobody reads it."""
        return self.sums.name(a) if isinstance(a, Value) and a in self.activity else ""


def _transpose(rule: Rule, values: int, origin: Origin | None) -> Link:
    with made_once(rule, origin):
        tangent = rule.tangent
        assert tangent is not None
        fn, flags = along(rule, tangent)
        return transposed(rule, tangent, vjp(fn, flags), values)


def alike(a: Bar | None, b: Bar | None) -> bool:
    """True if two cotangents are the same values."""
    if a is None or b is None:
        return a is b
    return a.value is b.value and a.mask is b.mask
