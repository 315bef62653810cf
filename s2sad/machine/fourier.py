"""Fourier transforms of lines: of short ones and of powers of two here, for a call of NumPy takes longer; of
others by NumPy. For powers of two by decimation in time (Cooley and Tukey 1965)."""

from __future__ import annotations

import math

from s2sad.ir.core import Instr
from s2sad.ir.types import F8, INT
from s2sad.machine import arrays
from s2sad.machine.arithmetic import compare
from s2sad.machine.conversions import C16
from s2sad.machine.frame import Frame
from s2sad.machine.loops import counted
from s2sad.machine.solving import SMALL, either
from s2sad.machine.writer import NotHere, Number, constant

LONGEST = 1024  # of the lines whose length is a power of two


def _turn(k: int, n: int) -> complex:
    """Return exp(-2j * pi * k / n), with quarters of a turn exact."""
    quarters, rest = divmod(4 * k, n)
    if not rest:
        return (1.0 + 0.0j, -1.0j, -1.0 + 0.0j, 1.0j)[quarters]
    angle = 2.0 * math.pi * k / n
    return complex(math.cos(angle), -math.sin(angle))


_ALL = [_turn(k, n) for n in range(1, SMALL + 1) for k in range(n)]
_PARTS = [part for z in _ALL for part in (z.real, z.imag)]
_TURNS = ", ".join(f"double {constant(part, F8).text}" for part in _PARTS)


def _pair(name: str, base: str, index: str) -> str:
    """Return the parts of a complex number as `%name` and `%name_i`."""
    return f"""  %{name}_twice = shl i64 {index}, 1
  %{name}_at = getelementptr inbounds double, ptr {base}, i64 %{name}_twice
  %{name}_next = getelementptr inbounds double, ptr %{name}_at, i64 1
  %{name} = load double, ptr %{name}_at
  %{name}_i = load double, ptr %{name}_next
"""


_TERM = f"""{_pair("x", "%from", "%j")}  %which = load i64, ptr %place
{_pair("t", "%turns", "%which")}  %xt = fmul contract double %x, %t
  %xti = fmul contract double %x_i, %t_i
  %real_term = fsub contract double %xt, %xti
  %xt_i = fmul contract double %x, %t_i
  %xi_t = fmul contract double %x_i, %t
  %imag_term = fadd contract double %xt_i, %xi_t
  %real_old = load double, ptr %real
  %real_new = fadd contract double %real_old, %real_term
  store double %real_new, ptr %real
  %imag_old = load double, ptr %imag
  %imag_new = fadd contract double %imag_old, %imag_term
  store double %imag_new, ptr %imag
  %further = add nsw i64 %which, %k
  %round = icmp sge i64 %further, %n
  %back = sub nsw i64 %further, %n
  %then = select i1 %round, i64 %back, i64 %further
  store i64 %then, ptr %place
"""
_SUM = f"""  store double 0.0, ptr %real
  store double 0.0, ptr %imag
  store i64 0, ptr %place
{counted("j", "0", "%n", _TERM)}  %to_twice = shl i64 %k, 1
  %to_at = getelementptr inbounds double, ptr %to, i64 %to_twice
  %to_next = getelementptr inbounds double, ptr %to_at, i64 1
  %real_sum = load double, ptr %real
  %imag_sum = load double, ptr %imag
  store double %real_sum, ptr %to_at
  store double %imag_sum, ptr %to_next
"""
_BUTTERFLY = f"""  %even = add nsw i64 %start, %k
  %odd = add nsw i64 %even, %half
  %which = mul nsw i64 %k, %stride
{_pair("a", "%to", "%even")}{_pair("b", "%to", "%odd")}{_pair("t", "@even_turns", "%which")}
  %bt = fmul contract double %b, %t
  %bti = fmul contract double %b_i, %t_i
  %real = fsub contract double %bt, %bti
  %bt_i = fmul contract double %b, %t_i
  %bi_t = fmul contract double %b_i, %t
  %imag = fadd contract double %bt_i, %bi_t
  %sum = fadd double %a, %real
  %sum_i = fadd double %a_i, %imag
  %gap = fsub double %a, %real
  %gap_i = fsub double %a_i, %imag
  store double %sum, ptr %a_at
  store double %sum_i, ptr %a_next
  store double %gap, ptr %b_at
  store double %gap_i, ptr %b_next
"""
_BLOCK = f"""  %start = shl i64 %block, %q
{counted("k", "0", "%half", _BUTTERFLY)}"""
_LEVEL = f"""  %half = shl i64 1, %p
  %q = add nsw i64 %p, 1
  %blocks = lshr i64 %n, %q
  %stride = lshr i64 {LONGEST}, %q
{counted("block", "0", "%blocks", _BLOCK)}"""
_REVERSED = f"""  %reversed = call i64 @llvm.bitreverse.i64(i64 %i)
  %j = lshr i64 %reversed, %rest
{_pair("x", "%from", "%j")}{_pair("y", "%to", "%i")}  store double %x, ptr %y_at
  store double %x_i, ptr %y_next
"""
_EVEN = ", ".join(
    f"double {constant(part, F8).text}"
    for k in range(LONGEST // 2)
    for part in (_turn(k, LONGEST).real, _turn(k, LONGEST).imag)
)
OF_POWERS = f"""@even_turns = internal constant [{LONGEST} x double] [{_EVEN}]
define internal void @fourier_of_power(ptr noalias %from, ptr noalias %to, i64 %n) noinline nounwind {{
entry:
  %levels = call i64 @llvm.cttz.i64(i64 %n, i1 true)
  %rest = sub nsw i64 64, %levels
{counted("i", "0", "%n", _REVERSED)}{counted("p", "0", "%levels", _LEVEL)}  ret void
}}"""
SUMS = f"""@turns = internal constant [{len(_PARTS)} x double] [{_TURNS}]
define internal void @fourier(ptr noalias %from, ptr noalias %to, i64 %n) noinline nounwind {{
entry:
  %real = alloca double
  %imag = alloca double
  %place = alloca i64
  %less = sub nsw i64 %n, 1
  %before = mul nsw i64 %n, %less
  %turns = getelementptr inbounds double, ptr @turns, i64 %before
{counted("k", "0", "%n", _SUM)}  ret void
}}"""


def transform(f: Frame, instr: Instr) -> None:
    """Transform a complex vector."""
    w, x = f.w, f.array(instr.args[0])
    if x.dtype != C16:
        raise NotHere("transforms of other numbers than complex ones")
    made = f.array_for(instr.result, C16, x.dims)
    line = x
    if not x.in_rows:
        line = f.allocate(C16, x.dims)
        arrays.copied(w, x, line)

    n = Number(x.dims[0], INT)
    other = w.value(f"and i64 {n.text}, {w.value(f'sub i64 {n.text}, 1')}")
    of_power = compare(w, "equal", (Number(other, INT), constant(0, INT)))
    for bound, word in ((LONGEST, "less_equal"), (1, "greater")):
        of_power = w.value(f"and i1 {of_power}, {compare(w, word, (n, constant(bound, INT)))}")
    is_short = compare(w, "less_equal", (n, constant(SMALL, INT)))

    def small() -> None:
        for name, more in (("bitreverse", ()), ("cttz", ("i1",))):
            w.module.declare("i64", f"llvm.{name}.i64", "i64", *more)
        w.module.helpers |= {"fourier": SUMS, "fourier_of_power": OF_POWERS}
        power, line_by_sums, done = w.block(), w.block(), w.block()
        w.branch(of_power, power, line_by_sums)
        for block, name in ((power, "fourier_of_power"), (line_by_sums, "fourier")):
            w.begin(block)
            w.do(f"call void @{name}(ptr {line.data}, ptr {made.data}, i64 {n.text})")
            w.jump(done)
        w.begin(done)

    either(f, instr, w.value(f"or i1 {of_power}, {is_short}"), small, made)
