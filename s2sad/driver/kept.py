"""What is kept with the function that it is of: programs (`vjp(f, x)` transforms `f` once), freed with it,
and what was read of it (`grad(f)` and `hvp(f, ...)` read `f` once), freed with the last program that uses it.

A table of this package would keep alive whatever the functions capture, and a weak table as well: programs
hold their functions.
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any

NAME = "_s2sad_programs"


class Kept(dict[Hashable, Any]):
    """The programs of a function, as an attribute of it."""

    def __init__(self, function: Callable[..., Any] | None = None):
        super().__init__()
        self.function = function
        self.readings: list[weakref.ref[Any]] = []

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        return Kept, ()  # a copy of the function begins anew

    def read(self) -> Iterator[Any]:
        """Yield what was read of the function and is still in use."""
        for reference in list(self.readings):
            reading = reference()
            if reading is not None:
                yield reading

    def note(self, reading: Any) -> None:
        """Keep what was read as long as somebody else does."""
        self.readings = [r for r in self.readings if r() is not None] + [weakref.ref(reading)]


def kept_with(function: Callable[..., Any]) -> Kept | None:
    """Return what is kept with a function; None for callables that have no attributes of their own."""
    if not isinstance(function, types.FunctionType):
        return None
    kept = function.__dict__.get(NAME)
    if not isinstance(kept, Kept) or kept.function is not function:  # functools.wraps copies attributes
        kept = function.__dict__[NAME] = Kept(function)
    return kept
