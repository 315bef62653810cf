"""Programs written as text."""

from __future__ import annotations

import linecache
from typing import Any


def written(text: str, file: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the names of a module of this text, `names` among them, with its lines where inspect finds them:
    two texts that live at a time need two names of `file`."""
    known = {} if names is None else names
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), known)
    return known
