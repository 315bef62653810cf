"""Functions as if they were defined where they are used: around a function value that is more than a def."""

from __future__ import annotations

import types
from typing import Any

import gast

from s2sad.frontend.callees import Callees
from s2sad.frontend.values import Abstract, Callee, Closure, Partial, Ref, Static, Struct
from s2sad.ir.transformed import record_of
from s2sad.record import dataclass, replace


@dataclass(frozen=True, slots=True, eq=False)
class OnCopies(Callee):
    """A function that gets copies of the arrays it is called with: it may write them or return them."""

    called = "call_on_copies"
    function: Abstract


class Wrapped(Callees):
    """Function values wrapped in a def."""

    def call_on_copies(
        self,
        function: OnCopies,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        name: str,
    ) -> Abstract:
        """Return the result of a call with copies."""
        copies = {k: self.with_copies(v) for k, v in kwargs.items()}
        return self.call_value(function.function, tuple(map(self.with_copies, args)), copies, node, name)

    def with_copies(self, value: Abstract) -> Abstract:
        """Return a value with copies of its arrays."""
        box = self.contents(value)
        if isinstance(box, Ref):
            return self.wrap(self.emit("copy", self.read(box)))
        if not isinstance(box, Struct):
            return value
        return self.like(box, list(map(self.with_copies, box.items)))

    def on_copies(self, function: Abstract, count: int, keywords: list[str]) -> Closure | None:
        """Return the function as one that is called with copies; None if it is already."""
        if isinstance(function, Closure):
            names = self.state.frames[function.frame].values()
            if any(isinstance(v, OnCopies) for v in names):
                return None
        return self.defined_here(OnCopies(function), function_name(function), count, keywords)

    def defined_here(self, function: Abstract, name: str, count: int, keywords: list[str]) -> Closure:
        """Return a function of `count` positional parameters and some keywords that calls `function`."""
        positional = parameter_names(function)[:count]
        if len(positional) < count or set(positional) & set(keywords):
            positional = [f"x{k}" for k in range(count)]
        inner = "inner"
        while inner in keywords or inner in positional:
            inner += "_"
        params = ", ".join([*positional, *(["*", *keywords] if keywords else [])])
        passed = ", ".join([*positional, *(f"{k}={k}" for k in keywords)])
        node = gast.parse(f"def {name}({params}):\n    return {inner}({passed})").body[0]
        source = replace(self.frame.source, node=node, call=self.place())
        scope = self.push(source, gast.parse("def scope():\n    pass").body[0], None, {inner: function})
        self.frames.remove(scope)
        return Closure(node, scope.id, source)


def parameter_names(function: Abstract) -> list[str]:
    """Return the names of the positional parameters of a function, as far as they can be told."""
    if isinstance(function, Closure):
        return [a.id for a in (*function.node.args.posonlyargs, *function.node.args.args)]
    inner = getattr(function, "function", None)
    if isinstance(inner, Abstract):
        bound = len(function.args) if isinstance(function, Partial) else 0
        return parameter_names(inner)[bound:]
    plain = function.value if isinstance(function, Static) else None
    while (record := record_of(plain)) is not None:
        plain = record.function
    if isinstance(plain, types.MethodType) and isinstance(plain.__func__, types.FunctionType):
        return list(plain.__code__.co_varnames[1 : plain.__code__.co_argcount])
    if not isinstance(plain, types.FunctionType):
        return []
    return list(plain.__code__.co_varnames[: plain.__code__.co_argcount])


def function_name(function: Abstract) -> str:
    """Return what a function is called."""
    if isinstance(function, Closure):
        return function.name
    inner = getattr(function, "function", None)
    if isinstance(inner, Abstract):
        return function_name(inner)
    name = getattr(function.value, "__name__", "f") if isinstance(function, Static) else "f"
    return name if name.isidentifier() else "lambda_"
