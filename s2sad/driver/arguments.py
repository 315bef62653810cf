"""Which argument leaves a derivative is taken with respect to, and which result leaves it has."""

from __future__ import annotations

from s2sad.errors import TypeMismatch
from s2sad.ir.core import Function, Value
from s2sad.ir.structure import map_tree
from s2sad.ir.tree import Leaf, Node, Static, Tree, leaves
from s2sad.ir.types import Array, Sparse, Stream, is_differentiable


def argument_trees(fn: Function) -> list[tuple[str, Tree]]:
    """Return name and structure of each positional argument, those of `*args` included, and those without
    that have their defaults."""
    found: list[tuple[str, Tree]] = []
    for p in fn.signature:
        if p.kind == "positional" and p.name not in fn.extra.get("defaults", ()):
            found.append((p.name, p.tree))
        elif p.kind == "variadic" and isinstance(p.tree, Node):
            found += [(f"{p.name}[{k}]", item) for k, item in enumerate(p.tree.items)]
    return found


def selected(fn: Function, argnums: int | tuple[int, ...]) -> list[tuple[str, Tree]]:
    """Return name and structure of the arguments that `argnums` selects."""
    trees = argument_trees(fn)
    chosen = []
    for k in (argnums,) if isinstance(argnums, int) else argnums:
        if not -len(trees) <= k < len(trees):
            why = f"argnums={k}, but {fn.name} is called with {len(trees)} positional arguments"
            instead = "pass what is differentiated by position" if trees else ""
            raise TypeMismatch("S341", why, instead, fn.origin)
        chosen.append(trees[k])
    return chosen


def active_leaves(fn: Function, argnums: int | tuple[int, ...], real: bool = False) -> tuple[bool, ...]:
    """Return a flag per parameter leaf: True for the float leaves of the selected arguments. With
    `real`, complex ones are refused. An argument without any float leaf is refused."""
    active = [False] * len(fn.params)
    for name, tree in selected(fn, argnums):
        found = [i for i in leaves(tree) if is_differentiable(fn.params[i].type)]
        if not found:
            _refuse(fn, name, tree)
        for i in found:
            if real and fn.params[i].type.dtype.kind == "c":
                why = f"argument {name} of {fn.name} is complex, which has no gradient in general"
                raise TypeMismatch(
                    "S343", why, "use vjp, or split it into real and imaginary part", fn.origin
                )
            active[i] = True
    return tuple(active)


def float_argnums(fn: Function) -> tuple[int, ...]:
    """Return the positions of the arguments that hold at least one float."""
    return tuple(
        k
        for k, (_, tree) in enumerate(argument_trees(fn))
        if any(is_differentiable(fn.params[i].type) for i in leaves(tree))
    )


def _refuse(fn: Function, name: str, tree: Tree) -> None:
    match tree:
        case Static(value):
            kind = "None" if value is None else f"a {type(value).__name__}"
            why, instead = f"argument {name} of {fn.name} is {kind}", "take it out of argnums"
        case Leaf(index):
            why, instead = _number(fn, name, fn.params[index])
        case _:
            why, instead = f"argument {name} of {fn.name} holds no float", "make its numbers floats"
    raise TypeMismatch("S342", f"{why}: no derivative exists with respect to it", instead, fn.origin)


def _number(fn: Function, name: str, leaf: Value) -> tuple[str, str]:
    if isinstance(leaf.type, Sparse):
        return f"argument {name} of {fn.name} is a sparse matrix, a constant here", "take it out of argnums"
    if isinstance(leaf.type, Stream):
        return f"argument {name} of {fn.name} is a random generator", "take it out of argnums"
    if isinstance(leaf.type, Array):
        return f"argument {name} of {fn.name} is an array of {leaf.type.dtype}", f"pass {name}.astype(float)"
    return f"argument {name} of {fn.name} is an int", f"pass a float, for instance 3.0 or float({name})"


def bars_tree(fn: Function, argnums: int | tuple[int, ...], active: tuple[bool, ...], first: int) -> Tree:
    """Return the structure of the cotangents: like the chosen arguments, None at inactive leaves.
    The cotangent of the k-th active leaf is result leaf `first + k`."""
    rank = {leaf: first + k for k, leaf in enumerate(i for i, flag in enumerate(active) if flag)}
    trees = [
        map_tree(tree, lambda i: Leaf(rank[i]) if i in rank else Static(None))
        for _, tree in selected(fn, argnums)
    ]
    return trees[0] if isinstance(argnums, int) else Node("tuple", tuple(range(len(trees))), tuple(trees))


def derivative_leaves(fn: Function, kind: str, has_aux: bool) -> frozenset[int]:
    """Return the result leaves of a derived Function that are derivatives, not values or aux."""
    tree: Tree = fn.result
    if kind == "primal":
        return frozenset()
    if kind != "hvp" and (kind != "grad" or has_aux):
        assert isinstance(tree, Node)
        tree = tree.items[0 if kind == "grad" else 1]
    return frozenset(leaves(tree))
