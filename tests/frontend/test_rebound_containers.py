"""Loops in which every trip binds a name to a new container: parameters of a model that is trained."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from oracle import assert_close
from property.verdicts import lowering_interpreted

import s2sad


@dataclass
class Pair:
    w: Any
    b: Any


def descent(p):
    for _k in range(2):
        g = s2sad.grad(lambda q: np.sum(np.sin(q["w"])) * q["b"])(p)
        p = {"w": p["w"] - 0.1 * g["w"], "b": p["b"] - 0.1 * g["b"]}
    return np.sum(p["w"]) * p["b"]


def momentum(p):
    m = {"w": np.zeros(2), "b": 0.0}
    for k in range(3):
        m = {"w": 0.9 * m["w"] + p["w"], "b": 0.9 * m["b"] + p["b"]}
        p = {"w": p["w"] - m["w"] * k, "b": p["b"] - m["b"]}
        if p["b"] > 100.0:
            break
    return np.sum(p["w"] * p["w"]) * p["b"]


def old_and_new(p):
    r = p
    for _k in range(3):
        old = p
        p = {"w": p["w"] * 2.0, "b": p["b"] * p["b"]}
        r = p
        r["w"] = r["w"] + 1.0
        p["b"] = p["b"] + old["b"]
    return np.sum(p["w"] * p["w"]) * p["b"] + r["b"]


def updated(p):
    k = 0
    while p["b"] < 3.0:
        p = {**p, "w": p["w"] * p["w"] + p["b"]}
        for j in range(2):
            p = {**p, "b": p["b"] + 1.0 * j + 0.1 * k}
        k += 1
    return np.sum(p["w"]) * p["b"]


def inside_another(p):
    d = {"last": p}
    for _k in range(3):
        p = {"w": p["w"] * 2.0, "b": p["b"] * p["b"]}
        d["last"] = p
        d["last"]["b"] = d["last"]["b"] + 1.0
    return np.sum(p["w"] * p["w"]) * p["b"]


def objects(p):
    q = Pair(p["w"], p["b"])
    for _k in range(3):
        q = Pair(q.w * 2.0, q.b * q.b)
        q.b += 1.0
    return np.sum(q.w * q.w) * q.b


def lists(p):
    ys = [p["w"], p["w"] * 2.0]
    for _k in range(3):
        ys = [y * y + p["b"] for y in ys]
    return np.sum(ys[0] * ys[1])


def nested(p):
    state = {"p": p, "m": {"w": np.zeros(2), "b": 0.0}}
    for _k in range(3):
        q, m = state["p"], state["m"]
        m = {"w": 0.5 * m["w"] + q["w"], "b": 0.5 * m["b"] + q["b"]}
        state = {"p": {"w": q["w"] - m["w"] * m["b"], "b": q["b"] * m["b"]}, "m": m}
    return np.sum(state["p"]["w"]) * state["p"]["b"]


def chosen(p):
    for _k in range(3):
        if p["b"] > 0.0:
            p = {"w": p["w"] * 2.0, "b": p["b"] - 1.0}
        else:
            p = {"w": p["w"] * p["w"], "b": p["b"] * p["b"]}
    return np.sum(p["w"]) * p["b"]


def swapped(p):
    q = {"w": p["w"] * p["w"], "b": p["b"] + 1.0}
    for _k in range(3):
        p, q = q, p
        p = {"w": p["w"] * 2.0, "b": p["b"] * p["b"]}
    return np.sum(p["w"]) * p["b"] + q["b"]


def written(p):
    for _k in range(3):
        p = {"w": p["w"] * 2.0, "b": p["b"] * p["b"]}
        p["w"][0] = p["b"]
    return np.sum(p["w"] * p["w"]) * p["b"]


def perhaps_no_trip(p, n=0):
    for _k in range(n):
        p = {"w": p["w"] * 2.0, "b": p["b"] * p["b"]}
    return np.sum(p["w"] * p["w"]) * p["b"]


PROGRAMS = (
    descent, momentum, old_and_new, updated, inside_another, objects, lists, nested, chosen, swapped, written,
    perhaps_no_trip,
)  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_derivatives(f: Any):
    p = {"w": np.array([0.4, -0.7]), "b": 0.2}

    def at(x: np.ndarray) -> float:
        return float(f({"w": x[:2].copy(), "b": float(x[2])}))

    x, steps = np.array([0.4, -0.7, 0.2]), np.eye(3) * 1e-3
    weights = ((1, 0.75), (2, -0.15), (3, 1.0 / 60.0))
    slope = [sum(w * (at(x + k * e) - at(x - k * e)) for k, w in weights) / 1e-3 for e in steps]
    for jit in (False, True):
        with lowering_interpreted():
            given = copy.deepcopy(p)
            value, gradient = s2sad.value_and_grad(f, jit=jit)(given)
            y, y_dot = s2sad.jvp(f, (given,), ({"w": np.ones(2), "b": 1.0},), jit=jit)
        assert_close([value, y], [at(x), at(x)], 1e-13, "value")
        assert_close(np.append(gradient["w"], gradient["b"]), np.array(slope), 1e-8, "gradient")
        assert_close(y_dot, np.sum(slope), 1e-8, "jvp")


def test_the_number_of_trips_may_change():
    gradient = s2sad.grad(perhaps_no_trip)
    p = {"w": np.array([0.4, -0.7]), "b": 0.2}
    for n in (0, 2):
        scale = 4.0**n
        expected = 2.0 * scale * p["w"] * p["b"] ** (2**n)
        assert_close(gradient(p, n)["w"], expected, 1e-14, "gradient")


def old_one_is_written(p):
    q = p
    for _k in range(2):
        p["w"] = p["w"] * 3.0
        p = {"w": p["w"] * 2.0, "b": p["b"] * p["b"]}
    return np.sum(q["w"]) * p["b"]


def other_name_is_written(p):
    r = p
    for _k in range(3):
        r["w"] = r["w"] + 1.0
        p = {"w": p["w"] * 2.0, "b": p["b"] * p["b"]}
        r = p
    return np.sum(p["w"]) * p["b"] + r["b"]


def written_after_a_swap(p):
    q = {"w": p["w"] * p["w"], "b": p["b"] + 1.0}
    for _k in range(3):
        p, q = q, p
        p["b"] = p["b"] * 2.0
    return np.sum(p["w"]) * p["b"] + q["b"]


def written_after_the_loop(p):
    q = p
    for _k in range(2):
        p = {"w": p["w"] * 2.0, "b": p["b"] * p["b"]}
    p["b"] = 3.0
    return q["b"] * np.sum(p["w"])


def one_of_before_is_written_in_the_next_trip(p):
    b = {"w": p["w"] * 2.0, "b": p["b"] + 1.0}
    c = {"w": p["w"], "b": 0.5}
    for _k in range(3):
        c["b"] = c["b"] * 0.5
        c = b
    return np.sum(c["w"]) * b["b"]


def one_of_before_is_written_after_the_loop(p):
    a = p
    b = {"w": p["w"] * 2.0, "b": p["b"] + 1.0}
    for _k in range(3):
        a = b
        a["b"] = a["b"] * 0.5
    b["b"] = np.sum(b["w"])
    return np.sum(a["w"]) * a["b"]


@pytest.mark.parametrize(
    "f",
    [
        one_of_before_is_written_in_the_next_trip,
        one_of_before_is_written_after_the_loop,
        old_one_is_written,
        other_name_is_written,
        written_after_a_swap,
        written_after_the_loop,
    ],
)
def test_what_may_be_one_container_is_refused_once_it_is_changed(f: Any):
    with pytest.raises(s2sad.S2sadError, match="S402"):
        s2sad.grad(f)({"w": np.array([0.4, -0.7]), "b": 0.2})


def test_another_structure_in_every_trip_is_refused():
    def growing(p):
        for _k in range(3):
            p = {"w": p["w"], "more": p}
        return np.sum(p["w"])

    with pytest.raises(s2sad.S2sadError, match="S313"):
        s2sad.grad(growing)({"w": np.ones(2)})


@s2sad.grad
def energy_slope(q, x):
    return np.sum(np.tanh(x * q["w0"] * q["w3"] + q["w5"]) ** 2) + np.sum(q["w9"] ** 2)


def adam(p, x):
    m, v = s2sad.tree_map(np.zeros_like, p), s2sad.tree_map(np.zeros_like, p)
    for _k in range(3):
        g = energy_slope(p, x)
        m = s2sad.tree_map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = s2sad.tree_map(lambda a, b: 0.99 * a + 0.01 * b * b, v, g)
        p = s2sad.tree_map(lambda a, b, c: a - 0.01 * b / (np.sqrt(c + 0.1) + 1e-3), p, m, v)
    return np.sum(p["w0"] * p["w9"])


def test_an_optimiser_over_many_arrays():
    p = {f"w{k}": np.linspace(0.1, 1.0, 3) + 0.1 * k for k in range(12)}
    x = np.array([0.5, -0.3, 0.8])
    value, gradient = s2sad.value_and_grad(adam)(p, x)
    assert_close(value, adam(p, x), 1e-13, "value")
    for name in ("w0", "w3", "w7"):
        for e in np.eye(3):
            ahead, behind = (adam(p | {name: p[name] + s * e}, x) for s in (1e-5, -1e-5))
            assert abs(gradient[name] @ e - (ahead - behind) / 2e-5) < 1e-8
