"""Calls: of NumPy functions, builtins, methods, user functions and s2sad's own transforms."""

from __future__ import annotations

import builtins
import functools
import inspect
import os
import types
from typing import Any

import gast
import numpy as np

from s2sad.errors import S2sadError, UnsupportedOp
from s2sad.frontend.arrays import ARRAY_OF, describe
from s2sad.frontend.builtins import hashable, wrong_count
from s2sad.frontend.containers import OF_SCOPES, SAME_EACH_TIME, STATIC_MODULES
from s2sad.frontend.lookups import READING
from s2sad.frontend.programs import masked
from s2sad.frontend.sized import Sized
from s2sad.frontend.sparse import SPARSE
from s2sad.frontend.values import (
    Abstract,
    Box,
    Callee,
    Closure,
    Generator,
    Lazy,
    ListRow,
    Method,
    Num,
    Partial,
    Pullback,
    Range,
    Ref,
    Series,
    Static,
    Struct,
    held,
    holding,
    is_plain,
    snapshot,
)
from s2sad.ir.core import Operand
from s2sad.ir.transformed import RULE, record_of
from s2sad.ir.types import Array, Sparse, Stream
from s2sad.ops import distribution, is_closed, lookup, method, names
from s2sad.ops.call import Casting
from s2sad.ops.expr import Leaf, Unclear, apply
from s2sad.record import replace

JOINERS = (np.stack, np.vstack, np.hstack, np.dstack, np.concatenate, np.column_stack)
INSTEAD_OF = {  # methods without a NumPy function -> what to write
    "bit_length": "count in a loop: `while n >> k: k += 1`",
    "bit_count": "count in a loop: `while n: n &= n - 1; k += 1`",
}


class Calls(Sized):
    """Calls to abstract values."""

    def expr_Call(self, node: Any, name: str) -> Abstract:
        """Read a `Call` expression."""
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
                raise self.refuse("S114", "`**` in a call needs a dict", "name the arguments", node)
        self.at(node)
        return self.call_value(function, tuple(args), kwargs, node, name)

    def call_value(
        self,
        function: Abstract,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        name: str = "",
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
            case Callee():
                made: Abstract = getattr(self, function.called)(function, args, kwargs, node, name)
                return made
            case Box() | Struct():
                contents = self.contents(function)
                if isinstance(contents, Struct) and contents.kind == "record":
                    call = inspect.getattr_static(contents.cls, "__call__", None)
                    if isinstance(call, types.FunctionType):
                        return self.call_value(Static(call), (function, *args), kwargs, node, name)
        raise self.refuse("S117", f"{describe(function)} cannot be called", "call a function", node)

    def call_static(  # noqa: C901 - a dispatch on what is called
        self, function: Static, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a Python object."""
        value = getattr(function.value, RULE, function.value)
        if record_of(value) is not None and not isinstance(value, types.MethodType):
            return self.call_transformed(value, args, kwargs, node, name)
        handler = self.builtin_handler(value)
        if handler is not None:
            wrong = wrong_count(value, args, kwargs)
            if wrong:
                raise self.mismatch("S319", wrong, "", node)
            return handler(args, kwargs, node, name)
        if self.is_masked(value, kwargs):
            return self.call_program(masked, (function, *args), kwargs, node)
        program = self.program_of(value, args, kwargs)
        if program is not None:
            known = None if program is value else self.known_now(value, args, kwargs, node)
            return self.call_program(program, args, kwargs, node) if known is None else known
        call = lookup(value) if hashable(value) else None
        if value is np.broadcast_to and len(args) == 2 and isinstance(args[0], Ref | Num):
            like = args[1].shape_of if isinstance(args[1], Struct) else None
            if like is not None:
                x = self.leaf(args[0])
                views = {x.operand: args[0]} if isinstance(args[0], Ref) else {}
                return self.absorb(apply("broadcast_like", x, self.leaf(like)), views, name)
        if value is np.block and any(map(self.holds_series, args)):
            why = "np.block of a list that a loop builds is not read: it goes by how deep lists are nested"
            raise self.refuse("S107", why, "use np.concatenate(items, axis=-1)", node)
        if call is not None and value in JOINERS and args:
            listed = self.contents(args[0])
            if isinstance(listed, Series):
                args = (self.series_rows(listed), *args[1:])
        if call is not None:
            return self.call_op(call, args, kwargs, node, name)
        frozen = distribution(value) if hashable(value) else None
        if frozen is not None:
            return self.freeze(function, frozen, args, kwargs, node)
        if isinstance(value, types.MethodType) and is_closed(value):
            raise self.unknown(value, node)
        if isinstance(value, types.MethodType):
            owner = held(value.__self__)
            if function.access is not None and function.access.key != holding(value).key:
                holder = function.access.attribute("__self__")
                short = holder.name.removesuffix("___self__").removesuffix(f"_{value.__name__}")
                owner = Static(value.__self__, replace(holder, name=short))
            return self.call_value(
                Static(value.__func__), (self.captured(owner, node), *args), kwargs, node, name
            )
        if isinstance(value, functools.partial):
            return self.call_partial(function, value, args, kwargs, node, name)
        if value is np.errstate:
            return Static(np.errstate())
        if library_of(value):
            return self.call_of_library(value, args, kwargs, node, name)
        if isinstance(value, types.FunctionType):
            return self.call_function(value, args, kwargs, node, name)
        wrapped = getattr(value, "__wrapped__", None)
        if hasattr(value, "cache_info") and isinstance(wrapped, types.FunctionType):  # functools.cache
            return self.call_function(value, args, kwargs, node, name)
        if hasattr(value, "py_func"):  # a function compiled by Numba: read its Python text
            return self.call_function(value.py_func, args, kwargs, node, name)
        if isinstance(getattr(value, "__self__", None), np.ufunc):
            return self.ufunc_method(value, args, kwargs, node)
        if isinstance(value, type):
            return self.construct(value, args, kwargs, node)
        return self.call_other(function, value, args, kwargs, node, name)

    def call_of_library(
        self, value: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of a function or class of NumPy or SciPy that has no rule: its text is read. What
        cannot be read there is refused at the call."""
        if value.__module__.startswith(SPARSE) and not value.__module__.startswith(f"{SPARSE}.linalg"):
            raise self.no_construction(value, node)
        if value.__module__.startswith(SAME_EACH_TIME) and isinstance(value, types.FunctionType):
            known = self.known_now(value, args, kwargs, node)
            if known is not None:
                return known
        try:
            if isinstance(value, type):
                return self.construct(value, args, kwargs, node)
            return self.call_function(value, args, kwargs, node, name)
        except S2sadError as error:
            if error.origin is not None and f"{os.sep}{library_of(value)}{os.sep}" in error.origin.path:
                public = getattr(np, value.__qualname__.split(".")[0], value)  # of a method its class
                raise self.unknown(public if library_of(value) == "numpy" else value, node) from error
            raise

    def call_partial(
        self,
        function: Static,
        value: Any,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        name: str,
    ) -> Abstract:
        """Return the result of calling a functools.partial."""
        access = function.access or holding(value)
        bound = tuple(
            self.captured(Static(a, access.attribute("args").item(k)), node) for k, a in enumerate(value.args)
        )
        more = {
            k: self.captured(Static(v, access.attribute("keywords").item(k)), node)
            for k, v in value.keywords.items()
        }
        return self.call_value(held(value.func), (*bound, *args), {**more, **kwargs}, node, name)

    def freeze(
        self,
        function: Static,
        signature: inspect.Signature,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
    ) -> Partial:
        """Return a distribution of scipy.stats with its parameters bound."""
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise self.mismatch("S319", f"TypeError: {error}", "", node) from error
        return Partial(function, (), tuple(bound.arguments.items()))

    def call_other(
        self,
        function: Static,
        value: Any,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        name: str,
    ) -> Abstract:
        """Return the result of calling an object with `__call__`, or evaluate a pure call now."""
        call = inspect.getattr_static(type(value), "__call__", None)
        if isinstance(call, types.FunctionType):
            return self.call_value(Static(call), (function, *args), kwargs, node, name)
        owner = getattr(value, "__self__", None)
        module = getattr(value, "__module__", None) or type(owner).__module__ or ""
        pure = module.split(".")[0] in STATIC_MODULES and ".random" not in module and value not in OF_SCOPES
        if (
            pure
            and not isinstance(owner, types.ModuleType | None)
            and isinstance(owner, list | dict | np.ndarray)
        ):
            pure = getattr(value, "__name__", "") in READING
            inside = snapshot(owner) if isinstance(owner, list | dict) else ()
            if function.access is not None and not is_plain(inside):
                raise self.unknown(value, node)  # what is in it may change unseen
        if pure or isinstance(owner, str | np.dtype | np.finfo):
            try:
                values = [self.static_value(a, "an argument", node) for a in args]
                named = {k: self.static_value(v, "an argument", node) for k, v in kwargs.items()}
            except Exception:
                raise self.unknown(value, node) from None
            return self.evaluated(lambda call: call(*values, **named), function, node=node)
        raise self.unknown(value, node)

    def unknown(self, value: Any, node: Any) -> UnsupportedOp:
        """Return (to be raised) the error for a function without a rule."""
        if isinstance(getattr(value, "__self__", None), set):
            instead = "use a list, or flags: seen = np.zeros(n, dtype=bool); seen[i] = True"
            return UnsupportedOp("S201", "sets are not supported", instead, self.place(node))
        label = names.label(value)
        home = label.split(".")[0]
        near = " or ".join(f"`{name}`" for name in names.nearest(label) if home in ("np", "math", "scipy"))
        return UnsupportedOp(
            "S201",
            f"`{label}` has no rule",
            f"write it with functions that have one{f' (nearest: {near})' if near else ''}, "
            "or call it before the differentiated function",
            self.place(node),
        )

    def holds_series(self, value: Abstract) -> bool:
        """True for lists built by loops, and for lists that hold one."""
        found = self.contents(value)
        return isinstance(found, Series) or (
            isinstance(found, Struct) and any(map(self.holds_series, found.items))
        )

    def call_op(
        self, call: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of a function in the table of ops."""
        if call.name == "unstack":
            parts = self.unstacked(args, kwargs, node)
            if parts is not None:
                return parts
        args, kwargs = self.sized(call.name, args, dict(kwargs), node)
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
                bound.arguments[key] = {
                    k: self.argument(v, k in call.static, views, k, node) for k, v in value.items()
                }
            else:
                bound.arguments[key] = self.argument(value, static, views, key, node)
        if out is not None and "out" in bound.arguments:
            bound.arguments.pop("out")
        self.check_values(call.name, bound.arguments, node)
        result = self.absorb(self.expanded(call, bound.args, bound.kwargs, node), views, name)
        if out is None or (isinstance(out, Static) and out.value is None):
            return result
        if isinstance(out, Struct) and len(out.items) == 1:
            out = out.items[0]
        if not isinstance(out, Ref):
            raise self.mismatch("S318", "`out` must be an array", "", node)
        self.check_out(call, result, out, bound.arguments.get("casting", "same_kind"), node)
        self.write(out, None, result)
        return out

    def check_out(self, call: Any, result: Abstract, out: Ref, casting: Casting, node: Any) -> None:
        """Refuse an `out` of a dtype or shape that NumPy does not write the result to."""
        self.check_kind(result, out, casting, node)
        made = self.leaf(result).type
        if made.ndim > out.type.ndim or (made.ndim < out.type.ndim and not call.is_ufunc):
            why = f"`out` has rank {out.type.ndim}, but the result of {call.name} has rank {made.ndim}"
            raise self.mismatch("S318", why, "give `out` the shape of the result", node)
        if not call.is_ufunc and isinstance(result, Ref):
            self.check_fits(result, out, stretched=False)

    def argument(self, value: Abstract, static: bool, views: dict[Operand, Ref], key: str, node: Any) -> Any:
        """Return an argument as the op table takes it: Expr, tuple of them, or a Python value."""
        if isinstance(value, Generator):
            value = self.listed(value)
        box = self.contents(value)
        if static:
            return self.static_value(box, f"`{key}`", node)
        match box:
            case ListRow() if self.holds_complex(box):
                return Unclear(self.read(box))
            case Ref():
                operand = self.read(box)
                views.setdefault(operand, box)
                return Leaf(operand)
            case Num(operand):
                return self.number_leaf(operand)
            case Struct(kind="tuple") | Struct(kind="list"):
                return tuple(self.argument(i, False, views, key, node) for i in box.items)
            case Series():  # no view: NumPy makes an array of a list, also in np.asarray
                rows = self.read(self.series_rows(box))
                return Unclear(rows) if self.holds_complex(box) else Leaf(rows)
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
        instead = ARRAY_OF if isinstance(box, Struct) else ""
        raise self.mismatch("S306", f"{describe(value)} cannot be an argument here", instead, node)

    def array_of(self, value: Abstract, node: Any = None) -> Abstract:
        """Return a list or tuple of numbers and arrays as one array (np.array)."""
        call = lookup(np.array)
        assert call is not None
        return self.call_op(call, (value,), {}, node, "")

    def call_method(
        self,
        owner: Abstract,
        attr: str,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        name: str,
    ) -> Abstract:
        """Return the result of a method call."""
        box = self.checked(self.contents(owner), f"what `.{attr}` is called on")
        if isinstance(owner, Box) and isinstance(box, Struct | Series):
            handler = getattr(self, f"{'dict' if _kind(box) == 'dict' else 'list'}_{attr}", None)
            if handler is not None:
                made: Abstract = handler(owner, box, args, kwargs, node)
                return made
        if isinstance(box, Ref):
            special = getattr(self, "array_" + attr, None)
            if special is not None and attr in (
                "fill",
                "sort",
                "tolist",
                "setflags",
                "itemset",
                "put",
                "partition",
            ):
                made = special(box, args, kwargs, node)
                return made
        if isinstance(box, Num) and isinstance(box.operand.type, Sparse):
            return self.sparse_method(box, attr, args, kwargs, node)
        if isinstance(box, Num) and isinstance(box.operand.type, Stream):
            return self.call_stream(box, attr, args, kwargs, node, name)
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
        why = f"the method `.{attr}()` of {describe(box)} has no rule"
        raise UnsupportedOp("S201", why, INSTEAD_OF.get(attr, "use the NumPy function"), self.place(node))


def _kind(contents: Any) -> str:
    return contents.kind if isinstance(contents, Struct) else "list"


def library_of(value: Any) -> str:
    """Return "numpy" or "scipy" for functions and classes that are defined in their text, else nothing."""
    home = (getattr(value, "__module__", None) or "").split(".")[0]
    return home if isinstance(value, types.FunctionType | type) and home in ("numpy", "scipy") else ""


__all__ = ["Array", "Calls"]
