"""The checker fails on rules wrong by 0.1 %, by a term, in shape or in dtype, and on wrong values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from s2sad.ops import OPS
from s2sad.ops.expr import apply
from s2sad.ops.functions import cos, sin, span_at, swap
from table.check import check
from table.coverage import missing
from table.rows import rows


@contextmanager
def patched(name: str, **columns: Any) -> Iterator[None]:
    """Change columns of an op of the table."""
    before = OPS[name]
    OPS[name] = replace(before, **columns)
    try:
        yield
    finally:
        OPS[name] = before


def kinds(call: str, case: str) -> set[str]:
    """Return the kinds of problems of a case."""
    (row,) = rows(case, call)
    return {kind for kind, _ in check(row, case).problems}


def test_the_right_rules_pass() -> None:
    for call, case in (("np.sin(x)", "34"), ("np.matmul(x, y)", "34,43"), ("np.mean(x, axis=0)", "f34")):
        assert kinds(call, case) == set()


WRONG: list[tuple[str, str, str, Callable[..., Any]]] = [
    ("np.sin(x)", "34", "sin", lambda g, x, y: 1.001 * cos(x) * g),
    ("np.sin(x)", "s", "sin", lambda g, x, y: 1.001 * cos(x) * g),
    ("np.sin(x)", "f3", "sin", lambda g, x, y: 1.001 * cos(x) * g),
    ("np.sin(x)", "34", "sin", lambda g, x, y: -cos(x) * g),
    ("np.sin(x)", "34", "sin", lambda g, x, y: sin(x) * g),
    ("x * y", "34,34", "multiply", lambda g, a, b, y: (b * g, 0.0 * g)),  # a dropped term
    ("x * y", "34,4", "multiply", lambda g, a, b, y: (a * g, b * g)),
    ("np.mean(x)", "34", "mean", lambda x, y, axis, keepdims: 1.001 / 12),
    ("x @ y", "34,43", "matmul", lambda g, a, b, y: (g @ swap(b), 1.001 * (swap(a) @ g))),
    ("x @ y", "34,43", "matmul", lambda g, a, b, y: (g @ swap(b), apply("zeros_like", b, dtype=None))),
    ("np.cumsum(x)", "5", "cumsum", lambda g, x, y, axis: (apply("cumsum", g, axis=axis),)),
]


@pytest.mark.parametrize(("call", "case", "op", "rule"), WRONG)
def test_a_wrong_rule_is_found(call: str, case: str, op: str, rule: Any) -> None:
    with patched(op, derivative=rule):
        assert kinds(call, case) & {"jvp", "dot", "hvp", "grad"}


def test_a_wrong_shape_is_found() -> None:
    with patched("cumsum", derivative=lambda g, x, y, axis: (span_at(g, 0, hi=2),)):
        assert kinds("np.cumsum(x)", "5") & {"dot", "dtype", "crash"}


def test_a_wrong_dtype_is_found() -> None:
    with patched("sin", spelling="np.float64(1.0) * np.sin({})"):
        assert "dtype" in kinds("np.sin(x)", "f3")


def test_a_wrong_value_is_found() -> None:
    with patched("tanh", spelling="np.arctan"):
        assert "value" in kinds("np.tanh(x)", "34")


def test_a_rule_right_at_first_order_only_is_found() -> None:
    with patched("sin", derivative=lambda g, x, y: apply("stop_gradient", cos(x)) * g):
        assert kinds("np.sin(x)", "34") == {"hvp"}


def test_a_refusal_that_no_row_says_is_found() -> None:
    assert kinds("np.pad(x, 1, mode='reflect')", "34") == {"S202"}


def test_a_refusal_that_is_none_is_found() -> None:
    (row,) = rows("34", "np.sin(x)", refused="S202")
    assert [kind for kind, _ in check(row, "34").problems] == ["accepted"]


def test_an_argument_that_has_a_rule_is_found_where_the_row_says_none() -> None:
    (row,) = rows("34,34", "x * y", fixed="y")
    assert [kind for kind, _ in check(row, "34,34").problems] == ["accepted"]


def test_an_array_that_is_written_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiling(f: Any, args: Any, dots: Any, **options: Any) -> Any:
        args[0][...] = 0.0
        return f(*args), f(*args)

    monkeypatch.setattr("table.check.s2sad.jvp", spoiling)
    assert "touched" in kinds("np.sin(x)", "34")


def test_all_is_missing_from_an_empty_table() -> None:
    assert len(missing([])) > 400
