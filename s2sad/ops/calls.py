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
    meaning_reduce,
    meaning_select,
    meaning_sets,
    meaning_shape,
    meaning_special,
    meaning_windows,
)
from s2sad.ops.call import ATTRIBUTES, FUNCTIONS, METHODS, Call

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
    meaning_quantiles,
    meaning_reduce,
    meaning_select,
    meaning_sets,
    meaning_shape,
    meaning_special,
    meaning_windows,
)


def lookup(obj: object) -> Call | None:
    """Return what calls of a function of NumPy, SciPy or math or of a builtin mean, None if not known."""
    try:
        return FUNCTIONS.get(obj) or meaning_special.special_functions().get(obj)
    except TypeError:  # not hashable
        return None


def method(name: str) -> Call | None:
    """Return what calls of an array method mean; the first parameter is the array."""
    return METHODS.get(name)


def attribute(name: str) -> Call | None:
    """Return what an array attribute means; the only parameter is the array."""
    return ATTRIBUTES.get(name)


__all__ = ["MEANINGS", "Call", "attribute", "lookup", "method"]
