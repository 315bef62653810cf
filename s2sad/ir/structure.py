"""Taking Python values apart into leaves, and putting leaves together.

Leaves are arrays, NumPy scalars, Python ints, floats and complex numbers, random generators and sparse
matrices. Containers (tuples, lists, dicts, namedtuples, dataclasses, objects with leaves among their
attributes) are structure; everything else (None, bools, strings, functions, modules) is static: part of the
structure's key.

    >>> tree, leaves = flatten({"w": np.zeros(2), "deep": (1.0, "relu")})
    >>> len(leaves), rebuild(tree, [10, 20])
    (2, {'w': 10, 'deep': (20, 'relu')})
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from s2sad.errors import TypeMismatch
from s2sad.ir.core import Value
from s2sad.ir.size import Size
from s2sad.ir.tree import Leaf, Node, Static, Tree
from s2sad.ir.types import (
    INT,
    OBJECT,
    STREAMS,
    WEAK_COMPLEX,
    WEAK_FLOAT,
    Array,
    Scalar,
    Sparse,
    Type,
    stream_type,
)

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class made by a class statement
_PLAIN_ARRAYS = (np.ndarray, np.memmap)
_WEAK = (int, float, complex)
_OPAQUE = (str, bytes, type, enum.Enum, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


def flatten(value: Any, name: str = "argument", start: int = 0) -> tuple[Tree, list[Any]]:
    """Return the structure of `value` (leaf indices from `start`) and its leaves in order."""
    found: list[Any] = []
    tree = _Walk(found, start).tree(value, name)
    return tree, found


def describe(
    value: Any, name: str, start: int = 0, taken: set[str] | None = None
) -> tuple[Tree, list[Value], list[Any]]:
    """Return structure, leaf Values and leaves of an argument called `name`. Values are named after
    the path to them (`params_w`), differently from all names in `taken`, and these are added."""
    taken = set() if taken is None else taken
    tree, found = flatten(value, name, start)
    values: list[Value] = []
    for leaf, path in zip(found, leaf_names(tree, name), strict=True):
        unique = path
        count = 1
        while unique in taken:
            count += 1
            unique = f"{path}_{count}"
        taken.add(unique)
        values.append(Value(unique, leaf_type(leaf, unique)))
    return tree, values, found


def leaf_names(tree: Tree, name: str) -> list[str]:
    """Return an identifier for each leaf of an argument called `name`: `x`, `params_w`, `xs_0`."""
    match tree:
        case Leaf():
            return [name]
        case Node():
            found: list[str] = []
            for key, item in zip(tree.keys, tree.items, strict=True):
                text = "".join(c if c.isalnum() else "_" for c in str(key))
                found += leaf_names(item, f"{name}_{text}")
            return found
        case _:
            return []


def leaf_type(leaf: Any, name: str) -> Type:
    """Return the IR type of a leaf: dimensions are symbols `name.0`, an int's value is `name`."""
    if isinstance(leaf, np.ndarray):
        return Array(leaf.dtype, tuple(Size.symbol(f"{name}.{k}") for k in range(leaf.ndim)))
    if isinstance(leaf, np.generic):
        return Scalar(leaf.dtype, size=Size.symbol(name) if leaf.dtype == INT else None)
    if isinstance(leaf, int):
        return Scalar(INT, weak=True, size=Size.symbol(name))
    if isinstance(leaf, STREAMS):
        return stream_type(leaf)
    if is_sparse(leaf):
        rows, columns = Size.symbol(f"{name}.0"), Size.symbol(f"{name}.1")
        return Sparse(OBJECT, of=leaf.dtype, rows=rows, columns=columns, is_array=_is_kind(leaf, "sparray"))
    return WEAK_FLOAT if isinstance(leaf, float) else WEAK_COMPLEX


def leaf_key(leaf: Any) -> Any:
    """Return what a variant depends on: dtype and rank, or the kind of scalar."""
    if isinstance(leaf, np.ndarray):
        return (leaf.dtype, leaf.ndim)
    if is_sparse(leaf):
        return (type(leaf), leaf.dtype)
    return type(leaf)  # not a NumPy scalar's dtype: np.dtype(float) == float


def tree_key(tree: Tree) -> Any:
    """Return a hashable key that is equal for equal structures with equal static values."""
    match tree:
        case Leaf():
            return "leaf"
        case Static(value):
            return _Same(value)
        case Node():
            return (tree.kind, tree.cls, tree.keys, tuple(map(tree_key, tree.items)))


def key_of(value: Any, name: str = "argument") -> tuple[Any, list[Any]]:
    """Return the key of a value's structure, static values and leaf types, and its leaves."""
    tree, found = flatten(value, name)
    return (tree_key(tree), tuple(map(leaf_key, found))), found


def match(tree: Tree, value: Any) -> list[Any] | None:
    """Return the leaves of `value` if it has the structure `tree`, static values included."""
    try:
        found_tree, found = flatten(value)
    except TypeMismatch:
        return None
    return found if tree_key(found_tree) == tree_key(tree) else None


def rebuild(tree: Tree, found: Sequence[Any] | Mapping[int, Any]) -> Any:
    """Return the Python value of structure `tree` with the given leaves (by leaf index)."""
    match tree:
        case Leaf(index):
            return found[index]
        case Static(value):
            return value
        case Node("tuple"):
            return tuple(rebuild(item, found) for item in tree.items)
        case Node("list"):
            return [rebuild(item, found) for item in tree.items]
        case Node("dict"):
            pairs = zip(tree.keys, (rebuild(item, found) for item in tree.items), strict=True)
            return (tree.cls or dict)(pairs)
        case _:
            return _record(tree, [rebuild(item, found) for item in tree.items])


def pick(tree: Tree, value: Any) -> dict[int, Any]:
    """Return the leaves of a value that is known to have structure `tree`, by leaf index."""
    match tree:
        case Leaf(index):
            return {index: value}
        case Static():
            return {}
        case Node(kind, keys):
            found: dict[int, Any] = {}
            for key, item in zip(keys, tree.items, strict=True):
                found.update(pick(item, getattr(value, key) if kind == "record" else value[key]))
            return found


def map_tree(tree: Tree, change: Callable[[int], Tree]) -> Tree:
    """Return `tree` with every leaf replaced by what `change` makes of its index and every static
    value by None: the structure of a derivative with respect to a value of structure `tree`."""
    match tree:
        case Leaf(index):
            return change(index)
        case Static():
            return Static(None)
        case Node():
            items = tuple(map_tree(item, change) for item in tree.items)
            return Node(tree.kind, tree.keys, items, tree.cls)


def is_sparse(value: object) -> bool:
    """True for sparse matrices of SciPy, which is not imported for that."""
    return type(value).__module__.startswith("scipy.sparse") and (
        _is_kind(value, "spmatrix") or (_is_kind(value, "sparray") and getattr(value, "ndim", 0) == 2)
    )


def _is_kind(value: object, name: str) -> bool:
    return any(c.__name__ == name for c in type(value).__mro__)


class _Same:
    """A static value as part of a key: equal type and equal value, or the same object."""

    __slots__ = ("hash", "value")

    def __init__(self, value: Any):
        self.value = value
        try:
            self.hash = hash((type(value), value))
        except TypeError:
            self.hash = id(value)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Same):
            return NotImplemented
        if self.value is other.value:
            return True
        if type(self.value) is not type(other.value) or self.hash != other.hash:
            return False
        try:
            return bool(self.value == other.value)
        except (TypeError, ValueError):  # an object that cannot be compared is equal to itself only
            return False


class _Walk:
    def __init__(self, found: list[Any], start: int):
        self.found, self.start = found, start
        self.inside: list[int] = []  # ids of the objects being taken apart: cycles are static

    def tree(self, value: Any, name: str) -> Tree:
        kind = type(value)
        if kind in _PLAIN_ARRAYS:
            return self.array(value, name)
        if kind in _WEAK or isinstance(value, np.generic):
            return self.leaf(_checked_scalar(value, name))
        if isinstance(value, STREAMS) or is_sparse(value):
            return self.leaf(value)
        if value is None or kind is bool or isinstance(value, _OPAQUE):
            return Static(value)
        if kind in (tuple, list):
            return self.node(kind.__name__, tuple(range(len(value))), tuple(value), None, name)
        if kind in (dict, OrderedDict):
            cls = None if kind is dict else kind
            return self.node("dict", tuple(value), tuple(value.values()), cls, name)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return self.node("record", kind._fields, tuple(value), kind, name)
        _refuse_foreign(value, name)
        return self.object(value, name)

    def leaf(self, value: Any) -> Leaf:
        self.found.append(value)
        return Leaf(self.start + len(self.found) - 1)

    def array(self, value: Any, name: str) -> Leaf:
        dtype = value.dtype
        if dtype.kind == "O":
            raise TypeMismatch(
                "S301",
                f"{name} is an array of Python objects",
                "make it numeric: np.asarray(values, dtype=float), or series.to_numpy(dtype=float)",
            )
        if dtype.kind not in "biufc":
            raise TypeMismatch("S302", f"{name} has dtype {dtype}", "pass numeric arrays only")
        if not dtype.isnative:
            raise TypeMismatch(
                "S302",
                f"{name} has the foreign byte order {dtype.str}",
                "convert it: x.astype(x.dtype.newbyteorder('='))",
            )
        return self.leaf(value)

    def node(self, kind: str, keys: tuple[Any, ...], values: tuple[Any, ...], cls: Any, name: str) -> Tree:
        if not keys:
            return Node(kind, (), (), cls)
        items = tuple(self.tree(v, _child(name, kind, k)) for k, v in zip(keys, values, strict=True))
        return Node(kind, keys, items, cls)

    def object(self, value: Any, name: str) -> Tree:
        """Return a record of an object's attributes; Static where it has none."""
        if id(value) in self.inside:
            return Static(value)
        attributes = _attributes(value)
        if not attributes:
            return Static(value)
        items: list[Tree] = []
        self.inside.append(id(value))
        for key, item in attributes.items():
            mark = len(self.found)
            try:
                items.append(self.tree(item, f"{name}.{key}"))
            except TypeMismatch:  # no number: an opaque attribute, expected to be the same at each call
                if dataclasses.is_dataclass(value):
                    raise
                del self.found[mark:]
                items.append(Static(item))
        self.inside.pop()
        return Node("record", tuple(attributes), tuple(items), type(value))


def _attributes(value: Any) -> dict[str, Any]:
    kind = type(value)
    if dataclasses.is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    # callables of libraries (ufuncs, partial, compiled functions, bound methods) and ours are static
    if not kind.__flags__ & _HEAP_TYPE or isinstance(value, functools.partial | types.MethodType):
        return {}
    if any(hasattr(value, mark) for mark in ("__s2sad__", "__wrapped__", "py_func")):
        return {}
    slots = [n for c in reversed(kind.__mro__) for n in _slots(c) if hasattr(value, n)]
    return {n: getattr(value, n) for n in slots} | getattr(value, "__dict__", {})


def _slots(cls: type) -> tuple[str, ...]:
    names = cls.__dict__.get("__slots__", ())
    names = (names,) if isinstance(names, str) else tuple(names)
    return tuple(n for n in names if not n.startswith("__"))


def _child(name: str, kind: str, key: Any) -> str:
    return f"{name}.{key}" if kind == "record" else f"{name}[{key!r}]"


def _checked_scalar(value: Any, name: str) -> Any:
    if isinstance(value, np.generic) and value.dtype.kind not in "biufc":
        raise TypeMismatch("S302", f"{name} is a NumPy scalar of dtype {value.dtype}", "pass numbers only")
    return value


def _refuse_foreign(value: Any, name: str) -> None:
    kind = type(value)
    if isinstance(value, np.ma.MaskedArray):
        raise TypeMismatch("S303", f"{name} is a masked array", "fill it: x.filled(0.0), or x.compressed()")
    if isinstance(value, np.matrix):
        raise TypeMismatch("S303", f"{name} is an np.matrix, whose * and rank differ", "pass np.asarray(x)")
    if isinstance(value, np.ndarray):
        raise TypeMismatch("S303", f"{name} is a {kind.__name__}, not a plain array", "pass np.asarray(x)")
    if hasattr(value, "to_numpy"):
        raise TypeMismatch(
            "S303", f"{name} is a {kind.__module__.split('.')[0]} {kind.__name__}", f"pass {name}.to_numpy()"
        )
    if hasattr(value, "__array__"):
        raise TypeMismatch("S303", f"{name} is a {kind.__name__}, not a NumPy array", "pass np.asarray(x)")
    if isinstance(value, dict | list | tuple | set | bytearray | memoryview):
        raise TypeMismatch(
            "S304", f"{name} is a {kind.__name__}", "pass tuples, lists, dicts, namedtuples or dataclasses"
        )
    if isinstance(value, int | float | complex):
        why = f"{name} is a {kind.__name__}, a subclass of a number"
        raise TypeMismatch("S304", why, "pass a plain number")


def _record(tree: Node, items: list[Any]) -> Any:
    cls = tree.cls
    if hasattr(cls, "_make"):
        return cls._make(items)
    made = object.__new__(cls)  # not cls(...): a gradient need not satisfy the checks of __init__
    for key, item in zip(tree.keys, items, strict=True):
        object.__setattr__(made, key, item)
    return made
