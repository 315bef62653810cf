"""LAPACK for doubles in C order, from the library that NumPy has loaded: to import SciPy's takes a tenth of a
second. SciPy's is taken where NumPy's functions have other names than these."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.linalg import _umath_linalg as loaded

LARGE = bool(getattr(loaded, "_ilp64", False))  # the size of LAPACK's integers
INT = np.dtype(np.int64 if LARGE else np.int32)
NAMES = ("scipy_{}_64_", "{}_64_", "{}64_") if LARGE else ("{}_", "scipy_{}_")
WANTED = ("dgetrf", "dgetrs", "dtrtri")


class _Numpys:
    """The functions in the library that NumPy has loaded."""

    def __init__(self) -> None:
        library = ctypes.CDLL(loaded.__file__)  # symbols are looked up in what it needs, too
        self.of = {name: self._named(library, name) for name in WANTED}

    def _named(self, library: Any, name: str) -> Any:
        for pattern in NAMES:
            function = getattr(library, pattern.format(name), None)
            if function is not None:
                function.restype = None
                return function
        raise AttributeError(name)

    def _call(self, name: str, letters: str, args: Sequence[Any], hidden: int) -> int:
        """Call a function: letters, then numbers and arrays, then `info`, which is returned. The lengths of
        the letters follow, as Fortran has it."""
        numbers = [np.array(a, INT) if isinstance(a, int) else a for a in args]
        info = np.zeros((), INT)
        given: list[Any] = [ctypes.c_char_p(letter.encode()) for letter in letters]
        given += [ctypes.c_void_p(a.ctypes.data) for a in (*numbers, info)]
        self.of[name](*given, *[ctypes.c_size_t(1)] * hidden)
        return int(info)

    def getrf(self, a: Any) -> tuple[Any, Any, int]:
        """Return the factors of the transpose of a matrix, transposed, the exchanges of rows from 0, and
        whether it is singular."""
        n, out = a.shape[0], np.array(a, order="C")
        exchanges = np.zeros(n, INT)
        info = self._call("dgetrf", "", (n, n, out, n, exchanges), 0)
        return out, exchanges - 1, info

    def getrs(self, factors: Any, exchanges: Any, b: Any, turned: bool) -> Any:
        """Return the solution by factors of `getrf`, of the transpose's transpose where `turned`."""
        n, count = factors.shape[0], 1 if b.ndim == 1 else b.shape[1]
        factors, places = np.ascontiguousarray(factors), np.asarray(exchanges, INT) + 1
        out = np.array(b.T, order="C")  # Fortran sees the columns
        self._call("dgetrs", "T" if turned else "N", (n, count, factors, n, places, out, n), 1)
        return out.T

    def trtri(self, a: Any) -> tuple[Any, int]:
        """Return the inverse of a lower triangle, and whether it is singular."""
        n, out = a.shape[0], np.array(a, order="C")
        return out, self._call("dtrtri", "UN", (n, out, n), 2)


class _Scipys:
    """The same by SciPy."""

    def __init__(self) -> None:
        self.lapack: Any = importlib.import_module("scipy.linalg.lapack")

    def getrf(self, a: Any) -> tuple[Any, Any, int]:
        factors, exchanges, info = self.lapack.dgetrf(a.T)
        return factors.T, exchanges, info

    def getrs(self, factors: Any, exchanges: Any, b: Any, turned: bool) -> Any:
        return self.lapack.dgetrs(factors.T, exchanges.astype(np.int32), b, trans=int(turned))[0]

    def trtri(self, a: Any) -> tuple[Any, int]:
        inverse, info = self.lapack.dtrtri(a.T)
        return inverse.T, info


def _lapack() -> _Numpys | _Scipys:
    try:
        return _Numpys()
    except (AttributeError, OSError):
        return _Scipys()


LAPACK = _lapack()
