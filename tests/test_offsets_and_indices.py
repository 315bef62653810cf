"""Programs of particles and grids: neighbours by offsets, linked lists, np.ndindex, ufuncs with where=."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from right import assert_right
from written import written

import s2sad
from s2sad.frontend.loops import Loops


def cell_list(x: Any) -> Any:
    pos = x.reshape((-1, 2))
    cell = np.minimum((pos * 3).astype(int), 2)
    idx = cell[:, 0] * 3 + cell[:, 1]
    head, nxt = -np.ones(9, dtype=int), -np.ones(len(pos), dtype=int)
    for i in range(len(pos)):
        nxt[i] = head[idx[i]]
        head[idx[i]] = i
    energy = 0.0
    for c in range(9):
        cx, cy = divmod(c, 3)
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                i = head[c]
                while i != -1:
                    j = head[((cx + dx) % 3) * 3 + (cy + dy) % 3]
                    while j >= 0:
                        if i < j:
                            r = pos[i] - pos[j]
                            r = r - np.rint(r)
                            r2 = np.dot(r, r)
                            if r2 < 1 / 9:
                                energy += np.exp(-3 * r2) * (1 / 9 - r2) ** 2
                        j = nxt[j]
                    i = nxt[i]
    return 100.0 * energy


def offsets_that_must_be_known(x: Any) -> Any:
    parts = (np.sin, np.cos, np.exp)
    s = 0.0
    for k in (0, 1, 2):
        for i in range(3):
            s += parts[k](x[i])
        y = np.zeros((2,) * k + (2,))
        for i in range(2):
            y[..., i] = x[i] * k
        s += y.sum()
    return s


def offsets_after_their_loop(x: Any) -> Any:
    s = x[0]
    for v in (0, 2, 4):
        if v > 2:
            break
        for i in range(3):
            s *= x[i]
    else:
        s = 0.0
    for k in [3, 2, 1]:
        n = 0
        while n < k:
            s += x[n] ** k
            n += 1
    return s * k + v


def indices(x: Any) -> Any:
    a = x[:12].reshape((3, 4))
    b = np.zeros_like(a)
    s = 0.0
    for idx in np.ndindex(a.shape):
        if idx[1] == 2:
            continue
        b[idx] = a[idx] ** 2 * x[idx[1]]
        s += idx[0] * b[idx]
    for k, (i, j) in enumerate(np.ndindex(2, 3)):
        s += a[i, j] * (i - j) * k
    for _ in np.ndindex():
        s *= x[0]
    return s


def chosen_elements(x: Any) -> Any:
    u = np.zeros_like(x)
    np.exp(x, out=u, where=x > 0)
    np.log(x, u[::-1], where=x > 0.3)
    q = np.divide(u, x > 0, out=np.ones_like(x), where=x > 0)
    np.multiply(q, x[0], out=q, where=q > 1.0)
    positive = np.zeros(x.shape, dtype=bool)
    np.greater(x, 0.1, out=positive, where=x != x[1])
    return np.sum(q * q) + np.sum(x[positive] ** 3)


PROGRAMS = [cell_list, offsets_that_must_be_known, offsets_after_their_loop, indices, chosen_elements]


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("f", PROGRAMS)
def test_right(f: Any, lowered: bool):
    x = np.random.default_rng(3).random(16) * 0.8 + 0.1
    if f is chosen_elements:
        x -= 0.4
    assert_right(f, x, lowered)


def test_loops_over_offsets_are_not_copied():
    text = s2sad.grad(cell_list).source_for(np.ones(16))
    assert text.count("np.exp") == 1 and "for dx in range(-1, 2)" in text


def test_text_of_loops_in_loops_is_read_in_few_attempts(monkeypatch: pytest.MonkeyPatch):
    """Each attempt at a loop reads all loops in it again: five deep, one fact at a time would not end."""
    x = np.random.default_rng(3).random(16)
    gradient = s2sad.value_and_grad(cell_list)
    emitted = written(gradient.source_for(x), f"{Path(__file__).stem}_emitted")["cell_list_value_and_grad"]
    attempts = [0]
    make_header = Loops.make_header

    def counted(self: Any, loop: Any, names: Any) -> None:
        attempts[0] += 1
        make_header(self, loop, names)

    monkeypatch.setattr(Loops, "make_header", counted)
    _, y_dot = s2sad.jvp(emitted, (x,), (x,))
    assert attempts[0] < 1000
    np.testing.assert_allclose(y_dot[1], s2sad.hvp(cell_list, (x,), (x,)), rtol=1e-9, atol=1e-12)


def test_indices_have_the_dtype_of_python_ints():
    def f(x: Any) -> Any:
        y = np.zeros_like(x)
        for i, j in np.ndindex(x.shape):
            y[i, j] = x[i, j] * i
        return np.sum(y) * i

    x = np.ones((2, 3), np.float32)
    value, bar = s2sad.value_and_grad(f)(x)
    assert value.dtype == f(x).dtype == bar.dtype == np.float32
    with pytest.raises(ValueError, match="negative dimensions"):
        s2sad.grad(lambda x, n: sum([x for _ in np.ndindex(n, n)]))(1.0, -2)


def test_where_without_out_is_refused():
    with pytest.raises(s2sad.S2sadError, match="where= without out="):
        s2sad.grad(lambda x: np.sqrt(x, where=x > 1.0).sum())(np.ones(3))


def test_sizes_that_a_loop_takes_to_be_equal_stay_known():
    """What one reading of a body shows of several slots is learned at once, but not sizes that it changes."""

    def f(x: Any, y: Any) -> Any:
        a, b, c = x, y, x[:-1]
        for _ in range(3):
            a, b = b * a[0], a
            c = c + b[1:]
        return a @ b + c.sum()

    assert "unbroadcast" not in s2sad.grad(f).source_for(np.ones(4), np.ones(4))
