"""Triangular systems of doubles: small ones by substitution here, in loops, others by SciPy."""

from __future__ import annotations

import numpy as np

from s2sad.ir.core import Instr
from s2sad.ir.types import F8, INT
from s2sad.machine import arrays
from s2sad.machine.arithmetic import compare
from s2sad.machine.calls import call_library
from s2sad.machine.frame import Frame
from s2sad.machine.loops import counted, item
from s2sad.machine.solving import by_size
from s2sad.machine.writer import NotHere, Number


def _element(name: str, row: str, column: str) -> str:
    """Return an item of the matrix, which may lie by columns."""
    return f"""  %{name}_row = mul nsw i64 {row}, %down
  %{name}_column = mul nsw i64 {column}, %right
  %{name}_place = add nsw i64 %{name}_row, %{name}_column
  %{name}_at = getelementptr inbounds double, ptr %a, i64 %{name}_place
  %{name} = load double, ptr %{name}_at
"""


def _unknown(i: str, first: str, end: str) -> str:
    """Return how row `i` gives its unknown, for all right-hand sides, with those from `first` on."""
    k, p, q = f"{i}k", f"{i}p", f"{i}q"
    inside = f"""{item(f"{p}t", f"%{i}", f"%{p}", "x", "m")}{item(f"{p}s", f"%{k}", f"%{p}", "x", "m")}
  %{p}_part = fmul contract double %{k}_f, %{p}s
  %{p}_new = fsub contract double %{p}t, %{p}_part
  store double %{p}_new, ptr %{p}t_at
"""
    less = counted(k, first, end, _element(f"{k}_f", f"%{i}", f"%{k}") + counted(p, "0", "%m", inside))
    over = f"""{item(f"{q}t", f"%{i}", f"%{q}", "x", "m")}  %{q}_new = fdiv double %{q}t, %{i}_pivot
  store double %{q}_new, ptr %{q}t_at
"""
    return f"""  %{i}_next_row = add nsw i64 %{i}, 1
{less}{_element(f"{i}_d", f"%{i}", f"%{i}")}  %{i}_pivot = select i1 %unit, double 1.0, double %{i}_d
  %{i}_zero = fcmp oeq double %{i}_pivot, 0.0
  br i1 %{i}_zero, label %failed, label %{i}_regular
{i}_regular:
{counted(q, "0", "%m", over)}"""


TRIANGULAR = f"""define internal i1 @triangular(ptr noalias %a, i64 %n, i64 %down, i64 %right, ptr noalias %x,
    i64 %m, i1 %forward, i1 %unit) noinline nounwind {{
entry:
  %end = sub nsw i64 %n, 1
  br i1 %forward, label %forth, label %back
forth:
{counted("i", "0", "%n", _unknown("i", "0", "%i"))}  ret i1 false
back:
{counted("j", "%end", "-1", _unknown("j", "%j_next_row", "%n"), -1)}  ret i1 false
failed:
  ret i1 true
}}"""


def solve_triangular(f: Frame, instr: Instr) -> None:
    """Solve a triangular system."""
    if not f.loops:
        call_library(f, instr)
        return
    w, a, b = f.w, f.array(instr.args[0]), f.array(instr.args[1])
    if a.dtype != F8 or b.dtype != F8 or len(b.dims) > 2:
        raise NotHere("systems of other numbers than doubles")
    n = b.dims[0]
    for d in a.dims:
        unlike = compare(w, "not_equal", (Number(n, INT), Number(d, INT)))
        f.unless(unlike, lambda: f.raise_(ValueError, "incompatible dimensions"))
    made = f.array_for(instr.result, F8, b.dims)
    plain = a if not a.by_bytes else None
    if plain is None or not a.aligned:
        plain = f.allocate(F8, (n, n))
        arrays.copied(w, a, plain)
    down, right = plain.strides
    lower, turned = bool(instr.param("lower", False)), bool(instr.param("trans", False))
    if turned:
        down, right = right, down
    forward, unit = (str(flag).lower() for flag in (lower != turned, bool(instr.param("unit", False))))

    def small() -> None:
        w.module.helpers["triangular"] = TRIANGULAR
        arrays.copied(w, b, made)
        columns = b.dims[1] if len(b.dims) == 2 else "1"
        given = f"ptr {plain.data}, i64 {n}, i64 {down}, i64 {right}, ptr {made.data}, i64 {columns}"
        failed = w.value(f"call i1 @triangular({given}, i1 {forward}, i1 {unit})")
        f.unless(failed, lambda: f.raise_(np.linalg.LinAlgError, "singular matrix"))

    by_size(f, instr, n, small, made)
