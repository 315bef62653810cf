"""Kernels by LLVM without Numba: the numbers of interpreted loop nests, and Python's side of a call."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from lowered import assert_outcome, built, copied, function_of, lowered, outcome
from test_lowering_numba import F4, I4, A, V
from test_lowering_numba import OPS as NUMBA_OPS
from test_lowering_numba import PROGRAMS as NUMBA_PROGRAMS

import s2sad
from s2sad.driver import native
from s2sad.emit.load import load
from s2sad.ir.core import Function, Literal
from s2sad.lowering.native import native as as_compiled
from s2sad.machine.kernel import code_of
from s2sad.machine.layouts import plain_layouts
from s2sad.machine.roots import roots_of
from s2sad.machine.writer import NotHere

U1, I1, I8 = I4.astype(np.uint8), I4.astype(np.int8), I4.astype(np.int64)
UNSIGNED = np.array([0, 3, 2**53 + 1, 2**63, 2**64 - 1], np.uint64)
SIGNED = np.array([-1, 3, 2**53, 2**63 - 1, -(2**63)])
NOT_HERE = {"rolling_buffers", "reshapes", "index_arrays"}
PROGRAMS = [p for p in NUMBA_PROGRAMS if p[0].__name__ not in NOT_HERE]
ONLY_NUMBA = {"round", "sort", "argsort", "searchsorted"}
OPS = [
    *(o for o in NUMBA_OPS if o[0] not in ONLY_NUMBA),
    *((name, (x, y), {}) for name in ("floor_divide", "remainder") for x, y in (
        (I4, I4.T.reshape(3, 4)), (I1, np.int8(-1)), (U1, U1[:1]), (8 * A - 4, A - 0.5), (I8, 0 * I8),
        (A - 0.5, 0.0 * A), (np.full(2, -(2**63)), np.full(2, -1)),
        (np.array([0.0, -0.0, np.inf, 5.0]), np.array([-2.0, 2.0, 2.0, np.inf])),
        (np.array([-1.0, 1.0, 0.0, -7.5]), np.array([np.inf, -np.inf, -np.inf, np.inf])),
    )),
    ("fmod", (8 * A - 4, A - 0.5), {}),
    ("power", (I4, Literal(3)), {}),
    ("power", (I8, np.abs(I8)), {}),
    ("power", (A, Literal(-3)), {}),
    ("power", (F4, Literal(4)), {}),
    ("power", (A, F4), {}),
    ("less", (I4, A), {}),
    ("greater_equal", (U1, U1[::-1]), {}),
    *((name, pair, {}) for name in ("less", "less_equal", "equal", "not_equal", "greater") for pair in (
        (UNSIGNED, SIGNED), (SIGNED, UNSIGNED), (UNSIGNED, np.int8(-1)),
    )),
    ("power", (UNSIGNED, UNSIGNED[::-1]), {}),
    ("not_equal", (np.array([np.nan, 1.0]), np.array([np.nan, 1.0])), {}),
    ("sign", (np.array([-0.0, 0.0, np.nan, -3.0, np.inf]),), {}),
    ("sign", (I4,), {}),
    ("absolute", (I1,), {}),
    ("negative", (U1,), {}),
    ("invert", (I4,), {}),
    ("invert", (A > 0.5,), {}),
    ("bitwise_xor", (I4, I4[::-1]), {}),
    ("logical_xor", (I4, A > 0.5), {}),
    ("signbit", (np.array([-0.0, 0.0, -1.0]),), {}),
    ("isfinite", (np.array([np.nan, np.inf, 1.0]),), {}),
    ("isinf", (np.array([np.nan, -np.inf, 1.0]),), {}),
    ("maximum", (I4, U1), {}),
    ("minimum", (np.array([np.nan, 1.0]), np.array([1.0, np.nan])), {}),
    ("fmax", (np.array([np.nan, 1.0]), np.array([1.0, np.nan])), {}),
    ("add", (U1, I1), {}),
    ("multiply", (U1, U1), {}),
    ("subtract", (I1, I1[::-1]), {}),
    ("divide", (I4, I4), {}),
    ("floor", (8 * A - 4,), {}),
    ("rint", (8 * A - 4,), {}),
    ("trunc", (F4 - 0.5,), {}),
    ("copysign", (A, A - 0.5), {}),
    ("deg2rad", (F4,), {}),
    ("reciprocal", (A,), {}),
    ("square", (I1,), {}),
    ("arctan2", (F4, A), {}),
    ("matmul", (F4, F4.T), {}),
    ("matmul", (np.tile(A, (9, 9)), np.tile(A.T, (9, 9))), {}),
]  # fmt: skip


def agree(fn: Function, leaves: list[Any]) -> None:
    """Assert that machine code and interpreted text agree; machine code returns Python scalars."""
    low, text = lowered(fn)
    kernel = native.load_kernel(low)
    want = outcome(lambda: load(text, "<lowered>")[low.name](*copied(leaves)))
    got = outcome(lambda: kernel(*copied(leaves))[: len(want) - len(low.writes)])
    shown = want[: len(want) - len(low.writes)]
    assert_outcome(shown, [np.asarray(g, np.asarray(w).dtype) for w, g in zip(shown, got, strict=True)])


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize(("f", "args"), PROGRAMS, ids=lambda x: getattr(x, "__name__", ""))
def test_program(f: Callable[..., Any], args: tuple[Any, ...]):
    agree(*built(f, args))


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize(("name", "args", "params"), OPS)
def test_op(name: str, args: tuple[Any, ...], params: dict[str, Any]):
    with np.errstate(all="ignore"):
        agree(*function_of(name, args, params))


@pytest.mark.parametrize(
    "f", [p for p in NUMBA_PROGRAMS if p[0].__name__ in NOT_HERE], ids=lambda p: p[0].__name__
)
def test_what_is_not_here_is_said(f: Any):
    low = as_compiled(lowered(built(*f)[0])[0])
    with pytest.raises(NotHere):
        code_of(low, plain_layouts(low))


# --- arguments and results ----------------------------------------------------------------------


def affine(x, w):
    return x * w + 1.0


LAYOUTS = {
    "rows": lambda x: x,
    "columns": np.asfortranarray,
    "gaps": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: x[::-1, ::-1],
    "transposed": lambda x: x.T.copy().T,
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "unaligned": lambda x: np.frombuffer(b"-" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


@pytest.mark.usefixtures("without_numba")
def test_arrays_of_any_layout_in_one_function():
    run = s2sad.jit(affine)
    for left in LAYOUTS.values():
        for right in (LAYOUTS["rows"], LAYOUTS["columns"]):
            x, w = left(A), right(A + 1.0)
            np.testing.assert_allclose(run(x, w), affine(x, w), rtol=1e-15)


@pytest.mark.usefixtures("without_numba")
def test_equal_dtypes_and_subclasses():
    low, _ = lowered(built(affine, (V, V))[0])
    kernel = native.load_kernel(low)
    (want,) = kernel(V, V)

    class Named(np.ndarray):
        pass

    for same in (V.view(Named), V.astype(">f8"), V.astype(np.dtype("d"))):
        np.testing.assert_array_equal(kernel(same, V)[0], want)


def writes_first(x, k):
    x[0] = 7.0 * k
    return np.sum(x)


@pytest.mark.usefixtures("without_numba")
def test_writes_reach_the_callers_array_and_no_other():
    run = s2sad.jit(writes_first)
    x = np.ones(5)
    assert run(x, 2) == 18.0
    assert x.tolist() == [14.0, 1.0, 1.0, 1.0, 1.0]
    x = np.ones(10)[::2]
    assert run(x, 1) == 11.0
    assert x[0] == 7.0
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        run(x, 1)


def größe(x, n):
    return np.sum(x) * n + 2.0**n


@pytest.mark.usefixtures("without_numba")
def test_scalars_and_names_of_any_alphabet():
    run = s2sad.jit(größe)
    for n in (3, np.int64(3)):
        assert run(V, n) == größe(V, n)
    assert run(V.astype(np.float32), 2) == pytest.approx(größe(V, 2), rel=1e-6)
    with pytest.raises(OverflowError):
        run(V, 2**70)


def product(a, b):
    return a * b, a // b


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_unsigned_scalars(kind: Any):
    a, b = kind(2 ** (8 * kind().itemsize) - 1), kind(3)
    with np.errstate(over="ignore"):
        want = product(a, b)
    assert s2sad.jit(product)(a, b) == want


def cut(x):
    return x.astype(np.int8), x.astype(np.int16), x.astype(np.uint8), x.astype(np.uint16), x.astype(np.uint32)


def cut_wide(x):
    return x.astype(np.int32), x.astype(np.int64), x.astype(np.uint64)


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("f", [cut, cut_wide])
def test_floats_that_an_int_cannot_hold(f: Any):
    x = np.tile([1.9, -1.9, 300.7, -300.7, 70000.0, -129.0, 3e9], 9)  # in vectorised code and after it
    x = x[np.abs(x) < 2**31] if f is cut_wide else x
    with np.errstate(invalid="ignore"):
        for values in (x, x.astype(np.float32)):
            for got, want in zip(s2sad.jit(f)(values), f(values), strict=True):
                np.testing.assert_array_equal(got, want)


def kept(x):
    return x


@pytest.mark.usefixtures("without_numba")
def test_a_result_that_is_the_argument():
    assert s2sad.jit(kept)(V) is V


@pytest.mark.usefixtures("without_numba")
def test_results_outlive_the_kernel():
    def double(x):
        return 2.0 * x

    found = [
        s2sad.grad(lambda x, s=s: np.sum(s * double(x) ** 2), jit=True)(np.ones(1000)) for s in (1.0, 2.0)
    ]
    gc.collect()
    assert [x.sum() for x in found] == [8000.0, 16000.0]
    assert all(x.flags.owndata and x.flags.writeable for x in found)


def swapped(x, n):
    u, v = x.copy(), np.zeros(x.shape[0])
    for _ in range(n):
        v[1:] = u[:-1] * 0.5
        u, v = v, u
        if u[0] > 1e6:
            break
    return np.sum(u * u) + np.sum(v)


def grown(x, n):
    rows = np.zeros(0)
    for i in range(n):
        wider = np.zeros(i + 1)
        wider[:i] = rows
        wider[i] = x[i % x.shape[0]] * (i + 1)
        if wider[i] > 1e9:
            raise ValueError(f"too large: {i}")
        rows = wider
    return np.sum(rows * rows)


def memory() -> int:
    """Return the resident set in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize(("f", "n"), [(swapped, 7), (grown, 9)])
def test_memory_of_arrays_that_change_place_is_given_back(f: Callable[..., Any], n: int):
    x = np.linspace(0.0, 1.0, 50_000)
    g, run = s2sad.grad(f, jit=True), s2sad.jit(f)
    np.testing.assert_allclose(g(x, n), s2sad.grad(f)(x, n), rtol=1e-13)
    assert run(x, n) == pytest.approx(f(x, n), rel=1e-13)
    before = memory()
    for _ in range(200):
        g(x, n)
        run(x, n)
    assert memory() - before < 40_000_000, "of 200 times 400 kB each"


def test_two_places_of_one_array_are_counted():
    low = as_compiled(lowered(built(swapped, (V, 3))[0])[0])
    (call,) = (i for i in low.block.instrs if i.op.name == "call")
    assert roots_of(call.param("callee")).counted


# --- what raises --------------------------------------------------------------------------------


def refusing(x, k):
    total = 0.0
    for i in range(x.shape[0]):
        if x[i] > k:
            raise ValueError("an element is too large")
        total += x[i]
    return total


@pytest.mark.usefixtures("without_numba")
def test_exceptions_have_their_message():
    run = s2sad.jit(refusing)
    assert run(V, 2) == pytest.approx(V.sum())
    with pytest.raises(ValueError, match="too large"):
        run(np.array([1.0, 2.0, 9.5]), 3)


def inverse(x):
    return np.sum(np.linalg.solve(x, np.ones(x.shape[0])))


@pytest.mark.usefixtures("without_numba")
def test_exceptions_of_functions_of_python_come_through():
    run, g = s2sad.jit(inverse), s2sad.grad(inverse, jit=True)
    x = np.array([[2.0, 1.0], [0.0, 4.0]])
    np.testing.assert_allclose(g(x), s2sad.grad(inverse)(x), rtol=1e-13)
    for call in (run, g):
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            call(np.zeros((2, 2)))
        assert np.all(np.isfinite(call(x)))


def sized(x, n):
    y = np.zeros(n)
    y[: x.shape[0]] = x
    return np.sum(y)


@pytest.mark.usefixtures("without_numba")
def test_sizes_that_cannot_be():
    run = s2sad.jit(sized)
    with pytest.raises(ValueError, match="negative"):
        run(V, -1)
    with pytest.raises((MemoryError, ValueError)):
        run(V, 2**60)
    assert run(V, 10) == pytest.approx(V.sum())


# --- threads ------------------------------------------------------------------------------------


def slow(x, n):
    total = 0.0
    for i in range(n):
        total = np.sin(total + x[i % 3])
    return total


@pytest.mark.usefixtures("without_numba")
def test_other_threads_run_while_a_kernel_does():
    run = s2sad.jit(slow)
    run(V, 3)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (run(V, 20_000_000), done.set()))
    thread.start()
    trips = 0
    while not done.is_set():
        trips += 1
    thread.join()
    assert trips > 1000


@pytest.mark.usefixtures("without_numba")
def test_threads_that_use_one_kernel():
    g = s2sad.grad(lambda x: np.sum(np.dot(x, x) ** 2), jit=True)
    inputs = [np.random.default_rng(k).normal(size=(30, 30)) for k in range(4)]
    want = [s2sad.grad(lambda x: np.sum(np.dot(x, x) ** 2))(x) for x in inputs]
    got: dict[int, Any] = {}

    def work(k: int) -> None:
        for _ in range(50):
            got[k] = g(inputs[k])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    for k in range(4):
        np.testing.assert_allclose(got[k], want[k], rtol=1e-11)


def test_second_order_agrees():
    def f(x, w):
        return np.sum(np.tanh(x * w) * np.exp(-x * x))

    x, v = V, np.cos(V)
    for jit in (False, True):
        found = s2sad.hvp(lambda x: f(x, V + 0.5), (x,), (v,), jit=jit)
        step = 1e-5
        ends = [s2sad.grad(f, jit=jit)(x + s * step * v, V + 0.5) for s in (1, -1)]
        np.testing.assert_allclose(found, (ends[0] - ends[1]) / (2 * step), rtol=1e-7)
