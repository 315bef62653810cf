"""Where NumPy raises, derivatives raise: when they are built, or else at run time, also compiled."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.errors import InternalError, S2sadError

Program = Callable[..., Any]
X = np.array([1.0, 2.0])
A = np.arange(12.0).reshape(3, 4)
Z = np.array([3 + 4j, 1j])


def element(x, index, value):
    y = x * 2.0
    y[index] = value
    return y


def added(x, index, value):
    y = x * 2.0
    y[index] += value
    return y


CASES: list[tuple[Program, tuple[Any, ...]]] = [
    (lambda z: np.sin(z, dtype=float), (Z,)),
    (lambda z: np.sign(z, dtype=float), (Z,)),
    (lambda z: np.matmul(z, z, dtype=float), (Z,)),
    (lambda z: np.concatenate((z, z), dtype=float), (Z,)),
    (lambda z: np.add(z, z, out=np.empty(2)), (Z,)),
    (lambda z: np.copyto(np.empty(2), z), (Z,)),
    (lambda z: np.interp(z, [0.0, 1.0], [0.0, 1.0]), (Z,)),
    (lambda z: np.quantile(z, 0.3), (Z,)),
    (lambda x: np.add(x, x, out=np.empty(2, int)), (X,)),
    (lambda x: np.add(x[None], x[None], out=np.empty(2)), (X,)),
    (lambda x: np.cumsum(x, out=np.empty((1, 2))), (X,)),
    (lambda x: np.cumsum(x[:1], out=np.empty(2)), (X,)),
    (lambda x: np.cumsum(x[x > 1.0], out=np.empty(2)), (X,)),
    (lambda x: np.sum(x[None], axis=1, out=np.empty(3)), (X,)),
    (lambda a: np.einsum("ii", a), (A,)),
    (lambda a: np.einsum("ii", a[:2, :3] * 1.0), (A,)),
    (lambda a: np.einsum("jii->ij", a[None]), (A[:1],)),
    (lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0, 2.0]), (X,)),
    (lambda x, y: np.interp(0.5, x, y), (X, A[0])),
    (lambda x: np.interp(x, x[:0], x[:0]), (X,)),
    (lambda x, y: np.interp(x, y, y), (X, X[:0])),
    (lambda x: np.interp(x, x[x > 5.0], x[x > 5.0]), (X,)),
    (lambda x: np.interp(x[0], [], []), (X,)),
    (lambda x: np.choose(np.array([0, 2]), (x, 2.0 * x)), (X,)),
    (lambda x: np.choose((x > 1.0) * -1, (x, 2.0 * x)), (X,)),
    (lambda x: (2 * (x > 1.0)).choose((x, 2.0 * x)), (X,)),
    (lambda x, i: np.choose(i, (x, 2.0 * x)), (X, 2)),
    (lambda x: np.choose(-1, (x, 2.0 * x)), (X,)),
    (lambda x: np.choose([0, 1], (x,)), (X,)),
    (lambda x: np.choose([0, 1], ()), (X,)),
    (lambda x: element(x, 0, x[:1]), (X,)),
    (lambda x: element(x, (1,), x[None, :1]), (X,)),
    (lambda x: element(x, np.argmax(x), [x[0]]), (X,)),
    (lambda x: element(x[:, None], (0, 0), x[x > 1.0]), (X,)),
    (lambda x: element(x[0] * np.ones(()), (), x[:1]), (X,)),
    (lambda x: added(x, 0, x[:1]), (X,)),
    (lambda x, n: np.diff(x, n=n), (X, -1)),
    (lambda a: np.split(a, 2)[0], (A,)),
    (lambda a, n: np.hsplit(a, 3)[n], (A, 1)),
    (lambda a, b: np.tensordot(a, b, axes=([0], [0])), (A, A[:1])),
    (lambda a, b: np.tensordot(a, b, axes=2), (A, A.T)),
    (lambda a, b: np.tensordot(a, b, axes=2), (A[None], A.T[:, :, None])),
    (lambda a, w: np.average(a, weights=w, axis=1), (A, np.zeros(4))),
    (lambda a, w: np.average(a, weights=w, axis=1), (A, np.ones(1))),
    (lambda a, w: np.average(a, weights=w), (A, A[:1])),
    (lambda a: np.average(a, weights=a - a), (A,)),
    (lambda x: np.ldexp(x, x), (X,)),
    (lambda x, y: (np.copyto(x.copy(), y), x * 1.0)[1], (A, np.ones(5))),
    (lambda x, y: (np.copyto(x.copy(), y[y > 0.0]), x * 1.0)[1], (A, np.ones(5))),
    (lambda x: np.stack(list(x)), (A[:0],)),
    (lambda x: np.concatenate(list(x)), (A[:0],)),
    (lambda x: np.hstack(list(x)), (A[:0],)),
]  # fmt: skip


def text_of(case: tuple[Program, tuple[Any, ...]]) -> str:
    return inspect.getsource(case[0]).strip().removeprefix("(lambda ")[:60]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("jit", [False, True], ids=["plain", "jit"])
@pytest.mark.parametrize("case", CASES, ids=text_of)
def test_raises(case: tuple[Program, tuple[Any, ...]], jit: bool) -> None:
    f, args = case
    with pytest.raises((TypeError, ValueError, ZeroDivisionError)) as wanted:
        f(*args)
    tangents = tuple(np.ones_like(a) if isinstance(a, np.ndarray) else None for a in args)
    with pytest.raises((S2sadError, ValueError, wanted.type)) as caught:
        s2sad.jvp(f, args, tangents, jit=jit)
    assert not isinstance(caught.value, InternalError)
    assert "test_wrong_arguments.py" in str(caught.value) or not jit
