"""SIMD variants of C functions: those of glibc's libmvec (x86-64; within 4 ulp, special values as the scalar
functions), which LLVM's vectoriser may take where a call names them."""

from __future__ import annotations

import ctypes

# the vector function ABI of x86-64: prefix, bits of a register
REGISTERS = (("b", 128), ("d", 256), ("e", 512))


def _library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL("libmvec.so.1", ctypes.RTLD_GLOBAL)
    except OSError:
        return None


LIBRARY = _library()


def variants(symbol: str, arity: int, bits: int) -> list[tuple[str, int]]:
    """Return the SIMD variants of a C function that exist here: (symbol, lanes)."""
    found: list[tuple[str, int]] = []
    for letter, width in REGISTERS if LIBRARY is not None else ():
        lanes = width // bits
        name = f"_ZGV{letter}N{lanes}{'v' * arity}_{symbol}"
        if hasattr(LIBRARY, name):
            found.append((name, lanes))
    return found
