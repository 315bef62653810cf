"""Complex numbers where real ones are kept: NumPy's lose their imaginary part, Python's raise TypeError."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracle import assert_same
from written import written

import s2sad

pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values:numpy.exceptions.ComplexWarning")
X = np.array([0.5, -1.25, 2.0])
EXPRESSIONS = {
    "a[1] = v": "y[1] = {}",
    "a[:2] = v": "y[:2] = {}",
    "a[[0, 2]] = v": "y[[0, 2]] = {}",
    "a[mask] = v": "y[x > 0] = {}",
    "a.fill(v)": "y.fill({})",
    "np.full": "y *= np.full(3, {}, y.dtype)",
    "np.array": "y *= np.array([{}, 2.0, 1.0], dtype=float)",
    "np.float64": "y *= np.float64({})",
    "float": "y *= float({})",
    "int": "y *= int({})",
    "math.sqrt": "y *= math.sqrt({})",
    "math.hypot": "y *= math.hypot({}, x[1])",
    "math.log": "y *= math.log(2.0 + {})",
    "math.atan2": "y *= math.atan2(x[1], {})",
    "math.dist": "y *= math.dist([x[2], {}], [x[0], x[1]])",
    "math.fsum": "y *= math.fsum([x[2], {}])",
    "math.isclose": "y *= math.isclose(x[1], {})",
    "math.floor": "y *= math.floor({})",
    "round": "y *= round({})",
}
NUMBERS = ("C", "x[0] * C", "complex(x[2], 1.0)")
ALIKE = ("math.log", "math.atan2", "math.hypot", "math.dist", "math.fsum", "math.floor")  # to the compiler
PROGRAM = """
def f(x):
    y = x.copy()
    {line}
    return y * x
"""


def tangent(f, x):
    """The derivative along x, by differences."""
    h = 2.0**-12
    return (f(x + h * X) - f(x - h * X)) / (2 * h)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("how", EXPRESSIONS)
def test_real_part_or_type_error(how, number):
    names = {"np": np, "math": math, "C": np.complex128(1.5 + 2j)}
    f = written(PROGRAM.format(line=EXPRESSIONS[how].format(number)), f"<{how} {number}>", names)["f"]
    both = (False,) if how in ALIKE else (False, True)
    try:
        expected = f(X)
    except TypeError:
        for jit in both:
            with pytest.raises((TypeError, s2sad.S2sadError), match=r"real|complex"):
                s2sad.jvp(f, (X,), (X,), jit=jit)
        return
    for jit in both:
        y, y_dot = s2sad.jvp(f, (X,), (X,), jit=jit)
        np.testing.assert_allclose(y, expected, rtol=1e-15)
        np.testing.assert_allclose(y_dot, tangent(f, X), rtol=1e-6, atol=1e-12)
    (x_bar,) = s2sad.vjp(f, X)[1](X)
    assert x_bar @ X == pytest.approx(y_dot @ X, rel=1e-12)


@pytest.mark.parametrize("write", ["b[:] = v", "b[1] = v[1]", "b[x > 0] = 1j", "b[[0, 2]] = v[1:]"])
def test_bools_of_complex_numbers(write):
    text = f"def f(x):\n    b = np.zeros(3, bool)\n    v = 1j * x\n    {write}\n    return b * x\n"
    f = written(text, f"<{write}>", {"np": np})["f"]
    for jit in (False, True):
        y, y_dot = s2sad.jvp(f, (X,), (X,), jit=jit)
        assert_same([y, y_dot], [f(X), f(X)], "of a linear function")
