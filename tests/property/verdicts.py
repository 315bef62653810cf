"""Whether s2sad is right about a program: values, both modes, second order, lowered code.

The truth is a complex step: the text of the program is run once more with complex numbers, under a
`np` whose new arrays are complex. It needs no step size and no branch flips.
"""

from __future__ import annotations

import operator
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np
from oracle import active_leaves, assert_same, copied, leaves, map_tree, structure
from property.backwards import backwards
from property.programs import ACTIVE, PARAMETERS
from written import written

import s2sad
from s2sad import api
from s2sad.driver import compiled as kernels
from s2sad.driver.compiled import Compiled
from s2sad.emit.source import module
from s2sad.ir.core import Function, Literal
from s2sad.ir.types import Array
from s2sad.ir.walk import every_instr
from s2sad.lowering.native import FIRST_INDEX, native
from s2sad.lowering.ops import SIMD
from s2sad.ops import OPS

SIZES = ((3, 2), (0, 4), (1, 1), (4, 3), (2, 0))  # n, m: the first is where code is compiled
RATES = (0.83, -0.41, 0.83, 1.27)  # the values of the programs' global
TINY = 1e-30
EPSILON = float(np.finfo(float).eps)
EPSILON_32 = float(np.finfo(np.float32).eps)
LIMIT = 1e6  # values beyond are not compared: rounding would hide what is looked for


class Wrong(AssertionError):
    """s2sad said something that is not so."""


@dataclass(frozen=True)
class Verdict:
    """What came of one program: `right`, `refused`, `wrong` or `crash`."""

    kind: str
    detail: str = ""
    code: str = ""
    points: int = 0  # sizes at which derivatives were compared
    raised: int = 0  # sizes at which program and derivative raised alike
    unused: int = 0  # sizes at which a conversion raised of which nothing is used
    second: int = 0  # sizes at which second derivatives were compared
    rounded: int = 0  # sizes at which a value differs in its last bits


class Truncating(np.ndarray):
    """An array of ints that takes the real part of what is written."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, np.real(value))


class ComplexNumpy:
    """numpy, but new arrays are complex and comparisons of magnitudes look at the real part."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def array(self, items: Any) -> Any:
        """Return a complex array."""
        return np.array(items, dtype=complex)

    def zeros(self, shape: Any, dtype: Any = complex) -> Any:
        """Return complex zeros, or ints that truncate."""
        made = np.zeros(shape, dtype=dtype)
        return made.view(Truncating) if dtype is int else made

    def zeros_like(self, like: Any) -> Any:
        """Return complex zeros."""
        return np.zeros(np.shape(like), dtype=complex)

    def max(self, x: Any) -> Any:
        """Return the element with the largest real part."""
        return np.ravel(x)[np.argmax(np.real(x))]


def magnitude(z: Any) -> Any:
    """Return abs of the real part, continued to complex numbers."""
    return z if np.real(z) >= 0 else -z


def larger(a: Any, b: Any) -> Any:
    """Return Python's max by the real parts."""
    return b if np.real(b) > np.real(a) else a


def loaded(text: str, name: str, complex_numbers: bool = False) -> Callable[..., Any]:
    """Return the function `f` of a program, with its source where inspect finds it."""
    names = written(text, f"<{name}>", {"__name__": name})
    if complex_numbers:
        names |= {"np": ComplexNumpy(), "abs": magnitude, "max": larger, "float": lambda z: z}
    f: Callable[..., Any] = names["f"]
    return f


def arguments(seed: int, n: int, m: int) -> tuple[Any, ...]:
    """Return arguments of the generated signature."""
    rng = np.random.default_rng([seed, n, m])
    vectors = rng.normal(size=n), rng.normal(size=n), rng.normal(size=m), rng.normal(size=(n, m))
    return (*vectors, float(rng.normal()), int(rng.integers(0, 4)), rng.integers(0, max(n, 1), size=n))


def tangents(seed: int, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return random tangents, None for what is not differentiated."""
    rng = np.random.default_rng([seed, 1])
    return tuple(
        (float(rng.normal()) if isinstance(arg, float) else rng.normal(size=arg.shape))
        if k in ACTIVE
        else None
        for k, arg in enumerate(args)
    )


def complexified(args: tuple[Any, ...], dots: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return args + i * TINY * dots."""
    moved = []
    for arg, dot in zip(args, dots, strict=True):
        if dot is None:
            moved.append(arg)
        elif isinstance(arg, float):
            moved.append(np.complex128(complex(arg, TINY * dot)))
        else:
            moved.append(arg + 1j * (TINY * dot))
    return tuple(moved)


def slopes(f: Callable[..., Any], args: tuple[Any, ...], dots: tuple[Any, ...]) -> list[Any]:
    """Return the derivative of the leaves of f along dots by a complex step."""
    return [np.imag(leaf) / TINY for leaf in leaves(f(*complexified(args, dots)))]


def compare(got: list[Any], expected: list[Any], tol: float, what: str) -> None:
    """Raise Wrong unless the leaves agree relative to max(1, largest)."""
    if len(got) != len(expected):
        raise Wrong(f"{what}: {len(got)} leaves for {len(expected)}")
    for k, (a, b) in enumerate(zip(got, expected, strict=True)):
        if np.shape(a) != np.shape(b):
            raise Wrong(f"{what}, leaf {k}: shape {np.shape(a)} for {np.shape(b)}")
        gap = np.max(np.abs(np.asarray(a) - b), initial=0.0)
        if not gap <= tol * max(1.0, np.max(np.abs(b), initial=0.0)):
            raise Wrong(f"{what}, leaf {k}: off by {gap:.3g}\n   got {a}\n   expected {b}")


def tame(values: list[Any]) -> bool:
    """Return whether all values are finite and of moderate size."""
    return all(np.all(np.abs(v) < LIMIT) for v in values)


def single(a: Any) -> Any:
    """Return a float argument in single precision, others as they are."""
    return np.asarray(a, np.float32)[()] if np.result_type(a).kind == "f" else a


def scaled(a: Any, factor: float) -> Any:
    """Return a float argument times a number, others as they are."""
    return a * factor if np.result_type(a).kind == "f" else a


class Point:
    """One program at one size."""

    def __init__(self, f: Callable[..., Any], truth: Callable[..., Any], seed: int, size: tuple[int, int]):
        self.f, self.truth, self.size = f, truth, size
        self.args = arguments(seed, *size)
        self.dots = tangents(seed, self.args)
        self.rng = np.random.default_rng([seed, 2])
        self.given = copied(self.args)
        self.raised: type[BaseException] | None = None
        self.unused = False  # what raises may be a conversion whose integer is not used
        self.rounded = 0
        self.skip = False
        try:
            with np.errstate(all="ignore"):
                self.value = f(*copied(self.args))
                self.expected = slopes(truth, copied(self.args), self.dots)
            self.skip = not tame(leaves(self.value)) or not tame(self.expected)
        except (ValueError, IndexError, NameError, ZeroDivisionError, OverflowError) as error:
            self.raised = type(error)
            self.unused = str(error).startswith(("cannot convert float", "Python int too large"))

    def first(self, loose: bool = False, **options: Any) -> None:
        """Check value, jvp and vjp; `loose`: the value up to rounding."""
        what = f"n, m = {self.size}"
        value, value_dot = s2sad.jvp(self.f, self.args, self.dots, **options)
        self.check_value(value, f"{what}: jvp value", loose)
        compare(leaves(value_dot), self.expected, 1e-9, f"{what}: jvp")
        value, pullback = s2sad.vjp(self.f, *self.args, **options)
        self.check_value(value, f"{what}: vjp value", loose)
        self.pull(pullback, value_dot, what)
        assert_same(self.args, self.given, f"{what}: arguments")

    def raises_alike(self) -> bool:
        """Return True if the derivative raises what the program raises, lowered too; False if it has left
        out a conversion of nan, or of what is too large, to an integer that is not used."""
        assert self.raised is not None
        for jit in (False, True):
            with lowering_interpreted():
                try:
                    s2sad.vjp(self.f, *self.args, jit=jit)
                except self.raised:
                    continue
            if self.unused:
                return False
            raise Wrong(f"n, m = {self.size}: raises {self.raised.__name__}, its vjp does not, jit={jit}")
        return True

    def check_value(self, value: Any, what: str, loose: bool) -> None:
        """Check the primal: bit for bit without jit, but for the order in which NumPy sums an array that
        lies in memory in another order there (`b = a.T + w; b[:] = 2 * b`); such points are counted, and
        those where an argument's last bit matters as much as the order of sums in lowered code."""
        if loose:
            try:
                compare(leaves(value), leaves(self.value), 1e-12, what)
            except Wrong:
                if structure(value) != structure(self.value) or not self.is_rounding(value):
                    raise
                self.rounded = 1
            return
        try:
            assert_same(value, self.value, what)
        except AssertionError:
            if structure(value) != structure(self.value):
                raise
            compare(leaves(value), leaves(self.value), 1e-15 * np.size(self.args[3]), what)
            self.rounded = 1

    def is_rounding(self, value: Any) -> bool:
        """True if a value is no farther from the program's than those of arguments that differ in their last
        bits, or than single precision is in terms of its own last bit: that rounds what lies between, too."""
        found = [np.zeros(np.shape(v)) for v in leaves(self.value)]
        ways = [(lambda a, k=k: scaled(a, 1.0 + k * EPSILON), 1.0) for k in (-1.0, 1.0, 2.0)]
        for change, unit in (*ways, (single, EPSILON / EPSILON_32)):
            with np.errstate(all="ignore"):
                near = leaves(self.f(*map(change, copied(self.args))))
            if [np.shape(v) for v in near] != [np.shape(v) for v in found]:
                return False
            found = [
                np.maximum(m, unit * np.abs(a - b))
                for m, a, b in zip(found, near, leaves(self.value), strict=True)
            ]
        gaps = [np.abs(a - b) for a, b in zip(leaves(value), leaves(self.value), strict=True)]
        return all(np.all(g <= 4.0 * m) for g, m in zip(gaps, found, strict=True))

    def pull(self, pullback: Callable[..., Any], value_dot: Any, what: str) -> None:
        """Check the dot product identity and the second call of the pullback."""
        draw = self.rng.normal
        bar = map_tree(lambda v: draw(size=np.shape(v)) if np.ndim(v) else float(draw()), self.value)
        seed = copied(bar)
        cotangents = pullback(bar)
        for k in ACTIVE:
            if np.shape(cotangents[k]) != np.shape(self.args[k]):
                raise Wrong(f"{what}: cotangent of {PARAMETERS[k]} has shape {np.shape(cotangents[k])}")
        pairs = zip(leaves(bar), leaves(value_dot), strict=True)
        left = sum(float(np.sum(b * d)) for b, d in pairs)
        right = sum(float(np.sum(cotangents[k] * self.dots[k])) for k in ACTIVE)
        if not abs(left - right) <= 1e-10 * max(1.0, abs(left), abs(right), self.bulk(cotangents)):
            raise Wrong(f"{what}: <y_bar, J x_dot> = {left!r}, <J'y_bar, x_dot> = {right!r}\n   {cotangents}")
        assert_same(bar, seed, f"{what}: the seed")
        kept = copied(cotangents)
        for leaf in leaves(cotangents):
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
                if not leaf.flags.writeable:
                    raise Wrong(f"{what}: a cotangent is read-only")
                leaf.fill(np.nan)
        assert_same(pullback(bar), kept, f"{what}: second pullback call")

    def bulk(self, cotangents: Any) -> float:
        """Return the size of the terms of the dot product, for a fair relative error."""
        return sum(float(np.sum(np.abs(np.asarray(cotangents[k]) * self.dots[k]))) for k in ACTIVE)

    def second(self) -> bool:
        """Check hvp against differences of complex steps; False if there is nothing to compare."""
        if not isinstance(self.value, float | np.generic):
            return False
        other = tangents(7, self.args)
        product = s2sad.hvp(self.f, self.args, self.dots)
        got = sum(float(np.sum(np.asarray(p) * other[k])) for p, k in zip(product, ACTIVE, strict=True))
        estimates = []
        for step in (2e-3, 1e-3, 5e-4):
            moved = [
                tuple(a if d is None else a + t * step * d for a, d in zip(self.args, other, strict=True))
                for t in (1, -1, 2, -2)
            ]
            with np.errstate(all="ignore"):
                ahead = [slopes(self.truth, copied(m), self.dots)[0] for m in moved]
            estimates.append((8 * (ahead[0] - ahead[1]) - (ahead[2] - ahead[3])) / (12 * step))
        spread = float(np.ptp(estimates))
        size = max(1.0, abs(estimates[-1]))
        if not spread <= 1e-6 * size:
            return False  # a branch flips nearby: nothing to compare with
        if not abs(got - estimates[-1]) <= 1e-5 * size:
            raise Wrong(f"n, m = {self.size}: second order {got!r}, by differences {estimates[-1]!r}")
        return True


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block after so many seconds of work (a loaded machine takes longer)."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"{seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


# what the names of compiled text that are not NumPy's stand for
def as_index(i: Any) -> Any:
    """Return an index of an element: compiled code counts from the start, whatever the sign."""
    assert i >= 0, f"element {i} is read or written"
    return i


NATIVE = {f"simd_{SIMD[name]}": OPS[name].evaluate for name in reversed(SIMD)}
NATIVE |= {"any_order_add": operator.add, "any_order_sub": operator.sub, "stay_apart": lambda: None}
NATIVE |= {"rounded_add": operator.add, "rounded_sub": operator.sub, "as_index": as_index}
POISON = {"f": np.nan, "c": np.nan, "b": True, "u": 107}  # what nobody could take for values


def check_literals(fn: Function) -> None:
    """Check that no element is read or written at a number below zero, one from the end in Python. Other
    indices are those of `as_index`, or count upwards from such a number."""
    for instr in every_instr(fn):
        first = FIRST_INDEX.get(instr.op.name, len(instr.args))
        below = [a.value for a in instr.args[first:] if isinstance(a, Literal) and a.value < 0]
        views = any(isinstance(r.type, Array) for r in instr.results) and instr.op.name == "getitem"
        assert views or not below, f"element {below[0]} is read or written"


def interpreted(loops: Function, note: object = None) -> Callable[..., Any]:
    """Return lowered code as plain Python; of about half of all functions, loops of independent trips run
    backwards."""
    if sum(1 for _ in loops.block.walk()) % 2:
        loops = backwards(loops)
    fn = native(loops)
    check_literals(fn)
    namespace: dict[str, Any] = {}
    exec(compile(module(fn, for_reading=False), f"<lowered {loops.name}>", "exec"), namespace)
    namespace |= NATIVE
    function: Callable[..., Any] = namespace[loops.name]
    return function


@contextmanager
def lowering_interpreted() -> Iterator[None]:
    """Run lowered code as plain Python instead of compiling it, in the block."""
    before = kernels.load_kernel
    kernels.load_kernel = interpreted
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        kernels.load_kernel = before


def check_lowered(point: Point, modes: tuple[str, ...] = ("jvp", "vjp")) -> None:
    """Check the loop nests of these modes, run as plain Python in place of the emitted functions."""
    functions: list[Compiled] = []
    if "jvp" in modes:
        pushforward = api._program("jvp", point.f, False, False, **api._options()).last
        assert pushforward is not None
        functions.append(pushforward.main)
    if "vjp" in modes:
        pullback = api._program("pullback", point.f, False, False, **api._options()).last
        assert pullback is not None
        functions += pullback.halves
    before = [function.call for function in functions]
    with lowering_interpreted():
        for function in functions:
            if "lowered_call" not in vars(function):
                vars(function)["lowered_call"] = function._native()
            function.call = vars(function)["lowered_call"]
        try:
            point.first(loose=True)
        finally:
            for function, call in zip(functions, before, strict=True):
                function.call = call


def check_compiled(point: Point) -> None:
    """Check the loop nests of both modes, compiled."""
    point.first(loose=True, jit=True)


def poisoned(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return `make` (np.empty) with contents that nobody could take for values."""

    def made(*args: Any, **kwargs: Any) -> Any:
        array = make(*args, **kwargs)
        array.fill(POISON.get(array.dtype.kind, 10**9 + 7))
        return array

    return made


@contextmanager
def memory_poisoned() -> Iterator[None]:
    """Fill new memory with garbage in the block, so that reading an entry never written shows."""
    with (
        patch.object(np, "empty", poisoned(np.empty)),
        patch.object(np, "empty_like", poisoned(np.empty_like)),
    ):
        yield


Extra = Callable[["Point"], None]


def check_sizes(
    f: Callable[..., Any],
    truth: Callable[..., Any],
    seed: int,
    sizes: tuple[tuple[int, int], ...],
    second: bool,
    extra: Extra | None,
) -> Verdict:
    """Return `right` with its counts; raise what is wrong."""
    verdict = Verdict("right")
    for k, size in enumerate(sizes):
        for function in (f, truth):  # a captured value is read again at each call
            function.__globals__["RATE"] = RATES[k % len(RATES)]
        point = Point(f, truth, seed, size)
        if point.raised:
            alike = point.raises_alike()
            verdict = replace(verdict, raised=verdict.raised + alike, unused=verdict.unused + (not alike))
            continue
        if point.skip:
            continue
        point.first()
        verdict = replace(verdict, points=verdict.points + 1, rounded=verdict.rounded + point.rounded)
        if extra is not None:
            extra(point)
        if second and min(size) > 0 and point.second():
            verdict = replace(verdict, second=verdict.second + 1)
    return verdict


def judge(
    text: str,
    seed: int = 0,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    second: bool = False,
    extra: Extra | None = None,
    seconds: float = 60.0,
    poison: bool = True,
) -> Verdict:
    """Return the verdict on a program. `poison`: new memory holds garbage, except in compiled code, which
    cannot call a `np.empty` of ours."""
    name = f"program_{seed}"
    f, truth = loaded(text, name), loaded(text, name, complex_numbers=True)
    try:
        with time_limit(seconds), memory_poisoned() if poison else nullcontext():
            return check_sizes(f, truth, seed, sizes, second, extra)
    except s2sad.S2sadError as refusal:
        kind = "crash" if refusal.code.startswith("S9") else "refused"
        return Verdict(kind, str(refusal), refusal.code)
    except AssertionError as wrong:
        kind = "wrong" if isinstance(wrong, Wrong) or "leaf" in str(wrong) else "crash"
        return Verdict(kind, f"{type(wrong).__name__}: {wrong}\n{origin(wrong)}")
    except Exception as error:
        return Verdict("crash", f"{type(error).__name__}: {error}\n{origin(error)}")


def origin(error: BaseException) -> str:
    """Return the last lines of a traceback, which group the failures."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return "\n".join(f"   at {frame.filename}:{frame.lineno} {frame.name}: {frame.line}" for frame in frames)


__all__ = ["SIZES", "Point", "Verdict", "Wrong", "active_leaves", "arguments", "judge", "loaded"]
