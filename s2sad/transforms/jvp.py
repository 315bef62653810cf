"""Forward mode: every instruction is followed by the instruction that computes its tangent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from s2sad.analysis.activity import Activity, activity
from s2sad.analysis.pullback import Pullbacks
from s2sad.analysis.unbound import maybe_unbound
from s2sad.errors import Origin, S2sadError
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.loops import carried, inits
from s2sad.ir.op import Kind
from s2sad.ir.rule import Rule, Tangent, rule_of
from s2sad.ir.types import Array, Type, is_differentiable, without_sizes
from s2sad.ops.expr import lower
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.transforms.fresh import fresh
from s2sad.transforms.interface import Interface
from s2sad.transforms.reverse import vjp
from s2sad.transforms.rules import conform, renamed, tangent, zero
from s2sad.transforms.transpose import backwards, made_once, pushed

Memo = dict[tuple[Function, tuple[bool, ...]], Function]


def jvp(fn: Function, active: Sequence[bool]) -> Function:
    """Return the function computing `fn`'s results and their tangents."""
    return _jvp(fn, tuple(active), {}, called=False)


def _jvp(fn: Function, active: tuple[bool, ...], memo: Memo, called: bool) -> Function:
    """`called`: for use in a call, where final versions of written parameters are results, too."""
    key = (fn, active)
    if not called or key not in memo:
        interface = Interface(fresh(fn), active, called)
        derivative = _Jvp(interface, memo).build()
        if not called:
            return derivative
        memo[key] = derivative
    return memo[key]


class _Jvp:
    def __init__(self, interface: Interface, memo: Memo):
        self.interface, self.memo = interface, memo
        fn = self.fn = interface.fn
        self.sizes = sizes_after(fn)
        self.activity: Activity = activity(fn, interface.active, Pullbacks(), interface.seeded_results)
        self.dots: dict[Value, Operand] = {}
        # arrays that may be unbound have no shape to make zeros of: their tangents are bound where they are
        self.unbound = {
            v for v in maybe_unbound(fn.block) if isinstance(v.type, Array) and is_differentiable(v.type)
        }

    def build(self) -> Function:
        fn, interface = self.fn, self.interface
        tangents: list[Value] = []
        for p, flag in zip(fn.params, interface.active, strict=True):
            if flag:
                self.dots[p] = Value(f"{p.name}_dot", p.type)
                tangents.append(self.dots[p])  # type: ignore[arg-type]
        block = self.block(fn.block, None)
        parameters, result = interface.forward_signature()
        return replace(
            fn,
            name=f"{fn.name}_jvp",
            params=(*fn.params, *tangents),
            block=block,
            signature=parameters,
            result=result,
            writes=(),
            doc=interface.describe("the tangent"),
            extra=interface.extra(),
        )

    def block(self, block: Block, loop: Instr | None, yields: Sequence[int] | None = None) -> Block:
        """Return the block with tangents; `yields`: the owner's results that have a tangent."""
        b = Builder(self.sizes, block.end.origin)
        for instr in block.instrs:
            self.instr(b, instr, loop)
        end, args = block.end, list(block.end.args)
        b.origin, b.role = end.origin, "tangent"
        match end.kind:
            case "yield" if yields is not None:
                args += [self.dot(b, args[k]) for k in yields]
            case "break" | "continue":
                assert loop is not None
                args += [self.dot(b, args[k], carried(loop)[k].type) for k in self.slots(loop)]
            case "return":
                kept = [args[k] for k in self.interface.kept_results]
                args = kept + [self.dot(b, args[k]) for k in self.interface.dotted_results]
        return Block(block.params, tuple(b.instrs), replace(end, args=tuple(args)))

    def dot(self, b: Builder, a: Operand, t: Type | None = None) -> Operand:
        """Return the tangent of `a`, zeros included."""
        found = self.dots.get(a) if isinstance(a, Value) else None
        if found is not None:
            return found
        if a in self.unbound:
            return b.emit(OPS["undef"], type=a.type)
        return zero(b, a, a.type)

    def slots(self, loop: Instr) -> list[int]:
        """Return the carried slots of a loop that have a tangent."""
        active = self.activity.slots(loop)
        return [k for k, r in enumerate(loop.results) if k in active or r in self.unbound]

    def instr(self, b: Builder, instr: Instr, loop: Instr | None) -> None:
        b.origin, b.role = instr.origin, instr.role
        match instr.op.name:
            case "if":
                self.branches(b, instr, loop)
            case "for" | "while":
                self.loop(b, instr)
            case "call":
                self.call(b, instr)
            case _:
                b.add(instr)
                if any(r in self.activity for r in instr.results):
                    b.role = "tangent"
                    self.push(b, instr)

    def push(self, b: Builder, instr: Instr) -> None:
        dots = [self.dots.get(a) if isinstance(a, Value) else None for a in instr.args]
        if all(d is None for d in dots):
            return
        op = instr.op
        if op.kind is Kind.LINEAR and op.linear_args and all(dots[k] is None for k in op.linear_args):
            return
        try:
            exprs = tangent(instr, dots)
        except S2sadError as error:
            raise error.located(instr.origin) from None
        memo: dict[object, tuple[Operand, ...]] = {}
        for y, expr in zip(instr.results, exprs, strict=True):
            if not is_differentiable(y.type) or y not in self.activity:
                continue
            name = f"{y.name}_dot" if y.name else ""
            out = lower(expr, b, name=name, memo=memo)
            if op.kind is Kind.LINEAR and without_sizes(out.type) == without_sizes(y.type):
                out = b.retype(out, y.type)
            out = renamed(b, conform(b, out, y, name), name)
            self.dots[y] = out

    def branches(self, b: Builder, instr: Instr, loop: Instr | None) -> None:
        active = [k for k, r in enumerate(instr.results) if r in self.activity or r in self.unbound]
        blocks = tuple(self.block(block, loop, active) for block in instr.blocks)
        dots = self.fresh([instr.results[k] for k in active])
        b.add(replace(instr, blocks=blocks, results=(*instr.results, *dots)))

    def loop(self, b: Builder, instr: Instr) -> None:
        active = self.slots(instr)
        start = inits(instr)
        b.role = "tangent"
        begin = [self.dot(b, start[k]) for k in active]
        params = self.fresh([carried(instr)[k] for k in active])
        body = self.block(instr.blocks[-1], instr, active)
        blocks: tuple[Block, ...] = (replace(body, params=(*body.params, *params)),)
        if instr.op.name == "while":
            cond = instr.blocks[0]
            unused = tuple(Value(p.name, p.type) for p in params)
            blocks = (replace(cond, params=(*cond.params, *unused)), *blocks)
        dots = self.fresh([instr.results[k] for k in active])
        b.add(replace(instr, args=(*instr.args, *begin), blocks=blocks, results=(*instr.results, *dots)))

    def fresh(self, primals: Sequence[Value]) -> tuple[Value, ...]:
        """Return new tangents of values and note them."""
        out = []
        for v in primals:
            dot = Value(f"{v.name}_dot" if v.name else "", v.type)
            self.dots[v] = dot
            out.append(dot)
        return tuple(out)

    def call(self, b: Builder, instr: Instr) -> None:
        callee: Function = instr.param("callee")
        rule = rule_of(instr)
        if rule is not None:
            self.by_rule(b, instr, rule)
            return
        flags = tuple(isinstance(a, Value) and a in self.dots for a in instr.args)
        if not any(flags) or not any(r in self.activity for r in instr.results):
            b.add(instr)
            return
        derivative = _jvp(callee, flags, self.memo, called=True)
        dots = [self.dots[a] for a, f in zip(instr.args, flags, strict=True) if f]  # type: ignore[index]
        dotted = [r for r in instr.results if is_differentiable(r.type)]
        results = (*instr.results, *self.fresh(dotted))
        b.add(
            Instr(
                instr.op,
                (*instr.args, *dots),
                results,
                (("callee", derivative),),
                (),
                instr.origin,
                instr.role,
            )
        )

    def by_rule(self, b: Builder, instr: Instr, rule: Rule) -> None:
        """Append the call of a rule, or of the function itself where nothing varies."""
        given = [instr.args[k] for k in rule.targets]
        if not any(a in self.dots for a in given) or not any(r in self.activity for r in instr.results):
            b.add(instr)
            return
        tangent = rule.read().tangent
        if tangent is None:
            tangent = rule.tangent = _pushed(rule, instr.origin)
        b.role = "tangent"
        dots = [self.dot(b, a) for a in given]
        made = self.fresh([instr.results[k] for k in tangent.dots])
        params = (("callee", tangent.fn),)
        b.add(replace(instr, args=(*instr.args, *dots), results=(*instr.results, *made), params=params))


def _pushed(rule: Rule, origin: Origin | None) -> Tangent:
    with made_once(rule, origin):
        link = rule.link
        assert link is not None
        fn, flags = backwards(link)
        return pushed(rule, link, vjp(fn, flags, with_value=False))
