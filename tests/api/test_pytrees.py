"""Structures of arguments, results, tangents and cotangents: in every transform, as vectors, mapped."""

from __future__ import annotations

import inspect
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
from oracle import assert_close, assert_same
from property.verdicts import lowering_interpreted

import s2sad
from s2sad import ravel_pytree, tree_map

Pair = namedtuple("Pair", "w s")  # as people write it
JIT = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "nests"])


@dataclass
class Layer:
    w: Any
    s: Any
    name: str = "layer"


@dataclass(frozen=True)
class Frozen:
    inner: Any
    empty: tuple[()] = ()


W, S = np.array([[0.3, -0.4], [0.5, 0.7]]), 1.3


def of_dict(p):
    return {"u": np.sin(p["w"]) * p["s"], "v": (p["s"] ** p["n"], [p["w"][0]]), "none": None, "n": p["n"]}


def of_list(p):
    return [np.exp(p[0]) * p[1], [], p[1] * p[1]]


def of_nested_tuples(p):
    (w, (s, none)), empty = p
    return (w * s,), (s * w[0], none, empty)


def of_namedtuple(p):
    return Pair(w=p.w @ p.w, s=p.s * np.sum(p.w))


def of_dataclass(p):
    return Layer(w=p.w * p.s, s=Frozen(inner={"deep": np.cos(p.w[1]) * p.s}), name=p.name)


def of_frozen(p):
    return Frozen(inner=[p.inner[0].w * p.inner[1]["s"], p.inner[1]["s"]])


def of_ordered(p):
    return OrderedDict([("b", p["w"] * 2.0 * p["s"]), ("a", p["s"] * p["s"])])


def of_rank_zero(p):
    return {"sum": np.sum(p["w"]) * p["s"], "zero": p["s"] * p["zero"]}


PROGRAMS: dict[Callable[..., Any], Any] = {
    of_dict: {"w": W, "n": 3, "s": S, "flag": True, "none": None, "text": "relu"},
    of_list: [W, S, None, []],
    of_nested_tuples: ((W, (S, None)), {}),
    of_namedtuple: Pair(W, S),
    of_dataclass: Layer(W, S),
    of_frozen: Frozen([Pair(W, None), {"s": S}]),
    of_ordered: OrderedDict([("w", W), ("s", np.float64(S))]),
    of_rank_zero: {"w": W, "s": S, "zero": np.array(0.7)},
}
EACH = pytest.mark.parametrize(("f", "p"), PROGRAMS.items(), ids=[f.__name__ for f in PROGRAMS])


def parts(tree: Any) -> list[Any]:
    """Return the float leaves of a structure, in order; nothing of s2sad is used."""
    if isinstance(tree, dict):
        return [leaf for item in tree.values() for leaf in parts(item)]
    if isinstance(tree, list | tuple):
        return [leaf for item in tree for leaf in parts(item)]
    if hasattr(tree, "__dataclass_fields__"):
        return [leaf for name in tree.__dataclass_fields__ for leaf in parts(getattr(tree, name))]
    numbers = isinstance(tree, np.ndarray | np.generic | float | complex)
    return [tree] if numbers and np.result_type(tree).kind in "fc" else []


def flat(tree: Any) -> np.ndarray:
    """Return the float leaves in one vector."""
    return np.concatenate([np.ravel(leaf) for leaf in parts(tree)])


def filled(tree: Any, vector: np.ndarray) -> Any:
    """Return the structure with its float leaves taken from a vector, complex ones too, None elsewhere."""
    rest = list(vector)

    def walk(tree: Any, keep: bool) -> Any:
        if isinstance(tree, dict):
            return type(tree)((k, walk(v, keep)) for k, v in tree.items())
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            return type(tree)(*(walk(v, keep) for v in tree))
        if isinstance(tree, list | tuple):
            return type(tree)(walk(v, keep) for v in tree)
        if hasattr(tree, "__dataclass_fields__"):
            return type(tree)(*(walk(getattr(tree, n), keep) for n in tree.__dataclass_fields__))
        if not parts(tree):
            return tree if keep else None
        taken = [rest.pop(0) for _ in range(np.size(tree))]
        return np.reshape(taken, np.shape(tree)) if isinstance(tree, np.ndarray) else taken[0]

    return walk


def tree_of(like: Any, vector: np.ndarray) -> Any:
    """Return a primal like another, of a vector."""
    return filled(like, vector)(like, True)


def tangent_of(like: Any, vector: np.ndarray) -> Any:
    """Return a tangent: None at what does not vary."""
    return filled(like, vector)(like, False)


def matrix(f: Callable[..., Any], p: Any) -> np.ndarray:
    """Return the Jacobian over vectors by the complex step."""
    x = flat(p)
    columns = [flat_complex(f(tree_of(p, x + 1e-30j * e))).imag / 1e-30 for e in np.eye(x.size)]
    return np.stack(columns, axis=1)


def flat_complex(tree: Any) -> np.ndarray:
    """Return the leaves in one complex vector."""
    return np.concatenate([np.ravel(leaf).astype(complex) for leaf in parts(tree)])


def squares(f: Callable[..., Any], p: Any) -> Any:
    """Return a number made of all results."""
    total = 0.0
    for leaf in ravel_pytree(f(p))[0]:
        total += leaf * leaf
    return total


def same_structure(got: Any, like: Any) -> None:
    """Assert that a gradient is built like its argument: kinds, shapes, None where nothing varies."""
    assert type(got) is type(like)
    if isinstance(like, dict):
        assert list(got) == list(like)
        pairs = [(got[k], like[k]) for k in like]
    elif isinstance(like, list | tuple):
        assert len(got) == len(like)
        pairs = list(zip(got, like, strict=True))
    elif hasattr(like, "__dataclass_fields__"):
        pairs = [(getattr(got, n), getattr(like, n)) for n in like.__dataclass_fields__]
    else:
        assert np.shape(got) == np.shape(like)
        return
    for a, b in pairs:
        if not parts(b) and not isinstance(b, dict | list | tuple) and not hasattr(b, "__dataclass_fields__"):
            assert a is None
        else:
            same_structure(a, b)


@JIT
@EACH
def test_products(f: Any, p: Any, jit: bool):
    rng = np.random.default_rng(0)
    jacobian = matrix(f, p)
    x_dot, y_bar = rng.normal(size=jacobian.shape[1]), rng.normal(size=jacobian.shape[0])
    tangent = tangent_of(p, x_dot)
    with lowering_interpreted():
        y, y_dot = s2sad.jvp(f, (p,), (tangent,), jit=jit)
        value, pullback = s2sad.vjp(f, p, jit=jit)
        (x_bar,) = pullback(tangent_of(y, y_bar))
        again, pushforward = s2sad.linearize(f, p, jit=jit)
        (nothing,) = pullback(None)
        pushed = pushforward(tangent)
    for got in (y, value, again):
        assert type(got) is type(f(p))
        assert_close(flat(got), flat(f(p)), 1e-14, "value")
    same_structure(x_bar, p)
    same_structure(y_dot, y)
    assert_close(flat(y_dot), jacobian @ x_dot, 1e-13, "jvp")
    assert_close(flat(pushed), jacobian @ x_dot, 1e-13, "linearize")
    assert_close(flat(x_bar), jacobian.T @ y_bar, 1e-13, "vjp")
    assert_same(flat(nothing), np.zeros(x_dot.size), "no cotangent")


@JIT
@EACH
def test_jacobians(f: Any, p: Any, jit: bool):
    expected = matrix(f, p)
    widths = np.cumsum([np.size(leaf) for leaf in parts(p)])[:-1]
    for transform in (s2sad.jacfwd, s2sad.jacrev, s2sad.jacobian):
        with lowering_interpreted():
            got = transform(f, jit=jit)(p)
        blocks = parts(got)
        row = 0
        for leaf in parts(f(p)):
            for column in np.split(expected[row : row + np.size(leaf)], widths, axis=1):
                assert_close(np.reshape(blocks.pop(0), column.shape), column, 1e-13, transform.__name__)
            row += np.size(leaf)
        assert not blocks


@JIT
@EACH
def test_gradients_and_second_order(f: Any, p: Any, jit: bool):
    x = flat(p)
    v = np.random.default_rng(1).normal(size=x.size)
    loss = partial(squares, f)

    def slope(x: np.ndarray) -> np.ndarray:
        q = tree_of(p, x)
        return 2.0 * matrix(f, q).T @ flat(f(q))

    step = 1e-3
    weights = {1: 45.0 / 60.0, 2: -9.0 / 60.0, 3: 1.0 / 60.0}
    bent = sum(w * (slope(x + k * step * v) - slope(x - k * step * v)) for k, w in weights.items()) / step
    with lowering_interpreted():
        value, gradient = s2sad.value_and_grad(loss, jit=jit)(p)
        assert_close(s2sad.grad(loss, jit=jit)(p), gradient, 0.0, "grad")
        product = s2sad.hvp(loss, (p,), (tangent_of(p, v),), jit=jit)
    same_structure(gradient, p)
    same_structure(product, p)
    assert_close(value, np.sum(flat(f(p)) ** 2), 1e-14, "value")
    assert_close(flat(gradient), slope(x), 1e-12, "gradient")
    assert_close(flat(product), bent, 1e-8, "hvp")


@pytest.mark.parametrize("f", [of_namedtuple, of_nested_tuples, of_dataclass], ids=lambda f: f.__name__)
def test_hessians(f: Any):
    p = PROGRAMS[f]
    x = flat(p)
    loss = partial(squares, f)
    blocks = parts(s2sad.hessian(loss)(p))
    products = [flat(s2sad.hvp(loss, (p,), (tangent_of(p, e),))) for e in np.eye(x.size)]
    widths = np.cumsum([np.size(leaf) for leaf in parts(p)])[:-1]
    for row in np.split(np.array(products), widths, axis=0):
        for block in np.split(row, widths, axis=1):
            assert_close(np.reshape(blocks.pop(0), block.shape), block, 1e-12, "hessian")
    assert not blocks


def test_parts_of_a_tangent_may_be_none():
    p = PROGRAMS[of_nested_tuples]
    full = s2sad.jvp(of_nested_tuples, (p,), (((np.ones((2, 2)), (0.0, None)), {}),))[1]
    part = s2sad.jvp(of_nested_tuples, (p,), (((np.ones((2, 2)), None), None),))[1]
    assert_same(flat(part), flat(full), "tangent")


def test_tangents_of_another_structure_are_refused():
    for wrong in ([W, S], Pair(W, (S,)), Pair(W[0], S), {"w": W, "s": S}):
        with pytest.raises(TypeError):
            s2sad.jvp(of_namedtuple, (Pair(W, S),), (wrong,))
        with pytest.raises(TypeError):
            s2sad.vjp(of_namedtuple, Pair(W, S))[1](wrong)


# --- structures as vectors ----------------------------------------------------------------------


@EACH
def test_there_and_back(f: Any, p: Any):
    vector, unravel = ravel_pytree(p)
    assert_same(vector, flat(p), "vector")
    back = unravel(vector)
    assert type(back) is type(p)
    assert_same(flat(back), vector, "back")
    assert_same(ravel_pytree(back)[0], vector, "twice")
    assert ravel_pytree(s2sad.grad(lambda q: np.sum(ravel_pytree(q)[0]))(p))[0].shape == vector.shape
    back_leaf = parts(back)[0]
    back_leaf[...] = 0.0  # what comes back is no view
    assert_same(vector, flat(p), "untouched")


@JIT
@EACH
def test_the_way_back_is_differentiable(f: Any, p: Any, jit: bool):
    vector, unravel = ravel_pytree(p)
    loss = partial(squares, f)
    with lowering_interpreted():
        value, gradient = s2sad.value_and_grad(lambda x: loss(unravel(x)), jit=jit)(vector)
    expected = s2sad.value_and_grad(loss)(p)
    assert_close(value, expected[0], 1e-14, "value")
    assert_close(gradient, flat(expected[1]), 1e-13, "gradient")


@JIT
@EACH
def test_both_ways_inside_a_program(f: Any, p: Any, jit: bool):
    def rescaled(q):
        vector, unravel = ravel_pytree(q)
        return np.sum(ravel_pytree(f(unravel(vector * vector)))[0])

    x = flat(p)
    jacobian = matrix(f, tree_of(p, x * x))
    with lowering_interpreted():
        gradient = s2sad.grad(rescaled, jit=jit)(p)
    same_structure(gradient, p)
    assert_close(flat(gradient), np.sum(jacobian, axis=0) * 2.0 * x, 1e-13, "gradient")
    assert_close(rescaled(p), np.sum(flat(f(tree_of(p, x * x)))), 1e-14, "plain call")


def test_dtypes_come_back():
    p = {"a": np.ones(2, np.float32), "b": np.float32(2.0), "c": 3.0, "d": np.array(4.0), "z": 1.0 + 2.0j}
    vector, unravel = ravel_pytree({k: p[k] for k in "abcd"})
    assert vector.dtype == np.float64
    assert_same(unravel(vector), {k: p[k] for k in "abcd"}, "real")
    vector, unravel = ravel_pytree(p)
    assert vector.dtype == np.complex128
    assert_same(unravel(vector), p, "complex")
    assert ravel_pytree([np.ones(2, np.float32)])[0].dtype == np.float32
    assert_same(ravel_pytree({"n": 3})[0], np.zeros(0), "nothing varies")
    assert ravel_pytree({"n": 3})[1](np.zeros(0)) == {"n": 3}


def test_vectors_of_another_length_and_other_objects_are_refused():
    with pytest.raises(ValueError, match="6 numbers"):
        ravel_pytree({"w": np.ones((2, 3))})[1](np.ones(5))

    class Model:
        def __init__(self) -> None:
            self.w = np.ones(2)

    with pytest.raises(TypeError, match="Model"):
        ravel_pytree({"model": Model()})


def test_the_text_is_readable():
    _, unravel = ravel_pytree({"w": np.ones((2, 3)), "b": Pair(1.0, [7, None])})
    assert 'return {"w"' in inspect.getsource(unravel).replace("'", '"')
    assert "flat[0:6].reshape((2, 3)).copy()" in inspect.getsource(unravel)
    assert "Pair(w=float(flat[6]), s=[" in inspect.getsource(unravel)


def test_scipy_minimises_over_a_structure():
    minimize = pytest.importorskip("scipy.optimize").minimize
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)

    def loss(p):
        return np.mean((x @ p["w"] + p["b"] - y) ** 2)

    start, unravel = ravel_pytree({"w": np.zeros(3), "b": 0.0})
    found = minimize(s2sad.value_and_grad(lambda v: loss(unravel(v))), start, jac=True)
    best = unravel(found.x)
    columns = np.column_stack((x, np.ones(20)))
    expected = np.linalg.lstsq(columns, y, rcond=None)[0]
    assert_close(np.append(best["w"], best["b"]), expected, 1e-5, "least squares")


# --- maps over leaves ---------------------------------------------------------------------------


def test_a_step_of_descent():
    p = {"w": np.ones(2), "n": 3, "deep": Layer(2.0, None)}
    g = s2sad.grad(lambda q: np.sum(q["w"] ** 2) * q["n"] * q["deep"].w)(p)
    moved = tree_map(lambda a, b: a if b is None else a - 0.1 * b, p, g)
    assert_same(moved, {"w": np.ones(2) - 0.1 * 12.0, "n": 3, "deep": Layer(2.0 - 0.1 * 6.0, None)}, "moved")
    for wrong in ({"w": 1.0}, [1.0], {"w": np.ones(2), "n": 3, "deep": (2.0, None)}):
        with pytest.raises(TypeError):
            tree_map(lambda a, b: a, p, wrong)


@JIT
def test_maps_inside_a_program(jit: bool):
    def unrolled(p, x):
        for _k in range(2):
            g = s2sad.grad(lambda q: np.sum((x @ q["w"] + q["b"]) ** 2))(p)
            p = tree_map(lambda a, b: a - 0.1 * b, p, g)
        return np.sum(p["w"]) * p["b"]

    x = np.array([[0.3, 0.5], [1.0, -0.2]])
    p = {"w": np.array([0.4, -0.7]), "b": 0.2}
    vector = ravel_pytree(p)[0]
    with lowering_interpreted():
        got = s2sad.grad(unrolled, jit=jit)(p, x)
    expected = []
    for e in np.eye(3):
        q = unravel_complex(vector + 1e-30j * e)
        for _ in range(2):
            r = 2.0 * (x @ q["w"] + q["b"])
            q = {"w": q["w"] - 0.1 * (x.T @ r), "b": q["b"] - 0.1 * np.sum(r)}
        expected.append((np.sum(q["w"]) * q["b"]).imag / 1e-30)
    assert_close(ravel_pytree(got)[0], np.array(expected), 1e-13, "descent")


def unravel_complex(x: np.ndarray) -> dict[str, Any]:
    """Return the parameters of the program above."""
    return {"w": x[:2], "b": x[2]}
