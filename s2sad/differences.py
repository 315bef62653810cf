"""Derivatives along a direction without differentiation: by differences, and by the complex step.

A central difference of step h has an error of order h^2 * f''' + eps * |f| / h, about 1e-10 relative at best
in float64 and 1e-3 in float32; it is meaningless across a kink, a branch that changes side or a loop whose
trip count changes within the step. The complex step, imag(f(x + ih)) / h, is right to rounding, for functions
that are analytic and take complex numbers (Squire and Trapp, SIAM Review 40, 1998).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.driver.seeds import like
from s2sad.ir.structure import flatten, rebuild
from s2sad.record import dataclass

Function = Callable[..., Any]
Vector = np.ndarray[Any, Any]
STEP = {"d": 1e-5, "f": 1e-2}
KINK = {"d": 1e-2, "f": 0.5}
TOLERANCE = {"d": 1e-6, "f": 1e-2}
EXACT = 1e-9  # of the complex step, for what is computed another way
SMALL = 1e-40
SIXTH = ((1, 0.75), (2, -0.15), (3, 1.0 / 60.0))


@dataclass(frozen=True, slots=True)
class Slope:
    """The derivative of all results along a direction: from the left, from the right, central, and exact
    where the complex step gave one."""

    left: Vector
    right: Vector
    central: Vector
    exact: Vector | None
    kink: float  # the gap between left and right that makes a kink
    precision: str

    @property
    def kinks(self) -> list[int]:
        """The results at which the one-sided differences are too far apart."""
        scale = 1.0 + float(np.max(np.abs(self.left) + np.abs(self.right), initial=0.0))
        return [int(k) for k in np.flatnonzero(~(np.abs(self.right - self.left) <= self.kink * scale))]

    @property
    def how(self) -> str:
        """What the derivative is known by."""
        return "differences" if self.exact is None else "complex step"

    @property
    def expected(self) -> Vector:
        """The derivative as well as it is known."""
        return self.central if self.exact is None else self.exact

    @property
    def tolerance(self) -> float:
        """How far off a right derivative may be, relative to the largest."""
        return TOLERANCE[self.precision] if self.exact is None else EXACT


def slope(
    fun: Function, args: tuple[Any, ...], direction: list[Any], eps: float | None, exact: bool
) -> Slope:
    """Return the slope of `fun` along a direction: one number or array per float leaf of `args`. `exact`: try
    the complex step."""
    precision = precision_of(args)
    step = eps or STEP[precision]

    def at(s: float) -> Vector:
        return floats(fun(*moved(args, direction, s)))

    low, here, high = at(-step), at(0.0), at(step)
    central = (high - low) / (2.0 * step)
    found = complex_step(fun, args, direction, here) if exact and precision == "d" else None
    # what the complex step says of a function that is not analytic is no derivative
    if found is not None and not _close(found, central, TOLERANCE["d"]):
        found = None
    return Slope((here - low) / step, (high - here) / step, central, found, KINK[precision], precision)


def sixth_order(fun: Function, args: tuple[Any, ...], direction: list[Any]) -> Vector:
    """Return the slope by differences of sixth order: better than central ones by some digits."""
    total = 0.0 * floats(fun(*moved(args, direction, 0.0)))
    for k, weight in SIXTH:
        ahead, behind = (floats(fun(*moved(args, direction, s * k * 1e-3))) for s in (1, -1))
        total = total + weight * (ahead - behind) / 1e-3
    return total


def complex_step(fun: Function, args: tuple[Any, ...], direction: list[Any], here: Vector) -> Vector | None:
    """Return the slope by a complex step; None where `fun` does not take complex numbers."""
    tree, found = flatten(args)
    steps = iter(direction)
    turned = []
    for x in found:
        kind = np.result_type(x).kind
        if kind == "c":
            return None
        if kind != "f":
            turned.append(x.copy() if isinstance(x, np.ndarray) else x)
            continue
        z = np.asarray(x) + 1j * SMALL * np.asarray(next(steps))
        turned.append(z if isinstance(x, np.ndarray) else z[()] if isinstance(x, np.generic) else complex(z))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            y = flatten(fun(*rebuild(tree, turned)))[1]
    except Exception:  # whatever a function may say of numbers that it was not written for
        return None
    parts = [leaf for leaf in y if np.result_type(leaf).kind in "fc"]
    if not parts or any(np.result_type(leaf).kind != "c" for leaf in parts):
        return None
    value = np.concatenate([np.ravel(leaf) for leaf in parts])
    same = value.shape == here.shape and _close(value.real, here, EXACT)
    return value.imag / SMALL if same and np.all(np.isfinite(value.imag)) else None


def moved(args: tuple[Any, ...], direction: list[Any], step: float) -> tuple[Any, ...]:
    """Return a copy of the arguments, `step` along the direction."""
    tree, found = flatten(args)
    steps = iter(direction)
    out = []
    for x in found:
        if np.result_type(x).kind in "fc":
            out.append(like(x, np.asarray(x) + step * np.asarray(next(steps))))
        else:
            out.append(x.copy() if isinstance(x, np.ndarray) else x)
    return tuple(rebuild(tree, out))


def float_leaves(value: Any) -> list[Any]:
    """Return the float leaves of a structure."""
    return [leaf for leaf in flatten(value)[1] if np.result_type(leaf).kind in "fc"]


def floats(value: Any) -> Vector:
    """Return the float leaves of a structure in one vector."""
    parts: Sequence[Vector] = [np.ravel(leaf) for leaf in float_leaves(value)]
    return np.concatenate(parts) if parts else np.zeros(0)


def precision_of(args: Any) -> str:
    """Return `f` if there is a number of single precision, else `d`."""
    for x in float_leaves(args):
        dtype = np.result_type(x)
        if dtype.itemsize < (16 if dtype.kind == "c" else 8):
            return "f"
    return "d"


def _close(a: Vector, b: Vector, tolerance: float) -> bool:
    scale = 1.0 + float(np.max(np.abs(b), initial=0.0))
    gap = float(np.max(np.abs(a - b), initial=0.0))
    return gap <= tolerance * scale or (math.isnan(gap) and bool(np.array_equal(np.isnan(a), np.isnan(b))))
