"""Draws in compiled code: methods of np.random.Generator, by Numba."""

from __future__ import annotations

from s2sad.errors import UnsupportedOp
from s2sad.ir.core import Instr, Operand, Value
from s2sad.ir.types import F8, GENERATOR, Array
from s2sad.lowering.context import Lowerer
from s2sad.lowering.create import sizes_of
from s2sad.lowering.scalars import convert
from s2sad.lowering.views import whole
from s2sad.record import replace

KNOWN = (
    "random", "standard_normal", "standard_exponential", "standard_gamma", "standard_t", "standard_cauchy",
    "beta", "chisquare", "f", "noncentral_chisquare", "pareto", "power", "weibull", "laplace", "logistic",
    "rayleigh", "triangular", "wald", "poisson", "binomial", "negative_binomial", "geometric", "logseries",
    "zipf", "integers", "permutation",
)  # fmt: skip


def lower_draw(low: Lowerer, instr: Instr) -> None:
    """Lower a draw: the same call, of scalars."""
    method, given = instr.param("method"), instr.param("given")
    stream, *args = instr.args
    if stream.type != GENERATOR:
        raise _refused(instr, "compiled code cannot draw from np.random or a RandomState")
    if method not in KNOWN:
        raise _refused(instr, f"rng.{method} cannot be compiled")
    if any(isinstance(a.type, Array) for a in args):
        raise _refused(instr, f"rng.{method} of arrays cannot be compiled")
    t = instr.result.type
    parameters = [low.scalar(a) for a in args[:given]]
    if method not in ("integers", "binomial", "negative_binomial"):
        parameters = [convert(low.code, a, F8) for a in parameters]
    dims: tuple[Operand, ...] = ()
    if isinstance(t, Array):
        dims = sizes_of(low, instr, args[given:])
    result = Value(instr.result.name, t)
    low.code.add_instr(replace(instr, args=(low.scalar(stream), *parameters, *dims), results=(result,)))
    if isinstance(t, Array):
        low.roots[result] = frozenset({result})
        low.define(instr.result, whole(result))
    else:
        low.define_scalar(instr.result, result)


def refuse_stream(low: Lowerer, instr: Instr) -> None:
    """Refuse what makes or sets a random stream."""
    raise _refused(instr, "compiled code cannot make or seed a random stream")


def keep_numpy_random(low: Lowerer, instr: Instr) -> None:
    """Let np.random stand for itself: whoever draws from it is refused."""
    low.define_scalar(instr.result, instr.result)


def _refused(instr: Instr, why: str) -> UnsupportedOp:
    return UnsupportedOp(
        "S292", why, "use jit=False, or pass an np.random.Generator as an argument", instr.origin
    )


TABLE = {
    "draw": lower_draw,
    "default_rng": refuse_stream,
    "random_state": refuse_stream,
    "seed": refuse_stream,
    "numpy_random": keep_numpy_random,
}
