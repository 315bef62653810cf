"""The passes that a function goes through before it is lowered, and the lowered one before it is compiled."""

from __future__ import annotations

from s2sad.lowering.nests.again import compute_again
from s2sad.lowering.nests.clear import clear_first
from s2sad.lowering.nests.contract import contract
from s2sad.lowering.nests.forward import forward
from s2sad.lowering.nests.fuse import fuse, fuse_sums
from s2sad.lowering.nests.gather import gather, split_sums
from s2sad.lowering.nests.guards import hoist_guards
from s2sad.lowering.nests.independent import mark_independent
from s2sad.lowering.nests.induct import from_index
from s2sad.lowering.nests.promote import promote_sums
from s2sad.lowering.parallel.mark import mark_parallel
from s2sad.lowering.stacks import in_stacks
from s2sad.passes.base import Pass
from s2sad.passes.calls import everywhere
from s2sad.passes.dce import dce

STEPS: tuple[Pass, ...] = (
    *(from_index, hoist_guards, clear_first, fuse, forward, forward, dce, compute_again, dce, contract),
    *(split_sums, dce, clear_first, gather, fuse_sums, forward, dce, contract),
    *(promote_sums, dce, mark_independent),
)
STACKS: tuple[Pass, ...] = (everywhere(in_stacks),)
NESTS: tuple[Pass, ...] = tuple(map(everywhere, STEPS))
THREADED: tuple[Pass, ...] = (mark_parallel,)
