"""Python values as text: numbers, strings, dtypes, tuples and dicts of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def constant_text(value: Any) -> str:
    """Return an expression for a value known at compile time; ValueError if there is none."""
    match value:
        case None | bool():
            return repr(value)
        case np.dtype():
            return dtype_text(value)
        case np.generic():
            return f"{dtype_text(value.dtype)}({constant_text(value.item())})"
        case int():
            return repr(value)
        case float():
            return float_text(value)
        case complex():
            return complex_text(value)
        case str():
            return quoted(value)
        case bytes():
            return repr(value)
        case tuple():
            inside = ", ".join(map(constant_text, value))
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        case list():
            return f"[{', '.join(map(constant_text, value))}]"
        case dict():
            return f"{{{', '.join(f'{constant_text(k)}: {constant_text(v)}' for k, v in value.items())}}}"
        case type() if issubclass(value, np.generic):
            return dtype_text(np.dtype(value))
        case type() if value.__module__ == "builtins":
            return value.__name__
    raise ValueError(f"no text for a {type(value).__name__}")


def dtype_text(dtype: Any) -> str:
    """Return how a dtype is written: `np.float32`, `np.bool_`."""
    return "np.bool_" if dtype.kind == "b" else f"np.{dtype.name}"


def float_text(value: float) -> str:
    """Return a float as an expression."""
    if math.isnan(value):
        return "np.nan"
    if math.isinf(value):
        return "np.inf" if value > 0 else "-np.inf"
    return repr(value)


def complex_text(value: complex) -> str:
    """Return a complex number as an expression that has exactly its parts."""
    positive = math.copysign(1.0, value.real) > 0 and math.copysign(1.0, value.imag) > 0
    if value.real == 0.0 and positive and math.isfinite(value.imag):
        return repr(value.imag) + "j"
    return f"complex({float_text(value.real)}, {float_text(value.imag)})"


def quoted(text: str) -> str:
    """Return a string literal, in double quotes where that needs no escapes."""
    plain = repr(text)
    if plain[0] == "'" and '"' not in plain:
        return '"' + plain[1:-1].replace("\\'", "'") + '"'
    return plain
