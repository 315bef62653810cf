"""Sparse matrices of SciPy: constants that vectors and dense matrices are multiplied by."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from s2sad.errors import UnsupportedOp
from s2sad.ir.builder import Sizes
from s2sad.ir.types import INT, Array, Scalar, Sparse, Type
from s2sad.ops.declare import Params, Types, linear, nondiff
from s2sad.ops.expr import Expr, apply
from s2sad.record import replace


def _sparse(t: Type) -> Sparse:
    assert isinstance(t, Sparse)
    return t


def _size_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    a = _sparse(types[0])
    return (Scalar(INT, weak=True, size=(a.rows, a.columns)[params["axis"]]),)


nondiff(
    "sparse_size",
    lambda a, axis: a.shape[axis],
    spell=lambda types, params: f"{{0}}.shape[{params['axis']}]",
    infer=_size_infer,
    cost=0,
    doc="the number of rows or columns of a sparse matrix",
)


def _turned(types: Types, params: Params, sizes: Sizes) -> Types:
    a = _sparse(types[0])
    return (replace(a, rows=a.columns, columns=a.rows),)


nondiff(
    "sparse_transpose",
    lambda a: a.T,
    "{0}.T",
    infer=_turned,
    cost=0,
    doc="the transpose of a sparse matrix",
)


def turned(a: Expr) -> Expr:
    """Return the transpose of a sparse matrix."""
    return apply("sparse_transpose", a)


def _product_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    a, x = _sparse(types[0]), types[1]
    if not isinstance(x, Array) or x.ndim not in (1, 2):
        why = "a sparse matrix is multiplied by vectors and matrices here"
        raise UnsupportedOp("S202", why, "reshape the other factor")
    return (Array(np.result_type(a.of, x.dtype), (a.rows, *x.shape[1:])),)


linear(
    "sparse_product",
    lambda a, x: a @ x,
    lambda g, a, x, y: (None, apply("sparse_product", turned(a), g)),
    "{0} @ {1}",
    infer=_product_infer,
    linear_args=(1,),
    cost=20,
    doc="a sparse matrix times a vector or a dense matrix",
)


def _solve(a: Any, b: Any) -> Any:
    return importlib.import_module("scipy.sparse.linalg").spsolve(a, b)


def _solve_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    a, b = _sparse(types[0]), types[1]
    if not isinstance(b, Array) or b.ndim != 1:  # of one column SciPy makes a vector
        raise UnsupportedOp("S202", "spsolve takes a vector here", "solve for one column after the other")
    return (Array(np.result_type(a.of, b.dtype, np.float32), b.shape),)


linear(
    "sparse_solve",
    _solve,
    lambda g, a, b, y: (None, apply("sparse_solve", turned(a), g)),
    "scipy.sparse.linalg.spsolve({0}, {1})",
    infer=_solve_infer,
    linear_args=(1,),
    cost=1000,
    doc="the solution of a system with a sparse matrix",
)
nondiff(
    "sparse_dense",
    lambda a: a.toarray(),
    "{0}.toarray()",
    infer=lambda types, params, sizes: (Array(_sparse(types[0]).of, _shape(types[0])),),
    doc="a sparse matrix as an array",
)
nondiff(
    "sparse_diagonal",
    lambda a: a.diagonal(),
    "{0}.diagonal()",
    infer=lambda types, params, sizes: (Array(_sparse(types[0]).of, (_least(types[0]),)),),
    doc="the diagonal of a sparse matrix",
)


def _shape(t: Type) -> Any:
    return _sparse(t).rows, _sparse(t).columns


def _least(t: Type) -> Any:
    return _sparse(t).rows.minimum(_sparse(t).columns)
