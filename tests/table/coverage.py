"""Which of the known functions a table of rows calls: read off the text of the calls."""

from __future__ import annotations

import ast
import builtins
import importlib
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import scipy.special as sc
import scipy.stats

from s2sad.ops import meaning_stats
from s2sad.ops.call import ATTRIBUTES, FUNCTIONS, METHODS
from s2sad.ops.meaning_scipy import MODULES
from s2sad.ops.meaning_special import special_functions
from table.rows import Row

ROOTS = {"np": np, "math": math, "sc": sc, "scipy": scipy}
DRAWN = "np.random."  # another number at each call: tests of their own look at them
NO_VALUES = ("np.empty", "np.empty_like")  # their contents are no values


def named(node: ast.expr) -> Any:
    """Return the function that an expression names, None if it names none."""
    if isinstance(node, ast.Name):
        return ROOTS.get(node.id, getattr(builtins, node.id, None))
    if isinstance(node, ast.Attribute):
        owner = named(node.value)
        return None if owner is None else getattr(owner, node.attr, None)
    return None


def called(rows: Iterable[Row]) -> tuple[set[int], set[str]]:
    """Return the ids of the functions, and the names of the methods and attributes, in the calls of rows."""
    functions: set[int] = set()
    members: set[str] = set()
    for row in rows:
        for node in ast.walk(ast.parse(row.call, mode="eval")):
            if isinstance(node, ast.Name | ast.Attribute):
                found = named(node)
                if found is not None:
                    functions.add(key(found))
                elif isinstance(node, ast.Attribute):
                    members.add(node.attr)
    return functions, members


def of_distribution(owner: Any) -> bool:
    """True for distributions of scipy.stats."""
    return type(owner).__module__.startswith("scipy.stats")


def key(function: Any) -> int:
    """Return what tells functions apart: methods of ufuncs and distributions are made anew at each look."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return hash((owner.__name__, function.__name__))
    return hash((type(owner), function.__name__)) if of_distribution(owner) else id(function)


def title(function: Any) -> str:
    """Return a function's name."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"np.{owner.__name__}.{function.__name__}"
    if of_distribution(owner):
        return f"{type(owner).__name__}.{function.__name__}"
    module = str(getattr(function, "__module__", None) or "np")
    return f"{module.replace('numpy', 'np')}.{getattr(function, '__name__', function)}"


def of_scipy() -> Iterator[Any]:
    """Yield the known functions of SciPy's other modules."""
    for module, calls in MODULES.items():
        if module == "scipy.sparse.linalg":  # no arrays: tests/test_sparse.py
            continue
        yield from (getattr(importlib.import_module(module), name) for name in calls)
    for distribution, method in meaning_stats.calls():
        yield getattr(getattr(scipy.stats, distribution), method)


def missing(rows: Iterable[Row]) -> list[str]:
    """Return the known functions, methods and attributes that no row calls."""
    functions, members = called(rows)
    known = [*FUNCTIONS, *special_functions(), *of_scipy()]
    lacking = {title(f) for f in known if key(f) not in functions} - set(NO_VALUES)
    lacking = {name for name in lacking if not name.startswith((DRAWN, "s2sad."))}
    return sorted(lacking | {f".{m}" for m in (*METHODS, *ATTRIBUTES) if m not in members})
