"""The API under jit=True: same kinds, structures, promises and errors as without."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass

import numpy as np
import pytest

import s2sad
from s2sad import grad, hvp, jacobian, jit, jvp, value_and_grad, vjp

RATE = 2.0
WEIGHTS = np.array([1.0, 2.0])


@dataclass
class Model:
    w: object
    rate: float
    name: str


def square(x):
    return x * x


def energy(w, x):
    total = 0.0
    for i in range(x.shape[0]):
        total += RATE * (x[i] * w[i]) ** 2
    return total


def layer(w, x):
    return np.tanh(w @ x)


@pytest.mark.parametrize("x", [3.0, np.float32(3.0), np.float64(3.0), np.array(3.0)])
def test_gradient_has_the_kind_of_the_argument(x):
    value, slope = value_and_grad(square, jit=True)(x)
    assert type(slope) is type(x) and type(value) is type(square(x))
    assert np.result_type(slope) == np.result_type(x)
    assert (value, slope) == (9.0, 6.0)


@pytest.mark.parametrize("compiled", [False, True])
def test_defaults_and_keywords_in_repeated_calls(compiled):
    def f(x, k=2.0, w=WEIGHTS, *, p=1.0):
        return np.sum(x * w) * k * p

    run = grad(f, jit=compiled)
    x = np.ones(2)
    for _ in range(2):
        assert run(x).tolist() == [2.0, 4.0]
        assert run(x, 3.0).tolist() == [3.0, 6.0]
        assert run(x, k=4.0).tolist() == [4.0, 8.0]
        assert run(x, w=np.ones(2)).tolist() == [2.0, 2.0]
        assert run(x, p=5.0).tolist() == [10.0, 20.0]
        assert run(x, 3.0, np.ones(2)).tolist() == [3.0, 3.0]


def test_containers():
    def f(p, n):
        return (p["m"].w ** 2).sum() * p["m"].rate * p["s"][0] * n

    p = {"m": Model(np.ones(2, np.float32), 0.5, "m"), "s": (2.0, None), "flag": True}
    value, got = value_and_grad(f, jit=True)(p, 3)
    assert value == 6.0
    assert got["flag"] is None and got["s"] == (3.0, None) and isinstance(got["s"][0], float)
    assert got["m"].name is None and got["m"].rate == 12.0 and got["m"].w.dtype == np.float32
    assert got["m"].w.tolist() == [6.0, 6.0]


def test_captured_values_are_read_again(monkeypatch):
    run = grad(energy, jit=True)
    w, x = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    np.testing.assert_allclose(run(w, x), 4.0 * x**2 * w)
    monkeypatch.setitem(globals(), "RATE", 5.0)
    np.testing.assert_allclose(run(w, x), 10.0 * x**2 * w)
    assert sum(map(len, run.program.variants.values())) == 1


def test_forms():
    w, x = np.arange(6.0).reshape(2, 3) / 7.0, np.array([0.3, -0.1, 0.2])
    s = 1.0 - np.tanh(w @ x) ** 2
    np.testing.assert_allclose(jit(layer)(w, x), layer(w, x), rtol=1e-14)
    np.testing.assert_allclose(jvp(layer, (w, x), (None, x), jit=True)[1], s * (w @ x), rtol=1e-13)
    np.testing.assert_allclose(jacobian(layer, 1, jit=True)(w, x), s[:, None] * w, rtol=1e-13)
    np.testing.assert_allclose(hvp(lambda x: np.sum(x**3), (x,), (x,), jit=True), 6.0 * x**2, rtol=1e-13)


def test_pullback_keeps_its_point_and_serves_threads():
    w, x = np.arange(6.0).reshape(2, 3) / 5.0, np.array([0.1, -0.2, 0.3])
    y, pullback = vjp(layer, w, x, jit=True)
    s = 1.0 - np.tanh(w @ x) ** 2
    expected = (np.outer(s * [1.0, 2.0], x), w.T @ (s * [1.0, 2.0]))
    w[:] = np.nan
    x[:] = np.nan
    y[:] = np.nan
    vjp(layer, np.ones((2, 3)), np.ones(3), jit=True)
    found = []

    def work():
        for _ in range(50):
            got = pullback(np.array([1.0, 2.0]))
            found.append(all(np.allclose(a, b, rtol=1e-13) for a, b in zip(got, expected, strict=True)))
            got[0][:] = np.nan

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [True] * 200


def test_writes_of_a_plain_call_reach_the_caller():
    def f(x, y):
        x[0] = 5.0
        y += x

    x, y = np.ones(3), np.zeros(3)
    assert jit(f)(x, y) is None
    assert x.tolist() == [5.0, 1.0, 1.0] and y.tolist() == [5.0, 1.0, 1.0]
    with pytest.raises(s2sad.S2sadError, match="shares memory"):
        jit(f)(x, x[:])


def test_errors_are_those_of_a_plain_call():
    def f(x, n):
        if n < 0:
            raise ValueError("negative")
        return x[n] * x[n]

    run = grad(f, jit=True)
    x = np.ones(3)
    assert run(x, 1).tolist() == [0.0, 2.0, 0.0]
    with pytest.raises(IndexError):
        run(x, 3)
    with pytest.raises(ValueError, match="negative"):
        run(x, -1)
    with pytest.raises(TypeError, match="argument n of f is an int"):
        grad(f, argnums=1, jit=True)(x, 1)


def test_numba_is_loaded_when_needed_only():
    text = "import sys, s2sad; print('numba' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
