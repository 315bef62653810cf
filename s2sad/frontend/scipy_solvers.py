"""The solvers of scipy.optimize that are read: their arguments, and what can be read of what they return."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import numpy as np

from s2sad.record import dataclass

CLASSIC = ("hybr", "lm")  # methods of root that are MINPACK's: x has rank 1
KKT = "is not supported: at active bounds the gradient is not 0, and the derivative needs multipliers"


@dataclass(frozen=True, slots=True)
class Solver:
    """A function of scipy.optimize. `functions`: arguments that are functions of x and of `args`, the first
    of them what is solved; `residuals`: those of them that return vectors; `constants`: what is passed on as
    it is; `reads`: what can be read of the result, () where that is x itself."""

    name: str
    functions: tuple[str, ...]
    constants: tuple[str, ...]
    reads: tuple[str, ...]
    residuals: tuple[str, ...] = ()
    titles: dict[str, str] = field(default_factory=dict)  # of functions without a name
    bounded: tuple[str, ...] = ()  # methods that need bounds

    def is_residual(self, name: str) -> bool:
        """True if what a function returns is a vector to SciPy, also where it is a list or a number."""
        return name in self.residuals

    def ravels(self, method: Any) -> bool:
        """True if SciPy makes a vector of a guess of any rank."""
        return self.name == "fsolve" or (self.name == "root" and method in (*CLASSIC, None))

    def fields(self, method: Any) -> tuple[str, ...]:
        """Return what can be read of the result."""
        if self.name == "root" and method not in (*CLASSIC, None):
            return ("x", "fun", "success", "nit")
        return tuple(r for r in self.reads if not (r == "nit" and method == "cobyla"))

    def refused(self, name: str) -> tuple[str, str]:
        """Return why an argument is not supported, and what to write instead."""
        match name:
            case "bounds" | "constraints":
                instead = "substitute variables: x = np.exp(z) is positive; or write a rule: custom_root"
                return KKT, instead
            case "callback":
                return "is not supported: it is not read", "leave it out"
            case "loss":
                return "is not supported: its weights are part of the equation", "use minimize of the loss"
            case "full_output":
                return "is not supported", "use scipy.optimize.root, and read .x and .success"
        return "is not supported", "leave it out, or give the derivative: external and custom_root"


OBJECTIVE = {"fun": "objective", "jac": "gradient", "hess": "hessian"}
RESIDUAL = {"fun": "residual", "func": "residual", "jac": "slope", "fprime": "slope"}
KINDS = (
    Solver(
        "root", ("fun", "jac"), ("method", "tol", "options"), ("x", "fun", "success", "status", "nfev"),
        ("fun",), RESIDUAL,
    ),
    Solver(
        "fsolve", ("func", "fprime"), ("col_deriv", "xtol", "maxfev", "band", "epsfcn", "factor"), (),
        ("func",), RESIDUAL,
    ),
    Solver(
        "minimize", ("fun", "jac", "hess"), ("method", "tol", "options"),
        ("x", "fun", "success", "status", "nit", "nfev"), (), OBJECTIVE,
    ),
    Solver(
        "minimize_scalar", ("fun",), ("bracket", "method", "tol", "options"),
        ("x", "fun", "success", "nit", "nfev"), (), OBJECTIVE, ("bounded",),
    ),
    Solver(
        "least_squares", ("fun", "jac"),
        ("method", "ftol", "xtol", "gtol", "x_scale", "f_scale", "diff_step", "tr_solver", "max_nfev"),
        ("x", "cost", "fun", "success", "status", "nfev"), ("fun",), RESIDUAL,
    ),
)  # fmt: skip
SOLVERS = {solver.name: solver for solver in KINDS}
"""The functions of scipy.optimize that are read, by name."""


# programs, read in place of calls


def vector(found: Any) -> Any:
    """Return residuals as a vector, as SciPy takes them."""
    return np.atleast_1d(found)


def half_squares(residuals: Any) -> Any:
    """Return the cost of least squares."""
    return 0.5 * np.sum(residuals * residuals)
