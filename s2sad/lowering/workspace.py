"""Arrays that do not outlive a call lie in memory that the caller of a kernel keeps for the next call: to get
new pages from the system takes longer than most loops take to fill them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from s2sad.ir.core import Function, Instr, Literal, Operand, Value, returns
from s2sad.ir.op import Alias, Kind, Op
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array, Dtype, Scalar
from s2sad.lowering.overlap import Storage
from s2sad.ops.declare import Infer, Params, Types, dims_of, dtype_text

ALIGNMENT = 64
BYTES = Array(np.dtype(np.uint8), (Size.symbol("memory.0"),))


def _end(at: int, *dims: int, dtype: Dtype) -> int:
    return at + -(-math.prod(dims) * dtype.itemsize // ALIGNMENT) * ALIGNMENT


def _part(memory: Any, at: int, *dims: int, dtype: Dtype, clear: bool) -> Any:
    part = np.ndarray(dims, dtype, memory, at)
    if clear:
        part[...] = 0
    return part


def _spell(name: str, shown: Callable[[Params], str], first: int) -> Callable[[Types, Params], str]:
    def spell(types: Types, params: Params) -> str:
        before = "".join(f"{{{k}}}, " for k in range(first))
        dims = "".join(f"{{{k}}}, " for k in range(first, len(types)))
        return f"{name}({before}({dims}), {shown(params)})"

    return spell


def _declare(name: str, evaluate: Any, infer: Infer, spell: Any, alias: Alias = Alias.FRESH) -> Op:
    return Op(name, Kind.NONDIFF, evaluate, infer=infer, alias=alias, extra={"spell": spell})


END = _declare(
    "workspace_end",
    _end,
    lambda types, params, sizes: (Scalar(INT, weak=True),),
    _spell("workspace_end", lambda params: str(params["dtype"].itemsize), 1),
)
ENOUGH = _declare(
    "workspace_of",
    lambda memory, size: memory if memory.size >= size else np.empty(size, np.uint8),
    lambda types, params, sizes: (BYTES,),
    lambda types, params: "workspace_of({}, {})",
    Alias.MAYBE,
)
PART = _declare(
    "workspace_part",
    _part,
    lambda types, params, sizes: (Array(params["dtype"], dims_of(types[2:], sizes)),),
    _spell("workspace_part", lambda params: f"{dtype_text(params['dtype'])}, {params['clear']}", 2),
    Alias.VIEW,
)


def passing(fn: Function, allocations: Iterable[Instr]) -> set[Instr]:
    """Return those of the allocations in a function that are in no result of it."""
    storage = Storage(fn)
    kept = {
        root
        for end in returns(fn.block)
        for a in end.args
        if isinstance(a, Value) and isinstance(a.type, Array)
        for root in storage.origins(storage.roots(a))
    }
    return {i for i in allocations if i.result not in kept}


class Workspace:
    """Lays arrays out one after the other; `instrs` compute where they end."""

    def __init__(self) -> None:
        self.given = Value("memory", BYTES)
        self.memory = Value("memory", BYTES)
        self.instrs: list[Instr] = []
        self.parts: list[Instr] = []
        self.end: Operand = Literal(0)

    def add(self, allocation: Instr) -> None:
        """Find a place for the array that an instruction allocates."""
        t = allocation.result.type
        end = Value("", Scalar(INT, weak=True))
        dtype = (("dtype", t.dtype),)
        self.instrs.append(Instr(END, (self.end, *allocation.args), (end,), dtype))
        clear = ("clear", allocation.op.name == "zeros")
        args = (self.memory, self.end, *allocation.args)
        self.parts.append(Instr(PART, args, allocation.results, (*dtype, clear)))
        self.end = end

    def finished(self) -> Sequence[Instr]:
        """Return the instructions that get memory and divide it."""
        enough = Instr(ENOUGH, (self.given, self.end), (self.memory,))
        return (*self.instrs, enough, *self.parts)
