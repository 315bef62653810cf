"""Programs at the edges of NumPy's rules, plain and compiled: values, both modes, second order."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numeric
import numpy as np
import pytest

import s2sad

Program = Callable[..., Any]
RNG = np.random.default_rng(17)
V = RNG.normal(size=4)
Z = RNG.normal(size=4) + 1j * V
A = RNG.normal(size=(3, 4))
ROW, COLUMN, ONE = A[:1], A[:, :1], A[:1, :1]


def copied_rows(x: Any, y: Any) -> Any:
    a, b = x * 2.0, x * 3.0
    np.copyto(a, y)
    np.copyto(b, y[y == y[0]])
    return a * b * x


CASES: list[tuple[Program, tuple[Any, ...]]] = [
    (lambda x, y: np.einsum("ij,ij", x, y), (COLUMN, A)),
    (lambda x, y: np.einsum("ij,jk->ik", x, y), (COLUMN, A.T)),
    (lambda x, y: np.einsum("ij,i->", x, y), (ONE, V)),
    (lambda x, y: np.einsum("ij,ji", x, y), (ROW, A.T)),
    (lambda x, y: np.einsum("ij,ij->ij", x, y), (A[:0, :1], ROW)),
    (lambda x: np.ldexp(x, 3), (V,)),
    (lambda x, w: np.average(x, weights=w, axis=1), (A, np.abs(V))),
    (lambda x, y: np.tensordot(x, y, axes=([0, 1], [1, 0])), (A, A.T)),
    (lambda x: np.einsum("iji->j", x), (RNG.normal(size=(2, 3, 2)),)),
    (lambda x: np.tile(x, (2, 1, 3)), (A,)),
    (lambda a, b: np.outer(a, b), (2.0, V)),
    (lambda x: np.append(x[0], x), (V,)),
    (lambda x, y: np.inner(x, y), (np.ones((0, 3, 4)), A)),
    (lambda x: np.nanmean(x, axis=0) ** 2, (A,)),
    (lambda x: np.max(x, axis=0, initial=0.5), (A,)),
    (lambda x: np.max(x, initial=0.5), (V[:0],)),
    (lambda x, y: np.min(x, axis=1, initial=y), (A[:, :0], 2.0)),
    (copied_rows, (A, V)),
    (lambda z: np.arccosh(z), (Z,)),
    (lambda z: (-2.0) ** z, (Z,)),
    (lambda x, z: np.power(x, z), (V, Z)),
    (lambda z: np.nanvar(z, axis=0), (np.array([Z, 2j * Z, Z * Z]),)),
    (lambda z: np.nanstd(z, ddof=1), (Z,)),
    (lambda x: np.nanstd(x), (np.append(V, np.nan),)),
    (lambda x, y: np.einsum("ij,ij->i", x[x[:, 0] == x[0, 0]], y), (A, A)),
]  # fmt: skip


def text_of(case: tuple[Program, tuple[Any, ...]]) -> str:
    lines = inspect.getsource(case[0]).strip().removeprefix("(lambda ").split(", (")
    return ", (".join(lines[:-1])[:70] or lines[0][:70]


def moved(args: tuple[Any, ...], dots: tuple[Any, ...], h: float) -> tuple[Any, ...]:
    return tuple(a if d is None else a + h * d for a, d in zip(args, dots, strict=True))


def differences(f: Callable[[float], Any], h: float = 1e-4) -> Any:
    one, two = np.subtract(f(h), f(-h)), np.subtract(f(2 * h), f(-2 * h))
    return (8 * one - two) / (12 * h)


def random_like(a: Any, rng: np.random.Generator) -> Any:
    t = np.asarray(a)
    if t.dtype.kind not in "fc":
        return None
    made = rng.normal(size=t.shape) + (1j * rng.normal(size=t.shape) if t.dtype.kind == "c" else 0.0)
    return np.asarray(made, t.dtype) if isinstance(a, np.ndarray) else t.dtype.type(made).item()


def joined(bars: tuple[Any, ...]) -> Any:
    return np.concatenate([np.ravel(b) for b in bars])


def pairing(a: Any, b: Any) -> Any:
    return 0.0 if b is None else numeric.pairing(a, b)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("jit", [False, True], ids=["plain", "jit"])
@pytest.mark.parametrize("case", CASES, ids=text_of)
def test_derivatives(case: tuple[Program, tuple[Any, ...]], jit: bool, rng: np.random.Generator) -> None:
    f, args = case
    wanted = f(*args)
    dots = tuple(random_like(a, rng) for a in args)
    places = tuple(k for k, d in enumerate(dots) if d is not None)

    y, y_dot = s2sad.jvp(f, args, dots, jit=jit)
    np.testing.assert_allclose(y, wanted, rtol=1e-13, atol=1e-13)
    assert np.asarray(y).dtype == np.asarray(wanted).dtype
    expected = differences(lambda h: f(*moved(args, dots, h)))
    np.testing.assert_allclose(y_dot, expected, rtol=1e-6, atol=1e-6)

    y_bar = random_like(wanted, rng)
    _, pullback = s2sad.vjp(f, *args, jit=jit)
    bars = pullback(y_bar)
    assert [np.shape(bars[k]) for k in places] == [np.shape(args[k]) for k in places]
    left, right = pairing(y_bar, y_dot), sum(pairing(bars[k], dots[k]) for k in places)
    assert abs(left - right) <= 1e-11 * max(1.0, abs(left))

    def pull(*xs: Any) -> Any:
        found = s2sad.vjp(f, *xs)[1](y_bar)
        return tuple([found[k] for k in places])

    bends = s2sad.jvp(pull, args, dots)[1]
    expected = differences(lambda h: joined(pull(*moved(args, dots, h))))
    np.testing.assert_allclose(joined(bends), expected, rtol=1e-6, atol=1e-6)

    weights = tuple(random_like(args[k], rng) for k in places)
    backs = s2sad.vjp(pull, *args, jit=jit)[1](weights)
    left, right = (sum(map(pairing, a, b)) for a, b in ((weights, bends), (backs, dots)))
    assert abs(left - right) <= 1e-10 * max(1.0, abs(left))


def test_what_gives_a_sign_or_a_direction_adds_nothing() -> None:
    """No `0.0 * ...`, which would be nan where a tangent is not finite."""
    for f in (np.copysign, np.nextafter, math.copysign, math.nextafter):

        def g(a: float, b: float, f: Any = f) -> Any:
            return f(a, b)

        assert s2sad.jvp(g, (1.5, 2.0), (3.0, np.inf))[1] == 3.0
        assert s2sad.grad(g, argnums=(0, 1))(1.5, 2.0) == (1.0, 0.0)
