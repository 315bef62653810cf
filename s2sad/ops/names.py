"""Functions by the names that programs call them by: `np.linalg.norm`, `math.erf`, `scipy.special.erf`."""

from __future__ import annotations

import builtins
import difflib
import math
import operator
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from s2sad.ops import meaning_scipy, meaning_special, meaning_stats
from s2sad.ops.call import FUNCTIONS, METHODS, Call
from s2sad.ops.meaning_random import DRAWS

MODULES = (
    ("np.linalg", np.linalg),
    ("np.fft", np.fft),
    ("np.random", np.random),
    ("np", np),
    ("math", math),
    ("operator", operator),
    ("", builtins),
)
UFUNC_METHODS = ("reduce", "accumulate", "reduceat", "outer")


def functions() -> dict[str, Call]:
    """Return what is known of functions, by name: NumPy, math and builtins, and of SciPy what the program
    has imported."""
    found: dict[str, Call] = {}
    for module, home in MODULES:
        for name, obj in sorted(vars(home).items()):
            call = _known(obj)
            if call is not None and not name.startswith("_"):
                found[f"{module}.{name}" if module else name] = call
            if isinstance(obj, np.ufunc):
                for method in UFUNC_METHODS:
                    call = _known(getattr(obj, method, None))
                    if call is not None:
                        found[f"{module}.{name}.{method}"] = call
    found.update(_of_scipy())
    return found


def methods() -> dict[str, Call]:
    """Return what is known of methods of arrays and of random streams, by name."""
    found = {f"x.{name}": call for name, call in METHODS.items()}
    return found | {f"rng.{name}": call for name, call in DRAWS.items()}


def nearest(name: str, known: Any = None, count: int = 2) -> list[str]:
    """Return the names of functions that are like a name, best first."""
    names = list(functions() | methods() if known is None else known)
    short: dict[str, list[str]] = {}
    for full in names:
        short.setdefault(full.rpartition(".")[2], []).append(full)
    module, _, last = name.rpartition(".")
    found = [full for s in difflib.get_close_matches(last, short, count, 0.6) for full in short[s]]
    return sorted(found, key=lambda full: full.rpartition(".")[0] != module)[:count]


def label(obj: Any) -> str:
    """Return how a function is written in messages."""
    module = getattr(obj, "__module__", "") or ""
    name = getattr(obj, "__name__", type(obj).__name__)
    if isinstance(obj, types.MethodType):
        name = f"{type(obj.__self__).__name__.removesuffix('_gen')}.{name}"
        module = ".".join(module.split(".")[:2])
    if isinstance(obj, np.ufunc):
        module = "numpy"
    if module.startswith("numpy"):
        for prefix, home in MODULES:
            if getattr(home, name, None) is obj:
                return f"{prefix}.{name}"
    if module.startswith("scipy."):
        module = ".".join(part for part in module.split(".") if not part.startswith("_"))
        name = name if name != "__init__" else obj.__qualname__.split(".")[0]
    return f"{module}.{name}" if module and module != "builtins" else name


def _known(obj: Any) -> Call | None:
    try:
        return FUNCTIONS.get(obj)
    except TypeError:  # not hashable
        return None


def _of_scipy() -> Iterator[tuple[str, Call]]:
    by_object = {id(obj): call for obj, call in meaning_special.special_functions().items()}
    for name, obj in vars(sys.modules.get("scipy.special", types.ModuleType(""))).items():
        if id(obj) in by_object:
            yield f"scipy.special.{name}", by_object[id(obj)]
    for module, calls in meaning_scipy.MODULES.items():
        if module in sys.modules:
            yield from ((f"{module}.{name}", call) for name, call in calls.items())
    if "scipy.stats" in sys.modules:
        for (distribution, method), call in meaning_stats.calls().items():
            yield f"scipy.stats.{distribution}.{method}", call
