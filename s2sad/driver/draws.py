"""A function that draws random numbers, run once per column of a Jacobian: with the same draws each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from s2sad.errors import NotDifferentiable
from s2sad.ir.core import Block, Function, Instr
from s2sad.ir.types import STREAMS


class Replay:
    """The states of the random streams that a function draws from, as they were before the first run."""

    def __init__(self, fn: Function, leaves: Sequence[Any]):
        found = list(_instrs(fn.block, {fn}))
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


def refused(fn: Function) -> NotDifferentiable:
    """Return (to be raised) the error for draws that differ between the runs of one Jacobian."""
    return NotDifferentiable(
        "S353",
        f"{fn.name} draws random numbers, others in each of the runs that this Jacobian is made of",
        "use jacrev, which runs it once, or draw before and pass the numbers",
        fn.origin,
    )


def draws(fn: Function) -> bool:
    """True if a function draws random numbers."""
    return any(instr.op.name == "draw" for instr in _instrs(fn.block, {fn}))


def _instrs(block: Block, seen: set[Function]) -> Iterator[Instr]:
    for instr in block.walk():
        yield instr
        callee = instr.param("callee") if instr.op.name == "call" else None
        if callee is not None and callee not in seen:
            seen.add(callee)
            yield from _instrs(callee.block, seen)


def _state(stream: Any) -> Any:
    return stream.bit_generator.state if isinstance(stream, np.random.Generator) else stream.get_state()


def _restore(stream: Any, state: Any) -> None:
    if isinstance(stream, np.random.Generator):
        stream.bit_generator.state = state
    else:
        stream.set_state(state)
