"""Helpers that return early, in and around loops, unrolled or not, with breaks, continues and else."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from written import written

import s2sad


class Dual:
    """A number with a derivative, for what Python itself makes of a program."""

    def __init__(self, value: float, dot: float = 0.0):
        self.value, self.dot = value, dot

    def __add__(self, other: Any) -> Dual:
        other = dual(other)
        return Dual(self.value + other.value, self.dot + other.dot)

    def __mul__(self, other: Any) -> Dual:
        other = dual(other)
        return Dual(self.value * other.value, self.dot * other.value + self.value * other.dot)

    __radd__, __rmul__ = __add__, __mul__

    def __lt__(self, other: Any) -> bool:
        return self.value < dual(other).value


def dual(x: Any) -> Dual:
    return x if isinstance(x, Dual) else Dual(x)


class Writer:
    """Writes a helper at random: `x` is its argument, `y` what it changes, `k` and `j` loop variables."""

    def __init__(self, seed: int):
        self.draw = random.Random(seed)
        self.budget = 14

    def number(self) -> str:
        return f"{self.draw.uniform(0.2, 1.6):.3f}"

    def amount(self, loops: tuple[str, ...]) -> str:
        parts = ["x", "y", "x * y", self.number(), *(f"{v} * x" for v in loops)]
        return f"{self.draw.choice(parts)} * {self.number()}"

    def test(self, loops: tuple[str, ...]) -> str:
        if loops and self.draw.random() < 0.3:
            return f"{self.draw.choice(loops)} < {self.number()}"
        return f"{self.draw.choice(['x', 'y'])} < {self.number()}"

    def lines(self, depth: int, loops: tuple[str, ...], inside: str) -> list[str]:
        found: list[str] = []
        for _ in range(self.draw.randint(1, 3)):
            found += self.statement(depth, loops, inside)
        return found

    def statement(self, depth: int, loops: tuple[str, ...], inside: str) -> list[str]:
        self.budget -= 1
        kinds = ["assign", "assign", "if", "if", "guard", "for", "for", "while", "with"]
        kind = self.draw.choice(kinds) if depth < 4 and self.budget > 0 else "assign"
        if kind == "assign":
            return [f"y = y * {self.number()} + {self.amount(loops)}"]
        if kind == "guard":
            return [f"if {self.test(loops)}:", f"    return {self.amount(loops)}"]
        if kind == "if":
            body = self.lines(depth + 1, loops, inside)
            if self.draw.random() < 0.4:
                body.append(f"return {self.amount(loops)}")
            elif inside == "counted" and self.draw.random() < 0.4:
                body.append(self.draw.choice(["break", "continue"]))
            other = self.lines(depth + 1, loops, inside) if self.draw.random() < 0.4 else []
            return [
                f"if {self.test(loops)}:",
                *indented(body),
                *(["else:", *indented(other)] if other else []),
            ]
        if kind == "with":
            return ['with np.errstate(all="ignore"):', *indented(self.lines(depth + 1, loops, inside))]
        if kind == "while":
            count = f"c{self.budget}"
            body = [f"{count} = {count} + 1", *self.lines(depth + 1, loops, "counted")]
            other = self.lines(depth + 1, loops, inside) if self.draw.random() < 0.3 else []
            test = f"while {count} < {self.draw.choice(['n', '2', 'n + 1'])}:"
            return [f"{count} = 0", test, *indented(body), *(["else:", *indented(other)] if other else [])]
        name = "kj"[len(loops)] if len(loops) < 2 else ""
        if not name:
            return [f"y = y + {self.amount(loops)}"]
        unrolled = self.draw.random() < 0.7
        over = "(0.3, 0.8, 1.3)" if unrolled else "range(n)"
        body = self.lines(depth + 1, (*loops, name), "unrolled" if unrolled else "counted")
        if unrolled and self.draw.random() < 0.4:
            exit_ = self.draw.choice(["break", "continue"])
            body.insert(0, f"if {name} == 0.8: {exit_}")
        other = self.lines(depth + 1, loops, inside) if self.draw.random() < 0.3 else []
        return [f"for {name} in {over}:", *indented(body), *(["else:", *indented(other)] if other else [])]

    def program(self) -> str:
        body = [*self.lines(0, (), ""), *self.lines(0, (), "")]
        if self.draw.random() < 0.9:
            body.append(f"return y * {self.number()}")
        else:
            body.append("return x")
        helper = ["def h(x, n):", "    y = 0.1 * x", *indented(body)]
        result = "return 2.0 * (" + self.draw.choice(["h(x, n)", "h(x, n) + h(0.5 * x, n)"]) + ")"
        if self.draw.random() < 0.3:
            result = "t = 0.0; [0 for _ in ()]\nfor i in range(3):\n    t = t + h(x * i, n)\nreturn t"
        main = result.split("\n")
        if self.draw.random() < 0.3:  # read in place, wherever it is called
            lines = ["def f(x, n):", *indented(helper), *indented(main)]
        else:
            lines = [*helper, "def f(x, n):", *indented(main)]
        return "\n".join(["import numpy as np", *lines])


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_helpers_that_return_early(first: int):
    for seed in range(first, first + 20):
        text = Writer(seed).program()
        f = written(text, f"<early {seed}>", {"__name__": f"early{seed}"})["f"]
        derivative = s2sad.value_and_grad(f)
        forward = s2sad.jacfwd(f)
        for x in (0.15, 0.55, 0.95, 1.45):
            expected = dual(f(Dual(x, 1.0), 2))
            got = (*derivative(x, 2), forward(x, 2))
            wanted = (expected.value, expected.dot, expected.dot)
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, err_msg=text)


def test_the_else_of_an_unrolled_loop_that_is_left():
    def f(x):
        for k in (1.0, 2.0):
            if k == 2.0:
                break
            x = x * k * 3.0
        else:
            x = 100.0 * x
        return x

    assert s2sad.value_and_grad(f)(1.5) == (4.5, 3.0)


def test_what_follows_ifs_that_may_return_is_read_once():
    """What two branches go on with was read in both: twice as much for each such `if`."""
    lines: list[str] = []
    for k in range(14):
        lines += [f"    if x > {k}.5:", f"        if x * x < {k + 1}.0:", f"            return x * {k}.0"]
        lines += ["        x = x * 1.01"]
    text = "\n".join(["def h(x):", *lines, "    return x", "def f(x):", "    return h(x) * 2.0"])
    derivative = s2sad.grad(written(text, "<guards>", {"__name__": "guards"})["f"])
    assert derivative(3.0) == pytest.approx(2.0 * 1.01**3)
    assert len(derivative.source.splitlines()) < 400
