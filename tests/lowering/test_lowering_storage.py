"""Which arrays may share memory: fresh arrays, views, and the slots of loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import small_programs as small
from lowered import built

from s2sad.ir.core import Function, Value
from s2sad.lowering.overlap import Storage
from s2sad.passes.bufferize import bufferize

U = np.arange(6.0)


def storage_of(f: Callable[..., Any], *args: Any) -> tuple[Storage, Function]:
    """Return the storage of a program and the program."""
    fn = bufferize(built(f, args)[0])
    return Storage(fn), fn


def slots(fn: Function) -> tuple[Value, ...]:
    """Return the carried parameters of the first loop."""
    loop = next(i for i in fn.block.walk() if i.op.name == "for")
    return loop.blocks[0].params[1:]


def test_parameters_and_fresh_arrays_are_apart():
    def f(x, y):
        return x * 2.0, y[1:]

    storage, fn = storage_of(f, U, U)
    x, y = fn.params
    double, tail = fn.block.end.args
    assert not storage.may_alias(storage.roots(x), storage.roots(y))
    assert not storage.may_alias(storage.roots(double), storage.roots(x))
    assert storage.may_alias(storage.roots(tail), storage.roots(y))


def test_swapped_buffers_stay_apart():
    storage, fn = storage_of(small.swapped_buffers, U, 3)
    u, v = slots(fn)
    assert not storage.may_alias(storage.roots(u), storage.roots(v))
    a, b = fn.block.end.args
    assert not storage.may_alias(storage.roots(a), storage.roots(b))


def test_a_buffer_of_this_trip_is_no_slot_of_it():
    storage, fn = storage_of(small.rolling_buffers, U, 3)
    written = next(i.args[0] for i in fn.block.walk() if i.op.name == "setitem")
    for slot in slots(fn):
        assert not storage.may_alias(storage.roots(written), storage.roots(slot))


def test_slots_that_meet_in_a_trip_may_share():
    def f(u, steps):
        v = 2.0 * u
        w = 3.0 * u
        for _ in range(steps):
            w = w + v
            v = w
        return v, w

    storage, fn = storage_of(f, U, 3)
    a, b = fn.block.end.args
    assert storage.may_alias(storage.roots(a), storage.roots(b))


def test_a_slot_may_be_what_it_begins_with():
    def f(u, steps):
        v = u
        for _ in range(steps):
            v = v[::-1]
        return v

    storage, fn = storage_of(f, U, 3)
    (u, _), (v,) = fn.params, fn.block.end.args
    assert storage.may_alias(storage.roots(u), storage.roots(v))
