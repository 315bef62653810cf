"""Assignments."""

from __future__ import annotations

import inspect
import types
from typing import Any

import gast
import numpy as np

from s2sad.frontend.arrays import describe
from s2sad.frontend.calls import Calls
from s2sad.frontend.operators import BINARY
from s2sad.frontend.outcome import Outcome
from s2sad.frontend.values import (
    UNBOUND,
    Abstract,
    Box,
    ListRow,
    Num,
    Ref,
    Series,
    Static,
    Struct,
    tuple_of,
)
from s2sad.ir.core import Literal, Value
from s2sad.ops.expr import apply


class Assign(Calls):
    """Assignment statements."""

    def do_Assign(self, node: Any) -> Outcome:
        """Read a `Assign` statement."""
        first = node.targets[0]
        hint = first.id if isinstance(first, gast.Name) else ""
        value: Abstract | None = None
        if all(isinstance(target, gast.Name) for target in node.targets):
            value = self.may_be_none(node.value)
        if value is None:
            value = self.expr(node.value, hint)
        for target in node.targets:
            self.at(node)
            self.assign(target, value)
        return None

    def do_AnnAssign(self, node: Any) -> Outcome:
        """Read a `AnnAssign` statement."""
        if node.value is not None:
            hint = node.target.id if isinstance(node.target, gast.Name) else ""
            self.assign(node.target, self.expr(node.value, hint))
        return None

    def do_Delete(self, node: Any) -> Outcome:
        """Read a `Delete` statement."""
        for target in node.targets:
            if isinstance(target, gast.Name):
                self.bind(target.id, UNBOUND)
                continue
            owner = self.expr(target.value) if isinstance(target, gast.Subscript) else None
            contents = self.contents(owner) if owner is not None else None
            if not (isinstance(owner, Box) and isinstance(contents, Struct)):
                raise self.refuse(
                    "S106",
                    "`del` is supported for names and items of dicts and lists",
                    "make a new list or array",
                    node,
                )
            pop = self.dict_pop if contents.kind == "dict" else self.list_pop
            pop(owner, contents, self.index_of(target.slice), {}, node)
        return None

    def assign(self, target: Any, value: Abstract) -> None:
        """Assign a value to a target."""
        match target:
            case gast.Name():
                self.bind(target.id, self.named(value, target.id))
            case gast.Tuple() | gast.List():
                self.unpack(target.elts, value, target)
            case gast.Subscript():
                owner = self.expr(target.value)
                index = self.index_of(target.slice)
                self.at(target)
                self.store_item(owner, index, value, target)
            case gast.Attribute():
                self.store_attribute(self.expr(target.value), target.attr, value, target)
            case gast.Starred():
                raise self.refuse("S106", "a starred target is not supported here", "use an index", target)
            case _:
                raise self.refuse(
                    "S106", "this assignment target is not supported", "assign to a name", target
                )

    def named(self, value: Abstract, name: str) -> Abstract:
        """Return a value about to be bound to a name: an intermediate result takes the name."""
        if name.startswith("$"):
            return value
        if isinstance(value, Num) and isinstance(value.operand, Value):
            self.suggest(value.operand, name)
        elif isinstance(value, Ref) and not value.path:
            self.suggest(self.version(value.buffer), name)
            if not self.buffers[value.buffer].name:
                self.buffers[value.buffer].name = name
        elif isinstance(value, Ref):
            self.name_view(value, name)
        return value

    def suggest(self, value: Value, name: str) -> None:
        """Give a value without a name one; applied when the function is finished."""
        if not value.name:
            self.suggested.setdefault(value, name)

    def unpack(self, targets: list[Any], value: Abstract, node: Any) -> None:
        """Assign the items of a value to several targets."""
        star = [k for k, t in enumerate(targets) if isinstance(t, gast.Starred)]
        contents = self.contents(value)
        if isinstance(contents, Ref) and not star:
            items: list[Abstract] = [self.getitem(contents, (Num(Literal(k)),)) for k in range(len(targets))]
            length = contents.type.shape[0]
            if self.sizes.example(length) == len(targets):
                self.sizes.pin(length, self.place(node))
            count = self.size(contents, 0).operand
            if not isinstance(count, Literal):
                known = self.sizes.canonical(length)
                if not (known.is_const and known.const == len(targets)):
                    self.guard(
                        self.emit("equal", count, len(targets)),
                        ValueError,
                        f"cannot unpack an array into {len(targets)} names: wrong length",
                    )
        else:
            items = self.static_items(value, node)
        if star:
            k, after = star[0], len(targets) - star[0] - 1
            if len(items) < len(targets) - 1:
                raise self.mismatch("S319", "ValueError: not enough values to unpack", "", node)
            middle = tuple(items[k : len(items) - after])
            rest = self.box(Struct("list", tuple(range(len(middle))), middle))
            tail = items[len(items) - after :] if after else []
            items = [*items[:k], rest, *tail]
            targets = [t.value if isinstance(t, gast.Starred) else t for t in targets]
        if len(items) != len(targets):
            why = f"ValueError: cannot unpack {len(items)} values into {len(targets)} names"
            error = self.mismatch("S319", why, "", node)
            array = contents.shape_of if isinstance(contents, Struct) else None
            if array is not None:  # `n, m = x.shape` tells the rank of x, where that is guessed
                error.needs_rank = (self.read(array).name, len(targets))
            raise error
        for target, item in zip(targets, items, strict=True):
            self.assign(target, item)

    def store_item(self, owner: Abstract, index: tuple[Abstract, ...], value: Abstract, node: Any) -> None:
        """`owner[index] = value`."""
        if isinstance(owner, Ref):
            if len(index) == 1 and isinstance(index[0], Struct) and index[0].kind == "tuple":
                index = index[0].items
            self.write(owner, index, self.stored(owner, value, node))
            return
        contents = self.contents(owner)
        if self.is_object(owner):
            method = self.overloaded(owner, "setitem")
            if method is None:
                raise self.mismatch(
                    "S318", f"{describe(contents)} does not support item assignment", "", node
                )
            key = index[0] if len(index) == 1 else tuple_of(index)
            self.call_value(method, (key, value), {}, node)
            return
        if isinstance(owner, Box) and isinstance(contents, Struct):
            pairs = dict(zip(contents.keys, contents.items, strict=True))
            if contents.kind == "dict":
                pairs[self.static_value(index[0], "a dict key", node)] = value
            else:
                k = self.static_int(index[0], "the index of a list", node)
                if not -len(pairs) <= k < len(pairs):
                    raise self.mismatch("S319", "IndexError: list assignment index out of range", "", node)
                pairs[k % len(pairs)] = value
            self.refill(owner, Struct(contents.kind, tuple(pairs), tuple(pairs.values())))
            return
        if isinstance(owner, Box) and isinstance(contents, Series):
            single = len(index) == 1 and isinstance(index[0], Num | Static)
            if not single or contents.rows.type.ndim > 1 or self.operand(value, node).type.ndim:
                raise self.refuse(  # such a list holds copies, the program's holds the arrays themselves
                    "S107",
                    "of a list built in a loop only items that are numbers can be set, one by one",
                    "fill an array instead: ys = np.empty((n, m)); ys[i] = y",
                    node,
                )
            self.push_row(self.series_rows(contents), index[0], value)
            self.refill(owner, contents)
            return
        if isinstance(contents, Num):
            raise self.needs_rank(contents, len(index), node)
        if isinstance(owner, Static):
            raise self.refuse(
                "S105",
                "containers from outside the differentiated function must not be written",
                "copy it first",
                node,
            )
        raise self.mismatch("S318", f"{describe(contents)} does not support item assignment", "", node)

    def store_attribute(self, owner: Abstract, attr: str, value: Abstract, node: Any) -> None:
        """`owner.attr = value`."""
        contents = self.contents(owner)
        if not (isinstance(owner, Box) and isinstance(contents, Struct) and contents.kind == "record"):
            raise self.refuse(
                "S122",
                f"attributes of {describe(contents)} cannot be assigned here",
                "use a local name",
                node,
            )
        setter = self.setter(contents.cls, attr, node)
        if setter is not None:
            self.call_value(Static(setter), (owner, value), {}, node)
            return
        pairs = dict(zip(contents.keys, contents.items, strict=True))
        pairs[attr] = value
        self.refill(owner, Struct("record", tuple(pairs), tuple(pairs.values()), contents.cls))

    def setter(self, cls: Any, attr: str, node: Any) -> Any:
        """Return the function that a class has assign an attribute; None where it is stored in the object."""
        raw = inspect.getattr_static(cls, attr, None)
        label = f"`{cls.__name__}.{attr}`"
        if isinstance(raw, property):
            if raw.fset is None:
                why = f"AttributeError: property {label} has no setter"
                raise self.mismatch("S319", why, "", node)
            return raw.fset
        stores = inspect.getattr_static(cls, "__setattr__") is object.__setattr__
        if not stores or (hasattr(type(raw), "__set__") and not isinstance(raw, types.MemberDescriptorType)):
            why = f"assigning {label} is an affair of its class: it has a `__setattr__` or a descriptor"
            raise self.refuse("S122", why, "use a local name", node)
        if not cls.__dictoffset__ and not isinstance(raw, types.MemberDescriptorType):
            why = f"AttributeError: {label} is not among the slots of its class"
            raise self.mismatch("S319", why, "", node)
        return None

    def object_after(self, old: Abstract, kind: type, value: Abstract, node: Any) -> Abstract:
        """Return what `old op= value` leaves in the place of an object."""
        method = self.overloaded(old, f"i{BINARY[kind][1].__name__.strip('_')}")
        if method is None:
            return self.binary(kind, old, value, node)
        return self.call_value(method, (value,), {}, node)

    def do_AugAssign(self, node: Any) -> Outcome:
        """Read a `AugAssign` statement: what stands at the target is read before the right side is."""
        target = node.target
        kind = type(node.op)
        if isinstance(target, gast.Name):
            old = self.name_value(target.id, node)
            made = self.augmented(old, kind, node, target.id)
            if made is not old:
                self.assign(target, made)
            return None
        owner = self.expr(target.value)
        if isinstance(target, gast.Attribute):
            old = self.attribute(owner, target.attr, node)
            made = self.augmented(old, kind, node)
            cls = self.class_of(owner)
            if made is not old or (cls is not None and self.setter(cls, target.attr, node) is not None):
                self.store_attribute(owner, target.attr, made, node)
            return None
        index = self.index_of(target.slice)
        if isinstance(owner, Ref):
            if len(index) == 1 and isinstance(index[0], Struct) and index[0].kind == "tuple":
                index = index[0].items
            before = self.state.buffers.get(owner.buffer)
            value = self.expr(node.value)
            self.at(node)
            if self.state.buffers.get(owner.buffer) is not before and self.is_copied(owner, index):
                why = "the right side writes to the array of which an element was read before"
                raise self.refuse("S109", why, "take the right side before: v = ...; x[i] += v", node)
            self.update(owner, index, kind, value, node)
            return None
        old = self.subscript(owner, index, node)
        made = self.augmented(old, kind, node)
        if made is not old:
            self.store_item(owner, index, made, node)
        return None

    def augmented(self, old: Abstract, kind: Any, node: Any, name: str = "") -> Abstract:
        """Return what `old op= value` leaves in the place of `old`: that itself where it is changed."""
        value = self.expr(node.value)
        self.at(node)
        if self.is_object(old):
            return self.object_after(old, kind, value, node)
        if isinstance(old, ListRow):
            self.refuse_list_rows(old, old, node)
        if isinstance(old, Ref):
            self.update(old, None, kind, value, node)
        elif isinstance(old, Box) and kind is gast.Add and isinstance(self.contents(value), Ref):
            why = "`+=` of a list and an array makes an array of the name"
            raise self.mismatch("S318", why, "write ys += list(x), or x + np.array(ys)", node)
        elif isinstance(old, Box) and kind in (gast.Mult, gast.BitOr):
            self.refill(old, self.contents(self.binary(kind, old, value, node)))
        elif isinstance(old, Box) and kind is gast.Add:
            for item in self.static_items(value, node):
                self.append(old, item, node)
        else:
            return self.binary(kind, old, value, node, name)
        return old

    def is_copied(self, owner: Ref, index: tuple[Abstract, ...]) -> bool:
        """True if `owner[index]` is no view: one element, or those that an array names."""
        parts = [self.contents(i) for i in index]
        if any(isinstance(p, Ref) or (isinstance(p, Struct) and p.kind == "list") for p in parts):
            return True
        return self.is_element(owner, index)

    def is_element(self, owner: Ref, index: tuple[Abstract, ...] | None) -> bool:
        """True if `owner[index]` is one element."""
        parts = [self.contents(i) for i in index or ()]
        return bool(parts) and len(parts) == owner.type.ndim and all(isinstance(p, Num) for p in parts)

    def update(
        self, ref: Ref, index: tuple[Abstract, ...] | None, kind: Any, value: Abstract, node: Any
    ) -> None:
        """`ref[index] op= value`: an accumulation where each element is hit once, else read and write."""
        contents = self.contents(value)
        if isinstance(contents, Struct | Series):
            value = self.array_of(contents, node)
        repeated = index is not None and any(self.is_index_array(i) for i in index)
        simple = kind in (gast.Add, gast.Sub) and not repeated and ref.type.dtype.kind in "fc"
        kind_of = self.operand(value, node).type.dtype.kind
        loses = kind_of == "c" and ref.type.dtype.kind == "f" and self.is_element(ref, index)
        if simple and kind_of in "iufc" and not loses:
            if kind is gast.Sub:
                value = self.absorb(apply("negative", self.leaf(value)), {})
            self.write(ref, index, value, "add")
            return
        if index is not None and repeated:
            index = self.settled_index(index)
        old: Abstract = ref if index is None else self.getitem(ref, index)
        new = self.binary(kind, old, value, node)
        if isinstance(old, Ref):
            self.check_rank_in_place(new, old.type.ndim)
        dtype = self.operand(new, node).type.dtype
        # one element is read, changed and stored: `x[i] = x[i] + v`, and any number can be stored
        if not isinstance(old, Num) and not np.can_cast(dtype, ref.type.dtype, "same_kind"):
            raise self.mismatch(
                "S312",
                f"{dtype} cannot be stored in place in an array of {ref.type.dtype}",
                "make the array float: np.zeros(n) or x.astype(float)",
                node,
            )
        self.write(ref, index, new)

    def is_index_array(self, part: Abstract) -> bool:
        """Return True for an int array or list as an index: it may name an element twice."""
        box = self.contents(part)
        if isinstance(box, Struct):
            return box.kind == "list"
        return isinstance(box, Ref) and box.type.dtype.kind != "b" and box.type.ndim > 0

    def settled_index(self, index: tuple[Abstract, ...]) -> tuple[Abstract, ...]:
        """Return an index whose lists are made arrays once, for reading and writing."""
        settled = []
        for part in index:
            box = self.contents(part)
            settled.append(self.array_of(box) if isinstance(box, Struct) and box.kind == "list" else part)
        return tuple(settled)
