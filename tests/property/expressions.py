"""Random expressions over the names in scope, smooth enough for derivatives to be checked.

Lengths are symbolic: "n" and "m" are the sizes of the arguments, "n-1" that of a slice [1:] or [:-1],
"n/2" that of [::2]. Data is compared with odd constants only, so that no branch sits at a threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from property.choices import Choices, pick, weighted

SIZE = {"n": "x.shape[0]", "m": "w.shape[0]"}
CUTS = {"n-1": "n", "m-1": "m"}
HALVES = {"n/2": "n", "m/2": "m"}
CONSTANTS = ("0.3", "-0.7", "1.2", "0.45", "-1.1", "0.9", "2.0", "0.25")
THRESHOLDS = ("0.1370", "-0.2311", "0.5172", "-0.7391", "1.0733")


@dataclass(frozen=True)
class Scope:
    """The names an expression may read; kept immutable, so that blocks restore by themselves."""

    scalars: tuple[str, ...] = ()
    vectors: tuple[tuple[str, str], ...] = ()  # name, length
    matrices: tuple[tuple[str, str, str], ...] = ()  # name, rows, columns
    indices: tuple[tuple[str, str, int, int], ...] = ()  # name, length, room below, room above
    pinned: frozenset[str] = field(default_factory=frozenset)  # names that have views: never rebound
    frozen: frozenset[str] = field(default_factory=frozenset)  # names that are not written
    helpers: frozenset[str] = field(default_factory=frozenset)
    has_k: bool = True  # whether the parameter k can be read

    def with_scalar(self, name: str) -> Scope:
        """Return the scope with one more scalar."""
        return self if name in self.scalars else replace(self, scalars=(*self.scalars, name))

    def with_vector(self, name: str, length: str) -> Scope:
        """Return the scope with one more vector."""
        return replace(self, vectors=(*self.vectors, (name, length)))

    def with_matrix(self, name: str, rows: str, columns: str) -> Scope:
        """Return the scope with one more matrix."""
        return replace(self, matrices=(*self.matrices, (name, rows, columns)))

    def with_index(self, name: str, length: str, below: int = 0, above: int = 0) -> Scope:
        """Return the scope with one more valid index of arrays of this length."""
        return replace(self, indices=(*self.indices, (name, length, below, above)))

    def vectors_of(self, length: str) -> list[str]:
        """Return the vectors of a length."""
        return [name for name, size in self.vectors if size == length]


class Expressions:
    """Random expressions, as text."""

    def __init__(self, choices: Choices):
        self.choices = choices

    def chance(self, percent: int) -> bool:
        """Return True in about `percent` of the cases."""
        return self.choices.below(100) < percent

    def constant(self) -> str:
        """Return a literal."""
        return pick(self.choices, CONSTANTS)

    # ---- scalars --------------------------------------------------------------------
    def scalar(self, scope: Scope, depth: int = 2) -> str:
        """Return a float expression."""
        atoms: list[tuple[int, Callable[[], str]]] = [(2, self.constant)]
        if scope.scalars:
            atoms.append((8, lambda: pick(self.choices, scope.scalars)))
        if scope.indices and scope.vectors:
            atoms.append((7, lambda: self.element(scope)))
        if depth <= 0:
            return weighted(self.choices, atoms)()
        forms: list[tuple[int, Callable[[], str]]] = [
            (10, weighted(self.choices, atoms)),
            (5, lambda: f"np.{self.smooth()}({self.scalar(scope, depth - 1)})"),
            (9, lambda: self.binary(scope, depth)),
            (1, lambda: f"abs({self.scalar(scope, depth - 1)})"),
            (1, lambda: f"max({self.scalar(scope, depth - 1)}, {pick(self.choices, THRESHOLDS)})"),
            (1, lambda: f"float({self.scalar(scope, depth - 1)})"),
            (1, lambda: f"(RATE * {self.scalar(scope, depth - 1)})"),
        ]
        if scope.indices:
            forms.append((1, lambda: f"0.1 * {pick(self.choices, scope.indices)[0]}"))
        if scope.vectors:
            forms.append((4, lambda: self.reduction(scope, depth)))
        if scope.has_k or scope.scalars:
            forms.append((2, lambda: self.ternary(scope, depth)))
        if "scale" in scope.helpers:
            forms.append((3, lambda: f"scale({self.scalar(scope, depth - 1)}, {self.scalar(scope, 0)})"))
        if "power" in scope.helpers:
            forms.append((1, lambda: f"power({self.scalar(scope, 0)}, {self.choices.below(4)})"))
        return weighted(self.choices, forms)()

    def smooth(self) -> str:
        """Return the name of a smooth bounded function."""
        return pick(self.choices, ("tanh", "sin", "cos", "arctan"))

    def binary(self, scope: Scope, depth: int) -> str:
        """Return a sum, difference, product or safe quotient."""
        left, right = self.scalar(scope, depth - 1), self.scalar(scope, depth - 1)
        op = pick(self.choices, ("+", "-", "*", "*", "/"))
        if op == "/":
            return f"({left} / (1.5 + {right} * {right}))"
        return f"({left} {op} {right})"

    def reduction(self, scope: Scope, depth: int) -> str:
        """Return a reduction of a vector or matrix."""
        if scope.matrices and self.chance(25):
            _, rows, columns = pick(self.choices, scope.matrices)
            return f"np.sum({self.matrix(scope, rows, columns, depth - 1)})"
        length = self.length(scope)
        vector = self.vector(scope, length, depth - 1)
        form = self.choices.below(8)
        if form < 4:
            return f"np.sum({vector})"
        if form < 6:
            return f"({vector} @ {self.vector(scope, length, depth - 1)})"
        if form < 7:
            return f"np.prod(np.tanh({vector}))"
        return f"({vector}).sum()"

    def ternary(self, scope: Scope, depth: int) -> str:
        """Return a conditional expression."""
        yes, no = self.scalar(scope, depth - 1), self.scalar(scope, depth - 1)
        return f"({yes} if {self.condition(scope)} else {no})"

    def element(self, scope: Scope) -> str:
        """Return an element of an array at a valid index."""
        index, length, below, above = pick(self.choices, scope.indices)
        shift = pick(self.choices, range(-below, above + 1))
        at = index if shift == 0 else f"{index} {'+' if shift > 0 else '-'} {abs(shift)}"
        vectors = scope.vectors_of(length)
        rows = [(a, r, c) for a, r, c in scope.matrices if r == length]
        others = [i for i, size, _, _ in scope.indices]
        if rows and self.chance(35):
            name, _, columns = pick(self.choices, rows)
            fits = [i for i, size, _, _ in scope.indices if size == columns]
            if fits and others:
                return f"{name}[{at}, {pick(self.choices, fits)}]"
        if vectors:
            return f"{pick(self.choices, vectors)}[{at}]"
        return self.constant()

    # ---- conditions -----------------------------------------------------------------
    def condition(self, scope: Scope, compound: bool = True) -> str:
        """Return a condition that no small change of the data flips."""
        forms: list[tuple[int, Callable[[], str]]] = []
        if scope.has_k:
            forms.append((2, lambda: f"k > {self.choices.below(4)}"))
        op = pick(self.choices, ("<", ">", "<=", ">="))
        edge = pick(self.choices, THRESHOLDS)
        if scope.scalars:
            forms.append((5, lambda: f"{pick(self.choices, scope.scalars)} {op} {edge}"))
        if scope.indices:
            index = pick(self.choices, scope.indices)[0]
            forms.append((4, lambda: f"{self.element(scope)} {op} {edge}"))
            forms.append((2, lambda: f"{index} % 2 == {self.choices.below(2)}"))
            forms.append((1, lambda: f"{index} > {self.choices.below(3)}"))
        if scope.vectors:
            name = pick(self.choices, scope.vectors)[0]
            forms.append((1, lambda: f"np.sum({name}) {op} {edge}"))
        if compound:
            join = pick(self.choices, ("and", "or"))
            forms.append(
                (2, lambda: f"({self.condition(scope, False)} {join} {self.condition(scope, False)})")
            )
            forms.append((1, lambda: f"not {self.condition(scope, False)}"))
            forms.append((1, lambda: f"-0.7119 < {self.scalar(scope, 0)} < {edge}"))
        return weighted(self.choices, forms)()

    # ---- vectors --------------------------------------------------------------------
    def length(self, scope: Scope) -> str:
        """Return the length of some vector in scope."""
        return pick(self.choices, scope.vectors)[1]

    def vector(self, scope: Scope, length: str, depth: int = 2) -> str:
        """Return a vector expression: a name, a slice, or something fresh."""
        if depth <= 0 or self.chance(25):
            return self.part(scope, length)
        return self.fresh(scope, length, depth)

    def part(self, scope: Scope, length: str) -> str:
        """Return a name or a view of one."""
        names = scope.vectors_of(length)
        whole = CUTS.get(length)
        if whole and scope.vectors_of(whole) and (not names or self.chance(70)):
            return f"{pick(self.choices, scope.vectors_of(whole))}[{pick(self.choices, ('1:', ':-1'))}]"
        half = HALVES.get(length)
        if half and scope.vectors_of(half) and (not names or self.chance(70)):
            return f"{pick(self.choices, scope.vectors_of(half))}[::2]"
        views = []
        for name, rows, columns in scope.matrices:
            fits = [i for i, size, _, _ in scope.indices if size == rows]
            if columns == length and fits:
                views.append(f"{name}[{pick(self.choices, fits)}]")
            fits = [i for i, size, _, _ in scope.indices if size == columns]
            if rows == length and fits:
                views.append(f"{name}[:, {pick(self.choices, fits)}]")
        if views and self.chance(30):
            return pick(self.choices, views)
        if not names:
            return (
                f"np.full_like(x[:{SIZE[length]}], {self.constant()})"
                if length == "n"
                else self.blank(length)
            )
        name = pick(self.choices, names)
        return f"{name}[::-1]" if self.chance(8) else name

    def blank(self, length: str) -> str:
        """Return a new constant vector."""
        base = CUTS.get(length) or HALVES.get(length) or length
        source = "x" if base == "n" else "w"
        cut = {"": "", "-1": "[1:]", "/2": "[::2]"}[length[1:]]
        return f"np.full_like({source}{cut}, {self.constant()})"

    def fresh(self, scope: Scope, length: str, depth: int = 2) -> str:
        """Return a vector expression that shares no memory with any name."""

        def part() -> str:
            return self.vector(scope, length, depth - 1)

        forms: list[tuple[int, Callable[[], str]]] = [
            (6, lambda: f"np.{self.smooth()}({part()})"),
            (9, lambda: f"({part()} {pick(self.choices, ('+', '-', '*'))} {part()})"),
            (5, lambda: f"({part()} {pick(self.choices, ('+', '-', '*'))} {self.scalar(scope, 0)})"),
            (2, lambda: f"({self.scalar(scope, 0)} / (1.5 + {part()} ** 2))"),
            (2, lambda: f"np.where({part()} > {pick(self.choices, THRESHOLDS)}, {part()}, {part()})"),
            (1, lambda: f"np.maximum({part()}, {pick(self.choices, THRESHOLDS)})"),
            (1, lambda: f"np.cumsum({part()})"),
            (1, lambda: f"np.roll({part()}, 1)"),
            (1, lambda: f"({part()}).copy()"),
            (1, lambda: self.blank(length)),
            (1, lambda: f"(-{part()})"),
        ]
        if length == "n" and scope.vectors_of("n"):
            forms.append((3, lambda: f"{pick(self.choices, scope.vectors_of('n'))}[idx]"))
        if length in SIZE:
            forms.append((2, lambda: self.comprehension(scope, length)))
        for name, rows, columns in scope.matrices[:3]:
            if rows == length:
                forms.append((1, lambda a=name, c=columns: f"({a} @ {self.part(scope, c)})"))
                forms.append((1, lambda a=name: f"np.sum({a}, axis=1)"))
            if columns == length:
                forms.append((1, lambda a=name, r=rows: f"({self.part(scope, r)} @ {a})"))
                forms.append((1, lambda a=name: f"{a}.sum(axis=0)"))
        if "bend" in scope.helpers:
            forms.append((3, lambda: f"bend({part()}, {self.scalar(scope, 0)})"))
        return weighted(self.choices, forms)()

    def comprehension(self, scope: Scope, length: str) -> str:
        """Return an array made by a list comprehension."""
        inside = scope.with_index("q", length)
        return f"np.array([{self.scalar(inside, 1)} + 0.0 * q for q in range({SIZE[length]})])"

    # ---- matrices -------------------------------------------------------------------
    def matrix(self, scope: Scope, rows: str, columns: str, depth: int = 1) -> str:
        """Return a matrix expression of this shape."""
        names = [a for a, r, c in scope.matrices if (r, c) == (rows, columns)]
        flipped = [a for a, r, c in scope.matrices if (r, c) == (columns, rows)]
        forms: list[tuple[int, Callable[[], str]]] = [
            (2, lambda: f"np.outer({self.part(scope, rows)}, {self.part(scope, columns)})"),
            (1, lambda: f"({self.part(scope, rows)}[:, None] * {self.part(scope, columns)})"),
        ]
        if names:
            forms.append((5, lambda: pick(self.choices, names)))
        if flipped:
            forms.append((2, lambda: f"{pick(self.choices, flipped)}.T"))
        if depth > 0:

            def part() -> str:
                return self.matrix(scope, rows, columns, depth - 1)

            forms += [
                (3, lambda: f"np.{self.smooth()}({part()})"),
                (3, lambda: f"({part()} {pick(self.choices, ('+', '-', '*'))} {part()})"),
                (2, lambda: f"({part()} * {self.part(scope, columns)})"),
                (2, lambda: f"({part()} + {self.part(scope, rows)}[:, None])"),
                (2, lambda: f"({part()} * {self.scalar(scope, 0)})"),
                (1, lambda: f"({part()} - np.sum({part()}, axis=1, keepdims=True) * 0.3)"),
            ]
        return weighted(self.choices, forms)()

    def fresh_matrix(self, scope: Scope, rows: str, columns: str) -> str:
        """Return a matrix expression that shares no memory with any name."""
        return f"({self.matrix(scope, rows, columns)} * {self.constant()})"
