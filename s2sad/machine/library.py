"""Functions of Python that a kernel calls: products, factorisations, sorting, as NumPy and SciPy do them.

A call costs microseconds, so that there are none in loops, but of the user's functions. The kernel hands
arrays over as arrays of NumPy over its own memory, which may only be read, and copies what comes back."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from s2sad.ir.core import Instr
from s2sad.ir.op import Op
from s2sad.ir.types import F8, Array, Dtype, Opaque, Type
from s2sad.machine.arrays import Buffer, copied, load_from, rows
from s2sad.machine.conversions import convert
from s2sad.machine.names import DATA, FLAGS, SIZES, STRIDES, TABLE
from s2sad.machine.parts import parts
from s2sad.machine.writer import NotHere, Number, Writer, kind_of
from s2sad.record import dataclass

OUTSIDE = "called_outside"
# the place in NumPy's table of C functions, and what they are
ARRAY_TYPE, NEW_ARRAY = 2, 93
# modules with better ways for matrices of doubles; what lu_factored hands to lu_solved is their own affair
BY_SCIPY = {"lu_factored": "factors", "lu_solved": "factors", "cholesky_adjoint": "cholesky"}
QUIET = ("fft_line",)  # gives an array of its type, and nothing to warn of; called in loops
MAY_READ, IN_ROWS, MAY_WRITE, OWNS_DATA = 0x100, 0x1, 0x400, 0x4


def is_library(instr: Instr) -> bool:
    """True for what is computed from whole arrays, or makes them, and for the user's functions."""
    if instr.op.name == OUTSIDE:
        return True
    types = [v.type for v in (*instr.args, *instr.results)]
    return instr.op.pure and not instr.blocks and any(isinstance(t, Array) for t in types)


@dataclass(frozen=True, slots=True)
class Callback:
    """An operation, called as a function of Python of arrays and numbers, which returns arrays."""

    op: Op
    params: tuple[tuple[str, Any], ...]
    types: tuple[Type, ...]

    def function(self) -> Callable[..., tuple[Any, ...]]:
        """Return the function: what the operation means."""
        evaluate, params, types = self.op.evaluate, dict(self.params), self.types
        if self.op.name in BY_SCIPY:
            better = importlib.import_module(f"s2sad.machine.{BY_SCIPY[self.op.name]}")
            evaluate = better.FUNCTIONS[self.op.name]
        if self.op.name in QUIET:
            return lambda *args: (evaluate(*args),)
        # the user's function warns as it likes
        errors: Literal["ignore"] | None = None if self.op.name == OUTSIDE else "ignore"

        def called(*args: Any) -> tuple[Any, ...]:
            with np.errstate(all=errors):
                found = evaluate(*args, **params)
            values = (found,) if len(types) == 1 else tuple(found)
            arrays = tuple(np.asarray(v, t.dtype) for v, t in zip(values, types, strict=True))
            assert [a.ndim for a in arrays] == [t.ndim for t in types]
            return arrays

        return called


def callback(instr: Instr) -> Callback:
    """Return the callback of an instruction. NotHere is raised where there is none for its types."""
    types = tuple(r.type for r in instr.results)
    if instr.op.name in BY_SCIPY and any(t.dtype != F8 for t in types):
        raise NotHere("matrices of other numbers than doubles")
    return Callback(instr.op, instr.params, types)


def type_number(dtype: Dtype) -> int:
    """Return NumPy's number of a dtype."""
    kind_of(dtype)
    return dtype.num


def declare(w: Writer) -> None:
    """Note the functions of Python's C interface."""
    m = w.module
    m.declared.setdefault(TABLE, f"@{TABLE} = external global [0 x ptr]")
    m.declare("ptr", "PyEval_SaveThread")
    m.declare("void", "PyEval_RestoreThread", "ptr")
    m.declare("ptr", "PyTuple_New", "i64")
    m.declare("ptr", "PyTuple_GetItem", "ptr", "i64")
    m.declare("i32", "PyTuple_SetItem", "ptr", "i64", "ptr")
    m.declare("ptr", "PyObject_Call", "ptr", "ptr", "ptr")
    m.declare("void", "Py_DecRef", "ptr")
    m.declare("void", "Py_IncRef", "ptr")
    m.declare("ptr", "PyFloat_FromDouble", "double")
    m.declare("ptr", "PyComplex_FromDoubles", "double", "double")
    m.declare("ptr", "PyLong_FromLongLong", "i64")
    m.declare("ptr", "PyLong_FromUnsignedLongLong", "i64")
    m.declare("ptr", "PyBool_FromLong", "i64")


def from_table(w: Writer, place: int) -> str:
    """Return an entry of NumPy's table."""
    at = w.value(f"getelementptr inbounds i8, ptr @{TABLE}, i64 {8 * place}")
    return w.value(f"load ptr, ptr {at}")


def boxed(w: Writer, n: Number) -> str:
    """Return a scalar as an object of Python."""
    kind = kind_of(n.dtype)
    match n.dtype.kind:
        case "f":
            wide = n.text if kind == "double" else w.value(f"fpext float {n.text} to double")
            return w.value(f"call ptr @PyFloat_FromDouble(double {wide})")
        case "c":
            real, imag = (convert(w, p, F8).text for p in parts(w, n))
            return w.value(f"call ptr @PyComplex_FromDoubles(double {real}, double {imag})")
        case "b":
            return w.value(f"call ptr @PyBool_FromLong(i64 {w.value(f'zext i1 {n.text} to i64')})")
    word = "sext" if n.dtype.kind == "i" else "zext"
    wide = n.text if kind == "i64" else w.value(f"{word} {kind} {n.text} to i64")
    maker = "PyLong_FromLongLong" if n.dtype.kind == "i" else "PyLong_FromUnsignedLongLong"
    return w.value(f"call ptr @{maker}(i64 {wide})")


def array_of(w: Writer, x: Buffer, flags: int) -> str:
    """Return an array of NumPy over existing memory."""
    rank = len(x.dims)
    dims, strides = w.slot(f"[{max(rank, 1)} x i64]"), w.slot(f"[{max(rank, 1)} x i64]")
    for d, (n, s) in enumerate(zip(x.dims, x.strides, strict=True)):
        size = s if x.by_bytes else w.value(f"mul i64 {s}, {x.dtype.itemsize}")
        for place, v in ((dims, n), (strides, size)):
            at = w.value(f"getelementptr inbounds i8, ptr {place}, i64 {8 * d}")
            w.do(f"store i64 {v}, ptr {at}")
    kind, maker = from_table(w, ARRAY_TYPE), from_table(w, NEW_ARRAY)
    return w.value(
        f"call ptr {maker}(ptr {kind}, i32 {rank}, ptr {dims}, i32 {type_number(x.dtype)}, ptr {strides}, "
        f"ptr {x.data}, i32 0, i32 {flags}, ptr null)"
    )


def packed(w: Writer, objects: Sequence[str]) -> str:
    """Return a tuple of Python that owns these objects."""
    made = w.value(f"call ptr @PyTuple_New(i64 {len(objects)})")
    for k, o in enumerate(objects):
        w.do(f"call i32 @PyTuple_SetItem(ptr {made}, i64 {k}, ptr {o})")
    return made


def data_and_dims(w: Writer, array: str, rank: int) -> tuple[str, list[str]]:
    """Return where an array of NumPy has its elements, and its sizes."""
    fields = [w.value(f"getelementptr inbounds i8, ptr {array}, i64 {at}") for at in (DATA, SIZES)]
    data, sizes = (w.value(f"load ptr, ptr {at}") for at in fields)
    dims = []
    for d in range(rank):
        at = w.value(f"getelementptr inbounds i8, ptr {sizes}, i64 {8 * d}")
        dims.append(w.value(f"load i64, ptr {at}"))
    return data, dims


def take_over(w: Writer, array: str, to: Buffer) -> None:
    """Copy the elements of an array of NumPy, in C order or not."""
    data, dims = data_and_dims(w, array, len(to.dims))
    flags, steps = (w.value(f"getelementptr inbounds i8, ptr {array}, i64 {at}") for at in (FLAGS, STRIDES))
    whole = w.value(f"and i32 {w.value(f'load i32, ptr {flags}')}, {IN_ROWS}")
    plain, turned, done = w.block(), w.block(), w.block()
    w.branch(w.value(f"icmp ne i32 {whole}, 0"), plain, turned)
    w.begin(plain)
    copied(w, rows(w, to.dtype, data, dims), to)
    w.jump(done)
    w.begin(turned)
    sizes = w.value(f"load ptr, ptr {steps}")
    places = [w.value(f"getelementptr inbounds i8, ptr {sizes}, i64 {8 * d}") for d in range(len(dims))]
    strides = tuple(w.value(f"load i64, ptr {at}") for at in places)
    copied(w, Buffer(to.dtype, data, tuple(dims), strides, by_bytes=True), to)
    w.jump(done)
    w.begin(done)


def scalar_in(w: Writer, array: str, t: Any) -> Number:
    """Return the number in an array of rank 0."""
    return Number(load_from(w, data_and_dims(w, array, 0)[0], t.dtype), t.dtype)


def check_types(instr: Instr) -> None:
    """Refuse what a kernel could not take over."""
    for v in (*instr.args, *instr.results):
        if isinstance(v.type, Opaque):
            raise NotHere("sparse matrices and sources of random numbers")
        kind_of(v.type.dtype)
