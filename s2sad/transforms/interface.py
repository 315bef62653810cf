"""What derivative functions look like from outside: their parameters, results and documentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from s2sad.ir.core import Function, Parameter, distinct
from s2sad.ir.structure import map_tree
from s2sad.ir.tree import Leaf, Node, Static, Tree, leaves
from s2sad.ir.types import Scalar, is_differentiable
from s2sad.record import replace


class Interface:
    """How the derivatives of a function are called. `called`: the derivative is for a call inside
    another derivative, where the final versions of written parameters count as results."""

    def __init__(self, fn: Function, active: Sequence[bool], called: bool = False):
        self.fn = fn
        self.called = called
        self.active = tuple(
            bool(flag) and is_differentiable(p.type) for flag, p in zip(active, fn.params, strict=True)
        )
        types = fn.result_types
        count = len(types) if called else len(types) - len(fn.writes)
        self.kept_results = tuple(range(count))
        self.dotted_results = tuple(k for k in range(count) if is_differentiable(types[k]))
        self.seeded_results = tuple(k in self.dotted_results for k in range(len(types)))

    def extra(self) -> dict[str, Any]:
        """Return `Function.extra` of a derivative."""
        kept = {key: value for key, value in self.fn.extra.items() if key in ("captured", "inline")}
        return kept | {"fresh_results": True}

    def active_parameters(self) -> list[Parameter]:
        """Return the Python-level parameters that hold an active leaf."""
        return [p for p in self.fn.signature if any(self.active[k] for k in leaves(p.tree))]

    def forward_signature(self) -> tuple[tuple[Parameter, ...], Tree]:
        """Return parameters and result of the jvp: tangents follow the parameters, and the result is
        `(y, y_dot)`."""
        fn = self.fn
        outs = {k: len(self.kept_results) + j for j, k in enumerate(self.dotted_results)}
        result = Node("tuple", (0, 1), (fn.result, select(fn.result, outs)))
        return self.forward_parameters(("_dot",)), result

    def series_signature(self, suffixes: Sequence[str]) -> tuple[tuple[Parameter, ...], Tree]:
        """Return parameters and result of a jet: of each parameter that varies, its derivatives follow. The
        result is `(y, series)`, the series y with the tuple of its derivatives at each number."""
        fn, count = self.fn, len(suffixes)
        first = {k: len(self.kept_results) + count * j for j, k in enumerate(self.dotted_results)}

        def series(k: int) -> Tree:
            if k not in first:
                return Static(None)
            return Node("tuple", tuple(range(count)), tuple(Leaf(first[k] + n) for n in range(count)))

        result = Node("tuple", (0, 1), (fn.result, map_tree(fn.result, series)))
        return self.forward_parameters(suffixes), result

    def forward_parameters(self, suffixes: Sequence[str]) -> tuple[Parameter, ...]:
        """Return the signature with one more parameter per suffix for each that varies."""
        numbers = [k for k, flag in enumerate(self.active) if flag]
        first = {k: len(self.fn.params) + j * len(suffixes) for j, k in enumerate(numbers)}
        added = [
            Parameter(
                f"{p.name}{suffix}", select(p.tree, {k: at + n for k, at in first.items()}), self.kind()
            )
            for p in self.active_parameters()
            for n, suffix in enumerate(suffixes)
        ]
        return self.with_added(added)

    def reverse_signature(self, with_value: bool, seed_one: bool) -> tuple[tuple[Parameter, ...], Tree]:
        """Return parameters and result of the vjp: seeds follow the parameters, and the result is
        `(y, x_bar)`."""
        fn = self.fn
        added: list[Parameter] = []
        if not seed_one:
            seeds = {k: len(fn.params) + j for j, k in enumerate(self.dotted_results)}
            one = self.default_seed()
            added = [Parameter("y_bar", select(fn.result, seeds), self.kind(), 1.0, one)]
        first = len(self.kept_results) if with_value else 0
        numbers = [k for k, flag in enumerate(self.active) if flag]
        place = {k: first + j for j, k in enumerate(numbers)}
        bars = tuple(select(p.tree, place) for p in self.active_parameters())
        grads: Tree = bars[0] if len(bars) == 1 else Node("tuple", tuple(range(len(bars))), bars)
        result = Node("tuple", (0, 1), (fn.result, grads)) if with_value else grads
        return self.with_added(added), result

    def default_seed(self) -> bool:
        """Return True if the result is one real scalar, whose seed is 1.0 by default."""
        types = self.fn.result_types
        if self.called or not isinstance(self.fn.result, Leaf):
            return False
        t = types[self.fn.result.index]
        return isinstance(t, Scalar) and t.dtype.kind == "f"

    def kind(self) -> str:
        """Return the kind of added parameters: keyword where the function has defaults or variadics."""
        odd = any(
            p.kind != "captured" and (p.has_default or p.kind != "positional") for p in self.fn.signature
        )
        return "keyword" if odd else "positional"

    def with_added(self, added: list[Parameter]) -> tuple[Parameter, ...]:
        """Return the signature with parameters added after the positional ones."""
        late = [p for p in self.fn.signature if p.kind in ("captured", "variadic_keyword")]
        early = [p for p in self.fn.signature if p.kind not in ("captured", "variadic_keyword")]
        names = distinct((p.name for p in added), (p.name for p in self.fn.signature))
        fresh = [replace(p, name=name) for p, name in zip(added, names, strict=True)]
        return (*early, *fresh, *late)

    def describe(self, what: str) -> str:
        """Return the docstring of a derivative."""
        fn = self.fn
        names = ", ".join(p.name for p in fn.signature if p.kind != "captured")
        place = f" ({fn.origin})" if fn.origin else ""
        return f"Return {fn.name}({names}) and {what}{place}."


def select(tree: Tree, place: dict[int, int]) -> Tree:
    """Return the tree with leaves renumbered; leaves without a new number become None."""
    match tree:
        case Leaf(index):
            return Leaf(place[index]) if index in place else Static(None)
        case Node():
            return Node(tree.kind, tree.keys, tuple(select(item, place) for item in tree.items), tree.cls)
        case _:
            return tree if isinstance(tree, Static) else Static(None)
