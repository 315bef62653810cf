"""Floats that are put into integers raise in compiled code where they do in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from written import written

import s2sad

WRITES = ("z[0] = v", "z[:] = v", "z[[0, 1]] = v", "z[np.array([True, False, True])] = v", "z.fill(v)")
VALUES = (
    math.nan, np.float64(math.nan), np.float32(math.nan), math.inf, -math.inf, np.float64(math.inf), 300.7,
    np.float64(300.7), 128.0, 127.9, -128.9, -129.0, np.float64(-128.9), np.float64(-129.5), 1e30,
    np.float64(-1e30), 2.0**63, -(2.0**63), 2.0**31, -(2.0**31) - 0.5, -(2.0**31) - 1.0,
)  # fmt: skip
PROGRAM = """
def f(v):
    z = np.zeros(3, np.{dtype})
    {write}
    return 1.0 * z[0]
"""


def outcome(call):
    """What a call returns, or the exception it raises."""
    try:
        return float(call())
    except (ValueError, OverflowError) as error:
        return type(error)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8"])
@pytest.mark.parametrize("write", WRITES)
def test_writes(write, dtype):
    f = written(PROGRAM.format(dtype=dtype, write=write), f"<{write} {dtype}>", {"np": np})["f"]
    compiled = s2sad.jit(f)
    for v in VALUES:
        expected = outcome(lambda v=v: f(v))
        assert outcome(lambda v=v: s2sad.value_and_grad(f)(v)[0]) == expected, v
        assert outcome(lambda v=v: compiled(v)) == expected, v


@pytest.mark.parametrize("convert", [int, math.floor, math.ceil, math.trunc, round])
def test_conversions(convert):
    def f(v):
        return 1.5 * convert(v)

    compiled = s2sad.jit(f)
    for v in (2.7, -2.7, 2.0**62, math.nan, math.inf, -math.inf):
        assert outcome(lambda v=v: compiled(v)) == outcome(lambda v=v: f(v))
    for v in (2.0**63, -1e30):  # an integer of Python's own
        assert outcome(lambda v=v: compiled(v)) is OverflowError
