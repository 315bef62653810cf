"""The user's source, annotated: what is active, taped, recomputed, where derivatives end, and why."""

from __future__ import annotations

import linecache
from dataclasses import field

from s2sad.analysis.cuts import Cuts
from s2sad.analysis.kept import Kept, kept
from s2sad.driver.program import Variant
from s2sad.errors import Origin
from s2sad.ir.core import Block, Function, Instr, held
from s2sad.ir.loops import LOOPS, MARK
from s2sad.ir.memory import memory
from s2sad.ir.op import Kind
from s2sad.record import dataclass

WIDTH = 60


@dataclass
class Notes:
    """What is known of one source line."""

    active: bool = False
    ops: dict[str, None] = field(default_factory=dict)
    cut: dict[str, None] = field(default_factory=dict)
    taped: dict[str, None] = field(default_factory=dict)
    recomputed: dict[str, None] = field(default_factory=dict)
    recomputes: bool = False

    def __str__(self) -> str:
        parts = []
        if self.active:
            parts.append("active" + (f" ({', '.join(self.ops)})" if self.ops else ""))
        if self.cut:
            parts.append("derivative ends: " + ", ".join(self.cut))
        if self.taped:
            parts.append("taped: " + ", ".join(self.taped))
        if self.recomputes:
            parts.append("recomputed" + (": " + ", ".join(self.recomputed) if self.recomputed else ""))
        return "; ".join(parts)


Places = dict[tuple[str, int], Notes]


def explain(variant: Variant, nests: bool = False) -> str:
    """Return the lines of the function a variant was built for, each with what its derivative does
    there: `active` lines have a cotangent or tangent (by the rules of the named ops), `taped` values are
    stored in the forward sweep, for the reverse sweep of the lines named, `recomputed` ones are computed
    again there. Below: arguments without a derivative and why, the bytes of the tape, and with jit=True (or
    `nests`) the lines of each loop nest."""
    notes: Places = {}
    cuts = Cuts(variant.primal)
    _collect(variant.ir, notes, set())
    for instr in variant.primal.block.walk():
        if instr.origin is not None and instr.op.kind not in (Kind.NONDIFF, Kind.CONTROL):
            found = notes.get(_line(instr.origin))
            if found is not None and found.active and any(r in cuts.active for r in instr.results):
                found.ops[instr.op.name] = None
    for cut in cuts.at:
        if cut.origin is not None:
            notes.setdefault(_line(cut.origin), Notes()).cut[cut.why] = None
    arrays = kept(variant.ir)
    for item in arrays:
        if item.origin is not None:
            notes.setdefault(_line(item.origin), Notes()).taped[_taped(item)] = None
    pages = _page(variant.primal, notes)
    pages += _without_derivative(cuts)
    if arrays:
        text = memory([item.value.type for item in arrays])
        late = "  (?k: a size that is known at run time only)" if "?" in text else ""
        pages += ["# the tape", f"      {text}{late}"]
    if variant.jit or nests:
        pages += ["# loop nests", *_nests(variant.main.loops)]
    return "\n".join(pages) + "\n"


def _line(origin: Origin) -> tuple[str, int]:
    return origin.path or origin.file, origin.line


def _taped(item: Kept) -> str:
    several = "s" if len(item.lines) > 1 else ""
    lines = f" for line{several} {', '.join(map(str, item.lines))}" if item.lines else ""
    return f"{item.value.name or 'a value'} ({memory([item.value.type])}){lines}"


def _collect(fn: Function, notes: Places, seen: set[Function]) -> None:
    if fn in seen:
        return
    seen.add(fn)
    for instr in fn.block.walk():
        _note(instr, notes)
        for callee in held(instr):
            _collect(callee, notes, seen)


def _note(instr: Instr, notes: Places) -> None:
    if instr.origin is None:
        return
    found = notes.setdefault(_line(instr.origin), Notes())
    match instr.role:
        case "reverse" | "tangent":
            found.active = True
        case "recompute":
            found.recomputes = True
            found.recomputed.update(dict.fromkeys(r.name for r in instr.results if r.name))


def _without_derivative(cuts: Cuts) -> list[str]:
    """Return a line for each float argument whose derivative is zero wherever it is taken."""
    found = []
    for param in cuts.alone:
        ends = cuts.of(param)
        if ends == ():
            found.append(f"      {param.name}: the result does not depend on it")
        elif ends:
            where = ", ".join(f"{cut.why} ({cut.origin})" if cut.origin else cut.why for cut in ends)
            found.append(f"      {param.name}: its derivative ends at {where}")
    return ["# arguments whose derivative is zero", *found] if found else []


def _nests(fn: Function) -> list[str]:
    """Return the innermost loops of compiled code: their indices, and the lines that ended in them."""
    found: list[str] = []

    def visit(block: Block, around: tuple[str, ...]) -> None:
        for instr in block.instrs:
            if instr.op.name not in LOOPS:
                for inner in instr.blocks:
                    visit(inner, around)
                continue
            body = instr.blocks[-1]
            counted = instr.op.name == "for"
            name = (body.params[0].name or "_") if counted else "while"
            loops = (*around, f"{name} (threads)" if instr.param(MARK) else name)
            if any(i.op.name in LOOPS for i in body.walk()):
                visit(body, loops)
            else:
                found.append(f"      over {', '.join(loops)}: {_lines(body, fn)}")

    visit(fn.block, ())
    return found


def _lines(block: Block, fn: Function) -> str:
    own = fn.origin.file if fn.origin is not None else ""
    origins = {
        (i.origin.file != own, i.origin.file, i.origin.line) for i in block.walk() if i.origin is not None
    }
    places = [f"{file}:{line}" if other else str(line) for other, file, line in sorted(origins)]
    return f"line{'s' if len(places) > 1 else ''} {', '.join(places)}"


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
