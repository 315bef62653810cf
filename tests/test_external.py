"""Functions that are called but not read, with rules around them."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest
from oracle import assert_close
from written import written

import s2sad
from s2sad.settings import settings


def bisect(theta: float) -> float:
    """A root finder that s2sad could not read: it has a try in it."""
    lo, hi = 0.0, 1.0
    try:
        for _ in range(60):
            mid = 0.5 * (lo + hi)
            lo, hi = (lo, mid) if mid**3 + theta * mid > 1.0 else (mid, hi)
    finally:
        pass
    return 0.5 * (lo + hi)


root = s2sad.custom_vjp(s2sad.external(bisect, result=lambda theta: theta))


def root_fwd(theta):
    x = root(theta)
    return x, (x, theta)


def root_bwd(kept, g):
    x, theta = kept
    return (-g * x / (3.0 * x * x + theta),)


root.defvjp(root_fwd, root_bwd)


def scaled(x: Any, kind: Any, factor: Any) -> Any:
    try:
        return np.ascontiguousarray(x) * factor if kind == "times" else None
    finally:
        pass


@s2sad.external(result=lambda x, kind, factor: x)
def wrong(x: Any, kind: Any, factor: Any) -> Any:
    return np.ones(2)


def loss(theta):
    return root(theta) ** 2 * theta


def test_first_and_second_order() -> None:
    h = 1e-5
    slope = s2sad.grad(loss)
    assert_close(slope(0.8), (loss(0.8 + h) - loss(0.8 - h)) / (2 * h), 1e-8, "gradient")
    assert_close(s2sad.grad(slope)(0.8), (slope(0.8 + h) - slope(0.8 - h)) / (2 * h), 1e-8, "second order")
    assert_close(s2sad.jvp(loss, (0.8,), (1.0,))[1], slope(0.8), 1e-15, "jvp")
    assert "import bisect" in slope.source
    assert slope.source.count("bisect(") == 1


def test_arrays_and_constants() -> None:
    times = s2sad.custom_jvp(s2sad.external(scaled, result=lambda x, kind, factor: x))
    x = np.array([1.0, 2.0])

    def loss(x, c):
        return np.sum(times(x, "times", c) ** 2)

    times.defjvp(lambda p, t: (times(*p), times(t[0], "times", p[2]) + times(p[0], "times", t[2])))
    assert_close(s2sad.jvp(loss, (x, 3.0), (x, None))[1], 90.0, 1e-14, "jvp")
    with pytest.raises(s2sad.UnsupportedOp, match=r"S205.*without end"):
        s2sad.grad(loss)(x, 3.0)
    times.defjvp(lambda p, t: (times(*p), t[0] * p[2] + p[0] * t[2]))
    found = s2sad.grad(lambda x, c: np.sum(times(x, "times", c) ** 2), argnums=(0, 1))(x, 3.0)
    assert_close(found, (18.0 * x, 30.0), 1e-14, "gradient")


def test_what_is_returned_is_checked() -> None:
    with pytest.raises(TypeError, match=r"declared was float64\(3,\), returned float64\(2,\)"):
        s2sad.grad(lambda x: np.sum(wrong(np.ones(3), "a", 1.0)) * x)(2.0)


def applied(x: Any, f: Any) -> Any:
    try:
        return f(x)
    finally:
        pass


def several(x, c):
    total = 0.0
    for i in range(3):
        total += np.sum(times(x.T * i, "times", c)[0]) ** 2
    return total + single(np.float32(c)) + point(x[0, 0])[()]


times = s2sad.custom_jvp(s2sad.external(scaled, result=lambda x, kind, factor: x))
times.defjvp(lambda p, t: (times(*p), t[0] * p[2] + p[0] * t[2]))


def to_single(x: Any) -> Any:
    try:
        return np.float32(2.0) * x
    finally:
        pass


def to_point(x: Any) -> Any:
    try:
        return np.array(3.0 * x)
    finally:
        pass


single = s2sad.custom_jvp(s2sad.external(to_single, result=lambda x: x))
single.defjvp(lambda p, t: (single(*p), np.float32(2.0) * t[0]))
point = s2sad.custom_jvp(s2sad.external(to_point, result=lambda x: np.array(x)))
point.defjvp(lambda p, t: (point(*p), np.array(3.0 * t[0])))


@pytest.mark.parametrize("compiler", ["without_numba", "by_numba"])
@pytest.mark.parametrize("cache", ["0", "kept"])
def test_compiled_code_calls_python(
    cache: str,
    compiler: str,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue(compiler)
    monkeypatch.setattr(settings, "cache", cache if cache == "0" else str(tmp_path))
    assert_close(s2sad.grad(loss, jit=True)(0.8), s2sad.grad(loss)(0.8), 1e-14, "scalar")
    x = np.arange(6.0).reshape(2, 3) + 1.0
    for _ in range(2):
        slope = s2sad.value_and_grad(several, argnums=(0, 1), jit=True)
        got, want = slope(x, 3.0), s2sad.value_and_grad(several, argnums=(0, 1))(x, 3.0)
        assert_close(got, want, 1e-13, "arrays and constants")
    assert "outside_scaled_3_float64_2d(" in slope.lowered_source
    with pytest.raises(TypeError, match=r"declared was float64\(3,\), returned float64\(2,\)"):
        s2sad.grad(lambda x: np.sum(wrong(np.ones(3), "a", 1.0)) * x, jit=True)(2.0)
    with pytest.raises(ZeroDivisionError):
        s2sad.jit(lambda x: raising(x) * 2.0)(1.0)


@s2sad.external(result=lambda x: x)
def raising(x: Any) -> Any:
    return x / 0


def is_single(x: Any, y: Any) -> Any:
    try:
        return float(isinstance(x, np.float32)) + 2.0 * float(isinstance(y, np.float32))
    finally:
        pass


kinds_of = s2sad.custom_jvp(s2sad.external(is_single, result=lambda x, y: 1.0))
kinds_of.defjvp(lambda p, t: (kinds_of(*p), 0.0))


@pytest.mark.parametrize("compiler", ["without_numba", "by_numba"])
def test_scalars_are_handed_over_as_what_they_are(compiler: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(compiler)

    def program(x, single):
        return x * kinds_of(single, None) + x * x * kinds_of(None, single)

    for jit in (False, True):
        assert s2sad.value_and_grad(program, jit=jit)(3.0, np.float32(2.0)) == (21.0, 13.0)


asked: list[float] = []


def measured(x: Any) -> Any:
    asked.append(x)
    try:
        return np.sin(x)
    finally:
        pass


measurement = s2sad.external(measured, result=lambda x: x)


@pytest.mark.parametrize("jit", [False, True])
def test_reverse_sweeps_do_not_call_again(jit: bool) -> None:
    def program(x, ask):
        total = 0.0
        for i in range(5):
            x = np.cos(ask(0.5 * i) * x)
            total += ask(2.0 + i) * x * x
        return total

    slope = s2sad.grad(lambda x: program(x, measurement), jit=jit)
    slope(0.3)
    asked.clear()
    assert_close(slope(0.7), s2sad.grad(lambda x: program(x, np.sin))(0.7), 1e-13, "gradient")
    assert asked == [x for i in range(5) for x in (0.5 * i, 2.0 + i)]


@pytest.mark.parametrize("compiler", ["without_numba", "by_numba"])
def test_functions_of_one_name(compiler: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(compiler)
    modules = []
    for k in (2.0, 3.0):
        name = f"of_one_name_{k:.0f}"
        module = sys.modules[name] = types.ModuleType(name)
        text = f"def f(x):\n    try:\n        return x * {k}\n    finally:\n        pass\n"
        written(text, f"<{name}>", vars(module))
        modules.append(module)
    two, three = (s2sad.custom_jvp(s2sad.external(m.f, result=lambda x: x)) for m in modules)
    two.defjvp(lambda p, t: (two(*p), 2.0 * t[0]))
    three.defjvp(lambda p, t: (three(*p), 3.0 * t[0]))

    def helper(x):
        f = two(x) * x
        return np.sin(f) if x > 0 else f

    helper.__name__ = helper.__qualname__ = "f"

    def program(x):
        f = three(x)
        return helper(x) + helper(f) * f

    def plain(x):
        return np.sin(2.0 * x * x) + np.sin(18.0 * x * x) * 3.0 * x

    for jit in (False, True):
        value, slope = s2sad.value_and_grad(program, jit=jit)(0.7)
        assert_close(value, plain(0.7), 1e-14, "value")
        assert_close(slope, s2sad.grad(plain)(0.7), 1e-13, "gradient")


def test_refusals() -> None:
    opaque = s2sad.external(bisect, result=lambda theta: theta)
    with pytest.raises(s2sad.UnsupportedOp, match=r"(?s)S203.*custom_vjp"):
        s2sad.grad(opaque)(0.8)
    with pytest.raises(s2sad.S2sadError, match=r"S203"):
        s2sad.grad(lambda t: opaque(t))(0.8)
    opaque = s2sad.external(applied, result=lambda x, f: x)
    with pytest.raises(s2sad.UnsupportedOp, match=r"S292.*hand the function bisect"):
        s2sad.jit(lambda x: opaque(x, bisect) * 1.0)(0.8)
    local = s2sad.external(lambda theta: theta, result=lambda theta: theta)
    with pytest.raises(s2sad.UnsupportedSyntax, match="S130"):
        s2sad.grad(lambda t: local(1.0) * t)(0.8)
    with pytest.raises(s2sad.UnsupportedSyntax, match="by position"):
        s2sad.grad(lambda t: opaque(t, f=1.0) * t)(0.8)


def airy_like(x: Any) -> Any:
    try:
        return np.exp(-x) * np.sin(x)
    finally:
        pass


def hypotenuse(x: Any, y: Any) -> Any:
    try:
        return np.sqrt(x * x + y * y)
    finally:
        pass


def test_defrule() -> None:
    returned = s2sad.defrule(airy_like, lambda g, x, y: g * (np.exp(-x) * np.cos(x) - y))
    s2sad.defrule(hypotenuse, lambda g, x, y, h: (g * x / h, g * y / h))
    x, y = np.array([0.3, 1.2]), np.array([2.0, -1.0])

    def program(x, y):
        return np.sum(airy_like(x) * hypotenuse(x, y))

    def plain(x, y):
        return np.sum(np.exp(-x) * np.sin(x) * np.sqrt(x * x + y * y))

    each = (0, 1)
    assert_close(
        s2sad.grad(program, argnums=each)(x, y), s2sad.grad(plain, argnums=each)(x, y), 1e-13, "gradient"
    )
    assert_close(s2sad.hvp(program, (x, y), (y, x)), s2sad.hvp(plain, (x, y), (y, x)), 1e-12, "hvp")
    assert_close(
        s2sad.grad(lambda x: np.sum(returned(x)))(x), np.exp(-x) * (np.cos(x) - np.sin(x)), 1e-14, "itself"
    )


def test_a_rule_that_is_given_anew() -> None:
    f = s2sad.custom_jvp(lambda x: x * x)
    f.defjvp(lambda p, t: (f(*p), 2.0 * p[0] * t[0]))
    slope = s2sad.grad(lambda x: f(x) * 1.0)
    assert slope(3.0) == 6.0
    f.defjvp(lambda p, t: (f(*p), 7.0 * t[0]))
    assert slope(3.0) == 7.0
