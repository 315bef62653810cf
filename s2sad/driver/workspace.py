"""Memory that kernels work in, kept from one call to the next."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from s2sad.settings import settings

NONE = np.empty(0, np.uint8)
FEW = 8  # threads in kernels at a time for which memory is kept


class Workspaces:
    """Blocks of memory that no call is using; a call takes one, alone, and gives one back."""

    def __init__(self) -> None:
        self._free: list[Any] = []

    def take(self) -> Any:
        """Return a block; an empty one if there is none."""
        try:
            return self._free.pop()  # in one step, whatever other threads do
        except IndexError:
            return NONE

    def give(self, memory: Any) -> None:
        """Keep a block for later calls, unless it is too large to sit on."""
        if memory.nbytes <= settings.keep << 20 and len(self._free) < FEW:
            self._free.append(memory)


@functools.cache
def workspaces() -> Workspaces:
    """Return those of this process: all kernels share them, so that the largest need is kept, not the sum."""
    return Workspaces()
