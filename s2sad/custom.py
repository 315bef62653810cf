"""Functions with a derivative of the user's own, by JAX's protocol: custom_jvp, custom_vjp."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from s2sad.derivative import Unchanged
from s2sad.ir.transformed import OUTSIDE, RULE, Given, Transformed, form

Function = Callable[..., Any]


class Custom(Unchanged):
    """A function whose derivatives are rules of the user's. A plain call runs it as it is."""

    def __init__(self, fun: Function, nondiff_argnums: Sequence[int] = ()):
        if not callable(fun):
            raise TypeError(f"a rule belongs to a function, not to a {type(fun).__name__}")
        self.given = Given(tuple(nondiff_argnums))
        super().__init__(Transformed("custom", fun, given=self.given))

    def defjvp(self, jvp: Function) -> Function:
        """Set the rule for forward mode, and return it (so that it may be a decorator).

        `jvp(*nondiff, primals, tangents)` returns `(y, y_dot)`; it is linear in the tangents, and
        transposed for reverse mode where that has no rule of its own. Tangents of what does not vary are 0.
        """
        self.given.jvp = jvp
        return jvp

    def defvjp(self, fwd: Function, bwd: Function) -> None:
        """Set the rule for reverse mode.

        `fwd(*args)` returns `(y, residuals)`, residuals of any structure; `bwd(*nondiff, residuals, y_bar)`
        a tuple of cotangents, one for each differentiable argument, None where there is none.
        """
        self.given.fwd, self.given.bwd = fwd, bwd


class External(Unchanged):
    """A function that is called but not read."""

    def __init__(self, fun: Function, result: Function):
        super().__init__(Transformed("external", fun, result=result))


@form(OUTSIDE)
def external(fun: Function | None = None, *, result: Function) -> Any:
    """Return `fun` as a function that programs call and s2sad does not read: a SciPy routine, a compiled
    library.

    It takes arrays, numbers and constants by position, returns one array or number, and does nothing else.
    `result(*args)` is an array or number of the shape and dtype of what it returns. Its derivative is
    refused: `custom_vjp` or `custom_jvp` around it gives it one. It is called by NumPy code, not under
    `jit=True`, and must be at the top of a module, for emitted text to import.

    >>> import numpy as np
    >>> bessel = external(np.i0, result=lambda x: x)
    >>> bessel(0.0)
    np.float64(1.0)
    """
    if fun is None:
        return lambda function: External(function, result)
    if not callable(fun):
        raise TypeError(f"external takes a function, not a {type(fun).__name__}")
    return External(fun, result)


@form(OUTSIDE)
def defrule(fun: Function, derivative: Function, result: Function | None = None) -> Any:
    """Give a function from elsewhere, which is not read, a derivative: one line, as rows of the table of ops.

    `derivative(g, *args, y)` returns, for g the tangent or cotangent of an element and y = fun(*args), what
    the argument has of it: a tuple for several arguments. `fun` works element by element and broadcasts;
    `result` as in `external`, if what it returns is not like the sum of its arguments.

    The rule is stored on `fun`, and programs that call it use it from now on. Functions that cannot carry
    anything (ufuncs, builtins) stay as they are: call what is returned.

    >>> import math
    >>> import s2sad
    >>> gamma = defrule(math.lgamma, lambda g, x, y: g * (math.lgamma(x + 1e-6) - y) / 1e-6)
    >>> round(s2sad.grad(gamma)(3.0), 4)
    0.9228
    """
    outside = External(fun, result or _like_all)
    ruled = Custom(outside)

    @ruled.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        y = ruled(*primals)
        total = 0.0 * y
        for k, tangent in enumerate(tangents):
            part = derivative(tangent, *primals, y)
            total = total + (part[k] if isinstance(part, tuple) else part)
        return y, total

    with contextlib.suppress(AttributeError, TypeError):
        setattr(fun, RULE, ruled)
    return ruled


def _like_all(*args: Any) -> Any:
    total = args[0]
    for a in args[1:]:
        total = total + a
    return total


@form(OUTSIDE)
class custom_jvp(Custom):
    """A function with a rule for forward mode; reverse mode is its transpose.

    >>> import s2sad
    >>> @custom_jvp
    ... def cube(x):
    ...     return x**3
    >>> @cube.defjvp
    ... def cube_jvp(primals, tangents):
    ...     (x,), (x_dot,) = primals, tangents
    ...     return cube(x), 3.0 * x**2 * x_dot
    >>> s2sad.grad(cube)(2.0)
    12.0
    """


@form(OUTSIDE)
class custom_vjp(Custom):
    """A function with a rule for reverse mode; forward mode is refused unless it is given one, too.

    >>> import s2sad
    >>> @custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (min(max(g, -1.0), 1.0),))
    >>> s2sad.grad(lambda x: 5.0 * clipped(x))(2.0)
    1.0
    """
