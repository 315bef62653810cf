"""In place, one element is read, changed and stored: any number can be. More follow NumPy's rule."""

from __future__ import annotations

import numpy as np
import pytest
from written import written

import s2sad

pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values:numpy.exceptions.ComplexWarning")
X, DOT = np.array([0.5, -1.25, 2.0]), np.array([1.0, 0.25, -0.75])
VALUES = {
    "sum": "y[0] += z[0]; y[1] -= z[2]",
    "product": "y[0] *= z[0]; y[1] /= z[2]; y[2] **= z[1] * 0 + 2",
    "in a loop": "for k in range(3):\n        y[k] += z[k] * y[k - 1]\n        y[k] *= 2j + 1",
    "Python's": "y[1] += 1j; y[2] *= (1 + 1j) * x[0]; y[0] += complex(x[1], x[0])",
    "of a view": "r = y[1:]; r[0] += z[0] * z[1]",
    "an index of NumPy": "i = np.argmax(x); y[i] += z[i]",
    "ints": "n = np.zeros(3, int); n[0] += 2.5; n[1] -= x[2] * 1.6; n[2] += 1.3 * z[2]; n[0] *= 1.5; y *= n",
    "bools": "n = np.zeros(3, bool); n[0] += 2.5; n[1] += z[1]; y *= n",
    "singles": "n = np.zeros(3, np.float32); n[0] += z[2]; n[1] += 0.5 * x[1]; y *= n",
    "stored": "y[0] = x[0] * 1j + x[1]; y[1:] = x[2] * (2 + 1j)",
    "fill": "y.fill(x[1] * (2 + 1j))",
    "float": "y *= float(x[1] * (2 + 1j)); y[0] += np.float64(x[0] * 1j + x[2])",
    "once before": "y[1] = abs(1j * x[0]); y[0] = x[0] * 1j + x[0]; y[2] = abs(1j * x[0] + x[0])",
}
RAISE = {
    "array": "y += z",
    "row": "y[:] -= z",
    "slice": "y[:1] += z[0]",
    "named": "y[[0, 1]] *= z[:2]",
    "mask": "y[x > 0] += z[x > 0]",
    "dots": "y[..., 0] += z[0]",
    "ints": "n = np.zeros(3, int); n[:1] += 1.5",
}
PROGRAM = """
def f(x):
    y, z = x**3, (1 + 2j) * x
    {used}
    return np.sum(y * x)
"""


@pytest.mark.parametrize("name", VALUES)
def test_values_and_derivatives(name):
    f, h = written(PROGRAM.format(used=VALUES[name]), f"<{name}>", {"np": np})["f"], 2.0**-12
    slope = (f(X + h * DOT) - f(X - h * DOT)) / (2 * h)
    for jit in (False, True):
        y, y_dot = s2sad.jvp(f, (X,), (DOT,), jit=jit)
        assert y == pytest.approx(f(X), rel=1e-6 if name == "singles" else 1e-13)
        assert y_dot == pytest.approx(slope, rel=1e-3 if name == "singles" else 1e-5)
        assert s2sad.grad(f, jit=jit)(X) @ DOT == pytest.approx(y_dot, rel=1e-12)


@pytest.mark.parametrize("name", RAISE)
def test_casting_rule(name):
    f = written(PROGRAM.format(used=RAISE[name]), f"<{name}>", {"np": np})["f"]
    with pytest.raises(TypeError, match="Cannot cast ufunc"):
        f(X)
    for jit in (False, True):
        with pytest.raises(s2sad.TypeMismatch, match="S312"):
            s2sad.jvp(f, (X,), (DOT,), jit=jit)
