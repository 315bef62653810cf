"""A function that takes many of some arguments at once, along a leading axis: many seeds of one derivative.

Seeds enter linearly, so that few rules (`lanes.py`) cover nearly all of what is computed from them; an op
without a rule becomes a loop. What no seed enters is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.op import Kind
from s2sad.ir.path import At, Index, Span
from s2sad.ir.size import Size
from s2sad.ir.tree import leaves
from s2sad.ir.types import Array, Type, is_differentiable
from s2sad.ops.blocks import State, for_loop
from s2sad.ops.control import CALL
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.passes.sizes import Resolver
from s2sad.record import replace
from s2sad.transforms.lanes import RULES, Lanes, NoRule, Unbatchable, by_element, is_by_element

Flags = tuple[bool, ...]


def batch(fn: Function, first: int, forced: Sequence[int], doc: str) -> Function:
    """Return `fn` with many of each float parameter from leaf `first` on, called `x_dots` for `x_dot`. The
    result leaves `forced` get a leading axis for them; no other may depend on them."""
    flags = tuple(k >= first and is_differentiable(p.type) for k, p in enumerate(fn.params))
    if not any(flags):
        raise Unbatchable
    lead = next(p for p, flag in zip(fn.params, flags, strict=True) if flag)
    work = _Batch(fn, Size.symbol(f"{plural(lead.name, fn)}.0"), {})
    made = work.function(flags, tuple(k in forced for k in range(len(fn.result_types))))
    return replace(made, name=f"{fn.name}_many", doc=doc)


def plural(name: str, fn: Function) -> str:
    """Return the name for many of a parameter, which no other parameter has."""
    taken = {p.name for p in fn.params} | {p.name for p in fn.signature}
    made = f"{name}s"
    while made in taken:
        made += "_"
    return made


class _Batch(Lanes):
    """The batching of one function. `new` has the batched version of each value that has one."""

    def __init__(self, fn: Function, size: Size, done: dict[tuple[Function, Flags], tuple[Function, Flags]]):
        super().__init__(size)
        self.fn, self.done = fn, done
        self.sizes = sizes_after(fn)
        self.seen: list[Value] = []  # what is in scope
        self.loops: list[list[bool]] = []  # of the loops around: which slots are batched
        self.returns: list[bool] = []

    def function(self, flags: Flags, forced: Flags | None) -> Function:
        """Return the batched function; without `forced`, the results that depend on seeds are batched."""
        signature = tuple(
            replace(p, name=plural(p.name, self.fn)) if any(flags[i] for i in leaves(p.tree)) else p
            for p in self.fn.signature
        )
        self.returns = list(forced) if forced is not None else [False] * len(self.fn.result_types)
        while True:
            before = list(self.returns)
            b = Builder(self.sizes, self.fn.origin)
            params = []
            for p, flag in zip(self.fn.params, flags, strict=True):
                if flag:
                    self.new[p] = Value(plural(p.name, self.fn), self.type(p.type))
                params.append(self.new.get(p, p))
            self.seen = list(params)
            lead = next(p for p, flag in zip(params, flags, strict=True) if flag)
            self.count = b.emit(OPS["size"], lead, axis=0)
            self.run(self.fn.block, b)
            block = self.closed(self.fn.block, b, ())
            if self.returns == before:
                return replace(self.fn, params=tuple(params), block=block, signature=signature)
            if forced is not None:
                raise Unbatchable

    def run(self, block: Block, b: Builder) -> None:
        """Append the instructions of a block."""
        for instr in block.instrs:
            b.origin, b.role = instr.origin, instr.role
            self.instr(instr, b)
            self.seen += [self.new.get(r, r) for r in instr.results]

    def closed(
        self, block: Block, b: Builder, params: tuple[Value, ...], flags: Sequence[bool] = ()
    ) -> Block:
        """Return the block with its end; `flags` say what of a yield is batched."""
        end = block.end
        b.origin = end.origin or b.origin
        if end.kind in ("raise", "unreachable"):
            if any(a in self.new for a in end.args):
                raise Unbatchable
            return Block(params, tuple(b.instrs), end)
        wanted: Sequence[bool] = flags
        if end.kind == "return":
            wanted = self.returns
        elif end.kind in ("break", "continue"):
            wanted = self.loops[-1]
        args = self.handed_on(end, wanted, b)
        return Block(params, tuple(b.instrs), replace(end, args=args))

    def handed_on(self, end: End, wanted: Sequence[bool], b: Builder) -> tuple[Operand, ...]:
        """Return the operands of an end, batched where wanted; note where they have to be."""
        args: list[Operand] = []
        for k, a in enumerate(end.args):
            if a in self.new and not wanted[k]:
                assert isinstance(wanted, list), "the branches of an if agree"
                wanted[k] = True
            args.append(self.spread(a, b) if wanted[k] else a)
        return tuple(args)

    def instr(self, instr: Instr, b: Builder) -> None:
        """Append what an instruction becomes."""
        op = instr.op
        match op.name:
            case "if":
                return self.branches(instr, b)
            case "for" | "while":
                return self.loop(instr, b)
            case "call":
                return self.call(instr, b)
        if not any(a in self.new for a in instr.args):
            if op.name in ("zeros", "zeros_like"):
                self.zeros[instr.result] = instr
            b.add(instr)
        elif not op.pure:
            raise Unbatchable
        elif op.name in RULES:
            try:
                RULES[op.name](self, instr, b)
            except NoRule:
                self.each(instr, b)
        elif is_by_element(op):
            by_element(self, instr, b)
        elif op.kind is Kind.NONDIFF:
            raise Unbatchable
        else:
            self.each(instr, b)

    def branches(self, instr: Instr, b: Builder) -> None:
        """Append an `if`."""
        if instr.args[0] in self.new:
            raise Unbatchable
        inside = []
        scope = len(self.seen)
        for block in instr.blocks:
            inner = b.inner()
            self.run(block, inner)
            inside.append(inner)
        yields = [block.end.args for block in instr.blocks if block.end.kind == "yield"]
        flags = [any(a in self.new for a in column) for column in zip(*yields, strict=True)]
        blocks = tuple(
            self.closed(block, inner, (), flags) for block, inner in zip(instr.blocks, inside, strict=True)
        )
        del self.seen[scope:]
        results = tuple(self.slot(r, flag) for r, flag in zip(instr.results, flags, strict=False))
        b.add(replace(instr, blocks=blocks, results=results))

    def loop(self, instr: Instr, b: Builder) -> None:
        """Append a loop, read until it is known which of its slots are batched."""
        lead = 3 if instr.op.name == "for" else 0
        if any(a in self.new for a in instr.args[:lead]):
            raise Unbatchable
        inits = instr.args[lead:]
        flags = [a in self.new for a in inits]
        scope = len(self.seen)
        while True:
            before = list(flags)
            self.loops.append(flags)
            blocks = [
                self.body(block, b, flags, is_cond=block is not instr.blocks[-1]) for block in instr.blocks
            ]
            self.loops.pop()
            del self.seen[scope:]
            if flags == before:
                break
        args = tuple(self.spread(a, b) if flag else a for a, flag in zip(inits, flags, strict=True))
        results = tuple(self.slot(r, flag) for r, flag in zip(instr.results, flags, strict=True))
        b.add(replace(instr, args=(*instr.args[:lead], *args), blocks=tuple(blocks), results=results))

    def body(self, block: Block, b: Builder, flags: list[bool], is_cond: bool) -> Block:
        """Return the body of a loop, or its condition, with these slots batched."""
        own = len(block.params) - len(flags)
        params = (
            *block.params[:own],
            *(self.slot(p, f) for p, f in zip(block.params[own:], flags, strict=True)),
        )
        inner = b.inner()
        self.seen += params
        self.run(block, inner)
        if is_cond and any(a in self.new for a in block.end.args):
            raise Unbatchable
        return self.closed(block, inner, params, [False] if is_cond else flags)

    def slot(self, v: Value, flag: bool) -> Value:
        """Return a value that is batched or not."""
        if not flag:
            self.new.pop(v, None)
            return v
        self.new[v] = Value(v.name, self.type(v.type))
        return self.new[v]

    def call(self, instr: Instr, b: Builder) -> None:
        """Append a call of the batched callee."""
        flags = tuple(a in self.new for a in instr.args)
        if not any(flags):
            b.add(instr)
            return
        callee: Function = instr.param("callee")
        if (callee, flags) not in self.done:
            work = _Batch(callee, self.size, self.done)
            made = work.function(flags, None)
            self.done[callee, flags] = replace(made, name=f"{callee.name}_many"), tuple(work.returns)
        made, batched = self.done[callee, flags]
        results = tuple(self.slot(r, flag) for r, flag in zip(instr.results, batched, strict=True))
        args = tuple(map(self.at, instr.args))
        b.add(Instr(CALL, args, results, (("callee", made),), (), b.origin, b.role))

    def each(self, instr: Instr, b: Builder) -> None:
        """Append a loop over the seeds for an op that has no rule."""
        scope = Resolver(self.seen)
        rows = []
        for r in instr.results:
            if not scope.knows_shape(r.type):
                raise Unbatchable
            dims = [scope.operand(b, n) for n in r.type.shape]
            rows.append(b.emit(OPS["empty"], self.count, *dims, name=r.name, dtype=r.type.dtype))

        def seed(inner: Builder, s: Operand, slots: State) -> Sequence[Operand]:
            args = [self.one(a, s, inner) for a in instr.args]
            made = inner.emit_all(instr.op, *args, **dict(instr.params))
            return [
                inner.emit(
                    OPS["setitem"],
                    slot,
                    v,
                    s,
                    name=slot.name,
                    path=(Index((At(),) + (Span(),) * v.type.ndim),),
                )
                for slot, v in zip(slots, made, strict=True)
            ]

        results = tuple(self.slot(r, True) for r in instr.results)
        for_loop(b, (Literal(0), self.count, Literal(1)), tuple(rows), rows, "s", seed, results)

    def one(self, a: Operand, s: Operand, b: Builder) -> Operand:
        """Return the operand of one seed."""
        if not isinstance(a, Value) or a not in self.new:
            return a
        part = b.emit(OPS["getitem"], self.new[a], s, path=(Index((At(),) + (Span(),) * a.type.ndim),))
        return b.emit(OPS["array0"], part) if isinstance(a.type, Array) and not a.type.ndim else part

    def type(self, t: Type) -> Array:
        """Return the type of many values of a type."""
        return Array(t.dtype, (self.size, *t.shape))
