"""Loops beside each other over arrays that a loop around them carries, swaps, and makes anew in each trip:
they are fused where they may be, and only there."""

from __future__ import annotations

import random

import numpy as np
import pytest
from oracle import assert_close
from property.verdicts import lowering_interpreted
from written import written

import s2sad

N = 5
X = np.linspace(-0.7, 0.9, N)


def statement(rng: random.Random, names: list[str]) -> list[str]:
    """Return the lines of a random statement on arrays of N numbers."""
    x, y, z = (rng.choice(names) for _ in range(3))
    op = rng.choice(["=", "+=", "-="])
    match rng.randrange(9):
        case 0:
            return [f"{x} = np.zeros({N})"]
        case 1:
            return [f"{x} = {y} * {rng.choice(['0.5', z])}"]
        case 2:
            return [f"{x}, {y} = {y}, {x}"]
        case 3:
            return [f"{x} = {rng.choice([y, y + '.copy()', f'{y}[::-1]'])}"]
        case 4:
            part, other = rng.sample(["[1:]", "[:-1]"], 2) if rng.random() < 0.7 else ("[::-1]", "")
            return [f"{x}{part} {op} 0.3 * {y}{other} + {z}{part}"]
        case _:
            i, j, k = (rng.randrange(3) for _ in range(3))
            trips = rng.choice([f"range({N - 2})", f"range({N - 3}, -1, -1)"])
            body = [f"    {x}[j + {i}] {op} {y}[j + {j}] * 0.7 + {z}[j + {k}]"]
            more = (
                f"{y}, {z} = {z}, {y}",
                f"{y} = 0.5 * {z}",
                f"s += np.sum({y}) * {z}[j]",
                f"{z} = np.zeros({N})",
            )
            if rng.random() < 0.5:
                body.insert(rng.randrange(2), f"    {rng.choice(more)}")
            return [f"for j in {trips}:", *body[: rng.randrange(1, 3)]]


def program(seed: int) -> str:
    """Return a random program."""
    rng = random.Random(seed)
    names = ["a", "b", "c"]
    lines = ["s = 0.0", "a = x.copy()", "b = 0.5 * x", f"c = np.ones({N})"]
    if rng.random() < 0.3:
        lines.append("b = a[::-1]")
    lines.append(f"for t in range({rng.choice([1, 3])}):")
    for _ in range(rng.randrange(3, 8)):
        lines += [f"    {line}" for line in statement(rng, names)]
    lines.append("return s + np.sum(a * np.cos(b)) + np.sum(np.sin(c) * x)")
    return "def f(x):\n" + "".join(f"    {line}\n" for line in lines)


def check(seed: int) -> bool:
    """Check value and derivatives of a random program, in loop nests, against NumPy and differences. Return
    False if it is refused, for an array that may be one of several."""
    text = program(seed)
    f = written(text, f"<carried {seed}>", {"np": np})["f"]
    dot, h = np.cos(np.arange(float(N)) + seed), 1e-4
    ahead = [f(X + k * h * dot) for k in (1, -1, 2, -2)]
    slope = (8 * (ahead[0] - ahead[1]) - (ahead[2] - ahead[3])) / (12 * h)
    size = max(1.0, abs(slope), *map(abs, ahead))
    if not size < 1e3:  # too steep for differences
        return True
    with lowering_interpreted():
        try:
            value, y_dot = s2sad.jvp(f, (X,), (dot,), jit=True)
        except s2sad.S2sadError as error:
            if error.code != "S402":
                raise
            return False
        got, bar = s2sad.value_and_grad(f, jit=True)(X)
    for v in (value, got):
        assert abs(v - f(X)) <= 1e-12 * size, text
    assert abs(y_dot - slope) <= 1e-7 * size, text
    assert abs(bar @ dot - y_dot) <= 1e-10 * size, text
    return True


@pytest.mark.parametrize("first", range(0, 80, 8))
def test_random_programs(first: int) -> None:
    assert sum(map(check, range(first, first + 8))) >= 3  # others are refused


def march(u0, steps):
    u = u0.copy()
    for _ in range(steps):
        v = np.zeros_like(u)
        v[:-1] = 0.5 * u[1:]
        v[:-1] += u[1:] * u[:-1]
        w = v[:-1] * u[:-1]
        u[:-1] = 0.0
        u[1:] += w
        u = u + v
    return np.sum(u)


def test_what_a_trip_makes_is_not_what_it_was_given() -> None:
    compiled = s2sad.jit(march)
    u = np.linspace(0.1, 1.0, 6)
    assert_close(compiled(u, 3), march(u, 3), 1e-14, "value")
    assert compiled.lowered_source.count("for ") <= 7


def updated_then_replaced(x, y):
    s, u = 0.5, -y
    for i in range(x.shape[0]):
        t = u.sum()
        s += t
        if x[i] < -0.2:
            u[i] = t
    for _ in range(x.shape[0]):
        u = x * 2.0
    return s + np.sum(u)


def swapped_then_updated(x, y):
    a, b, c, d = x.copy(), y.copy(), x * y, np.zeros_like(x)
    for i in range(x.shape[0]):
        c[i] = 2.0 * x[i]
        a, b = b, a
    for i in range(x.shape[0]):
        d[i] = c[i] * y[i]
        a[i] += d[i]
    return np.sum(a * d) + np.sum(b * x)


def replaced_then_read(x, y):
    c, u = x * y, x.copy()
    for i in range(x.shape[0]):
        c[i] = c[i] * 2.0
        u = x * c[i]
    d = np.zeros_like(x)
    for i in range(x.shape[0]):
        d[i] = u[i] * c[i]
    return np.sum(d)


def swapped_downwards(x, y):
    a, b, c, d = x, y, np.zeros_like(x), np.zeros_like(x)
    for i in range(x.shape[0]):
        c[i] = x[i] * y[i]
    for i in range(x.shape[0] - 1, -1, -1):
        d[i] = c[i] * a[i]
        a, b = b, a
    return np.sum(d * x)


def swapped_upwards(x, y):
    a, b, c, d = x, y, np.zeros_like(x), np.zeros_like(x)
    for i in range(x.shape[0] - 1, -1, -1):
        c[i] = x[i] * y[i]
    for i in range(x.shape[0]):
        d[i] = c[i] * a[i]
        a, b = b, a
    return np.sum(d * x)


def swapped_before(x, y):
    a, b, c, d = x, y, np.zeros_like(x), np.zeros_like(x)
    for i in range(x.shape[0] - 1, -1, -1):
        d[i] = a[i] * 2.0
        a, b = b, a
    for i in range(x.shape[0]):
        c[i] = d[i] * y[i]
    return np.sum(c * x)


LAST = [updated_then_replaced, swapped_then_updated, replaced_then_read]
ORDERED = [swapped_downwards, swapped_upwards, swapped_before]


@pytest.mark.parametrize("f", LAST + ORDERED)
def test_the_last_array_is_meant(f) -> None:
    args = (np.array([-1.0, 0.5, -0.7, 0.4]), np.array([0.3, -0.2, 0.9, 1.1]))
    expected = s2sad.value_and_grad(f, argnums=(0, 1))(*args)
    assert_close(expected[0], f(*args), 1e-14, "value")
    with lowering_interpreted():
        assert_close(s2sad.jit(f)(*args), f(*args), 1e-14, "value, compiled")
        assert_close(s2sad.value_and_grad(f, argnums=(0, 1), jit=True)(*args), expected, 1e-13, "gradient")
        for dots in (args, (None, args[0])):
            got = s2sad.jvp(f, args, dots, jit=True)
            assert_close(got, s2sad.jvp(f, args, dots), 1e-13, "tangent")
