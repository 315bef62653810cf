"""Symbolic sizes stand for the numbers that Python computes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from s2sad.ir.size import Size, slice_length

SYMBOLS = ("x.0", "y.1", "k")  # two dimensions and an int of any sign
KINDS = ("symbol", "const", "sum", "difference", "times", "quotient", "clamp", "minimum", "slice")


@st.composite
def sizes(draw: st.DrawFn, depth: int = 3) -> Any:
    """Draw a size and the function of the symbols that it stands for."""
    kind = draw(st.sampled_from(KINDS))
    if depth == 0 or kind in ("symbol", "const"):
        name = draw(st.sampled_from(SYMBOLS))
        value = draw(st.integers(-3, 3))
        if kind == "const":
            return Size.of(value), lambda env: value
        return Size.symbol(name), lambda env: env[name]
    (a, f), (b, g) = draw(sizes(depth - 1)), draw(sizes(depth - 1))
    match kind:
        case "sum":
            return a + b, lambda env: f(env) + g(env)
        case "difference":
            return a - b, lambda env: f(env) - g(env)
        case "times":
            k = draw(st.integers(-2, 3))
            return a * k, lambda env: f(env) * k
        case "quotient":
            k = draw(st.sampled_from([-2, 2, 3]))
            return a // k, lambda env: f(env) // k
        case "clamp":
            return a.clamped(), lambda env: max(f(env), 0)
        case "minimum":
            return a.minimum(b), lambda env: min(f(env), g(env))
    c, h = draw(sizes(depth - 1))
    step = draw(st.sampled_from([None, 1, 2, -1, -2]))
    bounds = draw(st.tuples(st.booleans(), st.booleans()))
    lo, hi = a if bounds[0] else None, b if bounds[1] else None

    def length(env: dict[str, int]) -> int:
        part = slice(f(env) if bounds[0] else None, g(env) if bounds[1] else None, step)
        return len(range(max(h(env), 0))[part])

    return slice_length(c.clamped(), lo, hi, None if step is None else Size.of(step)), length


@settings(max_examples=800, deadline=None)
@given(sizes(), st.integers(0, 4), st.integers(0, 4), st.integers(-4, 4))
def test_a_size_is_what_it_stands_for(drawn: Any, x: int, y: int, k: int):
    size, number = drawn
    env = {"x.0": x, "y.1": y, "k": k}
    assert size.evaluate(env) == number(env)
    assert not size.is_nonnegative or number(env) >= 0


def test_the_parts_of_an_array_are_the_array():
    n, k = Size.symbol("x.0"), Size.symbol("y.0")
    for cut in (Size.of(1), k, (n - 1).clamped()):
        assert slice_length(n, None, cut, None) + slice_length(n, cut, None, None) == n
    both = n + k
    assert slice_length(both, None, n, None) == n
    assert slice_length(both, n, None, None) == k


def test_parts_of_parts_are_parts():
    n = Size.symbol("x.0")
    tail = slice_length(n, Size.of(1), None, None)
    assert tail is not None
    assert slice_length(tail, None, Size.of(-1), None) == slice_length(n, Size.of(1), Size.of(-1), None)
    assert (n // 2 + 1).clamped() == n // 2 + 1
