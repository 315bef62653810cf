"""Numbers of one dtype as numbers of another."""

from __future__ import annotations

from s2sad.ir.types import BOOL, Dtype
from s2sad.machine.writer import Number, Writer, constant, kind_of


def convert(w: Writer, a: Number, dtype: Dtype) -> Number:
    """Return a number as one of `dtype`, as NumPy's casts do."""
    if a.dtype == dtype:
        return a
    if dtype == BOOL:
        return Number(truth(w, a), dtype)
    return Number(_cast(w, a, dtype), dtype)


def truth(w: Writer, a: Number) -> str:
    """Return whether a number is not zero."""
    if a.dtype.kind == "b":
        return a.text
    kind, zero = kind_of(a.dtype), constant(0, a.dtype).text
    test = "fcmp une" if a.dtype.kind == "f" else "icmp ne"
    return w.value(f"{test} {kind} {a.text}, {zero}")


def _cast(w: Writer, a: Number, dtype: Dtype) -> str:
    source, target = kind_of(a.dtype), kind_of(dtype)
    word = _word(a.dtype, dtype)
    return w.value(f"{word} {source} {a.text} to {target}") if word else a.text


def _word(source: Dtype, target: Dtype) -> str:
    match source.kind, target.kind:
        case ("b", "f") | ("u", "f"):
            return "uitofp"
        case ("i", "f"):
            return "sitofp"
        case ("f", "i"):
            return "fptosi"
        case ("f", "u"):
            return "fptoui"
        case ("f", "f"):
            return "fpext" if target.itemsize > source.itemsize else "fptrunc"
        case ("b", _):
            return "zext"
    if target.itemsize == source.itemsize:
        return ""
    if target.itemsize < source.itemsize:
        return "trunc"
    return "zext" if source.kind == "u" else "sext"
