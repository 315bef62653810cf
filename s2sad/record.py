"""`dataclass` as the type checker knows it, made cheap to import and to fill.

Most of what `dataclasses` generates for a frozen class guards against writes that the type checker refuses
already, or is text that is compiled to compare a few attributes: a quarter of the time of `import s2sad` went
there. A frozen instance takes three times as long to make as another, and the IR is instances. How a class is
filled is compiled for its first instance: most processes see none of most classes.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from dataclasses import dataclass as _dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True, slots: bool = False) -> Any:
        """Return the class with the methods of a dataclass; what is frozen can be hashed."""

        def made(cls: Any) -> Any:
            own = vars(cls)
            made = _dataclass(cls, init=False, repr=False, eq=False, slots=slots)
            if "__init__" not in own:
                made.__init__ = _filled_first(made)
            if "__repr__" not in own:
                made.__repr__ = _text
            if eq and "__eq__" not in own:
                made.__eq__, hashing = _comparison([f.name for f in fields(made) if f.compare])
                made.__hash__ = hashing if frozen else None
            return made

        return made if cls is None else made(cls)

    def _filled_first(cls: Any) -> Any:
        """Return an `__init__` that puts the real one in its place when it is called."""

        def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:
            cls.__init__ = _filling(cls)
            cls.__init__(self, *args, **kwargs)

        return __init__

    def _filling(cls: Any) -> Any:
        """Return the `__init__` of a class by its fields."""
        known: dict[str, Any] = {"missing": MISSING}
        params, lines = [], []
        for f in fields(cls):
            value = f.name
            if not f.init:
                known[f"default_{f.name}"] = f.default
                lines.append(f"    self.{f.name} = default_{f.name}")
                continue
            if f.default_factory is not MISSING:
                known[f"make_{f.name}"] = f.default_factory
                value = f"make_{f.name}() if {f.name} is missing else {f.name}"
            elif f.default is not MISSING:
                known[f"default_{f.name}"] = f.default
            has = "missing" if f.default_factory is not MISSING else f"default_{f.name}"
            params.append(f.name if f.default is f.default_factory is MISSING else f"{f.name}={has}")
            lines.append(f"    self.{f.name} = {value}")
        text = f"def __init__({', '.join(['self', *params])}):\n" + "\n".join(lines or ["    pass"])
        exec(text, known)  # our own text
        return known["__init__"]

    def _comparison(names: list[str]) -> tuple[Any, Any]:
        """Return `__eq__` and `__hash__` by these attributes."""
        values = attrgetter("__class__", *names)

        def equal(self: Any, other: Any) -> Any:
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        return equal, lambda self: hash(values(self))

    def _text(self: Any) -> str:
        given = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return f"{type(self).__qualname__}({given})"
