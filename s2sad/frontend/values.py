"""Abstract values: what the frontend knows of each Python value at compile time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import field
from types import FunctionType, ModuleType
from typing import Any, ClassVar

from s2sad.frontend.source import Access, Source
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.path import Path
from s2sad.ir.types import Array
from s2sad.record import dataclass

OPENED = (tuple, list, dict, OrderedDict)
"""Captured containers whose items are captured one by one."""


class Abstract:
    """Base of abstract values."""

    __slots__ = ()


class Callee(Abstract):
    """A function value of one layer of the frontend; `called` names the method that reads a call of it."""

    __slots__ = ()
    called: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Num(Abstract):
    """A number: an SSA scalar or a literal."""

    operand: Operand

    @property
    def literal(self) -> bool | int | float | complex | None:
        """Return the number if it is a literal, else None."""
        return self.operand.value if isinstance(self.operand, Literal) else None


@dataclass(frozen=True, slots=True)
class Ref(Abstract):
    """An array: a buffer seen through a path whose operands were fixed when the view was made."""

    buffer: int
    path: Path
    operands: tuple[Operand, ...]
    type: Array


@dataclass(frozen=True, slots=True, eq=False)
class ListRow(Ref):
    """A list that is an item of a list built in a loop: held as an array, but `+` and `*` mean others."""


@dataclass(frozen=True, slots=True, eq=False)
class Static(Abstract):
    """A Python object known at compile time. `access` says how to read it again at each call, if it
    was captured from outside the function."""

    value: Any
    access: Access | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return False
        if self.value is other.value:
            return not self.is_read_apart(other)
        plain = (str, bytes, int, float, bool, type(None), type(...), slice, frozenset)
        return (
            type(self.value) is type(other.value)
            and isinstance(self.value, plain)
            and bool(self.value == other.value)
        )

    def __hash__(self) -> int:
        return id(type(self.value))

    def is_read_apart(self, other: Static) -> bool:
        """True if two places hold one object now that has values in it, and may hold two at the next call."""
        a, b = self.access, other.access
        if a is None or b is None or a.key == b.key:
            return False
        value = self.value
        return isinstance(value, list | dict | tuple | set) or (
            hasattr(value, "__dict__") and not isinstance(value, FunctionType | ModuleType | type)
        )


@dataclass(frozen=True, slots=True)
class Struct(Abstract):
    """Contents of a container: kind tuple, list, dict or record (`cls` with attributes `keys`). A
    tuple that is the shape of an array remembers the array in `shape_of`."""

    kind: str
    keys: tuple[Any, ...]
    items: tuple[Abstract, ...]
    cls: Any = None
    shape_of: Ref | None = field(default=None, compare=False)

    @property
    def is_mutable(self) -> bool:
        """True for a list, a dict, or an object whose attributes can be assigned."""
        return self.kind in ("list", "dict") or (self.kind == "record" and not issubclass(self.cls, tuple))

    def get(self, key: Any) -> Abstract | None:
        """Return the item stored under a key, or None."""
        for k, item in zip(self.keys, self.items, strict=True):
            if k == key and type(k) is type(key):
                return item
        return None


NAMING = ("record", "dict")  # containers whose items are like names: they may be None on some paths


def tuple_of(items: Sequence[Abstract]) -> Struct:
    """Return a tuple."""
    return Struct("tuple", tuple(range(len(items))), tuple(items))


@dataclass(frozen=True, slots=True)
class Box(Abstract):
    """A mutable container (list, dict, object): its contents are in the state's heap."""

    id: int


@dataclass(frozen=True, slots=True)
class Series(Abstract):
    """Contents of a list whose length is known only at run time: `count` rows of a buffer that grows,
    or, with `fits`, is large enough for what its loop appends."""

    rows: Ref
    count: Operand
    fits: bool = False
    added: int = field(default=0, compare=False)  # items appended since the head of the loop
    # "lists", held as rows, "ints" (and bools), "floats" or "complexes" of Python, "some complex" numbers of
    # Python among NumPy's, or other things
    items: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Closure(Abstract):
    """A function defined inside the one being read."""

    node: Any
    frame: int
    source: Source
    defaults: dict[str, Abstract] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the function's name."""
        return getattr(self.node, "name", "lambda_")


@dataclass(frozen=True, slots=True)
class Method(Abstract):
    """A method looked up on an abstract value."""

    owner: Abstract
    name: str


@dataclass(frozen=True, slots=True)
class Super(Abstract):
    """`super()` in a method of class `cls`: what the classes after it say of `owner`."""

    owner: Abstract
    cls: type


@dataclass(frozen=True, slots=True)
class Partial(Abstract):
    """A function value with arguments already bound (functools.partial, bound methods)."""

    function: Abstract
    args: tuple[Abstract, ...]
    kwargs: tuple[tuple[str, Abstract], ...] = ()


@dataclass(frozen=True, slots=True)
class Range(Abstract):
    """`range(lo, hi, step)`."""

    lo: Operand
    hi: Operand
    step: Operand


@dataclass(frozen=True, slots=True)
class Lazy(Abstract):
    """An iterator made by zip, enumerate, reversed or dict views over other iterables."""

    kind: str
    parts: tuple[Abstract, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Generator(Abstract):
    """A generator expression, not run yet. Python evaluates what it iterates over at once: `names` are
    those in that, as they were."""

    node: Any
    frame: int
    names: tuple[tuple[str, Any], ...] = ()


def snapshot(value: Any) -> tuple[Any, ...]:
    """Return what is in a container now."""
    return tuple(value.items()) if isinstance(value, dict) else tuple(value)


def is_plain(value: Any) -> bool:
    """True for numbers and texts, and tuples of such: what cannot change and can be compared."""
    if type(value) is tuple:
        return all(map(is_plain, value))
    return isinstance(value, bool | int | float | complex | str | bytes | type(None))


def is_none(value: Abstract) -> bool:
    """True for Python's None."""
    return isinstance(value, Static) and value.value is None


def may_be_none(value: Abstract) -> bool:
    """True for Python's None, and for what is None on some paths."""
    return is_none(value) or (isinstance(value, MaybeUnbound) and value.none)


def held(value: Any) -> Static:
    """Return an object that a function or a record holds: what it has is read again at each call."""
    return Static(value, holding(value))


def holding(value: Any) -> Access:
    """Return the access of an object that is always there."""
    return Access("self", ("object", id(value)), lambda: value)


@dataclass(frozen=True, slots=True)
class MaybeUnbound(Abstract):
    """A name bound on some paths only; `bound` is a bool that is true on those. With `none` it is None on the
    others."""

    value: Abstract
    bound: Operand
    none: bool = False

    def lacks(self, value: Abstract) -> bool:
        """True if a value is what the name is where it has none of its own."""
        return is_none(value) if self.none else value is UNBOUND


@dataclass(frozen=True, slots=True)
class Poison(Abstract):
    """A name that cannot be read: reading it raises the error."""

    code: str
    why: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Pullback(Abstract):
    """What `vjp(f, x)` returned inside a program: a reverse function and its tape."""

    function: Any
    tape: tuple[Operand, ...]


UNBOUND = Poison("S110", "this name is not bound here", "assign it before it is read")

__all__ = [
    "OPENED",
    "UNBOUND",
    "Abstract",
    "Box",
    "Callee",
    "Closure",
    "Generator",
    "Lazy",
    "Literal",
    "MaybeUnbound",
    "Method",
    "Num",
    "Operand",
    "Partial",
    "Poison",
    "Pullback",
    "Range",
    "Ref",
    "Series",
    "Static",
    "Struct",
    "Super",
    "Value",
    "held",
    "holding",
    "is_none",
    "is_plain",
    "snapshot",
]  # fmt: skip
