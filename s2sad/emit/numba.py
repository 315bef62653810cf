"""Lowered text to compiled kernels, by Numba. Only this and `numba_*.py` import Numba."""

from __future__ import annotations

import contextlib
import importlib
import re
import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any

from s2sad.emit.load import load
from s2sad.emit.outside import CONTROL as OUTSIDE
from s2sad.errors import UnsupportedOp

try:
    import numba
    from numba.core.compiler import Compiler
except ImportError as error:
    raise UnsupportedOp("S290", "jit=True needs Numba", 'pip install "s2sad[jit]"') from error

# contract lets a multiply and an add round once; nothing else of fast-math is allowed
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": {"contract"}}
# of a kernel that is given its memory: no two of its arguments overlap
BODY = "_on_separate_buffers"


class _Separate(Compiler):
    def define_pipelines(self) -> Any:
        """Return the stages of compilation, once the flag is set that they read."""
        self.state.flags = self.state.flags.copy()
        self.state.flags.noalias = True
        return super().define_pipelines()  # type: ignore[no-untyped-call]


SEPARATE: dict[str, Any] = {"pipeline_class": _Separate}
BY_LIBRARY = re.compile(r"\bnp\.fft\.fft\(|^def eig(vals)?\(", re.MULTILINE)
IMPORTED = re.compile(r"^from \S+ import (?:\w+ as )?(\w+)$", re.MULTILINE)

OWN = {"eigh_upper": "numba_eigh", "cholesky_adjoint": "numba_cholesky"}


def compile_kernel(text: str, name: str, file: str = "") -> Callable[..., Any]:
    """Return function `name` of a lowered module, to be compiled at its first call, or read from beside
    `file`, which holds the module."""
    if "scipy.special." in text:
        importlib.import_module("s2sad.emit.numba_special").teach(text)
    calls_python = OUTSIDE in text
    namespace = load(text, file or f"<s2sad lowered {name}>", importable=calls_python)
    namespace |= importlib.import_module("s2sad.emit.numba_math").names_in(text)
    if BY_LIBRARY.search(text):
        namespace |= importlib.import_module("s2sad.emit.numba_library").replaced(namespace)
    if "lu_factored(" in text:
        namespace |= importlib.import_module("s2sad.emit.numba_solve").replaced(namespace)
    for own, home in OWN.items():
        if f"{own}(" in text:
            namespace[own] = getattr(importlib.import_module(f"s2sad.emit.{home}"), own)
    if "scipy.linalg." in text:
        importlib.import_module("s2sad.emit.numba_linalg")
    in_python = {"declared", *IMPORTED.findall(text)} if calls_python else ()
    options = OPTIONS | {"nogil": not calls_python}
    for key, value in list(namespace.items()):
        if isinstance(value, FunctionType) and key not in in_python:
            chosen = options | SEPARATE if key.endswith(BODY) else options
            # what the kernel calls is part of its machine code; Numba keeps none that calls Python
            is_kept = bool(file) and key == name and not calls_python
            namespace[key] = numba.njit(cache=is_kept, **chosen)(value)
    kernel: Callable[..., Any] = namespace[name]
    return _forgiving(kernel) if file and not calls_python else kernel


def _forgiving(kernel: Any) -> Callable[..., Any]:
    """Return a kernel that is compiled where what is kept of it cannot be read, and runs where it cannot be
    kept."""
    cache = kernel._cache
    read, keep = cache.load_overload, cache.save_overload

    def load_overload(signature: Any, context: Any) -> Any:
        try:
            return read(signature, context)
        except Exception:  # whatever a damaged file makes of itself
            return None

    def save_overload(signature: Any, data: Any) -> None:
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            keep(signature, data)

    cache.load_overload, cache.save_overload = load_overload, save_overload
    return kernel  # type: ignore[no-any-return]
