"""Loops that are left from inside of branches inside of branches, whatever is computed on the way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from oracle import assert_close
from property.verdicts import memory_poisoned
from written import written

import s2sad

PROGRAM = """
def f(y, c):
    z = y * 1.5
    r = 0.3
    {before}
    {loop}:
        {0}
        {gate}:
            {1}
            if z[i] < 1.4:
                {2}
                if c > 0.2:
                    {3}
                    {out}
                {4}
            {5}
        {6}
        {step}
    return {last}
"""
FOR = {"before": "pass", "loop": "for i in range(1, 4)", "gate": "if c > 0.1", "step": "pass"}
LOOPS = {
    "while": {**FOR, "before": "i = 1", "loop": "while i < 4 and r < 9.0", "step": "i += 1"},
    "nested": {**FOR, "loop": "for i in range(1, 3)", "gate": "for i in range(1, 4)"},
    "while inside": {**FOR, "gate": "while r < 1.2 + 0.5 * i"},
}
STATEMENTS = ("q = z[i]", "r = r * z[i - 1] + y[i]", "z[i] = np.sin(z[i] * y[0])", "pass")
WAYS = {"break": "r + np.sum(z)", "return r * z[i]": "np.sum(z)", "return z[i] + q": "7.0 * r"}
Y = np.array([0.7, 1.2, 0.5, 0.9])


def texts() -> list[str]:
    """Return a program for each way out and each place of a statement of each kind, and of some pairs."""
    found = []
    for way, last in WAYS.items():
        start = "q = z[i]" if "q" in way else "pass"
        for statement in STATEMENTS:
            for places in (*itertools.combinations(range(7), 1), (1, 4), (0, 3), (2, 5), (1, 6)):
                each = [statement if k in places else "pass" for k in range(7)]
                each[1 if 0 in places else 0] = start if "q" in way else each[1 if 0 in places else 0]
                found.append(PROGRAM.format(*each, **FOR, out=way, last=last))
    return found


@pytest.mark.parametrize("half", range(4))
def test_ways_out(half: int) -> None:
    h = 1e-6
    for k, text in enumerate(texts()[half::4]):
        f = written(text, f"<way out {half} {k}>", {"np": np})["f"]
        for c in (0.05, 0.15, 0.5):
            f(Y.copy(), c)
            slopes = np.array([(f(Y + e, c) - f(Y - e, c)) / (2 * h) for e in h * np.eye(4)])
            found = s2sad.grad(f)(Y, c)
            assert_close(found, slopes, 1e-6, f"{c}\n{text}")
            assert_close(s2sad.jvp(f, (Y, c), (Y, None))[1], np.dot(found, Y), 1e-12, f"jvp {c}\n{text}")


def late(y, c):
    s, t = np.tanh(c), 0
    while t < y.shape[0] and s < 0.5:
        for i in range(3):
            if not y[t] + s > 0.1:
                break
            if np.sin(y[t]) > 0.6:
                continue
            if i > 0:
                s += 0.3 * q * q
            q = np.tanh(y[t] + s)  # noqa: F841
        t += 1
    return s + np.sum(y * y)


@pytest.mark.parametrize("c", [0.1, -0.4, 0.9])
def test_a_name_that_is_bound_in_a_later_trip(c: float) -> None:
    slopes = np.array([(late(Y + e, c) - late(Y - e, c)) / 2e-6 for e in 1e-6 * np.eye(4)])
    for jit in (False, True):
        assert_close(s2sad.grad(late, jit=jit)(Y, c), slopes, 1e-6, f"{jit}")


@pytest.mark.parametrize("loops", LOOPS)
def test_ways_out_of_other_loops(loops: str) -> None:
    rng = np.random.default_rng(len(loops))
    statements = (*STATEMENTS[:3], "r += 0.1 * z[i] * z[i]")
    ways = {**WAYS, "i += 1; continue" if loops == "while" else "continue": "r * np.sum(z)"}
    h, direction = 1e-5, np.array([0.3, -0.2, 0.5, 0.1])
    for k in range(16):
        way = list(ways)[k % len(ways)]
        each = [statements[rng.integers(4)] if rng.random() < 0.4 else "pass" for _ in range(7)]
        if "q" in way:
            each[1] = "q = z[i]"
        if loops == "while inside":
            each[1] = f"r += 0.4 + 0.1 * y[i] * z[0]; {each[1]}"
        text = PROGRAM.format(*each, **LOOPS[loops], out=way, last=ways[way])
        f = written(text, f"<way out of {loops} {k}>", {"np": np})["f"]
        for c in (0.05, 0.15, 0.5):
            slopes = np.array([(f(Y + e, c) - f(Y - e, c)) / (2 * h) for e in h * np.eye(4)])
            gradient = s2sad.grad(f)
            found = gradient(Y, c)
            assert_close(found, slopes, 1e-6, f"{c}\n{text}")
            assert_close(s2sad.jvp(f, (Y, c), (Y, None))[1], np.dot(found, Y), 1e-12, f"jvp {c}\n{text}")
            bent = s2sad.hvp(f, (Y, c), (direction, None))
            ahead, behind = (gradient(Y + t * direction, c) for t in (h, -h))
            assert_close(bent, (ahead - behind) / (2 * h), 1e-6, f"hvp {c}\n{text}")
            if k % 8 == 0 and c == 0.5:
                assert_close(s2sad.grad(f, jit=True)(Y, c), found, 1e-12, f"jit\n{text}")


def test_a_number_of_the_text_on_the_way_out() -> None:
    def f(x, w):
        total = np.sum(w)
        for i in range(x.shape[0]):
            total = 0.5
            if x[i] < 0.1:
                continue
        return total

    for jit in (False, True):
        y, pullback = s2sad.vjp(f, np.ones(3), np.ones(2), jit=jit)
        x_bar, w_bar = pullback(1.0)
        assert y == 0.5 and not x_bar.any() and not w_bar.any()
        assert s2sad.grad(f, argnums=1, jit=jit)(np.ones(0), np.ones(2)).tolist() == [1.0, 1.0]


TWO_WAYS = """
def f(y, c):
    r = y[0]
    for i in range(1, 4):
        {before}
        if c < 0.1:
            {going}
        else:
            if {test}:
                {first}
            {between}
            q = r
            r += q * q * y[i]
            {second}
        r = r * y[i]
    return r
"""


def test_two_ways_out_of_one_branch() -> None:
    texts = [
        TWO_WAYS.format(before=before, going=going, test=test, first=first, between=between, second=second)
        for before in ("pass", "r = np.sin(r)")
        for going in ("continue", "r = r * r")
        for test in ("i == 0", "i > 1", "y[i] > 1.0")
        for first in ("break", "return 2.0 * r", "continue")
        for between in ("pass", "r = r * y[0]")
        for second in ("break", "return r", "pass")
    ]
    for k, text in enumerate(texts):
        f = written(text, f"<two ways {k}>", {"np": np})["f"]
        for c in (0.05, 0.5):
            slopes = np.array([(f(Y + e, c) - f(Y - e, c)) / 2e-6 for e in 1e-6 * np.eye(4)])
            with memory_poisoned():
                found = s2sad.grad(f)(Y, c)
            assert_close(found, slopes, 1e-6, f"{c}\n{text}")


def test_the_shape_of_what_is_not_made_on_the_way() -> None:
    def f(x, y, c):
        u = v = y * 1.5
        for i in range(1, x.shape[0]):
            if x[i] < 1.0:
                if -0.7 < c < 0.1:
                    continue
                v[u > -0.7] = y[i]
            u *= u
        return np.sum(np.sin(u) * y)

    for c in (0.0, 0.5):
        for x in (Y, Y[::-1].copy()):
            slopes = np.array([(f(x, Y + e, c) - f(x, Y - e, c)) / 2e-6 for e in 1e-6 * np.eye(4)])
            for jit in (False, True):
                assert_close(s2sad.vjp(f, x, Y, c, jit=jit)[1](1.0)[1], slopes, 1e-6, f"{c} {x} {jit}")


ARRAYS_OF_ONE_BRANCH = """
def f(x, y):
    u = x * 1.5
    s = y[0]
    {loop}:
        {step}
        {head}
            {first}
        {last}
    return np.sum(u * y) + s
"""
HEADS = {
    "if u[i] > 0.6:": ("if i == 1: {out}\n            {write}", "{read}"),
    "if y[i] > 0.6:": ("{write}\n            if u[i] > 1.0: {out}", "{read}"),
    "if i != 1 and y[i] > 0.55:": ("w = u * y", "if i != 1 and y[i] > 0.55: s += w @ w"),
}
WRITES = ("np.add.at(u, [0, 2], y[:2])", "u = u[::-1] + x", "u = np.sin(u) * s")
READS = ("u[:] *= y", "u *= u", "s = s + u @ np.cos(u)")


@pytest.mark.parametrize("loop", ["for i in range(3, -1, -1)", "while i > 0 and s < 50.0"])
def test_arrays_that_are_not_made_where_a_trip_is_left(loop: str) -> None:
    step = "i -= 1" if loop.startswith("while") else "pass"
    for k, (head, out, write, read) in enumerate(
        itertools.product(HEADS, ("continue", "break"), WRITES, READS)
    ):
        first, last = (t.format(out=out, write=write, read=read) for t in HEADS[head])
        text = ARRAYS_OF_ONE_BRANCH.format(loop=loop, step=step, head=head, first=first, last=last)
        if step != "pass":
            text = text.replace("    s = y[0]", "    s = y[0]\n    i = 4")
        f = written(text, f"<{loop} {k}>", {"np": np})["f"]
        x = np.array([0.5, 0.3, 0.8, 0.6])
        slopes = np.array([(f(x, Y + e) - f(x, Y - e)) / 2e-6 for e in 1e-6 * np.eye(4)])
        with memory_poisoned():
            found = s2sad.vjp(f, x, Y)[1](1.0)[1]
        assert_close(found, slopes, 1e-6, text)
        gradient = s2sad.grad(f, argnums=1)
        ahead, behind = (gradient(x + e, Y + e * Y) for e in (1e-6, -1e-6))
        with memory_poisoned():
            _, bar_dot = s2sad.jvp(gradient, (x, Y), (np.ones(4), Y))
        assert_close(bar_dot, (ahead - behind) / 2e-6, 1e-5, text)


AFTER_INNER_LOOPS = """
def f(y, c):
    s = 1.0
    for r in range(2):
        {k}
        {loop}:
            {step}
            q, z = s, 0.0
            {inner}
            if {test}:
                {out}
            {last}
        s = np.tanh(s)
    return s + np.sum(y)
"""
INNER = {  # what an inner loop, or a slice, leaves on a tape with a cursor
    "a while loop": "while z < 3.0:\n                q = np.sin(q) * y[0] + 1.0\n                z += q",
    "slices": "for j in range(2):\n                z += np.sum(np.sin(y[:k] * q)); q = np.cos(q)",
    "a slice": "a = np.sin(y[:k] * q); z = np.sum(a * a * q) + 2.0; a[0] = q * 2.0; q = np.sum(a * a)",
    "a loop in a branch": "if k != 3:\n                while z < 3.0: q = np.sin(q) * y[0] + 1.0; z += q",
}
OUT = ("break", "s *= y[1]; break", "s *= z; break", "return s * y[2]", "s *= y[1]; continue")


@pytest.mark.parametrize("inner", INNER)
def test_a_way_out_behind_inner_loops(inner: str) -> None:
    loops = {"for k in range(1, 4)": "pass", "for k in range(3, 0, -1)": "pass", "while k < 4": "k += 1"}
    x = np.array([0.5, 0.7, 0.9, 0.4])
    tests, lasts = ("k == 2", "k == 3", "z > 3.4 and r == 1"), ("s += 0.3 * q * z", "s = s * y[1]")
    for k, (loop, out, test, last) in enumerate(itertools.product(loops, OUT, tests, lasts)):
        if k % 7 > 2:
            continue
        step = loops[loop]
        parts = {"loop": loop, "step": step, "out": out, "test": test, "last": last, "inner": INNER[inner]}
        text = AFTER_INNER_LOOPS.format(k="k = 0" if step != "pass" else "pass", **parts)
        f = written(text, f"<behind {inner} {k}>", {"np": np})["f"]
        slopes = np.array([(f(x + e, 0) - f(x - e, 0)) / 2e-6 for e in 1e-6 * np.eye(4)])
        gradient = s2sad.grad(f)
        with memory_poisoned():
            found = gradient(x, 0)
        assert_close(found, slopes, 1e-6, text)
        if k % 5 == 0:
            with memory_poisoned():
                bent = s2sad.grad(lambda y, g=gradient: g(y, 0) @ x)(x)
            ahead, behind = (gradient(x + t * x, 0) for t in (1e-5, -1e-5))
            assert_close(bent, (ahead - behind) / 2e-5, 1e-5, f"second order {text}")
