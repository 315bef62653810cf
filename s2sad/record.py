"""`dataclass` and `replace` as the type checker knows them, made cheap to import, to fill and to copy.

Most of what `dataclasses` generates for a frozen class guards against writes that the type checker refuses
already, or is text that is compiled to compare a few attributes: a quarter of the time of `import s2sad` went
there. A frozen instance takes three times as long to make as another, and the IR is instances. How a class is
filled and copied, which `dataclasses.replace` finds out for each copy, is compiled for its first instance or
copy: most processes see none of most classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from dataclasses import dataclass as _dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import replace as replace
else:

    def replace(record: Any, /, **changes: Any) -> Any:
        """Return a copy of an instance with other values for some of its fields."""
        return record.__replace__(**changes)

    def dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True, slots: bool = False) -> Any:
        """Return the class with the methods of a dataclass; what is frozen can be hashed."""

        def made(cls: Any) -> Any:
            own = vars(cls)
            made = _dataclass(cls, init=False, repr=False, eq=False, slots=slots)
            if "__init__" not in own:
                made.__init__ = _compiled_first(made, "__init__", _filling)
                made.__replace__ = _compiled_first(made, "__replace__", _copying)
            if "__repr__" not in own:
                made.__repr__ = _text
            if eq and "__eq__" not in own:
                made.__eq__, hashing = _comparison([f.name for f in fields(made) if f.compare])
                made.__hash__ = hashing if frozen else None
            return made

        return made if cls is None else made(cls)

    def _compiled_first(cls: Any, name: str, compiled: Callable[[Any], Any]) -> Any:
        """Return a method that puts the real one in its place when it is called."""

        def first(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            setattr(cls, name, compiled(cls))
            return getattr(cls, name)(self, *args, **kwargs)

        return first

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

    def _copying(cls: Any) -> Any:
        """Return the `__replace__` of a class by its fields; those that are not given have their defaults."""
        known: dict[str, Any] = {"missing": MISSING, "made": cls.__new__}
        params, lines = [], []
        for f in fields(cls):
            if f.init:
                params.append(f"{f.name}=missing")
                lines.append(f"    new.{f.name} = self.{f.name} if {f.name} is missing else {f.name}")
            else:
                known[f"default_{f.name}"] = f.default
                lines.append(f"    new.{f.name} = default_{f.name}")
        head = f"def __replace__({', '.join(['self', '/', '*', *params] if params else ['self'])}):"
        text = "\n".join([head, "    new = made(self.__class__)", *lines, "    return new"])
        exec(text, known)  # our own text
        return known["__replace__"]

    def _comparison(names: list[str]) -> tuple[Any, Any]:
        """Return `__eq__` and `__hash__` by these attributes."""
        values = attrgetter("__class__", *names)

        def equal(self: Any, other: Any) -> Any:
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        return equal, lambda self: hash(values(self))

    def _text(self: Any) -> str:
        given = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return f"{type(self).__qualname__}({given})"
