"""What a Python-level call means: `lookup` of functions, `method` and `attribute` of arrays."""

from __future__ import annotations

from s2sad.ops import (
    meaning_create,
    meaning_edit,
    meaning_elementwise,
    meaning_fourier,
    meaning_indices,
    meaning_linalg,
    meaning_linear,
    meaning_numeric,
    meaning_order,
    meaning_polynomials,
    meaning_python,
    meaning_quantiles,
    meaning_random,
    meaning_reduce,
    meaning_scipy,
    meaning_select,
    meaning_sets,
    meaning_shape,
    meaning_special,
    meaning_stats,
    meaning_windows,
)
from s2sad.ops.call import ATTRIBUTES, FUNCTIONS, METHODS, Call
from s2sad.ops.meaning_stats import distribution, is_closed

MEANINGS = (
    meaning_create,
    meaning_edit,
    meaning_elementwise,
    meaning_fourier,
    meaning_indices,
    meaning_linalg,
    meaning_linear,
    meaning_numeric,
    meaning_order,
    meaning_polynomials,
    meaning_python,
    meaning_random,
    meaning_quantiles,
    meaning_reduce,
    meaning_scipy,
    meaning_select,
    meaning_sets,
    meaning_shape,
    meaning_special,
    meaning_stats,
    meaning_windows,
)


def lookup(obj: object) -> Call | None:
    """Return what calls of a function of NumPy, SciPy or math or of a builtin mean, None if not known."""
    try:
        found = FUNCTIONS.get(obj) or meaning_special.special_functions().get(obj)
    except TypeError:  # not hashable
        return None
    return found or meaning_stats.stats_call(obj) or meaning_scipy.scipy_call(obj)


def method(name: str) -> Call | None:
    """Return what calls of an array method mean; the first parameter is the array."""
    return METHODS.get(name)


def draw(name: str) -> Call | None:
    """Return what calls of a method of a random stream mean; the first parameter is the stream."""
    return meaning_random.DRAWS.get(name)


def attribute(name: str) -> Call | None:
    """Return what an array attribute means; the only parameter is the array."""
    return ATTRIBUTES.get(name)


__all__ = ["MEANINGS", "Call", "attribute", "distribution", "draw", "is_closed", "lookup", "method"]
