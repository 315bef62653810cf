"""All that is to hold of a program that makes a number of a vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from oracle import assert_close, differences, inner
from property.verdicts import lowering_interpreted

import s2sad


def assert_right(f: Callable[..., Any], x: Any, lowered: bool) -> None:
    """Check value, both modes and second order against differences; `lowered`: of the loop nests, run as
    plain Python. The argument must stay as it is."""
    given = x.copy()
    dot = np.random.default_rng(0).normal(size=x.shape)
    value, slope = f(x.copy()), differences(f, (x,), (dot,), 1e-4)
    with lowering_interpreted():
        y, y_dot = s2sad.jvp(f, (x,), (dot,), jit=lowered)
        got, bar = s2sad.value_and_grad(f, jit=lowered)(x)
        product = s2sad.hvp(f, (x,), (dot,), jit=lowered)
    assert_close([y, got], [value, value], 1e-12, "value")
    assert_close([y_dot], slope, 1e-8, "tangent")
    assert abs(inner((bar,), (dot,)) - slope[0]) <= 1e-8 * max(1.0, abs(slope[0]))
    gradient = s2sad.grad(f)
    assert_close([product], differences(gradient, (x,), (dot,), 1e-4), 1e-6, "second order")
    np.testing.assert_array_equal(x, given)
