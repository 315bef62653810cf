"""The denominators: the primal of every kernel as plain loops, compiled by Numba with its default flags."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from corpus.kernels import KERNELS

Function = Callable[..., Any]


def rebound(
    f: Function,
    names: dict[str, Any] | None = None,
    wrap: Callable[[Function], Function] = lambda f: f,
    scope: dict[str, Any] | None = None,
) -> Function:
    """Return a copy of `f` for which the global `names` mean something else (`np`: another library), as they
    do for its helpers; the copies pass through `wrap` and share the globals `scope`."""
    scope = {**f.__globals__, **(names or {})} if scope is None else scope
    for name in f.__code__.co_names:
        helper = scope.get(name)
        if isinstance(helper, types.FunctionType) and helper.__globals__ is f.__globals__:
            scope[name] = rebound(helper, None, wrap, scope)
    return wrap(types.FunctionType(f.__code__, scope, f.__name__, f.__defaults__))


def mlp(params: Any, x: Any, y: Any) -> Any:
    """Return the loss of a network of any depth: products by BLAS, all else in loops."""
    h = x
    for k in range(len(params)):
        w, b = params[k]
        z = h @ w
        for i in range(z.shape[0]):
            for j in range(z.shape[1]):
                z[i, j] += b[j]
        if k < len(params) - 1:
            for i in range(z.shape[0]):
                for j in range(z.shape[1]):
                    z[i, j] = max(z[i, j], 0.0)
        h = z
    total = 0.0
    for i in range(h.shape[0]):
        largest = h[i, 0]
        for j in range(1, h.shape[1]):
            largest = max(largest, h[i, j])
        normaliser = 0.0
        for j in range(h.shape[1]):
            normaliser += np.exp(h[i, j] - largest)
        log_normaliser = largest + np.log(normaliser)
        for j in range(h.shape[1]):
            total += y[i, j] * (h[i, j] - log_normaliser)
    return -total / h.shape[0]


def logsumexp(x: Any) -> Any:
    """Return log(sum(exp(x)))."""
    largest = x[0]
    for i in range(1, x.shape[0]):
        largest = max(largest, x[i])
    total = 0.0
    for i in range(x.shape[0]):
        total += np.exp(x[i] - largest)
    return largest + np.log(total)


def gp(theta: Any, x: Any, y: Any) -> Any:
    """Return the negative log likelihood: product, factorisation and solution by BLAS and LAPACK."""
    n, d = x.shape
    z = np.empty((n, d))
    squares = np.zeros(n)
    for j in range(d):
        scale = np.exp(-theta[j])
        for i in range(n):
            z[i, j] = x[i, j] * scale
            squares[i] += z[i, j] * z[i, j]
    cov = z @ z.T
    signal = np.exp(2.0 * theta[d])
    for i in range(n):
        for j in range(n):
            cov[i, j] = signal * np.exp(-0.5 * (squares[i] + squares[j] - 2.0 * cov[i, j]))
    for i in range(n):
        cov[i, i] += np.exp(2.0 * theta[d + 1])
    chol = np.linalg.cholesky(cov)
    log_det = 0.0
    for i in range(n):
        log_det += np.log(chol[i, i])
    solution = np.linalg.solve(cov, y)
    total = 0.0
    for i in range(n):
        total += y[i] * solution[i]
    return 0.5 * total + log_det


WRITTEN_HERE = {"mlp": mlp, "logsumexp": logsumexp, "gp": gp}


def compiled(name: str) -> Function:
    """Return the compiled loop primal of a kernel."""
    if name in WRITTEN_HERE:
        function: Function = numba.njit(WRITTEN_HERE[name])
        return function
    loops = next(k.f for k in KERNELS if k.name == name and k.spelling == "loops")
    return rebound(loops, wrap=numba.njit)


def prepared(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments as the compiled primal takes them."""
    return (tuple(args[0]), *args[1:]) if name == "mlp" else args
