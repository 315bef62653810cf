"""`ravel_pytree` and `tree_map` inside a program: the structure is known when the program is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from s2sad.frontend.optimize import Optimizers
from s2sad.frontend.values import Abstract, Callee, Num, Ref, Static, Struct, tuple_of
from s2sad.ir.core import Literal
from s2sad.ir.types import Scalar, is_differentiable
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Unravel(Callee):
    """The function that makes a structure like `template` of a flat vector."""

    called = "call_unravel"
    template: Abstract


class Pytrees(Optimizers):
    """Structures as vectors."""

    def call_unravel(
        self, function: Unravel, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str
    ) -> Abstract:
        """Return a structure of what is in a vector."""
        if len(args) != 1 or kwargs:
            raise self.mismatch("S319", "TypeError: unravel takes one vector", "", node)
        return self.unravel(function.template, args[0], [Num(Literal(0))], node)

    def made_by(self, program: Any, args: tuple[Abstract, ...], node: Any) -> Abstract:
        """Return the result of a program below."""
        return self.call_program(program, args, {}, node)

    def form_ravel_pytree(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`ravel_pytree(tree)`: the vector, and the function back."""
        (tree,) = args
        parts = [self.made_by(line, (leaf,), node) for leaf in self.float_parts(tree)]
        bundle = tuple_of(parts)
        flat = self.made_by(joined, (bundle,), node) if parts else self.made_by(nothing, (), node)
        return Struct("tuple", (0, 1), (flat, Unravel(tree)))

    def form_tree_map(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`tree_map(f, tree, *rest)`."""
        function, *trees = args
        return self.mapped(function, [self.contents(tree) for tree in trees], node)

    def mapped(self, function: Abstract, trees: list[Abstract], node: Any) -> Abstract:
        """Return a structure of the results of a function at the leaves."""
        first = trees[0]
        if isinstance(first, Struct):
            if not all(isinstance(t, Struct) and t.keys == first.keys for t in trees):
                raise self.mismatch("S333", "the trees do not have the same structure", "", node)
            rows = zip(*(t.items for t in trees if isinstance(t, Struct)), strict=True)
            items = tuple(self.mapped(function, [self.contents(a) for a in row], node) for row in rows)
            return self.like(first, items)
        if isinstance(first, Ref | Num):
            return self.call_value(function, tuple(trees), {}, node)
        return first

    def float_parts(self, tree: Abstract) -> Iterator[Abstract]:
        """Yield the float leaves of a structure."""
        box = self.contents(tree)
        if isinstance(box, Struct):
            for item in box.items:
                yield from self.float_parts(item)
        elif isinstance(box, Ref | Num) and is_differentiable(self.operand(box).type):
            yield box

    def unravel(self, template: Abstract, flat: Abstract, at: list[Abstract], node: Any) -> Abstract:
        """Return a structure like `template`, of what `flat` has from `at[0]` on; at[0] moves on."""
        box = self.contents(template)
        if isinstance(box, Struct):
            return self.like(box, tuple(self.unravel(item, flat, at, node) for item in box.items))
        if not isinstance(box, Ref | Num) or not is_differentiable(self.operand(box).type):
            return template
        t = self.operand(box).type
        start = at[0]
        is_first = start == Num(Literal(0))
        at[0] = self.made_by(extent, (box,), node) if is_first else self.made_by(after, (start, box), node)
        if isinstance(box, Ref):
            return (
                self.made_by(head, (flat, box), node)
                if is_first
                else self.made_by(part, (flat, start, box), node)
            )
        weak = isinstance(t, Scalar) and t.weak
        kind = Static({"f": float, "c": complex}[t.dtype.kind] if weak else t.dtype.type)
        return self.made_by(entry, (flat, start, kind), node)


# programs, read in place of the calls


def line(x: Any) -> Any:
    """Return the elements of a leaf as a vector."""
    return np.ravel(x)


def joined(parts: Any) -> Any:
    """Return vectors in one."""
    return np.concatenate(parts)


def nothing() -> Any:
    """Return the vector of no leaves."""
    return np.zeros(0)


def extent(like: Any) -> Any:
    """Return where the second leaf starts."""
    return np.size(like)


def after(start: Any, like: Any) -> Any:
    """Return where the next leaf starts."""
    return start + np.size(like)


def head(flat: Any, like: Any) -> Any:
    """Return an array of a vector's first elements."""
    return flat[: np.size(like)].reshape(np.shape(like)).astype(like.dtype)


def part(flat: Any, start: Any, like: Any) -> Any:
    """Return an array of a vector's elements."""
    return flat[start : start + np.size(like)].reshape(np.shape(like)).astype(like.dtype)


def entry(flat: Any, start: Any, kind: Any) -> Any:
    """Return a number of a vector's elements."""
    return kind(flat[start])
