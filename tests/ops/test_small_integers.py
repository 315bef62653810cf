"""Programs whose numbers hang on the dtypes of integers and floats: int8 to uint64, bool, float32, Python's
ints. Values and derivatives, plain and compiled, against what NumPy and Python make of the same program."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import erf

import s2sad

compiled = functools.cache(s2sad.value_and_grad)
Program = Callable[..., Any]
Row = tuple[str, Program, tuple[Any, ...]]
U1, I1, I2, I4, U2, U4, U8 = np.uint8, np.int8, np.int16, np.int32, np.uint16, np.uint32, np.uint64
W = np.array([1.5, -2.25, 3.125, 0.75, -1.375, 5.5, 0.3125, 2.75, -0.625, 4.25, 1.0625, -3.5])
LONG, HUGE = (np.random.default_rng(n).permutation(n) / 4.0 - 7.0 for n in (300, 70000))
UNSIGNED, SIGNED = np.array([3, 200, 7, 0, 130], U1), np.array([-7, 5, -128, 127, 0, -1], I1)
PARTS = {"complex": lambda w: np.real((w[0] + 2j * w[1]) * (1.0 - 1j)), "erf": lambda w: 0.1 * erf(w[2])}
SINGLES = np.array([0.1, 0.7, 0.3], np.float32)
NEAR_LIMITS = [np.array([255, 44, 0], U1), np.array([-1, 44, 127], I1), np.array([-1, 300, -(2**31)], I4)]
NEAR_LIMITS += [np.array([-1, 300, 2**31]).astype(t) for t in (U4, U8, np.bool)]


def slices(w, k):
    a, s = np.reshape(w, (2, -1)), np.sort(w)
    total = np.sum(w[k:]) + 3.0 * np.sum(w[:-k]) + 7.0 * np.sum(w[::k]) + 11.0 * np.sum(w[-1::-k])
    total += 13.0 * np.sum(w[k : k + 100]) + 17.0 * np.sum(w[2 * k :]) + 5.0 * np.sum(np.sort(w)[-k:])
    for i in range(2):
        total += (i + 2.0) * np.sum(a[i, k:]) - 5.0 * np.sum(a[i, :-k]) * (i + 1.0)
    return total + 3.0 * np.sum(s[:k]) + 0.5 * np.sum(s[::-1][k:])


def bounds_of_elements(w, lab):
    a, b, y = lab[0], lab[1], w * 1.0
    total = np.sum(w[a:b]) + 3.0 * np.sum(w[a - b :]) + 5.0 * np.sum(w[b + b :]) + 7.0 * np.sum(w[b:a:-1])
    for i in range(lab.shape[0]):
        y[lab[i] :] *= 2.0
        y[: lab[i] + 100] += w[0]
    return total + 11.0 * w[b] + 13.0 * w[a + b] + np.sum(y) + 3.0 * y[-1]


def six(w, a, c):
    v = w[:3]
    total = np.sum(v * (a < c)) + 3.0 * np.sum(v * (a <= c)) + 5.0 * np.sum(v * (a == c))
    total += 7.0 * np.sum(v * (a != c)) + 11.0 * np.sum(v * (a > c)) + 13.0 * np.sum(v * (c <= a))
    for i in range(3):
        e, u = a[i], w[i + 3]
        total += u * (e < c) + 3.0 * u * (e <= c) + 5.0 * u * (e == c) + 7.0 * u * (c != e)
        total += (11.0 * u if c < e else 0.5 * u) + (13.0 * u if e >= c else 17.0 * u)
    return total


def literals_and_indices(w, a):
    v, e = w[:3], a[1]
    total = np.sum(v * (a < -1)) + 3.0 * np.sum(v * (a == 300)) + 5.0 * np.sum(v * (a >= 2**31))
    total += 7.0 * np.sum(v * (a != -1)) + 11.0 * np.sum(v * (a <= 300)) + 13.0 * np.sum(v * (a > -1))
    total += w[5] * (e < -1) + w[6] * (e == 300) + w[7] * (e >= 2**31) + w[8] * (e != -1) + w[9] * (e > -1)
    total += np.sum(np.where(a < 300, v, 2.0 * v)) + (w[10] if e <= 300 else w[11])
    total += w[12] * (len(w) > e) + w[13] * (e <= w.shape[0]) + (w[14] if w.size == e else w[15])
    for i in range(-3, 305, 4):
        total += w[16] * (a[0] < i) + w[17] * (e >= i) + w[18] * (a[2] == i - 5) + np.sum(w[:3] * (a > i))
        total += w[19] * i if e != i * 2**24 else w[20]
    return total


def two_arrays(w, a, b):
    total = np.sum(w[:3] * (a < b)) + 3.0 * np.sum(w[:3] * (a <= b)) + 5.0 * np.sum(w[:3] * (a == b))
    total += 7.0 * np.sum(w[3:6] * (a != b)) + 11.0 * np.sum(w[3:6] * (a > b)) + np.sum(w[2:5] * (b >= a))
    return total + np.sum(np.where(b > a, w[:3], w[3:6])) + six(w[6:], a, b[1]) + 0.5 * six(w[6:], b, a[0])


def made_and_singles(w, x, c):
    total = w[0] * np.sum(np.full(3, 0.1) == x) + w[1] * np.sum(np.zeros(3) + 0.1 < x)
    total += w[2] * np.sum(np.linspace(0.1, 0.7, 3) != x) + w[3] * np.sum(np.ones(3) * c >= x)
    total += w[4] * np.sum(x <= np.arange(1, 4) * 0.1) + w[5] * np.sum(np.array([0.1, 0.7, 0.3]) == x)
    total += w[6] * np.sum(np.full(3, c) == x[0]) + w[7] * np.sum(x == 0.1) + w[8] * np.sum(x == c)
    made = np.full(3, 0.1)
    for i in range(3):
        total += w[9] * (made[i] == x[i]) + w[10] * (c == x[i]) + w[11] * (made[i] < x[i])
    return total + np.sum(np.where(np.zeros(3) + 0.1 == x, w[:3], w[3:6]))


def made_and_small(w, u, c):
    total = w[0] * np.sum(np.full(3, 300) > u) + w[1] * np.sum(np.zeros(3, np.int64) + 300 == u)
    total += w[2] * np.sum(np.arange(3) + 298 != u) + w[3] * np.sum(np.ones(3) * c < u)
    total += w[4] * np.sum(np.linspace(43.5, 300.0, 3) <= u) + w[5] * np.sum(np.arange(3) - 1 == u)
    total += w[6] * np.sum(np.full(3, -1) < u) + w[7] * np.sum(np.full(3, c) == u[1])
    for i in range(3):
        total += w[8] * (np.full(3, 300)[i] == u[i]) + w[9] * (np.arange(3)[i] - 1 < u[i])
    return total + np.sum(np.where(np.full(3, -1) == u, w[:3], w[3:6]))


def plus(f: Program, part: Program) -> Program:
    return lambda w, *args: f(w, *args) + part(w)


def unsigned(w, u, s):
    a, b = int(u[0]), int(u[1])
    total = w[0] * ((a - b) // 2) + w[1] * ((a - b) % 7) + w[2] * float(u[0] - u[1]) + w[3] * abs(a - b)
    total += w[4] * max(a - b, -5) + (w[5] if a - b < 0 else w[6]) + w[7] * (float(u[0]) - float(u[1]))
    for i in range(u[0], u[1], s):
        total += w[i % 12] * (i - 100)
    for i in range(int(u[1]), int(u[0]), -int(s)):
        total += w[i % 12] * (a - i)
    total += w[8] * np.sign(u[0]) + w[9] * np.sum(np.sign(u)) + w[10] * (np.sign(u[0]) - 2 * np.sign(u[1]))
    return total + w[11] * (a - b) ** 3 + w[0] * min(int(u[3]) - 1, a)


def powers(w, x):
    total = w[0] / x[0] ** -1 + w[1] / x[0] ** -2 + w[2] / x[0] ** -1.0 + w[3] * np.arctan(x[0] ** -1)
    total += np.sum(w[4:6] * np.arctan(x[:2] ** -1)) + np.sum(w[6:8] * np.arctan(x[:2] ** -2))
    (part, whole), (a, b) = np.modf(x[1:]), np.modf(x[2])
    total += np.sum(w[4:7] * part) + w[8] / whole[1] + w[9] / whole[2] + w[10] * a + w[11] * (b > 1e300)
    return total + w[8] * float(x[0] > 0) + w[9] * float(x[1] > 0) + w[10] * (x[0] ** -1.0 > 1e300)


def remainders(w, a, m):
    v = w[:6]
    total = np.sum(v * np.fmod(a, 3)) + 3.0 * np.sum(v * np.fmod(a, -4)) + 5.0 * np.sum(np.fmod(a, m) * v)
    for i in range(a.shape[0]):
        total += 7.0 * w[i] * np.fmod(a[i], 3) + 11.0 * w[i] * np.fmod(a[i], m) + v[i] * np.fmod(i - 3, 2)
        total += w[i + 6] * np.fmod(5, a[i]) + 0.5 * w[i] * np.remainder(a[i], 3) + 0.25 * w[i] * (a[i] % -5)
    return total + w[11] * np.fmod(a[0], a[1])


def clipped(w, a, low, high):
    v = w[:5]
    total = np.sum(v * np.clip(a, -1000, 70000)) + 3.0 * np.sum(v * np.clip(a, 10, 70000))
    total += 5.0 * np.sum(v * np.clip(a, -1000, 10)) + 7.0 * np.sum(v * a.clip(-1000, 70000))
    total += 11.0 * np.sum(v * np.clip(a, low, high)) + np.sum(v * np.clip(a, np.int64(-1), np.int64(300)))
    for i in range(5):
        total += w[i + 6] * np.clip(a[i], -1000, 10) + 0.5 * w[i + 6] * np.clip(a[i], low, high)
    return total + w[11] * np.clip(a, None, 2**40)[1] + w[10] * np.clip(a[2], -(2**40), None)


def counts(w, k):
    n, m = int(k), w[: 12 // k * k].reshape(k, -1)
    total = np.sum(np.repeat(w, k) * np.arange(12 * n)) + np.sum(np.arange(0, 300, k)) * w[0]
    total += np.sum(m[1]) * 3.0 + w[1] * np.zeros(k).size + w[4] * np.eye(k)[0, 0]
    total += np.sum(np.tile(w, k) * np.arange(12 * n)) + 7.0 * np.sum(np.roll(w, k) * np.arange(12))
    total += 9.0 * np.sum(np.roll(w, -k) * np.arange(12)) + w[2] * np.linspace(0, 1, k)[1]
    return total + w[3] * np.sum(np.ones(k * 90))


def averages(w, u):
    a, g = np.average(w[:5], weights=u), np.gradient(u)
    total = a + 3.0 * w[0] * np.average(u, weights=u) + 5.0 * np.sum(w[:5] * g) + 7.0 * w[1] * g[1]
    total += w[2] * np.mean(u) + w[3] * np.sum(u) + w[4] * np.sum(np.gradient(u, 2)) + w[5] * np.var(u)
    return total + w[6] * np.sum(np.abs(np.diff(u))) + w[7] * np.cumsum(u)[-1] + w[8] * np.prod(u[:3])


def extremes(w, k):
    total = w[0] * max(k[0], 2**31) + w[1] * min(k[0], -1) + w[2] * max(k[1], 300) + w[3] * min(300, k[2])
    for i in range(3):
        total += w[i] * max(k[i], i - 5) + w[i + 4] * min(i - 5, k[i]) + w[i + 8] * (k[i] if i < 2 else 300)
        total += 0.5 * w[i] * (-1 if k[i] > 100 else k[i]) + 0.25 * w[i + 3] * max(k[i], i * 200, 7)
    return total + w[11] * max(0, k[1]) / 4


def sums(w, u):
    s, p, c, t, b = 0, 1, 0.0, 0, []
    for v in u:
        s += v
        p, c = p * v, c + v
        b.append(v % 2 == 0)
    for i in range(u.shape[0]):
        t = t + u[i] * 2
    total = w[0] * sum(u) + w[1] * s + w[2] * p + w[3] * c + w[4] * t + w[5] * (u[0] + u[1])
    total += w[6] * (u[1] - 1) + w[7] * sum(u[1:], 5) + w[8] * (s // 3) + w[9] * (u[0] * 100) + w[10] * -u[1]
    return total + w[0] * (b[1] + b[3]) + (w[1] if b[0] else w[2]) + w[3] * any(b) + w[4] * all(b)


def lists(w, k):
    t, h, b, c = [1], [k], [], [0.5]
    for i in range(6):
        t.append(t[-1] * k)
        h.append(h[-1] - 1)
        b.append(i % 2 == 0)
        c.append(c[-1] * k)
    total = w[0] * t[3] + w[1] * t[-1] + w[2] * (b[0] + b[2]) + w[3] * (b[0] + b[1] + b[4])
    total += w[4] * (7 // h[1]) + w[5] * (-7 % h[2]) + w[6] * sum(t) + w[7] * sum(b) + w[8] * (t[2] / 4)
    total += w[9] * max(h) + w[10] * c[4] + w[0] * (h[1] if b[1] else t[1]) + w[1] * (b[2] * 3 - b[0])
    return total + w[11] * h[1] ** -1 + w[2] * 2 ** -h[1] + w[3] * h[0] ** -1 + w[4] * (7 / h[3])


def turning_small(w, k):
    t = [1]
    for _ in range(6):
        t.append(t[-1] * k)
    return w[0] * t[0] + w[1] * t[1] + w[2] * t[4] + w[3] * t[-1]


def kept_single(w, x, k):
    t, c = [1], [0.1]
    for _ in range(3):
        t.append(t[-1] * k)
        c.append(c[-1] * 3)
    total = np.sum(w[:3] * (x * t[2])) + 3.0 * np.sum(w[:3] * (x * c[2])) + 5.0 * np.sum(w[:3] * (x + t[3]))
    total += w[4] * (x[0] * c[1]) + w[5] * (x[1] / t[1]) + w[6] * (c[0] == x[0])
    return total + np.sum(w[7:10] * (x * c[3])) + w[10] * np.sum(x * t[1] == np.float32(3) * x)


def any_and_all(w, u):
    flags, n = [], u.shape[0]
    for i in range(4):
        flags.append(w[i] > 3.0)
    total = (w[0] if any(w > 6.0) else 3.0 * w[1]) + (w[2] * w[2] if all(w > -9.0) else w[3])
    total += w[4] * any(flags) + w[5] * all(flags) + w[6] * any(np.arange(len(flags)) > 1)
    total += w[7] * any(u) + w[8] * all(u) + w[9] * any(u > 300) + w[10] * all(u >= -1)
    return total + (w[11] if any(np.arange(n) > n - 1) else w[10] ** 2) + w[0] * all([w[1] < 0, w[2] > 0])


def halved_while_any(w, n):
    y, trips = w * 1.0, 0
    while any(np.abs(y) > 1.0):
        y, trips = y * 0.5 + 0.01 * y * y, trips + 1
    while not all(y > -1.0) or any(np.arange(n) > trips):
        y, trips = y * 0.75, trips + 1
    return np.sum(y * np.arange(1, 13)) * trips


CASES: list[Row] = [
    *(("", slices, (LONG, k)) for k in (I1(5), I1(100), U1(5), U1(200), I2(30), U8(3), U8(250))),
    *(("huge slices", slices, (HUGE, k)) for k in (I2(32700), U2(65500), U2(7), I4(40000))),
    *(("", bounds_of_elements, (LONG, np.array([100, 120, 3], t))) for t in (I1, U1, U8)),
    *(("", six, (W, a, c)) for a in NEAR_LIMITS for c in (-1, 300, 2**31)),
    *(("", literals_and_indices, (LONG, a)) for a in NEAR_LIMITS),
    ("", two_arrays, (W, np.array([-1, 2**53 + 1, 3]), np.array([2**64 - 1, 2**53, 3], U8))),
    ("", made_and_singles, (W, SINGLES, 0.1)),
    *(("", made_and_small, (W, a, c)) for a in NEAR_LIMITS for c in (300, -1)),
    *((f"{name} unsigned", plus(unsigned, PARTS[name]), (W, u, s)) for name, u, s in
      [("complex", UNSIGNED, 9), ("erf", UNSIGNED, U1(100)), ("erf", UNSIGNED.astype(U4), I1(7))]),
    *((f"{name} powers", f, (W, np.array([zero, 2.75, np.inf, -np.inf]))) for name, f in
      [(name, plus(powers, part)) for name, part in PARTS.items()] for zero in (0.0, -0.0)),
    *(("", remainders, (W, SIGNED.astype(t), t(m))) for t, m in [(I1, -3), (I1, -1), (I2, 5), (I4, -3)]),
    *(("", clipped, (W, a[:5], low, high)) for a, low, high in
      [(UNSIGNED, -1, 300), (SIGNED, -129, 300), (SIGNED, -1000, 3), (UNSIGNED.astype(U2), -5, 2**31)]),
    *(("", counts, (W, k)) for k in (U1(3), I1(4), I2(3))),
    *(("padded", lambda w, k: np.sum(np.pad(w, k) * np.arange(np.pad(w, k).size)) + 3 * np.pad(w, (k, 1))[k],
       (W, k)) for k in (I1(3), I2(4), I1(70))),
    *(("", averages, (W, u)) for u in (UNSIGNED, SIGNED[:5], UNSIGNED * U2(2))),
    *(("", extremes, (W, k)) for k in NEAR_LIMITS if k.dtype != U8),
    *(("", sums, (W, u)) for u in (UNSIGNED, SIGNED[[0, 2, 1, 4]], UNSIGNED * U2(300), UNSIGNED * U8(2**57))),
    *(("", f, (W, k)) for f, k in [(lists, 4), (lists, -3), (turning_small, U1(7)), (turning_small, I1(7))]),
    ("", kept_single, (W, SINGLES, 3)),
    *(("", any_and_all, (W, u)) for u in (UNSIGNED, SIGNED, UNSIGNED > 100)),
    *(("", halved_while_any, (W, n)) for n in (9, U1(9))),
]  # fmt: skip


def label(row: Row) -> str:
    kinds = [f"{a!r}" if np.ndim(a) == 0 else f"{a.dtype}" for a in row[2][1:]]
    return "-".join([row[0].replace(" ", "-") or row[1].__name__, *kinds])


def slope(f: Program, w: Any, d: Any, rest: list[Any], h: float = 2.0**-8) -> Any:
    one, two = (f(w + t * d, *rest) - f(w - t * d, *rest) for t in (h, 2 * h))
    return (8 * one - two) / (12 * h)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("row", CASES, ids=label)
def test_value_and_derivatives(row: Row, jit: bool) -> None:
    _, f, (w, *rest) = row
    dots = np.eye(12) if w is W else np.random.default_rng(0).integers(-4, 5, (3, w.size)) * 1.0
    wanted, slopes = f(w, *rest), [slope(f, w, d, rest) for d in dots]
    y, w_bar = compiled(f, jit=jit)(w.copy(), *rest)
    np.testing.assert_allclose(y, wanted, rtol=1e-12)
    assert np.asarray(y).dtype == np.asarray(wanted).dtype
    atol = 1e-11 * max(1.0, np.max(np.abs(slopes)))
    np.testing.assert_allclose(dots @ w_bar, slopes, rtol=1e-9, atol=atol)
    _, y_dot = s2sad.jvp(f, (w, *rest), (dots[0], *[None] * len(rest)), jit=jit)
    np.testing.assert_allclose(y_dot, slopes[0], rtol=1e-9, atol=atol)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_powers_at_zero(part: Program, jit: bool) -> None:
    x = np.array([1.5, 0.25, -0.5, *[0.0, 2.0, -0.0] * 2, 0.0, -0.0, 0.0])
    exponents = np.array([-1.0, -1.0, -1.0, -2.0, -2.0, -2.0, -1.0, -1.0, -2.0])
    f = plus(lambda w: np.hstack((w[3:6] ** -1, w[6:9] ** -2, w[9] ** -1, w[10] ** -1.0, w[11] ** -2)), part)
    y, pullback = s2sad.vjp(f, x, jit=jit)
    np.testing.assert_allclose(y, f(x), rtol=1e-14)
    np.testing.assert_allclose(pullback(np.ones(9))[0][3:], exponents * x[3:] ** (exponents - 1), rtol=1e-14)


@pytest.mark.parametrize(("k", "jit"), [(0, False), (1, False), (2, False), (3, False), (1, True), (2, True)])
def test_division_by_zero(k: int, jit: bool) -> None:
    for f in (lists, compiled(lists, jit=jit)):
        with pytest.raises(ZeroDivisionError):
            f(W, k)


@pytest.mark.parametrize("f", [lambda w, k: w * max(k[0], -1), lambda w, k: w * (k[0] if w > 0.0 else -1)])
def test_python_ints_and_uint64_are_refused(f: Program) -> None:
    with pytest.raises(s2sad.S2sadError, match="S313"):
        compiled(f)(2.0, np.array([2**63 + 1], U8))


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
def test_complex_numbers_that_are_compared_and_converted(jit: bool) -> None:
    z = np.array([1.0 + 2.0j, 3.0 - 1.0j])
    close = s2sad.jvp(lambda z: np.sum(z * z.conj()).real * np.allclose(z, z), (z,), (z,), jit=jit)
    assert close == (15.0, 30.0)
    one = s2sad.jvp(lambda z: np.sum(np.isclose(z, z[0]) * z).real, (z,), (z,), jit=jit)
    assert one == (1.0, 1.0)


LEAST = np.iinfo(np.int64).min


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
def test_remainders_of_the_least_int(jit: bool) -> None:
    x, y = np.array([LEAST, LEAST, LEAST + 1, 5, -5, 7]), np.array([3, -7, -1, 2, -3, 7])
    value, w_bar = s2sad.value_and_grad(lambda w, x, y: np.sum(w * np.fmod(x, y)), jit=jit)(np.ones(6), x, y)
    np.testing.assert_array_equal(w_bar, np.fmod(x, y))
    assert value == np.sum(np.fmod(x, y))


def returned(w, u):
    if w > 0.0:
        return 300
    return u[0]


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("t", [U1, I1, I4])
def test_results_that_are_ints_of_python_or_numpy(t: Any, jit: bool) -> None:
    for w in (1.0, -1.0):
        assert s2sad.jvp(returned, (w, np.array([3], t)), (1.0, None), jit=jit)[0] == returned(w, [3])


def one_of_two(w, x):
    found = []
    for i in range(x.shape[0]):
        if w[i] > 1.0:
            found.append(0.1)
        else:
            found.append(np.float64(0.1))
    return np.sum(w[:3] * (x * found[0]))


def test_floats_of_python_and_numpy_beside_single_precision_are_refused() -> None:
    with pytest.raises(
        s2sad.S2sadError, match="S321 a list built in a loop holds Python numbers and float64"
    ):
        compiled(one_of_two)(W, SINGLES)
    y, _ = compiled(one_of_two)(W, SINGLES.astype(np.float64))
    assert y == one_of_two(W, SINGLES.astype(np.float64))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
def test_arrays_that_are_constants_are_divided_as_arrays(jit: bool) -> None:
    def f(w, n):
        zeros = np.zeros(3, dtype=int)
        parts = np.arange(3) // zeros + np.arange(3) % np.full(3, 0) + np.fmod(np.arange(3), zeros)
        return np.sum(w[:3] * parts) + np.sum(w[3:6] * (np.full(3, n) // (np.arange(3) - 1)))

    value, w_bar = s2sad.value_and_grad(f, jit=jit)(W, 7)
    assert value == f(W, 7)
    np.testing.assert_array_equal(w_bar, [0.0, 0.0, 0.0, -7.0, 0.0, 7.0, *[0.0] * 6])


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
def test_uint64_is_clipped_to_bounds_below_zero(jit: bool) -> None:
    x = np.array([0, 7, 2**63 + 5], U8)
    f = lambda w, x, lo, hi: np.sum(w[:3] * np.clip(x, lo, hi))  # noqa: E731
    for lo, hi in ((-1, 5), (3, 2**62)):
        np.testing.assert_array_equal(s2sad.grad(f, jit=jit)(W, x, lo, hi)[:3], np.clip(x, lo, hi))
