"""Functions of scipy.fft, scipy.integrate, scipy.linalg and scipy.signal. Each is looked at once the program
has imported its module."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from s2sad.ops import meaning_fourier as fourier
from s2sad.ops.call import Call, make_call, only
from s2sad.ops.expr import Expr
from s2sad.ops.meaning_integrate import INTEGRATE
from s2sad.ops.meaning_scipy_linalg import LINALG, STATIC
from s2sad.ops.meaning_signal import SIGNAL

TRANSFORMS: tuple[Callable[..., Expr], ...] = (
    fourier.fft, fourier.ifft, fourier.rfft, fourier.irfft, fourier.hfft, fourier.ihfft, fourier.fft2,
    fourier.ifft2, fourier.rfft2, fourier.irfft2, fourier.fftn, fourier.ifftn, fourier.rfftn, fourier.irfftn,
)  # fmt: skip
ORDERS: tuple[Callable[..., Expr], ...] = (
    fourier.fftshift,
    fourier.ifftshift,
    fourier.fftfreq,
    fourier.rfftfreq,
)


def _transform(function: Callable[..., Expr]) -> Call:
    """A transform with SciPy's parameters: how it is computed does not matter."""
    own = list(inspect.signature(function).parameters.values())[1:-1]  # without the array and `out`
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter("x", kind),
        *own,
        inspect.Parameter("overwrite_x", kind, default=False),
        inspect.Parameter("workers", kind, default=None),
        inspect.Parameter("plan", inspect.Parameter.KEYWORD_ONLY, default=None),
    ]
    signature = inspect.Signature(parameters)
    several = own[0].name == "s"

    def expand(*args: Any, plan: Any = None, **others: Any) -> Expr:
        only("plan", plan, None)
        bound = signature.bind(*args, **others).arguments
        given = {p.name: bound.get(p.name, p.default) for p in own}
        axes = given.get("axes")
        if several and axes is not None and len(set(axes)) != len(axes):
            raise ValueError("All axes must be unique.")
        return function(bound["x"], **given)

    return make_call(function.__name__, expand, "s overwrite_x workers plan", signature)


def _calls(functions: tuple[Callable[..., Any], ...]) -> dict[str, Call]:
    return {f.__name__: make_call(f.__name__, f) for f in functions}


MODULES = {
    "scipy.fft": {f.__name__: _transform(f) for f in TRANSFORMS} | _calls(ORDERS),
    "scipy.integrate": _calls(INTEGRATE),
    "scipy.linalg": {f.__name__: make_call(f.__name__, f, STATIC) for f in LINALG},
    "scipy.signal": _calls(SIGNAL),
}


def scipy_call(obj: Any) -> Call | None:
    """Return what a function of these modules means, None for all else."""
    name = getattr(obj, "__name__", "")
    for module, calls in MODULES.items():
        if name in calls and getattr(sys.modules.get(module), name, None) is obj:
            return calls[name]
    return None
