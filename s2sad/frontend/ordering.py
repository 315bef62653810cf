"""`sorted` and `list.sort`: the order is found when the program is read."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from s2sad.errors import TypeMismatch
from s2sad.frontend.lists import Lists
from s2sad.frontend.values import Abstract, Box, Ref, Static, Struct


class Ordering(Lists):
    """Sorting of lists whose order is known."""

    def call_sorted(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """`sorted(xs, key=f, reverse=True)`."""
        if isinstance(self.contents(args[0]), Ref):
            raise self.mismatch(
                "S305", "the order of an array is not known when the program is read", "use np.sort", node
            )
        return self.box(self.in_order(self.static_items(args[0], node), kwargs, node))

    def list_sort(
        self,
        box: Box,
        contents: Any,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
    ) -> Abstract:
        """`ys.sort(key=f, reverse=True)` of a list of known length."""
        if not isinstance(contents, Struct):
            raise self.refuse(
                "S107", "sort of a list built in a loop is not supported", "use np.sort(np.array(ys))", node
            )
        self.refill(box, self.in_order(list(contents.items), kwargs, node))
        return Static(None)

    def in_order(self, items: list[Abstract], kwargs: dict[str, Abstract], node: Any) -> Struct:
        """Return a list of the items, sorted as Python sorts them."""
        unknown = kwargs.keys() - {"key", "reverse"}
        if unknown:
            raise self.mismatch("S319", f"TypeError: sort has no argument {min(unknown)!r}", "", node)
        key = kwargs.get("key", Static(None))
        keyed = items
        if not (isinstance(key, Static) and key.value is None):
            keyed = [self.call_value(key, (item,), {}, node) for item in items]
        reverse = (
            bool(self.static_value(kwargs["reverse"], "`reverse`", node)) if "reverse" in kwargs else False
        )
        keys = [self.known_part(k, node) for k in keyed]
        try:
            order = sorted(range(len(items)), key=lambda k: keys[k][0], reverse=reverse)
        except TypeError as error:
            raise self.mismatch("S319", f"TypeError: {error}", "", node) from error
        for (a, a_ends), (b, b_ends) in pairwise(keys[k] for k in order):
            if (a_ends and a == b[: len(a)]) or (b_ends and b == a[: len(b)]):
                why = "what decides this order must be known when the program is read"
                raise self.mismatch("S305", why, "order arrays with np.argsort", node)
        return Struct("list", tuple(range(len(items))), tuple(items[k] for k in order))

    def known_part(self, key: Abstract, node: Any) -> tuple[tuple[Any, ...], bool]:
        """Return what is known of a key at its beginning, and if something follows that is not known: of
        `("a", x)` the string, which may decide the order."""
        contents = self.contents(key)
        if not (isinstance(contents, Struct) and contents.kind == "tuple"):
            return (self.static_value(key, "the argument of sorted()", node),), False
        known: list[Any] = []
        for item in contents.items:
            try:
                known.append(self.static_value(item, "a key", node))
            except TypeMismatch:
                return tuple(known), True
        return tuple(known), False
