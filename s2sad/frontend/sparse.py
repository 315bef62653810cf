"""Sparse matrices of SciPy: what programs do with them."""

from __future__ import annotations

from typing import Any

import gast

from s2sad.errors import UnsupportedOp
from s2sad.frontend.operators import Operators
from s2sad.frontend.values import Abstract, Num, Ref, Static, Struct
from s2sad.ir.types import Sparse
from s2sad.ops import names
from s2sad.ops.expr import Expr, Leaf, apply
from s2sad.ops.functions import swap
from s2sad.ops.sparse import turned

SPARSE = "scipy.sparse"
METHODS = ("dot", "toarray", "todense", "diagonal", "transpose", "tocsr", "tocsc")


def sparse_type(value: Abstract) -> Sparse | None:
    """Return the type of a sparse matrix, None for all else."""
    t = value.operand.type if isinstance(value, Num) else None
    return t if isinstance(t, Sparse) else None


class SparseMatrices(Operators):
    """Products with sparse matrices."""

    def binary(self, kind: Any, left: Abstract, right: Abstract, node: Any, name: str = "") -> Abstract:
        """Return `left op right`."""
        a, b = sparse_type(left), sparse_type(right)
        sparse = a if a is not None else b
        if sparse is None:
            return super().binary(kind, left, right, node, name)
        by_element = sparse.is_array
        if kind is gast.MatMult or (kind is gast.Mult and not by_element):
            other = self.contents(right if a is not None else left)
            if (a is None or b is None) and isinstance(other, Ref):
                return self.absorb(self.product(left, right, node), {}, name)
        raise self.no_rule("this operator", node)

    def product(self, left: Abstract, right: Abstract, node: Any) -> Expr:
        """Return the product of a sparse matrix and an array, in either order."""
        if sparse_type(left) is not None:
            return apply("sparse_product", self.leaf(left), self.leaf(right, node))
        x, a = self.leaf(left, node), turned(self.leaf(right))
        return apply("sparse_product", a, x) if x.ndim == 1 else swap(apply("sparse_product", a, swap(x)))

    def sparse_attribute(self, owner: Num, attr: str, node: Any) -> Abstract | None:
        """Return an attribute of a sparse matrix, None for methods."""
        t = sparse_type(owner)
        assert t is not None
        match attr:
            case "shape":
                sizes = tuple(
                    self.absorb(apply("sparse_size", Leaf(owner.operand), axis=k), {}) for k in range(2)
                )
                return Struct("tuple", (0, 1), sizes)
            case "T":
                return self.absorb(turned(Leaf(owner.operand)), {})
            case "dtype":
                return Static(t.of)
            case "ndim":
                return Static(2)
        if attr not in METHODS:
            raise self.no_rule(f"`.{attr}`", node)
        return None

    def sparse_method(
        self, owner: Num, attr: str, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of a method of a sparse matrix."""
        a = Leaf(owner.operand)
        if attr == "dot" and len(args) == 1 and isinstance(self.contents(args[0]), Ref):
            return self.absorb(self.product(owner, args[0], node), {})
        if args or kwargs:
            raise self.no_rule(f"`.{attr}` with these arguments", node)
        match attr:
            case "toarray":
                return self.absorb(apply("sparse_dense", a), {})
            case "diagonal":
                return self.absorb(apply("sparse_diagonal", a), {})
            case "transpose":
                return self.absorb(turned(a), {})
            case "tocsr" | "tocsc":
                return owner
        raise self.no_rule(f"`.{attr}`", node)

    def no_construction(self, maker: Any, node: Any) -> UnsupportedOp:
        """Return (to be raised) the error for a sparse matrix that is made inside the program."""
        return UnsupportedOp(
            "S201",
            f"`{names.label(maker)}` cannot be called inside the program: sparse matrices are constants",
            "make it before, and pass or capture it; of entries v that vary, at rows i and columns j, the "
            "product with x is np.add.at(y, i, v * x[j])",
            self.place(node),
        )

    def no_rule(self, what: str, node: Any) -> UnsupportedOp:
        """Return (to be raised) the error for what cannot be done with sparse matrices."""
        return UnsupportedOp(
            "S201",
            f"{what} of a sparse matrix has no rule",
            "sparse matrices are constants: multiply arrays by them, or call .toarray()",
            self.place(node),
        )
