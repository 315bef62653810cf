"""Autograd. Writes are concatenations, `while` is masked trips, `slogdet` stands for `cholesky`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.scipy.special import erf
from corpus.kernels import black_scholes_vectorised, logsumexp, lorenz, mlp

from benchmark import rewritten
from benchmark.peers import Args, Peer
from benchmark.primals import rebound

NAMES = {"np": anp, "erf": erf}


def gmm(alphas: Any, means: Any, log_diag: Any, lower: Any, x: Any) -> Any:
    """The array spelling; the triangle is spread by a matrix of zeros and ones."""
    d = x.shape[1]
    cols, rows = np.triu_indices(d, 1)
    spread = np.zeros((cols.size, d * d))
    spread[np.arange(cols.size), rows * d + cols] = 1.0
    triangle = anp.reshape(lower @ spread, (alphas.shape[0], d, d))
    return rewritten.gmm(anp, triangle, alphas, means, log_diag, lower, x)


def seidel(grid: Any, weight: Any, steps: int) -> Any:
    """Each row's recurrence a dense matrix product."""
    return rewritten.seidel(anp, *rewritten.recurrence(grid.shape[0] - 2), grid, weight, steps)


def jacobi2d(a: Any, b: Any, weight: Any, steps: int) -> Any:
    """The spelling with slices, each write a concatenation."""

    def smooth(to: Any, of: Any) -> Any:
        inner = 0.2 * (of[1:-1, 1:-1] + of[1:-1, :-2] + of[1:-1, 2:] + of[2:, 1:-1] + of[:-2, 1:-1])
        middle = anp.concatenate([to[1:-1, :1], inner, to[1:-1, -1:]], axis=1)
        return anp.concatenate([to[:1], middle, to[-1:]])

    for _ in range(steps):
        b = smooth(b, a)
        a = smooth(a, b)
    return anp.sum(a * weight)


def gp(theta: Any, x: Any, y: Any) -> Any:
    """The kernel with `slogdet` in place of `cholesky`."""
    n, d = x.shape
    z = x * anp.exp(-theta[:d])
    sq = anp.sum(z * z, axis=1)
    dist = sq[:, None] + sq[None, :] - 2.0 * (z @ z.T)
    cov = anp.exp(2.0 * theta[d]) * anp.exp(-0.5 * dist) + anp.exp(2.0 * theta[d + 1]) * np.eye(n)
    return 0.5 * (y @ anp.linalg.solve(cov, y)) + 0.5 * anp.linalg.slogdet(cov)[1]


PROGRAMS: dict[str, Callable[..., Any]] = {
    "gmm": gmm,
    "lstm": functools.partial(rewritten.lstm, anp),
    "mlp": rebound(mlp, NAMES),
    "seidel": seidel,
    "jacobi2d": jacobi2d,
    "lorenz": lorenz,
    "black_scholes": rebound(black_scholes_vectorised, NAMES),
    "logsumexp": rebound(logsumexp, NAMES),
    "gp": gp,
    "newton": functools.partial(rewritten.newton, anp),
    "mandel": functools.partial(rewritten.mandel, anp),
}


def prepare(name: str, args: Args, argnums: tuple[int, ...]) -> Callable[[], Any] | None:
    """Return the gradient at these arguments."""
    gradient = grad(PROGRAMS[name], argnums)
    return lambda: gradient(*args)


PEERS = [Peer("autograd", prepare, compiles=False)]
