"""What raises in NumPy raises in loops: the same exception, naming the primal line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import small_programs as small
from lowered import assert_outcome, built, copied, lowered, outcome

from s2sad.emit.load import load
from s2sad.emit.numba import compile_kernel
from s2sad.errors import UnsupportedOp
from s2sad.ir import interp

X3, X4 = np.arange(3.0), np.arange(4.0)
ONES = np.ones((2, 3))

# (program, arguments it is built for, arguments for which it raises, is the message the user's own)
CASES: list[tuple[Callable[..., Any], tuple[Any, ...], list[tuple[Any, ...]]]] = [
    (small.element, (X3, 1), [(X3, 3), (X3, -4), (X3[:0], 0)]),
    (small.element, (X3, np.array([0, 1])), [(X3, np.array([0, 3])), (X3, np.array([-4]))]),
    (small.set_element, (X3, 1), [(X3, 3), (X3, -4)]),
    (small.add, (X3, X3), [(X3, X4)]),
    (small.assign, (X3, X3[1:]), [(X3, X4)]),
    (small.matrix_vector, (ONES, X3), [(ONES, X4)]),
    (small.largest, (X3,), [(X3[:0],)]),
    (small.position, (X3,), [(X3[:0],)]),
    (small.rows_of_two, (X4, 2), [(X4, 3)]),
    (small.joined, (ONES, ONES), [(ONES, np.ones((2, 4)))]),
    (small.stacked, (X3, X3), [(X3, X4)]),
    (small.root, (2.0,), [(-1.0,)]),
    (small.logarithm, (2.0,), [(0.0,), (-1.0,)]),
    (small.nothing, (3,), [(-1,)]),
    (small.masked, (X3, X3 > 1), [(X3, X4 > 1)]),
    (small.quotient, (5, 2), [(5, 0)]),
    (small.integer_power, (np.array([2, 3]), 2), [(np.array([2, 3]), -1)]),
    (small.fourth_from_end, (X4,), [(X3,)]),
    (small.contracted, (ONES, ONES.T), [(ONES, np.ones((4, 2)))]),
    (small.total, (X3, 3), [(X3, 4)]),
    (small.truncated, (2.5,), [(np.nan,), (np.inf,)]),
    (small.repeated, (X3, 2), [(X3, -1)]),
    (small.by_array, (X4,), [(X3,)]),
]
OWN: list[tuple[Callable[..., Any], tuple[Any, ...], list[tuple[Any, ...]]]] = [
    (small.exponential, (1.0,), [(1000.0,)]),
    (small.refused, (1.0,), [(-1.0,)]),
    (small.asserted, (1.0,), [(-1.0,)]),
]
ALL = [(*case, "small_programs.py:") for case in CASES] + [(*case, "") for case in OWN]


@pytest.mark.parametrize(("f", "good", "bad", "place"), ALL)
def test_raises(f: Callable[..., Any], good: Any, bad: list[Any], place: str):
    fn, _ = built(f, good)
    low, text = lowered(fn)
    kernel = compile_kernel(text, low.name)
    for args in (*bad, good):
        want = outcome(lambda args=args: f(*copied(args)))
        for run in (load(text, "<lowered>")[low.name], kernel, lambda *a: interp.run(low, *a)):
            assert_outcome(want, outcome(lambda run=run, args=args: run(*copied(args))), place)


def test_float16_is_refused():
    def half(x):
        return x * 2.0

    fn, _ = built(half, (np.ones(3, np.float16),))
    with pytest.raises(UnsupportedOp, match="float16"):
        lowered(fn)


def test_message_of_run_time_values_keeps_its_constant_parts():
    def f(x, k):
        if k > 3:
            raise ValueError(f"k is {k}, too large")
        return x * k

    fn, leaves = built(f, (1.0, 2))
    low, text = lowered(fn)
    kernel = compile_kernel(text, low.name)
    assert kernel(*leaves) == (2.0,)
    with pytest.raises(ValueError, match="k is , too large"):
        kernel(1.0, 4)


def test_without_numba_the_error_says_what_to_install():
    program = (
        "import sys\n"
        "sys.modules['numba'] = None\n"
        "from s2sad.errors import S2sadError\n"
        "try:\n"
        "    import s2sad.emit.numba\n"
        "except S2sadError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 'pip install "s2sad[jit]"' in done.stdout
