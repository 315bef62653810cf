"""C functions of SciPy by name, for Numba: compiled code that refers to them so can be kept on disk."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numba
from numba.extending import get_cython_function_address


def external(module: str, name: str, signature: Any) -> Any:
    """Return a function that a module of SciPy exports for Cython, with a signature in Numba's types."""
    symbol = f"s2sad.{module}.{name}"
    llvm.add_symbol(symbol, get_cython_function_address(module, name))
    return numba.types.ExternalFunction(symbol, signature)
