"""From emitted text to callables whose lines tracebacks, pdb and inspect.getsource can show."""

from __future__ import annotations

import hashlib
import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def load(text: str, filename: str, importable: bool = False) -> dict[str, Any]:
    """Return the namespace of a module made from `text`. The text is registered under `filename`,
    which should begin with `<` unless the text is in that file. `importable`: the module is found by its
    name."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "s2sad_emitted", "__file__": filename}
    if importable or not filename.startswith("<"):  # what is kept of a module names it: it can be imported
        stem = Path(filename).stem if not importable else hashlib.sha256(text.encode()).hexdigest()[:16]
        module = ModuleType(f"s2sad_emitted_{stem}")
        namespace = vars(module)
        namespace["__file__"] = filename
        sys.modules[module.__name__] = module
    exec(compile(text, filename, "exec"), namespace)  # our own output, as source-to-source means
    return namespace
