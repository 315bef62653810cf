"""`.explain()`: what each line does for the derivative, where derivatives end, what is kept and how much."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from corpus import seeds_cases

import s2sad
from s2sad.ir.memory import memory
from s2sad.ir.size import Size
from s2sad.ir.types import Array


def notes(derivative: Any, *args: Any) -> dict[str, str]:
    """Return the note of each line of code, and the lines of the report by their section."""
    derivative.source_for(*args)
    text = derivative.explain()
    assert text == derivative.explain()
    found: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("# "):
            section = line[2:]
            found[section] = ""
        elif line[:4].strip():
            code, _, note = line[6:].partition("  # ")
            found[code.strip()] = note
        else:
            found[section] += line.strip() + "\n"
    return found


def recurrent(w, x, n):
    h = np.zeros(x.shape[0])
    total = 0.0
    for _t in range(n):
        h = np.tanh(w @ h + x)
        total += np.sum(h * h)
    return total


def test_the_tape_is_a_formula_in_the_sizes():
    w, x = 0.1 * np.eye(3), np.ones(3)
    gradient = s2sad.grad(recurrent)
    found = notes(gradient, w, x, 4)
    assert found["h = np.tanh(w @ h + x)"].startswith(
        "active (matmul, add, tanh); taped: h_tape (8*max(n,0)*"
    )
    assert "for lines" in found["h = np.tanh(w @ h + x)"]
    assert found["total = 0.0"] == ""
    assert found["the tape"] in ("16*max(n,0)*w.0 bytes\n", "16*max(n,0)*x.0 bytes\n")
    tape = s2sad.vjp(recurrent, w, x, 4)[1].tape
    kept = [a for a in tape if not any(np.array_equal(a, given) for given in (w, x))]  # no parameters
    assert sum(np.size(a) * 8 for a in kept if np.ndim(a)) == 16 * 4 * 3


def straight(x):
    e = np.exp(x)
    s = np.sin(e)
    return np.sum(s * s)


def test_values_that_stay_in_memory_are_counted():
    x = np.ones(5)
    found = notes(s2sad.grad(straight), x)
    assert found["e = np.exp(x)"] == "active (exp); taped: e (8*x.0 bytes) for lines 65, 66".replace(
        "65, 66", f"{straight.__code__.co_firstlineno + 1}, {straight.__code__.co_firstlineno + 2}"
    )
    assert found["the tape"] == "16*x.0 bytes\n"
    assert sum(a.nbytes for a in s2sad.vjp(straight, x)[1].tape) == 16 * 5


def test_a_forward_derivative_has_no_tape():
    derivative = s2sad.jacfwd(straight)
    found = notes(derivative, np.ones(2))
    assert found["e = np.exp(x)"] == "active (exp)"
    assert "the tape" not in found


def test_an_argument_that_the_result_does_not_depend_on():
    found = notes(s2sad.grad(seeds_cases.d_ignores_arg), np.ones(2), np.ones(2))
    assert found["arguments whose derivative is zero"] == "x: the result does not depend on it\n"


def cut_everywhere(a, b, c, d, e, f):
    n = int(a)
    total = n * 2.0 + np.floor(b) + s2sad.stop_gradient(c) + np.round(f)
    if d > 1.0:
        total += 1.0
    counts = np.zeros(3, dtype=np.int64)
    counts[0] = e
    return total + counts[0]


def test_what_cuts_a_derivative_is_named_with_its_line():
    gradient = s2sad.grad(cut_everywhere, argnums=(0, 1, 2, 3, 4, 5))
    args = (1.5, 2.5, 3.5, 4.5, 5.5, 6.5)
    assert gradient(*args) == (0.0,) * 6
    report = notes(gradient, *args)["arguments whose derivative is zero"]
    first = cut_everywhere.__code__.co_firstlineno
    expected = {"a": ("int", 1), "b": ("floor", 2), "c": ("stop_gradient", 2), "d": ("a comparison", 3)}
    expected |= {"e": ("an array of ints", 6), "f": ("ro", 2)}
    lines = dict(line.split(": ", 1) for line in report.splitlines())
    assert set(lines) == set(expected)
    for name, (why, line) in expected.items():
        assert lines[name].startswith(f"its derivative ends at {why}"), lines[name]
        assert f"test_explain.py:{first + line}" in lines[name], lines[name]


def helped(x, y):
    return truncated(x) + truncated(y) * y


def truncated(x):
    if x > 100.0:
        return 100.0
    return np.trunc(x)


def test_a_cut_inside_a_helper_is_no_independence():
    report = notes(s2sad.grad(helped), 1.5, 2.5)["arguments whose derivative is zero"]
    assert report.startswith("x: its derivative ends at")
    assert "\ny:" not in report


def shapes_only(x, y):
    return np.sum(y) / x.shape[0] + np.sum(np.zeros_like(x))


def test_a_shape_is_no_value():
    report = notes(s2sad.grad(shapes_only), np.ones(2), np.ones(2))["arguments whose derivative is zero"]
    assert report == "x: the result does not depend on it\n"


def growing(x):
    y = x * 1.0
    while np.sum(y) < 100.0:
        y = y * (1.0 + y)
    return np.sum(y)


def test_loops_without_a_bound_and_nested_results():
    found = notes(s2sad.grad(growing), np.ones(2))
    assert "known at run time only" in found["the tape"]
    assert "derivative ends: a comparison" not in found["return np.sum(y)"]


def test_loop_nests_of_compiled_code():
    found = notes(s2sad.grad(straight, jit=True), np.ones(3))
    first = straight.__code__.co_firstlineno
    assert f"lines {first + 1}, {first + 2}, {first + 3}" in found["loop nests"]
    assert "loop nests" not in notes(s2sad.grad(straight), np.ones(3))


@pytest.mark.parametrize("case", seeds_cases.CASES[::5], ids=lambda c: c["id"])
def test_no_case_with_a_gradient_is_reported_as_zero(case: dict[str, Any]):
    if case["kind"] != "grad":
        return
    derivative = s2sad.grad(case["f"], argnums=case["argnums"])
    derivative.source_for(*case["args"])
    with np.errstate(all="ignore"):
        found = derivative(*case["args"])
    report = derivative.explain().partition("# arguments whose derivative is zero\n")[2]
    names = {line.strip().split(":")[0] for line in report.splitlines() if ": " in line}
    picked = case["argnums"] if isinstance(case["argnums"], tuple) else (case["argnums"],)
    found = found if isinstance(case["argnums"], tuple) else (found,)
    signature = derivative.variant.primal.signature
    for k, gradient in zip(picked, found, strict=True):
        if not isinstance(gradient, dict | list | tuple) and np.any(gradient):
            assert signature[k].name not in names


def test_formulas_of_memory():
    n, m = Size.symbol("n"), Size.symbol("m")
    f8, f4 = np.dtype(np.float64), np.dtype(np.float32)
    assert memory([]) == "0 bytes"
    assert memory([Array(f8, (n, Size.of(3))), Array(f4, (n,))]) == "28*n bytes"
    assert memory([Array(f8, (n + 1, m)), Array(f8, (Size.of(2),))]) == "8*(n+1)*m + 16 bytes"
