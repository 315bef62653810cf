"""Loops that threads share: what they compute is what one thread computes, each time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import s2sad
from s2sad.lowering.native import native
from s2sad.lowering.parallel.mark import kinds_of
from s2sad.lowering.parallel.outline import outlined
from s2sad.machine.kernel import code_of
from s2sad.machine.layouts import plain_layouts
from s2sad.settings import settings

THREADS = (1, 2, 3, 8)
SIZES = (*range(11), 1000)
RNG = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def every_loop():
    """Threads share every loop that they may."""
    with settings.override(grain=0, threads=3, cache="0"):
        yield


def kinds(derivative):
    """Return what threads do with the slots of each loop of a program that they share."""
    loops = derivative.variant.main.loops.block.walk()
    return [found for i in loops if (found := kinds_of(i)) is not None]


def symbols(derivative):
    """Return what the machine code of a program calls."""
    fn = outlined(native(derivative.variant.main.loops))
    return code_of(fn, plain_layouts(fn)).symbols


def flat(result):
    if isinstance(result, tuple | list):
        return [x for item in result for x in flat(item)]
    return [np.asarray(result)]


def both(make, f, args, exact, threads=THREADS):
    """Compare what a transform makes of `f`, with threads and without, on copies of the arguments."""
    expected = flat(make(f, True)(*copied(args)))
    for count in threads:
        with settings.override(threads=count):
            shared = make(f, "parallel")
            found = flat(shared(*copied(args)))
            assert "pthread_create" in symbols(shared)
        for a, b in zip(found, expected, strict=True):
            if exact or count == 1:
                np.testing.assert_array_equal(a, b)
            else:
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    return shared


def copied(args):
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


def primal(f, jit):
    return s2sad.jit(f, parallel=jit == "parallel")


def gradient(*argnums):
    return lambda f, jit: s2sad.value_and_grad(f, argnums, jit=jit)


def elementwise(x, y):
    z = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        z[i] = np.exp(x[i]) * y[i] if x[i] > 0.0 else np.sin(y[i])
    return z


def every_third(x, y):
    z = np.zeros(x.shape[0])
    for i in range(x.shape[0] - 1, -1, -3):
        z[i] = x[i] * y[i]
    return z


def stencil(x, y):
    z = np.zeros(x.shape[0])
    for i in range(1, x.shape[0] - 1):
        z[i] = x[i - 1] - 2.0 * x[i] + x[i + 1] + y[i]
    return z


def evens_and_odds(x, y):
    z = np.empty(2 * x.shape[0])
    for i in range(x.shape[0]):
        z[2 * i] = x[i]
        z[2 * i + 1] = y[i]
    return z


def some_left_out(x, y):
    z = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        if x[i] < 0.0:
            continue
        z[i] = x[i] * y[i]
    return z


@pytest.mark.parametrize("f", [elementwise, every_third, stencil, evens_and_odds, some_left_out])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 10, 1000])
def test_elements_of_their_own_are_the_same_numbers(f, n):
    both(primal, f, (RNG.normal(size=n), RNG.normal(size=n)), exact=True)


def of_rows(a):
    out = np.empty(a.shape[0])
    for i in range(a.shape[0]):
        largest = -np.inf
        for j in range(a.shape[1]):
            if a[i, j] > largest:
                largest = a[i, j]
        total = 0.0
        for j in range(a.shape[1]):
            total += np.exp(a[i, j] - largest)
        out[i] = largest + np.log(total)
    return out


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (7, 3), (300, 11)])
def test_rows(shape):
    a = RNG.normal(size=shape)
    both(primal, of_rows, (a,), exact=True)
    both(gradient(0), lambda a: np.sum(of_rows(a)), (a,), exact=False)


def logistic(w, x, y):
    loss = 0.0
    for i in range(x.shape[0]):
        z = 0.0
        for j in range(w.shape[0]):
            z += x[i, j] * w[j]
        if y[i] > 0.0:
            loss += np.log(1.0 + np.exp(-z))
        else:
            loss += np.log(1.0 + np.exp(z))
    return loss


def observations(n, d=4):
    return RNG.normal(size=d), RNG.normal(size=(n, d)), RNG.normal(size=n)


@pytest.mark.parametrize("n", SIZES)
def test_a_shared_cotangent_has_a_sum_per_thread(n):
    shared = both(
        gradient(0), logistic, observations(n), exact=False, threads=(2, 3) if n != 1000 else THREADS
    )
    assert any("sum" in found for found in kinds(shared))
    assert "# parallel: sums of loss, w_bar" in shared.lowered_source


def test_many_trips():
    args = observations(100_000)
    both(gradient(0, 1), logistic, args, exact=False, threads=(2, 8))
    x, y = RNG.normal(size=(2, 100_000))
    both(primal, elementwise, (x, y), exact=True, threads=(2, 8))


def test_a_gradient_is_right():
    w, x, y = observations(50)
    s2sad.check_grads(lambda w: logistic(w, x, y), (w,), order=1)
    found = s2sad.grad(logistic, jit="parallel")(w, x, y)
    np.testing.assert_allclose(found, s2sad.grad(logistic)(w, x, y), rtol=1e-10)


def test_the_same_numbers_each_time():
    args = observations(5000)
    for count in (2, 3, 8):
        with settings.override(threads=count):
            f = s2sad.value_and_grad(logistic, (0, 1), jit="parallel")
            first = flat(f(*args))
            for _ in range(20):
                for a, b in zip(flat(f(*args)), first, strict=True):
                    np.testing.assert_array_equal(a, b)


def gathered(table, k):
    total = 0.0
    for i in range(k.shape[0]):
        total += table[k[i]] ** 2
    return total


@pytest.mark.parametrize("n", [0, 1, 3, 20_000])
def test_places_that_repeat_do_not_race(n):
    args = RNG.normal(size=6), RNG.integers(-6, 6, n)
    shared = both(gradient(0), gathered, args, exact=False)
    assert any("sum" in found for found in kinds(shared))


def scattered(x, k):
    out = np.zeros(6)
    for i in range(x.shape[0]):
        out[k[i]] += x[i]
    return out


def overwritten(x, k):
    out = np.zeros(6)
    for i in range(x.shape[0]):
        out[k[i]] = x[i]
    return out


def prefix_sums(x):
    y = np.zeros(x.shape[0])
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i]
        y[i] = total
    return y


def recurrence(x):
    y = x.copy()
    for i in range(1, x.shape[0]):
        y[i] = 0.5 * y[i - 1] + x[i]
    return y


def until_negative(x):
    y = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        if x[i] < 0.0:
            break
        y[i] = 2.0 * x[i]
    return y


def mirrored(x):
    y = x.copy()
    for i in range(x.shape[0]):
        y[i] = y[x.shape[0] - 1 - i] + 1.0
    return y


def one_row_for_all(x):
    out = np.zeros(x.shape[0])
    row = np.zeros(3)
    for i in range(x.shape[0]):
        row[i % 3] = x[i]
        out[i] = row[0] + row[1]
    return out


def last_one_wins(x):
    row = np.zeros(2)
    for i in range(x.shape[0]):
        row[0] = x[i]
        row[1] = 2.0 * x[i]
    return row


def cleared_by_its_neighbour(x):
    out = np.zeros(x.shape[0])
    row = np.zeros(4)
    for i in range(x.shape[0]):
        for j in range(4):
            out[i] += row[j]
            row[3 - j] += x[i]
            row[j] = 0.0
    return out


@pytest.mark.parametrize(
    "f",
    [
        prefix_sums, recurrence, until_negative, mirrored, one_row_for_all, last_one_wins,
        cleared_by_its_neighbour,
    ],
)  # fmt: skip
def test_trips_that_depend_on_each_other(f):
    x = np.abs(RNG.normal(size=501))
    x[300] = -1.0
    np.testing.assert_array_equal(s2sad.jit(f, parallel=True)(x), s2sad.jit(f)(x))
    weights = RNG.normal(size=f(x).shape)
    loss = lambda x: np.sum(weights * f(x))  # noqa: E731
    a, b = (s2sad.grad(loss, jit=j)(x) for j in ("parallel", True))
    np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("f", [scattered, overwritten])
def test_writes_at_any_place(f):
    x, k = RNG.normal(size=5000), RNG.integers(0, 6, 5000)
    np.testing.assert_allclose(s2sad.jit(f, parallel=True)(x, k), s2sad.jit(f)(x, k), rtol=1e-12)


def with_scratch(a, w):
    row = np.empty(a.shape[1])
    total = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            row[j] = np.tanh(a[i, j] * w[j])
        for j in range(a.shape[1]):
            total += row[j] * row[a.shape[1] - 1 - j]
    return total


@pytest.mark.parametrize("n", [0, 1, 2, 500])
def test_an_array_that_trips_fill_one_after_the_other(n):
    shared = both(gradient(0, 1), with_scratch, (RNG.normal(size=(n, 5)), RNG.normal(size=5)), exact=False)
    assert any("own" in found for found in kinds(shared)) or n == 0


def escape(c, trips):
    total = 0.0
    for i in range(c.shape[0]):
        x = c[i]
        for _ in range(trips):
            if x > 4.0:
                break
            x = x * x + c[i]
        total += x
    return total


def test_a_tape_of_each_trip():
    both(gradient(0), escape, (RNG.uniform(-1.0, 1.0, 400), 8), exact=False)


def norm(v):
    total = 0.0
    for j in range(v.shape[0]):
        total += v[j] * v[j]
    return np.sqrt(total)


def of_helpers(a):
    total = 0.0
    for i in range(a.shape[0]):
        total += norm(a[i])
    return total


def test_functions_called_in_trips():
    shared = both(gradient(0), of_helpers, (RNG.normal(size=(300, 3)),), exact=False)
    assert shared.lowered_source.count("# parallel") >= 1


def steps(u, n):
    u = u.copy()
    for _ in range(n):
        new = u.copy()
        for i in range(1, u.shape[0] - 1):
            new[i] = 0.5 * u[i] + 0.25 * (u[i - 1] + u[i + 1])
        u = new
    return np.sum(u * u)


def test_loops_inside_a_loop_in_order():
    both(gradient(0), steps, (RNG.normal(size=200), 5), exact=False)


def in_place(x, y):
    for i in range(x.shape[0]):
        x[i] = x[i] * y[i]


@pytest.mark.parametrize("turn", [False, True])
def test_an_argument_that_is_written(turn):
    y = RNG.normal(size=700)
    x = RNG.normal(size=1400)[::2] if turn else RNG.normal(size=700)
    expected = x * y
    s2sad.jit(in_place, parallel=True)(x, y)
    np.testing.assert_array_equal(x, expected)


def with_errors(x, k):
    total = 0.0
    for i in range(x.shape[0]):
        if x[i] > 100.0:
            raise ValueError("too large")
        if x[i] < -100.0:
            raise OverflowError("too small")
        total += np.exp(x[i] * 0.01) * x[k[i]]
    return total


@pytest.mark.parametrize("places", [(10, 900), (900, 10), (499, 500), (999, 0)])
def test_the_first_error_in_order_is_raised(places):
    x = RNG.normal(size=1000)
    x[places[0]], x[places[1]] = 1000.0, -1000.0
    k = RNG.integers(0, 1000, 1000)
    first = ValueError if places[0] < places[1] else OverflowError
    for f in (s2sad.jit(with_errors, parallel=True), s2sad.grad(with_errors, jit="parallel")):
        for _ in range(5):
            with pytest.raises(first):
                f(x, k)
        k[700] = 4000
        with pytest.raises((IndexError, first)):
            f(x, k)
        k[700] = 0


def test_nan_and_inf():
    w, x, y = observations(100)
    x[3, 1], x[77, 2] = np.nan, np.inf
    with np.errstate(all="ignore"):
        both(gradient(0), logistic, (w, x, y), exact=False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_sums(dtype):
    w, x, y = (a.astype(dtype) for a in observations(400))
    a, b = (s2sad.grad(logistic, jit=j)(w, x, y) for j in ("parallel", True))
    assert a.dtype == b.dtype == dtype
    np.testing.assert_allclose(a, b, rtol=1e-4 if dtype == np.float32 else 1e-12)


def test_complex_numbers_run_in_one_thread():
    def f(z):
        total = 0.0
        for i in range(z.shape[0]):
            total += (z[i] * z[i].conjugate()).real
        return total

    z = RNG.normal(size=50) + 1j * RNG.normal(size=50)
    np.testing.assert_allclose(s2sad.jit(f, parallel=True)(z), s2sad.jit(f)(z), rtol=1e-12)


def test_several_callers():
    args = observations(3000)
    f = s2sad.value_and_grad(logistic, jit="parallel")
    expected = flat(f(*args))
    wrong: list[object] = []

    def run():
        for _ in range(20):
            found = flat(f(*args))
            wrong.extend(a for a, b in zip(found, expected, strict=True) if not np.array_equal(a, b))

    callers = [threading.Thread(target=run) for _ in range(4)]
    for t in callers:
        t.start()
    for t in callers:
        t.join()
    assert not wrong


def test_a_loop_with_little_to_do_is_run_by_the_caller():
    args = observations(20)
    expected = flat(s2sad.value_and_grad(logistic, jit=True)(*args))
    with settings.override(grain=10**9):
        found = flat(s2sad.value_and_grad(logistic, jit="parallel")(*args))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_transform():
    w, x, y = observations(30)
    f, wf = (lambda w: logistic(w, x, y)), lambda w: np.array([logistic(w, x, y), np.sum(w * w)])
    for make in (s2sad.grad, s2sad.hessian, s2sad.value_and_grad):
        a, b = (flat(make(f, jit=j)(w)) for j in ("parallel", True))
        for p, q in zip(a, b, strict=True):
            np.testing.assert_allclose(p, q, rtol=1e-10)
    for make in (s2sad.jacfwd, s2sad.jacrev, s2sad.jacobian):
        np.testing.assert_allclose(make(wf, jit="parallel")(w), make(wf, jit=True)(w), rtol=1e-10)
    for jit in ("parallel", True):
        _, pullback = s2sad.vjp(f, w, jit=jit)
        np.testing.assert_allclose(pullback(1.0)[0], s2sad.grad(f)(w), rtol=1e-10)
        np.testing.assert_allclose(s2sad.jvp(f, (w,), (w,), jit=jit)[1], s2sad.grad(f)(w) @ w, rtol=1e-10)
        np.testing.assert_allclose(s2sad.hvp(f, (w,), (w,), jit=jit), s2sad.hessian(f)(w) @ w, rtol=1e-9)
        rows = s2sad.vmap(lambda v: logistic(v, x, y), jit=jit)(np.stack([w, 2.0 * w]))
        np.testing.assert_allclose(rows, [f(w), f(2.0 * w)], rtol=1e-10)


def test_a_transform_of_one_that_is_parallel():
    w, x, y = observations(30)
    outer = s2sad.grad(lambda v: np.sum(s2sad.grad(logistic, jit="parallel")(v, x, y) ** 2), jit="parallel")
    again = s2sad.jit(s2sad.grad(logistic, jit="parallel"))
    expected = s2sad.grad(lambda v: np.sum(s2sad.grad(logistic)(v, x, y) ** 2))(w)
    np.testing.assert_allclose(outer(w), expected, rtol=1e-9)
    np.testing.assert_allclose(again(w, x, y), s2sad.grad(logistic)(w, x, y), rtol=1e-10)
    assert again.program.jit == "parallel"


def test_another_text_is_refused():
    with pytest.raises(TypeError, match='jit is True, False or "parallel"'):
        s2sad.grad(logistic, jit="threads")


def one_of_two(x, y, first):
    a = x * 1.0
    b = y * 1.0
    c = a if first > 0 else b
    out = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        out[i] = c[i] + 2.0 * a[i] + 4.0 * b[i]
    return out


def swapped(x, y, first):
    a = x * 1.0
    b = y * 1.0
    for _ in range(first):
        c = a
        a = b
        b = c
    for i in range(x.shape[0]):
        a[i] += 2.0 * b[i]
    return a - b


@pytest.mark.parametrize("f", [one_of_two, swapped])
@pytest.mark.parametrize("first", [0, 1])
def test_arrays_that_may_be_one_of_two(f, first):
    x, y = RNG.normal(size=(2, 300))
    np.testing.assert_array_equal(s2sad.jit(f, parallel=True)(x, y, first), f(x, y, first))
    loss = lambda x, y: np.sum(f(x, y, first) ** 2)  # noqa: E731
    a, b = (s2sad.grad(loss, (0, 1), jit=j)(x, y) for j in ("parallel", True))
    np.testing.assert_allclose(a, b, rtol=1e-12)


FORKED = """
import os, sys
import numpy as np
import s2sad

def f(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += np.exp(x[i]) * x[i]
    return total

x = np.linspace(0.0, 1.0, 5000)
gradient = s2sad.grad(f, jit="parallel")
expected = gradient(x)
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(gradient(x), expected) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or int(not np.array_equal(gradient(x), expected)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_process_that_forks(tmp_path):
    path = tmp_path / "forked.py"  # a file: the program is read
    path.write_text(FORKED)
    environment = os.environ | {"S2SAD_THREADS": "3", "S2SAD_GRAIN": "0", "S2SAD_CACHE": "0"}
    assert subprocess.run([sys.executable, str(path)], env=environment, timeout=120).returncode == 0


def test_explain_names_the_loops_of_threads():
    w, x, y = observations(10)
    f = s2sad.grad(logistic, jit="parallel")
    f(w, x, y)
    assert "over i (threads), j" in f.explain()
    plain = s2sad.grad(logistic, jit=True)
    plain(w, x, y)
    assert "(threads)" not in plain.explain()
    assert "# parallel" not in plain.lowered_source


def test_the_line_of_the_first_nan():
    w, x, y = observations(400)
    x[100], x[350] = -1e6 * w, -1e6 * w
    y[100] = y[350] = 1.0
    with pytest.raises(FloatingPointError, match=r"test_parallel\.py"):
        s2sad.grad(logistic, jit="parallel", debug=True)(w, x, y)


def test_code_that_is_kept_for_the_next_process(tmp_path):
    args = observations(500)
    with settings.override(cache=str(tmp_path)):
        found = [flat(s2sad.value_and_grad(logistic, jit="parallel")(*args)) for _ in range(2)]
        serial = flat(s2sad.value_and_grad(logistic, jit=True)(*args))
    assert len(list(tmp_path.glob("*.bin"))) == 2
    for a, b, c in zip(*found, serial, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=1e-12)


def test_arrays_in_columns():
    w, x, y = observations(200)
    expected = s2sad.grad(logistic, (0, 1), jit=True)(w, x, y)
    f = s2sad.grad(logistic, (0, 1), jit="parallel")
    for given in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x):
        for a, b in zip(f(w, given, y), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
