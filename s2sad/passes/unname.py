"""Names for what is worth a statement of its own, and for nothing else.

    x = x_tape[k]                                  a_bar = float(a_bar)
    t3 = x                ->   x = x_tape[k]       return y, a_bar      ->   return y, float(a_bar)

A value that only changes its scalar type (`widen`) prints as its operand does: one name is enough for
both. Short cotangents and conversions at the very end are part of the `return`, and contributions of
one line to a cotangent are one sum. Runs after the passes that look at names.
"""

from __future__ import annotations

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.op import Alias
from s2sad.passes.rewrite import Renamer
from s2sad.record import replace

SHORT = 3  # operations in an expression that a `return` holds
CONVERSIONS = ("to_float", "to_int", "cast", "widen")


def unname(fn: Function) -> Function:
    """Return the function without names that only repeat another."""
    uses: dict[Value, list[Block]] = {}
    _count(fn.block, uses)
    names: dict[Value, str] = {}
    _visit(fn.block, uses, names)
    if fn.block.end.kind == "return":
        _finals(fn, uses, names)
    if not names:
        return fn
    return replace(fn, block=Renamer(names).block(fn.block))


def _finals(fn: Function, uses: dict[Value, list[Block]], names: dict[Value, str]) -> None:
    """Leave short cotangents of parameters, and conversions of any, to the `return`."""
    finals = {f"{p.name}_bar" for p in fn.params}
    by = {r: i for i in fn.block.instrs for r in i.results}

    def inside(a: Operand) -> int:
        """Return the operations that printing `a` takes."""
        if not isinstance(a, Value) or a not in by or (a.name and a not in names) or len(uses[a]) > 1:
            return 0
        instr = by[a]
        if instr.blocks or instr.op.alias is Alias.INPLACE:
            return 0
        return (instr.op.name != "getitem") + sum(map(inside, instr.args))

    def is_short(v: Value) -> bool:
        instr = by[v]
        if instr.blocks or instr.op.alias is Alias.INPLACE:
            return False
        return 1 + sum(map(inside, instr.args)) <= SHORT

    for a in fn.block.end.args:
        if not isinstance(a, Value) or a not in by or not by[a].role or a.name not in finals:
            continue
        converted = by[a].args[0] if by[a].op.name in CONVERSIONS else None
        for v in (converted, a):
            if not isinstance(v, Value) or v not in by or v.name != a.name or len(uses[v]) > 1:
                continue
            if is_short(v) or (v is a and converted is not None):
                names[v] = ""


def _count(block: Block, uses: dict[Value, list[Block]]) -> None:
    for instr in block.instrs:
        for a in instr.args:
            if isinstance(a, Value):
                uses.setdefault(a, []).append(block)
        for inner in instr.blocks:
            _count(inner, uses)
    for a in block.end.args:
        if isinstance(a, Value):
            uses.setdefault(a, []).append(block)


def _visit(block: Block, uses: dict[Value, list[Block]], names: dict[Value, str]) -> None:
    plain: dict[Value, Instr] = {}
    for instr in block.instrs:
        for inner in instr.blocks:
            _visit(inner, uses, names)
        if instr.op.name == "widen" and instr.role:
            source = instr.args[0]
            if isinstance(source, Value) and source in plain and source.name and len(uses[source]) == 1:
                names[source] = ""
                if not instr.result.name and uses.get(instr.result) != [block]:
                    names[instr.result] = source.name
            continue
        if instr.role and instr.op.name in ("add", "subtract") and instr.result.name:
            term = plain.get(instr.args[0]) if isinstance(instr.args[0], Value) else None
            if term is not None and _is_first_part(term, instr) and len(uses[term.result]) == 1:
                names[term.result] = ""
        if instr.role and not instr.blocks and len(instr.results) == 1:
            plain[instr.result] = instr


def _is_first_part(term: Instr, total: Instr) -> bool:
    if term.result.name != total.result.name:
        return False
    a, b = term.origin, total.origin
    return a is b or (a is not None and b is not None and (a.file, a.line) == (b.file, b.line))
