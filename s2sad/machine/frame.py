"""What the writers of one function share: names, who owns memory, and ways to leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field

from s2sad.ir.core import Function, Literal, Operand, Value
from s2sad.ir.types import INT, Array, Dtype, Type
from s2sad.machine import arena, arrays
from s2sad.machine.arrays import Buffer
from s2sad.machine.conversions import convert
from s2sad.machine.library import Callback
from s2sad.machine.roots import Roots
from s2sad.machine.writer import Module, NotHere, Number, Writer, constant
from s2sad.record import dataclass

Found = Number | Buffer
RAISED, THROWN, NO_MEMORY = 1, 2, 3  # what a function returns beside 0; THROWN: Python has the exception
UNLIKELY = ", !prof !0"


@dataclass(slots=True)
class Program:
    """What the functions of one kernel share: exceptions that are raised, functions of Python called, and
    whether there are arrays in memory that is kept between calls."""

    module: Module = field(default_factory=Module)
    raised: list[tuple[type[Exception], str]] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    named: dict[tuple[Function, bool], Signature] = field(default_factory=dict)
    lends: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called: which results are parameters of it."""

    name: str
    returned: tuple[int | None, ...]
    types: tuple[Type, ...]
    layouts: tuple[str, ...]


@dataclass(slots=True)
class Scope:
    """The memory that is given up where a block is left: pointers, and places of pointers of loops."""

    owners: list[tuple[str, bool]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    repeats: bool = False  # a loop's


@dataclass(slots=True)
class Loop:
    """Where the ends of a trip go."""

    places: list[Place]
    next: str
    out: str
    depth: int  # of scopes outside the trip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is kept that differs from trip to trip, or by branch: nowhere for an array that is the
    same one."""

    type: Type
    number: str = ""
    data: str = ""
    dims: tuple[str, ...] = ()
    owner: str = ""


def cells(t: Type) -> int:
    """Return how many numbers of 64 bits a result needs: a number, or an address and sizes."""
    return t.ndim + 1 if isinstance(t, Array) else max(t.dtype.itemsize // 8, 1)


class Frame:
    """The state of writing one function."""

    def __init__(self, program: Program, fn: Function, roots: Roots, signature: Signature, once: bool):
        self.program, self.fn, self.roots, self.signature = program, fn, roots, signature
        self.w = Writer(program.module)
        self.env: dict[Value, Found] = {}
        self.scopes: list[Scope] = []
        self.loops: list[Loop] = []
        self.natural: set[str] = set()  # numbers that are not negative
        self.apart = False
        self.once = once  # in a call of the kernel

    def number(self, a: Operand) -> Number:
        """Return a scalar."""
        if isinstance(a, Literal):
            return constant(a.value, a.type.dtype)
        found = self.env[a]
        if not isinstance(found, Number):
            raise NotHere("an array where a scalar is needed")
        return found

    def array(self, a: Operand) -> Buffer:
        """Return an array."""
        whole = self.roots.identity(a)
        assert isinstance(whole, Value)
        found = self.env[whole]
        if not isinstance(found, Buffer):
            raise NotHere("a scalar where an array is needed")
        return found

    def index(self, a: Operand) -> str:
        """Return a scalar as a number of 64 bits."""
        return convert(self.w, self.number(a), INT).text

    def give_up(self, depth: int, kept: Sequence[str] = ()) -> None:
        """Release what the scopes from `depth` on own."""
        for scope in reversed(self.scopes[depth:]):
            for place in scope.places:
                arrays.release(self.w, self.w.value(f"load ptr, ptr {place}"), counted=True)
            for owner, counted in reversed(scope.owners):
                if owner not in kept:
                    arrays.release(self.w, owner, counted)

    def fail(self, status: int | str) -> None:
        """Leave the function with a status."""
        self.give_up(0)
        self.w.end(f"ret i32 {status}")

    def raise_(self, exception: type[Exception], message: str) -> None:
        """Leave the function by an exception, whose number is written down."""
        entry = (exception, message)
        if entry not in self.program.raised:
            self.program.raised.append(entry)
        self.w.do(f"store i64 {self.program.raised.index(entry)}, ptr %failure")
        self.fail(RAISED)

    def unless(self, bad: str, leave: Callable[[], None]) -> None:
        """Leave where something is wrong."""
        wrong, fine = self.w.block(), self.w.block()
        self.w.branch(bad, wrong, fine, UNLIKELY)
        self.w.begin(wrong)
        leave()
        self.w.begin(fine)

    def runs_once(self) -> bool:
        """Return whether what is written now is done once in a call of the kernel, at most."""
        return self.once and not any(s.repeats for s in self.scopes)

    def array_for(self, v: Value, dtype: Dtype, dims: Sequence[str], zero: bool = False) -> Buffer:
        """Return new memory for a value: of the innermost scope, or of the call if it is in no result and
        made once."""
        owner = self.roots.owner(v)
        if owner in self.roots.lasting or not self.runs_once():
            return self.allocate(dtype, dims, zero, owner in self.roots.counted)
        self.program.lends = True
        made = arena.lent(self.w, dtype, dims, zero)
        self.check_found(made)
        return made

    def allocate(
        self, dtype: Dtype, dims: Sequence[str], zero: bool = False, counted: bool = False
    ) -> Buffer:
        """Return new memory that the innermost scope owns."""
        made = arrays.allocate(self.w, dtype, dims, zero, counted)
        self.check_found(made)
        self.scopes[-1].owners.append((made.owner, counted))
        return made

    def check_found(self, made: Buffer) -> None:
        """Leave the function where there was no memory."""
        self.unless(self.w.value(f"icmp eq ptr {made.data}, null"), lambda: self.fail(NO_MEMORY))

    def let_go(self) -> None:
        """Let other threads of Python run."""
        self.w.do(f"store ptr {self.w.value('call ptr @PyEval_SaveThread()')}, ptr %thread")
