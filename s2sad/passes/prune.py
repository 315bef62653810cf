"""Pruning of slots: carried values and if-results that are another value all along.

A carried value that every trip hands on unchanged is its initial value; of two that start and go on
alike one is enough; an `if` whose branches agree decides nothing. In the user's own loops only values
of one name are joined, so that the text keeps the user's variables.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import loop_ends
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Rewriter, fits
from s2sad.passes.slots import drop_slots

NO_OR_YES = [Literal(False), Literal(True)]


def prune(fn: Function) -> Function:
    """Return the function without slots that are equal to another value."""
    return _Pruner().function(fn)


class _Pruner(Rewriter):
    def __init__(self) -> None:
        super().__init__()
        self.undefined: set[Operand] = set()
        self.before: list[Instr] = []  # what goes before the instruction that is being looked at

    def visit(self, instr: Instr) -> tuple[Instr, ...]:
        if instr.op.name == "undef":
            self.undefined.add(instr.result)
        new = self.inside(instr)
        outer, self.before = self.before, []
        while new.blocks and (joined := self.branches(new) if new.op.name == "if" else self.loop(new)):
            new = drop_slots(new, [k not in joined for k in range(len(new.results))])
            new = self.inside(new)
        found, self.before = self.before, outer
        return (*found, new)

    def branches(self, instr: Instr) -> set[int]:
        """Map the results of an `if` that are known without it; return their positions."""
        yielding = [b for b in instr.blocks if b.end.kind == "yield"]
        inside = {r for b in yielding for i in b.instrs for r in i.results}
        seen: dict[Hashable, Value] = {}
        joined: set[int] = set()
        for k, result in enumerate(instr.results):
            options = tuple(b.end.args[k] for b in yielding)
            same = seen.setdefault(options, result)
            bound = [o for o in options if o not in self.undefined]
            if options and not bound:
                self.replaced(result, self.nothing(instr, result))
                joined.add(k)
            elif bound and _is_one(bound, inside) and fits(bound[0], result.type):
                self.replaced(result, bound[0])
                joined.add(k)
            elif sorted(options, key=str) == NO_OR_YES and instr.args[0].type == result.type:
                self.replaced(result, self.condition(instr, options[0] == Literal(True)))
                joined.add(k)
            elif same is not result and _may_join(instr, same, result):
                self.replaced(result, same)
                joined.add(k)
        return joined

    def nothing(self, instr: Instr, result: Value) -> Value:
        """Return an undefined value of the type of a result, defined before the instruction."""
        value = Value(result.name, result.type)
        self.before.append(Instr(OPS["undef"], (), (value,), (("type", value.type),), (), instr.origin))
        self.undefined.add(value)
        return value

    def condition(self, instr: Instr, as_it_is: bool) -> Operand:
        """Return the condition of an `if`, or its contrary, computed before it."""
        if as_it_is:
            return instr.args[0]
        contrary = Value("", instr.args[0].type)
        self.before.append(Instr(OPS["not_"], instr.args, (contrary,), (), (), instr.origin, instr.role))
        return contrary

    def loop(self, instr: Instr) -> set[int]:
        """Map the carried values of a loop that are known without it; return their positions."""
        first = 1 if instr.op.name == "for" else 0
        inits = instr.args[3 * first :]
        params = [b.params[first:] for b in instr.blocks]
        joined: set[int] = set()
        fixed = _invariant(instr.blocks[-1], params[-1], inits)
        for k in sorted(fixed):
            for p in params:
                self.replaced(p[k], inits[k])
            self.replaced(instr.results[k], inits[k])
            joined.add(k)
        leaders: dict[int, list[int]] = {}
        for k, group in enumerate(_groups(instr.blocks[-1], params[-1], inits, fixed)):
            others = leaders.setdefault(group, [])
            leader = next((j for j in others if _may_join(instr, params[-1][j], params[-1][k])), None)
            if k in joined:
                continue
            if leader is None:
                others.append(k)
                continue
            for p in params:
                self.replaced(p[k], p[leader])
            self.replaced(instr.results[k], instr.results[leader])
            joined.add(k)
        return joined


def _is_one(options: Sequence[Operand], inside: set[Value]) -> bool:
    return all(o == options[0] and o not in inside for o in options)


def _may_join(owner: Instr, a: Value, b: Value) -> bool:
    """True if two equal slots need not stay apart for the sake of the user's names."""
    return bool(owner.role) or not a.name or not b.name or a.name == b.name


def _invariant(body: Block, params: tuple[Value, ...], inits: tuple[Operand, ...]) -> set[int]:
    """Return the slots that hold their initial value in every trip."""
    position = {p: k for k, p in enumerate(params)}
    ends = loop_ends(body)
    found = {k for k, p in enumerate(params) if fits(inits[k], p.type)}

    def stays(k: int, a: Operand) -> bool:
        source = position.get(a) if isinstance(a, Value) else None
        return a == inits[k] or (source in found and source is not None and inits[source] == inits[k])

    while True:
        moving = {k for k in found if not all(stays(k, end.args[k]) for end in ends)}
        if not moving:
            return found
        found -= moving


def _groups(body: Block, params: tuple[Value, ...], inits: tuple[Operand, ...], fixed: set[int]) -> list[int]:
    """Return a number for each slot; slots of one number have the same value in every trip."""
    group = _number(list(inits))
    ends = loop_ends(body)
    while len(set(group)) < len(group):
        slots: dict[Operand, Hashable] = {
            p: inits[k] if k in fixed else ("slot", group[k]) for k, p in enumerate(params)
        }
        numbers = _value_numbers(body, slots)
        carried = [tuple(numbers.get(end.args[k], end.args[k]) for end in ends) for k in range(len(params))]
        finer = _number(list(zip(group, carried, strict=True)))
        if len(set(finer)) == len(set(group)):
            break
        group = finer
    return group


def _number(keys: Sequence[Hashable]) -> list[int]:
    known: dict[Hashable, int] = {}
    return [known.setdefault(key, len(known)) for key in keys]


def _value_numbers(body: Block, slots: dict[Operand, Hashable]) -> dict[Operand, Hashable]:
    """Return numbers for what the body's own instructions compute, given those of its slots."""
    numbers = dict(slots)
    known: dict[Hashable, Hashable] = {}
    for instr in body.instrs:
        if instr.op.pure and not instr.blocks and len(instr.results) == 1:
            key = (instr.op, instr.params, tuple(numbers.get(a, a) for a in instr.args))
            numbers[instr.result] = known.setdefault(key, ("value", len(known)))
    return numbers
