"""Binary search in a sorted line, as `np.searchsorted` does it: nan counts as larger than all numbers."""

from __future__ import annotations

import numpy as np

from s2sad.ir.core import Instr
from s2sad.ir.types import INT
from s2sad.machine.arithmetic import compare
from s2sad.machine.arrays import load
from s2sad.machine.conversions import convert
from s2sad.machine.frame import Frame
from s2sad.machine.writer import NotHere, Number, Writer, kind_of


def search(f: Frame, instr: Instr) -> None:
    """Find where a number belongs in a line, before (`search_left`) or behind those that equal it."""
    w = f.w
    line, value = f.array(instr.args[0]), f.number(instr.args[1])
    common = np.result_type(line.dtype, value.dtype)
    if len(line.dims) != 1 or common.kind not in "fiu":
        raise NotHere("searches of other things than lines of numbers")
    value = convert(w, value, common)
    first, end = w.slot("i64"), w.slot("i64")
    w.do(f"store i64 0, ptr {first}")
    w.do(f"store i64 {line.dims[0]}, ptr {end}")
    head, trip, right, left, done = (w.block() for _ in range(5))
    w.begin(head)
    lo, hi = (w.value(f"load i64, ptr {place}") for place in (first, end))
    w.branch(w.value(f"icmp slt i64 {lo}, {hi}"), trip, done)
    w.begin(trip)
    middle = w.value(f"lshr i64 {w.value(f'add i64 {lo}, {hi}')}, 1")
    item = convert(w, load(w, line, (middle,)), common)
    if instr.op.name == "search_left":
        w.branch(_before(w, item, value), right, left)
    else:
        w.branch(_before(w, value, item), left, right)
    w.begin(right)
    w.do(f"store i64 {w.value(f'add i64 {middle}, 1')}, ptr {first}")
    w.jump(head)
    w.begin(left)
    w.do(f"store i64 {middle}, ptr {end}")
    w.jump(head)
    w.begin(done)
    f.env[instr.result] = Number(w.value(f"load i64, ptr {first}"), INT)


def _before(w: Writer, a: Number, b: Number) -> str:
    less = compare(w, "less", (a, b))
    if a.dtype.kind != "f":
        return less
    kind = kind_of(a.dtype)
    is_number = w.value(f"fcmp ord {kind} {a.text}, {a.text}")
    is_nan = w.value(f"fcmp uno {kind} {b.text}, {b.text}")
    return w.value(f"or i1 {less}, {w.value(f'and i1 {is_number}, {is_nan}')}")
