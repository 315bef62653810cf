"""Python's numbers divided by zero raise ZeroDivisionError, compiled as well; NumPy's do not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from written import written

import s2sad

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
RAISE = [
    "1.0 / p",
    "(p + 1.0) / (p * 2.0)",
    "p / p",
    "2.0 // p + p",
    "(3.0 + p) % p",
    "p ** -1",
    "p ** -0.5 + p",
    "p ** (p - 1.0)",
    "np.sum(x) * (1 / (len(x) - 3)) + p",
    "np.sum(x) * (1.5 % (len(x) - 3)) + p",
    "np.sum(x) * (7 // (len(x) - 3)) + p",
    "x[1] + 1 / math.sin(p)",
    "x[1] + 1 / float(x[0])",
    "sum(k / p for k in range(3))",
    "while_(p)",
    "broken_off(p, x)",
    "(1.0 / p if p <= 0.0 else p) * x[1]",
]
PASS = [
    "x[1] / (p + 2.0) + p / 2.0 + p / 3 + 5.0 % (p + 3.0)",
    "(1.0 / p if p > 0.0 else 2.0) * x[1] * p",
    "np.sum(x / (p + 1.0) + 1.0 / (x + 2.0)) + p / len(x)",
    "p ** 2 / (p + 1.0) ** 0.5 + (p + 1.0) ** -1.5 + (p + 2.0) ** p",
    "math.atan2(p, x[1]) + math.hypot(p, x[1]) + abs(p) + max(p, 0.0) / 2.0",
    "sum((k + 1.0) / (p + k + 1.0) for k in range(3)) + p",
]
HELPERS = """
def while_(p):
    q, n = 1.0, 0
    while n < 3:
        q, n = q - 1.0 / (p * q), n + 1
    return q

def broken_off(p, x):
    q = 0.0
    for k in range(3):
        q += 1.0 / (p * k)
        if x[k] > 1.0:
            break
    return q
"""
X = np.array([0.0, 1.5, -0.75])


def program(text):
    return written(f"{HELPERS}\ndef f(p, x):\n    return {text}\n", f"<{text}>", {"np": np, "math": math})[
        "f"
    ]


@pytest.mark.parametrize("jit", [False, True], ids=["plain", "jit"])
@pytest.mark.parametrize("text", RAISE)
def test_python_raises(text, jit):
    f = program(text)
    with pytest.raises(ZeroDivisionError):
        f(0.0, X)
    with pytest.raises(ZeroDivisionError):
        s2sad.jvp(f, (0.0, X), (1.0, X), jit=jit)
    with pytest.raises(ZeroDivisionError):
        s2sad.value_and_grad(f, jit=jit)(0.0, X)


@pytest.mark.parametrize("text", PASS)
def test_the_others_do_not(text):
    f, h = program(text), 2.0**-13
    for p in (0.0, 0.5):
        plain = s2sad.jvp(f, (p, X), (1.0, X))
        np.testing.assert_allclose(s2sad.jvp(f, (p, X), (1.0, X), jit=True), plain, rtol=1e-12)
        assert s2sad.grad(f, jit=True)(p, X) == pytest.approx(s2sad.grad(f)(p, X), rel=1e-12)
    slope = (f(p + h, X + h * X) - f(p - h, X - h * X)) / (2 * h)
    assert plain[1] == pytest.approx(slope, rel=1e-5)


def test_numbers_of_numpy_do_not() -> None:
    f = program("x[1] / x[0] + p")
    assert s2sad.jit(f)(0.0, X) == f(0.0, X) == math.inf
