"""Initial value problems of scipy.integrate, step for step: programs read in place of the call.

The steps are chosen first, without a derivative, and then made once more: what is differentiated are those
that were accepted. Their sizes are constants, but for the last one, which ends where the interval does: times
have derivatives, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from s2sad.frontend.programs import apart, unsupported

Function = Callable[..., Any]


class OdeResult(NamedTuple):
    """The fields of SciPy's result, but for the message."""

    t: Any
    y: Any
    sol: Any
    t_events: Any
    y_events: Any
    nfev: Any
    njev: Any
    nlu: Any
    status: Any
    success: Any


def solve_ivp(
    fun: Function, t_span: Any, y0: Any, method: Any = "RK45", t_eval: Any = None, dense_output: Any = False,
    events: Any = None, vectorized: Any = False, args: Any = None, *, rtol: Any = 1e-3, atol: Any = 1e-6,
    max_step: Any = np.inf, first_step: Any = None, **options: Any,
) -> Any:  # fmt: skip
    """scipy.integrate.solve_ivp by an explicit Runge-Kutta pair. Where SciPy stops short of a time in t_eval
    and leaves it out, `y` is nan."""
    check_options(method, dense_output, events, vectorized, options)
    y = initial(y0)
    if max_step <= 0.0:
        raise ValueError("`max_step` must be positive.")
    bounds = tolerances(rtol, atol)
    given = () if args is None else tuple(args)

    def slope(t: Any, y: Any) -> Any:
        dy = np.asarray(fun(t, y, *given), dtype=float)
        if dy.ndim > 1:
            return unsupported("the function of solve_ivp returns more than one axis", "return a vector")
        return dy if dy.ndim == 1 else np.full(len(y), dy)

    t, tf = float(t_span[0]), float(t_span[1])
    way = 1.0 if tf >= t else -1.0
    A, C, E, P = tableau(method)
    order = 5 if method == "RK45" else 3
    f = slope(t, y)
    moves, calls, status = apart(
        accepted, slope, t, y, f, tf, way, A, C, E, order, bounds, max_step, first_step
    )
    if t_eval is None:
        count = max(len(moves), 1) + 1  # of an empty span SciPy returns both ends
        times, found = np.full(count, t), np.empty((count, len(y)))
        found[:] = y
    else:
        times = checked_times(t_eval, t, tf, way)
        found = np.full((len(times), len(y)), np.nan)
        filled = 0
    for i in range(len(moves)):
        end = t + moves[i]
        if way * (end - tf) > 0.0:
            end = tf
        h = end - t
        new, K = stages(slope, A, C, t, y, f, h)
        if t_eval is None:
            times[i + 1] = end
            found[i + 1] = new
        else:
            while filled < len(times) and way * times[filled] <= way * end:
                x = (times[filled] - t) / h
                part = np.zeros(len(K))
                for j in range(P.shape[1] - 1, -1, -1):
                    part = x * (part + P[:, j])
                found[filled] = y + h * (K.T @ part)
                filled += 1
        t, y, f = end, new, K[-1]
    return OdeResult(times, found.T, None, None, None, calls, 0, 0, status, status == 0)


def check_options(method: Any, dense_output: Any, events: Any, vectorized: Any, options: Any) -> Any:
    """Refuse what is not supported."""
    if events is not None:
        return unsupported("events= of solve_ivp is not supported", "look for the event in the result's .y")
    if dense_output:
        return unsupported("dense_output=True of solve_ivp is not supported", "pass the times as t_eval=")
    if vectorized:
        return unsupported("vectorized=True of solve_ivp is not supported", "leave it out")
    if options:
        name = list(options)[0]  # noqa: RUF015
        why = f"{name}= of solve_ivp is not supported"
        return unsupported(why, f"leave out {name}=: explicit methods do not use it")
    if method not in ("RK45", "RK23"):
        why = f"method={method!r} of solve_ivp is not supported"
        return unsupported(why, 'use method="RK45" or "RK23"')
    return None


def initial(y0: Any) -> Any:
    """The initial state."""
    first = np.asarray(y0)
    if first.ndim != 1:
        return unsupported("ValueError: `y0` must be 1-dimensional.", "pass y0.ravel()")
    if first.dtype.kind == "c":
        why = "a complex y0 of solve_ivp is not supported"
        return unsupported(why, "solve for real and imaginary parts")
    y = np.array(first, dtype=float)
    if not np.all(np.isfinite(y)):
        raise ValueError("All components of the initial state `y0` must be finite.")
    return y


def tolerances(rtol: Any, atol: Any) -> Any:
    """The relative and the absolute tolerance, numbers or arrays."""
    absolute = atol if np.ndim(atol) == 0 else np.asarray(atol)
    if absolute < 0.0 if np.ndim(atol) == 0 else np.any(absolute < 0.0):
        raise ValueError("`atol` must be positive.")
    least = 100.0 * 2.0**-52
    return (max(rtol, least) if np.ndim(rtol) == 0 else np.maximum(rtol, least)), absolute


def checked_times(t_eval: Any, t: Any, tf: Any, way: Any) -> Any:
    """The times at which the state is asked for."""
    times = np.array(t_eval)
    if times.ndim != 1:
        return unsupported("ValueError: `t_eval` must be 1-dimensional.", "pass a vector of times")
    if np.any(times < min(t, tf)) or np.any(times > max(t, tf)):
        raise ValueError("Values in `t_eval` are not within `t_span`.")
    if np.any(way * np.diff(times) <= 0.0):
        raise ValueError("Values in `t_eval` are not properly sorted.")
    if tf == t:
        raise ValueError("SciPy returns nothing at the times in `t_eval` where `t_span` is empty.")
    return times


def accepted(
    slope: Function, t: Any, y: Any, f: Any, tf: Any, way: Any, A: Any, C: Any, E: Any, order: Any,
    bounds: Any, max_step: Any, first_step: Any,
) -> Any:  # fmt: skip
    """The steps from t to tf whose error is tolerated; how often the slope was computed; -1 if the last of
    them ends before tf, because steps became too small, else 0."""
    size, calls = 0.0, 1
    if first_step is None:
        if tf != t:
            size = first_size(slope, t, y, f, tf, way, 1.0 / order, bounds)
            calls = 2
    else:
        if first_step <= 0.0:
            raise ValueError("`first_step` must be positive.")
        if first_step > abs(tf - t):
            raise ValueError("`first_step` exceeds bounds.")
        size = float(first_step)
    moves = []
    status, rejected, least = 0, False, 0.0
    while way * (tf - t) > 0.0:
        if not rejected:
            least = 10.0 * abs(np.nextafter(t, way * np.inf) - t)
            size = max_step if size > max_step else max(size, least)
        if size < least:
            status = -1
            break
        end = t + way * size
        if way * (end - tf) > 0.0:
            end = tf
        h = end - t
        new, K = stages(slope, A, C, t, y, f, h)
        calls += len(C)
        error = rms(K.T @ E * h, np.maximum(np.abs(y), np.abs(new)), bounds)
        factor = 10.0 if error == 0.0 else 0.9 * error ** (-1.0 / order)
        if error < 1.0:
            moves.append(way * size)
            t, y, f = end, new, K[-1]
            size = abs(h) * min(factor, 1.0 if rejected else 10.0)
            rejected = False
        else:
            size = abs(h) * max(0.2, factor)
            rejected = True
    return np.array(moves), calls, status


def stages(slope: Function, A: Any, C: Any, t: Any, y: Any, f: Any, h: Any) -> Any:
    """A step: the new state, and the slopes of its stages; the last one is that of the new state."""
    K = np.zeros((len(C) + 1, len(y)))  # slopes to come have the weight 0, and must not be nan
    K[0] = f
    new = y
    for s in range(len(C)):
        new = y + h * (K[:-1].T @ A[s])
        K[s + 1] = slope(t + C[s] * h, new)
    return new, K


def first_size(slope: Function, t: Any, y: Any, f: Any, tf: Any, way: Any, power: Any, bounds: Any) -> Any:
    """The size of the first step, within the interval: E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary
    Differential Equations I, II.4."""
    room = abs(tf - t)
    d0, d1 = rms(y, np.abs(y), bounds), rms(f, np.abs(y), bounds)
    trial = min(0.01 * d0 / d1 if d0 >= 1e-5 and d1 >= 1e-5 else 1e-6, room)
    ahead = slope(t + way * trial, y + way * trial * f)
    d2 = rms(ahead - f, np.abs(y), bounds) / trial
    still = d1 <= 1e-15 and d2 <= 1e-15
    size = max(1e-6, 1e-3 * trial) if still else (0.01 / max(d1, d2)) ** power
    return min(100.0 * trial, size, room)


def rms(x: Any, magnitude: Any, bounds: Any) -> Any:
    """The norm of errors relative to what is tolerated."""
    rtol, atol = bounds
    return np.linalg.norm(x / (atol + magnitude * rtol)) / len(x) ** 0.5


def tableau(method: str) -> Any:
    """The coefficients of a pair: of the stages (the last row gives the new state, whose slope is the last
    stage), of their times and of the error, and of the polynomials in between."""
    if method == "RK23":  # P. Bogacki, L. F. Shampine, A 3(2) pair of Runge-Kutta formulas (1989)
        A = np.array([[1 / 2, 0.0, 0.0], [0.0, 3 / 4, 0.0], [2 / 9, 1 / 3, 4 / 9]])
        C = np.array([1 / 2, 3 / 4, 1.0])
        E = np.array([5 / 72, -1 / 12, -1 / 9, 1 / 8])
        P = np.array([[1.0, -4 / 3, 5 / 9], [0.0, 1.0, -2 / 3], [0.0, 4 / 3, -8 / 9], [0.0, -1.0, 1.0]])
        return A, C, E, P
    # J. R. Dormand, P. J. Prince, A family of embedded Runge-Kutta formulae (1980)
    A = np.array(
        [
            [1 / 5, 0.0, 0.0, 0.0, 0.0, 0.0],
            [3 / 40, 9 / 40, 0.0, 0.0, 0.0, 0.0],
            [44 / 45, -56 / 15, 32 / 9, 0.0, 0.0, 0.0],
            [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0.0, 0.0],
            [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0.0],
            [35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
        ]
    )
    C = np.array([1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
    E = np.array([-71 / 57600, 0.0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40])
    # L. F. Shampine, Some practical Runge-Kutta formulas (1986)
    P = np.array(
        [
            [1.0, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
            [0.0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
            [0.0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
            [0.0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
            [0.0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
        ]
    )
    return A, C, E, P


def odeint(*args: Any, **kwargs: Any) -> Any:
    """scipy.integrate.odeint."""
    why = "scipy.integrate.odeint integrates by LSODA, whose steps cannot be read"
    return unsupported(why, "use scipy.integrate.solve_ivp, or s2sad.odeint")


HELPERS = (check_options, initial, tolerances, checked_times, stages, first_size, rms, tableau)
INITIAL_VALUES = (solve_ivp, odeint)
