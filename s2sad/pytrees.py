"""Structures of arrays as flat vectors, for optimisers that know nothing else, and maps over their leaves."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.emit.load import load
from s2sad.errors import TypeMismatch
from s2sad.ir.structure import flatten, rebuild, tree_key
from s2sad.ir.transformed import form
from s2sad.ir.tree import Leaf, Node, Static, Tree

NUMBERS = (np.ndarray, np.generic, int, float, complex)
TAKEN = ("np", "flat", "unravel", "float", "complex", "ValueError")
Unravel = Callable[[Any], Any]


@form("ravel_pytree")
def ravel_pytree(pytree: Any) -> tuple[Any, Unravel]:
    """Return (flat, unravel): the float leaves of a structure as one vector, in order, and the function that
    makes such a structure of such a vector. Dicts, lists, tuples, namedtuples and dataclasses are
    structure; ints and all else are not in the vector: `unravel` puts back what was there.

    `unravel` is a function of Python text, so that it can be part of what is differentiated:
    `minimize(value_and_grad(lambda x: loss(unravel(x))), flat, jac=True)`.

    >>> flat, unravel = ravel_pytree({"w": np.ones((2, 2)), "b": (3.0, 7)})
    >>> flat
    array([1., 1., 1., 1., 3.])
    >>> unravel(2 * flat)
    {'w': array([[2., 2.],
           [2., 2.]]), 'b': (6.0, 7)}
    """
    tree, found = flatten(pytree, "pytree")
    parts = [np.ravel(leaf) for leaf in found if is_float(leaf)]
    flat = np.concatenate(parts) if parts else np.zeros(0)
    text = _Text(found, flat.dtype)
    body = text.of(tree, "pytree")
    size = text.start
    lines = [
        "import numpy as np\n\n",
        "def unravel(flat):",
        f'    """Return the structure that a vector of {size} numbers stands for."""',
        f"    if flat.shape != ({size},):",
        f'        raise ValueError("unravel takes a vector of {size} numbers")',
        f"    return {body}",
    ]
    source = "\n".join(lines) + "\n"
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    names = load(source, f"<s2sad unravel {digest}>")
    names |= text.names
    unravel: Unravel = names["unravel"]
    return flat, unravel


@form("tree_map")
def tree_map(fun: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """Return the structure of `tree` with `fun(leaf, *leaves)` at each leaf: numbers and arrays. Other trees
    have the same structure; where they have None, `fun` gets None.

    >>> tree_map(lambda p, g: p - 0.5 * g, {"w": 1.0, "b": (2.0,)}, {"w": 4.0, "b": (2.0,)})
    {'w': -1.0, 'b': (1.0,)}
    """
    shape, found = flatten(tree, "tree")
    columns = [_along(shape, other, f"rest[{k}]") for k, other in enumerate(rest)]
    return rebuild(shape, [fun(*leaf) for leaf in zip(found, *columns, strict=True)])


def is_float(leaf: Any) -> bool:
    """True for leaves that vary."""
    return isinstance(leaf, NUMBERS) and np.result_type(leaf).kind in "fc"


class _Text:
    """The expression that makes a structure of `flat`; `names` are the objects that it needs."""

    def __init__(self, found: Sequence[Any], dtype: np.dtype[Any]) -> None:
        self.found, self.dtype = found, dtype
        self.start = 0
        self.names: dict[str, Any] = {}

    def of(self, tree: Tree, path: str) -> str:
        match tree:
            case Leaf(index):
                leaf = self.found[index]
                return self.part(leaf) if is_float(leaf) else self.kept(leaf)
            case Static(value):
                return repr(value) if value is None or isinstance(value, bool | str) else self.kept(value)
            case Node():
                return self.node(tree, path)

    def node(self, tree: Node, path: str) -> str:
        items = [self.of(item, f"{path}[{key!r}]") for key, item in zip(tree.keys, tree.items, strict=True)]
        match tree.kind:
            case "tuple":
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
            case "list":
                return f"[{', '.join(items)}]"
            case "dict":
                keys = [repr(key) if isinstance(key, str | int) else self.kept(key) for key in tree.keys]
                pairs = ", ".join(f"{key}: {item}" for key, item in zip(keys, items, strict=True))
                return f"{{{pairs}}}" if tree.cls is None else f"{self.kept(tree.cls)}({{{pairs}}})"
        if not (hasattr(tree.cls, "_fields") or _is_plain_dataclass(tree.cls)):
            raise TypeMismatch(
                "S304",
                f"{path} is a {tree.cls.__name__}, which cannot be made anew from its attributes",
                "use dicts, lists, tuples, namedtuples and dataclasses",
            )
        pairs = ", ".join(f"{key}={item}" for key, item in zip(tree.keys, items, strict=True))
        return f"{self.kept(tree.cls)}({pairs})"

    def part(self, leaf: Any) -> str:
        """Return the expression for a float leaf: a copy, for a program may write to its parameters."""
        first, self.start = self.start, self.start + np.size(leaf)
        given = np.result_type(leaf)
        real = ".real" if self.dtype.kind == "c" and given.kind != "c" else ""
        plain = given == (np.zeros(0, self.dtype).real.dtype if real else self.dtype)
        if isinstance(leaf, np.ndarray):
            own = ".copy()" if plain else f".astype(np.{given.name})"
            return f"flat[{first}:{self.start}]{real}.reshape({leaf.shape}){own}"
        if isinstance(leaf, np.generic):
            return f"flat[{first}]{real}" if plain else f"np.{given.name}(flat[{first}]{real})"
        return f"{type(leaf).__name__}(flat[{first}]{real})"

    def kept(self, value: Any) -> str:
        name = getattr(value, "__name__", "kept") if isinstance(value, type) else "kept"
        unique, count = name, 1
        while unique in TAKEN or self.names.get(unique, value) is not value:
            count += 1
            unique = f"{name}{count}"
        self.names[unique] = value
        return unique


def _is_plain_dataclass(cls: type) -> bool:
    return dataclasses.is_dataclass(cls) and all(f.init for f in dataclasses.fields(cls))


def _along(shape: Tree, value: Any, name: str) -> list[Any]:
    """Return the leaves of a tree in the order of another's; None where it has None."""
    tree, found = flatten(value, name)

    def walk(wanted: Tree, given: Tree) -> list[Any]:
        match wanted, given:
            case Leaf(), Leaf(index):
                return [found[index]]
            case Leaf(), Static(None):
                return [None]
            case Node(), Node() if (wanted.kind, wanted.keys, wanted.cls) == (
                given.kind,
                given.keys,
                given.cls,
            ):
                pairs = zip(wanted.items, given.items, strict=True)
                return [leaf for pair in pairs for leaf in walk(*pair)]
            case Static(), Static(other) if other is None or tree_key(wanted) == tree_key(given):
                return []
        raise TypeMismatch("S333", f"{name} does not have the structure of the first tree", "")

    return walk(shape, tree)
