"""Structures of leaves: how Python arguments and results are made of flat values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Leaf:
    """Leaf number `index` of the flat list."""

    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Static:
    """A value known at compile time: None, a string, a function, a module, a flag."""

    value: Any


@dataclass(frozen=True, slots=True)
class Node:
    """A container. kind `tuple` and `list`: keys are 0..n-1; `dict`: its keys in order; `record`: a
    namedtuple, dataclass or callable object `cls` with attribute names as keys."""

    kind: str
    keys: tuple[Any, ...]
    items: tuple[Tree, ...]
    cls: Any = None


Tree = Leaf | Static | Node


def leaves(tree: Tree) -> Iterator[int]:
    """Yield the leaf indices in order."""
    match tree:
        case Leaf(index):
            yield index
        case Node():
            for item in tree.items:
                yield from leaves(item)


def statics(tree: Tree) -> Iterator[Any]:
    """Yield the values that are known at compile time, in order."""
    match tree:
        case Static(value):
            yield value
        case Node():
            for item in tree.items:
                yield from statics(item)


def paths(tree: Tree, prefix: tuple[tuple[str, Any], ...] = ()) -> Iterator[tuple[int, Any]]:
    """Yield (leaf index, path); a path is a tuple of ("item", key) and ("attr", name) steps."""
    match tree:
        case Leaf(index):
            yield index, prefix
        case Node():
            step = "attr" if tree.kind == "record" else "item"
            for key, item in zip(tree.keys, tree.items, strict=True):
                yield from paths(item, (*prefix, (step, key)))


def renumber(tree: Tree, mapping: dict[int, int]) -> Tree:
    """Return the tree with leaf indices replaced."""
    match tree:
        case Leaf(index):
            return Leaf(mapping[index])
        case Node():
            items = tuple(renumber(item, mapping) for item in tree.items)
            return Node(tree.kind, tree.keys, items, tree.cls)
        case _:
            return tree
