"""The parser of the text that `ir/text.py` prints with `types=True`, and of shorter forms of it.

    program  := function+                                the last one is meant, the others are called
    function := "func" name "(" [value ":" type, ...] ")" ["writes(" names ")"] ["fresh"] "{" block
    block    := instr* end "}"
    instr    := [value [":" type], ... "="] op [operand, ...] ["{" key=param, ... "}"] [note]
    owner    := "if" operand "{" block "else {" block
              | "for" lo, hi, step, inits "(" values ")" "{" block
              | "while" inits "(" values ")" "{" block "do (" values ")" "{" block
    end      := ("yield" | "break" | "continue" | "return" | "raise" | "unreachable") [operand, ...]
    note     := ["!" role] ["@" file ":" line]
    param    := dtype | path | "<" type ">" | "@" function | exception | Python literal

Types of results may be left out: they are inferred. Each leaf becomes a parameter of its own and the
results a tuple; a structured signature, facts and documentation are not part of the text.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from s2sad.errors import Origin
from s2sad.ir.builder import Sizes, infer, sorted_params
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Parameter, Value
from s2sad.ir.op import Op
from s2sad.ir.parse_type import parse_type
from s2sad.ir.path import At, Fancy, Index, New, Path, Permute, Span
from s2sad.ir.tree import Leaf, Node
from s2sad.ir.types import WEAK_INT, Array, Scalar, Type
from s2sad.ir.verify import verify

_ENDS = frozenset(("yield", "break", "continue", "return", "raise", "unreachable"))
_NOTE = re.compile(r"\s*(?:!(?P<role>\w+))?(?:\s*@ (?P<file>[^@]+?):(?P<line>\d+))?$")
_DTYPE = re.compile(r"(bool|int|uint|float|complex)\d*$")


def parse(text: str, ops: Mapping[str, Op]) -> Function:
    """Return the last function of the text, verified; SyntaxError where the text makes no sense."""
    parser = _Parser(text, ops)
    found: Function | None = None
    while parser.lines:
        found = parser.function()
    if found is None:
        raise SyntaxError("no function in the text")
    return verify(found, "parse")


def split(text: str) -> list[str]:
    """Return the comma-separated parts of a text, looking past brackets and quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for k, c in enumerate(text):
        if quote:
            quote = "" if c == quote and text[k - 1] != "\\" else quote
        elif c in "'\"":
            quote = c
        elif c in "([{<":
            depth += 1
        elif c in ")]}>":
            depth -= 1
        elif c == "," and not depth:
            parts.append(text[start:k].strip())
            start = k + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


class _Parser:
    def __init__(self, text: str, ops: Mapping[str, Op]):
        lines = (line.strip() for line in text.splitlines())
        self.lines = [line for line in lines if line and not line.startswith("#")][::-1]
        self.ops = ops
        self.sizes = Sizes()
        self.sizes.count = max(map(int, re.findall(r"[?$](\d+)", text)), default=0)
        self.functions: dict[str, Function] = {}
        self.values: dict[str, Value] = {}

    def function(self) -> Function:
        line = self.lines.pop()
        if not line.startswith("func ") or not line.endswith("{"):
            raise SyntaxError(f"a function is expected: {line}")
        name, rest = line[len("func ") : -1].split("(", 1)
        head, marks = _closing(rest)
        self.values = {}
        params = tuple(self.define(part, None) for part in split(head))
        written = re.search(r"writes\((.*?)\)", marks)
        names = split(written.group(1)) if written else []
        writes = tuple(params.index(self.values[n]) for n in names)
        block = self.block(())
        self.lines.pop()
        returned = next(e for e in _ends(block) if e.kind == "return")
        leaves = tuple(Leaf(k) for k in range(len(returned.args) - len(writes)))
        function = Function(
            name=name.split("~")[0],
            params=params,
            block=block,
            signature=tuple(Parameter(p.name, Leaf(k)) for k, p in enumerate(params)),
            result=leaves[0] if len(leaves) == 1 else Node("tuple", tuple(range(len(leaves))), leaves),
            writes=writes,
            extra={"fresh_results": True} if "fresh" in marks else {},
        )
        self.functions[name] = function
        return function

    def define(self, text: str, inferred: Type | None) -> Value:
        name, _, written = (part.strip() for part in text.partition(":"))
        known = parse_type(written) if written else inferred
        if known is None:
            raise SyntaxError(f"the type of {name} is missing")
        if name in self.values:
            raise SyntaxError(f"{name} is defined twice")
        base = "" if name.startswith("%") else name.split("~")[0]
        value = Value(base, known)
        self.values[name] = value
        return value

    def operand(self, text: str) -> Operand:
        if text in self.values:
            return self.values[text]
        if text.lstrip("-") in ("nan", "inf"):
            return Literal(float(text))
        try:
            return Literal(complex(text) if "j" in text else ast.literal_eval(text))
        except ValueError:
            raise SyntaxError(f"{text} is not defined") from None

    def operands(self, text: str) -> tuple[Operand, ...]:
        return tuple(map(self.operand, split(text)))

    def block(self, params: tuple[Value, ...]) -> Block:
        instrs: list[Instr] = []
        while self.lines[-1].split()[0] not in _ENDS:
            instrs.append(self.instr(self.lines.pop()))
        kind, _, rest = self.lines.pop().partition(" ")
        args, static = self.static(rest)
        return Block(params, tuple(instrs), End(kind, self.operands(args), static))

    def instr(self, line: str) -> Instr:
        note = _NOTE.search(line)
        assert note is not None  # it matches the empty text
        line = line[: note.start()]
        role = note["role"] or ""
        origin = Origin(note["file"], int(note["line"])) if note["file"] else None
        results: list[str] = []
        if " = " in line.partition("{")[0]:
            left, _, line = line.partition(" = ")
            results = split(left)
        name, _, rest = line.partition(" ")
        if name not in self.ops:
            raise SyntaxError(f"there is no op {name}")
        op = self.ops[name]
        types: tuple[Type | None, ...]
        if name in ("if", "for", "while"):
            args, blocks, types = self.owner(name, rest)
            static: tuple[tuple[str, Any], ...] = ()
        else:
            text, static = self.static(rest)
            args, blocks = self.operands(text), ()
            typed = len(results) == op.results and all(":" in r for r in results)
            types = (None,) * len(results) if typed else self.infer(op, args, dict(static))
        if len(results) != len(types):
            raise SyntaxError(f"{len(types)} results in: {line}")
        defined = tuple(map(self.define, results, types))
        return Instr(op, args, defined, static, blocks, origin, role)

    def infer(self, op: Op, args: tuple[Operand, ...], params: dict[str, Any]) -> tuple[Type, ...]:
        if op.name == "call":
            callee: Function = params["callee"]
            return callee.result_types
        return infer(op, tuple(a.type for a in args), params, self.sizes)

    def owner(self, name: str, rest: str) -> tuple[tuple[Operand, ...], tuple[Block, ...], tuple[Type, ...]]:
        rest = rest.removesuffix("{").strip()
        if name == "if":
            args = self.operands(rest)
            blocks = (self.block(()), self.second_block(()))
            yields = next((b.end.args for b in blocks if b.end.kind == "yield"), ())
            return args, blocks, tuple(_widened(a.type) for a in yields)
        group = _last_group(rest) if rest.endswith(")") else ""
        args = self.operands(rest.removesuffix(f"({group})"))
        inits = args[3:] if name == "for" else args
        types = tuple(_widened(a.type) for a in inits)
        before: tuple[Type, ...] = (WEAK_INT,) if name == "for" else ()
        body = self.block(tuple(map(self.define, split(group), (*before, *types))))
        types = tuple(p.type for p in body.params[len(before) :])
        if name == "for":
            self.lines.pop()
            return args, (body,), types
        return args, (body, self.second_block(types)), types

    def second_block(self, types: tuple[Type, ...]) -> Block:
        line = self.lines.pop()
        if not line.startswith("} ") or not line.endswith("{"):
            raise SyntaxError(f"a second block is expected: {line}")
        names = split(_last_group(line.removesuffix("{").strip())) if "(" in line else []
        block = self.block(tuple(map(self.define, names, types)))
        self.lines.pop()
        return block

    def static(self, text: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
        before, brace, inside = text.partition("{")
        if not brace:
            return text.strip(), ()
        pairs = (part.partition("=") for part in split(inside.rstrip().removesuffix("}")))
        return before.strip(), sorted_params({key: self.param(value) for key, _, value in pairs})

    def param(self, text: str) -> Any:
        if text.startswith("@"):
            return self.functions[text[1:]]
        if text.startswith("<"):
            return parse_type(text[1:-1])
        if text.startswith(("[", ".T")):
            return _path(text)
        if _DTYPE.match(text):
            return np.dtype(text)
        found = getattr(builtins, text, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
        return ast.literal_eval(text)


def _widened(t: Type) -> Type:
    return t if isinstance(t, Array) else Scalar(t.dtype, t.weak)


def _ends(block: Block) -> list[End]:
    inner = [end for i in block.instrs for b in i.blocks for end in _ends(b)]
    return [*inner, block.end]


def _closing(text: str) -> tuple[str, str]:
    depth = 1
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if not depth:
            return text[:k], text[k + 1 :]
    raise SyntaxError(f"a parenthesis is not closed: {text}")


def _last_group(text: str) -> str:
    depth = 0
    for k in range(len(text) - 1, -1, -1):
        depth += (text[k] == ")") - (text[k] == "(")
        if not depth:
            return text[k + 1 : -1]
    raise SyntaxError(f"a parenthesis is not opened: {text}")


def _path(text: str) -> Path:
    steps: list[Index | Permute] = []
    for axes, items in re.findall(r"\.T(\([^)]*\))|\[([^\]]*)\]", text):
        if axes:
            steps.append(Permute(ast.literal_eval(axes)))
        else:
            steps.append(Index(tuple(map(_item, split(items)))))
    return tuple(steps)


_ITEMS: dict[str, At | New | Fancy] = {
    "i": At(),
    "new": New(),
    "fancy": Fancy(),
    "distinct": Fancy(distinct=True),
}


def _item(text: str) -> At | Span | New | Fancy:
    if ":" in text:
        lo, hi, *step = text.split(":")
        return Span(bool(lo), bool(hi), bool(step))
    if text.startswith("mask"):
        return Fancy(True, int(text[len("mask") :]))
    return _ITEMS[text]
