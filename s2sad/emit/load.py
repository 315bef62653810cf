"""From emitted text to callables whose lines tracebacks, pdb and inspect.getsource can show."""

from __future__ import annotations

import linecache
from typing import Any


def load(text: str, filename: str) -> dict[str, Any]:
    """Return the namespace of a module made from `text`. The text is registered under `filename`,
    which should begin with `<` unless the text is in that file."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "s2sad_emitted", "__file__": filename}
    exec(compile(text, filename, "exec"), namespace)  # our own output, as source-to-source means
    return namespace
