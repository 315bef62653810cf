"""What the classes further down provide to those further up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from s2sad.errors import TypeMismatch, UnsupportedOp
from s2sad.frontend.machine import Machine, State
from s2sad.frontend.outcome import Outcome
from s2sad.frontend.source import Access
from s2sad.frontend.values import (
    Abstract,
    Closure,
    Pullback,
    Range,
    Series,
    Static,
    Struct,
)
from s2sad.ir.core import End, Operand


class Hooks(Machine):
    """Declarations only: reading syntax is mutually recursive."""

    def captured(self, value: Static, node: Any = None) -> Abstract:
        """Return a captured Python object: numbers and arrays become hidden parameters."""
        raise NotImplementedError

    def remember(self, access: Access, value: Any) -> None:
        """Note a static captured value, to be checked at each call."""
        raise NotImplementedError

    def remember_plain(self, access: Access, value: Any) -> None:
        """Note what was computed of captured values, if it can be compared at each call."""
        raise NotImplementedError

    def listed(self, value: Abstract) -> Abstract:
        """Return a generator expression run into a list."""
        raise NotImplementedError

    def bound_method(self, function: Static, owner: Abstract) -> Abstract:
        """Return a function with its first argument bound."""
        raise NotImplementedError

    def call_value(
        self,
        function: Abstract,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        name: str = "",
    ) -> Abstract:
        """Return the result of a call."""
        raise NotImplementedError

    def static_items(self, value: Abstract, node: Any) -> list[Abstract]:
        """Return the items of an iterable whose length is known at compile time."""
        raise NotImplementedError

    def static_value(self, value: Abstract, what: str, node: Any) -> Any:
        """Return the Python object of a compile-time value."""
        raise NotImplementedError

    def trip_count(self, lo: Operand, hi: Operand, step: Operand) -> Operand:
        """Return the number of trips of `range(lo, hi, step)`."""
        raise NotImplementedError

    def range_length(self, r: Range) -> Operand:
        """Return `len(range(lo, hi, step))`."""
        raise NotImplementedError

    def assign(self, target: Any, value: Abstract) -> None:
        """Assign a value to a target."""
        raise NotImplementedError

    def run_if(self, cond: Operand, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """Run one of two sides and join."""
        raise NotImplementedError

    def to_the_end(self, nodes: list[Any]) -> Outcome:
        """Read statements, and what follows them to the end of an inlined function."""
        raise NotImplementedError

    def run_after_return(self, rest: Callable[[], Outcome], read: Callable[[], Outcome]) -> Outcome:
        """Go on after statements that may have returned."""
        raise NotImplementedError

    def has_singles(self) -> bool:
        """True if the program is given single precision: beside that, Python's floats are not NumPy's."""
        raise NotImplementedError

    def call_function(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a Python function."""
        raise NotImplementedError

    def call_program(
        self, program: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of a program of s2sad, read in place of a call."""
        raise NotImplementedError

    def call_closure(
        self, closure: Closure, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a nested function."""
        raise NotImplementedError

    def call_transformed(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling grad(f), jvp, ... inside a program."""
        raise NotImplementedError

    def call_pullback(self, pullback: Pullback, args: tuple[Abstract, ...], node: Any) -> Abstract:
        """Return the result of calling a pullback inside a program."""
        raise NotImplementedError

    def print_call(self, node: Any) -> None:
        """Emit a print."""
        raise NotImplementedError

    def root_return(self, value: Abstract, node: Any) -> End:
        """Return the end of the IR function."""
        raise NotImplementedError

    def shared_names(self, frame: Any) -> frozenset[str]:
        """Return the names of a frame that nested functions may assign."""
        raise NotImplementedError

    def scaled(self, trips: Operand, factor: int, offset: int) -> Operand:
        """Return `trips * factor + offset`."""
        raise NotImplementedError

    def array_of(self, value: Abstract, node: Any = None) -> Abstract:
        """Return a list or tuple of numbers and arrays as one array (np.array)."""
        raise NotImplementedError

    def series_of(
        self,
        value: Abstract,
        like: Series,
        capacity: Operand | None = None,
        name: str = "items",
        before: State | None = None,
    ) -> Series:
        """Return a list of known length as a series whose rows are like those of another."""
        raise NotImplementedError

    def series_like(self, a: Struct, b: Struct, box: Any = None) -> Series:
        """Return a description of a series that can hold the items of both lists."""
        raise NotImplementedError

    def rows_differ(self, items: tuple[Abstract, ...]) -> bool:
        """True if arrays to be in one list are known not to have one shape in all trips."""
        raise NotImplementedError

    def rows_unlike(self) -> TypeMismatch:
        """Return (to be raised) the refusal of a list whose items have no shape known before its loop."""
        raise NotImplementedError

    def expr(self, node: Any, name: str = "") -> Abstract:
        """Return the value of an expression; `name` is the name it is about to be bound to."""
        raise NotImplementedError

    def call_op(
        self, call: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of a function in the table of ops."""
        raise NotImplementedError

    def unknown(self, value: Any, node: Any) -> UnsupportedOp:
        """Return (to be raised) the error for a function without a rule."""
        raise NotImplementedError
