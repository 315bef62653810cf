"""What compiled text calls for a function that runs in Python: it says which type comes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from s2sad.ir.core import Function, Instr
from s2sad.ir.types import Array
from s2sad.ops.external import outside_name, scalar_kinds

CONTROL = "from numba import objmode"


def outside_calls(functions: Iterable[Function], imported: Mapping[Any, str]) -> dict[str, Instr]:
    """Return the calls of functions that run in Python, by the name that the text calls."""
    found: dict[str, Instr] = {}
    for fn in functions:
        for instr in fn.block.walk():
            if instr.op.name == "called_outside":
                found.setdefault(outside_name(dict(instr.params), imported), instr)
    return found


def outside_definitions(
    calls: dict[str, Instr], imported: Mapping[Any, str], for_reading: bool
) -> Iterator[list[str]]:
    """Yield the lines of what is called. Numba's `objmode` hands its body to Python; it is left out
    `for_reading`."""
    for name, instr in sorted(calls.items()):
        t = instr.result.type
        rank = t.ndim if isinstance(t, Array) else 0
        dims = [f"n{k}" for k in range(rank)]
        given = [f"x{k}" for k in range(len(instr.param("slots")))]
        layout = f"[{', '.join([':'] * (rank - 1) + ['::1'])}]" if rank else ""
        like = f"np.empty(({', '.join(dims)},), np.{t.dtype})" if rank else f"np.{t.dtype}(0)"
        function = imported[instr.param("function")]
        kinds = scalar_kinds(dict(instr.params))
        handed = [f"np.{k}({x})" if k else x for x, k in zip(given, kinds, strict=True)]
        head = f"def {name}({', '.join(dims + given)}):"
        found = f"declared({function}({', '.join(handed)}), {like})"
        if for_reading:
            yield [head, f"    return {found}"]
        else:
            yield [head, f'    with objmode(y="{t.dtype}{layout}"):', f"        y = {found}", "    return y"]
