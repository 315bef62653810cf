"""What the forward sweep keeps: tapes by count, shape and kind; and what must not be there at all."""

from __future__ import annotations

import numpy as np
import pytest

from s2sad.frontend.build import build
from s2sad.ir.text import print_function
from s2sad.transforms.reverse import vjp

X = np.linspace(0.5, 1.5, 6)
M = np.linspace(0.1, 0.9, 16).reshape(4, 4)


def tapes(f, args, active):
    """Return name, rank and dtype kind of the tapes of a vjp, in order."""
    fn = vjp(build(f, args), active)
    made = [i.result for i in fn.block.walk() if i.role == "tape" and i.op.name == "empty"]
    return [(v.name, v.type.ndim, v.type.dtype.kind) for v in made]


def ops(f, args, active):
    return [i.op.name for i in vjp(build(f, args), active).block.walk()]


def loss(w, x):
    total = 0.0
    for i in range(x.shape[0]):
        t = x[i] * w[i]
        if t > 0.0:
            total += t * t
    return total


def test_cheap_bodies_are_recomputed():
    assert tapes(loss, (X, X), (True, False)) == []


def test_work_of_one_branch_is_reversed_in_it():
    fn = vjp(build(loss, (X, X)), (True, False))
    back = [i for i in fn.block.instrs if i.op.name == "for"][1].blocks[0]
    assert [i.op.name for i in back.instrs] == ["getitem", "getitem", "multiply", "greater", "if"]
    assert [i.op.name for i in back.instrs[-1].blocks[1].instrs] == []


def burgers(u0, steps, dt, dx):
    u = u0.copy()
    for _ in range(steps):
        u[1:-1] = u[1:-1] - dt / dx * u[1:-1] * (u[1:-1] - u[:-2])
    return np.sum(u * u)


def test_the_state_is_taped_not_its_slices():
    assert tapes(burgers, (X, 3, 0.01, 0.1), (True, False, False, False)) == [("u_tape", 2, "f")]


def linear(u0, steps):
    u = u0.copy()
    for _ in range(steps):
        u[1:-1] = 0.5 * (u[2:] + u[:-2])
    return np.sum(u)


def test_linear_loops_tape_nothing():
    assert tapes(linear, (X, 3), (True, False)) == []


def newton(a):
    x = 1.0
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


def test_while_tapes_grow():
    assert tapes(newton, (2.0,), (True,)) == [("x_tape", 1, "f")]
    assert ops(newton, (2.0,), (True,)).count("concatenate") == 1


def triangle(A):
    s = 1.0
    for i in range(A.shape[0]):
        for j in range(i):
            s = np.sin(s) * A[i, j]
    return s


def test_triangular_loops_have_rectangular_tapes():
    found = tapes(triangle, (M,), (True,))
    assert found
    assert {rank for _, rank, _ in found} == {2}
    assert "concatenate" not in ops(triangle, (M,), (True,))


def counters(x, n):
    s = 1.0
    p = 0
    for i in range(n):
        for _ in range(i):
            s = s + x[p] * 0.5
            p += 1
    return s


def test_running_indices_are_not_taped():
    assert tapes(counters, (np.arange(10.0), 4), (True, False)) == []


def views(x):
    s = np.sum(x[1:] * 2.0) + np.sum(x[::2] * 3.0) + x[0]
    return s


def test_located_contributions_go_to_one_array():
    found = ops(views, (X,), (True,))
    assert found.count("zeros_like") == 1
    assert "concatenate" not in found
    assert "pad" not in found


def dropped(x):
    y = np.exp(x)
    z = np.sin(y)
    return x[0] * 2.0 if z[0] < 2.0 else 0.0


def test_what_does_not_matter_gets_no_cotangent():
    fn = vjp(build(dropped, (X,)), (True,))
    assert not [i for i in fn.block.walk() if i.role == "reverse" and i.op.name in ("cos", "exp")]


def unread(x, y):
    return np.sum(y)


def test_independent_parameters_get_zeros():
    fn = vjp(build(unread, (X, X)), (True, True))
    made = next(i for i in fn.block.instrs if fn.block.end.args[1] in i.results)
    assert made.op.name == "zeros_like"


@pytest.mark.parametrize("twice", [False, True])
def test_the_same_program_gives_the_same_derivative(twice):

    fn = build(burgers, (X, 3, 0.01, 0.1))
    active = (True, False, False, True)

    def text():
        derivative = vjp(fn, active)
        return print_function(vjp(derivative, (*active, True)) if twice else derivative, types=True)

    assert text() == text()
