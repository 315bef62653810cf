"""Kernels by Numba, imported when the first is asked for: `import s2sad` does not load Numba."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from s2sad.driver.store import file_for

Kernel = Callable[..., tuple[Any, ...]]


def load_kernel(text: str, name: str) -> tuple[Kernel, type[Exception]]:
    """Return the compiled function `name` of a lowered module, from flat leaves to a tuple of flat
    results, and the exception that says that it could not be compiled."""
    path = file_for(text, name)
    file = str(path) if path is not None else ""
    kernel: Kernel = importlib.import_module("s2sad.emit.numba").compile_kernel(text, name, file)
    return kernel, importlib.import_module("numba.core.errors").NumbaError
