"""Whole and sparse Jacobians: along many seeds at once against one after the other, and a sparse one of 10^5
unknowns beside SciPy's differences over groups of columns. Prints the tables of docs/performance.md."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize._numdiff import approx_derivative, group_columns

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import s2sad  # noqa: E402
from s2sad.analysis.coloring import distance_two  # noqa: E402
from s2sad.sparse import given_pattern  # noqa: E402

RNG = np.random.default_rng(0)
ROUNDS = 7


def layers(x, w1, w2):
    """Two layers of a network."""
    return np.tanh(w2 @ np.tanh(w1 @ x))


def stencil(u):
    """Three neighbours in a row."""
    r = u.copy()
    r[1:-1] = u[2:] - 2.0 * u[1:-1] + u[:-2] + np.exp(u[1:-1])
    return r


def pairs(x):
    """Two loops over elements."""
    y = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        t = 0.0
        for j in range(x.shape[0]):
            t += np.sin(x[i] * x[j])
        y[i] = t
    return y


def rosenbrock(x):
    """A sum over neighbours."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def bratu(u):
    """The residual of u'' + exp(u) on a square, in slices."""
    m = int(np.sqrt(u.size))
    v = np.zeros((m + 2, m + 2))
    v[1:-1, 1:-1] = u.reshape(m, m)
    r = 4.0 * v[1:-1, 1:-1] - v[2:, 1:-1] - v[:-2, 1:-1] - v[1:-1, 2:] - v[1:-1, :-2]
    return (r - np.exp(v[1:-1, 1:-1]) / (m + 1) ** 2).reshape(-1)


def bratu_loops(u):
    """The same in loops."""
    m = int(np.sqrt(u.size))
    r = np.zeros(m * m)
    for i in range(m):
        for j in range(m):
            k = i * m + j
            t = 4.0 * u[k] - np.exp(u[k]) / (m + 1) ** 2
            if i > 0:
                t -= u[k - m]
            if i < m - 1:
                t -= u[k + m]
            if j > 0:
                t -= u[k - 1]
            if j < m - 1:
                t -= u[k + 1]
            r[k] = t
    return r


def fastest(*runs: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """Return the least CPU time of each in ms, measured in turns."""
    least = [float("inf")] * len(runs)
    for _ in range(rounds):
        for k, run in enumerate(runs):
            start = time.process_time()
            run()
            least[k] = min(least[k], 1e3 * (time.process_time() - start))
    return least


def once(run: Callable[[], Any]) -> float:
    """Return the CPU time of one run in s."""
    start = time.process_time()
    run()
    return time.process_time() - start


def whole() -> None:
    """Print the table of whole Jacobians."""
    w = RNG.normal(size=(64, 64)) / 8.0
    cases: list[tuple[str, Any, Any, tuple[Any, ...]]] = [
        ("layers, 64 x 64, jacfwd", s2sad.jacfwd, layers, (RNG.normal(size=64), w, w)),
        ("layers, 64 x 64, jacrev", s2sad.jacrev, layers, (RNG.normal(size=64), w, w)),
        ("stencil, 200 x 200, jacfwd", s2sad.jacfwd, stencil, (RNG.normal(size=200),)),
        ("stencil, 200 x 200, jacrev", s2sad.jacrev, stencil, (RNG.normal(size=200),)),
        ("stencil, 1000 x 1000, jacfwd", s2sad.jacfwd, stencil, (RNG.normal(size=1000),)),
        ("stencil, 1000 x 1000, jacrev", s2sad.jacrev, stencil, (RNG.normal(size=1000),)),
        ("pairs, 30 x 30, jacfwd", s2sad.jacfwd, pairs, (RNG.normal(size=30),)),
        ("pairs, 30 x 30, jacrev", s2sad.jacrev, pairs, (RNG.normal(size=30),)),
        ("rosenbrock, 100 x 100, hessian", s2sad.hessian, rosenbrock, (RNG.normal(size=100),)),
    ]
    print("| Jacobian | one by one, ms | at once | | jit: one by one, ms | at once | |")
    print("|---|---|---|---|---|---|---|")
    for name, transform, f, args in cases:
        cells = []
        for jit in (False, True):
            single, many = transform(f, chunk_size=1, jit=jit), transform(f, jit=jit)
            np.testing.assert_allclose(many(*args), single(*args), rtol=1e-9, atol=1e-9)
            a, b = fastest(partial(single, *args), partial(many, *args))
            cells += [f"{a:.2f}", f"{b:.2f}", f"{a / b:.1f}x"]
        print(f"| {name} | " + " | ".join(cells) + " |")


def sparse(side: int) -> None:
    """Print the table of the sparse Jacobian of side^2 unknowns."""
    u = RNG.normal(size=side * side)
    print("| program | jit | pattern, colours: s | products | Jacobian, ms | one jvp | 2-point | 3-point |")
    print("|---|---|---|---|---|---|---|---|")
    for f, jit in ((bratu, False), (bratu, True), (bratu_loops, True)):
        made = s2sad.sparse_jacobian(f, jit=jit)
        plain = s2sad.jit(f) if jit else f
        s2sad.jvp(f, (u,), (u,), jit=jit)
        made.program.find((u,), {})
        first = once(partial(made, u))
        matrix = made(u)
        (plan,) = made.plans.values()
        structure = matrix.copy()
        structure.data[:] = 1.0
        groups = group_columns(structure)
        plain(u)
        times = fastest(
            partial(made, u),
            partial(s2sad.jvp, f, (u,), (u,), jit=jit),
            partial(approx_derivative, plain, u, method="2-point", sparsity=(structure, groups)),
            partial(approx_derivative, plain, u, method="3-point", sparsity=(structure, groups)),
        )
        cells = " | ".join(f"{t:.2f}" for t in times)
        print(f"| {f.__name__} | {jit} | {first:.1f} | {plan.count} | {cells} |")
    start = time.process_time()
    distance_two(given_pattern(structure))
    print(f"\nSciPy's groups: {groups.max() + 1}; our colouring alone: {time.process_time() - start:.2f} s")


if __name__ == "__main__":
    whole()
    print()
    sparse(316)
