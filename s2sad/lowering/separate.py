"""Memory is allocated in one function and worked on in another, which may assume that no two of its
arguments overlap: LLVM cannot see that of two allocations, and would test it before every loop."""

from __future__ import annotations

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Parameter, Value, distinct
from s2sad.ir.tree import Leaf
from s2sad.ir.types import Scalar
from s2sad.ir.walk import Copier
from s2sad.lowering.ops import LOWERED
from s2sad.ops.table import OPS
from s2sad.record import replace

BODY = "_on_separate_buffers"
ALLOCATIONS = ("empty", "zeros")
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


def separate(fn: Function) -> Function:
    """Return a function that allocates what `fn` allocates at its top level, where the sizes are known
    at its beginning, and calls the rest of it; `fn` itself if there is nothing to separate."""
    known: dict[Value, Instr] = {}
    found: list[Instr] = []
    params = set(fn.params)

    def is_known(a: Operand) -> bool:
        return isinstance(a, Literal) or a in params or a in known

    guarded = False
    for instr in fn.block.instrs:
        guarded = guarded or bool(instr.blocks) or instr.op.name == "call"
        if instr.blocks or not instr.op.pure or len(instr.results) != 1 or not all(map(is_known, instr.args)):
            continue
        if instr.op.name in ALLOCATIONS:
            # a size that may be negative raises in its turn
            if not guarded or all(_is_size(a, known) for a in instr.args):
                found.append(instr)
        elif instr.op.name == "size" or _is_number(instr):
            known[instr.result] = instr
    loops = any(i.op.name in ("for", "while") for i in fn.block.instrs)
    if len(found) < 2 or not loops or not _may_return(fn.block):
        return fn
    buffers = tuple(i.result for i in found)
    taken = set(found)
    new = distinct((f"buffer{k}" for k in range(len(buffers))), (p.name for p in fn.signature))
    count = len(fn.params)
    apart = Instr(LOWERED["stay_apart"], (), ())
    body = replace(
        fn,
        name=fn.name + BODY,
        params=(*fn.params, *buffers),
        signature=(*fn.signature, *(Parameter(n, Leaf(count + k)) for k, n in enumerate(new))),
        block=Block((), (apart, *(i for i in fn.block.instrs if i not in taken)), fn.block.end),
    )
    first = taken | set(known.values())
    return _caller(fn, body, [i for i in fn.block.instrs if i in first])


def _may_return(block: Block) -> bool:
    """False for what always raises: Numba finds no type for its call."""
    known: dict[Operand, bool] = {Literal(True): True, Literal(False): False}
    for i in block.instrs:
        numbers = [a.value for a in i.args if isinstance(a, Literal)]
        if i.op.name in COMPARISONS and len(numbers) == len(i.args):
            known[i.result] = bool(i.op.evaluate(*numbers))
        if i.op.name == "if" and i.args[0] in known:
            taken = i.blocks[0 if known[i.args[0]] else 1]
            if taken.end.kind == "raise":
                return False
    return block.end.kind == "return"


def _is_size(a: Operand, known: dict[Value, Instr]) -> bool:
    """True for what cannot be negative."""
    if isinstance(a, Literal):
        return bool(a.value.real >= 0)
    instr = known.get(a)
    if instr is None:
        return False
    match instr.op.name:
        case "size":
            return True
        case "at_least":
            return any(_is_size(x, known) for x in instr.args)
        case "add" | "multiply" | "at_most" | "widen" | "to_int64":
            return all(_is_size(x, known) for x in instr.args)
        case "select":
            return all(_is_size(x, known) for x in instr.args[1:])
    return False


def _is_number(instr: Instr) -> bool:
    values = (*instr.args, *instr.results)
    return all(isinstance(a.type, Scalar) and a.type.dtype.kind in "ib" for a in values)


def _caller(fn: Function, body: Function, instrs: list[Instr]) -> Function:
    copier = Copier(Sizes())
    params = tuple(map(copier.define, fn.params))
    copies: list[Instr] = []
    for k, instr in enumerate(instrs):
        copy = copier.instr(instr)
        if instr.op.name in ALLOCATIONS:  # Numba does not take calls of many arguments that are expressions
            named = Value(f"{instr.result.name or 'buffer'}_{k}", copy.result.type)
            copier.map[instr.result] = named
            copy = replace(copy, results=(named,))
        copies.append(copy)
    results = tuple(Value("", t) for t in fn.result_types)
    args = tuple(copier.operand(p) for p in body.params)
    call = Instr(OPS["call"], args, results, (("callee", body),), (), fn.origin)
    block = Block((), (*copies, call), End("return", results, (), fn.block.end.origin))
    return replace(fn, params=params, block=block)
