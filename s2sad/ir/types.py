"""Types of IR values: arrays with symbolic dimensions, and two kinds of scalars.

A weak scalar is a Python bool, int, float or complex: it gives way to the other operand's dtype
in NumPy's promotion. A strong scalar is a NumPy scalar such as `np.float64`. An array of rank 0
is an `Array` with an empty shape: it is mutable, a scalar is not.
"""

from __future__ import annotations

import numpy as np

from s2sad.ir.size import Size
from s2sad.record import dataclass

Dtype = np.dtype[np.generic]

BOOL = np.dtype(np.bool_)
INT = np.dtype(np.int64)
OBJECT = np.dtype(object)
ZERO_SIZE = Size()
F4 = np.dtype(np.float32)
F8 = np.dtype(np.float64)
C16 = np.dtype(np.complex128)


@dataclass(frozen=True, slots=True)
class Array:
    """An array of known dtype and rank; `shape` holds one symbolic size per dimension."""

    dtype: Dtype
    shape: tuple[Size, ...]

    @property
    def ndim(self) -> int:
        """Return the rank."""
        return len(self.shape)

    def __str__(self) -> str:
        return f"{short(self.dtype)}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A Python scalar (weak) or a NumPy scalar (strong) of the given dtype. For ints, `size` is the
    value where it is known in terms of sizes and int parameters, so that `np.zeros(n)` has a shape."""

    dtype: Dtype
    weak: bool = False
    size: Size | None = None

    @property
    def ndim(self) -> int:
        """Return 0."""
        return 0

    @property
    def shape(self) -> tuple[Size, ...]:
        """Return the empty shape."""
        return ()

    def __str__(self) -> str:
        name = WEAK_NAMES[self.dtype.kind] if self.weak else short(self.dtype)
        return name if self.size is None else f"{name}({self.size})"


@dataclass(frozen=True, slots=True)
class Opaque(Scalar):
    """An object that only certain ops take; it carries no derivative."""


@dataclass(frozen=True, slots=True)
class Stream(Opaque):
    """A source of random numbers: an np.random.Generator or RandomState, or np.random itself. Drawing from
    it is an effect, so that its value is the same object all along."""

    cls: type = np.random.Generator

    def __str__(self) -> str:
        return self.cls.__name__


@dataclass(frozen=True, slots=True)
class Sparse(Opaque):
    """A sparse matrix of SciPy with elements of dtype `of`; `is_array` where `*` works by element."""

    of: Dtype = F8
    rows: Size = ZERO_SIZE
    columns: Size = ZERO_SIZE
    is_array: bool = False

    def __str__(self) -> str:
        kind = "sparray" if self.is_array else "spmatrix"
        return f"{kind}_{short(self.of)}[{self.rows}, {self.columns}]"


Type = Array | Scalar

WEAK_NAMES = {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex"}
GENERATOR, RANDOM_STATE = Stream(OBJECT), Stream(OBJECT, cls=np.random.RandomState)
STREAMS = (np.random.Generator, np.random.RandomState)
WEAK_BOOL = Scalar(BOOL, weak=True)
WEAK_INT = Scalar(INT, weak=True)
WEAK_FLOAT = Scalar(F8, weak=True)
WEAK_COMPLEX = Scalar(C16, weak=True)


def python_number(t: Type) -> str:
    """Return the name of the op that makes a Python number of a NumPy one of this type."""
    return {"b": "to_bool", "i": "to_int", "u": "to_int", "c": "to_complex"}.get(t.dtype.kind, "to_float")


def without_sizes(t: Type) -> tuple[object, ...]:
    """Return what two types share when they differ only in sizes: kind, dtype, rank."""
    if isinstance(t, Array):
        return ("array", t.dtype, t.ndim)
    if isinstance(t, Stream):
        return ("stream", t.cls)
    if isinstance(t, Sparse):
        return ("sparse", t.of, t.is_array)
    return ("weak" if t.weak else "strong", t.dtype)


def short(dtype: Dtype) -> str:
    """Return the dtype's short name as annotations use it: `f8`, `i8`, `b1`."""
    return dtype.str.lstrip("<>|=")


def is_differentiable(t: Type) -> bool:
    """Return True for floating and complex types."""
    return t.dtype.kind in "fc"


def type_of(value: object) -> Type:
    """Return the type of a runtime value with all dimensions as numbers; TypeError if it has none."""
    if isinstance(value, bool):
        return WEAK_BOOL
    if isinstance(value, np.generic):  # before float: np.float64 is a subclass of float
        return Scalar(value.dtype)
    if isinstance(value, int):
        return WEAK_INT
    if isinstance(value, float):
        return WEAK_FLOAT
    if isinstance(value, complex):
        return WEAK_COMPLEX
    if isinstance(value, np.ndarray):
        return Array(value.dtype, tuple(Size.of(n) for n in value.shape))
    if isinstance(value, STREAMS):
        return stream_type(value)
    raise TypeError(f"{type(value).__name__} is not a number or an array")


def stream_type(value: object) -> Stream:
    """Return the type of a source of random numbers."""
    return GENERATOR if isinstance(value, np.random.Generator) else RANDOM_STATE


def sample(t: Type) -> object:
    """Return a small runtime value of type `t` (all dimensions 1): what NumPy makes of it tells
    the dtype, rank and kind of an operation's result."""
    if isinstance(t, Array):
        return np.ones((1,) * t.ndim, t.dtype)
    if isinstance(t, Stream):
        return np.random.RandomState(0) if t.cls is np.random.RandomState else np.random.default_rng(0)
    if t.weak:
        return {"b": True, "i": 1, "u": 1, "f": 1.0, "c": 1.0 + 0j}[t.dtype.kind]
    return t.dtype.type(1)
