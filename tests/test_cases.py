"""The reference cases: closed forms for programs of textbooks and lectures, with and without jit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from corpus import seeds_cases
from oracle import assert_close, assert_same, copied
from written import written

import s2sad

CASES = seeds_cases.CASES


def test_there_are_199_cases():
    assert len(CASES) == 199


def derivative(case: dict[str, Any], jit: bool) -> Any:
    """Return what s2sad says for a case."""
    f, args, argnums, kind = case["f"], case["args"], case["argnums"], case["kind"]
    picked = argnums if isinstance(argnums, tuple) else (argnums,)
    if kind == "grad":
        value, gradient = s2sad.value_and_grad(f, argnums=argnums, jit=jit)(*args)
        assert_close(value, f(*copied(args)), 1e-12, "value")
        if not jit:
            assert_same(s2sad.grad(f, argnums=argnums)(*args), gradient, "grad and value_and_grad")
        return gradient
    if kind == "jvp":
        given = dict(zip(picked, case["tangents"], strict=True))
        tangents = tuple(given.get(k) for k in range(len(args)))
        return s2sad.jvp(f, args, tangents, jit=jit)[1]
    if kind == "vjp":
        cotangents = s2sad.vjp(f, *args, jit=jit)[1](case["cotangent"])
        return tuple(cotangents[k] for k in picked)
    if kind == "hvp":
        tangents = tuple(case["v"] if k in picked else None for k in range(len(args)))
        return s2sad.hvp(f, args, tangents, jit=jit)
    if kind == "deriv":
        for _ in range(case["order"] - 1):
            f = s2sad.grad(f, argnums=argnums)
        return s2sad.grad(f, argnums=argnums, jit=jit)(*args)
    transform = {"jacobian": s2sad.jacobian, "hessian": s2sad.hessian}[kind]
    return transform(f, argnums=argnums, jit=jit)(*args)


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_case(case: dict[str, Any], jit: bool):
    before = copied(case["args"])
    with np.errstate(all="ignore"):
        got = derivative(case, jit)
        if case["kind"] == "jacobian":
            for build in (s2sad.jacfwd, s2sad.jacrev):
                other = build(case["f"], argnums=case["argnums"], jit=jit)(*case["args"])
                assert_close(other, case["expected"], case["tol"], build.__name__)
    assert_same(case["args"], before, "arguments")
    assert_close(got, case["expected"], case["tol"], case["id"])
    if case["value"] is not None:
        assert_close(case["f"](*copied(case["args"])), case["value"], 1e-6, "value")


API_PROGRAMS = seeds_cases.API_PROGRAMS
TRANSFORMS = ("grad", "jvp", "vjp", "hvp", "hessian", "jacobian", "stop_gradient", "checkpoint")


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("case", API_PROGRAMS, ids=[p["id"] for p in API_PROGRAMS])
def test_derivatives_called_by_programs(case: dict[str, Any], jit: bool):
    names = {"np": np} | {name: getattr(s2sad, name) for name in TRANSFORMS}
    entry = written(case["src"], f"<{case['id']}>", names)[case["entry"]]
    run = s2sad.jit(entry) if jit else entry
    assert_close(run(*copied(case["args"])), case["expected"], case["tol"], case["id"])


def test_every_diagnostic_program_has_a_test():
    tested_here = {"ignores_arg", "scalar_item", "where_trap", "nonscalar", "try_except", "unknown_call"}
    tested_here |= {"recursion", "generator", "del_and_reuse"}
    in_test_debug = {"div_zero", "softmax_overflow"}
    assert {d["id"] for d in seeds_cases.DIAGNOSTICS} == {f"d_{name}" for name in tested_here | in_test_debug}


def test_a_result_that_ignores_its_argument_has_gradient_zero():
    x = np.array([1.0, 0.0, 2.0])
    gradient = s2sad.grad(seeds_cases.d_ignores_arg)
    assert_same(gradient(x, x.copy()), np.zeros(3), "gradient")
    assert "x: the result does not depend on it" in gradient.explain()


def test_item_keeps_the_derivative():
    x, y = np.array([1.0, 0.0, 2.0]), np.array([0.5, 1.0, -3.0])
    got = s2sad.grad(seeds_cases.d_scalar_item, argnums=(0, 1))(x, y)
    assert_close(got, (np.full(3, np.sum(y)), np.full(3, np.sum(x))), 1e-14, "item")


def test_the_branch_of_where_that_is_not_taken_adds_nothing():
    with np.errstate(divide="ignore", invalid="ignore"):
        got = s2sad.grad(seeds_cases.d_where_trap)(np.array([2.0, -1.0, 0.0]))
    assert_same(got, np.array([0.5, 0.0, 0.0]), "where")


def test_grad_of_an_array_is_refused():
    with pytest.raises(TypeError, match=r"vjp|jacobian"):
        s2sad.grad(seeds_cases.d_nonscalar)(np.ones(3))


def test_try_is_refused_with_its_place():
    with pytest.raises(s2sad.S2sadError) as caught:
        s2sad.grad(seeds_cases.d_try_except)(2.0)
    place, text, caret = str(caught.value).splitlines()[:3]
    assert place.startswith("seeds_cases.py:")
    assert text.strip() == "try:"
    assert caret.strip() == "^"


def test_an_unknown_function_is_named():
    with pytest.raises(s2sad.S2sadError, match=r"busday_count|packbits"):
        s2sad.grad(seeds_cases.d_unknown_call)(np.array([1.0, 0.0, 2.0]))


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
def test_recursion(jit: bool):
    def thrice(x: float) -> float:
        return seeds_cases.d_recursion(x, 3)  # type: ignore[no-any-return]

    a, b = np.sin(0.4), np.sin(np.sin(0.4))
    got = s2sad.grad(thrice, jit=jit)(0.4)
    assert_close(got, np.cos(b) * np.cos(a) * np.cos(0.4), 1e-14, "recursion")


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
def test_sum_of_a_generator_expression(jit: bool):
    x = np.array([1.0, 0.0, 2.0])
    assert_close(s2sad.grad(seeds_cases.d_generator, jit=jit)(x), 2.0 * x, 1e-14, "generator")


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
def test_a_name_deleted_and_used_again(jit: bool):
    x = np.array([1.0, 0.0, 2.0])
    assert_close(s2sad.grad(seeds_cases.d_del_and_reuse, jit=jit)(x), 8.0 * x + 1.0, 1e-14, "del")
