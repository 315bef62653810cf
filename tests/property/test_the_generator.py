"""The generator finds defects: each one below is planted in the compiler and must show in the programs.

A test of the tests, so it reaches into the compiler's inside and breaks it there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from property.programs import generated
from property.verdicts import interpreted, judge

from s2sad.emit.names import Names
from s2sad.emit.python import Statements as Printer
from s2sad.frontend.arrays import Arrays
from s2sad.frontend.functions import Functions
from s2sad.frontend.statements import Statements as Reader
from s2sad.frontend.values import Num, Static
from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Function, Literal, Parameter, Value
from s2sad.ir.path import At, Index
from s2sad.ir.size import Size
from s2sad.ir.tree import Leaf
from s2sad.ir.types import F8, WEAK_INT, Array, Scalar
from s2sad.ops.expr import apply
from s2sad.ops.table import OPS
from s2sad.passes import sizes
from s2sad.passes.bufferize_find import NOT_OURS, Conflicts
from s2sad.transforms import finals, rules
from s2sad.transforms.accumulate import Accumulator
from s2sad.transforms.exits import _Counter
from s2sad.transforms.forward import Forward

PROGRAMS = 2000
SIZES = ((3, 2), (0, 2), (1, 1))
Plant = Callable[[ExitStack], None]


def swap(stack: ExitStack, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace an attribute by what `make` makes of it, until the stack closes."""
    stack.enter_context(patch.object(owner, name, make(getattr(owner, name))))


def swap_in_op(stack: ExitStack, op: str, field: str, make: Callable[[Any], Any]) -> None:
    """Replace a field of a row of the op table, which is frozen."""
    row = OPS[op]
    before = getattr(row, field)
    object.__setattr__(row, field, make(before))
    stack.callback(object.__setattr__, row, field, before)


def zeroing_omitted(stack: ExitStack) -> None:
    """What an overwritten element had before still gets the cotangent."""
    swap_in_op(stack, "setitem", "derivative", lambda rule: lambda g, *a, **k: (g, *rule(g, *a, **k)[1:]))


def skipped(condition: Callable[[Any, Any, int], bool]) -> Callable[[Any], Any]:
    """Return a maker of a bufferizer that overlooks some writes."""

    def make(original: Any) -> Any:
        def write(self: Any, block: Any, k: int, instr: Any, arg: int) -> None:
            if not condition(self, instr, arg):
                original(self, block, k, instr, arg)

        return write

    return make


def owned(self: Any, instr: Any, arg: int) -> bool:
    """Return whether the written array is the function's own."""
    return not self.storage.mask(instr.args[arg]) & NOT_OURS


def zeroing_through_a_view(stack: ExitStack) -> None:
    """A cotangent read out of a buffer changes when the buffer is zeroed."""
    swap(stack, Conflicts, "_write", skipped(lambda s, i, a: i.role == "reverse" and owned(s, i, a)))


def stale_buffer_version(stack: ExitStack) -> None:
    """An old version of an array is read from where the new one was written."""
    swap(stack, Conflicts, "_write", skipped(lambda s, i, a: not i.role and owned(s, i, a)))


def root_name(self: Any, instr: Any, arg: int) -> str:
    """Return the name of the parameter that a written array comes from."""
    root = self.lineage[instr.args[arg]]
    return root.name if isinstance(root, Value) and root in self.fn.params else ""


def seed_mutated(stack: ExitStack) -> None:
    """The pullback accumulates into the caller's seed."""
    swap(stack, Conflicts, "_write", skipped(lambda s, i, a: root_name(s, i, a).endswith("_bar")))


def second_pullback_call(stack: ExitStack) -> None:
    """The reverse half writes on its tape."""

    def on_tape(s: Any, i: Any, a: int) -> bool:
        name = root_name(s, i, a)
        return s.fn.name.endswith("_rev") and bool(name) and not name.endswith("_bar")

    swap(stack, Conflicts, "_write", skipped(on_tape))


def unbroadcast_dropped(stack: ExitStack) -> None:
    """The cotangent of what was broadcast is not summed."""
    swap(stack, Accumulator, "unbroadcast", lambda _: lambda self, scope, value, *rest: value)


def exit_counted_as_a_trip(stack: ExitStack) -> None:
    """After a break the reverse sweep begins one tape entry off."""

    def make(original: Any) -> Any:
        def kind(self: Any, *args: Any) -> str:
            found = original(self, *args)
            return "full" if found == "partial" else str(found)

        return kind

    swap(stack, _Counter, "kind", make)


def partial_trip_forgotten(stack: ExitStack) -> None:
    """What ran before a break is not reversed."""
    swap(stack, _Counter, "kind", lambda _: lambda self, *args: "none")


def lost_continue(stack: ExitStack) -> None:
    """The rest of a trip runs although it was left."""

    def make(original: Any) -> Any:
        def leave(self: Any, kind: str, node: Any) -> Any:
            return None if kind == "continue" else original(self, kind, node)

        return leave

    swap(stack, Reader, "leave_loop", make)


def missed_write_through_an_alias(stack: ExitStack) -> None:
    """Writes through a view do not reach its base."""

    def make(original: Any) -> Any:
        def write(self: Any, ref: Any, *args: Any, **kwargs: Any) -> None:
            if not ref.path:
                original(self, ref, *args, **kwargs)

        return write

    swap(stack, Arrays, "write", make)


def repeated_index(stack: ExitStack) -> None:
    """Every repeated write gets the cotangent, not the last one alone."""

    def rule(g: Any, x: Any, v: Any, *operands: Any, y: Any, path: Any) -> Any:
        taken = apply("getitem", g, *operands, path=path)
        return (apply("setitem", g, 0.0, *operands, path=path), taken, *(None for _ in operands))

    swap_in_op(stack, "setitem", "derivative", lambda _: rule)


def frozen_captured_value(stack: ExitStack) -> None:
    """A global is compiled in as a constant."""

    def make(original: Any) -> Any:
        def captured(self: Any, value: Static, node: Any = None) -> Any:
            if type(value.value) is float:
                return Num(Literal(value.value))
            return original(self, value, node)

        return captured

    swap(stack, Functions, "captured", make)


def float_in_an_int_buffer(stack: ExitStack) -> None:
    """An array of ints is taken for one of floats."""

    def make(original: Any) -> Any:
        def infer(types: Any, params: Any, new: Any) -> Any:
            (found,) = original(types, params, new)
            return (Array(OPS["sin"].evaluate(1.0).dtype, found.shape),)

        return infer

    swap_in_op(stack, "zeros", "infer", make)


def zero_trips(stack: ExitStack) -> None:
    """A count of trips below zero is taken as it is."""
    swap(stack, sizes, "at_least_zero", lambda _: lambda builder, n: n)


def swapped_buffers(stack: ExitStack) -> None:
    """`a, b = b, a` is written as one assignment after the other."""
    swap(stack, Printer, "_read", lambda _: lambda self, a: set())


def index_read_late(stack: ExitStack) -> None:
    """An int that changes keeps its name while a view at the old one lives."""

    def make(original: Any) -> Any:
        def conflict(self: Any, v: Any, live: int) -> None:
            if not (isinstance(v.type, Scalar) and v.type.dtype.kind == "i"):
                original(self, v, live)

        return conflict

    swap(stack, Names, "_conflict", make)


def tangent_kept_when_overwritten(stack: ExitStack) -> None:
    """Overwriting with a constant does not clear the tangent."""

    def make(original: Any) -> Any:
        def linear(instr: Any, given: Any, args: Any, params: Any) -> Any:
            if instr.op.name == "setitem" and given[1] is None:
                return given[0]
            return original(instr, given, args, params)

        return linear

    swap(stack, rules, "_linear", make)


def factor_slightly_off(stack: ExitStack) -> None:
    """A rule is wrong by 0.1 %."""
    swap_in_op(stack, "tanh", "derivative", lambda rule: lambda g, *a, **k: rule(g * 1.001, *a, **k))


def term_dropped(stack: ExitStack) -> None:
    """A product forgets its second operand."""
    swap_in_op(stack, "multiply", "derivative", lambda rule: lambda g, *a, **k: (rule(g, *a, **k)[0], None))


def value_not_taped(stack: ExitStack) -> None:
    """The forward sweep writes every tape entry to the first place."""

    def make(original: Any) -> Any:
        def write(self: Any, b: Any, tape: Any, v: Any) -> None:
            if tape.kind == "indexed":
                self.index |= {loop: Literal(0) for loop in tape.loops}
            original(self, b, tape, v)

        return write

    swap(stack, Forward, "write", make)


def found_in_the_array_of_a_later_write(stack: ExitStack) -> None:
    """A value is looked up where it is stored, though the trip was left before that."""
    swap(stack, finals, "_may_leave", lambda original: lambda instr: False)


PLANTS: list[Plant] = [
    found_in_the_array_of_a_later_write,
    zeroing_omitted,
    zeroing_through_a_view,
    stale_buffer_version,
    seed_mutated,
    second_pullback_call,
    unbroadcast_dropped,
    exit_counted_as_a_trip,
    partial_trip_forgotten,
    lost_continue,
    missed_write_through_an_alias,
    repeated_index,
    frozen_captured_value,
    float_in_an_int_buffer,
    zero_trips,
    swapped_buffers,
    index_read_late,
    tangent_kept_when_overwritten,
    factor_slightly_off,
    term_dropped,
    value_not_taped,
]


FIRST = {  # where a defect showed when this was written: looked at before all others
    found_in_the_array_of_a_later_write: 247,
    seed_mutated: 62,
    second_pullback_call: 34,
    float_in_an_int_buffer: 26,
    zero_trips: 40,
    swapped_buffers: 36,
}


@contextmanager
def planted(plant: Plant) -> Any:
    """Break the compiler in the block."""
    with ExitStack() as stack:
        plant(stack)
        yield


def finder(plant: Plant) -> int | None:
    """Return the number of a program that shows the defect."""
    for number in (FIRST.get(plant, 0), *range(PROGRAMS)):
        text = generated(number).text
        with planted(plant):
            verdict = judge(text, number, SIZES)
        if verdict.kind in ("wrong", "crash") and judge(text, number, SIZES).kind == "right":
            return number
    return None


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.__name__ for plant in PLANTS])
def test_the_generator_finds(plant: Plant):
    assert finder(plant) is not None


@pytest.mark.parametrize("literal", [True, False])
def test_elements_below_zero_are_found(literal: bool):
    x, k = Value("x", Array(F8, (Size.symbol("x.0"),))), Value("k", WEAK_INT)
    b = Builder(Sizes())
    y = b.emit(OPS["getitem"], x, Literal(-1) if literal else k, path=(Index((At(),)),))
    parameters = (Parameter("x", Leaf(0)), Parameter("k", Leaf(1)))
    fn = Function("f", (x, k), b.block((), "return", y), parameters, Leaf(0))
    with pytest.raises(AssertionError, match="element -1"):
        interpreted(fn)(np.ones(3), -1)
