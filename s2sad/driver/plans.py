"""What compilations came to, kept between processes: where a plan is found, only the frontend has run.

A plan is named by the Function that the frontend built and by what is wanted of it, with all that the way
from there to machine code depends on. The frontend runs in every process, for it alone knows what a program
reads: closures, globals, the text of helpers. What it read is in what it built, so that no change of it is
missed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import pickle
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from s2sad.driver import store
from s2sad.driver.compiled import Compiled
from s2sad.driver.native import Ready, versions
from s2sad.ir.core import READ_AGAIN, Block, Function, Parameter, outline
from s2sad.ir.op import Op
from s2sad.ir.size import Atom, Size
from s2sad.lowering.ops import LOWERED
from s2sad.ops.table import OPS
from s2sad.record import dataclass, replace
from s2sad.settings import settings

KNOWN = ("builtins", "collections", "copyreg", "numpy", "s2sad")  # packages whose names mean what they did
NAMED = (type, types.FunctionType, types.BuiltinFunctionType, np.ufunc)
UNKEPT = (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class Plan:
    """Outlines of the primal and of what was derived of it, and of the functions that were compiled, which
    are that or its two halves, with their machine code."""

    primal: Function
    derived: Function
    compiled: tuple[tuple[Function, Ready], ...]


def plan_name(fn: Function, *wanted: Any) -> str:
    """Return the name of the plan for a Function that the frontend built; empty where none is kept: one that
    has objects in it which only their own process knows."""
    if not store.is_on() or settings.is_watching:
        return ""
    try:
        text = _pickled((fn, wanted, versions(), _package()))
    except (ImportError, *UNKEPT):
        return ""
    return store.key(hashlib.sha256(text).hexdigest(), fn.name, ".plan")


def find(name: str, fn: Function) -> Plan | None:
    """Return the plan of that name, for the Function that the frontend built now."""
    found = store.read(name) if name else None
    if found is None:
        return None
    plan: Plan = pickle.loads(found)
    extra = {k: v for k, v in fn.extra.items() if k in READ_AGAIN}
    return replace(plan, primal=replace(plan.primal, extra={**plan.primal.extra, **extra}))


def keep(name: str, primal: Function, derived: Function, compiled: Sequence[Compiled]) -> None:
    """Keep the plan of functions compiled now, if it has a name and another process can do with it."""
    made = [(outline(c.ir), c.ready) for c in compiled if c.ready is not None]
    if not name or len(made) < len(compiled):
        return
    with contextlib.suppress(*UNKEPT):
        store.keep(name, _pickled(Plan(outline(primal), outline(derived), tuple(made))))


class _Pickler(pickle.Pickler):
    """Refuses what is known by a name that may mean something else in another process."""

    def reducer_override(self, x: Any) -> Any:
        if isinstance(x, Op):
            is_lowered = LOWERED.get(x.name) is x
            if not is_lowered and OPS.get(x.name) is not x:
                raise pickle.PicklingError(f"an op of its own: {x}")
            return _op, (x.name, is_lowered)
        if isinstance(x, NAMED) and (getattr(x, "__module__", None) or "").split(".")[0] not in KNOWN:
            raise pickle.PicklingError(f"a name from elsewhere: {x}")
        if isinstance(x, Function):
            extra = {k: v for k, v in x.extra.items() if k not in READ_AGAIN}
            fields = (x.name, x.params, x.block, x.signature, x.result, x.writes, x.facts, x.doc, x.origin)
            return Function, (*fields, extra)
        if isinstance(x, Block):  # without what has been found out about it, as sizes
            return Block, (x.params, x.instrs, x.end)
        if isinstance(x, Size):
            return Size, (x.terms, x.const)
        if isinstance(x, Atom):
            return Atom, (x.kind, x.name, x.parts)
        if isinstance(x, Parameter):  # a default is read again, as what is captured
            return Parameter, (x.name, x.tree, x.kind, None, x.has_default)
        return NotImplemented


def _op(name: str, is_lowered: bool) -> Op:
    return (LOWERED if is_lowered else OPS)[name]


def _pickled(x: Any) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, protocol=5).dump(x)
    return stream.getvalue()


@functools.cache
def _package() -> tuple[tuple[str, int, int], ...]:
    """Return the files of this package, with their sizes and times: what it does of a Function is in them."""
    found: list[tuple[str, int, int]] = []
    folders = [Path(__file__).parent.parent]
    for folder in folders:  # grows as it is run through
        for entry in os.scandir(folder):
            if entry.is_dir() and entry.name != "__pycache__":
                folders.append(Path(entry.path))
            elif entry.name.endswith(".py"):
                about = entry.stat()
                found.append((entry.path, about.st_size, about.st_mtime_ns))
    return tuple(sorted(found))
