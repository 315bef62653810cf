"""Calls of scipy.special's functions of C. Their symbols say how they are declared, so that kept machine code
is not run with another version of SciPy that declares them otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.types import F8, INT, Dtype
from s2sad.machine.conversions import convert
from s2sad.machine.writer import NotHere, Number, Writer, kind_of
from s2sad.machine.zeta import zeta
from s2sad.ops.special_c import address, c_function

HEAD = "s2sad.special "


def call_special(w: Writer, name: str, args: Sequence[Number], dtype: Dtype) -> Number:
    """Return a function of scipy.special, computed in double precision. Polynomials of a whole order have a
    function of their own."""
    if name == "zeta" and dtype.kind == "f":
        return convert(w, zeta(w, *(convert(w, a, F8) for a in args)), dtype)
    whole = name.startswith("eval_") and args[0].dtype.kind in "iu"
    found = c_function(name, whole)
    if found is None or found.arity != len(args) or dtype.kind != "f":
        raise NotHere(f"the special function {name}")
    types = [INT if whole and k == 0 else F8 for k in range(len(args))]
    kinds = [kind_of(t) for t in types]
    given = [f"{kind} {convert(w, a, t).text}" for kind, a, t in zip(kinds, args, types, strict=True)]
    if found.has_more:
        kinds.append("i32")
        given.append("i32 0")
    symbol = f"{HEAD}{found.key} {found.declared}"
    line = f'declare double @"{symbol}"({", ".join(kinds)}) nounwind memory(none)'
    w.module.declared.setdefault(symbol, line)
    return convert(w, Number(w.value(f'call double @"{symbol}"({", ".join(given)})'), F8), dtype)


def special_address(symbol: str) -> int | None:
    """Return where a function called by `call_special` is; None if it is not to be had."""
    return address(*symbol.removeprefix(HEAD).split(" ", 1))
