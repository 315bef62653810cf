"""Root finders of scipy.optimize for one unknown, step for step: programs read in place of the call.

The search itself is not differentiated; its result is the root of an equation (`solution`), and has the
derivative that the implicit function theorem gives it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from s2sad.frontend.programs import solution, unsupported
from s2sad.ir.transformed import MARK, Given, Transformed

Function = Callable[..., Any]


class RootResults(NamedTuple):
    """What is known of a root: the fields of SciPy's result that are numbers."""

    root: Any
    iterations: Any
    function_calls: Any
    converged: Any


# --- called by SciPy's names --------------------------------------------------------------------


def brentq(
    f: Function, a: Any, b: Any, args: Any = (), xtol: Any = 2e-12, rtol: Any = 2.0**-50,
    maxiter: Any = 100, full_output: Any = False, disp: Any = True,
) -> Any:  # fmt: skip
    """scipy.optimize.brentq."""
    return answer(in_bracket(brent, f, args, a, b, xtol, rtol, maxiter, False), full_output, disp)


def brenth(
    f: Function, a: Any, b: Any, args: Any = (), xtol: Any = 2e-12, rtol: Any = 2.0**-50,
    maxiter: Any = 100, full_output: Any = False, disp: Any = True,
) -> Any:  # fmt: skip
    """scipy.optimize.brenth."""
    return answer(in_bracket(brent, f, args, a, b, xtol, rtol, maxiter, True), full_output, disp)


def bisect(
    f: Function, a: Any, b: Any, args: Any = (), xtol: Any = 2e-12, rtol: Any = 2.0**-50,
    maxiter: Any = 100, full_output: Any = False, disp: Any = True,
) -> Any:  # fmt: skip
    """scipy.optimize.bisect."""
    return answer(in_bracket(halving, f, args, a, b, xtol, rtol, maxiter), full_output, disp)


def ridder(
    f: Function, a: Any, b: Any, args: Any = (), xtol: Any = 2e-12, rtol: Any = 2.0**-50,
    maxiter: Any = 100, full_output: Any = False, disp: Any = True,
) -> Any:  # fmt: skip
    """scipy.optimize.ridder."""
    return answer(in_bracket(ridders, f, args, a, b, xtol, rtol, maxiter), full_output, disp)


def newton(
    func: Function, x0: Any, fprime: Any = None, args: Any = (), tol: Any = 1.48e-8, maxiter: Any = 50,
    fprime2: Any = None, x1: Any = None, rtol: Any = 0.0, full_output: Any = False, disp: Any = True,
) -> Any:  # fmt: skip
    """scipy.optimize.newton: by the secant method where there is no fprime."""
    if fprime2 is not None:
        return unsupported("fprime2= (Halley's method) is not supported", "leave out fprime2=")
    if fprime is None:
        found = from_points(secant, func, args, x0, x1, tol, rtol, maxiter)
    else:
        found = from_points(tangents, func, args, x0, fprime, tol, rtol, maxiter)
    return answer(found, full_output, disp)


def toms748(*args: Any, **kwargs: Any) -> Any:
    """scipy.optimize.toms748."""
    return unsupported("scipy.optimize.toms748 is not supported", "use scipy.optimize.brentq")


def root_scalar(
    f: Function, args: Any = (), method: Any = None, bracket: Any = None, fprime: Any = None,
    fprime2: Any = None, x0: Any = None, x1: Any = None, xtol: Any = None, rtol: Any = None,
    maxiter: Any = None, options: Any = None,
) -> Any:  # fmt: skip
    """scipy.optimize.root_scalar."""
    chosen = method_of(method, bracket, fprime, fprime2, x1, options)
    if chosen in ("newton", "secant"):
        if x0 is None:
            return unsupported(f"ValueError: x0 must not be None for {chosen}", "pass x0=")
        tol = 1.48e-8 if xtol is None else xtol
        steps = 50 if maxiter is None else maxiter
        close = 0.0 if rtol is None else rtol
        if chosen == "secant":
            found = from_points(secant, f, args, x0, x1, tol, close, steps)
        else:
            found = from_points(tangents, f, args, x0, fprime, tol, close, steps)
    else:
        if bracket is None:
            return unsupported(f"ValueError: Bracket needed for {chosen}", "pass bracket=[a, b]")
        tol = 2e-12 if xtol is None else xtol
        steps = 100 if maxiter is None else maxiter
        close = 2.0**-50 if rtol is None else rtol
        a, b = bracket[0], bracket[1]
        if chosen == "brentq":
            found = in_bracket(brent, f, args, a, b, tol, close, steps, False)
        elif chosen == "brenth":
            found = in_bracket(brent, f, args, a, b, tol, close, steps, True)
        elif chosen == "bisect":
            found = in_bracket(halving, f, args, a, b, tol, close, steps)
        elif chosen == "ridder":
            found = in_bracket(ridders, f, args, a, b, tol, close, steps)
        else:
            return unsupported(f'method="{chosen}" of root_scalar is not supported', 'use method="brentq"')
    return RootResults(trusted(found), found.iterations, found.function_calls, found.converged)


def method_of(method: Any, bracket: Any, fprime: Any, fprime2: Any, x1: Any, options: Any) -> Any:
    """The method that root_scalar takes."""
    if options is not None:
        return unsupported("options= of root_scalar is not supported", "pass xtol=, rtol= and maxiter=")
    if fprime2 is not None:
        return unsupported("fprime2= (Halley's method) is not supported", 'use method="newton"')
    if fprime is not None and not callable(fprime):
        why = "fprime=True, for a function that returns its derivative as well, is not supported"
        return unsupported(why, "pass the derivative as a function")
    if method is not None:
        return method.lower()
    if bracket is not None:
        return "brentq"
    return "secant" if fprime is None and x1 is not None else "newton"


# --- what they have in common -------------------------------------------------------------------


def in_bracket(
    search: Function, f: Function, args: Any, a: Any, b: Any, xtol: Any, rtol: Any, maxiter: Any, *more: Any
) -> Any:
    """Search a root between a and b."""
    if xtol <= 0.0:
        raise ValueError("xtol too small")
    if rtol < 2.0**-50:
        raise ValueError("rtol too small")
    given = args if isinstance(args, tuple) else (args,)
    found = solution(lambda x: f(x, *given), search, float(a), float(b), xtol, rtol, maxiter, *more)
    return RootResults(*found)


def from_points(
    search: Function, f: Function, args: Any, x0: Any, second: Any, tol: Any, rtol: Any, maxiter: Any
) -> Any:
    """Search a root from x0 on; `second` is another point or the derivative."""
    if np.ndim(x0) != 0:
        return unsupported("newton from an array of points is not supported", "call it in a loop")
    if tol <= 0.0:
        raise ValueError("tol too small")
    if maxiter < 1:
        raise ValueError("maxiter must be greater than 0")
    given = args if isinstance(args, tuple) else (args,)
    other = (lambda x: second(x, *given)) if callable(second) else second
    found = solution(lambda x: f(x, *given), search, np.float64(x0), other, tol, rtol, maxiter)
    return RootResults(*found)


def answer(found: Any, full_output: Any, disp: Any) -> Any:
    """What SciPy returns of a result."""
    if disp:
        if not found.converged:
            raise RuntimeError(f"Failed to converge after {found.iterations} iterations.")
        root = found.root
    else:
        root = trusted(found)
    if full_output:
        return root, RootResults(root, found.iterations, found.function_calls, found.converged)
    return root


def trusted(found: Any) -> Any:
    """The root; where the search did not converge it is none, and has no derivative."""
    return found.root if found.converged else no_root(found.root)


def no_root(x: Any) -> Any:
    """A number whose derivative is nan, but 0 where it does not count."""
    return x


def unknown(g: Any) -> Any:
    """A tangent or cotangent of `no_root`."""
    return 0.0 if g == 0.0 else np.nan


def same(x: Any) -> Any:
    """What `no_root` returns."""
    return 1.0 * x


setattr(
    no_root,
    MARK,
    Transformed(
        "custom",
        same,
        given=Given(
            jvp=lambda primals, dots: (same(primals[0]), unknown(dots[0])),
            fwd=lambda x: (same(x), None),
            bwd=lambda _, x_bar: (unknown(x_bar),),
        ),
    ),
)


def number(y: Any) -> Any:
    """A value of the function as a float."""
    if np.ndim(y) != 0:
        return unsupported("the function whose root is sought returns an array", "return a number")
    fx = float(y)
    if fx != fx:
        raise ValueError("The function value is NaN; solver cannot continue.")
    return fx


def bracketed(F: Function, a: Any, b: Any) -> Any:
    """The values at the ends: of different signs, or one of them is 0."""
    f_a, f_b = number(F(a)), number(F(b))
    if f_a != 0.0 and f_b != 0.0 and (f_a < 0.0) == (f_b < 0.0):
        raise ValueError("f(a) and f(b) must have different signs")
    return f_a, f_b


# --- the searches: (root, iterations, calls, whether it converged) ---------------------------------


def brent(F: Function, a: Any, b: Any, xtol: Any, rtol: Any, maxiter: Any, hyperbolic: Any) -> Any:
    """R. P. Brent, Algorithms for Minimization without Derivatives (1973), chapter 4: `x` is the best point,
    `far` the end on the other side of the root, `last` the point before x. `hyperbolic`: the variant of
    J. C. P. Bus and T. J. Dekker (1975) where three points are known."""
    last, x, far = a, b, a
    f_last, fx = bracketed(F, a, b)
    if f_last == 0.0 or fx == 0.0:
        return a if f_last == 0.0 else b, 0, 2, True
    f_far, step, before = f_last, 0.0, 0.0
    for k in range(maxiter):
        if f_last != 0.0 and (f_last < 0.0) != (fx < 0.0):
            far, f_far = last, f_last
            step = x - last
            before = step
        if abs(f_far) < abs(fx):
            last, x, far = x, far, x
            f_last, fx, f_far = fx, f_far, fx
        least = (xtol + rtol * abs(x)) / 2.0
        half = (far - x) / 2.0
        if fx == 0.0 or abs(half) < least:
            return x, k + 1, k + 2, True
        proposed = np.inf
        if abs(before) > least and abs(fx) < abs(f_last):
            if last == far:
                proposed = -fx * (x - last) / (fx - f_last)
            else:
                to_last = (f_last - fx) / (last - x)
                to_far = (f_far - fx) / (far - x)
                if hyperbolic:
                    proposed = -fx * (f_far - f_last) / (f_far * to_last - f_last * to_far)
                else:
                    rise = to_far * to_last * (f_far - f_last)
                    proposed = -fx * (f_far * to_far - f_last * to_last) / rise
        if 2.0 * abs(proposed) < min(abs(before), 3.0 * abs(half) - least):
            before, step = step, proposed
        else:
            before, step = half, half
        last, f_last = x, fx
        if abs(step) > least:
            x += step
        else:
            x += least if half > 0.0 else -least
        fx = number(F(x))
    return x, maxiter, maxiter + 2, False


def halving(F: Function, a: Any, b: Any, xtol: Any, rtol: Any, maxiter: Any) -> Any:
    """Bisection: `low` keeps the sign that the function has at a."""
    f_low, f_high = bracketed(F, a, b)
    if f_low == 0.0 or f_high == 0.0:
        return a if f_low == 0.0 else b, 0, 2, True
    low, width = a, b - a
    for k in range(maxiter):
        width *= 0.5
        x = low + width
        fx = number(F(x))
        if (fx < 0.0) == (f_low < 0.0):
            low = x
        if fx == 0.0 or abs(width) < xtol + rtol * abs(x):
            return x, k + 1, k + 3, True
    return low, maxiter, maxiter + 2, False


def ridders(F: Function, a: Any, b: Any, xtol: Any, rtol: Any, maxiter: Any) -> Any:
    """C. J. F. Ridders, A new algorithm for computing a single root of a real continuous function (1979)."""
    low, high = a, b
    f_low, f_high = bracketed(F, a, b)
    if f_low == 0.0 or f_high == 0.0:
        return a if f_low == 0.0 else b, 0, 2, True
    least = xtol + rtol * min(abs(a), abs(b))
    x = a
    for k in range(maxiter):
        half = 0.5 * (high - low)
        middle = low + half
        f_middle = number(F(middle))
        rising = 1.0 if f_high > f_low else -1.0
        move = rising * half * f_middle / np.sqrt(f_middle * f_middle - f_low * f_high)
        bounded = min(abs(move), abs(half) - 0.5 * least)
        x = middle - (bounded if move > 0.0 else -bounded)
        fx = number(F(x))
        if (fx < 0.0) != (f_middle < 0.0):
            low, f_low, high, f_high = x, fx, middle, f_middle
        elif (fx < 0.0) != (f_low < 0.0):
            high, f_high = x, fx
        else:
            low, f_low = x, fx
        least = xtol + rtol * x
        if fx == 0.0 or abs(high - low) < least:
            return x, k + 1, 2 * k + 4, True
    return x, maxiter, 2 * maxiter + 2, False


def tangents(F: Function, x: Any, fprime: Any, tol: Any, rtol: Any, maxiter: Any) -> Any:
    """Newton's method; where there is no derivative, by forward differences."""
    calls = 0
    for k in range(maxiter):
        fx = number(F(x))
        calls += 1
        if fx == 0.0:
            return x, k, calls, True
        if fprime is None:
            ahead = x + 2.0**-26 * (1.0 if x >= 0.0 else -1.0) * max(1.0, abs(x))
            slope = (number(F(ahead)) - fx) / (ahead - x)  # SciPy does not count these calls
        else:
            slope = number(fprime(x))
        calls += 1
        if slope == 0.0:
            return x, k + 1, calls, False
        new = x - fx / slope
        if abs(new - x) <= tol + rtol * abs(x):
            return new, k + 1, calls, True
        x = new
    return x, maxiter, calls, False


def secant(F: Function, x0: Any, x1: Any, tol: Any, rtol: Any, maxiter: Any) -> Any:
    """The secant method; where there is no second point, from one near the first."""
    if x1 is None:
        x = x0 * (1.0 + 1e-4)
        x += 1e-4 if x >= 0.0 else -1e-4
    else:
        x = np.float64(x1)
        if x == x0:
            raise ValueError("x1 and x0 must be different")
    last = x0
    f_last, fx = number(F(last)), number(F(x))
    if abs(fx) < abs(f_last):
        last, x = x, last
        f_last, fx = fx, f_last
    for k in range(maxiter):
        if fx == f_last:
            return (x + last) / 2.0, k + 1, k + 2, False
        if abs(fx) > abs(f_last):
            new = (-f_last / fx * x + last) / (1.0 - f_last / fx)
        else:
            new = (-fx / f_last * last + x) / (1.0 - fx / f_last)
        if abs(new - x) <= tol + rtol * abs(x):
            return new, k + 1, k + 2, True
        last, f_last = x, fx
        x = new
        fx = number(F(x))
    return x, maxiter, maxiter + 2, False


HELPERS = (method_of, in_bracket, from_points, answer, trusted, number, bracketed)
ROOTS = (brentq, brenth, bisect, ridder, newton, toms748, root_scalar)
