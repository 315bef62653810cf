"""custom_linear_solve inside a program: the solution of a linear system has the derivative of a solution.

With A(t) x = b: x_dot = A^-1 (b_dot - A_dot x); b_bar = A^-T x_bar, t_bar = -(d(A x)/dt)^T b_bar.
What the operator reads around it are operands of the call; the transposed system is solved by a call of the
same kind, so that this holds for derivatives of every order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from s2sad.frontend.custom import CustomRules, Reading, Ruled, ruled_function
from s2sad.frontend.fit import Out, arranged, misfit
from s2sad.frontend.values import Abstract, Callee, Static
from s2sad.ir.builder import Builder
from s2sad.ir.core import Function, Operand, Value
from s2sad.ir.rule import Link, Read, Rule, Tangent
from s2sad.ir.transformed import Transformed, record_of
from s2sad.ir.types import Type, is_differentiable
from s2sad.record import dataclass, replace


@dataclass(frozen=True, slots=True, eq=False)
class Transposed(Callee):
    """The transpose of a linear function, as a function value."""

    called = "call_transposed"
    matvec: Abstract


@dataclass(frozen=True, slots=True)
class System:
    """A linear operator as a function value, and how to solve with it and with its transpose."""

    matvec: Abstract
    solve: Abstract
    transpose_solve: Abstract
    symmetric: bool

    @property
    def transposed(self) -> System:
        """Return the system with the transposed operator."""
        if self.symmetric:
            matvec = self.matvec
        else:
            matvec = self.matvec.matvec if isinstance(self.matvec, Transposed) else Transposed(self.matvec)
        return System(matvec, self.transpose_solve, self.solve, self.symmetric)


class LinearSolves(CustomRules):
    """Linear systems whose operator is a function."""

    def call_transformed(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling an object of the API, with the defaults of custom_linear_solve."""
        record = record_of(function)
        if record is not None and record.kind == "linear_solve":
            rest = list(inspect.signature(function).parameters.values())[len(args) :]
            defaults = {p.name: Static(p.default) for p in rest if p.default is not p.empty}
            kwargs = {**defaults, **kwargs}
        return super().call_transformed(function, args, kwargs, node, name)

    def form_linear_solve(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """`custom_linear_solve(matvec, b, solve, transpose_solve, symmetric)`."""
        names = ("matvec", "b", "solve", "transpose_solve", "symmetric")
        given = dict(zip(names, args, strict=False)) | kwargs
        missing = [k for k in names[:3] if k not in given]
        if missing:
            raise self.mismatch("S319", f"TypeError: custom_linear_solve() needs {missing[0]}", "", node)
        solve = given["solve"]
        if isinstance(solve, Static) and not callable(solve.value):
            why = f"TypeError: custom_linear_solve() solves with a function, not with {solve.value!r}"
            raise self.mismatch("S319", why, "pass one of s2sad.solvers, or one of your own", node)
        transpose_solve = given.get("transpose_solve", Static(None))
        if isinstance(transpose_solve, Static) and transpose_solve.value is None:
            transpose_solve = solve
        symmetric = bool(self.static_value(given.get("symmetric", Static(False)), "`symmetric`", node))
        system = System(given["matvec"], solve, transpose_solve, symmetric)
        b = self.contents(given["b"])
        ruled = self.solved(system, b, None, node)
        results = self.emit_ruled(ruled, [self.operand(b, node), *ruled.around])
        return self.wrap(results[0])

    def call_transposed(
        self, function: Transposed, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str
    ) -> Abstract:
        """Return the transpose of a linear function, applied: its vjp, which is the same at every point."""
        v = args[0]
        fn, operands = self.function_of(function.matvec, (v,), {}, node)
        made = self.derive(Transformed("vjp", None, 0), fn, node)
        seed = self.operand(v, node)
        point = self.convert(self.emit("zeros_like", seed, dtype=None), fn.params[0].type)
        held = self.with_seeds(made, fn, [point, *operands[1:]], [seed], node)
        return self.wrap(self.emit_call(made, held)[1])

    def solved(self, system: System, b: Abstract, around: tuple[Value, ...] | None, node: Any) -> Ruled:
        """Return the solver of a system, with its rule, for right sides like `b`. What system and transposed
        system read around them is `around`, or found out."""
        product, operands = self.function_of(system.matvec, (b,), {}, node)
        self.as_the_right_side(product, self.operand(b, node).type, node)
        solver = self.reading(system.solve, (system.matvec, b), node)
        read = [v for v in (*operands[1:], *solver.around) if isinstance(v, Value)]
        if around is None:
            other = self.reading(system.transpose_solve, (system.transposed.matvec, b), node)
            around = tuple(dict.fromkeys([*read, *other.around]))
        if not set(read) <= set(around):
            why = "what a linear solver reads around it changes with its operator"
            raise self.refuse("S129", why, "pass it to the solver", node)
        t = self.parameter_type(self.operand(b, node).type)
        params = [Value("b", t), *(Value(v.name, self.parameter_type(v.type)) for v in around)]
        fn = self.one_like(solver, params, around, "a linear solver")
        flat = self.one_like(Reading(product, tuple(operands), ()), params, around, "a linear operator")
        varied = [k for k, v in enumerate(around) if v in operands and is_differentiable(v.type)]
        rule = Rule(fn.name, (0, *(1 + k for k in varied)), fn.origin)
        ruled = Ruled(fn, fn, rule, around, shares=False)
        rule.pending = self.later(rule, lambda: self.link_solve(ruled, system, flat, varied, node), node)
        return ruled

    def as_the_right_side(self, product: Function, t: Type, node: Any) -> None:
        """Note that what an operator returns has the shape of its argument (else it raises when it runs, and
        the variant is for these sizes only): the rule would find out when nothing can be noted any more."""
        for n, m in zip(product.result_types[0].shape, t.shape, strict=False):
            if self.sizes.example(n) == self.sizes.example(m):
                self.sizes.equal(n, m, self.place(node))
            else:
                self.sizes.pin(n, self.place(node))
                self.sizes.pin(m, self.place(node))

    def one_like(self, read: Reading, params: list[Value], around: tuple[Value, ...], what: str) -> Function:
        """Return a function of a right side as one of it and of all values around, its result like it."""
        fn, t = read.fn, params[0].type
        if len(fn.result_types) != 1 or fn.result_types[0].ndim != t.ndim:
            raise misfit(fn, f"{what} must return what is like its argument: {t}")
        place = {v: 1 + k for k, v in enumerate(read.around)}
        fits = self.one_shape(fn.result_types[0], t)
        return arranged(
            fn, [0, *(place.get(v) for v in around)], params, [Out(0, t, like_param=None if fits else 0)]
        )

    def link_solve(
        self, ruled: Ruled, system: System, product: Function, varied: list[int], node: Any
    ) -> list[Value]:
        """Fill in the rule of a solver."""
        params = ruled.fn.params
        x, seed = (Value(name, params[0].type) for name in ("x", "x_bar"))
        held = [Value(p.name, p.type) for p in params[1:]]
        outer, self.builder = self.builder, Builder(self.sizes, ruled.fn.origin)
        self.builder.role = "reverse"
        try:
            back = self.solved(system.transposed, self.wrap(seed), ruled.around, node)
            (b_bar,) = self.emit_ruled(back, [seed, *held])
            bars: list[Operand] = [b_bar]
            if varied:
                record = Transformed("vjp", None, tuple(1 + k for k in varied))
                made = self.derive(record, product, node)
                found = self.emit_call(made, self.with_seeds(made, product, [x, *held], [b_bar], node))
                bars += (self.emit("negative", a) for a in found[1:])
            block = self.builder.block((), "return", *bars)
        finally:
            self.builder = outer
        whole = replace(ruled.fn, params=(x, seed, *held), block=block)
        like = whole.params
        outs = [Out(k, params[j].type) for k, j in enumerate(ruled.rule.targets)]
        reverse = arranged(whole, list(range(len(like))), like, outs)
        reads: list[Read] = [("result", 0), ("seed", 0), *(("argument", 1 + k) for k in range(len(held)))]
        forward = ruled_function(ruled, ruled.fn, self.sizes, ruled.fn.origin)  # again with its rule
        ruled.rule.link = Link(forward, reverse, tuple(reads), 1, ruled.rule.targets)
        ruled.rule.tangent = self.tangent_of_solve(ruled, product, varied, node)
        return []

    def tangent_of_solve(self, ruled: Ruled, product: Function, varied: list[int], node: Any) -> Tangent:
        """Return the rule for forward mode: another system with the same operator."""

        def dot(results: tuple[Value, ...], params: list[Value], dots: list[Value]) -> Operand:
            side: Operand = dots[0]
            if varied:
                held = [results[0], *params[1:]]
                side = self.emit("subtract", side, self.pushed_at(product, held, varied, dots[1:], node))
            return self.emit_ruled(ruled, [side, *params[1:]])[0]

        return self.tangent_by(ruled, 0, dot)

    def pushed_at(
        self, fn: Function, held: Sequence[Operand], varied: Sequence[int], dots: Sequence[Operand], node: Any
    ) -> Operand:
        """Return the tangent of a function of x and others along what it reads beside x."""
        flags = tuple(k - 1 in varied for k in range(len(fn.params)))
        made = self.derive(Transformed("jvp", None, 0, varied=flags), fn, node)
        return self.emit_call(made, self.with_seeds(made, fn, list(held), list(dots), node))[1]

    def tangent_by(
        self,
        ruled: Ruled,
        place: int,
        dot: Callable[[tuple[Value, ...], list[Value], list[Value]], Operand],
    ) -> Tangent:
        """Return a rule for forward mode: what `dot` appends, of the results of the call, its operands and
        their tangents, is the tangent of one of the results."""
        params = [Value(p.name, p.type) for p in ruled.fn.params]
        dots = [Value(f"{params[k].name}_dot", params[k].type) for k in ruled.rule.targets]
        outer, self.builder = self.builder, Builder(self.sizes, ruled.fn.origin)
        try:
            results = self.emit_ruled(ruled, params)  # with its rule: for derivatives of higher order
            self.builder.role = "tangent"
            block = self.builder.block((), "return", *results, dot(results, params, dots))
        finally:
            self.builder = outer
        whole = replace(ruled.fn, params=(*params, *dots), block=block)
        count = len(results)
        outs = [*map(Out, range(count)), Out(count, ruled.fn.result_types[place])]
        return Tangent(arranged(whole, list(range(len(whole.params))), whole.params, outs), {place: count})
