"""Emitted text is a program like any other: it is read, emitted as it is, and differentiated once more."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.linalg
from oracle import active_leaves, assert_close, copied, differences, direction
from written import written

import s2sad
from s2sad.driver.program import Program
from s2sad.ir.transformed import Transformed

RNG = np.random.default_rng(8)
V = RNG.normal(size=4)
A = RNG.normal(size=(4, 4)) + 4.0 * np.eye(4)


class Layer(NamedTuple):
    w: np.ndarray
    b: np.ndarray


def products(x):
    return np.cumprod(1 + 0.1 * x)[-1] * np.sum(np.cumprod(x))


def triangles(a, b):
    low = scipy.linalg.solve_triangular(np.tril(a), b, lower=True)
    return np.sum(low**2) + np.sum(scipy.linalg.solve_triangular(np.triu(a), b, trans="T"))


def network(layers, x, y):
    h = x
    for layer in layers:
        h = np.tanh(h @ layer.w + layer.b)
    return np.mean((h[:, 0] - y) ** 2)


def recurrent(p, xs):
    h = np.zeros(p["U"].shape[0])
    states = []
    for x in xs:
        z = 1 / (1 + np.exp(-(p["W"] @ x + p["U"] @ h)))
        h = (1 - z) * h + z * np.tanh(p["V"] @ x)
        states.append(h)
    return np.sum(np.stack(states) ** 2)


LAYERS = [Layer(RNG.normal(size=(4, 3)), RNG.normal(size=3)), Layer(RNG.normal(size=(3, 1)), np.ones(1))]
WEIGHTS = {"W": RNG.normal(size=(2, 4)), "V": RNG.normal(size=(2, 4)), "U": RNG.normal(size=(2, 2))}
PROGRAMS: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    ("grad", products, (V,)),
    ("jvp", products, (V,)),
    ("grad", triangles, (A, V)),
    ("jvp", triangles, (A, V)),
    ("grad", network, (LAYERS, RNG.normal(size=(5, 4)), RNG.normal(size=5))),
    ("jvp", network, (LAYERS, RNG.normal(size=(5, 4)), RNG.normal(size=5))),
    ("grad", recurrent, (WEIGHTS, RNG.normal(size=(3, 4)))),
]


def emitted(mode: str, f: Callable[..., Any], argnums: tuple[int, ...], args: tuple[Any, ...]) -> str:
    """Return the text for f."""
    return Program(Transformed(mode, f, argnums)).find(copied(args), {})[0].main.source


def code(text: str) -> list[str]:
    """Return the lines of the last function of a text without its docstring and comments, sorted: the first
    values of what a loop carries come in another order."""
    node = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)][-1]
    return sorted(ast.unparse(node.body[1:] if ast.get_docstring(node) else node.body).splitlines())


@pytest.mark.parametrize(("mode", "f", "args"), PROGRAMS)
def test_read_again(mode: str, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Emitting the emitted text changes nothing, and its derivative is right. Products in a gradient add
    checks of sizes that the program did without: that text stays as it is once it has been read."""
    argnums = tuple(range(len(args)))
    text = emitted(mode, f, argnums, args)
    name = f"{f.__name__}_{mode}"
    again = written(text, f"read_again_{name}.py", {"__name__": "text"})[name]
    if mode == "grad" and f in (network, recurrent):
        text = emitted("primal", again, (0,), args)
        again = written(text, f"read_twice_{name}.py", {"__name__": "text"})[name]
    if mode == "jvp":
        args += tuple(direction(RNG, a) for a in args)
    assert code(emitted("primal", again, (0,), args)) == code(text)
    dots = tuple(direction(RNG, a) for a in args)
    assert_close(
        active_leaves(s2sad.jvp(again, args, dots)[1]), differences(again, args, dots, 1e-4), 1e-6, "slope"
    )
