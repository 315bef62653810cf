"""Methods of lists, dicts and arrays that are no ops; constructors."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections import OrderedDict
from typing import Any

import numpy as np

from s2sad.frontend.arrays import constant
from s2sad.frontend.builtins import Builtins
from s2sad.frontend.overloaded import GENERATED
from s2sad.frontend.values import (
    Abstract,
    Box,
    Lazy,
    Partial,
    Ref,
    Series,
    Static,
    Struct,
)
from s2sad.ops import lookup
from s2sad.ops.expr import apply
from s2sad.record import replace

STATIC_MODULES = (
    "numpy",
    "math",
    "operator",
    "builtins",
    "itertools",
    "functools",
    "string",
    "re",
    "collections",
)
OF_SCOPES = (eval, exec, globals, locals, vars)  # what they give depends on where they are called
SAME_EACH_TIME = ("numpy.polynomial.", "scipy.special.")  # functions without effect, of what they are given


class Containers(Builtins):
    """Methods and constructors."""

    def array_fill(self, ref: Ref, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`x.fill(v)`."""
        self.write(ref, None, args[0])
        return Static(None)

    def array_sort(
        self, ref: Ref, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """`x.sort()`, in place."""
        call = lookup(np.sort)
        assert call is not None
        self.write(ref, None, self.call_op(call, (ref, *args), kwargs, node, ""))
        return Static(None)

    def array_tolist(self, ref: Ref, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`x.tolist()` of an array whose length is known."""
        items = tuple(self.static_items(ref, node))
        if ref.type.ndim == 1 and ref.type.dtype.kind == "c":
            items = tuple(self.absorb(apply("to_complex", self.leaf(item)), {}) for item in items)
        return self.box(Struct("list", tuple(range(len(items))), items))

    def list_append(
        self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any
    ) -> Abstract:
        """`ys.append(v)`."""
        self.append(box, args[0], node)
        return Static(None)

    def list_extend(
        self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any
    ) -> Abstract:
        """`ys.extend(vs)`."""
        for item in self.static_items(args[0], node):
            self.append(box, item, node)
        return Static(None)

    def list_copy(
        self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any
    ) -> Abstract:
        """`ys.copy()`."""
        if isinstance(contents, Series):
            contents = self.series_copy([self.series_rows(contents)], contents.items)
        return self.box(contents)

    def list_pop(
        self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any
    ) -> Abstract:
        """`ys.pop()`."""
        k = self.static_int(args[0], "the index", node) if args else -1
        if isinstance(contents, Series):
            return self.popped(box, contents, k)
        items = list(contents.items)
        if not -len(items) <= k < len(items):
            raise self.mismatch("S319", "IndexError: pop index out of range", "", node)
        item: Abstract = items.pop(k)
        self.refill(box, Struct("list", tuple(range(len(items))), tuple(items)))
        return item

    def list_insert(
        self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any
    ) -> Abstract:
        """`ys.insert(k, v)`."""
        k = self.static_int(args[0], "the index", node)
        if isinstance(contents, Series):
            self.inserted(box, contents, k, args[1], node)
            return Static(None)
        items = list(contents.items)
        items.insert(k, args[1])
        self.refill(box, Struct("list", tuple(range(len(items))), tuple(items)))
        return Static(None)

    def list_reverse(
        self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any
    ) -> Abstract:
        """`ys.reverse()`."""
        if not isinstance(contents, Struct):
            raise self.refuse(
                "S107", "reverse of a list built in a loop is not supported", "use ys[::-1]", node
            )
        self.refill(box, Struct("list", contents.keys, contents.items[::-1]))
        return Static(None)

    def dict_get(
        self, box: Box, contents: Struct, args: tuple[Abstract, ...], kwargs: Any, node: Any
    ) -> Abstract:
        """`d.get(key, default)`."""
        found = contents.get(self.static_value(args[0], "a dict key", node))
        return found if found is not None else args[1] if len(args) > 1 else Static(None)

    def dict_keys(self, box: Box, contents: Struct, args: Any, kwargs: Any, node: Any) -> Abstract:
        """`d.keys()`."""
        return Lazy("keys", (box,))

    def dict_values(self, box: Box, contents: Struct, args: Any, kwargs: Any, node: Any) -> Abstract:
        """`d.values()`."""
        return Lazy("values", (box,))

    def dict_items(self, box: Box, contents: Struct, args: Any, kwargs: Any, node: Any) -> Abstract:
        """`d.items()`."""
        return Lazy("items", (box,))

    def dict_copy(self, box: Box, contents: Struct, args: Any, kwargs: Any, node: Any) -> Abstract:
        """`d.copy()`."""
        return self.box(contents)

    def dict_update(
        self, box: Box, contents: Struct, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """`d.update(other, **more)`."""
        pairs = dict(zip(contents.keys, contents.items, strict=True))
        for arg in args:
            other = self.contents(arg)
            if not (isinstance(other, Struct) and other.kind == "dict"):
                raise self.refuse("S114", "dict.update needs a dict", "assign the items one by one", node)
            pairs.update(zip(other.keys, other.items, strict=True))
        pairs.update(kwargs)
        self.refill(box, Struct("dict", tuple(pairs), tuple(pairs.values())))
        return Static(None)

    def dict_pop(
        self, box: Box, contents: Struct, args: tuple[Abstract, ...], kwargs: Any, node: Any
    ) -> Abstract:
        """`d.pop(key, default)`."""
        key = self.static_value(args[0], "a dict key", node)
        pairs = dict(zip(contents.keys, contents.items, strict=True))
        if key not in pairs:
            if len(args) > 1:
                return args[1]
            raise self.mismatch("S319", f"KeyError: {key!r}", "", node)
        found: Abstract = pairs.pop(key)
        self.refill(box, Struct("dict", tuple(pairs), tuple(pairs.values())))
        return found

    def construct(
        self, cls: type, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return a namedtuple, dataclass, or object of a class with a readable `__init__`."""
        if issubclass(cls, BaseException):
            return Static(cls)
        if cls is functools.partial and args:
            return Partial(args[0], args[1:], tuple(kwargs.items()))
        own = next((vars(c)["__new__"] for c in cls.__mro__ if "__new__" in vars(c)), None)
        own = getattr(own, "__func__", own)
        is_read = isinstance(own, types.FunctionType) and own.__code__.co_filename != GENERATED
        if is_read and own.__module__.split(".")[0] not in (*sys.stdlib_module_names, "numpy", "scipy"):
            why = f"`{cls.__name__}` has a `__new__` of its own"
            raise self.refuse("S118", why, "make the object outside, or with a function", node)
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            defaults = {k: constant(v) for k, v in getattr(cls, "_field_defaults", {}).items()}
            given = dict(zip(cls._fields, args, strict=False)) | kwargs
            missing = [f for f in cls._fields if f not in given and f not in defaults]
            if missing or len(args) > len(cls._fields):
                raise self.mismatch("S319", f"TypeError: {cls.__name__} is missing {missing}", "", node)
            items = tuple(given.get(f, defaults.get(f, Static(None))) for f in cls._fields)
            return Struct("record", cls._fields, items, cls)
        if cls is OrderedDict:
            made = self.contents(self.call_dict(args, kwargs, node, ""))
            assert isinstance(made, Struct)
            return self.box(replace(made, cls=cls))
        init = getattr(cls, "__init__", None)
        written = getattr(init, "__code__", None)
        if "__dataclass_fields__" in vars(cls) and getattr(written, "co_filename", "") == GENERATED:
            return self.construct_dataclass(cls, args, kwargs, node)
        if isinstance(init, types.FunctionType):
            box = self.box(Struct("record", (), (), cls))
            self.call_value(Static(init), (box, *args), kwargs, node)
            return box
        if init is object.__init__ and not (args or kwargs) and type(cls) is type and own is object.__new__:
            return self.box(Struct("record", (), (), cls))
        if cls.__module__.split(".")[0] in STATIC_MODULES:
            values = [self.static_value(a, "an argument", node) for a in args]
            named = {k: self.static_value(v, "an argument", node) for k, v in kwargs.items()}
            return self.evaluated(lambda: cls(*values, **named), node=node)
        raise self.unknown(cls, node)

    def construct_dataclass(
        self, cls: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return a dataclass instance."""
        try:
            bound = inspect.signature(cls).bind(*args, **kwargs)
        except TypeError as error:
            raise self.mismatch("S319", f"TypeError: {error}", "", node) from error
        if hasattr(cls, "__post_init__"):
            raise self.refuse(
                "S118", "dataclasses with __post_init__ cannot be made here", "make it outside", node
            )
        fields = cls.__dataclass_fields__
        pairs: dict[str, Abstract] = {}
        for name, item in fields.items():
            if name in bound.arguments:
                pairs[name] = bound.arguments[name]
            elif callable(item.default_factory):
                pairs[name] = self.captured(Static(item.default_factory()), node)
            else:
                pairs[name] = self.captured(Static(item.default), node)
        made = Struct("record", tuple(pairs), tuple(pairs.values()), cls)
        return made if cls.__dataclass_params__.frozen else self.box(made)
