"""Square systems of doubles: small ones by factors found here, others by LAPACK.

The factors are those of `machine/factors.py`, so that either may solve with what the other has found: of the
transpose of the matrix, by rows, P F = L U with partial pivoting, and below them the exchanges of rows (Golub
and Van Loan, Matrix Computations, algorithms 3.4.1 and 3.1.1 to 3.1.4).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from s2sad.ir.core import Instr
from s2sad.ir.types import BOOL, F8, INT
from s2sad.machine import arrays
from s2sad.machine.arithmetic import compare
from s2sad.machine.arrays import Buffer
from s2sad.machine.calls import call_library
from s2sad.machine.conversions import convert
from s2sad.machine.frame import Frame
from s2sad.machine.loops import counted, item
from s2sad.machine.writer import NotHere, Number, constant

SMALL = 32  # unknowns, for which the way to LAPACK takes longer


def _exchange(k: str, row: str, column: str, p: str, by_rows: bool) -> str:
    """Return the exchange of two items, in rows `row` and `p` of x or in columns `column` and `p` of a."""
    if by_rows:
        items = item(f"{k}_one", row, column, "x", "m") + item(f"{k}_two", p, column, "x", "m")
    else:
        items = item(f"{k}_one", row, column) + item(f"{k}_two", row, p)
    return f"""{items}  store double %{k}_two, ptr %{k}_one_at
  store double %{k}_one, ptr %{k}_two_at
"""


def _less(c: str, target: str, source: str, factor: str) -> str:
    """Return x[target] -= factor * x[source], for all columns."""
    items = item(f"{c}_t", target, f"%{c}", "x", "m") + item(f"{c}_s", source, f"%{c}", "x", "m")
    inside = f"""{items}  %{c}_part = fmul contract double {factor}, %{c}_s
  %{c}_new = fsub contract double %{c}_t, %{c}_part
  store double %{c}_new, ptr %{c}_t_at
"""
    return counted(c, "0", "%m", inside)


def _over(c: str, target: str, divisor: str) -> str:
    """Return x[target] /= divisor, for all columns."""
    inside = f"""{item(f"{c}_t", target, f"%{c}", "x", "m")}  %{c}_new = fdiv double %{c}_t, {divisor}
  store double %{c}_new, ptr %{c}_t_at
"""
    return counted(c, "0", "%m", inside)


def _exchanges(k: str, first: str, end: str, step: int) -> str:
    """Return the exchanges of rows of x, in order or back."""
    inside = f"""{item(f"{k}_p", "%n", f"%{k}")}  %{k}_with = fptosi double %{k}_p to i64
{counted(f"{k}c", "0", "%m", _exchange(f"{k}c", f"%{k}", f"%{k}c", f"%{k}_with", True))}"""
    return counted(k, first, end, inside, step)


_LARGEST = f"""{item("i", "%k", "%ii")}  %i_size = call double @llvm.fabs.f64(double %i)
  %best_now = load double, ptr %best
  %larger = fcmp ogt double %i_size, %best_now
  br i1 %larger, label %take, label %keep
take:
  store double %i_size, ptr %best
  store i64 %ii, ptr %where
  br label %keep
keep:
"""
_SCALED = f"""{item("scaled", "%k", "%s")}  %ratio = fdiv double %scaled, %pivot
  store double %ratio, ptr %scaled_at
"""
_UPDATED = f"""{item("above", "%k", "%u")}{item("own", "%j", "%u")}  %part = fmul contract double %f, %above
  %left = fsub contract double %own, %part
  store double %left, ptr %own_at
"""
_ROWS = counted("j", "%k1", "%n", item("f", "%j", "%k") + counted("u", "%k1", "%n", _UPDATED))
_COLUMN = f"""{item("first", "%k", "%k")}  %first_size = call double @llvm.fabs.f64(double %first)
  store double %first_size, ptr %best
  store i64 %k, ptr %where
  %k1 = add nsw i64 %k, 1
{counted("ii", "%k1", "%n", _LARGEST)}  %p = load i64, ptr %where
{item("note", "%n", "%k")}  %p_number = sitofp i64 %p to double
  store double %p_number, ptr %note_at
{counted("e", "0", "%n", _exchange("e", "%e", "%k", "%p", False))}{item("pivot", "%k", "%k")}
  %singular = fcmp oeq double %pivot, 0.0
  br i1 %singular, label %failed, label %regular
regular:
{counted("s", "%k1", "%n", _SCALED)}{_ROWS}"""
FACTOR = f"""define internal i1 @lu_factor(ptr noalias %a, i64 %n) noinline nounwind {{
entry:
  %where = alloca i64
  %best = alloca double
{counted("k", "0", "%n", _COLUMN)}  ret i1 false
failed:
  ret i1 true
}}"""

_ROW = counted("j", "0", "%i", item("f", "%i", "%j") + _less("c", "%i", "%j", "%f"))
_LOWER = counted("i", "0", "%n", _ROW + item("d", "%i", "%i") + _over("e", "%i", "%d"))
_REST = counted("h", "%g1", "%n", item("v", "%g", "%h") + _less("o", "%g", "%h", "%v"))
_UPPER = counted("g", "%end", "-1", f"  %g1 = add nsw i64 %g, 1\n{_REST}", -1)
_BELOW = counted("t", "%s1", "%n", item("w", "%s", "%t") + _less("u", "%t", "%s", "%w"))
_LOWER_TURNED = counted("s", "0", "%n", f"  %s1 = add nsw i64 %s, 1\n{_BELOW}")
_ABOVE = counted("k", "0", "%y", item("l", "%y", "%k") + _less("p", "%k", "%y", "%l"))
_UPPER_TURNED = counted("y", "%end", "-1", item("z", "%y", "%y") + _over("b", "%y", "%z") + _ABOVE, -1)
SOLVE = f"""define internal void @lu_solve(ptr noalias %a, i64 %n, ptr noalias %x, i64 %m, i1 %turned)
    noinline nounwind {{
entry:
  %end = sub nsw i64 %n, 1
  br i1 %turned, label %of_transpose, label %of_matrix
of_matrix:
{_LOWER}{_UPPER}{_exchanges("q", "%end", "-1", -1)}  ret void
of_transpose:
{_exchanges("r", "0", "%n", 1)}{_LOWER_TURNED}{_UPPER_TURNED}  ret void
}}"""


def square(f: Frame, instr: Instr) -> tuple[Buffer, str]:
    """Return the matrix of an instruction and its size, after a check that it is square."""
    a = f.array(instr.args[0])
    if a.dtype != F8 or len(a.dims) != 2:
        raise NotHere("matrices of other numbers than doubles")
    n = a.dims[0]
    if n != a.dims[1]:
        oblong = compare(f.w, "not_equal", (Number(n, INT), Number(a.dims[1], INT)))
        message = "Last 2 dimensions of the array must be square"
        f.unless(oblong, lambda: f.raise_(np.linalg.LinAlgError, message))
    for name in ("fabs", "sqrt"):
        f.w.module.declare("double", f"llvm.{name}.f64", "double")
    return a, n


def factors(f: Frame, instr: Instr) -> None:
    """Find the factors of a matrix."""
    w = f.w
    a, n = square(f, instr)
    made = f.array_for(instr.result, F8, (w.value(f"add nsw i64 {n}, 1"), n))

    def small() -> None:
        w.module.helpers["lu_factor"] = FACTOR
        arrays.copied(w, a, arrays.rows(w, F8, made.data, (n, n)))
        failed = w.value(f"call i1 @lu_factor(ptr {made.data}, i64 {n})")
        f.unless(failed, lambda: f.raise_(np.linalg.LinAlgError, "Singular matrix"))

    by_size(f, instr, n, small, made)


def solution(f: Frame, instr: Instr) -> None:
    """Solve by factors."""
    packed = f.array(instr.args[0])
    if not packed.in_rows:
        raise NotHere("factors with gaps")
    n = packed.dims[1]
    b, made = right_side(f, instr, n)
    turned = convert(f.w, f.number(instr.args[2]), BOOL).text
    by_size(f, instr, n, lambda: substitute(f, packed.data, n, b, made, turned), made)


def right_side(f: Frame, instr: Instr, n: str) -> tuple[Buffer, Buffer]:
    """Return the right-hand side of a system of n unknowns, after a check, and memory for the solution."""
    b = f.array(instr.args[1])
    if b.dtype != F8 or len(b.dims) > 2:
        raise NotHere("systems of other numbers than doubles")
    unlike = compare(f.w, "not_equal", (Number(n, INT), Number(b.dims[0], INT)))
    message = "solve: Input operand 1 has a mismatch in its core dimension 0"
    f.unless(unlike, lambda: f.raise_(ValueError, message))
    return b, f.array_for(instr.result, F8, b.dims)


def substitute(f: Frame, packed: str, n: str, b: Buffer, made: Buffer, turned: str = "false") -> None:
    """Write the solution for a right-hand side, by factors found here."""
    f.w.module.helpers["lu_solve"] = SOLVE
    arrays.copied(f.w, b, made)
    columns = b.dims[1] if len(b.dims) == 2 else "1"
    f.w.do(f"call void @lu_solve(ptr {packed}, i64 {n}, ptr {made.data}, i64 {columns}, i1 {turned})")


def by_size(f: Frame, instr: Instr, n: str, small: Callable[[], None], made: Buffer) -> None:
    """Write both ways to an array, and the choice between them by a size."""
    either(f, instr, compare(f.w, "less_equal", (Number(n, INT), constant(SMALL, INT))), small, made)


def either(f: Frame, instr: Instr, is_here: str, small: Callable[[], None], made: Buffer) -> None:
    """Write both ways to an array, and the choice between them."""
    w = f.w
    here, there, done = w.block(), w.block(), w.block()
    w.branch(is_here, here, there)
    w.begin(here)
    small()
    w.jump(done)
    w.begin(there)
    call_library(f, instr, made, long=True)
    w.jump(done)
    w.begin(done)
    f.env[instr.result] = made
