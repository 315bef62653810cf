"""Types and sizes from the text that they print as: `f8[x.0, max(n-1,0)]`, `float`, `int(2*n)`, `f4`."""

from __future__ import annotations

import re

import numpy as np

from s2sad.ir.size import Atom, Size
from s2sad.ir.types import (
    GENERATOR,
    INT,
    RANDOM_STATE,
    WEAK_BOOL,
    WEAK_COMPLEX,
    WEAK_FLOAT,
    Array,
    Scalar,
    Type,
)

_WEAK = {"bool": WEAK_BOOL.dtype, "int": INT, "float": WEAK_FLOAT.dtype, "complex": WEAK_COMPLEX.dtype}
_STREAMS = {str(t): t for t in (GENERATOR, RANDOM_STATE)}
_TOKEN = re.compile(r"\d+(?![\w.])|[\w?$][\w.?$]*|//|[-+*(),;\[\]]")
_CALLS = {"max": "clamp", "min": "minimum", "len": "slice"}


def parse_type(text: str) -> Type:
    """Return the type that prints as `text`."""
    name, bracket, rest = re.match(r"(\w+)([\[(]?)(.*)", text.strip(), re.DOTALL).groups()  # type: ignore[union-attr]
    if name in _STREAMS:
        return _STREAMS[name]
    if bracket == "[":
        return Array(np.dtype(name), tuple(_sizes(rest.strip()[:-1])))
    size = parse_size(rest.strip()[:-1]) if bracket else None
    if name in _WEAK:
        return Scalar(_WEAK[name], weak=True, size=size)
    return Scalar(np.dtype(name), size=size)


def parse_size(text: str) -> Size:
    """Return the size that prints as `text`."""
    (size,) = _sizes(text)
    return size


def _sizes(text: str) -> list[Size]:
    reader = _Reader(_TOKEN.findall(text))
    found: list[Size] = []
    while reader.tokens:
        found.append(reader.size())
        if reader.tokens:
            reader.take(",")
    return found


class _Reader:
    """A recursive descent over the grammar of Size.__str__; atoms are made as they are written."""

    def __init__(self, tokens: list[str]):
        self.tokens = tokens[::-1]

    @property
    def next(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    def take(self, token: str) -> str:
        if not self.tokens or self.tokens[-1] != token:
            raise SyntaxError(f"{token!r} expected before {' '.join(reversed(self.tokens))!r}")
        return self.tokens.pop()

    def size(self) -> Size:
        total = self.term()
        while self.next in ("+", "-"):
            total = total + self.term()
        return total

    def term(self) -> Size:
        sign = 1
        if self.next in ("+", "-"):
            sign = -1 if self.tokens.pop() == "-" else 1
        scale = 1
        if self.next.isdigit():
            scale = int(self.tokens.pop())
            if self.next != "*":
                return Size.of(sign * scale)
            self.take("*")
        return Size(((self.atom(), sign * scale),))

    def atom(self) -> Atom:
        if self.next == "(":
            return self.quotient() or self.product()
        name = self.tokens.pop()
        if name not in _CALLS or self.next != "(":
            return Atom("symbol", name)
        parts = self.parts()
        return Atom(_CALLS[name], parts=parts[:1] if name == "max" else parts)  # max(size,0)

    def parts(self) -> tuple[Size, ...]:
        self.take("(")
        found = [self.size()]
        while self.next in (",", ";"):
            self.tokens.pop()
            found.append(self.size())
        self.take(")")
        return tuple(found)

    def quotient(self) -> Atom | None:
        start = list(self.tokens)
        try:
            self.take("(")
            (left,) = self.parts()
            self.take("//")
            (right,) = self.parts()
            self.take(")")
        except SyntaxError:
            self.tokens = start
            return None
        return Atom("quotient", parts=(left, right))

    def product(self) -> Atom:
        parts = list(self.parts())
        while self.next == "*":
            self.take("*")
            parts += self.parts()
        return Atom("product", parts=tuple(parts))
