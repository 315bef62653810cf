"""Facts on demand: where two sizes meet in a broadcast, the example arguments decide what to assume."""

from __future__ import annotations

from collections.abc import Callable

from s2sad.errors import Origin
from s2sad.ir.builder import Dim, Sizes
from s2sad.ir.core import Fact
from s2sad.ir.size import Size


class Assumptions(Sizes):
    """Sizes that may be unified. `concrete` holds the values of parameter symbols in the example
    arguments; without examples (`trusting`) two unrelated sizes that meet are assumed equal."""

    def __init__(self, concrete: dict[str, int], trusting: bool = False):
        super().__init__()
        self.concrete = concrete
        self.trusting = trusting
        self.facts: list[Fact] = []
        self.replaced: dict[str, Size] = {}
        self.whole: dict[Size, Size] = {}
        self.on_mismatch: Callable[[int, int, int], None] = lambda axis, left, right: None
        self.on_unaligned: Callable[[Dim, Dim, str], None] = lambda a, b, message: None

    def canonical(self, size: Size) -> Size:
        """Return the representative of `size`."""
        if not size.terms or not (self.replaced or self.whole):
            return size
        for _ in range(8):
            new = size.substitute(self.replaced)
            new = self.whole.get(new, new)
            if new == size:
                break
            size = new
        return size

    def meet(self, shapes: tuple[tuple[Size, ...], ...], origin: Origin | None) -> None:
        """Decide for each pair of dimensions that are about to be broadcast whether they are equal
        or one of them is 1, and record it as a fact."""
        rank = max((len(s) for s in shapes), default=0)
        for axis in range(-rank, 0):
            dims = [self.canonical(s[axis]) for s in shapes if len(s) >= -axis]
            for k in range(1, len(dims)):
                for j in range(k):
                    self._pair(self.canonical(dims[j]), self.canonical(dims[k]), axis, origin)

    def equal(self, a: Size, b: Size, origin: Origin | None) -> None:
        """Note that two sizes must be equal (NumPy raises otherwise)."""
        a, b = self.canonical(a), self.canonical(b)
        if a != b and self._known(a) is not None and self._known(a) == self._known(b):
            self._assume(a, b, origin, raises=True)

    def vanishes(self, difference: Size, origin: Origin | None) -> None:
        """Note that a size is 0 for these arguments (NumPy raises otherwise): other calls are read anew."""
        if not difference.is_const:
            self.facts.append(Fact(difference, Size(), origin, raises=True))

    def contract(self, a: Dim, b: Dim, origin: Origin | None, stretches: bool = False) -> None:
        """Note two dimensions that a product pairs: where the example arguments have sizes that do not fit,
        NumPy will raise, and the variant is for these sizes only."""
        n, m = self.canonical(a[2]), self.canonical(b[2])
        left, right = self._known(n), self._known(m)
        if n == m or left is None or right is None or left == right or (stretches and 1 in (left, right)):
            return
        for size, value in ((n, left), (m, right)):
            if not size.is_const:
                self._assume(size, Size.of(value), origin)
        self.on_unaligned(a, b, f"the operands of a product do not fit: sizes {left} and {right} meet")

    def carried(self, a: Size, b: Size, origin: Origin | None) -> bool:
        """True if an array of size `a` goes on as one of size `b`, where they are of the same size for the
        example arguments and not by their very definition: that is then assumed."""
        a, b = self.canonical(a), self.canonical(b)
        if a == b or a.symbols() & b.symbols() or a.is_const or b.is_const:
            return a == b
        if any(s[0] in "?$" for s in a.symbols() | b.symbols()):
            return False
        known = self._known(a)
        if not self.trusting and (known is None or known != self._known(b)):
            return False
        self._assume(a, b, origin)
        return True

    def learn(self, a: Size, b: Size) -> None:
        """Note that two sizes are equal because the program itself has checked it."""
        a, b = self.canonical(a), self.canonical(b)
        if a != b:
            self._assume(a, b, None)
            self.facts.pop()

    def pin(self, size: Size, origin: Origin | None) -> int | None:
        """Return the number a size or int has in the example arguments and assume it, or None."""
        size = self.canonical(size)
        if size.is_const:
            return size.const
        value = self._known(size)
        if value is not None:
            self._assume(size, Size.of(value), origin)
        return value

    def at_least(self, size: Size, least: int, origin: Origin | None) -> None:
        """Assume that a size is not less than a number."""
        smaller, wanted = self.canonical(size).minimum(Size.of(least)), Size.of(least)
        if not size.is_const and self.canonical(smaller) != wanted:
            self._assume(smaller, wanted, origin)

    def example(self, size: Size) -> int | None:
        """Return the number that a size has in the example arguments, None if that is not known."""
        return self._known(self.canonical(size))

    def _known(self, size: Size) -> int | None:
        return size.evaluate(self.concrete)

    def _pair(self, a: Size, b: Size, axis: int, origin: Origin | None) -> None:
        if a == b or a.is_one or b.is_one:
            return
        left, right = self._known(a), self._known(b)
        if self.trusting and all(s[0] not in "?$" for s in a.symbols() | b.symbols()):
            self._assume(a, b, origin)
        elif left is None or right is None:
            return
        elif left == right:
            self._assume(a, b, origin)
        elif left == 1 and not a.is_const:
            self._assume(a, Size.of(1), origin)
        elif right == 1 and not b.is_const:
            self._assume(b, Size.of(1), origin)
        elif left != 1 and right != 1:  # NumPy will raise: the variant is for these sizes only
            for size, value in ((a, left), (b, right)):
                if not size.is_const:
                    self._assume(size, Size.of(value), origin)
            self.on_mismatch(axis, left, right)

    def _assume(self, a: Size, b: Size, origin: Origin | None, raises: bool = False) -> None:
        if a.is_const or (_symbol(a) is None and _symbol(b) is not None):
            a, b = b, a
        solved = _solved(*self._inside(a, b)) or _solved(a, b)
        if solved is not None and not a.is_const and not b.is_const:
            raises = raises and solved == _solved(a, b)
            a, b = solved
        name = _symbol(a)
        if name is not None and name not in b.symbols():
            self.replaced[name] = b
        else:
            self.whole[a] = b
        self.facts.append(Fact(a, b, origin, raises))

    def _inside(self, a: Size, b: Size) -> tuple[Size, Size]:
        """Return what is sliced, of two slices that are cut alike: `x.0-2` for `max(x.0-2,0)`."""
        terms = (a - b).terms
        if (a - b).const == 0 and len(terms) == 2 and terms[0][1] == -terms[1][1]:
            (x, k), (y, _) = terms
            if x.kind == y.kind == "clamp":
                inner = (x.parts[0], y.parts[0]) if k > 0 else (y.parts[0], x.parts[0])
                if self.trusting or self._known(inner[0]) == self._known(inner[1]):
                    return inner
        return a, b


def _solved(a: Size, b: Size) -> tuple[Size, Size] | None:
    """Return the equality of two sizes with a symbol by itself on the left, the later parameter's; None if no
    symbol can be isolated."""
    difference = a - b
    names = [
        (_rank(atom.name), atom.name, k)
        for atom, k in difference.terms
        if atom.kind == "symbol" and abs(k) == 1
    ]
    for _, name, k in sorted(names, reverse=True):
        symbol = Size.symbol(name)
        rest = symbol - difference * k
        if name not in rest.symbols():
            return symbol, rest
    return None


def _symbol(size: Size) -> str | None:
    if len(size.terms) == 1 and size.const == 0 and size.terms[0][1] == 1:
        atom = size.terms[0][0]
        return atom.name if atom.kind == "symbol" else None
    return None


def _rank(name: str) -> tuple[int, str]:
    return (0 if "." in name else 1, name)
