"""IR as text: what dumps show, and what tests of passes compare. `ir/parse.py` reads it back.

    func loss(x: f8[x.0], n: int(n)) {
      s = for 0, n, 1, 0.0 (i, acc) {       # block parameters: index, then carried values
        %1 = getitem x, i {path=[i]}        !reverse @ loss.py:3
        acc~1 = add acc, %1
        yield acc~1
      }
      return s
    }

A value prints under its own name; a second one of the same name is `acc~1`, an anonymous one `%1`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value, held
from s2sad.ir.path import At, Fancy, Index, New, Permute, Span
from s2sad.ir.types import Array, Scalar

RESERVED = frozenset(("nan", "inf", "True", "False", "None"))  # literals, never the name of a value


class _Names:
    def __init__(self) -> None:
        self.of: dict[Value, str] = {}
        self.count: dict[str, int] = {}

    def __getitem__(self, a: Operand) -> str:
        if isinstance(a, Literal):
            return repr(a.value)
        if a not in self.of:
            k = self.count.get(a.name, 1 if not a.name or a.name in RESERVED else 0)
            self.count[a.name] = k + 1
            self.of[a] = (f"{a.name}~{k}" if a.name else f"%{k}") if k else a.name
        return self.of[a]


class _Printer:
    def __init__(self, types: bool, origins: bool, callees: dict[Function, str]):
        self.types, self.origins, self.callees = types, origins, callees
        self.names = _Names()

    def function(self, fn: Function, name: str) -> list[str]:
        head = ", ".join(f"{self.names[p]}: {p.type}" for p in fn.params)
        marks = ""
        if self.types and fn.writes:
            marks += f" writes({', '.join(self.names[fn.params[k]] for k in fn.writes)})"
        if self.types and fn.extra.get("fresh_results"):
            marks += " fresh"
        return [f"func {name}({head}){marks} {{", *self.block(fn.block, "  "), "}"]

    def block(self, block: Block, pad: str) -> list[str]:
        lines: list[str] = []
        for instr in block.instrs:
            lines += self.instr(instr, pad)
        end = block.end
        args = ", ".join(self.names[a] for a in end.args)
        lines.append(f"{pad}{end.kind} {args}".rstrip() + self.params(end.params))
        return lines

    def instr(self, instr: Instr, pad: str) -> list[str]:
        args = ", ".join(self.names[a] for a in instr.args)
        text = f"{instr.op.name} {args}".rstrip() + self.params(instr.params)
        notes = [f"!{instr.role}"] if self.types and instr.role else []
        notes += [f"@ {instr.origin}"] if self.origins and instr.origin else []
        note = "  " + " ".join(notes) if notes else ""
        results = ", ".join(map(self.defined, instr.results))
        inner: list[str] = []
        for k, block in enumerate(instr.blocks):
            opening = "} else" if instr.op.name == "if" and k else "} do" if k else ""
            inner.append((pad if k else "") + opening + self.block_params(block) + " {")
            inner += self.block(block, pad + "  ")
        first = f"{pad}{results} = {text}" if results else f"{pad}{text}"
        if not inner:
            return [first + note]
        return [first + inner[0] + note, *inner[1:], pad + "}"]

    def block_params(self, block: Block) -> str:
        return f" ({', '.join(map(self.defined, block.params))})" if block.params else ""

    def defined(self, value: Value) -> str:
        return self.names[value] + (f": {value.type}" if self.types else "")

    def params(self, params: tuple[tuple[str, Any], ...]) -> str:
        if not params:
            return ""
        return " {" + ", ".join(f"{k}={self.param(v)}" for k, v in params) + "}"

    def param(self, value: Any) -> str:
        match value:
            case Function():
                return "@" + self.callees.get(value, value.name)
            case tuple() if value and isinstance(value[0], Function):
                return f"({', '.join(map(self.param, value))})"
            case np.dtype():
                return str(value)
            case Array() | Scalar():
                return f"<{value}>"
            case type():
                return value.__name__
            case tuple() if value and isinstance(value[0], Index | Permute):
                return "".join(map(_step, value))
            case _:
                return repr(value)


def print_function(fn: Function, types: bool = False, origins: bool = False) -> str:
    """Return the function as text. With `types` every value shows its type, every instruction its
    role, and the functions it calls come first: that much the parser needs."""
    if not types:
        return "\n".join(_Printer(False, origins, {}).function(fn, fn.name))
    callees = _reachable(fn)
    lines: list[str] = []
    for function, name in callees.items():
        lines += _Printer(True, origins, callees).function(function, name)
    return "\n".join(lines)


def _reachable(fn: Function) -> dict[Function, str]:
    found: dict[Function, str] = {}
    count: dict[str, int] = {}

    def visit(f: Function) -> None:
        if f in found:
            return
        for instr in f.block.walk():
            for callee in held(instr):
                visit(callee)
        k = count.get(f.name, 0)
        count[f.name] = k + 1
        found[f] = f"{f.name}~{k}" if k else f.name

    visit(fn)
    return found


def _step(step: Index | Permute) -> str:
    if isinstance(step, Permute):
        return ".T" + repr(step.axes)
    parts = []
    for item in step.items:
        match item:
            case At():
                parts.append("i")
            case Span(lo, hi, st):
                parts.append(("lo" if lo else "") + ":" + ("hi" if hi else "") + (":st" if st else ""))
            case New():
                parts.append("new")
            case Fancy(mask, ndim, distinct):
                parts.append(f"mask{ndim}" if mask else "distinct" if distinct else "fancy")
    return "[" + ", ".join(parts) + "]"
