"""Linear systems: np.linalg, over stacks of matrices as there.

The formulas are those of Giles, Collected Matrix Derivative Results for Forward and Reverse Mode AD (2008);
for qr of Walter and Lehmann, Algorithmic Differentiation of Linear Algebra Functions (2010), where the
diagonal of R is real; for pinv of Golub and Pereyra (1973). cholesky reads the lower triangle of its
argument, as NumPy does: the upper one gets a cotangent of 0.
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
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import (
    conj,
    expand,
    imag,
    matmul,
    real,
    swap,
    take_at,
    total,
    tril,
    unbroadcast,
)
from s2sad.ops.support import load

Dots = tuple[Expr | None, ...]
Args = tuple[Expr, ...]
F4, C8 = np.dtype(np.float32), np.dtype(np.complex64)


def dtype_for(name: str, *types: Type, complex_too: bool = True) -> Dtype:
    """Return the dtype that np.linalg computes in."""
    found = np.result_type(*(t.dtype for t in types))
    if found == np.float16:
        raise TypeMismatch("S325", "TypeError: array type float16 is unsupported in linalg", "use float32")
    if found.kind == "c" and not complex_too:
        raise UnsupportedOp("S202", f"np.linalg.{name} of complex numbers is not supported")
    if found in (F4, C8):
        return found
    return np.dtype(np.complex128 if found.kind == "c" else np.float64)


def real_of(dtype: Dtype) -> Dtype:
    """Return the dtype of the parts of a complex number, the dtype itself of a real one."""
    return F4 if dtype == C8 else np.dtype(np.float64) if dtype.kind == "c" else dtype


def checked_matrix(name: str, t: Type) -> None:
    """Raise TypeMismatch S325 for what is no matrix or stack of matrices."""
    if t.ndim < 2:
        why = f"LinAlgError: np.linalg.{name} takes matrices, this array has rank {t.ndim}"
        raise TypeMismatch("S325", why, "make it a matrix")


def _made(dtype: Dtype, shape: Shape) -> Type:
    return Array(dtype, shape) if shape else Scalar(dtype)


def inferred(name: str, complex_too: bool, results: Callable[[Shape, Dtype], Types]) -> Infer:
    """Return the infer of an op on matrices: `results` tells types from shape and dtype."""

    def infer(types: Types, params: Params, sizes: Sizes) -> Types:
        checked_matrix(name, types[0])
        return results(types[0].shape, dtype_for(name, types[0], complex_too=complex_too))

    return infer


def square(name: str, complex_too: bool = True) -> Infer:
    """Return the infer of what has the shape of its argument."""
    return inferred(name, complex_too, lambda shape, dtype: (Array(dtype, shape),))


def column(x: Expr) -> Expr:
    """Return vectors as columns."""
    return expand(x, x.ndim)


def row(x: Expr) -> Expr:
    """Return vectors as rows."""
    return expand(x, x.ndim - 1)


def _scaled(g: Expr, matrix: Expr) -> Expr:
    """A number per matrix times the matrices."""
    return expand(g, g.ndim, g.ndim + 1) * matrix if g.ndim else g * matrix


def _trace(x: Expr) -> Expr:
    return total(apply("diagonal", x), x.ndim - 2)


def solve(a: Expr, b: Expr, vectors: bool = False) -> Expr:
    """Return `np.linalg.solve(a, b)`; `vectors`: b is one vector per matrix of a stack."""
    if vectors and b.ndim > 1:
        return take_at(apply("solve", a, column(b)), b.ndim, 0)
    return apply("solve", a, b)


# --- linear systems -----------------------------------------------------------------------------


def _solve_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    a, b = types
    checked_matrix("solve", a)
    dtype = dtype_for("solve", a, b)
    core = b.shape[-1:] if b.ndim == 1 else b.shape[-2:]
    batch = broadcast_shape((Array(dtype, a.shape[:-2]), Array(dtype, b.shape[: -len(core)])), params, sizes)
    return (Array(dtype, (*batch, *core)),)


def _times(a: Expr, x: Expr, is_vector: bool) -> Expr:
    """a @ x, x of vectors if the right-hand side was one."""
    if not is_vector or (a.ndim == 2 and x.ndim == 1):
        return matmul(a, x)
    return take_at(matmul(a, column(x)), x.ndim, 0)


def _solve_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    (a, b), (a_dot, b_dot) = args, dots
    if a_dot is None:
        assert b_dot is not None
        return apply("solve", a, b_dot)
    part = _times(a_dot, y, b.ndim == 1)
    if b_dot is None:
        return -solve(a, part, b.ndim == 1)
    return solve(a, b_dot - part, b.ndim == 1)


def _solve_vjp(g: Expr, args: Args, y: Expr) -> tuple[Expr, Expr]:
    a, b = args
    w = solve(swap(a), g, b.ndim == 1)
    part = matmul(w, swap(y)) if b.ndim > 1 else _product(w, y)
    return -_fitted(part, a), _fitted(w, b)


def _product(a: Expr, b: Expr) -> Expr:
    """Columns times rows."""
    return apply("outer", a, b) if a.ndim == 1 else column(a) * row(b)


def _fitted(g: Expr, x: Expr) -> Expr:
    return g if g.dims == x.dims or (g.ndim == x.ndim and g.ndim <= 2) else unbroadcast(g, x)


custom(
    "solve",
    np.linalg.solve,
    _solve_jvp,
    _solve_vjp,
    "np.linalg.solve",
    infer=_solve_infer,
    cost=300,
    undoes=(1, lambda y, a, b: matmul(a, y) if b.ndim > 1 or a.ndim == 2 else None),
)
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
    lambda g, args, y: (_scaled(y * g, swap(apply("inv", args[0]))),),
    "np.linalg.det",
    infer=inferred("det", True, lambda shape, dtype: (_made(dtype, shape[:-2]),)),
    cost=300,
    kinks="LinAlgError where singular",
)


def _slogdet(a: Any) -> Any:
    sign, log = np.linalg.slogdet(a)
    return sign, log


def _slogdet_jvp(dots: Dots, args: Args, y: Args) -> tuple[Expr, Expr]:
    assert dots[0] is not None
    found = _trace(solve(args[0], dots[0]))
    if not is_complex(y[0]):
        return 0.0 * y[0], found
    return y[0] * (1j * imag(found)), real(found)


def _slogdet_vjp(g: tuple[Expr | None, Expr | None], args: Args, y: Args) -> tuple[Expr | None]:
    turned = 1j * imag(g[0] * y[0]) if g[0] is not None and is_complex(y[0]) else None
    parts = [e for e in (turned, g[1]) if e is not None]
    if not parts:
        return (None,)
    both = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    return (_scaled(both, swap(apply("inv", args[0]))),)


custom(
    "slogdet",
    _slogdet,
    _slogdet_jvp,
    _slogdet_vjp,
    "np.linalg.slogdet",
    infer=inferred(
        "slogdet",
        True,
        lambda shape, dtype: (_made(dtype, shape[:-2]), _made(real_of(dtype), shape[:-2])),
    ),
    results=2,
    cost=300,
    kinks="LinAlgError where singular",
)

# --- pseudo-inverse and least squares -----------------------------------------------------------


def _pinv_jvp(dots: Dots, args: Args, y: Expr, rcond: float | None = None) -> Expr:
    (a,), (d,) = args, dots
    assert d is not None
    t, z = swap(d), swap(y)
    m, q = matmul(y, matmul(z, t)), matmul(t, matmul(z, y))
    return m - matmul(matmul(m, a), y) + q - matmul(y, matmul(a, q)) - matmul(y, matmul(d, y))


def _pinv_vjp(g: Expr, args: Args, y: Expr, rcond: float | None = None) -> tuple[Expr]:
    (a,) = args
    t, z = swap(g), swap(y)
    p, r = matmul(t, matmul(y, z)), matmul(matmul(z, y), t)
    return (p - matmul(a, matmul(y, p)) + r - matmul(matmul(r, y), a) - matmul(z, matmul(g, z)),)


custom(
    "pinv",
    np.linalg.pinv,
    _pinv_jvp,
    _pinv_vjp,
    "np.linalg.pinv",
    infer=inferred("pinv", False, lambda s, dtype: (Array(dtype, (*s[:-2], s[-1], s[-2])),)),
    cost=600,
    kinks="of constant rank",
)


def _lstsq(a: Any, b: Any) -> Any:
    return np.linalg.lstsq(a, b, rcond=None)[0]


def _lstsq_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    (a, b), (a_dot, b_dot) = args, dots
    z = apply("pinv", a)
    parts: list[Expr] = []
    if b_dot is not None:
        parts.append(matmul(z, b_dot))
    if a_dot is not None:
        t = swap(a_dot)
        moved = matmul(t, matmul(swap(z), y))
        parts.append(moved - matmul(z, matmul(a, moved)) - matmul(z, matmul(a_dot, y)))
        parts.append(matmul(z, matmul(swap(z), matmul(t, b - matmul(a, y)))))
    found = parts[0]
    for part in parts[1:]:
        found = found + part
    return found


def _lstsq_vjp(g: Expr, args: Args, y: Expr) -> tuple[Expr, Expr]:
    a, b = args
    z = apply("pinv", a)
    w = matmul(swap(z), g)  # of the right-hand side
    free = g - matmul(swap(a), w)  # what A does not see
    product = _outer(b - matmul(a, y), matmul(z, w))
    return product + _outer(matmul(swap(z), y), free) - _outer(w, y), w


def _outer(a: Expr, b: Expr) -> Expr:
    return apply("outer", a, b) if a.ndim == 1 else matmul(a, swap(b))


def _lstsq_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    a, b = types
    checked_matrix("lstsq", a)
    dtype = dtype_for("lstsq", a, b, complex_too=False)
    return (Array(dtype, (a.shape[1], *b.shape[1:])),)


custom(
    "lstsq",
    _lstsq,
    _lstsq_jvp,
    _lstsq_vjp,
    "np.linalg.lstsq({}, {}, rcond=None)[0]",
    infer=_lstsq_infer,
    cost=900,
    kinks="of constant rank",
)

# --- triangles: cholesky and qr -----------------------------------------------------------------


def is_complex(x: Expr) -> bool:
    """True for complex numbers."""
    return x.dtype.kind == "c"


def adjoint(x: Expr) -> Expr:
    """Return the conjugate transpose."""
    return conj(swap(x)) if is_complex(x) else swap(x)


def halved(x: Expr) -> Expr:
    """Return the lower triangle of x with half its diagonal."""
    return 0.5 * (tril(x) + tril(x, k=-1))


def from_lower(x: Expr) -> Expr:
    """Return the symmetric matrix of a lower triangle: Hermitian, with a real diagonal, if it is complex."""
    if not is_complex(x):
        return tril(x) + swap(tril(x, k=-1))
    half = halved(x)
    return half + adjoint(half)


def _cholesky_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    assert dots[0] is not None
    s = solve(y, adjoint(solve(y, from_lower(dots[0]))))
    return matmul(y, halved(s))


def _cholesky_vjp(g: Expr, args: Args, y: Expr) -> tuple[Expr]:
    if not is_complex(y):
        return (apply("cholesky_adjoint", y, g),)
    t = swap(y)
    part = halved(matmul(t, g))
    s = swap(solve(adjoint(y), swap(solve(t, part))))
    return (halved(s + adjoint(s)),)


custom(
    "cholesky",
    np.linalg.cholesky,
    _cholesky_jvp,
    _cholesky_vjp,
    "np.linalg.cholesky",
    infer=square("cholesky"),
    cost=200,
)


def _adjoint_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    checked_matrix("cholesky", types[0])
    return (Array(dtype_for("cholesky", *types, complex_too=False), types[0].shape),)


def _cholesky_adjoint_jvp(dots: Dots, args: Args, y: Expr) -> Expr:
    """With n = y + yᵀ = l⁻ᵀ p l⁻¹, where p is the symmetric matrix of the lower triangle of lᵀ g."""
    (factor, g), (factor_dot, g_dot) = args, dots
    t = swap(tril(factor))
    if factor_dot is None:
        assert g_dot is not None
        return apply("cholesky_adjoint", factor, g_dot)
    turned = swap(tril(factor_dot))
    inner = solve(t, matmul(turned, tril(g)))
    moved = solve(t, matmul(turned, y + swap(y)))
    rest = apply("cholesky_adjoint", factor, inner if g_dot is None else g_dot + inner)
    return rest - halved(moved + swap(moved))


def _cholesky_adjoint_vjp(h: Expr, args: Args, y: Expr) -> tuple[Expr, Expr]:
    factor, g = args
    lower = tril(factor)
    back = swap(solve(lower, from_lower(h)))
    inner = halved(solve(lower, back))
    return tril(matmul(tril(g), swap(inner)) - matmul(y + swap(y), back)), matmul(lower, inner)


custom(
    "cholesky_adjoint",
    load("cholesky_adjoint"),
    _cholesky_adjoint_jvp,
    _cholesky_adjoint_vjp,
    "cholesky_adjoint",
    infer=_adjoint_infer,
    cost=400,
    doc="cotangent of a matrix, of which only the lower triangle counts, for that of its Cholesky factor",
)


def least(n: Size, m: Size) -> Size:
    """Return the smaller of two sizes."""
    return n.minimum(m)


def _qr(a: Any) -> Any:
    q, r = np.linalg.qr(a)
    return q, r


def _qr_jvp(dots: Dots, args: Args, y: Args) -> tuple[Expr, Expr]:
    (d,), (q, r) = dots, y
    assert d is not None
    c = swap(solve(swap(r), swap(d)))
    x = matmul(adjoint(q), c)
    if is_complex(q):  # LAPACK leaves the diagonal of R real
        low = halved(x)
        turn = low - adjoint(low)
    else:
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
    inner = matmul(q, from_lower(m))
    inner = conj(inner) if is_complex(q) else inner
    whole = inner if q_bar is None else q_bar + inner
    return (swap(solve(r, swap(whole))),)


custom(
    "qr",
    _qr,
    _qr_jvp,
    _qr_vjp,
    "np.linalg.qr",
    infer=inferred(
        "qr",
        True,
        lambda s, dtype: (
            Array(dtype, (*s[:-1], least(s[-2], s[-1]))),
            Array(dtype, (*s[:-2], least(s[-2], s[-1]), s[-1])),
        ),
    ),
    results=2,
    cost=400,
    doc="derivatives of matrices with at least as many rows as columns: LinAlgError for others",
)
