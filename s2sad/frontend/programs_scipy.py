"""Functions of SciPy that are read as programs in place of a call, by module and name. SciPy itself is not
imported; its modules are looked at once the program has done so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from s2sad.frontend import programs_ivp, programs_roots

Program = Callable[..., Any]

MODULES: dict[str, dict[str, Program]] = {
    "scipy.optimize": {f.__name__: f for f in programs_roots.ROOTS},
    "scipy.integrate": {f.__name__: f for f in programs_ivp.INITIAL_VALUES},
}
OWN: frozenset[Program] = frozenset((*programs_roots.HELPERS, *programs_ivp.HELPERS))
"""What these programs call: read as they are, with the place of the call."""


def scipy_program(obj: Any) -> Program | None:
    """Return the program that a function of SciPy stands for, None for all else."""
    if obj in OWN:
        program: Program = obj
        return program
    name = getattr(obj, "__name__", "")
    for module, programs in MODULES.items():
        if name in programs and getattr(sys.modules.get(module), name, None) is obj:
            return programs[name]
    return None
