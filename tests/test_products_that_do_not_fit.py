"""Products whose operands do not fit raise, also in gradients that do not compute them: the compiled one
of `x @ y` read beyond the shorter one. Sums by einsum of one operand alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

PRODUCTS: list[tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...]]] = [
    (lambda x, y: x @ y, (3,), (200,)),
    (lambda x, y: np.sum(x @ y), (3, 2), (4,)),
    (lambda x, y: np.sum(np.dot(x, y)), (3, 2), (4, 2)),
    (lambda x, y: np.sum(x @ y), (3,), (4, 3)),
    (lambda x, y: np.sum(x @ y), (2, 3, 2), (2, 3, 2)),
    (lambda x, y: np.einsum("i,i->", x, y), (3,), (4,)),
    (lambda x, y: np.sum(np.einsum("ij,jk->ik", x, y)), (3, 2), (4, 2)),
]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("case", range(len(PRODUCTS)))
def test_products(case: int, jit: bool) -> None:
    f, a, b = PRODUCTS[case]
    gradient = s2sad.grad(f, argnums=(0, 1), jit=jit)
    with pytest.raises(ValueError, match="do not fit: sizes"):
        gradient(np.ones(a), np.ones(b))


@pytest.mark.parametrize("jit", [False, True])
def test_operands_that_stretch(jit: bool) -> None:
    gradient = s2sad.grad(lambda x, y: np.einsum("i,i->", x, y), argnums=(0, 1), jit=jit)
    x_bar, y_bar = gradient(np.array([2.0]), np.array([1.0, 3.0]))
    np.testing.assert_array_equal(x_bar, [4.0])
    np.testing.assert_array_equal(y_bar, [2.0, 2.0])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("subscripts", ["ii->", "ii", "ij->"])
def test_einsum_of_one_operand(subscripts: str, jit: bool) -> None:
    gradient = s2sad.grad(lambda x: np.einsum(subscripts, x), jit=jit)
    expected = np.ones((3, 3)) if "j" in subscripts else np.eye(3)
    np.testing.assert_array_equal(gradient(np.arange(9.0).reshape(3, 3)), expected)
