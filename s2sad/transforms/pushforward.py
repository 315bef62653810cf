"""Derivatives carried forward beside the active values, through blocks, loops and calls.

This is common to the jvp, which carries one tangent, and the jet, which carries several derivatives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from s2sad.analysis.activity import Activity, activity
from s2sad.analysis.pullback import Pullbacks
from s2sad.analysis.unbound import maybe_unbound
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.loops import carried, inits
from s2sad.ir.rule import Rule, rule_of
from s2sad.ir.types import Array, Type, is_differentiable
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.record import replace
from s2sad.transforms.interface import Interface
from s2sad.transforms.rules import zero

Dots = tuple[Operand, ...]
Memo = dict[tuple[Function, tuple[bool, ...], int], Function]


class Pushforward(ABC):
    """A function with derivatives beside its values: of each active value one per entry of `suffixes`, which
    their names end in."""

    def __init__(self, interface: Interface, suffixes: Sequence[str]):
        self.interface, self.suffixes = interface, suffixes
        fn = self.fn = interface.fn
        self.sizes = sizes_after(fn)
        self.activity: Activity = activity(fn, interface.active, Pullbacks(), interface.seeded_results)
        self.dots: dict[Value, Dots] = {}
        # arrays that may be unbound have no shape to make zeros of: their tangents are bound where they are
        self.unbound = {
            v for v in maybe_unbound(fn.block) if isinstance(v.type, Array) and is_differentiable(v.type)
        }

    @abstractmethod
    def push(self, b: Builder, instr: Instr) -> None:
        """Append the derivatives of an instruction's results."""

    @abstractmethod
    def derivative(self, callee: Function, flags: tuple[bool, ...]) -> Function:
        """Return what is called in place of `callee` where the flagged arguments vary."""

    @abstractmethod
    def push_rule(self, b: Builder, instr: Instr, rule: Rule) -> None:
        """Append the call of a function with a rule, some of whose arguments vary."""

    def parameters(self) -> tuple[Value, ...]:
        """Return the parameters with those of the derivatives."""
        active = [p for p, flag in zip(self.fn.params, self.interface.active, strict=True) if flag]
        return (*self.fn.params, *self.fresh(active))

    def block(self, block: Block, loop: Instr | None, yields: Sequence[int] | None = None) -> Block:
        """Return the block with tangents; `yields`: the owner's results that have a tangent."""
        b = Builder(self.sizes, block.end.origin)
        for instr in block.instrs:
            self.instr(b, instr, loop)
        end, args = block.end, list(block.end.args)
        b.origin, b.role = end.origin, "tangent"
        match end.kind:
            case "yield" if yields is not None:
                args += [d for k in yields for d in self.dot(b, args[k])]
            case "break" | "continue":
                assert loop is not None
                args += [d for k in self.slots(loop) for d in self.dot(b, args[k], carried(loop)[k].type)]
            case "return":
                kept = [args[k] for k in self.interface.kept_results]
                args = kept + [d for k in self.interface.dotted_results for d in self.dot(b, args[k])]
        return Block(block.params, tuple(b.instrs), replace(end, args=tuple(args)))

    def dot(self, b: Builder, a: Operand, t: Type | None = None) -> Dots:
        """Return the derivatives of `a`, zeros included."""
        found = self.dots.get(a) if isinstance(a, Value) else None
        if found is not None:
            return found
        if a in self.unbound:
            nothing: Operand = b.emit(OPS["undef"], type=a.type)
        else:
            nothing = zero(b, a, t)
        return (nothing,) * len(self.suffixes)

    def slots(self, loop: Instr) -> list[int]:
        """Return the carried slots of a loop that have a tangent."""
        active = self.activity.slots(loop)
        return [k for k, r in enumerate(loop.results) if k in active or r in self.unbound]

    def instr(self, b: Builder, instr: Instr, loop: Instr | None) -> None:
        """Append an instruction with the derivatives of its results."""
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

    def branches(self, b: Builder, instr: Instr, loop: Instr | None) -> None:
        """Append an `if` whose branches yield derivatives, too."""
        active = [k for k, r in enumerate(instr.results) if r in self.activity or r in self.unbound]
        blocks = tuple(self.block(block, loop, active) for block in instr.blocks)
        dots = self.fresh([instr.results[k] for k in active])
        b.add(replace(instr, blocks=blocks, results=(*instr.results, *dots)))

    def loop(self, b: Builder, instr: Instr) -> None:
        """Append a loop that carries derivatives, too."""
        active = self.slots(instr)
        start = inits(instr)
        b.role = "tangent"
        begin = [d for k in active for d in self.dot(b, start[k])]
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
        """Return new derivatives of values and note them."""
        out: list[Value] = []
        for v in primals:
            dots = tuple(Value(f"{v.name}{suffix}" if v.name else "", v.type) for suffix in self.suffixes)
            self.dots[v] = dots
            out += dots
        return tuple(out)

    def call(self, b: Builder, instr: Instr) -> None:
        """Append a call with derivatives, or as it is where nothing varies."""
        rule = rule_of(instr)
        known = [self.dots.get(a) if isinstance(a, Value) else None for a in instr.args]
        flags = tuple(d is not None for d in known)
        varied = flags if rule is None else [flags[k] for k in rule.targets]
        if not any(varied) or not any(r in self.activity for r in instr.results):
            b.add(instr)
            return
        if rule is not None:
            b.role = "tangent"
            self.push_rule(b, instr, rule)
            return
        derivative = self.derivative(instr.param("callee"), flags)
        dots = [d for given in known if given is not None for d in given]
        dotted = [r for r in instr.results if is_differentiable(r.type)]
        results = (*instr.results, *self.fresh(dotted))
        params = (("callee", derivative),)
        b.add(Instr(instr.op, (*instr.args, *dots), results, params, (), instr.origin, instr.role))
