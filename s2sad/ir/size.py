"""Symbolic sizes: what is known of an array's dimensions at compile time.

A size is a linear combination of atoms with integer coefficients, in canonical form, so that two
sizes that are provably equal compare equal. Atoms are symbols (`x.0`: dimension 0 of parameter x;
`n`: the value of the int parameter n; `?3`: a size known only at run time), `max(size, 0)` (the
length of a slice), products and floor divisions.

    >>> n = Size.symbol("x.0")
    >>> (n - 1).clamped() == (n - 2 + 1).clamped()
    True
    >>> str((n - 1).clamped()), str(n * 2 + 1)
    ('max(x.0-1,0)', '2*x.0+1')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from hashlib import sha256
from math import prod
from operator import attrgetter

from s2sad.record import dataclass

_LONG = 120  # characters of a text that is its own key


@dataclass(frozen=True, slots=True)
class Atom:
    """An indivisible term: kind `symbol`, `clamp`, `product`, `quotient`, `minimum` or `slice`
    (the length of `range(n)[lo:hi:step]`, parts n, lo, hi, step).

    Atoms are compared and sorted by their `key`: the text, or what stands for a long one. Parts are shared,
    and written out a size can be longer than anyone can wait for (halves of halves: `x[:m]`, `x[m:]`)."""

    kind: str
    name: str = ""
    parts: tuple[Size, ...] = ()
    _key: str = field(default="", init=False)
    _symbols: frozenset[str] | None = field(default=None, init=False)
    _is_nonnegative: bool | None = field(default=None, init=False)
    _rests: tuple[tuple[Atom, Size], ...] | None = field(default=None, init=False)

    def __str__(self) -> str:
        return self._text(map(str, self.parts))

    def _text(self, parts: Iterable[str]) -> str:
        match self.kind:
            case "symbol":
                return self.name
            case "clamp":
                return f"max({','.join(parts)},0)"
            case "product":
                return "(" + ")*(".join(parts) + ")"
            case "minimum":
                return "min(" + ",".join(parts) + ")"
            case "slice":
                return "len(" + ";".join(parts) + ")"
            case _:
                return "((" + ")//(".join(parts) + "))"

    @property
    def key(self) -> str:
        """Return the text, or the beginning of a long one and a digest of it."""
        if not self._key:
            object.__setattr__(self, "_key", _shortened(self._text(p.key for p in self.parts)))
        return self._key

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Atom) and self.key == other.key and self.kind == other.kind
        )

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def symbols(self) -> frozenset[str]:
        """Return the names of all symbols in it."""
        found = self._symbols
        if found is None:
            found = frozenset((self.name,) if self.kind == "symbol" else ()).union(
                *(part.symbols() for part in self.parts)
            )
            object.__setattr__(self, "_symbols", found)
        return found

    @property
    def is_nonnegative(self) -> bool:
        """True if it is known not to be negative."""
        found = self._is_nonnegative
        if found is None:
            found = self._is_known_not_to_be_negative()
            object.__setattr__(self, "_is_nonnegative", found)
        return found

    @property
    def rests(self) -> tuple[tuple[Atom, Size], ...]:
        """Return atoms and what each makes together with this one: of `min(a, b)`, `max(b - a, 0)` and b."""
        found = self._rests
        if found is None:
            orders = (self.parts, self.parts[::-1]) if self.kind == "minimum" else ()
            sizes = [((b - a).clamped(), b) for a, b in orders]
            found = tuple((n.terms[0][0], b) for n, b in sizes if len(n.terms) == 1 and not n.const)
            object.__setattr__(self, "_rests", found)
        return found

    def _is_known_not_to_be_negative(self) -> bool:
        match self.kind:
            case "symbol":  # x.0 and ?3 are sizes, n and $3 are ints of any sign
                return "." in self.name or self.name.startswith("?")
            case "clamp" | "slice":
                return True
            case "quotient":
                n, by = self.parts
                return n.is_nonnegative and by.is_const and by.const > 0
        return all(part.is_nonnegative for part in self.parts)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG // 2]}~{sha256(text.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Size:
    """`const + sum(coefficient * atom)`, atoms sorted by their text."""

    terms: tuple[tuple[Atom, int], ...] = ()
    const: int = 0
    _key: str = field(default="", init=False)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Size) and self.const == other.const and self.terms == other.terms

    def __hash__(self) -> int:
        return hash((self.terms, self.const))

    @property
    def key(self) -> str:
        """Return the text, or what stands for a long one (see `Atom`)."""
        if not self._key:
            object.__setattr__(self, "_key", _shortened(self._text([a.key for a, _ in self.terms])))
        return self._key

    @staticmethod
    def of(value: int | Size) -> Size:
        """Return `value` as a Size."""
        return value if isinstance(value, Size) else Size((), int(value))

    @staticmethod
    def symbol(name: str) -> Size:
        """Return the size that the symbol `name` stands for."""
        return Size(((Atom("symbol", name), 1),))

    @property
    def is_const(self) -> bool:
        """True if the size is a known number."""
        return not self.terms

    @property
    def is_one(self) -> bool:
        """True if the size is known to be 1."""
        return not self.terms and self.const == 1

    def __add__(self, other: int | Size) -> Size:
        other = Size.of(other)
        found: dict[Atom, int] = dict(self.terms)
        for atom, k in other.terms:
            found[atom] = found.get(atom, 0) + k
        const = self.const + other.const
        if (pair := _parts_of_one(found)) is not None:
            split, rest, whole = pair
            k = found.pop(split)
            found[rest] -= k
            return Size(_sorted(found), const) + whole * k
        return Size(_sorted(found), const)

    def __neg__(self) -> Size:
        return Size(tuple((a, -k) for a, k in self.terms), -self.const)

    def __sub__(self, other: int | Size) -> Size:
        return self + (-Size.of(other))

    def __mul__(self, other: int | Size) -> Size:
        other = Size.of(other)
        if other.is_const:
            if other.const == 0:
                return Size()
            return Size(tuple((a, k * other.const) for a, k in self.terms), self.const * other.const)
        if self.is_const:
            return other * self
        parts: list[Size] = []
        scale = 1
        for s in (self, other):
            if len(s.terms) == 1 and s.const == 0:
                atom, k = s.terms[0]
                scale *= k
                parts += atom.parts if atom.kind == "product" else (Size(((atom, 1),)),)
            else:
                parts.append(s)
        return Size(((Atom("product", parts=tuple(sorted(parts, key=attrgetter("key")))), scale),))

    def __floordiv__(self, other: int | Size) -> Size:
        other = Size.of(other)
        if other.is_const and other.const == 1:
            return self
        if self.is_const and other.is_const and other.const:
            return Size.of(self.const // other.const)
        return Size(((Atom("quotient", parts=(self, other)), 1),))

    @property
    def is_nonnegative(self) -> bool:
        """True if the size is known not to be negative."""
        return self.clamped() == self

    def clamped(self) -> Size:
        """Return `max(self, 0)`; sizes themselves (`x.0`, not ints) are known not to be negative."""
        if self.is_const:
            return Size.of(max(self.const, 0))
        if self.const >= 0 and all(k > 0 and a.is_nonnegative for a, k in self.terms):
            return self
        if self.const <= 0 and len(self.terms) == 1:
            atom, k = self.terms[0]
            if atom.kind == "clamp" and k > 0:  # max(k*max(a,0)-c,0): the length of x[1:][:-1]
                return (atom.parts[0] * k + self.const).clamped()
        return Size(((Atom("clamp", parts=(self,)), 1),))

    def minimum(self, other: Size) -> Size:
        """Return `min(self, other)`."""
        gap = other - self
        if gap.is_nonnegative:
            return self
        if (-gap).is_nonnegative:
            return other
        return Size(((Atom("minimum", parts=tuple(sorted((self, other), key=attrgetter("key")))), 1),))

    def maximum(self, other: Size) -> Size:
        """Return `max(self, other)`."""
        return self + (other - self).clamped() if self.is_const else other + (self - other).clamped()

    def symbols(self) -> frozenset[str]:
        """Return the names of all symbols in it."""
        return frozenset().union(*(atom.symbols for atom, _ in self.terms))

    def evaluate(self, values: Mapping[str, int]) -> int | None:
        """Return the number for the given symbol values, or None where one is missing."""
        total = self.const
        for atom, k in self.terms:
            if atom.kind == "symbol":
                value = values.get(atom.name)
            else:
                parts = [p.evaluate(values) for p in atom.parts]
                if any(p is None for p in parts):
                    return None
                known = [p for p in parts if p is not None]
                match atom.kind:
                    case "clamp":
                        value = max(known[0], 0)
                    case "product":
                        value = prod(known)
                    case "minimum":
                        value = min(known)
                    case "slice":
                        n, lo, hi, step = known
                        value = len(range(max(n, 0))[lo:hi:step])
                    case _:
                        value = known[0] // known[1] if known[1] else None
            if value is None:
                return None
            total += k * value
        return total

    def substitute(self, values: Mapping[str, Size]) -> Size:
        """Return the size with symbols replaced."""
        if self.symbols().isdisjoint(values):
            return self
        total = Size.of(self.const)
        for atom, k in self.terms:
            parts = [p.substitute(values) for p in atom.parts]
            match atom.kind:
                case "symbol":
                    new = values.get(atom.name, Size(((atom, 1),)))
                case "clamp":
                    new = parts[0].clamped()
                case "product":
                    new = parts[0]
                    for p in parts[1:]:
                        new = new * p
                case "minimum":
                    new = parts[0].minimum(parts[1])
                case "slice":
                    new = slice_length(parts[0], parts[1], parts[2], parts[3]) or Size()
                case _:
                    new = parts[0] // parts[1]
            total = total + new * k
        return total

    def __str__(self) -> str:
        return self._text([str(a) for a, _ in self.terms])

    def _text(self, atoms: list[str]) -> str:
        text = ""
        for atom, (_, k) in zip(atoms, self.terms, strict=True):
            sign = "-" if k < 0 else "+" if text else ""
            text += sign + (f"{abs(k)}*" if abs(k) != 1 else "") + atom
        if self.const or not text:
            text += f"{self.const:+d}" if text else str(self.const)
        return text


def _sorted(found: Mapping[Atom, int]) -> tuple[tuple[Atom, int], ...]:
    return tuple(sorted(((a, k) for a, k in found.items() if k), key=lambda t: t[0].key))


def _parts_of_one(found: Mapping[Atom, int]) -> tuple[Atom, Atom, Size] | None:
    """Return atoms `min(a, b)` and `max(b - a, 0)`, the lengths of x[:a] and x[a:], and b, their sum."""
    for atom, k in found.items():
        for rest, whole in atom.rests:
            if found.get(rest, 0) * k > 0:
                return atom, rest, whole
    return None


def slice_length(n: Size, lo: Size | None, hi: Size | None, step: Size | None) -> Size | None:
    """Return the length of `range(n)[lo:hi:step]`, None standing for an absent bound; None where the
    sign of the step would tell where an absent bound is."""
    step = Size.of(1) if step is None else step
    if not step.is_const and (lo is None or hi is None):
        return None
    if step.is_const and step.const < 0 and (lo is not None or hi is not None):
        lo, hi = n if lo is None else lo, -n - 1 if hi is None else hi
    if not step.is_const or step.const < -1 or (step.const < 0 and lo is not None):
        if lo is None and hi is None:
            return -((-n) // abs(step.const))
        return Size(((Atom("slice", parts=(n, lo or Size(), hi or Size(), step)), 1),))
    if step.const == -1:
        return n
    whole = _length(n, lo or Size(), n if hi is None else hi)
    return whole if step.const == 1 else -((-whole) // step.const)


def _length(n: Size, lo: Size, hi: Size) -> Size:
    """Return the length of `range(n)[lo:hi]`."""
    opaque = Size(((Atom("slice", parts=(n, lo, hi, Size.of(1))), 1),))
    if hi == n:
        if lo.is_nonnegative:
            return (n - lo).clamped()
        return Size.of(-lo.const).minimum(n) if lo.is_const else opaque
    if lo.is_nonnegative and hi.is_nonnegative:
        return (hi.minimum(n) - lo).clamped()
    if not (lo.is_const and hi.is_const):
        return opaque
    if lo.const < 0:
        return (_length(n, lo, n) + hi).clamped() if hi.const < 0 else opaque
    return (n + hi - lo).clamped()
