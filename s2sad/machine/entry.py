"""The function of Python's C interface around a kernel: it takes arguments apart and makes the results.

It returns a tuple of results; NotImplemented where an array does not lie in memory as the kernel was made
for; an int where the kernel raises, the number of the exception."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s2sad.ir.core import Function
from s2sad.ir.types import F8, INT, Array
from s2sad.machine import arena, arrays, library
from s2sad.machine.arrays import Buffer
from s2sad.machine.conversions import C16, convert
from s2sad.machine.frame import RAISED, THROWN, Program, Signature, cells
from s2sad.machine.names import DESCR, ENTRY, FLAGS, NDIM, NUMBER, ORDER, STRIDES
from s2sad.machine.writer import Number, Writer, kind_of

FLAGS_OF = {"C": 0x101, "F": 0x102, "A": 0x100, "U": 0}
FOREIGN = ord(">")
I4, U8 = np.dtype(np.int32), np.dtype(np.uint64)


def write_entry(program: Program, fn: Function, signature: Signature, layouts: Sequence[str]) -> None:
    """Write the entry of a kernel."""
    w = Writer(program.module)
    library.declare(w)
    m = program.module
    m.declare("double", "PyFloat_AsDouble", "ptr")
    m.declare(kind_of(C16), "PyComplex_AsCComplex", "ptr")
    m.declare("i64", "PyLong_AsLongLong", "ptr")
    m.declare("i64", "PyLong_AsUnsignedLongLongMask", "ptr")
    m.declare("i32", "PyObject_IsTrue", "ptr")
    m.declare("ptr", "PyErr_Occurred")
    m.declare("ptr", "PyErr_NoMemory")
    m.declared.setdefault("_Py_NotImplementedStruct", "@_Py_NotImplementedStruct = external global i8")
    m.declared.setdefault("_Py_NoneStruct", "@_Py_NoneStruct = external global i8")
    other, wrong = w.block(), w.block()
    failure, thread = w.slot("i64"), w.slot("ptr")
    lent = arena.place(w) if program.lends else "null"
    given = [f"ptr {failure}", "ptr %library", f"ptr {thread}", f"ptr {lent}"]
    _expect(w, w.value(f"icmp eq i64 %count, {len(fn.params)}"), other)
    objects: list[str] = []
    buffers: dict[int, Buffer] = {}
    for k, (p, layout) in enumerate(zip(fn.params, layouts, strict=True)):
        at = w.value(f"getelementptr inbounds ptr, ptr %args, i64 {k}")
        objects.append(w.value(f"load ptr, ptr {at}"))
        if isinstance(p.type, Array):
            buffers[k] = _array(w, objects[k], p.type, layout, k in fn.writes, other)
            given += [f"ptr {buffers[k].data}", *(f"i64 {n}" for n in buffers[k].dims)]
            if layout in "AU":
                given += [f"i64 {s}" for s in buffers[k].strides]
        else:
            number = _number(w, objects[k], p.type.dtype.kind, wrong)
            n = convert(w, number, p.type.dtype)
            given.append(f"{kind_of(n.dtype)} {n.text}")
    places = [
        "" if place is not None else w.slot(f"[{cells(t)} x i64]")
        for t, place in zip(signature.types, signature.returned, strict=True)
    ]
    given += [f"ptr {p}" for p in places if p]
    w.do(f"store ptr {w.value('call ptr @PyEval_SaveThread()')}, ptr {thread}")
    if program.lends:
        arena.take(w, lent)
    status = w.value(f"call i32 @{signature.name}({', '.join(given)})")
    if program.lends:
        arena.give(w, lent)
    w.do(f"call void @PyEval_RestoreThread(ptr {w.value(f'load ptr, ptr {thread}')})")
    fine, bad = w.block(), w.block()
    w.branch(w.value(f"icmp eq i32 {status}, 0"), fine, bad)
    w.begin(bad)
    _failed(w, status, failure, wrong)
    w.begin(fine)
    results = []
    whole = len(places) - len(fn.writes)
    for k, (t, at) in enumerate(zip(signature.types, places, strict=True)):
        parameter = signature.returned[k]
        if parameter is not None or k >= whole:  # nobody reads the written parameters
            o = objects[parameter] if parameter is not None and k < whole else "@_Py_NoneStruct"
            w.do(f"call void @Py_IncRef(ptr {o})")
        elif isinstance(t, Array):
            o = _result(w, t, at)
        else:
            o = library.boxed(w, Number(arrays.load_from(w, at, t.dtype), t.dtype))
        results.append(o)
    made = library.packed(w, results)
    w.end(f"ret ptr {made}")
    w.begin(other)
    w.do("call void @Py_IncRef(ptr @_Py_NotImplementedStruct)")
    w.end("ret ptr @_Py_NotImplementedStruct")
    w.begin(wrong)
    w.end("ret ptr null")
    head = f"define ptr @{ENTRY}(ptr %library, ptr %args, i64 %count) {{"
    m.functions.append(f"{head}\n{w.body()}\n}}")


def _expect(w: Writer, holds: str, other: str) -> None:
    fine = w.block()
    w.branch(holds, fine, other)
    w.begin(fine)


def _field(w: Writer, o: str, at: int, kind: str) -> str:
    return w.value(f"load {kind}, ptr {w.value(f'getelementptr inbounds i8, ptr {o}, i64 {at}')}")


def _array(w: Writer, o: str, t: Array, layout: str, written: bool, other: str) -> Buffer:
    kind = _field(w, o, 8, "ptr")
    _expect(w, w.value(f"icmp eq ptr {kind}, {library.from_table(w, library.ARRAY_TYPE)}"), other)
    _expect(w, w.value(f"icmp eq i32 {_field(w, o, NDIM, 'i32')}, {t.ndim}"), other)
    needed = FLAGS_OF[layout] | (library.MAY_WRITE if written else 0)
    flags = w.value(f"and i32 {_field(w, o, FLAGS, 'i32')}, {needed}")
    _expect(w, w.value(f"icmp eq i32 {flags}, {needed}"), other)
    descr = _field(w, o, DESCR, "ptr")
    number = library.type_number(t.dtype)
    _expect(w, w.value(f"icmp eq i32 {_field(w, descr, NUMBER, 'i32')}, {number}"), other)
    _expect(w, w.value(f"icmp ne i8 {_field(w, descr, ORDER, 'i8')}, {FOREIGN}"), other)
    data, dims = library.data_and_dims(w, o, t.ndim)
    strides = _field(w, o, STRIDES, "ptr")
    steps = [_field(w, strides, 8 * d, "i64") for d in range(t.ndim)] if layout in "AU" else [""] * t.ndim
    return Buffer(t.dtype, data, tuple(dims), tuple(steps), by_bytes=True)


def _number(w: Writer, o: str, kind: str, wrong: str) -> Number:
    fine = w.block()
    match kind:
        case "f":
            found = Number(w.value(f"call double @PyFloat_AsDouble(ptr {o})"), F8)
        case "c":
            text = w.value(f"call {kind_of(C16)} @PyComplex_AsCComplex(ptr {o})")
            found = Number(text, C16)
        case "b":
            found = Number(w.value(f"call i32 @PyObject_IsTrue(ptr {o})"), I4)
        case "i":
            found = Number(w.value(f"call i64 @PyLong_AsLongLong(ptr {o})"), INT)
        case _:  # of numbers of NumPy, too, unlike PyLong_AsUnsignedLongLong
            found = Number(w.value(f"call i64 @PyLong_AsUnsignedLongLongMask(ptr {o})"), U8)
    error = w.value("call ptr @PyErr_Occurred()")
    w.branch(w.value(f"icmp eq ptr {error}, null"), fine, wrong)
    w.begin(fine)
    return found


def _failed(w: Writer, status: str, failure: str, wrong: str) -> None:
    raised, memory, rest = w.block(), w.block(), w.block()
    w.branch(w.value(f"icmp eq i32 {status}, {RAISED}"), raised, rest)
    w.begin(raised)
    which = w.value(f"load i64, ptr {failure}")
    w.end(f"ret ptr {w.value(f'call ptr @PyLong_FromLongLong(i64 {which})')}")
    w.begin(rest)
    w.branch(w.value(f"icmp eq i32 {status}, {THROWN}"), wrong, memory)
    w.begin(memory)
    w.end(f"ret ptr {w.value('call ptr @PyErr_NoMemory()')}")


def _result(w: Writer, t: Array, place: str) -> str:
    """Return the array that a kernel has left, which owns its memory from here on."""
    data = w.value(f"load ptr, ptr {place}")
    dims = [_field(w, place, 8 * (d + 1), "i64") for d in range(t.ndim)]
    x = arrays.rows(w, t.dtype, data, dims)
    flags = library.MAY_READ | library.IN_ROWS | library.MAY_WRITE
    made = library.array_of(w, x, flags)
    at = w.value(f"getelementptr inbounds i8, ptr {made}, i64 {FLAGS}")
    old = w.value(f"load i32, ptr {at}")
    w.do(f"store i32 {w.value(f'or i32 {old}, {library.OWNS_DATA}')}, ptr {at}")
    return made
