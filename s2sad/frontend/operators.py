"""Operators, conditions and comparisons."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import gast

from s2sad.frontend.arrays import constant, describe
from s2sad.frontend.joins import BY_TEXT, Edge
from s2sad.frontend.kinds import is_known, is_no_number, is_numeric, is_text
from s2sad.frontend.outcome import NotBoundYet
from s2sad.frontend.powers import Powers
from s2sad.frontend.source import Access
from s2sad.frontend.values import (
    Abstract,
    Box,
    Generator,
    Lazy,
    ListRow,
    Num,
    Poison,
    Range,
    Ref,
    Series,
    Static,
    Struct,
)
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ops import OPS
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
UNARY = {gast.USub: "neg", gast.UAdd: "pos", gast.Invert: "invert"}
COMPARE = {
    gast.Lt: ("less", operator.lt),
    gast.LtE: ("less_equal", operator.le),
    gast.Gt: ("greater", operator.gt),
    gast.GtE: ("greater_equal", operator.ge),
    gast.Eq: ("equal", operator.eq),
    gast.NotEq: ("not_equal", operator.ne),
}


class Operators(Powers):
    """Operators to abstract values."""

    def expr_BinOp(self, node: Any, name: str) -> Abstract:
        """Read a `BinOp` expression."""
        left, right = self.expr(node.left), self.expr(node.right)
        self.at(node)
        return self.binary(type(node.op), left, right, node, name)

    def binary(self, kind: Any, left: Abstract, right: Abstract, node: Any, name: str = "") -> Abstract:
        """Return `left op right`."""
        op, static = BINARY[kind]
        left, right = self.settled(left), self.settled(right)
        a, b = self.contents(left), self.contents(right)
        made = self.by_method(static, left, right, node)
        if made is not None:
            return made
        self.refuse_list_rows(a, b, node)
        if isinstance(a, Static) and isinstance(b, Static) and not (is_numeric(a) or is_numeric(b)):
            return self.evaluated(static, a, b, node=node)
        if (is_text(a) and is_known(b)) or (is_text(b) and is_known(a)):
            return self.evaluated(static, a, b, node=node)
        if isinstance(a, Struct) or isinstance(b, Struct):
            return self.binary_struct(kind, left, right, node)
        if isinstance(a, Series) or isinstance(b, Series):
            why = "a list built in a loop can be appended to and turned into an array"
            raise self.refuse("S107", why, "call np.array on it first", node)
        x, y = self.leaf(left, node), self.leaf(right, node)
        self.check_operands(kind, x, y, node)
        if self.is_power_of_two(kind, x.operand, y.operand, node):
            op, x = "left_shift", Leaf(Literal(1))
        result = apply(op, x, y)
        return self.absorb(result, {}, name)

    def check_operands(self, kind: Any, x: Leaf, y: Leaf, node: Any) -> None:
        """Raise TypeError where Python does: `@` on scalars, bit operations on floats."""
        if kind is gast.MatMult and (x.ndim == 0 or y.ndim == 0):
            raise self.mismatch("S317", "`@` needs arrays of rank 1 or more", "use `*` for scalars", node)
        bits = (gast.BitAnd, gast.BitOr, gast.BitXor, gast.LShift, gast.RShift)
        if kind in bits and (x.dtype.kind not in "biu" or y.dtype.kind not in "biu"):
            raise self.mismatch(
                "S317", "bit operations need ints or bools", "use `and`, `or`, np.where", node
            )

    def refuse_list_rows(self, a: Abstract, b: Abstract, node: Any) -> None:
        """Refuse an operator on a list that a list built in a loop holds as an array."""
        lists = [isinstance(p, ListRow) for p in (a, b)]
        arrays = [isinstance(p, Ref) and not row for p, row in zip((a, b), lists, strict=True)]
        if any(lists) and not any(arrays):  # a list and an array make an array
            why = "an item of a list built in a loop is a list here: this operator would take it for an array"
            raise self.mismatch("S318", why, "make it an array: np.array(ys[i])", node)

    def binary_struct(self, kind: Any, left: Abstract, right: Abstract, node: Any) -> Abstract:
        """Return the sum of two lists or tuples, a list repeated, or two dicts joined."""
        a, b = self.contents(left), self.contents(right)
        if (
            kind is gast.BitOr
            and isinstance(a, Struct)
            and isinstance(b, Struct)
            and a.kind == b.kind == "dict"
        ):
            pairs = dict(zip(a.keys, a.items, strict=True)) | dict(zip(b.keys, b.items, strict=True))
            return self.box(Struct("dict", tuple(pairs), tuple(pairs.values())))
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

    def evaluated(self, function: Callable[..., Any], *args: Abstract, node: Any = None) -> Abstract:
        """Return a function of compile-time values, evaluated now."""
        values = [a.value if isinstance(a, Static) else self.static_value(a, "this", node) for a in args]
        try:
            made = function(*values)
        except Exception as error:
            raise self.mismatch("S319", f"{type(error).__name__}: {error}", "", node) from error
        places = [a.access if isinstance(a, Static) else None for a in args]
        if any(p is not None for p in places):
            key = tuple((repr(v) if p is None else p.key) for p, v in zip(places, values, strict=True))
            readers = [p.read if p is not None else None for p in places]

            def again() -> Any:
                now = [v if r is None else r() for r, v in zip(readers, values, strict=True)]
                return function(*now)

            self.remember_plain(Access("evaluated", (id(function), key), again), made)
        return constant(made)

    def expr_UnaryOp(self, node: Any, name: str) -> Abstract:
        """Read a `UnaryOp` expression."""
        if isinstance(node.op, gast.Not):
            return self.negated(self.truth(node.operand))
        value = self.expr(node.operand)
        self.at(node)
        method = self.overloaded(value, UNARY[type(node.op)])
        if method is not None:
            return self.call_value(method, (), {}, node)
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

    def truth(self, node: Any) -> Operand:
        """Return the bool operand of a condition."""
        if isinstance(node, gast.BoolOp):
            self.at(node)
            return self.bool_operation(node)
        if isinstance(node, gast.UnaryOp) and isinstance(node.op, gast.Not):
            inner = self.negated(self.truth(node.operand))
            assert isinstance(inner, Num)
            return inner.operand
        local = self.may_be_none(node)
        if local is not None:
            value = self.checked(local.value, "")
            made = self.branch(
                local.bound, lambda: Num(self.truth_of(value, node)), lambda: Num(Literal(False))
            )
            return self.operand(made)
        return self.truth_of(self.expr(node), node)

    def truth_of(self, value: Abstract, node: Any) -> Operand:
        """Return the truth of a value as a bool operand."""
        method = self.overloaded(value, "bool") or self.overloaded(value, "len")
        if method is not None:
            value = self.call_value(method, (), {}, node)
        value = self.contents(value)
        match value:
            case Num(operand):
                if isinstance(operand, Literal):
                    return Literal(bool(operand.value))
                if operand.type.dtype.kind == "b":
                    return operand
                return self.emit("to_bool", operand)
            case Ref():
                self.check_single(value)
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
            case Range():
                return self.truth_of(Num(self.range_length(value)), node)
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
        """Read a `BoolOp` expression."""
        is_and = isinstance(node.op, gast.And)
        value = self.expr(node.values[0])
        for part in node.values[1:]:
            cond = self.truth_of(value, node)
            if isinstance(cond, Literal):
                if bool(cond.value) == is_and:
                    value = self.expr(part)
                continue
            more, kept = partial(self.expr, part), partial(_same, value)
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
            depth = len(self.frames)
            try:
                with self.where(cond, side is then):
                    value = self.unless_waiting(side)
            except NotBoundYet:  # this reading of the loop is not the last: the other side will do
                del self.frames[depth:]
                if side is other and not edges:
                    self.state, self.builder = before, outer
                    raise
                continue
            except BaseException:
                self.state, self.builder = before, outer
                raise
            self.state.frames[scope][slot] = value
            edges.append(Edge(self.state, self.builder))
        self.state, self.builder = before, outer
        if len(edges) == 1:
            return self.only_side(edges[0], slot)
        results = self.join(before, edges)
        blocks = tuple(e.builder.block((), "yield", *e.values) for e in edges)
        outer.owner(OPS["if"], (cond,), blocks, tuple(results))
        value = self.state.frames[scope].pop(slot)
        if isinstance(value, Poison):
            kinds = "different texts" if value.instead == BY_TEXT else "of different kinds"
            raise self.mismatch(value.code, f"the two sides are {kinds}", value.instead)
        if name and isinstance(value, Num) and isinstance(value.operand, Value) and value.operand in results:
            return value
        return value

    def only_side(self, edge: Edge, slot: str) -> Abstract:
        """Return the value of the one side of a condition that could be read, read as if it were taken."""
        self.builder.instrs += edge.builder.instrs
        self.state = edge.state
        return self.state.frames[self.frame.id].pop(slot)

    def expr_IfExp(self, node: Any, name: str) -> Abstract:
        """Read a `IfExp` expression."""
        cond = self.truth(node.test)
        if isinstance(cond, Literal):
            return self.expr(node.body if cond.value else node.orelse, name)
        self.at(node)
        return self.branch(cond, lambda: self.expr(node.body), lambda: self.expr(node.orelse), name)

    def expr_Compare(self, node: Any, name: str) -> Abstract:
        """Read a `Compare` expression."""
        tested = self.test_of_none(node)
        if tested is not None:
            return tested
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
        made = self.by_method(static, left, right, node)
        if made is None and spelled == "not_equal":
            made = self.by_method(operator.eq, left, right, node) or self.equal_objects(left, right, node)
            made = self.negated(self.truth_of(made, node)) if made is not None else None
        if made is None and spelled == "equal":
            made = self.equal_objects(left, right, node)
        if made is not None:
            return made
        a, b = self.contents(left), self.contents(right)
        self.refuse_list_rows(a, b, node)
        if spelled in ("equal", "not_equal") and (
            (isinstance(a, Num) and is_no_number(b)) or (isinstance(b, Num) and is_no_number(a))
        ):
            return Num(Literal(spelled == "not_equal"))
        both_static = isinstance(a, Static | Struct) and isinstance(b, Static | Struct)
        if both_static and not (is_numeric(a) or is_numeric(b)):
            return self.compare_static(static, a, b, node)
        if isinstance(a, Static | Struct) != isinstance(b, Static | Struct) and not (
            is_numeric(a) or is_numeric(b)
        ):
            plain = isinstance(a, Struct | Num | Static) and isinstance(b, Struct | Num | Static)
            if plain and spelled in ("equal", "not_equal"):
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
            pairs = compared(a, b)
            if pairs is None:
                return Num(Literal(static is operator.ne))
            result: Operand = Literal(True)
            for x, y in pairs:
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
        if (
            isinstance(left, Num)
            and isinstance(right, Num)
            and left.literal is not None
            and right.literal is not None
        ):
            return left.literal is right.literal
        if isinstance(left, Ref) and isinstance(right, Ref):
            return left == right
        if isinstance(left, Box) and isinstance(right, Box):
            return left == right
        raise self.refuse(
            "S108", "`is` is decided at compile time only for None and static values", "use ==", node
        )

    def contains(self, item: Abstract, container: Abstract, node: Any) -> Operand:
        """Return `item in container`."""
        method = self.overloaded(container, "contains")
        if method is not None:
            return self.truth_of(self.call_value(method, (item,), {}, node), node)
        if self.is_object(container):
            container = self.iterated_by_method(container, node)
        box = self.contents(container)
        if isinstance(box, Static) and isinstance(item, Static | Num):
            key = item.value if isinstance(item, Static) else item.literal
            if key is not None or isinstance(item, Static):
                try:
                    return Literal(key in box.value)
                except TypeError as error:
                    raise self.mismatch("S319", f"TypeError: {error}", "", node) from error
        if isinstance(box, Lazy) and box.kind == "keys":
            return self.contains(item, box.parts[0], node)
        if isinstance(box, Range) and isinstance(item, Num) and item.operand.type.dtype.kind in "iu":
            return self.in_range(item, box, node)
        if isinstance(box, Struct):
            others = [constant(k) for k in box.keys] if box.kind == "dict" else box.items
            result: Operand = Literal(False)
            for other in others:
                same = self.truth_of(self.compare(gast.Eq(), item, other, node), node)
                if isinstance(same, Literal):
                    if same.value:
                        return same
                else:
                    result = same if isinstance(result, Literal) else self.emit("logical_or", result, same)
            return result
        instead = "compare with =="
        if isinstance(box, Static) and isinstance(box.value, set | frozenset):
            instead = "use flags: seen = np.zeros(n, dtype=bool); if seen[i]: ..."
        raise self.refuse("S109", f"`in` is not supported on {describe(box)}", instead, node)

    def in_range(self, item: Num, r: Range, node: Any) -> Operand:
        """Return `item in range(lo, hi, step)`."""
        if not isinstance(r.step, Literal):
            raise self.refuse("S109", "`in` needs a range whose step is known", "compare with < and %", node)
        up = r.step.value.real > 0
        i, first, end = Leaf(item.operand), Leaf(r.lo), Leaf(r.hi)
        bounds = (first <= i, i < end) if up else (i <= first, i > end)
        inside = apply("logical_and", *bounds)
        if abs(r.step.value) == 1:
            return self.lower(inside)
        met = apply("equal", apply("remainder", i - first, r.step.value), 0)
        return self.lower(apply("logical_and", inside, met))


def compared(a: Struct, b: Struct) -> list[tuple[Abstract, Abstract]] | None:
    """Return the pairs of items that are equal where two containers are, None if these never are."""
    if a.kind == b.kind == "dict":
        if len(a.keys) != len(b.keys) or any(b.get(k) is None for k in a.keys):
            return None
        return [(x, b.items[b.keys.index(k)]) for k, x in zip(a.keys, a.items, strict=True)]
    kinds = {"tuple" if s.kind == "record" and issubclass(s.cls, tuple) else s.kind for s in (a, b)}
    same_class = kinds != {"record"} or a.cls is b.cls
    if len(kinds) > 1 or not same_class or len(a.items) != len(b.items):
        return None
    return list(zip(a.items, b.items, strict=True))


def _same(value: Abstract) -> Abstract:
    return value
