"""The abstract machine: state, places, errors, and the emission of instructions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import numpy as np

from s2sad.errors import InternalError, NotDifferentiable, Origin, S2sadError, TypeMismatch, UnsupportedSyntax
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.source import Source
from s2sad.frontend.values import (
    UNBOUND,
    Abstract,
    Box,
    MaybeUnbound,
    Num,
    Poison,
    Static,
    Struct,
)
from s2sad.ir.builder import Builder, Dim
from s2sad.ir.core import End, Literal, Operand, Value
from s2sad.ir.path import Path
from s2sad.ir.types import Array, Scalar, Type
from s2sad.ops import OPS
from s2sad.ops.expr import Apply, Expr, Leaf, lower
from s2sad.record import dataclass


@dataclass(slots=True)
class Buffer:
    """A piece of memory: its name, and the parameter leaf it is."""

    name: str
    param: int | None = None
    readonly: str = ""
    outer: bool = False  # captured from outside the function: must not be written


@dataclass(slots=True)
class State:
    """What changes as the program runs: names of every frame, buffer versions, container contents."""

    frames: dict[int, dict[str, Abstract]] = field(default_factory=dict)
    buffers: dict[int, Value] = field(default_factory=dict)
    heap: dict[int, Abstract] = field(default_factory=dict)
    stale: dict[int, Origin | None] = field(default_factory=dict)

    def copy(self) -> State:
        """Return an independent copy."""
        frames = {k: dict(v) for k, v in self.frames.items()}
        return State(frames, dict(self.buffers), dict(self.heap), dict(self.stale))


@dataclass(slots=True, eq=False)
class Body:
    """What the returns of an IR function under construction have in common."""

    wanted: tuple[Type, ...] | None = None  # result types found by an earlier attempt
    tree: Any = None
    seen: list[tuple[Type, ...]] = field(default_factory=list)
    returned: list[tuple[Operand, ...]] = field(default_factory=list)  # as they are, before they are joined
    entry: dict[int, Value] = field(default_factory=dict)  # buffers of array parameters
    written: dict[int, Origin | None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Frame:
    """One activation of a function that is being read."""

    id: int
    source: Source
    node: Any
    parent: int | None = None  # the frame whose names a nested function sees
    body: Body | None = None  # set for the frame whose returns are returns of an IR function
    locals: frozenset[str] = frozenset()
    nonlocals: frozenset[str] = frozenset()
    globals: frozenset[str] = frozenset()
    loops: list[Any] = field(default_factory=list)
    # an inlined function is read in a branch, and what follows that branch after it, once
    goes_on: bool = False

    @property
    def root(self) -> bool:
        """True if `return` here ends an IR function."""
        return self.body is not None


class Unroll(Exception):
    """A loop index is needed at compile time: the loop that owns it must be unrolled."""

    def __init__(self, symbol: str, error: S2sadError):
        super().__init__(symbol)
        self.symbol, self.error = symbol, error


@dataclass(frozen=True, slots=True)
class NamedView:
    """A part of a version of a buffer that the user has given a name, and where that is defined."""

    path: Path
    operands: tuple[Operand, ...]
    builder: Builder
    value: Value


TWIN_CHANGED = Poison(
    "S402",
    "this container may be one that was changed under another name, which cannot be told here",
    "copy it where it is chosen",
)


class Machine:
    """Holds the state and the builder; the classes derived from it read syntax."""

    def __init__(self, sizes: Assumptions):
        self.sizes = sizes
        sizes.on_mismatch = self.check_sizes
        sizes.on_unaligned = self.check_aligned
        self.builder = Builder(sizes)
        self.state = State()
        self.frames: list[Frame] = []  # the stack of active frames
        self.info: dict[int, Frame] = {}
        self.buffers: dict[int, Buffer] = {}
        self.overlaps: set[frozenset[int]] = set()  # pairs of buffers that may share memory
        self.twins: set[frozenset[int]] = set()  # pairs of containers that may be one
        self.appends: dict[int, Origin | None] = {}  # lists -> where they were last appended to
        self.rowed: set[int] = set()  # lists that a list built in a loop holds as arrays of their own
        self.unclear = False  # what is read of a list built in a loop may be a complex number of Python
        self.fixed: dict[int, Value] = {}  # captured arrays: never written
        self.counter = 0
        self.loop_symbols: dict[str, int] = {}  # index symbols of loops with a static trip count
        self.running: list[str] = []  # index symbols of the counted loops that are being read
        self.suggested: dict[Value, str] = {}  # names for values that have none
        self.written: dict[int, Origin | None] = {}  # buffers written, in order
        self.bound: set[tuple[int, str]] = set()  # names assigned, by frame
        self.filled: set[int] = set()  # containers changed
        self.reads: dict[tuple[Any, ...], Value] = {}
        self.views: dict[Value, list[NamedView]] = {}  # by the version they are views of
        self.elements: dict[int, Value] = {}  # what is in the buffers of views of rank 0
        self.origin_stack: list[Origin] = []
        self.certain: dict[Operand, Literal] = {}  # conditions decided by the branch that is being read
        self.contrary: dict[Operand, Operand] = {}  # conditions -> what they are the contrary of

    # -- places and errors ------------------------------------------------------------------------
    @property
    def frame(self) -> Frame:
        """Return the active frame."""
        return self.frames[-1]

    def at(self, node: Any) -> None:
        """Make `node` the place of what is emitted next."""
        if hasattr(node, "lineno") and self.frames:
            self.builder.origin = self.frame.source.origin(node)

    def refuse(self, code: str, why: str, instead: str = "", node: Any = None) -> UnsupportedSyntax:
        """Return (to be raised) a located error about syntax."""
        return UnsupportedSyntax(code, why, instead, self.place(node))

    def mismatch(self, code: str, why: str, instead: str = "", node: Any = None) -> TypeMismatch:
        """Return (to be raised) a located error about types."""
        return TypeMismatch(code, why, instead, self.place(node))

    def place(self, node: Any = None) -> Origin | None:
        """Return the origin of a node, or of what is being read."""
        return self.builder.origin if node is None else self.frame.source.origin(node)

    def fresh_id(self) -> int:
        """Return a number not used before."""
        self.counter += 1
        return self.counter

    # -- emission ----------------------------------------------------------------------------------
    def emit(self, op: str, *args: Any, name: str = "", **params: Any) -> Value:
        """Append one instruction."""
        operands = [a if isinstance(a, Value | Literal) else Literal(a) for a in args]
        return self.builder.emit(OPS[op], *operands, name=name, **params)

    def lower(self, expr: Expr, name: str = "", memo: dict[object, Any] | None = None) -> Operand:
        """Append the instructions of an expression, folding arithmetic on literals."""
        if isinstance(expr, Leaf):
            return expr.operand
        folded = fold(expr)
        if folded is not None:
            value = folded.value
            if isinstance(value, int) and not -(2**63) <= value < 2**63:
                raise self.mismatch("S316", "an int beyond 64 bits cannot be compiled", "use a float")
            return folded
        return lower(expr, self.builder, name=name, memo=memo)

    def inside(self) -> Builder:
        """Return a builder for an inner block; the caller installs it."""
        return self.builder.inner()

    def end(self, kind: str, *args: Operand, params: tuple[tuple[str, Any], ...] = ()) -> End:
        """Return a block end at the present place."""
        return End(kind, args, params, self.builder.origin)

    # -- scalars -----------------------------------------------------------------------------------
    def convert(self, operand: Operand, target: Type) -> Operand:
        """Return a scalar operand as the scalar type of a join (int to float, weak to strong)."""
        t = operand.type
        if isinstance(target, Array) or isinstance(t, Array):
            return operand
        if isinstance(operand, Literal):
            if target.dtype.kind == "f" and t.dtype.kind in "bi":
                return Literal(float(operand.value.real))
            if target.dtype.kind == "c":
                return Literal(complex(operand.value))
            if target.dtype.kind in "iu" and t.dtype.kind == "b":
                return Literal(int(operand.value.real))
            return operand
        if (t.dtype, t.weak) == (target.dtype, target.weak):
            return operand
        return self.emit("widen", operand, type=Scalar(target.dtype, target.weak))

    def static_int(self, value: Abstract, what: str, node: Any = None) -> int:
        """Return an int that must be known at compile time, assuming its value as a fact."""
        if isinstance(value, Static) and isinstance(value.value, int):
            return int(value.value)
        if isinstance(value, Num):
            if value.literal is not None and isinstance(value.literal, int):
                return int(value.literal)
            t = value.operand.type
            if t.dtype.kind in "iub" and isinstance(t, Scalar) and t.size is not None:
                pinned = self.sizes.pin(t.size, self.place(node))
                if pinned is not None:
                    return pinned
                instead = "pass a literal or an argument"
                if what == "the index of a list or tuple":
                    instead = "make it an array before: xs = np.array(xs)"
                if what == "a dict key":
                    instead = "use an array, or a list for what is no number: d = np.zeros(n); d[i] = ..."
                error = self.mismatch("S305", f"{what} must be known at compile time", instead, node)
                for symbol in sorted(t.size.symbols()):
                    if symbol in self.loop_symbols:
                        raise Unroll(symbol, error)
                raise error
        raise self.mismatch(
            "S305", f"{what} must be an int known at compile time", "pass a literal or an int argument", node
        )

    def unroll_instead(self, error: S2sadError) -> None:
        """Have the innermost loop unrolled, if its trip count is known, where `error` says that its trips
        cannot be read as one."""
        if self.running and self.running[-1] in self.loop_symbols:
            raise Unroll(self.running[-1], error)

    # -- names -------------------------------------------------------------------------------------
    def is_as_before(self, before: State) -> bool:
        """True if nothing that existed before has been written to."""
        now = self.state
        return (
            all(now.buffers.get(buffer) is version for buffer, version in before.buffers.items())
            and all(now.frames.get(frame) == names for frame, names in before.frames.items())
            and all(now.heap.get(box) == contents for box, contents in before.heap.items())
        )

    def lookup_local(self, name: str) -> Abstract | None:
        """Return the value of a name in the active frame or the frames it is nested in."""
        frame: Frame | None = self.frame
        while frame is not None:
            names = self.state.frames[frame.id]
            if name in frame.globals:
                return None
            if name in names and not (frame is self.frame and name in frame.nonlocals):
                return names[name]
            if name in frame.locals and name not in frame.nonlocals:
                return UNBOUND
            frame = self.info[frame.parent] if frame.parent is not None else None
        return None

    def bind(self, name: str, value: Abstract) -> None:
        """Assign a name in the frame it belongs to."""
        frame = self.frame
        if name in frame.nonlocals:
            outer = self.info[frame.parent] if frame.parent is not None else None
            while outer is not None and name not in self.state.frames[outer.id]:
                outer = self.info[outer.parent] if outer.parent is not None else None
            if outer is None:
                raise self.refuse(
                    "S105", f"`{name}` lives outside the differentiated function", "return the value instead"
                )
            frame = outer
        self.state.frames[frame.id][name] = value
        self.bound.add((frame.id, name))

    def checked(self, value: Abstract, name: str) -> Abstract:
        """Return a value that is about to be read; raise if it cannot be."""
        if isinstance(value, Poison):
            kind = NotDifferentiable if value.code.startswith("S4") else UnsupportedSyntax
            raise kind(value.code, value.why.replace("this name", f"`{name}`"), value.instead, self.place())
        if isinstance(value, MaybeUnbound):
            bound = self.certain.get(value.bound, value.bound)
            if isinstance(bound, Literal):
                absent: Abstract = Static(None) if value.none else UNBOUND
                return value.value if bound.value else self.checked(absent, name)
            if value.none:
                self.guard(bound, TypeError, f"`{name}` is None here, where its value is read")
            else:
                self.guard(bound, UnboundLocalError, f"`{name}` is not bound on this path")
            return value.value
        return value

    @contextmanager
    def where(self, condition: Operand, holds: bool) -> Iterator[None]:
        """Read a branch, in which a condition is known to hold or not to."""
        before = self.certain
        self.certain = {**before, condition: Literal(holds)}
        if condition in self.contrary:
            self.certain[self.contrary[condition]] = Literal(not holds)
        try:
            yield
        finally:
            self.certain = before

    def guard(self, condition: Operand, exception: type[Exception], message: str) -> None:
        """Emit `if not condition: raise exception(message)`."""
        from_block = self.builder
        passing, failing = self.inside(), self.inside()
        failing.origin = passing.origin = from_block.origin
        then = passing.block((), "yield")
        bad = failing.block((), "yield")
        text = f"{from_block.origin}: {message}" if from_block.origin else message
        end = End("raise", (), (("exception", exception), ("message", (text,))), from_block.origin)
        bad = type(bad)((), bad.instrs, end)
        from_block.owner(OPS["if"], (condition,), (then, bad), ())

    def check_sizes(self, axis: int, left: int, right: int) -> None:
        """Emit the check that NumPy would make, of operands whose example sizes do not broadcast: a
        derivative may not need their product, and must raise all the same."""
        arrays = [a for a in self.builder.operands if isinstance(a.type, Array) and a.type.ndim >= -axis]
        if len(arrays) > 1:
            sizes = [self.emit("size", a, axis=a.type.ndim + axis) for a in arrays[:2]]
            message = f"operands could not be broadcast together: sizes {left} and {right} meet"
            self.guard(self.emit("equal", *sizes), ValueError, message)

    def check_aligned(self, a: Dim, b: Dim, message: str) -> None:
        """Emit the check that NumPy would make, of operands of a product whose example sizes do not fit."""
        operands = self.builder.operands
        if max(a[0], b[0]) < len(operands):
            sizes = [self.emit("size", operands[k], axis=axis) for k, axis, _ in (a, b)]
            self.guard(self.emit("equal", *sizes), ValueError, message)

    def internal(self, why: str) -> InternalError:
        """Return (to be raised) an error about a defect of s2sad."""
        return InternalError("S900", why, "please report this with the program", self.place())

    # -- boxes -------------------------------------------------------------------------------------
    def box(self, contents: Abstract) -> Box:
        """Return a new mutable container."""
        made = Box(self.fresh_id())
        self.state.heap[made.id] = contents
        return made

    def like(self, struct: Struct, items: Sequence[Abstract]) -> Abstract:
        """Return a new container like another, with other items."""
        made = Struct(struct.kind, struct.keys, tuple(items), struct.cls)
        return self.box(made) if made.is_mutable else made

    def refill(self, box: Box, contents: Abstract) -> None:
        """Change the contents of a container. What may be the same container is unknown from here on."""
        if box.id in self.rowed:
            raise self.mismatch(
                "S402",
                "this list is an item of a list built in a loop, which holds a copy of it",
                "change it before it is appended, or append a copy: ys.append(list(row))",
            )
        self.state.heap[box.id] = contents
        self.filled.add(box.id)
        for pair in self.twins:
            if box.id in pair:
                (twin,) = pair - {box.id}
                if twin in self.state.heap:
                    self.state.heap[twin] = TWIN_CHANGED
                    self.filled.add(twin)

    def contents(self, value: Abstract) -> Abstract:
        """Return the contents of a container (boxes opened), or the value itself."""
        return self.checked(self.state.heap[value.id], "this list") if isinstance(value, Box) else value


def fold(expr: Expr) -> Literal | None:
    """Return the literal that an operator on literals makes, or None where it is not one."""
    if isinstance(expr, Leaf):
        return expr.operand if isinstance(expr.operand, Literal) else None
    if not isinstance(expr, Apply) or isinstance(expr.type, Array) or not expr.type.weak:
        return None
    args = [fold(a) for a in expr.args]
    if any(a is None for a in args):
        return None
    values = [a.value for a in args if a is not None]
    if expr.op.name == "power" and (isinstance(values[1], complex) or abs(values[1]) > 64):
        return None
    try:
        with np.errstate(all="raise"):
            result = expr.op.evaluate(*values, **expr.params)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return Literal(result) if isinstance(result, bool | int | float | complex) else None


def shown(name: str) -> str:
    """Return how a name of ours is shown in emitted text: `$return` as `result`."""
    if not name.startswith("$"):
        return name
    return {"$ret": "result", "$bro": "broke", "$acc": "total"}.get(name[:4], "")


def said(name: str) -> str:
    """Return what a message calls a name, which may be one of ours."""
    if name and not name.startswith("$"):
        return f"`{name}`"
    return {"$ret": "the value returned", "$acc": "what is accumulated"}.get(name[:4], "this value")
