"""What kind of value an abstract value is, where operators tell values apart."""

from __future__ import annotations

import numpy as np

from s2sad.frontend.values import Abstract, Num, Ref, Static


def is_numeric(value: Abstract) -> bool:
    """Return True for numbers and arrays, compile-time ones included."""
    if isinstance(value, Num | Ref):
        return True
    return (
        isinstance(value, Static)
        and isinstance(value.value, int | float | complex | np.number | np.ndarray)
        and not isinstance(value.value, bool)
    )


def is_no_number(value: Abstract) -> bool:
    """Return True for strings and None, which no number is equal to."""
    return isinstance(value, Static) and (value.value is None or isinstance(value.value, str | bytes))


def is_known(value: Abstract) -> bool:
    """Return True for compile-time values, and ints: theirs can be assumed."""
    if isinstance(value, Num):
        return value.literal is not None or value.operand.type.dtype.kind in "iu"
    return isinstance(value, Static)


def is_text(value: Abstract) -> bool:
    """Return True for strings."""
    return isinstance(value, Static) and isinstance(value.value, str | bytes)
