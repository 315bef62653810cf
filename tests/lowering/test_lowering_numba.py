"""Compiled by Numba, lowered text gives the numbers it gives interpreted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import small_programs as small
from lowered import assert_outcome, built, copied, function_of, lowered, outcome

from s2sad.emit.load import load
from s2sad.emit.numba import compile_kernel
from s2sad.ir.core import Function, Literal
from s2sad.ir.path import Fancy, Index, Span

RNG = np.random.default_rng(4)
A, V, T = RNG.random((3, 4)), RNG.random(4), RNG.random((2, 3, 4))
F4 = A.astype(np.float32)
I4 = RNG.integers(-5, 5, (3, 4)).astype(np.int32)
Z = A + 1j * A[::-1]

PROGRAMS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (small.shift_mixed, (T[0, :, :3],)),
    (small.stencil, (V, 0.1)),
    (small.gather_into_itself, (V,)),
    (small.masked_twice, (V,)),
    (small.views_of_views, (V,)),
    (small.rolling_buffers, (V, 3)),
    (small.single_precision, (V,)),
    (small.integers, (V,)),
    (small.products, (A[:, :3], V[:3])),
    (small.empties, (V,)),
    (small.reshapes, (A.T,)),
    (small.rank_zero, (1.5,)),
    (small.index_arrays, (A,)),
    (small.scattered, (V,)),
    (small.first_above, (V, 0.5)),
]
OPS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("multiply", (F4, 2.0), {}),
    ("add", (F4, A), {}),
    ("multiply", (I4, 3), {}),
    ("floor_divide", (I4, 2), {}),
    ("remainder", (I4, -3), {}),
    ("add", (A > 0.5, A < 0.7), {}),
    ("power", (A, Literal(3)), {}),
    ("power", (A, I4), {}),
    ("maximum", (A, np.nan), {}),
    ("where", (A > 0.5, Z, 0.0), {}),
    ("round", (10 * A,), {}),
    ("heaviside", (A - 0.5, 0.5), {}),
    ("sqrt", (Z,), {}),
    ("absolute", (Z,), {}),
    ("sum", (F4,), {"axis": (0,), "keepdims": False}),
    ("sum", (T,), {"axis": (0, 2), "keepdims": True}),
    ("max", (A,), {"axis": (1,), "keepdims": True}),
    ("std", (F4,), {"axis": None, "keepdims": False, "ddof": 1}),
    ("argmin", (A,), {"axis": 0, "keepdims": False}),
    ("count_nonzero", (I4,), {"axis": None, "keepdims": False}),
    ("cumprod", (A,), {"axis": 0}),
    ("matmul", (T, T.swapaxes(1, 2)), {}),
    ("matmul", (T, V), {}),
    ("matmul", (A[:, :0], A.T[:0]), {}),
    ("matmul", (I4, I4.T), {}),
    ("einsum", (T, A), {"subscripts": "bij,kj->kib"}),
    ("einsum", (T, T), {"subscripts": "bij,bik->bjk"}),
    ("concatenate", (A, A), {"axis": 1}),
    ("roll", (A, 2), {"axis": 1}),
    ("repeat", (A, np.array([1, 0, 3])), {"axis": 0}),
    ("sort", (A,), {"axis": 0}),
    ("argsort", (A,), {"axis": 1}),
    ("searchsorted", (np.sort(V), A), {"side": "right"}),
    ("nonzero2", (A > 0.5,), {}),
    ("reshape", (A.T, Literal(-1)), {}),
    ("unbroadcast", (A, A[:, :1]), {}),
    ("math_gamma", (4.5,), {}),
    ("math_remainder", (5.5, 2.0), {}),
    ("getitem", (T, np.array([0, 1]), np.array([[0], [2]])), {"path": (Index((Fancy(), Span(), Fancy())),)}),
]  # fmt: skip


def agree(fn: Function, leaves: list[Any]) -> None:
    """Assert that compiled and interpreted text agree; compiled code returns Python scalars."""
    low, text = lowered(fn)
    want = outcome(lambda: load(text, "<lowered>")[low.name](*copied(leaves)))
    got = outcome(lambda: compile_kernel(text, low.name)(*copied(leaves)))
    assert_outcome(want, [np.asarray(g, np.asarray(w).dtype) for w, g in zip(want, got, strict=True)])


@pytest.mark.parametrize(("f", "args"), PROGRAMS, ids=lambda x: getattr(x, "__name__", ""))
def test_program(f: Callable[..., Any], args: tuple[Any, ...]):
    agree(*built(f, args))


@pytest.mark.parametrize(("name", "args", "params"), OPS)
def test_op(name: str, args: tuple[Any, ...], params: dict[str, Any]):
    agree(*function_of(name, args, params))


def test_inputs_of_any_layout():
    fn, leaves = built(small.products, (A[:, :3], V[:3]))
    low, text = lowered(fn)
    kernel = compile_kernel(text, low.name)
    want = kernel(*leaves)
    for layout in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=-1)[..., ::2]):
        assert_outcome(list(want), list(kernel(*map(layout, leaves))))


def test_kernels_do_not_hold_the_interpreter_lock():
    def f(x):
        return x * 2.0

    low, text = lowered(built(f, (V,))[0])
    kernel: Any = compile_kernel(text, low.name)
    assert kernel.targetoptions["nogil"]
    assert kernel.targetoptions["fastmath"] == {"contract"}
    assert kernel.targetoptions["error_model"] == "numpy"
