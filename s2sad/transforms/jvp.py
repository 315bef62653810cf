"""Forward mode: every instruction is followed by the instruction that computes its tangent."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.errors import Origin, S2sadError
from s2sad.ir.builder import Builder
from s2sad.ir.core import Function, Instr, Operand, Value
from s2sad.ir.op import Kind
from s2sad.ir.rule import Rule, Tangent
from s2sad.ir.types import is_differentiable, without_sizes
from s2sad.ops.expr import lower
from s2sad.record import replace
from s2sad.transforms.fresh import fresh
from s2sad.transforms.interface import Interface
from s2sad.transforms.pushforward import Memo, Pushforward
from s2sad.transforms.reverse import vjp
from s2sad.transforms.rules import conform, renamed, tangent
from s2sad.transforms.transpose import backwards, made_once, pushed


def jvp(fn: Function, active: Sequence[bool]) -> Function:
    """Return the function computing `fn`'s results and their tangents."""
    return _jvp(fn, tuple(active), {}, called=False)


def _jvp(fn: Function, active: tuple[bool, ...], memo: Memo, called: bool) -> Function:
    """`called`: for use in a call, where final versions of written parameters are results, too."""
    key = (fn, active, 1)
    if not called or key not in memo:
        interface = Interface(fresh(fn), active, called)
        derivative = _Jvp(interface, memo).build()
        if not called:
            return derivative
        memo[key] = derivative
    return memo[key]


class _Jvp(Pushforward):
    def __init__(self, interface: Interface, memo: Memo):
        super().__init__(interface, ("_dot",))
        self.memo = memo

    def build(self) -> Function:
        fn, interface = self.fn, self.interface
        params = self.parameters()
        block = self.block(fn.block, None)
        parameters, result = interface.forward_signature()
        return replace(
            fn,
            name=f"{fn.name}_jvp",
            params=params,
            block=block,
            signature=parameters,
            result=result,
            writes=(),
            doc=interface.describe("the tangent"),
            extra=interface.extra(),
        )

    def derivative(self, callee: Function, flags: tuple[bool, ...]) -> Function:
        return _jvp(callee, flags, self.memo, called=True)

    def push(self, b: Builder, instr: Instr) -> None:
        given = [self.dots.get(a) if isinstance(a, Value) else None for a in instr.args]
        dots = [None if d is None else d[0] for d in given]
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
            if expr is None or not is_differentiable(y.type) or y not in self.activity:
                continue
            name = f"{y.name}_dot" if y.name else ""
            out = lower(expr, b, name=name, memo=memo)
            if op.kind is Kind.LINEAR and without_sizes(out.type) == without_sizes(y.type):
                out = b.retype(out, y.type)
            self.dots[y] = (renamed(b, conform(b, out, y, name), name),)

    def push_rule(self, b: Builder, instr: Instr, rule: Rule) -> None:
        tangent = tangent_of(rule, instr.origin)
        dots = [d for k in rule.targets for d in self.dot(b, instr.args[k])]
        made = self.fresh([instr.results[k] for k in tangent.dots])
        params = (("callee", tangent.fn),)
        b.add(replace(instr, args=(*instr.args, *dots), results=(*instr.results, *made), params=params))


def tangent_of(rule: Rule, origin: Origin | None) -> Tangent:
    """Return the rule for forward mode, made of that for reverse mode if need be."""
    tangent = rule.read().tangent
    if tangent is None:
        tangent = rule.tangent = _pushed(rule, origin)
    return tangent


def _pushed(rule: Rule, origin: Origin | None) -> Tangent:
    with made_once(rule, origin):
        link = rule.link
        assert link is not None
        fn, flags = backwards(link)
        return pushed(rule, link, vjp(fn, flags, with_value=False))
