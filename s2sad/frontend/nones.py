"""Names, attributes and items that are None on some paths: how they are tested."""

from __future__ import annotations

from typing import Any

import gast

from s2sad.frontend.overloaded import Overloaded
from s2sad.frontend.values import Abstract, Box, MaybeUnbound, Num, Struct
from s2sad.ir.core import Literal


class Nones(Overloaded):
    """Names, attributes and items that may be None."""

    def test_of_none(self, node: Any) -> Abstract | None:
        """Return `name is None`, or its contrary, of a name that may be None; None for other comparisons."""
        local = self.may_be_none(node.left)
        other = node.comparators[0]
        is_test = isinstance(node.ops[0], gast.Is | gast.IsNot | gast.Eq | gast.NotEq) and len(node.ops) == 1
        if local is None or not is_test or not (isinstance(other, gast.Constant) and other.value is None):
            return None
        bound = self.certain.get(local.bound, local.bound)
        if isinstance(node.ops[0], gast.IsNot | gast.NotEq):
            return Num(bound)
        if isinstance(bound, Literal):
            return Num(Literal(not bound.value))
        made = self.emit("not_", bound)
        self.contrary[made] = bound
        return Num(made)

    def may_be_none(self, node: Any) -> MaybeUnbound | None:
        """Return what a name, attribute or item is that may be None, None for other expressions."""
        found = self.seen(node)
        return found if isinstance(found, MaybeUnbound) and found.none else None

    def seen(self, node: Any) -> Abstract | None:
        """Return what a name is, or an attribute or item of one that is in a container."""
        if isinstance(node, gast.Name):
            return self.lookup_local(node.id)
        is_item = isinstance(node, gast.Subscript) and isinstance(node.slice, gast.Constant)
        if not is_item and not isinstance(node, gast.Attribute):
            return None
        owner = self.seen(node.value)
        whole = self.contents(owner) if isinstance(owner, Box | Struct) else None
        if not isinstance(whole, Struct) or whole.kind != ("dict" if is_item else "record"):
            return None
        return whole.get(node.slice.value if is_item else node.attr)
