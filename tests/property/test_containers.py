"""Random programs that bind names to dicts in a loop, share and change them: they are right, or refused."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest
from oracle import assert_close
from written import written

import s2sad

NAMES = ("a", "b", "c")
NUMBERS = ('{}["s"]', '{}["s"] * 0.5', 'np.sum({}["v"]) * 0.1', '{}["v"][0]', 'd["k"]["s"] + 0.1 * {}["s"]')
ARRAYS = ('{}["v"]', '{}["v"] * 0.5', '{}["v"] + 0.1', 'np.sin({}["v"])')
STATEMENTS = (
    ('{n} = {{"v": {array}, "s": {number}}}', 6),
    ("{n} = {m}", 2),
    ("{n}, {m} = {m}, {n}", 1),
    ('{n} = d["k"]', 1),
    ('d["k"] = {n}', 1),
    ('d = {{"k": {n}, "n": {number}}}', 1),
    ('{n}["s"] = {number}', 2),
    ('{n}["v"][1] = {number}', 2),
    ('{n}["v"] = {array}', 1),
    ('{n} = {{**{m}, "s": {number}}}', 1),
)
TEXTS = [text for text, weight in STATEMENTS for _ in range(weight)]


class Writer:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def statement(self, indent: int, depth: int) -> list[str]:
        """Return the lines of a statement."""
        pick, pad = self.random.choice, "    " * indent
        number = pick(NUMBERS).format(pick(NAMES))
        if depth and self.random.random() < 0.2:
            head = pick((f"if {number} > 0.3:", f"for _{depth} in range(2):"))
            return [
                pad + head,
                *self.statement(indent + 1, depth - 1),
                *self.statement(indent + 1, depth - 1),
            ]
        n, m = self.random.sample(NAMES, 2)
        return [pad + pick(TEXTS).format(n=n, m=m, number=number, array=pick(ARRAYS).format(pick(NAMES)))]

    def program(self) -> str:
        """Return the text of `f`."""
        pick = self.random.choice
        lines = ["def f(p):", "    a = p", '    b = {"v": p["v"] * 2.0, "s": p["s"] + 1.0}']
        lines += ["    c = " + pick(("a", "b", '{"v": p["v"], "s": 0.5}')), f'    d = {{"k": {pick(NAMES)}}}']
        lines.append("    for k in range(3):")
        for _ in range(self.random.randrange(2, 6)):
            lines += self.statement(2, 1)
        terms = [f'np.sum({n}["v"] * np.array([1.0, 0.3])) + {n}["s"]' for n in self.random.sample(NAMES, 2)]
        return "\n".join([*lines, "    return " + " + ".join([*terms, 'd["k"]["s"]'])]) + "\n"


def given() -> dict[str, Any]:
    """Return the argument of the programs."""
    return {"v": np.array([0.4, -0.7]), "s": 0.2}


def run(seed: int) -> bool:
    """Check one program; return whether it was read."""
    text, file = Writer(seed).program(), f"<containers {seed}>"
    f = written(text, file, {"np": np})["f"]
    value = f(given())
    try:
        got, gradient = s2sad.value_and_grad(f)(given())
        dot = {"v": np.array([0.3, 1.1]), "s": -0.6}
        y, y_dot = s2sad.jvp(f, (given(),), (copy.deepcopy(dot),))
    except s2sad.InternalError:
        pytest.fail(text)
    except s2sad.S2sadError:
        return False
    assert_close([got, y], [value, value], 1e-12, text)
    assert_close(gradient["v"] @ dot["v"] + gradient["s"] * dot["s"], y_dot, 1e-11, text)
    return True


def test_programs_are_right_or_refused():
    with np.errstate(all="ignore"):
        read = [run(seed) for seed in range(12)]
    assert sum(read) >= 4
