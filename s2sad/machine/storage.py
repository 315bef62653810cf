"""Instructions on arrays: elements, views, new memory, products and functions of Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.ir.core import Instr, Literal, Operand
from s2sad.ir.types import INT, Array
from s2sad.machine import arrays, library, matrices, products
from s2sad.machine.arithmetic import arithmetic, compare
from s2sad.machine.arrays import Buffer
from s2sad.machine.calls import call_library
from s2sad.machine.conversions import convert
from s2sad.machine.fourier import transform
from s2sad.machine.frame import THROWN, Frame
from s2sad.machine.scalars import scalar
from s2sad.machine.search import search
from s2sad.machine.solving import factors, solution
from s2sad.machine.triangular import solve_triangular
from s2sad.machine.writer import NotHere, Number, constant, kind_of
from s2sad.record import replace


def read(f: Frame, instr: Instr) -> None:
    """Read an element, or take a view."""
    x, path = f.array(instr.args[0]), instr.param("path")
    if isinstance(instr.result.type, Array):
        operands = [convert(f.w, f.number(a), INT) for a in instr.args[1:]]
        f.env[instr.result] = arrays.view(f.w, x, path, operands)
    else:
        f.env[instr.result] = arrays.load(f.w, x, _indices(f, x, instr.args[1:]))


def _indices(f: Frame, x: Buffer, args: Sequence[Operand]) -> list[str]:
    if len(args) != len(x.dims):
        raise NotHere("elements by a longer path")
    found: list[str] = []
    for a, n in zip(args, x.dims, strict=True):
        i = f.index(a)
        if isinstance(a, Literal) and int(a.value.real) < 0:
            i = f.w.value(f"add nsw i64 {n}, {i}")
        found.append(i)
    return found


def update(f: Frame, instr: Instr) -> None:
    """Write an element, or add to it."""
    x, v, *index = instr.args
    if isinstance(v.type, Array):
        raise NotHere("writes of arrays")
    to = f.array(x)
    place = arrays.address(f.w, to, _indices(f, to, index))
    new = convert(f.w, f.number(v), to.dtype)
    if instr.op.name == "accum":
        old = Number(arrays.load_from(f.w, place, to.dtype, to.aligned), to.dtype)
        new = arithmetic(f.w, "add", (old, new), to.dtype)
    arrays.store_at(f.w, place, new, to.aligned)


def new_array(f: Frame, instr: Instr) -> None:
    """Allocate an array."""
    t = instr.result.type
    assert isinstance(t, Array)
    dims = [f.index(a) for a in instr.args]
    if len(dims) != t.ndim:
        raise NotHere("shapes that are not spelled out")
    for a, n in zip(instr.args, dims, strict=True):
        if n in f.natural or (isinstance(a, Literal) and int(a.value.real) >= 0):
            continue
        negative = compare(f.w, "less", (Number(n, INT), constant(0, INT)))
        f.unless(negative, lambda: f.raise_(ValueError, "negative dimensions are not allowed"))
        f.natural.add(n)
    f.env[instr.result] = f.array_for(instr.result, t.dtype, dims, instr.op.name == "zeros")


def copy_of(f: Frame, instr: Instr) -> None:
    """Copy an array."""
    x = f.array(instr.args[0])
    made = f.array_for(instr.result, x.dtype, x.dims)
    arrays.copied(f.w, x, made)
    f.env[instr.result] = made


def reshape(f: Frame, instr: Instr) -> None:
    """Take a view of another shape."""
    x = f.array(instr.args[0])
    if not x.in_rows:
        raise NotHere("new shapes for arrays with gaps")
    dims = tuple(f.index(a) for a in instr.args[1:])
    if any(isinstance(a, Literal) and int(a.value.real) < 0 for a in instr.args[1:]):
        raise NotHere("new shapes with a size to be found")
    size = compare(f.w, "not_equal", tuple(Number(arrays.count_of(f.w, d), INT) for d in (x.dims, dims)))
    message = "cannot reshape array"
    f.unless(size, lambda: f.raise_(ValueError, message))
    f.env[instr.result] = replace(x, dims=dims, strides=arrays.strides_of(f.w, dims))


def matrix_product(f: Frame, instr: Instr) -> None:
    """Multiply vectors and matrices."""
    w = f.w
    a, b = (f.array(x) for x in instr.args)
    if len(a.dims) not in (1, 2) or len(b.dims) not in (1, 2):
        raise NotHere("products of other arrays than vectors and matrices")
    if a.dtype.kind == "c":
        call_library(f, instr)
        return
    message = "shapes do not fit for a product"
    f.unless(products.unlike(w, a, b), lambda: f.raise_(ValueError, message))
    result = instr.result
    if isinstance(result.type, Array):
        dims = (*a.dims[:-1], *b.dims[1:])
        made = f.array_for(result, a.dtype, dims)
    else:
        made = arrays.rows(w, a.dtype, w.slot(kind_of(a.dtype)), ())
    failed = products.product(w, a, b, made, "%thread")
    f.unless(failed, lambda: f.fail(THROWN))
    f.env[result] = made if isinstance(result.type, Array) else arrays.load(w, made, ())


def call_or_compute(f: Frame, instr: Instr) -> None:
    """Compute scalars here, and what is made of whole arrays by a function of Python."""
    if library.is_library(instr):
        call_library(f, instr)
    elif len(instr.results) == 1 and instr.op.pure:
        f.env[instr.result] = scalar(f.w, instr, [f.number(a) for a in instr.args])
    else:
        raise NotHere(f"the operation {instr.op.name}")


def size(f: Frame, instr: Instr) -> None:
    """Read a size."""
    f.env[instr.result] = Number(f.array(instr.args[0]).dims[instr.param("axis")], INT)


def item(f: Frame, instr: Instr) -> None:
    """Read the number in an array of rank 0."""
    f.env[instr.result] = arrays.load(f.w, f.array(instr.args[0]), ())


def contiguous(f: Frame, instr: Instr) -> None:
    """Take an array in C order, which may be the array itself."""
    x = f.array(instr.args[0])
    if x.in_rows:
        f.env[instr.result] = x
    else:
        copy_of(f, instr)


def undefined(f: Frame, instr: Instr) -> None:
    """Take any number for a name that is not bound: nobody reads it."""
    if isinstance(instr.result.type, Array):
        raise NotHere("arrays that may be unbound")
    f.env[instr.result] = constant(0, instr.result.type.dtype)


def nothing(f: Frame, instr: Instr) -> None:
    """Write nothing."""


WRITERS: dict[str, Callable[[Frame, Instr], None]] = {
    "comment": nothing,
    "stay_apart": nothing,
    "size": size,
    "item0": item,
    "lu_factored": factors,
    "lu_solved": solution,
    "search_left": search,
    "search_right": search,
    "getitem": read,
    "setitem": update,
    "accum": update,
    "empty": new_array,
    "zeros": new_array,
    "contiguous": contiguous,
    "undef": undefined,
    "blas_dot": matrix_product,
    **{f"as_rank{k}": reshape for k in range(9)},
    "fft_line": transform,
    "solve_triangular": solve_triangular,
    **matrices.WRITERS,
}
