"""Operations of scipy.linalg: triangular and banded systems, LU, matrix functions, Sylvester equations.

The formulas are those of Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
and, for lu, of Walter and Lehmann, Algorithmic Differentiation of Linear Algebra Functions (2010). The
derivative of a matrix function along E is the upper right block of that function of [[A, E], [0, A]]
(Higham, Functions of Matrices, 2008, theorem 3.6).
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from s2sad.errors import UnsupportedOp
from s2sad.ir.builder import Sizes
from s2sad.ir.path import Fancy
from s2sad.ir.types import INT, Array, Dtype
from s2sad.ops.declare import Params, Types, custom, nondiff
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import (
    concatenate,
    eye,
    item_at,
    matmul,
    size,
    span_at,
    swap,
    take_at,
    tril,
    triu,
    zeros_like,
)
from s2sad.ops.spectral import eigh_jvp, eigh_vjp
from s2sad.ops.support import load
from s2sad.ops.systems import checked_matrix, dtype_for, square

Dots = tuple[Expr | None, ...]
Args = tuple[Expr, ...]
MODULE = "scipy.linalg"


def scipy_function(name: str) -> Any:
    """Return a function that calls the one of scipy.linalg, which is imported at the first call."""

    def call(*args: Any, **params: Any) -> Any:
        try:
            function = getattr(importlib.import_module(MODULE), name)
        except ImportError as error:
            raise UnsupportedOp("S290", f"{name} needs SciPy", 'pip install "s2sad[jit]"') from error
        return function(*args, **params)

    return call


def _real_dtype(name: str, *types: Any) -> Dtype:
    for t in types:
        if t.dtype.kind == "c":
            raise UnsupportedOp("S202", f"{MODULE}.{name} of complex numbers is not supported")
    return dtype_for(name, *types)


def _spell(name: str, count: int, **shown: tuple[str, Any]) -> Any:
    """A call with those params as keywords that differ from SciPy's defaults."""

    def spell(types: Types, params: Params) -> str:
        items = ["{}"] * count
        for param, (keyword, default) in shown.items():
            if params.get(param, default) != default:
                items.append(f"{keyword}={type(default)(params[param])!r}")
        return f"{MODULE}.{name}({', '.join(items)})"

    return spell


# --- triangular systems -------------------------------------------------------------------------


def _solve_triangular(a: Any, b: Any, lower: bool = False, trans: bool = False, unit: bool = False) -> Any:
    solve = scipy_function("solve_triangular")
    return solve(a, b, trans=int(trans), lower=lower, unit_diagonal=unit)


def _system_infer(name: str) -> Any:
    def infer(types: Types, params: Params, sizes: Sizes) -> Types:
        a, b = types
        checked_matrix(name, a)
        return (Array(_real_dtype(name, a, b), b.shape),)

    return infer


def triangle(x: Expr, lower: bool, unit: bool) -> Expr:
    """Return the part of a matrix that a triangular solver reads."""
    return tril(x, k=-1 if unit else 0) if lower else triu(x, k=1 if unit else 0)


def solve_triangular(a: Expr, b: Expr, lower: bool, trans: bool = False, unit: bool = False) -> Expr:
    """Return the solution of a triangular system."""
    given = {k: True for k, flag in (("lower", lower), ("trans", trans), ("unit", unit)) if flag}
    return apply("solve_triangular", a, b, **given)


def _triangular_product(
    y: Expr, a: Expr, b: Expr, lower: bool = False, trans: bool = False, unit: bool = False
) -> Expr:
    part = triangle(a, lower, unit)
    found = matmul(swap(part) if trans else part, y)
    return found + y if unit else found


def _triangular_jvp(
    dots: Dots, args: Args, y: Expr, lower: bool = False, trans: bool = False, unit: bool = False
) -> Expr:
    (a, _), (a_dot, b_dot) = args, dots
    rest = b_dot
    if a_dot is not None:
        part = triangle(a_dot, lower, unit)
        moved = matmul(swap(part) if trans else part, y)
        rest = -moved if rest is None else rest - moved
    assert rest is not None
    return solve_triangular(a, rest, lower, trans, unit)


def outer_product(w: Expr, y: Expr) -> Expr:
    """Return w yᵀ, of vectors or of matrices with one column per system."""
    return apply("outer", w, y) if w.ndim == 1 else matmul(w, swap(y))


def _triangular_vjp(
    g: Expr, args: Args, y: Expr, lower: bool = False, trans: bool = False, unit: bool = False
) -> tuple[Expr, Expr]:
    a, _ = args
    w = solve_triangular(a, g, lower, not trans, unit)
    part = outer_product(y, w) if trans else outer_product(w, y)
    return -triangle(part, lower, unit), w


custom(
    "solve_triangular",
    _solve_triangular,
    _triangular_jvp,
    _triangular_vjp,
    "scipy.linalg.solve_triangular",
    spell=_spell(
        "solve_triangular", 2, lower=("lower", False), trans=("trans", 0), unit=("unit_diagonal", False)
    ),
    infer=_system_infer("solve_triangular"),
    cost=100,
    undoes=(1, _triangular_product),
    doc="reads one triangle, and so does its derivative",
)

# --- LU -----------------------------------------------------------------------------------------


def _lu_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    (a,) = types
    checked_matrix("lu_factor", a)
    if a.ndim != 2:
        raise UnsupportedOp("S202", "lu_factor of stacks of matrices is not supported", "write a loop")
    return Array(_real_dtype("lu_factor", a), a.shape), Array(np.dtype(np.int32), (a.shape[0],))


def unit_lower(lu: Expr) -> Expr:
    """Return the factor L of packed factors."""
    return tril(lu, k=-1) + eye(size(lu, 0), size(lu, 0), dtype=lu.dtype)


def rows_at(x: Expr, order: Expr) -> Expr:
    """Return the rows of x in an order."""
    return item_at(x, 0, Fancy(), order)


def _lu_jvp(dots: Dots, args: Args, y: Args) -> tuple[Expr, None]:
    (d,), (lu, piv) = dots, y
    assert d is not None
    moved = rows_at(d, apply("row_order", piv))
    inner = solve_triangular(lu, moved, lower=True, unit=True)
    inner = swap(solve_triangular(lu, swap(inner), lower=False, trans=True))  # right division by U
    return matmul(unit_lower(lu), tril(inner, k=-1)) + matmul(triu(inner), triu(lu)), None


def _lu_vjp(g: tuple[Expr | None, Expr | None], args: Args, y: Args) -> tuple[Expr]:
    (bar, _), (lu, piv) = g, y
    assert bar is not None
    low, up = unit_lower(lu), triu(lu)
    inner = tril(matmul(swap(low), tril(bar, k=-1)), k=-1) + triu(matmul(triu(bar), swap(up)))
    inner = swap(solve_triangular(lu, swap(inner), lower=False))
    inner = solve_triangular(lu, inner, lower=True, trans=True, unit=True)
    return (rows_at(inner, apply("argsort", apply("row_order", piv), axis=0)),)


def _lu_factor(a: Any) -> Any:
    lu, piv = scipy_function("lu_factor")(a)
    return lu, np.asarray(piv, np.int32)


custom(
    "lu_factor",
    _lu_factor,
    _lu_jvp,
    _lu_vjp,
    "scipy.linalg.lu_factor",
    infer=_lu_infer,
    results=2,
    cost=200,
    doc="the packed factors, and the exchanges of rows",
)
nondiff(
    "row_order",
    load("row_order"),
    "row_order({})",
    infer=lambda types, params, sizes: (Array(INT, types[0].shape),),
    doc="the order of rows that exchanging row k with row piv[k], one after the other, leaves",
)

# --- banded systems -----------------------------------------------------------------------------


def _solve_banded(ab: Any, b: Any, lower: int, upper: int) -> Any:
    return scipy_function("solve_banded")((lower, upper), ab, b)


def _shifted(x: Expr, by: int) -> Expr:
    """x[..., j - by] at j along the last axis, 0 where there is none."""
    k = x.ndim - 1
    if not by:
        return x
    n = size(x, k)
    gap = abs(by)
    kept = span_at(x, k, hi=apply("py_max", n - gap, 0)) if by > 0 else span_at(x, k, lo=gap)
    hole = zeros_like(span_at(x, k, hi=apply("py_min", n, gap)), dtype=None)
    return concatenate((hole, kept) if by > 0 else (kept, hole), k)


def _banded(rows: list[Expr]) -> Expr:
    return apply("stack", *rows, axis=0)


def _transposed_bands(ab: Expr, lower: int, upper: int) -> Expr:
    """The bands of the transpose: diagonal d of it is diagonal -d, stored by its own columns."""
    return _banded([_shifted(take_at(ab, 0, upper + d), d) for d in range(lower, -upper - 1, -1)])


def _along_columns(x: Expr) -> Expr:
    return x if x.ndim == 1 else swap(x)


def _banded_product(y: Expr, ab: Expr, b: Expr | None, lower: int, upper: int) -> Expr:
    x = _along_columns(y)
    total: Expr | None = None
    for d in range(upper, -lower - 1, -1):
        part = _shifted(take_at(ab, 0, upper - d) * x, -d)
        total = part if total is None else total + part
    assert total is not None
    return _along_columns(total)


def _banded_jvp(dots: Dots, args: Args, y: Expr, lower: int, upper: int) -> Expr:
    (ab, _), (ab_dot, rest) = args, dots
    if ab_dot is not None:
        moved = _banded_product(y, ab_dot, None, lower, upper)
        rest = -moved if rest is None else rest - moved
    assert rest is not None
    return apply("solve_banded", ab, rest, lower=lower, upper=upper)


def _banded_vjp(g: Expr, args: Args, y: Expr, lower: int, upper: int) -> tuple[Expr, Expr]:
    ab, _ = args
    w = apply("solve_banded", _transposed_bands(ab, lower, upper), g, lower=upper, upper=lower)
    u, x = _along_columns(w), _along_columns(y)
    parts = [_shifted(u, d) * x for d in range(upper, -lower - 1, -1)]
    if y.ndim > 1:
        parts = [apply("sum", p, axis=(0,), keepdims=False) for p in parts]
    return -_banded(parts), w


def _spell_banded(types: Types, params: Params) -> str:
    return f"{MODULE}.solve_banded(({params['lower']}, {params['upper']}), {{}}, {{}})"


custom(
    "solve_banded",
    _solve_banded,
    _banded_jvp,
    _banded_vjp,
    "scipy.linalg.solve_banded",
    spell=_spell_banded,
    infer=_system_infer("solve_banded"),
    cost=30,
    undoes=(1, _banded_product),
    doc="params lower, upper: how many diagonals there are below and above",
)

# --- matrix functions ---------------------------------------------------------------------------


def _along(name: str, a: Expr, e: Expr) -> Expr:
    """The derivative of a matrix function at `a` along `e`."""
    k = a.ndim
    zero = zeros_like(a, dtype=None)
    top, bottom = concatenate((a, e), k - 1), concatenate((zero, a), k - 1)
    whole = apply(name, concatenate((top, bottom), k - 2))
    n = size(a, k - 1)
    return span_at(span_at(whole, k - 2, hi=n), k - 1, lo=n)


custom(
    "expm",
    scipy_function("expm"),
    lambda dots, args, y: _along("expm", args[0], dots[0]),
    lambda g, args, y: (_along("expm", swap(args[0]), g),),
    "scipy.linalg.expm",
    infer=square("expm", complex_too=False),
    cost=2000,
)


def sylvester(a: Expr, b: Expr, q: Expr) -> Expr:
    """Return the solution x of a x + x b = q."""
    return apply("solve_sylvester", a, b, q)


def _sylvester_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    a, b, _ = args
    a_dot, b_dot, rest = dots
    parts = (None if a_dot is None else matmul(a_dot, y), None if b_dot is None else matmul(y, b_dot))
    for moved in parts:
        if moved is not None:
            rest = -moved if rest is None else rest - moved
    assert rest is not None
    return sylvester(a, b, rest)


def _sylvester_vjp(g: Expr, args: Args, y: Expr) -> tuple[Expr, Expr, Expr]:
    a, b, _ = args
    w = sylvester(swap(a), swap(b), g)
    return -matmul(w, swap(y)), -matmul(swap(y), w), w


def _sylvester_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    for t in types:
        checked_matrix("solve_sylvester", t)
    return (Array(_real_dtype("solve_sylvester", *types), types[2].shape),)


custom(
    "solve_sylvester",
    scipy_function("solve_sylvester"),
    _sylvester_jvp,
    _sylvester_vjp,
    "scipy.linalg.solve_sylvester",
    infer=_sylvester_infer,
    cost=2000,
    undoes=(2, lambda y, a, b, q: matmul(a, y) + matmul(y, b)),
)
custom(
    "sqrtm",
    load("sqrtm"),
    lambda dots, args, y: sylvester(y, y, dots[0]),
    lambda g, args, y: (sylvester(swap(y), swap(y), g),),
    "sqrtm({})",
    infer=square("sqrtm", complex_too=False),
    cost=3000,
    kinks="LinAlgError where the square root is complex, and for the derivative where it is singular",
)


# --- eigenvectors -------------------------------------------------------------------------------


def _half(lower: bool) -> str:
    return "L" if lower else "U"


def _eigh_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    checked_matrix("eigh", types[0])
    dtype = _real_dtype("eigh", types[0])
    return Array(dtype, types[0].shape[:-1]), Array(dtype, types[0].shape)


custom(
    "scipy_eigh",
    lambda a, lower=True: scipy_function("eigh")(a, lower=lower),
    lambda dots, args, y, lower=True: eigh_jvp(dots, args, y, _half(lower)),
    lambda g, args, y, lower=True: eigh_vjp(g, args, y, _half(lower)),
    "scipy.linalg.eigh",
    infer=_eigh_infer,
    results=2,
    cost=900,
    spell=_spell("eigh", 1, lower=("lower", True)),
    doc="the vectors have other signs than those of np.linalg.eigh",
    kinks="equal eigenvalues contribute 0 to their vectors",
)
