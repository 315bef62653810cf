"""Implicit differentiation: of what solves an equation, by the equation and not by how it was solved.

For F(x, theta) = 0 the implicit function theorem gives dx/dtheta = -(dF/dx)^-1 dF/dtheta (M. Blondel et al.,
Efficient and modular implicit differentiation, 2022). Both modes solve one linear system, with dF/dx or with
its transpose; the iterations of the solver are not differentiated, nor stored.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from s2sad import solvers
from s2sad.api import jvp
from s2sad.custom import Custom
from s2sad.ir.transformed import OUTSIDE, form

Function = Callable[..., Any]
METHODS: dict[str, Function] = {
    "dense": solvers.dense,
    "cg": solvers.cg,
    "bicgstab": solvers.bicgstab,
    "gmres": solvers.gmres,
}


@form("linear_solve")
def custom_linear_solve(
    matvec: Function,
    b: Any,
    solve: Function = solvers.dense,
    transpose_solve: Function | None = None,
    symmetric: bool = False,
) -> Any:
    """Return `solve(matvec, b)`, the x with matvec(x) = b, differentiated as such: by another system with the
    same operator (forward mode) or its transpose (reverse mode).

    `matvec` is linear and may read variables around it: these have derivatives, too. `b` is an array or a
    number. `transpose_solve(matvec_transposed, b)` solves with the transpose; default: `solve`.
    """
    return solve(matvec, b)


@form(OUTSIDE)
def custom_root(F: Function, solve: str | Function = "dense", symmetric: bool = False) -> Any:
    """Return a decorator for `solver(init, *theta)`, which returns the x with F(x, *theta) = 0.

    x is an array or a number, and F(x, *theta) like x. `init` has no derivative. `solve` is the linear solver
    of the derivative: "dense" for small systems; "cg" (dF/dx symmetric and positive definite), "bicgstab" or
    "gmres" without a matrix; or a function `solve(matvec, b)`. `symmetric` says that dF/dx is.

    >>> import numpy as np
    >>> import s2sad
    >>> @custom_root(lambda x, a: x**2 - a)
    ... def root(x, a):
    ...     for _ in range(20):
    ...         x = 0.5 * (x + a / x)
    ...     return x
    >>> round(s2sad.grad(root, argnums=1)(1.0, 4.0), 12)
    0.25
    """
    if isinstance(solve, str) and solve not in METHODS:
        raise ValueError(f"no linear solver is called {solve!r}: {', '.join(METHODS)}, or a function")
    chosen = METHODS[solve] if isinstance(solve, str) else solve
    symmetric = symmetric or solve == "cg"

    def decorate(solver: Function) -> Any:
        root = Custom(solver, nondiff_argnums=(0,))

        @root.defjvp
        def implicit(init: Any, theta: Any, theta_dot: Any) -> Any:
            x = root(init, *theta)  # not solver: second derivatives are implicit, too
            residual_dot = jvp(lambda *t: F(x, *t), theta, theta_dot)[1]
            push = lambda v: jvp(lambda z: F(z, *theta), (x,), (v,))[1]  # noqa: E731
            return x, custom_linear_solve(push, -residual_dot, chosen, None, symmetric)

        return root

    return decorate


@form(OUTSIDE)
def custom_fixed_point(T: Function, solve: str | Function = "dense") -> Any:
    """Return a decorator for `solver(init, *theta)`, which returns the x with x = T(x, *theta): see
    `custom_root`."""

    def residual(x: Any, *theta: Any) -> Any:
        return T(x, *theta) - x

    return custom_root(functools.wraps(T)(residual), solve)
