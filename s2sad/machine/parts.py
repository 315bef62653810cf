"""Complex numbers as pairs of floats: in a register, as in memory, the real part and the imaginary one."""

from __future__ import annotations

import numpy as np

from s2sad.ir.types import Dtype
from s2sad.machine.writer import Number, Writer, kind_of


def real_dtype(dtype: Dtype) -> Dtype:
    """Return the dtype of the parts of a complex one."""
    return np.dtype(f"f{dtype.itemsize // 2}")


def parts(w: Writer, z: Number) -> tuple[Number, Number]:
    """Return the real and the imaginary part."""
    kind, dtype = kind_of(z.dtype), real_dtype(z.dtype)
    real, imag = (Number(w.value(f"extractvalue {kind} {z.text}, {k}"), dtype) for k in (0, 1))
    return real, imag


def joined(w: Writer, real: Number, imag: Number) -> Number:
    """Return the complex number of these parts."""
    dtype = np.dtype(f"c{2 * real.dtype.itemsize}")
    kind, part = kind_of(dtype), kind_of(real.dtype)
    half = w.value(f"insertvalue {kind} poison, {part} {real.text}, 0")
    return Number(w.value(f"insertvalue {kind} {half}, {part} {imag.text}, 1"), dtype)
