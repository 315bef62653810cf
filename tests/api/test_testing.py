"""The public checkers accept right derivatives and reject wrong ones."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from property.verdicts import lowering_interpreted

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


def model(p, x):
    return {"y": np.sin(p["w"] @ x) * p["s"], "z": p["s"] ** 2}


POINT = ({"w": np.array([[0.3, -0.2, 0.9], [1.1, 0.4, -0.5]]), "s": 1.3}, np.array([0.2, 0.7, -1.1]))


def test_the_report_has_a_row_per_argument_mode_and_order():
    report = check_grads(model, POINT, order=2)
    assert report.ok and not report.wrong
    rows = {(row.order, row.mode, row.argument) for row in report.rows}
    for name in ("p['w']", "p['s']", "x"):
        for mode in ("fwd", "rev"):
            assert (1, mode, name) in rows
            for outer in ("fwd", "rev"):
                assert (2, f"{mode} of {outer}", name) in rows
    first = [row for row in report.rows if row.order == 1 and row.argument != "all"]
    assert all(row.how == "complex step" and row.gap <= row.allowed <= 1e-7 for row in first)
    assert len(str(report).splitlines()) == len(report.rows)


def altered(monkeypatch, change):
    """Make every pullback return what `change` makes of the cotangents of `p`."""
    right = testing.vjp

    def wrong_vjp(*args, **options):
        y, pullback = right(*args, **options)

        def wrong(y_bar):
            p_bar, *rest = pullback(y_bar)
            return (change({k: np.copy(v) if np.ndim(v) else v for k, v in p_bar.items()}), *rest)

        return y, wrong

    monkeypatch.setattr(testing, "vjp", wrong_vjp)


@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0])
def test_the_wrong_entry_is_named(monkeypatch, size):
    def change(p_bar):
        p_bar["w"][1, 2] += size
        return p_bar

    altered(monkeypatch, change)
    with pytest.raises(AssertionError) as caught:
        check_grads(model, POINT, order=1, modes=("rev",))
    (row,) = caught.value.report.wrong
    assert (row.argument, row.mode, row.order) == ("p['w']", "rev", 1)
    assert row.entries[0].place == "p['w'][1, 2]"
    assert abs(row.entries[0].found - row.entries[0].expected - size) < 1e-3 * size
    assert "p['w'][1, 2]: found" in str(caught.value)
    with pytest.raises(AssertionError, match="disagree"):
        dot_product_test(model, POINT)


def test_a_wrong_jvp_is_named(monkeypatch):
    right = testing.jvp

    def wrong_jvp(fun, args, tangents, **options):
        y, y_dot = right(fun, args, tangents, **options)
        return y, y_dot | {"z": y_dot["z"] * 1.001}

    monkeypatch.setattr(testing, "jvp", wrong_jvp)
    with pytest.raises(AssertionError) as caught:
        check_grads(model, POINT, order=1)
    (row,) = caught.value.report.wrong
    assert (row.argument, row.mode) == ("p['s']", "fwd")
    assert row.entries[0].place == "d result[2] / d p['s']"


def test_a_wrong_second_derivative_is_named(monkeypatch):
    right = testing.vjp

    def cubed(x):
        return x**3

    def wrong_vjp(fun, *args, **options):
        y, pullback = right(fun, *args, **options)
        factor = 1.0 if fun is cubed else 1.01
        return y, lambda y_bar: tuple(factor * x_bar for x_bar in pullback(y_bar))

    monkeypatch.setattr(testing, "vjp", wrong_vjp)
    with pytest.raises(AssertionError) as caught:
        check_grads(cubed, (1.2,), order=2, modes=("fwd", "rev"))
    (row, *_) = caught.value.report.wrong
    assert (row.order, row.mode, row.argument) == (2, "rev of fwd", "x")


def test_what_is_not_analytic_is_checked_by_differences():
    x = np.array([0.3, -0.7])
    report = check_grads(lambda x: np.sum(np.abs(x) * x), (x,), order=1)
    assert {row.how for row in report.rows} == {"differences", "dot products"}
    # a part that is not analytic and small: the complex step is off by less than differences can tell
    report = check_grads(lambda x: np.sum(np.sin(x)) + 1e-8 * np.sum(np.abs(x)), (x,), order=1)
    assert report.ok


def test_the_kink_is_told_with_its_entry():
    x = np.array([0.5, 0.0, 2.0])
    with pytest.raises(AssertionError, match=r"kink.*x\[1\] \(left -1, right 1\)") as caught:
        check_grads(lambda x: np.sum(np.abs(x)), (x,), order=1)
    assert "x[0]" not in str(caught.value)


def test_a_function_that_is_not_finite_is_told():
    with np.errstate(all="ignore"), pytest.raises(AssertionError, match="not finite"):
        check_grads(lambda x: np.log(x), (np.zeros(1),), order=1)


def test_compiled_derivatives_are_checked():
    with lowering_interpreted():
        assert check_grads(model, POINT, order=1, jit=True).ok


def test_the_error_can_be_pickled(monkeypatch):
    altered(monkeypatch, lambda p_bar: p_bar | {"s": 7.0})
    with pytest.raises(AssertionError) as caught:
        check_grads(model, POINT, order=1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and again.report == caught.value.report
