"""Running passes: in order, watched, verified, dumped."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from s2sad.driver.trace import Trace
from s2sad.errors import InternalError
from s2sad.ir import interp
from s2sad.ir.core import Function
from s2sad.passes.arguments import arguments, bare
from s2sad.passes.base import Pass
from s2sad.passes.bufferize import bufferize
from s2sad.passes.calls import everywhere
from s2sad.passes.cse import cse
from s2sad.passes.dce import dce
from s2sad.passes.elements import elements
from s2sad.passes.hints import hints
from s2sad.passes.inline import inline
from s2sad.passes.join import join
from s2sad.passes.order import order
from s2sad.passes.prune import prune
from s2sad.passes.repeat import repeat
from s2sad.passes.shapes import shapes
from s2sad.passes.simplify import simplify
from s2sad.passes.stores import stores
from s2sad.passes.typed import typed
from s2sad.passes.unname import unname
from s2sad.settings import settings

CLEAN = (
    inline,
    *map(everywhere, (elements, hints, simplify, cse, prune, join, stores, shapes, dce, arguments)),
)
PREPARE = (
    *map(everywhere, (bare, arguments)),
    inline,
    *map(everywhere, (dce, typed, order, unname, repeat)),
)
PLACE = (bufferize,)
FINISH = (*PREPARE, *PLACE)
ROUNDS = 3


def clean(fn: Function, trace: Trace) -> Function:
    """Return `fn` after the clean-up passes, repeated while they find something."""
    idle = 0  # passes since one has found something
    for change in CLEAN * ROUNDS:
        before = fn
        fn = run((change,), fn, trace)
        idle = idle + 1 if fn is before else 0
        if idle == len(CLEAN):
            break
    return fn


def finish(fn: Function, trace: Trace) -> Function:
    """Return `fn` ready for emission: with its writes in place and its copies made."""
    return run(FINISH, fn, trace)


def run(passes: Sequence[Pass], fn: Function, trace: Trace) -> Function:
    """Return `fn` after the passes; each that changes something is noted and its output verified."""
    for change in passes:
        start = time.perf_counter()
        after = change(fn)
        if after is not fn:
            if settings.verify > 1 and len(trace.examples) == len(fn.params):
                check_meaning(change.__name__, fn, after, trace.examples)
            trace.step(change.__name__, after, fn, 1e3 * (time.perf_counter() - start))
        fn = after
    return fn


def check_meaning(name: str, before: Function, after: Function, examples: Sequence[Any]) -> None:
    """Raise InternalError unless both functions give the same numbers for the example leaves."""
    with contextlib.redirect_stdout(io.StringIO()):
        old, new = (_outcome(fn, examples) for fn in (before, after))
    if isinstance(old, type) or isinstance(new, type):
        same = old is new
    else:
        same = all(
            np.allclose(a, b, rtol=1e-10, atol=1e-12, equal_nan=True) for a, b in zip(old, new, strict=True)
        )
    if not same:
        raise InternalError("S905", f"{name} changed the meaning of {before.name}: {old} became {new}")


def _outcome(fn: Function, examples: Sequence[Any]) -> Any:
    copies = [x.copy() if isinstance(x, np.ndarray) else x for x in examples]
    try:
        return interp.run(fn, *copies)
    except Exception as error:
        return type(error)
