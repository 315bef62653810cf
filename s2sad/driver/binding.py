"""From the arguments of a call to the parameters of a Function, and whether a variant fits them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from s2sad.driver.assemble import gatherer
from s2sad.errors import NotDifferentiable, S2sadError
from s2sad.ir.core import Function, Parameter
from s2sad.ir.size import Atom, Size
from s2sad.ir.structure import is_sparse, key_of, leaf_key
from s2sad.ir.tree import Leaf
from s2sad.ir.types import Sparse

Values = Sequence[Any]
READING = (AttributeError, LookupError, TypeError, ValueError, NameError)


class Binding:
    """How calls are bound to the parameters of `fn`, and what must hold for this variant to serve."""

    def __init__(self, fn: Function, check_overlap: bool):
        self.fn = fn
        self.signature = fn.signature
        self.direct = all(p.kind == "positional" for p in fn.signature)
        self.flat = all(isinstance(p.tree, Leaf) for p in fn.signature)
        self.gather = gatherer([p.tree for p in fn.signature])
        self.readers: dict[str, Callable[[], Any]] = fn.extra.get("captured", {})
        self.statics: tuple[tuple[Callable[[], Any], Any], ...] = tuple(fn.extra.get("static_captures", ()))
        self.defaults: dict[str, Callable[[], Any]] = fn.extra.get("defaults", {})
        read = self.readers | self.defaults
        self.read_keys = {p.name: _key_of(read[p.name](), p) for p in fn.signature if p.name in read}
        self.holds = facts_predicate(fn)
        self.written = tuple(fn.writes) if check_overlap else ()
        self.quick: Callable[[tuple[Any, ...]], Values | None] = lambda args: None

    def values(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Values:
        """Return one value per parameter."""
        if self.direct and not kwargs and len(args) == len(self.signature):
            return args
        rest = dict(kwargs)
        position = 0
        found: list[Any] = []
        for p in self.signature:
            match p.kind:
                case "positional" if position < len(args):
                    found.append(args[position])
                    position += 1
                case "positional" | "keyword":
                    found.append(rest.pop(p.name) if p.name in rest else self.defaults[p.name]())
                case "variadic":
                    found.append(args[position:])
                    position = len(args)
                case "variadic_keyword":
                    found.append(rest)
                case _:
                    found.append(self.readers[p.name]())
        return found

    def leaves(self, values: Values) -> Sequence[Any]:
        """Return the flat leaves of parameter values."""
        return values if self.flat else self.gather(values)

    def remember(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Make the quick way for calls like these, if each parameter is one leaf that is given by
        position or captured."""
        count = sum(p.kind == "positional" for p in self.signature)
        late = self.signature[count:]
        if kwargs or len(args) != count or not self.flat or any(p.kind != "captured" for p in late):
            return
        wanted = [_wanted(a) for a in args]
        readers = [(self.readers[p.name], *_wanted(self.readers[p.name]())) for p in late]
        statics, holds = self.statics, self.holds

        def quick(found: tuple[Any, ...]) -> Values | None:
            if len(found) != count:
                return None
            for a, (kind, dtype, ndim) in zip(found, wanted, strict=True):
                if type(a) is not kind or (dtype is not None and (a.dtype is not dtype or a.ndim != ndim)):
                    return None
            values: Values = found
            try:
                for read, value in statics:
                    if read() is not value:
                        return None
                if readers:
                    values = [*found]
                    for read, kind, dtype, ndim in readers:
                        a = read()
                        if type(a) is not kind or (
                            dtype is not None and (a.dtype is not dtype or a.ndim != ndim)
                        ):
                            return None
                        values.append(a)
            except READING:  # what was there is not there any more
                return None
            return values if holds is None or holds(values) else None

        self.quick = quick

    def accepted(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Values | None:
        """Return one value per parameter, if what is read around the function has the types, statics and
        sizes that this variant was built for."""
        try:
            if not all(_same(read(), value) for read, value in self.statics):
                return None
            values = self.values(args, kwargs)
        except READING:
            return None
        if self.read_keys:
            for p, value in zip(self.signature, values, strict=True):
                if p.name in self.read_keys and not self._fits(p, value):
                    return None
        return values if self.holds is None or self.holds(self.leaves(values)) else None

    def check_overlap(self, values: Values) -> None:
        """Refuse arguments of which a written one shares memory with another."""
        if not self.written:
            return
        found = self.leaves(values)
        for w in self.written:
            for k, other in enumerate(found):
                if k == w or not isinstance(other, np.ndarray) or not np.may_share_memory(found[w], other):
                    continue
                raise NotDifferentiable(
                    "S401",
                    f"{self.fn.name} writes its argument {self.fn.params[w].name}, which shares memory "
                    f"with {self.fn.params[k].name}",
                    "pass a copy of one of them",
                    self.fn.origin,
                )

    def _fits(self, p: Parameter, value: Any) -> bool:
        try:
            return bool(_key_of(value, p) == self.read_keys[p.name])
        except S2sadError:
            return False


def _wanted(leaf: Any) -> tuple[Any, Any, int]:
    has_dtype = isinstance(leaf, np.ndarray) or is_sparse(leaf)
    return (type(leaf), leaf.dtype, leaf.ndim) if has_dtype else (type(leaf), None, 0)


def _key_of(value: Any, p: Parameter) -> Any:
    if isinstance(p.tree, Leaf) and p.kind == "captured":
        return leaf_key(value)
    return key_of(value, p.name)[0]


def _same(now: Any, then: Any) -> bool:
    if now is then:
        return True
    if type(now) is type(then) is tuple:
        return len(now) == len(then) and all(map(_same, now, then))
    plain = (str, bytes, bool, int, float, complex, type(None))
    return type(now) is type(then) and isinstance(now, plain) and bool(now == then)


def facts_predicate(fn: Function) -> Callable[[Sequence[Any]], bool] | None:
    """Return a test of the function's facts on its flat leaves; None if it has none. Facts about sizes
    that are known at run time only are checked by the program itself."""
    symbols = {}
    for index, value in enumerate(fn.params):
        symbols[value.name] = f"int(found[{index}])"
        for axis in range(2 if isinstance(value.type, Sparse) else value.type.ndim):
            symbols[f"{value.name}.{axis}"] = f"found[{index}].shape[{axis}]"
    tests = [
        f"{_code(fact.left, symbols)} == {_code(fact.right, symbols)}"
        for fact in fn.facts
        if all(name in symbols for name in fact.left.symbols() | fact.right.symbols())
    ]
    if not tests:
        return None
    text = "lambda found: " + " and ".join(dict.fromkeys(tests))
    predicate: Callable[[Sequence[Any]], bool] = eval(text, {"length": _length})  # our own text
    return predicate


def _code(size: Size, symbols: Mapping[str, str]) -> str:
    terms = [
        f"{k} * {_atom_code(atom, symbols)}" if k != 1 else _atom_code(atom, symbols)
        for atom, k in size.terms
    ]
    return "(" + " + ".join([*terms, *([str(size.const)] if size.const or not terms else [])]) + ")"


def _atom_code(atom: Atom, symbols: Mapping[str, str]) -> str:
    parts = [_code(p, symbols) for p in atom.parts]
    match atom.kind:
        case "symbol":
            return symbols[atom.name]
        case "clamp":
            return f"max({parts[0]}, 0)"
        case "product":
            return "(" + " * ".join(parts) + ")"
        case "minimum":
            return f"min({', '.join(parts)})"
        case "slice":
            return f"length({', '.join(parts)})"
        case _:
            return f"({parts[0]} // ({parts[1]} or 1))"


def _length(n: int, lo: int, hi: int, step: int) -> int:
    return len(range(*slice(lo, hi, step).indices(max(n, 0))))


def call_key(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the key of a call: structure, static values and leaf types."""
    key = tuple([_key(arg, f"argument {k}") for k, arg in enumerate(args)])
    if kwargs:
        return (key, tuple([(name, _key(value, name)) for name, value in kwargs.items()]))
    return key


def _key(value: Any, name: str) -> Any:
    # the plain cases without building a tree; dtypes that are refused never get a variant
    kind = type(value)
    if kind is np.ndarray:
        return (value.dtype, value.ndim)
    if kind is float or kind is int:
        return kind
    if kind is dict:
        return (kind, tuple(value), tuple([_key(v, f"{name}[{k!r}]") for k, v in value.items()]))
    if kind is tuple or kind is list:
        return (kind, tuple([_key(v, name) for v in value]))
    return key_of(value, name)[0]
