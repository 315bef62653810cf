"""Conditions in the text: written as people do, and asked again rather than kept."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from right import assert_right

import s2sad
from s2sad.emit.conditions import joined_by
from s2sad.emit.printer import expression

X = np.array([0.3, -0.5, 0.7, 1.2])


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["0 <= k", "k < n"], "0 <= k < n"),
        (["0 <= i", "i < n", "0 <= j", "j < m"], "0 <= i < n and 0 <= j < m"),
        (["t", "i < n", "j < m", "not k", "b >= a"], "t and i < n and j < m and not k and b >= a"),
        (["t", "s", "0 <= j", "j < m"], "t and s and 0 <= j < m"),
        (["a > b", "b < c"], "a > b and b < c"),
        (["a == b", "b == c"], "a == b and b == c"),
        (["a < b", "c or d"], "a < b and (c or d)"),
    ],
)
def test_parts_are_joined(parts: list[str], text: str) -> None:
    trees = [ast.parse(part, mode="eval").body for part in parts]
    joined = trees[0]
    for tree in trees[1:]:
        joined = joined_by(ast.And(), joined, tree)
    assert expression(joined) == text


def smoothed(x):
    n = len(x)
    out = np.zeros(n)
    for i in range(n):
        for j in range(3):
            k = i + j - 1
            if 0 <= k < n:
                out[i] += x[k] * (j + 1)
    return np.sum(out**2)


def neighbours(x):
    u = np.outer(x, x)
    n, m = u.shape
    total = 0.0
    for i in range(n):
        for j in range(m):
            for a, b in ((1, 0), (0, -1)):
                p, q = i + a, j + b
                if p >= 0 and p < n and q >= 0 and q < m:
                    total += (u[p, q] - u[i, j]) ** 2
    return total


def between(x):
    return sum(v * v for v in x if -0.4 < v <= 1.0)


@pytest.mark.parametrize("f", [smoothed, neighbours, between])
def test_a_condition_of_a_few_comparisons_is_not_taped(f):
    text = s2sad.grad(f).source_for(X)
    assert "np.bool_" not in text
    assert " < n:" in text or " < m:" in text or "-0.4 < v <= 1.0" in text
    for lowered in (False, True):
        assert_right(f, X, lowered)


def pairs(x, eps):
    total = 0.0
    for i in range(len(x)):
        for j in range(i):
            r = 2.0 + (x[i] - x[j]) ** 2
            total += 4 * eps * (r**2 - r)
    return total


def test_a_number_that_stands_for_a_scalar_has_no_second_name():
    lines = s2sad.grad(pairs, argnums=(0, 1)).source_for(X, 0.7).splitlines()
    copies = [line for line in lines if (words := line.split("  #")[0].split()) and len(words) == 3
              and words[1] == "=" and words[2].isidentifier() and words[0] != words[2]]  # fmt: skip
    assert not copies
