"""Derivatives along many seeds at once: the emitted function with a leading axis for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from s2sad.driver.compiled import Compiled
from s2sad.driver.program import Variant
from s2sad.ir.core import Function
from s2sad.ir.tree import leaves
from s2sad.ir.walk import draws
from s2sad.late import late

if TYPE_CHECKING:
    from s2sad.driver import pipeline
    from s2sad.transforms import batch as batching
    from s2sad.transforms import lanes
else:
    pipeline = late("s2sad.driver.pipeline")
    batching = late("s2sad.transforms.batch")
    lanes = late("s2sad.transforms.lanes")

LARGEST = (
    1 << 15
)  # elements of the seeds of a chunk: what is computed from them is as large, and stays in a cache
FEWEST = 4  # seeds that are worth an axis: below, arrays of so few elements cost more than they save


class Chunks:
    """The functions of many seeds that belong to variants; None where there is none."""

    def __init__(self) -> None:
        self.made: dict[Variant, Compiled | None] = {}

    def forward(self, variant: Variant) -> Compiled | None:
        """Return `(x, x_dots) -> (y, y_dots)`."""
        if variant not in self.made:
            fn, first = variant.ir, len(variant.primal.params)
            values = len(list(leaves(variant.primal.result)))
            results = range(values, len(fn.result_types))
            doc = f"Return {variant.primal.name} and its tangents along many directions."
            self.made[variant] = many(variant, fn, first, results, doc)
        return self.made[variant]

    def reverse(self, variant: Variant) -> Compiled | None:
        """Return `(tape, y_bars) -> x_bars`."""
        if variant not in self.made:
            fn = variant.halves[1].ir
            doc = f"Return the cotangents of {variant.primal.name} for many of its result."
            results = range(len(fn.result_types))
            self.made[variant] = many(variant, fn, fn.extra["tape"], results, doc)
        return self.made[variant]


def many(variant: Variant, fn: Function, first: int, results: Sequence[int], doc: str) -> Compiled | None:
    """Return the compiled function of many seeds, None where seeds cannot have an axis."""
    if draws(fn):
        return None
    try:
        made = batching.batch(fn, first, results, doc)
    except lanes.Unbatchable:
        return None
    cleaned = pipeline.clean(variant.trace.step("batch", made), variant.trace)
    return Compiled(cleaned, variant.trace, variant.jit)


def worth_an_axis(count: int, chunk_size: int | None) -> bool:
    """True if so many seeds are better taken together; a `chunk_size` decides."""
    return count >= FEWEST if chunk_size is None else chunk_size > 1 < count


def chunks(primals: Sequence[Any], chunk_size: int | None) -> Iterator[tuple[list[Any], range]]:
    """Yield seeds for some basis vectors at once, and which ones these are, counted over all primals; as
    many as `chunk_size` says, or as keep them small."""
    sizes = [int(np.size(p)) for p in primals]
    total = sum(sizes)
    step = chunk_size or max(FEWEST, LARGEST // max(total, 1))
    starts = np.cumsum([0, *sizes])
    for lo in range(0, total, step):
        chosen = range(lo, min(lo + step, total))
        seeds = []
        for p, start, size in zip(primals, starts, sizes, strict=False):
            made = np.zeros((len(chosen), size), np.result_type(p))
            mine = range(max(chosen.start, start), min(chosen.stop, start + size))
            if mine:
                made[np.arange(mine.start, mine.stop) - lo, np.arange(mine.start, mine.stop) - start] = 1.0
            seeds.append(made.reshape(len(chosen), *np.shape(p)))
        yield seeds, chosen
