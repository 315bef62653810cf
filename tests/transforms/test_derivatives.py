"""jvp against differences, vjp against jvp, both of each other, and the two halves against the whole."""

from __future__ import annotations

import numpy as np
import pytest

from s2sad.frontend.build import build
from s2sad.ir import interp
from s2sad.ir.verify import verify
from s2sad.transforms.jvp import jvp
from s2sad.transforms.reverse import vjp
from s2sad.transforms.split import split
from tests.transforms.numeric import close, differences, flags, like, product, same_type
from tests.transforms.programs import PROGRAMS

ALL = pytest.mark.parametrize("name", PROGRAMS)


def floats(values):
    return [v for v in values if np.asarray(v).dtype.kind == "f"]


def built(name):
    f, args, argnums = PROGRAMS[name]
    fn = build(f, args)
    leaves, active = flags(args, argnums)
    return fn, leaves, active, len(fn.result_types)


def tangents(leaves, active):
    return [like(x) if flag else None for x, flag in zip(leaves, active, strict=True)]


def given(dots):
    return [d for d in dots if d is not None]


@ALL
def test_jvp(name):
    fn, leaves, active, count = built(name)
    dots = tangents(leaves, active)
    out = interp.run(verify(jvp(fn, active)), *leaves, *given(dots))
    values = interp.run(fn, *leaves)
    narrow = any(p.type.dtype == np.float32 for p in fn.params)
    for got, wanted in zip(out[:count], values, strict=True):
        assert np.array_equal(got, wanted, equal_nan=True)
    for got, value in zip(out[count:], floats(values), strict=True):
        assert same_type(got, value)
    for got, wanted in zip(out[count:], differences(fn, leaves, dots, 1e-2 if narrow else 2e-4), strict=True):
        assert close(got, wanted, 2e-3 if narrow else 1e-6)


@ALL
def test_vjp(name):
    fn, leaves, active, count = built(name)
    dots = tangents(leaves, active)
    derivative = verify(vjp(fn, active))
    pushed = interp.run(jvp(fn, active), *leaves, *given(dots))
    seeds = [like(v) for v in pushed[count:]]
    out = interp.run(derivative, *leaves, *seeds)
    varied = [x for x, flag in zip(leaves, active, strict=True) if flag]
    for got, wanted in zip(out[:count], pushed[:count], strict=True):
        assert np.array_equal(got, wanted, equal_nan=True)
    for bar, x in zip(out[count:], varied, strict=True):
        assert same_type(bar, x)
    narrow = any(p.type.dtype == np.float32 for p in fn.params)
    assert close(product(out[count:], given(dots)), product(seeds, pushed[count:]), 1e-4 if narrow else 1e-10)


@ALL
def test_only_the_cotangents(name):
    fn, leaves, active, count = built(name)
    whole = vjp(fn, active)
    bare = verify(vjp(fn, active, with_value=False))
    seeds = [like(v) for v in floats(interp.run(fn, *leaves))]
    for a, b in zip(
        interp.run(bare, *leaves, *seeds), interp.run(whole, *leaves, *seeds)[count:], strict=True
    ):
        assert np.array_equal(a, b)


@ALL
def test_split(name):
    fn, leaves, active, count = built(name)
    whole = vjp(fn, active)
    forward, reverse = map(verify, split(whole))
    out = interp.run(forward, *leaves)
    seeds = [like(v) for v in floats(out[:count])]
    assert forward.extra["tape"] == reverse.extra["tape"] == len(out) - count
    wanted = interp.run(whole, *leaves, *seeds)
    got = interp.run(reverse, *out[count:], *seeds)
    for a, b in zip((*out[:count], *got), wanted, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("name", [n for n in PROGRAMS if "float32" not in n])
def test_second_order(name):
    fn, leaves, active, _ = built(name)
    first = vjp(fn, active)
    seeds = [like(v) for v in floats(interp.run(fn, *leaves))]
    both, flags2 = [*leaves, *seeds], (*active, *(True for _ in seeds))
    dots = tangents(both, flags2)
    size = len(first.result_types)
    pushed = interp.run(verify(jvp(first, flags2)), *both, *given(dots))
    for got, wanted in zip(pushed[size:], differences(first, both, dots), strict=True):
        assert close(got, wanted, 1e-5)
    seeds2 = [like(v) for v in pushed[size:]]
    pulled = interp.run(verify(vjp(first, flags2)), *both, *seeds2)[size:]
    assert close(product(pulled, given(dots)), product(seeds2, pushed[size:]), 1e-9)


@pytest.mark.parametrize("name", [n for n in PROGRAMS if "float32" not in n])
def test_reverse_over_forward(name):
    fn, leaves, active, _ = built(name)
    first = jvp(fn, active)
    both = [*leaves, *given(tangents(leaves, active))]
    flags2 = (*active, *(True for flag in active if flag))
    dots = tangents(both, flags2)
    size = len(first.result_types)
    pushed = interp.run(verify(jvp(first, flags2)), *both, *given(dots))
    seeds = [like(v) for v in pushed[size:]]
    pulled = interp.run(verify(vjp(first, flags2)), *both, *seeds)[size:]
    assert close(product(pulled, given(dots)), product(seeds, pushed[size:]), 1e-9)


def test_inputs_are_not_modified():
    for name in PROGRAMS:
        fn, leaves, active, _ = built(name)
        before = [np.copy(x) for x in leaves]
        seeds = [like(v) for v in floats(interp.run(fn, *leaves))]
        interp.run(vjp(fn, active), *leaves, *seeds)
        assert all(np.array_equal(a, b) for a, b in zip(before, leaves, strict=True))


def test_seed_of_one():
    fn, leaves, active, count = built("returns anywhere")
    gradient = verify(vjp(fn, active, with_value=False, seed_one=True))
    (got,) = interp.run(gradient, *leaves)
    assert np.array_equal(got, interp.run(vjp(fn, active), *leaves, np.float64(1.0))[count])


def printing(x):
    def inner(v):
        t = np.sum(v * v)
        print("inner", round(float(t), 3))
        for k in range(v.shape[0]):
            t = t * v[k] + 1.0
        return t

    a = inner(x)
    b = inner(x * 2.0)
    return a * b


def test_effects_happen_once(capsys):
    x = np.array([0.5, 0.25])
    fn = build(printing, (x,))
    interp.run(fn, x)
    once = capsys.readouterr().out
    assert once.count("inner") == 2
    interp.run(vjp(fn, (True,)), x, 1.0)
    assert capsys.readouterr().out == once
    interp.run(jvp(fn, (True,)), x, x)
    assert capsys.readouterr().out == once
