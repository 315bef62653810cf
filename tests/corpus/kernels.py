"""Benchmark kernels: plain NumPy programs as people write them, with their inputs.

Loops, in-place writes, helper functions, dicts of parameters; none was written with an automatic
differentiation library in mind. Where a kernel has two spellings (loops and array statements) both
compute the same number. `KERNELS` lists them; `kernel.make(**kernel.small)` gives quick inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

try:
    from scipy.special import erf
except ImportError:  # only black_scholes_vectorised needs it
    erf = None

SQRT_HALF = 0.7071067811865476


# --------------------------------------------------------------------------------------------------
# Gaussian mixture model: log likelihood with a prior on the inverse covariances
# --------------------------------------------------------------------------------------------------
def log_sum_exp(v):
    largest = v[0]
    for i in range(1, v.shape[0]):
        if v[i] > largest:
            largest = v[i]
    total = 0.0
    for i in range(v.shape[0]):
        total += np.exp(v[i] - largest)
    return largest + np.log(total)


def gmm_loops(alphas, means, log_diag, lower, x):
    n, d = x.shape
    k = alphas.shape[0]
    diag = np.exp(log_diag)
    log_det = np.zeros(k)
    for c in range(k):
        for j in range(d):
            log_det[c] += log_diag[c, j]

    centred = np.empty(d)
    scaled = np.empty(d)
    score = np.empty(k)
    likelihood = 0.0
    for i in range(n):
        for c in range(k):
            for j in range(d):
                centred[j] = x[i, j] - means[c, j]
            for j in range(d):
                scaled[j] = diag[c, j] * centred[j]
            p = 0
            for col in range(d):
                for row in range(col + 1, d):
                    scaled[row] += lower[c, p] * centred[col]
                    p += 1
            norm2 = 0.0
            for j in range(d):
                norm2 += scaled[j] * scaled[j]
            score[c] = alphas[c] + log_det[c] - 0.5 * norm2
        likelihood += log_sum_exp(score)

    penalty = 0.0
    for c in range(k):
        for j in range(d):
            penalty += diag[c, j] ** 2
        for j in range(lower.shape[1]):
            penalty += lower[c, j] ** 2
    return likelihood - n * log_sum_exp(alphas) - 0.5 * penalty


def log_sum_exp_rows(a):
    largest = np.max(a, axis=1, keepdims=True)
    return np.log(np.sum(np.exp(a - largest), axis=1)) + largest[:, 0]


def gmm_vectorised(alphas, means, log_diag, lower, x):
    n, d = x.shape
    k = alphas.shape[0]
    cols, rows = np.triu_indices(d, 1)
    triangle = np.zeros((k, d, d))
    triangle[:, rows, cols] = lower
    diag = np.exp(log_diag)

    centred = x[:, None, :] - means
    scaled = diag * centred + np.einsum("kij,nkj->nki", triangle, centred)
    score = alphas + np.sum(log_diag, axis=1) - 0.5 * np.sum(scaled**2, axis=2)
    likelihood = np.sum(log_sum_exp_rows(score))
    normaliser = log_sum_exp_rows(alphas[None, :])[0]
    penalty = np.sum(diag**2) + np.sum(lower**2)
    return likelihood - n * normaliser - 0.5 * penalty


def make_gmm(n=1000, d=32, k=25):
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=k),
        rng.uniform(size=(k, d)),
        rng.normal(size=(k, d)) * 0.5,
        rng.normal(size=(k, d * (d - 1) // 2)) * 0.3,
        rng.normal(size=(n, d)),
    )


# --------------------------------------------------------------------------------------------------
# LSTM with diagonal weights: mean log loss of the next character
# --------------------------------------------------------------------------------------------------
def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm_loops(weights, biases, extra, state, sequence):
    """weights, biases: (layers, 4 gates, width); extra: (3, width); state: (layers, 2, width)."""
    steps, width = sequence.shape
    layers = weights.shape[0]
    state = state.copy()
    signal = np.empty(width)
    logits = np.empty(width)
    total = 0.0
    for t in range(steps - 1):
        for i in range(width):
            signal[i] = sequence[t, i] * extra[0, i]
        for layer in range(layers):
            w = weights[layer]
            b = biases[layer]
            hidden = state[layer, 0]
            cell = state[layer, 1]
            for i in range(width):
                forget = sigmoid(signal[i] * w[0, i] + b[0, i])
                ingate = sigmoid(hidden[i] * w[1, i] + b[1, i])
                outgate = sigmoid(signal[i] * w[2, i] + b[2, i])
                change = np.tanh(hidden[i] * w[3, i] + b[3, i])
                cell[i] = cell[i] * forget + ingate * change
                hidden[i] = outgate * np.tanh(cell[i])
            for i in range(width):
                signal[i] = hidden[i]
        normaliser = 2.0
        for i in range(width):
            logits[i] = signal[i] * extra[1, i] + extra[2, i]
            normaliser += np.exp(logits[i])
        log_normaliser = np.log(normaliser)
        for i in range(width):
            total += sequence[t + 1, i] * (logits[i] - log_normaliser)
    return -total / ((steps - 1) * width)


def lstm_cell(w, b, signal, hidden, cell):
    forget = sigmoid(signal * w[0] + b[0])
    ingate = sigmoid(hidden * w[1] + b[1])
    outgate = sigmoid(signal * w[2] + b[2])
    change = np.tanh(hidden * w[3] + b[3])
    cell = cell * forget + ingate * change
    return outgate * np.tanh(cell), cell


def lstm_vectorised(params, state, sequence):
    steps, width = sequence.shape
    layers = params["weights"].shape[0]
    hidden = state[:, 0].copy()
    cell = state[:, 1].copy()
    total = 0.0
    for t in range(steps - 1):
        signal = sequence[t] * params["scale_in"]
        for layer in range(layers):
            w = params["weights"][layer]
            b = params["biases"][layer]
            hidden[layer], cell[layer] = lstm_cell(w, b, signal, hidden[layer], cell[layer])
            signal = hidden[layer]
        logits = signal * params["scale_out"] + params["shift_out"]
        log_normaliser = np.log(np.sum(np.exp(logits)) + 2.0)
        total += np.sum(sequence[t + 1] * (logits - log_normaliser))
    return -total / ((steps - 1) * width)


def make_lstm(steps=1024, width=14, layers=2):
    rng = np.random.default_rng(0)
    gates = rng.random((layers, 2, 4, width))
    extra = rng.random((3, width))
    state = rng.random((layers, 2, width))
    sequence = (rng.random((steps, width)) < 0.5).astype(float)
    return gates[:, 0].copy(), gates[:, 1].copy(), extra, state, sequence


def make_lstm_params(**sizes):
    weights, biases, extra, state, sequence = make_lstm(**sizes)
    params = {
        "weights": weights,
        "biases": biases,
        "scale_in": extra[0].copy(),
        "scale_out": extra[1].copy(),
        "shift_out": extra[2].copy(),
    }
    return params, state, sequence


# --------------------------------------------------------------------------------------------------
# Multi-layer perceptron: cross entropy of a batch
# --------------------------------------------------------------------------------------------------
def mlp(params, x, y):
    """params: a list of (weight, bias) pairs; y: one-hot labels."""
    h = x
    for w, b in params[:-1]:
        h = np.maximum(h @ w + b, 0.0)
    w, b = params[-1]
    logits = h @ w + b
    logits = logits - np.max(logits, axis=1, keepdims=True)
    log_prob = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.mean(np.sum(y * log_prob, axis=1))


def make_mlp(batch=256, sizes=(784, 512, 256, 10)):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, sizes[0]))
    y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]
    params = []
    for k in range(len(sizes) - 1):
        w = rng.normal(size=(sizes[k], sizes[k + 1])) / np.sqrt(sizes[k])
        params.append((w, rng.normal(size=sizes[k + 1]) * 0.1))
    return params, x, y


# --------------------------------------------------------------------------------------------------
# Gauss-Seidel smoothing of a 2-D field, in place
# --------------------------------------------------------------------------------------------------
def seidel_loops(grid, weight, steps):
    a = grid.copy()
    n = a.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                a[i, j] = (
                    a[i - 1, j - 1]
                    + a[i - 1, j]
                    + a[i - 1, j + 1]
                    + a[i, j - 1]
                    + a[i, j]
                    + a[i, j + 1]
                    + a[i + 1, j - 1]
                    + a[i + 1, j]
                    + a[i + 1, j + 1]
                ) / 9.0
    return np.sum(a * weight)


def seidel_rows(grid, weight, steps):
    a = grid.copy()
    n = a.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            a[i, 1:-1] += (
                a[i - 1, :-2]
                + a[i - 1, 1:-1]
                + a[i - 1, 2:]
                + a[i, 2:]
                + a[i + 1, :-2]
                + a[i + 1, 1:-1]
                + a[i + 1, 2:]
            )
            for j in range(1, n - 1):
                a[i, j] += a[i, j - 1]
                a[i, j] /= 9.0
    return np.sum(a * weight)


def make_seidel(n=200, steps=19):
    rng = np.random.default_rng(0)
    grid = np.fromfunction(lambda i, j: (i * (j + 2) + 2) / n, (n, n))
    return grid, rng.normal(size=(n, n)), steps


# --------------------------------------------------------------------------------------------------
# Jacobi smoothing of a 2-D field, two buffers
# --------------------------------------------------------------------------------------------------
def jacobi2d_slices(a, b, weight, steps):
    a = a.copy()
    b = b.copy()
    for _ in range(steps):
        b[1:-1, 1:-1] = 0.2 * (
            a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
        )
        a[1:-1, 1:-1] = 0.2 * (
            b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1]
        )
    return np.sum(a * weight)


def jacobi2d_loops(a, b, weight, steps):
    a = a.copy()
    b = b.copy()
    n = a.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                b[i, j] = 0.2 * (a[i, j] + a[i, j - 1] + a[i, j + 1] + a[i + 1, j] + a[i - 1, j])
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                a[i, j] = 0.2 * (b[i, j] + b[i, j - 1] + b[i, j + 1] + b[i + 1, j] + b[i - 1, j])
    return np.sum(a * weight)


def make_jacobi2d(n=200, steps=49):
    rng = np.random.default_rng(0)
    a = np.fromfunction(lambda i, j: i * (j + 2) / n, (n, n))
    b = np.fromfunction(lambda i, j: i * (j + 3) / n, (n, n))
    return a, b, rng.normal(size=(n, n)), steps


# --------------------------------------------------------------------------------------------------
# Lorenz system, classical Runge-Kutta
# --------------------------------------------------------------------------------------------------
def lorenz_rhs(x, y, z, sigma, rho, beta):
    return sigma * (y - x), x * (rho - z) - y, x * y - beta * z


def lorenz(start, params, dt, steps):
    x, y, z = start[0], start[1], start[2]
    s, r, b = params[0], params[1], params[2]
    for _ in range(steps):
        k1x, k1y, k1z = lorenz_rhs(x, y, z, s, r, b)
        k2x, k2y, k2z = lorenz_rhs(
            x + 0.5 * dt * k1x, y + 0.5 * dt * k1y, z + 0.5 * dt * k1z, s, r, b
        )
        k3x, k3y, k3z = lorenz_rhs(
            x + 0.5 * dt * k2x, y + 0.5 * dt * k2y, z + 0.5 * dt * k2z, s, r, b
        )
        k4x, k4y, k4z = lorenz_rhs(x + dt * k3x, y + dt * k3y, z + dt * k3z, s, r, b)
        x = x + dt * (k1x + 2 * k2x + 2 * k3x + k4x) / 6
        y = y + dt * (k1y + 2 * k2y + 2 * k3y + k4y) / 6
        z = z + dt * (k1z + 2 * k2z + 2 * k3z + k4z) / 6
    return x + y + z


def make_lorenz(steps=10_000):
    return np.array([1.0, 1.1, 0.9]), np.array([10.0, 28.0, 8.0 / 3.0]), 0.0005, steps


# --------------------------------------------------------------------------------------------------
# Black-Scholes: value of a portfolio of call options
# --------------------------------------------------------------------------------------------------
def normal_cdf(x):
    return 0.5 * (1.0 + math.erf(x * SQRT_HALF))


def black_scholes_loops(spot, strike, expiry, rate, vol):
    total = 0.0
    for i in range(spot.shape[0]):
        root = np.sqrt(expiry[i])
        drift = (rate + 0.5 * vol * vol) * expiry[i]
        d1 = (np.log(spot[i] / strike[i]) + drift) / (vol * root)
        d2 = d1 - vol * root
        discount = np.exp(-rate * expiry[i])
        total += spot[i] * normal_cdf(d1) - strike[i] * discount * normal_cdf(d2)
    return total


def black_scholes_vectorised(spot, strike, expiry, rate, vol):
    root = np.sqrt(expiry)
    d1 = (np.log(spot / strike) + (rate + 0.5 * vol**2) * expiry) / (vol * root)
    d2 = d1 - vol * root
    n1 = 0.5 * (1.0 + erf(d1 * SQRT_HALF))
    n2 = 0.5 * (1.0 + erf(d2 * SQRT_HALF))
    return np.sum(spot * n1 - strike * np.exp(-rate * expiry) * n2)


def make_black_scholes(n=1_000_000):
    rng = np.random.default_rng(0)
    spot = rng.uniform(50, 150, n)
    strike = rng.uniform(50, 150, n)
    expiry = rng.uniform(0.1, 2, n)
    return spot, strike, expiry, 0.03, 0.2


# --------------------------------------------------------------------------------------------------
# log-sum-exp of a long vector
# --------------------------------------------------------------------------------------------------
def logsumexp(x):
    largest = np.max(x)
    return np.log(np.sum(np.exp(x - largest))) + largest


def make_logsumexp(n=1_000_000):
    return (np.random.default_rng(0).normal(size=n),)


# --------------------------------------------------------------------------------------------------
# Gaussian process: negative log marginal likelihood
# --------------------------------------------------------------------------------------------------
def gp(theta, x, y):
    """theta: a log length scale per dimension, then log signal and log noise."""
    n, d = x.shape
    z = x * np.exp(-theta[:d])
    sq = np.sum(z * z, axis=1)
    dist = sq[:, None] + sq[None, :] - 2.0 * (z @ z.T)
    cov = np.exp(2.0 * theta[d]) * np.exp(-0.5 * dist) + np.exp(2.0 * theta[d + 1]) * np.eye(n)
    chol = np.linalg.cholesky(cov)
    log_det = np.sum(np.log(np.diag(chol)))
    return 0.5 * (y @ np.linalg.solve(cov, y)) + log_det


def make_gp(n=300, d=4):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d))
    y = np.sin(np.sum(x, axis=1)) + 0.1 * rng.normal(size=n)
    theta = np.concatenate([np.resize([0.1, -0.1, 0.2, 0.0], d), [0.3, -1.0]])
    return theta, x, y


# --------------------------------------------------------------------------------------------------
# Newton's method for the root of x^3 + a x - b, per element, until it has converged
# --------------------------------------------------------------------------------------------------
def newton(a, b):
    total = 0.0
    for i in range(a.shape[0]):
        x = 1.0 + b[i]
        f = x * x * x + a[i] * x - b[i]
        trips = 0
        while abs(f) > 1e-12 and trips < 50:
            x = x - f / (3.0 * x * x + a[i])
            f = x * x * x + a[i] * x - b[i]
            trips += 1
        total += x
    return total


def make_newton(n=100_000):
    rng = np.random.default_rng(0)
    return rng.uniform(0.1, 5, n), rng.uniform(-3, 3, n)


# --------------------------------------------------------------------------------------------------
# Escape iteration with a branch and a break
# --------------------------------------------------------------------------------------------------
def mandel(cx, cy, trips):
    total = 0.0
    for i in range(cx.shape[0]):
        x = 0.0
        y = 0.0
        for _ in range(trips):
            if x * x + y * y > 4.0:
                break
            t = x * x - y * y + cx[i]
            if x * y < 0.0:
                y = -1.9 * x * y + cy[i]
            else:
                y = 2.0 * x * y + cy[i]
            x = t
        total += np.log(1.0 + x * x + y * y)
    return total


def make_mandel(n=20_000, trips=12):
    rng = np.random.default_rng(0)
    return rng.uniform(-2, 0.6, n), rng.uniform(-1.2, 1.2, n), trips


# --------------------------------------------------------------------------------------------------
# The registry
# --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Kernel:
    """A program to differentiate: `f(*make())`, with respect to the arguments in `argnums`."""

    name: str
    spelling: str
    f: Callable[..., float]
    make: Callable[..., tuple[Any, ...]]
    argnums: tuple[int, ...]
    small: dict[str, Any]  # keyword arguments of `make` for a quick run, in the interpreter too
    note: str = ""

    @property
    def id(self) -> str:
        return f"{self.name}/{self.spelling}"


KERNELS = [
    Kernel(
        "gmm",
        "loops",
        gmm_loops,
        make_gmm,
        (0, 1, 2, 3),
        dict(n=6, d=4, k=3),
        "work arrays rewritten in every trip; a running index; a helper that branches on data",
    ),
    Kernel(
        "gmm",
        "vectorised",
        gmm_vectorised,
        make_gmm,
        (0, 1, 2, 3),
        dict(n=6, d=4, k=3),
        "broadcasting, einsum, integer-array assignment",
    ),
    Kernel(
        "lstm",
        "loops",
        lstm_loops,
        make_lstm,
        (0, 1, 2),
        dict(steps=12, width=5),
        "views of the state and of the weights, written through",
    ),
    Kernel(
        "lstm",
        "vectorised",
        lstm_vectorised,
        make_lstm_params,
        (0,),
        dict(steps=12, width=5),
        "dict of parameters; a helper that returns a tuple, assigned to two rows; short arrays",
    ),
    Kernel(
        "mlp",
        "vectorised",
        mlp,
        make_mlp,
        (0,),
        dict(batch=8, sizes=(6, 5, 4, 3)),
        "list of (weight, bias) pairs; the time is in three matrix products forward, five back",
    ),
    Kernel(
        "seidel",
        "loops",
        seidel_loops,
        make_seidel,
        (0,),
        dict(n=12, steps=3),
        "in place, reads what it has just written; linear, so nothing needs a tape",
    ),
    Kernel(
        "seidel",
        "rows",
        seidel_rows,
        make_seidel,
        (0,),
        dict(n=12, steps=3),
        "row slices with +=, then a scalar recurrence along the row",
    ),
    Kernel(
        "jacobi2d",
        "slices",
        jacobi2d_slices,
        make_jacobi2d,
        (0, 1),
        dict(n=12, steps=3),
        "five-point stencil as array statements; linear, so nothing needs a tape",
    ),
    Kernel(
        "jacobi2d",
        "loops",
        jacobi2d_loops,
        make_jacobi2d,
        (0, 1),
        dict(n=12, steps=3),
        "the same stencil; its adjoint as a gather is as fast as the primal",
    ),
    Kernel(
        "lorenz",
        "loops",
        lorenz,
        make_lorenz,
        (0, 1),
        dict(steps=60),
        "a long loop over three scalars, nonlinear; tape the state, recompute the step",
    ),
    Kernel(
        "black_scholes",
        "loops",
        black_scholes_loops,
        make_black_scholes,
        (0, 1, 2, 3, 4),
        dict(n=50),
        "independent trips, math.erf, a module constant; two of the gradients are scalars",
    ),
    Kernel(
        "logsumexp",
        "vectorised",
        logsumexp,
        make_logsumexp,
        (0,),
        dict(n=50),
        "memory traffic and the speed of exp",
    ),
    Kernel(
        "gp",
        "vectorised",
        gp,
        make_gp,
        (0,),
        dict(n=15, d=3),
        "one matrix, factored by cholesky and again by solve",
    ),
    Kernel(
        "newton",
        "loops",
        newton,
        make_newton,
        (0, 1),
        dict(n=30),
        "while loop whose trip count depends on the data",
    ),
    Kernel(
        "mandel",
        "loops",
        mandel,
        make_mandel,
        (0, 1),
        dict(n=60),
        "break and a branch in the inner loop; 12 trips, for with 100 the gradient is chaotic",
    ),
]

if erf is not None:
    KERNELS.append(
        Kernel(
            "black_scholes",
            "vectorised",
            black_scholes_vectorised,
            make_black_scholes,
            (0, 1, 2, 3, 4),
            dict(n=50),
            "needs scipy.special.erf; a refusal that says so is a correct answer too",
        )
    )
