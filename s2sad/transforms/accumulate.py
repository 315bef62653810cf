"""Cotangents and their sums. The one place where a contribution is projected onto its primal's type.

The cotangent of an array may be *lazy*: of lower rank or with axes of size 1, standing for an array of the
primal's shape with equal elements. It may be *masked*: exactly 0 where the mask is False, whatever it is
there. Both are kept as long as only elementwise pullbacks look at them.
"""

from __future__ import annotations

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Alias, Kind
from s2sad.ir.path import Path, may_repeat, operand_count, shape_of, undone
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar, Type, is_differentiable
from s2sad.ops.declare import broadcast_shape
from s2sad.ops.table import OPS
from s2sad.record import dataclass
from s2sad.transforms.plan import Plan
from s2sad.transforms.rules import renamed, scalar_as, widen, zero
from s2sad.transforms.scope import Scope


@dataclass(frozen=True, slots=True, eq=False)
class Bar:
    """A cotangent: its value, and the mask outside which it is 0."""

    value: Operand
    mask: Operand | None = None


Bars = dict[Value, Bar]


class Accumulator:
    """Sums contributions; `bars` has the cotangents that are not zero, as far as known."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.bars: Bars = {}
        self.owned: set[Operand] = set()  # arrays made here, which nobody else reads
        self.whole_ones = set(plan.own_tapes)  # whose cotangents have all of their elements, always
        self.strong = _mixes_kinds(plan)
        self.own_code = 0  # from which instruction on the open block belongs to the contribution at hand

    def type_of(self, v: Value) -> Type:
        """Return the type of the cotangent of `v`: that of `v`, but NumPy scalars where those occur."""
        t = v.type
        if isinstance(t, Scalar) and t.weak and self.strong and is_differentiable(t):
            return Scalar(t.dtype)
        return t

    def name(self, v: Value) -> str:
        """Return the name of the cotangent of `v`. That of a value without a name is printed inside an
        expression if it is used once, and else has the name of the value it flows into."""
        if v.name:
            return f"{v.name}_bar"
        producer = self.plan.program.producer.get(v)
        if producer is None or producer.blocks or sum(1 for _ in self.plan.flow.sources(producer)) < 2:
            return ""
        near = self.plan.names.near.get(v)
        return f"{near}_bar" if near else ""

    # complete forms

    def whole(self, scope: Scope, bar: Bar, like: Value, name: str = "") -> Operand:
        """Return the cotangent of `like` without mask and in full shape."""
        value: Operand = self.unmasked(scope, bar, name)
        if isinstance(like.type, Array) and not self.is_full(value, like):
            value = scope.b.emit(OPS["broadcast_like"], value, scope.shape(like), name=name)
            value = scope.b.retype(value, Array(value.type.dtype, like.type.shape))
        return value

    def is_full(self, value: Operand, target: Value) -> bool:
        """True if a cotangent is known to have the shape of its primal."""
        if not isinstance(value.type, Array):
            return False
        if value.type.shape == target.type.shape or target in self.whole_ones:
            return True
        return not is_lazy(value.type, target.type.shape)

    def unmasked(self, scope: Scope, bar: Bar, name: str = "") -> Operand:
        """Return the cotangent with its mask applied."""
        if bar.mask is None:
            return bar.value
        out: Operand = scope.b.emit(OPS["where"], bar.mask, bar.value, Literal(0.0), name=name)
        self.owned.add(out)
        if isinstance(bar.value.type, Array) and not is_lazy(bar.value.type, bar.mask.type.shape):
            out = self._again(scope, out, bar.value.type)
        return out

    def settled(self, scope: Scope, v: Value, name: str = "") -> Operand:
        """Return the cotangent of `v` as it is handed over where control flow joins."""
        bar = self.bars.get(v)
        t = self.type_of(v)
        name = name or self.name(v)
        if bar is None:
            return self.nothing(scope, v, name)
        value = self.whole(scope, bar, v, name)
        if isinstance(t, Array):
            return self.cast(scope, value, t, name)
        return self.scalar(scope, value, t, name)

    def nothing(self, scope: Scope, v: Value, name: str = "") -> Operand:
        """Return a zero for the cotangent of `v`."""
        t = self.type_of(v)
        out = zero(scope.b, scope.shape(v) if isinstance(t, Array) else v, t, name)
        self.owned.add(out)
        return out

    def scalar(self, scope: Scope, value: Operand, t: Type, name: str) -> Operand:
        """Return a scalar cotangent in the scalar type `t`."""
        assert isinstance(t, Scalar)
        if value.type.dtype.kind == "c" and t.dtype.kind != "c":
            value = scope.b.emit(OPS["real"], value, name=name)
        if isinstance(value.type, Scalar) and value.type.weak and not t.weak:
            return widen(scope.b, value, t, name)
        return scalar_as(scope.b, value, t, name)

    def cast(self, scope: Scope, value: Operand, t: Type, name: str = "") -> Operand:
        """Return an array cotangent in the dtype of `t`."""
        if value.type.dtype.kind == "c" and t.dtype.kind != "c":
            value = scope.b.emit(OPS["real"], value, name=name)
        if value.type.dtype != t.dtype:
            value = scope.b.emit(OPS["cast"], value, name=name, dtype=t.dtype)
            self.owned.add(value)
        return value

    def _again(self, scope: Scope, out: Operand, t: Array) -> Operand:
        new = scope.b.retype(out, Array(out.type.dtype, t.shape))
        if new is not out:
            self.owned.discard(out)
            self.owned.add(new)
        return new

    # sums

    def add(
        self, scope: Scope, target: Value, value: Operand, mask: Operand | None = None, own: bool = False
    ) -> None:
        """Add a contribution that has the type and (but for laziness) the shape of `target`. `own`: it
        may be renamed if it was computed last."""
        name = self.name(target)
        old = self.bars.get(target)
        if old is None:
            named = renamed(scope.b, value, name) if own and self.is_own(scope) else value
            if named is not value and value in self.owned:
                self.owned.add(named)
            self.bars[target] = Bar(named, mask)
            return
        if old.mask is mask:
            a, c, both = old.value, value, mask
        else:
            a, c = self.unmasked(scope, old), self.unmasked(scope, Bar(value, mask))
            both = None
            if old.mask is not None and mask is not None:
                both = scope.b.emit(OPS["bitwise_or"], old.mask, mask)
        t = target.type
        if a in self.owned and self.is_full(a, target):
            self.owned.discard(a)
            out: Operand = scope.b.emit(OPS["accum"], a, self.cast_value(scope, c, t), name=name, path=())
        else:
            out = scope.b.emit(OPS["add"], a, c, name=name)
            full = [x.type.shape for x in (a, c) if self.is_full(x, target)]
            if full:  # the sum of two lazy ones may be larger than both
                out = scope.b.retype(out, Array(out.type.dtype, full[0]))
        self.owned.add(out)
        self.bars[target] = Bar(out, both)

    def cast_value(self, scope: Scope, value: Operand, t: Type) -> Operand:
        """Return what can be added in place to an array of the dtype of `t`."""
        if value.type.dtype.kind == "c" and t.dtype.kind != "c":
            value = scope.b.emit(OPS["real"], value)
        if isinstance(value.type, Array) and value.type.dtype != t.dtype:
            return scope.b.emit(OPS["cast"], value, dtype=t.dtype)
        return value

    def locate(
        self, scope: Scope, target: Value, g: Operand, path: Path, operands: tuple[Operand, ...]
    ) -> None:
        """Add a contribution to the part of `target` at a path."""
        name = self.name(target)
        bar = self.bars.get(target)
        g = self.cast_value(scope, g, target.type)
        back = undone(path, target.type.shape, operands) if isinstance(g.type, Array) else None
        types = [a.type for a in operands]
        if back is not None and g.type.shape == shape_of(target.type.shape, path, types, scope.b.sizes.fresh):
            zeros = (Literal(0),) * operand_count(back)
            whole = scope.b.emit(OPS["getitem"], g, *zeros, path=back)
            self.add(scope, target, scope.b.retype(whole, target.type), own=True)
        elif bar is None and not may_repeat(path):
            base = self.nothing(scope, target, name)
            out = scope.b.emit(OPS["setitem"], base, g, *operands, name=name, path=path)
            self._placed(target, base, out)
        else:
            base = self.nothing(scope, target, name) if bar is None else self.whole(scope, bar, target, name)
            params = {"path": path, "at": True} if may_repeat(path) else {"path": path}
            out = scope.b.emit(OPS["accum"], base, g, *operands, name=name, **params)
            self._placed(target, base, out)

    def _placed(self, target: Value, base: Operand, out: Operand) -> None:
        self.owned.discard(base)
        self.owned.add(out)
        self.bars[target] = Bar(out)

    def is_own(self, scope: Scope) -> bool:
        """True if the instruction appended last was made for the contribution at hand: its result may
        still get another name or type."""
        return len(scope.b.instrs) > self.own_code

    def sized(self, scope: Scope, value: Operand, shape: tuple[Size, ...]) -> Operand:
        """Return `value` with a shape that is known better than from the op, if that can be said."""
        return scope.b.retype(value, Array(value.type.dtype, shape)) if self.is_own(scope) else value

    # projection

    def project(self, scope: Scope, value: Operand, instr: Instr, k: int, lazy: bool) -> Operand:
        """Return a contribution to argument k of an instruction in that argument's dtype and shape;
        `lazy`: the cotangents it was computed from stood for larger arrays."""
        target = instr.args[k]
        y = instr.results[0]
        if instr.op.alias is Alias.INPLACE and k == 0:
            return value
        if value.type.dtype.kind == "c" and target.type.dtype.kind != "c":
            value = scope.b.emit(OPS["real"], value)
        if broadcasts(instr):
            value = self.unbroadcast(scope, value, target, y, lazy, pointwise(instr))
        elif isinstance(value.type, Array) and isinstance(target.type, Array):
            if value.type.ndim == target.type.ndim and not is_lazy(value.type, target.type.shape):
                value = self.sized(scope, value, target.type.shape)
        elif isinstance(value.type, Array):
            value = scope.b.emit(OPS["sum"], value, axis=None, keepdims=False)
        if value.type.dtype != target.type.dtype:
            if isinstance(value.type, Array):
                value = scope.b.emit(OPS["cast"], value, dtype=target.type.dtype)
            elif isinstance(target.type, Scalar) and not value.type.weak:
                value = self.scalar(scope, value, self.type_of(target), "")  # type: ignore[arg-type]
        return value

    def unbroadcast(
        self, scope: Scope, value: Operand, target: Operand, y: Value, lazy: bool, whole: bool
    ) -> Operand:
        """Return a contribution summed over the axes along which `target` was broadcast."""
        full = y.type.shape if whole else value.type.shape
        if whole and not lazy and isinstance(value.type, Array) and value.type.ndim == len(full):
            value = self.sized(scope, value, full)
        if target.type.shape == full and isinstance(target.type, Array) == isinstance(y.type, Array):
            return value
        if whole and lazy and value.type.shape != full:
            if not target.type.shape and not value.type.shape:  # a scalar times the number of elements
                count = scope.b.emit(OPS["size"], scope.shape(y), axis=None)
                return scope.b.emit(OPS["multiply"], value, count)
            value = scope.b.emit(OPS["broadcast_like"], value, scope.shape(y))
            value = scope.b.retype(value, Array(value.type.dtype, full))
        return self.reduce(scope, value, target)

    def reduce(self, scope: Scope, value: Operand, target: Operand) -> Operand:
        """Return `value` summed down to the shape of `target`."""
        if not isinstance(value.type, Array):
            return value
        if not isinstance(target.type, Array):
            return scope.b.emit(OPS["sum"], value, axis=None, keepdims=False) if value.type.ndim else value
        shape, goal = value.type.shape, target.type.shape
        lead = len(shape) - len(goal)
        pairs = list(zip(shape[lead:], goal, strict=True))
        if lead < 0 or any(a != n and not n.is_one for a, n in pairs):
            return scope.b.emit(OPS["unbroadcast"], value, scope.shape(target))
        ones = tuple(k for k, (a, n) in enumerate(pairs) if a != n)
        if lead:
            value = scope.b.emit(OPS["sum"], value, axis=tuple(range(lead)), keepdims=False)
            if not isinstance(value.type, Array):  # a sum over all axes is a scalar, rank 0 is an array
                return value
        if ones:
            value = scope.b.emit(OPS["sum"], value, axis=ones, keepdims=True)
        return scope.b.retype(value, Array(value.type.dtype, goal))


def is_lazy(t: Type, full: tuple[Size, ...]) -> bool:
    """True if values of type `t` stand for larger ones of shape `full`."""
    if len(t.shape) < len(full):
        return True
    return any(n.is_one and not m.is_one for n, m in zip(t.shape, full, strict=False))


def pointwise(instr: Instr) -> bool:
    """True if the op works element by element on operands that it broadcasts."""
    if instr.op.kind is Kind.ELEMENTWISE or (instr.op is OPS["accum"] and not instr.param("path")):
        return True
    return instr.op.kind is Kind.LINEAR and instr.op.shape is broadcast_shape


def broadcasts(instr: Instr) -> bool:
    """True if an argument of the op may be broadcast."""
    if instr.op.kind is Kind.BILINEAR:  # products of vectors and matrices need exact dimensions
        return instr.op is OPS["einsum"] or any(a.type.ndim > 2 for a in instr.args)
    return pointwise(instr) or instr.op.alias is Alias.INPLACE


def _mixes_kinds(plan: Plan) -> bool:
    """True if NumPy scalars or arrays of floats occur in the function, or tapes."""
    if any(is_differentiable(v.type) for v in plan.tapes):
        return True
    for v in plan.program.block_of:
        t = v.type
        if is_differentiable(t) and (isinstance(t, Array) or not t.weak):
            return True
    return False
