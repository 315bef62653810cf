"""The programs of functions that are given at each call: `vjp(f, x)` transforms `f` once."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from s2sad.driver.kept import kept_with
from s2sad.driver.program import Program
from s2sad.ir.transformed import Transformed


def program_of(kind: str, function: Callable[..., Any], **fields: Any) -> Program:
    """Return the program of `Transformed(kind, function, **fields)`, made at the first call."""
    key = (kind, *fields.items())
    kept = kept_with(function)
    if kept is None:
        return _latest(_Callable(function), key)
    if key not in kept:
        kept[key] = _made(function, key)
    program: Program = kept[key]
    return program


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
