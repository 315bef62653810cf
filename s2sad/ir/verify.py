"""Checks that a Function is well formed: defined once, read after defined, arities, types."""

from __future__ import annotations

from s2sad.errors import InternalError
from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value, returns
from s2sad.ir.types import Array, Scalar, Type, without_sizes


def verify(fn: Function, where: str = "") -> Function:
    """Return `fn` if it is well formed, else raise InternalError S901 saying what is not."""
    checker = _Checker(fn, where)
    checker.define(fn.params)
    checker.block(fn.block, loop=None, yields=None)
    return fn


def _serves(a: Literal, t: Scalar) -> bool:
    """True if a weak literal is a strong scalar of its kind, or an unsigned one."""
    kind = a.type.dtype.kind
    return kind == t.dtype.kind or (kind == "i" and t.dtype.kind == "u" and a.value.real >= 0)


class _Checker:
    def __init__(self, fn: Function, where: str):
        self.fn, self.where = fn, where
        self.ever: set[Value] = set()
        self.scope: set[Value] = set()
        self.returned: tuple[Type, ...] | None = None

    def fail(self, why: str) -> None:
        raise InternalError("S901", f"malformed IR in {self.fn.name} after {self.where or 'build'}: {why}")

    def define(self, values: tuple[Value, ...]) -> None:
        before = len(self.ever)
        self.ever.update(values)
        if len(self.ever) != before + len(values):
            self.fail(f"one of {values} is defined twice")
        self.scope.update(values)

    def read(self, args: tuple[Operand, ...], by: str) -> None:
        scope = self.scope
        for a in args:
            if not isinstance(a, Literal) and a not in scope:
                self.fail(f"{by} reads {a}, which is not defined there")

    def same(self, args: tuple[Operand, ...], targets: tuple[Type, ...], what: str) -> None:
        if len(args) != len(targets):
            self.fail(f"{what}: {len(args)} values for {len(targets)}")
        for a, t in zip(args, targets, strict=True):
            if a.type is t:
                continue
            if isinstance(a, Literal) and not isinstance(t, Array) and _serves(a, t):
                continue
            if without_sizes(a.type) != without_sizes(t):
                self.fail(f"{what}: {a.type} for {t}")

    def block(self, block: Block, loop: tuple[Type, ...] | None, yields: tuple[Type, ...] | None) -> None:
        self.define(block.params)
        for instr in block.instrs:
            self.instr(instr, loop)
        end = block.end
        self.read(end.args, end.kind)
        match end.kind:
            case "yield":
                if yields is None:
                    self.fail("the function's block yields")
                else:
                    self.same(end.args, yields, "yield")
            case "break" | "continue":
                if loop is None:
                    self.fail(f"{end.kind} outside a loop")
                else:
                    self.same(end.args, loop, end.kind)
            case "return":
                if self.returned is None:
                    same_number = len({len(e.args) for e in returns(self.fn.block)}) == 1
                    self.returned = self.fn.result_types if same_number else tuple(a.type for a in end.args)
                self.same(end.args, self.returned, "return")
            case "raise" | "unreachable":
                pass
            case _:
                self.fail(f"unknown end {end.kind}")
        self.scope.difference_update(block.params)
        for instr in block.instrs:
            self.scope.difference_update(instr.results)

    def instr(self, instr: Instr, loop: tuple[Type, ...] | None) -> None:
        name = instr.op.name
        self.read(instr.args, name)
        if not instr.blocks and name != "call":
            self.define(instr.results)
            return
        types = tuple(r.type for r in instr.results)
        match name:
            case "if":
                for block in instr.blocks:
                    self.block(block, loop, types)
            case "for":
                (body,) = instr.blocks
                self.same(instr.args[3:], types, "for inits")
                self.same(body.params[1:], types, "for parameters")
                self.block(body, types, types)
            case "while":
                cond, body = instr.blocks
                self.same(instr.args, types, "while inits")
                self.same(cond.params, types, "while cond parameters")
                self.same(body.params, types, "while parameters")
                if len(cond.end.args) != 1:
                    self.fail("a while condition yields one bool")
                self.block(cond, None, tuple(a.type for a in cond.end.args))
                self.block(body, types, types)
            case "call":
                callee: Function = instr.param("callee")
                self.same(instr.args, tuple(p.type for p in callee.params), f"call of {callee.name}")
                self.same(instr.results, callee.result_types, f"results of {callee.name}")
            case _:
                self.fail(f"{name} owns blocks")
        self.define(instr.results)
