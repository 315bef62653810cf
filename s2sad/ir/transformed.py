"""What a callable made by s2sad stands for: a transform of another function.

Objects of the API carry a record as attribute `__s2sad__`. The frontend that meets a call of one
builds `record.function` for the arguments of the call and hands record and Function to the driver's
callback `transform(record, fn) -> Function`; what comes back takes the same parameters and returns
what the call returns. The driver that is given one as `fun` composes the transforms the same way,
innermost first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

IDENTITY = ("jit", "checkpoint")
"""Kinds that do not change what a function returns."""

FORMS = ("jvp", "vjp", "hvp", "linearize", "stop_gradient")
"""Kinds that are called with the function as first argument (stop_gradient: with a value); the
attribute `__s2sad__` of the API function itself is a record whose function is None."""


@dataclass(frozen=True, slots=True)
class Transformed:
    """A transform of `function`.

    kind         params of the derived Function     its result
    grad         those of `function`                gradient, with has_aux (gradient, aux)
    value_and_grad                                  (value, gradient), with has_aux ((value, aux), gradient)
    jvp          and one `x_dot` per varied param   (y, y_dot)
    vjp          and `y_bar`                        (y, cotangents), as of argnums
    hvp          and one `x_dot` per varied param   (gradient's) y_dot
    slope        those of `function`                gradient of a scalar, Jacobian of anything else
    jacfwd, jacrev, jacobian, hessian               the Jacobian, the Jacobian of the slope
    vmap         those of `function`, batched       its results, stacked; made by the frontend itself
    """

    kind: str
    function: Callable[..., Any] | None
    argnums: int | tuple[int, ...] = 0
    has_aux: bool = False
    varied: tuple[bool, ...] | None = None  # jvp, hvp: per positional argument; None: all of them
    jit: bool = False  # compiled when called from outside; inside a program the program decides
    axes: tuple[Any, Any] = (0, 0)  # vmap: in_axes, out_axes

    def of(self, function: Callable[..., Any]) -> Transformed:
        """Return the record of the same transform applied to `function`."""
        return replace(self, function=function)


def record_of(function: object) -> Transformed | None:
    """Return the record of a callable made by s2sad, else None."""
    record = getattr(function, "__s2sad__", None)
    return record if isinstance(record, Transformed) else None
