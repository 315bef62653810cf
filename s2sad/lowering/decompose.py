"""Solving and decomposing matrices: LAPACK by way of Numba, matrix by matrix of a stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Op
from s2sad.ir.path import Permute
from s2sad.ir.types import C16, F8, Array, Dtype, Scalar, Type
from s2sad.lowering.context import Lowerer
from s2sad.lowering.linalg import batch_index, batch_of
from s2sad.lowering.ops import LOWERED
from s2sad.lowering.scalars import convert
from s2sad.lowering.views import Index, Lazy, Rep, Strided, whole
from s2sad.ops.table import OPS


def double(dtype: Dtype) -> Dtype:
    """Return the dtype in which np.linalg computes whatever the dtype of its arguments is: single precision
    has other signs of vectors."""
    return C16 if dtype.kind == "c" else F8


Shapes = Callable[
    [Operand, Operand, Operand], tuple[Index, ...]
]  # of rows, columns and the smaller -> results

SHAPES: dict[str, Shapes] = {
    "inv": lambda n, m, k: ((n, n),),
    "det": lambda n, m, k: ((),),
    "slogdet": lambda n, m, k: ((), ()),
    "pinv": lambda n, m, k: ((m, n),),
    "cholesky": lambda n, m, k: ((n, n),),
    "qr": lambda n, m, k: ((n, k), (k, m)),
    "eigh": lambda n, m, k: ((n,), (n, n)),
    "eigh_upper": lambda n, m, k: ((n,), (n, n)),
    "eigvalsh": lambda n, m, k: ((n,),),
    "svd": lambda n, m, k: ((n, k), (k,), (k, m)),
    "svd_full": lambda n, m, k: ((n, n), (k,), (m, m)),
    "svd_triplets": lambda n, m, k: ((n, k), (k,), (k, m)),
    "svdvals": lambda n, m, k: ((k,),),
    "eig": lambda n, m, k: ((n,), (n, n)),
    "eigvals": lambda n, m, k: ((n,),),
}


def lower_decomposition(low: Lowerer, instr: Instr) -> None:
    """Lower an op on matrices."""
    name = "svd_full" if instr.param("full_matrices", False) else instr.op.name
    rep = low.rep(instr.args[0])
    if instr.param("UPLO", "L") == "U":
        if name == "eigh":
            name = "eigh_upper"
        else:
            rep = _transposed(low, rep)
    dtype = double(rep.type.dtype)
    dims = low.dims(rep)
    n, m = dims[-2:]
    shapes = SHAPES[name](n, m, n if n == m else low.code.minimum(n, m))

    limit = instr.param("rcond", None)

    def core(index: Index) -> tuple[Value, ...]:
        matrix = matrix_of(low, rep, index, dtype)
        if limit is not None:
            return _call(low, f"{name}_within", matrix, Literal(limit))
        return _call(low, name, matrix)

    define_results(low, instr, dims[:-2], shapes, core)


def lower_solve(low: Lowerer, instr: Instr) -> None:
    """Lower `np.linalg.solve(a, b)`."""
    t = instr.result.type
    assert isinstance(t, Array)
    dtype = double(t.dtype)
    if instr.args[0].type.ndim == 2 and t.ndim == instr.args[1].type.ndim and dtype == F8:
        _solve_one(low, instr, t)
        return
    a, b = (low.buffer(low.rep(x)) for x in instr.args)
    tail = 1 if b.type.ndim == 1 else 2
    batch = t.ndim - tail
    lead_a, lead_b = batch_of(a), batch_of(b)
    dims = low.meet([lead_a, lead_b], t.shape[:batch])
    place_a, place_b = (batch_index(low, lead, dims, t.shape[:batch]) for lead in (lead_a, lead_b))

    def core(index: Index) -> tuple[Value, ...]:
        matrix = matrix_of(low, a, place_a(index), dtype)
        return _call(low, "solve", matrix, matrix_of(low, b, place_b(index), dtype, tail))

    define_results(low, instr, dims, (low.dims(b)[-tail:],), core)


def _solve_one(low: Lowerer, instr: Instr, t: Array) -> None:
    """Solve with one matrix of doubles: by substitution with Cholesky's factor, else with factors that all
    systems of this matrix, or of its transpose, share."""
    source, turned = _untransposed(low, instr.args[0])
    a, b = low.buffer(low.rep(source)), low.buffer(low.rep(instr.args[1]))
    maker = low.maker.get(source)
    right = matrix_of(low, b, (), F8, t.ndim)

    def core(index: Index) -> tuple[Value, ...]:
        if maker is not None and maker.op.name == "cholesky" and not maker.params:
            params = (("lower", True), ("trans", True)) if turned else (("lower", True),)
            return called(low, OPS["solve_triangular"], matrix_of(low, a, (), F8), right, params=params)

        def factored() -> Operand:
            return called(low, LOWERED["lu_factored"], matrix_of(low, a, (), F8))[0]

        factors = low.code.once(("factored", source), factored)
        return called(low, LOWERED["lu_solved"], factors, right, Literal(turned))

    define_results(low, instr, (), (low.dims(b)[-t.ndim :],), core)


def _untransposed(low: Lowerer, a: Operand) -> tuple[Value, bool]:
    """Return what a matrix is the transpose of, and True; or itself, and False."""
    assert isinstance(a, Value)
    turned = False
    while True:
        instr = low.maker.get(a)
        inner = instr.args[0] if instr is not None and instr.op.name == "getitem" else None
        if instr is None or instr.param("path") != (Permute((1, 0)),) or not isinstance(inner, Value):
            return a, turned
        a, turned = inner, not turned


def lower_cholesky_adjoint(low: Lowerer, instr: Instr) -> None:
    """Lower what gives the cotangent of a matrix for the one of its Cholesky factor."""
    factor, g = (low.buffer(low.rep(x)) for x in instr.args)
    dims = low.dims(factor)

    def core(index: Index) -> tuple[Value, ...]:
        return called(low, instr.op, matrix_of(low, factor, index, F8), matrix_of(low, g, index, F8))

    define_results(low, instr, dims[:-2], (dims[-2:],), core)


def lower_lstsq(low: Lowerer, instr: Instr) -> None:
    """Lower `np.linalg.lstsq(a, b, rcond=None)[0]`, with NumPy's limit for what counts as 0."""
    code = low.code
    a, b = (low.buffer(low.rep(x)) for x in instr.args)
    n, m = low.dims(a)
    epsilon = Literal(float(np.finfo(np.float64).eps))
    cut = code.op("multiply", convert(code, code.maximum(n, m), F8), epsilon)

    def core(index: Index) -> tuple[Value, ...]:
        right = matrix_of(low, b, (), F8, b.type.ndim)
        return _call(low, "lstsq", matrix_of(low, a, (), F8), right, cut)

    define_results(low, instr, (), ((m, *low.dims(b)[1:]),), core)


def _transposed(low: Lowerer, rep: Rep) -> Rep:
    shape = (*rep.type.shape[:-2], rep.type.shape[-1], rep.type.shape[-2])
    dims = low.dims(rep)
    source = low.buffer(rep)

    def element(index: Index) -> Operand:
        return low.read(source, (*index[:-2], index[-1], index[-2]))

    return Lazy(Array(rep.type.dtype, shape), (*dims[:-2], dims[-1], dims[-2]), element, (), (source.base,))


def matrix_of(low: Lowerer, rep: Rep, index: Index, dtype: Dtype, rank: int = 2) -> Value:
    """Return one matrix (or vector) of a stack as an array of its own."""
    lead = index[len(index) - (rep.type.ndim - rank) :] if rep.type.ndim > rank else ()
    t = Array(dtype, rep.type.shape[-rank:])

    def element(inner: Index) -> Operand:
        return convert(low.code, low.read(rep, (*lead, *inner)), dtype)

    return low.fill(Lazy(t, low.dims(rep)[-rank:], element)).base


def _call(low: Lowerer, name: str, *args: Operand) -> tuple[Value, ...]:
    return called(low, LOWERED[f"lapack_{name}"], *args)


def called(
    low: Lowerer, op: Op, *args: Operand, params: tuple[tuple[str, object], ...] = ()
) -> tuple[Value, ...]:
    """Append a call of an op on whole arrays; return its results."""
    code = low.code
    builder = code.scopes[-1].builder
    builder.origin, builder.role = code.origin, code.role
    given: dict[str, Any] = dict(params)
    found = builder.emit_all(op, *args, **given)
    for v in found:
        assert isinstance(v, Value)
        low.roots[v] = frozenset({v})
    return found


def define_results(
    low: Lowerer,
    instr: Instr,
    batch: Index,
    shapes: Sequence[Index],
    core: Callable[[Index], tuple[Value, ...]],
) -> None:
    """Let what `core` gives for each index into the batch stand for the results."""
    results = instr.results
    if not batch:
        for result, shape, value in zip(results, shapes, core(()), strict=True):
            if isinstance(result.type, Scalar):
                low.define_scalar(result, convert(low.code, value, result.type.dtype))
            else:
                low.define(result, _in_c_order(low, value, result.type, shape, result.name))
        return
    buffers = []
    for result, shape in zip(results, shapes, strict=True):
        assert isinstance(result.type, Array)
        dims = tuple(low.number(n, d) for n, d in zip(result.type.shape, (*batch, *shape), strict=True))
        buffers.append(low.allocate(result.type.dtype, dims, result.type, result.name))

    def body(index: Index, state: list[Operand]) -> Sequence[Operand]:
        values = core(index)
        return tuple(
            _store(low, buffer, index, value, shape)
            for buffer, value, shape in zip(state, values, shapes, strict=True)
        )

    after = low.code.nest(batch, tuple(buffers), body)
    for result, buffer, new in zip(results, buffers, after, strict=True):
        assert isinstance(new, Value)
        low.define(result, whole(low.version(buffer, new)))


def _in_c_order(low: Lowerer, value: Value, t: Type, shape: Index, name: str) -> Strided:
    """LAPACK leaves matrices in Fortran's order: what follows is compiled for one order."""
    assert isinstance(t, Array)
    dims = tuple(low.number(n, d) for n, d in zip(t.shape, shape, strict=True))
    dtype = t.dtype
    return low.fill(Lazy(t, dims, lambda index: convert(low.code, low.read_base(value, index), dtype)), name)


def _store(low: Lowerer, buffer: Operand, index: Index, value: Value, shape: Index) -> Operand:
    assert isinstance(buffer, Value)
    if not shape:
        return low.write_base(buffer, index, convert(low.code, value, buffer.type.dtype))

    def body(inner: Index, state: list[Operand]) -> Sequence[Operand]:
        (base,) = state
        assert isinstance(base, Value)
        element = convert(low.code, low.read_base(value, inner), base.type.dtype)
        return (low.write_base(base, (*index, *inner), element),)

    (after,) = low.code.nest(shape, (buffer,), body)
    return after


TABLE = dict.fromkeys(SHAPES.keys() - {"svd_full", "eigh_upper"}, lower_decomposition) | {
    "solve": lower_solve,
    "cholesky_adjoint": lower_cholesky_adjoint,
    "lstsq": lower_lstsq,
}
