"""Machine code by LLVM: made of text, kept as bytes, and loaded. Only this imports llvmlite."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from s2sad.machine.names import (
    CREATE,
    DATA,
    DESCR,
    ENTRY,
    FEW,
    FLAGS,
    JOIN,
    KEPT,
    NDIM,
    NUMBER,
    ORDER,
    SIZES,
    STRIDES,
    TABLE,
    THREADS,
)
from s2sad.machine.special import HEAD as SPECIAL
from s2sad.machine.special import special_address
from s2sad.machine.writer import NotHere
from s2sad.ops.vector_math import LIBRARY
from s2sad.settings import settings

if TYPE_CHECKING:
    from s2sad.machine.library import Callback

if llvm.llvm_version_info[0] < 20:
    raise ImportError("the text is for LLVM 20 and later")

CORE = "numpy._core._multiarray_umath"  # where import_array() of NumPy's headers finds the table
FASTCALL = 0x80  # of Python's method definitions: arguments as a C array
# what LLVM may call of its own accord
UNASKED = ("memset", "memcpy", "memmove", *(name + suffix for suffix in ("", "f") for name in (
    "fmod", "sincos", "ldexp", "exp10", "floor", "ceil", "trunc", "rint", "nearbyint", "round", "roundeven",
    "fma", "fmax", "fmin", "sqrt", "fabs",
)))  # fmt: skip
get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
new_function = ctypes.pythonapi.PyCFunction_NewEx
new_function.restype = ctypes.py_object
new_function.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]


class Method(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = [  # as ctypes wants it
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


def _field(o: Any, at: int, kind: Any) -> Any:
    return kind.from_address(id(o) + at).value


def layout_is_known() -> bool:
    """True if objects of Python and NumPy have their fields where the text reads them."""
    x = np.zeros((2, 3))[:, ::2]
    sizes, steps = (_field(x, at, ctypes.c_void_p) for at in (SIZES, STRIDES))
    return (
        sys.byteorder == "little"
        and object.__basicsize__ == 16
        and _field(x, 8, ctypes.c_void_p) == id(type(x))
        and _field(x, DATA, ctypes.c_void_p) == x.ctypes.data
        and _field(x, NDIM, ctypes.c_int) == 2
        and [ctypes.c_int64.from_address(sizes + 8 * k).value for k in range(2)] == [2, 2]
        and [ctypes.c_int64.from_address(steps + 8 * k).value for k in range(2)] == [24, 16]
        and _field(x, DESCR, ctypes.c_void_p) == id(x.dtype)
        and _field(x, FLAGS, ctypes.c_int) == x.flags.num
        and _field(x.dtype, NUMBER, ctypes.c_int) == x.dtype.num
        and _field(np.dtype(">i4"), ORDER, ctypes.c_char) == b">"
    )


if not layout_is_known():
    raise ImportError("objects of this Python or NumPy have another layout")


@functools.cache
def host() -> tuple[str, str]:
    """Return the name of this processor and what it can do."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def versions() -> tuple[str, ...]:
    """Return what machine code depends on beside its text."""
    return (llvmlite.__version__, *map(str, llvm.llvm_version_info), np.__version__, *host())


def _machine(level: int) -> Any:
    cpu, features = host()
    target = llvm.Target.from_default_triple()
    static = target.name.startswith("x86")
    return target.create_target_machine(
        cpu=cpu,
        features=features,
        opt=level,
        reloc="static" if static else "default",
        codemodel="jitdefault",
        jit=True,
    )


def compiled(text: str, level: int = 3) -> bytes:
    """Return the machine code of a module."""
    machine = _machine(level)
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = llvm.get_process_triple(), str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = True
    options.loop_unrolling = True
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    found: bytes = machine.emit_object(module)
    return found


def loaded(code: bytes, symbols: Sequence[str], callbacks: Sequence[Callback]) -> Callable[..., Any]:
    """Return the kernel in machine code as a function of Python. It keeps what it needs."""
    numpy_table()
    blocks()[0] = settings.keep << 20
    threads()[0], threads()[1] = settings.threads or processors(), settings.grain
    for symbol in symbols:
        if not _is_found(symbol):
            raise NotHere(f"the symbol {symbol}")
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    method = Method(b"kernel", engine.get_function_address(ENTRY), FASTCALL, None)
    functions = (c.function() for c in callbacks)
    kept = (*functions, engine, method)  # the first argument of the C function, and what has to live as long
    function: Callable[..., Any] = new_function(ctypes.addressof(method), kept, None)
    return function


@functools.cache
def blocks() -> Any:
    """Return where kernels keep memory, which LLVM is told: the most bytes of a block, and the blocks."""
    places = (ctypes.c_size_t * (FEW + 1))()
    llvm.add_symbol(KEPT, ctypes.addressof(places))
    return places


@functools.cache
def threads() -> Any:
    """Return where kernels read how many threads there are, and from what work on they are used."""
    places = (ctypes.c_int64 * 2)()
    llvm.add_symbol(THREADS, ctypes.addressof(places))
    return places


def processors() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def has_threads() -> bool:
    """True where threads can be had as kernels ask for them."""
    return _is_found(CREATE) and _is_found(JOIN)


def _is_found(symbol: str) -> bool:
    """Tell LLVM where a function is: it would end the process for one that it does not find."""
    if llvm.address_of_symbol(symbol):
        return True
    for library in (ctypes.pythonapi, LIBRARY):
        if library is not None and hasattr(library, symbol):
            llvm.add_symbol(symbol, ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value)
            return True
    place = special_address(symbol) if symbol.startswith(SPECIAL) else None
    if place is not None:
        llvm.add_symbol(symbol, place)
    return place is not None


def _engine() -> Any:
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine(0))


@functools.cache
def numpy_table() -> int:
    """Tell LLVM where NumPy's table of C functions is, and return that."""
    capsule = sys.modules[CORE]._ARRAY_API
    address: int = get_pointer(capsule, None)
    llvm.add_symbol(TABLE, address)
    for symbol in UNASKED:
        _is_found(symbol)
    return address
