"""The driver: walks the blocks of a bufferized function and lowers instruction by instruction.

Control flow keeps its form. Arrays that flow through a block's end, a call or a return become real
arrays; everything between is index arithmetic and nests of loops.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from s2sad.errors import InternalError, Origin, UnsupportedOp
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Parameter, Value
from s2sad.ir.loops import loop_ends
from s2sad.ir.tree import Leaf, Node
from s2sad.ir.types import Array, Scalar, Sparse, Type
from s2sad.lowering import (
    create,
    decompose,
    draws,
    einsum,
    elementwise,
    external,
    fourier,
    index,
    linalg,
    ordered,
    pymath,
    rearrange,
    reduce,
    scipy_linalg,
    search,
    sparse,
    write,
)
from s2sad.lowering.code import Code, carried_type_of
from s2sad.lowering.context import Lowerer
from s2sad.lowering.divisions import checked_divisions
from s2sad.lowering.facts import Assumed, check_facts
from s2sad.lowering.fuse import fusible_values
from s2sad.lowering.overlap import Storage
from s2sad.lowering.views import Index, whole
from s2sad.ops.table import OPS
from s2sad.passes.dce import dce
from s2sad.record import dataclass, replace

Handler = Callable[[Lowerer, Instr], None]

TABLE: dict[str, Handler] = {
    **elementwise.TABLE,
    **index.TABLE,
    **write.TABLE,
    **reduce.TABLE,
    **create.TABLE,
    **rearrange.TABLE,
    **search.TABLE,
    **ordered.TABLE,
    **linalg.TABLE,
    **external.TABLE,
    **decompose.TABLE,
    **draws.TABLE,
    **sparse.TABLE,
    **scipy_linalg.TABLE,
    **fourier.TABLE,
    **einsum.TABLE,
    **pymath.TABLE,
}


def lower(fn: Function) -> Function:
    """Return a function with the meaning of a bufferized `fn`, in scalar loops and library calls."""
    return _Callees().lower(fn)


class _Callees:
    """Lowers each called function once."""

    def __init__(self) -> None:
        self.done: dict[Function, Function] = {}

    def lower(self, fn: Function) -> Function:
        if fn not in self.done:
            self.done[fn] = dce(_function(fn, self.lower))
        return self.done[fn]


def _function(fn: Function, lower_callee: Callable[[Function], Function]) -> Function:
    code = Code(Assumed(fn))
    storage = Storage(fn)
    low = Lowerer(code, storage, lower_callee)
    low.fusible = fusible_values(fn.block, storage)
    low.divisions = checked_divisions(fn.block)
    code.open()
    check_facts(code, fn)
    for p in fn.params:
        low.bind(p, p)
        if isinstance(p.type, Array):
            low.dims(low.reps[p])  # once, before any loop; unused ones go with the dead code
    types = tuple(carried_type_of(t) for t in fn.result_types)
    end = _instrs(low, fn.block, types, None)
    _refuse_types(fn.params, fn.origin)  # those that nothing reads
    return flat(replace(fn, block=code.close((), end)))


def flat(fn: Function) -> Function:
    """Return the function with one positional parameter per leaf and a tuple of result leaves."""
    names = [re.sub(r"\W", "_", p.name) or "x" for p in fn.params]
    taken: set[str] = set()
    for k, name in enumerate(names):
        count = 0
        while names[k] in taken:
            count += 1
            names[k] = f"{name}_{count}"
        taken.add(names[k])
    signature = tuple(Parameter(name, Leaf(k)) for k, name in enumerate(names))
    shown = len(fn.result_types) - len(fn.writes)
    result = Node("tuple", tuple(range(shown)), tuple(map(Leaf, range(shown))))
    return replace(fn, signature=signature, result=result, facts=(), doc="")


def _instrs(low: Lowerer, block: Block, returned: tuple[Type, ...], loop: tuple[Type, ...] | None) -> End:
    """Lower a block's instructions into the open block; return its end, not yet for a yield's types."""
    for instr in block.instrs:
        low.code.origin, low.code.role = instr.origin, instr.role
        lower_instr(low, instr, returned, loop)
    end = block.end
    low.code.origin = end.origin
    if end.kind == "raise":
        return constant_message(end)
    types = {"return": returned, "break": loop, "continue": loop}.get(end.kind)
    return replace(end, args=_values(low, end.args, types))


def constant_message(end: End) -> End:
    """Return a raise with the constant parts of its message: compiled code cannot format values."""
    params = dict(end.params)
    text = "".join(p for p in params["message"] if isinstance(p, str))
    return replace(end, args=(), params=tuple((params | {"message": (text,)}).items()))


def _print(low: Lowerer, instr: Instr) -> None:
    """Compiled code prints values and constant strings, one blank between them: an f-string is taken
    apart, without its format."""
    items: list[object] = []
    for item in instr.param("template"):
        for part in item if isinstance(item, tuple) else (item,):
            if isinstance(part, str):
                items += [part.strip(" ")] if part.strip(" ") or not isinstance(item, tuple) else []
            else:
                items.append(part[0] if isinstance(part, tuple) else part)
    params = (("end", "\n"), ("sep", " "), ("template", tuple(items)))
    low.code.add_instr(replace(instr, args=tuple(low.operand(a) for a in instr.args), params=params))


def _values(low: Lowerer, args: tuple[Operand, ...], types: tuple[Type, ...] | None) -> tuple[Operand, ...]:
    found = tuple(low.operand(a) for a in args)
    if types is None:
        return found
    return tuple(low.code.coerce(a, t) for a, t in zip(found, types, strict=True))


ORDERED = ("max", "min", "argmax", "argmin", "cummax", "cummin")


def _refuse_types(operands: Sequence[Operand], origin: Origin | None) -> None:
    """Refuse dtypes that compiled code does not have."""
    for a in operands:
        if a.type.dtype.char in "egG":
            name, other = ("float16", "float32") if a.type.dtype.char == "e" else ("longdouble", "float64")
            why = f"{name} does not exist in compiled code"
            raise UnsupportedOp("S291", why, f"use {other}, or jit=False", origin)


def _refuse_order(instr: Instr) -> None:
    if instr.op.name in ORDERED and any(a.type.dtype.kind == "c" for a in instr.args):
        why = "compiled code does not find the largest of complex numbers"
        raise UnsupportedOp("S292", why, "compare the real parts, or use jit=False", instr.origin)


def lower_instr(
    low: Lowerer, instr: Instr, returned: tuple[Type, ...], loop: tuple[Type, ...] | None
) -> None:
    """Lower one instruction."""
    _refuse_types((*instr.results, *instr.args), instr.origin)
    _refuse_order(instr)
    low.maker.update((r, instr) for r in instr.results)
    match instr.op.name:
        case "if":
            _if(low, instr, returned, loop)
        case "for":
            _for(low, instr, returned)
        case "while":
            _while(low, instr, returned)
        case "call":
            _call(low, instr)
        case "undef":
            _undef(low, instr)
        case "comment":
            low.code.add_instr(instr)
        case "optimize":
            why = f"scipy.optimize.{instr.param('solver')} runs in Python only"
            instead = "use jit=False, or custom_root with a solver that is read"
            raise UnsupportedOp("S292", why, instead, instr.origin)
        case "declared":
            why = "a function that is called but not read runs in Python only"
            raise UnsupportedOp("S292", why, "use jit=False", instr.origin)
        case "print":
            _print(low, instr)
        case name if name in TABLE:
            TABLE[name](low, instr)
        case name if name.startswith("math_"):
            pymath.lower_math(low, instr)
        case _ if elementwise.is_elementwise(instr.op):
            elementwise.lower_elementwise(low, instr)
        case name:
            raise InternalError("S902", f"no lowering of {name}", origin=instr.origin)


def has_lowering(name: str) -> bool:
    """Return True if `lower` knows the op."""
    here = ("undef", "print", "comment", "declared", "optimize")
    return name.startswith("math_") or name in here or name in TABLE or elementwise.is_elementwise(OPS[name])


def _inner(
    low: Lowerer,
    block: Block,
    params: tuple[Value, ...],
    yields: tuple[Type, ...],
    returned: tuple[Type, ...],
    loop: tuple[Type, ...] | None,
    dims: tuple[Index, ...] = (),
) -> Block:
    low.code.open()
    for k, (source, new) in enumerate(zip(block.params, params, strict=True)):
        low.bind(source, new, dims[k])
    end = _instrs(low, block, returned, loop)
    if end.kind == "yield":
        args = tuple(low.code.coerce(a, t) for a, t in zip(end.args, yields, strict=True))
        end = replace(end, args=args)
    return low.code.close(params, end)


def _results(low: Lowerer, instr: Instr) -> tuple[Value, ...]:
    if any(isinstance(r.type, Sparse) for r in instr.results):
        raise sparse.not_a_parameter(instr)
    return tuple(Value(r.name, carried_type_of(r.type)) for r in instr.results)


def _bind_results(
    low: Lowerer, instr: Instr, results: tuple[Value, ...], dims: tuple[Index, ...] | None = None
) -> None:
    for k, (source, new) in enumerate(zip(instr.results, results, strict=True)):
        size = source.type.size if isinstance(source.type, Scalar) else None
        if size is not None:
            low.code.bounds[new] = (size, size)
        low.bind(source, new, dims[k] if dims else ())


def _types(results: tuple[Value, ...]) -> tuple[Type, ...]:
    return tuple(carried_type_of(r.type) for r in results)


def _if(low: Lowerer, instr: Instr, returned: tuple[Type, ...], loop: tuple[Type, ...] | None) -> None:
    condition = low.scalar(instr.args[0])
    results = _results(low, instr)
    blocks = tuple(_inner(low, b, (), _types(results), returned, loop) for b in instr.blocks)
    low.code.origin, low.code.role = instr.origin, instr.role
    low.code.owner("if", (condition,), blocks, results)
    _bind_results(low, instr, results)


def _for(low: Lowerer, instr: Instr, returned: tuple[Type, ...]) -> None:
    code = low.code
    (body,) = instr.blocks
    slots = _slots(low, instr, body.params[1:], instr.args[3:])
    types = _types(slots.results)
    lo, hi, step = (low.scalar(a) for a in instr.args[:3])
    inits = _values(low, instr.args[3:], types)
    index = Value(body.params[0].name, carried_type_of(body.params[0].type))
    code.bounds[index] = code.range_bounds(lo, hi, step)
    if not isinstance(step, Literal):
        code.fail_if(code.op("equal", step, Literal(0)), ValueError, "range() arg 3 must not be zero")
    code.depth += 1
    block = _inner(low, body, (index, *slots.params), types, returned, types, ((), *slots.dims))
    code.depth -= 1
    code.origin, code.role = instr.origin, instr.role
    code.owner("for", (lo, hi, step, *inits), (block,), slots.results)
    _bind_results(low, instr, slots.results, slots.dims)


@dataclass(frozen=True, slots=True)
class _Slots:
    """The lowered parameters and results of a loop, and the dimensions of those that keep their size."""

    params: tuple[Value, ...]
    results: tuple[Value, ...]
    dims: tuple[Index, ...]


def _slots(low: Lowerer, instr: Instr, carried: tuple[Value, ...], inits: tuple[Operand, ...]) -> _Slots:
    """A size that may differ from trip to trip gets a name of its own, whatever name it has in the
    source; where it stays, it is the size of the initial array."""
    ends = loop_ends(instr.blocks[-1])
    params: list[Value] = []
    results: list[Value] = []
    dims: list[Index] = []
    for k, (p, r) in enumerate(zip(carried, instr.results, strict=True)):
        t = carried_type_of(p.type)
        kept: Index = ()
        if isinstance(t, Array):
            shape = inits[k].type.shape
            if all(a.type.shape == shape for a in (p, r, *(e.args[k] for e in ends))):
                kept = low.dims(low.rep(inits[k]))
            else:
                t = Array(t.dtype, tuple(low.code.sizes.fresh() for _ in shape))
        params.append(Value(p.name, t))
        results.append(Value(r.name, t))
        dims.append(kept)
    return _Slots(tuple(params), tuple(results), tuple(dims))


def _while(low: Lowerer, instr: Instr, returned: tuple[Type, ...]) -> None:
    cond, body = instr.blocks
    slots = _slots(low, instr, body.params, instr.args)
    types = _types(slots.results)
    inits = _values(low, instr.args, types)
    tested = tuple(Value(p.name, t) for p, t in zip(cond.params, types, strict=True))
    test = _inner(low, cond, tested, tuple(a.type for a in cond.end.args), returned, None, slots.dims)
    block = _inner(low, body, slots.params, types, returned, types, slots.dims)
    low.code.origin, low.code.role = instr.origin, instr.role
    low.code.owner("while", inits, (test, block), slots.results)
    _bind_results(low, instr, slots.results, slots.dims)


def _call(low: Lowerer, instr: Instr) -> None:
    callee: Function = instr.param("callee")
    lowered = low.lower_callee(callee)
    args = _values(low, instr.args, tuple(carried_type_of(p.type) for p in callee.params))
    results = _results(low, instr)
    params = tuple((k, lowered if k == "callee" else v) for k, v in instr.params)
    low.code.add_instr(Instr(instr.op, args, results, params, (), instr.origin, instr.role))
    _bind_results(low, instr, results)


def _undef(low: Lowerer, instr: Instr) -> None:
    t = instr.result.type
    if isinstance(t, Array):
        base = low.code.op("empty", *(Literal(0),) * t.ndim, dtype=t.dtype, hint=instr.result.name)
        low.define(instr.result, whole(low.retype(base, t)))
    else:
        low.define_scalar(instr.result, low.code.coerce(Literal(t.dtype.type(0).item()), carried_type_of(t)))
