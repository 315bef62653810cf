"""The frontend: programs of the subset, read into IR and evaluated, give what Python gives."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from s2sad.frontend.build import build
from s2sad.ir.interp import run
from s2sad.ir.structure import flatten, rebuild
from tests.frontend.programs import CASES

CALLS = [(f, args) for f, calls in CASES.items() for args in calls]


@pytest.mark.parametrize(
    ("function", "args"), CALLS, ids=[f"{f.__name__}-{k}" for k, (f, _) in enumerate(CALLS)]
)
def test_same_as_python(function, args):
    fn = build(function, args)
    given = flatten(list(args))[1]
    names = {p.name for p in fn.signature}
    defaults = [p.default for p in fn.signature[len(args) :] if p.kind != "variadic"]
    leaves = given + flatten(defaults)[1]
    assert len(names) == len(fn.signature)
    got = run(fn, *leaves)
    with np.errstate(all="ignore"):
        wanted = function(*copy.deepcopy(args))
    result = rebuild(fn.result, got)
    tree, found = flatten([wanted])
    got_tree, got_leaves = flatten([result])
    assert str(tree) == str(got_tree)
    for mine, theirs in zip(got_leaves, found, strict=True):
        np.testing.assert_array_equal(mine, theirs)
        assert np.result_type(mine) == np.result_type(theirs)
