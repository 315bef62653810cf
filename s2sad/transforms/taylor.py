"""Derivatives of any order of an expression along a curve, by the rules for the first.

All is a function of one variable t: `term(k)` is the derivative of order k at the point. A product has its
terms by Leibniz's rule. Where a rule says `dy = J(x, y, dx)`, term k of y is term k - 1 of the expression J,
in which term j of `dx` is term j + 1 of x and the terms of y itself are known as far as they are read
(Griewank and Walther, Evaluating Derivatives, chapter 13). What undoes a product (a quotient, a linear
system) is solved for its term k. Equal expressions are one node, so that sine and cosine, or the expression
that a rule repeats, have their terms once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from math import factorial, prod
from typing import Any, TypeVar

import numpy as np

from s2sad.ir.builder import Builder
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Kind, Op
from s2sad.ir.types import Array, Type, is_differentiable, without_sizes
from s2sad.ops.expr import Apply, Expr, Leaf, apply, leaves, lift, lower
from s2sad.ops.table import OPS
from s2sad.transforms.rules import conform, renamed, tangent

Terms = Sequence[Operand]
S = TypeVar("S", bound="Series")


class Series(ABC):
    """A value and its derivatives. `leaf` stands for the value in expressions."""

    def __init__(self, type: Type, varies: bool):
        self.leaf = Leaf(Value("", type))
        self.varies = varies and is_differentiable(type)

    @property
    def key(self) -> object:
        """What equal series have in common."""
        return self

    @property
    def placeholder(self) -> Value:
        """Return what stands for a value that is no literal."""
        assert isinstance(self.leaf.operand, Value)
        return self.leaf.operand

    @abstractmethod
    def term(self, k: int) -> Operand | None:
        """Return the derivative of order k; None for zero."""

    def value(self) -> Operand:
        """Return the term of order 0."""
        found = self.term(0)
        assert found is not None
        return found


class Constant(Series):
    """A number of the program text."""

    def __init__(self, literal: Literal):
        super().__init__(literal.type, False)
        self.leaf = Leaf(literal)

    @property
    def key(self) -> object:
        """The number."""
        return self.leaf.operand

    def term(self, k: int) -> Operand | None:
        """Return the derivative of order k."""
        return None if k else self.leaf.operand


class Given(Series):
    """A value whose derivatives are computed already, or that has none."""

    def __init__(self, value: Operand, dots: Terms | None):
        super().__init__(value.type, dots is not None)
        self.terms = (value, *(dots or ()))

    def term(self, k: int) -> Operand | None:
        """Return the derivative of order k."""
        return self.terms[k] if self.varies or not k else None


class Shifted(Series):
    """The derivative of a series."""

    def __init__(self, base: Series):
        super().__init__(base.leaf.type, True)
        self.base = base

    def term(self, k: int) -> Operand | None:
        """Return the derivative of order k."""
        return self.base.term(k + 1)


class Below(Series):
    """A series without its term of order `top`."""

    def __init__(self, base: Series, top: int):
        super().__init__(base.leaf.type, True)
        self.base, self.top = base, top

    def term(self, k: int) -> Operand | None:
        """Return the derivative of order k."""
        return None if k == self.top else self.base.term(k)


class Application:
    """An op applied to series. Its results are Nodes."""

    def __init__(
        self, taylor: Taylor, op: Op, args: tuple[Series, ...], params: dict[str, Any], types: Sequence[Type]
    ):
        self.taylor, self.op, self.args, self.params = taylor, op, args, params
        self.varies = op.kind is not Kind.NONDIFF and any(args[k].varies for k in self.places())
        self.results = tuple(taylor.noted(Node(self, k, t)) for k, t in enumerate(types))
        self.values: tuple[Operand, ...] | None = None
        self.rates: tuple[Expr | None, ...] | None = None
        self.is_linear = False

    def places(self) -> tuple[int, ...]:
        """Return the places of the arguments through which a derivative can flow."""
        chosen = self.op.linear_args if self.op.kind is Kind.LINEAR else ()
        return chosen or tuple(range(len(self.args)))

    @property
    def key(self) -> object:
        """What equal applications have in common."""
        return (self.op.name, tuple(a.key for a in self.args), tuple(sorted(self.params.items())))

    def folded(self) -> Literal | None:
        """Return the number that an expression of literals is: `v - 1.0 + 1.0` is v."""
        numbers = [a.key for a in self.args]
        if self.op.kind is not Kind.ELEMENTWISE or not all(isinstance(n, Literal) for n in numbers):
            return None
        try:
            with np.errstate(all="ignore"):
                found = self.op.evaluate(*(n.value for n in numbers if isinstance(n, Literal)), **self.params)
        except (ArithmeticError, TypeError, ValueError):
            return None
        return Literal(found) if type(found) in (int, float) else None

    def value(self, index: int) -> Operand:
        """Return a result itself, computed when it is first asked for."""
        if self.values is None:
            operands = [self.taylor.fetch(a.value()) for a in self.args]
            self.values = self.taylor.b.emit_all(self.op, *operands, **self.params)
        return self.values[index]

    def rate(self, index: int) -> Expr | None:
        """Return the derivative of a result by t, as the rule says."""
        if self.rates is None:
            dots = [self.taylor.shifted(a).leaf.operand if a.varies else None for a in self.args]
            self.rates = self.tangent(dots)
            known = {a.leaf.operand for a in (*self.args, *self.results)}
            read = [e for e in self.rates if e is not None]
            self.is_linear = all(shape_only or v not in known for v, shape_only in leaves(*read))
        return self.rates[index]

    def tangent(self, dots: Sequence[Operand | None]) -> tuple[Expr | None, ...]:
        """Return the tangents for tangents of the arguments."""
        if all(dots[k] is None for k in self.places()):
            return (None,) * len(self.results)
        args = tuple(a.leaf.operand for a in self.args)
        results = tuple(r.placeholder for r in self.results)
        params = tuple(sorted(self.params.items()))
        return tangent(Instr(self.op, args, results, params, (), self.taylor.b.origin), dots)

    def term(self, index: int, k: int) -> Expr | None:
        """Return the derivative of order k > 0 of a result."""
        if self.op.kind is Kind.LINEAR:
            return self.linear(index, k)
        if self.op.kind is Kind.BILINEAR or self.op.extra.get("bilinear"):
            return self.leibniz(k)
        if "undoes" in self.op.extra:
            place, undo = self.op.extra["undoes"]
            if not any(a.varies for j, a in enumerate(self.args) if j != place):
                return self.linear(index, k)
            below = self.taylor.noted(Below(self.results[0], k))
            lacking = undo(below.leaf, *(a.leaf for a in self.args), **self.params)
            if lacking is not None:
                return self.solved(k, place, lacking)
        rate = self.rate(index)
        if self.is_linear:
            return self.linear(index, k)
        found = None if rate is None else self.taylor.series(rate).term(k - 1)
        return None if found is None else Leaf(found)

    def linear(self, index: int, k: int) -> Expr | None:
        """Return the term of an op that is linear in its arguments jointly: the op of their terms."""
        return self.tangent([a.term(k) for a in self.args])[index]

    def leibniz(self, k: int) -> Expr | None:
        """Return the term of a product: orders that add up to k, as often as they can be chosen."""
        moving = [j for j, a in enumerate(self.args) if a.varies]
        found: dict[int, Expr] = {}
        for orders, count in self.chosen(k, [self.args[j] for j in moving]):
            order = dict(zip(moving, orders, strict=True))
            factors = [a.term(order.get(j, 0)) for j, a in enumerate(self.args)]
            if any(f is None for f in factors):
                continue
            part = apply(self.op.name, *factors, **self.params)
            found[count] = found[count] + part if count in found else part
        total: Expr | None = None
        for count, part in found.items():
            part = part if count == 1 else float(count) * part
            total = part if total is None else total + part
        return total

    def chosen(self, k: int, factors: Sequence[Series]) -> Iterator[tuple[tuple[int, ...], int]]:
        """Yield the orders of the factors and how often each choice of orders occurs."""
        square = self.op.commutes and len(factors) == 2 and factors[0].key == factors[1].key
        for orders in product(range(k, -1, -1), repeat=len(factors)):
            if sum(orders) != k or (square and orders[0] < orders[1]):
                continue
            count = factorial(k) // prod(map(factorial, orders))
            yield orders, 2 * count if square and orders[0] != orders[1] else count

    def solved(self, k: int, place: int, lacking: Expr) -> Expr | None:
        """Return the term of what undoes a product that is `args[place]`; `lacking` is that product without
        the term asked for."""
        rest = self.taylor.series(lacking).term(k)
        whole = self.args[place].term(k)
        if rest is None and whole is None:
            return None
        right = lift(rest if whole is None else whole)
        if rest is not None and whole is not None:
            right = right - lift(rest)
        operands = [right if j == place else a.value() for j, a in enumerate(self.args)]
        found = apply(self.op.name, *operands, **self.params)
        return -found if whole is None else found


class Node(Series):
    """A result of an Application. `known`: it is a value of the program, whose derivatives are to have its
    type, and names made of its own."""

    def __init__(self, made: Application, index: int, type: Type):
        super().__init__(type, made.varies)
        self.made, self.index = made, index
        self.terms: dict[int, Operand | None] = {}
        self.known: Value | None = None

    @property
    def key(self) -> object:
        """Itself, or the number that it is."""
        folded = self.made.folded()
        return self if folded is None else folded

    def term(self, k: int) -> Operand | None:
        """Return the derivative of order k, computed when it is first asked for."""
        if k and not self.varies:
            return None
        if k not in self.terms:
            if not k:
                self.terms[0] = self.made.value(self.index)
            else:
                expr = self.made.term(self.index, k)
                self.terms[k] = None if expr is None else self.placed(expr, k)
        return self.terms[k]

    def placed(self, expr: Expr, k: int) -> Operand:
        """Append the instructions of a term."""
        taylor, known = self.made.taylor, self.known
        b, value = taylor.b, known or taylor.fetch(self.value())
        name = f"{known.name}{taylor.suffixes[k - 1]}" if known is not None and known.name else ""
        out = lower(expr, b, taylor.fetch, name=name)
        first, last, is_open = out, len(b.instrs) - 1, taylor.is_open(out)
        if (
            is_open
            and self.made.op.kind is Kind.LINEAR
            and without_sizes(out.type) == without_sizes(value.type)
        ):
            out = b.retype(out, value.type)
        if known is None:
            if isinstance(value.type, Array) and out.type.shape != value.type.shape:
                out = b.emit(OPS["broadcast_like"], out, value)
        else:
            if out.type != value.type:
                out = conform(b, out, value, name)
            out = renamed(b, out, name) if is_open or out is not first else out
            taylor.finished.add(out)
        if is_open and b.instrs[last].result is not first:
            taylor.renamed[first] = b.instrs[last].result
        return out


class Taylor:
    """Series of one instruction's results. `dots` are the derivatives of the values that vary; names of
    derivatives end in `suffixes`."""

    def __init__(self, b: Builder, dots: Mapping[Value, Terms], suffixes: Sequence[str]):
        self.b, self.dots, self.suffixes = b, dots, suffixes
        self.start = len(b.instrs)
        self.finished: set[Operand] = set()
        self.renamed: dict[Operand, Operand] = {}
        self.by_leaf: dict[Operand, Series] = {}
        self.given: dict[Operand, Series] = {}
        self.shifts: dict[Series, Series] = {}
        self.applications: dict[object, Application] = {}
        self.found: dict[Expr, Series] = {}

    def root(self, instr: Instr, active: Collection[Value]) -> tuple[Node, ...]:
        """Return the series of an instruction's results; those of active ones get names and types."""
        args = tuple(map(self.of, instr.args))
        made = Application(self, instr.op, args, dict(instr.params), [r.type for r in instr.results])
        made.values = instr.results
        for node, r in zip(made.results, instr.results, strict=True):
            node.known = r if r in active else None
        self.applications[made.key] = made
        return made.results

    def of(self, a: Operand) -> Series:
        """Return the series of a value of the program."""
        if a not in self.given:
            found = Constant(a) if isinstance(a, Literal) else Given(a, self.dots.get(a))
            self.given[a] = self.noted(found)
        return self.given[a]

    def series(self, expr: Expr) -> Series:
        """Return the series of an expression over leaves of series."""
        if isinstance(expr, Leaf):
            a = expr.operand
            return self.of(a) if isinstance(a, Literal) else self.by_leaf[a]
        assert isinstance(expr, Apply)
        if expr not in self.found:
            args = tuple(map(self.series, expr.args))
            count = expr.op.results
            types = (
                [expr.type]
                if count == 1
                else [Apply(expr.op.name, expr.args, expr.params, k).type for k in range(count)]
            )
            made = Application(self, expr.op, args, expr.params, types)
            self.found[expr] = self.applications.setdefault(made.key, made).results[expr.index]
        return self.found[expr]

    def shifted(self, base: Series) -> Series:
        """Return the derivative of a series."""
        if base not in self.shifts:
            self.shifts[base] = self.noted(Shifted(base))
        return self.shifts[base]

    def noted(self, series: S) -> S:
        """Note whose leaf stands for the series, and return it."""
        self.by_leaf[series.leaf.operand] = series
        return series

    def fetch(self, a: Operand) -> Operand:
        """Return the operand that a leaf stands for."""
        found = self.by_leaf.get(a)
        a = a if found is None or isinstance(a, Literal) else found.value()
        while a in self.renamed:
            a = self.renamed[a]
        return a

    def is_open(self, a: Operand) -> bool:
        """True for what the last instruction computes, if it may still be given another name."""
        last = len(self.b.instrs) - 1
        return a not in self.finished and last >= self.start and self.b.instrs[last].results == (a,)
