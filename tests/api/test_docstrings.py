"""The examples in docstrings of the user-facing layer run."""

from __future__ import annotations

import doctest

import pytest

import s2sad
from s2sad import api, pytrees
from s2sad.driver import assemble
from s2sad.ir import structure


@pytest.mark.parametrize("module", [s2sad, api, pytrees, structure, assemble], ids=lambda m: m.__name__)
def test_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
