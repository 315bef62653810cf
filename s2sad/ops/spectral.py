"""Eigenvalues and singular values: np.linalg, over stacks of matrices as there.

The formulas are those of Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008),
and for svd of Townsend, Differentiating the Singular Value Decomposition (2016), and of Wan and Zhang,
Automatic differentiation for complex valued SVD (2019). eigh reads one triangle of
its argument, as NumPy does: the other gets a cotangent of 0. Equal eigenvalues or singular values contribute
0 to the derivatives of their vectors, singular values of 0 likewise.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import numpy as np

from s2sad.errors import UnsupportedOp
from s2sad.ir.builder import Sizes
from s2sad.ir.types import Array, Dtype
from s2sad.ops.declare import Params, Types, custom
from s2sad.ops.expr import Expr, apply, apply_all
from s2sad.ops.functions import (
    conj,
    imag,
    matmul,
    nonzero_denominator,
    real,
    size,
    swap,
    take_at,
    total,
    tril,
    triu,
)
from s2sad.ops.support import load
from s2sad.ops.systems import (
    C8,
    F4,
    Args,
    Dots,
    adjoint,
    checked_matrix,
    column,
    dtype_for,
    from_lower,
    halved,
    inferred,
    is_complex,
    least,
    real_of,
    row,
    solve,
)

# --- eigenvalues --------------------------------------------------------------------------------


def _gaps(w: Expr) -> Expr:
    """1 / (w[j] - w[i]), 0 where they are equal."""
    d = row(w) - column(w)
    return d / nonzero_denominator(d * d)


def _eigh(a: Any, UPLO: str = "L") -> Any:
    w, v = np.linalg.eigh(a, "L" if UPLO == "L" else "U")
    return w, v


def _symmetric(x: Expr, half: str) -> Expr:
    return from_lower(x if half == "L" else adjoint(x))


def _onto(g: Expr, half: str) -> Expr:
    """The cotangent of a symmetric matrix as that of the half that is read."""
    if is_complex(g):
        lower = halved(g + adjoint(g)) if half == "L" else halved(conj(g) + swap(g))
        return lower if half == "L" else swap(lower)
    return tril(g) + swap(triu(g, k=1)) if half == "L" else triu(g) + swap(tril(g, k=-1))


def eigh_jvp(dots: Dots, args: Args, y: Args, UPLO: str = "L") -> tuple[Expr, Expr]:
    """Return the tangents of eigenvalues and vectors of the symmetric matrix of one half."""
    (w, v), (d,) = y, dots
    assert d is not None
    x = matmul(adjoint(v), matmul(_symmetric(d, UPLO), v))
    free = matmul(v, _gaps(w) * x)
    if not is_complex(v):
        return apply("diagonal", x), free
    k = 0 if UPLO == "L" else -1  # LAPACK leaves this element of each vector real
    turn = imag(take_at(free, free.ndim - 2, k)) / real(take_at(v, v.ndim - 2, k))
    return real(apply("diagonal", x)), free - v * (1j * row(turn))


def eigh_vjp(g: tuple[Expr | None, Expr | None], args: Args, y: Args, UPLO: str = "L") -> tuple[Expr]:
    """Return the cotangent of the half that is read."""
    (w_bar, v_bar), (w, v) = g, y
    inner: Expr | None = None
    if v_bar is not None:
        if is_complex(v):
            v_bar = v_bar - _turned(v_bar, v, UPLO)
        inner = matmul(_gaps(w) * matmul(swap(v), v_bar), swap(v))
    if w_bar is not None:
        part = column(w_bar) * swap(v)
        inner = part if inner is None else inner + part
    assert inner is not None
    return (_onto(matmul(conj(v) if is_complex(v) else v, inner), UPLO),)


def _turned(v_bar: Expr, v: Expr, half: str) -> Expr:
    """What the phases of the vectors, which keep an element of each real, take from the cotangent."""
    k = v.ndim - 2
    at = 0 if half == "L" else -1
    turn = row(1j * imag(total(v_bar * v, k)) / real(take_at(v, k, at)))
    n = size(v, k)
    chosen = apply("equal", column(apply("arange", 0, n, 1)), 0 if half == "L" else n - 1)
    return chosen * turn


custom(
    "eigh",
    _eigh,
    eigh_jvp,
    eigh_vjp,
    "np.linalg.eigh",
    infer=inferred("eigh", True, lambda s, dtype: (Array(real_of(dtype), s[:-1]), Array(dtype, s))),
    results=2,
    cost=900,
    defaults={"UPLO": "L"},
    kinks="equal eigenvalues contribute 0 to their vectors",
)


def _vectors(a: Expr, half: str) -> Args:
    """Eigenvalues and vectors of the matrix of one half, whichever sign the vectors have."""
    return apply_all("eigh", a if half == "L" else adjoint(a), UPLO="L")


def _eigvalsh_jvp(dots: Dots, args: Args, y: Expr, UPLO: str = "L") -> Expr:
    return eigh_jvp(dots, args, _vectors(args[0], UPLO), UPLO)[0]


def _eigvalsh_vjp(g: Expr, args: Args, y: Expr, UPLO: str = "L") -> tuple[Expr]:
    return eigh_vjp((g, None), args, _vectors(args[0], UPLO), UPLO)


custom(
    "eigvalsh",
    np.linalg.eigvalsh,
    _eigvalsh_jvp,
    _eigvalsh_vjp,
    "np.linalg.eigvalsh",
    infer=inferred("eigvalsh", True, lambda s, dtype: (Array(real_of(dtype), s[:-1]),)),
    cost=600,
    defaults={"UPLO": "L"},
)


def _complex(dtype: Dtype) -> Dtype:
    return C8 if dtype in (F4, C8) else np.dtype(np.complex128)


def _largest(v: Expr) -> Expr:
    """1 at the first of the largest elements of each column: those that LAPACK makes real."""
    k = apply("argmax", apply("absolute", v), axis=v.ndim - 2)
    return apply("equal", column(apply("arange", 0, size(v, v.ndim - 1), 1)), row(k))


def _eig_jvp(dots: Dots, args: Args, y: Args) -> tuple[Expr, Expr]:
    (w, v), (d,) = y, dots
    assert d is not None
    x = solve(v, matmul(d, v))
    free = matmul(v, _gaps(w) * x)
    length = real(total(conj(v) * free, v.ndim - 2, True))
    chosen = _largest(v)
    turn = imag(total(chosen * free, v.ndim - 2, True) / total(chosen * v, v.ndim - 2, True))
    return apply("diagonal", x), free - v * (length + 1j * turn)


def _eig_vjp(g: tuple[Expr | None, Expr | None], args: Args, y: Args) -> tuple[Expr]:
    (w_bar, v_bar), (w, v) = g, y
    inner: Expr | None = None
    if v_bar is not None:
        c = total(v_bar * v, v.ndim - 2, True)
        chosen = _largest(v)
        turned = 1j * imag(c) / total(chosen * v, v.ndim - 2, True) * chosen
        free = v_bar - real(c) * conj(v) - turned
        inner = matmul(_gaps(w) * matmul(swap(v), free), swap(v))
    if w_bar is not None:
        part = column(w_bar) * swap(v)
        inner = part if inner is None else inner + part
    assert inner is not None
    return (solve(swap(v), inner),)


custom(
    "eig",
    load("eig"),
    _eig_jvp,
    _eig_vjp,
    "eig({})",
    infer=inferred("eig", True, lambda s, t: (Array(_complex(t), s[:-1]), Array(_complex(t), s))),
    results=2,
    cost=2000,
    doc="always complex; vectors of length 1 whose largest element is real",
    kinks="equal eigenvalues contribute 0 to their vectors",
)
custom(
    "eigvals",
    load("eigvals"),
    lambda dots, args, y: _eig_jvp(dots, args, apply_all("eig", args[0]))[0],
    lambda g, args, y: _eig_vjp((g, None), args, apply_all("eig", args[0])),
    "eigvals({})",
    infer=inferred("eigvals", True, lambda s, t: (Array(_complex(t), s[:-1]),)),
    cost=1000,
    doc="always complex",
)

# --- singular values ----------------------------------------------------------------------------


def _svd(a: Any, full_matrices: bool = False) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=full_matrices)
    return u, s, vh


def _svd_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    checked_matrix("svd", types[0])
    dtype = dtype_for("svd", types[0])
    *batch, n, m = types[0].shape
    k = least(n, m)
    full = params.get("full_matrices", False)
    return (
        Array(dtype, (*batch, n, n if full else k)),
        Array(real_of(dtype), (*batch, k)),
        Array(dtype, (*batch, m if full else k, m)),
    )


def _inverse(s: Expr) -> Expr:
    return s / nonzero_denominator(s * s)


def _no_vectors() -> UnsupportedOp:
    why = "singular vectors of complex matrices have no derivative rule: their phases are LAPACK's choice"
    return UnsupportedOp("S203", why, "use the singular values alone: compute_uv=False")


def _svd_jvp(dots: Dots, args: Args, y: Args, full_matrices: bool = False) -> tuple[Expr, Expr, Expr]:
    (u, s, vh), (d,) = y, dots
    assert d is not None
    if is_complex(u):
        raise _no_vectors()
    p = matmul(swap(u), matmul(d, swap(vh)))
    gaps, col, flat = _gaps(s * s), column(s), row(s)
    u_dot = matmul(u, gaps * (p * flat + col * swap(p)))
    u_dot = u_dot + (matmul(d, swap(vh)) - matmul(u, p)) * row(_inverse(s))
    v_dot = matmul(swap(vh), gaps * (col * p + swap(p) * flat))
    v_dot = v_dot + (matmul(swap(d), u) - matmul(swap(vh), swap(p))) * row(_inverse(s))
    return u_dot, apply("diagonal", p), swap(v_dot)


def _svd_vjp(g: tuple[Expr | None, ...], args: Args, y: Args, full_matrices: bool = False) -> tuple[Expr]:
    (u_bar, s_bar, vh_bar), (u, s, vh) = g, y
    if is_complex(u):
        if u_bar is not None or vh_bar is not None:
            raise _no_vectors()
        assert s_bar is not None
        u, s, vh = _triplets(args[0])
        return (conj(matmul(u, column(s_bar) * vh)),)
    if full_matrices and u_bar is None and vh_bar is None:  # what belongs to no singular value is not wanted
        u, s, vh = apply_all("svd", args[0], full_matrices=False)
    gaps, col, flat, inverse = _gaps(s * s), column(s), row(s), _inverse(s)
    inner: list[Expr] = []  # between u and vh
    outer: list[Expr] = []
    if s_bar is not None:
        inner.append(column(s_bar) * vh)
    if u_bar is not None:
        x = matmul(swap(u), u_bar)
        inner.append(matmul(gaps * (x - swap(x)) * flat, vh))
        outer.append(matmul((u_bar - matmul(u, x)) * row(inverse), vh))
    if vh_bar is not None:
        x = matmul(vh, swap(vh_bar))
        inner.append(matmul(col * (gaps * (x - swap(x))), vh))
        inner.append(column(inverse) * (vh_bar - matmul(swap(x), vh)))
    found: Expr | None = None
    if inner:
        between = inner[0]
        for part in inner[1:]:
            between = between + part
        found = matmul(u, between)
    for part in outer:
        found = part if found is None else found + part
    assert found is not None
    return (found,)


custom(
    "svd",
    _svd,
    _svd_jvp,
    _svd_vjp,
    "np.linalg.svd",
    infer=_svd_infer,
    results=3,
    cost=1500,
    defaults={"full_matrices": True},
    kinks="equal singular values contribute 0 to their vectors, and so do those that are 0",
)


def _triplets_jvp(dots: Dots, args: Args, y: Args) -> tuple[Expr, Expr, Expr]:
    (u, s, vh), (d,) = y, dots
    assert d is not None
    v = adjoint(vh)
    p = matmul(adjoint(u), matmul(d, v))
    back = adjoint(p)
    gaps, col, flat, inverse = _gaps(s * s), column(s), row(s), row(_inverse(s))
    turn = 1j * row(imag(apply("diagonal", p))) * inverse
    u_dot = matmul(u, gaps * (p * flat + col * back)) + u * turn + (matmul(d, v) - matmul(u, p)) * inverse
    v_dot = matmul(v, gaps * (col * p + back * flat)) + (matmul(adjoint(d), u) - matmul(v, back)) * inverse
    return u_dot, real(apply("diagonal", p)), adjoint(v_dot)


def _triplets_vjp(g: tuple[Expr | None, ...], args: Args, y: Args) -> tuple[Expr]:
    (u_bar, s_bar, vh_bar), (u, s, vh) = g, y
    gaps, col, flat, inverse = _gaps(s * s), column(s), row(s), _inverse(s)
    parts: list[Expr] = []
    if s_bar is not None:
        parts.append(matmul(u, column(s_bar) * vh))
    if u_bar is not None:
        to_u = conj(u_bar)
        x = matmul(adjoint(u), to_u)
        turn = 1j * column(imag(apply("diagonal", x)) * inverse)
        parts.append(matmul(u, matmul(gaps * (x - adjoint(x)) * flat, vh) + turn * vh))
        parts.append(matmul((to_u - matmul(u, x)) * row(inverse), vh))
    if vh_bar is not None:
        to_vh = conj(vh_bar)
        x = matmul(vh, adjoint(to_vh))
        inner = matmul(col * (gaps * (x - adjoint(x))), vh)
        parts.append(matmul(u, inner + column(inverse) * (to_vh - matmul(adjoint(x), vh))))
    return (conj(reduce(operator.add, parts)),)


custom(
    "svd_triplets",
    _svd,
    _triplets_jvp,
    _triplets_vjp,
    "np.linalg.svd({}, full_matrices=False)",
    infer=_svd_infer,
    results=3,
    cost=1500,
    doc="of a complex matrix, where the phases of the vectors cancel; those of the right ones stay real",
    kinks="as svd",
)


def _triplets(a: Expr) -> Args:
    """Vectors and values for what the phases of the vectors do not matter to."""
    return apply_all("svd_triplets", a) if is_complex(a) else apply_all("svd", a, full_matrices=False)


def _svdvals_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    (d,), (u, _, vh) = dots, _triplets(args[0])
    assert d is not None
    found = apply("diagonal", matmul(adjoint(u), matmul(d, adjoint(vh))))
    return real(found) if is_complex(u) else found


def _svdvals(a: Any) -> Any:
    return np.linalg.svd(a, compute_uv=False)


custom(
    "svdvals",
    _svdvals,
    _svdvals_jvp,
    lambda g, args, y: _svd_vjp((None, g, None), args, _triplets(args[0])),
    "np.linalg.svd({}, compute_uv=False)",
    infer=inferred("svd", True, lambda s, dtype: (Array(real_of(dtype), (*s[:-2], least(s[-2], s[-1]))),)),
    cost=800,
)
