"""Numbers of one dtype as numbers of another."""

from __future__ import annotations

import numpy as np

from s2sad.ir.types import BOOL, Dtype
from s2sad.machine.parts import joined, parts, real_dtype
from s2sad.machine.writer import NotHere, Number, Writer, constant, kind_of

C16 = np.dtype(np.complex128)


def convert(w: Writer, a: Number, dtype: Dtype) -> Number:
    """Return a number as one of `dtype`, as NumPy's casts do."""
    if a.dtype == dtype:
        return a
    if dtype == BOOL:
        return Number(truth(w, a), dtype)
    if dtype.kind == "c":
        part = real_dtype(dtype)
        of = parts(w, a) if a.dtype.kind == "c" else (a, constant(0, part))
        return joined(w, *(convert(w, x, part) for x in of))
    if a.dtype.kind == "c":
        raise NotHere("a complex number in the place of a real one")
    return Number(_cast(w, a, dtype), dtype)


def truth(w: Writer, a: Number) -> str:
    """Return whether a number is not zero."""
    if a.dtype.kind == "b":
        return a.text
    if a.dtype.kind == "c":
        real, imag = (truth(w, x) for x in parts(w, a))
        return w.value(f"or i1 {real}, {imag}")
    kind, zero = kind_of(a.dtype), constant(0, a.dtype).text
    test = "fcmp une" if a.dtype.kind == "f" else "icmp ne"
    return w.value(f"{test} {kind} {a.text}, {zero}")


def _cast(w: Writer, a: Number, dtype: Dtype) -> str:
    source, target = kind_of(a.dtype), kind_of(dtype)
    if a.dtype.kind == "f" and dtype.kind in "iu":
        return _whole(w, a, dtype)
    word = _word(a.dtype, dtype)
    return w.value(f"{word} {source} {a.text} to {target}") if word else a.text


def _whole(w: Writer, a: Number, dtype: Dtype) -> str:
    """Return a float cut off. What the target cannot hold is cut off in a wider type first, whose low bits
    are taken, as NumPy's compiled loops do: a direct cast leaves open what becomes of it."""
    source, target = kind_of(a.dtype), kind_of(dtype)
    wide = f"i{max(8 * dtype.itemsize, 32)}"
    found = w.value(f"fptosi {source} {a.text} to {wide}")
    if wide != target:
        return w.value(f"trunc {wide} {found} to {target}")
    if dtype.kind == "i":
        return found
    half = 2 ** (8 * dtype.itemsize - 1)
    limit = constant(float(half), a.dtype).text
    rest = w.value(f"fptosi {source} {w.value(f'fsub {source} {a.text}, {limit}')} to {wide}")
    above = w.value(f"xor {wide} {rest}, {-half}")
    large = w.value(f"fcmp oge {source} {a.text}, {limit}")
    return w.value(f"select i1 {large}, {wide} {above}, {wide} {found}")


def _word(source: Dtype, target: Dtype) -> str:
    match source.kind, target.kind:
        case ("b", "f") | ("u", "f"):
            return "uitofp"
        case ("i", "f"):
            return "sitofp"
        case ("f", "f"):
            return "fpext" if target.itemsize > source.itemsize else "fptrunc"
        case ("b", _):
            return "zext"
    if target.itemsize == source.itemsize:
        return ""
    if target.itemsize < source.itemsize:
        return "trunc"
    return "zext" if source.kind == "u" else "sext"
