"""Reading expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast

from s2sad.errors import S2sadError
from s2sad.frontend.arrays import constant
from s2sad.frontend.lookups import Lookups
from s2sad.frontend.machine import Frame
from s2sad.frontend.outcome import NotBoundYet
from s2sad.frontend.slots import Loop
from s2sad.frontend.source import free_name
from s2sad.frontend.values import (
    UNBOUND,
    Abstract,
    Closure,
    Generator,
    Lazy,
    MaybeUnbound,
    Poison,
    Static,
    Struct,
    tuple_of,
)
from s2sad.ir.core import Operand

VIEWS = ("keys", "values", "items")  # of dicts: these can be iterated over again
USED_UP = Poison(
    "S109",
    "this name is an iterator that was read before: it may have no items left",
    "make a list of it first: list(...)",
)


class Expressions(Lookups):
    """Expressions to abstract values."""

    def expr(self, node: Any, name: str = "") -> Abstract:
        """Return the value of an expression; `name` is the name it is about to be bound to."""
        method: Callable[[Any, str], Abstract] | None = getattr(self, "expr_" + type(node).__name__, None)
        if method is None:
            what = type(node).__name__
            raise self.refuse(
                "S106", f"`{what}` expressions are not supported", "write it with supported ones", node
            )
        self.at(node)
        return method(node, name)

    def number(self, node: Any) -> Operand:
        """Return the operand of an expression that must be a number or an array."""
        return self.operand(self.expr(node), node)

    # -- names and constants ------------------------------------------------------------------------
    def expr_Constant(self, node: Any, name: str) -> Abstract:
        """Read a `Constant` expression."""
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
            raise self.mismatch("S316", "an int beyond 64 bits cannot be compiled", "use a float", node)
        return constant(value)

    def expr_Name(self, node: Any, name: str) -> Abstract:
        """Read a `Name` expression."""
        return self.name_value(node.id, node)

    def name_value(self, name: str, node: Any) -> Abstract:
        """Return the value of a name: local, enclosing, captured or builtin."""
        local = self.lookup_local(name)
        if local is not None:
            value = self.checked(local, name) if local is not UNBOUND else self.unbound(name)
            asked = isinstance(local, MaybeUnbound) and local.bound not in self.certain
            if asked and name in self.state.frames[self.frame.id]:
                self.state.frames[self.frame.id][name] = value  # checked once is enough
            if isinstance(value, Generator) or (isinstance(value, Lazy) and value.kind not in VIEWS):
                self.use_up(name, value)
            return value
        found = free_name(self.frame.source.function, name)
        if found is None:
            if name in self.frame.source.function.__code__.co_freevars:
                raise self.refuse("S110", f"`{name}` is not bound yet in the enclosing function", "", node)
            raise self.refuse("S110", f"the name `{name}` is not defined", "check its spelling", node)
        value, access = found
        return self.captured(Static(value, access), node)

    def use_up(self, name: str, value: Abstract) -> None:
        """Note that an iterator is read under a name, which can be done once: it has no items after that."""
        for loop in self.frame.loops:
            if isinstance(loop, Loop) and loop.before.frames.get(self.frame.id, {}).get(name) is value:
                self.checked(USED_UP, name)  # the next trip would find it so
        frame: Frame | None = self.frame
        while frame is not None and name not in self.state.frames[frame.id]:
            frame = self.info[frame.parent] if frame.parent is not None else None
        if frame is not None:
            self.state.frames[frame.id][name] = USED_UP
            self.bound.add((frame.id, name))

    def unbound(self, name: str) -> Abstract:
        """Raise that a name is not bound, or not yet: a later part of a loop's body may bind it."""
        try:
            return self.checked(UNBOUND, name)
        except S2sadError as error:
            for loop in self.frame.loops:
                if isinstance(loop, Loop) and ("var", self.frame.id, name) in loop.escaping:
                    loop.waiting = error
                    raise NotBoundYet(loop, error) from None
            raise

    # -- operators ------------------------------------------------------------------------------------
    # -- truth ------------------------------------------------------------------------------------------
    # -- attributes and subscripts -----------------------------------------------------------------------
    # -- displays ---------------------------------------------------------------------------------------
    def expr_Tuple(self, node: Any, name: str) -> Abstract:
        """Read a `Tuple` expression."""
        items = self.display(node.elts)
        return tuple_of(items)

    def expr_List(self, node: Any, name: str) -> Abstract:
        """Read a `List` expression."""
        items = self.display(node.elts)
        return self.box(Struct("list", tuple(range(len(items))), items))

    def expr_Set(self, node: Any, name: str) -> Abstract:
        """Read a `Set` expression."""
        values = [self.static_value(self.expr(e), "an item of a set", e) for e in node.elts]
        return Static(frozenset(values))

    def display(self, nodes: list[Any]) -> tuple[Abstract, ...]:
        """Return the items of a tuple or list display, stars unpacked."""
        items: list[Abstract] = []
        for node in nodes:
            if isinstance(node, gast.Starred):
                items += self.static_items(self.expr(node.value), node)
            else:
                items.append(self.expr(node))
        return tuple(items)

    def expr_Dict(self, node: Any, name: str) -> Abstract:
        """Read a `Dict` expression."""
        pairs: dict[Any, Abstract] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                other = self.contents(self.expr(value))
                if not (isinstance(other, Struct) and other.kind == "dict"):
                    raise self.refuse("S114", "`**` in a dict needs a dict", "write its items out", node)
                pairs.update(zip(other.keys, other.items, strict=True))
            else:
                pairs[self.static_value(self.expr(key), "a dict key", key)] = self.expr(value)
        return self.box(Struct("dict", tuple(pairs), tuple(pairs.values())))

    def expr_JoinedStr(self, node: Any, name: str) -> Abstract:
        """Read a `JoinedStr` expression."""
        text = ""
        for part in node.values:
            if isinstance(part, gast.Constant):
                text += part.value
                continue
            value = self.static_value(self.expr(part.value), "a value in an f-string", part)
            spec = self.expr(part.format_spec) if part.format_spec is not None else Static("")
            assert isinstance(spec, Static)
            if part.conversion != -1:
                convert: Any = {"r": repr, "s": str, "a": ascii}[chr(part.conversion)]
                value = convert(value)
            text += format(value, spec.value)
        return Static(text)

    def expr_Lambda(self, node: Any, name: str) -> Abstract:
        """Read a `Lambda` expression."""
        return self.make_closure(node)

    def make_closure(self, node: Any) -> Closure:
        """Return a nested function, its defaults evaluated now."""
        args = node.args
        defaults: dict[str, Abstract] = {}
        names = [a.id for a in (*args.posonlyargs, *args.args)]
        for arg, default in zip(names[len(names) - len(args.defaults) :], args.defaults, strict=True):
            defaults[arg] = self.expr(default)
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            if default is not None:
                defaults[arg.id] = self.expr(default)
        return Closure(node, self.frame.id, self.frame.source, defaults)

    def expr_NamedExpr(self, node: Any, name: str) -> Abstract:
        """Read a `NamedExpr` expression."""
        value = self.expr(node.value, node.target.id)
        self.bind(node.target.id, value)
        return value
