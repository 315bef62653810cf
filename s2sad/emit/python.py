"""From a bufferized block to statements: assignments, writes in place, branches, loops and ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from s2sad.analysis.unbound import joins, maybe_unbound, undefs_of
from s2sad.emit.constants import quoted
from s2sad.emit.expr import Expressions, bound, negated, parsed, subscript
from s2sad.emit.imports import exception_name
from s2sad.emit.inline import Inlining
from s2sad.emit.layout import Branch, Loop, Remark, Simple, Statement, expression_text, string
from s2sad.emit.names import Names
from s2sad.ir import path as paths
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import carried, inits
from s2sad.ir.path import Index, Path, Permute
from s2sad.ir.tree import Leaf, Node, Static, Tree
from s2sad.ir.types import Array
from s2sad.record import dataclass

_AUGMENTED = (ast.Add, ast.Sub, ast.Mult, ast.Div)
_FORWARD, _REVERSE = "forward sweep", "reverse sweep"
_SIGNS: dict[str, ast.operator] = {
    "add": ast.Add(),
    "subtract": ast.Sub(),
    "multiply": ast.Mult(),
    "divide": ast.Div(),
    "floor_divide": ast.FloorDiv(),
    "remainder": ast.Mod(),
    "power": ast.Pow(),
}
_ACCUMULATED = ("add", "subtract")
_SILENT = ("zeros", "zeros_like")  # a cotangent that begins at zero stands for no primal line


@dataclass(frozen=True, slots=True)
class _Around:
    """The instruction that owns a block, and the innermost loop around it."""

    owner: Instr | None = None
    loop: Instr | None = None


class Statements:
    """Prints the body of one function."""

    def __init__(self, fn: Function, names: Names, inlining: Inlining, expressions: Expressions):
        self.fn, self.names, self.inlining, self.expr = fn, names, inlining, expressions
        # a name is bound even where it means nothing if that is handed on, or taped all the same
        self.bound = {instr.result for instr in undefs_of(fn.block, self._read_unbound())}

    def _read_unbound(self) -> list[Operand]:
        """Return the values that may be unbound where an assignment at a join reads them, the write to a tape
        (whose role is none if it may be written again), or a cotangent their shape: all others are behind the
        check that the user's reads have."""
        unbound = maybe_unbound(self.fn.block) - self.inlining.undefined
        if not unbound:
            return []
        found: list[Operand] = []
        for instr in self.fn.block.walk():
            for targets, row in joins(instr):
                found += (a for v, a in zip(targets, row, strict=True) if a in unbound and self._moves(v, a))
            if instr.role == "tape" or instr.op.name in ("copy", "setitem"):
                found += (a for a in instr.args if a in unbound)
            elif instr.role:
                shaped = (a for k, a in enumerate(instr.args) if k in instr.op.shape_args)
                found += (a for a in shaped if a in unbound)
        return found

    def body(self) -> list[Statement]:
        """Return the statements of the function; what comes before the reverse sweep is headed as well."""
        out = self.block(self.fn.block, _Around())
        marks = [k for k, s in enumerate(out) if s == Remark(_REVERSE)]
        if not marks:
            return out
        if marks[0] == 0:  # nothing to tell apart
            return out[1:]
        return [Remark(_FORWARD), *out]

    def block(self, block: Block, around: _Around) -> list[Statement]:
        """Return the statements of a block, its end included."""
        out: list[Statement] = []
        for instr in block.instrs:
            if not self.inlining.is_inlined(instr):
                out += self.instr(instr, around)
        return out + self.end(block, around)

    # --- instructions --------------------------------------------------------------------------

    def instr(self, instr: Instr, around: _Around) -> list[Statement]:
        """Return the statements of one instruction."""
        match instr.op.name:
            case "if":
                return self.branch(instr, around)
            case "for":
                return self.counted(instr)
            case "while":
                return self.conditional_loop(instr)
            case "comment":
                return [Remark(instr.param("text"))]
            case "print":
                return [self.simple(ast.Expr(self.printed(instr)), instr)]
            case "setitem":
                return [self.write(instr)]
            case "accum":
                return [self.accumulate(instr)]
            case "call":
                return self.call(instr)
            case "optimize":
                return self.solved(instr)
        if not instr.results:
            return [self.simple(ast.Expr(self.expr.instr(instr)), instr)]
        if len(instr.results) == 1:
            value = self.expr.instr(instr)
            if isinstance(value, ast.Name) and value.id == self.names[instr.result]:
                return []  # a scalar as a wider one prints as itself
            node = self.assign(instr.result, value)
        else:
            targets = ast.Tuple([self.target(r) for r in instr.results], ast.Store())
            node = ast.Assign([targets], self.expr.instr(instr))
        return [self.simple(node, instr)]

    def simple(self, node: ast.stmt, instr: Instr, roots: tuple[Operand, ...] | None = None) -> Simple:
        """Return a statement with the comment that its instruction asks for."""
        return Simple(node, comment_of(instr), instr.args if roots is None else roots)

    def target(self, v: Value) -> ast.Name:
        """Return the name that a value is assigned to."""
        return ast.Name(self.names[v], ast.Store())

    def assign(self, v: Value, value: ast.expr) -> ast.stmt:
        """Return `v = value`; for scalars `v += w` where value is `v + w`."""
        name = self.names[v]
        if (
            isinstance(value, ast.BinOp)
            and isinstance(value.op, _AUGMENTED)
            and isinstance(value.left, ast.Name)
            and value.left.id == name
            and not isinstance(v.type, Array)
        ):
            return ast.AugAssign(self.target(v), value.op, value.right)
        return ast.Assign([self.target(v)], value)

    def write(self, instr: Instr) -> Simple:
        """Return `x[path] = v`."""
        x, v, *operands = instr.args
        base = self.expr.operand(x)
        target = self.expr.part(base, instr.param("path"), operands, store=True)
        scaled = self._scaled(instr)
        if scaled is not None:
            sign, factor, whole = scaled
            if whole and isinstance(base, ast.Name):
                target = base
            assert isinstance(target, ast.Subscript | ast.Name)
            kind = None if isinstance(sign, ast.Pow) else x.type
            return self.simple(ast.AugAssign(target, sign, self.expr.operand(factor, kind)), instr)
        return self.simple(ast.Assign([target], self.expr.operand(v, x.type)), instr)

    def _scaled(self, instr: Instr) -> tuple[ast.operator, Operand, bool] | None:
        """Return (operator, other operand, the whole array) of an operation whose result a write stores
        where its first operand was read from: `x[k] *= v`."""
        x, v = instr.args[:2]
        maker = self.inlining.inlined.get(v) if isinstance(v, Value) else None
        if maker is None or maker.op.name not in _SIGNS or v.type.dtype != x.type.dtype:
            return None
        orders = [maker.args, maker.args[::-1]] if maker.op.name == "multiply" else [maker.args]
        for read, other in orders:
            whole = read is x and instr.param("path") == paths.full(x.type.ndim)
            if v.type.ndim == read.type.ndim and (whole or self._is_read(read, instr)):
                # x[i] += v is `accum`; x[i] = x[i] + v stays as it was written
                plain = maker.op.name in _ACCUMULATED and (whole or not paths.is_fancy(instr.param("path")))
                return None if plain else (_SIGNS[maker.op.name], other, whole)
        return None

    def _is_read(self, a: Operand, write: Instr) -> bool:
        """True if `a` prints as the very part that is written."""
        read = self.inlining.inlined.get(a) if isinstance(a, Value) else None
        x, _, *operands = write.args
        return (
            read is not None
            and read.op.name == "getitem"
            and read.param("path") == write.param("path")
            and read.args == (x, *operands)
        )

    def accumulate(self, instr: Instr) -> Simple:
        """Return `x[path] += v`, or the call of np.add.at."""
        x, v, *operands = instr.args
        path: Path = instr.param("path")
        base = self.expr.operand(x)
        if instr.param("at"):
            return self.simple(ast.Expr(self.add_at(base, path, operands, v)), instr)
        whole = not path or (path == paths.full(x.type.ndim) and isinstance(base, ast.Name))
        target = base if whole and isinstance(base, ast.Name) else self.expr.part(base, path, operands, True)
        sign: ast.operator = ast.Add()
        maker = self.inlining.inlined.get(v) if isinstance(v, Value) else None
        if maker is not None and maker.op.name == "negative":
            sign, v = ast.Sub(), maker.args[0]
        assert isinstance(target, ast.Name | ast.Subscript)
        return self.simple(ast.AugAssign(target, sign, self.expr.operand(v, x.type)), instr)

    def add_at(self, base: ast.expr, path: Path, operands: Sequence[Operand], v: Operand) -> ast.expr:
        """Return `np.add.at(x, index, v)`."""
        last = path[-1]
        assert isinstance(last, Index)
        count = paths.operand_count(path[:-1])
        base = self.expr.part(base, path[:-1], operands[:count])
        items = bound(last, [self.expr.operand(a) for a in operands[count:]])
        assert not isinstance(items, Permute)
        index = subscript(items)
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        parts = [_slice_call(i) if isinstance(i, ast.Slice) else i for i in parts]
        where = parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load())
        return ast.Call(parsed("np.add.at"), [base, where, self.expr.operand(v)], [])

    def printed(self, instr: Instr) -> ast.expr:
        """Return the call of print."""
        args: list[ast.expr] = []
        for item in instr.param("template"):
            match item:
                case int():
                    args.append(self.expr.operand(instr.args[item]))
                case tuple():
                    args.append(self.message(item, instr.args))
                case _:
                    args.append(_constant(item))
        keywords = []
        for name, default in (("sep", " "), ("end", "\n")):
            value = instr.param(name, default)
            if value != default and value is not None:
                keywords.append(ast.keyword(name, _constant(value)))
        return ast.Call(ast.Name("print", ast.Load()), args, keywords)

    def message(self, template: Sequence[object], values: Sequence[Operand]) -> ast.expr:
        """Return a message as a string or an f-string."""
        if all(isinstance(p, str) for p in template):
            return string("".join(p for p in template if isinstance(p, str)))
        parts: list[ast.expr] = []
        for p in template:
            if isinstance(p, str):
                parts.append(ast.Constant(p))
                continue
            assert isinstance(p, tuple)
            spec = ast.JoinedStr([ast.Constant(p[-1])]) if p[-1] else None
            parts.append(ast.FormattedValue(self.expr.operand(values[p[0]]), -1, spec))
        text = re.sub(r"""^f'([^'"\\]*)'$""", r'f"\1"', ast.unparse(ast.JoinedStr(parts)))
        return ast.Name(text, ast.Load())

    # --- calls ---------------------------------------------------------------------------------

    def call(self, instr: Instr) -> list[Statement]:
        """Return the call of a function of the program, its results bound to names."""
        callee: Function = instr.param("callee")
        value = self.expr.call(instr)
        shown = instr.results[: len(instr.results) - len(callee.writes)]
        if not any(self.names.needed_after(instr, k) for k in range(len(shown))):
            return [self.simple(ast.Expr(value), instr)]
        pattern = self._pattern(callee.result, shown)
        if pattern is not None:
            return [self.simple(ast.Assign([pattern], value), instr)]
        holder = self.names.spare
        out: list[Statement] = [self.simple(ast.Assign([ast.Name(holder, ast.Store())], value), instr)]
        for leaf, text in leaf_paths(callee.result, holder):
            if self.names.needed_after(instr, leaf):
                out.append(Simple(ast.Assign([self.target(shown[leaf])], parsed(text))))
        return out

    def solved(self, instr: Instr) -> list[Statement]:
        """Return the call of a solver of SciPy, what is read of its result bound to names."""
        value = self.expr.solver(instr)
        wanted = [k for k in range(len(instr.results)) if self.names.needed_after(instr, k)]
        parts = {k: (lambda of, k=k: self.expr.solution(of, instr, k)) for k in wanted}
        if not wanted:
            return [self.simple(ast.Expr(value), instr)]
        if len(wanted) == 1:
            (k,) = wanted
            return [self.simple(ast.Assign([self.target(instr.results[k])], parts[k](value)), instr)]
        holder = ast.Name(self.names.new("solution"), ast.Load())
        out: list[Statement] = [self.simple(ast.Assign([ast.Name(holder.id, ast.Store())], value), instr)]
        return out + [Simple(ast.Assign([self.target(instr.results[k])], parts[k](holder))) for k in wanted]

    def _pattern(self, tree: Tree, results: Sequence[Value]) -> ast.expr | None:
        match tree:
            case Leaf(index):
                return self.target(results[index])
            case Static():
                return ast.Name("_", ast.Store())
            case Node(kind) if kind in ("tuple", "list") and tree.items:
                items = [self._pattern(item, results) for item in tree.items]
                found = [i for i in items if i is not None]
                return ast.Tuple(found, ast.Store()) if len(found) == len(items) else None
            case _:
                return None

    # --- branches and loops --------------------------------------------------------------------

    def branch(self, instr: Instr, around: _Around) -> list[Statement]:
        """Return an `if`; what follows a branch that leaves is not nested."""
        inner = _Around(instr, around.loop)
        then, other = (self.block(b, inner) for b in instr.blocks)
        leaves = [b.leaves for b in instr.blocks]
        test = self.expr.test(instr.args[0])
        if leaves[0]:
            return [self._guard(test, then, instr.args), *other]
        if leaves[1]:
            return [self._guard(negated(test), other, instr.args), *then]
        if not then and not other:
            return []
        if not then:
            return [Branch(negated(test), other, [], instr.args)]
        return [Branch(test, then, other, instr.args)]

    def _guard(self, test: ast.expr, body: list[Statement], roots: tuple[Operand, ...]) -> Statement:
        """Return `if test: ...`, written as an assert where it raises AssertionError."""
        only = body[0] if len(body) == 1 else None
        if isinstance(only, Simple) and isinstance(only.node, ast.Raise):
            raised = only.node.exc
            if isinstance(raised, ast.Call) and expression_text(raised.func) == "AssertionError":
                message = raised.args[0] if raised.args else None
                return Simple(ast.Assert(negated(test), message), "", (*roots, *only.roots))
        return Branch(test, body, [], roots)

    def counted(self, loop: Instr) -> list[Statement]:
        """Return a `for` loop over a range."""
        (body,) = loop.blocks
        index = self.target(body.params[0])
        header = ast.For(index, self.range(loop.args[:3]), [ast.Pass()], [])
        inside = self.block(body, _Around(loop, loop))
        return [*self.enter(loop), Loop(header, inside, loop.args[:3])]

    def range(self, bounds: Sequence[Operand]) -> ast.expr:
        """Return `range(lo, hi, step)` without what is the default."""
        lo, hi, step = bounds
        args = [lo, hi, step]
        if step == Literal(1):
            args = [hi] if lo == Literal(0) else [lo, hi]
        return ast.Call(ast.Name("range", ast.Load()), [self.expr.operand(a) for a in args], [])

    def conditional_loop(self, loop: Instr) -> list[Statement]:
        """Return a `while` loop."""
        cond, body = loop.blocks
        inside = self.block(body, _Around(loop, loop))
        test = cond.end.args[0]
        if all(self.inlining.is_inlined(i) for i in cond.instrs):
            header = ast.While(self.expr.test(test), [ast.Pass()], [])
            return [*self.enter(loop), Loop(header, inside, (test,))]
        before: list[Statement] = []
        for instr in cond.instrs:
            if not self.inlining.is_inlined(instr):
                before += self.instr(instr, _Around(loop, None))
        leave = Branch(negated(self.expr.test(test)), [Simple(ast.Break())], [], (test,))
        header = ast.While(ast.Constant(True), [ast.Pass()], [])
        return [*self.enter(loop), Loop(header, [*before, leave, *inside])]

    def enter(self, loop: Instr) -> list[Statement]:
        """Return the assignments of initial values to what a loop carries."""
        pairs = [
            (p, a)
            for k, (p, a) in enumerate(zip(carried(loop), inits(loop), strict=True))
            if self.names.needed_next(loop, k)
        ]
        return self.moves(pairs)

    # --- ends ----------------------------------------------------------------------------------

    def end(self, block: Block, around: _Around) -> list[Statement]:
        """Return what the end of a block does: assignments, and a jump."""
        end, loop = block.end, around.loop
        match end.kind:
            case "return":
                return self.result(end, block is self.fn.block)
            case "raise":
                return [self.raised(end)]
            case "unreachable":
                return []
            case "break":
                assert loop is not None
                slots = zip(loop.results, end.args, strict=True)
                pairs = [(r, a) for k, (r, a) in enumerate(slots) if self.names.needed_after(loop, k)]
                return [*self.moves(pairs), Simple(ast.Break())]
        owner = around.owner if end.kind == "yield" else loop
        assert owner is not None
        if owner.op.name == "if":
            slots = zip(owner.results, end.args, strict=True)
            return self.moves([(r, a) for k, (r, a) in enumerate(slots) if self.names.needed_after(owner, k)])
        slots = zip(carried(owner), end.args, strict=True)
        moved = self.moves([(p, a) for k, (p, a) in enumerate(slots) if self.names.needed_next(owner, k)])
        nested = end.kind == "continue" and block is not owner.blocks[-1]
        return [*moved, Simple(ast.Continue())] if nested else moved

    def moves(self, pairs: Sequence[tuple[Value, Operand]]) -> list[Statement]:
        """Return assignments that happen at the same time: one after the other where no one reads what
        another assigns, else as one tuple assignment, by name. Numbers come last, by name: an order that does
        not depend on how a loop or a branch came about."""
        left = [(v, a) for v, a in pairs if not self._is_same(v, a)]
        numbers = sorted((m for m in left if self._is_number(m[1])), key=lambda m: self.names[m[0]])
        left = [m for m in left if not self._is_number(m[1])] + numbers
        out: list[Statement] = []
        while left:
            for move in left:
                others = [a for v, a in left if v is not move[0]]
                if not any(self.names[move[0]] in self._read(a) for a in others):
                    break
            else:
                return [*out, self._together(sorted(left, key=lambda m: self.names[m[0]]))]
            left.remove(move)
            v, a = move
            maker = self.inlining.inlined.get(a) if isinstance(a, Value) else None
            comment = comment_of(maker) if maker is not None else ""
            value = self.expr.operand(a, v.type)
            if not (isinstance(value, ast.Name) and value.id == self.names[v]):
                out.append(Simple(self.assign(v, value), comment, (a,)))
        return out

    def _is_same(self, v: Value, a: Operand) -> bool:
        if not isinstance(a, Value) or a in self.inlining.inlined:
            return False
        if a in self.inlining.undefined:
            return a not in self.bound
        return a not in self.expr.paths and self.names[a] == self.names[v]

    def _is_number(self, a: Operand) -> bool:
        maker = self.inlining.inlined.get(a) if isinstance(a, Value) else None
        return isinstance(a if maker is None or maker.op.name != "widen" else maker.args[0], Literal)

    def _moves(self, v: Value, a: Operand) -> bool:
        if not isinstance(a, Value) or a in self.inlining.inlined or v in self.inlining.inlined:
            return False
        return self.names[a] != self.names[v]

    def _read(self, a: Operand) -> set[str]:
        return {self.names[v] for v in self.inlining.leaves(a) if v not in self.expr.paths}

    def _together(self, pairs: Sequence[tuple[Value, Operand]]) -> Simple:
        targets = ast.Tuple([self.target(v) for v, _ in pairs], ast.Store())
        values = ast.Tuple([self.expr.operand(a, v.type) for v, a in pairs], ast.Load())
        return Simple(ast.Assign([targets], values), "", tuple(a for _, a in pairs))

    def result(self, end: End, last: bool) -> list[Statement]:
        """Return the `return` statement; none at the end of a function without a result."""
        tree = self.fn.result
        if isinstance(tree, Static) and tree.value is None:
            return [] if last else [Simple(ast.Return(None))]
        value = self.expr.built(tree, [self.expr.operand(a) for a in end.args])
        return [Simple(ast.Return(value), "", end.args)]

    def raised(self, end: End) -> Simple:
        """Return a `raise` statement."""
        params = dict(end.params)
        template = params["message"]
        args = [self.message(template, end.args)] if template else []
        exception = parsed(exception_name(params["exception"], self.expr.imported))
        return Simple(ast.Raise(ast.Call(exception, args, []), None), "", end.args)


def comment_of(instr: Instr) -> str:
    """Return the comment at the end of an instruction's line: its primal place, in derivative code."""
    if instr.origin is None or instr.op.name in _SILENT:
        return ""
    match instr.role:
        case "reverse" | "tangent":
            return str(instr.origin)
        case "recompute":
            return f"recomputed: {instr.origin}"
    return ""


def leaf_paths(tree: Tree, base: str) -> list[tuple[int, str]]:
    """Return (leaf index, expression) for the leaves of a structure bound to `base`."""
    match tree:
        case Leaf(index):
            return [(index, base)]
        case Node():
            out: list[tuple[int, str]] = []
            for key, item in zip(tree.keys, tree.items, strict=True):
                if tree.kind == "record":
                    step = f".{key}"
                else:
                    step = f"[{quoted(key) if isinstance(key, str) else repr(key)}]"
                out += leaf_paths(item, base + step)
            return out
        case _:
            return []


def _constant(value: str | float | None) -> ast.expr:
    return string(value) if isinstance(value, str) else ast.Constant(value)


def _slice_call(s: ast.Slice) -> ast.expr:
    parts = [s.lower, s.upper, s.step]
    while len(parts) > 2 and parts[-1] is None:
        parts.pop()
    args = [p if p is not None else ast.Constant(None) for p in parts]
    if len(args) == 2 and isinstance(args[0], ast.Constant) and args[0].value is None:
        args = args[1:]
    return ast.Call(ast.Name("slice", ast.Load()), args, [])
