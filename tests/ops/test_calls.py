"""Calls mean what NumPy and Python make of them: same values bit for bit, same kinds, same dtypes."""

# ruff: noqa: E501 (tables)
from __future__ import annotations

import builtins
import inspect
import math
from typing import Any

import numpy as np
import pytest
from numeric import evaluate, symbolic

from s2sad.errors import S2sadError, UnsupportedOp
from s2sad.ir.core import Value
from s2sad.ir.op import Alias
from s2sad.ir.path import is_fancy
from s2sad.ir.size import Size
from s2sad.ir.types import INT, WEAK_FLOAT, Scalar, type_of, without_sizes
from s2sad.ops import OPS, attribute, lookup, method
from s2sad.ops.call import FUNCTIONS, Call
from s2sad.ops.expr import Apply, Expr, Leaf, lift

RNG = np.random.default_rng(3)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(4, 2))
S = RNG.normal(size=(3, 3))
T = RNG.normal(size=(2, 3, 4))
V = RNG.normal(size=4)
W = RNG.normal(size=3)
P = RNG.uniform(0.5, 2.0, size=(3, 4))
F = RNG.normal(size=(3, 4)).astype(np.float32)
IDX = np.array([3, 1, 2, 0])
M = A > 0
N = np.array([1.0, np.nan, 3.0, np.inf])
Z = V + 1j * V[::-1]
Y = np.float64(1.5)
Y4 = np.float32(1.5)


def c(function: Any, *args: Any, **kwargs: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    return function, args, kwargs


UNARY = [
    "negative",
    "positive",
    "absolute",
    "sign",
    "sqrt",
    "square",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "exp2",
    "sin",
    "cos",
    "tan",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "reciprocal",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "isnan",
    "isfinite",
    "isinf",
    "logical_not",
    "cbrt",
    "deg2rad",
    "rad2deg",
    "degrees",
    "radians",
    "fabs",
    "conj",
    "conjugate",
    "real",
    "imag",
    "angle",
    "round",
    "around",
    "fix",
    "nan_to_num",
    "isposinf",
    "isneginf",
    "isreal",
    "iscomplex",
    "signbit",
]
BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "true_divide",
    "floor_divide",
    "remainder",
    "mod",
    "fmod",
    "power",
    "float_power",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "copysign",
    "heaviside",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "equal",
    "not_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
]

TABLE = [
    *(c(getattr(np, f), a) for f in UNARY for a in (P, 1.5, Y, np.array(1.5))),
    *(c(getattr(np, f), P[:, :1].astype(np.float32)) for f in UNARY),
    *(c(getattr(np, f), *ab) for f in BINARY for ab in ((P, P[0]), (1.5, 2.5), (Y, P), (2.0, np.array(1.5)), (F**2, 2.0), (3, 2))),
    *(c(getattr(np, f), 6, IDX + 1) for f in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")),
    c(np.invert, IDX), c(np.invert, M), c(np.conj, Z), c(np.real, Z), c(np.imag, Z), c(np.angle, Z), c(np.abs, Z), c(np.sign, Z),
    c(np.add, F, F, dtype=np.float64), c(np.add, A, 2, dtype=np.float32), c(np.add, A, A, dtype=int, casting="unsafe"),
    c(np.abs, Z, dtype=np.float64), c(np.sin, A, dtype=np.complex64), c(np.sin, 2.0, dtype=np.float32), c(np.less, A, 0.5, dtype=bool), c(np.round, A, 2), c(np.round, 1.2345, 2), c(np.divmod, P, 0.7), c(np.modf, A),
    c(np.clip, A, -0.5, 0.5), c(np.clip, A, None, 0.5), c(np.clip, A, V, None), c(np.clip, 1.5, 0, 1), c(np.clip, A, min=0.0),
    c(np.where, M, A, 0.0), c(np.where, M, 1.0, 2.0), c(np.where, True, 1.0, 2.0), c(np.where, V > 0), c(np.where, M),
    c(np.where, M, F, 1.0), c(np.select, [A > 1, A > 0], [A, 2 * A], 7.0),
    c(np.isclose, A, A + 1e-9), c(np.allclose, A, A + 1e-9), c(np.array_equal, A, A), c(np.allclose, A, A + 1, atol=3.0),
    # reductions
    *(c(getattr(np, f), T, **kw) for f in ("sum", "mean", "prod", "max", "min", "amax", "amin", "var", "std", "any", "all", "ptp")
      for kw in ({}, {"axis": 0}, {"axis": -1}, {"axis": (0, 2)}, {"axis": 1, "keepdims": True}, {"keepdims": True})),
    *(c(getattr(np, f), a) for f in ("sum", "mean", "prod", "max", "var") for a in (F, IDX, M, 1.5, Y, (1.0, 2.0))
      if not (f in ("max", "var") and a is M)),
    c(np.sum, F, dtype=np.float64), c(np.sum, IDX, dtype=np.float32), c(np.mean, F, dtype=np.float64, axis=0), c(np.sum, A, initial=2.0),
    c(np.max, A, axis=0, initial=0.0), c(np.var, A, axis=0, ddof=1), c(np.std, A, ddof=1, keepdims=True), c(np.std, A, correction=1),
    c(np.argmax, A), c(np.argmax, A, axis=1), c(np.argmin, A, axis=0, keepdims=True), c(np.count_nonzero, A > 0, axis=0), c(np.count_nonzero, IDX),
    c(np.cumsum, A), c(np.cumsum, A, axis=1), c(np.cumsum, V), c(np.cumprod, A, axis=-2), c(np.cumsum, IDX, dtype=np.float32), c(np.cumsum, 2.0),
    c(np.average, A), c(np.average, A, axis=0, weights=W), c(np.average, A, weights=P), c(np.average, A, axis=1),
    c(np.nansum, N[:3]), c(np.nanmean, N[:3]), c(np.nanprod, N[:3]), c(np.nan_to_num, N), c(np.median, A), c(np.median, A, axis=0), c(np.median, V),
    c(np.median, W), c(np.median, N), c(np.median, A, axis=1, keepdims=True), c(np.median, T, axis=(0, -1)),
    c(np.median, A, keepdims=True), c(np.sum, A, where=M), c(np.sum, A, axis=1, where=M[0], initial=2.0), c(np.prod, A, axis=0, where=M),
    c(np.max, A, axis=0, where=M, initial=-1.0), c(np.min, A, where=M, initial=np.float64(1.0)), c(np.any, A, where=M), c(np.all, A, axis=0, where=M),
    c(np.sum, IDX, initial=1.5), c(np.max, IDX, initial=-1.5), c(np.min, IDX, initial=0.25), c(np.sum, F, initial=Y), c(np.var, A, ddof=0.5),
    c(np.nansum, IDX), c(np.nanprod, IDX), c(np.nanmax, IDX), c(np.nancumsum, IDX), c(np.nanmean, IDX), c(np.full_like, F, 1.5, dtype=np.float64),
    c(np.sum, A, axis=0, where=True), c(np.linspace, V, V + 1, 3), c(np.linspace, A, 1.0, 4, axis=-1, retstep=True), c(np.nan_to_num, Z),
    c(np.kron, A, V), c(np.kron, T, A), c(np.vecdot, A, P, axis=0),
    c(np.diff, V), c(np.diff, A, axis=0), c(np.diff, V, 2), c(np.diff, V, prepend=0.0), c(np.diff, M), c(np.diff, V, append=V),
    c(np.multiply.outer, V, A), c(np.subtract.outer, A, 2.0), c(np.maximum.outer, 1.5, V), c(np.add.reduce, A), c(np.maximum.reduce, A, axis=1), c(np.add.accumulate, A), c(np.multiply.accumulate, A, axis=1),
    # numerical recipes
    c(np.trapezoid, V), c(np.trapezoid, A, dx=0.5, axis=0), c(np.trapezoid, A, V), c(np.trapezoid, A, A * 2), c(np.gradient, V), c(np.gradient, V, 0.5),
    c(np.gradient, A), c(np.gradient, A, 0.5, axis=1), c(np.gradient, A, 0.5, 2.0), c(np.ediff1d, V), c(np.ediff1d, V, to_end=[1.0, 2.0], to_begin=0.0),
    c(np.cumulative_sum, V), c(np.cumulative_sum, A, axis=1, include_initial=True), c(np.cumulative_prod, A, axis=0, include_initial=True),
    c(np.interp, 1.5, np.arange(4.0), Z), c(np.interp, F, np.arange(4, dtype=np.float32), F[0]),
    *(c(np.interp, t, np.arange(4.0), V, **kw) for t in (2 * A, 1.5, 0.0, 3.0, 3, np.array(0.3), np.arange(5.0)) for kw in ({}, {"left": -9.0, "right": 9.0})),
    *(c(f, a, q) for a in (V, A, F, N) for f, q in ((np.quantile, 0.3), (np.percentile, 30), (np.percentile, 75.0), (np.quantile, [0.0, 0.5, 1.0]), (np.quantile, np.array([[0.2, 0.9]])))),
    c(np.quantile, F, np.float64(0.3)), c(np.quantile, [1.0, 2.0], 1.0), c(np.percentile, A, 40, axis=0), c(np.quantile, A, [0.2, 0.8], axis=1), c(np.nanmax, N), c(np.nanmin, N), c(np.nanmax, np.array([[np.nan, 1], [2, 3]]), axis=0),
    c(np.nanvar, N[:3]), c(np.nanstd, N[:3], ddof=1), c(np.nanvar, np.array([[np.nan, 1, 2], [2, 3, 5]]), axis=1, keepdims=True), c(np.nancumsum, N[:3]), c(np.nancumprod, N[:3]),
    *(c(np.convolve, a, b, m) for a, b in ((V, W), (W, V), (V, V)) for m in ("full", "valid", "same")), c(np.correlate, V, W), c(np.correlate, W, V), c(np.correlate, V, W, "full"),
    c(np.polyval, [1.0, 2.0, 3.0], V), c(np.polyval, [1.0, 2.0], 1.5), c(np.vander, V, 3), c(np.vander, V, 3, increasing=True), c(np.cov, A), c(np.cov, A, rowvar=False), c(np.cov, A, ddof=0), c(np.corrcoef, A),
    c(np.inner, F, 2.0), c(np.dot, 2.0, F), c(np.cov, F), c(np.corrcoef, F), c(np.ldexp, F, 2), c(np.divmod, 1.5, F), c(np.vander, F[0], 3),
    c(np.polyval, [1, 2], F), c(np.polyval, (1, 2.5), IDX), c(np.nanmean, F), c(np.take, A, 1, axis=1),
    c(np.ldexp, V, 3), c(np.matvec, A, V), c(np.matvec, T, T[:, 0]), c(np.block, [[A, A], [A, A]]), c(np.block, [V, W, 1.0]), c(np.block, [[A, W[:, None]], [V, 1.0]]),
    # shapes
    c(np.reshape, A, (4, 3)), c(np.reshape, A, (2, -1)), c(np.reshape, A, -1), c(np.reshape, 1.5, (1, 1)), c(np.ravel, A), c(np.ravel, V),
    c(np.squeeze, A[:, :1], axis=1), c(np.squeeze, A[:1, :1]), c(np.expand_dims, A, 1), c(np.expand_dims, A, (0, -1)), c(np.expand_dims, 1.5, 0),
    c(np.atleast_1d, 1.5), c(np.atleast_1d, V), c(np.atleast_2d, V), c(np.atleast_3d, A), c(np.atleast_2d, 1.5, A), c(np.atleast_3d, V),
    c(np.transpose, T), c(np.transpose, T, (1, 0, 2)), c(np.swapaxes, T, 0, -1), c(np.moveaxis, T, 0, -1), c(np.moveaxis, T, (0, 1), (2, 0)),
    c(np.rollaxis, T, 2), c(np.rollaxis, T, 0, 2), c(np.flip, T), c(np.flip, T, 1), c(np.flip, T, (0, 2)), c(np.fliplr, A), c(np.flipud, A),
    *(c(np.rot90, A, k) for k in range(5)), c(np.broadcast_to, V, (3, 4)), c(np.broadcast_to, 1.5, (3,)), c(np.broadcast_arrays, V, A[:, :1]),
    c(np.copy, A), c(np.copy, 1.5), c(np.ndim, A), c(np.shape, A), c(np.size, A), c(np.size, A, 1), c(np.size, 1.5), c(np.isscalar, 1.5), c(np.isscalar, A),
    c(np.iscomplexobj, Z), c(np.isrealobj, Z), c(np.concatenate, (V, W)), c(np.concatenate, (A, A), axis=1), c(np.concatenate, (A, A), axis=None),
    c(np.concatenate, (V, [1.0, 2.0])), c(np.concatenate, (F, A)), c(np.concatenate, (V, IDX), dtype=np.float32), c(np.concatenate, T), c(np.stack, (V, V)),
    c(np.stack, (A, A), axis=-1), c(np.stack, [1.0, Y]), c(np.hstack, (V, W)), c(np.hstack, (A, A)), c(np.hstack, (1.0, 2.0)), c(np.vstack, (V, V)),
    c(np.vstack, (A, V)), c(np.dstack, (V, V)), c(np.dstack, (A, A)), c(np.column_stack, (W, A)), c(np.column_stack, (V, V)), c(np.append, V, 1.5),
    c(np.append, A, A, axis=0), c(np.split, V, 2), c(np.split, V, [1, 3]), c(np.split, A, 2, axis=1), c(np.array_split, V, 3), c(np.array_split, A, 2),
    c(np.hsplit, A, 2), c(np.vsplit, T, 2), c(np.dsplit, T, [1]),
    # creation
    c(np.array, [1.0, 2.0]), c(np.array, [1, 2]), c(np.array, [1, 2.5]), c(np.array, [[1.0, 2.0], [3.0, 4.0]]), c(np.array, [V, V]), c(np.array, A),
    c(np.array, A, dtype=np.float32), c(np.array, 1.5), c(np.array, [Y4, Y4]), c(np.array, [1, 2], dtype=float), c(np.array, [[1], [2]]), c(np.array, []),
    c(np.array, V, ndmin=2), c(np.array, [[[1.0], [2.0]], [[3.0], [4.0]]]), c(np.array, [True, False]), c(np.asarray, A), c(np.asarray, 1.5), c(np.asarray, F, dtype=np.float64),
    c(np.zeros, 3), c(np.zeros, (2, 3)), c(np.zeros, (2,), dtype=int), c(np.zeros, ()), c(np.ones, (2, 3), np.float32), c(np.ones, 2, bool), c(np.full, 3, 1.5),
    c(np.full, (2, 2), 1), c(np.full, (2, 4), V), c(np.full, 2, Y4), c(np.full, 2, 1.5, dtype=np.float32), c(np.zeros_like, A), c(np.zeros_like, F, dtype=float), c(np.zeros_like, 1.5),
    c(np.ones_like, IDX), c(np.ones_like, A, shape=(2, 2)), c(np.full_like, A, 2.5), c(np.full_like, IDX, 2.5), c(np.eye, 3), c(np.eye, 3, 4, 1), c(np.eye, 2, dtype=int), c(np.identity, 3),
    c(np.tri, 3), c(np.arange, 5), c(np.arange, 1, 5), c(np.arange, 5, 1, -2), c(np.arange, 0, 1, 0.25), c(np.arange, 3.0), c(np.arange, 4, dtype=np.float32), c(np.arange, 0), c(np.arange, 1, 7, 3),
    c(np.arange, 7, 0, -3), c(np.arange, 3, 1), c(np.linspace, 0.0, 1.0, 5), c(np.linspace, 0, 1, 4, endpoint=False), c(np.linspace, 0.0, 2.0), c(np.linspace, 0.0, 1.0, 5, retstep=True), c(np.logspace, 0.0, 2.0, 4),
    c(np.meshgrid, V, W), c(np.meshgrid, V, W, indexing="ij"), c(np.meshgrid, V, W, sparse=True), c(np.indices, (2, 3)),
    # products
    *(c(f, *ab) for f in (np.matmul, np.dot) for ab in ((V, V), (A, V), (W, A), (A, B), (T, B), (T, V))), c(np.matmul, T, T.transpose(0, 2, 1)), c(np.dot, A, 2.0), c(np.dot, 2.0, 3.0),
    c(np.dot, T, T.transpose(0, 2, 1)), c(np.dot, V, T.transpose(0, 2, 1)), c(np.inner, V, V), c(np.inner, A, V), c(np.inner, A, T), c(np.inner, A, A), c(np.inner, 2.0, V), c(np.vdot, A, A), c(np.vdot, Z, Z), c(np.outer, V, W), c(np.outer, A, V), c(np.outer, 2.0, V),
    c(np.kron, V, W), c(np.kron, A, B), c(np.trace, S), c(np.trace, A, 1), c(np.trace, T, axis1=1, axis2=2), c(np.diagonal, A), c(np.diagonal, A, -1), c(np.diagonal, T, 0, 1, 2), c(np.diag, V), c(np.diag, A), c(np.diag, V, 1), c(np.diag, A, -1),
    c(np.diagflat, A), c(np.triu, S), c(np.triu, A, 1), c(np.tril, A, -1), c(np.tensordot, A, B, 1), c(np.tensordot, T, A, axes=([1, 2], [0, 1])), c(np.tensordot, V, V, 0), c(np.tensordot, A, A), c(np.tensordot, T, V, (2, 0)),
    c(np.einsum, "ij,jk->ik", A, B), c(np.einsum, "ij,jk", A, B), c(np.einsum, "ij", A), c(np.einsum, "ji", A), c(np.einsum, "ii", S), c(np.einsum, "ii->i", S), c(np.einsum, "i,i", V, V), c(np.einsum, "...j,j->...", T, V), c(np.einsum, "i...->...", T), c(np.einsum, "iij->j", T[:, :2]),
    c(np.einsum, "ij, ij -> ", A, A), c(np.einsum, "i,j,k->ijk", V, W, V), c(np.einsum, "...ij,...jk", T, B),
    # picking, moving, sorting
    c(np.take, A, IDX[:2]), c(np.take, A, IDX[:2], axis=1), c(np.take, V, 2), c(np.take, V, [0, 3]), c(np.take, V, IDX + 3, mode="wrap"), c(np.take, V, IDX + 3, mode="clip"), c(np.take_along_axis, A, np.argsort(A, 1), 1), c(np.compress, [True, False, True], A, 0), c(np.extract, M, A),
    c(np.ix_, IDX, IDX[:2]), c(np.nonzero, V > 0), c(np.nonzero, M), c(np.nonzero, T > 0), c(np.flatnonzero, M), c(np.argwhere, M), c(np.triu_indices, 3), c(np.triu_indices, 3, 1), c(np.tril_indices, 3, -1), c(np.tril_indices, 2, 0, 4), c(np.diag_indices, 3), c(np.triu_indices_from, A), c(np.tril_indices_from, S, -1),
    c(np.sort, A), c(np.sort, A, 0), c(np.sort, A, None), c(np.argsort, A), c(np.argsort, A, 0), c(np.argsort, V, kind="stable"), c(np.searchsorted, np.sort(V), 0.1), c(np.searchsorted, np.sort(V), A, side="right"), c(np.searchsorted, V, 0.1, sorter=np.argsort(V)),
    c(np.roll, A, 1), c(np.roll, A, 1, axis=1), c(np.roll, A, (1, 2), axis=(0, 1)), c(np.roll, V, -1), c(np.repeat, V, 2), c(np.repeat, A, 2, axis=1), c(np.repeat, A, 2), c(np.repeat, W, [1, 0, 2]), c(np.repeat, 1.5, 3), c(np.tile, V, 2), c(np.tile, A, (2, 1, 2)), c(np.tile, 1.5, 3),
    c(np.pad, V, 1), c(np.pad, A, ((1, 2), (0, 1))), c(np.pad, V, (2, 1), constant_values=1.5), c(np.pad, A, (1, 2)), c(np.pad, V, 2, mode="edge"), c(np.pad, A, 2, mode="wrap"), c(np.pad, A, [(1, 1), (2, 2)], constant_values=2), c(np.cross, S, S[::-1]),
    # recipes: order, quantiles, editing, sets, windows, places
    c(np.partition, V, 1), c(np.partition, A, (0, 2), axis=1), c(np.partition, A, 3, None), c(np.argpartition, V, 2), c(np.lexsort, (V, IDX)), c(np.sort_complex, V), c(np.sort_complex, Z), c(np.sort_complex, F),
    c(np.maximum.accumulate, A), c(np.minimum.accumulate, A, axis=1), c(np.maximum.accumulate, IDX),
    *(c(np.quantile, A, q, axis=k, method=m) for m in ("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest") for q, k in ((0.3, 0), ([0.0, 0.1, 0.9, 1.0], 1))),
    c(np.quantile, F, 0.3, method="hazen"), c(np.quantile, IDX, 0.3, method="lower"), c(np.quantile, T, 0.3, axis=(0, 2), keepdims=True), c(np.percentile, A, 30, keepdims=True), c(np.quantile, T, [0.2, 0.3], axis=1, keepdims=True),
    c(np.nanmedian, N[:3]), c(np.nanmedian, A, axis=1), c(np.nanmedian, A * np.where(M, np.nan, 1.0), axis=1, keepdims=True), c(np.nanquantile, N, 0.3), c(np.nanquantile, np.where(M, np.nan, A), [0.2, 0.8], axis=1), c(np.nanpercentile, np.where(M, np.nan, A), 40, axis=0, method="lower"), c(np.nanquantile, np.where(M, np.nan, F).astype(np.float32), 0.3, axis=1),
    c(np.delete, V, 1), c(np.delete, V, -2), c(np.delete, A, [0, 2], axis=1), c(np.delete, V, M[0]), c(np.delete, A, 3), c(np.insert, V, 1, 2.5), c(np.insert, V, -1, 2.5), c(np.insert, V, 4, W), c(np.insert, V, [1, 3], [2.0, 5.0]), c(np.insert, A, 1, W, axis=1), c(np.insert, A, 3, V, axis=0), c(np.insert, IDX, 2, 2.5), c(np.insert, A, [1, 1], 2.5, axis=0),
    c(np.resize, V, (2, 3)), c(np.resize, A, 5), c(np.resize, 2.5, 3), c(np.choose, IDX, (V, 2 * V, 1.0, 0)), c(np.choose, IDX + 3, (1, 2, 3), mode="wrap"), c(np.choose, IDX + 3, (1, 2, 3), mode="clip"),
    c(np.unwrap, 4 * V), c(np.unwrap, 4 * A, axis=0, discont=4.0), c(np.unwrap, IDX * 3, period=4), c(np.unwrap, IDX * 3, period=5), c(np.unwrap, F * 4), c(np.vecmat, W, A), c(np.vecmat, T[:, 0], T.transpose(0, 2, 1)), c(np.vecmat, Z, A.T), c(np.real_if_close, A), c(np.real_if_close, 2.0),
    c(np.i0, A), c(np.i0, 2.0), c(np.i0, F), c(np.i0, 3), c(np.geomspace, 1.0, 1000.0, 4), c(np.geomspace, -8.0, -0.5, 5, endpoint=False), c(np.geomspace, 1, 64, 7, dtype=int), c(np.geomspace, 1.0, 3.0, 1), c(np.geomspace, 1.0, 3.0, 0),
    *(c(f, n) for f in (np.hamming, np.hanning, np.blackman, np.bartlett) for n in (0, 1, 2, 7, 8)), c(np.kaiser, 7, 8.6), c(np.kaiser, 1, 8.6), c(np.kaiser, 8, 3),
    c(np.unique, np.round(A)), c(np.unique, np.round(A), True, True, True), c(np.unique, N), c(np.unique, np.append(N, N), return_counts=True, equal_nan=False), c(np.unique, V[:0]), c(np.unique, IDX % 2), c(np.unique, M), c(np.unique_all, np.round(A)), c(np.unique_counts, IDX), c(np.unique_inverse, np.round(A)),
    c(np.union1d, IDX, [7, 1]), c(np.intersect1d, IDX, [7, 1, 2]), c(np.setdiff1d, V, V[1:3]), c(np.setxor1d, IDX, [7, 1, 2]), c(np.isin, A, A[0]), c(np.isin, IDX, [1, 2], invert=True), c(np.isin, 2, IDX), c(np.isin, IDX, V[:0]),
    c(np.digitize, V, np.sort(V)), c(np.digitize, V, np.sort(V)[::-1], right=True), c(np.digitize, 0.1, np.sort(V)), c(np.histogram, A), c(np.histogram, A, 5, (-1.0, 0.5)), c(np.histogram, A, [-1.0, 0.0, 0.4, 2.0]), c(np.histogram, V, 3, weights=V), c(np.histogram, IDX, 3), c(np.histogram, A, 4, density=True), c(np.histogram, F, 3), c(np.histogram, F, 3, (0, 1), weights=F), c(np.histogram, np.ones(3), 2), c(np.histogram_bin_edges, A, 4),
    c(np.unravel_index, IDX, (2, 2)), c(np.unravel_index, 5, (2, 3)), c(np.unravel_index, IDX[0], (4,)), c(np.ravel_multi_index, (IDX, IDX), (4, 5)), c(np.ravel_multi_index, (1, 2), (4, 5)), c(np.ravel_multi_index, (IDX, IDX + 3), (4, 5), mode=("raise", "clip")),
    c(np.result_type, F, 1.0), c(np.result_type, IDX, np.float32), c(np.result_type, 1, 2.0),
    # scalars and Python
    c(np.float64, 1.5), c(np.float32, Y), c(np.float32, np.array(1.5)), c(np.float64, F), c(np.int64, 2), c(np.bool_, 1), c(np.complex128, 1.5),
    *(c(f, a) for f in (float, int, bool, complex, abs) for a in (1.5, Y, np.array(1.5), 2, True)), c(abs, A), c(float, np.array([1.5])[0]), c(round, 1.5), c(round, Y), c(round, 2.345, 1), c(round, Y, 1), c(pow, 2.0, 3.0), c(pow, A**2, 0.5),
    c(divmod, 7.5, 2.0), c(divmod, A, 0.3), c(max, 1.0, 2.0), c(max, 2.0, 1.0, 3.0), c(min, (1.0, 0.5)), c(max, 1, 2.5), c(min, 3, 2), c(sum, (1.0, 2.0, 3.0)), c(sum, (V, V)), c(sum, (1.0, 2.0), 0.5), c(complex, 1.0, 2.0),
    *(c(getattr(math, f), a) for f in ["exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "asinh", "erf", "erfc", "gamma", "lgamma", "radians", "degrees", "fabs", "floor", "ceil", "isnan", "isinf", "isfinite"] for a in (1.5, Y, Y4, np.array(1.5), 2)),
    *(c(getattr(math, f), 0.5) for f in ("asin", "acos", "atanh")), c(math.acosh, 1.5), *(c(getattr(math, f), 1.5, 2.5) for f in ("pow", "atan2", "fmod", "copysign", "hypot", "remainder")), c(math.hypot, 1.0, 2.0, 3.0), c(math.log, 3.0, 2.0), c(math.fsum, [0.1, 0.2, 0.3]),
    c(math.prod, [2.0, 3.0]), c(math.dist, [0.0, 0.0], [3.0, 4.0]), c(math.isclose, 1.0, 1.0), c(math.comb, 5, 2), c(math.factorial, 4), c(math.gcd, 12, 8), c(math.isqrt, 10),
    *(c(f, x) for f in (math.frexp, math.modf, math.ulp) for x in (1.5, -20.75, 0.0, -0.3, Y, 3)), c(math.ldexp, 1.5, 3), c(math.ldexp, Y, -4), c(math.nextafter, 1.5, 2.0), c(math.lcm, 4, 6), c(math.perm, 5, 2),
    c(np.nextafter, A, 0.0), c(np.spacing, A), c(np.gcd, IDX + 2, 6), c(np.lcm, 4, IDX), c(np.nan_to_num, IDX), c(np.nan_to_num, N, nan=1.0, posinf=2.0, neginf=-2.0),
    c(np.median, T, axis=(0, 2)), c(np.median, A, keepdims=True), c(np.median, T, axis=(0, 2), keepdims=True),
    c(np.linalg.matrix_rank, A), c(np.linalg.matrix_rank, T), c(np.linalg.matrix_rank, np.ones((3, 3))), c(np.linalg.matrix_rank, A, 1.5), c(np.linalg.matrix_rank, A, rtol=0.5),
]  # fmt: skip

METHOD_TABLE = [
    *((a, name, args, {}) for a in (A, F) for name, args in (
        ("sum", ()), ("sum", (0,)), ("mean", (1,)), ("prod", ()), ("max", (0,)), ("min", ()), ("var", (0,)), ("std", ()), ("any", ()), ("all", (0,)),
        ("argmax", (0,)), ("argmin", ()), ("cumsum", (1,)), ("cumprod", (0,)), ("argsort", ()), ("clip", (0.0, 1.0)), ("dot", (B,)), ("reshape", (4, 3)),
        ("reshape", ((2, 6),)), ("reshape", (-1,)), ("ravel", ()), ("flatten", ()), ("transpose", ()), ("transpose", (1, 0)), ("transpose", ((1, 0),)),
        ("swapaxes", (0, 1)), ("copy", ()), ("astype", (np.float32,)), ("astype", (int,)), ("round", (1,)), ("take", ([0, 1],)), ("repeat", (2,)),
        ("conj", ()), ("conjugate", ()), ("diagonal", ()), ("trace", ()), ("nonzero", ()), ("item", (1, 2)), ("item", (5,)))),
    (V, "searchsorted", (0.3,), {}), (A[:1], "squeeze", (0,), {}), (A, "sum", (), {"axis": 1, "keepdims": True}), (Y, "item", (), {}), (np.array([[2]]), "item", (), {}),
    (M, "item", (0, 0), {}), (Z, "item", (1,), {}), (A, "max", (), {"keepdims": True}), (A, "std", (), {"ddof": 1}), (Y, "sum", (), {}), (V, "reshape", (2, -1), {}),
]  # fmt: skip


REORDERED = (
    np.dot,
    np.inner,
    np.tensordot,
    np.cross,
    np.convolve,
    np.correlate,
    np.cov,
    np.corrcoef,
    np.vecdot,
    np.vecmat,
)  # sums in another order than NumPy's


class Inputs:
    """Turns runtime arguments into what a Call takes, and remembers what the leaves are worth."""

    def __init__(self, known: bool = False) -> None:
        self.env: dict[Value, Any] = {}
        self.known = known  # whether all sizes are known numbers

    def dynamic(self, a: Any) -> Any:
        if a is None or isinstance(a, str | type | np.dtype):
            return a
        if isinstance(a, tuple | list):
            return tuple(map(self.dynamic, a))
        if isinstance(a, bool | int | float | complex) and not isinstance(a, np.generic):
            return lift(a)
        value = Value(f"v{len(self.env)}", symbolic(a, f"v{len(self.env)}", self.known))
        self.env[value] = a
        return Leaf(value)

    def expand(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        bound = call.signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            kind = call.signature.parameters[name].kind
            if name in call.static:
                continue
            if kind is inspect.Parameter.VAR_KEYWORD:
                bound.arguments[name] = {k: self.dynamic(v) for k, v in value.items()}
            else:
                bound.arguments[name] = self.dynamic(value)
        return call.expand(*bound.args, **bound.kwargs)


def assert_same(found: Any, expected: Any, env: dict[Value, Any], rtol: float = 0.0) -> None:
    """Assert that an expansion has the value, kind and dtype that NumPy gives."""
    if isinstance(found, tuple | list):
        assert isinstance(expected, tuple | list)
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            assert_same(f, e, env, rtol)
        return
    value = evaluate(found, env) if isinstance(found, Expr) else found
    if isinstance(found, np.dtype):
        assert found == expected
        return
    if isinstance(found, Expr):
        assert without_sizes(found.type) == without_sizes(type_of(expected)), (
            f"{found}: {found.type}, {expected!r}"
        )
    np.testing.assert_allclose(value, expected, rtol=rtol, atol=rtol)


def name_of(entry: tuple[Any, ...]) -> str:
    function, args, kwargs = entry
    return f"{getattr(function, '__name__', function)}{tuple(getattr(a, 'shape', a) for a in args)}{kwargs or ''}"[
        :70
    ]


@pytest.mark.parametrize("known", [False, True], ids=["", "known"])
@pytest.mark.parametrize("entry", TABLE, ids=[name_of(e) for e in TABLE])
def test_function(entry: tuple[Any, tuple[Any, ...], dict[str, Any]], known: bool) -> None:
    function, args, kwargs = entry
    call = lookup(function)
    assert call is not None
    inputs = Inputs(known)
    with np.errstate(all="ignore"):
        expected = function(*args, **kwargs)
    rtol = 1e-14 if function in REORDERED or "where" in kwargs else 0.0
    assert_same(inputs.expand(call, args, kwargs), expected, inputs.env, rtol)


@pytest.mark.parametrize("entry", METHOD_TABLE, ids=[f"{e[1]}{e[2]}"[:50] for e in METHOD_TABLE])
def test_method(entry: tuple[Any, str, tuple[Any, ...], dict[str, Any]]) -> None:
    owner, name, args, kwargs = entry
    call = method(name)
    assert call is not None
    inputs = Inputs()
    expected = getattr(owner, name)(*args, **kwargs)
    assert_same(inputs.expand(call, (owner, *args), kwargs), expected, inputs.env)


@pytest.mark.parametrize("owner", [A, T, Z, V, Y], ids=str)
@pytest.mark.parametrize("name", ["T", "mT", "real", "imag"])
def test_attribute(owner: Any, name: str) -> None:
    if name == "mT" and np.ndim(owner) < 2:
        return
    call = attribute(name)
    assert call is not None
    inputs = Inputs()
    assert_same(inputs.expand(call, (owner,), {}), getattr(owner, name), inputs.env)


VIEWS = [
    c(np.transpose, T), c(np.swapaxes, T, 0, 1), c(np.moveaxis, T, 0, 2), c(np.flip, T), c(np.expand_dims, T, 0), c(np.rot90, A),
    c(np.squeeze, A[:1], 0), c(np.split, V, [1, 3]), c(np.array_split, V, 3), c(np.atleast_2d, V), c(np.fliplr, A), c(np.diagonal, A),
    c(np.real, Z), c(np.broadcast_to, V, (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize("entry", VIEWS, ids=[name_of(e) for e in VIEWS])
def test_views_are_views(entry: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    """What NumPy returns as a view is an op that says so, of a path without index arrays."""
    function, args, kwargs = entry
    call = lookup(function)
    assert call is not None
    found = Inputs().expand(call, args, kwargs)
    expected = function(*args, **kwargs)
    for e, v in zip(
        found if isinstance(found, tuple | list) else (found,),
        expected if isinstance(found, tuple | list) else (expected,),
        strict=True,
    ):
        assert isinstance(e, Apply)
        assert np.shares_memory(v, args[0])
        assert e.op.alias in (Alias.VIEW, Alias.READONLY)
        assert (e.op.alias is Alias.VIEW) == v.flags.writeable
        assert not is_fancy(e.params.get("path", ()))


@pytest.mark.parametrize("call", [lookup(np.take), method("take")])
def test_taking_by_an_int_copies(call: Call) -> None:
    found = Inputs().expand(call, (A, 1), {"axis": 0})
    assert found.op.alias is Alias.FRESH


def test_asarray_is_the_array_itself_and_array_a_copy() -> None:
    inputs = Inputs()
    leaf = inputs.dynamic(A)
    assert lookup(np.asarray).expand(leaf) is leaf
    assert lookup(np.asarray).expand(leaf, dtype=np.dtype(float)) is leaf
    assert lookup(np.array).expand(leaf).op.name == "copy"
    assert lookup(np.array).expand(leaf, dtype=np.float32).op.name == "cast"
    assert lookup(np.array).expand(leaf, copy=None) is leaf


REFUSED = [
    c(np.reshape, A, (4, 3), order="F"), c(np.pad, V, 1, mode="reflect"),
    c(np.split, V, IDX), c(np.einsum, A, [0, 1], [0]), c(np.add, A, A, where=M), c(np.var, Z), c(np.triu, V),
    c(np.nan_to_num, A, copy=False), c(np.meshgrid, V, W, copy=False), c(np.take, V, 1, mode="other"), c(np.average, A, returned=True), c(max, A), c(sum, A), c(pow, 2, 3, 5), c(np.squeeze, A[:1]),
    c(np.unique_values, V), c(np.real_if_close, Z), c(np.unique, A, axis=0), c(np.histogram, V, "auto"), c(np.geomspace, V, V, 3), c(np.choose, IDX, S), c(np.insert, V, 1, A), c(np.lexsort, (A, A)),
]  # fmt: skip


@pytest.mark.parametrize("entry", REFUSED, ids=[name_of(e) for e in REFUSED])
def test_refusals(entry: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    function, args, kwargs = entry
    call = lookup(function)
    assert call is not None
    with pytest.raises(UnsupportedOp) as caught:
        Inputs().expand(call, args, kwargs)
    assert caught.value.code == "S202"


WRONG = [
    c(np.sum, A, axis=2), c(np.concatenate, (A, V)), c(np.stack, [[1.0], [1.0, 2.0]]), c(np.matmul, A, 2.0), c(np.swapaxes, A, 0, 5),
    c(np.einsum, "ijk->i", A), c(math.sin, A), c(np.add, A, None), c(float, None), c(np.sum, "a"), c(float, A), c(np.diag, T), c(np.expand_dims, A, 5),
    c(np.sin, Z, dtype=float), c(np.add, A, 2, dtype=int), c(np.interp, Z, V, V), c(np.interp, V, V, V, left=1j), c(np.quantile, Z, 0.3),
    c(np.stack, (Z, Z), dtype=float), c(np.less, A, A, dtype=float),
    c(np.quantile, V, 1.5), c(np.quantile, V, np.float64(1.05)), c(np.percentile, V, -1), c(np.nanquantile, V, 1.5), c(np.partition, V, 4), c(np.argpartition, V, -5), c(np.delete, V, 4), c(np.delete, V, [5]), c(np.insert, V, 5, 1.0), c(np.insert, V, -5, 1.0), c(np.ravel_multi_index, (2, 2), (2, 3)), c(np.digitize, V, [1.0, 0.0, 2.0]), c(np.i0, Z), c(np.geomspace, 0.0, 1.0, 3),
]  # fmt: skip


@pytest.mark.parametrize("entry", WRONG, ids=[name_of(e) for e in WRONG])
def test_what_numpy_refuses_is_refused(entry: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    function, args, kwargs = entry
    with pytest.raises((TypeError, ValueError, IndexError)):
        function(*args, **kwargs)
    call = lookup(function)
    assert call is not None
    inputs = Inputs()
    with pytest.raises((S2sadError, TypeError, ValueError, IndexError)):
        evaluate(inputs.expand(call, args, kwargs), inputs.env)


def test_lookup_of_what_is_not_known() -> None:
    assert lookup(np.save) is None
    assert lookup([1]) is None
    assert method("tofile") is None
    assert attribute("flags") is None


def test_static_parameters_exist() -> None:
    for function, call in FUNCTIONS.items():
        assert call.static <= set(call.signature.parameters), function


def test_python_numbers_stay_python_numbers_in_operators_only() -> None:
    x = Leaf(Value("x", type_of(1.5)))
    assert (x + 1).type.weak
    assert (x * x).type.weak
    assert (x < 1).type.weak
    assert abs_type(np.add, x, x).weak is False
    assert abs_type(np.abs, x).weak is False
    assert abs_type(builtins.abs, x).weak is True


def abs_type(function: Any, *args: Expr) -> Any:
    return lookup(function).expand(*args).type


def test_every_op_of_a_meaning_is_in_the_table() -> None:
    for entry in TABLE:
        function, args, kwargs = entry
        found = Inputs().expand(lookup(function), args, kwargs)
        for e in found if isinstance(found, tuple | list) else (found,):
            if isinstance(e, Apply):
                assert OPS[e.op.name] is e.op


def test_powers_of_ints_know_their_kind() -> None:
    n = Leaf(Value("n", Scalar(INT, True, Size.symbol("n"))))
    length = Leaf(Value("m", Scalar(INT, True, Size.symbol("x.0"))))
    assert (lift(2) ** lift(3)).type.size == Size.of(8)
    assert (lift(2) ** lift(-1)).type == WEAK_FLOAT
    assert (lift(2) ** n).type == WEAK_FLOAT  # 2 ** -1 is 0.5
    assert (lift(-1) ** n).type.dtype == INT
    assert (lift(2) ** length).type.dtype == INT
    assert (n**2).type.dtype == INT
    assert (n * 2 + 1).type.size == Size.symbol("n") * 2 + 1


def parameters(signature: inspect.Signature) -> dict[str, Any]:
    """Return what a caller can name or leave out."""
    minor = ("like", "device", "subok", "signature", "casting", "order", "ndmax", "kwargs", "out", "where", "axes",
             "keepdims", "initial", "dtype", "fweights", "aweights", "mean", "correction", "axis")  # fmt: skip
    return {n: p for n, p in signature.parameters.items() if n not in minor}


def test_signatures_are_those_of_numpy() -> None:
    for function, call in FUNCTIONS.items():
        module = getattr(function, "__module__", "") or ""
        if not module.startswith("numpy") or isinstance(function, type):
            continue
        try:
            theirs = parameters(inspect.signature(function))
        except ValueError:
            continue
        ours = parameters(call.signature)
        ours = {n: p for n, p in ours.items() if n not in ("constant_values",)}
        assert list(theirs) == list(ours), function
        for name, p in theirs.items():
            required = p.default is inspect.Parameter.empty
            assert required == (ours[name].default is inspect.Parameter.empty), (function, name)
            if isinstance(p.default, int | float | str):
                assert p.default == ours[name].default, (function, name)
