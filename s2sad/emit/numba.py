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
except ImportError as error:
    raise UnsupportedOp("S290", "jit=True needs Numba", 'pip install "s2sad[jit]"') from error

# contract lets a multiply and an add round once; nothing else of fast-math is allowed
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": {"contract"}}
BY_LIBRARY = re.compile(r"\bnp\.fft\.fft\(|^def eig(vals)?\(", re.MULTILINE)


def compile_kernel(text: str, name: str) -> Callable[..., Any]:
    """Return function `name` of a lowered module, to be compiled at its first call."""
    if "scipy.special." in text:
        importlib.import_module("s2sad.emit.numba_special").teach(text)
    namespace = load(text, f"<s2sad lowered {name}>")
    if BY_LIBRARY.search(text):
        namespace |= importlib.import_module("s2sad.emit.numba_library").replaced(namespace)
    if "scipy.linalg." in text:
        importlib.import_module("s2sad.emit.numba_linalg")
    for key, value in list(namespace.items()):
        if isinstance(value, FunctionType):
            namespace[key] = numba.njit(**OPTIONS)(value)
    kernel: Callable[..., Any] = namespace[name]
    return kernel
