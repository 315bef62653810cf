"""Derivatives that a function has been given: what a call carries beside the function that it calls.

The call of a function with a rule of its own has a parameter `rule`. Forward mode calls the rule's
`tangent` in its place. Reverse mode puts a Link's `forward` there, followed by an instruction `linked` that
hands on its results; it calls the Link's `reverse` in the reverse sweep. What it made has no such instruction
any more, so that second derivatives are those of `forward` and `reverse`.
"""

from __future__ import annotations

from collections.abc import Callable

from s2sad.errors import Origin
from s2sad.ir.core import Function, Instr, Operand
from s2sad.record import dataclass

Read = tuple[str, int]
"""What a parameter of a Link's reverse half holds: an `argument` or a `result` of the forward half, or the
`seed` of a result (by position)."""


@dataclass(frozen=True, slots=True, eq=False)
class Tangent:
    """A Function for forward mode: it takes the call's arguments, then the tangents of the rule's
    `targets`, and returns the call's results, then tangents: that of result k is its result `dots[k]`, in its
    type and shape."""

    fn: Function
    dots: dict[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """Two Functions for reverse mode: `forward` takes the call's arguments and returns its `values`
    results, then residuals; parameter k of `reverse` holds `reads[k]`, and its result k is the cotangent of
    argument `targets[k]`, in its type and shape."""

    forward: Function
    reverse: Function
    reads: tuple[Read, ...]
    values: int
    targets: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Rule:
    """The rule of a function called `name`: the operands of a call at `targets` have a derivative; those at
    `around`, which the rule knows nothing of, must not vary. What the user gave is filled in when the rule
    has been read, by `pending` where that is when it is first asked for; the rest when a transform asks."""

    name: str
    targets: tuple[int, ...]
    origin: Origin | None = None
    tangent: Tangent | None = None
    link: Link | None = None
    pending: Callable[[], None] | None = None
    busy: bool = False  # while one mode is made of the other
    around: tuple[int, ...] = ()

    def read(self) -> Rule:
        """Return the rule, read by now."""
        if self.pending is not None:
            pending, self.pending = self.pending, None
            try:
                pending()
            except BaseException:
                self.pending = pending  # the next one to ask is told the same
                raise
        return self


def rule_of(instr: Instr) -> Rule | None:
    """Return the rule of a call, if the function it calls has one."""
    found: Rule | None = instr.param("rule")
    return found


def link_of(instr: Instr) -> Link:
    """Return the Link of an instruction `linked`: its operands are the values, the arguments of the forward
    half, and the residuals."""
    found: Link = instr.param("link")
    return found


def operand_of(instr: Instr, read: Read) -> Operand | None:
    """Return the operand of an instruction `linked` that a parameter of the reverse half holds; None for a
    seed."""
    kind, k = read
    values, count = link_of(instr).values, len(link_of(instr).forward.params)
    if kind == "seed":
        return None
    return instr.args[values + k if kind == "argument" else k if k < values else count + k]


def targets_of(instr: Instr) -> tuple[int, ...] | None:
    """Return the positions of the operands through which a derivative flows by a rule; None where there is
    none."""
    if instr.op.name == "linked":
        link = link_of(instr)
        return tuple(link.values + k for k in link.targets)
    rule = rule_of(instr)
    return rule.targets if rule is not None else None
