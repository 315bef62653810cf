"""Kernels by Numba, imported when the first is asked for: `import s2sad` does not load Numba."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Kernel = Callable[..., tuple[Any, ...]]


def load_kernel(text: str, name: str) -> tuple[Kernel, type[Exception]]:
    """Return the compiled function `name` of a lowered module, from flat leaves to a tuple of flat
    results, and the exception that says that it could not be compiled."""
    kernel: Kernel = importlib.import_module("s2sad.emit.numba").compile_kernel(text, name)
    return kernel, importlib.import_module("numba.core.errors").NumbaError
