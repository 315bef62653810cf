"""Programs kept with the functions they are of: `vjp(f, x)` transforms `f` once, and both are freed together.

A table of this package would keep alive whatever the functions capture, and a weak table as well: programs
hold their functions.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from s2sad.driver.program import Program
from s2sad.ir.transformed import Transformed

NAME = "_s2sad_programs"


class Kept(dict[Transformed, Program]):
    """The programs of a function, as an attribute of it."""

    def __init__(self, function: Callable[..., Any] | None = None):
        super().__init__()
        self.function = function

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        return Kept, ()  # a copy of the function begins anew


def program_of(record: Transformed) -> Program:
    """Return the program of a record: the same for the same function and options."""
    function = record.function
    if not isinstance(function, types.FunctionType):
        return _latest(_Key(record))
    kept = function.__dict__.get(NAME)
    if not isinstance(kept, Kept) or kept.function is not function:  # functools.wraps copies attributes
        kept = function.__dict__[NAME] = Kept(function)
    key = replace(record, function=None)
    if key not in kept:
        kept[key] = Program(record)
    return kept[key]


class _Key:
    """What has no attributes of its own as a cache key: by identity, a bound method by its object and
    function."""

    __slots__ = ("identity", "record")

    def __init__(self, record: Transformed):
        fun = record.function
        parts = (fun.__self__, fun.__func__) if isinstance(fun, types.MethodType) else (fun,)
        self.record = record
        self.identity = (*map(id, parts), replace(record, function=None))

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.identity == other.identity


@functools.lru_cache(maxsize=64)
def _latest(key: _Key) -> Program:
    return Program(key.record)
