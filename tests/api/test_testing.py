"""The public checkers accept right derivatives and reject wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from s2sad import check_grads, testing
from s2sad.testing import check_jvp, check_vjp, dot_product_test


def smooth(p, n):
    return {"a": np.sin(p["x"]) * p["s"], "b": p["s"] ** n, "k": n}


ARGS = ({"x": np.array([0.3, -0.7]), "s": 1.3}, 3)


def test_right_derivatives_pass():
    check_grads(smooth, ARGS, order=1)
    check_grads(lambda x: np.tanh(x) ** 2, (np.array([0.1, 0.5]),), order=2)
    check_grads(lambda x: x * x, (np.array([0.1, 0.5], np.float32),), order=1)
    check_grads(lambda x: x * np.exp(x), (0.3 + 0.2j,), order=1)
    with pytest.raises(ValueError, match="modes"):
        check_grads(smooth, ARGS, modes=("forward",))


@pytest.mark.parametrize("factor", [1.001, 0.0, -1.0])
def test_wrong_derivatives_fail(monkeypatch, factor):
    right_jvp, right_vjp = testing.jvp, testing.vjp

    def scaled(tree):
        if isinstance(tree, dict):
            return {k: scaled(v) for k, v in tree.items()}
        if isinstance(tree, tuple):
            return tuple(map(scaled, tree))
        return None if tree is None else tree * factor

    def wrong_jvp(*args):
        y, y_dot = right_jvp(*args)
        return y, scaled(y_dot)

    def wrong_vjp(*args):
        y, pullback = right_vjp(*args)
        return y, lambda y_bar: scaled(pullback(y_bar))

    monkeypatch.setattr(testing, "jvp", wrong_jvp)
    for check in (check_jvp, dot_product_test):
        with pytest.raises(AssertionError):
            check(smooth, ARGS)
    monkeypatch.setattr(testing, "jvp", right_jvp)
    monkeypatch.setattr(testing, "vjp", wrong_vjp)
    for check in (check_vjp, dot_product_test):
        with pytest.raises(AssertionError):
            check(smooth, ARGS)


def test_wrong_value_fails(monkeypatch):
    right = testing.jvp
    monkeypatch.setattr(testing, "jvp", lambda *a: (1.01 * right(*a)[0], right(*a)[1]))
    with pytest.raises(AssertionError, match="value"):
        check_jvp(lambda x: np.sin(x), (0.4,))


def test_kinks_and_jumps_fail():
    for f, x in [(lambda x: np.sum(np.abs(x)), np.zeros(2)), (lambda x: np.maximum(x, 1.0), 1.0)]:
        for check in (check_jvp, check_vjp):
            with pytest.raises(AssertionError, match="kink"):
                check(f, (x,))
            check(f, (x + 0.5,))
