"""Searches inside a program, whose steps are not differentiated: for a root, x with F(x) = 0, and for others.

By the implicit function theorem x_dot = -F_dot / F'(x), F_dot with x held: one division, and no tape of the
search. What F reads around it are operands of the call; x itself is a result of the same call, so that this
holds for derivatives of every order.
"""

from __future__ import annotations

from typing import Any

from s2sad.frontend.callees import NotPure
from s2sad.frontend.custom import Reading, Ruled, ruled_function
from s2sad.frontend.fit import Out, arranged
from s2sad.frontend.solves import LinearSolves
from s2sad.frontend.values import Abstract, Static
from s2sad.ir.builder import Builder
from s2sad.ir.core import Function, Literal, Operand, Value
from s2sad.ir.rule import Link, Read, Rule, Tangent
from s2sad.ir.transformed import Transformed
from s2sad.ir.types import is_differentiable
from s2sad.ir.walk import draws
from s2sad.record import replace


class Solutions(LinearSolves):
    """Roots of functions of one number."""

    def form_solution(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`solution(F, search, *data)`."""
        function, search, *data = args
        found = self.searched(search, (function, *data), node)
        x = Value("x", found.fn.result_types[0])
        residual, read = self.function_of(function, (self.wrap(x),), {}, node)
        if [(t.ndim, t.dtype.kind) for t in residual.result_types] != [(0, "f")]:
            why = "the function whose root is sought does not return a float"
            raise self.mismatch("S354", why, "return a float", node)
        held = [*found.operands, *found.lifted]
        more = [v for v in dict.fromkeys(read[1:]) if isinstance(v, Value) and v not in held]
        places = [*range(len(held)), *(None for _ in more)]
        params = [*found.fn.params, *(Value(v.name, self.parameter_type(v.type)) for v in more)]
        fn = arranged(found.fn, places, params, [Out(k) for k in range(len(found.fn.result_types))])
        held += more
        first = {held.index(v): k for k, v in enumerate(read) if k and v in held}
        flat = arranged(residual, [0, *map(first.get, range(len(held)))], [x, *fn.params], [Out(0)])
        varied = tuple(k for k in sorted(first) if is_differentiable(held[k].type))
        rule = Rule("solution", varied, fn.origin)
        ruled = Ruled(fn, found.fn, rule, (), shares=False)
        rule.pending = self.later(rule, lambda: self.rule_of_root(ruled, flat, node), node)
        return self.from_tree(found.fn.result, [self.wrap(r) for r in self.emit_ruled(ruled, held)])

    def form_apart(self, args: tuple[Abstract, ...], kwargs: Any, node: Any) -> Abstract:
        """`apart(search, *data)`."""
        found = self.searched(args[0], args[1:], node)
        held = [*found.operands, *found.lifted]
        outs = [Out(k) for k in range(len(found.fn.result_types))]
        fn = arranged(found.fn, range(len(held)), found.fn.params, outs)
        ruled = Ruled(fn, found.fn, Rule(fn.name, (), fn.origin), (), shares=False)
        return self.from_tree(found.fn.result, [self.wrap(r) for r in self.emit_ruled(ruled, held)])

    def searched(self, search: Abstract, args: tuple[Abstract, ...], node: Any) -> Reading:
        """Return a search, read; all that is in it has the place of the call."""
        assert isinstance(search, Static)
        source = replace(self.source(search.value), call=self.place(node))
        names = self.bound_arguments(source.node, {}, args, {}, source.name, node)
        operands: list[Operand] = []
        trees = {name: self.argument_tree(v, operands, [], True, node) for name, v in names.items()}
        try:
            fn, lifted = self.build_callee(source, source.node, None, trees, operands, node, own=False)
        except NotPure:
            why = "a function that a solver of SciPy calls must not write what it did not make"
            raise self.refuse("S127", why, "copy first, and return what is new", node) from None
        if draws(fn):
            why = "a function that a solver of SciPy calls must not draw random numbers"
            raise self.refuse("S118", why, "draw before, and pass the numbers", node)
        return Reading(fn, tuple(operands), lifted)

    def rule_of_root(self, ruled: Ruled, flat: Function, node: Any) -> list[Value]:
        """Fill in the rule of a search for a root of `flat`, of which all it reads are parameters."""
        outer, origin = self.builder, ruled.fn.origin
        try:
            self.builder = Builder(self.sizes, origin)
            ruled.rule.tangent = self.tangent_of_root(ruled, flat, node)
            self.builder = Builder(self.sizes, origin)
            self.builder.role = "reverse"
            ruled.rule.link = self.link_of_root(ruled, flat, node)
        finally:
            self.builder = outer
        return []

    def tangent_of_root(self, ruled: Ruled, flat: Function, node: Any) -> Tangent:
        """Return the rule for forward mode."""
        targets = ruled.rule.targets
        held = [Value(p.name, p.type) for p in ruled.fn.params]
        dots = [Value(f"{held[k].name}_dot", held[k].type) for k in targets]
        values = self.emit_ruled(ruled, held)
        varied = (False, *(k in targets for k in range(len(held))))
        made = self.derive(Transformed("jvp", None, 0, varied=varied), flat, node)
        point: list[Operand] = [values[0], *held]
        missed = self.emit_call(made, self.with_seeds(made, flat, point, list(dots), node))[1]
        made = self.derive(Transformed("jvp", None, 0, varied=(True, *(False for _ in held))), flat, node)
        slope = self.emit_call(made, self.with_seeds(made, flat, point, [Literal(1.0)], node))[1]
        x_dot = self.emit("negative", self.emit("divide", missed, slope))
        params = [*held, *dots]
        block = self.builder.block((), "return", *values, x_dot)
        outs = [*(Out(k) for k in range(len(values))), Out(len(values), values[0].type)]
        whole = replace(ruled.fn, params=tuple(params), block=block)
        return Tangent(arranged(whole, range(len(params)), params, outs), {0: len(values)})

    def link_of_root(self, ruled: Ruled, flat: Function, node: Any) -> Link:
        """Return the rule for reverse mode."""
        targets, t = ruled.rule.targets, ruled.fn.result_types[0]
        held = [Value(p.name, p.type) for p in ruled.fn.params]
        x, seed = Value("x", t), Value("x_bar", t)
        record = Transformed("vjp", None, (0, *(1 + k for k in targets)))
        made = self.derive(record, flat, node)
        seeded = self.with_seeds(made, flat, [x, *held], [Literal(1.0)], node)
        _, slope, *bars = self.emit_call(made, seeded)
        scale = self.emit("negative", self.emit("divide", seed, slope))
        params = [x, seed, *held]
        block = self.builder.block((), "return", *(self.emit("multiply", scale, b) for b in bars))
        outs = [Out(k, held[j].type) for k, j in enumerate(targets)]
        whole = replace(ruled.fn, params=tuple(params), block=block)
        reads: list[Read] = [("result", 0), ("seed", 0), *(("argument", k) for k in range(len(held)))]
        forward = ruled_function(ruled, ruled.fn, self.sizes, ruled.fn.origin)  # again with its rule
        reverse = arranged(whole, range(len(params)), params, outs)
        return Link(forward, reverse, tuple(reads), len(ruled.fn.result_types), targets)
