"""Names that are None on some paths: how they are tested."""

from __future__ import annotations

from typing import Any

import gast

from s2sad.frontend.overloaded import Overloaded
from s2sad.frontend.values import Abstract, MaybeUnbound, Num
from s2sad.ir.core import Literal


class Nones(Overloaded):
    """Names that may be None."""

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
        """Return what a name is that may be None, None for other expressions."""
        local = self.lookup_local(node.id) if isinstance(node, gast.Name) else None
        return local if isinstance(local, MaybeUnbound) and local.none else None
