"""What a callable made by s2sad stands for: a transform of another function.

Objects of the API carry a record as attribute `__s2sad__`. The frontend that meets a call of one
builds `record.function` for the arguments of the call and hands record and Function to the driver's
callback `transform(record, fn) -> Function`; what comes back takes the same parameters and returns
what the call returns. The driver that is given one as `fun` composes the transforms the same way,
innermost first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from s2sad.record import dataclass, replace

F = TypeVar("F", bound=Callable[..., Any])

IDENTITY = ("jit", "checkpoint")
"""Kinds that do not change what a function returns."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How many snapshots of its state a loop that is reversed may keep: `sqrt` of twice its trips,
    `snapshots` (`amount` of them), or those that fit into `amount` `bytes`."""

    kind: str
    amount: int = 0


RULE = "__s2sad_rule__"
"""Attribute of a function that is not ours: what is called in its place (`defrule`)."""

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def scheme_of(checkpoint: object) -> Scheme | None:
    """Return what the argument `checkpoint` of a transform means: None or "none", "sqrt", a number of
    snapshots, or a size ("64MiB"). Raises TypeError and ValueError for anything else."""
    match checkpoint:
        case None | "none":
            return None
        case "sqrt":
            return Scheme("sqrt")
        case bool():
            pass
        case int():
            if checkpoint < 1:
                raise ValueError(f"checkpoint={checkpoint}: at least one snapshot is needed")
            return Scheme("snapshots", checkpoint)
        case str():
            found = re.fullmatch(r"(\d+(?:\.\d*)?) ?([KMG]?i?B)", checkpoint)
            if found is not None and found[2] in UNITS:
                return Scheme("bytes", int(float(found[1]) * UNITS[found[2]]))
    kinds = '"none", "sqrt", a number of snapshots, or a size like "64MiB"'
    raise TypeError(f"checkpoint is {kinds}, not {checkpoint!r}")


Jit = bool | Literal["parallel"]
PARALLEL: Literal["parallel"] = "parallel"


def jit_of(jit: object) -> Jit:
    """Return what the argument `jit` of a transform means: False, True, or "parallel": compiled, with threads
    for loops of independent trips. Raises TypeError for another text."""
    if isinstance(jit, str) and jit != PARALLEL:
        raise TypeError(f'jit is True, False or "parallel", not {jit!r}')
    return PARALLEL if isinstance(jit, str) else bool(jit)


def strongest(options: Iterable[Jit]) -> Jit:
    """Return what holds of a function of which some transforms are compiled."""
    found = set(options)
    return PARALLEL if PARALLEL in found else True in found


@dataclass(slots=True, eq=False)
class Given:
    """What derivative the user has given a function (JAX's protocol). `nondiff`: positions of arguments that
    have none; they come first in the calls of `jvp` and `bwd`."""

    nondiff: tuple[int, ...] = ()
    jvp: Callable[..., Any] | None = None  # (primals, tangents) -> (y, y_dot)
    fwd: Callable[..., Any] | None = None  # (*args) -> (y, residuals)
    bwd: Callable[..., Any] | None = None  # (residuals, y_bar) -> a tuple of cotangents


@dataclass(frozen=True, slots=True)
class Transformed:
    """A transform of `function`.

    kind         params of the derived Function     its result
    grad         those of `function`                gradient, with has_aux (gradient, aux)
    value_and_grad                                  (value, gradient), with has_aux ((value, aux), gradient)
    jvp          and one `x_dot` per varied param   (y, y_dot)
    jet          and `x_d1` ... of each varied one  (y, series): in place of each leaf of y its derivatives
    vjp          and `y_bar`                        (y, cotangents), as of argnums
    hvp          and one `x_dot` per varied param   (gradient's) y_dot
    slope        those of `function`                gradient of a scalar, Jacobian of anything else
    jacfwd, jacrev, jacobian, hessian               the Jacobian, the Jacobian of the slope
    custom       those of `function`                its result; derivatives are `given`
    external     those of `function`                its result, which is like `result`; it is not read
    vmap         those of `function`, batched       its results, stacked; made by the frontend itself
    """

    kind: str
    function: Callable[..., Any] | None
    argnums: int | tuple[int, ...] = 0
    has_aux: bool = False
    varied: tuple[bool, ...] | None = None  # jvp, jet, hvp: per positional argument; None: all of them
    jit: Jit = False  # compiled when called from outside; inside a program the program decides
    given: Given | None = None
    result: Callable[..., Any] | None = None  # external: of the arguments; what the result is like
    order: int = 0  # of a jet
    checkpoint: Scheme | None = None  # of the loops of what is differentiated in reverse mode
    debug: bool = False  # with checks that raise at the first nan or inf
    axes: tuple[Any, Any] = (0, 0)  # vmap: in_axes, out_axes

    @property
    def is_called(self) -> bool:
        """True if a program calls the function as it is, with what the record adds beside it."""
        return self.kind in ("custom", "external", "vmap")

    def of(self, function: Callable[..., Any] | None) -> Transformed:
        """Return the record of the same transform applied to `function`."""
        return replace(self, function=function)


MARK = "__s2sad__"
"""Attribute of objects of the API: their record."""


def form(kind: str) -> Callable[[F], F]:
    """Decorate a function of the API that is called with the function to transform as first argument
    (`jvp(f, primals, tangents)`), or with a value (`stop_gradient`): its record has no function. The
    frontend's method `form_` and the kind reads a call of it."""

    def marked(function: F) -> F:
        setattr(function, MARK, Transformed(kind, None))
        return function

    return marked


OUTSIDE = "outside"
"""Kind of what belongs to the API and cannot be called inside a program."""


def record_of(function: object) -> Transformed | None:
    """Return the record of a callable made by s2sad, else None."""
    record = getattr(function, MARK, None)
    return record if isinstance(record, Transformed) else None
