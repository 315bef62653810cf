"""Programs kept with the functions they are of: `vjp(f, x)` transforms `f` once, and both are freed together.

A table of this package would keep alive whatever the functions capture, and a weak table as well: programs
hold their functions.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Hashable
from typing import Any

from s2sad.driver.program import Program
from s2sad.ir.transformed import Transformed

NAME = "_s2sad_programs"


class Kept(dict[Hashable, Program]):
    """The programs of a function, as an attribute of it."""

    def __init__(self, function: Callable[..., Any] | None = None):
        super().__init__()
        self.function = function

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        return Kept, ()  # a copy of the function begins anew


def program_of(kind: str, function: Callable[..., Any], **fields: Any) -> Program:
    """Return the program of `Transformed(kind, function, **fields)`, made at the first call."""
    key = (kind, *fields.items())
    if not isinstance(function, types.FunctionType):
        return _latest(_Callable(function), key)
    kept = function.__dict__.get(NAME)
    if not isinstance(kept, Kept) or kept.function is not function:  # functools.wraps copies attributes
        kept = function.__dict__[NAME] = Kept(function)
    if key not in kept:
        kept[key] = _made(function, key)
    return kept[key]


def _made(function: Callable[..., Any], key: tuple[Any, ...]) -> Program:
    kind, *fields = key
    return Program(Transformed(kind, function, **dict(fields)))


class _Callable:
    """What has no attributes of its own as a cache key: by identity, a bound method by its object and
    function."""

    __slots__ = ("function", "identity")

    def __init__(self, function: Callable[..., Any]):
        parts = (
            (function.__self__, function.__func__) if isinstance(function, types.MethodType) else (function,)
        )
        self.function, self.identity = function, tuple(map(id, parts))

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Callable) and self.identity == other.identity


@functools.lru_cache(maxsize=64)
def _latest(function: _Callable, key: tuple[Any, ...]) -> Program:
    return _made(function.function, key)
