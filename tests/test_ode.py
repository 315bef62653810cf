"""odeint: closed forms, both adjoints, second order, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import assert_close

import s2sad

ADJOINTS = pytest.mark.parametrize("adjoint", ["discrete", "continuous"])
Y0 = np.array([1.0, 0.5])


def oscillator(y, t, k, w):
    return np.stack([y[1], -k * y[0] - w * y[1]])


def exact(y0, t, k, w):
    """The damped oscillator at time t."""
    a, b = 0.5 * w, np.sqrt(k - 0.25 * w * w)
    c, s = np.cos(b * t), np.sin(b * t)
    x = y0[0] * c + (y0[1] + a * y0[0]) / b * s
    v = -y0[0] * b * s + (y0[1] + a * y0[0]) * c
    return np.exp(-a * t) * np.stack([x, v - a * x])


def loss(y0, k, w, ts, adjoint):
    ys = s2sad.odeint(oscillator, y0, ts, k, w, adjoint=adjoint)
    return np.sum(ys[1] ** 2) + np.sum(ys[-1] * y0)


def expected(y0, k, w, ts):
    return np.sum(exact(y0, ts[1], k, w) ** 2) + np.sum(exact(y0, ts[-1], k, w) * y0)


@ADJOINTS
@pytest.mark.parametrize(
    "ts", [np.array([0.0, 0.7, 2.0]), np.array([0.0, -0.4, -1.0])], ids=["rising", "falling"]
)
def test_against_the_closed_form(adjoint: str, ts: np.ndarray) -> None:
    each = (0, 1, 2)
    found = s2sad.value_and_grad(loss, argnums=each)(Y0, 2.0, 0.3, ts, adjoint)
    assert_close(found, s2sad.value_and_grad(expected, argnums=each)(Y0, 2.0, 0.3, ts), 1e-6, "gradient")
    tangents = (np.array([0.5, -1.0]), 1.0, 2.0)
    found = s2sad.jvp(loss, (Y0, 2.0, 0.3, ts, adjoint), (*tangents, None, None))
    assert_close(found, s2sad.jvp(expected, (Y0, 2.0, 0.3, ts), (*tangents, None)), 1e-6, "jvp")


def test_second_order_compiled_and_from_snapshots() -> None:
    ts = np.array([0.0, 0.7, 2.0])
    found = s2sad.hvp(loss, (Y0, 2.0, 0.3, ts, "discrete"), (Y0, None, None, None, None))
    assert_close(found, s2sad.hvp(expected, (Y0, 2.0, 0.3, ts), (Y0, None, None, None)), 1e-5, "hvp")
    plain = s2sad.grad(loss)(Y0, 2.0, 0.3, ts, "discrete")
    found = s2sad.grad(loss, checkpoint=4)(Y0, 2.0, 0.3, ts, "discrete")
    assert_close(found, plain, 1e-13, "snapshots")
    assert_close(s2sad.grad(loss, jit=True)(Y0, 2.0, 0.3, ts, "discrete"), plain, 1e-12, "compiled")


def test_the_adjoint_keeps_no_steps() -> None:
    ts = np.array([0.0, 0.7, 2.0])
    assert "_tape" in s2sad.grad(loss).source_for(Y0, 2.0, 0.3, ts, "discrete")
    assert "_tape = " not in s2sad.grad(loss).source_for(Y0, 2.0, 0.3, ts, "continuous").split("# reverse")[0]


@ADJOINTS
def test_times_have_no_derivative(adjoint: str) -> None:
    with pytest.raises(s2sad.UnsupportedOp, match="times_of_odeint"):
        s2sad.grad(loss, argnums=3)(Y0, 2.0, 0.3, np.array([0.0, 1.0]), adjoint)


def test_too_few_steps_are_nan() -> None:
    ys = s2sad.odeint(oscillator, Y0, np.array([0.0, 5.0]), 2.0, 0.3, maxsteps=3)
    assert np.all(np.isnan(ys[1]))
    assert np.all(ys[0] == Y0)


EMPTYING = np.array([0.0, 1.5, 1.99])


def emptied(y0):
    """Torricelli's law: steps beyond the end are nan."""
    return s2sad.odeint(lambda y, t: -np.sqrt(y) if y[0] >= 0.0 else y * np.nan, y0, EMPTYING)


def test_a_step_that_fails_is_made_shorter() -> None:
    for f in (emptied, s2sad.jit(emptied)):
        np.testing.assert_allclose(f(np.ones(1))[:, 0], (1.0 - EMPTYING / 2.0) ** 2, atol=1e-7)
