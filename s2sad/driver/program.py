"""A transformed function and its variants: found by the arguments of a call, built when missing."""

from __future__ import annotations

import copy
import functools
import inspect
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from s2sad.driver.arguments import derivative_leaves
from s2sad.driver.binding import Binding, Values, call_key
from s2sad.driver.compiled import Compiled
from s2sad.driver.conforming import check_results
from s2sad.driver.plans import Plan, find, keep, plan_name
from s2sad.driver.reading import Flags, NeverReturns, Stages, guarded, reading_of
from s2sad.driver.trace import Trace
from s2sad.ir.core import Function
from s2sad.ir.structure import rebuild
from s2sad.ir.transformed import IDENTITY, Jit, Transformed, record_of, strongest
from s2sad.late import late

if TYPE_CHECKING:
    from s2sad.passes import checks as checking
    from s2sad.transforms import split as splitting
else:
    checking = late("s2sad.passes.checks")
    splitting = late("s2sad.transforms.split")

MOST_VARIANTS = 256
NONE: frozenset[int] = frozenset()


class Variant:
    """A program built for one structure, one set of leaf types, and the facts of one call.

    `main` is the emitted function; in mode pullback it is the joint one, for reading. With a plan, it is
    machine code of an earlier process, and the stages before it are run if somebody asks for them.
    """

    def __init__(self, program: Program, stages: Stages, plan_name: str, plan: Plan | None):
        self.stages, self.trace = stages, Trace(stages.trace.name, stages.trace)
        self.plan_name, self.plan = plan_name, plan
        primal = plan.primal if plan is not None else stages.primal
        derived = plan.derived if plan is not None else stages.derived
        self.outline = primal
        self.binding = Binding(primal, check_overlap=not program.runs_as_written)
        self.jit, self.plain, self.debug = program.jit, program.plain, program.record.debug
        self.kind = program.record.kind
        self.exact = derivative_leaves(derived, self.kind, program.record.has_aux)
        self.flags: Flags = None
        self.quick: Callable[[tuple[Any, ...]], Values | None] = lambda args: None
        known = {p.name: k for k, p in enumerate(primal.signature)}
        self.layout = tuple(known.get(p.name, -1) for p in derived.signature)
        self.extra = tuple(p for p in derived.signature if p.name not in known)
        self.aligned = self.layout == tuple(range(len(primal.signature)))

    @property
    def primal(self) -> Function:
        """What is differentiated; `outline` has its parameters and results, which is less work."""
        return self.stages.primal

    @property
    def ir(self) -> Function:
        """The derivative, before its writes were put in place."""
        return self.stages.derived

    @functools.cached_property
    def main(self) -> Compiled:
        """The emitted function."""
        return guarded(self.plain, self._main)

    def _main(self) -> Compiled:
        if self.kind == "pullback":
            return Compiled(self.checked(self.ir, False), self.trace, False, self.exact)
        if self.plan is not None:
            ((fn, ready),) = self.plan.compiled
            return Compiled(fn, self.trace, self.jit, self.exact, ready, lambda: self.ir)
        made = Compiled(self.checked(self.ir, self.jit), self.trace, self.jit, self.exact)
        keep(self.plan_name, self.primal, self.ir, (made,))
        return made

    def passed(self) -> tuple[tuple[str, Function], ...]:
        """Return the IR after each pass that changed it, with the pass's name."""
        if self.main.ready is not None:
            _ = self.main.loops
        return self.trace.every()

    def remember(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], flags: Flags) -> None:
        """Note the call that this variant was built for: plain calls like it are recognised quickly."""
        self.flags = flags
        self.binding.remember(args, kwargs)
        if self.aligned and not self.binding.written and not self.debug:
            self.quick = self.binding.quick

    @functools.cached_property
    def halves(self) -> tuple[Compiled, Compiled]:
        """The forward and the reverse sweep as functions of their own: `(x) -> (y, tape)` and
        `(*tape, y_bar) -> cotangents`."""
        return guarded(self.plain, self._halves)

    def checked(self, fn: Function, jit: Jit) -> Function:
        """Return the function as it is compiled: with `debug=True` it checks its numbers."""
        return self.trace.step("checks", checking.checks(trips=not jit)(fn), fn) if self.debug else fn

    def _halves(self) -> tuple[Compiled, Compiled]:
        if self.plan is not None:
            whole = functools.cache(lambda: splitting.split(self.ir))
            (first, ready), (second, also) = self.plan.compiled
            forward = Compiled(first, self.trace, self.jit, NONE, ready, lambda: whole()[0])
            return forward, Compiled(second, self.trace, self.jit, every(second), also, lambda: whole()[1])
        first, second = (self.checked(half, self.jit) for half in splitting.split(self.ir))
        made = Compiled(first, self.trace, self.jit), Compiled(second, self.trace, self.jit, every(second))
        keep(self.plan_name, self.primal, self.ir, made)
        return made

    def forward(self, values: Values) -> Any:
        """Return what the forward sweep returns: the result and the tape."""
        self.binding.check_overlap(values)
        return self.halves[0].call(values)

    def run(self, values: Values, seeds: Sequence[Any] = (), main: Compiled | None = None) -> Any:
        """Return the result for one value per primal parameter, and the seeds (tangents of active
        leaves) in the order of the leaves they belong to; `main`: of another function like the main one."""
        main = main or self.main
        self.binding.check_overlap(values)
        if not self.aligned:
            padded = [*[None] * len(self.outline.params), *seeds]
            added = iter([rebuild(p.tree, padded) for p in self.extra])
            values = [values[k] if k >= 0 else next(added) for k in self.layout]
        result = main.call(values)
        if self.debug:
            check_results(self.ir, values, result)
        return result


def every(fn: Function) -> frozenset[int]:
    """Return the result leaves of a function."""
    return frozenset(range(len(fn.result_types)))


class Program:
    """The compiler of one transformed function. `record.kind` is `primal`, `grad`,
    `value_and_grad`, `jvp`, `jet`, `pullback` or `hvp`. Thread-safe: built under a lock, read without."""

    def __init__(self, record: Transformed):
        self.record = record
        self.plain, self.inner = peel(record.function)
        self.jit: Jit = strongest(r.jit for r in records(record.function, record))
        self.runs_as_written = record.kind == "primal" and not self.jit and record_of(self.plain) is None
        self.variants: dict[Any, tuple[Variant, ...]] = {}
        self.last: Variant | None = None
        self.lock = threading.RLock()

    def find(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], flags: Flags = None, called: bool = True
    ) -> tuple[Variant, Values]:
        """Return the variant for a call, built if need be, and the parameter values of the call.
        `flags` says which leaves are varied (jvp) or which arguments (hvp). A program that always raises
        does so if it is `called`."""
        last = self.last
        if last is not None and not kwargs and last.flags == flags:
            values = last.binding.quick(args)
            if values is not None:
                return last, values
        key = (flags, call_key(args, kwargs))
        found = self._look_up(key, args, kwargs)
        if found is None:
            with self.lock:
                found = self._look_up(key, args, kwargs)
                if found is None:
                    make = self._built_for_call if called else self.build
                    variant = make(args, kwargs, flags)
                    variant.remember(args, kwargs, flags)
                    if len(self.variants) >= MOST_VARIANTS:  # static arguments that differ at every call
                        self.variants = {}
                    self.variants[key] = (*self.variants.get(key, ()), variant)
                    found = variant, variant.binding.values(args, kwargs)
        self.last = found[0]
        return found

    def _built_for_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], flags: Flags) -> Variant:
        try:
            return self.build(args, kwargs, flags)
        except NeverReturns:  # with which exception, the program itself knows best
            if record_of(self.plain) is not None:
                raise
            self.plain(*copy.deepcopy(args), **copy.deepcopy(dict(kwargs)))
            raise

    def _look_up(
        self, key: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Variant, Values] | None:
        for variant in self.variants.get(key, ()):
            values = variant.binding.accepted(args, kwargs)
            if values is not None:
                return variant, values
        return None

    def build(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], flags: Flags = None, examples: bool = True
    ) -> Variant:
        """Return a new variant for example arguments. Without `examples` their types alone count: sizes
        that meet are assumed equal."""
        check_call(self.plain, args, kwargs)
        return guarded(self.plain, lambda: self._build(args, kwargs, flags, examples))

    def _build(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], flags: Flags, examples: bool
    ) -> Variant:
        reading = reading_of(self.plain, args, kwargs, examples)
        stages = reading.stages((*self.inner, self.record), flags, len(args) if examples else None)
        name = ""
        if self.jit and not self.record.debug:
            transforms = [record.of(None) for record in (*self.inner, self.record)]
            name = plan_name(reading.built, transforms, self.jit, flags, stages.count)
        variant = Variant(self, stages, name, find(name, reading.built))
        if self.record.kind != "pullback":
            _ = variant.main  # refusals come now
        return variant


def peel(function: Any) -> tuple[Callable[..., Any], tuple[Transformed, ...]]:
    """Return the user's function inside transformed ones, and their records, innermost first. What programs
    call as it is, the frontend reads, with what the record adds."""
    found: list[Transformed] = []
    while (record := record_of(function)) is not None and not record.is_called:
        found.append(record)
        owner = function.__self__ if isinstance(function, types.MethodType) else None
        function = record.function
        if owner is not None and record.kind in IDENTITY:
            assert function is not None
            function = types.MethodType(function, owner)
    if not callable(function):
        raise TypeError(f"a {type(function).__name__} is not callable: pass the function itself")
    return function, tuple(reversed(found))


def records(function: Any, first: Transformed) -> Iterator[Transformed]:
    """Yield `first` and the records of the functions that `function` is made of."""
    record: Transformed | None = first
    while record is not None:
        yield record
        record = record_of(function)
        function = record.function if record is not None else None


def check_call(plain: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise the TypeError that a plain call with these arguments would raise, if it does not fit."""
    try:
        signature = inspect.signature(plain)
    except ValueError:
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{getattr(plain, '__name__', 'function')}() {error}") from None
