"""Attributes and subscripts."""

from __future__ import annotations

import inspect
import types
from collections.abc import Sequence
from typing import Any

import gast
import numpy as np

from s2sad.errors import S2sadError, TypeMismatch
from s2sad.frontend.arrays import ARRAY_OF, constant, describe
from s2sad.frontend.source import Access
from s2sad.frontend.sparse import SparseMatrices
from s2sad.frontend.values import (
    OPENED,
    Abstract,
    Box,
    Lazy,
    ListRow,
    Method,
    Num,
    Partial,
    Range,
    Ref,
    Series,
    Static,
    Struct,
    Super,
    tuple_of,
)
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.transformed import record_of
from s2sad.ir.types import Array, Scalar, Sparse, Stream
from s2sad.ops import attribute, distribution
from s2sad.ops.expr import Leaf, apply

READING = ("keys", "values", "items", "get", "index", "count", "copy")
"""Methods of containers that change nothing."""

BUILTIN = {"list": list, "tuple": tuple, "dict": dict}


class Lookups(SparseMatrices):
    """Attributes and subscripts to abstract values."""

    def expr_Attribute(self, node: Any, name: str) -> Abstract:
        """Read a `Attribute` expression."""
        owner = self.expr(node.value)
        self.at(node)
        return self.attribute(owner, node.attr, node)

    def attribute(self, owner: Abstract, attr: str, node: Any) -> Abstract:
        """Return `owner.attr`."""
        match owner:
            case Static(value=v):
                return self.static_attribute(owner, v, attr, node)
            case Ref() | Num():
                return self.array_attribute(owner, attr, node)
            case Box() | Struct():
                contents = self.contents(owner)
                if isinstance(contents, Struct) and contents.kind == "record":
                    return self.record_attribute(owner, contents, attr, node)
                kind = "list" if isinstance(contents, Series) else getattr(contents, "kind", "")
                if kind in BUILTIN and not hasattr(BUILTIN[kind], attr):
                    raise self.refuse("S111", f"a {kind} has no attribute `{attr}`", ARRAY_OF, node)
                return Method(owner, attr)
            case Super():
                return self.super_attribute(owner, attr, node)
            case Partial(function=Static(value=v) as inner, kwargs=kwargs) if distribution(v) is not None:
                found = self.static_attribute(inner, v, attr, node)
                return Partial(found, (), kwargs) if isinstance(found, Static) else found
        return Method(owner, attr)

    def static_attribute(self, owner: Static, value: Any, attr: str, node: Any) -> Abstract:
        """Return an attribute of a compile-time object."""
        try:
            found = getattr(value, attr)
        except AttributeError as error:
            raise self.refuse("S111", f"{error}", "check the spelling", node) from error
        except Exception as error:
            raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error
        if isinstance(value, types.ModuleType) and value.__name__.split(".")[0] in ("numpy", "math", "scipy"):
            return constant(found)
        access = owner.access.attribute(attr) if owner.access is not None else None
        if access is not None and type(value) in OPENED[1:] and attr in READING:
            return Method(self.box(self.contents(owner)), attr)
        if isinstance(found, types.MethodType | types.BuiltinMethodType) and found.__self__ is value:
            is_read = access is not None and isinstance(found, types.MethodType)
            return self.captured(Static(found, access), node) if is_read else Static(found, access)
        return self.captured(Static(found, access), node)

    def array_attribute(  # noqa: C901 - a match of names
        self, owner: Ref | Num, attr: str, node: Any
    ) -> Abstract:
        """Return an attribute or method of an array or number."""
        t = owner.type if isinstance(owner, Ref) else owner.operand.type
        if isinstance(t, Stream):
            return Method(owner, attr)
        if isinstance(owner, Num) and isinstance(t, Sparse):
            return self.sparse_attribute(owner, attr, node) or Method(owner, attr)
        if isinstance(owner, Ref):
            match attr:
                case "shape":
                    sizes = tuple(self.size(owner, k) for k in range(owner.type.ndim))
                    return Struct("tuple", tuple(range(len(sizes))), sizes, shape_of=owner)
                case "size":
                    return self.total_size(owner)
                case "flat":
                    raise self.refuse("S112", "`.flat` is not supported", "use .ravel() or a loop", node)
        elif isinstance(t, Scalar) and t.weak and attr not in ("real", "imag"):
            if attr in ("is_integer", "conjugate", "hex", "as_integer_ratio", "bit_length", "bit_count"):
                return Method(owner, attr)
            if isinstance(owner, Num) and hasattr(np.ndarray, attr):
                raise self.needs_rank(owner, 1, node)
            kind = {"f": "float", "i": "int", "b": "bool", "c": "complex"}[t.dtype.kind]
            raise self.refuse(
                "S111",
                f"a Python {kind} has no attribute `{attr}`",
                "pass a NumPy array, or annotate the argument",
                node,
            )
        elif attr == "shape":
            return Struct("tuple", (), ())
        elif attr == "size":
            return Num(Literal(1))
        if attr == "ndim":
            return Num(Literal(t.ndim))
        if attr == "dtype":
            return Static(t.dtype)
        if attr == "itemsize":
            return Num(Literal(t.dtype.itemsize))
        if attr == "nbytes" and isinstance(owner, Ref):
            return self.binary(gast.Mult, self.total_size(owner), Num(Literal(t.dtype.itemsize)), node)
        call = attribute(attr)
        if call is not None:
            operand = self.operand(owner)
            views = {operand: owner} if isinstance(owner, Ref) else {}
            return self.absorb(self.expanded(call, (Leaf(operand),), {}, node), views)
        return Method(owner, attr)

    def expanded(self, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> Any:
        """Return what a call of the op table expands to, errors placed at `node`."""
        try:
            bound = call.signature.bind(*args, **kwargs)
            return call.expand(*bound.args, **bound.kwargs)
        except S2sadError as error:
            raise error.located(self.place(node)) from None
        except (TypeError, ValueError, OverflowError) as error:
            fitting = 'np.einsum("ij,j->i", a, b): a letter for each axis, commas between operands'
            instead = f"write it as {fitting}" if call.name == "einsum" else ""
            raise self.mismatch("S319", f"{type(error).__name__}: {error}", instead, node) from error

    def total_size(self, ref: Ref) -> Num:
        """Return `x.size`."""
        total: Abstract = Num(Literal(1))
        for axis in range(ref.type.ndim):
            size = self.size(ref, axis)
            total = size if axis == 0 else self.binary(gast.Mult, total, size, None)
        assert isinstance(total, Num)
        return total

    def record_attribute(self, owner: Abstract, contents: Struct, attr: str, node: Any) -> Abstract:
        """Return a field, property or method of a dataclass, namedtuple or object."""
        if attr == "__class__":
            return Static(contents.cls)
        raw = inspect.getattr_static(contents.cls, attr, None)
        if isinstance(inspect.getattr_static(contents.cls, "__getattribute__"), types.FunctionType):
            why = f"`{contents.cls.__name__}` has a `__getattribute__` of its own"
            raise self.refuse("S111", why, "read the attributes before", node)
        if isinstance(raw, types.FunctionType | property | staticmethod):
            self.remember(self.of_class(contents.cls, attr), getattr(contents.cls, attr))
        item = contents.get(attr)
        if item is not None and not isinstance(raw, property):
            return self.checked(item, attr)
        try:
            found = getattr(contents.cls, attr)
        except AttributeError:
            raise self.refuse(
                "S111", f"`{contents.cls.__name__}` has no attribute `{attr}`", "check the spelling", node
            ) from None
        if isinstance(found, property):
            assert found.fget is not None
            return self.call_value(Static(found.fget), (owner,), {}, node)
        if isinstance(found, types.FunctionType):
            raw = next((vars(c)[attr] for c in contents.cls.__mro__ if attr in vars(c)), None)
            if isinstance(raw, staticmethod):
                return Static(found)
            return self.bound_method(Static(found), owner)
        held = self.captured(Static(found, self.of_class(contents.cls, attr)), node)
        if record_of(found) is not None and isinstance(held, Static):  # a method under a decorator of ours
            return self.bound_method(held, owner)
        return held

    def of_class(self, cls: Any, attr: str) -> Access:
        """Return the access of an attribute of a class."""
        return Access(attr, ("attribute", id(cls), attr), lambda: getattr(cls, attr, None))

    def expr_Subscript(self, node: Any, name: str) -> Abstract:
        """Read a `Subscript` expression."""
        owner = self.expr(node.value)
        index = self.index_of(node.slice)
        self.at(node)
        return self.subscript(owner, index, node, name)

    def index_of(self, node: Any) -> tuple[Abstract, ...]:
        """Return the parts of a subscript."""
        if isinstance(node, gast.Tuple):
            return tuple(self.expr(e) for e in node.elts)
        return (self.expr(node),)

    def expr_Slice(self, node: Any, name: str) -> Abstract:
        """Read a `Slice` expression."""
        parts = (node.lower, node.upper, node.step)
        items = tuple(Static(None) if p is None else self.expr(p) for p in parts)
        return Struct("slice", (0, 1, 2), items)

    def subscript(self, owner: Abstract, index: tuple[Abstract, ...], node: Any, name: str = "") -> Abstract:
        """Return `owner[index]`."""
        if isinstance(owner, Ref):
            if len(index) == 1 and isinstance(index[0], Struct) and index[0].kind == "tuple":
                index = index[0].items
            if not index and not owner.type.ndim:
                return self.absorb(apply("item0", self.leaf(owner)), {}, name)
            return self.getitem(owner, index, name)
        method = self.overloaded(owner, "getitem")
        contents = self.contents(owner)
        key = index[0] if len(index) == 1 else tuple_of(index)
        if method is not None:
            return self.call_value(method, (key,), {}, node, name)
        match contents:
            case Series():
                return self.series_item(contents, key, node, name)
            case Struct() if not self.is_object(owner):
                return self.struct_item(contents, key, node)
            case Static(value=v) if v is np.c_ or v is np.r_:
                return self.joined_by_brackets(v, key, node, name)
            case Static(value=v):
                static_key = self.static_value(key, "a subscript of a compile-time object", node)
                try:
                    found = v[static_key]
                except Exception as error:
                    raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error
                access = contents.access.item(static_key) if contents.access is not None else None
                return self.captured(Static(found, access), node)
            case Range():
                return self.range_item(contents, key, node)
            case Num():
                items = key.items if isinstance(key, Struct) and key.kind == "tuple" else (key,)
                parts = [p for p in items if not (isinstance(p, Static) and p.value in (None, Ellipsis))]
                if not parts and not (
                    isinstance(contents.operand.type, Scalar) and contents.operand.type.weak
                ):
                    if not items:
                        return owner
                    rank = sum(isinstance(p, Static) and p.value is None for p in items)
                    shape = apply("reshape", Leaf(contents.operand), *[1] * rank)
                    return self.absorb(shape, {}, name)
                raise self.needs_rank(contents, max(len(index), 1), node)
        raise self.refuse(
            "S113", f"{describe(contents)} cannot be subscripted", "index an array or container", node
        )

    def joined_by_brackets(self, joiner: Any, key: Abstract, node: Any, name: str) -> Abstract:
        """Return `np.c_[a, b]` or `np.r_[a, b]` of arrays and numbers."""
        items = key.items if isinstance(key, Struct) and key.kind == "tuple" else (key,)
        ranks = [getattr(getattr(item, "type", None), "ndim", 0) for item in items]
        if not all(isinstance(item, Ref | Num | Struct | Box) for item in items) or max(ranks) > 2:
            why = f"np.{'c_' if joiner is np.c_ else 'r_'} is read of arrays and numbers only"
            raise self.refuse("S113", why, "use np.concatenate, np.column_stack or np.arange", node)
        function = np.column_stack if joiner is np.c_ else np.concatenate if max(ranks) == 2 else np.hstack
        pieces = tuple_of(items)
        return self.call_value(Static(function), (pieces,), {}, node, name)

    def range_item(self, r: Range, key: Abstract, node: Any) -> Abstract:
        """Return `range(lo, hi, step)[key]`."""
        if isinstance(key, Struct) and key.kind == "slice":
            return self.range_part(r, key, node)
        if not isinstance(key, Num):
            raise self.mismatch("S318", f"{describe(key)} is no index of a range", "use an int", node)
        count = self.trip_count(r.lo, r.hi, r.step)
        k = self.operand(key)
        inside = apply("logical_and", Leaf(k) >= -Leaf(count), Leaf(k) < Leaf(count))
        self.guard(self.lower(inside), IndexError, "range object index out of range")
        from_start = self.lower(apply("where", Leaf(k) < 0, Leaf(k) + Leaf(count), Leaf(k)))
        base = self.binary(gast.Mult, Num(from_start), Num(r.step), node)
        return self.binary(gast.Add, Num(r.lo), base, node)

    def range_length(self, r: Range) -> Operand:
        """Return `len(range(lo, hi, step))`."""
        trips = self.trip_count(r.lo, r.hi, r.step)
        if isinstance(trips, Literal):
            return Literal(max(int(trips.value.real), 0))
        size = getattr(trips.type, "size", None)
        if r.step != Literal(1) or (size is not None and self.sizes.canonical(size).is_nonnegative):
            return trips
        return self.lower(apply("where", Leaf(trips) > 0, Leaf(trips), 0))

    def range_part(self, r: Range, part: Struct, node: Any) -> Range:
        """Return `range(lo, hi, step)[part]`: the range of what is left."""
        given = [None if isinstance(p, Static) and p.value is None else self.operand(p) for p in part.items]
        stride = given[2] or Literal(1)
        if not isinstance(stride, Literal) or not isinstance(stride.value, int) or not stride.value:
            why = "a slice of a range needs a step that is known, and not 0"
            raise self.mismatch("S318", why, "write the range that is left: range(lo, hi, step)", node)
        count = self.range_length(r)
        ends: list[Operand] = [Literal(0), count]
        if stride.value < 0:
            ends = [self.int_sum(count, Literal(-1)), Literal(-1)]
        least, most = sorted(ends, key=lambda end: end in (Literal(0), Literal(-1)), reverse=True)
        for k, end in enumerate(given[:2]):
            if end is not None:
                ends[k] = self.slice_end(end, count, least, most)
        lo, hi = (self.int_sum(r.lo, self.int_product(end, r.step)) for end in ends)
        return Range(lo, hi, self.int_product(stride, r.step))

    def slice_end(self, k: Operand, count: Operand, least: Operand, most: Operand) -> Operand:
        """Return where a slice of `count` items begins or ends that is written as k."""
        if not isinstance(k, Literal):
            k = self.lower(apply("where", Leaf(k) < 0, Leaf(k) + Leaf(count), Leaf(k)))
            return self.nearer("less", self.nearer("greater", k, least), most)
        if k.value.real < 0:
            return self.nearer("greater", self.int_sum(count, k), least)
        return self.nearer("less", k, most)

    def nearer(self, by: str, a: Operand, b: Operand) -> Operand:
        """Return the one of two ints that is `less` or `greater`."""
        if isinstance(a, Literal) and isinstance(b, Literal):
            return a if (a.value.real < b.value.real) == (by == "less") else b
        return self.lower(apply("where", apply(by, Leaf(a), Leaf(b)), Leaf(a), Leaf(b)))

    def int_sum(self, a: Operand, b: Operand) -> Operand:
        """Return the sum of two ints."""
        if isinstance(a, Literal) and isinstance(b, Literal):
            return Literal(a.value + b.value)
        if Literal(0) in (a, b):
            return b if a == Literal(0) else a
        return self.lower(Leaf(a) + Leaf(b) if b != Literal(-1) else Leaf(a) - 1)

    def int_product(self, a: Operand, b: Operand) -> Operand:
        """Return the product of two ints."""
        if isinstance(a, Literal) and isinstance(b, Literal):
            return Literal(a.value * b.value)
        if Literal(1) in (a, b):
            return b if a == Literal(1) else a
        return self.lower(Leaf(a) * Leaf(b))

    def needs_rank(self, value: Num, rank: int, node: Any) -> TypeMismatch:
        """Return the error for a number used as an array."""
        error = self.mismatch(
            "S310",
            "a number is used as an array here",
            'pass an array, or annotate the argument: x: "f8[:]"',
            node,
        )
        leaf = value.operand.name if isinstance(value.operand, Value) else ""
        error.needs_rank = (leaf, rank)
        return error

    def series_item(self, series: Series, key: Abstract, node: Any, name: str) -> Abstract:
        """Return an item or slice of a list built in a loop."""
        found = self.getitem(self.series_rows(series), (key,), name)
        if isinstance(key, Struct) and key.kind == "slice":
            assert isinstance(found, Ref)
            return self.box(self.series_copy([found], series.items, name))
        return self.row_read(series, found)

    def row_read(self, series: Series, row: Abstract) -> Abstract:
        """Return an item of a list built in a loop as what it is for the program."""
        if series.items == "lists" and isinstance(row, Ref):
            return ListRow(row.buffer, row.path, row.operands, row.type)
        if series.items == "ints" and isinstance(row, Num):
            op = "to_bool" if row.operand.type.dtype.kind == "b" else "to_int"
            return self.absorb(apply(op, self.leaf(row)), {})
        if series.items == "floats" and isinstance(row, Num) and self.has_singles():
            return self.absorb(apply("to_float", self.leaf(row)), {})
        if series.items == "complexes" and isinstance(row, Num):
            return self.absorb(apply("to_complex", self.leaf(row)), {})
        self.unclear = self.unclear or series.items == "some complex"
        return row

    def series_copy(self, parts: Sequence[Ref], items: str, name: str = "") -> Series:
        """Return a new list of the given rows, one part after the other. Its items are those of the old ones:
        where they are arrays, a write to one of them makes the other lists unknown."""
        leaves = [self.leaf(part) for part in parts]
        made = apply("copy", *leaves) if len(leaves) == 1 else apply("concatenate", *leaves, axis=0)
        copy = self.absorb(made, {}, name)
        assert isinstance(copy, Ref)
        if copy.type.ndim > 1:
            for part in parts:
                for other in (part.buffer, *self.overlapping(part.buffer)):
                    self.overlaps.add(frozenset((copy.buffer, other)))
        return Series(copy, self.size(copy, 0).operand, items=items)

    def series_rows(self, series: Series) -> Ref:
        """Return the rows that are filled, as an array view."""
        known = getattr(series.count.type, "size", None)
        if known is not None and self.sizes.canonical(known) == self.sizes.canonical(
            series.rows.type.shape[0]
        ):
            return series.rows
        stop = Struct("slice", (0, 1, 2), (Static(None), Num(series.count), Static(None)))
        view = self.getitem(series.rows, (stop,))
        assert isinstance(view, Ref)
        return view

    def struct_item(self, contents: Struct, key: Abstract, node: Any) -> Abstract:
        """Return an item of a list, tuple or dict."""
        if contents.kind == "dict":
            found = contents.get(self.static_value(key, "a dict key", node))
            if found is None:
                raise self.mismatch("S319", f"KeyError: {self.static_value(key, 'a key', node)!r}", "", node)
            return self.checked(found, str(self.static_value(key, "a key", node)))
        if isinstance(key, Struct) and key.kind == "slice":
            bounds = [
                None
                if isinstance(i, Static) and i.value is None
                else self.static_int(i, "a slice bound", node)
                for i in key.items
            ]
            if bounds[2] == 0:
                raise self.mismatch("S319", "ValueError: slice step cannot be zero", "", node)
            items = contents.items[slice(*bounds)]
            made = Struct("list" if contents.kind == "list" else "tuple", tuple(range(len(items))), items)
            return self.box(made) if made.kind == "list" else made
        k = self.static_int(key, "the index of a list or tuple", node)
        if not -len(contents.items) <= k < len(contents.items):
            raise self.mismatch("S319", f"IndexError: {contents.kind} index out of range", "", node)
        return contents.items[k]

    def static_value(self, value: Abstract, what: str, node: Any) -> Any:
        """Return the Python object of a compile-time value."""
        value = self.contents(value)
        match value:
            case Static(value=v):
                return v
            case Num(operand):
                if isinstance(operand, Literal):
                    return operand.value
                if operand.type.dtype.kind in "iu":
                    return self.static_int(value, what, node)
            case Struct():
                items = [self.static_value(i, what, node) for i in value.items]
                if value.kind == "slice":
                    return slice(*items)
                if value.kind == "dict":
                    return dict(zip(value.keys, items, strict=True))
                return tuple(items) if value.kind == "tuple" else items
            case Lazy():
                return [self.static_value(i, what, node) for i in self.static_items(value, node)]
            case Ref(type=Array()):
                pass
        raise self.mismatch("S305", f"{what} must be known at compile time, not {describe(value)}", "", node)
