"""Checks of derivatives against differences (`differences.py` has their limits) and against each other.

Where the differences from the left and from the right disagree by more than 1 % (float32: 50 %), the point is
taken for a kink, and the check fails whatever the derivative says. Where the function is analytic and takes
complex numbers, the complex step tells first derivatives to rounding. The dot-product test compares forward
with reverse mode to rounding.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from s2sad.api import jvp, vjp
from s2sad.differences import Slope, Vector, float_leaves, floats, precision_of, sixth_order, slope
from s2sad.driver.seeds import like, zero
from s2sad.ir.structure import flatten, rebuild
from s2sad.ir.transformed import OUTSIDE, Jit, form
from s2sad.ir.tree import paths
from s2sad.report import Entry, Report, Row, WrongDerivative

Function = Callable[..., Any]
LOOKED_AT = 256  # entries of an argument that are looked at one by one
SHOWN = 3  # wrong entries that are told


@form(OUTSIDE)
def check_grads(
    fun: Function,
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
    jit: Jit = False,
) -> Report:
    """Return a report if the derivatives of `fun` at `args` up to `order` agree with differences; else raise
    AssertionError, whose message tells which argument, which entry, and by how much.

    `modes`: `fwd` checks jvp, `rev` vjp, and both against each other. Each float of `args` is checked along a
    random direction of its own; a wrong one is looked at entry by entry. Also a kink is an error.
    """
    for mode in modes:
        if mode not in ("fwd", "rev"):
            raise ValueError(f"modes are 'fwd' and 'rev', not {mode!r}")
    check = _Check(fun, tuple(args), atol, rtol, eps, seed, jit)
    return Report(tuple(_checked(check, modes, order)))


def _checked(check: _Check, modes: Sequence[str], order: int) -> list[Row]:
    """Return the rows of a function and of its derivatives up to `order`; raise at the first order that has
    wrong ones."""
    rows = [row for mode in modes for row in check.rows(mode)]
    if all(row.ok for row in rows) and "fwd" in modes and "rev" in modes:
        rows.append(check.dot_product(None))
    reported(rows)
    for mode in modes if order > 1 else ():
        rows += _checked(check.derived(mode), modes, order - 1)
    return rows


@form(OUTSIDE)
def check_jvp(fun: Function, args: Sequence[Any], **options: Any) -> Report:
    """Return a report; AssertionError unless jvps along random directions equal differences. Options are
    those of `check_grads`."""
    return check_grads(fun, args, 1, ("fwd",), **options)


@form(OUTSIDE)
def check_vjp(fun: Function, args: Sequence[Any], **options: Any) -> Report:
    """Return a report; AssertionError unless the pullback of a random cotangent equals differences."""
    return check_grads(fun, args, 1, ("rev",), **options)


@form(OUTSIDE)
def dot_product_test(
    fun: Function, args: Sequence[Any], *, tol: float | None = None, seed: int = 0, jit: Jit = False
) -> None:
    """Raise AssertionError unless <y_bar, J x_dot> == <J^T y_bar, x_dot> for random x_dot, y_bar."""
    reported([_Check(fun, tuple(args), None, None, None, seed, jit).dot_product(tol)])


def reported(rows: Sequence[Row]) -> None:
    """Raise WrongDerivative if a row says so."""
    if not all(row.ok for row in rows):
        raise WrongDerivative(Report(tuple(rows)))


class _Check:
    """The check of one function at one point."""

    def __init__(
        self,
        fun: Function,
        args: tuple[Any, ...],
        atol: float | None,
        rtol: float | None,
        eps: float | None,
        seed: int,
        jit: Jit,
        order: int = 1,
        of: str = "",
        names: Sequence[str] = (),
    ):
        self.fun, self.args = fun, args
        self.atol, self.rtol, self.eps, self.seed = atol, rtol, eps, seed
        self.options: dict[str, Any] = {"jit": jit} if jit else {}
        self.order, self.outer = order, of
        self.names = names or leaf_places(fun, args)
        self.leaves = float_leaves(args)
        self.tangents = float_leaves(random_like(args, np.random.default_rng(seed)))
        self.slopes: dict[int, Slope] = {}
        self.precision = precision_of(args)

    def derived(self, mode: str) -> _Check:
        """Return the check of the derivative along a random direction."""
        along = _directional(self.fun, self.args, mode, self.seed + self.order + 1)
        options = self.atol, self.rtol, self.eps, self.seed, bool(self.options)
        of = f" of {mode}{self.outer}"
        return _Check(along, self.args, *options, self.order + 1, of, self.names)

    def direction(self, which: int, entry: int | None = None) -> list[Any]:
        """Return the direction that moves one leaf, or one entry of it."""
        found = [zero(x) for x in self.leaves]
        if entry is None:
            found[which] = self.tangents[which]
        elif isinstance(found[which], np.ndarray):
            found[which].reshape(-1)[entry] = 1.0
        else:
            found[which] = like(self.leaves[which], 1.0)
        return found

    def slope(self, which: int) -> Slope:
        """Return the slope along the direction of one leaf."""
        if which not in self.slopes:
            self.slopes[which] = slope(self.fun, self.args, self.direction(which), self.eps, self.order == 1)
        return self.slopes[which]

    def rows(self, mode: str) -> Iterator[Row]:
        """Yield a row for the value, and one per leaf."""
        if mode == "fwd":
            value = jvp(self.fun, self.args, self.tree(self.tangents), **self.options)[0]
            found: list[Any] = []
        else:
            value, pullback = vjp(self.fun, *self.args, **self.options)
            y_bar = random_like(value, np.random.default_rng(self.seed + 1))
            found = float_leaves(pullback(y_bar))
        wrong = self.value(value, mode)
        if wrong is not None:
            yield wrong
            return
        for which in range(len(self.leaves)):
            if mode == "fwd":
                yield self.forward(which)
            else:
                yield self.reverse(which, found[which], floats(y_bar))

    def tree(self, direction: list[Any]) -> Any:
        """Return a tangent of all arguments."""
        tree, found = flatten(self.args)
        steps = iter(direction)
        full = [next(steps) if np.result_type(x).kind in "fc" else None for x in found]
        return rebuild(tree, full)

    def value(self, got: Any, mode: str) -> Row | None:
        """Return a row if the derivative function returns another value than the function."""
        here, y = floats(self.fun(*self.args)), floats(got)
        allowed = (1e-9 if self.precision == "d" else 1e-4) * (1.0 + _largest(here[np.isfinite(here)]))
        if y.shape == here.shape and np.allclose(y, here, rtol=0.0, atol=allowed, equal_nan=True):
            return None
        gap = _largest(y - here) if y.shape == here.shape else np.inf
        trouble = f"the value of the derivative function differs from the function's by {gap:.3g}"
        return Row(self.order, mode + self.outer, "value", "the function", gap, allowed, trouble)

    def forward(self, which: int) -> Row:
        """Return the row of a jvp."""

        def column(direction: list[Any]) -> Vector:
            return floats(jvp(self.fun, self.args, self.tree(direction), **self.options)[1])

        def entries() -> Iterator[tuple[float, Entry]]:
            for k in range(min(np.size(self.leaves[which]), LOOKED_AT)):
                known = slope(self.fun, self.args, self.direction(which, k), self.eps, self.order == 1)
                got = column(self.direction(which, k))
                if got.size:
                    j = int(np.argmax(np.abs(got - known.expected)))
                    place = (
                        f"d result[{j}] / d {self.place(which, k)}" if got.size > 1 else self.place(which, k)
                    )
                    yield abs(got[j] - known.expected[j]), Entry(place, got[j], known.expected[j])

        return self.judged(which, "fwd", column(self.direction(which)), lambda v: v, entries)

    def reverse(self, which: int, x_bar: Any, y_bar: Vector) -> Row:
        """Return the row of a pullback."""

        def pulled(v: Vector) -> Vector:
            return np.array([np.real(np.sum(y_bar * v))])

        def entries() -> Iterator[tuple[float, Entry]]:
            for k in range(min(np.size(self.leaves[which]), LOOKED_AT)):
                known = slope(self.fun, self.args, self.direction(which, k), self.eps, self.order == 1)
                expected = pulled(known.expected)[0]
                got = np.real(np.ravel(x_bar)[k])
                yield abs(got - expected), Entry(self.place(which, k), got, expected)

        got = np.array([np.real(np.sum(np.ravel(x_bar) * np.ravel(self.tangents[which])))])
        return self.judged(which, "rev", got, pulled, entries)

    def judged(
        self,
        which: int,
        mode: str,
        got: Vector,
        project: Callable[[Vector], Vector],
        entries: Callable[[], Iterator[tuple[float, Entry]]],
    ) -> Row:
        """Return the row of a derivative, given what it should be by differences."""
        known = self.slope(which)
        expected = project(known.expected)
        allowed = self.allowed(expected, known.tolerance)
        gap = _largest(got - expected) if got.shape == expected.shape else np.inf
        head = (
            self.order,
            mode + self.outer,
            self.names[which],
            known.how,
            gap,
            float(np.max(allowed, initial=0.0)),
        )
        if not np.all(np.isfinite(known.central)):
            return Row(*head, "the function is not finite here, or next to here")
        if got.shape != expected.shape:
            return Row(*head, f"{got.size} numbers where {expected.size} are expected")
        if known.kinks:
            return Row(*head, self.kink(which, known), ())
        if bool(np.all(np.abs(got - expected) <= allowed)):
            return Row(*head)
        if known.exact is not None and not self.told_by_complex_step(which, got, project, known):
            return Row(*head[:3], "differences", *head[4:])
        trouble = f"off by {gap:.3g} where {head[-1]:.1e} is allowed ({known.how}) along a random direction"
        worst = sorted(entries(), key=lambda pair: -pair[0] if pair[0] == pair[0] else -np.inf)
        return Row(*head, trouble, tuple(entry for _, entry in worst[:SHOWN]))

    def told_by_complex_step(
        self, which: int, got: Vector, project: Callable[[Vector], Vector], known: Slope
    ) -> bool:
        """Return whether a derivative is wrong that differs from the complex step only: not if better
        differences side with the derivative (a part of the function may not be analytic)."""
        central = project(known.central)
        if np.any(np.abs(got - central) > self.allowed(central, 1e-6)):
            return True
        better = project(sixth_order(self.fun, self.args, self.direction(which)))
        assert known.exact is not None
        return _largest(project(known.exact) - better) < 0.1 * _largest(got - better)

    def allowed(self, expected: Vector, tolerance: float) -> Vector:
        """Return the error that is allowed at each number."""
        atol = tolerance * (1.0 + _largest(expected)) if self.atol is None else self.atol
        found: Vector = atol + (tolerance if self.rtol is None else self.rtol) * np.abs(expected)
        return found

    def kink(self, which: int, known: Slope) -> str:
        """Return what is said of a kink, with the entries at which it is."""
        found = []
        for k in range(min(np.size(self.leaves[which]), LOOKED_AT)):
            at = slope(self.fun, self.args, self.direction(which, k), self.eps, False)
            if at.kinks:
                j = at.kinks[0]
                found.append(f"{self.place(which, k)} (left {at.left[j]:.6g}, right {at.right[j]:.6g})")
        j = known.kinks[0]
        sides = f"left, {known.left[j]:.6g}, and from the right, {known.right[j]:.6g},"
        where = f" At: {', '.join(found[:SHOWN])}" if found else ""
        return f"the differences from the {sides} disagree: a kink or a jump?{where}"

    def place(self, which: int, entry: int) -> str:
        """Return how an entry of a leaf is written."""
        shape = np.shape(self.leaves[which])
        index = ", ".join(str(int(k)) for k in np.unravel_index(entry, shape)) if shape else ""
        return self.names[which] + (f"[{index}]" if index else "")

    def dot_product(self, tol: float | None) -> Row:
        """Return the row of the dot-product test."""
        rng = np.random.default_rng(self.seed)
        tangents = random_like(self.args, rng)
        y_dot = floats(jvp(self.fun, self.args, tangents, **self.options)[1])
        y, pullback = vjp(self.fun, *self.args, **self.options)
        chosen = random_like(y, rng)
        x_bar, y_bar, x_dot = floats(pullback(chosen)), floats(chosen), floats(tangents)
        left, right = np.real(np.sum(y_bar * y_dot)), np.real(np.sum(x_bar * x_dot))
        scale = float(np.sum(np.abs(y_bar * y_dot)) + np.sum(np.abs(x_bar * x_dot)))
        allowed = (tol or (1e-11 if self.precision == "d" else 1e-4)) * (scale + 1.0)
        gap = float(abs(left - right))
        text = f"<y_bar, J x_dot> = {left}, <J^T y_bar, x_dot> = {right}"
        trouble = "" if gap <= allowed else f"jvp and vjp disagree: {text}"
        return Row(self.order, "fwd and rev", "all", "dot products", gap, allowed, trouble)


def leaf_places(fun: Function, args: tuple[Any, ...]) -> list[str]:
    """Return how each float leaf of the arguments is written: `p['w']`, `layers[0].b`."""
    try:
        known = [p.name for p in inspect.signature(fun).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    except (TypeError, ValueError):
        known = []
    names: list[str] = []
    for k, arg in enumerate(args):
        root = known[k] if k < len(known) else f"args[{k}]"
        tree, found = flatten(arg)
        for i, path in paths(tree):
            if np.result_type(found[i]).kind in "fc":
                steps = (f".{key}" if step == "attr" else f"[{key!r}]" for step, key in path)
                names.append(root + "".join(steps))
    return names


def random_like(value: Any, rng: np.random.Generator) -> Any:
    """Return random normal numbers in the structure of `value`, None at what does not vary."""
    tree, found = flatten(value)
    drawn: list[Any] = []
    for leaf in found:
        kind = np.result_type(leaf).kind
        sample = rng.standard_normal(np.shape(leaf))
        if kind == "c":
            sample = sample + 1j * rng.standard_normal(np.shape(leaf))
        drawn.append(like(leaf, sample) if kind in "fc" else None)
    return rebuild(tree, drawn)


def _directional(fun: Function, args: tuple[Any, ...], mode: str, seed: int) -> Function:
    rng = np.random.default_rng(seed)
    if mode == "fwd":
        tangents = random_like(args, rng)
        return lambda *x: jvp(fun, x, tangents)[1]
    y_bar = random_like(vjp(fun, *args)[0], rng)
    return lambda *x: vjp(fun, *x)[1](y_bar)


def _largest(x: Vector) -> float:
    return float(np.max(np.abs(x), initial=0.0))
