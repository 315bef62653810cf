"""Functions that stay functions: callees built once per signature, and what calls them.

A callee is read into an IR Function of its own, with the leaves of its arguments and whatever it reads
from enclosing functions as parameters. It is called where that keeps the text small, and where
a transform (grad, jvp, ...) of it is applied inside the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gast

from s2sad.errors import S2sadError
from s2sad.frontend.arrays import constant
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.functions import ENDLESS, Functions, Transform, trim_returns
from s2sad.frontend.machine import Body, State
from s2sad.frontend.source import Source
from s2sad.frontend.values import Abstract, Box, Closure, Num, Partial, Ref, Series, Static, Struct
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Parameter, Value, distinct
from s2sad.ir.op import Alias
from s2sad.ir.tree import Leaf, Node, Tree
from s2sad.ir.tree import Static as StaticTree
from s2sad.ir.types import INT, Array, Opaque, Scalar, Type
from s2sad.ir.walk import Copier, count, draws, free_values, rewrite_types
from s2sad.ops import OPS
from s2sad.record import replace

INLINE_INSTRS = 8


class NotPure(Exception):
    """The callee writes, or its results share memory with, what it was given."""


class Callees(Functions):
    """Calls kept as calls."""

    def __init__(self, sizes: Assumptions, transform: Transform | None):
        super().__init__(sizes, transform)
        self.built: dict[Any, Any] = {}

    def enter(
        self, source: Source, callee: Any, parent: int | None, names: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of a user function: read in place, or called as a function of its own."""
        if not self.worth_calling(callee, names):
            return self.inline(source, callee, parent, names, node)
        try:
            fn, operands = self.callee(source, callee, parent, names, node)
        except (NotPure, S2sadError) as error:
            if getattr(error, "code", "") == ENDLESS:
                raise
            return self.inline(source, callee, parent, names, node)
        if count(fn.block) <= INLINE_INSTRS or draws(fn):  # the reverse of a call runs it again
            return self.inline(source, callee, parent, names, node)
        return self.call_ir(fn, operands)

    def call_program(
        self, program: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of a program of s2sad: all of it has the place of the call."""
        source = replace(self.source(program), call=self.place(node))
        defaults = {k: constant(v.value) for k, v in self.function_defaults(program).items()}
        names = self.bound_arguments(source.node, defaults, args, kwargs, program.__name__, node)
        return self.inline(source, source.node, None, names, node)

    def worth_calling(self, callee: Any, names: dict[str, Abstract]) -> bool:
        """True if the callee is large enough, and called from more than one place."""
        if isinstance(callee, gast.Lambda) or any(f.node is callee for f in self.frames):
            return False
        if any(isinstance(v, Closure | Partial) or _is_function(v) for v in names.values()):
            return False
        caller = self.frame.node
        calls = sum(
            isinstance(n, gast.Call) and isinstance(n.func, gast.Name | gast.Attribute)
            and (n.func.id if isinstance(n.func, gast.Name) else n.func.attr) == callee.name
            for n in gast.walk(caller)
        )  # fmt: skip
        return int(calls) > 1

    def call_ir(self, fn: Function, operands: list[Operand], name: str = "") -> Abstract:
        """Emit a call of an IR function and return its result."""
        results = self.emit_call(fn, operands, name)
        leaves = [self.wrap(r) for r in results]
        return self.from_tree(fn.result, leaves)

    def emit_call(self, fn: Function, operands: list[Operand], name: str = "") -> tuple[Value, ...]:
        """Append a call instruction and return its results."""
        copier = Copier(self.sizes)
        types = [copier.type(t) for t in fn.result_types]
        results = tuple(Value(name if len(types) == 1 else "", t) for t in types)
        here = self.builder
        params = (("callee", fn),)
        return here.add(Instr(OPS["call"], tuple(operands), results, params, (), here.origin, here.role))

    def callee(
        self,
        source: Source,
        callee: Any,
        parent: int | None,
        names: dict[str, Abstract],
        node: Any,
        keep_literals: bool = False,
        own: bool = True,
    ) -> tuple[Function, list[Operand]]:
        """Return a callee's Function and the operands of its parameters at this call."""
        operands: list[Operand] = []
        key_parts: list[Any] = [callee, source.function, parent, keep_literals, own]
        trees: dict[str, Any] = {}
        for name, value in names.items():
            trees[name] = self.argument_tree(value, operands, key_parts, keep_literals, node)
        key = tuple(key_parts) if parent is None else (*key_parts, self.outer_key(parent))
        if key not in self.built:
            try:
                self.built[key] = self.build_callee(
                    source, callee, parent, trees, operands, node, own, whole=keep_literals
                )
            except (NotPure, S2sadError) as error:
                self.built[key] = error
        found = self.built[key]
        if isinstance(found, Exception):
            raise found
        fn, lifted = found
        return fn, [*operands, *lifted]

    def outer_key(self, parent: int) -> Any:
        """Return what a nested function sees of its enclosing frames at this moment."""
        seen: list[Any] = []
        frame: int | None = parent
        while frame is not None:
            seen.append(tuple(self.state.frames[frame].items()))
            frame = self.info[frame].parent
        return (tuple(seen), tuple(self.state.buffers.items()), tuple(self.state.heap.items()))

    def argument_tree(
        self, value: Abstract, operands: list[Operand], key: list[Any], keep_literals: bool, node: Any
    ) -> Any:
        """Return an argument's structure over operand indices; static parts are kept as they are."""
        box = self.contents(value)
        match box:
            case Num(operand) if isinstance(operand, Value) or (
                keep_literals and isinstance(operand.value, float)
            ):
                operands.append(operand)
                t = operand.type
                key.append((t.dtype, isinstance(t, Scalar) and t.weak))
                return len(operands) - 1
            case Ref(type=t):
                operands.append(self.read(box))
                key.append((t.dtype, tuple(self.sizes.canonical(d) for d in t.shape)))
                return len(operands) - 1
            case Struct():
                key.append((box.kind, box.keys, box.cls))
                items = tuple(self.argument_tree(i, operands, key, keep_literals, node) for i in box.items)
                return ("box" if isinstance(value, Box) else "struct", box, items)
            case Series():
                raise NotPure
        key.append(box)
        return box

    def build_callee(
        self,
        source: Source,
        callee: Any,
        parent: int | None,
        trees: dict[str, Any],
        operands: list[Operand],
        node: Any,
        own: bool = True,
        whole: bool = False,
    ) -> tuple[Function, tuple[Value, ...]]:
        """Read a callee into a Function; return it with the outer values it reads. `own`: its results must
        have memory of their own; `whole`: parameters that are known now stay in its signature."""
        wanted: tuple[Type, ...] | None = None
        for _ in range(6):
            fn, lifted, found = self.attempt_callee(
                source, callee, parent, trees, operands, wanted, own, whole
            )
            if found is None:
                return fn, lifted
            wanted = found
        raise self.internal("the types of the results do not settle")

    def attempt_callee(
        self,
        source: Source,
        callee: Any,
        parent: int | None,
        trees: dict[str, Any],
        operands: list[Operand],
        wanted: tuple[Type, ...] | None,
        own: bool,
        whole: bool,
    ) -> tuple[Function, tuple[Value, ...], tuple[Type, ...] | None]:
        """Read a callee once; the last item is the types its results turned out to need, if not `wanted`."""
        outer_state, outer_builder, outer_depth = self.state, self.builder, self.branch_depth
        self.state, self.builder = outer_state.copy(), Builder(self.sizes, outer_builder.origin)
        self.builder.role = outer_builder.role  # what a derivative is read for is part of it
        written, bound, filled = self.written, self.bound, self.filled
        self.written, self.bound, self.filled = {}, set(), set()
        body = Body(wanted)
        params: list[Value] = []
        for operand in operands:
            params.append(Value("", self.parameter_type(operand.type)))
        depth = len(self.frames)
        try:
            names = {n: self.bound_tree(t, params, body, n) for n, t in trees.items()}
            before = self.state.copy()
            self.push(source, callee, parent, names, body)
            self.at(callee)
            if isinstance(callee, gast.Lambda):
                end: Any = self.root_return(self.expr(callee.body), callee)
            else:
                end = self.run(callee.body)
                if end is None:
                    end = self.root_return(Static(None), callee)
            self.check_pure(before)
            block = trim_returns(Block((), tuple(self.builder.instrs), end), len(body.entry), [])
        finally:
            del self.frames[depth:]
            self.state, self.builder, self.branch_depth = outer_state, outer_builder, outer_depth
            self.written, self.bound, self.filled = written, bound, filled
        made = self.finished_callee(source, callee, trees, params, block, body, own, whole)
        return (*made, self.unsettled(body))

    def parameter_type(self, t: Type) -> Type:
        """Return the type of a callee's parameter: sizes of arrays are kept, values of ints are not."""
        if isinstance(t, Array):
            return Array(t.dtype, tuple(self.sizes.canonical(d) for d in t.shape))
        if isinstance(t, Opaque):
            return t
        return Scalar(t.dtype, t.weak, self.sizes.fresh_int() if t.dtype == INT else None)

    def bound_tree(self, tree: Any, params: list[Value], body: Body, name: str) -> Abstract:
        """Return a parameter of the callee as an abstract value."""
        if isinstance(tree, Abstract):
            return tree
        if isinstance(tree, tuple):
            kind, box, items = tree
            made = Struct(
                box.kind,
                box.keys,
                tuple(
                    self.bound_tree(i, params, body, f"{name}_{k}")
                    for k, i in zip(box.keys, items, strict=True)
                ),
                box.cls,
            )
            return self.box(made) if kind == "box" else made
        leaf = Value(name, params[tree].type)
        params[tree] = leaf
        if not isinstance(leaf.type, Array):
            return Num(leaf)
        ref = self.new_buffer(leaf, name)
        body.entry[ref.buffer] = leaf
        return ref

    def check_pure(self, before: State) -> None:
        """Raise NotPure if the callee wrote to anything that existed before, on whatever path."""
        if any(frame in before.frames for frame, _ in self.bound) or self.filled & before.heap.keys():
            raise NotPure
        if any(self.may_overlap(a, b) for a in self.written for b in before.buffers):
            raise NotPure

    def finished_callee(
        self,
        source: Source,
        callee: Any,
        trees: dict[str, Any],
        params: list[Value],
        block: Block,
        body: Body,
        own: bool,
        whole: bool,
    ) -> tuple[Function, tuple[Value, ...]]:
        """Return the Function, with outer values it reads as further parameters."""
        if own and any(map(any, shared_results(block, params))):
            raise NotPure
        mine = set(params)
        lifted = tuple(v for v in free_values(block) if v not in mine)
        extra = tuple(Value(v.name or "shared", v.type) for v in lifted)
        copier = _Exact(self.sizes, dict(zip(lifted, extra, strict=True)))
        copier.names = self.suggested
        block = copier.block(block)
        kinds = parameter_kinds(callee)
        signature = [Parameter(n, tree_of(t), kinds.get(n, "positional")) for n, t in trees.items()]
        names = distinct((v.name for v in extra), (p.name for p in signature))
        signature += [Parameter(n, Leaf(k), "keyword") for k, n in enumerate(names, len(params))]
        signature = [p for p in signature if whole or not isinstance(p.tree, StaticTree)]
        fn = Function(
            name=getattr(callee, "name", "lambda_"),
            params=(*params, *extra),
            block=block,
            signature=tuple(signature),
            result=body.tree if body.tree is not None else StaticTree(None),
            doc="",
            origin=source.origin(callee),
        )
        return rewrite_types(fn, self.sizes.canonical), lifted  # reading it has taught more of sizes


def parameter_kinds(callee: Any) -> dict[str, str]:
    """Return the kinds of a function's parameters that are not positional, by name."""
    a = callee.args
    kinds = {p.id: "keyword" for p in a.kwonlyargs}
    if a.vararg is not None:
        kinds[a.vararg.id] = "variadic"
    if a.kwarg is not None:
        kinds[a.kwarg.id] = "variadic_keyword"
    return kinds


class _Exact(Copier):
    """Copies without renaming size symbols: the callee keeps those of its only copy."""

    names: dict[Value, str] = {}  # noqa: RUF012

    def size(self, s: Any) -> Any:
        return s

    def define(self, v: Value) -> Value:
        self.map[v] = Value(v.name or self.names.get(v, ""), v.type)
        return self.map[v]  # type: ignore[return-value]


def shared_results(block: Block, params: Sequence[Value]) -> list[list[bool]]:
    """Return for each return which results share memory with a parameter or an earlier result."""
    shared = _roots(block)
    found = []
    for end in _returns(block):
        roots = [shared.get(a, a) if isinstance(a.type, Array) else None for a in end.args]
        found.append([r is not None and (r in params or r in roots[:k]) for k, r in enumerate(roots)])
    return found


def _roots(block: Block) -> dict[Operand, Operand]:
    """Return for each array value whose memory may be another's which one that is."""
    found: dict[Operand, Operand] = {}

    def visit(b: Block) -> None:
        for instr in b.instrs:
            for inner in instr.blocks:
                visit(inner)
            sources: list[tuple[Operand, ...]] = []
            if instr.op.name == "if":
                yields = [i.end.args for i in instr.blocks if i.end.kind == "yield"]
                sources = list(zip(*yields, strict=True))
            elif instr.op.name in ("for", "while"):
                inits = instr.args[3:] if instr.op.name == "for" else instr.args
                sources = [(a,) for a in inits]
            elif instr.op.alias not in (Alias.FRESH, Alias.INPLACE):
                sources = [(instr.args[0],)] * len(instr.results)
            for result, candidates in zip(instr.results, sources, strict=False):
                for c in candidates:
                    if isinstance(c.type, Array):
                        found[result] = found.get(c, c)

    visit(block)
    return found


def _returns(block: Block) -> list[End]:
    found = [e for i in block.instrs for b in i.blocks for e in _returns(b)]
    return [*found, block.end] if block.end.kind == "return" else found


def without_statics(fn: Function) -> Function:
    """Return the function without parameters that were known when it was read."""
    kept = tuple(p for p in fn.signature if not isinstance(p.tree, StaticTree))
    return fn if len(kept) == len(fn.signature) else replace(fn, signature=kept)


def tree_of(tree: Any) -> Tree:
    """Return the structure of an argument over the places of its operands."""
    if isinstance(tree, int):
        return Leaf(tree)
    if isinstance(tree, tuple):
        _, box, items = tree
        return Node(box.kind, box.keys, tuple(map(tree_of, items)), box.cls)
    if isinstance(tree, Num) and isinstance(tree.operand, Literal):
        return StaticTree(tree.operand.value)
    return StaticTree(tree.value if isinstance(tree, Static) else tree)


def _is_function(value: Abstract) -> bool:
    return isinstance(value, Static) and callable(value.value) and not isinstance(value.value, type)
