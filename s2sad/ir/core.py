"""Structured SSA: values, instructions, blocks, functions. All immutable.

Control flow is structured: `if`, `for` and `while` are instructions that own blocks. A block ends
in one End: `yield` hands values to the owning instruction (for a loop: to the next trip),
`break`, `continue` and `return` leave towards the innermost loop or the function, `raise` leaves
the program, and `unreachable` follows an `if` whose branches all leave.

    if    args (condition,)            blocks (then, else)   results = what the branches yield;
                                                             a branch that leaves yields nothing
    for   args (lo, hi, step, *inits)  blocks (body,)        body params (index, *carried)
    while args (*inits,)               blocks (cond, body)   both take (*carried); cond yields a bool
    call  args leaves of the callee's parameters             params: callee (Function)

`yield`, `continue` and `break` in a loop body carry the next values of the carried slots; loop
results are the carried values after the last trip. `return` carries the function's results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any

from s2sad.errors import Origin
from s2sad.ir.op import Op
from s2sad.ir.size import Size
from s2sad.ir.tree import Tree
from s2sad.ir.types import INT, WEAK_BOOL, WEAK_COMPLEX, WEAK_FLOAT, Scalar, Type
from s2sad.record import dataclass, replace


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """An SSA value; compared by identity. `name` is the user's name or one derived from it, and
    empty for an intermediate result; it need not be unique (emit makes identifiers)."""

    name: str
    type: Type

    def __repr__(self) -> str:
        return f"%{self.name or '_'}:{self.type}"


@dataclass(frozen=True, slots=True)
class Literal:
    """A Python scalar as an operand: weakly typed."""

    value: bool | int | float | complex

    @property
    def type(self) -> Type:
        """Return the weak scalar type."""
        if isinstance(self.value, bool):
            return WEAK_BOOL
        if isinstance(self.value, int):
            return _type_of_int(self.value)
        return WEAK_FLOAT if isinstance(self.value, float) else WEAK_COMPLEX

    @property
    def name(self) -> str:
        """Return no name."""
        return ""

    def __eq__(self, other: object) -> bool:  # 1, 1.0, True, 0.0 and -0.0 differ
        return isinstance(other, Literal) and repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(repr(self.value))


@lru_cache(maxsize=1024)
def _type_of_int(value: int) -> Scalar:
    return Scalar(INT, weak=True, size=Size.of(value))


Operand = Value | Literal


@dataclass(frozen=True, slots=True)
class End:
    """How a block ends: kind `yield`, `break`, `continue`, `return`, `raise` or `unreachable`."""

    kind: str
    args: tuple[Operand, ...] = ()
    params: tuple[tuple[str, Any], ...] = ()  # raise: exception (class), message (template)
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Instr:
    """One operation applied to operands. `params` are static: (name, value) pairs sorted by name.
    `role` says what the instruction is in a derivative, for comments in emitted text: `` (primal),
    `tangent`, `reverse`, `recompute`, `tape`."""

    op: Op
    args: tuple[Operand, ...]
    results: tuple[Value, ...]
    params: tuple[tuple[str, Any], ...] = ()
    blocks: tuple[Block, ...] = ()
    origin: Origin | None = None
    role: str = ""

    @property
    def result(self) -> Value:
        """Return the only result."""
        (value,) = self.results
        return value

    def param(self, name: str, default: Any = None) -> Any:
        """Return one static parameter."""
        for key, value in self.params:
            if key == name:
                return value
        return default


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Parameters, instructions in order, and an end."""

    params: tuple[Value, ...]
    instrs: tuple[Instr, ...]
    end: End
    _every: tuple[Instr, ...] | None = field(default=None, init=False)  # found when they are asked for
    _callees: tuple[Function, ...] | None = field(default=None, init=False)
    _counts: Mapping[Value, int] | None = field(default=None, init=False)

    @property
    def leaves(self) -> bool:
        """True if control never falls out of this block to what follows its owner."""
        return self.end.kind != "yield"

    @property
    def every(self) -> tuple[Instr, ...]:
        """Return every instruction, outer before inner, in program order."""
        found = self._every
        if found is None:
            if any(instr.blocks for instr in self.instrs):
                found = tuple(inner for instr in self.instrs for inner in with_inner(instr))
            else:
                found = self.instrs
            object.__setattr__(self, "_every", found)
        return found

    def walk(self) -> Iterator[Instr]:
        """Yield every instruction, outer before inner, in program order."""
        return iter(self.every)

    @property
    def callees(self) -> tuple[Function, ...]:
        """Return the functions that are called, once for each call, in program order."""
        found = self._callees
        if found is None:
            found = tuple(fn for instr in self.every if instr.params for fn in held(instr))
            object.__setattr__(self, "_callees", found)
        return found

    @property
    def counts(self) -> Mapping[Value, int]:
        """Return how often each value is read as an operand, in the block and inside it."""
        found = self._counts
        if found is None:
            counts: dict[Value, int] = {}
            for instr in self.instrs:
                for a in instr.args:
                    if a.__class__ is Value:
                        counts[a] = counts.get(a, 0) + 1
                for inner in instr.blocks:
                    for v, n in inner.counts.items():
                        counts[v] = counts.get(v, 0) + n
            for a in self.end.args:
                if a.__class__ is Value:
                    counts[a] = counts.get(a, 0) + 1
            found = counts
            object.__setattr__(self, "_counts", found)
        return found


def held(instr: Instr) -> tuple[Function, ...]:
    """Return the functions that an instruction calls (`call`) or has called (`optimize`)."""
    for name, value in instr.params:
        if name == "callee":
            return (value,)
        if name == "callees":
            return tuple(value)
    return ()


def with_inner(instr: Instr) -> Iterator[Instr]:
    """Yield an instruction and those inside it."""
    yield instr
    for block in instr.blocks:
        yield from block.every


def distinct(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return the names, with `_` behind those that are `taken` or stand before."""
    known = set(taken)
    found: list[str] = []
    for name in names:
        while name in known:
            name += "_"
        known.add(name)
        found.append(name)
    return found


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the Python signature; `tree` tells which leaves it holds."""

    name: str
    tree: Tree
    kind: str = "positional"  # positional | keyword | variadic | variadic_keyword | captured
    default: Any = None
    has_default: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """An assumption this variant was built under: `left == right` for sizes in terms of parameter
    symbols. `raises` is True where NumPy itself would raise if it did not hold."""

    left: Size
    right: Size
    origin: Origin | None = None
    raises: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A program: flat parameters in, flat results out, with the Python-level signature beside it.

    `params[k]` is leaf k of the signature. The block ends in `return`; `result` says how the
    returned leaves form the Python result. The last `len(writes)` returned values are the final
    versions of the parameters named by `writes` (indices into params) that the function mutates.
    """

    name: str
    params: tuple[Value, ...]
    block: Block
    signature: tuple[Parameter, ...]
    result: Tree
    writes: tuple[int, ...] = ()
    facts: tuple[Fact, ...] = ()
    doc: str = ""
    origin: Origin | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Function {self.name} {sum(1 for _ in self.block.walk())} instrs>"

    @property
    def result_types(self) -> tuple[Type, ...]:
        """Return the types of the returned leaves. A literal returned on one path has the type of what
        is returned on the others."""
        columns = zip(*(end.args for end in returns(self.block)), strict=True)
        return tuple(
            next((a.type for a in column if isinstance(a, Value)), column[0].type) for column in columns
        )


READ_AGAIN = ("captured", "static_captures", "defaults")
"""Of `Function.extra`: what is read at each call around the user's function, or checked, by functions that
read it: `captured` and `defaults` by the parameter's name, `static_captures` with the value it had."""


def returns(block: Block) -> Iterator[End]:
    """Yield the `return` ends in a block, in program order."""
    for instr in block.instrs:
        if instr.blocks:
            for inner in instr.blocks:
                yield from returns(inner)
    if block.end.kind == "return":
        yield block.end


def outline(fn: Function) -> Function:
    """Return the function without what it does: parameters and types of results."""
    end = End("return", tuple(Value("", t) for t in fn.result_types))
    return replace(fn, block=Block((), (), end))
