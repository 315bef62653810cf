"""Kernels rewritten without in-place writes and without loops over elements, as tools that trace array
operations need them. `np` is the tool's own array library."""

from __future__ import annotations

from typing import Any

import numpy
from corpus.kernels import log_sum_exp_rows, lstm_cell, sigmoid

from benchmark.primals import rebound


def gmm(np: Any, triangle: Any, alphas: Any, means: Any, log_diag: Any, lower: Any, x: Any) -> Any:
    """Return the array spelling's value; the tool has spread `lower` over `triangle` in its own way."""
    diag = np.exp(log_diag)
    centred = x[:, None, :] - means
    scaled = diag * centred + np.einsum("kij,nkj->nki", triangle, centred)
    score = alphas + np.sum(log_diag, axis=1) - 0.5 * np.sum(scaled**2, axis=2)
    log_sums = rebound(log_sum_exp_rows, {"np": np})
    penalty = np.sum(diag**2) + np.sum(lower**2)
    return np.sum(log_sums(score)) - x.shape[0] * log_sums(alphas[None, :])[0] - 0.5 * penalty


def lstm(np: Any, weights: Any, biases: Any, extra: Any, state: Any, sequence: Any) -> Any:
    """Return the loss, each state a row of its own."""
    cell_of = rebound(lstm_cell, {"np": np, "sigmoid": getattr(np, "sigmoid", rebound(sigmoid, {"np": np}))})
    steps, width = sequence.shape
    layers = weights.shape[0]
    hidden = [state[layer, 0] for layer in range(layers)]
    cell = [state[layer, 1] for layer in range(layers)]
    total = 0.0
    for t in range(steps - 1):
        signal = sequence[t] * extra[0]
        for k in range(layers):
            hidden[k], cell[k] = cell_of(weights[k], biases[k], signal, hidden[k], cell[k])
            signal = hidden[k]
        logits = signal * extra[1] + extra[2]
        log_normaliser = np.log(np.sum(np.exp(logits)) + 2.0)
        total = total + np.sum(sequence[t + 1] * (logits - log_normaliser))
    return -total / ((steps - 1) * width)


def recurrence(n: int) -> tuple[Any, Any]:
    """Return (M, d) so that x_j = (x_{j-1} + c_j) / 9 for j = 1 ... n is x = M @ c + d * x_0."""
    k = numpy.arange(n)
    powers = 9.0 ** -numpy.arange(1.0, n + 1.0)
    powers[powers < 1e-250] = 0.0  # nothing is slower than arithmetic with denormals
    return numpy.tril(powers[abs(k[:, None] - k[None, :])]), powers


def seidel_row(up: Any, row: Any, down: Any, matrix: Any, decay: Any) -> Any:
    """Return a row without its ends after one sweep; `up` was swept before it."""
    c = up[:-2] + up[1:-1] + up[2:] + row[1:-1] + row[2:] + down[:-2] + down[1:-1] + down[2:]
    return matrix @ c + decay * row[0]


def seidel(np: Any, matrix: Any, decay: Any, grid: Any, weight: Any, steps: int) -> Any:
    """Return the weighted sum of the smoothed field: a row's recurrence is a matrix product."""
    rows = [grid[i] for i in range(grid.shape[0])]
    for _ in range(steps):
        for i in range(1, len(rows) - 1):
            inner = seidel_row(rows[i - 1], rows[i], rows[i + 1], matrix, decay)
            rows[i] = np.concatenate([rows[i][:1], inner, rows[i][-1:]])
    return np.sum(np.stack(rows) * weight)


def newton(np: Any, a: Any, b: Any) -> Any:
    """Return the sum of the roots; trips run under a mask, until the last one has converged."""
    x = 1.0 + b
    for _ in range(50):
        f = x * x * x + a * x - b
        going = abs(f) > 1e-12
        if not going.any():
            break
        x = np.where(going, x - f / (3.0 * x * x + a), x)
    return np.sum(x)


def mandel(np: Any, cx: Any, cy: Any, trips: int) -> Any:
    """Return the sum of logarithms; every point makes all trips, under a mask."""
    x = y = 0.0 * cx
    for _ in range(trips):
        going = x * x + y * y <= 4.0
        t = x * x - y * y + cx
        xy = x * y
        new = np.where(xy < 0.0, -1.9 * xy, 2.0 * xy) + cy
        x, y = np.where(going, t, x), np.where(going, new, y)
    return np.sum(np.log(1.0 + x * x + y * y))
