"""The import lines of an emitted module."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from s2sad.ir.core import Function
from s2sad.ir.tree import Node, Tree

_MODULES = (("math", "import math"), ("np", "import numpy as np"))


def import_lines(code: Iterable[str], imported: Mapping[Any, str]) -> Iterator[str]:
    """Yield the imports that the lines of `code` need, and those of the names in `imported`."""
    text = "\n".join(line.split("  # ")[0] for line in code)
    for name, line in _MODULES:
        if re.search(rf"(?<![\w.]){name}\.", text):
            yield line
    for part in sorted(set(re.findall(r"(?<![\w.])scipy((?:\.\w+)+)\.\w+", text))):
        yield f"import scipy{part}"
    for thing, name in imported.items():
        renamed = f" as {name}" if name != thing.__name__ else ""
        yield f"from {thing.__module__} import {thing.__name__}{renamed}"


def imported_names(functions: Iterable[Function], taken: Container[str]) -> dict[Any, str]:
    """Return how the text of functions calls the classes and functions that it has to import: by their names,
    or one with a number where that is `taken`, or two have the same."""
    wanted = {(c.__module__, c.__name__): c for c in (*_classes(functions), *_externals(functions))}
    found: dict[Any, str] = {}
    used: set[str] = set()
    for (_, base), thing in sorted(wanted.items(), key=lambda item: item[0]):
        name, k = base, 0
        while name in used or name in taken:
            k += 1
            name = f"{base}_{k}"
        used.add(name)
        found[thing] = name
    return found


def _externals(functions: Iterable[Function]) -> Iterator[Any]:
    """Yield the functions that are called but not read, and those among their arguments."""
    for fn in functions:
        for instr in fn.block.walk():
            if instr.op.name in ("external", "called_outside"):
                yield instr.param("function")
                yield from (x for kind, x in instr.param("slots") if kind == "constant" and callable(x))


def exception_name(cls: type, imported: Mapping[Any, str]) -> str:
    """Return how an exception class is written."""
    if cls in imported:
        return imported[cls]
    if _is_numpys(cls):
        return f"np.linalg.{cls.__name__}" if cls.__name__ == "LinAlgError" else f"np.{cls.__name__}"
    return cls.__name__


def _classes(functions: Iterable[Function]) -> Iterator[type]:
    """Yield the classes of records that are built and of exceptions that are raised."""
    for fn in functions:
        yield from _records(fn.result)
        for instr in fn.block.walk():
            if instr.op.name == "call":
                for p in instr.param("callee").signature:
                    yield from _records(p.tree)
            for block in instr.blocks:
                for key, value in block.end.params:
                    if key == "exception" and _is_imported(value):
                        yield value


def _records(tree: Tree) -> Iterator[type]:
    if isinstance(tree, Node):
        if tree.cls is not None and tree.cls.__module__ != "builtins":
            yield tree.cls
        for item in tree.items:
            yield from _records(item)


def _is_imported(cls: type) -> bool:
    return cls.__module__ != "builtins" and not _is_numpys(cls)


def _is_numpys(cls: type) -> bool:
    return cls.__module__.split(".")[0] == "numpy"
