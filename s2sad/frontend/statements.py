"""Reading statements. A statement list returns None where control falls through, an `End` where it
has left the block, or `Returned` where an inlined function has returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from s2sad.frontend import syntax
from s2sad.frontend.effects import Effects
from s2sad.frontend.exposed import exposed_names
from s2sad.frontend.joins import Edge
from s2sad.frontend.outcome import BROKE, RETURN, NotBoundYet, Outcome, Returned, StaticExit, Unrolled
from s2sad.frontend.slots import Loop
from s2sad.frontend.values import (
    UNBOUND,
    Abstract,
    MaybeUnbound,
    Num,
    Range,
    Static,
)
from s2sad.ir.core import Block, End, Literal, Operand, Value
from s2sad.ops import OPS


class Statements(Effects):
    """Statements."""

    def run(self, nodes: list[Any]) -> Outcome:
        """Read statements in order."""
        for k, node in enumerate(nodes):
            self.at(node)
            if self.returns_early(node):
                return self.run_returning(node, nodes[k + 1 :])
            if isinstance(node, gast.With):
                self.check_with(node)
                return self.run([*node.body, *nodes[k + 1 :]])
            method: Callable[[Any], Outcome] | None = getattr(self, "do_" + type(node).__name__, None)
            if method is None:
                self.refuse_statement(node)
            assert method is not None
            if isinstance(node, gast.For):
                self.loop_nodes[id(node.iter)] = node, nodes[k + 1 :]
            outcome = method(node)
            if outcome is not None:
                return outcome
            if isinstance(node, gast.For | gast.While) and (
                node.orelse or RETURN in self.state.frames[self.frame.id]
            ):
                return self.run_after([*self.otherwise(node), *nodes[k + 1 :]])
        return None

    def refuse_statement(self, node: Any) -> None:
        """Raise the error for a statement outside the subset."""
        what = {
            gast.Try: ("S104", "`try` is not supported", "test the condition with an `if` before the call"),
            gast.With: ("S119", "`with` is supported only for np.errstate", "open it around the call"),
            gast.ClassDef: ("S120", "classes cannot be defined here", "define the class outside"),
            gast.Global: ("S105", "writing a global is not supported", "return the value instead"),
            gast.AsyncFor: ("S102", "async code is not supported", "use a plain loop"),
            gast.AsyncWith: ("S102", "async code is not supported", "use plain code"),
            gast.AsyncFunctionDef: ("S102", "async code is not supported", "use a plain function"),
            gast.Match: ("S121", "`match` is not supported", "use if/elif"),
        }.get(
            type(node),
            ("S106", f"`{type(node).__name__}` is not supported", "write it with supported statements"),
        )
        raise self.refuse(*what, node)

    def do_Pass(self, node: Any) -> Outcome:
        """Read a `Pass` statement."""
        return None

    def do_Global(self, node: Any) -> Outcome:
        """Read a `Global` statement."""
        if any(n in syntax.assigned_names(self.frame.node.body) for n in node.names):
            self.refuse_statement(node)
        return None

    def do_Nonlocal(self, node: Any) -> Outcome:
        """Read a `Nonlocal` statement."""
        return None

    def do_Import(self, node: Any) -> Outcome:
        """Read a `Import` statement."""
        for alias in node.names:
            module = self.evaluated(lambda a=alias: __import__(a.name), node=node)
            assert isinstance(module, Static)
            value = module.value
            if alias.asname:
                for part in alias.name.split(".")[1:]:
                    value = getattr(value, part)
            self.bind(alias.asname or alias.name.split(".")[0], Static(value))
        return None

    def do_ImportFrom(self, node: Any) -> Outcome:
        """Read a `ImportFrom` statement."""
        for alias in node.names:
            module = self.evaluated(lambda a=alias: __import__(node.module, fromlist=[a.name]), node=node)
            assert isinstance(module, Static)
            self.bind(
                alias.asname or alias.name, self.captured(Static(getattr(module.value, alias.name)), node)
            )
        return None

    def do_Expr(self, node: Any) -> Outcome:
        """Read a `Expr` statement."""
        if not isinstance(node.value, gast.Constant):
            self.expr(node.value)
        return None

    def do_FunctionDef(self, node: Any) -> Outcome:
        """Read a `FunctionDef` statement."""
        if node.decorator_list:
            value: Abstract = self.make_closure(node)
            for decorator in reversed(node.decorator_list):
                value = self.decorated(self.expr(decorator), value, node)
            self.bind(node.name, value)
            return None
        if any(isinstance(n, gast.Yield | gast.YieldFrom) for n in syntax.walk(node.body)):
            raise self.refuse("S103", "generator functions are not supported", "build a list", node)
        self.bind(node.name, self.make_closure(node))
        return None

    def decorated(self, decorator: Abstract, value: Abstract, node: Any) -> Abstract:
        """Return a nested function under a decorator."""
        raise self.refuse(
            "S123", "decorators on nested functions are not supported", "define it outside", node
        )

    def do_Return(self, node: Any) -> Outcome:
        """Read a `Return` statement."""
        value = self.expr(node.value) if node.value is not None else Static(None)
        self.at(node)
        if self.frame.root:
            return self.root_return(value, node)
        loops = [x for x in self.frame.loops if isinstance(x, Loop)]
        self.state.frames[self.frame.id][RETURN] = value
        if loops:
            return self.end("break", *self.loop_values(loops[-1], leaves=True))
        return Returned()

    def returns_early(self, node: Any) -> bool:
        """True for an `if` of an inlined function that may return, outside loops."""
        if self.frame.root or any(isinstance(x, Loop) for x in self.frame.loops):
            return False
        return isinstance(node, gast.If) and syntax.has_return([node])

    def run_returning(self, node: Any, rest: list[Any]) -> Outcome:
        """Read an `if` that may return: with all that follows it in the branch that goes on, or, if more than
        one does, with that once, under the condition that it has not returned."""
        cond = self.truth(node.test)
        if isinstance(cond, Literal):
            return self.run([*(node.body if cond.value else node.orelse), *rest])
        sides = [node.body, node.orelse]
        once = all(map(syntax.falls_through, sides))
        if not once:
            sides = [[*side, *rest] if syntax.falls_through(side) else side for side in sides]
        read = self.partly if once or self.frame.goes_on else self.returning
        outcome: Outcome = self.run_if(cond, lambda: read(sides[0]), lambda: read(sides[1]))
        if outcome is not None:
            return outcome
        if once:
            return self.run_after(rest)
        return None if self.frame.goes_on else Returned()

    def partly(self, nodes: list[Any]) -> Outcome:
        """Read statements of a branch; whether they have returned tells RETURN, which may be unbound."""
        before, self.frame.goes_on = self.frame.goes_on, True
        try:
            outcome = self.run(nodes)
        finally:
            self.frame.goes_on = before
        return None if isinstance(outcome, Returned) else outcome

    def returning(self, nodes: list[Any]) -> Outcome:
        """Read statements, and what follows them to the end of an inlined function, as a branch."""
        outcome = self.to_the_end(nodes)
        return None if isinstance(outcome, Returned) else outcome

    def to_the_end(self, nodes: list[Any]) -> Outcome:
        """Read statements, and what follows them to the end of an inlined function: in an unrolled loop, its
        later trips and what comes after. A missing return gives None."""
        outcome: Outcome
        loop = self.frame.loops[-1] if self.frame.loops else None
        if isinstance(loop, Unrolled):
            depth, loop.branch_depth = loop.branch_depth, self.branch_depth
            try:
                outcome = self.run(nodes)
                if outcome is None or isinstance(outcome, StaticExit):
                    outcome = loop.later(outcome is not None and outcome.kind == "break")
            finally:
                loop.branch_depth = depth
        else:
            outcome = self.run(nodes)
        if outcome is None:
            self.state.frames[self.frame.id][RETURN] = Static(None)
            return Returned()
        return outcome

    def run_after_return(self, rest: Callable[[], Outcome], read: Callable[[], Outcome]) -> Outcome:
        """Go on with `rest` after statements of an inlined function that may have returned; with `read` where
        that is a branch."""
        scope = self.state.frames[self.frame.id]
        value = scope.pop(RETURN, UNBOUND)
        if value is UNBOUND:
            return rest()
        if not isinstance(value, MaybeUnbound):
            scope[RETURN] = value
            return Returned()

        def left() -> Outcome:
            self.state.frames[self.frame.id][RETURN] = value.value
            loops = [x for x in self.frame.loops if isinstance(x, Loop)]
            return self.end("break", *self.loop_values(loops[-1], leaves=True)) if loops else None

        if any(isinstance(x, Loop) for x in self.frame.loops):
            outcome = self.run_if(value.bound, left, lambda: None)
            return outcome if outcome is not None else rest()
        outcome = self.run_if(value.bound, left, read)
        return Returned() if outcome is None and not self.frame.goes_on else outcome

    def run_after(self, nodes: list[Any]) -> Outcome:
        """Read statements after others that may have returned."""
        read = self.partly if self.frame.goes_on else self.returning
        return self.run_after_return(lambda: self.run(nodes), lambda: read(nodes))

    def do_Break(self, node: Any) -> Outcome:
        """Read a `Break` statement."""
        return self.leave_loop("break", node)

    def do_Continue(self, node: Any) -> Outcome:
        """Read a `Continue` statement."""
        return self.leave_loop("continue", node)

    def leave_loop(self, kind: str, node: Any) -> Outcome:
        """Leave the present trip."""
        loop = self.frame.loops[-1]
        broke = self.broke(inside=1)
        if kind == "break" and broke in self.state.frames[self.frame.id]:
            self.state.frames[self.frame.id][broke] = Num(Literal(True))
        if isinstance(loop, Unrolled):
            if self.branch_depth != loop.branch_depth:
                raise self.refuse(
                    "S124",
                    f"`{kind}` under a run-time condition in a loop that is unrolled",
                    (
                        "put the rest of the trip under `else`"
                        if kind == "continue"
                        else "loop over range(n) and an array instead of a tuple or list"
                    ),
                    node,
                )
            return StaticExit(kind)
        return self.end(kind, *self.loop_values(loop, leaves=kind == "break"))

    def do_If(self, node: Any) -> Outcome:
        """Read a `If` statement."""
        cond = self.truth(node.test)
        self.at(node)
        if isinstance(cond, Literal):
            return self.run(node.body if cond.value else node.orelse)
        self.learn_sizes(cond, node)
        outcome: Outcome = self.run_if(cond, lambda: self.run(node.body), lambda: self.run(node.orelse))
        return outcome

    def learn_sizes(self, cond: Operand, node: Any) -> None:
        """Note what a check at the head of the function says: `if a != b: raise` makes sizes equal."""
        if len(self.frames) > 1 or self.branch_depth or self.frame.loops or node.orelse:
            return
        made = next((i for i in reversed(self.builder.instrs) if cond in i.results), None)
        if made is None or made.op.name != "not_equal" or not isinstance(node.body[-1], gast.Raise):
            return
        sizes = [getattr(a.type, "size", None) for a in made.args]
        if sizes[0] is not None and sizes[1] is not None:
            self.sizes.learn(sizes[0], sizes[1])

    def run_if(self, cond: Operand, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """Emit an `if`; return None if control can fall through it."""
        if isinstance(cond, Literal):
            return then() if cond.value else other()
        before, outer = self.state, self.builder
        origin = outer.origin
        edges: list[Edge] = []
        ends: list[End | None] = []
        self.branch_depth += 1
        try:
            for side in (then, other):
                self.state, self.builder = before.copy(), outer.inner()
                with self.where(cond, side is then):
                    left = self.side(side)
                assert not isinstance(left, StaticExit | Returned), "a static exit under a run-time condition"
                edges.append(Edge(self.state, self.builder))
                ends.append(left)
        except BaseException:
            self.state, self.builder = before, outer
            raise
        finally:
            self.branch_depth -= 1
        self.state, self.builder = before, outer
        outer.origin = origin
        open_edges = [e for e, end in zip(edges, ends, strict=True) if end is None]
        results: list[Value] = []
        if open_edges:
            results = self.join(before, open_edges)
        blocks = tuple(
            Block((), tuple(e.builder.instrs), self.end("yield", *e.values) if end is None else end)
            for e, end in zip(edges, ends, strict=True)
        )
        outer.owner(OPS["if"], (cond,), blocks, tuple(results))
        return None if open_edges else self.end("unreachable")

    def side(self, read: Callable[[], Any]) -> Any:
        """Return the outcome of one branch."""
        depth = len(self.frames)
        try:
            return self.unless_waiting(read)
        except NotBoundYet:
            del self.frames[depth:]
            return self.end("unreachable")

    def loop_names(self, node: Any) -> tuple[list[str], set[str]]:
        """Return the names a loop assigns, and those of them that may be read after it."""
        names = syntax.assigned_names([*node.body, node.target if isinstance(node, gast.For) else node.test])
        escaping = set(syntax.loaded_outside(self.frame.node, node, tuple(names)))
        escaping |= exposed_names(node) & set(names)
        if not self.frame.root and syntax.has_return(node.body):
            names.append(RETURN)
            escaping.add(RETURN)
        if syntax.leaves_loop(node.body, gast.Break) and node.orelse:
            names.append(self.broke())
        names += [n for n in self.state.frames[self.frame.id] if n.startswith("$acc")]
        return names, escaping

    def broke(self, inside: int = 0) -> str:
        """Return the name of the flag that says that a loop was left by break: of the next loop to be
        entered, or of the one that we are `inside`."""
        return f"{BROKE}{len(self.frame.loops) - inside}"

    def do_For(self, node: Any) -> Outcome:
        """Read a `For` statement."""
        offsets = syntax.offsets(node)
        iterable = self.expr(node.iter) if offsets is None else Range(*map(Literal, offsets))
        names, escaping = self.loop_names(node)
        scope = self.state.frames[self.frame.id]
        if self.broke() in names:
            scope[self.broke()] = Num(Literal(False))
        self.at(node)
        self.unrolled_exit = None
        self.run_for(iterable, node.iter, node.target, lambda: self.run(node.body), names, escaping)
        if self.unrolled_exit is not None:
            left: Outcome = self.unrolled_exit
            self.unrolled_exit = None
            return left
        return None

    def otherwise(self, node: Any) -> list[Any]:
        """Return the `else` of a loop, which runs unless that was left by break, as what follows it."""
        if not node.orelse or not syntax.leaves_loop(node.body, gast.Break):
            return list(node.orelse)
        test = gast.copy_location(gast.Name(self.broke(), gast.Load(), None, None), node)
        nothing = gast.copy_location(gast.Pass(), node)
        return [gast.copy_location(gast.If(test, [nothing], node.orelse), node)]

    def do_While(self, node: Any) -> Outcome:
        """Read a `While` statement."""
        names, escaping = self.loop_names(node)
        scope = self.state.frames[self.frame.id]
        if self.broke() in names:
            scope[self.broke()] = Num(Literal(False))
        plain = not syntax.has_walrus(node.test)
        static = isinstance(node.test, gast.Constant)
        if static and not node.test.value:
            return None
        self.at(node)

        def trip(loop: Loop) -> tuple[tuple[Value, ...], tuple[Block, ...], tuple[Operand, ...]]:
            params = tuple(loop.params)
            if plain:
                cond_block = self.condition_block(node, params)
            else:
                cond_block = Block(params, (), self.end("yield", Literal(True)))
            left = self.run_guarded(node, loop) if not plain else self.run(node.body)
            end = self.end("yield", *self.loop_values(loop)) if left is None else left
            assert isinstance(end, End)
            return (), (cond_block, Block(params, tuple(self.builder.instrs), end)), ()

        self.run_loop(names, escaping, trip, "while")
        if static and not syntax.leaves_loop(node.body, gast.Break):
            return self.after_endless(node)
        return None

    def after_endless(self, node: Any) -> Outcome:
        """Return what comes after `while True` without a break: only a return leads out of it."""
        if self.frame.root or not syntax.has_return(node.body):
            return self.end("unreachable")
        value = self.state.frames[self.frame.id][RETURN]
        if isinstance(value, MaybeUnbound):
            value = value.value
        self.state.frames[self.frame.id][RETURN] = value
        return None

    def condition_block(self, node: Any, params: tuple[Value, ...]) -> Block:
        """Return the block that computes a while loop's condition."""
        before, outer = self.state, self.builder
        self.state, self.builder = before.copy(), outer.inner()
        self.at(node)
        cond = self.truth(node.test)
        block = Block(params, tuple(self.builder.instrs), self.end("yield", cond))
        self.state, self.builder = before, outer
        return block

    def run_guarded(self, node: Any, loop: Loop) -> Outcome:
        """Read a loop whose condition binds names: `while True: if not cond: break; body`."""
        cond = self.truth(node.test)
        outcome: Outcome = self.run_if(
            cond, lambda: None, lambda: self.end("break", *self.loop_values(loop, leaves=True))
        )
        return outcome if outcome is not None else self.run(node.body)

    def check_with(self, node: Any) -> None:
        """Refuse a `with` that means something to numbers."""
        for item in node.items:
            value = self.expr(item.context_expr) if isinstance(item.context_expr, gast.Call) else None
            if not (isinstance(value, Static) and isinstance(value.value, np.errstate)):
                self.refuse_statement(node)
