"""Calls: of NumPy functions, builtins, methods, user functions and s2sad's own transforms."""

from __future__ import annotations

import builtins
import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from s2sad.errors import UnsupportedOp
from s2sad.frontend.arrays import constant, describe
from s2sad.frontend.iterate import Iterate
from s2sad.frontend.values import (
    Abstract,
    Box,
    Closure,
    Generator,
    Lazy,
    Method,
    Num,
    Partial,
    Pullback,
    Range,
    Ref,
    Series,
    Static,
    Struct,
)
from s2sad.ir.core import Literal, Operand
from s2sad.ir.transformed import record_of
from s2sad.ir.types import Array, Scalar
from s2sad.ops import lookup, method
from s2sad.ops.expr import Leaf, apply

Handler = Callable[..., Abstract]

JOINERS = (np.stack, np.vstack, np.hstack, np.concatenate, np.column_stack)
STATIC_MODULES = ("numpy", "math", "operator", "builtins", "itertools", "functools", "string", "re", "collections")


class Calls(Iterate):
    """Calls to abstract values."""

    def expr_Call(self, node: Any, name: str) -> Abstract:
        function = self.expr(node.func)
        if isinstance(function, Static) and function.value is builtins.print:
            self.print_call(node)
            return Static(None)
        args: list[Abstract] = []
        for arg in node.args:
            if isinstance(arg, gast.Starred):
                args += self.static_items(self.expr(arg.value), arg)
            else:
                args.append(self.expr(arg))
        kwargs: dict[str, Abstract] = {}
        for keyword in node.keywords:
            if keyword.arg is not None:
                kwargs[keyword.arg] = self.expr(keyword.value)
                continue
            more = self.contents(self.expr(keyword.value))
            if isinstance(more, Struct) and more.kind == "dict":
                kwargs.update(zip(more.keys, more.items, strict=True))
            elif isinstance(more, Static) and isinstance(more.value, dict):
                kwargs.update({k: self.captured(Static(v), node) for k, v in more.value.items()})
            else:
                raise self.refuse("S114", "`**` in a call needs a dict", "", node)
        self.at(node)
        return self.call_value(function, tuple(args), kwargs, node, name)

    def call_value(
        self, function: Abstract, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str = ""
    ) -> Abstract:
        """Return the result of a call."""
        match function:
            case Static():
                return self.call_static(function, args, kwargs, node, name)
            case Closure():
                return self.call_closure(function, args, kwargs, node, name)
            case Partial(inner, bound, more):
                return self.call_value(inner, (*bound, *args), {**dict(more), **kwargs}, node, name)
            case Method(owner, attr):
                return self.call_method(owner, attr, args, kwargs, node, name)
            case Pullback():
                return self.call_pullback(function, args, node)
            case Box() | Struct():
                contents = self.contents(function)
                if isinstance(contents, Struct) and contents.kind == "record":
                    call = getattr(contents.cls, "__call__", None)
                    if isinstance(call, types.FunctionType):
                        return self.call_value(Static(call), (function, *args), kwargs, node, name)
        raise self.refuse("S117", f"{describe(function)} cannot be called", "", node)

    # -- compile-time callables -----------------------------------------------------------------------
    def call_static(
        self, function: Static, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a Python object."""
        value = function.value
        if record_of(value) is not None:
            return self.call_transformed(value, args, kwargs, node, name)
        handler = self.builtin_handler(value)
        if handler is not None:
            return handler(args, kwargs, node, name)
        call = lookup(value) if _hashable(value) else None
        if call is not None and value in JOINERS and args:
            rows = self.contents(args[0])
            if isinstance(rows, Series):
                rows = self.series_rows(rows)
            if isinstance(rows, Ref):
                return self.join_rows(value, rows, args[1:], kwargs, node, name)
        if call is not None:
            return self.call_op(call, args, kwargs, node, name)
        if isinstance(value, types.MethodType):
            owner = Static(value.__self__, function.access.attribute("__self__") if function.access else None)
            return self.call_value(Static(value.__func__), (self.captured(owner, node), *args), kwargs, node, name)
        if isinstance(value, functools.partial):
            return self.call_partial(function, value, args, kwargs, node, name)
        if isinstance(value, types.FunctionType):
            inner = getattr(value, "__wrapped__", None)
            if isinstance(inner, types.FunctionType) and value.__code__.co_name in ("wrapper", "inner", "wrapped"):
                return self.call_function(value, args, kwargs, node, name)
            return self.call_function(value, args, kwargs, node, name)
        if hasattr(value, "py_func"):  # a function compiled by Numba: read its Python text
            return self.call_function(value.py_func, args, kwargs, node, name)
        if isinstance(getattr(value, "__self__", None), np.ufunc) and value.__name__ == "at":
            return self.ufunc_at(value.__self__, args, node)
        if value is np.errstate:
            return Static(np.errstate())
        if isinstance(value, type):
            return self.construct(value, args, kwargs, node)
        return self.call_other(function, value, args, kwargs, node, name)

    def call_partial(
        self, function: Static, value: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a functools.partial."""
        access = function.access
        bound = tuple(
            self.captured(Static(a, access.attribute("args").item(k) if access else None), node)
            for k, a in enumerate(value.args)
        )
        more = {
            k: self.captured(Static(v, access.attribute("keywords").item(k) if access else None), node)
            for k, v in value.keywords.items()
        }
        return self.call_value(Static(value.func), (*bound, *args), {**more, **kwargs}, node, name)

    def call_other(
        self, function: Static, value: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling an object with `__call__`, or evaluate a pure call now."""
        call = getattr(type(value), "__call__", None)
        if isinstance(call, types.FunctionType):
            return self.call_value(Static(call), (function, *args), kwargs, node, name)
        owner = getattr(value, "__self__", None)
        module = getattr(value, "__module__", None) or type(owner).__module__ or ""
        pure = module.split(".")[0] in STATIC_MODULES and ".random" not in module
        if pure and not isinstance(owner, types.ModuleType | None) and isinstance(owner, list | dict | np.ndarray):
            pure = getattr(value, "__name__", "") in ("get", "index", "count", "copy", "keys", "values", "items")
        if pure or isinstance(owner, str | np.dtype | np.finfo):
            try:
                values = [self.static_value(a, "an argument", node) for a in args]
                named = {k: self.static_value(v, "an argument", node) for k, v in kwargs.items()}
            except Exception:
                raise self.unknown(value, node) from None
            return self.evaluated(lambda: value(*values, **named), node=node)
        raise self.unknown(value, node)

    def unknown(self, value: Any, node: Any) -> UnsupportedOp:
        """Return (to be raised) the error for a function without a rule."""
        module = getattr(value, "__module__", "") or ""
        label = getattr(value, "__name__", type(value).__name__)
        label = f"{module}.{label}" if module and module != "builtins" else label
        label = label.replace("numpy.", "np.", 1) if label.startswith("numpy.") else label
        return UnsupportedOp(
            "S201",
            f"`{label}` has no rule",
            "write it with functions that have one, or call it before the differentiated function",
            self.place(node),
        )

    # -- ops ------------------------------------------------------------------------------------------
    def call_op(
        self, call: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of a function in the table of ops."""
        kwargs = dict(kwargs)
        out = kwargs.pop("out", None)
        views: dict[Operand, Ref] = {}
        try:
            bound = call.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise self.mismatch("S319", f"TypeError: {error}", "", node) from error
        for key, value in list(bound.arguments.items()):
            if key == "out":
                out = value
                bound.arguments[key] = None
                continue
            kind = call.signature.parameters[key].kind
            static = key in call.static
            if kind is inspect.Parameter.VAR_POSITIONAL:
                bound.arguments[key] = tuple(self.argument(v, static, views, key, node) for v in value)
            elif kind is inspect.Parameter.VAR_KEYWORD:
                bound.arguments[key] = {k: self.argument(v, k in call.static, views, k, node) for k, v in value.items()}
            else:
                bound.arguments[key] = self.argument(value, static, views, key, node)
        if out is not None and "out" in bound.arguments:
            bound.arguments.pop("out")
        result = self.absorb(self.expanded(call, bound.args, bound.kwargs, node), views, name)
        if out is None or (isinstance(out, Static) and out.value is None):
            return result
        if isinstance(out, Struct) and len(out.items) == 1:
            out = out.items[0]
        if not isinstance(out, Ref):
            raise self.mismatch("S318", "`out` must be an array", "", node)
        self.write(out, None, result)
        return out

    def join_rows(
        self, function: Any, rows: Ref, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return np.stack, np.concatenate and the like of the rows of one array."""
        axis = kwargs.get("axis", args[0] if args else Num(Literal(0)))
        if self.static_int(axis, "`axis`", node) != 0:
            raise self.refuse(
                "S118", "rows can be joined along axis 0 only", "join them, then use np.moveaxis", node
            )
        whole = self.leaf(rows)
        flat = rows.type.ndim < 2 or (function in (np.concatenate, np.hstack) and rows.type.ndim == 2)
        if function is np.stack or (function is np.vstack and rows.type.ndim == 2):
            return self.absorb(apply("copy", whole), {}, name)
        if flat and function in (np.concatenate, np.hstack) and rows.type.ndim <= 2:
            return self.absorb(apply("copy", apply("reshape", whole, -1)), {}, name)
        if function in (np.concatenate, np.vstack):
            first = self.binary(gast.Mult, self.size(rows, 0), self.size(rows, 1), node)
            rest = [self.leaf(self.size(rows, k)) for k in range(2, rows.type.ndim)]
            return self.absorb(apply("copy", apply("reshape", whole, self.leaf(first), *rest)), {}, name)
        raise self.refuse("S118", f"np.{function.__name__} of rows is not supported", "use np.stack", node)

    def argument(self, value: Abstract, static: bool, views: dict[Operand, Ref], key: str, node: Any) -> Any:
        """Return an argument as the op table takes it: Expr, tuple of them, or a Python value."""
        if isinstance(value, Generator):
            value = self.listed(value)
        box = self.contents(value)
        if static:
            return self.static_value(box, f"`{key}`", node)
        match box:
            case Ref():
                operand = self.read(box)
                views.setdefault(operand, box)
                return Leaf(operand)
            case Num(operand):
                return Leaf(operand)
            case Struct(kind="tuple") | Struct(kind="list"):
                return tuple(self.argument(i, False, views, key, node) for i in box.items)
            case Series():
                rows = self.series_rows(box)
                return self.argument(rows, False, views, key, node)
            case Range():
                items = self.static_items(box, node)
                return tuple(self.argument(i, False, views, key, node) for i in items)
            case Lazy():
                return tuple(self.argument(i, False, views, key, node) for i in self.static_items(box, node))
            case Static(value=v):
                if isinstance(v, np.ndarray | np.generic) and v.dtype.kind in "biufc":
                    return self.leaf(box, node)
                if isinstance(v, list | tuple):
                    items = self.static_items(box, node)
                    return tuple(self.argument(i, False, views, key, node) for i in items)
                return v
        raise self.mismatch("S306", f"{describe(value)} cannot be an argument here", "", node)

    def array_of(self, value: Abstract, node: Any = None) -> Abstract:
        """Return a list or tuple of numbers and arrays as one array (np.array)."""
        call = lookup(np.array)
        assert call is not None
        return self.call_op(call, (value,), {}, node, "")

    # -- methods ----------------------------------------------------------------------------------------
    def call_method(
        self, owner: Abstract, attr: str, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of a method call."""
        box = self.contents(owner)
        if isinstance(owner, Box) and isinstance(box, Struct | Series):
            handler = getattr(self, f"{'dict' if _kind(box) == 'dict' else 'list'}_{attr}", None)
            if handler is not None:
                made: Abstract = handler(owner, box, args, kwargs, node)
                return made
        if isinstance(box, Ref):
            special = getattr(self, "array_" + attr, None)
            if special is not None and attr in ("fill", "sort", "tolist", "setflags", "itemset", "put"):
                made = special(box, args, kwargs, node)
                return made
        if isinstance(box, Ref | Num):
            call = method(attr)
            if call is not None:
                return self.call_op(call, (owner, *args), kwargs, node, name)
            if isinstance(box, Num) and attr == "is_integer":
                x = self.leaf(box)
                return self.absorb(apply("equal", x, apply("floor", x)), {}, name)
        if isinstance(box, Struct) and box.kind == "tuple" and attr in ("index", "count"):
            values = self.static_value(box, "the tuple", node)
            return self.evaluated(getattr(values, attr), *args, node=node)
        if isinstance(box, Struct) and box.kind == "record" and attr == "_replace":
            pairs = dict(zip(box.keys, box.items, strict=True)) | kwargs
            return Struct("record", box.keys, tuple(pairs[k] for k in box.keys), box.cls)
        raise UnsupportedOp(
            "S201", f"the method `.{attr}()` of {describe(box)} has no rule", "use the NumPy function", self.place(node)
        )

    def array_fill(self, ref: Ref, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`x.fill(v)`."""
        self.write(ref, None, args[0])
        return Static(None)

    def array_sort(self, ref: Ref, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any) -> Abstract:
        """`x.sort()`, in place."""
        call = lookup(np.sort)
        assert call is not None
        self.write(ref, None, self.call_op(call, (ref, *args), kwargs, node, ""))
        return Static(None)

    def array_tolist(self, ref: Ref, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`x.tolist()` of an array whose length is known."""
        items = tuple(self.static_items(ref, node))
        return self.box(Struct("list", tuple(range(len(items))), items))

    def list_append(self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`ys.append(v)`."""
        self.append(box, args[0], node)
        return Static(None)

    def list_extend(self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`ys.extend(vs)`."""
        for item in self.static_items(args[0], node):
            self.append(box, item, node)
        return Static(None)

    def list_copy(self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`ys.copy()`."""
        return self.box(contents)

    def list_pop(self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`ys.pop()` of a list of known length."""
        if not isinstance(contents, Struct):
            raise self.refuse("S107", "pop from a list built in a loop is not supported", "use an array", node)
        k = self.static_int(args[0], "the index", node) if args else -1
        items = list(contents.items)
        if not -len(items) <= k < len(items):
            raise self.mismatch("S319", "IndexError: pop index out of range", "", node)
        item = items.pop(k)
        self.state.heap[box.id] = Struct("list", tuple(range(len(items))), tuple(items))
        return item

    def list_insert(self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`ys.insert(k, v)` of a list of known length."""
        if not isinstance(contents, Struct):
            raise self.refuse("S107", "insert into a list built in a loop is not supported", "use an array", node)
        items = list(contents.items)
        items.insert(self.static_int(args[0], "the index", node), args[1])
        self.state.heap[box.id] = Struct("list", tuple(range(len(items))), tuple(items))
        return Static(None)

    def list_reverse(self, box: Box, contents: Any, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`ys.reverse()`."""
        if not isinstance(contents, Struct):
            raise self.refuse("S107", "reverse of a list built in a loop is not supported", "use ys[::-1]", node)
        self.state.heap[box.id] = Struct("list", contents.keys, contents.items[::-1])
        return Static(None)

    def dict_get(self, box: Box, contents: Struct, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
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
                raise self.refuse("S114", "dict.update needs a dict", "", node)
            pairs.update(zip(other.keys, other.items, strict=True))
        pairs.update(kwargs)
        self.state.heap[box.id] = Struct("dict", tuple(pairs), tuple(pairs.values()))
        return Static(None)

    def dict_pop(self, box: Box, contents: Struct, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`d.pop(key, default)`."""
        key = self.static_value(args[0], "a dict key", node)
        pairs = dict(zip(contents.keys, contents.items, strict=True))
        if key not in pairs:
            if len(args) > 1:
                return args[1]
            raise self.mismatch("S319", f"KeyError: {key!r}", "", node)
        found = pairs.pop(key)
        self.state.heap[box.id] = Struct("dict", tuple(pairs), tuple(pairs.values()))
        return found

    # -- builtins -------------------------------------------------------------------------------------------
    def builtin_handler(self, value: Any) -> Handler | None:
        """Return what reads a call of a Python builtin, or None."""
        if not _hashable(value):
            return None
        name = BUILTINS.get(value)
        return getattr(self, "call_" + name) if name is not None else None

    def call_len(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`len(x)`."""
        box = self.contents(args[0])
        match box:
            case Ref(type=t) if t.ndim:
                return self.size(box, 0)
            case Struct():
                return Num(Literal(len(box.items)))
            case Series(count=count):
                return Num(count)
            case Static(value=v):
                return self.evaluated(len, box, node=node) if not isinstance(v, np.ndarray) else constant(len(v))
            case Range(lo, hi, step):
                return Num(self.trip_count(lo, hi, step))
            case Num():
                raise self.needs_rank(box, 1, node)
        raise self.mismatch("S318", f"{describe(box)} has no len()", "", node)

    def call_range(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`range(...)`."""
        operands = [self.index_operand(self.operand(a, node), node) for a in args]
        lo = operands[0] if len(operands) > 1 else Literal(0)
        hi = operands[1] if len(operands) > 1 else operands[0]
        return Range(lo, hi, operands[2] if len(operands) > 2 else Literal(1))

    def call_zip(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`zip(...)`; strict=True is checked where lengths are known."""
        return Lazy("zip", tuple(self.listed(a) if isinstance(a, Generator) else a for a in args))

    def call_enumerate(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`enumerate(xs, start)`."""
        start = kwargs.get("start", args[1] if len(args) > 1 else Num(Literal(0)))
        first = self.listed(args[0]) if isinstance(args[0], Generator) else args[0]
        return Lazy("enumerate", (first, start))

    def call_reversed(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`reversed(xs)`."""
        return Lazy("reversed", args)

    def call_map(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`map(f, xs)` over iterables of known length."""
        rows = zip(*(self.static_items(a, node) for a in args[1:]), strict=False)
        items = tuple(self.call_value(args[0], tuple(row), {}, node) for row in rows)
        return Struct("tuple", tuple(range(len(items))), items)

    def call_list(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`list(xs)`."""
        if args and isinstance(args[0], Generator):
            return self.listed(args[0])
        if args and isinstance(self.contents(args[0]), Series):
            return self.box(self.contents(args[0]))  # type: ignore[arg-type]
        items = tuple(self.static_items(args[0], node)) if args else ()
        return self.box(Struct("list", tuple(range(len(items))), items))

    def call_tuple(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`tuple(xs)`."""
        items = tuple(self.static_items(args[0], node)) if args else ()
        return Struct("tuple", tuple(range(len(items))), items)

    def call_dict(self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str) -> Abstract:
        """`dict(pairs, **more)`."""
        pairs: dict[Any, Abstract] = {}
        for arg in args:
            box = self.contents(arg)
            if isinstance(box, Struct) and box.kind == "dict":
                pairs.update(zip(box.keys, box.items, strict=True))
                continue
            for item in self.static_items(arg, node):
                key, value = self.static_items(item, node)
                pairs[self.static_value(key, "a dict key", node)] = value
        pairs.update(kwargs)
        return self.box(Struct("dict", tuple(pairs), tuple(pairs.values())))

    def call_isinstance(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`isinstance(x, types)`, decided now."""
        kinds = self.static_value(args[1], "the type", node)
        return Num(Literal(issubclass(self.type_of(args[0], node), kinds)))

    def call_type(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`type(x)`."""
        return Static(self.type_of(args[0], node))

    def type_of(self, value: Abstract, node: Any) -> type:
        """Return the Python type that a value will have."""
        box = self.contents(value)
        match box:
            case Static(value=v):
                return type(v)
            case Ref():
                return np.ndarray
            case Num(operand):
                t = operand.type
                if isinstance(t, Scalar) and t.weak:
                    return {"b": bool, "i": int, "f": float, "c": complex}[t.dtype.kind]
                return t.dtype.type
            case Struct(kind=kind, cls=cls):
                return cls or {"tuple": tuple, "list": list, "dict": dict}[kind]  # type: ignore[no-any-return]
            case Series():
                return list
            case Closure():
                return types.FunctionType
            case Range():
                return range
        raise self.mismatch("S318", f"the type of {describe(box)} is not known", "", node)

    def call_getattr(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`getattr(x, "name")`."""
        return self.attribute(args[0], self.static_value(args[1], "an attribute name", node), node)

    def call_hasattr(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`hasattr(x, "name")`, decided now."""
        attr = self.static_value(args[1], "an attribute name", node)
        box = self.contents(args[0])
        if isinstance(box, Static):
            return Num(Literal(hasattr(box.value, attr)))
        if isinstance(box, Struct) and box.kind == "record":
            return Num(Literal(attr in box.keys or hasattr(box.cls, attr)))
        return Num(Literal(hasattr(self.type_of(box, node), attr)))

    def call_callable(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`callable(x)`."""
        box = args[0]
        return Num(Literal(callable(box.value) if isinstance(box, Static) else isinstance(box, Closure | Partial)))

    def call_str(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`str(x)` of a compile-time value."""
        return Static(str(self.static_value(args[0], "the argument of str()", node)) if args else "")

    def call_slice(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`slice(...)`."""
        none = Static(None)
        parts = (none, args[0], none) if len(args) == 1 else (*args, none)[:3]
        return Struct("slice", (0, 1, 2), tuple(parts))

    def call_sum(self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str) -> Abstract:
        """Python's `sum`."""
        start = kwargs.get("start", args[1] if len(args) > 1 else Num(Literal(0)))
        return self.folded(args[0], start, lambda a, b: self.binary(gast.Add, a, b, node), node)

    def folded(
        self, iterable: Abstract, start: Abstract, step: Callable[[Abstract, Abstract], Abstract], node: Any
    ) -> Abstract:
        """Return the fold of an iterable, as a loop where its length is not known."""
        if isinstance(iterable, Generator):
            return self.accumulate(iterable.node, start, step)
        box = self.contents(iterable)
        items = self.fixed_items(box, node) if not isinstance(box, Ref | Range | Series) else None
        if items is not None:
            for item in items:
                start = step(start, item)
            return start
        key = f"$acc{self.fresh_id()}"
        scope = self.frame.id
        item_name = f"$item{self.fresh_id()}"
        self.state.frames[scope][key] = start
        target = gast.Name(item_name, gast.Store(), None, None)

        def body() -> None:
            names = self.state.frames[scope]
            names[key] = step(names[key], names[item_name])

        self.run_for(iterable, node, target, body, [item_name, key], set())
        return self.checked(self.state.frames[scope].pop(key), "the accumulated value")

    def call_any(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """Python's `any`."""

        def step(a: Abstract, b: Abstract) -> Abstract:
            return self.either(self.truth_of(a, node), lambda: Num(Literal(True)), lambda: Num(self.truth_of(b, node)))

        return self.folded(args[0], Num(Literal(False)), step, node)

    def call_all(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """Python's `all`."""

        def step(a: Abstract, b: Abstract) -> Abstract:
            return self.either(self.truth_of(a, node), lambda: Num(self.truth_of(b, node)), lambda: Num(Literal(False)))

        return self.folded(args[0], Num(Literal(True)), step, node)

    def either(self, cond: Operand, then: Callable[[], Abstract], other: Callable[[], Abstract]) -> Abstract:
        """Return one of two values, decided now if the condition is a literal."""
        if isinstance(cond, Literal):
            return then() if cond.value else other()
        return self.branch(cond, then, other)

    def call_max(self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str) -> Abstract:
        """Python's `max`."""
        return self.extreme(max, args, kwargs, node, name)

    def call_min(self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str) -> Abstract:
        """Python's `min`."""
        return self.extreme(min, args, kwargs, node, name)

    def extreme(
        self, which: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the largest or smallest of several numbers, or of an iterable."""
        if kwargs:
            raise self.refuse("S118", f"`{which.__name__}` with keywords is not supported", "use a loop", node)
        if len(args) == 1:
            box = self.contents(self.listed(args[0]) if isinstance(args[0], Generator) else args[0])
            if isinstance(box, Series):
                box = self.series_rows(box)
            if isinstance(box, Ref):
                if box.type.ndim != 1:
                    raise self.mismatch("S318", f"`{which.__name__}` compares rows here", "use np.max", node)
                call = lookup(np.max if which is max else np.min)
                return self.call_op(call, (box,), {}, node, name)
            args = tuple(self.static_items(box, node))
        values = [a for a in args]
        if not values:
            raise self.mismatch("S319", f"ValueError: {which.__name__}() of an empty sequence", "", node)
        best = values[0]
        for other in values[1:]:
            op = gast.Gt() if which is max else gast.Lt()
            better = self.truth_of(self.compare(op, other, best, node), node)
            if isinstance(better, Literal):
                best = other if better.value else best
                continue
            kept, challenger = best, other
            best = self.branch(better, lambda c=challenger: c, lambda k=kept: k, name)  # type: ignore[misc]
        return best

    def call_sorted(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`sorted` of compile-time values."""
        values = self.static_value(args[0] if not isinstance(args[0], Lazy) else self.call_list(args, {}, node, ""), "the argument of sorted()", node)  # fmt: skip
        made = sorted(values)
        items = tuple(constant(v) for v in made)
        return self.box(Struct("list", tuple(range(len(items))), items))

    def call_copyto(self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str) -> Abstract:
        """`np.copyto(dst, src, where=mask)`."""
        target = args[0]
        if not isinstance(target, Ref):
            raise self.mismatch("S318", "np.copyto writes into an array", "", node)
        where = kwargs.get("where")
        if where is None:
            self.write(target, None, args[1])
        else:
            made = apply("where", self.leaf(where), self.leaf(args[1]), self.leaf(target))
            self.write(target, None, self.absorb(made, {}))
        return Static(None)

    def call_fill_diagonal(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`np.fill_diagonal(a, v)` of a matrix."""
        target = args[0]
        if not isinstance(target, Ref) or target.type.ndim != 2 or kwargs:
            raise self.refuse("S118", "np.fill_diagonal needs a matrix and no keywords", "write a[i, i] in a loop", node)
        count = self.shorter(self.size(target, 0).operand, self.size(target, 1).operand)
        index = self.absorb(apply("arange", 0, Leaf(count), 1, dtype=np.dtype(np.int64)), {})
        self.write(target, (index, index), args[1])
        return Static(None)

    def ufunc_at(self, ufunc: np.ufunc, args: tuple[Abstract, ...], node: Any) -> Abstract:
        """`np.add.at(x, index, v)` and `np.subtract.at`."""
        target, index = args[0], self.contents(args[1])
        if ufunc not in (np.add, np.subtract) or not isinstance(target, Ref):
            raise self.refuse("S118", f"np.{ufunc.__name__}.at is not supported", "use np.add.at or a loop", node)
        parts = index.items if isinstance(index, Struct) and index.kind == "tuple" else (args[1],)
        value = args[2]
        if ufunc is np.subtract:
            value = self.absorb(apply("negative", self.leaf(value)), {})
        self.write(target, parts, value, "at")
        return Static(None)

    # -- constructors ------------------------------------------------------------------------------------------
    def construct(
        self, cls: type, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return a namedtuple, dataclass, or object of a class with a readable `__init__`."""
        if issubclass(cls, BaseException):
            return Static(cls)
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            defaults = {k: constant(v) for k, v in getattr(cls, "_field_defaults", {}).items()}
            given = dict(zip(cls._fields, args, strict=False)) | kwargs
            missing = [f for f in cls._fields if f not in given and f not in defaults]
            if missing or len(args) > len(cls._fields):
                raise self.mismatch("S319", f"TypeError: {cls.__name__} is missing {missing}", "", node)
            items = tuple(given.get(f, defaults.get(f, Static(None))) for f in cls._fields)
            return Struct("record", cls._fields, items, cls)
        init = getattr(cls, "__init__", None)
        if "__dataclass_fields__" in vars(cls):
            return self.construct_dataclass(cls, args, kwargs, node)
        if isinstance(init, types.FunctionType):
            made = self.box(Struct("record", (), (), cls))
            self.call_value(Static(init), (made, *args), kwargs, node)
            return made
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
            raise self.refuse("S118", "dataclasses with __post_init__ cannot be made here", "make it outside", node)
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

    # -- provided by classes further down --------------------------------------------------------------------
    def call_function(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a Python function."""
        raise NotImplementedError

    def call_closure(
        self, closure: Closure, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a nested function."""
        raise NotImplementedError

    def call_transformed(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling grad(f), jvp, ... inside a program."""
        raise NotImplementedError

    def call_pullback(self, pullback: Pullback, args: tuple[Abstract, ...], node: Any) -> Abstract:
        """Return the result of calling a pullback inside a program."""
        raise NotImplementedError

    def print_call(self, node: Any) -> None:
        """Emit a print."""
        raise NotImplementedError


BUILTINS: dict[Any, str] = {
    len: "len", range: "range", zip: "zip", enumerate: "enumerate", reversed: "reversed", map: "map",
    list: "list", tuple: "tuple", dict: "dict", isinstance: "isinstance", type: "type", getattr: "getattr",
    hasattr: "hasattr", callable: "callable", str: "str", slice: "slice", sum: "sum", any: "any", all: "all",
    max: "max", min: "min", sorted: "sorted", np.copyto: "copyto", np.fill_diagonal: "fill_diagonal",
}  # fmt: skip


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _kind(contents: Any) -> str:
    return contents.kind if isinstance(contents, Struct) else "list"


__all__ = ["Array", "Calls"]
