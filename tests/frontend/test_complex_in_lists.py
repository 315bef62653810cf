"""Complex numbers of lists that loops build, where real ones are kept: NumPy raises for those of Python."""

from __future__ import annotations

import numpy as np
import pytest
from written import written

import s2sad

pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values:numpy.exceptions.ComplexWarning")
X, DOT = np.array([0.5, -1.25, 2.0]), np.array([1.0, 0.25, -0.75])
PYTHON = "for v in x:\n        zs.append(complex(v, 1.0))"
ROWS = "for v in x:\n        zs.append([complex(v, 1.0), v, 2.0])"
MIXED = "for v in x:\n        zs.append(complex(v, 1.0) if v > 0 else v)"
NUMPY = "for v in x:\n        zs.append(v * (1 + 1j))"
RAISE = {
    "all of them": (PYTHON, "y[:] = zs"),
    "one": (PYTHON, "y[1] = zs[1]"),
    "each": (PYTHON, "for k, z in enumerate(zs):\n        y[k] = z"),
    "some": (PYTHON, "y[:2] = zs[1:]"),
    "np.array": (PYTHON, "y *= np.array(zs, dtype=float)"),
    "np.asarray": (PYTHON, "y *= np.asarray(zs, float)"),
    "float": (PYTHON, "y[0] = float(zs[0])"),
    "fill": (PYTHON, "y.fill(zs[0])"),
    "lists": (ROWS, "y[:] = zs[0]"),
    "an item of a list": (ROWS, "y[0] = zs[1][0]"),
    "an array of lists": (ROWS, "y *= np.array(zs, dtype=float)[0]"),
    "some of Python": (MIXED, "y[:] = zs"),
    "one that may be Python's": (MIXED, "y[0] = zs[0]"),
    "float of what may be Python's": (MIXED, "y[0] = float(zs[0])"),
    "tolist": ("", "y[:] = (x * 1j).tolist()"),
    "a name": ("z = 1j if x[0] > 0 else x[0] * 1j", "y[0] = z"),
}
VALUES = {
    "NumPy's": (NUMPY, "y[:] = zs\n    y[0] *= 2\n    y[1] = zs[1]"),
    "NumPy's in an array": (NUMPY, "y *= np.array(zs, dtype=float)"),
    "arrays": ("for v in x:\n        zs.append(v * x * (1 + 1j))", "y[:] = zs[1]"),
    "parts": (PYTHON, "y[:] = np.array(zs).real\n    y[1] = zs[1].imag + abs(zs[0]) + abs(sum(zs))"),
    "parts of lists": (ROWS, "y[:] = np.array(zs)[0].real\n    y[1] = zs[1][0].real + zs[2][1].real"),
    "parts of some": (MIXED, "y[:] = np.abs(np.array(zs))\n    y[1] = np.real(zs[0])"),
    "complex": (
        PYTHON,
        "c = np.zeros(3, complex)\n    c[:] = zs\n    c[0] = zs[2] ** 2\n    y = np.abs(c) * x",
    ),
    "bools": (PYTHON, "y *= np.array(zs, dtype=bool)"),
    "type": (PYTHON, "y *= 2.0 if type(zs[0]) is complex else 3.0"),
}
PROGRAM = """
def f(x):
    y, zs = x.copy(), []
    {made}
    {used}
    return np.sum(y * x)
"""


def program(made, used, name):
    return written(PROGRAM.format(made=made, used=used), f"<{name}>", {"np": np})["f"]


@pytest.mark.parametrize("name", RAISE)
def test_type_error(name):
    f = program(*RAISE[name], name)
    with pytest.raises(TypeError, match="not 'complex'"):
        f(X)
    for jit in (False, True):
        with pytest.raises(
            (TypeError, s2sad.S2sadError), match=r"must be .*real number|S312 a complex number"
        ):
            s2sad.jvp(f, (X,), (DOT,), jit=jit)


@pytest.mark.parametrize("name", VALUES)
def test_values_and_derivatives(name):
    f, h = program(*VALUES[name], name), 2.0**-12
    slope = (f(X + h * DOT) - f(X - h * DOT)) / (2 * h)
    for jit in (False, True):
        y, y_dot = s2sad.jvp(f, (X,), (DOT,), jit=jit)
        assert y == pytest.approx(f(X), rel=1e-14)
        assert y_dot == pytest.approx(slope, rel=1e-5)
    assert s2sad.grad(f)(X) @ DOT == pytest.approx(y_dot, rel=1e-12)
