"""The table test must fail on rules that are wrong by 0.1 %, by a term, in shape or in dtype."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import draw
from numeric import Case
from test_table import check_dot_product, check_jvp, check_second_order, check_single, check_types

from s2sad.ops import OPS, functions
from s2sad.ops.declare import bilinear, elementwise, linear, reduction
from s2sad.ops.expr import apply
from s2sad.ops.functions import cos, span_at, swap


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    """Ops declared by a test do not stay."""
    before = dict(OPS)
    yield
    OPS.clear()
    OPS.update(before)


def x(*shape: int) -> Any:
    return draw(shape, (-2.0, 2.0))


def test_the_right_rule_passes(rng: np.random.Generator) -> None:
    op = elementwise(
        "right", lambda a, b: a * np.sin(b), lambda g, a, b, y: (functions.sin(b) * g, a * cos(b) * g)
    )
    case = Case(op, (x(2, 3), x(3)))
    check_jvp(case, rng)
    check_dot_product(case, rng)
    check_second_order(case, rng)


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, a, b, y: (functions.sin(b) * g, 1.001 * a * cos(b) * g),
        lambda g, a, b, y: (functions.sin(b) * g, 0.0 * g),
        lambda g, a, b, y: (functions.sin(b) * g, -a * cos(b) * g),
        lambda g, a, b, y: (a * cos(b) * g, functions.sin(b) * g),
    ],
)
def test_a_wrong_formula_is_found(rng: np.random.Generator, rule: Any) -> None:
    op = elementwise("wrong", lambda a, b: a * np.sin(b), rule)
    with pytest.raises(AssertionError):
        check_jvp(Case(op, (x(3), x(3))), rng)


def test_a_wrong_weight_is_found(rng: np.random.Generator) -> None:
    op = reduction("wrong", np.mean, lambda x, y, axis, keepdims: 1.001 / x.dims[0].const)
    case = Case(op, (x(3),), {"axis": None, "keepdims": False})
    with pytest.raises((AssertionError, ZeroDivisionError)):
        check_jvp(case, rng)


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, a, b, y: (g @ swap(b), 1.001 * (swap(a) @ g)),
        lambda g, a, b, y: (g @ swap(b), apply("zeros_like", b, dtype=None)),
    ],
)
def test_a_wrong_transpose_is_found(rng: np.random.Generator, rule: Any) -> None:
    op = bilinear("wrong", np.matmul, rule)
    with pytest.raises(AssertionError):
        check_dot_product(Case(op, (x(2, 3), x(3, 4))), rng)


def test_a_wrong_shape_is_found(rng: np.random.Generator) -> None:
    op = linear("wrong", lambda a: a.copy(), lambda g, a, y: (span_at(g, 0, hi=2),))
    with pytest.raises((AssertionError, ValueError)):
        check_dot_product(Case(op, (x(3),)), rng)


def test_a_wrong_dtype_is_found(rng: np.random.Generator) -> None:
    op = elementwise("wrong", lambda a: 2 * a, lambda g, a, y: 2.0 * apply("cast", g, dtype=np.float64))
    with pytest.raises(AssertionError):
        check_single(Case(op, (x(3).astype(np.float32),)), rng)


def test_a_wrong_type_is_found() -> None:
    op = elementwise("wrong", np.sin, lambda g, a, y: cos(a) * g, infer=lambda types, params, sizes: types)
    with pytest.raises(AssertionError):
        check_types(Case(op, (1.5,)))


def test_a_rule_right_at_first_order_only_is_found(rng: np.random.Generator) -> None:
    """The factor is right as a number and hides its dependence on x."""
    op = elementwise("wrong", np.square, lambda g, a, y: apply("hidden", 2.0 * a) * g)
    check_jvp_ok = Case(op, (x(3),))
    elementwise("hidden", lambda v: v, lambda g, v, y: 0.0 * g)
    check_jvp(check_jvp_ok, rng)
    with pytest.raises(AssertionError):
        check_second_order(check_jvp_ok, rng)
