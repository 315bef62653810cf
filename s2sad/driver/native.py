"""Kernels in machine code: by LLVM as it is, or by Numba where a program has something in it that only
Numba's compiler knows. Neither is imported before the first kernel is asked for."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.driver import store
from s2sad.emit.source import module
from s2sad.errors import InternalError
from s2sad.ir.core import Function
from s2sad.ir.types import Array, Type
from s2sad.lowering.native import native
from s2sad.lowering.parallel.outline import has_marks, outlined
from s2sad.machine.kernel import Code, code_of, exception, layouts_of, plain_layouts
from s2sad.machine.writer import NotHere

Kernel = Callable[..., tuple[Any, ...]]
Layouts = tuple[str, ...]


def load_kernel(loops: Function) -> Kernel:
    """Return the compiled function of loop nests, from flat leaves to a tuple of flat results. Marked loops
    are run by threads in machine code, if there is nothing in them that it does not know there."""
    fn = native(loops)
    plain = plain_layouts(fn)
    try:
        binary = importlib.import_module("s2sad.machine.binary")
        shared = outlined(fn) if has_marks(fn) and binary.has_threads() else fn
        first = _code(shared, fn, plain)
    except (NotHere, ImportError):
        return _by_numba(loops)
    return _by_layout(loops, shared, fn, first)


def _code(shared: Function, serial: Function, layouts: Layouts) -> Code:
    """Return the code of a kernel with threads, or without where that has something unknown in it."""
    if shared is not serial:
        with contextlib.suppress(NotHere):
            return code_of(shared, layouts)
    return code_of(serial, layouts)


def _by_layout(loops: Function, shared: Function, fn: Function, first: Code) -> Kernel:
    """Return a kernel that is compiled for each way in which its arrays lie in memory."""
    plain = plain_layouts(fn)
    made: dict[Layouts, tuple[Kernel, Code | None]] = {}
    types = [p.type for p in fn.params]

    def variant(layouts: Layouts) -> tuple[Kernel, Code | None]:
        if layouts not in made:
            try:
                code = first if layouts == plain else _code(shared, fn, layouts)
                made[layouts] = (_by_llvm(fn, code), code)
            except NotHere:
                made[layouts] = (_by_numba(loops), None)
        return made[layouts]

    def not_made_yet(*values: Any) -> Any:
        return NotImplemented

    latest: tuple[Kernel, Code | None] = (not_made_yet, None)

    def kernel(*values: Any) -> tuple[Any, ...]:
        nonlocal latest
        run, code = latest
        out: Any = run(*values)
        if out is NotImplemented:
            values = tuple(
                _as_expected(v, t, k in fn.writes) for k, (v, t) in enumerate(zip(values, types, strict=True))
            )
            latest = run, code = variant(layouts_of(values))
            out = run(*values)
        if isinstance(out, int):
            assert code is not None
            raise exception(code, out)
        assert isinstance(out, tuple)
        return out

    return kernel


def _as_expected(value: Any, t: Type, is_written: bool) -> Any:
    """Return an argument as a plain array of the very dtype: subclasses and equal dtypes count as it."""
    if not isinstance(t, Array):
        return value
    found = np.asarray(value)
    if found.dtype.num != t.dtype.num and found.dtype == t.dtype:
        found = found.view(t.dtype)
    if is_written and not (found.flags.writeable and found.dtype.isnative):
        raise ValueError("assignment destination is read-only")
    return found if found.dtype.isnative else found.astype(t.dtype)


def _by_llvm(fn: Function, code: Code) -> Kernel:
    binary = importlib.import_module("s2sad.machine.binary")
    key = store.key("\n".join((*binary.versions(), code.text)), fn.name)
    kept = store.read(key)
    try:
        if kept is None:
            kept = binary.compiled(code.text)
            store.keep(key, kept)
        kernel: Kernel = binary.loaded(kept, code.symbols, code.callbacks)
    except RuntimeError as error:
        raise _failed(fn, error) from error
    return kernel


def _by_numba(loops: Function) -> Kernel:
    fn = native(loops)
    text = module(fn, for_reading=False)
    path = store.file_for(text, fn.name)
    file = str(path) if path is not None else ""
    compiled: Kernel = importlib.import_module("s2sad.emit.numba").compile_kernel(text, fn.name, file)
    failure: type[Exception] = importlib.import_module("numba.core.errors").NumbaError

    def kernel(*values: Any) -> tuple[Any, ...]:
        try:
            return compiled(*values)
        except failure as error:
            raise _failed(fn, error) from error

    return kernel


def _failed(fn: Function, error: Exception) -> InternalError:
    why = f"the compilation of {fn.name} failed: {error}"
    return InternalError("S906", why, "please report this with the program")
