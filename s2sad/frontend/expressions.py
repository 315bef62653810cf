"""Reading expressions."""

from __future__ import annotations

import operator
import types
from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from s2sad.errors import UnsupportedOp
from s2sad.frontend.arrays import constant, describe
from s2sad.frontend.loops import Loops
from s2sad.frontend.machine import State
from s2sad.frontend.joins import Edge
from s2sad.frontend.source import free_name
from s2sad.frontend.values import (
    UNBOUND,
    Abstract,
    Box,
    Closure,
    Generator,
    Lazy,
    MaybeUnbound,
    Method,
    Num,
    Poison,
    Range,
    Ref,
    Series,
    Static,
    Struct,
)
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.types import Array, Scalar
from s2sad.ops import OPS, attribute
from s2sad.ops.expr import Leaf, apply

BINARY = {
    gast.Add: ("add", operator.add),
    gast.Sub: ("subtract", operator.sub),
    gast.Mult: ("multiply", operator.mul),
    gast.Div: ("divide", operator.truediv),
    gast.FloorDiv: ("floor_divide", operator.floordiv),
    gast.Mod: ("remainder", operator.mod),
    gast.Pow: ("power", operator.pow),
    gast.MatMult: ("matmul", operator.matmul),
    gast.BitAnd: ("bitwise_and", operator.and_),
    gast.BitOr: ("bitwise_or", operator.or_),
    gast.BitXor: ("bitwise_xor", operator.xor),
    gast.LShift: ("left_shift", operator.lshift),
    gast.RShift: ("right_shift", operator.rshift),
}
COMPARE = {
    gast.Lt: ("less", operator.lt),
    gast.LtE: ("less_equal", operator.le),
    gast.Gt: ("greater", operator.gt),
    gast.GtE: ("greater_equal", operator.ge),
    gast.Eq: ("equal", operator.eq),
    gast.NotEq: ("not_equal", operator.ne),
}


class Expressions(Loops):
    """Expressions to abstract values."""

    def expr(self, node: Any, name: str = "") -> Abstract:
        """Return the value of an expression; `name` is the name it is about to be bound to."""
        method: Callable[[Any, str], Abstract] | None = getattr(self, "expr_" + type(node).__name__, None)
        if method is None:
            what = type(node).__name__
            raise self.refuse("S106", f"`{what}` expressions are not supported", "", node)
        self.at(node)
        return method(node, name)

    def number(self, node: Any) -> Operand:
        """Return the operand of an expression that must be a number or an array."""
        return self.operand(self.expr(node), node)

    # -- names and constants ------------------------------------------------------------------------
    def expr_Constant(self, node: Any, name: str) -> Abstract:
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
            raise self.mismatch("S316", "an int beyond 64 bits cannot be compiled", "use a float", node)
        return constant(value)

    def expr_Name(self, node: Any, name: str) -> Abstract:
        return self.name_value(node.id, node)

    def name_value(self, name: str, node: Any) -> Abstract:
        """Return the value of a name: local, enclosing, captured or builtin."""
        local = self.lookup_local(name)
        if local is not None:
            value = self.checked(local, name)
            if isinstance(local, MaybeUnbound) and name in self.state.frames[self.frame.id]:
                self.state.frames[self.frame.id][name] = value  # checked once is enough
            return value
        found = free_name(self.frame.source.function, name)
        if found is None:
            if name in self.frame.source.function.__code__.co_freevars:
                raise self.refuse("S110", f"`{name}` is not bound yet in the enclosing function", "", node)
            raise self.refuse("S110", f"the name `{name}` is not defined", "check its spelling", node)
        value, access = found
        return self.captured(Static(value, access), node)

    def captured(self, value: Static, node: Any = None) -> Abstract:
        """Return a captured Python object: numbers and arrays become hidden parameters."""
        raise NotImplementedError

    # -- operators ------------------------------------------------------------------------------------
    def expr_BinOp(self, node: Any, name: str) -> Abstract:
        left, right = self.expr(node.left), self.expr(node.right)
        self.at(node)
        return self.binary(type(node.op), left, right, node, name)

    def binary(self, kind: Any, left: Abstract, right: Abstract, node: Any, name: str = "") -> Abstract:
        """Return `left op right`."""
        op, static = BINARY[kind]
        left, right = self.settled(left), self.settled(right)
        a, b = self.contents(left), self.contents(right)
        if isinstance(a, Static) and isinstance(b, Static) and not (_numeric(a) or _numeric(b)):
            return self.evaluated(static, a, b, node=node)
        if isinstance(a, Static | Num) and isinstance(b, Static | Num) and (_text(a) or _text(b)):
            return self.evaluated(static, a, b, node=node)
        if isinstance(a, Struct) or isinstance(b, Struct):
            return self.binary_struct(kind, left, right, node)
        if isinstance(a, Series) or isinstance(b, Series):
            raise self.refuse("S107", "a list built in a loop can be appended to and turned into an array", "call np.array on it first", node)  # fmt: skip
        x, y = self.leaf(left, node), self.leaf(right, node)
        self.check_operands(kind, x, y, node)
        result = apply(op, x, y)
        return self.absorb(result, {}, name)

    def check_operands(self, kind: Any, x: Leaf, y: Leaf, node: Any) -> None:
        """Raise TypeError where Python does: `@` on scalars, bit operations on floats."""
        if kind is gast.MatMult and (x.ndim == 0 or y.ndim == 0):
            raise self.mismatch("S317", "`@` needs arrays of rank 1 or more", "use `*` for scalars", node)
        bits = (gast.BitAnd, gast.BitOr, gast.BitXor, gast.LShift, gast.RShift)
        if kind in bits and (x.dtype.kind not in "biu" or y.dtype.kind not in "biu"):
            raise self.mismatch("S317", "bit operations need ints or bools", "use `and`, `or`, np.where", node)

    def binary_struct(self, kind: Any, left: Abstract, right: Abstract, node: Any) -> Abstract:
        """Return the sum of two lists or tuples, or a list repeated."""
        a, b = self.contents(left), self.contents(right)
        if kind is gast.Add and isinstance(a, Struct) and isinstance(b, Struct) and a.kind == b.kind:
            items = (*a.items, *b.items)
            made = Struct(a.kind, tuple(range(len(items))), items)
            return self.box(made) if a.kind == "list" else made
        if kind is gast.Mult and (isinstance(a, Struct) or isinstance(b, Struct)):
            s, times = (a, right) if isinstance(a, Struct) else (b, left)
            if isinstance(s, Struct) and isinstance(times, Num) and s.kind in ("list", "tuple"):
                items = s.items * self.static_int(times, "the number of repetitions", node)
                made = Struct(s.kind, tuple(range(len(items))), items)
                return self.box(made) if s.kind == "list" else made
        if isinstance(a, Ref | Num) or isinstance(b, Ref | Num):  # array + list: NumPy converts the list
            x = self.array_of(a) if isinstance(a, Struct) else left
            y = self.array_of(b) if isinstance(b, Struct) else right
            if isinstance(x, Ref) or isinstance(y, Ref):
                return self.binary(kind, x, y, node)
        raise self.mismatch(
            "S318", f"this operator is not supported between {describe(a)} and {describe(b)}", "", node
        )

    def settled(self, value: Abstract) -> Abstract:
        """Return a value ready for arithmetic: captured numbers become operands."""
        if isinstance(value, Generator):
            return self.listed(value)
        return value

    def listed(self, value: Abstract) -> Abstract:
        """Return a generator expression run into a list."""
        raise NotImplementedError

    def evaluated(self, function: Callable[..., Any], *args: Abstract, node: Any = None) -> Abstract:
        """Return a function of compile-time values, evaluated now."""
        values = [a.value if isinstance(a, Static) else a.literal if isinstance(a, Num) else None for a in args]
        try:
            return constant(function(*values))
        except Exception as error:
            raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error

    def expr_UnaryOp(self, node: Any, name: str) -> Abstract:
        if isinstance(node.op, gast.Not):
            return self.negated(self.truth(node.operand))
        value = self.expr(node.operand)
        self.at(node)
        x = self.leaf(value, node)
        if isinstance(node.op, gast.UAdd):
            return self.absorb(apply("positive", x), {}, name) if isinstance(value, Ref) else value
        op = "negative" if isinstance(node.op, gast.USub) else "invert"
        if op == "negative" and x.dtype.kind == "b" and x.is_array:
            raise self.mismatch("S317", "`-` is not defined for bool arrays", "use `~`", node)
        if op == "invert" and x.dtype.kind not in "biu":
            raise self.mismatch("S317", "`~` needs ints or bools", "use `-` or `not`", node)
        return self.absorb(apply(op, x), {}, name)

    def negated(self, cond: Operand) -> Abstract:
        """Return `not cond`."""
        if isinstance(cond, Literal):
            return Num(Literal(not cond.value))
        return Num(self.emit("not_", cond))

    # -- truth ------------------------------------------------------------------------------------------
    def truth(self, node: Any) -> Operand:
        """Return the bool operand of a condition."""
        if isinstance(node, gast.BoolOp):
            self.at(node)
            return self.bool_operation(node)
        if isinstance(node, gast.UnaryOp) and isinstance(node.op, gast.Not):
            inner = self.negated(self.truth(node.operand))
            assert isinstance(inner, Num)
            return inner.operand
        return self.truth_of(self.expr(node), node)

    def truth_of(self, value: Abstract, node: Any) -> Operand:
        """Return the truth of a value as a bool operand."""
        value = self.contents(value)
        match value:
            case Num(operand):
                if isinstance(operand, Literal):
                    return Literal(bool(operand.value))
                if operand.type.dtype.kind == "b":
                    return operand
                return self.emit("to_bool", operand)
            case Ref():
                return self.emit("to_bool", self.read(value))
            case Struct():
                return Literal(bool(value.items) if value.kind != "record" else True)
            case Static(value=v):
                try:
                    return Literal(bool(v))
                except Exception as error:
                    raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error
            case Series(count=count):
                return self.emit("to_bool", count)
        return Literal(True)

    def bool_operation(self, node: Any) -> Operand:
        """Return `a and b` or `a or b` as a bool, with short circuit."""
        is_and = isinstance(node.op, gast.And)
        result = self.truth(node.values[0])
        for part in node.values[1:]:
            if isinstance(result, Literal):
                if bool(result.value) != is_and:
                    return result
                result = self.truth(part)
                continue
            made = self.branch(
                result,
                lambda p=part: Num(self.truth(p)) if is_and else Num(Literal(True)),  # type: ignore[misc]
                lambda p=part: Num(Literal(False)) if is_and else Num(self.truth(p)),  # type: ignore[misc]
            )
            assert isinstance(made, Num)
            result = made.operand
        return result

    def expr_BoolOp(self, node: Any, name: str) -> Abstract:
        is_and = isinstance(node.op, gast.And)
        value = self.expr(node.values[0])
        for part in node.values[1:]:
            cond = self.truth_of(value, node)
            if isinstance(cond, Literal):
                if bool(cond.value) == is_and:
                    value = self.expr(part)
                continue
            first = value
            more: Callable[[], Abstract] = lambda p=part: self.expr(p)  # type: ignore[misc]
            kept: Callable[[], Abstract] = lambda f=first: f  # type: ignore[misc]
            value = self.branch(cond, more if is_and else kept, kept if is_and else more)
        return value

    def branch(
        self, cond: Operand, then: Callable[[], Abstract], other: Callable[[], Abstract], name: str = ""
    ) -> Abstract:
        """Return the value of a conditional expression whose sides are read in blocks of their own."""
        before, outer = self.state, self.builder
        edges: list[Edge] = []
        slot = f"$value{self.fresh_id()}"
        scope = self.frame.id
        for side in (then, other):
            self.state, self.builder = before.copy(), outer.inner()
            self.builder.origin = outer.origin
            try:
                value = side()
            except BaseException:
                self.state, self.builder = before, outer
                raise
            self.state.frames[scope][slot] = value
            edges.append(Edge(self.state, self.builder))
        self.state, self.builder = before, outer
        results = self.join(before, edges)
        blocks = tuple(e.builder.block((), "yield", *e.values) for e in edges)
        outer.owner(OPS["if"], (cond,), blocks, tuple(results))
        value = self.state.frames[scope].pop(slot)
        if isinstance(value, Poison):
            raise self.mismatch(value.code, "the two sides are of different kinds", value.instead)
        if name and isinstance(value, Num) and isinstance(value.operand, Value) and value.operand in results:
            return value
        return value

    def expr_IfExp(self, node: Any, name: str) -> Abstract:
        cond = self.truth(node.test)
        if isinstance(cond, Literal):
            return self.expr(node.body if cond.value else node.orelse, name)
        self.at(node)
        return self.branch(cond, lambda: self.expr(node.body), lambda: self.expr(node.orelse), name)

    def expr_Compare(self, node: Any, name: str) -> Abstract:
        left = self.expr(node.left)
        if len(node.ops) == 1:
            right = self.expr(node.comparators[0])
            self.at(node)
            return self.compare(node.ops[0], left, right, node, name)
        return self.chain(left, list(node.ops), list(node.comparators), node)

    def chain(self, left: Abstract, ops: list[Any], rest: list[Any], node: Any) -> Abstract:
        """Return `a < b < c`: each operand read once, the rest only if the first holds."""
        right = self.expr(rest[0])
        first = self.compare(ops[0], left, right, node)
        if len(ops) == 1:
            return first
        cond = self.truth_of(first, node)
        if isinstance(cond, Literal):
            return self.chain(right, ops[1:], rest[1:], node) if cond.value else Num(Literal(False))
        return self.branch(
            cond, lambda: self.chain(right, ops[1:], rest[1:], node), lambda: Num(Literal(False))
        )

    def compare(self, op: Any, left: Abstract, right: Abstract, node: Any, name: str = "") -> Abstract:
        """Return one comparison."""
        if isinstance(op, gast.Is | gast.IsNot):
            return Num(Literal(self.identical(left, right, node) == isinstance(op, gast.Is)))
        if isinstance(op, gast.In | gast.NotIn):
            found = self.contains(left, right, node)
            return self.negated(found) if isinstance(op, gast.NotIn) else Num(found)
        spelled, static = COMPARE[type(op)]
        a, b = self.contents(left), self.contents(right)
        both_static = isinstance(a, Static | Struct) and isinstance(b, Static | Struct)
        if both_static and not (_numeric(a) or _numeric(b)):
            return self.compare_static(static, a, b, node)
        if isinstance(a, Static | Struct) != isinstance(b, Static | Struct) and not (_numeric(a) or _numeric(b)):
            if isinstance(a, Struct | Num | Static) and isinstance(b, Struct | Num | Static) and spelled in ("equal", "not_equal"):  # fmt: skip
                return Num(Literal(spelled == "not_equal"))
            a = self.array_of(a) if isinstance(a, Struct) else a
            b = self.array_of(b) if isinstance(b, Struct) else b
        x, y = self.leaf(a, node), self.leaf(b, node)
        return self.absorb(apply(spelled, x, y), {}, name)

    def compare_static(self, static: Callable[..., Any], a: Abstract, b: Abstract, node: Any) -> Abstract:
        """Compare strings, tuples and other compile-time values."""
        if isinstance(a, Static) and isinstance(b, Static):
            return self.evaluated(static, a, b, node=node)
        if isinstance(a, Struct) and isinstance(b, Struct) and static in (operator.eq, operator.ne):
            if (a.kind, a.keys) != (b.kind, b.keys):
                return Num(Literal(static is operator.ne))
            result: Operand = Literal(True)
            for x, y in zip(a.items, b.items, strict=True):
                same = self.truth_of(self.compare(gast.Eq(), x, y, node), node)
                if isinstance(same, Literal):
                    if not same.value:
                        return Num(Literal(static is operator.ne))
                elif isinstance(result, Literal):
                    result = same
                else:
                    result = self.emit("logical_and", result, same)
            return Num(result) if static is operator.eq else self.negated(result)
        if static in (operator.eq, operator.ne):
            return Num(Literal(static is operator.ne))
        raise self.mismatch("S318", "these values cannot be ordered", "", node)

    def identical(self, left: Abstract, right: Abstract, node: Any) -> bool:
        """Return `left is right`, which must be known at compile time."""
        for a, b in ((left, right), (right, left)):
            if isinstance(b, Static) and (b.value is None or isinstance(b.value, type)):
                return isinstance(a, Static) and a.value is b.value
        if isinstance(left, Static) and isinstance(right, Static):
            return left.value is right.value
        if isinstance(left, Num) and isinstance(right, Num) and left.literal is not None and right.literal is not None:
            return left.literal is right.literal
        if isinstance(left, Ref) and isinstance(right, Ref):
            return left == right
        if isinstance(left, Box) and isinstance(right, Box):
            return left == right
        raise self.refuse("S108", "`is` is decided at compile time only for None and static values", "use ==", node)

    def contains(self, item: Abstract, container: Abstract, node: Any) -> Operand:
        """Return `item in container`."""
        box = self.contents(container)
        if isinstance(box, Static) and isinstance(item, Static | Num):
            key = item.value if isinstance(item, Static) else item.literal
            if key is not None or isinstance(item, Static):
                try:
                    return Literal(key in box.value)
                except TypeError as error:
                    raise self.mismatch("S319", f"TypeError: {error}", "", node) from error
        if isinstance(box, Struct) and box.kind == "dict" and isinstance(item, Static | Num):
            key = item.value if isinstance(item, Static) else item.literal
            return Literal(key in box.keys)
        if isinstance(box, Lazy) and box.kind == "keys":
            return self.contains(item, box.parts[0], node)
        if isinstance(box, Struct):
            result: Operand = Literal(False)
            for other in box.items:
                same = self.truth_of(self.compare(gast.Eq(), item, other, node), node)
                if isinstance(same, Literal):
                    if same.value:
                        return same
                else:
                    result = same if isinstance(result, Literal) else self.emit("logical_or", result, same)
            return result
        raise self.refuse("S109", f"`in` is not supported on {describe(box)}", "compare with ==", node)

    # -- attributes and subscripts -----------------------------------------------------------------------
    def expr_Attribute(self, node: Any, name: str) -> Abstract:
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
                return Method(owner, attr)
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
        return self.captured(Static(found, access), node)

    def array_attribute(self, owner: Ref | Num, attr: str, node: Any) -> Abstract:
        """Return an attribute or method of an array or number."""
        t = owner.type if isinstance(owner, Ref) else owner.operand.type
        if isinstance(owner, Ref):
            match attr:
                case "shape":
                    sizes = tuple(self.size(owner, k) for k in range(owner.type.ndim))
                    return Struct("tuple", tuple(range(len(sizes))), sizes)
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
                "S111", f"a Python {kind} has no attribute `{attr}`", "pass a NumPy array, or annotate the argument", node
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
        except UnsupportedOp as error:
            raise error.located(self.place(node)) from None
        except (TypeError, ValueError) as error:
            raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error

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
        item = contents.get(attr)
        if item is not None:
            return item
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
        return self.captured(Static(found), node)

    def bound_method(self, function: Static, owner: Abstract) -> Abstract:
        """Return a function with its first argument bound."""
        raise NotImplementedError

    def call_value(
        self, function: Abstract, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str = ""
    ) -> Abstract:
        """Return the result of a call."""
        raise NotImplementedError

    def expr_Subscript(self, node: Any, name: str) -> Abstract:
        owner = self.expr(node.value)
        index = self.index_of(node.slice)
        self.at(node)
        return self.subscript(owner, index, node, name)

    def index_of(self, node: Any) -> tuple[Abstract, ...]:
        """Return the parts of a subscript."""
        if isinstance(node, gast.Tuple):
            return tuple(self.expr(e) for e in node.elts)
        value = self.expr(node)
        if isinstance(value, Struct) and value.kind == "tuple":
            return (value,)
        return (value,)

    def expr_Slice(self, node: Any, name: str) -> Abstract:
        parts = (node.lower, node.upper, node.step)
        items = tuple(Static(None) if p is None else self.expr(p) for p in parts)
        return Struct("slice", (0, 1, 2), items)

    def subscript(self, owner: Abstract, index: tuple[Abstract, ...], node: Any, name: str = "") -> Abstract:
        """Return `owner[index]`."""
        if isinstance(owner, Ref):
            if len(index) == 1 and isinstance(index[0], Struct) and index[0].kind == "tuple":
                index = index[0].items
            return self.getitem(owner, index, name)
        contents = self.contents(owner)
        if len(index) > 1:
            index = (Struct("tuple", tuple(range(len(index))), index),)
        key = index[0]
        match contents:
            case Series(rows, count):
                return self.series_item(contents, key, node, name)
            case Struct():
                return self.struct_item(contents, key, node)
            case Static(value=v):
                static_key = self.static_value(key, "a subscript of a compile-time object", node)
                try:
                    found = v[static_key]
                except Exception as error:
                    raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error
                access = contents.access.item(static_key) if contents.access is not None else None
                return self.captured(Static(found, access), node)
            case Range(lo, hi, step):
                base = self.binary(gast.Mult, key, Num(step), node)
                return self.binary(gast.Add, Num(lo), base, node)
            case Num():
                parts = [p for p in index if not (isinstance(p, Static) and p.value in (None, Ellipsis))]
                if not parts and not (isinstance(contents.operand.type, Scalar) and contents.operand.type.weak):
                    shape = apply("reshape", Leaf(contents.operand), *[1] * sum(p.value is None for p in index if isinstance(p, Static)))  # fmt: skip
                    return self.absorb(shape, {}, name)
                raise self.needs_rank(contents, len(index), node)
        raise self.refuse("S113", f"{describe(contents)} cannot be subscripted", "", node)

    def needs_rank(self, value: Num, rank: int, node: Any) -> Exception:
        """Return the error for a number used as an array."""
        error = self.mismatch(
            "S310",
            "a number is used as an array here",
            'pass an array, or annotate the argument: x: "f8[:]"',
            node,
        )
        leaf = value.operand.name if isinstance(value.operand, Value) else ""
        error.needs_rank = (leaf, rank)  # type: ignore[attr-defined]
        return error

    def series_item(self, series: Series, key: Abstract, node: Any, name: str) -> Abstract:
        """Return an item or slice of a list built in a loop."""
        rows = self.series_rows(series)
        return self.getitem(rows, (key,), name)

    def series_rows(self, series: Series) -> Ref:
        """Return the rows that are filled, as an array view."""
        known = getattr(series.count.type, "size", None)
        if known is not None and self.sizes.canonical(known) == self.sizes.canonical(series.rows.type.shape[0]):
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
            return found
        if isinstance(key, Struct) and key.kind == "slice":
            bounds = [
                None if isinstance(i, Static) and i.value is None else self.static_int(i, "a slice bound", node)
                for i in key.items
            ]
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
            case Ref(type=Array()):
                pass
        raise self.mismatch("S305", f"{what} must be known at compile time, not {describe(value)}", "", node)

    # -- displays ---------------------------------------------------------------------------------------
    def expr_Tuple(self, node: Any, name: str) -> Abstract:
        items = self.display(node.elts)
        return Struct("tuple", tuple(range(len(items))), items)

    def expr_List(self, node: Any, name: str) -> Abstract:
        items = self.display(node.elts)
        return self.box(Struct("list", tuple(range(len(items))), items))

    def expr_Set(self, node: Any, name: str) -> Abstract:
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

    def static_items(self, value: Abstract, node: Any) -> list[Abstract]:
        """Return the items of an iterable whose length is known at compile time."""
        raise NotImplementedError

    def expr_Dict(self, node: Any, name: str) -> Abstract:
        pairs: dict[Any, Abstract] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                other = self.contents(self.expr(value))
                if not (isinstance(other, Struct) and other.kind == "dict"):
                    raise self.refuse("S114", "`**` in a dict needs a dict", "", node)
                pairs.update(zip(other.keys, other.items, strict=True))
            else:
                pairs[self.static_value(self.expr(key), "a dict key", key)] = self.expr(value)
        return self.box(Struct("dict", tuple(pairs), tuple(pairs.values())))

    def expr_JoinedStr(self, node: Any, name: str) -> Abstract:
        text = ""
        for part in node.values:
            if isinstance(part, gast.Constant):
                text += part.value
                continue
            value = self.static_value(self.expr(part.value), "a value in an f-string", part)
            spec = self.expr(part.format_spec) if part.format_spec is not None else Static("")
            assert isinstance(spec, Static)
            if part.conversion != -1:
                value = {"r": repr, "s": str, "a": ascii}[chr(part.conversion)](value)
            text += format(value, spec.value)
        return Static(text)

    def expr_Lambda(self, node: Any, name: str) -> Abstract:
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
        value = self.expr(node.value, node.target.id)
        self.bind(node.target.id, value)
        return value


def _numeric(value: Abstract) -> bool:
    if isinstance(value, Num | Ref):
        return True
    return isinstance(value, Static) and isinstance(
        value.value, int | float | complex | np.number | np.ndarray
    ) and not isinstance(value.value, bool)


def _text(value: Abstract) -> bool:
    return isinstance(value, Static) and isinstance(value.value, str | bytes)


__all__ = ["UNBOUND", "Expressions", "State"]
