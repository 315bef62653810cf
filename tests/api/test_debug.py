"""`debug=True`: the line that made the first nan or inf is named; what is fine stays as it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from corpus import seeds_cases
from oracle import assert_close, assert_same, copied
from property.verdicts import lowering_interpreted

import s2sad
from s2sad.driver.conforming import check_results
from s2sad.errors import InternalError
from s2sad.ir.interp import run

DIAGNOSTICS = {d["id"]: d for d in seeds_cases.DIAGNOSTICS}
JIT = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])


def message(call: Any) -> str:
    """Return what the FloatingPointError says that `call` raises."""
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught, lowering_interpreted():
        call()
    return str(caught.value)


def every_mode(f: Any, args: tuple[Any, ...], jit: bool) -> list[str]:
    """Return the messages of gradient, value and gradient, jvp and vjp."""
    return [
        message(lambda: s2sad.grad(f, debug=True, jit=jit)(*args)),
        message(lambda: s2sad.value_and_grad(f, debug=True, jit=jit)(*args)),
        message(lambda: s2sad.jvp(f, args, args, debug=True, jit=jit)),
        message(lambda: s2sad.vjp(f, *args, debug=True, jit=jit)),
    ]


@JIT
def test_the_overflow_is_named_not_the_division_after_it(jit: bool):
    case = DIAGNOSTICS["d_softmax_overflow"]
    for text in every_mode(case["f"], case["args"], jit):
        assert "seeds_cases.py:" in text
        assert text.endswith("e = np.exp(x)")


@JIT
def test_a_division_by_zero_is_named(jit: bool):
    case = DIAGNOSTICS["d_div_zero"]
    for text in every_mode(case["f"], case["args"], jit):
        assert text.endswith("return np.sum(x / np.sum(x))")


@JIT
def test_what_a_selection_leaves_out_is_no_fault(jit: bool):
    case = DIAGNOSTICS["d_where_trap"]
    with np.errstate(all="ignore"), lowering_interpreted():
        got = s2sad.grad(case["f"], debug=True, jit=jit)(*case["args"])
    assert_same(got, np.array([0.5, 0.0, 0.0]), "where")


def root_of_distance(x):
    d = x[0] - x[1]
    r = np.sqrt(d * d)
    return 2.0 * r


@JIT
def test_a_cotangent_that_is_no_number_is_named(jit: bool):
    text = message(lambda: s2sad.grad(root_of_distance, debug=True, jit=jit)(np.ones(2)))
    assert text.startswith("test_debug.py:")
    assert "cotangent" in text
    assert "r = np.sqrt(d * d)" in text
    text = message(lambda: s2sad.jvp(root_of_distance, (np.ones(2),), (np.ones(2),), debug=True, jit=jit))
    assert "tangent" in text


def squared_often(x, n):
    y = x * 1.0
    for k in range(n):  # noqa: B007
        y = y * y
    return np.sum(y)


def test_the_trip_is_told():
    x = np.array([2.0, 10.0])
    text = message(lambda: s2sad.grad(squared_often, debug=True)(x, 12))
    assert text.endswith("y = y * y  [k = 8]")
    compiled = message(lambda: s2sad.grad(squared_often, debug=True, jit=True)(x, 12))
    assert compiled.endswith("y = y * y")


def helper(x):
    inverse = 1.0 / x
    return inverse


def calls_a_helper(x):
    return np.sum(helper(x) ** 2)


@JIT
def test_the_line_of_a_helper_is_named(jit: bool):
    text = message(lambda: s2sad.grad(calls_a_helper, debug=True, jit=jit)(np.array([1.0, 0.0])))
    assert text.endswith("inverse = 1.0 / x")


def test_arguments_are_named():
    x = np.array([1.0, np.nan])
    assert message(lambda: s2sad.grad(calls_a_helper, debug=True)(x)) == "nan or inf in the argument x"
    f = lambda p: p["w"] * p["b"][0]  # noqa: E731
    text = message(lambda: s2sad.grad(f, debug=True)({"w": 1.0, "b": (math.inf,)}))
    assert text == "nan or inf in the argument p_b_0"
    y, pullback = s2sad.vjp(calls_a_helper, np.ones(2), debug=True)
    assert "argument y_bar" in message(lambda: pullback(np.float64(np.inf) * y))


def smallest(x):
    best = np.inf
    for k in range(x.shape[0]):
        if x[k] < best:
            best = x[k]
    scores = np.where(x > 0.0, x, -np.inf)
    weights = np.exp(scores - np.max(scores))
    return best * best + np.sum(weights * x)


@JIT
def test_an_inf_that_the_program_asks_for_is_no_fault(jit: bool):
    x = np.array([1.5, -0.5, 2.0])
    with np.errstate(all="ignore"), lowering_interpreted():
        got = s2sad.value_and_grad(smallest, debug=True, jit=jit)(x)
        assert_same(got, s2sad.value_and_grad(smallest, jit=jit)(x), "infinite on purpose")


def sigmoid(x):
    return np.sum(1.0 / (1.0 + np.exp(-x)))


def test_what_is_infinite_inside_a_line_only_is_no_fault():
    with np.errstate(all="ignore"):
        y, pullback = s2sad.vjp(sigmoid, np.array([-800.0, 1.0]), debug=True)
        assert y == sigmoid(np.array([-800.0, 1.0]))
        assert "cotangent" in message(lambda: pullback(1.0))


GRADIENTS = [c for c in seeds_cases.CASES if c["kind"] == "grad"]


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "nests"])
@pytest.mark.parametrize("part", range(4))
def test_checks_change_no_number(part: int, jit: bool):
    step = 12 if jit else 4
    for case in GRADIENTS[part::step]:
        f, args, argnums = case["f"], case["args"], case["argnums"]
        before = copied(args)
        with np.errstate(all="ignore"), lowering_interpreted():
            plain = s2sad.value_and_grad(f, argnums=argnums, jit=jit)(*args)
            got = s2sad.value_and_grad(f, argnums=argnums, jit=jit, debug=True)(*args)
            if not jit:
                y, pullback = s2sad.vjp(f, *args)
                assert_same(s2sad.vjp(f, *args, debug=True)[1](y), pullback(y), case["id"])
        assert_close(got, plain, 1e-13 if jit else 0.0, case["id"])  # nests may sum in another order
        assert_same(args, before, "arguments")


def test_the_text_is_readable_deterministic_and_can_be_read_again():
    texts = [s2sad.grad(squared_often, debug=True).source_for(np.ones(2), 3) for _ in range(2)]
    assert texts[0] == texts[1]
    assert "isfinite" not in s2sad.grad(squared_often).source_for(np.ones(2), 3)
    gradient = s2sad.grad(squared_often, debug=True)
    gradient(np.ones(2), 3)
    product = s2sad.jvp(gradient.__wrapped__, (np.ones(2), 3), (np.ones(2), None))[1]
    assert_same(product, s2sad.hvp(squared_often, (np.ones(2), 3), (np.ones(2), None)), "second order")
    assert "        if not np.all(np.isfinite(y)):\n            raise FloatingPointError(f" in texts[0]


def test_the_ir_with_checks_means_the_same():
    gradient = s2sad.grad(squared_often, debug=True)
    x = np.array([0.3, -0.9])
    expected = gradient(x, 3)
    checked = dict(gradient.stages)["checks"]
    (got,) = run(checked, x, 3)
    assert_same(got, expected, "interpreted")


def test_a_result_of_another_type_than_promised_is_a_defect():
    gradient = s2sad.grad(squared_often, debug=True)
    x = np.ones(2)
    fn = gradient.program.find((x, 3), {})[0].ir
    check_results(fn, (x, 3), np.ones(2))
    for wrong in (np.ones(3), np.ones(2, np.float32), 1.0, np.ones((2, 1))):
        with pytest.raises(InternalError, match="S905"):
            check_results(fn, (x, 3), wrong)


def test_compiled_code_names_the_line():
    case = DIAGNOSTICS["d_softmax_overflow"]
    gradient = s2sad.grad(case["f"], debug=True, jit=True)
    with pytest.raises(FloatingPointError, match=r"e = np\.exp\(x\)$"):
        gradient(*case["args"])
    x = np.array([1.0, 0.0])
    assert_close(gradient(x), s2sad.grad(case["f"])(x), 1e-15, "softmax")
