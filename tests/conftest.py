"""What all tests share: `--update-golden`, and a seeded generator."""

from __future__ import annotations

import os

import numpy as np
import pytest

from s2sad.settings import settings

settings.cache = "0"  # tests compile; test_cache.py sets a folder of its own


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the expected texts of tests/golden"
    )


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
