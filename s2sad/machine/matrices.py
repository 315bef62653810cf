"""Inverses, determinants and Cholesky's factors of small matrices of doubles, found here, others by LAPACK.

A call of LAPACK by way of Python takes as long as all the work on a small matrix, and is none of what a loop
may do. Methods: Golub and Van Loan, Matrix Computations, algorithms 3.4.1 and 4.2.1; for the adjoint Murray,
Differentiation of the Cholesky decomposition (2016), section 3.2."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from s2sad.ir.core import Instr
from s2sad.ir.types import F8, INT
from s2sad.machine import arrays
from s2sad.machine.arithmetic import arithmetic, compare
from s2sad.machine.arrays import Buffer
from s2sad.machine.calls import call_library
from s2sad.machine.frame import Frame
from s2sad.machine.functions import call_c
from s2sad.machine.loops import counted, item
from s2sad.machine.solving import FACTOR, SMALL, SOLVE, by_size, right_side, square, substitute
from s2sad.machine.writer import NotHere, Number, constant

_ZERO = "  store double 0.0, ptr %{}_at\n"
_UNIT = item("u", "%c", "%c") + "  store double 1.0, ptr %u_at\n"
IDENTITY = f"""define internal void @identity(ptr noalias %a, i64 %n) noinline nounwind {{
entry:
{counted("r", "0", "%n", counted("k", "0", "%n", item("z", "%r", "%k") + _ZERO.format("z")))}
{counted("c", "0", "%n", _UNIT)}  ret void
}}"""

_EXCHANGED = f"""{item("p", "%n", "%k")}  %row = sitofp i64 %k to double
  %moved = fcmp une double %p, %row
{item("d", "%k", "%k")}  %below = fcmp olt double %d, 0.0
  %turns = xor i1 %moved, %below
  %sign_old = load double, ptr %sign
  %sign_turned = fneg double %sign_old
  %sign_new = select i1 %turns, double %sign_turned, double %sign_old
  store double %sign_new, ptr %sign
  %size = call double @llvm.fabs.f64(double %d)
  %more = call double @log(double %size)
  %log_old = load double, ptr %log
  %log_new = fadd double %log_old, %more
  store double %log_new, ptr %log
"""
DETERMINANT = f"""define internal void @lu_determinant(
    ptr noalias %a, i64 %n, ptr noalias %sign, ptr noalias %log) noinline nounwind {{
entry:
  store double 1.0, ptr %sign
  store double 0.0, ptr %log
{counted("k", "0", "%n", _EXCHANGED)}  ret void
}}"""

_LESS = f"""{item("l", "%i", "%k")}{item("m", "%j", "%k")}  %part = fmul contract double %l, %m
  %old = load double, ptr %sum
  %new = fsub contract double %old, %part
  store double %new, ptr %sum
"""
_BELOW = f"""{item("own", "%i", "%j")}  store double %own, ptr %sum
{counted("k", "0", "%j", _LESS)}  %rest = load double, ptr %sum
  %on_diagonal = icmp eq i64 %i, %j
  br i1 %on_diagonal, label %diagonal, label %other
diagonal:
  %positive = fcmp ugt double %rest, 0.0
  br i1 %positive, label %rooted, label %failed
rooted:
  %root = call double @llvm.sqrt.f64(double %rest)
  store double %root, ptr %own_at
  store double %root, ptr %pivot
  br label %stored
other:
  %d = load double, ptr %pivot
  %scaled = fdiv double %rest, %d
  store double %scaled, ptr %own_at
  br label %stored
stored:
"""
_ABOVE = item("zero", "%j", "%o") + _ZERO.format("zero")
_COLUMN = f"""{counted("i", "%j", "%n", _BELOW)}  %j1 = add nsw i64 %j, 1
{counted("o", "%j1", "%n", _ABOVE)}"""
CHOLESKY = f"""define internal i1 @cholesky_factor(ptr noalias %a, i64 %n) noinline nounwind {{
entry:
  %sum = alloca double
  %pivot = alloca double
{counted("j", "0", "%n", _COLUMN)}  ret i1 false
failed:
  ret i1 true
}}"""

_SUMMED = f"""{item("b", "%i", "%k", "g")}{item("e", "%i", "%k")}  %scaled = fdiv double %b, %dk
  store double %scaled, ptr %b_at
  %part = fmul contract double %e, %scaled
  %old = load double, ptr %total
  %new = fsub contract double %old, %part
  store double %new, ptr %total
"""
_OWN = f"""{item("h", "%k", "%j", "g")}{item("f", "%k", "%j")}  %less = fmul contract double %whole, %f
  %left = fsub contract double %h, %less
  store double %left, ptr %h_at
"""
_PAIR = f"""{item("x", "%k", "%s", "g")}{item("y", "%r", "%s")}  %xy = fmul contract double %f_r, %y
  %x_new = fsub contract double %x, %xy
  store double %x_new, ptr %x_at
{item("v", "%r", "%s", "g")}{item("w", "%k", "%s")}  %vw = fmul contract double %f_r, %w
  %v_new = fsub contract double %v, %vw
  store double %v_new, ptr %v_at
"""
_ROWS = item("f_r", "%r", "%k", "g") + counted("s", "0", "%k", _PAIR)
_BACK = f"""{item("gk", "%k", "%k", "g")}{item("dk", "%k", "%k")}  store double %gk, ptr %total
  %k1 = add nsw i64 %k, 1
{counted("i", "%k1", "%n", _SUMMED)}  %sum = load double, ptr %total
  %whole = fdiv double %sum, %dk
{counted("j", "0", "%k", _OWN)}{counted("r", "%k1", "%n", _ROWS)}  %half = fmul double %whole, 0.5
  store double %half, ptr %gk_at
{counted("t", "%k1", "%n", item("o", "%k", "%t", "g") + _ZERO.format("o"))}"""
ADJOINT = f"""define internal void @cholesky_adjoint(
    ptr noalias %a, i64 %n, ptr noalias %g) noinline nounwind {{
entry:
  %total = alloca double
  %end = sub nsw i64 %n, 1
{counted("k", "%end", "-1", _BACK, -1)}  ret void
}}"""


def _factored(f: Frame, a: Buffer, n: str) -> tuple[str, str]:
    """Return where the factors of a small matrix are, and whether it has none."""
    w = f.w
    w.module.helpers["lu_factor"] = FACTOR
    packed = w.slot(f"[{(SMALL + 1) * SMALL} x double]")
    arrays.copied(w, a, arrays.rows(w, F8, packed, (n, n)))
    return packed, w.value(f"call i1 @lu_factor(ptr {packed}, i64 {n})")


def _regular(f: Frame, a: Buffer, n: str) -> str:
    """Return where the factors of a small matrix are, which has some."""
    packed, failed = _factored(f, a, n)
    f.unless(failed, lambda: f.raise_(np.linalg.LinAlgError, "Singular matrix"))
    return packed


def inverse(f: Frame, instr: Instr) -> None:
    """Find the inverse of a matrix: the solution for the identity."""
    w = f.w
    a, n = square(f, instr)
    made = f.array_for(instr.result, F8, (n, n))

    def small() -> None:
        packed = _regular(f, a, n)
        w.module.helpers |= {"identity": IDENTITY, "lu_solve": SOLVE}
        w.do(f"call void @identity(ptr {made.data}, i64 {n})")
        w.do(f"call void @lu_solve(ptr {packed}, i64 {n}, ptr {made.data}, i64 {n}, i1 false)")

    by_size(f, instr, n, small, made)


def solved(f: Frame, instr: Instr) -> None:
    """Solve one system."""
    a, n = square(f, instr)
    b, made = right_side(f, instr, n)
    by_size(f, instr, n, lambda: substitute(f, _regular(f, a, n), n, b, made), made)


def determinant(f: Frame, instr: Instr) -> None:
    """Find a determinant, or its sign and the logarithm of its size, as NumPy does from the factors."""
    w = f.w
    a, n = square(f, instr)
    sign, log = w.slot("double"), w.slot("double")
    here, there, regular, singular, done = (w.block() for _ in range(5))
    w.branch(compare(w, "less_equal", (Number(n, INT), constant(SMALL, INT))), here, there)
    w.begin(here)
    packed, failed = _factored(f, a, n)
    w.branch(failed, singular, regular)
    w.begin(regular)
    w.module.declare("double", "log", "double", attributes="nounwind memory(none)")
    w.module.helpers["lu_determinant"] = DETERMINANT
    w.do(f"call void @lu_determinant(ptr {packed}, i64 {n}, ptr {sign}, ptr {log})")
    w.jump(done)
    w.begin(singular)
    _put(f, (sign, log), (constant(0.0, F8), constant(-math.inf, F8)))
    w.jump(done)
    w.begin(there)
    call_library(f, instr, long=True)
    found = [f.number(r) for r in instr.results]
    _put(f, (sign, log), found if len(found) == 2 else (*found, constant(0.0, F8)))
    w.jump(done)
    w.begin(done)
    parts = [Number(w.value(f"load double, ptr {place}"), F8) for place in (sign, log)]
    if len(found) == 1:
        parts = [arithmetic(w, "multiply", (parts[0], call_c(w, "exp", (parts[1],), F8)), F8)]
    f.env.update(zip(instr.results, parts, strict=True))


def _put(f: Frame, places: Sequence[str], numbers: Sequence[Number]) -> None:
    for place, number in zip(places, numbers, strict=True):
        f.w.do(f"store double {number.text}, ptr {place}")


def cholesky(f: Frame, instr: Instr) -> None:
    """Find Cholesky's factor, from what is on the diagonal and below."""
    w = f.w
    a, n = square(f, instr)
    made = f.array_for(instr.result, F8, (n, n))

    def small() -> None:
        w.module.helpers["cholesky_factor"] = CHOLESKY
        arrays.copied(w, a, made)
        failed = w.value(f"call i1 @cholesky_factor(ptr {made.data}, i64 {n})")
        message = "Matrix is not positive definite"
        f.unless(failed, lambda: f.raise_(np.linalg.LinAlgError, message))

    by_size(f, instr, n, small, made)


def cholesky_adjoint(f: Frame, instr: Instr) -> None:
    """Find the cotangent of a matrix for the one of its Cholesky factor, all as lower triangles."""
    w, g = f.w, f.array(instr.args[1])
    factor, n = square(f, instr)
    if g.dtype != F8:
        raise NotHere("matrices of other numbers than doubles")
    made = f.array_for(instr.result, F8, (n, n))

    def small() -> None:
        w.module.helpers["cholesky_adjoint"] = ADJOINT
        arrays.copied(w, g, made)
        plain = arrays.rows(w, F8, w.slot(f"[{SMALL * SMALL} x double]"), (n, n))
        arrays.copied(w, factor, plain)
        w.do(f"call void @cholesky_adjoint(ptr {plain.data}, i64 {n}, ptr {made.data})")

    by_size(f, instr, n, small, made)


WRITERS: dict[str, Callable[[Frame, Instr], None]] = {
    "lapack_inv": inverse,
    "lapack_solve": solved,
    "lapack_det": determinant,
    "lapack_slogdet": determinant,
    "lapack_cholesky": cholesky,
    "cholesky_adjoint": cholesky_adjoint,
}
