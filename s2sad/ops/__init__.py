"""The operation table: OPS has every op once this package is imported."""

from s2sad.ops import (
    arith,
    control,
    create,
    external,
    fourier,
    index,
    linalg,
    optimize,
    ordered,
    pymath,
    random,
    rearrange,
    reduce,
    shape,
    sparse,
    special,
    spectral,
    systems,
    triangular,
    ufuncs,
)
from s2sad.ops.calls import Call, attribute, distribution, draw, is_closed, lookup, method
from s2sad.ops.table import OPS

FAMILIES = (
    arith,
    control,
    create,
    external,
    fourier,
    index,
    linalg,
    optimize,
    ordered,
    pymath,
    random,
    rearrange,
    reduce,
    shape,
    sparse,
    special,
    spectral,
    systems,
    triangular,
    ufuncs,
)

__all__ = ["FAMILIES", "OPS", "Call", "attribute", "distribution", "draw", "is_closed", "lookup", "method"]
