"""Activity: which values vary with the active parameters and are useful for the results.

Both are least fixed points. Array writes make new versions, so the answer is flow-sensitive: a buffer
that is overwritten with something inactive is inactive from there on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from s2sad.analysis.pullback import Pullbacks, check_has_rule
from s2sad.errors import UnsupportedOp
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.loops import carried, inits
from s2sad.ir.rule import rule_of, targets_of
from s2sad.ir.types import is_differentiable
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Activity:
    """The varied and the useful values of a function."""

    varied: frozenset[Value]
    useful: frozenset[Value]

    def __contains__(self, a: Operand) -> bool:
        return a in self.varied and a in self.useful

    def slots(self, loop: Instr) -> list[int]:
        """Return the carried slots of a loop through which a derivative flows."""
        return [
            k
            for k, (p, r) in enumerate(zip(carried(loop), loop.results, strict=True))
            if (r in self.varied or p in self.varied) and (p in self.useful or r in self.useful)
        ]


def activity(
    fn: Function, active: Sequence[bool], pullbacks: Pullbacks, useful_results: Sequence[bool] | None = None
) -> Activity:
    """Return the activity of `fn` with respect to the flagged parameters and results (default: all)."""
    solver = _Solver(pullbacks, {})
    flags = tuple(useful_results) if useful_results is not None else None
    return solver.solve(fn, tuple(active), flags)


Flags = tuple[bool, ...]


class _Solver:
    def __init__(
        self, pullbacks: Pullbacks, known: dict[tuple[Function, Flags, Flags | None], Activity | None]
    ):
        self.pullbacks = pullbacks
        self.known = known
        self.varied: set[Value] = set()
        self.useful: set[Value] = set()

    def solve(self, fn: Function, active: Flags, results: Flags | None) -> Activity:
        self.varied = {
            p for p, flag in zip(fn.params, active, strict=True) if flag and is_differentiable(p.type)
        }
        before = -1
        while before != len(self.varied):
            before = len(self.varied)
            self.forward(fn.block, (), None)
        self.results = results
        before = -1
        while before != len(self.useful):
            before = len(self.useful)
            self.backward(fn.block, (), None)
        return Activity(frozenset(self.varied), frozenset(self.useful))

    def callee(self, instr: Instr, results: Flags | None) -> tuple[Function, Activity | None]:
        """Return the activity of a called function; None while it is being found (recursion)."""
        fn: Function = instr.param("callee")
        key = (fn, tuple(a in self.varied for a in instr.args), results)
        if key not in self.known:
            self.known[key] = None
            self.known[key] = _Solver(self.pullbacks, self.known).solve(*key)
        return fn, self.known[key]

    # varied: from definitions to uses

    def vary(self, targets: Sequence[Value], sources: Sequence[Operand]) -> None:
        for t, s in zip(targets, sources, strict=True):
            if s in self.varied and is_differentiable(t.type):
                self.varied.add(t)

    def forward(self, block: Block, targets: tuple[Sequence[Value], ...], loop: Instr | None) -> None:
        for instr in block.instrs:
            self.forward_instr(instr, loop)
        for target in _targets(block, targets, loop):
            self.vary(target, block.end.args)

    def forward_instr(self, instr: Instr, loop: Instr | None) -> None:
        match instr.op.name:
            case "if":
                for block in instr.blocks:
                    self.forward(block, (instr.results,), loop)
            case "for" | "while":
                self.vary(carried(instr), inits(instr))
                self.vary(instr.results, inits(instr))
                self.forward(instr.blocks[-1], (carried(instr), instr.results), instr)
            case "call" | "linked" if (targets := targets_of(instr)) is not None:
                if any(instr.args[k] in self.varied for k in (*targets, *_around(instr))):
                    self.varied.update(r for r in instr.results if is_differentiable(r.type))
            case "call":
                if any(a in self.varied for a in instr.args):
                    fn, found = self.callee(instr, None)
                    for k, r in enumerate(instr.results):
                        if is_differentiable(r.type) and (found is None or _returns_varied(fn, found, k)):
                            self.varied.add(r)
            case "draw":
                for k, a in enumerate(instr.args):
                    if a in self.varied:  # also of ints, which have no derivative to ask for
                        check_has_rule(instr, k)
            case _:
                if any(a in self.varied for a in instr.args) and self.depends(instr):
                    self.varied.update(r for r in instr.results if is_differentiable(r.type))

    def check_around(self, instr: Instr) -> None:
        """Raise UnsupportedOp S205 if something varies that a function with a rule reads around it."""
        rule = rule_of(instr)
        for a in (instr.args[k] for k in _around(instr)):
            if rule is not None and a in self.varied:
                name = a.name if isinstance(a, Value) and a.name else "a value"
                why = f"the rule of `{rule.name}` has no derivative in what functions given to it read around"
                instead = "pass it as an argument of its own, or read s2sad.stop_gradient of it"
                raise UnsupportedOp("S205", f"{why} them: `{name}`, which varies", instead, instr.origin)

    def depends(self, instr: Instr) -> bool:
        if not any(is_differentiable(r.type) for r in instr.results):
            return False
        reaches = self.pullbacks.reaches(instr)
        return any(a in self.varied and ok for a, ok in zip(instr.args, reaches, strict=True))

    # useful: from uses to definitions

    def use(self, sources: Sequence[Operand], targets: Sequence[Value]) -> None:
        for s, t in zip(sources, targets, strict=True):
            if t in self.useful and isinstance(s, Value) and is_differentiable(s.type):
                self.useful.add(s)

    def backward(self, block: Block, targets: tuple[Sequence[Value], ...], loop: Instr | None) -> None:
        if block.end.kind == "return":
            for k, a in enumerate(block.end.args):
                wanted = self.results is None or self.results[k]
                if wanted and isinstance(a, Value) and is_differentiable(a.type):
                    self.useful.add(a)
        for target in _targets(block, targets, loop):
            self.use(block.end.args, target)
        for instr in reversed(block.instrs):
            self.backward_instr(instr, loop)

    def backward_instr(self, instr: Instr, loop: Instr | None) -> None:
        match instr.op.name:
            case "if":
                for block in instr.blocks:
                    self.backward(block, (instr.results,), loop)
            case "for" | "while":
                self.use(inits(instr), instr.results)
                self.backward(instr.blocks[-1], (carried(instr), instr.results), instr)
                self.use(inits(instr), carried(instr))
            case "call" | "linked" if (targets := targets_of(instr)) is not None:
                if any(r in self.useful and r in self.varied for r in instr.results):
                    self.check_around(instr)
                    self.useful.update(a for k in targets if isinstance(a := instr.args[k], Value))
            case "call":
                wanted = tuple(r in self.useful and r in self.varied for r in instr.results)
                if any(wanted):
                    fn, found = self.callee(instr, wanted)
                    for a, p in zip(instr.args, fn.params, strict=True):
                        if isinstance(a, Value) and a in self.varied and (found is None or p in found):
                            self.useful.add(a)
            case _:
                if any(r in self.useful and r in self.varied for r in instr.results):
                    for a, ok in zip(instr.args, self.pullbacks.reaches(instr), strict=True):
                        if ok and isinstance(a, Value) and is_differentiable(a.type):
                            self.useful.add(a)


def _around(instr: Instr) -> tuple[int, ...]:
    """Return the positions of the operands that a rule knows nothing of."""
    rule = rule_of(instr)
    return rule.around if rule is not None else ()


def _targets(
    block: Block, targets: tuple[Sequence[Value], ...], loop: Instr | None
) -> Iterator[Sequence[Value]]:
    """Yield the values that the arguments of a block's end flow into."""
    if block.end.kind == "yield":
        yield from targets
    elif block.end.kind in ("break", "continue") and loop is not None:
        yield loop.results
        if block.end.kind == "continue":
            yield carried(loop)


def _returns_varied(fn: Function, found: Activity, k: int) -> bool:
    def visit(block: Block) -> bool:
        if block.end.kind == "return" and block.end.args[k] in found.varied:
            return True
        return any(visit(b) for i in block.instrs for b in i.blocks)

    return visit(fn.block)
