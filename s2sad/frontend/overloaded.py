"""Operators on objects of the user's classes: what their methods (`__add__`, `__len__`, ...) say."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

from s2sad.frontend.arrays import describe
from s2sad.frontend.loops import Loops
from s2sad.frontend.source import free_name
from s2sad.frontend.values import Abstract, Num, Ref, Static, Struct, Super
from s2sad.ir.core import Literal

MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}
GENERATED = "<string>"  # where dataclasses have the methods that they write


class Overloaded(Loops):
    """Methods of classes that Python calls for its operators."""

    def overloaded(self, value: Abstract, name: str) -> Abstract | None:
        """Return the method `__name__` of an object, bound to it; None where its class defines none. Objects
        from outside are read again at each call, so their methods are read, too, but Python's own."""
        contents = self.contents(value)
        outside = isinstance(contents, Static) and contents.access is not None
        cls = type(contents.value) if isinstance(contents, Static) and outside else self.class_of(value)
        found = inspect.getattr_static(cls, f"__{name}__", None) if cls is not None else None
        if not isinstance(found, types.FunctionType) or found.__code__.co_filename == GENERATED:
            return None
        if outside and found.__module__.split(".")[0] in (*sys.stdlib_module_names, "numpy", "scipy"):
            return None
        return self.bound_method(Static(found), value)

    def class_of(self, value: Abstract) -> Any:
        """Return the class of an object of the user's, None for any other value."""
        contents = self.contents(value)
        return contents.cls if isinstance(contents, Struct) and contents.kind == "record" else None

    def is_object(self, value: Abstract) -> bool:
        """Return True for an object that is no tuple: it has the operators that its class defines."""
        cls = self.class_of(value)
        return cls is not None and not issubclass(cls, tuple)

    def by_method(
        self, operation: Callable[..., Any], a: Abstract, b: Abstract, node: Any
    ) -> Abstract | None:
        """Return `a op b` of objects, by the method of the one or the mirrored method of the other; None
        where neither is an object."""
        name = operation.__name__.strip("_")
        if self.is_taken_for_array(a, b):
            raise self.no_operator(a, b, node)
        tried = [(self.overloaded(a, name), b), (self.overloaded(b, mirrored(name)), a)]
        if self.goes_first(self.class_of(b), self.class_of(a), f"__{mirrored(name)}__"):
            tried.reverse()
        for method, other in tried:
            if method is not None:
                made = self.call_value(method, (other,), {}, node)
                if not (isinstance(made, Static) and made.value is NotImplemented):
                    return made
        if name not in MIRRORED and (self.is_object(a) or self.is_object(b)):
            raise self.no_operator(a, b, node)
        return None

    def goes_first(self, right: Any, left: Any, name: str) -> bool:
        """True if Python asks the right operand first: one of a class derived from the left one's, with a
        method of its own."""
        if right is None or left is None or right is left or not issubclass(right, left):
            return False
        return getattr(right, name, None) is not getattr(left, name, None)

    def is_taken_for_array(self, a: Abstract, b: Abstract) -> bool:
        """Return True where NumPy, on the left, would make an array of objects of the right operand."""
        if not self.is_object(b) or getattr(self.class_of(b), "__array_ufunc__", b) is None:
            return False
        is_scalar = isinstance(a, Num) and not getattr(a.operand.type, "weak", False)
        return isinstance(a, Ref) or (is_scalar and self.overloaded(b, "len") is not None)

    def no_operator(self, a: Abstract, b: Abstract, node: Any) -> Exception:
        """Return (to be raised) the error for operands that have no such operator."""
        between = f"{describe(self.contents(a))} and {describe(self.contents(b))}"
        return self.mismatch("S318", f"this operator is not supported between {between}", "", node)

    def iterated_by_method(self, value: Abstract, node: Any) -> Abstract:
        """Return what `__iter__` of an object gives to iterate over."""
        method = self.overloaded(value, "iter")
        if method is None:
            raise self.mismatch("S318", f"{describe(self.contents(value))} cannot be iterated over", "", node)
        return self.call_value(method, (), {}, node)

    def call_super(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`super()` in a method, or `super(cls, self)`."""
        if len(args) == 2:
            cls, owner = self.static_value(args[0], "the class", node), args[1]
        else:
            found = free_name(self.frame.source.function, "__class__")
            params = [p.id for p in (*self.frame.node.args.posonlyargs, *self.frame.node.args.args)]
            owner = self.state.frames[self.frame.id].get(params[0], Static(None)) if params else Static(None)
            cls = found[0] if found is not None and not args else None
        if cls is None or not issubclass(self.own_class(owner), cls):
            why = "`super` is read in methods of objects"
            raise self.refuse("S118", why, "name the class: Base.method(self, ...)", node)
        return Super(owner, cls)

    def own_class(self, value: Abstract) -> type:
        """Return the class of an object, made here or captured."""
        made: type | None = self.class_of(value)
        if made is None:
            return type(value.value) if isinstance(value, Static) else type(None)
        return made

    def super_attribute(self, value: Super, attr: str, node: Any) -> Abstract:
        """Return an attribute that the classes after that of `super()` define."""
        after = self.own_class(value.owner).__mro__
        after = after[after.index(value.cls) + 1 :]
        raw = next((vars(c)[attr] for c in after if attr in vars(c)), None)
        if raw is object.__init__:
            return Static(type(None))  # does nothing and returns None
        if isinstance(raw, property) and raw.fget is not None:
            return self.call_value(Static(raw.fget), (value.owner,), {}, node)
        if isinstance(raw, staticmethod):
            return Static(raw.__func__)
        if isinstance(raw, types.FunctionType):
            return self.bound_method(Static(raw), value.owner)
        why = f"super() has no method `{attr}` that can be read"
        raise self.refuse("S111", why, "check the spelling", node)

    def equal_objects(self, a: Abstract, b: Abstract, node: Any) -> Abstract | None:
        """Return `a == b` of objects: by `__eq__`, by the fields of dataclasses, else by identity; None
        where neither is an object."""
        if not (self.is_object(a) or self.is_object(b)):
            return None
        cls = self.class_of(a)
        if cls is self.class_of(b) and inspect.getattr_static(cls, "__eq__") is not object.__eq__:
            return None
        return Num(Literal(a == b))


def mirrored(name: str) -> str:
    """Return the name of the method of the right operand."""
    return MIRRORED.get(name, f"r{name}")
