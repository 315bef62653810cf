"""Sparse Jacobians of random programs against whole ones: no entry may be missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import leaves
from property.programs import ACTIVE, generated
from property.verdicts import arguments, loaded, tame

import s2sad

PROGRAMS = 24
SHARDS = 2
SIZE = (4, 3)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_sparse_jacobians_of_random_programs(shard: int):
    for number in range(shard, PROGRAMS, SHARDS):
        check(number)


def check(number: int) -> None:
    """Compare the Jacobians of all float results joined, by each argument."""
    text = generated(number).text
    f = loaded(text, f"sparse_{number}")
    f.__globals__["RATE"] = 0.83
    args = arguments(number, *SIZE)
    try:
        with np.errstate(all="ignore"):
            made = f(*[a.copy() if isinstance(a, np.ndarray) else a for a in args])
    except (ValueError, IndexError, NameError, ZeroDivisionError):
        return
    parts = list(made.values()) if isinstance(made, dict) else made if isinstance(made, tuple) else [made]
    if not tame(leaves(made)) or len(parts) < len(leaves(made)):
        return
    which = number % len(ACTIVE)

    def joined(*given: Any) -> Any:
        y = f(*given)
        if isinstance(y, dict):
            return np.concatenate([np.ravel(part) for part in y.values()])
        if isinstance(y, tuple):
            return np.concatenate([np.ravel(part) for part in y])
        return np.ravel(y)

    expected = s2sad.jacfwd(joined, which)(*args)
    expected = np.reshape(expected, (np.shape(expected)[0], -1))
    got = s2sad.sparse_jacobian(joined, which)(*args)
    np.testing.assert_allclose(got.toarray(), expected, rtol=1e-9, atol=1e-9, err_msg=f"{number}\n{text}")
