"""Kernels in machine code: by LLVM as it is, or by Numba where a program has something in it that only
Numba's compiler knows. Neither is imported before the first kernel is asked for."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from s2sad.driver import store
from s2sad.errors import InternalError
from s2sad.ir.core import Function, outline
from s2sad.ir.types import Array, Type
from s2sad.late import late
from s2sad.machine.layouts import Raised, exception, layouts_of, plain_layouts
from s2sad.machine.writer import NotHere
from s2sad.record import dataclass

if TYPE_CHECKING:
    from s2sad.emit import source
    from s2sad.lowering import native as compiling
    from s2sad.lowering.parallel import outline as outlining
    from s2sad.machine import kernel as printing
    from s2sad.machine.kernel import Code
    from s2sad.machine.library import Callback
else:
    source = late("s2sad.emit.source")
    compiling = late("s2sad.lowering.native")
    outlining = late("s2sad.lowering.parallel.outline")
    printing = late("s2sad.machine.kernel")

Kernel = Callable[..., tuple[Any, ...]]
Layouts = tuple[str, ...]
Variant = tuple[Kernel, Raised]


@dataclass(frozen=True, slots=True)
class Ready:
    """Machine code that is kept, for arguments that are all in C order: its `key`, the `outline` of the
    function that was compiled, and of its `Code` what is no text."""

    outline: Function
    key: str
    symbols: tuple[str, ...]
    callbacks: tuple[Callback, ...]
    raised: Raised


def load_kernel(loops: Function, note: Callable[[Ready], None] | None = None) -> Kernel:
    """Return the compiled function of loop nests, from flat leaves to a tuple of flat results. Marked loops
    are run by threads in machine code, if there is nothing in them that it does not know there. `note` is
    told what `load_ready` takes, where another process can do with that."""
    fn = compiling.native(loops)
    plain = plain_layouts(fn)
    try:
        binary = importlib.import_module("s2sad.machine.binary")
        shared = outlining.outlined(fn) if outlining.has_marks(fn) and binary.has_threads() else fn
        first = _code(shared, fn, plain)
    except (NotHere, ImportError):
        return _by_numba(loops)
    if note is not None:
        note(Ready(outline(fn), _key(fn.name, first), first.symbols, first.callbacks, first.raised))

    def variant(layouts: Layouts) -> Variant:
        try:
            code = first if layouts == plain else _code(shared, fn, layouts)
            return _by_llvm(fn.name, code), code.raised
        except NotHere:
            return _by_numba(loops), ()

    return _by_layout(fn, variant)


def load_ready(ready: Ready, loops: Callable[[], Function]) -> Kernel | None:
    """Return the kernel of machine code that is kept; None where it is not any more. `loops()`, the function
    itself, is asked for where arrays lie otherwise."""
    code = store.read(ready.key)
    if code is None:
        return None
    try:
        binary = importlib.import_module("s2sad.machine.binary")
        run: Kernel = binary.loaded(code, ready.symbols, ready.callbacks)
    except (NotHere, RuntimeError):
        return None
    plain = plain_layouts(ready.outline)
    whole = functools.cache(lambda: load_kernel(loops()))

    def variant(layouts: Layouts) -> Variant:
        return (run, ready.raised) if layouts == plain else (whole(), ())

    return _by_layout(ready.outline, variant)


def _code(shared: Function, serial: Function, layouts: Layouts) -> Code:
    """Return the code of a kernel with threads, or without where that has something unknown in it."""
    if shared is not serial:
        with contextlib.suppress(NotHere):
            return printing.code_of(shared, layouts)
    return printing.code_of(serial, layouts)


def _by_layout(fn: Function, variant: Callable[[Layouts], Variant]) -> Kernel:
    """Return a kernel that is compiled for each way in which its arrays lie in memory."""
    made: dict[Layouts, Variant] = {}
    types = [p.type for p in fn.params]

    def not_made_yet(*values: Any) -> Any:
        return NotImplemented

    latest: Variant = (not_made_yet, ())

    def kernel(*values: Any) -> tuple[Any, ...]:
        nonlocal latest
        run, raised = latest
        out: Any = run(*values)
        if out is NotImplemented:
            values = tuple(
                _as_expected(v, t, k in fn.writes) for k, (v, t) in enumerate(zip(values, types, strict=True))
            )
            layouts = layouts_of(values)
            if layouts not in made:
                made[layouts] = variant(layouts)
            latest = run, raised = made[layouts]
            out = run(*values)
        if isinstance(out, int):
            raise exception(raised, out)
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


def _by_llvm(name: str, code: Code) -> Kernel:
    binary = importlib.import_module("s2sad.machine.binary")
    key = _key(name, code)
    kept = store.read(key)
    try:
        if kept is None:
            kept = binary.compiled(code.text)
            store.keep(key, kept)
        kernel: Kernel = binary.loaded(kept, code.symbols, code.callbacks)
    except RuntimeError as error:
        raise _failed(name, error) from error
    return kernel


def _key(name: str, code: Code) -> str:
    return store.key("\n".join((*versions(), code.text)), name)


def versions() -> tuple[str, ...]:
    """Return what machine code depends on beside its text. ImportError is raised without a compiler."""
    found: tuple[str, ...] = importlib.import_module("s2sad.machine.binary").versions()
    return found


def _by_numba(loops: Function) -> Kernel:
    fn = compiling.native(loops)
    text = source.module(fn, for_reading=False)
    path = store.file_for(text, fn.name)
    file = str(path) if path is not None else ""
    compiled: Kernel = importlib.import_module("s2sad.emit.numba").compile_kernel(text, fn.name, file)
    failure: type[Exception] = importlib.import_module("numba.core.errors").NumbaError

    def kernel(*values: Any) -> tuple[Any, ...]:
        try:
            return compiled(*values)
        except failure as error:
            raise _failed(fn.name, error) from error

    return kernel


def _failed(name: str, error: Exception) -> InternalError:
    why = f"the compilation of {name} failed: {error}"
    return InternalError("S906", why, "please report this with the program")
