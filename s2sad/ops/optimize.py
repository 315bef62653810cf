"""SciPy's solvers and minimisers: called as they are, with functions of the program.

An instruction `optimize` holds the functions that SciPy calls (`ir/walk.py`: `held`). Each of them takes the
point, then what the operands behind the guess hold. Its results are attributes of what SciPy returns.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from s2sad.errors import InternalError
from s2sad.ir.builder import Sizes
from s2sad.ir.core import Function
from s2sad.ir.interp import run
from s2sad.ir.op import ONCE
from s2sad.ir.structure import rebuild
from s2sad.ir.tree import Tree
from s2sad.ops.declare import Params, Types, custom, refuse

MODULE = "scipy.optimize"
INSTEAD = "it has that of the equation it solves: read it as a program does"


def _evaluate(
    *operands: Any,
    solver: str,
    callees: tuple[Function, ...],
    names: tuple[str, ...],
    guess: bool,
    count: int,
    keywords: tuple[tuple[str, Tree], ...],
    reads: tuple[str, ...],
) -> tuple[Any, ...]:
    first = int(guess)
    functions = [_callable(fn) for fn in callees]
    named = dict(zip(names[1:], functions[1:], strict=True)) | {k: rebuild(t, operands) for k, t in keywords}
    called = getattr(importlib.import_module(MODULE), solver)
    found = called(functions[0], *operands[:first], args=operands[first : first + count], **named)
    return tuple(getattr(found, name) for name in reads) if reads else (found,)


def _callable(fn: Function) -> Callable[..., Any]:
    return lambda *leaves: rebuild(fn.result, run(fn, *leaves))


def _infer(types: Types, params: Params, sizes: Sizes) -> Types:
    raise InternalError("S901", "an instruction `optimize` is made with its types")


custom(
    "optimize",
    _evaluate,
    refuse("a solver of SciPy by itself", INSTEAD),
    refuse("a solver of SciPy by itself", INSTEAD),
    infer=_infer,
    results=0,
    cost=ONCE,
    doc="a call of scipy.optimize; params: solver, callees and the names they are passed by, guess (whether "
    "the first operand is one), count (of operands that the callees take), keywords, reads (attributes)",
)
