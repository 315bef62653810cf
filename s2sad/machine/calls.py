"""Calls of functions of Python from kernels."""

from __future__ import annotations

from s2sad.ir.core import Instr
from s2sad.ir.types import Array
from s2sad.machine import library
from s2sad.machine.arrays import Buffer
from s2sad.machine.frame import THROWN, Frame
from s2sad.machine.writer import NotHere


def call_library(f: Frame, instr: Instr, made: Buffer | None = None, long: bool = False) -> None:
    """Call a function of Python: only where it is called once, for it takes microseconds, or instead of what
    takes `long`. `made`: the memory for its one result."""
    if f.loops and instr.op.name != library.OUTSIDE and not long:
        raise NotHere(f"{instr.op.name} in a loop")
    library.check_types(instr)
    w = f.w
    library.declare(w)
    f.program.callbacks.append(library.callback(instr))
    w.do(f"call void @PyEval_RestoreThread(ptr {w.value('load ptr, ptr %thread')})")
    # buffers of other libraries have to be writeable even for those who only read
    flags = library.MAY_READ | (library.MAY_WRITE if instr.op.name == library.OUTSIDE else 0)
    args = []
    for a in instr.args:
        is_array = isinstance(a.type, Array)
        x = library.array_of(w, f.array(a), flags) if is_array else None
        args.append(x or library.boxed(w, f.number(a)))
    given = library.packed(w, args)
    place = len(f.program.callbacks) - 1
    callee = w.value(f"call ptr @PyTuple_GetItem(ptr %library, i64 {place})")
    found = w.value(f"call ptr @PyObject_Call(ptr {callee}, ptr {given}, ptr null)")
    w.do(f"call void @Py_DecRef(ptr {given})")
    f.let_go()
    f.unless(w.value(f"icmp eq ptr {found}, null"), lambda: f.fail(THROWN))
    for k, r in enumerate(instr.results):
        item = w.value(f"call ptr @PyTuple_GetItem(ptr {found}, i64 {k})")
        if not isinstance(r.type, Array):
            f.env[r] = library.scalar_in(w, item, r.type)
            continue
        if made is not None:
            library.take_over(w, item, made)
            continue
        _, dims = library.data_and_dims(w, item, r.type.ndim)
        f.natural |= set(dims)
        f.env[r] = f.array_for(r, r.type.dtype, dims)
        library.take_over(w, item, f.array(r))
    w.do(f"call void @PyEval_RestoreThread(ptr {w.value('load ptr, ptr %thread')})")
    w.do(f"call void @Py_DecRef(ptr {found})")
    f.let_go()
