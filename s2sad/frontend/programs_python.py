"""What functions of Python's own modules stand for, as programs: operators by name, folds."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any


def add(a: Any, b: Any, /) -> Any:
    """Return a + b."""
    return a + b


def sub(a: Any, b: Any, /) -> Any:
    """Return a - b."""
    return a - b


def mul(a: Any, b: Any, /) -> Any:
    """Return a * b."""
    return a * b


def truediv(a: Any, b: Any, /) -> Any:
    """Return a / b."""
    return a / b


def floordiv(a: Any, b: Any, /) -> Any:
    """Return a // b."""
    return a // b


def mod(a: Any, b: Any, /) -> Any:
    """Return a % b."""
    return a % b


def power(a: Any, b: Any, /) -> Any:
    """Return a**b."""
    return a**b


def matmul(a: Any, b: Any, /) -> Any:
    """Return a @ b."""
    return a @ b


def neg(a: Any, /) -> Any:
    """Return -a."""
    return -a


def lt(a: Any, b: Any, /) -> Any:
    """Return a < b."""
    return a < b


def le(a: Any, b: Any, /) -> Any:
    """Return a <= b."""
    return a <= b


def gt(a: Any, b: Any, /) -> Any:
    """Return a > b."""
    return a > b


def ge(a: Any, b: Any, /) -> Any:
    """Return a >= b."""
    return a >= b


def eq(a: Any, b: Any, /) -> Any:
    """Return a == b."""
    return a == b


def ne(a: Any, b: Any, /) -> Any:
    """Return a != b."""
    return a != b


def getitem(a: Any, b: Any, /) -> Any:
    """Return a[b]."""
    return a[b]


def reduce(function: Any, sequence: Any, /, *initial: Any) -> Any:
    """Return the fold of a sequence, from its first item on if no other is given."""
    total = initial[0] if initial else sequence[0]
    for x in sequence if initial else sequence[1:]:
        total = function(total, x)
    return total


PROGRAMS_OF_PYTHON: dict[Any, Callable[..., Any]] = {
    operator.add: add,
    operator.sub: sub,
    operator.mul: mul,
    operator.truediv: truediv,
    operator.floordiv: floordiv,
    operator.mod: mod,
    operator.pow: power,
    operator.matmul: matmul,
    operator.neg: neg,
    operator.lt: lt,
    operator.le: le,
    operator.gt: gt,
    operator.ge: ge,
    operator.eq: eq,
    operator.ne: ne,
    operator.getitem: getitem,
    functools.reduce: reduce,
}
