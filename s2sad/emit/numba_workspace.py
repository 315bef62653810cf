"""Arrays in memory that is kept between calls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types  # type: ignore[attr-defined]
from numba.extending import intrinsic

from s2sad.emit.numba_library import compiled

ALIGNMENT = 64
MOST = 1 << 62


@intrinsic
def _pointer(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: list[Any]) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.voidptr(types.intp), codegen


@compiled
def workspace_end(at: int, dims: Any, itemsize: int) -> int:
    """Return where an array ends that begins at `at`."""
    size = itemsize
    for n in dims:
        if n < 0:
            raise ValueError("negative dimensions not allowed")
        if n > 0 and size > MOST // n:
            raise MemoryError("Allocation failed (probably too large).")
        size *= n
    end = at + (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    if end < 0:
        raise MemoryError("Allocation failed (probably too large).")
    return end


@compiled
def workspace_of(memory: Any, size: int) -> Any:
    """Return `memory` if it is enough for arrays of that size together, else new memory that is."""
    if memory.size >= size + ALIGNMENT:
        return memory
    return np.empty(size + ALIGNMENT, np.uint8)


@compiled
def _clear(memory: Any, start: int, size: int) -> None:
    memory[start : start + size] = 0


@compiled
def workspace_part(memory: Any, at: int, dims: Any, dtype: Any, clear: bool) -> Any:
    """Return the array that begins at `at`; with `clear`, filled with zeros."""
    shift = -memory.ctypes.data % ALIGNMENT
    part = carray(_pointer(memory.ctypes.data + shift + at), dims, dtype)  # type: ignore[call-arg]
    if clear:
        _clear(memory, shift + at, part.nbytes)
    return part


NAMES: dict[str, Any] = {
    "workspace_end": workspace_end,
    "workspace_of": workspace_of,
    "workspace_part": workspace_part,
}
