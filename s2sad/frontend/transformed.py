"""Calls of s2sad's transforms inside a program: grad(f)(x), jvp(f, xs, dots), stop_gradient(x).

The inner function is read into an IR Function, the driver's callback derives from it, and the
program calls what comes back: transforms of programs that use transforms are compositions.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import gast

from s2sad.errors import UnsupportedOp
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.builtins import Handler
from s2sad.frontend.callees import NotPure, shared_results, without_statics
from s2sad.frontend.functions import Transform
from s2sad.frontend.values import (
    Abstract,
    Callee,
    Closure,
    Num,
    Partial,
    Pullback,
    Ref,
    Static,
    Struct,
    held,
    tuple_of,
)
from s2sad.frontend.wrapped import Wrapped, function_name
from s2sad.ir.core import Function, Operand
from s2sad.ir.transformed import IDENTITY, OUTSIDE, Transformed, record_of, scheme_of
from s2sad.ir.types import Array, Type, is_differentiable
from s2sad.ir.walk import draws
from s2sad.record import dataclass, replace

API = "s2sad.api"
MAKERS = ("grad", "value_and_grad", "jit", "checkpoint", "jacfwd", "jacrev", "jacobian", "hessian", "vmap")


@dataclass(frozen=True, slots=True, eq=False)
class Derived(Callee):
    """A transform of a function value: what grad(f) is inside a program."""

    called = "call_derived"
    record: Transformed
    function: Abstract


@dataclass(frozen=True, slots=True, eq=False)
class Pushforward(Callee):
    """What `linearize(f, x)` returned inside a program."""

    called = "call_pushforward"
    function: Abstract
    primals: tuple[Abstract, ...]


class Transforms(Wrapped):
    """s2sad inside s2sad."""

    def __init__(self, sizes: Assumptions, transform: Transform | None):
        super().__init__(sizes, transform)
        self.derived: dict[Any, tuple[Function, Function]] = {}
        self.calls: dict[int, tuple[Function, Function]] = {}  # by id, of those that are called

    def builtin_handler(self, value: Any) -> Handler | None:
        """Return what reads a call of a Python builtin, or of what makes a transformed function; or None."""
        label = getattr(value, "__name__", "")
        if getattr(value, "__module__", "") == API and label in MAKERS:
            return lambda args, kwargs, node, name: self.make_derived(value, label, args, kwargs, node)
        return super().builtin_handler(value)

    def call_pushforward(
        self, function: Pushforward, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str
    ) -> Abstract:
        """Return the tangent of a result."""
        primals = tuple_of(function.primals)
        dots = tuple_of(args)
        both = self.pushed_forward("jvp", (function.function, primals, dots), node)
        assert isinstance(both, Struct)
        return both.items[1]

    def make_derived(
        self, maker: Any, kind: str, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return `grad(f, ...)` as a value."""
        bound = inspect.signature(maker).bind(*args, **kwargs)
        bound.apply_defaults()
        given = {k: v for k, v in bound.arguments.items() if isinstance(v, Abstract)}
        function = given.pop("fun", None)
        if function is None or (isinstance(function, Static) and function.value is None):
            raise self.refuse("S126", f"`{kind}` needs a function here", f"write {kind}(f)(x)", node)
        options = {k: self.static_value(v, f"`{k}`", node) for k, v in given.items()}
        argnums = options.get("argnums", 0)
        argnums = tuple(argnums) if isinstance(argnums, list | tuple) else argnums
        checkpoint = scheme_of(options.get("checkpoint"))
        record = Transformed(kind, None, argnums, bool(options.get("has_aux", False)), checkpoint=checkpoint)
        return Derived(record, function)

    def call_transformed(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling an object of the API."""
        record = record_of(function)
        assert record is not None
        if record.function is not None:
            return self.call_derived(Derived(record, held(record.function)), args, kwargs, node)
        if record.kind == OUTSIDE:
            why = f"`s2sad.{function.__name__}` cannot be called inside a function that is differentiated"
            raise self.refuse("S123", why, "call it at the top of a module, and here what it returned", node)
        handler = getattr(self, "form_" + record.kind)
        made: Abstract = handler(args, kwargs, node)
        return made

    def call_derived(
        self,
        derived: Derived,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        name: str = "",
    ) -> Abstract:
        """Return the result of a call; `called_<kind>` reads one of what is no derivative."""
        reader = getattr(self, f"called_{derived.record.kind}", None)
        if reader is not None:
            found: Abstract = reader(derived, args, kwargs, node)
            return found
        fn, operands = self.function_of(derived.function, args, kwargs, node)
        made = self.derive(among(derived.record, len(args)), fn, node)
        return self.call_ir(self.called(made), operands)

    def called_jit(
        self, derived: Derived, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of the function itself: the program decides what is compiled."""
        return self.call_value(derived.function, args, kwargs, node)

    def called_checkpoint(
        self, derived: Derived, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of a function that stays one: the reverse of its call runs it again."""
        fn, operands = self.function_of(derived.function, args, kwargs, node)
        if fn.extra.get("on_copies"):
            why = "a checkpointed function must not write its arguments, or what is around it"
            raise self.refuse("S127", why, "return what is new", node)
        fn = self.called(fn)
        fn.extra["kept"] = True
        results = [self.wrap(r) for r in self.emit_call(fn, operands)]
        if fn.extra.get("shares"):  # in Python a write to one of them is seen in the other
            found = {r.buffer for r in results if isinstance(r, Ref)}
            given = {a.buffer for a in self.arrays((*args, *kwargs.values()))}
            self.overlaps |= {frozenset((a, b)) for a in found for b in given}
        return self.from_tree(fn.result, results)

    def arrays(self, values: Sequence[Abstract]) -> Iterator[Ref]:
        """Yield the arrays in arguments."""
        for value in values:
            box = self.contents(value)
            if isinstance(box, Ref):
                yield box
            elif isinstance(box, Struct):
                yield from self.arrays(box.items)

    def derive(self, record: Transformed, fn: Function, node: Any) -> Function:
        """Return what the driver makes of a record and a Function, memoised."""
        if self.transform is None:
            raise self.internal("no transform was given to the frontend")
        key = (replace(record, function=None, jit=False), id(fn))
        if key not in self.derived:
            try:
                self.derived[key] = (self.transform(record, fn), fn)
            except UnsupportedOp as error:
                raise error.located(self.place(node)) from None
        made: Function = self.derived[key][0]
        return made

    def called(self, fn: Function) -> Function:
        """Return a function as it is called: transforms count the arguments that are known now, too."""
        if id(fn) not in self.calls:
            self.calls[id(fn)] = without_statics(fn), fn
        return self.calls[id(fn)][0]

    def function_of(
        self, function: Abstract, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> tuple[Function, list[Operand]]:
        """Return a function value read into an IR Function, and the operands of its parameters. One that
        writes its arguments is called with copies, for a derivative leaves them alone."""
        if isinstance(function, Partial) and not function.args:
            return self.function_of(function.function, args, {**dict(function.kwargs), **kwargs}, node)
        if isinstance(function, Derived):
            if function.record.kind in IDENTITY:
                return self.function_of(function.function, args, kwargs, node)
            fn, operands = self.function_of(function.function, args, kwargs, node)
            return self.derive(among(function.record, len(args)), fn, node), operands
        record = record_of(function.value) if isinstance(function, Static) else None
        if record is not None and record.function is not None:
            return self.function_of(Derived(record, held(record.function)), args, kwargs, node)
        if isinstance(function, Closure):
            names = self.bound_arguments(function.node, function.defaults, args, kwargs, function.name, node)
            source, callee, parent = function.source, function.node, function.frame
        elif isinstance(function, Static) and inspect.isfunction(function.value):
            source = self.called_source(function.value, node)
            callee, parent = source.node, None
            names = self.bound_arguments(
                callee, self.function_defaults(function.value), args, kwargs, source.name, node
            )
            names = {
                k: self.captured(v) if isinstance(v, Static) and v.access else v for k, v in names.items()
            }
        else:
            made = self.defined_here(function, function_name(function), len(args), list(kwargs))
            fn, operands = self.function_of(made, args, kwargs, node)
            fn.extra["inline"] = True
            return fn, operands
        try:
            fn, operands = self.callee(source, callee, parent, names, node, keep_literals=True, own=False)
        except NotPure:
            wrapped = self.on_copies(function, len(args), list(kwargs))
            if wrapped is not None:
                fn, operands = self.function_of(wrapped, args, kwargs, node)
                fn.extra["on_copies"] = True
                return fn, operands
            why = "a function transformed inside a program must not write arrays that it is not given"
            raise self.refuse("S127", why, "pass them, or copy first", node) from None
        fn.extra["fresh_results"] = True
        fn.extra["shares"] = any(map(any, shared_results(fn.block, fn.params)))
        if isinstance(callee, gast.Lambda):
            fn.extra["inline"] = True
        if draws(fn):  # the derivative of a call of the derivative would draw once more
            raise self.refuse(
                "S118",
                f"{fn.name} draws random numbers, and its derivative inside a program would draw again",
                "draw before, and pass the numbers",
                node,
            )
        return fn, operands

    def form_stop_gradient(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`stop_gradient(x)`: x without its derivative, leaf by leaf."""
        box = self.contents(args[0])
        match box:
            case Ref() | Num() if is_differentiable(self.operand(box).type):
                return self.wrap(self.emit("stop_gradient", self.operand(box)))
            case Struct():
                items = tuple(self.form_stop_gradient((i,), {}, node) for i in box.items)
                return self.like(box, items)
        return args[0]

    def paired(self, args: tuple[Abstract, ...], node: Any) -> tuple[tuple[Abstract, ...], list[Abstract]]:
        """Return primals and tangents of `jvp(f, primals, tangents)`."""
        if len(args) != 3:
            raise self.mismatch("S319", "TypeError: expected (fun, primals, tangents)", "", node)
        return tuple(self.static_items(args[1], node)), self.static_items(args[2], node)

    def form_jvp(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`jvp(f, primals, tangents)`."""
        return self.pushed_forward("jvp", args, node)

    def form_hvp(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`hvp(f, primals, tangents)`."""
        return self.pushed_forward("hvp", args, node)

    def pushed_forward(self, kind: str, args: tuple[Abstract, ...], node: Any) -> Abstract:
        """Return a jvp or hvp at given primals and tangents."""
        primals, tangents = self.paired(args, node)
        varied = tuple(not (isinstance(t, Static) and t.value is None) for t in tangents)
        fn, operands = self.function_of(args[0], primals, {}, node)
        made = self.derive(Transformed(kind, None, 0, varied=varied), fn, node)
        dots: list[Operand] = []
        for tangent, used in zip(tangents, varied, strict=True):
            if used:
                self.float_leaves(tangent, dots, node)
        return self.call_ir(self.called(made), self.with_seeds(made, fn, operands, dots, node))

    def form_jet(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`jet(f, primals, series)`."""
        primals, series = self.paired(args, node)
        varied = tuple(not (isinstance(s, Static) and s.value is None) for s in series)
        orders = {
            n for p, s, v in zip(primals, series, varied, strict=True) if v for n in self.orders(p, s, node)
        }
        if len(orders) > 1:
            raise self.mismatch("S319", "TypeError: the series have different lengths", "", node)
        fn, operands = self.function_of(args[0], primals, {}, node)
        record = Transformed("jet", None, 0, varied=varied, order=orders.pop() if orders else 0)
        made = self.derive(record, fn, node)
        dots: list[Operand] = []
        for terms in series:
            self.float_leaves(terms, dots, node)
        return self.call_ir(self.called(made), self.with_seeds(made, fn, operands, dots, node))

    def orders(self, primal: Abstract, series: Abstract, node: Any) -> Iterator[int]:
        """Yield how many derivatives there are of each leaf of a primal that has some."""
        whole, terms = self.contents(primal), self.contents(series)
        if isinstance(terms, Static) and terms.value is None:
            return
        items = terms.items if isinstance(terms, Struct) else self.static_items(terms, node)
        if not isinstance(whole, Struct):
            yield len(items)
        elif len(items) != len(whole.items):
            raise self.mismatch("S319", "TypeError: primals and series do not match", "", node)
        else:
            for part, item in zip(whole.items, items, strict=True):
                yield from self.orders(part, item, node)

    def float_leaves(self, value: Abstract, found: list[Operand], node: Any) -> None:
        """Append the float leaves of a tangent or cotangent."""
        box = self.contents(value)
        if isinstance(box, Struct):
            for item in box.items:
                self.float_leaves(item, found, node)
        elif not (isinstance(box, Static) and box.value is None):
            operand = self.operand(box, node)
            if is_differentiable(operand.type) or operand.type.dtype.kind in "biu":
                found.append(operand)

    def with_seeds(
        self, made: Function, fn: Function, operands: list[Operand], seeds: list[Operand], node: Any
    ) -> list[Operand]:
        """Return the operands for a derived function: primal ones, then seeds of its parameters' types."""
        wanted = made.params[len(fn.params) :]
        if len(wanted) != len(seeds):
            raise self.mismatch("S319", "TypeError: primals and tangents do not match", "", node)
        return [*operands, *(self.seed(s, p.type) for s, p in zip(seeds, wanted, strict=True))]

    def seed(self, given: Operand, t: Type) -> Operand:
        """Return a tangent or cotangent in the kind of its parameter: rank 0 is not a number."""
        if isinstance(t, Array) and not t.ndim and not isinstance(given.type, Array):
            return self.emit("array0", self.emit("cast", given, dtype=t.dtype))
        if not isinstance(t, Array) and isinstance(given.type, Array) and not given.type.ndim:
            given = self.emit("item0", given)
        return self.convert(given, t)

    def form_vjp(self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any) -> Abstract:
        """`vjp(f, *primals)`: the value and a pullback."""
        if kwargs:
            raise self.refuse("S118", "vjp with keywords is not supported inside a program", "", node)
        fn, operands = self.function_of(args[0], args[1:], {}, node)
        record = Transformed("vjp", None, tuple(range(len(args) - 1)))
        made = self.derive(record, fn, node)
        value = self.call_ir(self.called(fn), operands)
        return Struct("tuple", (0, 1), (value, Pullback((made, fn), tuple(operands))))

    def call_pullback(self, pullback: Pullback, args: tuple[Abstract, ...], node: Any) -> Abstract:
        """Return the result of calling a pullback inside a program."""
        made, fn = pullback.function
        seeds: list[Operand] = []
        for arg in args:
            self.float_leaves(arg, seeds, node)
        both = self.call_ir(self.called(made), self.with_seeds(made, fn, list(pullback.tape), seeds, node))
        assert isinstance(both, Struct)
        return both.items[1]

    def form_linearize(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`linearize(f, *primals)`: the value and the pushforward."""
        primals = args[1:]
        value = self.call_value(args[0], primals, {}, node)
        return Struct("tuple", (0, 1), (value, Pushforward(args[0], primals)))


def among(record: Transformed, count: int) -> Transformed:
    """Return a record whose positions count from the first of so many arguments that are given."""
    argnums = record.argnums
    if isinstance(argnums, int):
        return replace(record, argnums=argnums + count if -count <= argnums < 0 else argnums)
    return replace(record, argnums=tuple(k + count if -count <= k < 0 else k for k in argnums))
