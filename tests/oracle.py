"""Numerical truth for the tests: trees of arrays, differences, and the checks built on them.

Nothing here knows how s2sad works; `check` asks its public functions only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import s2sad

WEIGHTS = np.array([45.0, -9.0, 1.0]) / 60.0  # 6th-order central difference


def is_active(leaf: Any) -> bool:
    """Return whether a leaf is differentiable: a Python float or something of a floating dtype."""
    if isinstance(leaf, np.ndarray | np.generic):
        return bool(np.issubdtype(leaf.dtype, np.inexact))
    return isinstance(leaf, float | complex)


def map_tree(f: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree with every leaf replaced by f(leaf), in order."""
    if isinstance(tree, dict):
        return {key: map_tree(f, value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(map_tree(f, value) for value in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(map_tree(f, value) for value in tree)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        fields = {d.name: map_tree(f, getattr(tree, d.name)) for d in dataclasses.fields(tree)}
        return dataclasses.replace(tree, **fields)
    return f(tree)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree in order."""
    found: list[Any] = []
    map_tree(found.append, tree)
    return found


def active_leaves(tree: Any) -> list[Any]:
    """Return the differentiable leaves of a tree in order."""
    return [leaf for leaf in leaves(tree) if is_active(leaf)]


def copied(tree: Any) -> Any:
    """Return the tree with its arrays copied."""
    return map_tree(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, tree)


def direction(rng: np.random.Generator, tree: Any) -> Any:
    """Return a random tangent of the tree: None at leaves that cannot vary."""

    def draw(leaf: Any) -> Any:
        if not is_active(leaf):
            return None
        if isinstance(leaf, np.ndarray):
            return rng.normal(size=leaf.shape).astype(leaf.dtype)
        return type(leaf)(rng.normal())

    return map_tree(draw, tree)


def moved(tree: Any, tangent: Any, step: float) -> Any:
    """Return tree + step * tangent, leaf by leaf; None does not move."""
    dots: Iterator[Any] = iter(leaves(tangent))

    def move(leaf: Any) -> Any:
        dot = next(dots)
        if dot is None:
            return leaf
        return type(leaf)(leaf + step * dot) if isinstance(leaf, np.generic) else leaf + step * dot

    return map_tree(move, copied(tree))


def differences(f: Callable[..., Any], args: tuple[Any, ...], tangents: Any, step: float = 1e-3) -> list[Any]:
    """Return the 6th-order central difference of the floating leaves of f along `tangents`."""
    total: list[Any] = []
    for k, weight in enumerate(WEIGHTS, start=1):
        ahead = active_leaves(f(*moved(args, tangents, k * step)))
        behind = active_leaves(f(*moved(args, tangents, -k * step)))
        change = [weight * (np.asarray(a) - np.asarray(b)) / step for a, b in zip(ahead, behind, strict=True)]
        total = [t + c for t, c in zip(total, change, strict=True)] if total else change
    return total


def inner(left: Any, right: Any) -> float:
    """Return the sum of products of matching leaves; None counts as zero."""
    total = 0.0
    for a, b in zip(leaves(left), leaves(right), strict=True):
        if a is not None and b is not None:
            total += float(np.sum(np.asarray(a) * np.asarray(b)))
    return total


def error(got: Any, expected: Any) -> float:
    """Return max |got - expected| relative to max(1, max |expected|); infinite if shapes differ."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return float("inf")
    if got.size == 0:
        return 0.0
    gap = np.where(got == expected, 0.0, np.abs(got - expected))
    return float(np.max(gap) / max(1.0, float(np.max(np.abs(expected)))))


def assert_close(got: Any, expected: Any, tol: float, what: str) -> None:
    """Assert that two trees agree leaf by leaf; `expected` leaves may lack the tree's structure."""
    pairs = list(zip(leaves(got), leaves(expected), strict=True))
    for k, (a, b) in enumerate(pairs):
        if a is None or b is None:
            assert a is b, f"{what}, leaf {k}: {a} for {b}"
            continue
        gap = error(a, b)
        assert gap <= tol, f"{what}, leaf {k} of {len(pairs)}: off by {gap:.3g}\n got {a}\n expected {b}"


def assert_same(got: Any, expected: Any, what: str) -> None:
    """Assert that two trees are equal in structure, kinds, dtypes and every bit (NaN equals NaN)."""
    for k, (a, b) in enumerate(zip(leaves(got), leaves(expected), strict=True)):
        assert np.shape(a) == np.shape(b), f"{what}, leaf {k}: shape {np.shape(a)} for {np.shape(b)}"
        if isinstance(b, np.ndarray | np.generic | float | int | complex):
            dtypes = np.asarray(a).dtype, np.asarray(b).dtype
            assert dtypes[0] == dtypes[1], f"{what}, leaf {k}: dtype {dtypes[0]} for {dtypes[1]}"
            equal = np.array_equal(a, b, equal_nan=np.asarray(b).dtype.kind in "fc")
        else:
            equal = a == b
        assert equal, f"{what}, leaf {k}:\n got {a!r}\n expected {b!r}"


def structure(tree: Any) -> Any:
    """Return the tree with its leaves replaced by kind, shape and dtype."""

    def describe(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            return ("array", leaf.shape, leaf.dtype.str)
        return type(leaf).__name__ if is_active(leaf) else None

    return repr(map_tree(describe, tree))


def assert_independent(results: list[Any], others: list[Any], what: str) -> None:
    """Assert that the result arrays are writeable and share no memory with anything."""
    arrays = [leaf for leaf in leaves(results) if isinstance(leaf, np.ndarray)]
    foreign = [leaf for leaf in leaves(others) if isinstance(leaf, np.ndarray)]
    for k, array in enumerate(arrays):
        assert array.flags.writeable, f"{what}: result {k} is read-only"
        for other in arrays[k + 1 :] + foreign:
            assert not np.shares_memory(array, other), f"{what}: result {k} shares memory"


def spoil(tree: Any) -> None:
    """Overwrite every array of a tree."""
    for leaf in leaves(tree):
        if isinstance(leaf, np.ndarray):
            leaf.fill(77 if leaf.dtype.kind != "b" else True)


@dataclasses.dataclass
class Check:
    """One program at one point: every derivative of it against differences of the program itself."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: tuple[int, ...]
    jit: bool = False
    tol: float = 1e-7
    step: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.given = copied(self.args)
        self.value = self.f(*copied(self.args))

    def tangents(self) -> tuple[Any, ...]:
        """Return random tangents of the differentiated arguments, None for the others."""
        return tuple(
            direction(self.rng, arg) if k in self.argnums else None for k, arg in enumerate(self.args)
        )

    def spread(self, tangents: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the tangents with None at every leaf of an argument that is not varied."""
        return tuple(
            map_tree(lambda leaf: None, arg) if dot is None else dot
            for arg, dot in zip(self.args, tangents, strict=True)
        )

    def compare_value(self, value: Any, what: str) -> None:
        """Assert that the primal value came out: bit for bit on NumPy, closely under jit."""
        if self.jit:
            assert_close(value, self.value, 1e-12, f"{what}: value")
        else:
            assert_same(value, self.value, f"{what}: value")

    def untouched(self, what: str) -> None:
        """Assert that the caller's arguments are as they were."""
        assert_same(self.args, self.given, f"{what}: the caller's arguments")

    def forward(self) -> tuple[Any, Any]:
        """Check jvp; return tangents and the tangent of the value."""
        tangents = self.tangents()
        value, value_dot = s2sad.jvp(self.f, self.args, tangents, jit=self.jit)
        self.untouched("jvp")
        self.compare_value(value, "jvp")
        expected = differences(self.f, self.args, self.spread(tangents), self.step)
        assert_close(active_leaves(value_dot), expected, self.tol, "jvp against differences")
        return tangents, value_dot

    def reverse(self, tangents: Any, value_dot: Any) -> None:
        """Check vjp: the dot product with jvp, the form of the cotangents, repeated and spoiled calls."""
        value, pullback = s2sad.vjp(self.f, *self.args, jit=self.jit)
        self.compare_value(value, "vjp")
        value_bar = direction(self.rng, self.value)
        seed = copied(value_bar)
        cotangents = pullback(value_bar)
        self.untouched("vjp")
        assert_same(value_bar, seed, "the seed")
        assert isinstance(cotangents, tuple), "a pullback returns a tuple"
        assert len(cotangents) == len(self.args), "one cotangent for each primal"
        picked = tuple(cotangents[k] for k in self.argnums)
        for k in self.argnums:
            want = structure(self.args[k])
            assert structure(cotangents[k]) == want, f"argument {k}: {structure(cotangents[k])} for {want}"
        left = inner(value_bar, value_dot)
        right = inner(picked, tuple(tangents[k] for k in self.argnums))
        scale = max(1.0, abs(left), abs(right))
        assert abs(left - right) <= 1e-10 * scale, f"<y_bar, J x_dot> = {left}, <J'y_bar, x_dot> = {right}"
        self.repeat(pullback, value_bar, cotangents, value)

    def repeat(self, pullback: Callable[..., Any], value_bar: Any, cotangents: Any, value: Any) -> None:
        """Check a second call of the pullback after the first results were overwritten."""
        assert_independent([cotangents], [self.args, value_bar, value], "pullback")
        before = copied(cotangents)
        spoil(cotangents)
        spoil(value)
        self.untouched("spoiling results")
        assert_same(pullback(value_bar), before, "second pullback call")
        again, other = s2sad.vjp(self.f, *self.args, jit=self.jit)
        self.compare_value(again, "second vjp")
        assert_same(other(value_bar), before, "pullback of a second vjp")

    def second(self) -> None:
        """Check hvp, and hessian where one array varies, against differences of the gradient."""
        tangents = self.tangents()

        def gradient(*args: Any) -> Any:
            return s2sad.grad(self.f, argnums=self.argnums, jit=self.jit)(*args)

        first = gradient(*self.args)
        along = differences(self.f, self.args, self.spread(tangents), self.step)
        got = inner(first, tuple(tangents[k] for k in self.argnums))
        assert_close(got, float(along[0]), self.tol, "grad against differences")
        expected = differences(gradient, self.args, self.spread(tangents), self.step)
        product = s2sad.hvp(self.f, self.args, tangents, jit=self.jit)
        self.untouched("hvp")
        assert_close(active_leaves(product), expected, self.tol, "hvp against differences")
        argument = self.args[self.argnums[0]]
        if len(self.argnums) == 1 and isinstance(argument, np.ndarray) and not self.jit:
            matrix = s2sad.hessian(self.f, argnums=self.argnums[0], jit=self.jit)(*self.args)
            self.untouched("hessian")
            assert matrix.shape == argument.shape * 2
            full = matrix.reshape(argument.size, argument.size)
            along_v = full @ np.ravel(tangents[self.argnums[0]])
            assert_close(along_v.reshape(argument.shape), expected[0], self.tol, "hessian")

    def first(self) -> None:
        """Check forward and reverse."""
        tangents, value_dot = self.forward()
        self.reverse(tangents, value_dot)


def check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    argnums: tuple[int, ...] | None = None,
    *,
    jit: bool = False,
    second: bool = True,
    tol: float = 1e-7,
    step: float = 1e-3,
) -> None:
    """Check the derivatives of f at args; by default every argument with floating leaves varies."""
    if argnums is None:
        argnums = tuple(k for k, arg in enumerate(args) if active_leaves(arg))
    case = Check(f, args, argnums, jit, tol, step)
    case.first()
    scalar = not isinstance(case.value, tuple | dict | list) and np.ndim(case.value) == 0
    if second and scalar:
        case.second()
