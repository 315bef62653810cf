"""NumPy's functions as programs: `grad(np.linalg.norm)` is that of a function that calls it."""

from __future__ import annotations

import functools
import inspect
import linecache
import sys
import types
from typing import Any

import numpy as np

from s2sad.ops.names import label

HOMES = ("numpy", "scipy", "math")
KINDS = (np.ufunc, types.BuiltinFunctionType, types.FunctionType, type(np.sum))
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def is_library(function: object) -> bool:
    """True for functions of NumPy, SciPy and the module math: these are not read, but called."""
    home = "numpy" if isinstance(function, np.ufunc) else getattr(function, "__module__", None) or ""
    return isinstance(function, KINDS) and home.partition(".")[0] in HOMES


@functools.lru_cache(maxsize=512)
def calling(function: Any, count: int, keywords: tuple[str, ...]) -> types.FunctionType:
    """Return a function of `count` positional parameters and some keywords that calls this one."""
    names = _positional(function)[:count]
    if len(names) < count or set(names) & set(keywords):
        names = [f"x{k}" for k in range(count)]
    params = ", ".join([*names, *(["*", *keywords] if keywords else [])])
    passed = ", ".join([*names, *(f"{k}={k}" for k in keywords)])
    home, *parts = label(function).split(".")
    namespace: dict[str, Any] = {"__name__": "library", home: np if home == "np" else sys.modules.get(home)}
    called = ".".join((home, *parts))
    found: Any = namespace[home]
    for part in parts:
        found = getattr(found, part, None)
    if found is not function:
        namespace["_called"], called = function, "_called"  # it stands at no place that can be named
    path = f"<{label(function)}({params})>"
    text = f"def {function.__name__}({params}):\n    return {called}({passed})\n"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    exec(compile(text, path, "exec"), namespace)  # a def around a call
    made: types.FunctionType = namespace[function.__name__]
    return made


def _positional(function: Any) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a function in C that tells none
        return []
    return [p.name for p in parameters if p.kind in POSITIONAL]
