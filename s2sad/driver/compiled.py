"""From a finished Function to something callable, with its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from s2sad.driver.binding import Values
from s2sad.driver.pipeline import Trace, finish
from s2sad.emit.load import load
from s2sad.emit.numba import load_kernel
from s2sad.emit.source import module
from s2sad.ir.core import Function
from s2sad.ir.structure import flatten, rebuild
from s2sad.ir.tree import Leaf
from s2sad.lowering.lower import lower


class Compiled:
    """One emitted function: `ir`, `source` and the callable. `call(values)` takes one Python value
    per parameter and returns the Python result."""

    def __init__(self, fn: Function, trace: Trace, jit: bool = False):
        self.ir = fn
        self.trace = trace
        self.finished = finish(fn, trace)
        self.source: str = module(self.finished)
        trace.text(fn.name, self.source)
        self.jit = jit
        self._lowered: tuple[Function, str] | None = None
        self.function: Callable[..., Any] = load(self.source, fn.name)
        self.kernel: Callable[..., tuple[Any, ...]] | None = None
        if jit:
            self.kernel = load_kernel(*self.lowered)
        self.plain = all(p.kind == "positional" for p in fn.signature)

    @property
    def lowered(self) -> tuple[Function, str]:
        """Return the loop-nest form of the function and its text."""
        if self._lowered is None:
            fn = self.trace.step("lower", lower(self.finished))
            self._lowered = fn, module(fn)
        return self._lowered

    def call(self, values: Values) -> Any:
        """Return the result for one value per parameter."""
        if self.kernel is not None:
            return rebuild(self.ir.result, self.kernel(*self.leaves(values)))
        if self.plain:
            return self.function(*values)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for p, value in zip(self.ir.signature, values, strict=True):
            match p.kind:
                case "positional":
                    args.append(value)
                case "variadic":
                    args.extend(value)
                case "variadic_keyword":
                    kwargs.update(value)
                case _:
                    kwargs[p.name] = value
        return self.function(*args, **kwargs)

    def leaves(self, values: Values) -> list[Any]:
        """Return the flat leaves of parameter values."""
        found: list[Any] = []
        for p, value in zip(self.ir.signature, values, strict=True):
            if isinstance(p.tree, Leaf):
                found.append(value)
            else:
                found += flatten(value, p.name)[1]
        return found
