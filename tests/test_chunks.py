"""Jacobians along many seeds at once: the text, how often the primal runs, and what chunk_size does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from property.verdicts import lowering_interpreted

import s2sad
from s2sad.driver.compiled import Compiled
from s2sad.driver.program import Variant

RNG = np.random.default_rng(2)
X, W = RNG.normal(size=6), RNG.normal(size=(5, 6))


def layer(x, w):
    return np.tanh(w @ x)


def mixed(x, w):
    table = np.outer(x, x[:3]) + np.diag(x)[:, :3]
    solved = np.linalg.solve(np.eye(6) + 0.1 * w.T @ w, x)
    rows = [float(np.sum(row)) * row for row in table]
    picked = x[np.array([3, 1, 1])] * w[np.array([0, 1, 2]), np.array([2, 2, 0])]
    return np.concatenate(
        [np.cumsum(solved), np.array(rows).ravel(), picked, np.sort(x), w.sum(axis=0) * x[::-1]]
    )


def stops(x, w):
    total = x * 0.0
    for i in range(20):
        total = total + w[i % 5] * x
        if total[0] > 1.0:
            return total * x[0]
        if total[1] > 1.0:
            break
    while np.sum(total) < 3.0:
        total = total + x**2
    return total


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("transform", [s2sad.jacfwd, s2sad.jacrev, s2sad.jacobian])
@pytest.mark.parametrize("f", [layer, mixed, stops])
def test_many_at_once(f, transform, jit: bool):
    with lowering_interpreted():
        whole, few = transform(f, (0, 1), jit=jit), transform(f, (0, 1), chunk_size=4, jit=jit)
        expected = s2sad.jacfwd(f, (0, 1), chunk_size=1)(X, W)
        for made in (whole(X, W), few(X, W)):
            for got, want in zip(made, expected, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)
    assert None not in whole.chunks.made.values()


def test_the_primal_runs_once(monkeypatch: pytest.MonkeyPatch):
    widths: list[int] = []
    plain = Variant.run

    def counted(self: Variant, values: Any, seeds: Any = (), main: Compiled | None = None) -> Any:
        widths.append(len(seeds[0]))
        return plain(self, values, seeds, main)

    monkeypatch.setattr(Variant, "run", counted)
    s2sad.jacfwd(layer)(X, W)
    assert widths == [6]
    widths.clear()
    s2sad.jacfwd(layer, chunk_size=4)(X, W)
    assert widths == [4, 2]
    widths.clear()
    s2sad.hessian(lambda x: np.sum(x**4), chunk_size=6)(X)
    assert widths == [6]


def test_text():
    made = s2sad.jacfwd(layer)
    made(X, W)
    (many,) = made.chunks.made.values()
    assert many is not None
    assert many.source.partition("def ")[2].replace("  # test_chunks.py:19", "") == (
        "layer_jvp_many(x, w, x_dots):\n"
        '    """Return layer and its tangents along many directions."""\n'
        "    y = np.tanh(w @ x)\n"
        "    return y, (1.0 - y * y) * (x_dots @ w.T)\n"
    )


def test_names_that_are_taken():
    def f(x, x_dots):
        return x * x_dots @ x

    np.testing.assert_allclose(s2sad.jacfwd(f)(X, W[0]), s2sad.jacfwd(f, chunk_size=1)(X, W[0]), rtol=1e-14)


def test_a_program_may_want_a_jacobian():
    def newton(x, w):
        for _ in range(3):
            x = x - np.linalg.solve(s2sad.jacobian(residual)(x, w), residual(x, w))
        return np.sum(x * x)

    def residual(x, w):
        return x + 0.1 * np.tanh(w.T @ (w @ x)) - 1.0

    s2sad.check_grads(newton, (X, W), order=1)


def test_wrong_sizes_of_chunks():
    for size in (0, 2.0):
        with pytest.raises(TypeError, match="chunk_size"):
            s2sad.jacfwd(layer, chunk_size=size)
