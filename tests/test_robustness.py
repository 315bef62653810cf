"""No bare Python exception escapes the compiler: foreign functions, and edited programs of the corpus."""

from __future__ import annotations

import ast
import calendar
import colorsys
import copy
import functools
import heapq
import inspect
import json.decoder
import linecache
import random
import shlex
import signal
import statistics
import string
import textwrap
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from corpus import core_programs, kernels, programs, seeds_cases
from oracle import copied
from written import written

import s2sad
from s2sad.errors import InternalError

MODULES = (
    calendar,
    colorsys,
    copy,
    functools,
    heapq,
    json.decoder,
    random,
    shlex,
    statistics,
    string,
    textwrap,
)

ODD = (
    "global g",
    "import os",
    "del x",
    "x = []",
    "x[0] = x",
    "assert x",
    "raise ValueError",
    "pass",
    "try:\n    x\nfinally:\n    pass",
    "with x: pass",
    "yield x",
    "class C: pass",
    "x.y = 1",
    "return",
    "f = lambda: f",
    "x: int",
    "for x.y in x: pass",
    "x, *y = x",
    "while x: x -= 1",
    "match x:\n case 1: pass",
)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Fail a block that takes longer."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def functions(module: types.ModuleType) -> list[Callable[..., Any]]:
    """Return the Python functions of a module that can be called with floats."""
    own = [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__]
    own += [value for owner in own if inspect.isclass(owner) for value in vars(owner).values()]
    return [value for value in own if inspect.isfunction(value)]


def arities(f: Callable[..., Any]) -> range:
    """Return how many positional arguments f takes."""
    parameters = [
        p
        for p in inspect.signature(f).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    least = sum(p.default is p.empty for p in parameters)
    return range(max(least, 1), max(least, min(len(parameters), 3)) + 1)


def compile_only(f: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """Return 'read' or the code of the refusal; anything else but TypeError of the call escapes."""
    try:
        with limited(20.0):
            s2sad.grad(f).source_for(*args)
    except InternalError:
        raise
    except s2sad.S2sadError as refusal:
        return refusal.code
    return "read"


@pytest.mark.parametrize("module", MODULES, ids=[module.__name__ for module in MODULES])
def test_functions_of_the_standard_library(module: types.ModuleType):
    count = 0
    for f in functions(module):
        for n in arities(f):
            for args in ((1.5,) * n, (np.array([1.5, 0.5]),) * n):
                compile_only(f, args)
                count += 1
    assert count > 0


def corpus() -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Return the functions of the corpus with arguments."""
    found = [(f, args) for f, args, _ in (programs.CORE | programs.MORE | core_programs.PROGRAMS).values()]
    found += [(case["f"], case["args"]) for case in seeds_cases.CASES[::3]]
    found += [(kernel.f, kernel.make(**kernel.small)) for kernel in kernels.KERNELS]
    return [(f, args) for f, args in found if inspect.isfunction(f)]


class Edit(ast.NodeTransformer):
    """Change a few nodes at random: names, constants, operators, statements."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def some(self, percent: float) -> bool:
        """Return True in `percent` of the cases."""
        return self.rng.random() < percent / 100

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Use another name."""
        if self.some(3):
            node.id = self.rng.choice(["x", "y", "s", "i", "np", "len", "missing", "print", "total"])
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Use another constant."""
        if self.some(6):
            node.value = self.rng.choice([0, 1, -1, 2.5, None, "text", True, 10**20, b"x", 1j, ...])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Use another or swap the operands."""
        self.generic_visit(node)
        if self.some(5):
            node.op = self.rng.choice(
                [ast.Mod(), ast.Pow(), ast.FloorDiv(), ast.MatMult(), ast.BitOr(), ast.LShift()]
            )
        if self.some(3):
            node.left, node.right = node.right, node.left
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Use another attribute."""
        self.generic_visit(node)
        if self.some(3):
            node.attr = self.rng.choice(
                ["T", "shape", "sum", "missing", "linalg", "append", "flat", "real", "dtype"]
            )
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Use another index."""
        self.generic_visit(node)
        if self.some(4):
            text = self.rng.choice(
                ["0", "...", "None", "'w'", "1:", "::0", "[0, 1]", "True", "0, 0, 0", "1.5"]
            )
            node.slice = ast.parse(f"x[{text}]", mode="eval").body.slice  # type: ignore[attr-defined]
        return node

    def statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Drop, repeat or exchange statements, or add an odd one."""
        if self.some(15):
            body.insert(self.rng.randrange(len(body) + 1), self.rng.choice(body))
        if self.some(15) and len(body) > 1:
            del body[self.rng.randrange(len(body))]
        if self.some(15):
            odd = self.rng.choice(ODD)
            body.insert(self.rng.randrange(len(body) + 1), ast.parse(odd).body[0])
        return body

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Edit statement lists too."""
        super().generic_visit(node)
        for field in ("body", "orelse"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body and all(isinstance(item, ast.stmt) for item in body):
                setattr(node, field, self.statements(body))
        return node


def edited(f: Callable[..., Any], seed: int) -> Callable[..., Any] | None:
    """Return an edited copy of f, or None if Python itself does not accept it."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(f)))
    tree.body = [Edit(random.Random(seed)).visit(tree.body[0])]
    file = f"<edited_{f.__name__}_{seed}>"
    try:
        text = ast.unparse(ast.fix_missing_locations(tree))
        names = written(text, file, dict(f.__globals__))
    except (SyntaxError, ValueError, TypeError, NameError, AttributeError):
        return None
    made = names.get(f.__name__)
    return made if inspect.isfunction(made) else None


@pytest.mark.parametrize("shard", range(8))
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_edited_programs(shard: int):
    outcomes: dict[str, int] = {}
    for k, (f, args) in enumerate(corpus()):
        if k % 8 != shard:
            continue
        for seed in range(30):
            g = edited(f, 1000 * k + seed)
            if g is not None:
                try:
                    outcome = compile_only(g, copied(args))
                except Exception as error:
                    text = "".join(linecache.getlines(g.__code__.co_filename))
                    raise AssertionError(f"{type(error).__name__} escaped: {error}\n{text}") from error
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert outcomes.get("read", 0) > 0
    assert sum(outcomes.values()) > 50
