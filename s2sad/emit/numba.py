"""Lowered text to compiled kernels, by Numba. Nothing else in s2sad imports Numba."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from s2sad.emit.load import load
from s2sad.errors import UnsupportedOp
from s2sad.ir.core import Function
from s2sad.ir.types import Scalar

try:
    import numba
except ImportError as error:
    raise UnsupportedOp("S290", "jit=True needs Numba", 'pip install "s2sad[jit]"') from error

# contract lets a multiply and an add round once; nothing else of fast-math is allowed
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": {"contract"}}


def load_kernel(fn: Function, text: str) -> Callable[..., tuple[Any, ...]]:
    """Return the callable of a lowered function and its text: flat leaves in, a tuple of flat results
    out, in the kinds that NumPy gives (compiled code returns every scalar as a Python number)."""
    kernel = compile_kernel(text, fn.name)
    shown = fn.result_types[: len(fn.result_types) - len(fn.writes)]
    strong = [(k, t.dtype.type) for k, t in enumerate(shown) if isinstance(t, Scalar) and not t.weak]
    if not strong:
        return kernel

    def call(*leaves: Any) -> tuple[Any, ...]:
        results = list(kernel(*leaves))
        for k, convert in strong:
            results[k] = convert(results[k])
        return tuple(results)

    return call


def compile_kernel(text: str, name: str) -> Callable[..., Any]:
    """Return function `name` of a lowered module, to be compiled at its first call."""
    namespace = load(text, f"<s2sad lowered {name}>")
    for key, value in list(namespace.items()):
        if isinstance(value, FunctionType):
            namespace[key] = numba.njit(**OPTIONS)(value)
    kernel: Callable[..., Any] = namespace[name]
    return kernel
