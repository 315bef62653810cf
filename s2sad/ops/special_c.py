"""Special functions for compiled code: the functions of C that SciPy exports for Cython."""

from __future__ import annotations

import ctypes
import functools
import importlib
import re
from typing import Any

from s2sad.ops.special import MODULE
from s2sad.record import dataclass

EXPORTING = MODULE + ".cython_special"
OF_DOUBLES = re.compile(r"double \((double|long)((?:, double)*)(, int __pyx_skip_dispatch)?\)")

EULER_MACLAURIN = (  # (2k)! / B_2k, by Bernoulli's numbers
    12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1307674368000.0 / 691.0, 74724249600.0,
    -10670622842880000.0 / 3617.0, 5109094217170944000.0 / 43867.0, -802857662698291200000.0 / 174611.0,
    155112100433309859840000.0 / 854513.0, -1693824136731743669452800000.0 / 236364091.0,
)  # fmt: skip

_name_of = ctypes.pythonapi.PyCapsule_GetName
_name_of.restype, _name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


@dataclass(frozen=True, slots=True)
class CFunction:
    """A function of doubles that returns a double: its name in SciPy's module, how it is declared there, its
    number of arguments, whether the first is a long, and whether after them comes an int that is to be 0."""

    key: str
    declared: str
    arity: int
    is_of_whole: bool
    has_more: bool


@functools.cache
def c_function(name: str, whole: bool = False) -> CFunction | None:
    """Return the function of C behind one of scipy.special, with a first argument of type long if `whole`.
    None is returned if this version of SciPy exports none."""
    fused = re.compile(rf"(__pyx_fuse(_?\d+)+)?{name}")
    for key, capsule in _exported().items():
        declared = _declaration(capsule)
        found = OF_DOUBLES.fullmatch(declared)
        if found and whole == (found[1] == "long") and fused.fullmatch(key):
            return CFunction(key, declared, 1 + found[2].count("double"), whole, bool(found[3]))
    return None


def address(key: str, declared: str) -> int | None:
    """Return where a function of C is; None if this version of SciPy does not have it, or not as declared."""
    capsule = _exported().get(key)
    if capsule is None or _declaration(capsule) != declared:
        return None
    found: int = _pointer_of(capsule, _name_of(capsule))
    return found


def _exported() -> dict[str, Any]:
    found: dict[str, Any] = importlib.import_module(EXPORTING).__pyx_capi__
    return found


def _declaration(capsule: Any) -> str:
    return (_name_of(capsule) or b"").decode()
