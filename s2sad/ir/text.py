"""IR as text: what `print(fn)` shows, and what tests of passes compare.

    func loss(x: f8[x.0], n: int) -> float {
      s = for 0, n, 1, 0.0 (i, acc) {       # block parameters: index, then carried values
        t = getitem x, i {path=[i]}          @ loss.py:3
        u = multiply t, t
        acc1 = add acc, u
        yield acc1
      }
      return s
    }
"""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.path import At, Fancy, Index, New, Permute, Span


class _Names:
    def __init__(self) -> None:
        self.of: dict[Value, str] = {}
        self.taken: dict[str, int] = {}

    def __getitem__(self, a: Operand) -> str:
        if isinstance(a, Literal):
            return repr(a.value)
        if a not in self.of:
            base = a.name or "t"
            k = self.taken.get(base, 0)
            self.taken[base] = k + 1
            name = f"{base}{k}" if k else base
            while k and name in self.taken:
                k += 1
                name = f"{base}{k}"
            self.taken.setdefault(name, 1)
            self.of[a] = name
        return self.of[a]


def print_function(fn: Function, types: bool = False, origins: bool = False) -> str:
    """Return the function as text; with `types` every result shows its type."""
    names = _Names()
    head = ", ".join(f"{names[p]}: {p.type}" for p in fn.params)
    lines = [f"func {fn.name}({head}) {{"]
    lines += _block(fn.block, names, "  ", types, origins)
    lines.append("}")
    return "\n".join(lines)


def _block(block: Block, names: _Names, pad: str, types: bool, origins: bool) -> list[str]:
    lines: list[str] = []
    for instr in block.instrs:
        lines += _instr(instr, names, pad, types, origins)
    end = block.end
    text = ", ".join(names[a] for a in end.args)
    lines.append(f"{pad}{end.kind} {text}".rstrip())
    return lines


def _instr(instr: Instr, names: _Names, pad: str, types: bool, origins: bool) -> list[str]:
    args = ", ".join(names[a] for a in instr.args)
    params = ", ".join(f"{k}={_param(v)}" for k, v in instr.params)
    text = f"{instr.op.name} {args}".rstrip() + (f" {{{params}}}" if params else "")
    place = f"  @ {instr.origin}" if origins and instr.origin else ""
    inner: list[str] = []
    for k, block in enumerate(instr.blocks):
        opening = "} else {" if instr.op.name == "if" and k else "} do {" if k else "{"
        block_args = ", ".join(names[p] for p in block.params)
        head = f" ({block_args})" if block_args else ""
        inner.append(f"{head} {opening}" if not k else f"{pad}{opening}{head}")
        inner += _block(block, names, pad + "  ", types, origins)
    results = ", ".join(names[r] + (f": {r.type}" if types else "") for r in instr.results)
    first = f"{pad}{results} = {text}" if results else f"{pad}{text}"
    if not inner:
        return [first + place]
    return [first + inner[0] + place, *inner[1:], pad + "}"]


def _param(value: Any) -> str:
    if isinstance(value, Function):
        return "@" + value.name
    if isinstance(value, np.dtype):
        return str(value)
    if isinstance(value, tuple) and value and isinstance(value[0], Index | Permute):
        return "".join(map(_step, value))
    return repr(value)


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
            case Fancy(mask, ndim):
                parts.append(f"mask{ndim}" if mask else "fancy")
    return "[" + ", ".join(parts) + "]"
