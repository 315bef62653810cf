"""Taking values apart and putting leaves together fast: a structure becomes a Python expression,
compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from s2sad.ir.structure import rebuild
from s2sad.ir.tree import Leaf, Node, Static, Tree

Assembler = Callable[[Sequence[Any]], Any]


def assembler(tree: Tree, kinds: Mapping[int, Any]) -> Assembler:
    """Return a function from flat leaves to the value of structure `tree`; leaf k goes through
    `kinds[k]` if that exists.

    >>> assembler(Node("tuple", (0, 1), (Leaf(1), Leaf(0))), {0: float})([1, 2])
    (2, 1.0)
    """
    names: dict[str, Any] = {}
    text = _text(tree, kinds, names, set())
    made: Assembler = eval(f"lambda o: {text}", names)  # our own text
    return made


def gatherer(trees: Sequence[Tree]) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function from values of the given structures to their leaves in order.

    >>> gatherer((Leaf(0), Node("dict", ("a", "b"), (Leaf(1), Static(None)))))([1.0, {"a": 2.0, "b": None}])
    [1.0, 2.0]
    """
    names: dict[str, Any] = {}
    parts = [part for k, tree in enumerate(trees) for part in _parts(tree, f"v[{k}]", names)]
    made: Callable[[Sequence[Any]], list[Any]] = eval(
        f"lambda v: [{', '.join(parts)}]", names
    )  # our own text
    return made


def _parts(tree: Tree, text: str, names: dict[str, Any]) -> Iterator[str]:
    match tree:
        case Leaf():
            yield text
        case Node(kind, keys, items):
            for key, item in zip(keys, items, strict=True):
                if kind == "record":
                    yield from _parts(item, f"{text}.{key}", names)
                else:
                    name = f"c{len(names)}"
                    names[name] = key
                    yield from _parts(item, f"{text}[{name}]", names)


def _another(found: Any) -> Any:
    return found.copy() if isinstance(found, np.ndarray) else found


def _text(tree: Tree, kinds: Mapping[int, Any], names: dict[str, Any], seen: set[int]) -> str:
    def name(value: Any) -> str:
        key = f"c{len(names)}"
        names[key] = value
        return key

    match tree:
        case Leaf(index):
            if index in kinds:
                return f"{name(kinds[index])}(o[{index}])"
            if index in seen:  # two results share no memory
                return f"{name(_another)}(o[{index}])"
            seen.add(index)
            return f"o[{index}]"
        case Static(value):
            return name(value)
        case Node("record", keys, items, cls):
            flat = Node("record", keys, tuple(map(Leaf, range(len(items)))), cls)
            inside = "".join(_text(item, kinds, names, seen) + ", " for item in items)
            return f"{name(lambda found: rebuild(flat, found))}(({inside}))"
        case Node("dict", keys, items, cls):
            pairs = (
                f"({name(k)}, {_text(item, kinds, names, seen)}), "
                for k, item in zip(keys, items, strict=True)
            )
            return f"{name(cls or dict)}(({''.join(pairs)}))"
        case Node(kind, _, items):
            inside = "".join(_text(item, kinds, names, seen) + ", " for item in items)
            return f"[{inside}]" if kind == "list" else f"({inside})"
