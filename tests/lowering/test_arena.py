"""Memory that machine code keeps for its next call: no result is in it, and each call has its own."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from lowered import built, lowered

import s2sad
from s2sad.driver import native
from s2sad.lowering.native import native as as_compiled
from s2sad.machine import binary, factors
from s2sad.machine.arena import HEADER
from s2sad.machine.kernel import code_of
from s2sad.machine.layouts import plain_layouts
from s2sad.machine.names import FEW
from s2sad.settings import settings


def blocks() -> dict[int, int]:
    """Return the blocks that are kept, and their sizes."""
    return {at: ctypes.c_size_t.from_address(at).value for at in binary.blocks()[1:] if at}


def poison() -> None:
    """Fill the memory that is kept with what nobody could take for values: NaN, -1."""
    for at, size in blocks().items():
        ctypes.memset(at + HEADER, 0xFF, size - HEADER)


@pytest.fixture(autouse=True)
def emptied(without_numba: None) -> Iterator[None]:
    """Begin without blocks, and let no kernel go to Numba."""
    before = list(binary.blocks())
    binary.blocks()[:] = [settings.keep << 20] + FEW * [0]
    yield
    binary.blocks()[:] = before


def steps(x, n):
    """Sum of what n nonlinear steps leave; a tape of all of them."""
    y = x.copy()
    count = np.zeros(x.shape[0])
    for _ in range(n):
        for i in range(x.shape[0]):
            if y[i] > 0.1:
                count[i] += 1.0
            y[i] = np.sin(y[i]) * 1.5
    if n == 7:
        raise ValueError("seven steps")
    return np.sum(y * count)


FIRST = (s2sad.value_and_grad(steps), s2sad.value_and_grad(steps, jit=True))


def test_results_stay_what_they_are():
    plain, compiled = FIRST
    rng = np.random.default_rng(0)
    found = []
    for size, n in ((50, 3), (4, 2), (3000, 5), (0, 3), (50, 0), (2000, 6), (3000, 5)):
        x = rng.uniform(0.1, 1.0, size)
        found.append((plain(x, n), compiled(x, n)))
        poison()
    (size,) = blocks().values()
    assert size > 5 * 3000 * 8, "the largest need"
    for (want, bar), (value, got) in found:
        assert value == pytest.approx(want, rel=1e-12)
        np.testing.assert_allclose(got, bar, rtol=1e-12)


def test_second_order():
    def four(x):
        return steps(x, 4)

    x = np.random.default_rng(1).uniform(0.1, 1.0, 30)
    want = s2sad.hvp(four, (x,), (np.cos(x),))
    for _ in range(3):
        np.testing.assert_allclose(s2sad.hvp(four, (x,), (np.cos(x),), jit=True), want, rtol=1e-11)
        poison()
    assert blocks()


def test_what_raises_gives_its_block_back():
    _, compiled = FIRST
    for _ in range(3):
        with pytest.raises(ValueError, match="seven"):
            compiled(np.ones(5000), 7)
        ((at, size),) = blocks().items()
    with pytest.raises(MemoryError):
        compiled(np.ones(5000), 2**45)
    assert blocks() == {at: size}


def test_each_thread_has_its_own():
    plain, compiled = FIRST
    compiled(np.ones(3), 2)
    args = [np.random.default_rng(k).uniform(0.1, 1.0, 1000 + k) for k in range(4)]
    wanted = [plain(x, 4)[1] for x in args]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(100):
            if not np.allclose(compiled(args[k], 4)[1], wanted[k], rtol=1e-12):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert 1 <= len(blocks()) <= 4


def test_no_more_is_kept_than_may_be():
    plain, compiled = FIRST
    x, n = np.random.default_rng(2).uniform(0.1, 1.0, 100_000), 3
    small = x[:1000]
    for most in (0, 1):
        with settings.override(keep=most):
            native.load_kernel(lowered(built(steps, (small, n))[0])[0])  # reads the setting
            run = s2sad.jit(lambda y, n, most=most: steps(y, n))
            run(small, n)
            compiled(small, n)
            assert len(blocks()) == most
            np.testing.assert_allclose(compiled(x, n)[1], plain(x, n)[1], rtol=1e-12)
            assert all(size <= most << 20 for size in blocks().values())


def around(a, x):
    y = x.copy()
    for i in range(1, x.shape[0]):
        y[i] += 0.5 * y[i - 1]
    z = np.linalg.solve(a, y)
    for i in range(1, x.shape[0]):
        y[i] += z[i - 1] * y[i - 1]
    return np.sum(y * z)


def test_kernels_in_functions_that_kernels_call(monkeypatch: pytest.MonkeyPatch):
    plain, compiled = FIRST
    solved = factors.FUNCTIONS["lu_solved"]
    calls = []

    def with_a_kernel(packed: Any, b: Any, turned: bool) -> Any:
        calls.append((plain(b, 3)[1], compiled(b, 3)[1], compiled(np.tile(b, 9), 3)[1][: b.size]))
        poison()
        return solved(packed, b, turned)

    monkeypatch.setitem(factors.FUNCTIONS, "lu_solved", with_a_kernel)
    rng = np.random.default_rng(3)
    a, x = rng.normal(size=(40, 40)) + 9.0 * np.eye(40), rng.uniform(0.1, 0.9, 40)
    run, bars = s2sad.jit(around), s2sad.grad(around, argnums=(0, 1), jit=True)
    want = s2sad.grad(around, argnums=(0, 1))(a, x)
    for _ in range(3):
        assert run(a, x) == pytest.approx(around(a, x), rel=1e-12)
        for got, bar in zip(bars(a, x), want, strict=True):
            np.testing.assert_allclose(got, bar, rtol=1e-9, atol=1e-12)
    assert len(calls) == 9
    for expected, *found in calls:
        np.testing.assert_allclose(found, [expected] * 2, rtol=1e-12)
    assert len(blocks()) == 2


def kept_rows(x, n):
    """Arrays that are made in loops, that change place, and that are results."""
    u, v = x.copy(), np.zeros(x.shape[0])
    total = np.zeros(x.shape[0])
    for k in range(n):
        w = np.zeros(x.shape[0])
        for i in range(1, x.shape[0]):
            w[i] = w[i - 1] * 0.5 + u[i]
        v[1:] = w[:-1]
        u, v = v, u
        if k == 2:
            total = w * 2.0
        total += w
    return u, np.sum(total)


def test_what_may_be_a_result_has_memory_of_its_own():
    run = s2sad.jit(kept_rows)
    x = np.random.default_rng(4).uniform(size=200)
    found = [run(x, n) for n in range(6) for _ in (poison(),)]
    poison()
    for n, pair in enumerate(found):
        for got, want in zip(pair, kept_rows(x, n), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-13)


def test_arrays_of_trips_are_not_lent():
    low = as_compiled(lowered(built(kept_rows, (np.ones(3), 4))[0])[0])
    text = code_of(low, plain_layouts(low)).text
    assert "call noalias ptr @allocate(" in text
    run = s2sad.jit(kept_rows)
    run(np.ones(1000), 2)
    before = blocks()
    run(np.ones(1000), 500)
    assert blocks() == before
