"""The derivative of what scipy.optimize returns: that of the equation, not of the iterations.

`root` and `fsolve` solve F(x, theta) = 0; at what `minimize`, `minimize_scalar` and `least_squares` return,
the gradient in x is 0. The implicit function theorem gives dx/dtheta from one linear system
(`s2sad/implicit.py` has the source); what is minimal there has the derivative in theta at fixed x (the
envelope theorem).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.frontend.custom import Ruled, ruled_function
from s2sad.frontend.dense import dense
from s2sad.frontend.external import Externals
from s2sad.frontend.fit import Out, arranged
from s2sad.frontend.scipy_solvers import Solver, half_squares
from s2sad.frontend.values import (
    Abstract,
    Callee,
    Static,
)
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Operand, Parameter, Value
from s2sad.ir.rule import Link, Read, Rule
from s2sad.ir.transformed import Transformed
from s2sad.ir.tree import Leaf, Node, Tree
from s2sad.ir.types import INT, WEAK_BOOL, Array, Scalar, Type, is_differentiable
from s2sad.ops import OPS
from s2sad.record import dataclass, replace

FLOAT = np.dtype(np.float64)
NUMBER = Scalar(FLOAT, weak=False)


@dataclass(frozen=True, slots=True, eq=False)
class Slope(Callee):
    """The derivative in x of an equation, or its transpose, at certain operands: a linear function."""

    called = "call_slope"
    equation: Function
    held: tuple[Operand, ...]
    transposed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A call of SciPy that has been read. All functions take x, then what `around` holds; they are passed by
    `names`. `others` is held by the operands of keywords."""

    solver: Solver
    x: Type
    guess: Operand | None
    around: tuple[Operand, ...]
    others: tuple[Operand, ...]
    callees: tuple[Function, ...]
    names: tuple[str, ...]
    keywords: tuple[tuple[str, Tree], ...]
    fields: tuple[str, ...]
    objective: Function | None  # one number, or the residuals of least_squares
    residual: Function | None  # a vector: what is to be 0

    @property
    def held(self) -> tuple[Operand, ...]:
        """Return all operands."""
        return (*(() if self.guess is None else (self.guess,)), *self.around, *self.others)


class Stationary(Externals):
    """Solvers and minimisers of SciPy, with their rules."""

    def solved_by(self, problem: Problem, node: Any) -> tuple[Value, ...]:
        """Append the call of SciPy, with the rule of what it solves; return what can be read of it."""
        held = problem.held
        params = tuple(Value(_held_name(problem, k), self.parameter_type(a.type)) for k, a in enumerate(held))
        results = tuple(Value("", t) for t in self.field_types(problem))
        static = {
            "callees": problem.callees,
            "count": len(problem.around),
            "guess": problem.guess is not None,
            "keywords": problem.keywords,
            "names": problem.names,
            "reads": problem.fields,
            "solver": problem.solver.name,
        }
        origin = self.place(node)
        instr = Instr(OPS["optimize"], params, results, tuple(sorted(static.items())), (), origin)
        fn = _leafwise(problem.solver.name, params, Block((), (instr,), End("return", results)), origin)
        first = int(problem.guess is not None)
        varied = [k for k, a in enumerate(problem.around) if is_differentiable(a.type)]
        rule = Rule(problem.solver.name, tuple(first + k for k in varied), origin)
        ruled = Ruled(fn, fn, rule, (), shares=False)
        rule.pending = self.later(rule, lambda: self.link_solver(ruled, problem, varied, node), node)
        return self.emit_ruled(ruled, held)

    def field_types(self, problem: Problem) -> list[Type]:
        """Return the types of what can be read of a solution."""
        found: list[Type] = []
        for name in problem.fields or ("x",):
            match name:
                case "x":
                    found.append(problem.x)
                case "fun":
                    vector = problem.solver.is_residual(problem.solver.functions[0])
                    found.append(self.residual_type(problem) if vector else NUMBER)
                case "cost" | "optimality":
                    found.append(NUMBER)
                case "success":
                    found.append(WEAK_BOOL)
                case _:
                    found.append(Scalar(INT, weak=True, size=self.sizes.fresh_int()))
        return found

    def residual_type(self, problem: Problem) -> Type:
        """Return the type of the residuals in a solution: those of root are float64."""
        t = problem.callees[0].result_types[0]
        return self.parameter_type(t if problem.solver.name == "least_squares" else Array(FLOAT, t.shape))

    def link_solver(self, ruled: Ruled, problem: Problem, varied: list[int], node: Any) -> list[Value]:
        """Fill in the rule of a solver: with F(x, theta) = 0, x_dot = -(dF/dx)^-1 dF/dtheta theta_dot, and
        theta_bar = -(dF/dtheta)^T (dF/dx)^-T x_bar."""
        symmetric = problem.residual is None
        equation = problem.residual if problem.residual is not None else self.stationary(problem, node)
        first = int(problem.guess is not None)
        params = ruled.fn.params[first : first + len(problem.around)]
        x, seed = (Value(name, problem.x) for name in ("x", "x_bar"))
        held = [Value(p.name, p.type) for p in params]
        place = problem.fields.index("x") if problem.fields else 0

        def solve(at: tuple[Operand, ...], b: Operand, transposed: bool) -> Operand:
            flags: dict[str, Abstract] = {"symmetric": Static(symmetric)}
            slope = Slope(equation, at, transposed and not symmetric)
            return self.operand(self.form_linear_solve((slope, self.wrap(b), Static(dense)), flags, node))

        def bars() -> list[Operand]:
            adjoint = self.emit("negative", solve((x, *held), seed, True))
            return self.pulled_at(equation, [x, *held], varied, adjoint, node)

        def dot(results: tuple[Value, ...], operands: list[Value], dots: list[Value]) -> Operand:
            at = (results[place], *operands[first : first + len(held)])
            return solve(at, self.emit("negative", self.pushed_at(equation, at, varied, dots, node)), False)

        ruled.rule.tangent = self.tangent_by(ruled, place, dot)
        reads: list[Read] = [("result", place), ("seed", place)]
        reads += [("argument", first + k) for k in range(len(held))]
        self.link_by(ruled, (x, seed, *held), reads, bars)
        return []

    def stationary(self, problem: Problem, node: Any) -> Function:
        """Return the gradient in x of what is minimal."""
        return self.derive(Transformed("grad", None, 0), self.minimal(problem, node), node)

    def minimal(self, problem: Problem, node: Any) -> Function:
        """Return what is minimal, as one number."""
        fn = problem.objective
        assert fn is not None
        if problem.solver.name != "least_squares":
            return fn
        values = [Value(p.name, p.type) for p in fn.params]
        builder, self.builder = self.builder, Builder(self.sizes, fn.origin)
        try:
            (found,) = self.emit_call(fn, list(values))
            total = self.operand(self.call_program(half_squares, (self.wrap(found),), {}, node))
            block = self.builder.block((), "return", total)
        finally:
            self.builder = builder
        return replace(fn, params=tuple(values), block=block, result=Leaf(0))

    def pulled_at(
        self, fn: Function, held: list[Operand], varied: Sequence[int], seed: Operand, node: Any
    ) -> list[Operand]:
        """Return the cotangents of what a function of x and others reads beside x, for one of its result."""
        if not varied:
            return []
        record = Transformed("vjp", None, tuple(1 + k for k in varied))
        made = self.derive(record, fn, node)
        return list(self.emit_call(made, self.with_seeds(made, fn, held, [seed], node))[1:])

    def link_by(
        self, ruled: Ruled, params: tuple[Value, ...], reads: list[Read], bars: Callable[[], list[Operand]]
    ) -> None:
        """Fill in a rule whose reverse half has these parameters and returns what `bars` appends."""
        outer, self.builder = self.builder, Builder(self.sizes, ruled.fn.origin)
        self.builder.role = "reverse"
        try:
            block = self.builder.block((), "return", *bars())
        finally:
            self.builder = outer
        whole = replace(ruled.fn, params=params, block=block)
        outs = [Out(k, ruled.fn.params[j].type) for k, j in enumerate(ruled.rule.targets)]
        reverse = arranged(whole, list(range(len(params))), params, outs)
        forward = ruled_function(ruled, ruled.fn, self.sizes, ruled.fn.origin)  # again with its rule
        ruled.rule.link = Link(forward, reverse, tuple(reads), len(ruled.fn.result_types), ruled.rule.targets)

    def attached(self, problem: Problem, name: str, found: dict[str, Value], node: Any) -> Operand:
        """Return a part of a solution with its derivative at fixed x: what is minimal has no other. The
        residuals of least squares have that in x as well."""
        raw, fn = found[name], problem.objective
        if fn is None or name not in ("fun", "cost") or not is_differentiable(raw.type):
            return raw
        with_x = problem.solver.name == "least_squares" and name == "fun"
        held = (raw, found["x"], *problem.around)
        params = tuple(Value(a.name or "value", self.parameter_type(a.type)) for a in held)
        origin = self.place(node)
        block = Block((), (), End("return", (params[0],), origin=origin))
        whole = _leafwise(f"{name}_of_{problem.solver.name}", params, block, origin)
        varied = [k for k, a in enumerate(problem.around) if is_differentiable(a.type)]
        targets = [*((1,) if with_x else ()), *(2 + k for k in varied)]
        rule = Rule(whole.name, tuple(targets), origin)
        ruled = Ruled(whole, whole, rule, (), shares=False)

        def fill() -> list[Value]:
            seed, *inner = (Value(p.name, p.type) for p in params)
            base = fn if with_x or name == "fun" else self.minimal(problem, node)
            places = [*((-1,) if with_x else ()), *varied]
            reads: list[Read] = [("seed", 0), *(("argument", k) for k in range(1, len(params)))]
            self.link_by(
                ruled, (seed, *inner), reads, lambda: self.pulled_at(base, list(inner), places, seed, node)
            )
            ruled.rule.tangent = self.tangent_by(
                ruled, 0, lambda _, operands, dots: self.pushed_at(base, operands[1:], places, dots, node)
            )
            return []

        rule.pending = self.later(rule, fill, node)
        return self.emit_ruled(ruled, held)[0]

    def call_slope(
        self, function: Slope, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str
    ) -> Abstract:
        """Return the product of the derivative of an equation, or its transpose, with a vector."""
        seed, equation = self.operand(args[0], node), function.equation
        if function.transposed:
            record = Transformed("vjp", None, 0)
        else:
            count = len(equation.params)
            record = Transformed("jvp", None, 0, varied=tuple(k == 0 for k in range(count)))
        made = self.derive(record, equation, node)
        held = self.with_seeds(made, equation, list(function.held), [seed], node)
        return self.wrap(self.emit_call(made, held)[1])


def _held_name(problem: Problem, k: int) -> str:
    first = int(problem.guess is not None)
    if k < first:
        return "x0"
    if k - first < len(problem.around):
        return problem.callees[0].params[1 + k - first].name
    return problem.held[k].name


def _leafwise(name: str, params: tuple[Value, ...], block: Block, origin: Any) -> Function:
    """Return a function of leaves."""
    places = tuple(range(len(block.end.args)))
    result: Tree = Leaf(0) if len(places) == 1 else Node("tuple", places, tuple(map(Leaf, places)))
    signature = tuple(Parameter(f"p{k}", Leaf(k)) for k in range(len(params)))
    extra = {"fresh_results": True, "inline": True}
    return Function(name, params, block, signature, result, origin=origin, extra=extra)
