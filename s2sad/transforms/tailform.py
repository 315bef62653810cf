"""Tail form: exits arranged so that a reverse sweep can follow control backwards.

* no `continue`, and no `return` but at the very end: what follows an `if` that leaves in one branch
  moves into the other branch, and the `if` gives results; where both branches may go on, a flag says
  which did not. A `return` inside a loop becomes a `break` with a flag and the returned values.
* a branch that ends in `break` or `raise` holds nothing but the way out: the other branch is moved
  behind the `if`. So the block that follows is what a completed trip runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value, returns
from s2sad.ir.loops import carried
from s2sad.ir.types import WEAK_BOOL, Array, Scalar, Type
from s2sad.ir.walk import substitute
from s2sad.ops.control import IF, UNDEF
from s2sad.passes.base import sizes_after
from s2sad.record import replace

Convert = Callable[[End, list[Instr]], tuple[Operand, ...]]


def tailform(fn: Function) -> Function:
    """Return the function in tail form."""
    return replace(fn, block=_Tailform(sizes_after(fn), fn.result_types).top(fn.block))


class _Tailform:
    def __init__(self, sizes: Sizes, returned: tuple[Type, ...]):
        self.sizes, self.returned = sizes, returned

    def top(self, block: Block) -> Block:
        block = self.loops(block)
        if any(_contains(i, ("return",)) for i in block.instrs):
            done = self.tail(block, {"return": lambda end, _: end.args}, self.returned)
            if done.end.kind == "yield":
                done = replace(done, end=replace(done.end, kind="return"))
            block = done
        return self.unnest(block)

    # loops: returns become breaks, continues become yields

    def loops(self, block: Block) -> Block:
        instrs: list[Instr] = []
        for instr in block.instrs:
            blocks = tuple(map(self.loops, instr.blocks))
            instr = replace(instr, blocks=blocks) if blocks else instr
            if instr.op.name in ("for", "while"):
                instrs += self.loop(instr)
            else:
                instrs.append(instr)
        return Block(block.params, tuple(instrs), block.end)

    def loop(self, instr: Instr) -> list[Instr]:
        before: list[Instr] = []
        after: list[Instr] = []
        if (
            any(_contains(i, ("return",)) for i in instr.blocks[-1].instrs)
            or instr.blocks[-1].end.kind == "return"
        ):
            instr = self.without_returns(instr, before, after)
        body = instr.blocks[-1]
        if any(_contains(i, ("continue",)) for i in body.instrs) or body.end.kind == "continue":
            types = tuple(r.type for r in instr.results)
            convert: dict[str, Convert] = {
                "continue": lambda end, _: end.args,
                "yield": lambda end, _: end.args,
            }
            instr = replace(instr, blocks=(*instr.blocks[:-1], self.tail(body, convert, types)))
        *others, body = map(self.unnest, instr.blocks)
        if body.end.kind == "unreachable":  # all trips break: the end that no trip gets to hands nothing on
            body = replace(body, end=End("yield", carried(instr)))
        return [*before, replace(instr, blocks=(*others, body)), *after]

    def without_returns(self, instr: Instr, before: list[Instr], after: list[Instr]) -> Instr:
        """Return the loop with `return` made a break; `after` gets the `if` that returns in its place."""
        body = instr.blocks[-1]
        first = next(returns(body))
        names = [a.name if isinstance(a, Value) else "" for a in first.args]
        types = [self.anywhere(t) for t in self.returned]
        undefined = [self.undef(t, before) for t in types]
        slots = [Value("returned", WEAK_BOOL), *(Value(n, t) for n, t in zip(names, types, strict=True))]
        results = [Value(s.name, s.type) for s in slots]
        params = body.params[1:] if instr.op.name == "for" else body.params

        def end(e: End) -> End:
            if e.kind == "return":
                return replace(e, kind="break", args=(*params, Literal(True), *e.args))
            if e.kind in ("break", "continue", "yield"):
                return replace(e, args=(*e.args, *slots))
            return e

        changed = _map_ends(Block((*body.params, *slots), body.instrs, body.end), end)
        blocks: tuple[Block, ...] = (changed,)
        if instr.op.name == "while":
            cond = instr.blocks[0]
            extra = tuple(Value(s.name, s.type) for s in slots)
            blocks = (replace(cond, params=(*cond.params, *extra)), *blocks)
        leave = Block((), (), End("return", tuple(results[1:]), origin=first.origin))
        stay = Block((), (), End("yield"))
        after.append(Instr(IF, (results[0],), (), (), (leave, stay), first.origin, instr.role))
        return replace(
            instr,
            args=(*instr.args, Literal(False), *undefined),
            results=(*instr.results, *results),
            blocks=blocks,
        )

    def undef(self, t: Type, instrs: list[Instr]) -> Value:
        value = Value("", t)
        instrs.append(Instr(UNDEF, (), (value,), (("type", t),)))
        return value

    def anywhere(self, t: Type) -> Type:
        """Return the type with sizes and ints that are only known inside a loop made unknown."""
        if isinstance(t, Array):
            local = [any(s[0] in "?$" for s in n.symbols()) for n in t.shape]
            return Array(
                t.dtype, tuple(self.sizes.fresh() if k else n for n, k in zip(t.shape, local, strict=True))
            )
        return Scalar(t.dtype, t.weak)

    # ends in tail position

    def tail(self, block: Block, convert: dict[str, Convert], types: Sequence[Type]) -> Block:
        """Return the block with all ends of the convertible kinds turned into a yield of its own."""
        instrs = list(block.instrs)
        for k, instr in enumerate(instrs):
            kinds = tuple(kind for kind in convert if kind != "yield")
            if not _contains(instr, kinds):
                continue
            done, rest = instrs[:k], Block((), tuple(instrs[k + 1 :]), block.end)
            if all(b.end.kind == "yield" for b in instr.blocks):
                instr, flag, values = self.flagged(instr, convert, types)
                done.append(instr)
                gone = Block((), (), End("yield", values))
                blocks = (gone, self.tail(rest, convert, types))
                return self.joined(block.params, done, (flag,), blocks, instr, types)
            blocks = (
                self.branch(instr, 0, rest, convert, types),
                self.branch(instr, 1, rest, convert, types),
            )
            return self.joined(block.params, done, instr.args, blocks, instr, types)
        end = block.end
        if end.kind in convert:
            end = replace(end, kind="yield", args=convert[end.kind](end, instrs))
        return Block(block.params, tuple(instrs), end)

    def branch(
        self, instr: Instr, k: int, rest: Block, convert: dict[str, Convert], types: Sequence[Type]
    ) -> Block:
        """Return branch k of an `if`, with what follows the `if` if the branch goes on."""
        b = instr.blocks[k]
        if b.end.kind == "yield":
            mapping = dict(zip(instr.results, b.end.args, strict=True))
            following = substitute(rest, mapping)
            b = Block(b.params, (*b.instrs, *following.instrs), following.end)
        return self.tail(b, convert, types)

    def joined(
        self,
        params: tuple[Value, ...],
        done: list[Instr],
        args: tuple[Operand, ...],
        blocks: tuple[Block, Block],
        like: Instr,
        types: Sequence[Type],
    ) -> Block:
        yielding = [b for b in blocks if b.end.kind == "yield"]
        if not yielding:
            done.append(replace(like, args=args, results=(), blocks=blocks))
            return Block(params, tuple(done), End("unreachable"))
        results = tuple(
            Value(
                _common_name([b.end.args[k] for b in yielding]),
                self.join(t, [b.end.args[k].type for b in yielding]),
            )
            for k, t in enumerate(types)
        )
        done.append(replace(like, args=args, results=results, blocks=blocks))
        return Block(params, tuple(done), End("yield", results))

    def join(self, expected: Type, types: list[Type]) -> Type:
        """Return the type of what is one of several values: shapes where they agree. A number of the text is
        of the type that is expected."""
        if isinstance(expected, Scalar):
            return Scalar(expected.dtype, expected.weak)
        if all(t == types[0] for t in types):
            return types[0]
        shapes = [t.shape for t in types if isinstance(t, Array)]
        same = [len(set(along)) == 1 for along in zip(*shapes, strict=True)]
        return Array(
            expected.dtype,
            tuple(n if ok else self.sizes.fresh() for n, ok in zip(shapes[0], same, strict=True)),
        )

    def flagged(
        self, instr: Instr, convert: dict[str, Convert], types: Sequence[Type]
    ) -> tuple[Instr, Value, tuple[Value, ...]]:
        """Return an `if` that gives, beside its results, whether it left and with which values."""

        def gone(kind: str) -> Convert:
            def ending(end: End, instrs: list[Instr]) -> tuple[Operand, ...]:
                none = [self.undef(r.type, instrs) for r in instr.results]
                return (*none, Literal(True), *convert[kind](end, instrs))

            return ending

        def stays(end: End, instrs: list[Instr]) -> tuple[Operand, ...]:
            return (*end.args, Literal(False), *(self.undef(t, instrs) for t in types))

        inner: dict[str, Convert] = {kind: gone(kind) for kind in convert if kind != "yield"} | {
            "yield": stays
        }
        flag = Value("left", WEAK_BOOL)
        values = tuple(Value("", self.anywhere(t)) for t in types)
        results = (*instr.results, flag, *values)
        result_types = [r.type for r in results]
        blocks = tuple(self.tail(b, inner, result_types) for b in instr.blocks)
        return replace(instr, results=results, blocks=blocks), flag, values

    # ways out by themselves

    def unnest(self, block: Block) -> Block:
        instrs: list[Instr] = []
        pending = block
        while True:
            for k, instr in enumerate(pending.instrs):
                if instr.op.name != "if":
                    instrs.append(instr)
                    continue
                blocks = tuple(map(self.unnest, instr.blocks))
                leaving = [b.leaves for b in blocks]
                if all(leaving):
                    instrs.append(replace(instr, results=(), blocks=blocks))
                    return Block(block.params, tuple(instrs), End("unreachable"))
                if not any(leaving):
                    instrs.append(replace(instr, blocks=blocks))
                    continue
                other = blocks[0 if leaving[1] else 1]
                empty = Block((), (), End("yield"))
                only = tuple(b if b.leaves else empty for b in blocks)
                instrs.append(replace(instr, results=(), blocks=only))
                mapping = dict(zip(instr.results, other.end.args, strict=True))
                rest = substitute(Block((), pending.instrs[k + 1 :], pending.end), mapping)
                pending = Block((), (*other.instrs, *rest.instrs), rest.end)
                break
            else:
                return Block(block.params, tuple(instrs), pending.end)


def _contains(instr: Instr, kinds: tuple[str, ...]) -> bool:
    """True if an end of one of the kinds stands in the branches of an `if`, loops not looked into."""
    if instr.op.name != "if":
        return False
    return any(b.end.kind in kinds or any(_contains(i, kinds) for i in b.instrs) for b in instr.blocks)


def _map_ends(block: Block, change: Callable[[End], End], nested: bool = False) -> Block:
    """Return a loop body with its own ends changed; the yields of its ifs stay."""
    instrs = tuple(
        replace(i, blocks=tuple(_map_ends(b, change, True) for b in i.blocks)) if i.op.name == "if" else i
        for i in block.instrs
    )
    end = block.end if nested and block.end.kind == "yield" else change(block.end)
    return Block(block.params, instrs, end)


def _common_name(options: list[Operand]) -> str:
    names = {a.name for a in options if isinstance(a, Value)}
    return names.pop() if len(names) == 1 else ""
