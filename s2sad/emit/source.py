"""The text of a function, and of the module that holds it, what it calls and what it imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from s2sad.analysis.liveness import Numbering
from s2sad.analysis.storage import RESERVED as RESERVED_BITS
from s2sad.analysis.storage import Storage, Summary, summarize, written_args
from s2sad.emit.constants import constant_text
from s2sad.emit.expr import Expressions
from s2sad.emit.facts import fact_lines
from s2sad.emit.imports import import_lines, imported_names
from s2sad.emit.inline import Inlining, Whole
from s2sad.emit.layout import INDENT, WIDTH, TooLong, expression_text, lines
from s2sad.emit.names import RESERVED as RESERVED_NAMES
from s2sad.emit.names import Names, identifier
from s2sad.emit.outside import CONTROL, outside_calls, outside_definitions
from s2sad.emit.python import Statements
from s2sad.emit.signature import Signature, def_lines, signature_of
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.loops import carried
from s2sad.ops.support import SUPPORT

VERSION = "0.1"
_ROUNDS = 500
_RESULT = ("y", "result", "value")
_WORTH = 8  # characters an expression must have to be given a name for the sake of line width


def module(fn: Function, captured_as_lines: bool = True, for_reading: bool = True) -> str:
    """Return the standalone module that defines `fn`. Captured scalars become lines of the module, or
    keyword-only parameters where the caller supplies them. Long lines are split `for_reading`."""
    return _Module(fn, captured_as_lines, for_reading).text()


def function(fn: Function) -> str:
    """Return the definition of `fn` alone."""
    parts = _Module(fn, True, True)
    return "\n".join(parts.definition(fn)) + "\n"


class _Module:
    def __init__(self, fn: Function, captured_as_lines: bool, for_reading: bool):
        self.fn = fn
        self.captured_as_lines = captured_as_lines
        self.for_reading = for_reading
        self.functions: dict[Function, str] = {}
        self.support: set[str] = set()
        self.globals: dict[str, object] = {}
        self.called: list[list[str]] = []
        self.summaries: dict[Function, Summary] = {}  # of the memory of called functions
        every = [*_callees(fn), fn]
        parameters = [identifier(p.name, RESERVED_NAMES) for f in every for p in f.signature]
        taken = {*SUPPORT, *RESERVED_NAMES, *(f.name for f in every), *parameters}
        self.imported = imported_names(every, taken)
        self._define_called()
        self.functions[fn] = fn.name

    def _define_called(self) -> None:
        """Print the called functions; those that print the same are one."""
        taken = {self.fn.name, *SUPPORT, *self.imported.values()}
        printed: dict[tuple[str, ...], str] = {}
        for callee in _callees(self.fn):
            base = name = identifier(callee.name, RESERVED_NAMES)
            self.functions[callee] = base
            lines = self.definition(callee)
            key = tuple(lines)
            if key not in printed:
                k = 0
                while name in taken:
                    k += 1
                    name = f"{base}_{k}"
                taken.add(name)
                printed[key] = name
                if name != base:
                    lines[0] = lines[0].replace(f"def {base}(", f"def {name}(", 1)
                self.called.append(lines)
            self.functions[callee] = printed[key]

    def text(self) -> str:
        definitions = [*self.called, self.definition(self.fn)]
        place = f" ({self.fn.origin})" if self.fn.origin else ""
        title = self.fn.extra.get("title") or self.fn.name + place
        outside = outside_calls(self.functions, self.imported)
        if outside:
            self.support.add("declared")
        body: list[str] = []
        for name in sorted(self.support):
            body += ["", "", *SUPPORT[name].rstrip("\n").split("\n")]
        for definition in (*outside_definitions(outside, self.imported, self.for_reading), *definitions):
            body += ["", "", *definition]
        constants = [f"{name} = {constant_text(value)}" for name, value in self.globals.items()]
        head = [f"# s2sad {VERSION}  {title}", *import_lines([*body, *constants], self.imported)]
        if outside and not self.for_reading:
            head.append(CONTROL)
        if constants:
            head += ["", *constants]
        return "\n".join([*head, *body]) + "\n"

    def definition(self, fn: Function) -> list[str]:
        """Return the lines of one function."""
        storage = Storage(fn, Numbering(fn, RESERVED_BITS), self.summaries)
        if fn is not self.fn:
            self.summaries[fn] = summarize(fn, storage)
        printer = _Printer(storage, self.functions, self.imported, self.captured_as_lines, self.for_reading)
        body = printer.lines()
        self.support |= printer.support
        self.globals.update({name: value for name, value in printer.signature.globals.values()})
        doc = [f'{INDENT}"""{fn.doc}"""'] if fn.doc else []
        out = [*def_lines(self.functions[fn], printer.signature), *doc, *body]
        return out if body or doc else [*out, f"{INDENT}pass"]


class _Printer:
    """The text of one function: printed again with more names as long as lines are too wide or
    assignments at the end of loops can be saved."""

    def __init__(
        self,
        storage: Storage,
        functions: dict[Function, str],
        imported: dict[Any, str],
        captured_as_lines: bool,
        for_reading: bool,
    ):
        self.fn, self.functions, self.imported, self.for_reading = (
            storage.fn,
            functions,
            imported,
            for_reading,
        )
        self.signature: Signature = signature_of(self.fn, captured_as_lines)
        self.whole = Whole(self.fn, storage)
        self.bound = self._bound()
        self.support: set[str] = set()

    def lines(self) -> list[str]:
        split: frozenset[Value] = frozenset()
        moved: frozenset[Value] = frozenset()
        for _ in range(_ROUNDS):
            inlining = Inlining(self.whole, split, moved)
            names = self._names(inlining)
            if self.for_reading:
                more = frozenset(self._movable(inlining, names)) | frozenset(self._unnamed(inlining, names))
                more = more - moved - split
                if more:
                    moved |= more
                    continue
            text, long, expressions = self._text(names, inlining)
            if not self.for_reading:
                break
            wider = frozenset(v for line in long for v in self._split_at(line, inlining, expressions)) - split
            if not wider:
                break
            split |= wider
        self.support = expressions.support
        return text

    def _paths(self) -> dict[Value, str]:
        texts = {v: t for v, t in self.signature.parts.items() if v not in self.bound}
        texts.update({v: name for v, (name, _) in self.signature.globals.items() if v not in self.bound})
        return texts

    def _names(self, inlining: Inlining) -> Names:
        words = [*self.signature.names, *self.functions.values(), *self.imported.values(), *SUPPORT]
        fixed = {v: name for v, name in self.signature.plain.items()}
        plain = set(fixed.values())
        reserved = [w for w in words if w not in plain]
        hints = self._hints(inlining)
        return Names(self.fn, inlining, fixed, frozenset(self._paths()), reserved, hints)

    def _hints(self, inlining: Inlining) -> dict[Value, str]:
        """Return a name for the result of the primal, where a derivative has to keep it."""
        end = self.fn.block.end
        if not self.fn.extra.get("fresh_results") or end.kind != "return" or not end.args:
            return {}
        first = end.args[0]
        if not isinstance(first, Value) or first.name or first in inlining.inlined:
            return {}
        free = [word for word in _RESULT if word not in inlining.fixed.roots]
        return {first: free[0]} if free else {}

    def _unnamed(self, inlining: Inlining, names: Names) -> Iterator[Value]:
        """Yield values of derivative code that would get a numbered name: no better than none."""
        for instr in self.fn.block.walk():
            is_ours = instr.role and len(instr.results) == 1 and not instr.blocks
            if is_ours and not inlining.is_inlined(instr) and names.is_numbered(instr.result):
                yield instr.result

    def _text(self, names: Names, inlining: Inlining) -> tuple[list[str], list[TooLong], Expressions]:
        paths = self._paths()
        expressions = Expressions(names, inlining, paths, self.functions, self.imported)
        statements = Statements(self.fn, names, inlining, expressions).body()
        long: list[TooLong] = []
        texts = {**self.signature.plain, **self.signature.parts}
        texts |= {v: name for v, (name, _) in self.signature.globals.items()}
        text = [f"{INDENT}{names[v]} = {texts[v]}" for v in self.bound]
        text += fact_lines(self.fn, texts, {v: names[v] for v in self.bound})
        text += lines(statements, 1, long)
        return text, long, expressions

    def _bound(self) -> list[Value]:
        """Return the leaves of structured parameters that get a local name: written ones, and those
        that are read in loops or in many places."""
        counts: dict[Operand, int] = {}
        forced: set[Operand] = set()

        def visit(block: Block, hot: bool) -> None:
            for instr in block.instrs:
                forced.update(instr.args[k] for k, _ in written_args(instr))
                loop = instr.op.name in ("for", "while")
                for k, a in enumerate(instr.args):
                    if instr.op.name != "size":  # checks of sizes at the head are no reads
                        counts[a] = counts.get(a, 0) + (3 if hot and k not in instr.op.shape_args else 1)
                for inner in instr.blocks:
                    visit(inner, hot or loop)

        visit(self.fn.block, False)
        bound = [v for v in self.signature.parts if v in forced or counts.get(v, 0) >= 3]
        return bound + [v for v in self.signature.globals if v in forced]

    def _movable(self, inlining: Inlining, names: Names) -> Iterator[Value]:
        """Yield named values that are better printed in the assignment that hands them to the next
        trip (`a, b = b, a * b`) than given a name of their own."""
        for block, loop in _loop_blocks(self.fn.block, None):
            if loop is None or block.end.kind not in ("yield", "continue"):
                continue
            if block.end.kind == "yield" and block is not loop.blocks[-1]:
                continue
            for k, (p, a) in enumerate(zip(carried(loop), block.end.args, strict=True)):
                if not isinstance(a, Value) or a in inlining.inlined or a in inlining.undefined:
                    continue
                if a.name != p.name or not names.needed_next(loop, k) or names[a] == names[p]:
                    continue
                if inlining.only_use_is_end(a, block):
                    yield a

    def _split_at(self, line: TooLong, inlining: Inlining, expressions: Expressions) -> Iterator[Value]:
        """Yield expressions inside a line that get names, so that what is left of it fits, and they do:
        each time the one that halves best what is too long."""
        sizes: dict[Value, int] = {}
        chosen: set[Value] = set()
        waiting = [(len(line.text), line.roots)]
        while waiting:
            total, roots = waiting.pop()
            best: tuple[int, Value] | None = None
            for v in dict.fromkeys(_inner(roots, inlining, chosen)) if total > WIDTH else ():
                if v not in sizes:
                    sizes[v] = len(expression_text(expressions.operand(v)))
                cost = max(sizes[v], total - sizes[v])
                if sizes[v] >= _WORTH and (best is None or cost < best[0]):
                    best = cost, v
            if best is not None:
                v = best[1]
                chosen.add(v)
                yield v
                waiting += [(total - sizes[v], roots), (sizes[v], inlining.inlined[v].args)]


def _inner(roots: Iterable[Operand], inlining: Inlining, named: set[Value]) -> Iterator[Value]:
    """Yield the values printed inside `roots`, without what is in `named` and inside those."""
    for a in roots:
        if isinstance(a, Value) and a in inlining.inlined and a not in named:
            yield a
            yield from _inner(inlining.inlined[a].args, inlining, named)


def _loop_blocks(block: Block, loop: Instr | None) -> Iterator[tuple[Block, Instr | None]]:
    """Yield every block with the innermost loop around it."""
    yield block, loop
    for instr in block.instrs:
        for inner in instr.blocks:
            yield from _loop_blocks(inner, instr if instr.op.name in ("for", "while") else loop)


def _callees(fn: Function) -> dict[Function, None]:
    """Return the functions that `fn` calls, directly or not, called ones first."""
    found: dict[Function, None] = {}

    def visit(f: Function) -> None:
        for callee in f.block.callees:
            if callee not in found:
                visit(callee)
                found[callee] = None

    visit(fn)
    return found


__all__ = ["function", "module"]
