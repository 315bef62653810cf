"""Solving and decomposing matrices: np.linalg, over stacks of matrices as there.

The formulas are those of Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008);
for qr of Walter and Lehmann, Algorithmic Differentiation of Linear Algebra Functions (2010); for svd of
Townsend, Differentiating the Singular Value Decomposition (2016); for pinv of Golub and Pereyra (1973).

cholesky and eigh read one triangle of their argument, as NumPy does: the other gets a cotangent of 0. Equal
eigenvalues or singular values contribute 0 to the derivatives of their vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.errors import TypeMismatch, UnsupportedOp
from s2sad.ir.builder import Sizes
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Dtype, Scalar, Type
from s2sad.ops.declare import Infer, Params, Shape, Types, broadcast_shape, custom
from s2sad.ops.expr import Expr, apply, apply_all
from s2sad.ops.functions import (
    conj,
    expand,
    eye,
    imag,
    matmul,
    nonzero_denominator,
    real,
    size,
    span_at,
    swap,
    take_at,
    total,
    tril,
    triu,
    unbroadcast,
)

Dots = tuple[Expr | None, ...]
Args = tuple[Expr, ...]
F4, C8 = np.dtype(np.float32), np.dtype(np.complex64)


def _dtype(name: str, *types: Type, complex_too: bool = True) -> Dtype:
    """Return the dtype that np.linalg computes in."""
    found = np.result_type(*(t.dtype for t in types))
    if found == np.float16:
        raise TypeMismatch("S325", "TypeError: array type float16 is unsupported in linalg", "use float32")
    if found.kind == "c" and not complex_too:
        raise UnsupportedOp("S202", f"np.linalg.{name} of complex numbers is not supported")
    if found in (F4, C8):
        return found
    return np.dtype(np.complex128 if found.kind == "c" else np.float64)


def _check_rank(name: str, t: Type) -> None:
    if t.ndim < 2:
        why = f"LinAlgError: np.linalg.{name} takes matrices, this array has rank {t.ndim}"
        raise TypeMismatch("S325", why, "make it a matrix")


def _made(dtype: Dtype, shape: Shape) -> Type:
    return Array(dtype, shape) if shape else Scalar(dtype)


def _batch_type(types: Types, dtype: Dtype) -> Type:
    return _made(dtype, types[0].shape[:-2])


def _infer(name: str, complex_too: bool, results: Callable[[Shape, Dtype], Types]) -> Infer:
    def infer(types: Types, params: Params, sizes: Sizes) -> Types:
        _check_rank(name, types[0])
        return results(types[0].shape, _dtype(name, types[0], complex_too=complex_too))

    return infer


def square(name: str, complex_too: bool = True) -> Infer:
    """Return the infer of what has the shape of its argument."""
    return _infer(name, complex_too, lambda shape, dtype: (Array(dtype, shape),))


def _column(x: Expr) -> Expr:
    return expand(x, x.ndim)


def _row(x: Expr) -> Expr:
    return expand(x, x.ndim - 1)


def _scaled(g: Expr, matrix: Expr) -> Expr:
    """A number per matrix times the matrices."""
    return expand(g, g.ndim, g.ndim + 1) * matrix if g.ndim else g * matrix


def _identity(like: Expr) -> Expr:
    return eye(size(like, like.ndim - 1), size(like, like.ndim - 1), dtype=like.dtype)


def _trace(x: Expr) -> Expr:
    return total(apply("diagonal", x), x.ndim - 2)


def _inv(a: Expr) -> Expr:
    return apply("inv", a)


def solve(a: Expr, b: Expr) -> Expr:
    """Return `np.linalg.solve(a, b)`; a vector b per matrix of a stack as columns."""
    if b.ndim > 1 and b.ndim == a.ndim - 1:
        return take_at(apply("solve", a, _column(b)), b.ndim, 0)
    return apply("solve", a, b)


# --- linear systems -----------------------------------------------------------------------------


def _solve_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    a, b = types
    _check_rank("solve", a)
    dtype = _dtype("solve", a, b)
    core = b.shape[-1:] if b.ndim == 1 else b.shape[-2:]
    batch = broadcast_shape((Array(dtype, a.shape[:-2]), Array(dtype, b.shape[: -len(core)])), params, sizes)
    return (Array(dtype, (*batch, *core)),)


def _times(a: Expr, x: Expr, is_vector: bool) -> Expr:
    """a @ x, x of vectors if the right-hand side was one."""
    if not is_vector or (a.ndim == 2 and x.ndim == 1):
        return matmul(a, x)
    return take_at(matmul(a, _column(x)), x.ndim, 0)


def _solve_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    (a, b), (a_dot, b_dot) = args, dots
    if a_dot is None:
        assert b_dot is not None
        return apply("solve", a, b_dot)
    part = _times(a_dot, y, b.ndim == 1)
    if b_dot is None:
        return -_resolve(a, part, b.ndim == 1)
    return _resolve(a, b_dot - part, b.ndim == 1)


def _resolve(a: Expr, b: Expr, is_vector: bool) -> Expr:
    if is_vector and b.ndim > 1:
        return take_at(apply("solve", a, _column(b)), b.ndim, 0)
    return apply("solve", a, b)


def _solve_vjp(g: Expr, args: Args, y: Expr) -> tuple[Expr, Expr]:
    a, b = args
    w = _resolve(swap(a), g, b.ndim == 1)
    part = matmul(w, swap(y)) if b.ndim > 1 else _product(w, y)
    return -_fitted(part, a), _fitted(w, b)


def _product(a: Expr, b: Expr) -> Expr:
    """Columns times rows."""
    return apply("outer", a, b) if a.ndim == 1 else _column(a) * _row(b)


def _fitted(g: Expr, x: Expr) -> Expr:
    return g if g.dims == x.dims or (g.ndim == x.ndim and g.ndim <= 2) else unbroadcast(g, x)


custom("solve", np.linalg.solve, _solve_jvp, _solve_vjp, "np.linalg.solve", infer=_solve_infer, cost=300)
custom(
    "inv",
    np.linalg.inv,
    lambda dots, args, y: -matmul(matmul(y, dots[0]), y),
    lambda g, args, y: (-matmul(matmul(swap(y), g), swap(y)),),
    "np.linalg.inv",
    infer=square("inv"),
    cost=300,
)
custom(
    "det",
    np.linalg.det,
    lambda dots, args, y: y * _trace(solve(args[0], dots[0])),
    lambda g, args, y: (_scaled(y * g, swap(_inv(args[0]))),),
    "np.linalg.det",
    infer=_infer("det", True, lambda shape, dtype: (_made(dtype, shape[:-2]),)),
    cost=300,
    kinks="LinAlgError where singular",
)


def _slogdet(a: Any) -> Any:
    sign, log = np.linalg.slogdet(a)
    return sign, log


def _slogdet_jvp(dots: Dots, args: Args, y: Args) -> tuple[Expr, Expr]:
    assert dots[0] is not None
    return 0.0 * y[0], _trace(solve(args[0], dots[0]))


def _slogdet_vjp(g: tuple[Expr | None, Expr | None], args: Args, y: Args) -> tuple[Expr | None]:
    return (None if g[1] is None else _scaled(g[1], swap(_inv(args[0]))),)


custom(
    "slogdet",
    _slogdet,
    _slogdet_jvp,
    _slogdet_vjp,
    "np.linalg.slogdet",
    infer=_infer("slogdet", False, lambda shape, dtype: (_made(dtype, shape[:-2]),) * 2),
    results=2,
    cost=300,
    kinks="LinAlgError where singular",
)

# --- pseudo-inverse and least squares -----------------------------------------------------------


def _pinv_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    (a,), (d,) = args, dots
    assert d is not None
    t, z = swap(d), swap(y)
    left = matmul(y, matmul(z, matmul(t, _identity(swap(a)) - matmul(a, y))))
    right = matmul(matmul(_identity(a) - matmul(y, a), t), matmul(z, y))
    return left + right - matmul(y, matmul(d, y))


def _pinv_vjp(g: Expr, args: Args, y: Expr) -> tuple[Expr]:
    (a,) = args
    t, z = swap(g), swap(y)
    left = matmul(_identity(swap(a)) - matmul(a, y), matmul(t, matmul(y, z)))
    right = matmul(matmul(z, y), matmul(t, _identity(a) - matmul(y, a)))
    return (left + right - matmul(z, matmul(g, z)),)


custom(
    "pinv",
    np.linalg.pinv,
    _pinv_jvp,
    _pinv_vjp,
    "np.linalg.pinv",
    infer=_infer("pinv", False, lambda s, dtype: (Array(dtype, (*s[:-2], s[-1], s[-2])),)),
    cost=600,
    kinks="of constant rank",
)

# --- triangles: cholesky and qr -----------------------------------------------------------------


def _halved(x: Expr) -> Expr:
    """The lower triangle of x with half its diagonal."""
    return tril(x) * (1.0 - 0.5 * _identity(x))


def _from_lower(x: Expr) -> Expr:
    """The symmetric matrix of a lower triangle."""
    return tril(x) + swap(tril(x, k=-1))


def _cholesky_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    assert dots[0] is not None
    s = solve(y, swap(apply("solve", y, _from_lower(dots[0]))))
    return matmul(y, _halved(s))


def _cholesky_vjp(g: Expr, args: Args, y: Expr) -> tuple[Expr]:
    t = swap(y)
    s = solve(t, swap(apply("solve", t, swap(_halved(matmul(t, g))))))
    return (_halved(s + swap(s)),)


custom(
    "cholesky",
    np.linalg.cholesky,
    _cholesky_jvp,
    _cholesky_vjp,
    "np.linalg.cholesky",
    infer=square("cholesky", complex_too=False),
    cost=200,
)


def _least(n: Size, m: Size) -> Size:
    return n.minimum(m)


def _qr(a: Any) -> Any:
    q, r = np.linalg.qr(a)
    return q, r


def _qr_jvp(dots: Dots, args: Args, y: Args) -> tuple[Expr, Expr]:
    (d,), (q, r) = dots, y
    assert d is not None
    c = swap(solve(swap(r), swap(d)))
    x = matmul(swap(q), c)
    low = tril(x, k=-1)
    turn = low - swap(low)
    return matmul(q, turn - x) + c, matmul(x - turn, r)


def _qr_vjp(g: tuple[Expr | None, Expr | None], args: Args, y: Args) -> tuple[Expr]:
    (q_bar, r_bar), (q, r) = g, y
    m: Expr | None = None
    if r_bar is not None:
        m = matmul(r, swap(r_bar))
    if q_bar is not None:
        part = matmul(swap(q_bar), q)
        m = -part if m is None else m - part
    assert m is not None
    inner = matmul(q, _from_lower(m))
    whole = inner if q_bar is None else q_bar + inner
    return (swap(solve(r, swap(whole))),)


custom(
    "qr",
    _qr,
    _qr_jvp,
    _qr_vjp,
    "np.linalg.qr",
    infer=_infer(
        "qr",
        False,
        lambda s, dtype: (
            Array(dtype, (*s[:-1], _least(s[-2], s[-1]))),
            Array(dtype, (*s[:-2], _least(s[-2], s[-1]), s[-1])),
        ),
    ),
    results=2,
    cost=400,
    doc="derivatives of matrices with at least as many rows as columns: LinAlgError for others",
)

# --- eigenvalues --------------------------------------------------------------------------------


def _gaps(w: Expr) -> Expr:
    """1 / (w[j] - w[i]), 0 where they are equal."""
    d = _row(w) - _column(w)
    return d / nonzero_denominator(d * d)


def _eigh(a: Any, UPLO: str = "L") -> Any:
    w, v = np.linalg.eigh(a, "L" if UPLO == "L" else "U")
    return w, v


def _symmetric(x: Expr, half: str) -> Expr:
    return _from_lower(x if half == "L" else swap(x))


def _onto(g: Expr, half: str) -> Expr:
    """The cotangent of a symmetric matrix as that of the half that is read."""
    return tril(g) + swap(triu(g, k=1)) if half == "L" else triu(g) + swap(tril(g, k=-1))


def _eigh_jvp(dots: Dots, args: Args, y: Args, UPLO: str = "L") -> tuple[Expr, Expr]:
    (w, v), (d,) = y, dots
    assert d is not None
    x = matmul(swap(v), matmul(_symmetric(d, UPLO), v))
    return apply("diagonal", x), matmul(v, _gaps(w) * x)


def _eigh_vjp(g: tuple[Expr | None, Expr | None], args: Args, y: Args, UPLO: str = "L") -> tuple[Expr]:
    (w_bar, v_bar), (w, v) = g, y
    inner: Expr | None = None
    if v_bar is not None:
        inner = matmul(_gaps(w) * matmul(swap(v), v_bar), swap(v))
    if w_bar is not None:
        part = _column(w_bar) * swap(v)
        inner = part if inner is None else inner + part
    assert inner is not None
    return (_onto(matmul(v, inner), UPLO),)


custom(
    "eigh",
    _eigh,
    _eigh_jvp,
    _eigh_vjp,
    "np.linalg.eigh",
    infer=_infer("eigh", False, lambda s, dtype: (Array(dtype, s[:-1]), Array(dtype, s))),
    results=2,
    cost=900,
    defaults={"UPLO": "L"},
    kinks="equal eigenvalues contribute 0 to their vectors",
)


def _eigvalsh_jvp(dots: Dots, args: Args, y: Expr, UPLO: str = "L") -> Expr:
    return _eigh_jvp(dots, args, apply_all("eigh", args[0], UPLO=UPLO), UPLO)[0]


def _eigvalsh_vjp(g: Expr, args: Args, y: Expr, UPLO: str = "L") -> tuple[Expr]:
    return _eigh_vjp((g, None), args, apply_all("eigh", args[0], UPLO=UPLO), UPLO)


custom(
    "eigvalsh",
    np.linalg.eigvalsh,
    _eigvalsh_jvp,
    _eigvalsh_vjp,
    "np.linalg.eigvalsh",
    infer=_infer("eigvalsh", False, lambda s, dtype: (Array(dtype, s[:-1]),)),
    cost=600,
    defaults={"UPLO": "L"},
)


def _complex(dtype: Dtype) -> Dtype:
    return C8 if dtype in (F4, C8) else np.dtype(np.complex128)


def _eig(a: Any) -> Any:
    w, v = np.linalg.eig(a)
    t = _complex(w.dtype)
    return w.astype(t), v.astype(t)


def _eigvals(a: Any) -> Any:
    w = np.linalg.eigvals(a)
    return w.astype(_complex(w.dtype))


def _largest(v: Expr) -> Expr:
    """1 at the first of the largest elements of each column: those that LAPACK makes real."""
    k = apply("argmax", apply("absolute", v), axis=v.ndim - 2)
    return apply("equal", _column(apply("arange", 0, size(v, v.ndim - 1), 1)), _row(k))


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
        part = _column(w_bar) * swap(v)
        inner = part if inner is None else inner + part
    assert inner is not None
    return (solve(swap(v), inner),)


custom(
    "eig",
    _eig,
    _eig_jvp,
    _eig_vjp,
    infer=_infer("eig", True, lambda s, t: (Array(_complex(t), s[:-1]), Array(_complex(t), s))),
    results=2,
    cost=2000,
    doc="always complex; vectors of length 1 whose largest element is real",
    kinks="equal eigenvalues contribute 0 to their vectors",
)
custom(
    "eigvals",
    _eigvals,
    lambda dots, args, y: _eig_jvp(dots, args, apply_all("eig", args[0]))[0],
    lambda g, args, y: _eig_vjp((g, None), args, apply_all("eig", args[0])),
    infer=_infer("eigvals", True, lambda s, t: (Array(_complex(t), s[:-1]),)),
    cost=1000,
    doc="always complex",
)

# --- singular values ----------------------------------------------------------------------------


def _svd(a: Any, full_matrices: bool = False) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=full_matrices)
    return u, s, vh


def _svd_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    _check_rank("svd", types[0])
    dtype = _dtype("svd", types[0], complex_too=False)
    *batch, n, m = types[0].shape
    k = _least(n, m)
    full = params.get("full_matrices", False)
    return (
        Array(dtype, (*batch, n, n if full else k)),
        Array(dtype, (*batch, k)),
        Array(dtype, (*batch, m if full else k, m)),
    )


def _thin(x: Expr, s: Expr, axis: int, full: bool) -> Expr:
    """The part of u or vh that belongs to singular values; all of it has a derivative if it is square."""
    return span_at(x, x.ndim + axis, hi=size(s, s.ndim - 1)) if full else x


def _inverse(s: Expr) -> Expr:
    return s / nonzero_denominator(s * s)


def _svd_jvp(dots: Dots, args: Args, y: Args, full_matrices: bool = False) -> tuple[Expr, Expr, Expr]:
    (u, s, vh), (d,) = y, dots
    assert d is not None
    p = matmul(swap(u), matmul(d, swap(vh)))
    gaps, col, row = _gaps(s * s), _column(s), _row(s)
    u_dot = matmul(u, gaps * (p * row + col * swap(p)))
    u_dot = u_dot + (matmul(d, swap(vh)) - matmul(u, p)) * _row(_inverse(s))
    v_dot = matmul(swap(vh), gaps * (col * p + swap(p) * row))
    v_dot = v_dot + (matmul(swap(d), u) - matmul(swap(vh), swap(p))) * _row(_inverse(s))
    return u_dot, apply("diagonal", p), swap(v_dot)


def _svd_vjp(g: tuple[Expr | None, ...], args: Args, y: Args, full_matrices: bool = False) -> tuple[Expr]:
    (u_bar, s_bar, vh_bar), (u, s, vh) = g, y
    gaps, col, row, inverse = _gaps(s * s), _column(s), _row(s), _inverse(s)
    inner: list[Expr] = []  # between u and vh
    outer: list[Expr] = []
    if s_bar is not None:
        inner.append(_column(s_bar) * vh)
    if u_bar is not None:
        x = matmul(swap(u), u_bar)
        inner.append(matmul(gaps * (x - swap(x)) * row, vh))
        outer.append(matmul((u_bar - matmul(u, x)) * _row(inverse), vh))
    if vh_bar is not None:
        x = matmul(vh, swap(vh_bar))
        inner.append(matmul(col * (gaps * (x - swap(x))), vh))
        inner.append(_column(inverse) * (vh_bar - matmul(swap(x), vh)))
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


def _svdvals(a: Any) -> Any:
    return np.linalg.svd(a, compute_uv=False)


custom(
    "svdvals",
    _svdvals,
    lambda dots, args, y: _svd_jvp(dots, args, apply_all("svd", args[0], full_matrices=False))[1],
    lambda g, args, y: _svd_vjp((None, g, None), args, apply_all("svd", args[0], full_matrices=False)),
    "np.linalg.svd({}, compute_uv=False)",
    infer=_infer("svd", False, lambda s, dtype: (Array(dtype, (*s[:-2], _least(s[-2], s[-1]))),)),
    cost=800,
)
