"""What is known of a loop while its body is being read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from s2sad.errors import S2sadError
from s2sad.frontend.machine import State
from s2sad.frontend.values import Abstract, Box
from s2sad.ir.core import Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import Type
from s2sad.record import dataclass

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Hint:
    """What must be assumed of a slot: `num` of a type; `own`: an array of a type in a buffer of its
    own; `maybe`: not bound before the loop, like `template` after it; `series`; `box`: another container
    in every trip; `twin`: it may be one from before the loop; `poison`."""

    kind: str
    type: Type | None = None
    template: Abstract | None = None
    state: State | None = None  # where the containers of `template` are found
    per_trip: int = 0  # series: items appended in every trip, 0 if that varies
    none: bool = False  # maybe: where it has no value it is None


class Refine(Exception):
    """Assumptions about a loop header do not hold."""

    def __init__(self, loop: Loop, key: Key, hint: Hint, more: Mapping[Key, Hint] | None = None):
        super().__init__(str(key))
        self.loop, self.hint = loop, hint
        self.hints = {key: hint, **(more or {})}


def refine(loop: Loop, hints: Mapping[Key, Hint]) -> None:
    """Raise what has been learned, if anything."""
    for key, hint in hints.items():
        raise Refine(loop, key, hint, hints)


@dataclass(frozen=True, slots=True)
class Counted:
    """A list to which every trip appends as many items; `count` carries its length out of a loop that
    breaks."""

    key: Key
    before: int
    per_trip: int
    count: Value | None


@dataclass(slots=True, eq=False)
class Loop:
    """A loop whose body is being read."""

    hints: dict[Key, Hint]
    varying: set[Size]  # sizes that differ from trip to trip
    header: dict[Key, Abstract] = field(default_factory=dict)  # slot key -> assumed value
    buffers: list[int] = field(default_factory=list)
    params: list[Value] = field(default_factory=list)
    inits: list[Operand] = field(default_factory=list)
    owned: dict[Key, int] = field(default_factory=dict)  # slots with a buffer of their own
    boxed: dict[Key, tuple[Box, Abstract]] = field(
        default_factory=dict
    )  # slots with a container of their own
    heads: dict[int, Value] = field(default_factory=dict)  # what buffers hold at the head of a trip
    before: State = field(default_factory=State)
    stale: set[int] = field(default_factory=set)
    trips: Operand | None = None  # the number of trips, where every trip but the last runs to its end
    breaks: bool = False  # the last trip may end early, before all are done
    counts: list[Counted] = field(default_factory=list)
    leaving: bool = False  # the edge that is being looked at leads out of the loop
    escaping: tuple[Key, ...] = ()  # names not bound before the loop that later trips or statements may read
    at_next: Callable[[], None] = lambda: None  # checks what must hold where another trip begins
    waiting: S2sadError | None = None  # a name was read that a later part of the body should bind
