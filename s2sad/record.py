"""`dataclass` as the type checker knows it, made cheap to import and to fill.

Most of what `dataclasses` generates for a frozen class guards against writes that the type checker refuses
already, or is text that is compiled to compare a few attributes: a quarter of the time of `import s2sad` went
there. A frozen instance takes three times as long to make as another, and the IR is instances.
"""

from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True, slots: bool = False) -> Any:
        """Return the class with the methods of a dataclass; what is frozen can be hashed."""

        def made(cls: Any) -> Any:
            own = vars(cls)
            made = _dataclass(cls, repr=False, eq=False, slots=slots)
            if "__repr__" not in own:
                made.__repr__ = _text
            if eq and "__eq__" not in own:
                made.__eq__, hashing = _comparison([f.name for f in fields(made) if f.compare])
                made.__hash__ = hashing if frozen else None
            return made

        return made if cls is None else made(cls)

    def _comparison(names: list[str]) -> tuple[Any, Any]:
        """Return `__eq__` and `__hash__` by these attributes."""
        values = attrgetter("__class__", *names)

        def equal(self: Any, other: Any) -> Any:
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        return equal, lambda self: hash(values(self))

    def _text(self: Any) -> str:
        given = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return f"{type(self).__qualname__}({given})"
