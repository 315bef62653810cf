"""Operations that occur in lowered functions only: what scalar loops need beside NumPy's own ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Value
from s2sad.ir.op import Alias, Kind, Op
from s2sad.ir.types import WEAK_BOOL, Array, Dtype, Scalar, Type
from s2sad.ops.external import evaluate_outside, spell_outside
from s2sad.ops.support import load
from s2sad.ops.table import OPS

LOWERED: dict[str, Op] = {}

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64", "complex64", "complex128")
MAX_RANK = 8


def _register(name: str, evaluate: Any, spelling: str, **columns: Any) -> Op:
    op = Op(name, Kind.NONDIFF, evaluate, spelling=spelling, **columns)
    LOWERED[name] = op
    return op


def _same_type(types: tuple[Type, ...], params: dict[str, Any], sizes: Sizes) -> tuple[Type, ...]:
    return (types[0],)


def _select_type(types: tuple[Type, ...], params: dict[str, Any], sizes: Sizes) -> tuple[Type, ...]:
    strong = [t for t in types[1:] if isinstance(t, Scalar) and not t.weak]
    chosen = strong[0] if strong else types[1]
    return (Scalar(chosen.dtype, isinstance(chosen, Scalar) and chosen.weak),)


_register("select", lambda c, a, b: a if c else b, "{1} if {0} else {2}", infer=_select_type)
_register("at_least", lambda a, b: max(a, b), "max({}, {})")
_register("at_most", lambda a, b: min(a, b), "min({}, {})")
_register("both", lambda a, b: bool(a and b), "{} and {}")
_register("either", lambda a, b: bool(a or b), "{} or {}")
_register("outside", lambda i, n: i < -n or i >= n, "{0} < -{1} or {0} >= {1}")
_register("wrap", lambda i, n: i + n if i < 0 else i, "{0} + {1} if {0} < 0 else {0}")
for _part in ("real", "imag"):
    _register(
        f"{_part}_part",
        lambda x, part=_part: getattr(x, part),
        f"{{}}.{_part}",
        infer=lambda types, params, sizes: (Scalar(np.zeros((), types[0].dtype).real.dtype),),
    )
_register(
    "contiguous",
    np.ascontiguousarray,
    "np.ascontiguousarray({})",
    infer=_same_type,
    alias=Alias.MAYBE,
    doc="x in C order; x itself where it is already",
)


def _dot_type(types: tuple[Type, ...], params: dict[str, Any], sizes: Sizes) -> tuple[Type, ...]:
    a, b = types
    shape = (*a.shape[:-1], *b.shape[1:])
    return (Array(a.dtype, shape) if shape else Scalar(a.dtype),)


_register(
    "called_outside",
    evaluate_outside,
    "",
    infer=lambda types, params, sizes: (params["type"],),
    extra={"spell": spell_outside},
    pure=False,
    doc="a call of a Python function; params: function, slots, type; operands: the result's dimensions first",
)
_register("blas_dot", np.dot, "np.dot({}, {})", infer=_dot_type, doc="BLAS product of ranks 1 and 2")
_register("sort_line", np.sort, "np.sort({})", infer=_same_type, doc="np.sort of rank 1")
_register(
    "argsort_line",
    lambda x: np.argsort(x, kind="mergesort"),
    'np.argsort({}, kind="mergesort")',
    infer=lambda types, params, sizes: (Array(np.dtype(np.int64), types[0].shape),),
    doc="stable argsort of rank 1",
)


def _search_type(types: tuple[Type, ...], params: dict[str, Any], sizes: Sizes) -> tuple[Type, ...]:
    return (Scalar(np.dtype(np.int64)),)


_register("search_left", np.searchsorted, "np.searchsorted({}, {})", infer=_search_type)
_register(
    "search_right",
    lambda a, v: np.searchsorted(a, v, side="right"),
    'np.searchsorted({}, {}, side="right")',
    infer=_search_type,
)


def _lapack(name: str, text: str, of: str = "", **params: Any) -> None:
    op = OPS[of or name]
    assert op.infer is not None

    def infer(types: tuple[Type, ...], _: dict[str, Any], sizes: Sizes) -> tuple[Type, ...]:
        assert op.infer is not None
        return op.infer(types, params, sizes)

    def evaluate(*args: Any) -> Any:
        return op.evaluate(*args, **params)

    _register(f"lapack_{name}", evaluate, text, infer=infer, results=op.results)


for _name in ("inv", "det", "slogdet", "pinv", "cholesky", "qr", "eigh", "eigvalsh"):
    _lapack(_name, f"np.linalg.{_name}({{}})")
_register(
    "lapack_lstsq",
    lambda a, b, cut: np.linalg.lstsq(a, b, cut)[0],
    "np.linalg.lstsq({}, {}, {})[0]",
    infer=lambda types, params, sizes: (Array(types[0].dtype, (types[0].shape[1], *types[1].shape[1:])),),
)
_lapack("pinv_within", "np.linalg.pinv({}, {})", "pinv")
_lapack("solve", "np.linalg.solve({}, {})")
_register(
    "lu_factored",
    load("lu_factored"),
    "lu_factored({})",
    infer=_same_type,
    doc="a matrix for lu_solved",
)
_register(
    "lu_solved",
    load("lu_solved"),
    "lu_solved({}, {}, {})",
    infer=lambda types, params, sizes: (types[1],),
    doc="a @ x = b, or a.T @ x = b, by the factors of a",
)
_lapack("svd", "np.linalg.svd({}, False)", full_matrices=False)
_lapack("svd_triplets", "np.linalg.svd({}, False)")
_lapack("svd_full", "np.linalg.svd({})", "svd", full_matrices=True)
_lapack("svdvals", "np.linalg.svd({}, False)[1]")
_lapack("eigh_upper", "eigh_upper({})", "eigh", UPLO="U")
_lapack("eig", "eig({})")
_lapack("eigvals", "eigvals({})")
_register(
    "sparse_rows",
    lambda a: a[2].size - 1,
    "{0}[2].size - 1",
    infer=lambda types, params, sizes: (Scalar(np.dtype(np.int64), weak=True),),
)
_register(
    "sparse_columns",
    lambda a: a[3],
    "{0}[3]",
    infer=lambda types, params, sizes: (Scalar(np.dtype(np.int64), weak=True),),
)
_register(
    "sparse_times",
    load("sparse_times"),
    "sparse_times({0}, {1}, {2})",
    infer=lambda types, params, sizes: (Array(types[1].dtype, (sizes.fresh(), types[1].shape[1])),),
    doc="a sparse matrix in parts, or its transpose, times a dense one",
)
_register("fft_line", np.fft.fft, "np.fft.fft({})", infer=_same_type, doc="of a complex vector")


def _rank_reshape(rank: int) -> None:
    dims = ", ".join(f"{{{k + 1}}}" for k in range(rank)) + ("," if rank == 1 else "")

    def infer(types: tuple[Type, ...], params: dict[str, Any], sizes: Sizes) -> tuple[Type, ...]:
        return (Array(types[0].dtype, params["shape"]),)

    _register(
        f"as_rank{rank}",
        lambda x, *dims, shape: x.reshape(dims),
        f"{{0}}.reshape(({dims}))",
        infer=infer,
        alias=Alias.VIEW,
        doc=f"a contiguous array as a view of rank {rank}; param shape: the sizes",
    )


for _rank in range(MAX_RANK + 1):
    _rank_reshape(_rank)


def _conversion(name: str) -> None:
    dtype = np.dtype(name)
    _register(
        f"to_{name}",
        lambda x: np.asarray(x).astype(dtype)[()],
        f"np.{'bool_' if name == 'bool' else name}({{}})",
        infer=lambda types, params, sizes: (Scalar(dtype),),
        doc=f"a scalar as {name}",
    )


for _name in (*DTYPES, *FLOATS):
    _conversion(_name)


def conversion(dtype: Dtype) -> str:
    """Return the name of the op that converts a scalar to `dtype`."""
    return f"to_{dtype.name}"


def conversion_to(value: Value) -> Op:
    """Return the op that makes a scalar of the dtype of a value."""
    return LOWERED[conversion(value.type.dtype)]


# operations of the text that is compiled; emit/numba_math.py has what they are there
_register(
    "stay_apart",
    lambda: None,
    "stay_apart",
    infer=lambda types, params, sizes: (),
    pure=False,
    results=0,
    doc="the function around it is not compiled once more where it is called",
)
_register(
    "worth_threads",
    lambda lo, hi, step, cost, *arrays: False,
    "worth_threads({}, {}, {}, {})",
    infer=lambda types, params, sizes: (WEAK_BOOL,),
    doc="whether a loop that takes `cost` per trip is run by threads, which may need copies of arrays",
)
AS_INDEX = _register(
    "as_index", lambda i: i, "as_index({})", infer=_same_type, doc="an int that is not negative"
)
ANY_ORDER = {
    "add": _register("any_order_add", lambda a, b: a + b, "any_order_add({}, {})", infer=_same_type),
    "subtract": _register("any_order_sub", lambda a, b: a - b, "any_order_sub({}, {})", infer=_same_type),
}
SIMD = {
    **{name: name for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh",
        "cbrt", "hypot", "maximum", "minimum",
    )},
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "power": "pow",
    "special_erf": "erf", "special_erfc": "erfc",
    **{f"math_{name}": name for name in (
        "exp", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh",
        "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "pow", "erf", "erfc",
    )},
}  # fmt: skip
OF_TWO = ("pow", "atan2", "hypot", "maximum", "minimum")


def _simd(name: str) -> Op:
    op = OPS[name]
    args = "{}, {}" if SIMD[name] in OF_TWO else "{}"
    return _register(f"simd_{name}", op.evaluate, f"simd_{SIMD[name]}({args})", infer=op.infer)


VECTORISED = {name: _simd(name) for name in SIMD if name in OPS}


ROUNDED = {
    "add": _register("rounded_add", lambda a, b: a + b, "rounded_add({}, {})", infer=_same_type),
    "subtract": _register("rounded_sub", lambda a, b: a - b, "rounded_sub({}, {})", infer=_same_type),
}


def of_rounded(op: Op) -> Op:
    """Return an addition or subtraction whose terms are rounded before it."""
    return ROUNDED[op.name]


def in_any_order(op: Op) -> Op:
    """Return an addition or subtraction whose terms may be regrouped with those of other trips."""
    return ANY_ORDER[op.name]


def vectorised(op: Op) -> Op | None:
    """Return the function of which the vectoriser knows SIMD variants; None if there is none."""
    return VECTORISED.get(op.name)
