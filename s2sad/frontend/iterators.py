"""itertools, over iterables whose length is known when the program is read; np.ndindex."""

from __future__ import annotations

import functools
import inspect
import itertools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gast
import numpy as np

from s2sad.errors import S2sadError
from s2sad.frontend.iterate import Item
from s2sad.frontend.ordering import Ordering
from s2sad.frontend.values import Abstract, Lazy, Num, Static, Struct, tuple_of
from s2sad.ir.core import Literal, Operand

Rows = Iterable[Sequence[Abstract]]
SIGNATURES: dict[Any, Callable[..., Any]] = {
    itertools.product: lambda *iterables, repeat=1: None,
    itertools.combinations: lambda iterable, r: None,
    itertools.combinations_with_replacement: lambda iterable, r: None,
    itertools.permutations: lambda iterable, r=None: None,
    itertools.pairwise: lambda iterable, /: None,
    itertools.chain: lambda *iterables: None,
    itertools.chain.from_iterable: lambda iterable, /: None,
    itertools.zip_longest: lambda *iterables, fillvalue=None: None,
    itertools.accumulate: lambda iterable, func=None, *, initial=None: None,
    itertools.starmap: lambda function, iterable, /: None,
    itertools.islice: lambda iterable, /, *bounds: None,
}
NUMBERS = ("repeat", "r")
BY_ROWS: dict[Any, Callable[..., Rows]] = {
    itertools.product: lambda columns, repeat: itertools.product(*columns, repeat=repeat),
    itertools.combinations: lambda columns, r: itertools.combinations(columns[0], r),
    itertools.combinations_with_replacement: lambda columns, r: itertools.combinations_with_replacement(
        columns[0], r
    ),
    itertools.permutations: lambda columns, r: itertools.permutations(columns[0], r),
    itertools.pairwise: lambda columns: itertools.pairwise(columns[0]),
    itertools.zip_longest: lambda columns, fillvalue: itertools.zip_longest(*columns, fillvalue=fillvalue),
}


class Iterators(Ordering):
    """Calls of itertools, which give an iterator over a list, and of np.ndindex."""

    def iterator_handler(self, value: Any) -> Callable[..., Abstract] | None:
        """Return what reads a call of a function of itertools, or None."""
        if value is np.ndindex:
            return self.call_ndindex
        return functools.partial(self.call_itertools, value) if value in SIGNATURES else None

    def call_ndindex(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """`np.ndindex(n, m)` and `np.ndindex(x.shape)`: its parts are the sizes."""
        whole = self.contents(args[0]) if len(args) == 1 else None
        if isinstance(whole, Struct | Static):
            args = tuple(self.static_items(args[0], node))
        sizes = tuple(Num(self.index_operand(self.operand(n, node), node)) for n in args)
        for size in sizes:
            known = getattr(size.operand.type, "size", None)
            if known is None or known.clamped() != known:
                positive = self.compare(gast.GtE(), size, Num(Literal(0)), node)
                self.guard(self.truth_of(positive, node), ValueError, "negative dimensions are not allowed")
        return Lazy("ndindex", sizes) if sizes else self.box(Struct("list", (0,), (tuple_of(()),)))

    def counted_lazy(
        self, kind: str, parts: tuple[Abstract, ...], node: Any
    ) -> tuple[Operand, Operand, Operand, Item]:
        """Return the loop bounds and items of iterators: the index of an element from its number."""
        if kind != "ndindex":
            return super().counted_lazy(kind, parts, node)
        strides: list[Abstract] = [parts[-1]]
        for size in reversed(parts[:-1]):
            strides.insert(0, self.binary(gast.Mult, strides[0], size, node))

        def index(k: Operand) -> Abstract:
            places: list[Abstract] = []
            for axis, size in enumerate(parts):
                place: Abstract = Num(k)
                if axis < len(parts) - 1:
                    place = self.binary(gast.FloorDiv, place, strides[axis + 1], node)
                places.append(self.binary(gast.Mod, place, size, node) if axis else place)
            return tuple_of(places)

        return Literal(0), self.operand(strides[0]), Literal(1), index

    def call_itertools(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the iterator, over a list of its items."""
        try:
            bound = inspect.signature(SIGNATURES[function]).bind(*args, **kwargs)
        except TypeError as error:
            raise self.mismatch("S319", f"TypeError: {function.__name__}(): {error}", "", node) from error
        bound.apply_defaults()
        given = dict(bound.arguments)
        try:
            items = self.items_of(function, given, node)
        except ValueError as error:  # of itertools: a negative number
            raise self.mismatch("S319", f"ValueError: {error}", "", node) from error
        except S2sadError as error:
            if error.code != "S305":
                raise
            raise self.mismatch(
                "S305",
                f"itertools.{function.__name__} needs iterables of a length that is known here",
                "write loops over range(n)",
                node,
            ) from error
        return Lazy("iter", (self.box(Struct("list", tuple(range(len(items))), tuple(items))),))

    def items_of(self, function: Any, given: dict[str, Any], node: Any) -> Sequence[Abstract]:
        """Return the items of an iterator, from its arguments by name."""
        iterables = given.pop("iterables", None) or (given.pop("iterable"),)
        columns = [self.static_items(x, node) for x in iterables]
        for name in NUMBERS:
            if isinstance(given.get(name), Abstract):
                given[name] = self.static_int(given[name], f"`{name}`", node)
        if function in BY_ROWS:
            if "fillvalue" in given and given["fillvalue"] is None:
                given["fillvalue"] = Static(None)
            return [tuple_of(tuple(row)) for row in BY_ROWS[function](columns, **given)]
        if function is itertools.chain:
            return list(itertools.chain(*columns))
        if function == itertools.chain.from_iterable:
            return [item for column in columns[0] for item in self.static_items(column, node)]
        if function is itertools.starmap:
            rows = [tuple(self.static_items(row, node)) for row in columns[0]]
            return [self.call_value(given["function"], row, {}, node) for row in rows]
        if function is itertools.islice:
            bounds = [
                None if isinstance(b, Static) and b.value is None else self.static_int(b, "a bound", node)
                for b in given["bounds"]
            ]
            return list(itertools.islice(columns[0], *bounds))
        return self.accumulated(columns[0], given["func"], given["initial"], node)

    def accumulated(
        self, items: Sequence[Abstract], function: Abstract | None, initial: Abstract | None, node: Any
    ) -> Sequence[Abstract]:
        """Return the partial folds of items: sums, or by another function."""
        fold = function if function is not None and is_given(function) else Static(operator.add)
        found: list[Abstract] = []
        for item in [*([initial] if initial is not None and is_given(initial) else []), *items]:
            found.append(self.call_value(fold, (found[-1], item), {}, node) if found else item)
        return found


def is_given(value: Abstract) -> bool:
    """True unless an argument is None."""
    return not (isinstance(value, Static) and value.value is None)
