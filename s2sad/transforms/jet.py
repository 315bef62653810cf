"""Taylor mode: every instruction is followed by those that compute its derivatives along a curve."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.errors import S2sadError
from s2sad.ir.builder import Builder
from s2sad.ir.core import Function, Instr, Operand, Value
from s2sad.ir.rule import Rule
from s2sad.ir.types import is_differentiable
from s2sad.record import replace
from s2sad.transforms.fresh import fresh
from s2sad.transforms.interface import Interface
from s2sad.transforms.jvp import tangent_of
from s2sad.transforms.pushforward import Memo, Pushforward
from s2sad.transforms.taylor import Taylor


def jet(fn: Function, active: Sequence[bool], order: int) -> Function:
    """Return the function computing `fn`'s results and their derivatives of orders 1 to `order`, for those of
    the active parameters."""
    flags = tuple(active) if order else (False,) * len(active)
    return _Jet(Interface(fresh(fn), flags), order, {}).build()


class _Jet(Pushforward):
    def __init__(self, interface: Interface, order: int, memo: Memo):
        super().__init__(interface, [f"_d{k}" for k in range(1, order + 1)])
        self.order, self.memo = order, memo

    def build(self) -> Function:
        fn, interface = self.fn, self.interface
        params = self.parameters()
        block = self.block(fn.block, None)
        parameters, result = interface.series_signature(self.suffixes)
        return replace(
            fn,
            name=f"{fn.name}_jet",
            params=params,
            block=block,
            signature=parameters,
            result=result,
            writes=(),
            doc=interface.describe(f"its derivatives up to order {self.order}"),
            extra=interface.extra(),
        )

    def derivative(self, callee: Function, flags: tuple[bool, ...]) -> Function:
        return self.called(callee, flags, self.order)

    def called(self, callee: Function, flags: tuple[bool, ...], order: int) -> Function:
        """Return the jet of a function for use in a call, where final versions of written parameters are
        results, too."""
        key = (callee, flags, order)
        if key not in self.memo:
            self.memo[key] = _Jet(Interface(fresh(callee), flags, called=True), order, self.memo).build()
        return self.memo[key]

    def push(self, b: Builder, instr: Instr) -> None:
        if not any(a in self.dots for a in instr.args):
            return
        active = [r for r in instr.results if r in self.activity]
        taylor = Taylor(b, self.dots, self.suffixes)
        nodes = taylor.root(instr, active)
        found: dict[Value, list[Operand | None]] = {r: [] for r in active}
        try:
            for k in range(1, self.order + 1):
                for node, r in zip(nodes, instr.results, strict=True):
                    if r in found:
                        found[r].append(node.term(k))
        except S2sadError as error:
            raise error.located(instr.origin) from None
        for r, terms in found.items():
            if any(t is not None for t in terms):
                self.dots[r] = tuple(self.dot(b, r)[0] if t is None else t for t in terms)

    def push_rule(self, b: Builder, instr: Instr, rule: Rule) -> None:
        # the rule has first derivatives: the derivatives of order k - 1 of these are those of order k
        tangent, rest = tangent_of(rule, instr.origin), self.order - 1
        given = [self.dots.get(a) if isinstance(a, Value) else None for a in instr.args]
        curves = [None if d is None else d[:rest] for d in given]
        curves += [None if (d := given[k]) is None else d[1:] for k in rule.targets]
        args = [*instr.args, *(self.dot(b, instr.args[k])[0] for k in rule.targets)]
        self.fresh([instr.results[k] for k in tangent.dots])
        dots = {place: self.dots[instr.results[k]] for k, place in tangent.dots.items()}
        results: list[Operand] = [*instr.results, *(dots[place][0] for place in sorted(dots))]
        callee = tangent.fn
        if rest:
            for place, r in enumerate(results[:]):
                if is_differentiable(r.type):
                    unused = tuple(Value("", r.type) for _ in range(rest))
                    results += dots[place][1:] if place in dots else unused
            args += [d for curve in curves if curve is not None for d in curve]
            callee = self.called(callee, tuple(curve is not None for curve in curves), rest)
        made = tuple(r for r in results if isinstance(r, Value))
        b.add(replace(instr, args=tuple(args), results=made, params=(("callee", callee),)))
