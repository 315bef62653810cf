"""Checks of derivatives against differences and against each other.

Limits of differences, which every tolerance here reflects: a central difference of step h has an error
of order h^2 * f''' + eps * |f| / h, about 1e-10 relative at best in float64 and 1e-3 in float32; it is
meaningless across a kink, a branch that changes side or a loop whose trip count changes within the
step. Where the differences from the left and from the right disagree by more than 1 % (float32: 50 %),
the point is taken for a kink, and the check fails whatever the derivative says. The dot-product test has
no such error: it compares forward with reverse mode to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.api import jvp, vjp
from s2sad.driver.seeds import like
from s2sad.ir.structure import flatten, map_tree, rebuild
from s2sad.ir.tree import Leaf, Static

Function = Callable[..., Any]
STEP = {"d": 1e-5, "f": 1e-2}
KINK = {"d": 1e-2, "f": 0.5}
TOLERANCE = {"d": 1e-6, "f": 1e-2}


def check_grads(
    fun: Function,
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
) -> None:
    """Raise AssertionError unless the derivatives of `fun` at `args` up to `order` agree with
    differences, in the given modes: `fwd` checks jvp, `rev` checks vjp, and both against each other."""
    options = {"atol": atol, "rtol": rtol, "eps": eps}
    args = tuple(args)
    for mode in modes:
        if mode not in ("fwd", "rev"):
            raise ValueError(f"modes are 'fwd' and 'rev', not {mode!r}")
    if "fwd" in modes:
        check_jvp(fun, args, seed=seed, **options)
    if "rev" in modes:
        check_vjp(fun, args, seed=seed, **options)
    if "fwd" in modes and "rev" in modes:
        dot_product_test(fun, args, seed=seed)
    if order > 1:
        for mode in modes:
            along = _directional(fun, args, mode, seed + order)
            check_grads(along, args, order - 1, modes, atol=atol, rtol=rtol, eps=eps, seed=seed)


def check_jvp(
    fun: Function,
    args: Sequence[Any],
    *,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
) -> None:
    """Raise AssertionError unless the jvp along a random direction equals a central difference."""
    args = tuple(args)
    rng = np.random.default_rng(seed)
    tangents = random_like(args, rng)
    y, y_dot = jvp(fun, args, tangents)
    precision = _precision(args)
    step = eps or STEP[precision]
    low, here, high = (_floats(fun(*_moved(args, tangents, s))) for s in (-step, 0.0, step))
    _close(_floats(y), here, 1e-9 if precision == "d" else 1e-4, "the value")
    for got, down, mid, up in zip(_floats(y_dot), low, here, high, strict=True):
        expected = central(np.asarray(down), np.asarray(mid), np.asarray(up), step, precision)
        _assert_close(got, expected, atol, rtol, _precision(args), "jvp")


def check_vjp(
    fun: Function,
    args: Sequence[Any],
    *,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
) -> None:
    """Raise AssertionError unless the pullback of a random cotangent, along a random direction,
    equals a central difference."""
    args = tuple(args)
    rng = np.random.default_rng(seed)
    y, pullback = vjp(fun, *args)
    tangents, y_bar = random_like(args, rng), random_like(y, rng)
    got = _dot(pullback(y_bar), tangents)
    step = eps or STEP[_precision(args)]
    low, here, high = (_dot(y_bar, fun(*_moved(args, tangents, s))) for s in (-step, 0.0, step))
    expected = central(low, here, high, step, _precision(args))
    _assert_close(got, expected, atol, rtol, _precision(args), "vjp")


def dot_product_test(fun: Function, args: Sequence[Any], *, tol: float | None = None, seed: int = 0) -> None:
    """Raise AssertionError unless <y_bar, J x_dot> == <J^T y_bar, x_dot> for random x_dot, y_bar."""
    args = tuple(args)
    rng = np.random.default_rng(seed)
    tangents = random_like(args, rng)
    _, y_dot = jvp(fun, args, tangents)
    y, pullback = vjp(fun, *args)
    y_bar = random_like(y, rng)
    x_bar = pullback(y_bar)
    left, right = _dot(y_bar, y_dot), _dot(x_bar, tangents)
    scale = _size(y_bar, y_dot) + _size(x_bar, tangents)
    tol = tol or (1e-11 if _precision(args) == "d" else 1e-4)
    assert abs(left - right) <= tol * (scale + 1.0), (
        f"<y_bar, J x_dot> = {left}, <J^T y_bar, x_dot> = {right}"
    )


def central(low: Any, here: Any, high: Any, step: float, precision: str) -> Any:
    """Return the central difference; AssertionError where the two one-sided ones are too far apart."""
    left, right = (here - low) / step, (high - here) / step
    gap = float(np.max(np.abs(right - left), initial=0.0))
    scale = 1.0 + float(np.max(np.abs(left) + np.abs(right), initial=0.0))
    assert gap <= KINK[precision] * scale, (
        f"the differences from the left, {left}, and from the right, {right}, disagree: a kink or a jump?"
    )
    return (high - low) / (2 * step)


def random_like(value: Any, rng: np.random.Generator) -> Any:
    """Return random normal numbers in the structure of `value`, None at what does not vary."""
    tree, found = flatten(value)
    drawn: list[Any] = []
    for leaf in found:
        kind = np.result_type(leaf).kind
        sample = rng.standard_normal(np.shape(leaf))
        if kind == "c":
            sample = sample + 1j * rng.standard_normal(np.shape(leaf))
        drawn.append(like(leaf, sample) if kind in "fc" else None)
    return rebuild(map_tree(tree, lambda i: Leaf(i) if drawn[i] is not None else Static(None)), drawn)


def _directional(fun: Function, args: tuple[Any, ...], mode: str, seed: int) -> Function:
    rng = np.random.default_rng(seed)
    if mode == "fwd":
        tangents = random_like(args, rng)
        return lambda *x: jvp(fun, x, tangents)[1]
    y_bar = random_like(vjp(fun, *args)[0], rng)
    return lambda *x: vjp(fun, *x)[1](y_bar)


def _precision(args: Any) -> str:
    return (
        "f"
        if any(np.result_type(x).itemsize * (1 + (np.result_type(x).kind != "c")) < 16 for x in _floats(args))
        else "d"
    )


def _floats(value: Any) -> list[Any]:
    return [leaf for leaf in flatten(value)[1] if np.result_type(leaf).kind in "fc"]


def _moved(args: tuple[Any, ...], tangents: Any, step: float) -> tuple[Any, ...]:
    tree, found = flatten(args)
    directions = iter(_floats(tangents))
    moved = []
    for x in found:
        if np.result_type(x).kind in "fc":
            moved.append(like(x, np.asarray(x) + step * np.asarray(next(directions))))
        else:
            moved.append(x.copy() if isinstance(x, np.ndarray) else x)
    return tuple(rebuild(tree, moved))


def _dot(left: Any, right: Any) -> Any:
    # transposed, not conjugated; the real part, as real inputs see it
    pairs = zip(_floats(left), _floats(right), strict=True)
    total = sum(np.sum(np.asarray(a, dtype=complex) * np.asarray(b)) for a, b in pairs)
    return float(np.real(total))


def _size(left: Any, right: Any) -> float:
    pairs = zip(_floats(left), _floats(right), strict=True)
    return float(sum(np.sum(np.abs(np.asarray(a) * np.asarray(b))) for a, b in pairs))


def _close(got: list[Any], expected: list[Any], tol: float, what: str) -> None:
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(
            a, b, rtol=tol, atol=tol, err_msg=f"{what} of the derivative function differs"
        )


def _assert_close(
    got: Any, expected: Any, atol: float | None, rtol: float | None, precision: str, what: str
) -> None:
    tol = TOLERANCE[precision]
    scale = float(np.max(np.abs(expected), initial=0.0)) + 1.0
    np.testing.assert_allclose(
        got,
        expected,
        rtol=tol if rtol is None else rtol,
        atol=tol * scale if atol is None else atol,
        err_msg=f"{what} differs from differences",
    )
