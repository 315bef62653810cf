"""Checks for `debug=True`: a function that raises where the first nan or inf turns up.

A value is checked at the end of the line that computes it: a line is named, not an operation, and what is
infinite inside a line only (`1 / (1 + np.exp(-x))`) is no fault. Not checked are values that only a
selection reads (`analysis/masked.py`), and for inf those that a literal inf flows into (`best = np.inf`).
Shapes and dtypes of results are
checked by the driver (`driver/conforming.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from s2sad.analysis.flows import Place, flows, reached
from s2sad.analysis.masked import masked
from s2sad.errors import Origin
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Literal, Value
from s2sad.ir.op import Alias, Kind
from s2sad.ir.tree import leaves
from s2sad.ir.types import Array, is_differentiable
from s2sad.ops.table import OPS
from s2sad.passes.base import Pass, sizes_after
from s2sad.passes.calls import everywhere
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

CHECKED_ROLES = {"": "", "reverse": "the cotangent", "tangent": "the tangent"}
COMPUTING = (Kind.ELEMENTWISE, Kind.REDUCTION, Kind.LINEAR, Kind.BILINEAR, Kind.CUSTOM)
MOVING = ("widen", "getitem", "setitem", "full", "full_like", "copy", "draw", "concatenate", "stack")
STORING = ("setitem", "accum", "call", "if", "for", "while")
INFINITE = (Literal(math.inf), Literal(-math.inf), Literal(math.nan))
# of the infinite, these make finite numbers again
BOUNDED = ("exp", "exp2", "expm1", "tanh", "arctan", "special_expit", "special_ndtr", "special_erf")


def checks(trips: bool) -> Pass:
    """Return the pass that inserts the checks; with `trips`, messages tell the indices of loops (compiled
    code cannot format them)."""
    inside = everywhere(lambda fn: _Checks(fn, trips).function(fn))

    def checked(fn: Function) -> Function:
        return _with_inputs_checked(inside(fn))

    return checked


class _Checks(Rewriter):
    def __init__(self, fn: Function, trips: bool) -> None:
        super().__init__()
        self.trips = trips
        self.indices: list[Value] = []
        self.sizes = sizes_after(fn)
        self.masked = masked(fn)
        self.infinite = _infinite(fn)
        self.leaving = set(_leaving(fn))

    def visit(self, instr: Instr) -> Sequence[Instr]:
        """Return the instruction and the check of its result."""
        named = instr.op.name == "for" and self.trips and bool(instr.blocks[0].params[0].name)
        if named:
            self.indices.append(instr.blocks[0].params[0])
        new = self.inside(instr)
        if named:
            self.indices.pop()
        if not self.is_checked(new):
            return (new,)
        builder = Builder(self.sizes, new.origin)
        builder.add(new)
        self.check_numbers(builder, new)
        return builder.instrs

    def is_checked(self, instr: Instr) -> bool:
        if instr.role not in CHECKED_ROLES or instr.op.kind not in COMPUTING or instr.op.name in MOVING:
            return False
        if instr.op.name == "accum":
            if instr.param("path"):  # what is added is checked
                return False
        elif instr.op.alias is not Alias.FRESH:
            return False
        (value, *more) = instr.results
        if more or not is_differentiable(value.type) or value in self.masked:
            return False
        return bool(value.name) or value in self.leaving

    def check_numbers(self, builder: Builder, instr: Instr) -> None:
        made = "nan" if instr.result in self.infinite else "nan or inf"
        what = f"{CHECKED_ROLES[instr.role]} at: " if instr.role else ""
        message: list[object] = [f"{_place(instr.origin)}{made} in {what}{_text(instr.origin)}"]
        for k, index in enumerate(self.indices):
            message += [f"  [{index.name} = " if k == 0 else f", {index.name} = ", (k, "")]
        if self.indices:
            message.append("]")
        check_finite(builder, instr.result, made, tuple(message), tuple(self.indices))


def _with_inputs_checked(fn: Function) -> Function:
    """Return the function with checks of its float parameters; a tape was checked when it was written."""
    builder = Builder(sizes_after(fn), fn.origin)
    for parameter in fn.signature:
        for k in leaves(parameter.tree) if parameter.name != "tape" else ():
            leaf = fn.params[k]
            if is_differentiable(leaf.type):
                check_finite(builder, leaf, "nan or inf", (f"nan or inf in the argument {leaf.name}",))
    block = Block(fn.block.params, (*builder.instrs, *fn.block.instrs), fn.block.end)
    return replace(fn, block=block)


def check_finite(
    builder: Builder, value: Value, what: str, message: tuple[object, ...], shown: tuple[Value, ...] = ()
) -> None:
    """Append `if not np.isfinite(value).all(): raise FloatingPointError(message)`; for `nan` alone, isnan."""
    nan_only = what == "nan"
    wrong = builder.emit(OPS["isnan" if nan_only else "isfinite"], value)
    if isinstance(value.type, Array):
        wrong = builder.emit(OPS["any" if nan_only else "all"], wrong, axis=None, keepdims=False)
    if not nan_only:
        wrong = builder.emit(OPS["not_"], wrong)
    params = (("exception", FloatingPointError), ("message", message))
    bad = Block((), (), End("raise", shown, params, builder.origin))
    good = Block((), (), End("yield", (), (), builder.origin))
    builder.owner(OPS["if"], (wrong,), (bad, good), ())


def _place(origin: Origin | None) -> str:
    return f"{origin}: " if origin is not None else ""


def _text(origin: Origin | None) -> str:
    return origin.text.strip() if origin is not None else ""


def _leaving(fn: Function) -> Iterator[Value]:
    """Yield the values that are stored, handed on (other than on a tape), or read by another line."""
    makers: dict[Value, Instr] = {}
    taped = fn.extra.get("tape", 0) if all(p.name != "tape" for p in fn.signature) else 0

    def visit(block: Block) -> Iterator[Value]:
        for instr in block.instrs:
            makers.update(dict.fromkeys(instr.results, instr))
            whole = instr.op.name == "accum" and not instr.param("path")
            stores = instr.op.name in STORING and not whole
            for a in instr.args:
                if isinstance(a, Value) and a in makers and (stores or _line(makers[a]) != _line(instr)):
                    yield a
            for inner in instr.blocks:
                yield from visit(inner)
        handed = block.end.args[: len(block.end.args) - (taped if block.end.kind == "return" else 0)]
        yield from (a for a in handed if isinstance(a, Value))

    return visit(fn.block)


def _line(instr: Instr) -> tuple[str, int]:
    return (instr.origin.file, instr.origin.line) if instr.origin is not None else ("", 0)


def _infinite(fn: Function) -> set[Place]:
    """Return the values that an infinite number of the program's text flows into."""
    onwards = [f for f in flows(fn) if not f.decides and (f.via is None or f.via.op.name not in BOUNDED)]
    return reached(INFINITE, onwards)
