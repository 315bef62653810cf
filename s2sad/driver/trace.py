"""What a compilation went through: the IR after each stage."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from s2sad.ir.core import Function
from s2sad.ir.text import print_function
from s2sad.ir.verify import verify
from s2sad.ir.walk import count
from s2sad.settings import settings


class Trace:
    """The stages of one compilation, for `.stages`, dumps and debug output; `earlier`: of what other
    compilations have gone through as well."""

    def __init__(self, name: str, earlier: Trace | None = None):
        self.name, self.earlier = name, earlier
        self.stages: list[tuple[str, Function]] = []
        # argument leaves that S2SAD_VERIFY=2 runs the passes on
        self.examples: Sequence[Any] = earlier.examples if earlier is not None else ()

    def step(self, name: str, fn: Function, before: Function | None = None, ms: float = 0.0) -> Function:
        """Note what a stage made (of `before`, if it is a pass); return it, verified."""
        if settings.verify:
            verify(fn, name)
        self.stages.append((name, fn))
        if settings.debug:
            self._report(name, fn, before, ms)
        if settings.dump:
            text = print_function(fn, types=True, origins=True)
            self.file(f"{len(self.every()):02d}-{name}.ir", text)
        return fn

    def every(self) -> tuple[tuple[str, Function], ...]:
        """Return the name and the outcome of each stage until now."""
        return (*(self.earlier.every() if self.earlier is not None else ()), *self.stages)

    def text(self, name: str, source: str) -> None:
        """Note emitted source."""
        if settings.debug >= 2:
            print(source, file=sys.stderr)
        if settings.dump:
            self.file(f"90-{name}.py", source)

    def file(self, name: str, text: str) -> None:
        """Write a file of the dump."""
        folder = Path(settings.dump) / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n", encoding="utf-8")

    def _report(self, name: str, fn: Function, before: Function | None, ms: float) -> None:
        was = f"{count(before.block)} -> " if before is not None else ""
        print(f"s2sad {self.name}: {name} {ms:.1f} ms, {was}{count(fn.block)} instrs", file=sys.stderr)
        if settings.debug >= 2 and before is None:
            print(print_function(fn), file=sys.stderr)
        elif settings.debug >= 3 and before is not None and before is not fn:
            old, new = print_function(before).splitlines(), print_function(fn).splitlines()
            print("\n".join(difflib.unified_diff(old, new, lineterm="", n=2)), file=sys.stderr)
