"""Arguments to try every op with."""

# ruff: noqa: E501 (tables)
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numeric import Case

from s2sad.ir.op import Kind, Op
from s2sad.ir.path import At, Fancy, Index, Permute, Span
from s2sad.ir.types import Scalar
from s2sad.ops import OPS

RNG = np.random.default_rng(7)
F8, F4 = np.dtype(np.float64), np.dtype(np.float32)
DEFAULT = (-2.0, 2.0)
PAIRS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((0,), (1,)),
    ((1,), (1,)),
    ((), (3,)),
]


BINARY = (
    "add",
    "subtract",
    "multiply",
    "copysign",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "py_max",
    "py_min",
    "math_copysign",
)


def domains(op: Op, arity: int) -> list[tuple[float, float]]:
    """Return an interval for each argument."""
    d = op.extra.get("domain", DEFAULT)
    return list(d) if isinstance(d[0], tuple) else [d] * arity


def draw(shape: tuple[int, ...], domain: tuple[float, float], dtype: Any = F8) -> Any:
    """Return an array of numbers that are well apart from each other and from 0."""
    n = int(np.prod(shape))
    grid = np.linspace(*domain, n + 2)[1:-1] if n else np.zeros(0)
    noise = RNG.uniform(-0.2, 0.2, n) * (domain[1] - domain[0]) / (n + 2)
    values = RNG.permutation(grid + noise)
    values[np.abs(values) < 0.05] += 0.11
    return values.reshape(shape).astype(dtype)


def arity(op: Op) -> int:
    """Return how many arguments an elementwise op takes."""
    domain = op.extra.get("domain", DEFAULT)
    if isinstance(domain[0], tuple):
        return len(domain)
    return 3 if op.name == "clip" else 2 if op.name in BINARY else 1


def is_python(op: Op) -> bool:
    """Return True for ops on Python numbers only."""
    return op.name.startswith(("math_", "py_"))


def elementwise_cases(op: Op) -> Iterator[Case]:
    """Yield cases with scalars of all kinds, and broadcasting both ways."""
    n = arity(op)
    d = domains(op, n)
    if op.name == "special_expn":  # of a whole order
        for order in (0, 1, 3):
            yield Case(op, (order, draw((3,), d[1])), literals=(0,))
            yield Case(op, (order, 1.5))
        return
    numbers = [float(draw((1,), i)[0]) for i in d]
    yield Case(op, tuple(numbers))
    yield Case(op, tuple(np.float64(v) for v in numbers))
    if is_python(op):
        if n == 2:
            yield Case(op, (np.float64(numbers[0]), numbers[1]))
        return
    yield Case(op, tuple(np.array(v) for v in numbers))
    yield Case(op, tuple(draw((), i, F4) for i in d))
    if n == 1:
        for shape in ((3,), (2, 3), (0,), (1,)):
            yield Case(op, (draw(shape, d[0]),))
        yield Case(op, (draw((4,), d[0], F4),))
        return
    for shapes in PAIRS:
        shapes = (*shapes, shapes[0])[:n]
        yield Case(op, tuple(draw(s, i) for s, i in zip(shapes, d, strict=True)))
    yield Case(op, tuple(draw((3,), i, F4) for i in d))
    for k in sorted(
        set(range(n)) - set(op.extra.get("no_rule", ()))
    ):  # an array with Python numbers, as variables and as literals
        mixed = tuple(draw((3,), i) if j == k else v for j, (i, v) in enumerate(zip(d, numbers, strict=True)))
        yield Case(op, mixed)
        yield Case(op, mixed, literals=tuple(j for j in range(n) if j != k))
        single = tuple(
            draw((3,), i, F4) if j == k else v for j, (i, v) in enumerate(zip(d, numbers, strict=True))
        )
        yield Case(op, single, literals=tuple(j for j in range(n) if j != k))


def power_cases() -> Iterator[Case]:
    """Yield powers with written exponents and with int exponents."""
    x = draw((4,), (-2.0, 2.0))
    for n in (0, 1, 2, 3, -1, -2, 2.0, 3.0):
        yield Case(OPS["power"], (x, n), literals=(1,))
    for n in (0.5, -1.5):
        yield Case(OPS["power"], (np.abs(x), n), literals=(1,))
    for n in (0, 1, 2, -2):
        yield Case(OPS["power"], (x, n))
    yield Case(OPS["power"], (x, np.array([0, 1, 2, 3])))
    yield Case(OPS["power"], (2.0, x), literals=(0,))


def complex_cases() -> Iterator[Case]:
    """Yield complex arguments for the ops that are for them."""
    z = draw((4,), DEFAULT) + 1j * draw((4,), DEFAULT)
    w = draw((4,), DEFAULT) + 1j * draw((4,), (0.5, 1.0))
    for name in (
        "real",
        "conjugate",
        "absolute",
        "exp",
        "sin",
        "negative",
        "square",
        "sqrt",
        "sum",
        "mean",
        "prod",
    ):
        yield Case(
            OPS[name], (z,), {"axis": None, "keepdims": False} if OPS[name].kind is Kind.REDUCTION else {}
        )
    yield Case(OPS["phase"], (z,))
    yield Case(OPS["imag"], (z,))
    for name in ("add", "multiply", "divide", "matmul", "outer"):
        yield Case(OPS[name], (z, w))
        yield Case(OPS[name], (z, draw((4,), DEFAULT)))


def reduction_cases(op: Op) -> Iterator[Case]:
    """Yield all axes of arrays of rank 0 to 3, kept or not."""
    extra: list[dict[str, Any]] = [{}, {"ddof": 1}] if op.name in ("var", "std") else [{}]
    for shape in ((3,), (2, 3), (2, 3, 4), (1,)):
        axes = [None, (0,), tuple(range(len(shape)))] + ([(1,)] if len(shape) > 1 else [])
        axes += [(0, 2), (1, 2)] if len(shape) == 3 else []
        for axis, keepdims, more in product(axes, (False, True), extra):
            n = np.prod([shape[k] for k in (range(len(shape)) if axis is None else axis)])
            if n > more.get("ddof", 0) or not more:
                yield Case(op, (draw(shape, DEFAULT),), {"axis": axis, "keepdims": keepdims, **more})
    params = {"axis": (0,), "keepdims": False}
    yield Case(op, (draw((3, 2), DEFAULT, F4),), params)
    yield Case(op, (draw((3,), DEFAULT, F4),), {"axis": None, "keepdims": False})
    yield Case(op, (draw((3, 0), DEFAULT),), params)
    if op.name not in ("var", "std"):
        yield Case(op, (np.float64(1.5),), {"axis": None, "keepdims": False})
        yield Case(op, (np.array(1.5),), {"axis": None, "keepdims": False})


def x(*shape: int, dtype: Any = F8) -> Any:
    """Return an array of random numbers."""
    return draw(shape, DEFAULT, dtype)


MASK = np.array([True, False, True])
INT3 = np.array([2, 0, 2])
ROWS = (Index((At(), Span(True, True))), Permute((0,)))
SQUARE = x(3, 3) + 3.0 * np.eye(3)
STACK = x(2, 2, 2) + 3.0 * np.eye(2)
DEFINITE = SQUARE @ SQUARE.T
OTHER: dict[str, list[tuple[Any, ...]]] = {
    "where": [
        (MASK, x(3), x(3)), (MASK, x(2, 3), x(3)), (True, 1.5, 2.5), (False, np.float64(1.5), 0.5), (MASK, 1.5, x(3)),
        (True, x(3), 1.0), (MASK, x(3, dtype=F4), x(3, dtype=F4)), (MASK[:0], x(0), x(0)), (np.array(True), 1.5, 2.5),
    ],
    "where0": [(True, 1.5, 2.5), (False, np.float64(1.5), 0.5), (np.bool_(True), 1.0, np.float32(2.0))],
    "real": [(x(3),), (x(2, 3),)],
    "imag": [],
    "phase": [],
    "conjugate": [(x(3),)],
    "cumsum": [(x(3), {"axis": 0}), (x(2, 3), {"axis": 0}), (x(2, 3), {"axis": 1}), (x(0), {"axis": 0}), (x(3, dtype=F4), {"axis": 0})],
    "cumprod": [(x(4), {"axis": 0}), (x(2, 3), {"axis": 0}), (x(2, 3), {"axis": 1}), (x(0), {"axis": 0}), (x(3, dtype=F4), {"axis": 0})],
    "copy": [(x(2, 3),), (np.float64(1.5),), (1.5,)],
    "cast": [(x(3), {"dtype": F4}), (x(3, dtype=F4), {"dtype": F8}), (1.5, {"dtype": F8}), (np.float64(1.5), {"dtype": F4})],
    "array0": [(1.5,), (np.float32(1.5),)],
    "item0": [(np.array(1.5),), (np.array(1.5, F4),)],
    "array_of": [(1.5, 2.5, np.float64(0.5), 1.0, {"shape": (2, 2)}), (1.0, 2.0, {"shape": (2, 1)})],
    "broadcast_to": [(x(3), 2, 3), (x(2, 1), 2, 3), (1.5, 3), (x(1), 0), (x(3, dtype=F4), 2, 3)],
    "broadcast_like": [(x(3), x(2, 3)), (1.5, x(3)), (x(2, 1), x(2, 3)), (x(3, dtype=F4), x(2, 3))],
    "recurrence": [(x(4), x(4), {"axis": 0}), (x(2, 3), x(2, 3), {"axis": 0}), (x(2, 3), x(2, 3), {"axis": 1}), (x(0), x(0), {"axis": 0}), (x(3, dtype=F4), x(3, dtype=F4), {"axis": 0})],
    "unbroadcast": [(x(2, 3), x(3)), (x(2, 3), x(2, 1)), (x(3), 1.5), (x(2, 3), x(2, 3)), (x(2, 3, dtype=F4), x(1, 3)), (x(2, 1), x(1, 3)), (x(3), x(2, 1))],
    "reshape": [(x(2, 3), 6), (x(2, 3), 3, 2), (x(2, 3), -1), (x(6), 2, -1), (x(2, 3, 4), 6, -1), (x(1),), (1.5, 1), (x(0, 3), 3, 0)],
    "declared": [(x(3), x(3)), (x(2, 3), x(2, 3)), (1.5, 0.5)],
    "reshape_like": [(x(6), x(2, 3)), (x(2, 3), x(6)), (x(0), x(0, 2))],
    "concatenate": [
        (x(2), x(3), {"axis": 0}), (x(2, 3), x(1, 3), x(0, 3), {"axis": 0}), (x(2, 3), x(2, 1), {"axis": 1}), (x(3), {"axis": 0}),
        (x(2, dtype=F4), x(3, dtype=F4), {"axis": 0}),
    ],
    "stack": [(1.5, 2.5, {"axis": 0}), (x(3), x(3), {"axis": 0}), (x(2, 3), x(2, 3), {"axis": 1}), (x(3), x(3), {"axis": 1})],
    "full": [(1.5, 3, {"dtype": None}), (x(3), 2, 3, {"dtype": None}), (1.5, 2, 3, {"dtype": F4}), (np.float32(2.5), 2, {"dtype": None})],
    "full_like": [(x(2, 3), 1.5, {"dtype": None}), (x(3), x(3), {"dtype": None}), (x(3, dtype=F4), 2.5, {"dtype": None})],
    "arange": [(0.5, 2.1, 0.25, {"dtype": None}), (0.5, 3, 1, {"dtype": None})],
    "linspace": [
        (0.5, 2.0, 4, {"endpoint": True, "dtype": None}), (0.5, 2.0, 4, {"endpoint": False, "dtype": None}),
        (0.5, 2.0, 1, {"endpoint": True, "dtype": None}),
    ],
    "triu": [(x(3, 3), {"k": 0}), (x(3, 3), {"k": 1}), (x(2, 3), {}), (x(2, 3, 3), {"k": -1})],
    "tril": [(x(3, 3), {"k": 0}), (x(3, 3), {"k": 1}), (x(2, 3), {}), (x(2, 3, 3), {"k": -1})],
    "roll": [(x(4), 1, {"axis": 0}), (x(2, 3), -2, {"axis": 1}), (x(2, 3), 5, {"axis": 0}), (x(0), 1, {"axis": 0})],
    "repeat": [(x(3), 2, {"axis": 0}), (x(2, 3), 3, {"axis": 1}), (x(3), np.array([2, 0, 1]), {"axis": 0}), (x(2, 3), np.array([2, 1]), {"axis": 0}), (x(3), 0, {"axis": 0})],
    "tile": [(x(3), 2), (x(2, 3), 2), (x(3), 2, 2), (x(2, 3), 2, 3), (x(2, 3), 0), (x(3, dtype=F4), 2)],
    "pad": [(x(3), 1, 2), (x(2, 3), 0, 1, 2, 0), (x(0), 1, 1), (x(3, dtype=F4), 1, 0)],
    "diagonal": [(x(3, 3),), (x(2, 3), {"offset": 1}), (x(3, 2), {"offset": -1}), (x(2, 3, 3),), (x(2, 4), {"offset": 1})],
    "diag_embed": [(x(3),), (x(3), {"offset": 1}), (x(2), {"offset": -2})],
    "sort": [(x(5), {"axis": 0}), (x(2, 3), {"axis": 0}), (x(2, 3), {"axis": 1}), (x(0), {"axis": 0}), (x(4, dtype=F4), {"axis": 0})],
    "math_ldexp": [(1.5, 3), (-0.7, -2)],
    "partition": [(x(5), 2, {"axis": 0}), (x(2, 3), 1, {"axis": 0}), (x(2, 3), 0, 2, {"axis": 1}), (x(4, dtype=F4), 3, {"axis": 0})],
    "cummax": [(x(5), {"axis": 0}), (x(2, 3), {"axis": 0}), (x(2, 3), {"axis": 1}), (x(0), {"axis": 0}), (x(4, dtype=F4), {"axis": 0})],
    "cummin": [(x(5), {"axis": 0}), (x(2, 3), {"axis": 0}), (x(2, 3), {"axis": 1}), (x(0), {"axis": 0}), (x(4, dtype=F4), {"axis": 0})],
    "matmul": [
        (x(3), x(3)), (x(2, 3), x(3)), (x(3), x(3, 2)), (x(2, 3), x(3, 4)), (x(5, 2, 3), x(3, 4)), (x(2, 3), x(5, 3, 4)),
        (x(5, 2, 3), x(5, 3, 4)), (x(5, 2, 3), x(1, 3, 4)), (x(3), x(5, 3, 4)), (x(5, 2, 3), x(3)), (x(2, 5, 2, 3), x(5, 3, 4)),
        (x(0, 3), x(3, 2)), (x(2, 0), x(0, 2)), (x(2, 3, dtype=F4), x(3, 4, dtype=F4)), (x(1, 1), x(1, 1)),
    ],
    "solve": [
        (SQUARE, x(3)), (SQUARE, x(3, 2)), (STACK, x(2)), (STACK, x(2, 2, 3)), (STACK, x(2, 3)), (STACK[0], x(4, 2, 3)),
        (SQUARE.astype(F4), x(3, dtype=F4)), (x(0, 0), x(0)), (x(1, 1), x(1)),
    ],
    "inv": [(SQUARE,), (STACK,), (SQUARE.astype(F4),), (x(1, 1),), (x(0, 0),)],
    "det": [(SQUARE,), (STACK,), (SQUARE.astype(F4),), (x(1, 1),)],
    "pinv": [(x(4, 3),), (x(2, 3),), (x(2, 3, 2),), (SQUARE,), (x(4, 3, dtype=F4),)],
    "lstsq": [(x(4, 3), x(4)), (x(4, 3), x(4, 2)), (x(2, 3), x(2)), (SQUARE, x(3)), (x(4, 3, dtype=F4), x(4, dtype=F4))],
    "cholesky": [(DEFINITE,), (STACK @ np.swapaxes(STACK, 1, 2),), (DEFINITE.astype(F4),), (np.full((1, 1), 2.0),)],
    "cholesky_adjoint": [(SQUARE, x(3, 3)), (STACK, x(2, 2, 2)), (SQUARE.astype(F4), x(3, 3, dtype=F4)), (x(1, 1), x(1, 1))],
    "fft": [(x(4), {"axis": 0}), (x(3) + 1j * x(3), {"axis": 0}), (x(2, 3), {"axis": 0, "norm": "ortho"}), (x(4, dtype=F4), {"axis": 0})],
    "ifft": [(x(4), {"axis": 0}), (x(3) + 1j * x(3), {"axis": 0}), (x(2, 3), {"axis": 1, "norm": "forward"})],
    "rfft": [
        (x(4), {"axis": 0}), (x(5), {"axis": 0, "norm": "ortho"}), (x(2, 3), {"axis": 0, "norm": "forward"}), (x(2, 4), {"axis": 1}),
        (x(1), {"axis": 0}), (x(4, dtype=F4), {"axis": 0}),
    ],
    "irfft": [
        (x(3) + 1j * x(3), 4, {"axis": 0}), (x(3) + 1j * x(3), 5, {"axis": 0, "norm": "ortho"}),
        (x(2, 3) + 1j * x(2, 3), 2, {"axis": 0, "norm": "forward"}), (x(2, 3) + 1j * x(2, 3), 4, {"axis": 1}), (x(1), 1, {"axis": 0}),
    ],
    "outer": [(x(3), x(2)), (x(1), x(0)), (x(3, dtype=F4), x(2, dtype=F4))],
    "convolve": [
        (x(4), x(2)), (x(2), x(4)), (x(1), x(1)), (x(4), x(2), {"mode": "valid"}), (x(3), x(3), {"mode": "valid"}),
        (x(4, dtype=F4), x(2, dtype=F4)),
    ],
    "einsum": [
        (x(2, 3), x(3, 4), {"subscripts": "ij,jk->ik"}), (x(2, 3), {"subscripts": "ij->ji"}), (x(2, 3), {"subscripts": "ij->i"}),
        (x(2, 3), {"subscripts": "ij->"}), (x(2, 3), x(4), {"subscripts": "ij,k->ik"}), (x(2), x(3), x(4), {"subscripts": "i,j,k->ijk"}),
        (x(2, 3), x(2, 3), {"subscripts": "ij,ij->"}), (x(2, 3), x(4), {"subscripts": "ij,k->"}), (x(2, 3), x(2, 3), {"subscripts": "ij,ij->j"}),
        (x(2, 3, dtype=F4), x(3, dtype=F4), {"subscripts": "ij,j->i"}), (x(5, 2, 3), x(5, 3, 4), {"subscripts": "bij,bjk->bik"}),
    ],
    "to_float": [(1.5,), (np.float32(1.5),), (np.array(1.5),), (np.array([[1.5]]),)],
    "to_complex": [(1.5,), (np.complex128(1.5 + 2j),)],
    "widen": [(1.5, {"type": Scalar(F8)}), (np.float32(1.5), {"type": Scalar(F8)})],
    "getitem": [
        (x(4), 1, 3, {"path": (Index((Span(True, True),)),)}), (x(3, 4), 1, 0, 2, {"path": ROWS}), (x(3, 4), {"path": (Permute((1, 0)),)}),
        (x(3), INT3, {"path": (Index((Fancy(),)),)}), (x(3), MASK, {"path": (Index((Fancy(True),)),)}),
        (x(3, 3), INT3, INT3, {"path": (Index((Fancy(), Fancy())),)}), (x(3), 1, {"path": (Index((At(),)),)}),
    ],
    "setitem": [
        (x(4), 1.5, 1, {"path": (Index((At(),)),)}), (x(4), x(2), 1, 3, {"path": (Index((Span(True, True),)),)}),
        (x(3), x(3), INT3, {"path": (Index((Fancy(),)),)}), (x(3), 2.5, MASK, {"path": (Index((Fancy(True),)),)}),
        (x(3, 2), x(2, 3), {"path": (Permute((1, 0)),)}),
    ],
    "accum": [
        (x(4), 1.5, 1, {"path": (Index((At(),)),)}), (x(4), x(2), 1, 3, {"path": (Index((Span(True, True),)),)}),
        (x(3), x(3), INT3, {"path": (Index((Fancy(),)),), "at": True}), (x(3), x(3), INT3, {"path": (Index((Fancy(),)),)}),
        (x(3), 2.5, MASK, {"path": (Index((Fancy(True),)),)}),
    ],
}  # fmt: skip


def other_cases(op: Op) -> Iterator[Case]:
    """Yield the cases written out above."""
    for args in OTHER[op.name]:
        params = args[-1] if isinstance(args[-1], dict) else {}
        yield Case(op, args[: len(args) - bool(isinstance(args[-1], dict))], params)


def all_cases() -> Iterator[Case]:
    """Yield cases for every op that has a derivative."""
    for op in OPS.values():
        if (
            op.kind in (Kind.NONDIFF, Kind.CONTROL)
            or (op.kind is Kind.CUSTOM and op.name not in OTHER)
            or op.name.startswith("sparse_")
        ):
            continue
        if op.kind is Kind.ELEMENTWISE and op.name not in OTHER:
            yield from elementwise_cases(op)
        elif op.kind is Kind.REDUCTION:
            yield from reduction_cases(op)
        else:
            yield from other_cases(op)
    yield from power_cases()
    yield from complex_cases()
