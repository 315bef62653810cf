"""What calls of products mean."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

import numpy as np

from s2sad.ops.call import (
    METHODS,
    cast_as,
    checked_sizes,
    dtype_of,
    expr,
    make_call,
    meaning,
    one_axis,
    only,
    strong,
    unsupported,
)
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import (
    cast,
    conj,
    count,
    expand,
    literal,
    matmul,
    outer,
    permute,
    reshape,
    size,
    swap,
    total,
)
from s2sad.ops.linalg import split_subscripts
from s2sad.ops.meaning_elementwise import elementwise_call, loop_arguments

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@meaning(np.matmul)
def matmul_(
    x1: Any,
    x2: Any,
    /,
    out: Any = None,
    *,
    casting: Any = "same_kind",
    order: Any = "K",
    dtype: Any = None,
    axes: Any = None,
) -> Expr:
    """Return np.matmul(x1, x2)."""
    only("axes", axes, None)
    return matmul(*loop_arguments(np.matmul, (x1, x2), dtype, casting))


@meaning(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Expr:
    """Return np.dot(a, b)."""
    x, y = expr(a), expr(b)
    if not x.ndim or not y.ndim:
        return _scaled(x, y)
    if y.ndim <= 2:
        return matmul(x, y)
    return _contracted(x, y, [x.ndim - 1], [y.ndim - 2])


def _scaled(x: Expr, y: Expr) -> Expr:
    """A product with a number, which is an array of its own dtype for np.dot and np.inner."""
    z = elementwise_call("multiply", x, y)
    same = z.dtype == np.promote_types(x.dtype, y.dtype)
    return z if same else apply("multiply", strong(x), strong(y))


METHODS["dot"] = make_call("dot", dot)


@meaning(np.inner)
def inner(a: Any, b: Any, /) -> Expr:
    """Return np.inner(a, b)."""
    x, y = expr(a), expr(b)
    if not x.ndim or not y.ndim:
        return _scaled(x, y)
    if y.ndim == 1:
        return matmul(x, y)
    if y.ndim == 2:
        return matmul(x, swap(y))
    return _contracted(x, y, [x.ndim - 1], [y.ndim - 1])


@meaning(np.vdot)
def vdot(a: Any, b: Any, /) -> Expr:
    """Return np.vdot(a, b)."""
    x, y = (e if e.ndim == 1 else reshape(e, -1) for e in (expr(a), expr(b)))
    return matmul(conj(x) if x.dtype.kind == "c" else x, y)


@meaning(np.outer)
def outer_(a: Any, b: Any, out: Any = None) -> Expr:
    """Return np.outer(a, b)."""
    x, y = (e if e.ndim == 1 else reshape(e, -1) for e in (expr(a), expr(b)))
    return outer(x, y)


@meaning(getattr(np, "vecdot", None))
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Expr:
    """Return np.vecdot(x1, x2)."""
    x, y = (_last(expr(e), axis) for e in (x1, x2))
    z = (conj(x) if x.dtype.kind == "c" else x) * y
    return total(z, z.ndim - 1)


def _last(x: Expr, axis: int) -> Expr:
    """x with an axis as its last one."""
    k = one_axis(axis, x.ndim)
    return permute(x, (*(j for j in range(x.ndim) if j != k), k))


@meaning(np.kron)
def kron(a: Any, b: Any) -> Expr:
    """Return np.kron(a, b)."""
    x, y = expr(a), expr(b)
    if not x.ndim or not y.ndim:
        return x * y
    if x.ndim == y.ndim == 1:
        return reshape(outer(x, y), -1)
    rank = max(x.ndim, y.ndim)
    x, y = (e if e.ndim == rank else expand(e, *range(rank - e.ndim)) for e in (x, y))
    sizes = [apply("size", x, axis=k) * apply("size", y, axis=k) for k in range(rank)]
    first, second = ascii_lowercase[:rank], ascii_lowercase[rank : 2 * rank]
    both = "".join(p + q for p, q in zip(first, second, strict=True))
    return reshape(_einsum((x, y), (first, second), both), *sizes)


@meaning(np.trace, method="trace")
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Expr:
    """Return np.trace(a)."""
    d = diagonal(a, offset, axis1, axis2)
    found = dtype_of(dtype)
    return total(d if found is None else cast(d, found), d.ndim - 1)


@meaning(np.diagonal, method="diagonal")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Expr:
    """Return np.diagonal(a), read-only."""
    x = expr(a)
    i, j = one_axis(axis1, x.ndim), one_axis(axis2, x.ndim)
    rest = tuple(k for k in range(x.ndim) if k not in (i, j))
    return apply("diagonal", permute(x, (*rest, i, j)), **({"offset": offset} if offset else {}))


@meaning(np.diag, static="k")
def diag(v: Any, k: int = 0) -> Expr:
    """Return np.diag(v): a matrix of a vector, the diagonal of a matrix."""
    x = expr(v)
    if x.ndim not in (1, 2):
        raise ValueError("Input must be 1- or 2-d.")
    return apply("diag_embed" if x.ndim == 1 else "diagonal", x, **({"offset": k} if k else {}))


@meaning(np.diagflat, static="k")
def diagflat(v: Any, k: int = 0) -> Expr:
    """Return np.diagflat(v)."""
    x = expr(v)
    return apply("diag_embed", x if x.ndim == 1 else reshape(x, -1), **({"offset": k} if k else {}))


@meaning(np.triu, static="k")
def triu(m: Any, k: int = 0) -> Expr:
    """Return np.triu(m, k)."""
    return _triangle("triu", m, k)


@meaning(np.tril, static="k")
def tril(m: Any, k: int = 0) -> Expr:
    """Return np.tril(m, k)."""
    return _triangle("tril", m, k)


def _triangle(op: str, m: Any, k: int) -> Expr:
    x = expr(m)
    if x.ndim < 2:
        raise unsupported(f"np.{op} of a vector is not supported", "make it a matrix first")
    return apply(op, x, **({"k": k} if k else {}))


# --- einsum and tensordot -----------------------------------------------------------------------


@meaning(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Expr:
    """Return np.tensordot(a, b, axes)."""
    x, y = expr(a), expr(b)
    if isinstance(axes, int):
        over: tuple[tuple[int, ...], ...] = (tuple(range(x.ndim - axes, x.ndim)), tuple(range(axes)))
    else:
        over = tuple((v,) if isinstance(v, int) else tuple(v) for v in axes)
    i = [one_axis(k, x.ndim) for k in over[0]]
    j = [one_axis(k, y.ndim) for k in over[1]]
    if len(i) != len(j):
        raise ValueError("shape-mismatch for sum")
    return _contracted(x, y, i, j)


def _contracted(x: Expr, y: Expr, i: list[int], j: list[int]) -> Expr:
    """The sum over the axes i of x paired with j of y, as one product of matrices."""
    if len(i) > 1:  # one pair is checked by matmul
        y = checked_sizes(y, {b: size(x, a) for a, b in zip(i, j, strict=True)}, "shape-mismatch for sum")
    rows, cols = ([k for k in range(e.ndim) if k not in over] for e, over in ((x, i), (y, j)))
    left = _matrix(permute(x, (*rows, *i)), len(rows), len(i))
    right = _matrix(permute(y, (*j, *cols)), len(j), len(cols))
    z = matmul(left, right)
    if len(rows) == 1 and len(cols) == 1:
        return z
    return reshape(z, *(size(x, k) for k in rows), *(size(y, k) for k in cols))


def _matrix(x: Expr, lead: int, trail: int) -> Expr:
    if lead == 1 and trail == 1:
        return x
    n = count(x, tuple(range(lead))) if lead else literal(1)
    m = count(x, tuple(range(lead, lead + trail))) if trail else literal(1)
    return reshape(x, n, m)


@meaning(np.einsum)
def einsum(
    *operands: Any,
    out: Any = None,
    optimize: Any = False,
    dtype: Any = None,
    order: Any = "K",
    casting: Any = "safe",
) -> Expr:
    """Return np.einsum(subscripts, *operands)."""
    if not operands or not isinstance(operands[0], str):
        raise unsupported("np.einsum needs subscripts as text", 'write np.einsum("ij,jk->ik", a, b)')
    xs = tuple(cast_as(expr(x), dtype, casting) for x in operands[1:])
    inputs, output = explicit(operands[0], tuple(x.ndim for x in xs))
    if len(inputs) != len(xs):
        raise ValueError(f"einsum has subscripts for {len(inputs)} operands and is given {len(xs)}")
    return _einsum(xs, tuple(inputs), output)


def explicit(subscripts: str, ranks: tuple[int, ...]) -> tuple[list[str], str]:
    """Return the subscripts of the operands and of the result, without ellipsis, in explicit form."""
    text = subscripts.replace(" ", "")
    used = set(text)
    spare = [c for c in reversed(LETTERS) if c not in used]
    inputs, arrow, output = text.partition("->")
    found = inputs.split(",")
    longest = ""
    for k, labels in enumerate(found):
        if "..." in labels:
            n = ranks[k] - len(labels) + 3
            letters = "".join(spare[:n][::-1])
            found[k] = labels.replace("...", letters)
            longest = max(longest, letters, key=len)
        if k < len(ranks) and len(found[k]) != ranks[k]:
            raise ValueError(f"einsum subscripts {labels} do not fit an operand of rank {ranks[k]}")
    if not arrow:
        every = "".join(found)
        output = longest + "".join(sorted(c for c in set(every) if every.count(c) == 1 and c not in longest))
    return found, output.replace("...", longest)


def _einsum(xs: tuple[Expr, ...], inputs: tuple[str, ...], output: str) -> Expr:
    """An einsum op whose operands have no repeated index: their diagonals are taken before."""
    clean = [_distinct(x, labels) for x, labels in zip(xs, inputs, strict=True)]
    subscripts = ",".join(labels for _, labels in clean) + "->" + output
    assert split_subscripts(subscripts)[1] == output
    return apply("einsum", *(x for x, _ in clean), subscripts=subscripts)


def _distinct(x: Expr, labels: str) -> tuple[Expr, str]:
    for i, c in enumerate(labels):
        j = labels.find(c, i + 1)
        if j >= 0:
            rest = labels[:i] + labels[i + 1 : j] + labels[j + 1 :] + c
            square = checked_sizes(x, {j: size(x, i)}, f"einsum: dimensions of subscript {c} do not match")
            return _distinct(diagonal(square, 0, i, j), rest)
    return x, labels
