"""Memory that compiled code keeps for its next call: no result is in it, and each thread has its own."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.driver.workspace import FEW, NONE, Workspaces
from s2sad.settings import settings


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


@pytest.fixture(scope="module")
def gradients() -> tuple[Any, Any]:
    return s2sad.value_and_grad(steps), s2sad.value_and_grad(steps, jit=True)


def test_results_stay_what_they_are(gradients: tuple[Any, Any]):
    plain, compiled = gradients
    rng = np.random.default_rng(0)
    found = []
    for size, n in ((50, 3), (4, 2), (3000, 5), (0, 3), (50, 0), (2000, 6)):
        x = rng.uniform(0.1, 1.0, size)
        found.append((plain(x, n), compiled(x, n)))
    with pytest.raises(ValueError, match="seven"):
        compiled(np.ones(5000), 7)
    x = rng.uniform(0.1, 1.0, 100)
    found.append((plain(x, 3), compiled(x, 3)))
    for (want, bar), (value, got) in found:
        assert value == pytest.approx(want, rel=1e-12)
        np.testing.assert_allclose(got, bar, rtol=1e-12)


def test_each_thread_has_its_own(gradients: tuple[Any, Any]):
    plain, compiled = gradients
    compiled(np.ones(3), 2)
    args = [np.random.default_rng(k).uniform(0.1, 1.0, 1000 + k) for k in range(4)]
    wanted = [plain(x, 4)[1] for x in args]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(40):
            if not np.allclose(compiled(args[k], 4)[1], wanted[k], rtol=1e-12):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_is_kept():
    kept = Workspaces()
    assert kept.take() is NONE
    block = np.empty(1 << 20, np.uint8)
    kept.give(block)
    assert kept.take() is block
    assert kept.take() is NONE
    with settings.override(keep=0):
        kept.give(block)
    assert kept.take() is NONE
    for _ in range(2 * FEW):
        kept.give(block)
    assert sum(kept.take() is block for _ in range(2 * FEW)) == FEW
