"""Modules that are imported when something of them is first asked for.

With a plan of an earlier process (`driver/plans.py`) a program needs the frontend and its machine code: what
transforms, lowers and emits is a third of the time of `import s2sad`, and stays away. A module is named
twice, for the type checker and for Python:

    if TYPE_CHECKING:
        from s2sad.driver import derive as deriving
    else:
        deriving = late("s2sad.driver.derive")
"""

from __future__ import annotations

import importlib
from typing import Any


class Late:
    """A module by its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


def late(name: str) -> Any:
    """Return what stands for a module until it is used."""
    return Late(name)
