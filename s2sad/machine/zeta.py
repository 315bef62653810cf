"""The zeta function of Hurwitz, which SciPy exports no function of C for.

The first terms are summed, then the Euler-Maclaurin formula is used (Abramowitz and Stegun 1964, 3.6.28),
with as many terms of each as SciPy takes."""

from __future__ import annotations

from s2sad.ir.types import F8
from s2sad.machine.writer import Number, Writer, constant
from s2sad.ops.special_c import EULER_MACLAURIN


def _text(x: float) -> str:
    return constant(x, F8).text


NUMBERS = ", ".join(f"double {_text(x)}" for x in EULER_MACLAURIN)
ZETA = f"""@zeta_terms = internal constant [12 x double] [{NUMBERS}]
define internal double @hurwitz_zeta(double %s, double %q) {{
entry:
  %is_one = fcmp oeq double %s, 1.0
  br i1 %is_one, label %pole, label %below
below:
  %q.floor = call double @llvm.floor.f64(double %q)
  %q.whole = fcmp oeq double %q, %q.floor
  %q.low = fcmp ole double %q, 0.0
  %s.large = fcmp uge double %s, 1.0
  %hole = and i1 %q.low, %q.whole
  %is_pole = and i1 %hole, %s.large
  br i1 %is_pole, label %pole, label %domain
pole:
  ret double {_text(float("inf"))}
domain:
  %s.small = fcmp olt double %s, 1.0
  %s.floor = call double @llvm.floor.f64(double %s)
  %s.broken = fcmp one double %s, %s.floor
  %complex = and i1 %q.low, %s.broken
  %outside = or i1 %s.small, %complex
  br i1 %outside, label %nan, label %inside
inside:
  %far = fcmp ogt double %q, 1.0e+08
  br i1 %far, label %asymptotic, label %first
asymptotic:
  %s.less = fsub double %s, 1.0
  %inverse = fdiv double 1.0, %s.less
  %q.twice = fmul double %q, 2.0
  %small.part = fdiv double 1.0, %q.twice
  %factors = fadd double %inverse, %small.part
  %minus = fsub double 1.0, %s
  %scale = call double @pow(double %q, double %minus)
  %limit = fmul double %factors, %scale
  ret double %limit
nan:
  ret double {_text(float("nan"))}
first:
  %power = fneg double %s
  %start = call double @pow(double %q, double %power)
  br label %terms
terms:
  %k = phi i64 [ 0, %first ], [ %k.next, %term ]
  %a = phi double [ %q, %first ], [ %a.next, %term ]
  %last = phi double [ %start, %first ], [ %added, %term ]
  %sum = phi double [ %start, %first ], [ %sum.next, %term ]
  %few = icmp slt i64 %k, 9
  %near = fcmp ole double %a, 9.0
  %more = or i1 %few, %near
  br i1 %more, label %term, label %rest
term:
  %k.next = add i64 %k, 1
  %a.next = fadd double %a, 1.0
  %added = call double @pow(double %a.next, double %power)
  %sum.next = fadd double %sum, %added
  %added.size = call double @llvm.fabs.f64(double %added)
  %sum.size = call double @llvm.fabs.f64(double %sum.next)
  %unseen = fmul double %sum.size, {_text(1.1e-16)}
  %enough = fcmp olt double %added.size, %unseen
  br i1 %enough, label %summed, label %terms
summed:
  ret double %sum.next
rest:
  %less = fsub double %s, 1.0
  %area = fmul double %last, %a
  %integral = fdiv double %area, %less
  %half = fmul double %last, 0.5
  %most = fadd double %sum, %integral
  %begin = fsub double %most, %half
  br label %corrections
corrections:
  %j = phi i64 [ 0, %rest ], [ %j.next, %again ]
  %factor = phi double [ 1.0, %rest ], [ %factor.next, %again ]
  %t = phi double [ %last, %rest ], [ %t.next, %again ]
  %total = phi double [ %begin, %rest ], [ %total.next, %again ]
  %j.float = sitofp i64 %j to double
  %double = fmul double %j.float, 2.0
  %even = fadd double %s, %double
  %factor.even = fmul double %factor, %even
  %t.less = fdiv double %t, %a
  %place = getelementptr inbounds [12 x double], ptr @zeta_terms, i64 0, i64 %j
  %number = load double, ptr %place
  %scaled = fmul double %factor.even, %t.less
  %step = fdiv double %scaled, %number
  %total.next = fadd double %total, %step
  %step.size = call double @llvm.fabs.f64(double %step)
  %total.size = call double @llvm.fabs.f64(double %total.next)
  %unseen.too = fmul double %total.size, {_text(1.1e-16)}
  %small = fcmp olt double %step.size, %unseen.too
  br i1 %small, label %done, label %again
again:
  %odd = fadd double %even, 1.0
  %factor.next = fmul double %factor.even, %odd
  %t.next = fdiv double %t.less, %a
  %j.next = add i64 %j, 1
  %left = icmp slt i64 %j.next, 12
  br i1 %left, label %corrections, label %done
done:
  ret double %total.next
}}"""


def zeta(w: Writer, s: Number, q: Number) -> Number:
    """Return the zeta function of two doubles."""
    for name in ("floor", "fabs"):
        w.module.declare("double", f"llvm.{name}.f64", "double")
    w.module.declare("double", "pow", "double", "double", attributes="nounwind memory(none)")
    w.module.helpers["hurwitz_zeta"] = ZETA
    return Number(w.value(f"call double @hurwitz_zeta(double {s.text}, double {q.text})"), F8)
