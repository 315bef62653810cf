"""Fourier transforms: one line after the other, by way of the transform of complex vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import C16, F8, Array
from s2sad.lowering.code import ONE, ZERO
from s2sad.lowering.context import Lowerer
from s2sad.lowering.scalars import convert
from s2sad.lowering.views import Index, Lazy, Strided, whole

FORWARD = ("fft", "rfft")
Element = Callable[[Operand], Operand]


def lower_fourier(low: Lowerer, instr: Instr) -> None:
    """Lower fft, ifft, rfft or irfft along an axis."""
    code, name, axis = low.code, instr.op.name, int(instr.param("axis"))
    t = instr.result.type
    assert isinstance(t, Array)
    x = low.buffer(low.rep(instr.args[0]))
    given = low.dims(x)
    n = low.scalar(instr.args[1]) if name == "irfft" else given[axis]
    if not code.is_at_least(n, Size.of(1)):
        code.fail_if(code.op("less", n, ONE), ValueError, "Invalid number of FFT data points (0) specified.")
    length = code.add(code.op("floor_divide", n, Literal(2)), ONE) if name == "rfft" else n
    dims = tuple(low.number(t.shape[k], length if k == axis else m) for k, m in enumerate(given))
    buffer = low.allocate(t.dtype, dims, t, instr.result.name)
    part = {"ifft": "conjugate", "irfft": "real_part"}.get(name)
    factor = _factor(low, name, instr.param("norm", None), n)

    def line(outer: Index, state: list[Operand]) -> Sequence[Operand]:
        def place(k: Operand) -> Index:
            return (*outer[:axis], k, *outer[axis:])

        element = _element(low, x, place, name, n)
        size = code.exact(n)
        filled = low.fill(Lazy(Array(C16, (size,)), (n,), lambda index: element(index[0])))
        found = code.op("fft_line", filled.base)

        def step(k: Operand, inner: list[Operand]) -> Sequence[Operand]:
            (base,) = inner
            assert isinstance(base, Value)
            v: Operand = low.read_base(found, (k,))
            v = code.op(part, v) if part else v
            v = v if factor is None else code.op("multiply", v, factor)
            return (low.write_base(base, place(k), convert(code, v, t.dtype)),)

        return code.loop((ZERO, length, ONE), state, step)

    others = tuple(m for k, m in enumerate(given) if k != axis)
    (after,) = code.nest(others, (buffer,), line)
    assert isinstance(after, Value)
    low.define(instr.result, whole(low.version(buffer, after)))


def _factor(low: Lowerer, name: str, norm: str | None, n: Operand) -> Operand | None:
    """What the results of the plain sum are multiplied by."""
    if norm == "ortho":
        n = low.code.op("sqrt", convert(low.code, n, F8))
    elif (norm == "forward") != (name in FORWARD):
        return None
    return low.code.op("divide", Literal(1.0), convert(low.code, n, F8))


def _element(low: Lowerer, x: Strided, place: Callable[[Operand], Index], name: str, n: Operand) -> Element:
    """Element k of the vector that is transformed: an inverse is the conjugate of what the forward transform
    makes of the conjugate."""
    code = low.code

    def read(k: Operand) -> Operand:
        return convert(code, low.read(x, place(k)), C16)

    def mirrored(k: Operand) -> Operand:
        double = code.mul(Literal(2), k)
        is_first = code.op("less_equal", double, n)
        v = read(code.op("select", is_first, k, code.sub(n, k)))
        alone = code.op("either", code.op("equal", k, ZERO), code.op("equal", double, n))
        real = convert(code, code.op("real_part", v), C16)
        return code.op("select", alone, real, code.op("select", is_first, code.op("conjugate", v), v))

    if name == "irfft":
        return mirrored
    return (lambda k: code.op("conjugate", read(k))) if name == "ifft" else read


TABLE = dict.fromkeys(("fft", "ifft", "rfft", "irfft"), lower_fourier)
