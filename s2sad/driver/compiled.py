"""From a finished Function to something callable, with its text."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

from s2sad.driver.binding import Values
from s2sad.driver.native import Kernel, is_strong, load_kernel
from s2sad.driver.pipeline import Trace, finish
from s2sad.emit.load import load
from s2sad.emit.names import RESERVED, identifier
from s2sad.emit.source import module
from s2sad.ir.core import Function
from s2sad.ir.structure import pick, rebuild
from s2sad.ir.tree import Leaf
from s2sad.lowering.lower import lower

_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "variadic",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "variadic_keyword",
}


class Compiled:
    """One emitted function: `ir`, `source` and the callable. `call(values)` takes one Python value
    per parameter and returns the Python result. Result leaves in `exact` that are NumPy scalars by type
    are returned as such, even where the text leaves a Python number."""

    def __init__(self, fn: Function, trace: Trace, jit: bool = False, exact: frozenset[int] = frozenset()):
        self.ir = fn
        self.trace = trace
        self.finished = finish(fn, trace)
        self.source: str = module(self.finished)
        trace.text(fn.name, self.source)
        self._lowered: tuple[Function, str] | None = None
        self.function = self._load()
        self.kernel: Kernel | None = None
        if jit:
            lowered, text = self.lowered
            shown = fn.result_types[: len(fn.result_types) - len(fn.writes)]
            self.kernel = load_kernel(text, lowered.name, shown)
        types = fn.result_types
        self.kinds = {k: types[k].dtype.type for k in sorted(exact) if is_strong(types[k])}
        self.flat = all(isinstance(p.tree, Leaf) for p in fn.signature)
        self.places = self._places()

    def _load(self) -> Callable[..., Any]:
        # captured values are lines of the shown text, but parameters of what runs: read at each call
        captured = any(p.kind == "captured" for p in self.ir.signature)
        text = module(self.finished, captured_as_lines=False) if captured else self.source
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        function: Callable[..., Any] = load(text, f"<s2sad {self.ir.name} {digest}>")[self.ir.name]
        return function

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
            out = self.kernel(*(values if self.flat else self.leaves(values)))
            return rebuild(self.ir.result, out)
        out = self._run(values)
        if not self.kinds:
            return out
        found = pick(self.ir.result, out)
        found.update((k, kind(found[k])) for k, kind in self.kinds.items())
        return rebuild(self.ir.result, found)

    def _run(self, values: Values) -> Any:
        if self.places is None:
            return self.function(*values)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for (kind, name), value in zip(self.places, values, strict=True):
            match kind:
                case "positional":
                    args.append(value)
                case "variadic":
                    args.extend(value)
                case "variadic_keyword":
                    kwargs.update(value)
                case "keyword":
                    kwargs[name] = value
        return self.function(*args, **kwargs)

    def _places(self) -> tuple[tuple[str, str], ...] | None:
        """Return how each parameter is passed to the emitted function; None if all are positional."""
        takes = inspect.signature(self.function).parameters
        found: list[tuple[str, str]] = []
        for p in self.ir.signature:
            name = identifier(p.name, RESERVED)
            kind = takes[name].kind if name in takes else None
            found.append((_KINDS[kind] if kind is not None else "absent", name))
        return None if all(kind == "positional" for kind, _ in found) else tuple(found)

    def leaves(self, values: Values) -> list[Any]:
        """Return the flat leaves of parameter values."""
        found: list[Any] = []
        for p, value in zip(self.ir.signature, values, strict=True):
            if isinstance(p.tree, Leaf):
                found.append(value)
            else:
                found.extend(pick(p.tree, value).values())
        return found
