"""Lowered text to compiled kernels, by Numba. Only this and `numba_*.py` import Numba."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from types import FunctionType
from typing import Any

from s2sad.emit.load import load
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


def compile_kernel(text: str, name: str) -> Callable[..., Any]:
    """Return function `name` of a lowered module, to be compiled at its first call."""
    if "scipy.special." in text:
        importlib.import_module("s2sad.emit.numba_special").teach(text)
    namespace = load(text, f"<s2sad lowered {name}>")
    namespace |= importlib.import_module("s2sad.emit.numba_math").names_in(text)
    if BY_LIBRARY.search(text):
        namespace |= importlib.import_module("s2sad.emit.numba_library").replaced(namespace)
    if "lu_factored(" in text:
        namespace |= importlib.import_module("s2sad.emit.numba_solve").replaced(namespace)
    if "scipy.linalg." in text:
        importlib.import_module("s2sad.emit.numba_linalg")
    for key, value in list(namespace.items()):
        if isinstance(value, FunctionType):
            options = OPTIONS | SEPARATE if key.endswith(BODY) else OPTIONS
            namespace[key] = numba.njit(**options)(value)
    kernel: Callable[..., Any] = namespace[name]
    return kernel
