"""Messages of exceptions read as in Python, in all the forms people write."""

# ruff: noqa: UP031 (the forms that are tested)
from __future__ import annotations

import numpy as np
import pytest
from written import written

import s2sad


def percent(x, k):
    if k > 1:
        raise ValueError("k = %d is too big: %5.2f %% %s" % (k, x[0], "abc"))
    return x.sum()


def percent_of_one(x, k):
    if k > 1:
        raise KeyError("%g" % x[1])
    return x.sum()


def string_sum(x, k):
    if k > 1:
        raise ValueError("bad " + str(x[0]) + " value")
    return x.sum()


def format_method(x, k):
    if k > 1:
        raise ValueError(f"{k} and {x[0]:.3f} {k}")
    return x.sum()


def f_string(x, k):
    if k > 1:
        raise ValueError(f"{k} and {x[0]:.3f}")
    return x.sum()


@pytest.mark.parametrize("f", [percent, percent_of_one, string_sum, format_method, f_string])
def test_message(f):
    x = np.array([1.5, 2.0])
    np.testing.assert_array_equal(s2sad.grad(f)(x, 1), [1.0, 1.0])
    with pytest.raises((ValueError, KeyError)) as expected:
        f(x, 3)
    with pytest.raises(expected.type) as found:
        s2sad.grad(f)(x, 3)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("call", ['eval("SCALE")', 'globals()["SCALE"]', 'locals()["k"]', 'vars()["k"]'])
def test_what_depends_on_the_scope_is_refused(call):
    """Read when the program is compiled, it would see other names."""
    text = f"import numpy as np\nSCALE = 3.0\n\n\ndef f(x):\n    k = 2.0\n    return x[0] * k * {call}\n"
    f = written(text, f"scope_{call[:4]}.py")["f"]
    assert f(np.ones(2)) in (4.0, 6.0)
    with pytest.raises(s2sad.S2sadError, match=rf"S201 `{call.split('(')[0]}` has no rule"):
        s2sad.grad(f)(np.ones(2))


def test_a_condition_on_an_array_tells_the_line():
    def f(x):
        return x[0] if x > 0 else x[1]

    with pytest.raises(ValueError, match=r"test_messages.py:\d+: the truth of an array with more than one"):
        s2sad.grad(f)(np.ones(2))
    assert s2sad.grad(lambda x: x[0] ** 2 if x > 0 else x[0])(np.ones(1)) == 2.0


def test_arrays_of_two_shapes_in_a_list_that_a_condition_decides():
    def f(x):
        parts = [part for part in (x, x[:2], x[1:3]) if part.size > 1]
        return parts[0][0] * parts[1][0]

    with pytest.raises(ValueError, match="items of a list built in a loop or under a condition"):
        s2sad.grad(f)(np.ones(4))


def test_points_of_a_quadrature_are_known():
    def f(p):
        points, weights = np.polynomial.legendre.leggauss(4)
        return sum(w * np.exp(p[0] * t) for t, w in zip(points, weights, strict=True))

    p = np.array([0.7])
    np.testing.assert_allclose(s2sad.value_and_grad(f)(p)[0], f(p), rtol=1e-14)
    exact = (np.cosh(0.7) * 0.7 - np.sinh(0.7)) * 2 / 0.49
    np.testing.assert_allclose(s2sad.grad(f)(p), [exact], rtol=1e-5)
