"""Calls of Python builtins, and of NumPy functions that write."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gast
import numpy as np

from s2sad.frontend.arrays import constant, describe
from s2sad.frontend.iterators import Iterators
from s2sad.frontend.programs import unsupported
from s2sad.frontend.source import Access
from s2sad.frontend.values import (
    Abstract,
    Closure,
    Generator,
    Lazy,
    Num,
    Partial,
    Range,
    Ref,
    Series,
    Static,
    Struct,
    tuple_of,
)
from s2sad.ir.core import Literal, Operand
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Scalar, Stream
from s2sad.ops import lookup
from s2sad.ops.expr import Leaf, apply

Handler = Callable[..., Abstract]
COUNTS = {
    range: (1, 3), map: (2, 99), enumerate: (1, 2), reversed: (1, 1), iter: (1, 2), getattr: (2, 3),
    type: (1, 1), slice: (1, 3),
}  # fmt: skip
"""How many arguments builtins take that have no signature."""


def wrong_count(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return what Python says of a builtin that is called with too few or too many arguments, or nothing."""
    if getattr(function, "__module__", None) != "builtins":
        return ""
    if function in COUNTS:
        least, most = COUNTS[function]
        count = len(args) + len(kwargs)
        if least <= count <= most:
            return ""
        return f"TypeError: {function.__name__}() takes {least} to {most} arguments ({count} given)"
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except ValueError:  # without a signature
        return ""
    except TypeError as error:
        return f"TypeError: {function.__name__}(): {error}"
    return ""


class Builtins(Iterators):
    """Builtins to abstract values."""

    def builtin_handler(self, value: Any) -> Handler | None:
        """Return what reads a call of a Python builtin, or None."""
        if not hashable(value):
            return None
        name = BUILTINS.get(value)
        return getattr(self, "call_" + name) if name is not None else self.iterator_handler(value)

    def call_len(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`len(x)`."""
        method = self.overloaded(args[0], "len")
        if method is not None:
            return self.call_value(method, (), {}, node)
        box = self.contents(args[0])
        match box:
            case Ref(type=t) if t.ndim:
                return self.size(box, 0)
            case Struct() if not self.is_object(box):
                return Num(Literal(len(box.items)))
            case Series(count=count):
                return Num(count)
            case Static(value=v):
                return (
                    self.evaluated(len, box, node=node) if not isinstance(v, np.ndarray) else constant(len(v))
                )
            case Range():
                return Num(self.range_length(box))
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
        """`zip(...)`; with strict=True the lengths are compared before."""
        parts = tuple(self.listed(a) if isinstance(a, Generator) else a for a in args)
        if "strict" in kwargs and self.static_value(kwargs["strict"], "`strict`", node):
            kinds = (Ref, Struct, Series, Static, Range)
            counted = [p for p in parts if isinstance(self.contents(p), kinds)]
            lengths = [self.call_len((p,), {}, node, "") for p in counted]
            for other in lengths[1:]:
                if self.assumed_equal(lengths[0], other, node):
                    continue
                same = self.truth_of(self.compare(gast.Eq(), lengths[0], other, node), node)
                self.guard(same, ValueError, "zip() arguments differ in length")
        return Lazy("zip", parts)

    def assumed_equal(self, a: Abstract, b: Abstract, node: Any) -> bool:
        """True if two lengths are the same in this call, which is then checked at the head."""
        n, m = (getattr(self.operand(v, node).type, "size", None) for v in (a, b))
        return n is not None and m is not None and self.sizes.carried(n, m, self.place(node))

    def call_enumerate(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`enumerate(xs, start)`."""
        start = kwargs.get("start", args[1] if len(args) > 1 else Num(Literal(0)))
        first = self.listed(args[0]) if isinstance(args[0], Generator) else args[0]
        return Lazy("enumerate", (first, start))

    def call_iter(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`iter(xs)`."""
        return Lazy("iter", (self.listed(args[0]) if isinstance(args[0], Generator) else args[0],))

    def call_reversed(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`reversed(xs)`."""
        return Lazy("reversed", args)

    def call_map(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`map(f, xs)` over iterables of known length."""
        return Lazy("map", tuple(self.listed(a) if isinstance(a, Generator) else a for a in args))

    def call_list(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`list(xs)`."""
        if args and isinstance(args[0], Lazy) and args[0].kind == "iter":
            return self.call_list(args[0].parts, kwargs, node, name)
        if args and isinstance(args[0], Generator):
            return self.listed(args[0])
        if args and isinstance(series := self.contents(args[0]), Series):
            return self.box(self.series_copy([self.series_rows(series)], series.items))
        items = tuple(self.static_items(args[0], node)) if args else ()
        return self.box(Struct("list", tuple(range(len(items))), items))

    def call_tuple(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`tuple(xs)`."""
        items = tuple(self.static_items(args[0], node)) if args else ()
        return tuple_of(items)

    def call_tuple_new(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`tuple.__new__(cls, xs)`, in the text of namedtuples."""
        cls = self.static_value(args[0], "the class", node)
        return self.call_value(Static(cls), tuple(self.static_items(args[1], node)), {}, node)

    def call_dict(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
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
                if isinstance(t, Stream):
                    return t.cls
                if isinstance(t, Scalar) and t.weak:
                    return {"b": bool, "i": int, "f": float, "c": complex}[t.dtype.kind]
                return t.dtype.type
            case Struct(kind=kind, cls=cls):
                return cls or {"tuple": tuple, "list": list, "dict": dict, "slice": slice}[kind]
            case Series():
                return list
            case Closure():
                return types.FunctionType
            case Range():
                return range
        raise self.mismatch("S318", f"the type of {describe(box)} is not known", "", node)

    def call_getattr(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`getattr(x, "name", default)`."""
        if len(args) > 2:
            there = self.call_hasattr(args[:2], {}, node, "")
            if there == Num(Literal(False)):
                return args[2]
        return self.attribute(args[0], self.static_value(args[1], "an attribute name", node), node)

    def call_hasattr(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`hasattr(x, "name")`, decided now."""
        attr = self.static_value(args[1], "an attribute name", node)
        box = self.contents(args[0])
        if isinstance(box, Static):
            there = hasattr(box.value, attr)
            if box.access is not None:
                read = box.access.read
                has = Access(attr, (box.access.key, "hasattr", attr), lambda: hasattr(read(), attr))
                self.remember(has, there)
            return Num(Literal(there))
        if isinstance(box, Struct) and box.kind == "record":
            return Num(Literal(attr in box.keys or hasattr(box.cls, attr)))
        return Num(Literal(hasattr(self.type_of(box, node), attr)))

    def call_callable(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`callable(x)`."""
        box = args[0]
        return Num(
            Literal(callable(box.value) if isinstance(box, Static) else isinstance(box, Closure | Partial))
        )

    def call_str(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`str(x)` of a compile-time value."""
        return Static(str(self.static_value(args[0], "the argument of str()", node)) if args else "")

    def call_slice(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`slice(...)`."""
        none = Static(None)
        parts = (none, args[0], none) if len(args) == 1 else (*args, none)[:3]
        return Struct("slice", (0, 1, 2), tuple(parts))

    def call_sum(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Python's `sum`."""
        start = kwargs.get("start", args[1] if len(args) > 1 else Num(Literal(0)))
        return self.folded(args[0], start, lambda a, b: self.binary(gast.Add, a, b, node), node)

    def folded(
        self,
        iterable: Abstract,
        start: Abstract,
        step: Callable[[Abstract, Abstract], Abstract],
        node: Any,
        last: Abstract | None = None,
    ) -> Abstract:
        """Return the fold of an iterable, as a loop where its length is not known; `last` ends it."""
        if isinstance(iterable, Generator):
            return self.accumulate(self.at_home(iterable).node, start, step, last)
        box = self.contents(iterable)
        before = self.state.copy() if last is not None else None
        items = self.fixed_items(box, node) if not isinstance(box, Ref | Range | Series) else None
        if before is not None and not self.is_as_before(before):
            why = "what makes the items writes something, and may not be run for all of them"
            raise self.refuse("S109", why, "write a loop", node)
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
            made = step(names[key], names[item_name])
            self.state.frames[scope][key] = made  # a step that branches leaves another state

        self.run_for(iterable, node, target, body, [item_name, key], set())
        return self.checked(self.state.frames[scope].pop(key), "the accumulated value")

    def call_any(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """Python's `any`."""

        def step(a: Abstract, b: Abstract) -> Abstract:
            return self.either(
                self.truth_of(a, node), lambda: Num(Literal(True)), lambda: Num(self.truth_of(b, node))
            )

        return self.folded(args[0], Num(Literal(False)), step, node, Num(Literal(True)))

    def call_all(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """Python's `all`."""

        def step(a: Abstract, b: Abstract) -> Abstract:
            return self.either(
                self.truth_of(a, node), lambda: Num(self.truth_of(b, node)), lambda: Num(Literal(False))
            )

        return self.folded(args[0], Num(Literal(True)), step, node, Num(Literal(False)))

    def either(self, cond: Operand, then: Callable[[], Abstract], other: Callable[[], Abstract]) -> Abstract:
        """Return one of two values, decided now if the condition is a literal."""
        if isinstance(cond, Literal):
            return then() if cond.value else other()
        return self.branch(cond, then, other)

    def call_max(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Python's `max`."""
        return self.extreme(max, args, kwargs, node, name)

    def call_min(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Python's `min`."""
        return self.extreme(min, args, kwargs, node, name)

    def extreme(
        self, which: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the largest or smallest of several numbers, or of an iterable."""
        if kwargs:
            raise self.refuse(
                "S118", f"`{which.__name__}` with keywords is not supported", "use a loop", node
            )
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
            ints = self.is_int(best) and self.is_int(other)
            if ints:  # which of two equal ones is taken is no matter
                best, other = other, best
            better = self.truth_of(self.compare(op, other, best, node), node)
            if isinstance(better, Literal):
                best = other if better.value else best
                continue
            if ints:
                best = Num(self.extreme_int(which, better, self.operand(other), self.operand(best), name))
                continue
            kept, challenger = best, other
            best = self.branch(better, lambda c=challenger: c, lambda k=kept: k, name)  # type: ignore[misc]
        return best

    def extreme_int(self, which: Any, better: Operand, a: Operand, b: Operand, name: str) -> Operand:
        """Return the larger or smaller of two ints, with its size where it is one."""
        found = self.emit("where", better, a, b, name=name)
        n, m = map(size_of_int, (a, b))
        if n is None or m is None:
            return found
        return self.builder.retype(found, Scalar(INT, True, n.maximum(m) if which is max else n.minimum(m)))

    def is_int(self, value: Abstract) -> bool:
        """Return True for a Python int."""
        if not isinstance(value, Num):
            return False
        t = value.operand.type
        return isinstance(t, Scalar) and t.weak and t.dtype.kind == "i"

    def call_copyto(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """`np.copyto(dst, src, where=mask)`."""
        target = args[0]
        if not isinstance(target, Ref):
            raise self.mismatch("S318", "np.copyto writes into an array", "", node)
        casting = kwargs.get("casting", Static("same_kind"))
        self.check_kind(args[1], target, self.static_value(casting, "`casting`", node), node)
        if isinstance(args[1], Ref):
            self.check_fits(args[1], target, stretched=True)
        where = kwargs.get("where")
        if where is None:
            self.write(target, None, args[1])
        else:
            made = apply("where", self.leaf(where), self.leaf(args[1]), self.leaf(target))
            self.write(target, None, self.absorb(made, {}))
        return Static(None)

    def call_fill_diagonal(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`np.fill_diagonal(a, v)`."""
        target = args[0]
        if not isinstance(target, Ref) or target.type.ndim < 2 or kwargs:
            raise self.refuse(
                "S118", "np.fill_diagonal needs a matrix and no keywords", "write a[i, i] in a loop", node
            )
        rank = target.type.ndim
        sizes = [self.size(target, k).operand for k in range(rank)]
        if rank > 2:
            for n in sizes[1:]:
                same = self.emit("equal", sizes[0], n)
                self.guard(same, ValueError, "All dimensions of input must be of equal length")
        count = sizes[0] if rank > 2 else self.shorter(sizes[0], sizes[1])
        index = self.absorb(apply("arange", 0, Leaf(count), 1, dtype=np.dtype(np.int64)), {})
        self.write(target, (index,) * rank, self.stored(target, args[1], node))
        return Static(None)

    def ufunc_at(self, ufunc: np.ufunc, args: tuple[Abstract, ...], node: Any) -> Abstract:
        """`np.add.at(x, index, v)` and `np.subtract.at`."""
        target, index = args[0], self.contents(args[1])
        if not isinstance(target, Ref):
            raise self.mismatch("S318", f"np.{ufunc.__name__}.at writes into an array", "", node)
        parts = index.items if isinstance(index, Struct) and index.kind == "tuple" else (args[1],)
        value = args[2]
        if ufunc is np.subtract:
            value = self.absorb(apply("negative", self.leaf(value)), {})
        self.write(target, parts, value, "at")
        return Static(None)


BUILTINS: dict[Any, str] = {
    len: "len", range: "range", zip: "zip", enumerate: "enumerate", reversed: "reversed", map: "map",
    iter: "iter", list: "list", tuple: "tuple", dict: "dict", isinstance: "isinstance", type: "type",
    getattr: "getattr", hasattr: "hasattr", callable: "callable", str: "str", slice: "slice",
    sum: "sum", any: "any", all: "all", super: "super",
    max: "max", min: "min", sorted: "sorted", np.copyto: "copyto", np.fill_diagonal: "fill_diagonal",
    np.random.seed: "seed", np.random.shuffle: "shuffle",
    tuple.__new__: "tuple_new", unsupported: "unsupported",
}  # fmt: skip


def hashable(value: Any) -> bool:
    """Return True if a Python object can be a key."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def size_of_int(a: Operand) -> Size | None:
    """Return the size that an int operand is, if that is known."""
    if isinstance(a, Literal):
        return Size.of(a.value) if isinstance(a.value, int) else None
    return a.type.size if isinstance(a.type, Scalar) else None
