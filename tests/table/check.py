"""What is to hold of one case of a row, through the public functions: value, both modes, second order, the
form of all results, the caller's arrays, and the same of the loop nests that are compiled."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.special as sc
import scipy.stats
from oracle import WEIGHTS, active_leaves, is_active, leaves, map_tree
from property.verdicts import lowering_interpreted
from written import written

import s2sad
from table.draw import arguments, direction, doubled, moved
from table.rows import Row

NAMES = {"np": np, "math": math, "sc": sc, "scipy": scipy}
LOWERED = "lowered: "


@dataclass
class Outcome:
    """What came of a case: `problems` are (kind, text), the kind of a refusal is its code; `refused` the code
    of a refusal that the row says."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    refused: str = ""
    raised: bool = False
    differentiated: bool = False


def program(head: str, body: str, names: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Return a function of the text, with its source where inspect finds it."""
    text = f"def f({head}):\n    return {body}\n"
    file = f"<table {abs(hash(text))}>"
    known = {**NAMES, "__name__": "table", **(names or {})}
    f: Callable[..., Any] = written(text, file, known)["f"]
    return f


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings: of NumPy's functions at their borders, and of derivatives there."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def copies(values: Any) -> Any:
    """Return values with their arrays copied, layouts kept."""
    return map_tree(lambda v: v.copy(order="K") if isinstance(v, np.ndarray) else v, values)


def described(leaf: Any) -> tuple[Any, ...]:
    """Return what the form of a number or array is."""
    return type(leaf), np.shape(leaf), np.asarray(leaf).dtype


def single(leaf: Any) -> bool:
    """Return whether a leaf is less precise than float64."""
    return np.asarray(leaf).dtype in (np.float32, np.complex64, np.float16)


def gap(got: Any, expected: Any) -> float:
    """Return the largest difference relative to max(1, largest); inf where nan and inf differ in place."""
    a, b = np.asarray(got), np.asarray(expected)
    if a.shape != b.shape:
        return math.inf
    if a.dtype.kind not in "fc" or b.dtype.kind not in "fc":
        return 0.0 if np.array_equal(a, b) else math.inf
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or not np.all(np.isfinite(a[finite])):
        return math.inf
    scale = max(1.0, float(np.max(np.abs(b[finite]), initial=0.0)))
    return float(np.max(np.abs(a[finite].astype(complex) - b[finite]), initial=0.0)) / scale


def slopes(f: Callable[..., Any], args: tuple[Any, ...], dots: Any, step: float) -> list[Any]:
    """Return the 6th-order central difference of the floating leaves of f, in float64."""
    total: list[Any] = []
    for k, weight in enumerate(WEIGHTS, start=1):
        ends = [
            active_leaves(f(*(moved(a, d, sign * k * step) for a, d in zip(args, dots, strict=True))))
            for sign in (1.0, -1.0)
        ]
        change = [weight * (np.asarray(a) - np.asarray(b)) / step for a, b in zip(*ends, strict=True)]
        total = [t + c for t, c in zip(total, change, strict=True)] if total else change
    return total


def pairing(left: list[Any], right: list[Any]) -> tuple[float, float]:
    """Return the pairing of cotangents and tangents, no conjugation, real part; and the size of its terms."""
    total = size = 0.0
    for a, b in zip(left, right, strict=True):
        if a is not None and b is not None:
            terms = np.asarray(a, dtype=complex) * np.asarray(b)
            total, size = total + float(np.sum(terms).real), size + float(np.sum(np.abs(terms)))
    return total, size


class Case:
    """One case of a row."""

    def __init__(self, row: Row, case: str):
        self.row, self.outcome = row, Outcome()
        self.level = ""
        self.case, _, own = case.partition("!")
        self.expected = own or row.refused
        self.args = arguments(row.call, self.case, row.names, row.domain)
        self.given = copies(self.args)
        self.rng = np.random.default_rng(len(row.call))
        self.f = program(", ".join(row.names), row.call)
        self.places = tuple(
            k for k, (a, n) in enumerate(zip(self.args, row.names, strict=True))
            if is_active(a) and n not in row.fixed
        )  # fmt: skip
        self.dots = tuple(
            direction(a, self.rng) if k in self.places else None for k, a in enumerate(self.args)
        )

    def report(self, kind: str, text: str) -> None:
        """Note a problem."""
        self.outcome.problems.append((kind, f"{self.level}{text}"))

    def alike(self, found: Any, expected: Any) -> bool:
        """Return whether two leaves have the same form. What runs in place of compiled code does not know
        Python's floats from NumPy's."""
        a, b = described(found), described(expected)
        return a == b if self.level != LOWERED else a[1:] == b[1:]

    def stage(self, what: str, run: Callable[[], None]) -> None:
        """Run one check; what it raises is a problem, unless it is a refusal that was expected."""
        try:
            with quiet():
                run()
        except s2sad.S2sadError as refusal:
            if refusal.code == (self.expected or (self.level and self.row.lowered)):
                self.outcome.refused = refusal.code
            else:
                kind = "crash" if refusal.code.startswith("S9") else refusal.code
                self.report(kind, f"{what}: {refusal}")
        except Exception as error:
            self.report("crash", f"{what}: {type(error).__name__}: {error}")

    def all(self, *, lowered: bool = True, compiled: bool = False) -> Outcome:
        """Run all checks."""
        try:
            self.evaluate()
        except Exception as error:
            self.raises_alike(type(error))
            return self.outcome
        self.derivatives(jit=False)
        if self.expected and not self.outcome.refused and not self.outcome.problems:
            self.report("accepted", f"is not refused with {self.expected} any more")
        if self.outcome.refused or self.outcome.problems:
            return self.outcome
        if lowered:
            self.level = LOWERED
            with lowering_interpreted():
                self.derivatives(jit=True)
        if compiled:
            self.f = program(", ".join(self.row.names), self.row.call)  # nothing of it is compiled yet
            self.level = "compiled: "
            self.derivatives(jit=True)
        return self.outcome

    def first(self) -> list[tuple[str, str]]:
        """Check both modes only; return the problems."""
        try:
            self.evaluate()
        except Exception as error:
            self.raises_alike(type(error))
        else:
            self.stage("jvp", lambda: self.forward(self.places, False))
            self.stage("vjp", lambda: self.reverse(False))
        return self.outcome.problems

    def evaluate(self) -> None:
        """Look at the value that NumPy gives."""
        with quiet():
            self.value = self.f(*copies(self.args))
        self.single = any(single(v) for v in (*leaves(self.args), *leaves(self.value)))
        self.is_complex = any(np.iscomplexobj(a) for a in self.args)
        self.float_places = [k for k, v in enumerate(leaves(self.value)) if is_active(v)]

    def raises_alike(self, kind: type[BaseException]) -> None:
        """Check that derivatives raise where the function itself does."""
        self.outcome.raised = True
        try:
            with quiet():
                found = s2sad.jvp(self.f, self.args, self.dots)
        except s2sad.S2sadError as refusal:
            if refusal.code.startswith("S9"):
                self.report("crash", f"NumPy raises {kind.__name__}: {refusal}")
            return
        except kind:
            return
        except Exception as error:
            self.report("raises", f"{type(error).__name__} for {kind.__name__}: {error}")
            return
        self.report("raises", f"NumPy raises {kind.__name__}, the jvp returns {found}")

    def derivatives(self, jit: bool) -> None:
        """Check both modes and second order."""
        subsets = [self.places]
        if len(self.places) > 1 and not jit:
            subsets += [(k,) for k in self.places]
        for subset in subsets:
            self.stage(f"jvp {subset}", lambda s=subset: self.forward(s, jit))  # type: ignore[misc]
            if self.outcome.refused:
                return
        self.stage("vjp", lambda: self.reverse(jit))
        if not self.places or not self.float_places:
            return
        self.outcome.differentiated = True
        losses = subsets[1:] if not self.is_complex else []
        for subset in losses:
            self.stage(f"grad {subset}", lambda s=subset: self.gradient(s))  # type: ignore[misc]
        if self.row.second:
            self.stage("hvp", lambda: self.second(jit))
        if not jit:
            self.fixed()

    def tolerance(self, double: float, coarse: float) -> float:
        """Return the tolerance of derivatives."""
        return self.row.loose * (coarse if self.single else double)

    def same_value(self, value: Any, what: str, jit: bool) -> None:
        """Compare a value with NumPy's: structure, kinds, dtypes, shapes, numbers."""
        found, expected = leaves(value), leaves(self.value)
        wanted = tuple if isinstance(self.value, tuple) else (tuple, list)
        if len(found) != len(expected) or isinstance(value, wanted) != isinstance(self.value, tuple | list):
            self.report("structure", f"{what}: {value!r} for {self.value!r}")
            return
        for a, b in zip(found, expected, strict=True):
            if not self.alike(a, b):
                self.report("dtype", f"{what}: {described(a)} for {described(b)}")
            tol = 2e-6 if self.single else 1e-12 if jit else self.row.value
            if not gap(a, b) <= max(tol, self.row.value):
                self.report("value", f"{what} off by {gap(a, b):.2g}: {a!r} for {b!r}")

    def untouched(self, what: str) -> None:
        """Check that the caller's arrays are as they were."""
        for a, b in zip(self.args, self.given, strict=True):
            if not np.array_equal(a, b):
                self.report("touched", f"{what}: {a!r} for {b!r}")

    def forward(self, subset: tuple[int, ...], jit: bool) -> None:
        """Check jvp along the directions of some arguments."""
        dots = tuple(d if k in subset else None for k, d in enumerate(self.dots))
        value, value_dot = s2sad.jvp(self.f, self.args, dots, jit=jit)
        self.untouched("jvp")
        self.same_value(value, "value", jit)
        if not subset or not self.float_places:
            return
        found = leaves(value_dot)
        expected = slopes(self.f, self.args, dots, 1e-3)
        values = leaves(self.value)
        if len(found) != len(values):
            self.report("structure", f"the tangent is {value_dot!r}")
            return
        for k, slope in zip(self.float_places, expected, strict=True):
            if not self.alike(found[k], values[k]):
                self.report("dtype", f"tangent {described(found[k])} for {described(values[k])}")
            known = np.isfinite(values[k])  # no difference tells the slope elsewhere
            off = gap(np.where(known, found[k], 0.0), np.where(known, slope, 0.0))
            if not off <= self.tolerance(1e-9, 3e-4):
                self.report("jvp", f"{subset} off by {off:.2g}:\n  {found[k]!r}\nfor\n  {slope!r}")

    def reverse(self, jit: bool) -> None:
        """Check vjp: the dot product with jvp, the form of the cotangents."""
        if not self.places or not self.float_places:
            if not self.row.fixed:
                value, _ = s2sad.vjp(self.f, *self.args, jit=jit)
                self.same_value(value, "value of vjp", jit)
            return
        f, args, dots = self.f, self.args, tuple(self.dots[k] for k in self.places)
        if len(self.places) < len(args):  # the others are captured
            f, args = self.of_active()
        value, pullback = s2sad.vjp(f, *args, jit=jit)
        self.same_value(value, "value of vjp", jit)
        bars = map_tree(lambda v: direction(v, self.rng), self.value)
        bars = tuple(bars) if isinstance(self.value, list) else bars
        found = pullback(bars)
        self.untouched("vjp")
        for bar, arg in zip(found, args, strict=True):
            if not self.alike(bar, arg):
                self.report("dtype", f"cotangent {described(bar)} for {described(arg)}")
        _, value_dot = s2sad.jvp(f, args, dots, jit=jit)
        if not all(np.all(np.isfinite(np.asarray(v, dtype=complex))) for v in leaves(self.value)):
            return
        left, size = pairing(leaves(bars), leaves(value_dot))
        right, more = pairing(list(found), list(dots))
        if not abs(left - right) <= self.tolerance(1e-12, 2e-5) * max(1.0, size, more):
            self.report("dot", f"<y_bar, y_dot> = {left}, <x_bar, x_dot> = {right}, {found!r}")

    def of_active(self, form: str = "{}") -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return the function of the arguments that vary."""
        names = [self.row.names[k] for k in self.places]
        others = {n: a for n, a in zip(self.row.names, self.args, strict=True) if n not in names}
        return program(", ".join(names), form.format(self.row.call), others), tuple(
            self.args[k] for k in self.places
        )

    def loss(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return a number made of the value, nonlinear in it, and its weights."""
        many = isinstance(self.value, tuple | list)
        values = leaves(self.value)
        parts = []
        for k in self.float_places:
            v = f"v[{k}]" if many else "v"
            part = f"np.sum(w{k} * ({v} + 0.5 * {v} * {v}))"
            parts.append(part + ".real" if np.asarray(values[k]).dtype.kind == "c" else part)
        weights = tuple(np.asarray(direction(values[k], self.rng)) for k in self.float_places)
        head = [*self.row.names, *(f"w{k}" for k in self.float_places)]
        body = f"(lambda v: {' + '.join(parts)})({self.row.call})"
        return program(", ".join(head), body), weights

    def gradient(self, subset: tuple[int, ...]) -> None:
        """Check grad by some arguments against differences."""
        loss, weights = self.loss()
        found = s2sad.grad(loss, argnums=subset)(*self.args, *weights)
        dots = (*(d if k in subset else None for k, d in enumerate(self.dots)), *(None for _ in weights))
        wide = tuple(doubled(w) for w in weights)
        slope = slopes(loss, (*self.args, *wide), dots, 1e-3)[0]
        got, size = pairing(list(found), [self.dots[k] for k in subset])
        if not abs(got - slope) <= self.tolerance(1e-8, 1e-3) * max(1.0, size):
            self.report("grad", f"{subset}: {got} for {slope}, gradient {found!r}")

    def second(self, jit: bool) -> None:
        """Check hvp against differences of the gradient; of complex numbers the jvp of a pullback."""
        if self.is_complex:
            self.pulled(jit)
            return
        loss, weights = self.loss()
        nones = tuple(None for _ in weights)
        found = s2sad.hvp(loss, (*self.args, *weights), (*self.dots, *nones), jit=jit)
        self.untouched("hvp")
        gradient = s2sad.grad(loss, argnums=self.places)
        args = tuple(doubled(a) for a in (*self.args, *weights))
        expected = slopes(gradient, args, (*self.dots, *nones), 1e-3)
        self.compare_second(found, expected)

    def pulled(self, jit: bool) -> None:
        """Check the jvp of the pullback of weights against differences of it."""
        bars = map_tree(lambda v: direction(v, self.rng), self.value)
        bars = tuple(bars) if isinstance(self.value, list) else bars
        # a view of an argument is not returned by what is transformed inside a program (S127)
        kind = type(self.value)
        form = (
            "1.0 * ({})"
            if kind is not tuple and kind is not list
            else f"{kind.__name__}([1.0 * p for p in {{}}])"
        )
        f, args = self.of_active("{}" if isinstance(self.value, tuple) and kind is not tuple else form)
        names = ", ".join(f"a{k}" for k in range(len(args)))
        pull = program(f"{names}, bars", f"s2sad.vjp(g, {names})[1](bars)", {"g": f, "s2sad": s2sad})
        dots = tuple(self.dots[k] for k in self.places)
        _, found = s2sad.jvp(pull, (*args, bars), (*dots, None), jit=jit)
        expected = slopes(lambda *xs: pull(*xs, bars), args, dots, 1e-3)
        self.compare_second(found, expected)

    def compare_second(self, found: Any, expected: list[Any]) -> None:
        """Compare second derivatives with differences."""
        found = found if isinstance(found, tuple) else (found,)
        for k, a, slope in zip(self.places, found, expected, strict=True):
            if not self.alike(a, self.args[k]):
                self.report("dtype", f"second {described(a)} for {described(self.args[k])}")
            off = gap(a, slope)
            if not off <= self.tolerance(1e-7, 2e-3):
                self.report("hvp", f"off by {off:.2g}:\n  {a!r}\nfor\n  {slope!r}")

    def fixed(self) -> None:
        """Check that arguments without a rule are refused where they vary."""
        for k, name in enumerate(self.row.names):
            if name in self.row.fixed and is_active(self.args[k]):
                dots = tuple(direction(a, self.rng) if j == k else None for j, a in enumerate(self.args))
                try:
                    s2sad.jvp(self.f, self.args, dots)
                    self.report("accepted", f"{name} varies and is not refused")
                except s2sad.S2sadError as refusal:
                    if refusal.code != "S203":
                        self.report("refused", f"{name} varies: {refusal}")


def check_reuse(row: Row) -> list[tuple[str, str, str]]:
    """Return the problems, (case, kind, text), of one function called with the arguments of all cases, there
    and back: what was built for other sizes must not be taken where it does not fit."""
    found = []
    f = program(", ".join(row.names), row.call)
    for case in (*row.cases, *row.cases[-2::-1]):
        one = Case(row, case)
        one.f = f
        found += [(case, kind, text) for kind, text in one.first()]
    return found


def check(row: Row, case: str, *, lowered: bool = True, compiled: bool = False) -> Outcome:
    """Return what came of a case."""
    with np.errstate(all="ignore") if compiled else nullcontext():
        return Case(row, case).all(lowered=lowered, compiled=compiled)
