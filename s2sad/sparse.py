"""Sparse Jacobians and Hessians: columns that share no row are computed together."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np

from s2sad.derivative import Derivative, Pullback
from s2sad.driver.arguments import active_leaves, bars_tree
from s2sad.driver.draws import refused
from s2sad.driver.program import Program, Variant
from s2sad.driver.seeds import like
from s2sad.driver.trace import Trace
from s2sad.errors import S2sadError, TypeMismatch
from s2sad.ir.core import Function
from s2sad.ir.structure import is_sparse, pick
from s2sad.ir.transformed import Transformed
from s2sad.ir.tree import Leaf
from s2sad.ir.types import Type, is_differentiable
from s2sad.ir.walk import draws
from s2sad.late import late
from s2sad.record import dataclass, replace

if TYPE_CHECKING:
    from s2sad.analysis import coloring, course
    from s2sad.analysis import dependence as dependences
    from s2sad.analysis.coloring import Pattern
    from s2sad.driver import pipeline
else:
    coloring = late("s2sad.analysis.coloring")
    course = late("s2sad.analysis.course")
    dependences = late("s2sad.analysis.dependence")
    pipeline = late("s2sad.driver.pipeline")

KEPT = 16  # patterns that an object remembers


class Spare:
    """An array kept for the next call: its pages, if new, would cost as much as what is computed in it."""

    def __init__(self) -> None:
        self.kept: list[np.ndarray] = []

    def take(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return an array that nobody else uses, with any contents."""
        found = self.kept.pop() if self.kept else None
        fits = found is not None and found.shape == shape and found.dtype == dtype
        return found if found is not None and fits else np.empty(shape, dtype)

    def give(self, array: np.ndarray) -> None:
        """Keep an array that is no longer used."""
        self.kept = [array]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How the entries of a matrix are computed: entry k is element `places[k]` of the products, of which
    row c is the matrix (or its transpose) times the sum of the basis vectors of group c."""

    pattern: Pattern
    groups: np.ndarray  # the colour of each column, of each row if `by_rows`
    places: np.ndarray
    indices: tuple[np.ndarray, np.ndarray]  # columns and ends of the pattern, as SciPy has them
    by_rows: bool = False
    seeds: Spare = field(default_factory=Spare)
    products: Spare = field(default_factory=Spare)

    @classmethod
    def of(
        cls, pattern: Pattern, groups: np.ndarray, at: np.ndarray, colors: np.ndarray, by_rows: bool = False
    ) -> Plan:
        """Return the plan where entry k is element `at[k]` of the product with group `colors[k]`."""
        small = max(*pattern.shape, pattern.columns.size) <= np.iinfo(np.int32).max
        columns, ends = (a.astype(np.int32 if small else np.int64) for a in (pattern.columns, pattern.ends))
        places = colors * pattern.shape[1 if by_rows else 0] + at
        return cls(pattern, groups, places, (columns, ends), by_rows)

    @property
    def count(self) -> int:
        """Return the number of products."""
        return coloring.color_count(self.groups)


class SparseJacobian(Derivative):
    """The Jacobian of one array by one array as a sparse matrix."""

    def __init__(self, record: Transformed, sparsity: Any = None):
        super().__init__(record)
        self.sparsity = sparsity
        self.rows = Program(replace(record, kind="pullback"))
        self.plans: dict[Any, Plan] = {}

    def __reduce__(self) -> Any:
        made = super().__reduce__()
        return made if isinstance(made, str) else (type(self), (self.__s2sad__, self.sparsity))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the matrix at these arguments."""
        variant, values = self.program.find(args, kwargs)
        found = variant.binding.leaves(values)
        fn = variant.primal
        x, result = one_by_one(fn, self.__s2sad__)
        plan = self.plan(variant, found, x, result)
        if plan.by_rows:
            products = self.pulled(plan, args, kwargs)
        else:
            products = self.pushed(plan, variant, values, found[x])
        data = np.take(products, plan.places)
        plan.products.give(products)
        columns, ends = (a.copy() for a in plan.indices)  # matrices are changed in place
        made = scipy_sparse().csr_matrix((data, columns, ends), plan.pattern.shape)
        if self.sparsity is not None:
            self.check(made, variant, values, found[x])
        return made

    def plan(self, variant: Variant, found: Sequence[Any], x: int, result: int) -> Plan:
        """Return the plan for these arguments. A pattern that floats decide on is not kept."""
        fn = variant.primal
        if draws(fn):
            raise refused(fn)
        if self.sparsity is None and course.follows_values(fn):
            return self.planned(found_pattern(fn, found, x, result), fn.result_types[result])
        key = (variant, tuple(map(pattern_key, found)))
        plan = self.plans.get(key)
        if plan is None:
            given = self.sparsity
            pattern = found_pattern(fn, found, x, result) if given is None else given_pattern(given)
            if len(self.plans) >= KEPT:
                self.plans = {}
            plan = self.plans[key] = self.planned(pattern, fn.result_types[result])
        return plan

    def planned(self, pattern: Pattern, y: Type) -> Plan:
        """Return how a matrix of this pattern is computed: by columns, or by rows if they are fewer and real:
        a cotangent of 1 yields the real part of a row only."""
        columns = coloring.distance_two(pattern)
        count = coloring.color_count(columns)
        if count > 1 and y.dtype.kind == "f" and int(np.diff(pattern.turned.ends).max(initial=0)) < count:
            rows = coloring.distance_two(pattern.turned)
            if coloring.color_count(rows) < count:
                return Plan.of(pattern, rows, pattern.columns, rows[pattern.rows], by_rows=True)
        return Plan.of(pattern, columns, pattern.rows, columns[pattern.columns])

    def pushed(self, plan: Plan, variant: Variant, values: Sequence[Any], x: Any) -> Any:
        """Return the products of the matrix with the seeds: one jvp each."""
        if np.size(x) != plan.pattern.shape[1]:
            raise self.misfit(plan.pattern.shape, f"the argument has {np.size(x)} elements")
        shape = (plan.count, plan.pattern.shape[0])
        dtype = variant.ir.result_types[-1].dtype
        made, given = plan.products.take(shape, dtype), plan.seeds.take(plan.groups.shape, np.result_type(x))
        for color in range(plan.count):
            np.equal(plan.groups, color, out=given, casting="unsafe")
            y_dot = np.ravel(variant.run(values, [like(x, np.reshape(given, np.shape(x)))])[1])
            if y_dot.size != shape[1]:
                raise self.misfit(plan.pattern.shape, f"the result has {y_dot.size} elements")
            made[color] = y_dot
        plan.seeds.give(given)
        return made

    def pulled(self, plan: Plan, args: Any, kwargs: Any) -> Any:
        """Return the products of the transpose with the seeds: one pullback each, on one tape."""
        variant, values = self.rows.find(args, kwargs)
        y, tape = variant.forward(values)
        if np.size(y) != plan.pattern.shape[0]:
            raise self.misfit(plan.pattern.shape, f"the result has {np.size(y)} elements")
        pullback = Pullback(variant, y, tape, False)
        flags = active_leaves(variant.primal, self.__s2sad__.argnums)
        bars = bars_tree(variant.primal, self.__s2sad__.argnums, flags, 0)
        (zero,) = pullback.zeros.values()
        found = [
            np.ravel(pick(bars, pullback.pull([seed(zero, plan.groups == color)]))[0])
            for color in range(plan.count)
        ]
        return np.stack(found)

    def check(self, made: Any, variant: Variant, values: Sequence[Any], x: Any) -> None:
        """Raise if a jvp along a random vector tells that the given sparsity leaves an entry out."""
        dot = like(x, np.random.default_rng(0).uniform(0.5, 1.5, np.shape(x)))
        expected = np.ravel(variant.run(values, [dot])[1])
        flat = np.ravel(dot)
        gap = np.abs(made @ flat - expected)
        scale = abs(made) @ np.abs(flat) + np.abs(expected)
        wrong = gap > np.sqrt(np.finfo(made.dtype).eps) * scale
        if np.any(wrong):
            i = int(np.argmax(wrong))
            why = f"the sparsity given leaves out an entry that is not zero, in row {i} of the matrix"
            raise TypeMismatch("S372", why, "leave `sparsity` away, and it is found", variant.primal.origin)

    def misfit(self, shape: tuple[int, int], why: str) -> TypeMismatch:
        """Return (to be raised) the error for a given sparsity of another shape."""
        return TypeMismatch("S371", f"the sparsity given has shape {shape}, but {why}", "flatten both")


class SparseHessian(SparseJacobian):
    """The Hessian by one array as a sparse matrix."""

    def planned(self, pattern: Pattern, y: Type) -> Plan:
        """Return how a symmetric matrix of this pattern is computed."""
        if pattern.shape[0] != pattern.shape[1]:
            raise self.misfit(pattern.shape, "a Hessian is square")
        whole = pattern.symmetric
        groups = coloring.star(whole)
        return Plan.of(whole, groups, *coloring.direct(whole, groups))


def one_by_one(fn: Function, record: Transformed) -> tuple[int, int]:
    """Return the leaf of the argument and that of the result that the matrix is of."""
    flags = active_leaves(fn, record.argnums, real=True)
    chosen = [k for k, flag in enumerate(flags) if flag]
    if (
        len(chosen) != 1
        or not isinstance(fn.result, Leaf)
        or not is_differentiable(fn.result_types[fn.result.index])
    ):
        raise TypeMismatch(
            "S370",
            f"a sparse matrix is the derivative of one float array by one, not so for {fn.name}",
            "choose the argument by argnums, and return one array of floats",
            fn.origin,
        )
    return chosen[0], fn.result.index


def found_pattern(fn: Function, found: Sequence[Any], x: int, result: int) -> Pattern:
    """Return which entries may differ from zero at these arguments."""
    done = pipeline.finish(fn, Trace(fn.name))
    height, rows, columns = dependences.dependence(done, found, x, result)
    return coloring.Pattern.of((height, int(np.size(found[x]))), rows, columns)


def given_pattern(sparsity: Any) -> Pattern:
    """Return the pattern that a user gives as a matrix."""
    if is_sparse(sparsity):
        entries = sparsity.tocoo()
        return coloring.Pattern.of(sparsity.shape, entries.row, entries.col)
    dense = np.asarray(sparsity)
    if dense.ndim != 2:
        raise TypeMismatch("S371", f"the sparsity given has shape {dense.shape}", "give a matrix")
    return coloring.Pattern.of((dense.shape[0], dense.shape[1]), *np.nonzero(dense))


def pattern_key(leaf: Any) -> Any:
    """Return what the pattern of a program that follows no floats depends on."""
    if is_sparse(leaf):
        rows = leaf.tocsr()
        return (rows.shape, rows.indptr.tobytes(), rows.indices.tobytes())
    if isinstance(leaf, np.ndarray):
        return (leaf.shape, leaf.tobytes() if leaf.dtype.kind in "biu" else "")
    return leaf if isinstance(leaf, int | np.integer | np.bool_) else None


def seed(x: Any, chosen: np.ndarray) -> Any:
    """Return the seed in the shape and kind of `x` that is 1 where `chosen`, in C order."""
    return like(x, np.reshape(chosen, np.shape(x)).astype(np.result_type(x)))


def scipy_sparse() -> Any:
    """Return the module scipy.sparse."""
    try:
        return importlib.import_module("scipy.sparse")
    except ModuleNotFoundError as error:
        why = "sparse matrices need SciPy"
        raise S2sadError("S290", why, "pip install s2sad[jit], or scipy") from error
