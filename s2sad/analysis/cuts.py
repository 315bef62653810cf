"""Where derivatives end: values that depend on a parameter, and have no derivative by it."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.analysis.activity import Activity, activity
from s2sad.analysis.flows import Flow, Place, Returned, flows, reached
from s2sad.analysis.pullback import Pullbacks
from s2sad.errors import Origin, S2sadError
from s2sad.ir.core import Function, Value, returns
from s2sad.ir.types import is_differentiable
from s2sad.record import dataclass

COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
INTEGERS = ("to_int", "cast", "round_to_int", "math_floor", "math_ceil", "math_trunc")
WRITES = ("setitem", "accum")
SPELLED = {"int": INTEGERS, "a comparison": COMPARISONS}


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where the derivative of what follows is zero, and what makes it so."""

    why: str
    origin: Origin | None


class Cuts:
    """The cuts of a function: `at` all of them (with respect to every float parameter), and `of(p)` those
    that leave the parameter p without a derivative."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.flows = flows(fn)
        self.results = {Returned(fn, k) for end in returns(fn.block) for k in range(len(end.args))}
        self.telling = reached(self.results, self.flows, backwards=True)
        self.alone = {p: _active(fn, (p,)) for p in fn.params if is_differentiable(p.type)}
        known = [p for p, active in self.alone.items() if active is not None]
        self.active = _active(fn, known) or Activity(frozenset(), frozenset())
        self.at = self._between(self.active, known)

    def of(self, param: Value) -> tuple[Cut, ...] | None:
        """Return what cuts the derivative by a float parameter: nothing if no result depends on it; None
        if there is a derivative, or no rule for one."""
        alone = self.alone[param]
        if alone is None or param in alone:
            return None
        found = self._between(alone, (param,))
        if not found and not self.results.isdisjoint(reached((param,), self.flows)):
            return (Cut("what a called function does", self.fn.origin),)
        return found

    def _between(self, active: Activity, params: Sequence[Value]) -> tuple[Cut, ...]:
        known = reached(params, self.flows)
        found = (f for f in self.flows if f.source in known and self._is_cut(f, active))
        return tuple(dict.fromkeys(Cut(_reason(f), f.via.origin) for f in found if f.via is not None))

    def _is_cut(self, flow: Flow, active: Activity) -> bool:
        return (
            flow.source in active.varied and not _varies(flow.target, active) and flow.target in self.telling
        )


def _active(fn: Function, params: Sequence[Value]) -> Activity | None:
    """Return the activity with respect to some parameters; None if there is no rule for it."""
    chosen = set(params)
    try:
        return activity(fn, tuple(p in chosen for p in fn.params), Pullbacks())
    except S2sadError:
        return None


def _varies(place: Place, active: Activity) -> bool:
    return isinstance(place, Returned) or place in active.varied


def _reason(flow: Flow) -> str:
    assert flow.via is not None
    name = flow.via.op.name
    if name in WRITES:
        return "an array of ints"
    return next((why for why, names in SPELLED.items() if name in names), name)
