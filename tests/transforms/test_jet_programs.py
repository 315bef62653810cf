"""Taylor mode against nested forward mode on programs with control flow, writes and helpers."""

from __future__ import annotations

import numpy as np
import pytest

from s2sad.frontend.build import build
from s2sad.ir import interp
from s2sad.ir.types import is_differentiable
from s2sad.ir.verify import verify
from s2sad.transforms.jet import jet
from s2sad.transforms.jvp import jvp
from tests.transforms.numeric import flags, like, same_type
from tests.transforms.programs import PROGRAMS

ORDER = 3


def nested(fn, active, leaves, terms):
    """Return the derivatives of order 1, 2, ... of the results by jvp of jvp: each takes what it is the jvp
    of takes, and the derivatives of that."""
    found, places = [], [(k, 0) for k in range(len(leaves))]
    count = sum(map(is_differentiable, fn.result_types))
    for _ in range(ORDER):
        fn = jvp(fn, active)
        dots = [(k, n + 1) for (k, n), flag in zip(places, active, strict=True) if flag]
        active = (*active, *(True for _ in dots))
        places += dots
        out = interp.run(fn, *(leaves[k] if n == 0 else terms[k][n - 1] for k, n in places))
        found.append(out[-count:])
    return [[row[j] for row in found] for j in range(count)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_jet(name):
    f, args, argnums = PROGRAMS[name]
    fn = build(f, args)
    leaves, active = flags(args, argnums)
    terms = [
        [like(x) if flag else None for _ in range(ORDER)] for x, flag in zip(leaves, active, strict=True)
    ]
    given = [d for row, flag in zip(terms, active, strict=True) if flag for d in row]
    before = [np.copy(x) for x in leaves]
    with np.errstate(all="ignore"):
        out = interp.run(verify(jet(fn, active, ORDER)), *leaves, *given)
        expected = nested(fn, active, leaves, terms)
    values = interp.run(fn, *leaves)
    for got, wanted in zip(out[: len(values)], values, strict=True):
        assert np.array_equal(got, wanted, equal_nan=True)
    tol = 1e-3 if any(p.type.dtype == np.float32 for p in fn.params) else 1e-10
    flat = [d for row in expected for d in row]
    assert len(flat) == len(out) - len(values)
    for got, wanted in zip(out[len(values) :], flat, strict=True):
        assert same_type(got, wanted)
        scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
        assert np.allclose(got, wanted, rtol=0.0, atol=tol * scale, equal_nan=True)
    assert all(np.array_equal(a, b) for a, b in zip(before, leaves, strict=True))
