"""Reading statements. A statement list returns None where control falls through, an `End` where it
has left the block, or `Returned` where an inlined function has returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from s2sad.frontend import syntax
from s2sad.frontend.arrays import describe
from s2sad.frontend.calls import Calls
from s2sad.frontend.iterate import StaticExit, Unrolled
from s2sad.frontend.joins import Edge
from s2sad.frontend.loops import Loop
from s2sad.frontend.values import (
    UNBOUND,
    Abstract,
    Box,
    MaybeUnbound,
    Num,
    Ref,
    Series,
    Static,
    Struct,
)
from s2sad.ir.core import Block, End, Literal, Operand, Value
from s2sad.ops import OPS
from s2sad.ops.expr import apply

RETURN, BROKE = "$return", "$broke"


class Returned:
    """An inlined function has returned; the value is bound to RETURN in its frame."""


Outcome = End | Returned | StaticExit | None


class Statements(Calls):
    """Statements."""

    def run(self, nodes: list[Any]) -> Outcome:
        """Read statements in order."""
        for k, node in enumerate(nodes):
            self.at(node)
            if self.returns_early(node):
                return self.run_returning(node, nodes[k + 1 :])
            method: Callable[[Any], Outcome] | None = getattr(self, "do_" + type(node).__name__, None)
            if method is None:
                self.refuse_statement(node)
            assert method is not None
            outcome = method(node)
            if outcome is not None:
                return outcome
            if isinstance(node, gast.For | gast.While) and RETURN in self.state.frames[self.frame.id]:
                return self.run_after_loop(nodes[k + 1 :])
        return None

    def refuse_statement(self, node: Any) -> None:
        """Raise the error for a statement outside the subset."""
        what = {
            gast.Try: ("S104", "`try` is not supported", "test the condition with an `if` before the call"),
            gast.With: ("S119", "`with` is supported only for np.errstate", ""),
            gast.ClassDef: ("S120", "classes cannot be defined here", "define the class outside"),
            gast.Global: ("S105", "writing a global is not supported", "return the value instead"),
            gast.AsyncFor: ("S102", "async code is not supported", "use a plain loop"),
            gast.AsyncWith: ("S102", "async code is not supported", "use plain code"),
            gast.AsyncFunctionDef: ("S102", "async code is not supported", "use a plain function"),
            gast.Match: ("S121", "`match` is not supported", "use if/elif"),
        }.get(type(node), ("S106", f"`{type(node).__name__}` is not supported", ""))
        raise self.refuse(*what, node)

    # -- simple statements -------------------------------------------------------------------------------
    def do_Pass(self, node: Any) -> Outcome:
        return None

    def do_Global(self, node: Any) -> Outcome:
        if any(n in syntax.assigned_names(self.frame.node.body) for n in node.names):
            self.refuse_statement(node)
        return None

    def do_Nonlocal(self, node: Any) -> Outcome:
        return None

    def do_Import(self, node: Any) -> Outcome:
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
        for alias in node.names:
            module = self.evaluated(lambda a=alias: __import__(node.module, fromlist=[a.name]), node=node)
            assert isinstance(module, Static)
            self.bind(alias.asname or alias.name, self.captured(Static(getattr(module.value, alias.name)), node))
        return None

    def do_Expr(self, node: Any) -> Outcome:
        if not isinstance(node.value, gast.Constant):
            self.expr(node.value)
        return None

    def do_Assign(self, node: Any) -> Outcome:
        first = node.targets[0]
        hint = first.id if isinstance(first, gast.Name) else ""
        value = self.expr(node.value, hint)
        for target in node.targets:
            self.at(node)
            self.assign(target, value)
        return None

    def do_AnnAssign(self, node: Any) -> Outcome:
        if node.value is not None:
            hint = node.target.id if isinstance(node.target, gast.Name) else ""
            self.assign(node.target, self.expr(node.value, hint))
        return None

    def do_Delete(self, node: Any) -> Outcome:
        for target in node.targets:
            if isinstance(target, gast.Name):
                self.bind(target.id, UNBOUND)
                continue
            owner = self.expr(target.value) if isinstance(target, gast.Subscript) else None
            contents = self.contents(owner) if owner is not None else None
            if not (isinstance(owner, Box) and isinstance(contents, Struct) and contents.kind == "dict"):
                raise self.refuse("S106", "`del` is supported for names and dict items", "", node)
            self.dict_pop(owner, contents, self.index_of(target.slice), {}, node)
        return None

    def assign(self, target: Any, value: Abstract) -> None:
        """Assign a value to a target."""
        match target:
            case gast.Name():
                self.bind(target.id, self.named(value, target.id))
            case gast.Tuple() | gast.List():
                self.unpack(target.elts, value, target)
            case gast.Subscript():
                owner = self.expr(target.value)
                index = self.index_of(target.slice)
                self.at(target)
                self.store_item(owner, index, value, target)
            case gast.Attribute():
                self.store_attribute(self.expr(target.value), target.attr, value, target)
            case gast.Starred():
                raise self.refuse("S106", "a starred target is not supported here", "", target)
            case _:
                raise self.refuse("S106", "this assignment target is not supported", "", target)

    def named(self, value: Abstract, name: str) -> Abstract:
        """Return a value about to be bound to a name: an intermediate result takes the name."""
        if name.startswith("$"):
            return value
        if isinstance(value, Num) and isinstance(value.operand, Value):
            self.suggest(value.operand, name)
        elif isinstance(value, Ref) and not value.path:
            self.suggest(self.version(value.buffer), name)
            if not self.buffers[value.buffer].name:
                self.buffers[value.buffer].name = name
        return value

    def suggest(self, value: Value, name: str) -> None:
        """Give a value without a name one; applied when the function is finished."""
        if not value.name:
            self.suggested.setdefault(value, name)

    def unpack(self, targets: list[Any], value: Abstract, node: Any) -> None:
        """Assign the items of a value to several targets."""
        star = [k for k, t in enumerate(targets) if isinstance(t, gast.Starred)]
        contents = self.contents(value)
        if isinstance(contents, Ref) and not star:
            items: list[Abstract] = [self.getitem(contents, (Num(Literal(k)),)) for k in range(len(targets))]
            count = self.size(contents, 0).operand
            if not isinstance(count, Literal):
                known = self.sizes.canonical(contents.type.shape[0])
                if not (known.is_const and known.const == len(targets)):
                    self.guard(
                        self.emit("equal", count, len(targets)),
                        ValueError,
                        f"cannot unpack an array into {len(targets)} names: wrong length",
                    )
        else:
            items = self.static_items(value, node)
        if star:
            k, after = star[0], len(targets) - star[0] - 1
            if len(items) < len(targets) - 1:
                raise self.mismatch("S319", "ValueError: not enough values to unpack", "", node)
            middle = tuple(items[k : len(items) - after])
            rest = self.box(Struct("list", tuple(range(len(middle))), middle))
            tail = items[len(items) - after :] if after else []
            items = [*items[:k], rest, *tail]
            targets = [t.value if isinstance(t, gast.Starred) else t for t in targets]
        if len(items) != len(targets):
            raise self.mismatch(
                "S319", f"ValueError: cannot unpack {len(items)} values into {len(targets)} names", "", node
            )
        for target, item in zip(targets, items, strict=True):
            self.assign(target, item)

    def store_item(self, owner: Abstract, index: tuple[Abstract, ...], value: Abstract, node: Any) -> None:
        """`owner[index] = value`."""
        if isinstance(owner, Ref):
            if len(index) == 1 and isinstance(index[0], Struct) and index[0].kind == "tuple":
                index = index[0].items
            contents = self.contents(value)
            if isinstance(contents, Struct | Series):
                value = self.array_of(contents, node)
            self.write(owner, index, value)
            return
        contents = self.contents(owner)
        if isinstance(owner, Box) and isinstance(contents, Struct):
            pairs = dict(zip(contents.keys, contents.items, strict=True))
            if contents.kind == "dict":
                pairs[self.static_value(index[0], "a dict key", node)] = value
            else:
                k = self.static_int(index[0], "the index of a list", node)
                if not -len(pairs) <= k < len(pairs):
                    raise self.mismatch("S319", "IndexError: list assignment index out of range", "", node)
                pairs[k % len(pairs)] = value
            self.state.heap[owner.id] = Struct(contents.kind, tuple(pairs), tuple(pairs.values()))
            return
        if isinstance(contents, Series):
            self.write(contents.rows, index, value)
            return
        if isinstance(contents, Num):
            raise self.needs_rank(contents, len(index), node)
        if isinstance(owner, Static):
            raise self.refuse(
                "S105", "containers from outside the differentiated function must not be written", "copy it first", node
            )
        raise self.mismatch("S318", f"{describe(contents)} does not support item assignment", "", node)

    def store_attribute(self, owner: Abstract, attr: str, value: Abstract, node: Any) -> None:
        """`owner.attr = value`."""
        contents = self.contents(owner)
        if not (isinstance(owner, Box) and isinstance(contents, Struct) and contents.kind == "record"):
            raise self.refuse(
                "S122", f"attributes of {describe(contents)} cannot be assigned here", "use a local name", node
            )
        pairs = dict(zip(contents.keys, contents.items, strict=True))
        pairs[attr] = value
        self.state.heap[owner.id] = Struct("record", tuple(pairs), tuple(pairs.values()), contents.cls)

    def do_AugAssign(self, node: Any) -> Outcome:
        target = node.target
        kind = type(node.op)
        if isinstance(target, gast.Name):
            old = self.name_value(target.id, node)
            value = self.expr(node.value)
            self.at(node)
            if isinstance(old, Ref):
                self.update(old, None, kind, value, node)
            elif isinstance(old, Box) and kind is gast.Add:
                for item in self.static_items(value, node):
                    self.append(old, item, node)
            else:
                self.assign(target, self.binary(kind, old, value, node, target.id))
            return None
        owner = self.expr(target.value)
        if isinstance(target, gast.Attribute):
            old = self.attribute(owner, target.attr, node)
            value = self.expr(node.value)
            if isinstance(old, Ref):
                self.update(old, None, kind, value, node)
            else:
                self.store_attribute(owner, target.attr, self.binary(kind, old, value, node), node)
            return None
        index = self.index_of(target.slice)
        value = self.expr(node.value)
        self.at(node)
        if isinstance(owner, Ref):
            if len(index) == 1 and isinstance(index[0], Struct) and index[0].kind == "tuple":
                index = index[0].items
            self.update(owner, index, kind, value, node)
            return None
        old = self.subscript(owner, index, node)
        if isinstance(old, Ref):
            self.update(old, None, kind, value, node)
            return None
        self.store_item(owner, index, self.binary(kind, old, value, node), node)
        return None

    def update(self, ref: Ref, index: tuple[Abstract, ...] | None, kind: Any, value: Abstract, node: Any) -> None:
        """`ref[index] op= value`: an accumulation where each element is hit once, else read and write."""
        contents = self.contents(value)
        if isinstance(contents, Struct | Series):
            value = self.array_of(contents, node)
        repeated = index is not None and any(
            isinstance(self.contents(i), Struct) and self.contents(i).kind == "list"  # type: ignore[attr-defined]
            or (isinstance(i, Ref) and i.type.dtype.kind != "b" and i.type.ndim > 0)
            for i in index
        )
        simple = kind in (gast.Add, gast.Sub) and not repeated and ref.type.dtype.kind in "fc"
        source = self.operand(value, node)
        if simple and source.type.dtype.kind in "iufc":
            if kind is gast.Sub:
                value = self.absorb(apply("negative", self.leaf(value)), {})
            self.write(ref, index, value, "add")
            return
        if index is not None and repeated:
            index = self.settled_index(index)
        old: Abstract = ref if index is None else self.getitem(ref, index)
        new = self.binary(kind, old, value, node)
        dtype = self.operand(new, node).type.dtype
        if not np.can_cast(dtype, ref.type.dtype, "same_kind"):
            raise self.mismatch(
                "S312",
                f"{dtype} cannot be stored in place in an array of {ref.type.dtype}",
                "make the array float: np.zeros(n) or x.astype(float)",
                node,
            )
        self.write(ref, index, new)

    def settled_index(self, index: tuple[Abstract, ...]) -> tuple[Abstract, ...]:
        """Return an index whose lists are made arrays once, for reading and writing."""
        settled = []
        for part in index:
            box = self.contents(part)
            settled.append(self.array_of(box) if isinstance(box, Struct) and box.kind == "list" else part)
        return tuple(settled)

    def do_FunctionDef(self, node: Any) -> Outcome:
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
        raise self.refuse("S123", "decorators on nested functions are not supported", "define it outside", node)

    # -- leaving ---------------------------------------------------------------------------------------------
    def do_Return(self, node: Any) -> Outcome:
        value = self.expr(node.value) if node.value is not None else Static(None)
        self.at(node)
        if self.frame.root:
            return self.root_return(value, node)
        loops = [x for x in self.frame.loops if isinstance(x, Loop)]
        self.state.frames[self.frame.id][RETURN] = value
        if loops:
            return self.end("break", *self.loop_values(loops[-1]))
        return Returned()

    def root_return(self, value: Abstract, node: Any) -> End:
        """Return the end of the IR function."""
        raise NotImplementedError

    def returns_early(self, node: Any) -> bool:
        """True for an `if` of an inlined function that may return, outside loops."""
        if self.frame.root or any(isinstance(x, Loop) for x in self.frame.loops):
            return False
        return isinstance(node, gast.If) and syntax.has_return([node])

    def run_returning(self, node: Any, rest: list[Any]) -> Outcome:
        """Read an `if` that may return, with all that follows it in the branches that go on."""
        cond = self.truth(node.test)
        if isinstance(cond, Literal):
            return self.run([*(node.body if cond.value else node.orelse), *rest])
        outcome = self.run_if(
            cond,
            lambda: self.returning([*node.body, *rest]),
            lambda: self.returning([*node.orelse, *rest]),
        )
        return Returned() if outcome is None else outcome

    def returning(self, nodes: list[Any]) -> Outcome:
        """Read statements to the end of an inlined function; a missing return gives None."""
        outcome = self.run(nodes)
        if outcome is None:
            self.state.frames[self.frame.id][RETURN] = Static(None)
            return None
        return None if isinstance(outcome, Returned) else outcome

    def run_after_loop(self, rest: list[Any]) -> Outcome:
        """Go on after a loop of an inlined function that may have returned from inside."""
        scope = self.state.frames[self.frame.id]
        value = scope.pop(RETURN)
        if value is UNBOUND:
            return self.run(rest)
        if not isinstance(value, MaybeUnbound):
            scope[RETURN] = value
            return Returned()

        def left() -> Outcome:
            self.state.frames[self.frame.id][RETURN] = value.value
            loops = [x for x in self.frame.loops if isinstance(x, Loop)]
            return self.end("break", *self.loop_values(loops[-1])) if loops else None

        if any(isinstance(x, Loop) for x in self.frame.loops):
            outcome = self.run_if(value.bound, left, lambda: None)
            return outcome if outcome is not None else self.run(rest)
        outcome = self.run_if(value.bound, left, lambda: self.returning(rest))
        return Returned() if outcome is None else outcome

    def do_Break(self, node: Any) -> Outcome:
        return self.leave_loop("break", node)

    def do_Continue(self, node: Any) -> Outcome:
        return self.leave_loop("continue", node)

    def leave_loop(self, kind: str, node: Any) -> Outcome:
        """Leave the present trip."""
        loop = self.frame.loops[-1]
        if isinstance(loop, Unrolled):
            if self.branch_depth != loop.branch_depth:
                raise self.refuse(
                    "S124",
                    f"`{kind}` under a run-time condition in a loop that is unrolled",
                    "loop over range(n) and an array instead of a tuple or list",
                    node,
                )
            return StaticExit(kind)
        if kind == "break" and BROKE in self.state.frames[self.frame.id]:
            self.state.frames[self.frame.id][BROKE] = Num(Literal(True))
        return self.end(kind, *self.loop_values(loop))

    def do_Raise(self, node: Any) -> Outcome:
        if node.exc is None:
            raise self.refuse("S104", "`raise` without an exception is not supported", "", node)
        exception, template, values = self.message(node.exc)
        params = (("exception", exception), ("message", template))
        return self.end("raise", *values, params=params)

    def message(self, node: Any) -> tuple[type[BaseException], tuple[Any, ...], tuple[Operand, ...]]:
        """Return exception class, message template and values of `raise X(...)`."""
        call = isinstance(node, gast.Call)
        function = self.expr(node.func if call else node)
        if not (isinstance(function, Static) and isinstance(function.value, type)
                and issubclass(function.value, BaseException)):  # fmt: skip
            raise self.refuse("S104", "only `raise Exception(message)` is supported", "", node)
        if not call or not node.args:
            return function.value, (), ()
        template, values = self.template(node.args[0])
        return function.value, template, values

    def template(self, node: Any) -> tuple[tuple[Any, ...], tuple[Operand, ...]]:
        """Return a message as literal pieces and formatted run-time values."""
        parts: list[Any] = []
        values: list[Operand] = []
        pieces = node.values if isinstance(node, gast.JoinedStr) else [node]
        for piece in pieces:
            if isinstance(piece, gast.Constant):
                parts.append(str(piece.value))
                continue
            spec = ""
            inner = piece
            if isinstance(piece, gast.FormattedValue):
                inner = piece.value
                found = self.expr(piece.format_spec) if piece.format_spec is not None else Static("")
                spec = str(found.value) if isinstance(found, Static) else ""
            value = self.contents(self.expr(inner))
            if isinstance(value, Static):
                parts.append(format(value.value, spec))
            elif isinstance(value, Num | Ref):
                parts.append((len(values), spec))
                values.append(self.operand(value))
            else:
                parts.append(str(self.static_value(value, "a value in a message", node)))
        return tuple(parts), tuple(values)

    def print_call(self, node: Any) -> None:
        """Emit a print."""
        options = {"sep": " ", "end": "\n"}
        for keyword in node.keywords:
            if keyword.arg in options:
                options[keyword.arg] = self.static_value(self.expr(keyword.value), "`sep` and `end`", node)
            elif keyword.arg != "flush":
                raise self.refuse("S118", f"print({keyword.arg}=...) is not supported", "", node)
        template: list[Any] = []
        values: list[Operand] = []
        for arg in node.args:
            if isinstance(arg, gast.JoinedStr):
                pieces, more = self.template(arg)
                shift = len(values)
                template.append(tuple((p[0] + shift, p[1]) if isinstance(p, tuple) else p for p in pieces))
                values += more
                continue
            value = self.contents(self.expr(arg))
            if isinstance(value, Num | Ref):
                template.append(len(values))
                values.append(self.operand(value))
            elif isinstance(value, Series):
                template.append(len(values))
                values.append(self.operand(self.series_rows(value)))
            else:
                template.append(str(self.static_value(value, "a printed value", node)))
        self.at(node)
        self.builder.emit_all(OPS["print"], *values, template=tuple(template), **options)

    def do_Assert(self, node: Any) -> Outcome:
        cond = self.truth(node.test)
        if isinstance(cond, Literal) and cond.value:
            return None
        self.at(node)

        def failing() -> Outcome:
            template, values = self.template(node.msg) if node.msg is not None else ((), ())
            return self.end("raise", *values, params=(("exception", AssertionError), ("message", template)))

        if isinstance(cond, Literal):
            return failing()
        return self.run_if(cond, lambda: None, failing)

    # -- compound statements -----------------------------------------------------------------------------------
    def do_If(self, node: Any) -> Outcome:
        cond = self.truth(node.test)
        self.at(node)
        if isinstance(cond, Literal):
            return self.run(node.body if cond.value else node.orelse)
        return self.run_if(cond, lambda: self.run(node.body), lambda: self.run(node.orelse))

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
                left = side()
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

    def loop_names(self, node: Any) -> tuple[list[str], set[str]]:
        """Return the names a loop assigns, and those of them that may be read after it."""
        names = syntax.assigned_names([*node.body, *([node.target] if isinstance(node, gast.For) else [])])
        escaping = syntax.loaded_outside(self.frame.node, node, names)
        if not self.frame.root and syntax.has_return(node.body):
            names.append(RETURN)
            escaping.add(RETURN)
        if syntax.leaves_loop(node.body, gast.Break) and node.orelse:
            names.append(BROKE)
        names += [n for n in self.state.frames[self.frame.id] if n.startswith("$acc")]
        return names, escaping

    def do_For(self, node: Any) -> Outcome:
        iterable = self.expr(node.iter)
        names, escaping = self.loop_names(node)
        scope = self.state.frames[self.frame.id]
        if BROKE in names:
            scope[BROKE] = Num(Literal(False))
        self.at(node)
        self.unrolled_exit = None
        self.loop_nodes[id(node.iter)] = node
        self.run_for(iterable, node.iter, node.target, lambda: self.run(node.body), names, escaping)
        if self.unrolled_exit is not None:
            left: Outcome = self.unrolled_exit
            self.unrolled_exit = None
            return left
        return self.loop_else(node, names)

    def loop_else(self, node: Any, names: list[str]) -> Outcome:
        """Read the `else` of a loop, which runs unless the loop was left by break."""
        if not node.orelse:
            return None
        if BROKE not in names:
            return self.run(node.orelse)
        broke = self.state.frames[self.frame.id].pop(BROKE)
        assert isinstance(broke, Num)
        outcome: Outcome = self.run_if(broke.operand, lambda: None, lambda: self.run(node.orelse))
        return outcome

    def do_While(self, node: Any) -> Outcome:
        names, escaping = self.loop_names(node)
        scope = self.state.frames[self.frame.id]
        if BROKE in names:
            scope[BROKE] = Num(Literal(False))
        plain = not syntax.has_walrus(node.test)
        static = isinstance(node.test, gast.Constant)
        if static and not node.test.value:
            return self.run(node.orelse)
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
        return self.loop_else(node, names)

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
        outcome: Outcome = self.run_if(cond, lambda: None, lambda: self.end("break", *self.loop_values(loop)))
        return outcome if outcome is not None else self.run(node.body)

    def do_With(self, node: Any) -> Outcome:
        for item in node.items:
            value = self.expr(item.context_expr) if isinstance(item.context_expr, gast.Call) else None
            if not (isinstance(value, Static) and isinstance(value.value, np.errstate)):
                self.refuse_statement(node)
        return self.run(node.body)

