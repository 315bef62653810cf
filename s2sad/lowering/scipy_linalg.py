"""scipy.linalg in compiled code: LAPACK by its C interface, matrix by matrix, in double precision."""

from __future__ import annotations

from s2sad.errors import UnsupportedOp
from s2sad.ir.core import Instr, Value
from s2sad.ir.types import F8
from s2sad.lowering.context import Lowerer
from s2sad.lowering.decompose import called, define_results, matrix_of
from s2sad.lowering.views import Index
from s2sad.ops.table import OPS


def lower_system(low: Lowerer, instr: Instr) -> None:
    """Lower solve_triangular and solve_banded."""
    a, b = (low.buffer(low.rep(x)) for x in instr.args)

    def core(index: Index) -> tuple[Value, ...]:
        left, right = matrix_of(low, a, (), F8), matrix_of(low, b, (), F8, b.type.ndim)
        return called(low, instr.op, left, right, params=instr.params)

    define_results(low, instr, (), (low.dims(b),), core)


def lower_lu_factor(low: Lowerer, instr: Instr) -> None:
    """Lower lu_factor."""
    a = low.rep(instr.args[0])
    dims = low.dims(a)
    define_results(
        low, instr, (), (dims, dims[:1]), lambda index: called(low, instr.op, matrix_of(low, a, (), F8))
    )


def lower_row_order(low: Lowerer, instr: Instr) -> None:
    """Lower row_order, a function of the text."""
    piv = low.rep(instr.args[0])
    define_results(
        low, instr, (), (low.dims(piv),),
        lambda index: called(low, instr.op, matrix_of(low, piv, (), piv.type.dtype, 1)),
    )  # fmt: skip


def lower_expm(low: Lowerer, instr: Instr) -> None:
    """Lower expm, of stacks as well."""
    a = low.buffer(low.rep(instr.args[0]))
    dims = low.dims(a)
    define_results(
        low, instr, dims[:-2], (dims[-2:],),
        lambda index: called(low, OPS["expm"], matrix_of(low, a, index, F8)),
    )  # fmt: skip


def refuse_vectors(low: Lowerer, instr: Instr) -> None:
    """Refuse what another function of LAPACK would give other signs."""
    why = "scipy.linalg.eigh cannot be compiled: the signs of its vectors would be others"
    raise UnsupportedOp("S292", why, "use np.linalg.eigh, or jit=False", instr.origin)


def refuse(low: Lowerer, instr: Instr) -> None:
    """Refuse what needs a Schur decomposition."""
    why = f"scipy.linalg.{instr.op.name} cannot be compiled"
    raise UnsupportedOp("S292", why, "use jit=False", instr.origin)


TABLE = {
    "solve_triangular": lower_system,
    "solve_banded": lower_system,
    "lu_factor": lower_lu_factor,
    "row_order": lower_row_order,
    "expm": lower_expm,
    "solve_sylvester": refuse,
    "sqrtm": refuse,
    "scipy_eigh": refuse_vectors,
}
