"""A function that draws random numbers, run again for a column of a Jacobian: with the same draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.errors import NotDifferentiable
from s2sad.ir.core import Function
from s2sad.ir.types import STREAMS
from s2sad.ir.walk import every_instr


class Replay:
    """The states of the random streams that a function draws from, as they were before the first run."""

    def __init__(self, fn: Function, leaves: Sequence[Any]):
        found = list(every_instr(fn))
        names = {instr.op.name for instr in found}
        self.fn = fn
        makes = ("default_rng", "random_state")
        self.unseeded = any(instr.op.name in makes and not instr.args for instr in found)
        self.streams = [leaf for leaf in leaves if isinstance(leaf, STREAMS)]
        if "numpy_random" in names:
            self.streams.append(np.random.mtrand._rand)
        self.states = [_state(s) for s in self.streams]

    def rewind(self) -> None:
        """Let the streams draw the same numbers again."""
        if self.unseeded:
            raise refused(self.fn)
        for stream, state in zip(self.streams, self.states, strict=True):
            _restore(stream, state)

    def again(self, run: Callable[[], Any]) -> Any:
        """Return what a run with the same draws gives; the streams are left as they are now."""
        now = [_state(s) for s in self.streams]
        self.rewind()
        try:
            return run()
        finally:
            for stream, state in zip(self.streams, now, strict=True):
                _restore(stream, state)


def refused(fn: Function) -> NotDifferentiable:
    """Return (to be raised) the error for draws that differ between the runs of one Jacobian."""
    return NotDifferentiable(
        "S353",
        f"{fn.name} draws random numbers, others in each of the runs that this derivative is made of",
        "draw before and pass the numbers",
        fn.origin,
    )


def _state(stream: Any) -> Any:
    return stream.bit_generator.state if isinstance(stream, np.random.Generator) else stream.get_state()


def _restore(stream: Any, state: Any) -> None:
    if isinstance(stream, np.random.Generator):
        stream.bit_generator.state = state
    else:
        stream.set_state(state)
