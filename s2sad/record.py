"""`dataclass` as the type checker knows it, made cheap to import and to fill.

Half of what `dataclasses` generates for a frozen class guards against writes that the type checker refuses
already, and half of the time of `import s2sad` went there; a frozen instance also takes three times as long
to make, and the IR is instances.
"""

from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True, slots: bool = False) -> Any:
        """Return the class with the methods of a dataclass; what is frozen can be hashed."""

        def made(cls: Any) -> Any:
            hashed = frozen and eq and cls.__dict__.get("__hash__") is None
            made = _dataclass(cls, repr=False, eq=eq, unsafe_hash=hashed, slots=slots)
            if made.__repr__ is object.__repr__:
                made.__repr__ = _text
            return made

        return made if cls is None else made(cls)

    def _text(self: Any) -> str:
        given = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return f"{type(self).__qualname__}({given})"


__all__ = ["dataclass"]
