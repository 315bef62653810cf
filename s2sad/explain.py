"""The user's source, annotated: what is active, what the reverse sweep tapes or recomputes."""

from __future__ import annotations

import linecache
from dataclasses import dataclass, field

from s2sad.driver.program import Variant
from s2sad.ir.core import Block, Function, Instr
from s2sad.ir.op import Kind

WIDTH = 60


@dataclass
class Notes:
    """What is known of one source line."""

    active: bool = False
    ops: dict[str, None] = field(default_factory=dict)
    taped: dict[str, None] = field(default_factory=dict)
    recomputed: dict[str, None] = field(default_factory=dict)
    recomputes: bool = False

    def __str__(self) -> str:
        parts = []
        if self.active:
            parts.append("active" + (f" ({', '.join(self.ops)})" if self.ops else ""))
        if self.taped:
            parts.append("taped: " + ", ".join(self.taped))
        if self.recomputes:
            parts.append("recomputed" + (": " + ", ".join(self.recomputed) if self.recomputed else ""))
        return "; ".join(parts)


Places = dict[tuple[str, int], Notes]


def explain(variant: Variant) -> str:
    """Return the lines of the function a variant was built for, each with what its derivative does
    there: `active` lines have a cotangent or tangent (by the rules of the named ops), `taped` values are
    stored in the forward sweep, `recomputed` ones are computed again in the reverse sweep."""
    notes: Places = {}
    _collect(variant.ir, notes, set())
    for instr in variant.primal.block.walk():
        if instr.origin is not None and instr.op.kind not in (Kind.NONDIFF, Kind.CONTROL):
            found = notes.get((instr.origin.path or instr.origin.file, instr.origin.line))
            if found is not None and found.active:
                found.ops[instr.op.name] = None
    return "\n".join(_page(variant.primal, notes)) + "\n"


def _collect(fn: Function, notes: Places, seen: set[Function]) -> None:
    if fn in seen:
        return
    seen.add(fn)

    def visit(block: Block) -> None:
        for instr in block.instrs:
            _note(instr, notes)
            for inner in instr.blocks:
                visit(inner)
            if instr.op.name == "call":
                _collect(instr.param("callee"), notes, seen)

    visit(fn.block)


def _note(instr: Instr, notes: Places) -> None:
    if instr.origin is None:
        return
    found = notes.setdefault((instr.origin.path or instr.origin.file, instr.origin.line), Notes())
    names = [r.name for r in instr.results if r.name]
    match instr.role:
        case "reverse" | "tangent":
            found.active = True
        case "tape":
            found.taped.update(dict.fromkeys(names))
        case "recompute":
            found.recomputes = True
            found.recomputed.update(dict.fromkeys(names))


def _page(fn: Function, notes: Places) -> list[str]:
    own = (fn.origin.path or fn.origin.file) if fn.origin is not None else ""
    pages: list[str] = []
    for path in sorted({path for path, _ in notes}, key=lambda p: (p != own, p)):
        lines = [line for where, line in notes if where == path]
        first = fn.origin.line if path == own and fn.origin is not None else min(lines)
        pages.append(f"# {path.rsplit('/', 1)[-1]}")
        for line in range(min(first, *lines), max(lines) + 1):
            text = linecache.getline(path, line).rstrip("\n")
            note = str(notes.get((path, line), ""))
            pages.append(f"{line:4}  {text:{WIDTH}}  # {note}" if note else f"{line:4}  {text}")
    return pages
