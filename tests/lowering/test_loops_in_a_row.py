"""Loops beside each other, upwards and downwards, over arrays that they write, swap and replace in their
trips: fused or not, they do what the program says."""

from __future__ import annotations

import random
from contextlib import nullcontext

import numpy as np
import pytest
from property.verdicts import lowering_interpreted
from written import written

import s2sad

ARRAYS = ("a", "b", "c", "d")
REFUSED = ("S127", "S402")  # it writes its arguments; an array may be one of several
TINY = 1e-30


def statement(rng: random.Random) -> str:
    """Return a statement of a trip."""
    p, q = rng.choice(ARRAYS), rng.choice(ARRAYS)
    i, k = rng.choice((0, 0, 1)), rng.choice((0, 0, 1))
    match rng.randrange(7):
        case 0 | 1 | 2 | 3:
            return f"{rng.choice('cd')}[j + {i}] {rng.choice(('=', '+='))} {p}[j + {k}] * 0.6 + {q}[j]"
        case 4:
            return f"{p}, {q} = {q}, {p}" if rng.random() < 0.6 else "a, b = b, a"
        case 5:
            return f"s += {p}[j] * {q}[j + {i}]"
        case _:
            return rng.choice(("a = y * 0.5", "a = b", "b = c * 1.0", "d = 0.0 * x", f"c = d * {p}"))


def program(seed: int) -> str:
    """Return a random program."""
    rng = random.Random(seed)
    lines = [
        rng.choice(("a, b = x, y", "a, b = x.copy(), y * 1.5")),
        "c = 0.0 * x",
        "d = 0.0 * y + 1.0",
        "s = 0.0",
    ]
    for _ in range(rng.randrange(2, 5)):
        lines.append(f"for j in {rng.choice(('range(n)', 'range(n - 1, -1, -1)'))}:")
        lines += [f"    {statement(rng)}" for _ in range(rng.randrange(1, 4))]
    lines.append("return s + np.sum(a * 1.1) + np.sum(b * x) + np.sum(c * y) + np.sum(d * d)")
    return "def f(x, y, n):\n" + "".join(f"    {line}\n" for line in lines)


def check(seed: int, size: int, interpret: bool) -> bool:
    """Check value and derivatives of a random program, in loop nests, against NumPy and a complex step.
    Return False if there is nothing to compare."""
    text = program(seed)
    f = written(text, f"<row {seed}>", {"np": np})["f"]
    rng = np.random.default_rng(seed)
    x, y, x_dot, y_dot = 0.7 * rng.normal(size=(4, size))
    n = size - 1
    given = x.copy(), y.copy()
    value = f(*given, n)
    if not (np.array_equal(given[0], x) and np.array_equal(given[1], y) and abs(value) < 1e6):
        return False
    slope = f(x + 1j * TINY * x_dot, y + 1j * TINY * y_dot, n).imag / TINY
    with lowering_interpreted() if interpret else nullcontext():
        try:
            values = [s2sad.jit(f)(x, y, n)]
            got, tangent = s2sad.jvp(f, (x, y, n), (x_dot, y_dot, None), jit=True)
            also, (x_bar, y_bar) = s2sad.value_and_grad(f, (0, 1), jit=True)(x, y, n)
        except s2sad.S2sadError as error:
            if error.code not in REFUSED:
                raise
            return False
    for v in (*values, got, also):
        assert abs(v - value) <= 1e-11 * max(1.0, abs(value)), text
    assert abs(tangent - slope) <= 1e-9 * max(1.0, abs(slope)), text
    terms = np.sum(np.abs(x_bar * x_dot)) + np.sum(np.abs(y_bar * y_dot))
    assert abs(x_bar @ x_dot + y_bar @ y_dot - slope) <= 1e-9 * max(1.0, abs(slope), terms), text
    return True


@pytest.mark.parametrize("first", range(0, 120, 12))
def test_random_programs(first: int) -> None:
    assert sum(check(seed, 5, interpret=True) for seed in range(first, first + 12)) >= 6


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_compiled(seed: int) -> None:
    check(seed, 43, interpret=False)
