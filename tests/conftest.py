"""What all tests share: `--update-golden`, a seeded generator, and which compiler a test is about."""

from __future__ import annotations

import gc
import os
from typing import Any

import numpy as np
import pytest

from s2sad.driver import native
from s2sad.ir.core import Function
from s2sad.machine import kernel
from s2sad.machine.kernel import code_of
from s2sad.machine.layouts import plain_layouts
from s2sad.machine.writer import NotHere
from s2sad.settings import settings

settings.cache = "0"  # tests compile; test_cache.py sets a folder of its own


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the expected texts of tests/golden"
    )


def pytest_collection_finish() -> None:
    """Have what pytest holds of thousands of tests, which lives on, not searched for garbage again and again:
    a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 50, 100)


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Return whether golden files are to be rewritten; CI refuses."""
    update = bool(request.config.getoption("--update-golden"))
    if update and os.environ.get("CI"):
        pytest.fail("golden files are not updated in CI")
    return update


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a kernel is given to Numba."""

    def refuse(fn: Function) -> Any:
        code_of(fn, plain_layouts(fn))  # says why
        raise AssertionError(f"{fn.name} goes to Numba")

    monkeypatch.setattr(native, "_by_numba", refuse)


@pytest.fixture
def by_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every kernel to Numba."""

    def refuse(*_: Any) -> Any:
        raise NotHere("this test")

    monkeypatch.setattr(kernel, "code_of", refuse)
