"""Programs that derivative compilers get wrong, each checked in every mode, with and without jit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from corpus import core_programs, programs
from oracle import Check, assert_close, assert_same, check, copied, leaves

import s2sad

SECOND = {"recurrence", "stencil in place", "two names swapped each step", "while", "dict"}  # compiled too
JIT = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])


@JIT
@pytest.mark.parametrize("name", programs.CORE)
def test_core(name: str, jit: bool):
    f, args, argnums = programs.CORE[name]
    check(f, copied(args), argnums, jit=jit, second=not jit or name in SECOND)


@JIT
@pytest.mark.parametrize("name", programs.MORE)
def test_more(name: str, jit: bool):
    f, args, argnums = programs.MORE[name]
    check(f, copied(args), argnums, jit=jit, second=not jit or name in SECOND)


@JIT
@pytest.mark.parametrize("name", [n for n in core_programs.PROGRAMS if n not in core_programs.MAY_BE_REFUSED])
def test_small_sharp_program(name: str, jit: bool):
    f, args, argnums = core_programs.PROGRAMS[name]
    check(f, copied(args), argnums, jit=jit, second=not jit, step=2e-4, tol=2e-6)


def refusal_of(work: Callable[[], Any]) -> s2sad.S2sadError | None:
    """Return the refusal that `work` ends in, if it does."""
    try:
        work()
    except s2sad.S2sadError as refusal:
        return refusal
    return None


def right_or_refused(f: Any, args: tuple[Any, ...], jit: bool) -> None:
    """Check f, or see it refused at a line of its own file."""
    refusal = refusal_of(lambda: s2sad.vjp(f, *copied(args), jit=jit))
    if refusal is None:
        check(f, copied(args), jit=jit, second=not jit)
        return
    assert refusal.origin is not None
    assert refusal.origin.file.endswith(f.__code__.co_filename.rsplit("/", 1)[-1])
    assert refusal.instead


@JIT
@pytest.mark.parametrize("name", core_programs.MAY_BE_REFUSED)
def test_program_that_may_be_refused(name: str, jit: bool):
    f, args, _ = core_programs.PROGRAMS[name]
    right_or_refused(f, args, jit)


@JIT
def test_same_array_passed_twice(jit: bool):
    right_or_refused(programs.same_array_twice, (programs.X,), jit)


@JIT
def test_same_array_given_for_two_arguments(jit: bool):
    x = programs.X.copy()
    refusal = refusal_of(lambda: s2sad.grad(programs.arguments_written, argnums=(0, 1), jit=jit)(x, x))
    assert refusal is not None
    assert "programs.py" in str(refusal)
    assert_same(x, programs.X, "the argument")


@JIT
def test_float32_stays_float32(jit: bool):
    f, args, _ = programs.SINGLE["float32"]
    value, (x_bar, c_bar) = s2sad.value_and_grad(f, argnums=(0, 1), jit=jit)(*args)
    assert value.dtype == np.float32
    assert x_bar.dtype == np.float32
    assert np.asarray(c_bar).dtype == np.float32
    x, c = (np.asarray(a, dtype=float) for a in args)
    assert_close(x_bar, 2.0 * (x * c + 0.5) * c, 1e-6, "x_bar")
    assert_close(c_bar, np.sum(2.0 * (x * c + 0.5) * x), 1e-6, "c_bar")


@JIT
def test_constant_result_has_exactly_zero_gradient(jit: bool):
    got = s2sad.grad(programs.constant_result, jit=jit)(programs.X)
    assert_same(got, np.zeros(4), "gradient")


@JIT
@pytest.mark.parametrize("n", [0, 1, 2])
def test_broadcasting_with_small_sizes(n: int, jit: bool):
    rng = np.random.default_rng(n)
    m, row, column = rng.normal(size=(n, 3)), rng.normal(size=(1, 3)), rng.normal(size=(n, 1))

    def f(m: Any, row: Any, column: Any) -> Any:
        a = (m + row) * column - row / (2.0 + column**2)
        a *= m + column
        return np.sum(a * a) + np.sum(row)

    check(f, (m, row, column), jit=jit, second=not jit)
    if n and not jit:
        check(f, (rng.normal(size=(n, 1)), row, column[:1]))


@JIT
def test_power_with_respect_to_its_exponent(jit: bool):
    def f(x: Any, y: Any) -> Any:
        return x**y

    assert_close(s2sad.grad(f, argnums=1, jit=jit)(2.0, 3.0), 8.0 * np.log(2.0), 1e-15, "d(x**y)/dy")
    assert_close(s2sad.jvp(f, (2.0, 3.0), (None, 1.0), jit=jit)[1], 8.0 * np.log(2.0), 1e-15, "jvp")


RATE = 0.7


def decays(x: Any) -> Any:
    return np.sum(np.exp(-RATE * x))


@JIT
def test_global_changed_between_calls(jit: bool, monkeypatch: pytest.MonkeyPatch):
    gradient = s2sad.grad(decays, jit=jit)
    x = programs.X
    assert_close(gradient(x), -0.7 * np.exp(-0.7 * x), 1e-14, "first")
    monkeypatch.setitem(globals(), "RATE", 1.3)
    assert_close(gradient(x), -1.3 * np.exp(-1.3 * x), 1e-14, "changed")
    monkeypatch.setitem(globals(), "RATE", np.array([0.1, 0.2, 0.3, 0.4]))
    assert_close(gradient(x), -RATE * np.exp(-RATE * x), 1e-14, "another type")
    monkeypatch.setitem(globals(), "RATE", 2)
    assert_close(gradient(x), -2.0 * np.exp(-2.0 * x), 1e-14, "an int")


@JIT
def test_closure_changed_between_calls(jit: bool):
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    scale = 0.5

    def f(x: Any) -> Any:
        return np.sum(np.sin(x) * weights) * scale

    gradient = s2sad.grad(f, jit=jit)
    pushed = s2sad.jit(f) if jit else f
    x = programs.X
    assert_close(gradient(x), np.cos(x) * weights * 0.5, 1e-14, "first")
    scale = 2.0
    assert_close(gradient(x), np.cos(x) * weights * 2.0, 1e-14, "rebound")
    weights[0] = -5.0
    assert_close(gradient(x), np.cos(x) * weights * 2.0, 1e-14, "written")
    weights = np.ones(4)
    assert_close(gradient(x), np.cos(x) * 2.0, 1e-14, "replaced")
    assert_close(pushed(x), np.sum(np.sin(x)) * 2.0, 1e-14, "value")


@JIT
def test_pullbacks_do_not_disturb_each_other(jit: bool):
    f, args, _ = programs.CORE["two names swapped each step"]
    one = s2sad.vjp(f, *args, jit=jit)[1]
    other = s2sad.vjp(f, args[0] * 2.0, 2, jit=jit)[1]
    first = copied(one(1.0))
    other(1.0)
    assert_same(one(1.0), first, "after another forward call")
    assert_close(one(-2.0)[0], -2.0 * first[0], 1e-15, "linear in the seed")


@JIT
def test_results_are_the_callers(jit: bool):
    gradient = s2sad.value_and_grad(programs.slice_writes, argnums=(0, 1), jit=jit)
    args = copied((programs.X, programs.Y))
    value, cotangents = gradient(*args)
    kept = copied((value, cotangents))
    for array in leaves(cotangents):
        assert array.flags.writeable
        array[:] = -1.0
    assert_same(args, (programs.X, programs.Y), "arguments")
    assert_same(gradient(*args), kept, "second call")


@JIT
def test_an_identity_returns_copies(jit: bool):
    def f(x: Any, y: Any) -> Any:
        return x, y[1:], x[::-1]

    check(f, copied((programs.X, programs.Y)), jit=jit)


@JIT
def test_sizes_change_between_calls(jit: bool):
    gradient = s2sad.grad(programs.recurrence, jit=jit)
    for n in (4, 1, 0, 7, 2):
        x = np.random.default_rng(n).normal(size=n)
        case = Check(programs.recurrence, (x,), (0,))
        tangents = case.tangents()
        _, value_dot = s2sad.jvp(programs.recurrence, (x,), tangents)
        assert_close(np.sum(gradient(x) * tangents[0]), value_dot, 1e-12, f"n = {n}")


@JIT
def test_what_raises_still_raises(jit: bool):
    def beyond(x: Any, k: int) -> Any:
        s = 0.0
        for i in range(k):
            s += x[i] * x[i]
        return s

    def shapes(x: Any, y: Any) -> Any:
        return np.sum(x * y)

    def empty(x: Any) -> Any:
        return np.max(x) * 2.0

    def unbound(x: Any, flag: float) -> Any:
        if flag > 0.0:
            t = x * x
        return np.sum(t)

    def checked(x: Any) -> Any:
        if np.sum(x) < 0.0:
            raise ArithmeticError("negative")
        return np.sum(np.sqrt(x))

    x = programs.X
    grad = functools.partial(s2sad.grad, jit=jit)
    with pytest.raises(IndexError):
        grad(beyond)(x, 9)
    with pytest.raises(ValueError, match=r"broadcast|shape|size"):
        grad(shapes)(x, np.ones(3))
    with pytest.raises(ValueError, match=r"zero-size|empty"):
        grad(empty)(np.empty(0))
    with pytest.raises(UnboundLocalError):
        grad(unbound)(x, -1.0)
    assert_close(grad(unbound)(x, 1.0), 2.0 * x, 1e-15, "bound")
    with pytest.raises(ArithmeticError):
        grad(checked)(-np.abs(x))


@JIT
def test_scipy_takes_value_and_grad(jit: bool):
    optimize = pytest.importorskip("scipy.optimize")

    def rosenbrock(x: Any) -> Any:
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    fit = optimize.minimize(s2sad.value_and_grad(rosenbrock, jit=jit), np.zeros(4), jac=True)
    assert_close(fit.x, np.ones(4), 1e-4, "minimum")


def test_derivatives_compose():
    f = programs.while_fills_an_array
    x, limit = np.array([0.5, 1.4, 0.3]), 3.0
    v = np.array([0.2, -1.0, 0.4])

    def gradient(x: Any) -> Any:
        return s2sad.grad(f)(x, limit)

    forward_reverse = s2sad.jvp(gradient, (x,), (v,))[1]
    reverse_reverse = s2sad.grad(lambda x: np.sum(gradient(x) * v))(x)
    reverse_forward = s2sad.grad(lambda x: s2sad.jvp(f, (x, limit), (v, None))[1])(x)
    assert_close(reverse_reverse, forward_reverse, 1e-12, "reverse over reverse")
    assert_close(reverse_forward, forward_reverse, 1e-12, "reverse over forward")


def test_check_grads_passes_and_fails():
    s2sad.check_grads(programs.recurrence, (programs.X,), order=2, modes=("fwd", "rev"))
    with pytest.raises(AssertionError):
        s2sad.check_grads(lambda x: np.sum(np.abs(x)), (np.zeros(2),), order=1)


def test_linearize():
    f, args, _ = programs.MORE["array result"]
    tangents = tuple(np.full_like(a, 0.5) for a in args)
    value, push = s2sad.linearize(f, *args)
    assert_same(value, f(*args), "value")
    assert_close(push(*tangents), s2sad.jvp(f, args, tangents)[1], 1e-14, "tangent")
    assert_close(push(*tangents), s2sad.jvp(f, args, tangents)[1], 1e-14, "called again")
