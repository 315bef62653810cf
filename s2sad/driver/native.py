"""Kernels by Numba, imported when the first is asked for: `import s2sad` does not load Numba."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from s2sad.ir.types import Scalar, Type

Kernel = Callable[..., tuple[Any, ...]]


def load_kernel(text: str, name: str, types: Sequence[Type]) -> Kernel:
    """Return the compiled function `name` of a lowered module, from flat leaves to a tuple of flat
    results of the given types."""
    compiled: Kernel = importlib.import_module("s2sad.emit.numba").compile_kernel(text, name)
    kinds = [t.dtype.type if is_strong(t) else None for t in types]
    if not any(kinds):
        return compiled

    def kernel(*found: Any) -> tuple[Any, ...]:  # compiled code returns Python scalars for NumPy's
        out = compiled(*found)
        return tuple(v if kind is None else kind(v) for v, kind in zip(out, kinds, strict=True))

    return kernel


def is_strong(t: Type) -> bool:
    """True for the types of NumPy scalars."""
    return isinstance(t, Scalar) and not t.weak
