"""The transforms, under JAX's names: decorators and operators over derivative objects."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.derivative import Derivative, Linearized, Pullback, Unchanged, Vmapped
from s2sad.driver.program import Program
from s2sad.driver.programs import program_of
from s2sad.driver.seeds import convert_series, spread, zero
from s2sad.ir.structure import flatten
from s2sad.ir.transformed import OUTSIDE, PARALLEL, Jit, Transformed, form, jit_of, scheme_of
from s2sad.jacobian import ByChunks, ForwardJacobian, Jacobian, ReverseJacobian
from s2sad.sparse import SparseHessian, SparseJacobian

Argnums = int | Sequence[int]
Checkpoint = str | int | None
Function = Callable[..., Any]


def grad(
    fun: Function | None = None,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    jit: Jit = False,
    checkpoint: Checkpoint = None,
    debug: bool = False,
) -> Any:
    """Return a function that computes the gradient of the scalar-valued `fun`.

    An int `argnums` gives the gradient by that positional argument, a tuple a tuple of gradients, each
    in its argument's structure, shape, dtype and kind. Keyword arguments are passed through. With
    `has_aux`, `fun` returns (value, aux) and the result is (gradient, aux). With `debug`, the emitted
    text checks every line's values and cotangents, and the first nan or inf raises FloatingPointError
    that names the line.

    `checkpoint` bounds the memory of loops: instead of what each trip needs, snapshots of the loop's state
    are kept, "sqrt" (of twice the trips: each is run twice at most), a number of them, or those that fit
    into a size ("64MiB"), and trips are run again from there (Griewank and Walther's revolve). Loops inside
    a trip have snapshots of their own.

    With `jit`, the code is compiled. With `jit="parallel"`, threads share its loops of independent trips, one
    thread per processor (`S2SAD_THREADS=n`: n). Sums over the trips are added up in an order that depends on
    the number of threads only.

        >>> grad(lambda x: x * x)(3.0)
        6.0
    """
    return _derivative(Derivative, "grad", fun, argnums, has_aux, jit, **_options(checkpoint, debug))


def value_and_grad(
    fun: Function | None = None,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    jit: Jit = False,
    checkpoint: Checkpoint = None,
    debug: bool = False,
) -> Any:
    """Return a function that computes (value, gradient) of `fun`; see `grad`.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    options = _options(checkpoint, debug)
    return _derivative(Derivative, "value_and_grad", fun, argnums, has_aux, jit, **options)


def jacfwd(
    fun: Function | None = None,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    jit: Jit = False,
) -> Any:
    """Return a function that computes the Jacobian of `fun` by columns (forward mode).

    Many columns are computed at once, along arrays with a leading axis for them: `chunk_size` says how many,
    which bounds the memory they take; 1 is one after the other. By default it follows from the sizes.
    """
    return _jacobian(ForwardJacobian, "jacfwd", fun, argnums, has_aux, chunk_size, jit)


def jacrev(
    fun: Function | None = None,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    jit: Jit = False,
    checkpoint: Checkpoint = None,
) -> Any:
    """Return a function that computes the Jacobian of `fun`, which has real results, by rows (reverse mode):
    one forward sweep, and many rows at once (see `jacfwd` for `chunk_size`, `grad` for `checkpoint`)."""
    options = _options(checkpoint)
    return _jacobian(ReverseJacobian, "jacrev", fun, argnums, has_aux, chunk_size, jit, **options)


def jacobian(
    fun: Function | None = None,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    jit: Jit = False,
) -> Any:
    """Return a function that computes the Jacobian of `fun`, by rows or columns as costs less."""
    return _jacobian(Jacobian, "jacobian", fun, argnums, has_aux, chunk_size, jit)


def hessian(
    fun: Function | None = None,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    jit: Jit = False,
) -> Any:
    """Return a function that computes the Hessian of `fun`, forward over reverse (forward over forward
    where `fun` returns more than one number)."""
    return _jacobian(ForwardJacobian, "hessian", fun, argnums, has_aux, chunk_size, jit)


@form(OUTSIDE)
def sparse_jacobian(
    fun: Function | None = None, argnums: int = 0, sparsity: Any = None, *, jit: Jit = False
) -> Any:
    """Return a function that computes the Jacobian of `fun`, one array, by one array argument, as a
    `scipy.sparse.csr_matrix` (both arrays flattened).

    Entries that share no row are computed together, so that a banded Jacobian takes a few jvps whatever its
    size (or a few rows at once by pullbacks, where that takes fewer). Which entries may differ from zero is
    found by a run of the program on sets of indices; or `sparsity` gives it, as a sparse matrix or an
    array whose zeros are left out. One jvp more then checks that nothing is missing.
    """
    return _sparse(SparseJacobian, "sparse_jacobian", fun, argnums, sparsity, jit)


@form(OUTSIDE)
def sparse_hessian(
    fun: Function | None = None, argnums: int = 0, sparsity: Any = None, *, jit: Jit = False
) -> Any:
    """Return a function that computes the Hessian of the scalar-valued `fun` by one array argument as a
    `scipy.sparse.csr_matrix`: a few Hessian-vector products; see `sparse_jacobian`."""
    return _sparse(SparseHessian, "sparse_hessian", fun, argnums, sparsity, jit)


def vmap(fun: Function | None = None, in_axes: Any = 0, out_axes: Any = 0, *, jit: Jit = False) -> Any:
    """Return a function that applies `fun` to each lane of its arguments and stacks the results: what a
    loop over the lanes does, in their order. Random draws and writes to arguments happen lane by lane too.

    `in_axes` is the axis that the lanes of the arguments lie along: an int, None for arguments that each lane
    gets whole, or a tuple with an item per positional argument, which may be a structure that begins
    like the argument's. Keyword arguments are batched along axis 0. `out_axes` says where the lanes of
    the results go: an int, or a structure that begins like the result's.

        >>> vmap(lambda x, w: x @ w, in_axes=(0, None))(np.eye(2), np.array([3.0, 5.0]))
        array([3., 5.])
    """
    return _derivative(Vmapped, "vmap", fun, 0, False, jit, axes=(in_axes, out_axes))


def jit(fun: Function | None = None, *, parallel: bool = False) -> Any:
    """Return `fun` compiled to native code (extra `jit`: numba, scipy); `parallel`: threads share its loops,
    as by `jit="parallel"` of `grad`."""
    return _derivative(Derivative, "jit", fun, 0, False, PARALLEL if parallel else True)


def checkpoint(fun: Function | None = None) -> Any:
    """Return `fun` marked so that a derivative recomputes it rather than storing its intermediate
    values. A plain call and all derivatives give the same numbers with and without the mark."""
    return _derivative(Unchanged, "checkpoint", fun, 0, False, False)


@form("stop_gradient")
def stop_gradient(x: Any) -> Any:
    """Return `x`; inside a differentiated function, its derivative is zero."""
    return x


@form("jvp")
def jvp(
    fun: Function,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
    *,
    jit: Jit = False,
    debug: bool = False,
) -> Any:
    """Return (y, y_dot): `fun(*primals)` and its derivative along `tangents`.

    A tangent None means that its primal does not vary. With `has_aux`: (y, y_dot, aux).

        >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, None))
        (6.0, 3.0)
    """
    primals, tangents = _paired(primals, tangents)
    flags, seeds = _varied(primals, tangents)
    variant, values = _program("jvp", fun, has_aux, jit, **_options(debug=debug)).find(primals, {}, flags)
    y, y_dot = variant.run(values, seeds)
    return (y[0], y_dot[0], y[1]) if has_aux else (y, y_dot)


@form("jet")
def jet(fun: Function, primals: Sequence[Any], series: Sequence[Any], *, jit: Jit = False) -> Any:
    """Return (y, series of y): `fun(*primals)` and its derivatives of higher orders along a curve.

    `series` holds for each primal the derivatives of orders 1, 2, ... of the curve x(t) at t = 0, where
    x(0) is the primal; they are not divided by factorials. The derivatives of y(t) come out in the same way.
    In containers every number or array has a tuple of derivatives of its own. None in the place of a series:
    the primal does not vary; in the place of a derivative: it is zero.

        >>> jet(lambda x: x ** 3, (2.0,), ((1.0, 0.0, 0.0),))
        (8.0, (12.0, 12.0, 6.0))
    """
    primals, series = _paired(primals, series, "series")
    flags, given = _varied(primals, series, convert_series)
    orders = {len(terms) for terms in given}
    if len(orders) > 1:
        raise TypeError(f"the series have different lengths: {sorted(orders)}")
    order = orders.pop() if orders else 0
    variant, values = _program("jet", fun, False, jit, order=order).find(primals, {}, flags)
    return variant.run(values, [d for terms in given for d in terms])


@form("vjp")
def vjp(
    fun: Function,
    *primals: Any,
    has_aux: bool = False,
    jit: Jit = False,
    checkpoint: Checkpoint = None,
    debug: bool = False,
) -> Any:
    """Return (y, pullback): `fun(*primals)` and the function from a cotangent of y to a tuple of
    cotangents, one per primal, None for ints, bools and static values. With `has_aux`: (y, pullback, aux).
    `checkpoint` as in `grad`.

        >>> y, pullback = vjp(lambda x, n: x ** n, 3.0, 2)
        >>> pullback(1.0)
        (6.0, None)
    """
    options = _options(checkpoint, debug)
    variant, values = _program("pullback", fun, has_aux, jit, **options).find(primals, {})
    y, tape = variant.forward(values)
    pullback = Pullback(variant, y, tape, has_aux)
    return (y[0], pullback, y[1]) if has_aux else (y, pullback)


@form("linearize")
def linearize(fun: Function, *primals: Any, jit: Jit = False) -> Any:
    """Return (y, pushforward): `fun(*primals)` and the function from tangents to the tangent of y."""
    variant, values = _program("jvp", fun, False, jit).find(primals, {})
    pushforward = Linearized(variant, values)
    return pushforward.value(), pushforward


@form("hvp")
def hvp(fun: Function, primals: Sequence[Any], tangents: Sequence[Any], *, jit: Jit = False) -> Any:
    """Return the Hessian of the scalar-valued `fun` times `tangents`, forward over reverse.

    Over the primals whose tangent is not None; bare if that is one, else a tuple.

        >>> hvp(lambda x: x ** 3, (2.0,), (1.0,))
        12.0
    """
    primals, tangents = _paired(primals, tangents)
    varied = tuple(t is not None for t in tangents)
    variant, values = _program("hvp", fun, False, jit).find(primals, {}, varied)
    return variant.run(values, _every_seed(primals, tangents))


def _derivative(
    cls: Callable[[Transformed], Derivative],
    kind: str,
    fun: Function | None,
    argnums: Argnums,
    has_aux: bool,
    jit: Jit,
    **options: Any,
) -> Any:
    """Return the derivative object, or a decorator that makes it if `fun` is not given yet."""
    chosen = _positions(argnums)
    if fun is None:
        return lambda function: _derivative(cls, kind, function, chosen, has_aux, jit, **options)
    if not callable(fun):
        raise TypeError(f"{kind} takes a function, not {type(fun).__name__}: {kind}(f)(x), not {kind}(f(x))")
    return cls(Transformed(kind, fun, chosen, bool(has_aux), None, jit_of(jit), **options))


def _options(checkpoint: Checkpoint = None, debug: bool = False) -> dict[str, Any]:
    """Return options of a transform as fields of its record."""
    return {"checkpoint": scheme_of(checkpoint), "debug": bool(debug)}


def _jacobian(
    cls: type[ByChunks],
    kind: str,
    fun: Function | None,
    argnums: Argnums,
    has_aux: bool,
    chunk_size: int | None,
    jit: Jit,
    **options: Any,
) -> Any:
    if chunk_size is not None and (not isinstance(chunk_size, int | np.integer) or chunk_size < 1):
        raise TypeError(f"chunk_size is a positive int or None, not {chunk_size!r}")

    def chunked(record: Transformed) -> ByChunks:
        return cls(record, chunk_size)

    return _derivative(chunked, kind, fun, argnums, has_aux, jit, **options)


def _sparse(
    cls: type[SparseJacobian], kind: str, fun: Function | None, argnums: int, sparsity: Any, jit: Jit
) -> Any:
    if not isinstance(_positions(argnums), int):
        raise TypeError(f"{kind} takes one argnum, not {argnums!r}: one matrix is by one argument")
    return _derivative(lambda record: cls(record, sparsity), kind, fun, argnums, False, jit)


def _positions(argnums: Argnums) -> int | tuple[int, ...]:
    many = isinstance(argnums, tuple | list)
    items = tuple(argnums) if isinstance(argnums, tuple | list) else (argnums,)
    if not items or any(isinstance(k, bool) or not hasattr(k, "__index__") for k in items):
        raise TypeError(f"argnums is an int or a tuple of ints, not {argnums!r}")
    positions = tuple(map(operator.index, items))
    return positions if many else positions[0]


def _program(kind: str, fun: Function, has_aux: bool, jit: Jit, **options: Any) -> Program:
    if not callable(fun):
        raise TypeError(f"{kind} takes a function first, not {type(fun).__name__}")
    return program_of(kind, fun, argnums=(), has_aux=bool(has_aux), jit=jit_of(jit), **options)


def _paired(
    primals: Sequence[Any], tangents: Sequence[Any], what: str = "tangents"
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    if not (isinstance(primals, tuple | list) and isinstance(tangents, tuple | list)):
        example = "jvp(f, (x,), (x_dot,))" if what == "tangents" else "jet(f, (x,), ((x_d1, x_d2),))"
        raise TypeError(f"primals and {what} are tuples: {example}")
    if len(primals) != len(tangents):
        raise TypeError(f"{len(tangents)} {what} for {len(primals)} primals")
    return tuple(primals), tuple(tangents)


def _varied(
    primals: tuple[Any, ...], tangents: tuple[Any, ...], change: Callable[[Any, Any, str], Any] | None = None
) -> tuple[tuple[bool, ...], list[Any]]:
    """Return which leaves of the primals vary, and the tangents of those that do, or what `change` makes of
    what is given for them."""
    name = "tangents" if change is None else "series"
    flags: list[bool] = []
    seeds: list[Any] = []
    for k, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        tree, found = flatten(primal, f"primals[{k}]")
        given = spread(tree, found, tangent, f"{name}[{k}]", change)
        flags += [i in given for i in range(len(found))]
        seeds += [given[i] for i in sorted(given)]
    return tuple(flags), seeds


def _every_seed(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> list[Any]:
    """Return a tangent for every float leaf of the varied primals."""
    seeds: list[Any] = []
    for k, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        if tangent is None:
            continue
        tree, found = flatten(primal, f"primals[{k}]")
        given = spread(tree, found, tangent, f"tangents[{k}]")
        seeds += [given.get(i, zero(x)) for i, x in enumerate(found) if np.result_type(x).kind in "fc"]
    return seeds
