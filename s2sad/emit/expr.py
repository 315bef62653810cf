"""Operands as Python expressions: names, literals, and the operations printed inside them."""

from __future__ import annotations

import ast
import functools
import keyword
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from s2sad.emit.conditions import joined_by
from s2sad.emit.constants import constant_text
from s2sad.emit.inline import Inlining
from s2sad.emit.layout import string
from s2sad.emit.names import Names
from s2sad.emit.spelling import default_text, template
from s2sad.ir.core import Function, Instr, Literal, Operand, Value
from s2sad.ir.path import At, Fancy, Index, Item, New, Path, Permute, Span, is_fancy
from s2sad.ir.tree import Leaf
from s2sad.ir.types import Array, Scalar, Type
from s2sad.ops.optimize import MODULE
from s2sad.ops.support import SUPPORT
from s2sad.ops.table import OPS

CALLS_OUTSIDE = ("external", "called_outside")
_EXTREMES = {"greater": "max", "greater_equal": "max", "less": "min", "less_equal": "min"}
_CREATES = ("zeros", "ones", "empty", "full")


class Expressions:
    """Prints operands. `paths` gives the text of parameters that are no variables; `calls` the names
    of called functions."""

    def __init__(
        self,
        names: Names,
        inlining: Inlining,
        paths: dict[Value, str],
        calls: dict[Function, str],
        imported: Mapping[Any, str],
    ):
        self.names, self.inlining = names, inlining
        self.paths, self.calls, self.imported = paths, calls, imported
        self.support: set[str] = set()

    def operand(self, a: Operand, type: Type | None = None) -> ast.expr:
        """Return the expression of an operand; a literal is written in the kind of `type`."""
        if isinstance(a, Literal):
            value = a.value
            if type is not None and type.dtype.kind == "f" and isinstance(value, int):
                value = float(value)
            return parsed(constant_text(value))
        if a in self.inlining.undefined:
            return parsed(default_text(a))
        instr = self.inlining.inlined.get(a)
        if instr is not None:
            return self.instr(instr)
        if a in self.paths:
            return parsed(self.paths[a])
        return ast.Name(self.names[a], ast.Load())

    def instr(self, instr: Instr) -> ast.expr:
        """Return the expression that computes an instruction's only result."""
        match instr.op.name:
            case "getitem":
                return self._read(instr)
            case "if":
                return self._conditional(instr)
            case "call":
                return self.call(instr)
            case "optimize":
                return self.solution(self.solver(instr), instr, 0)
            case "size":
                seen = self._measured(instr)
                if seen is not None:
                    return seen
            case "not_":
                return negated(self.test(instr.args[0]))
        if instr.op.name == "add" and (minus := self._minus(instr.args[1])) is not None:
            return filled("{0} - {1}", [self.operand(instr.args[0]), self.operand(minus)])
        if instr.op.name == "where":
            extreme = self._extreme(instr)
            if extreme is not None:
                return extreme
        if instr.op.name in _CREATES:
            shaped = self._whole_shape(instr)
            if shaped is not None:
                return shaped
        if instr.op.name in CALLS_OUTSIDE:
            types = tuple(a.type for a in instr.args)
            text = instr.op.extra["spell"](types, dict(instr.params), self.imported)
        else:
            text = template(instr)
        self.support.update(_support_of(text))
        text, shapes = self._shapes_as_tuples(instr, text) if ".shape" in text else (text, {})
        kind = instr.result.type if instr.op.name == "where" and len(instr.results) == 1 else None
        return filled(text, [shapes.get(k) or self.operand(a, kind) for k, a in enumerate(instr.args)])

    def _minus(self, a: Operand) -> Operand | None:
        """Return b where `a` is printed as `-b`: a difference with it is the same to the last bit."""
        maker = self.inlining.inlined.get(a) if isinstance(a, Value) else None
        if maker is None or maker.op.name != "negative" or maker.result.type.dtype.kind not in "fc":
            return None
        return maker.args[0]

    def built(self, tree: Any, leaves: Sequence[ast.expr]) -> ast.expr | None:
        """Return the expression that builds a tree from the expressions of its leaves."""
        return structure(tree, leaves, self.imported)

    # --- conditional expressions ---------------------------------------------------------------

    def test(self, a: Operand) -> ast.expr:
        """Return an operand of which only the truth matters."""
        instr = self.inlining.inlined.get(a) if isinstance(a, Value) else None
        if instr is not None and instr.op.name == "if":
            return self._conditional(instr, self.test)
        if instr is not None and instr.op.name == "not_":
            return negated(self.test(instr.args[0]))
        return self.operand(a)

    def _conditional(self, instr: Instr, show: Callable[[Operand], ast.expr] | None = None) -> ast.expr:
        """Return `b if a else c`, as `a and b` or `a or c` where that is the same: with `show`, where
        only its truth matters."""
        test = self.test(instr.args[0])
        target = instr.result.type
        yes, no = (b.end.args[0] for b in instr.blocks)
        same = show is not None or getattr(instr.args[0].type, "weak", False)
        show = show or self.operand
        if same and no == Literal(False):
            return joined_by(ast.And(), test, show(yes))
        if same and yes == Literal(True):
            return joined_by(ast.Or(), test, show(no))
        return ast.IfExp(test, self.operand(yes, target), self.operand(no, target))

    def _extreme(self, instr: Instr) -> ast.expr | None:
        """Return `max(a, b)` for ints chosen by comparing them."""
        test, a, b = instr.args
        maker = self.inlining.inlined.get(test) if isinstance(test, Value) else None
        ints = all(isinstance(t.type, Scalar) and t.type.weak and t.type.dtype.kind == "i" for t in (a, b))
        if maker is None or maker.args != (a, b) or maker.op.name not in _EXTREMES or not ints:
            return None
        return filled(_EXTREMES[maker.op.name] + "({0}, {1})", [self.operand(a), self.operand(b)])

    # --- parts of arrays -----------------------------------------------------------------------

    def part(self, base: ast.expr, path: Path, operands: Sequence[Operand], store: bool = False) -> ast.expr:
        """Return `base[path]`; with `store`, in a form that can be assigned to."""
        rest = [self.operand(a) for a in operands]
        steps = joined([bound(step, rest) for step in path])
        for step in steps:
            base = transposed(base, step) if isinstance(step, Permute) else _subscript(base, step)
        if store and not (steps and not isinstance(steps[-1], Permute)):
            base = ast.Subscript(base, parsed("..."), ast.Load())
        return base

    def _read(self, instr: Instr) -> ast.expr:
        """Return a part of an array, or of a part of it that is printed here."""
        base, path, operands = instr.args[0], instr.param("path"), instr.args[1:]
        maker = self.inlining.inlined.get(base) if isinstance(base, Value) else None
        while maker is not None and maker.op.name == "getitem":
            base, path, operands = maker.args[0], (*maker.param("path"), *path), (*maker.args[1:], *operands)
            maker = self.inlining.inlined.get(base) if isinstance(base, Value) else None
        return self.part(self.operand(base), path, operands)

    # --- shapes --------------------------------------------------------------------------------

    def _whole_shape(self, instr: Instr) -> ast.expr | None:
        """Return `np.zeros(x.shape)` or `np.empty((n,) + x.shape)`, where the last dimensions are all
        those of one array."""
        first = 1 if instr.op.name == "full" else 0
        dims = instr.args[first:]
        for start in range(max(0, len(dims) - 4), len(dims)):
            like = self._shape_source(dims[start:])
            if like is None or len(dims) - start < (1 if start else 2):
                continue
            shape: ast.expr = ast.Attribute(self.operand(like), "shape", ast.Load())
            if start:
                lead = ast.Tuple([self.operand(d) for d in dims[:start]], ast.Load())
                shape = ast.BinOp(lead, ast.Add(), shape)
            short = Instr(instr.op, (*instr.args[:first], Literal(0)), instr.results, instr.params)
            return filled(template(short), [*(self.operand(a) for a in instr.args[:first]), shape])
        return None

    def _shape_source(self, dims: Sequence[Operand]) -> Operand | None:
        """Return the array of which `dims` are all the dimensions, in order, printed in place."""
        found: Operand | None = None
        for axis, d in enumerate(dims):
            maker = self.inlining.inlined.get(d) if isinstance(d, Value) else None
            if maker is None or maker.op is not OPS["size"] or maker.param("axis") != axis:
                return None
            if found is not None and maker.args[0] is not found:
                return None
            found = maker.args[0]
        if found is None or not isinstance(found.type, Array) or found.type.ndim != len(dims):
            return None
        return found

    def _measured(self, instr: Instr) -> ast.expr | None:
        """Return `x.shape[k]` for the size of a part of x that has x's whole dimension k."""
        a, axis = instr.args[0], instr.param("axis")
        maker = self.inlining.inlined.get(a) if isinstance(a, Value) else None
        if maker is None or maker.op.name != "getitem" or axis is None:
            return None
        found: int | None = axis
        for step in reversed(maker.param("path")):
            if found is not None:
                found = step.axes[found] if isinstance(step, Permute) else _whole_dimension(step, found)
        if found is None and not is_fancy(maker.param("path")):  # reversed, say
            sizes = maker.args[0].type.shape
            found = sizes.index(a.type.shape[axis]) if a.type.shape[axis] in sizes else None
        if found is None:
            return None
        shape = ast.Attribute(self.operand(maker.args[0]), "shape", ast.Load())
        return ast.Subscript(shape, ast.Constant(found), ast.Load())

    def _shapes_as_tuples(self, instr: Instr, text: str) -> tuple[str, dict[int, ast.expr]]:
        """Return a template, and the operands at some of its slots: `(n, m)` for `np.empty((n, m)).shape`."""
        found: dict[int, ast.expr] = {}
        for k, a in enumerate(instr.args):
            maker = self.inlining.inlined.get(a) if isinstance(a, Value) else None
            if maker is not None and maker.op.name == "empty" and f"{{{k}}}.shape" in text:
                text = text.replace(f"{{{k}}}.shape", f"{{{k}}}")
                found[k] = ast.Tuple([self.operand(n) for n in maker.args], ast.Load())
        return text, found

    # --- calls ---------------------------------------------------------------------------------

    def call(self, instr: Instr) -> ast.expr:
        """Return the call of a function of the program, its arguments put together from leaves."""
        callee: Function = instr.param("callee")
        args: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        leaves = [self.operand(v) for v in instr.args]
        for p in callee.signature:
            value = self.built(p.tree, leaves) or ast.Constant(None)  # static, without a text: not read
            match p.kind:
                case "positional" if not keywords:
                    args.append(value)
                case "variadic":
                    args += value.elts if isinstance(value, ast.Tuple) else [ast.Starred(value, ast.Load())]
                case "variadic_keyword":
                    keywords += _keywords(value)
                case _:
                    keywords.append(ast.keyword(p.name, value))
        return ast.Call(ast.Name(self.calls[callee], ast.Load()), args, keywords)

    def solver(self, instr: Instr) -> ast.expr:
        """Return the call of a solver of SciPy."""
        values = [self.operand(a) for a in instr.args]
        called = [ast.Name(self.calls[fn], ast.Load()) for fn in instr.param("callees")]
        first = int(instr.param("guess"))
        shared = values[first : first + instr.param("count")]
        keywords = [ast.keyword("args", ast.Tuple(shared, ast.Load()))] if shared else []
        keywords += map(ast.keyword, instr.param("names")[1:], called[1:])
        for name, tree in instr.param("keywords"):
            keywords.append(ast.keyword(name, self.built(tree, values) or ast.Constant(None)))
        return ast.Call(parsed(f"{MODULE}.{instr.param('solver')}"), [called[0], *values[:first]], keywords)

    def solution(self, of: ast.expr, instr: Instr, k: int) -> ast.expr:
        """Return result k of a solver of SciPy, of what it has returned."""
        reads = instr.param("reads")
        return ast.Attribute(of, reads[k], ast.Load()) if reads else of

    def tree_of(self, tree: Any, values: Sequence[Operand]) -> ast.expr | None:
        """Return a structure of leaves as an expression; None for a static part that has no text."""
        return self.built(tree, [self.operand(v) for v in values])


def _keywords(value: ast.expr) -> list[ast.keyword]:
    """Return `**value` as keywords: one for each item where their names are known."""
    if isinstance(value, ast.Dict):
        names = [k.value if isinstance(k, ast.Constant) else None for k in value.keys]
        if all(isinstance(n, str) and n.isidentifier() and not keyword.iskeyword(n) for n in names):
            return [ast.keyword(str(n), v) for n, v in zip(names, value.values, strict=True)]
    return [ast.keyword(None, value)]


def structure(tree: Any, leaves: Sequence[ast.expr], imported: Mapping[Any, str]) -> ast.expr | None:
    """Return the expression that builds a tree from the expressions of its leaves."""
    kind = getattr(tree, "kind", None)
    if kind is None:
        if isinstance(tree, Leaf):
            return leaves[tree.index]
        try:
            return parsed(constant_text(tree.value))
        except ValueError:
            return None
    items = [structure(item, leaves, imported) or ast.Constant(None) for item in tree.items]
    match kind:
        case "tuple":
            return ast.Tuple(items, ast.Load())
        case "list":
            return ast.List(items, ast.Load())
        case "dict":
            made = ast.Dict([parsed(constant_text(k)) for k in tree.keys], items)
            return made if tree.cls is None else ast.Call(_name(tree.cls, imported), [made], [])
    keywords = [ast.keyword(str(k), item) for k, item in zip(tree.keys, items, strict=True)]
    return ast.Call(_name(tree.cls, imported), [], keywords)


def _name(cls: type, imported: Mapping[Any, str]) -> ast.expr:
    return ast.Name(imported.get(cls, cls.__name__), ast.Load())


Bound = list[tuple[Item, ast.expr]]  # the items of an index with what they print as


def bound(step: Index | Permute, rest: list[ast.expr]) -> Bound | Permute:
    """Return a step with its operands, taken from `rest`."""
    if isinstance(step, Permute):
        return step
    out: Bound = []
    for item in step.items:
        match item:
            case At() | Fancy():
                out.append((item, rest.pop(0)))
            case New():
                out.append((item, ast.Constant(None)))
            case Span():
                bounds = [rest.pop(0) if there else None for there in (item.lo, item.hi, item.step)]
                out.append((item, ast.Slice(*bounds)))
    return out


def joined(steps: Sequence[Bound | Permute]) -> list[Bound | Permute]:
    """Return the steps with `[i][j]` written `[i, j]` where that means the same."""
    out: list[Bound | Permute] = []
    for step in steps:
        if isinstance(step, Permute):
            if step.axes != tuple(range(len(step.axes))):
                out.append(step)
            continue
        if len(steps) > 1 and all(item == Span() for item, _ in step):
            continue
        before = out[-1] if out else None
        both = None if before is None or isinstance(before, Permute) else _merge(before, step)
        if both is None:
            out.append(step)
        else:
            out[-1] = both
    return out


def _merge(first: Bound, second: Bound) -> Bound | None:
    """Return one index for two, if the first takes whole dimensions or single ones."""
    if any(isinstance(i, Fancy) for i, _ in (*first, *second)):
        return None
    if not all(isinstance(i, At) or i == Span() for i, _ in first):
        return None
    out: Bound = []
    rest = list(second)
    for pair in first:
        if isinstance(pair[0], At):
            out.append(pair)
            continue
        while rest and isinstance(rest[0][0], New):
            out.append(rest.pop(0))
        out.append(rest.pop(0) if rest else pair)
    return [*out, *rest]


def transposed(base: ast.expr, step: Permute) -> ast.expr:
    """Return `base.T` or `np.transpose(base, axes)`."""
    if step.axes == tuple(reversed(range(len(step.axes)))):
        return ast.Attribute(base, "T", ast.Load())
    return filled(f"np.transpose({{0}}, {constant_text(step.axes)})", [base])


def _subscript(base: ast.expr, items: Bound) -> ast.expr:
    return ast.Subscript(base, subscript(items), ast.Load())


def subscript(items: Bound) -> ast.expr:
    """Return what stands in the brackets; whole trailing dimensions are left out."""
    if not items:
        return parsed("...")
    keep = len(items)
    if not any(isinstance(item, New) for item, _ in items):
        while keep > 1 and items[keep - 1][0] == Span():
            keep -= 1
    parts = [node for _, node in items[:keep]]
    return parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load())


def _whole_dimension(step: Index, axis: int) -> int | None:
    """Return the dimension that a plain `:` takes to `axis` of the result."""
    if any(isinstance(i, Fancy) for i in step.items):
        return None
    source = result = 0
    for item in step.items:
        if not isinstance(item, At):
            if result == axis:
                return source if item == Span() else None
            result += 1
        source += not isinstance(item, New)
    return source + axis - result


def negated(test: ast.expr) -> ast.expr:
    """Return `not test`, with == and != turned round and double negation removed."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        if isinstance(test.ops[0], ast.Eq):
            return ast.Compare(test.left, [ast.NotEq()], test.comparators)
        if isinstance(test.ops[0], ast.NotEq):
            return ast.Compare(test.left, [ast.Eq()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def parsed(text: str) -> ast.expr:
    """Return the tree of an expression. Trees are only read: those of the same text are one."""
    return _tree_of(text)


_BINARY: dict[str, ast.operator] = {  # nearly all templates of a derivative: no need to parse them
    "{0} + {1}": ast.Add(),
    "{0} - {1}": ast.Sub(),
    "{0} * {1}": ast.Mult(),
    "{0} / {1}": ast.Div(),
    "{0} ** {1}": ast.Pow(),
}


@functools.lru_cache(maxsize=512)
def _support_of(text: str) -> tuple[str, ...]:
    return tuple(name for name in SUPPORT if text.startswith(f"{name}("))


Filler = Callable[[Sequence[ast.expr]], Any]


@functools.lru_cache(maxsize=512)
def _tree_of(text: str) -> ast.expr:
    tree: ast.expr = _Quoting().visit(ast.parse(text, mode="eval").body)
    return tree


def _binary(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr:
    """Return an operator; a negative number as exponent gets no parentheses: it needs none."""
    if isinstance(op, ast.Pow) and isinstance(right, ast.UnaryOp) and isinstance(right.operand, ast.Constant):
        right = ast.Name(ast.unparse(right), ast.Load())
    return ast.BinOp(left, op, right)


class _Quoting(ast.NodeTransformer):
    """Puts strings in our quotes."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        return _binary(self.visit(node.left), node.op, self.visit(node.right))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return string(node.value) if isinstance(node.value, str) else node


def filled(text: str, args: Sequence[ast.expr]) -> ast.expr:
    """Return a template with its slots filled."""
    if text in _BINARY:
        return _binary(args[0], _BINARY[text], args[1])
    made, fill = _template(text, len(args))
    return made if fill is None else fill(args)


@functools.lru_cache(maxsize=512)
def _template(text: str, count: int) -> tuple[ast.expr, Filler | None]:
    tree = _tree_of(text.format(*(f"__a_{k}__" for k in range(count))))
    return tree, _filler(tree)


def _filler(node: Any) -> Filler | None:
    """Return what makes a tree with its slots filled; None if it has no slots."""
    if isinstance(node, ast.Name) and node.id.startswith("__a_"):
        return operator.itemgetter(int(node.id[4:-2]))
    if isinstance(node, list):
        items = [(item, _filler(item)) for item in node]
        if not any(fill for _, fill in items):
            return None
        return lambda args: [item if fill is None else fill(args) for item, fill in items]
    if not isinstance(node, ast.AST):
        return None
    kind, fields = type(node), dict(ast.iter_fields(node))
    open_fields = [(name, fill) for name, value in fields.items() if (fill := _filler(value))]
    if not open_fields:
        return None
    return lambda args: kind(**fields | {name: fill(args) for name, fill in open_fields})
