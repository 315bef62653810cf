"""Arrays: operands, subscripts, reads at the present version, and writes."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from s2sad.frontend.complexes import Complexes
from s2sad.frontend.values import (
    Abstract,
    Box,
    Closure,
    Lazy,
    Method,
    Num,
    Range,
    Ref,
    Series,
    Static,
    Struct,
    tuple_of,
)
from s2sad.ir import path as paths
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.op import Alias
from s2sad.ir.path import At, Fancy, Index, Item, New, Path, Span
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array
from s2sad.ops.call import Casting, cannot_cast
from s2sad.ops.expr import Apply, Expr, Leaf, apply

Shape = tuple[Size, ...]
ARRAY_OF = "make an array of it: np.array(...), or s2sad.ravel_pytree(...) of a dict or tuple of arrays"
"""What to write for a container where an array is needed."""
NO_FIT = "could not broadcast input array to the shape of the output"


class Arrays(Complexes):
    """Arrays as operands, and parts of them."""

    def operand(self, value: Abstract, node: Any = None) -> Operand:
        """Return the IR operand of a number or array."""
        match value:
            case Num(operand):
                return operand
            case Ref(buffer=b) if b in self.elements:  # an operand that is an element does as well
                self.check_fresh(value)
                return self.elements[b]
            case Ref():
                return self.read(value)
            case Static(value=v) if isinstance(v, bool | int | float | complex) and not isinstance(
                v, np.generic
            ):
                return Literal(v.value if isinstance(v, enum.Enum) else v)
            case Static(value=v) if isinstance(v, np.generic) and v.dtype.kind in "biufc":
                return self.emit("cast", Literal(v.item()), dtype=v.dtype)
            case Static(value=v) if isinstance(v, np.ndarray) and v.dtype.kind in "biufc":
                return self.constant_array(v)
        value = self.checked(value, "this value")
        none = isinstance(value, Static) and value.value is None
        instead = "begin with a number or an array (np.zeros(...)), not with None" if none else ""
        if isinstance(value, Struct | Box):
            instead = ARRAY_OF
        raise self.mismatch(
            "S306", f"a number or an array is needed here, not {describe(value)}", instead, node
        )

    def constant_array(self, value: np.ndarray) -> Value:
        """Return a small array written into the program."""
        if value.size > 64 or value.ndim == 0:
            raise self.mismatch(
                "S307",
                "an array made at compile time is too large to be written out",
                "pass it as an argument",
            )
        if value.ndim == 1:
            rows: list[Operand] = [Literal(v.item()) for v in value]
        else:
            rows = [self.constant_array(v) for v in value]
        if not rows:
            return self.emit("zeros", *value.shape, dtype=value.dtype)
        made = self.builder.emit(self.op("stack"), *rows, axis=0)
        return made if made.type.dtype == value.dtype else self.emit("cast", made, dtype=value.dtype)

    def leaf(self, value: Abstract, node: Any = None) -> Leaf:
        """Return a number or array as an expression."""
        return Leaf(self.operand(value, node))

    def absorb(self, result: Any, views: dict[Operand, Ref], name: str = "", memo: Any = None) -> Abstract:
        """Return the abstract value of what a Call expanded to. `views` maps operands that were passed
        in to the references they were read from, so that views of them stay views."""
        memo = {} if memo is None else memo
        if isinstance(result, tuple | list):
            items = tuple(self.absorb(r, views, "", memo) for r in result)
            if hasattr(result, "_fields"):
                return Struct("record", result._fields, items, type(result))
            struct = Struct("tuple" if isinstance(result, tuple) else "list", tuple(range(len(items))), items)
            return struct if isinstance(result, tuple) else self.box(struct)
        if not isinstance(result, Expr):
            return constant(result)
        if isinstance(result, Leaf):
            if result.operand in views:
                return views[result.operand]
            return self.wrap(result.operand, name)
        assert isinstance(result, Apply)
        ref = self.as_view(result, views)
        if ref is not None:
            return ref
        operand = self.lower(result, name, memo)
        shared = self.shared(result, views) if isinstance(operand.type, Array) else None
        return self.wrap(operand, name) if shared is None else self.related(operand, *shared, name)

    def as_view(self, expr: Apply, views: dict[Operand, Ref]) -> Ref | None:
        """Return the view an expression denotes if it is a chain of basic indexings of a reference."""
        if expr.op.name != "getitem" or paths.is_fancy(expr.params["path"]):
            return None
        if not isinstance(expr.type, Array):
            return None
        base = expr.args[0]
        ref: Ref | None = None
        if isinstance(base, Leaf):
            ref = views.get(base.operand)
        elif isinstance(base, Apply):
            ref = self.as_view(base, views)
        if ref is None:
            return None
        operands = tuple(self.lower(a) for a in expr.args[1:])
        return self.view(ref, expr.params["path"], operands)

    def wrap(self, operand: Operand, name: str = "") -> Abstract:
        """Return a fresh IR value as an abstract value."""
        if isinstance(operand, Value) and isinstance(operand.type, Array):
            return self.new_buffer(operand, name)
        return Num(operand)

    def index_items(self, ref: Array, index: tuple[Abstract, ...]) -> tuple[Index, tuple[Operand, ...]]:
        """Return the path step and operands of a subscript: `...` expanded, trailing `:` added."""
        taken = sum(self._dims_taken(i) for i in index)
        if taken > ref.ndim:
            raise self.mismatch(
                "S308",
                f"{taken} indices for an array of rank {ref.ndim}",
                "use at most one index per dimension",
            )
        items: list[Item] = []
        operands: list[Operand] = []
        seen_dots = False
        for part in index:
            if isinstance(part, Static) and part.value is Ellipsis:
                if seen_dots:
                    raise self.mismatch("S308", "an index can hold only one `...`")
                seen_dots = True
                items += [Span()] * (ref.ndim - taken)
            elif isinstance(part, Range):
                items.append(Fancy())
                operands.append(self.emit("arange", part.lo, part.hi, part.step, dtype=INT))
            else:
                self._index_item(part, items, operands)
        if not seen_dots:
            items += [Span()] * (ref.ndim - taken)
        return Index(tuple(items)), tuple(operands)

    def _dims_taken(self, part: Abstract) -> int:
        match part:
            case Static(value=v) if v is None or v is Ellipsis:
                return 0
            case Ref(type=t) if t.dtype.kind == "b":
                return t.ndim
        return 1

    def _index_item(self, part: Abstract, items: list[Item], operands: list[Operand]) -> None:
        part = self.contents(part)
        match part:
            case Static(value=None):
                items.append(New())
            case Struct(kind="slice"):
                there = []
                for bound in part.items:
                    if isinstance(bound, Static) and bound.value is None:
                        there.append(False)
                        continue
                    operand = self.operand(bound)
                    if operand.type.dtype.kind not in "iub" or isinstance(operand.type, Array):
                        raise self.mismatch("S308", "slice bounds must be ints", "convert with int()")
                    if operand == Literal(0) and len(there) == 2:
                        raise self.mismatch("S308", "ValueError: slice step cannot be zero")
                    there.append(True)
                    operands.append(operand)
                items.append(Span(*there))
            case Ref(type=t):
                if t.dtype.kind == "b":
                    items.append(Fancy(mask=True, ndim=t.ndim))
                elif t.dtype.kind in "iu":
                    items.append(At() if t.ndim == 0 else Fancy())
                else:
                    raise self.mismatch("S308", "arrays used as indices must hold ints or bools")
                value: Operand = self.read(part)
                if t.ndim == 0 and t.dtype.kind in "iu":
                    value = self.emit("getitem", value, path=(Index(()),))
                    value = self.emit("to_int", value)
                operands.append(value)
            case Struct(kind="list") | Struct(kind="tuple") | Series():
                made = self.array_of(part)
                self._index_item(made, items, operands)
            case _:
                operand = self.operand(part)
                if operand.type.dtype.kind == "b":
                    raise self.mismatch("S308", "a bool cannot be an index here", "use np.where or an if")
                if operand.type.dtype.kind not in "iu":
                    raise self.mismatch("S308", "an index must be an int", "convert with int()")
                items.append(At())
                operands.append(operand)

    def getitem(self, ref: Ref, index: tuple[Abstract, ...], name: str = "") -> Abstract:
        """Return `x[index]`: a view, a scalar, or a fresh array for index arrays."""
        step, operands = self.index_items(ref.type, index)
        if any(isinstance(i, Fancy) for i in step.items):
            base = self.read(ref)
            return self.wrap(self.builder.emit(self.op("getitem"), base, *operands, name=name, path=(step,)))
        if step.items and all(isinstance(i, At) for i in step.items):
            self.check_fresh(ref)
            base, path, before = self.nearest(ref)
            value = self.builder.emit(
                self.op("getitem"), base, *before, *operands, name=name, path=(*path, step)
            )
            dots = any(isinstance(part, Static) and part.value is Ellipsis for part in index)
            return self.element_view(ref, value) if dots else Num(value)
        return self.view(ref, (step,), operands)

    def element_view(self, ref: Ref, value: Value) -> Ref:
        """Return `x[..., k]` of rank 0: not a number but a view, which no path stands for."""
        made = self.related(self.emit("array0", value), ref, Alias.READONLY, "")
        self.elements[made.buffer] = value
        return made

    def write(self, ref: Ref, index: tuple[Abstract, ...] | None, value: Abstract, how: str = "set") -> None:
        """Write `value` to `ref[index]` (the whole view for None): how is set, add, at or push (a row of
        a list that was not there before: nothing that shares memory with the list changes)."""
        self.check_writeable(ref)
        path, operands = ref.path, ref.operands
        part = ref.type.shape
        if index is not None:
            step, more = self.index_items(ref.type, index)
            if (
                how in ("set", "add")
                and isinstance(value, Ref)
                and value.type.ndim
                and is_element(step, index)
            ):
                why = "ValueError: setting an array element with a sequence"
                raise self.mismatch("S319", why, "store a number: y[i] = x[0]")
            part = paths.shape_of(part, (step,), tuple(o.type for o in more), self.sizes.fresh)
            path, operands = (*path, step), (*operands, *more)
        elif not path or not isinstance(path[-1], Index):
            path = (*path, Index((Span(),) * ref.type.ndim))
        if how == "add" and isinstance(value, Ref):
            self.check_rank_in_place(value, len(part))
        value = self.without_leading_ones(value, len(part))
        source = self.operand(value)
        version = self.version(ref.buffer)
        self.check_part(version, path, operands, part, source)
        self.check_cast(source, ref, how)
        if how == "set":
            self.check_real(source, ref)
        params: dict[str, Any] = {"path": path}
        if how == "at":
            params["at"] = True
        op = self.op("setitem" if how in ("set", "push") else "accum")
        new = self.builder.emit(op, version, source, *operands, name=version.name, **params)
        if how == "push":
            self.state.buffers[ref.buffer] = new
        else:
            self.store(ref, new)

    def check_part(
        self, version: Value, path: Path, operands: tuple[Operand, ...], part: Shape, source: Operand
    ) -> None:
        """Note that a value meets the part of an array that it is written to."""
        if paths.is_fancy(path):
            self.builder.operands = ()
        else:  # what is compared, should their sizes not fit
            there = self.builder.emit(self.op("getitem"), version, *operands, path=path)
            self.builder.operands = (there, source)
        self.sizes.meet((part, source.type.shape), self.place())

    def check_rank_in_place(self, value: Abstract, rank: int) -> None:
        """Raise as NumPy for `x op= value` with a value of higher rank, even one of leading ones."""
        if isinstance(value, Ref) and value.type.ndim > rank > 0:
            why = f"non-broadcastable output operand: rank {rank} for a result of rank {value.type.ndim}"
            self.guard(Literal(False), ValueError, why)

    def without_leading_ones(self, value: Abstract, rank: int) -> Abstract:
        """Return a value of a rank beyond that of the place it is written to, as NumPy stores it."""
        if not isinstance(value, Ref) or value.type.ndim <= rank:
            return value
        for axis in range(value.type.ndim - rank):
            size = self.size(value, axis).operand
            if not self.sizes.canonical(value.type.shape[axis]).is_one:
                self.guard(self.emit("equal", size, 1), ValueError, "could not broadcast input array")
        first = self.getitem(value, (Num(Literal(0)),) * (value.type.ndim - rank))
        return first

    def check_cast(self, source: Operand, ref: Ref, how: str) -> None:
        """Raise where NumPy raises for an in-place operation on another kind of dtype."""
        if how in ("add", "at") and not np.can_cast(
            self.in_place_dtype(source, ref), ref.type.dtype, "same_kind"
        ):
            raise self.mismatch(
                "S312",
                f"{source.type.dtype} cannot be added in place to an array of {ref.type.dtype}",
                "make the array float: np.zeros(n) or x.astype(float)",
            )

    def check_kind(self, value: Abstract, target: Ref, casting: Casting, node: Any) -> None:
        """Refuse to store a value in an array of a dtype that NumPy's casting rule does not allow."""
        source, kept = self.leaf(value, node).dtype, target.type.dtype
        if not np.can_cast(source, kept, casting):
            raise cannot_cast(source, kept, casting).located(self.place(node))

    def check_fits(self, value: Ref, target: Ref, stretched: bool, why: str = NO_FIT) -> None:
        """Raise where an array has not the sizes of the one it is stored in; `stretched`: 1 fits all."""
        for k in range(-min(value.type.ndim, target.type.ndim), 0):
            n, m = value.type.shape[k], target.type.shape[k]
            if stretched and self.sizes.canonical(n).is_one:
                continue
            self.sizes.equal(n, m, self.place())
            if self.sizes.canonical(n) != self.sizes.canonical(m):
                own = self.size(value, value.type.ndim + k).operand
                fits = self.emit("equal", own, self.size(target, target.type.ndim + k).operand)
                if stretched:
                    fits = self.emit("bitwise_or", fits, self.emit("equal", own, Literal(1)))
                self.guard(fits, ValueError, why)

    def check_single(self, array: Ref) -> None:
        """Raise where an array that is to be a condition has not one element, as far as that is seen now."""
        for axis, n in enumerate(array.type.shape):
            if self.sizes.example(n) not in (1, None):
                is_one = self.emit("equal", self.size(array, axis).operand, Literal(1))
                why = "the truth of an array with more than one element is ambiguous: use np.any or np.all"
                self.guard(is_one, ValueError, why)

    def in_place_dtype(self, source: Operand, ref: Ref) -> Any:
        """Return the dtype of `array op source` before it is stored."""
        return apply("add", Leaf(Value("", Array(ref.type.dtype, ()))), Leaf(source)).dtype

    def size(self, ref: Ref, axis: int) -> Num:
        """Return `x.shape[axis]`: read from the first version of the buffer where a view allows it."""
        dim = self.sizes.canonical(ref.type.shape[axis])
        if dim.is_const and self.literal_sizes:
            return Num(Literal(dim.const))
        return Num(self.emit("size", self.read(ref), axis=axis))

    literal_sizes = False


def is_element(step: Index, index: tuple[Abstract, ...]) -> bool:
    """True if an index names one element: `x[...]` of rank 0 is an array, as `x[..., 0]` is."""
    dots = any(isinstance(part, Static) and part.value is Ellipsis for part in index)
    return not dots and all(isinstance(item, At) for item in step.items)


def constant(value: Any) -> Abstract:
    """Return a Python value as an abstract one."""
    if isinstance(value, bool | int | float | complex) and not isinstance(value, np.generic):
        return Num(Literal(value))
    if type(value) is tuple:
        return tuple_of([constant(v) for v in value])
    return Static(value)


def describe(value: Abstract) -> str:
    """Return what a value is, in words for an error message."""
    match value:
        case Static(value=None):
            return "None"
        case Static(value=v):
            return f"the {type(v).__name__} {v!r}" if isinstance(v, str) else f"a {type(v).__name__}"
        case Struct(kind=kind, cls=cls):
            return f"a {cls.__name__}" if cls else f"a {kind}"
        case Box():
            return "a list or dict"
        case Ref():
            return "an array"
        case Num():
            return "a number"
        case Closure():
            return "a function"
        case Lazy(kind=kind):
            return f"the iterator `{kind}`"
        case Method(name=name):
            return f"the method `{name}`"
    return f"a {type(value).__name__.lower()}"
