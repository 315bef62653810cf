"""JAX: `jit` of `grad`, float64. Loops are scans, writes `.at[].set`, `while` a scan of masked trips."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from corpus.kernels import (
    black_scholes_vectorised,
    gp,
    logsumexp,
    lorenz_rhs,
    lstm_cell,
    mlp,
)
from jax import lax
from jax.scipy.special import erf

from benchmark import rewritten
from benchmark.peers import Args, Peer
from benchmark.primals import rebound

jax.config.update("jax_enable_x64", True)

NAMES = {"np": jnp, "erf": erf, "sigmoid": jax.nn.sigmoid}


def gmm(alphas: Any, means: Any, log_diag: Any, lower: Any, x: Any) -> Any:
    """The array spelling, its one write as `.at[].set`."""
    d = x.shape[1]
    cols, rows = jnp.triu_indices(d, 1)
    triangle = jnp.zeros((alphas.shape[0], d, d)).at[:, rows, cols].set(lower)
    return rewritten.gmm(jnp, triangle, alphas, means, log_diag, lower, x)


def lstm(weights: Any, biases: Any, extra: Any, state: Any, sequence: Any) -> Any:
    """A scan over the steps, the layers unrolled."""
    steps, width = sequence.shape
    cell_of = rebound(lstm_cell, NAMES)

    def step(carry: Any, pair: Any) -> Any:
        hidden, cell = list(carry[0]), list(carry[1])
        now, after = pair
        signal = now * extra[0]
        for k in range(weights.shape[0]):
            hidden[k], cell[k] = cell_of(weights[k], biases[k], signal, hidden[k], cell[k])
            signal = hidden[k]
        logits = signal * extra[1] + extra[2]
        log_normaliser = jnp.log(jnp.sum(jnp.exp(logits)) + 2.0)
        return (tuple(hidden), tuple(cell)), jnp.sum(after * (logits - log_normaliser))

    _, parts = lax.scan(step, (tuple(state[:, 0]), tuple(state[:, 1])), (sequence[:-1], sequence[1:]))
    return -jnp.sum(parts) / ((steps - 1) * width)


def seidel(grid: Any, weight: Any, steps: int) -> Any:
    """A scan over sweeps of a scan over rows; a row's recurrence is a matrix product."""
    matrix, decay = map(jnp.asarray, rewritten.recurrence(grid.shape[0] - 2))

    def sweep_row(up: Any, pair: Any) -> Any:
        row, down = pair
        inner = rewritten.seidel_row(up, row, down, matrix, decay)
        swept = jnp.concatenate([row[:1], inner, row[-1:]])
        return swept, swept

    def sweep(a: Any, _: Any) -> Any:
        _, rows = lax.scan(sweep_row, a[0], (a[1:-1], a[2:]))
        return jnp.concatenate([a[:1], rows, a[-1:]]), None

    return jnp.sum(lax.scan(sweep, grid, None, length=steps)[0] * weight)


def jacobi2d(a: Any, b: Any, weight: Any, steps: int) -> Any:
    """A scan over the steps, writes by `.at[].set`."""

    def smooth(to: Any, of: Any) -> Any:
        total = of[1:-1, 1:-1] + of[1:-1, :-2] + of[1:-1, 2:] + of[2:, 1:-1] + of[:-2, 1:-1]
        return to.at[1:-1, 1:-1].set(0.2 * total)

    def step(pair: Any, _: Any) -> Any:
        a, b = pair
        b = smooth(b, a)
        return (smooth(a, b), b), None

    return jnp.sum(lax.scan(step, (a, b), None, length=steps)[0][0] * weight)


def lorenz(start: Any, params: Any, dt: Any, steps: int) -> Any:
    """A scan over the steps, the state a vector."""

    def rhs(u: Any) -> Any:
        return jnp.stack(lorenz_rhs(u[0], u[1], u[2], params[0], params[1], params[2]))

    def step(u: Any, _: Any) -> Any:
        k1 = rhs(u)
        k2 = rhs(u + 0.5 * dt * k1)
        k3 = rhs(u + 0.5 * dt * k2)
        k4 = rhs(u + dt * k3)
        return u + dt * (k1 + 2 * k2 + 2 * k3 + k4) / 6, None

    return jnp.sum(lax.scan(step, start, None, length=steps)[0])


def newton(a: Any, b: Any) -> Any:
    """A scan of 50 masked trips, for `while_loop` has no reverse mode."""

    def trip(x: Any, _: Any) -> Any:
        f = x * x * x + a * x - b
        return jnp.where(jnp.abs(f) > 1e-12, x - f / (3.0 * x * x + a), x), None

    return jnp.sum(lax.scan(trip, 1.0 + b, None, length=50)[0])


PROGRAMS: dict[str, Callable[..., Any]] = {
    "gmm": gmm,
    "lstm": lstm,
    "mlp": rebound(mlp, NAMES),
    "seidel": seidel,
    "jacobi2d": jacobi2d,
    "lorenz": lorenz,
    "black_scholes": rebound(black_scholes_vectorised, NAMES),
    "logsumexp": rebound(logsumexp, NAMES),
    "gp": rebound(gp, NAMES),
    "newton": newton,
    "mandel": functools.partial(rewritten.mandel, jnp),
}


def prepare(name: str, args: Args, argnums: tuple[int, ...]) -> Callable[[], Any] | None:
    """Return the compiled gradient at these arguments; numbers of steps are part of the program."""
    return gradient(PROGRAMS[name], args, argnums)


def gradient(f: Callable[..., Any], args: Args, argnums: tuple[int, ...]) -> Callable[[], Any]:
    """Return a function that computes the gradient and waits for it."""
    fixed = tuple(k for k, arg in enumerate(args) if isinstance(arg, int))
    compiled = jax.jit(jax.grad(f, argnums), static_argnums=fixed)
    given = [arg if k in fixed else jax.tree.map(jnp.asarray, arg) for k, arg in enumerate(args)]
    return lambda: jax.block_until_ready(compiled(*given))


PEERS = [Peer("jax", prepare, compiles=True)]
