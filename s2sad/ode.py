"""Initial value problems: a NumPy program for them, and two ways to differentiate it.

Dormand and Prince's pair of order 5(4) with step size control, its last stage used again (E. Hairer,
S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I, II.4 and II.5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.api import jvp, stop_gradient, vjp
from s2sad.custom import Custom, custom_vjp
from s2sad.frontend.programs import unsupported
from s2sad.frontend.programs_ivp import tableau
from s2sad.pytrees import ravel_pytree

Function = Callable[..., Any]
_STAGES, TIMES, ERRORS, _ = tableau("RK45")
WEIGHTS = np.concatenate((_STAGES, np.zeros((6, 1))), axis=1)


def odeint(
    rhs: Function,
    y0: Any,
    ts: Any,
    *params: Any,
    rtol: float = 1e-8,
    atol: float = 1e-8,
    maxsteps: int = 100_000,
    adjoint: str = "discrete",
) -> Any:
    """Return the solution of y' = rhs(y, t, *params), y(ts[0]) = y0, at all times: (len(ts), *y0.shape).

    `y0` is a real array, `ts` rises or falls; `rtol` and `atol` bound the error of a step, and what comes
    after an interval for which `maxsteps` steps do not suffice is nan. To ask for a derivative in `ts` is an
    error.

    `adjoint`: "discrete" differentiates the steps that were made (their sizes are constants) and is exact
    for them; it keeps what each step needs, or snapshots with `checkpoint=` of the transform. "continuous"
    solves the adjoint equation backwards from the states at `ts`: memory for these only, to the accuracy of
    the tolerances; `params` are arrays and floats then.

    >>> ys = odeint(lambda y, t, k: -k * y, np.ones(1), np.array([0.0, 1.0]), 2.0)
    >>> bool(abs(ys[1, 0] - np.exp(-2.0)) < 1e-8)
    True
    """
    if np.iscomplexobj(y0):
        return unsupported("a complex y0 of odeint is not supported", "solve for real and imaginary parts")
    if adjoint == "continuous":
        return _by_adjoint(rhs, rtol, atol, maxsteps, y0, fixed_times(ts), *params)
    return _integrate(rhs, rtol, atol, maxsteps, y0, fixed_times(ts), *params)


def times_of_odeint(ts: Any) -> Any:
    """Return `ts`, which has no derivative: whoever asks for it gets an error."""
    return ts


fixed_times = Custom(times_of_odeint)


def _integrate(rhs: Function, rtol: float, atol: float, maxsteps: int, y0: Any, ts: Any, *params: Any) -> Any:
    ys = np.empty((ts.shape[0], *y0.shape))
    ys[0] = y0
    y, t = y0 + 0.0, ts[0]
    k = np.zeros((7, *y0.shape))  # the slopes of the stages
    k[0] = rhs(y, t, *params)
    way = 1.0 if ts[-1] >= ts[0] else -1.0
    size = stop_gradient(np.sqrt(np.mean((y / (atol + rtol * np.abs(y))) ** 2)))
    slope = stop_gradient(np.sqrt(np.mean((k[0] / (atol + rtol * np.abs(y))) ** 2)))
    h = 0.01 * size / slope if size > 1e-5 and slope > 1e-5 else 1e-6
    for i in range(1, ts.shape[0]):
        for _ in range(maxsteps):
            left = way * (ts[i] - t)
            if left <= 0.0:
                break
            last = h * 1.0001 >= left
            step = way * (left if last else h)
            new = y
            for s in range(6):
                new = y + step * np.tensordot(WEIGHTS[s], k, 1)
                k[s + 1] = rhs(new, t + TIMES[s] * step, *params)
            miss = step * np.tensordot(ERRORS, k, 1)
            scale = atol + rtol * np.maximum(np.abs(y), np.abs(new))
            error = stop_gradient(np.sqrt(np.mean((miss / scale) ** 2)))
            factor = min(max(0.2, 0.9 * max(error, 1e-10) ** -0.2), 5.0)  # 0.2 where the error is nan
            if error <= 1.0:
                y, t = new, ts[i] if last else t + step
                k[0] = k[6]
                h = max(h, way * step * factor) if last else way * step * factor
            else:
                h = way * step * factor
                k[1:] = 0.0  # nan times a weight of 0 would be nan
        ys[i] = y if way * (ts[i] - t) <= 0.0 else y + np.nan
    return ys


def _integrate_fwd(
    rhs: Function, rtol: float, atol: float, maxsteps: int, y0: Any, ts: Any, *params: Any
) -> Any:
    ys = _integrate(rhs, rtol, atol, maxsteps, y0, ts, *params)
    return ys, (ys, ts, params)


def _integrate_bwd(rhs: Function, rtol: float, atol: float, maxsteps: int, kept: Any, ys_bar: Any) -> Any:
    """L. S. Pontryagin's adjoint: lambda' = -(d rhs/dy)^T lambda, and the integral of (d rhs/dp)^T lambda."""
    ys, ts, params = kept
    adjoint = 0.0 * ys_bar[0]
    bars = tuple(0.0 * p for p in params)
    _, unravel = ravel_pytree((ys[0], adjoint, bars))

    def backward(state: Any, t: Any, *params: Any) -> Any:
        y, lam, _ = unravel(state)
        slope, pull = vjp(lambda y, *p: rhs(y, t, *p), y, *params)
        y_bar, *p_bars = pull(-lam)
        return ravel_pytree((slope, y_bar, tuple(p_bars)))[0]

    for k in range(ts.shape[0] - 1):
        i = ts.shape[0] - 1 - k
        state, _ = ravel_pytree((ys[i], adjoint + ys_bar[i], bars))
        both = np.array([ts[i], ts[i - 1]])
        _, adjoint, bars = unravel(_integrate(backward, rtol, atol, maxsteps, state, both, *params)[1])
    return adjoint + ys_bar[0], None, *bars


_by_adjoint = custom_vjp(_integrate, nondiff_argnums=(0, 1, 2, 3))
_by_adjoint.defvjp(_integrate_fwd, _integrate_bwd)


@_by_adjoint.defjvp
def _integrate_jvp(
    rhs: Function, rtol: float, atol: float, maxsteps: int, primals: Any, tangents: Any
) -> Any:
    return jvp(lambda *args: _integrate(rhs, rtol, atol, maxsteps, *args), primals, tangents)
