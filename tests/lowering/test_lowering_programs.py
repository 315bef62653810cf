"""Whole programs: lowered, they do what Python and NumPy do, at sizes 0 to 4 too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import small_programs as small
from corpus import core_programs as core
from lowered import assert_outcome, built, check, copied, lowered, outcome

from s2sad.driver.binding import facts_predicate
from s2sad.emit.load import load
from s2sad.errors import S2sadError

RNG = np.random.default_rng(2)
U = RNG.random(6)
A = RNG.random((4, 4)) + 4.0 * np.eye(4)
X = RNG.random(4) + 0.1

SMALL: dict[Callable[..., Any], tuple[Any, ...]] = {
    small.shift_up: (U,),
    small.shift_down: (U,),
    small.shift_by_two_both_ways: (U,),
    small.shift_corner: (A,),
    small.shift_mixed: (A,),
    small.shift_opposite: (A,),
    small.stencil: (U, 0.1),
    small.stencil_2d: (A, 0.1),
    small.transpose_into_itself: (A,),
    small.add_transpose: (A,),
    small.reverse_into_itself: (U,),
    small.add_reverse: (U,),
    small.write_reversed: (U,),
    small.permute_into_itself: (U,),
    small.gather_into_itself: (U,),
    small.masked_twice: (U,),
    small.masked_rows: (A,),
    small.column_to_row: (A,),
    small.row_to_all: (A,),
    small.views_of_views: (U,),
    small.swapped_buffers: (U, 3),
    small.rolling_buffers: (U, 3),
    small.single_precision: (U,),
    small.integers: (U,),
    small.products: (A, X),
    small.empties: (U,),
    small.choices: (U,),
    small.reductions: (A,),
    small.extremes: (A,),
    small.reshapes: (A,),
    small.not_a_number: (U,),
    small.rank_zero: (1.5,),
    small.index_arrays: (A,),
    small.returned_views: (A,),
    small.broadcasts: (A, X),
    small.search: (U,),
    small.first_above: (U, 0.5),
    small.scattered: (U,),
    small.smooth: (U, 3),
}
CORE: dict[Callable[..., Any], tuple[Any, ...]] = {
    core.loss: (X, X[::-1] - 0.5),
    core.layersum: (A, X, A),
    core.burgers: (RNG.random(8), 3, 0.1, 1.0),
    core.recur: (X,),
    core.map1: (X,),
    core.lu: (A,),
    core.gs: (A, X, 3),
    core.newton: (2.0,),
    core.brk: (X, 1.0),
    core.early: (X + 1.0, 3.0),
    core.lse: (X,),
    core.lse2: (A,),
    core.helper: (A, X),
    core.alias: (X,),
    core.swap: (RNG.random(7), 3),
    core.fib: (0.3, 4),
    core.promo: (X, 4),
    core.cont: (X - 0.5,),
    core.rebind: (X, 3),
    core.wh: (X - 0.5, X),
    core.wbrk: (2.0, 1e-9),
    core.nestwhile: (X,),
    core.zerotrip: (X, 0),
    core.rowafter: (A,),
    core.iterrows: (A,),
    core.nestret: (X, 2.0),
    core.helperret: (X,),
    core.ifview: (X, 1.0),
    core.ifbuf: (X,),
    core.shrink: (X,),
    core.dyn1: (X, 4),
    core.contw: (X - 0.5,),
    core.carrytup: (X, 3),
    core.rk: (X[:3], 3, 0.01),
    core.argmut: (X, X + 1.0),
    core.mlp: (A, A, A),
    core.mat: (A, X, 3),
    core.swapif: (X,),
}
PROGRAMS = SMALL | CORE


def resized(value: Any, n: int) -> Any:
    """Return an array with n in every dimension in place of an array."""
    if not isinstance(value, np.ndarray):
        return value
    return RNG.random((n,) * value.ndim) + (n * np.eye(n) if value.ndim == 2 else 0.0)


def strided(value: Any) -> Any:
    """Return an equal array in Fortran order, or one with a gap between its elements."""
    if not isinstance(value, np.ndarray):
        return value
    return np.asfortranarray(value) if value.ndim > 1 else np.repeat(value, 2)[::2]


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_program(f: Callable[..., Any]):
    args = PROGRAMS[f]
    want = outcome(lambda: f(*copied(args)))
    fn, leaves = built(f, args)
    check(fn, leaves, want)
    fn, leaves = built(f, tuple(map(strided, args)))
    check(fn, leaves, want)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_small_sizes(f: Callable[..., Any]):
    """Built for these sizes, and built for others: then what breaks an assumption is refused."""
    variant, _ = built(f, PROGRAMS[f])
    holds = facts_predicate(variant)
    low, text = lowered(variant)
    for n in range(5):
        args = tuple(resized(a, n) for a in PROGRAMS[f])
        want = outcome(lambda args=args: f(*copied(args)))
        try:
            fn, leaves = built(f, args)
        except S2sadError:
            continue
        check(fn, leaves, want)
        got = outcome(lambda leaves=leaves: load(text, "<lowered>")[low.name](*copied(leaves)))
        if holds is None or holds(leaves):
            assert_outcome(want, got)
        else:
            assert isinstance(got, ValueError)


def test_text_is_loops():
    _, text = lowered(built(small.stencil, (U, 0.1))[0])
    assert text.split("\n\n\n")[1] == (
        "def stencil(u, r):\n"
        "    t1 = u.shape[0]\n"
        "    u1 = np.empty(t1)\n"
        "    for i in range(t1):\n"
        "        u1[i] = u[i]\n"
        "    t2 = max(t1 - 2, 0)\n"
        "    t3 = np.empty(t2)\n"
        "    for i in range(t2):\n"
        "        t3[i] = u1[i + 1] + r * (u1[i + 2] - 2.0 * u1[i + 1] + u1[i])\n"
        "    for i in range(t2):\n"
        "        u1[i + 1] = t3[i]\n"
        "    return (u1,)\n"
    )


def test_a_shift_needs_a_direction_and_no_memory():
    up = lowered(built(small.shift_up, (U,))[0])[1]
    assert "range(t2 - 1, -1, -1)" in up or "- 1, -1, -1):" in up
    for f in (small.shift_up, small.shift_down, small.shift_corner, small.shift_mixed):
        assert lowered(built(f, SMALL[f])[0])[1].count("np.empty") == 1
    assert lowered(built(small.shift_opposite, (A,))[0])[1].count("np.empty") == 2


def test_size_is_linear_in_the_source():
    def chain(x):
        y = x * 2.0
        y = y + x
        y = np.sin(y) * x
        return np.sum(y * y)

    def longer(x):
        y = x * 2.0
        y = y + x
        y = np.sin(y) * x
        y = y * 2.0
        y = y + x
        y = np.sin(y) * x
        return np.sum(y * y)

    short, long = (len(lowered(built(f, (U,))[0])[1].splitlines()) for f in (chain, longer))
    assert long <= 2 * short
