"""What reading a list of statements came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from s2sad.errors import S2sadError
from s2sad.ir.core import End

RETURN, BROKE = "$return", "$broke"


class Returned:
    """An inlined function has returned; the value is bound to RETURN in its frame."""


class StaticExit:
    """A break or continue of an unrolled loop, decided at compile time."""

    def __init__(self, kind: str):
        self.kind = kind


class Unrolled:
    """Marks an unrolled loop on a frame's stack of loops. `later(broke)` reads what follows the present trip,
    or the loop that it has left by break, to the end of an inlined function."""

    def __init__(self, branch_depth: int):
        self.branch_depth = branch_depth
        self.later: Callable[[bool], Any] = lambda broke: None


class NotBoundYet(Exception):
    """A name is read that an earlier trip of a loop binds, but the body is being read for the first time
    and its value is not known: the branch counts as left, until the body has been read to its end."""

    def __init__(self, loop: Any, error: S2sadError):
        super().__init__(error)
        self.loop, self.error = loop, error


Outcome = End | Returned | StaticExit | None
"""None: control falls through; an End: it has left the block."""
