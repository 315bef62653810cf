"""Every op, lowered to loops, gives what NumPy gives."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import numpy as np
import pytest
from lowered import check, function_of, outcome

from s2sad.ir.core import Literal
from s2sad.ir.op import Kind
from s2sad.ir.path import At, Fancy, Index, Item, New, Permute, Span
from s2sad.ir.types import F8, WEAK_FLOAT, Scalar
from s2sad.lowering.elementwise import is_elementwise
from s2sad.lowering.lower import has_lowering
from s2sad.ops import OPS

RNG = np.random.default_rng(0)
A = RNG.random((3, 4))
V = RNG.random(4)
B = RNG.random((4, 2))
T = RNG.random((2, 3, 4))
I = RNG.integers(-5, 5, (3, 4))  # noqa: E741
F4 = A.astype(np.float32)
Z = A + 1j * A[::-1]
AXES: list[Any] = [None, (0,), (1,), (0, 1)]
L = Literal


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.kind is not Kind.CONTROL])
def test_every_op_has_a_lowering(name: str):
    assert has_lowering(name)


# --- elementwise: all combinations of kinds of operands ----------------------------------------------

POOL = [A, F4, I, A > 0.5, 0.5, 2, np.float32(0.25), I.astype(np.int32), np.array(0.5), Z]
OTHER = ("widen", "where0")
ELEMENTWISE = [n for n, op in OPS.items() if is_elementwise(op) and n[:5] != "math_" and n not in OTHER]


def arity(name: str) -> int:
    derivative = OPS[name].derivative
    if name in ("clip", "where"):
        return 3
    if derivative is not None and not isinstance(derivative, tuple):
        return len(inspect.signature(derivative).parameters) - 2
    two = outcome(lambda: OPS[name].evaluate(3, 2))
    return 1 if isinstance(two, TypeError) or name in ("round", "phase") else 2


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name: str):
    n = arity(name)
    pool = POOL if n < 3 else [A > 0.5, A, F4, 0.5, 2, np.float32(0.25)]
    tried = 0
    for args in itertools.product(pool, repeat=n):
        value = outcome(lambda args=args: OPS[name].evaluate(*args))
        if isinstance(value, Exception):
            continue
        if name.startswith("special_") and any(np.iscomplexobj(a) for a in args):
            continue  # refused
        fn, leaves = function_of(name, args, {})
        dtype = fn.result_types[0].dtype
        if dtype.name == "float16" or np.asarray(value[0]).dtype != dtype:
            continue  # of bools
        check(fn, leaves)
        tried += 1
    assert tried


# --- everything else --------------------------------------------------------------------------------------


def path(*items: Item) -> tuple[Index, ...]:
    return (Index(items),)


def dtype(name: str) -> np.dtype[Any]:
    return np.dtype(name)


def slices() -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    bounds = (None, -5, -2, 0, 1, 3, 6)
    found = []
    for lo, hi, step in itertools.product(bounds, bounds, (None, 1, 2, 3, -1, -2)):
        given = [b for b in (lo, hi, step) if b is not None]
        where = path(Span(lo is not None, hi is not None, step is not None))
        found.append(("getitem", (V, *given), {"path": where}))
        found.append(("getitem", (V, *map(Literal, given)), {"path": where}))
    return found


CASES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *[
        (name, (x,), {"axis": axis, "keepdims": keepdims})
        for name in ("sum", "mean", "prod", "max", "min", "any", "all", "count_nonzero")
        for axis in AXES
        for keepdims in (False, True)
        for x in (A, I, F4, A > 0.5, A[:0])
    ],
    *[
        (name, (x,), {"axis": axis, "keepdims": False, "ddof": ddof})
        for name in ("var", "std")
        for axis in AXES
        for x in (A, I, F4)
        for ddof in (0, 1)
    ],
    *[
        (name, (x,), {"axis": axis, "keepdims": keepdims})
        for name in ("argmax", "argmin")
        for axis in (None, 0, 1)
        for keepdims in (False, True)
        for x in (A, I, np.array([[1.0, np.nan, 3.0, np.nan]] * 2), A[:0])
    ],
    ("sum", (Z,), {"axis": None, "keepdims": False}),
    ("mean", (Z,), {"axis": (0,), "keepdims": False}),
    ("sum", (T,), {"axis": (0, 2), "keepdims": True}),
    ("max", (np.array([1.0, np.nan, 2.0]),), {"axis": None, "keepdims": False}),
    ("cumsum", (A,), {"axis": 0}),
    ("cumsum", (I,), {"axis": 1}),
    ("cumsum", (A > 0.5,), {"axis": 1}),
    ("cumprod", (F4,), {"axis": 1}),
    ("recurrence", (A, 0.5 * A), {"axis": 1}),
    ("recurrence", (A, 0.5 * A), {"axis": 0}),
    ("matmul", (A, B), {}),
    ("matmul", (A, V), {}),
    ("matmul", (V, B), {}),
    ("matmul", (V, V), {}),
    ("matmul", (A, A), {}),  # does not fit
    ("matmul", (T, B), {}),
    ("matmul", (T, V), {}),
    ("matmul", (A, RNG.random((2, 4, 3))), {}),
    ("matmul", (V, RNG.random((2, 4, 3))), {}),
    ("matmul", (T[:, None], RNG.random((3, 4, 2))), {}),
    ("matmul", (I, I.T.copy()), {}),
    ("matmul", (A > 0.5, B > 0.5), {}),
    ("matmul", (A[:0], B), {}),
    ("matmul", (A[:, :0], B[:0]), {}),
    ("matmul", (F4, B), {}),
    ("matmul", (F4, B.astype(np.float32)), {}),
    ("matmul", (np.asfortranarray(A), B[:, ::-1]), {}),
    ("matmul", (Z, Z.T), {}),
    ("outer", (V, B[:, 0]), {}),
    *[
        ("einsum", args, {"subscripts": subscripts})
        for subscripts, args in (
            ("ij,jk->ik", (A, B)),
            ("ij,jk->ki", (A, B)),
            ("ji,jk->ik", (B, V[:, None])),
            ("ij->ji", (A,)),
            ("ij->", (A,)),
            ("ij,ij->", (A, A)),
            ("ii->i", (A[:, :3],)),
            ("ii->", (A[:, :3],)),
            ("bij,jk->bik", (T, B)),
            ("bij,bik->bjk", (T, T)),
            ("bij,kj->kib", (T, A)),
            ("ij,j->i", (A, V)),
            ("i,j,k->kij", (V, V, V)),
            ("ij,jk->ik", (I, I.T)),
            ("ij,jk->ik", (A, A)),  # does not fit
        )
    ],
    ("concatenate", (A, A[:1]), {"axis": 0}),
    ("concatenate", (A, I), {"axis": 1}),
    ("concatenate", (A, B), {"axis": 0}),  # does not fit
    ("stack", (A, A), {"axis": 1}),
    ("stack", (A, B), {"axis": 0}),  # does not fit
    ("stack", (1.0, 2), {"axis": 0}),
    ("array_of", (1.0, 2.0, 3.0, 4.0), {"shape": (2, 2)}),
    ("roll", (A, 2), {"axis": 1}),
    ("roll", (A, -5), {"axis": 0}),
    ("roll", (A[:0], 1), {"axis": 0}),
    ("repeat", (A, 2), {"axis": 0}),
    ("repeat", (A, -1), {"axis": 0}),
    ("repeat", (A, np.array([1, 0, 3])), {"axis": 0}),
    ("repeat", (A, np.array([1, 0])), {"axis": 0}),
    ("repeat", (A, np.array([2])), {"axis": 1}),
    ("tile", (A, 2, 3), {}),
    ("tile", (V, 2, 1), {}),
    ("tile", (V, 0), {}),
    ("pad", (A, 1, 2, 0, 3), {}),
    ("pad", (V, -1, 2), {}),
    ("triu", (A,), {"k": 1}),
    ("tril", (A,), {"k": -1}),
    ("diagonal", (A,), {"offset": 1}),
    ("diagonal", (T,), {"offset": -2}),
    ("diagonal", (A,), {"offset": 7}),
    ("diag_embed", (V,), {"offset": -2}),
    ("diag_embed", (V,), {"offset": 1}),
    ("sort", (A,), {"axis": 0}),
    ("sort", (V,), {"axis": -1}),
    ("argsort", (A,), {"axis": 1}),
    ("argsort", (np.array([2, 1, 2, 1]),), {"axis": 0}),
    ("searchsorted", (np.sort(V), A), {"side": "left"}),
    ("partition", (V, *range(len(V))), {"axis": 0}),
    ("argpartition", (V, *range(len(V))), {"axis": 0}),
    ("cummax", (A,), {"axis": 1}),
    ("cummin", (A,), {"axis": 0}),
    ("digitize", (A, np.sort(V)), {}),
    ("digitize", (0.3, np.sort(V)[::-1].copy()), {"right": True}),
    ("isin", (A, V), {}),
    ("isin", (A, A[0]), {}),
    ("unravel_index1", (np.array([2, 0]), 3), {}),
    ("unravel_index2", (np.array([2, 0]), 3, 4), {}),
    ("unravel_index3", (7, 2, 3, 4), {}),
    ("unravel_index4", (7, 2, 3, 4, 1), {}),
    ("unravel_index5", (7, 2, 3, 4, 1, 1), {}),
    ("unravel_index6", (7, 2, 3, 4, 1, 1, 1), {}),
    ("ravel_multi_index", (np.array([1, 0]), 2, 3, 4), {}),
    ("math_ldexp", (1.5, 3), {}),
    ("math_exponent", (20.5,), {}),
    ("math_ulp", (20.5,), {}),
    ("math_nextafter", (20.5, 0.0), {}),
    ("searchsorted", (np.sort(V), 0.3), {"side": "right"}),
    ("flatnonzero", (A > 0.5,), {}),
    ("flatnonzero", (V,), {}),
    ("nonzero2", (I,), {}),
    ("nonzero3", (T > 0.5,), {}),
    ("argwhere", (A > 0.5,), {}),
    ("triu_indices", (4, 5), {"k": 1}),
    ("tril_indices", (3, 3), {"k": 0}),
    ("zeros", (3, 4), {"dtype": dtype("f4")}),
    ("zeros", (-1,), {"dtype": dtype("f8")}),
    ("ones", (2,), {"dtype": dtype("i8")}),
    ("zeros_like", (A,), {"dtype": None}),
    ("ones_like", (A,), {"dtype": dtype("i8")}),
    ("ones_like", (2.5,), {"dtype": None}),
    ("full", (2.5, 3), {"dtype": None}),
    ("full", (2, 3, 1), {"dtype": dtype("f4")}),
    ("full_like", (I, 2.7), {"dtype": None}),
    ("eye", (3, 4), {"k": 1, "dtype": dtype("f8")}),
    ("arange", (0, 5, 1), {"dtype": None}),
    ("arange", (5, -2, -2), {"dtype": None}),
    ("arange", (L(5), L(-2), L(-2)), {"dtype": None}),
    ("arange", (0.5, 3.2, 0.7), {"dtype": None}),
    ("arange", (0, 5, 2), {"dtype": dtype("f4")}),
    ("linspace", (0.0, 1.0, 5), {"endpoint": True, "dtype": None}),
    ("linspace", (0, 3, 5), {"endpoint": False, "dtype": None}),
    ("linspace", (1.0, 2.0, 1), {"endpoint": True, "dtype": None}),
    ("linspace", (1.0, 2.0, 0), {"endpoint": True, "dtype": None}),
    ("array0", (2.0,), {}),
    ("item0", (np.array(2.0),), {}),
    ("copy", (A,), {}),
    ("copy", (2.0,), {}),
    ("stop_gradient", (A,), {}),
    ("stop_gradient", (2.0,), {}),
    ("count_like", (A,), {}),
    ("size", (A,), {"axis": 1}),
    ("size", (A,), {"axis": None}),
    ("cast", (10 * A,), {"dtype": dtype("i8")}),
    ("cast", (I,), {"dtype": dtype("bool")}),
    ("cast", (2.7,), {"dtype": dtype("f4")}),
    ("widen", (2,), {"type": WEAK_FLOAT}),
    ("where0", (True, np.array(2.0), np.array(3.0)), {}),
    ("widen", (2.0,), {"type": Scalar(F8)}),
    ("reshape", (A, 6, 2), {}),
    ("reshape", (A, 5, 2), {}),
    ("reshape", (A, L(-1)), {}),
    ("reshape", (A, L(-1), 2), {}),
    ("reshape", (A, L(-1), 5), {}),
    ("reshape", (A.T, L(-1)), {}),
    ("reshape", (V, 2, 2), {}),
    ("reshape", (V, L(1), L(4)), {}),
    ("reshape", (np.array(2.0), L(1)), {}),
    ("reshape_like", (A, RNG.random((2, 6))), {}),
    ("broadcast_to", (V, 3, 4), {}),
    ("broadcast_to", (V, 3, 5), {}),
    ("broadcast_to", (2.0, 3), {}),
    ("broadcast_like", (V, A), {}),
    ("unbroadcast", (A, V), {}),
    ("unbroadcast", (A, A[:, :1]), {}),
    ("unbroadcast", (A[:, :1], A[:1]), {}),
    ("unbroadcast", (V, A), {}),
    ("unbroadcast", (A, 2.0), {}),
    ("unbroadcast", (A, A), {}),
    *[
        (name, (A, other, 1e-5, 1e-8), {"equal_nan": nan})
        for name in ("isclose", "allclose")
        for other in (A, A + 1e-9, V, np.inf * A, np.nan * A)
        for nan in (False, True)
    ],
    *[("array_equal", (A, other), {"equal_nan": False}) for other in (A, A + 1.0, V, A[:2])],
    ("to_float", (np.array([1.5]),), {}),
    ("to_float", (V,), {}),
    ("to_int", (2.7,), {}),
    ("to_int", (np.nan,), {}),
    ("to_int", (np.inf,), {}),
    ("to_bool", (0.0,), {}),
    ("to_complex", (1.5,), {}),
    ("not_", (True,), {}),
    ("round_to_int", (2.5,), {}),
    ("round_float", (2.675,), {"digits": 2}),
    *[
        ("math_" + name, (x,), {})
        for name in (
            "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "asin", "acos",
            "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "gamma", "lgamma",
            "radians", "degrees", "fabs", "exp2", "cbrt", "floor", "ceil", "trunc", "isnan", "isinf",
            "isfinite",
        )
        for x in (0.3, 1.0, 1.7, 0.0, -1.0, -2.5, 1e5, np.nan, np.inf, -np.inf)
    ],
    *[
        ("math_" + name, args, {})
        for name in ("pow", "hypot", "atan2", "fmod", "copysign", "remainder")
        for args in ((2.0, 0.5), (-2.0, 3.0), (-2.0, 0.5), (0.0, -1.0), (1.0, 0.0), (1e200, 2.0))
    ],
    ("math_log_base", (8.0, 2.0), {}),
    ("math_fsum", (1.0, 1e100, 1.0, -1e100), {}),
    ("convolve", (V, V[:3]), {"mode": "full"}),
    ("convolve", (V, V[:3]), {"mode": "valid"}),
    ("convolve", (V, V[:0]), {"mode": "full"}),
    ("math_hypot", (1.0, 2.0, 2.0), {}),
    ("math_isclose", (1.0, 1.0 + 1e-10, 1e-9, 0.0), {}),
    ("math_factorial", (5,), {}),
    ("math_factorial", (-1,), {}),
    ("math_comb", (6, 2), {}),
    ("math_perm", (5, 2), {}),
    ("math_gcd", (12, 18), {}),
    ("math_lcm", (4, 6), {}),
    ("math_isqrt", (17,), {}),
    # reading parts
    *slices(),
    ("getitem", (A, 1), {"path": path(At(), Span())}),
    ("getitem", (A, 3), {"path": path(At(), Span())}),
    ("getitem", (A, -3, -4), {"path": path(At(), At())}),
    ("getitem", (A, -4, 0), {"path": path(At(), At())}),
    ("getitem", (A,), {"path": (Permute((1, 0)),)}),
    ("getitem", (T, 1, 2, L(-1)), {"path": (Permute((2, 0, 1)), Index((Span(True), At(), Span(step=True))))}),
    ("getitem", (A,), {"path": path(New(), Span(), New(), Span())}),
    ("getitem", (A, 1, np.array([0, 2, -1])), {"path": path(At(), Fancy())}),
    ("getitem", (A, np.array([0, 3])), {"path": path(Fancy(), Span())}),
    ("getitem", (A, np.array([-4])), {"path": path(Fancy(), Span())}),
    ("getitem", (T, np.array([0, 1, -1]), np.array([[0], [2]])), {"path": path(Fancy(), Span(), Fancy())}),
    ("getitem", (T, np.array([0, 1, -1]), np.array([[0], [2]])), {"path": path(Fancy(), Fancy(), Span())}),
    ("getitem", (T, np.array([0, 1]), np.array([0, 1, 2])), {"path": path(Fancy(), Fancy(), Span())}),
    ("getitem", (T, 1, np.array([0, 1])), {"path": path(Span(), At(), Fancy())}),
    ("getitem", (T, 1, np.array([0, 1])), {"path": path(At(), Span(), Fancy())}),
    ("getitem", (T, L(1), np.array([0, 1])), {"path": path(Span(True), New(), Fancy(), Span())}),
    ("getitem", (T, T > 0.5), {"path": path(Fancy(True, 3))}),
    ("getitem", (T, T[0] > 0.5), {"path": path(Span(), Fancy(True, 2))}),
    ("getitem", (A, A[:, 0] > 0.5), {"path": path(Fancy(True, 1), Span())}),
    ("getitem", (A, V > 0.5), {"path": path(Fancy(True, 1), Span())}),
    # writing parts
    *[
        (name, (x, v, *operands), {"path": where} | ({"at": False} if name == "accum" else {}))
        for name in ("setitem", "accum")
        for x, v, operands, where in (
            (A, 2.5, (1,), path(At(), Span())),
            (A, V, (1,), path(At(), Span())),
            (A, V[:3], (1,), path(At(), Span())),
            (A, V[None], (1,), path(At(), Span())),
            (A, V, (), path(Span(), Span())),
            (A, A.T.copy(), (), (Permute((1, 0)),)),
            (A, np.array([1.0, 2.0]), (np.array([0, 2]),), path(Span(), Fancy())),
            (A, 1.0, (np.array([0, 5]),), path(Span(), Fancy())),
            (V, 2.0, (V > 0.5,), path(Fancy(True, 1))),
            (A, 2.0, (A[:, 0] > 0.5,), path(Fancy(True, 1), Span())),
            (V, np.arange(float(np.sum(V > 0.5))), (V > 0.5,), path(Fancy(True, 1))),
            (V, np.arange(9.0), (V > 0.5,), path(Fancy(True, 1))),
            (V, np.array([1.0, 2.0, 3.0]), (np.array([0, 0, 1]),), path(Fancy())),
            (np.array(1.5), 2.0, (), path()),
            (np.arange(4), 2.7, (1,), path(At())),
            (F4, 0.1, (), path(Span(), Span())),
        )
        if not (name == "accum" and x.dtype.kind == "i")
    ],
    ("accum", (V, np.array([1.0, 2.0, 3.0]), np.array([0, 0, -1])), {"at": True, "path": path(Fancy())}),
    ("accum", (V > 0.5, True, 1), {"at": False, "path": path(At())}),
]  # fmt: skip


@pytest.mark.parametrize("k", range(0, len(CASES), 20))
def test_op(k: int):
    for name, args, params in CASES[k : k + 20]:
        check(*function_of(name, args, params))


def test_cases_cover_every_op():
    structural = {n for n, op in OPS.items() if op.kind is Kind.CONTROL} | {"print", "comment", "undef"}
    covered = {name for name, _, _ in CASES} | set(ELEMENTWISE) | {"empty", "empty_like"}
    linalg = {"solve", "inv", "det", "slogdet", "pinv", "cholesky", "qr", "svd", "svdvals", "norm"}
    linalg |= {"lstsq", "cholesky_adjoint", "eigh", "eigvalsh", "eig", "eigvals", "svd_triplets"}
    fourier = {"fft", "ifft", "rfft", "irfft"}  # tests/test_fourier.py
    draws = {"draw", "default_rng", "random_state", "numpy_random", "seed"}  # tests/test_draws.py
    scipy = {"solve_triangular", "lu_factor", "row_order", "solve_banded", "expm", "solve_sylvester", "sqrtm"}
    scipy |= {"scipy_eigh", "external", "declared", "optimize"}
    elsewhere = linalg | fourier | draws | scipy | {n for n in OPS if n.startswith("sparse_")}
    assert set(OPS) - structural - elsewhere <= covered
