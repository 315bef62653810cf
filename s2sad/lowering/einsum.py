"""einsum, and matmul of stacks: one BLAS product where it is a matrix product, one for each entry of a stack
of matrices where these are not small, else one nest per element of the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import ascii_letters

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.path import Permute
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Dtype, Scalar, Type
from s2sad.lowering.code import ONE, ZERO
from s2sad.lowering.context import Lowerer
from s2sad.lowering.create import reshape_buffer
from s2sad.lowering.linalg import blas_operand, blas_product, has_blas, lower_matmul
from s2sad.lowering.reduce import accumulator
from s2sad.lowering.scalars import convert, promote
from s2sad.lowering.views import Index, Lazy, Rep, Strided, whole
from s2sad.ops.linalg import split_subscripts
from s2sad.ops.table import OPS
from s2sad.record import replace

WORTH_A_CALL = 2048  # multiplications
SMALL = {name: replace(OPS[name], name=f"small_{name}") for name in ("einsum", "matmul")}
"""Products of stacks of matrices that are known not to be worth a call."""


def lower_einsum(low: Lowerer, instr: Instr) -> None:
    """Lower einsum: BLAS where it is a matrix product, else one nest per element of the result."""
    inputs, output = split_subscripts(instr.param("subscripts"))
    reps = [low.rep(x) for x in instr.args]
    t = instr.result.type
    dims = _label_dims(low, reps, inputs)
    if _is_product(low, inputs, output, reps) and has_blas(t.dtype) and isinstance(t, Array):
        low.define(instr.result, _einsum_product(low, reps, inputs, output, t, instr.result.name))
        return
    reps = [low.buffer(r) if r.type.ndim else r for r in reps]
    batch = [c for c in output if all(c in s for s in inputs)]
    inner = [_without(s, batch) for s in (*inputs, output)]
    if batch and isinstance(t, Array) and has_blas(t.dtype) and _is_product(low, inputs, output, reps, batch):
        low.define(
            instr.result, _stacked(low, reps, inputs, output, t, dims, batch, inner, instr.result.name)
        )
        return
    _by_element(low, instr, reps, inputs, output, dims)


def lower_small_einsum(low: Lowerer, instr: Instr) -> None:
    """Lower an einsum as one nest per element of the result."""
    inputs, output = split_subscripts(instr.param("subscripts"))
    reps = [low.rep(x) for x in instr.args]
    dims = _label_dims(low, reps, inputs)
    _by_element(low, instr, [low.buffer(r) if r.type.ndim else r for r in reps], inputs, output, dims)


def _by_element(
    low: Lowerer,
    instr: Instr,
    reps: Sequence[Rep],
    inputs: Sequence[str],
    output: str,
    dims: dict[str, Operand],
) -> None:
    t = instr.result.type
    element = _element(low, t, reps, inputs, output, dims)
    if isinstance(t, Scalar):
        low.define_scalar(instr.result, element(()))
        return
    low.define(instr.result, low.fill(Lazy(t, tuple(dims[c] for c in output), element), instr.result.name))


def _without(labels: str, dropped: Sequence[str]) -> str:
    return "".join(c for c in labels if c not in dropped)


def _stacked(
    low: Lowerer,
    reps: Sequence[Rep],
    inputs: Sequence[str],
    output: str,
    t: Array,
    dims: dict[str, Operand],
    batch: Sequence[str],
    inner: Sequence[str],
    hint: str,
) -> Rep:
    """A product for each index of `batch`: by BLAS if the matrices are worth its call."""
    code = low.code
    out_dims = tuple(dims[c] for c in output)
    buffer = low.allocate(t.dtype, out_dims, t, hint)
    work = code.product([dims[c] for c in dict.fromkeys("".join(inner))])

    def products(index: Index, state: list[Operand]) -> Sequence[Operand]:
        at = dict(zip(batch, index, strict=True))
        parts = [_entry(low, r, s, at) for r, s in zip(reps, inputs, strict=True)]
        kept = [k for k, c in enumerate(output) if c not in at]
        small = Array(t.dtype, tuple(t.shape[k] for k in kept))
        product = _einsum_product(low, parts, inner[:2], inner[2], small, "")

        def place(inside: Index) -> Index:
            rest = iter(inside)
            return tuple(at[c] if c in at else next(rest) for c in output)

        base = state[0]
        assert isinstance(base, Value)
        return (low.store(base, tuple(dims[c] for c in inner[2]), lambda i: low.read(product, i), place),)

    def by_blas() -> Sequence[Operand]:
        return code.nest([dims[c] for c in batch], (buffer,), products)

    def by_loops() -> Sequence[Operand]:
        return (low.store(buffer, out_dims, _element(low, t, reps, inputs, output, dims)),)

    (after,) = code.branch(code.op("greater_equal", work, Literal(WORTH_A_CALL)), by_blas, by_loops)
    return whole(low.version(buffer, after))


def _entry(low: Lowerer, rep: Rep, labels: str, at: dict[str, Operand]) -> Strided:
    """The part of an operand at one index of the stack."""
    assert isinstance(rep, Strided)
    offsets = list(rep.offsets)
    for k, c in enumerate(labels):
        for b, stride in rep.axes[k] if c in at else ():
            offsets[b] = low.code.add(offsets[b], low.code.mul(at[c], stride))
    kept = [k for k, c in enumerate(labels) if c not in at]
    dims = low.dims(rep)
    t = Array(rep.type.dtype, tuple(rep.type.shape[k] for k in kept))
    return Strided(
        rep.base, t, tuple(dims[k] for k in kept), tuple(offsets), tuple(rep.axes[k] for k in kept)
    )


def _label_dims(low: Lowerer, reps: Sequence[Rep], inputs: Sequence[str]) -> dict[str, Operand]:
    code = low.code
    found: dict[str, tuple[Size, Operand]] = {}
    for rep, labels in zip(reps, inputs, strict=True):
        for k, label in enumerate(labels):
            size = rep.type.shape[k]
            if label not in found or found[label][0].is_one:
                found[label] = (size, low.dim(rep, k))
            elif low.dim(rep, k) != found[label][1] and not size.is_one:
                n, m = low.dim(rep, k), found[label][1]
                code.fail_if(
                    code.differ(n, m, n, m),
                    ValueError,
                    f"einsum: dimensions of subscript {label} do not match",
                )
                found[label] = (size, code.maximum(n, m) if not isinstance(n, Literal) else n)
    return {label: n for label, (_, n) in found.items()}


def _is_product(
    low: Lowerer, inputs: Sequence[str], output: str, reps: Sequence[Rep], batch: Sequence[str] = ()
) -> bool:
    if len(inputs) != 2:
        return False
    a, b = inputs
    if any(len(set(s)) != len(s) for s in (a, b, output)):
        return False
    if any(not low.agree(reps[0], k, reps[1], b.index(c)) for k, c in enumerate(a) if c in b):
        return False
    shared = (set(a) & set(b)).difference(batch)
    free_a, free_b = set(a) - set(b), set(b) - set(a)
    rest = set(output).difference(batch)
    return bool(shared and free_a and free_b) and not shared & rest and free_a | free_b == rest


def _einsum_product(
    low: Lowerer, reps: Sequence[Rep], inputs: Sequence[str], output: str, t: Array, hint: str
) -> Rep:
    if output[0] in inputs[1]:  # the product in the order of the result needs no copy
        reps, inputs = reps[::-1], inputs[::-1]
    a, b = inputs
    shared = [c for c in a if c in b]
    free_a, free_b = [c for c in a if c not in b], [c for c in b if c not in a]
    left = _matrix(low, reps[0], a, free_a, shared, t.dtype)
    right = _matrix(low, reps[1], b, shared, free_b, t.dtype)
    product = blas_product(low, left, right, Array(t.dtype, (left.type.shape[0], right.type.shape[1])))
    sizes = {
        c: (r.type.shape[k], low.dim(r, k))
        for r, s in zip(reps, inputs, strict=True)
        for k, c in enumerate(s)
    }
    order = [*free_a, *free_b]
    shape = Array(t.dtype, tuple(sizes[c][0] for c in order))
    dims = tuple(sizes[c][1] for c in order)
    final = order == list(output)
    found = product if len(order) == 2 else reshape_buffer(low, product, shape, dims, hint if final else "")
    low.dense.add(found)
    rep = whole(found)
    if final:
        return rep
    places = [order.index(c) for c in output]
    axes = tuple(rep.axes[p] for p in places)
    return low.fill(Strided(found, t, tuple(dims[p] for p in places), rep.offsets, axes), hint)


def _matrix(
    low: Lowerer, rep: Rep, labels: str, rows: Sequence[str], cols: Sequence[str], dtype: Dtype
) -> Value:
    """The operand with its axes grouped into a matrix."""
    code = low.code
    order = [labels.index(c) for c in (*rows, *cols)]
    if len(order) == 2:
        if order == [0, 1]:
            return blas_operand(low, rep, dtype)
        base = blas_operand(low, rep, dtype)
        return code.op("getitem", base, path=(Permute((1, 0)),))
    dims = low.dims(rep)
    t = Array(dtype, tuple(rep.type.shape[k] for k in order))

    def element(index: Index) -> Operand:
        source: list[Operand] = [ZERO] * len(order)
        for k, i in zip(order, index, strict=True):
            source[k] = i
        return convert(code, low.read(rep, tuple(source)), dtype)

    copied = low.fill(Lazy(t, tuple(dims[k] for k in order), element))
    n, m = (code.product([dims[labels.index(c)] for c in group]) for group in (rows, cols))
    sizes = tuple(map(code.exact, (n, m)))
    return reshape_buffer(low, copied.base, Array(dtype, sizes), (n, m), "")


def _element(
    low: Lowerer,
    t: Type,
    reps: Sequence[Rep],
    inputs: Sequence[str],
    output: str,
    dims: dict[str, Operand],
) -> Callable[[Index], Operand]:
    """Return what writes the loops for one element of the result."""
    code = low.code
    summed = sorted(set("".join(inputs)) - set(output))
    line = tuple(dims[c] for c in summed)
    wide = accumulator(t.dtype)

    def element(index: Index) -> Operand:
        at = dict(zip(output, index, strict=True))

        def product(inner: Index) -> Operand:
            where = at | dict(zip(summed, inner, strict=True))
            factors = [
                low.read(r, tuple(_scaled(low, r, k, where[c], dims[c]) for k, c in enumerate(labels)))
                for r, labels in zip(reps, inputs, strict=True)
            ]
            total = promote(code, factors[0], wide)
            for f in factors[1:]:
                total = code.op("multiply", total, promote(code, f, wide))
            return total

        if not summed:
            return code.coerce(product(()), Scalar(t.dtype))
        start = code.coerce(Literal(np.zeros((), wide).item()), Scalar(wide))
        (found,) = code.nest(line, (start,), lambda i, state: (code.op("add", state[0], product(i)),))
        return code.coerce(found, Scalar(t.dtype))

    return element


def _scaled(low: Lowerer, rep: Rep, axis: int, i: Operand, n: Operand) -> Operand:
    """The index of an axis that may be 1 where its label is longer."""
    own = low.dim(rep, axis)
    if own == n:
        return i
    if own == ONE:
        return ZERO
    if isinstance(own, Literal):
        return i
    return low.code.mul(i, low.one_or_zero(own))


def lower_stacked_matmul(low: Lowerer, instr: Instr) -> None:
    """Lower `a @ b`: of stacks of equal length, or with one matrix on the left, as an einsum."""
    a, b = (low.rep(x) for x in instr.args)
    row, inner, column, *others = tuple(ascii_letters)
    n, m = a.type.ndim - 2, b.type.ndim - 2
    stack = "".join(others[: max(n, m)])
    left, right = stack[len(stack) - n :] + row + inner, stack[len(stack) - m :] + inner + column
    shared = [c for c in left if c in right]
    fits = n >= 0 and m > 0 and has_blas(instr.result.type.dtype)
    if fits and all(low.agree(a, left.index(c), b, right.index(c)) for c in shared):
        subscripts = f"{left},{right}->{stack}{row}{column}"
        lower_einsum(low, replace(instr, params=(("subscripts", subscripts),)))
    else:
        lower_matmul(low, instr)


TABLE = {
    "einsum": lower_einsum,
    "matmul": lower_stacked_matmul,
    "small_einsum": lower_small_einsum,
    "small_matmul": lower_matmul,
}
