"""Rewrites of writes to parts of arrays: what a reverse sweep does to cotangents, said in fewer words.

    g = A_bar[i, j]; A_bar[i, j] = 0.0                A_bar[k, j] += m * A_bar[i, j]
    A_bar[k, j] += m * g; A_bar[i, j] += g      ->

The versions of an array between two writes are read by nothing but the next write, so that writes
can be joined. Contributions are added up in another order then: the last bit may differ, in generated
reverse sweeps only.
"""

from __future__ import annotations

from s2sad.ir.core import Instr, Literal, Operand
from s2sad.ir.op import Alias, Kind
from s2sad.ir.path import may_repeat
from s2sad.passes.place import WRITING, are_apart, element
from s2sad.passes.rows_arrays import ZEROS
from s2sad.passes.rows_signs import without_sign
from s2sad.passes.site import Answer, Made, Row, Site, is_number, is_weak, is_whole, same_type

FAR = 8  # writes between two that are joined


def _joined(site: Site) -> Answer:
    """Join a contribution with an earlier write to the same place."""
    if site.instr.role != "reverse":
        return None
    between: list[Instr] = []
    target = site.args[0]
    for _ in range(FAR):
        write = site.near(target, *WRITING)
        if write is None or site.defined.uses.get(write.result, 0) > 1 or write.role != "reverse":
            return None
        if write.args[2:] == site.args[2:] and write.param("path") == site.instr.param("path"):
            return _rebuilt(site, write, between)
        if write.op.name == "setitem" and not _apart(write, site.instr):
            return None
        between.append(write)
        target = write.args[0]
    return None


def _apart(a: Instr, b: Instr) -> bool:
    first, second = element(a), element(b)
    return first is not None and second is not None and are_apart(first, second)


def _rebuilt(site: Site, first: Instr, between: list[Instr]) -> Answer:
    value = _sum_of(first.args[1], site.args[1], first.result.type.dtype)
    if value is None or (first.op.name == "setitem" and may_repeat(site.instr.param("path"))):
        return None
    if first.op.name == "accum" and first.params != site.instr.params:
        return None
    made = Made(
        first.op.name, (first.args[0], value, *first.args[2:]), first.result.type, first.params, first
    )
    for write in reversed(between):
        made = Made(write.op.name, (made, *write.args[1:]), write.result.type, write.params, write)
    return made


def _sum_of(a: Operand, b: Operand, dtype: object) -> Operand | Made | None:
    if is_number(a, 0):
        return b if is_weak(b) or b.type.dtype == dtype else None
    return Made("add", (a, b), a.type) if same_type(a.type, b.type) else None


def _first(site: Site) -> Answer:
    """Assign where an array of zeros has only been written at other places."""
    target = site.args[0]
    if site.instr.role != "reverse" or may_repeat(site.instr.param("path")):
        return None
    for _ in range(FAR):
        write = site.near(target, *WRITING, *ZEROS)
        if write is None:
            return None
        if write.op.name in ZEROS:
            params = tuple(p for p in site.instr.params if p[0] != "at")
            return Made("setitem", site.args, params=params)
        if not _apart(write, site.instr):
            return None
        target = write.args[0]
    return None


def _onto_itself(site: Site) -> Answer:
    """x[i] = x[i] + v is x[i] += v, and x[i] = x[i] nothing."""
    target, value, *operands = site.args
    if site.instr.role != "reverse" or not _is_read(site, value):
        rest = _without_read(site, value)
        if rest is None:
            return None
        return Made("accum", (target, rest, *operands), params=site.instr.params)
    return target


def _is_read(site: Site, a: Operand) -> bool:
    read = site.definer(a, "getitem")
    return (
        read is not None
        and read.args[0] == site.args[0]
        and read.args[1:] == site.args[2:]
        and read.params == site.instr.params
    )


def _without_read(site: Site, a: Operand) -> Operand | Made | None:
    """Return the rest of a sum that starts with what the place holds now."""
    total = site.part(a, "add", "subtract")
    if total is None or total.result.type.dtype != site.type.dtype:
        return None
    left, right = total.args
    if _is_read(site, left) and same_type(left.type, total.result.type):
        return Made("negative", (right,), right.type) if total.op.name == "subtract" else right
    if _is_read(site, right) and total.op.name == "add" and same_type(right.type, total.result.type):
        return left
    if site.instr.role != "reverse":
        return None
    rest = _without_read(site, left)
    if rest is None or rest.type is None or not same_type(rest.type, right.type):
        return None
    return Made(total.op.name, (rest, right), right.type)


def _one_sum(site: Site) -> Answer:
    """Write a fresh array and what is added to all of it as one sum."""
    target, value = site.args[:2]
    fresh = site.near(target)
    if fresh is None or fresh.op.alias is not Alias.FRESH:
        return None
    if fresh.op.kind is not Kind.ELEMENTWISE and fresh.op.name != "where":
        return None
    if site.defined.uses.get(fresh.result, 0) > 1 or not is_whole(site.instr.param("path")):
        return None
    if value.type.dtype != target.type.dtype or not same_type(target.type, site.type):
        return None
    return Made("add", (target, value))  # of its shape, for else it could not be added in place


def _subtracted(site: Site) -> Answer:
    target, value, *operands = site.args
    if isinstance(value, Literal) or site.definer(value, "negative") is not None:
        return None
    positive = without_sign(site, value)
    if positive is None:
        return None
    return Made(
        "accum", (target, Made("negative", (positive,), value.type), *operands), params=site.instr.params
    )


ORDER = "in reverse sweeps: contributions add up in another order"

WRITES = (
    Row(("accum",), "a = zeros_like(x); a[0] += v", "a[0] = v", "in reverse sweeps: -0.0 for 0.0", _first),
    Row(("accum",), "x[i] = 0.0; x[k] += u; x[i] += v", "x[i] = v; x[k] += u", ORDER, _joined),
    Row(("setitem",), "x[i] = x[i] + v", "x[i] += v", "the same sum", _onto_itself),
    Row(("accum",), "x = a * b; x += v", "x = a * b + v", "the same sum", _one_sum),
    Row(("accum",), "x[i] += -a * b", "x[i] -= a * b", "a sign moves freely through products", _subtracted),
)
