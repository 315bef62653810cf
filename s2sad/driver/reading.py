"""What was read of a function, and what transforms make of that: shared by the programs of one function."""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from s2sad.driver.arguments import active_leaves, argument_trees, float_argnums
from s2sad.driver.binding import Binding, call_key
from s2sad.driver.kept import kept_with
from s2sad.driver.trace import Trace
from s2sad.errors import InternalError, Origin, S2sadError, UnsupportedSyntax
from s2sad.frontend.build import build
from s2sad.ir.core import Function, returns
from s2sad.ir.transformed import Transformed, record_of
from s2sad.late import late
from s2sad.record import replace
from s2sad.settings import settings

if TYPE_CHECKING:
    from s2sad.driver import derive as deriving
    from s2sad.driver import pipeline
else:
    deriving = late("s2sad.driver.derive")
    pipeline = late("s2sad.driver.pipeline")

Flags = tuple[bool, ...] | None
Result = TypeVar("Result")


class NeverReturns(UnsupportedSyntax):
    """Every path of the function raises."""


class Reading:
    """The Function `built` by the frontend for calls like one, and the Stages that follow it."""

    def __init__(self, plain: Callable[..., Any], built: Function, key: Hashable, trace: Trace):
        self.plain, self.built, self.key, self.trace = plain, built, key, trace
        self.binding: Binding | None = None  # of a function that returns
        self.lock = threading.RLock()
        self.known: list[Stages] = []
        self._cleaned: Function | None = None

    def serves(self, key: Hashable, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """True if the frontend would build the same again for a call."""
        return (
            key == self.key and self.binding is not None and self.binding.accepted(args, kwargs) is not None
        )

    @property
    def cleaned(self) -> Function:
        """The function without what it does not need."""
        with self.lock:
            if self._cleaned is None:
                cleaned = pipeline.clean(self.built, self.trace)
                if next(returns(cleaned.block), None) is None:
                    raise NeverReturns(
                        "S125",
                        f"`{self.trace.name}` never returns for these arguments",
                        "return a value on some path",
                    )
                self._cleaned = cleaned
            return self._cleaned

    def stages(self, transforms: Sequence[Transformed], flags: Flags, count: int | None) -> Stages:
        """Return what follows for these transforms, innermost first: the same for each program that asks for
        the same."""
        wanted = tuple(replace(record, function=None, jit=False) for record in transforms)
        with self.lock:
            for stages in self.known:
                if (stages.transforms, stages.flags, stages.count) == (wanted, flags, count):
                    return stages
            self.known.append(Stages(self, wanted, flags, count))
            return self.known[-1]


class Stages:
    """What transforms make of a reading, as it is asked for: compilation before anything is in place.

    `flags` and `count`: the varied leaves, and the number of positional arguments of the call; None for
    those that the function has."""

    def __init__(
        self, reading: Reading, transforms: tuple[Transformed, ...], flags: Flags, count: int | None
    ):
        self.reading, self.transforms, self.flags, self.count = reading, transforms, flags, count
        self.trace = Trace(reading.trace.name, reading.trace)
        self._primal: Function | None = None
        self._derived: Function | None = None

    @property
    def primal(self) -> Function:
        """The function that is differentiated last, without what it does not need."""
        with self.reading.lock:
            if self._primal is None:
                self._primal = guarded(self.reading.plain, self._inner)
            return self._primal

    @property
    def derived(self) -> Function:
        """What the last transform makes of it."""
        with self.reading.lock:
            if self._derived is None:
                primal = self.primal
                self._derived = guarded(self.reading.plain, lambda: self._outer(primal))
            return self._derived

    def _inner(self) -> Function:
        primal = self.reading.cleaned
        for record in self.transforms[:-1]:
            primal = deriving.derive(record, primal, self.trace)
        return primal

    def _outer(self, primal: Function) -> Function:
        record, flags, trace = self.transforms[-1], self.flags, self.trace
        count = len(argument_trees(primal)) if self.count is None else self.count
        if record.kind == "primal":
            return primal
        if record.kind in ("jvp", "jet") and flags is not None:
            varied = flags + (False,) * (len(primal.params) - len(flags))  # what is captured does not vary
            return deriving.pushforward(primal, varied, trace, record.order if record.kind == "jet" else None)
        argnums, chosen = record.argnums, record.argnums
        if argnums == ():  # every float
            chosen = tuple(k for k in float_argnums(primal) if k < count)
            argnums = chosen[0] if len(chosen) == 1 else chosen
        if record.kind == "jvp":
            return deriving.pushforward(primal, active_leaves(primal, chosen), trace)
        if record.kind == "pullback":  # one cotangent per positional argument
            argnums = tuple(range(count)) if record.argnums == () else argnums
            return deriving.joint(
                primal, replace(record, argnums=argnums), active_leaves(primal, chosen), trace
            )
        return deriving.derive(replace(record, argnums=argnums, varied=flags), primal, trace)


def reading_of(
    plain: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], examples: bool
) -> Reading:
    """Return what the frontend makes of a function for a call: what it made for one like it, if that is
    still in use. Without `examples` sizes that meet are assumed equal, and nothing is shared."""
    kept = kept_with(plain) if examples and not settings.is_watching else None
    key = call_key(args, kwargs) if kept is not None else None
    for reading in kept.read() if kept is not None else ():
        if reading.serves(key, args, kwargs):
            found: Reading = reading
            return found
    trace = Trace(getattr(plain, "__name__", type(plain).__name__))
    fn = build(plain, args, dict(kwargs), transform=derived_inside, values=examples)
    reading = Reading(plain, trace.step("build", fn), key, trace)
    if examples and next(returns(fn.block), None) is not None:
        reading.binding = Binding(fn, check_overlap=False)
        if settings.verify > 1:
            trace.examples = reading.binding.leaves(reading.binding.values(args, kwargs))
        if kept is not None:
            kept.note(reading)
    return reading


def derived_inside(record: Transformed, fn: Function) -> Function:
    """Return what a transform that a program itself calls makes of a Function."""
    return deriving.derive(record, fn)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from running: a twelfth of the time, as trees make no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def guarded(plain: Callable[..., Any], work: Callable[[], Result]) -> Result:
    """Return `work()`. An error of ours without a place gets that of the function, and an exception that
    is none of ours becomes an InternalError."""
    try:
        with _no_collection():
            return work()
    except S2sadError as error:
        raise error.located(place_of(plain)) from error.__cause__
    except Exception as error:
        name = getattr(plain, "__qualname__", repr(plain))
        why = f"s2sad failed on {name}: {type(error).__name__}: {error}"
        raise InternalError("S902", why, "please report this with the program", place_of(plain)) from error


def place_of(plain: Callable[..., Any]) -> Origin | None:
    """Return where a function is defined, if that can be told."""
    record = record_of(plain)
    if record is not None and record.function is not None:  # not the text that it shows of itself once called
        return place_of(record.function)
    code = getattr(inspect.unwrap(plain), "__code__", None)
    if code is None:
        return None
    return Origin(os.path.basename(code.co_filename), code.co_firstlineno, 0, code.co_filename)
