"""Passes over loop nests: what they make of loops, and what they leave alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from property.verdicts import lowering_interpreted

import s2sad
from s2sad.lowering import optimize
from s2sad.lowering.optimize import STEPS


def text_of(f: Callable[..., Any], *args: Any, argnums: Any = 0, mode: str = "grad") -> str:
    """Return the lowered text of a derivative that has run, interpreted, and agrees with the one that runs
    on NumPy."""
    make = s2sad.jit if mode == "primal" else s2sad.value_and_grad if mode == "both" else s2sad.grad
    options = {} if mode == "primal" else {"argnums": argnums}
    g = make(f, **options) if mode == "primal" else make(f, jit=True, **options)
    with lowering_interpreted():
        got = g(*args)
    want = f(*args) if mode == "primal" else make(f, **options)(*args)
    for a, b in zip(leaves(got), leaves(want), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    return str(g.lowered_source)


def leaves(x: Any) -> list[Any]:
    return [y for item in x for y in leaves(item)] if isinstance(x, tuple) else [x]


def loops(text: str) -> int:
    return len(re.findall(r"^ +for ", text, re.MULTILINE))


X = np.linspace(-1.0, 1.0, 7)
W = np.linspace(2.0, 3.0, 7)


# --- fusion -------------------------------------------------------------------------------------------


def chain(x, w):
    z = np.exp(x) * w
    y = np.tanh(z) + x
    return np.sum(y * z)


def test_a_chain_is_one_loop_without_arrays_between():
    text = text_of(chain, X, W, argnums=(0, 1))
    assert loops(text) == 1
    assert text.count("np.empty") == 2, text


def read_ahead(x):
    y = x * 2.0
    z = y[1:] * y[:-1]
    y[:-1] = z
    return np.sum(y * y)


def test_what_reads_ahead_waits():
    text_of(read_ahead, X)
    text_of(read_ahead, X, mode="primal")


def recurrence(x):
    y = np.sin(x)
    total = 0.0
    for i in range(x.shape[0]):
        total = total * 0.5 + y[i]
    return total


def test_a_recurrence_does_not_take_the_sines_into_its_loop():
    text = text_of(recurrence, X, mode="primal")
    assert loops(text) == 2


def leaves_early(x, k):
    y = x.copy()
    for i in range(3):
        y[:] = y * 1.5
        if i == k:
            break
        y[:] = np.sin(y)
    return np.sum(y)


@pytest.mark.parametrize("k", [0, 1, 5])
def test_nothing_passes_a_break(k: int):
    text_of(leaves_early, X, k)
    text_of(leaves_early, X, k, mode="primal")


def rebound(x):
    y = x
    total = 0.0
    for i in range(x.shape[0]):
        y = np.tanh(y * x[i])
    z = np.outer(x, y)
    for i in range(x.shape[0]):
        total += np.sum(z[i] * y)
    return total


def test_a_loop_that_leaves_a_new_array_is_done_before_that_is_read():
    text_of(rebound, X)
    text_of(rebound, X, mode="primal")


# --- both sweeps in one loop --------------------------------------------------------------------------


def newton(a):
    total = 0.0
    for i in range(a.shape[0]):
        x = 1.0
        while abs(x * x - a[i]) > 1e-12:
            x = 0.5 * (x + a[i] / x)
        total += x
    return total


def escapes(c):
    total = 0.0
    for i in range(c.shape[0]):
        x = 0.1
        for _ in range(9):
            if x * x > 2.0:
                break
            x = x * x + c[i]
        total += x
    return total


def work_array(x, w):
    n = x.shape[0]
    rest = np.zeros(n)
    total = 0.0
    for i in range(n):
        for j in range(n):
            rest[j] = np.sin(x[i] * w[j])
        for j in range(n):
            total += rest[j] * rest[j]
    return total


@pytest.mark.parametrize("f", [newton, escapes])
def test_independent_trips_are_reversed_at_once(f: Callable[..., Any]):
    text = text_of(f, W)
    outer = re.findall(r"^    for ", text, re.MULTILINE)
    assert len(outer) == 1, text
    assert "a.shape[0], " not in text, "a tape for all trips"
    assert "c.shape[0], " not in text, "a tape for all trips"


def test_work_arrays_keep_their_meaning():
    text_of(work_array, X, W, argnums=(0, 1))


def sums_by_row(w):
    z = np.zeros(w.shape[0])
    for t in range(w.shape[0]):
        for i in range(w.shape[1]):
            z[t] += np.sin(w[t, i])
    return np.sum(z)


def test_one_element_of_what_is_computed_again_is_computed_alone():
    text = text_of(sums_by_row, np.outer(X, W))
    assert "np.empty" not in text


def half_cleared(x, limit):
    n = x.shape[0]
    y, z, rest = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        y[i] = 2.0 * x[i]
    for i in range(n - 1, -1, -1):
        for j in range(n):
            rest[j] += y[i]
        z[i] = rest[1]
        for j in range(n):
            if x[j] > limit:
                break
            rest[j] = 0.0
    return np.sum(z * x)


@pytest.mark.parametrize("limit", [-2.0, 0.0, 2.0])
def test_an_array_that_is_cleared_in_part_keeps_the_order_of_trips(limit: float):
    text_of(half_cleared, X, limit)
    text_of(half_cleared, X, limit, mode="primal")


def dependent(x):
    s = 1.0
    for i in range(x.shape[0]):
        s = np.sin(s * x[i])
    return s


def clears_behind(x):
    n, total, y = x.shape[0], 0.0, np.zeros(x.shape[0])
    for t in range(3):
        for i in range(
            n - 1, -1, -1
        ):  # reversed, it adds to an element that it has cleared in the trip before
            y[i] = x[i] * x[i] * (t + 1)
            total += y[i - 1] * x[i] * (t + 2)
    return total


def clears_elsewhere(x):
    n, total, y = x.shape[0], 0.0, np.zeros(x.shape[0])
    for t in range(3):
        for i in range(n - 1, -1, -1):
            y[i] = np.sin(x[i] * t)
            total += y[n - 1 - i] * x[i] * t
    return total


@pytest.mark.parametrize("f", [clears_behind, clears_elsewhere])
def test_an_array_that_is_not_zero_in_the_end_keeps_the_order_of_trips(f: Callable[..., Any]):
    text_of(f, X)
    text_of(f, X, mode="both")


def test_dependent_trips_are_reversed_afterwards():
    text = text_of(dependent, X)
    assert len(re.findall(r"^    for ", text, re.MULTILINE)) == 2


# --- guards -------------------------------------------------------------------------------------------


def neighbours(x, w):
    total = 0.0
    for i in range(1, x.shape[0]):
        total += x[i - 1] * w[i]
    return total


def test_checks_leave_the_loop():
    text = text_of(neighbours, X, W, argnums=(0, 1))
    inside = text.split("for ", 1)[1]
    assert "raise" not in inside


@pytest.mark.parametrize("n", [0, 1, 2, 3, 6])
def test_a_check_before_the_loop_fails_when_one_inside_would(n: int):
    f = s2sad.jit(neighbours)
    with lowering_interpreted():
        if n < 7:
            with pytest.raises(IndexError):
                f(X, W[:n])
        assert f(X[:1], W[:n]) == 0.0
        assert f(X[:0], W[:n]) == 0.0
        assert f(X[: n + 1], W[: n + 1]) == pytest.approx(neighbours(X[: n + 1], W[: n + 1]))


def mixed(x, w, k):
    total = 0.0
    for i in range(x.shape[0]):
        if x[i] > 0.5:
            raise ValueError("too large")
        total += w[i + k]
    return total


def test_exceptions_keep_their_order():
    f = s2sad.jit(mixed)
    with lowering_interpreted():
        for k in (0, 1, 3, 6):
            for x in (X, -np.abs(X)):
                want: type[Exception] | None = None
                try:
                    mixed(x, W, k)
                except Exception as error:
                    want = type(error)
                if want is None:
                    assert f(x, W, k) == pytest.approx(mixed(x, W, k))
                else:
                    with pytest.raises(want):
                        f(x, W, k)


# --- stencils -----------------------------------------------------------------------------------------


def stencil(a, b, steps):
    a, b = a.copy(), b.copy()
    for _ in range(steps):
        b[1:-1, 1:-1] = a[1:-1, 1:-1] + 2.0 * a[:-2, 1:-1] + 3.0 * a[2:, 1:-1] + a[1:-1, :-2] - a[1:-1, 2:]
        a[1:-1, 1:-1] = 0.5 * b[1:-1, 1:-1] + b[:-2, 2:] - b[2:, :-2] + b[2:, 2:]
    return np.sum(a * np.sin(b))


def stencil_loops(a, b, steps):
    a, b = a.copy(), b.copy()
    n, m = a.shape
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                b[i, j] = a[i, j] + 2.0 * a[i - 1, j] + 3.0 * a[i + 1, j] + a[i, j - 1] - a[i, j + 1]
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                a[i, j] = 0.5 * b[i, j] + b[i - 1, j + 1] - b[i + 1, j - 1] + b[i + 1, j + 1]
    return np.sum(a * np.sin(b))


def line(x, w):
    y = w[0] * x[:-4] + w[1] * x[1:-3] + w[2] * x[2:-2] + w[3] * x[3:-1] + w[4] * x[4:]
    return np.sum(y * y)


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (3, 7), (4, 4), (5, 3), (6, 9), (9, 4)])
@pytest.mark.parametrize("f", [stencil, stencil_loops])
def test_stencils_are_gathered(f: Callable[..., Any], shape: tuple[int, int], rng: np.random.Generator):
    text = text_of(f, rng.normal(size=shape), rng.normal(size=shape), 3, argnums=(0, 1))
    reverse = text.split("# reverse sweep")[1]
    rows_with_all_terms = re.findall(r"^ +if \w+ and \(.* <= i and i < ", reverse, re.MULTILINE)
    assert len(rows_with_all_terms) == 2, "not gathered"


def rows(a, steps):
    a = a.copy()
    for _ in range(steps):
        for i in range(1, a.shape[0] - 1):
            a[i, 1:-1] += a[i - 1, :-2] - a[i - 1, 1:-1] + a[i, 2:] + 2.0 * a[i + 1, :-2] + a[i + 1, 2:]
            a[i, 1:-1] *= 0.5
    return np.sum(np.sin(a))


@pytest.mark.parametrize("shape", [(3, 2), (3, 3), (4, 4), (4, 5), (5, 9)])
def test_rows_are_gathered_one_by_one(shape: tuple[int, int], rng: np.random.Generator):
    text_of(rows, rng.normal(size=shape), 2)


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8, 9, 12])
def test_a_line_is_gathered(n: int, rng: np.random.Generator):
    text_of(line, rng.normal(size=n), rng.normal(size=5), argnums=(0, 1))


# --- computing again ----------------------------------------------------------------------------------


def shares(x):
    e = np.exp(x - np.max(x))
    p = e / np.sum(e)
    return np.sum(p * p * p)


def test_what_is_cheap_is_computed_again():
    text = text_of(shares, X)
    assert text.count("np.empty") == 2, text  # the exponentials, and the gradient


def log_sum_exp(x):
    largest = np.max(x)
    return np.log(np.sum(np.exp(x - largest))) + largest


def read_in_order(x):
    e = np.exp(x)
    s, t = 0.0, np.sum(e)
    for i in range(len(x)):
        s = 0.5 * s * t + e[i]
    return s


def read_in_many_trips(x, w):
    e = np.exp(x)
    return np.log(np.sum(e)) * np.sum(np.sin(w[:, None] * e))


def test_exponentials_are_computed_again_where_that_is_vectorised():
    text = text_of(log_sum_exp, X)
    assert (text.count("np.empty"), text.count("np.exp")) == (1, 2), text
    text = text_of(read_in_order, X, mode="primal")
    assert (text.count("np.empty"), text.count("np.exp")) == (1, 1), text
    text = text_of(read_in_many_trips, X, W, mode="primal")
    assert (text.count("np.empty"), text.count("np.exp")) == (1, 1), text


def sources_change(x):
    a = x * x
    b = a * 3.0 + 1.0
    total = np.sum(b)
    a[1:] = 0.5 * total * a[1:]
    scale = np.sum(a)
    c = b * scale
    a[:] = np.sum(c * c) * a
    return np.sum(b * a) + np.sum(c)


def test_what_changes_meanwhile_is_kept():
    text_of(sources_change, X, mode="both")
    text_of(sources_change, X, mode="primal")


def one_of_another(x, w):
    a = x / (1.0 + np.sum(x * x))
    b = a - w
    c = b / np.sum(b * b)
    d = np.abs(c) + a
    return np.sum(d / np.sum(d)) + np.sum(np.sin(c) * b)


def test_no_array_is_made_of_one_that_is_gone():
    text_of(one_of_another, X, W, argnums=(0, 1), mode="both")
    text_of(one_of_another, X, W, mode="primal")


def same_number(x):
    s = np.sum(x * x)
    a, b = np.empty(x.shape[0]), np.empty(x.shape[0])
    carried = s
    for i in range(x.shape[0]):
        a[i] = s
        b[i] = s * 1.0
        carried = carried * 0.5 + x[i]
    c, d = np.empty(x.shape[0]), np.empty(x.shape[0])
    for i in range(x.shape[0]):
        c[i] = s
        d[i] = s - x[i]
    u = a / (1.0 + np.sum(a * b))
    v = c * d / np.sum(c + d)
    return np.sum(u * b) + np.sum(v * v) + carried


def test_a_number_in_two_arrays():
    text_of(same_number, X, mode="both")
    text_of(same_number, X, mode="primal")


def carried_on(x, c):
    total = np.sum(x)
    u = np.array([c / (1.5 + c * c) + 0.0 * q for q in range(x.shape[0])])
    for i, e in enumerate(u):
        for j in range(x.shape[0]):
            e += 0.3 * x[j]
        total += e * x[i]
    return total


def test_a_python_number_is_carried_on_as_an_element():
    text_of(carried_on, X, 0.4, argnums=(0, 1), mode="both")
    text_of(carried_on, X, 0.4, mode="primal")


def rounded(x, c):
    u = np.zeros(x.shape[0], dtype=np.float32)
    for i in range(x.shape[0]):
        u[i] = x[i] * c
    total = 0.0
    for i in range(x.shape[0]):
        total += u[i] * u[i]
    return total


def test_what_a_store_rounds_stays_rounded():
    for dtype in (np.float64, np.float32):
        text_of(rounded, X.astype(dtype), 0.4, mode="primal")


# --- running indices ----------------------------------------------------------------------------------


def packed(lower, x, start):
    """A quadratic form of which the matrix is packed, from `start` on."""
    total = 0.0
    p = start
    q = 2 * x.shape[0]
    for c in range(x.shape[0]):
        for r in range(x.shape[0] - 1, c, -1):
            total += lower[p] * x[r] * x[c] * np.sin(lower[p - 1])
            p += 1
            q = 2 + q
    return total + p * x[0] + q * x[1]


@pytest.mark.parametrize("start", [0, 1, -10, -4])
def test_running_indices_are_forms_of_the_trip(start: int):
    lower = np.linspace(-1.0, 1.0, 12)
    text = text_of(packed, lower, X[:5], start, argnums=(0, 1), mode="both")
    assert "p += 1\n" not in text


def rolled(x, y, k):
    total = 0.0
    for i in range(3):
        if i == k:
            total += np.sum(np.roll(y[:-1], 1) * x[1:])
        else:
            total += np.sum(np.sin(np.roll(y[:-1], 1)) + x[i])
    return total


def test_a_bound_of_an_index_is_known_where_it_is_asked():
    text_of(rolled, X, W, 1, argnums=(0, 1), mode="both")


def numpy_ints(x, n):
    k = np.int64(0)
    total = 0.0
    for i in range(n):
        if i > 1:
            k += np.int64(1)
        total += x[k] * x[i]
    j = np.int64(-1)
    for i in range(n):
        total += x[j] * x[j] * x[i]
        j += np.int64(1)
    return total


def test_integers_of_numpy_stay_so():
    text_of(numpy_ints, X, 5, mode="both")
    text_of(numpy_ints, X, 5, mode="primal")


@pytest.mark.parametrize("start", [9, -13])
def test_running_indices_are_checked(start: int):
    with lowering_interpreted(), pytest.raises(IndexError):
        s2sad.grad(packed, argnums=(0, 1), jit=True)(np.ones(12), X[:5], start)


# --- each pass by itself ------------------------------------------------------------------------------

PROGRAMS = [
    (chain, (X, W), (0, 1)),
    (read_ahead, (X,), 0),
    (newton, (W,), 0),
    (escapes, (W,), 0),
    (work_array, (X, W), (0, 1)),
    (neighbours, (X, W), (0, 1)),
    (rows, (np.outer(X, W), 2), 0),
    (packed, (np.linspace(-1.0, 1.0, 12), X[:5], -4), (0, 1)),
    (sources_change, (X,), 0),
    (one_of_another, (X, W), (0, 1)),
    (stencil, (np.outer(X, W), np.outer(W, X), 2), (0, 1)),
]


@pytest.mark.parametrize("steps", range(len(STEPS) + 1))
def test_the_passes_one_by_one(steps: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(optimize, "NESTS", STEPS[:steps])
    for f, args, argnums in PROGRAMS:
        text_of(f, *args, argnums=argnums)
        text_of(f, *args, argnums=argnums, mode="both")


# --- tapes --------------------------------------------------------------------------------------------


def kept_from_the_end(x, y):
    y = y.copy()
    for _ in range(x.shape[0]):
        s = x[1] * y[-1]
        y -= -np.array([s for _ in range(x.shape[0])])
    return np.sum(y * y)


def test_what_is_put_on_a_tape_is_read_like_all_else():
    text_of(kept_from_the_end, X, W, argnums=(0, 1), mode="both")
