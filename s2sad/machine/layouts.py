"""How the arrays of a call lie in memory, and what the number that a kernel returns stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from s2sad.ir.core import Function
from s2sad.ir.types import Array

Raised = tuple[tuple[type[Exception], str], ...]
"""The exceptions that a kernel raises, by number."""


def plain_layouts(fn: Function) -> tuple[str, ...]:
    """Return the layouts of arguments that are all in C order."""
    return tuple("C" if isinstance(p.type, Array) else "" for p in fn.params)


def layouts_of(values: Sequence[Any]) -> tuple[str, ...]:
    """Return how arrays lie in memory: in C order, in Fortran's, in another, and unaligned; an empty text
    for what is no array."""
    return tuple(_layout(v) if isinstance(v, np.ndarray) else "" for v in values)


def _layout(x: Any) -> str:
    if not x.flags.aligned:
        return "U"
    if x.flags.c_contiguous:
        return "C"
    return "F" if x.flags.f_contiguous else "A"


def exception(raised: Raised, number: int) -> Exception:
    """Return the exception that a kernel's result stands for."""
    kind, message = raised[number]
    return kind(message)
