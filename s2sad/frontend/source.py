"""From a Python function object to its syntax tree, place and captured names."""

from __future__ import annotations

import ast
import functools
import inspect
import keyword
import linecache
import os
import types
from collections.abc import Hashable, Iterator
from typing import Any

import gast

from s2sad.errors import Origin, UnsupportedSyntax
from s2sad.record import dataclass

EMITTED = "# s2sad "  # the first words of every text that s2sad writes


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A function's syntax (`gast.FunctionDef` or `gast.Lambda`) and where its free names live."""

    function: types.FunctionType
    node: Any
    file: str
    path: str
    call: Origin | None = None  # of a text of s2sad: the call that it is read for

    @property
    def name(self) -> str:
        """Return the function's name, as its text has it where it was given one that is none; `lambda_` for
        a lambda."""
        if isinstance(self.node, gast.Lambda):
            return "lambda_"
        name = self.function.__name__
        return name if name.isidentifier() and not keyword.iskeyword(name) else str(self.node.name)

    @property
    def is_emitted(self) -> bool:
        """True for a function of a text that s2sad wrote."""
        return linecache.getline(self.path, 1).startswith(EMITTED)

    def origin(self, node: Any) -> Origin:
        """Return the place of a syntax node."""
        if self.call is not None:
            return self.call
        return Origin(self.file, getattr(node, "lineno", 1), getattr(node, "col_offset", 0), self.path)


@functools.lru_cache(maxsize=128)
def _parse(path: str, text: str) -> ast.Module:
    return ast.parse(text, filename=path)


def _callables(path: str, text: str, line: int) -> tuple[Any, ...]:
    """Return the functions and lambdas on a line: only what spans it is looked through."""
    found: list[Any] = []
    todo: list[Any] = [_parse(path, text)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda | ast.AsyncFunctionDef):
            found.append(node)
        for child in ast.iter_child_nodes(node):
            heads = [
                getattr(child, "lineno", line),
                *(d.lineno for d in getattr(child, "decorator_list", ())),
            ]
            if min(heads) <= line <= getattr(child, "end_lineno", line):
                todo.append(child)
    return tuple(found)


@functools.lru_cache(maxsize=512)
def _as_gast(node: Any) -> Any:
    # of one function, not of its whole file: that takes longer than all else that is done with it
    return gast.ast_to_gast(node)


def source_of(function: types.FunctionType) -> Source:
    """Return the source of a function; UnsupportedSyntax S101 if its text cannot be found."""
    code = function.__code__
    path = code.co_filename
    linecache.checkcache(path)
    text = "".join(linecache.getlines(path, function.__globals__))
    file = os.path.basename(path)
    if not text:
        raise UnsupportedSyntax(
            "S101",
            f"the source text of `{function.__qualname__}` cannot be found",
            "write the function in a file, or in a notebook cell, so that its text can be read",
        )
    try:
        candidates = list(_matching(function, _callables(path, text, code.co_firstlineno)))
    except SyntaxError:
        candidates = []
    if len(candidates) != 1 or not _runs(path, text, code, candidates[0]):
        raise UnsupportedSyntax(
            "S101",
            f"the source text of `{function.__qualname__}` does not match the running code",
            "reload the module: its file has changed since it was imported",
            Origin(file, code.co_firstlineno, 0, path),
        )
    node = _as_gast(candidates[0])
    place = Origin(file, node.lineno, node.col_offset, path)
    if isinstance(node, gast.AsyncFunctionDef):
        raise UnsupportedSyntax("S102", "async functions are not supported", "make it a plain `def`", place)
    if inspect.isgeneratorfunction(function):
        raise UnsupportedSyntax(
            "S103", "generator functions are not supported", "build and return a list or an array", place
        )
    return Source(function, node, file, path)


def _runs(path: str, text: str, code: types.CodeType, node: Any) -> bool:
    """True if the text, compiled again, is the code that runs: a file may have changed since its import."""
    if any(name.startswith("@") for name in (*code.co_names, *code.co_varnames)):
        return True  # asserts rewritten by pytest
    if isinstance(node, ast.FunctionDef) and not code.co_freevars:  # by itself, which is quicker
        alone = compile(ast.Module([node], []), path, "exec", dont_inherit=True)
        if any(
            isinstance(c, types.CodeType) and c.co_name == code.co_name and _alike(code, c)
            for c in alone.co_consts
        ):
            return True
    compiled = _compiled(path, text)
    return compiled is None or any(_alike(code, c) for c in compiled if c.co_name == code.co_name)


def _alike(a: types.CodeType, b: types.CodeType) -> bool:
    same = a.co_code == b.co_code and a.co_names == b.co_names and len(a.co_consts) == len(b.co_consts)
    return same and all(
        _alike(x, y)
        if isinstance(x, types.CodeType) and isinstance(y, types.CodeType)
        else type(x) is type(y) and (x == y or x != x)
        for x, y in zip(a.co_consts, b.co_consts, strict=True)
    )


@functools.lru_cache(maxsize=128)
def _compiled(path: str, text: str) -> tuple[types.CodeType, ...] | None:
    """All code objects of a text, None where it cannot be compiled by itself."""
    try:
        found = [compile(text, path, "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return None
    for code in found:  # grows as it is run through
        found += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return tuple(found)


def _matching(function: types.FunctionType, nodes: tuple[Any, ...]) -> Iterator[Any]:
    code = function.__code__
    if code.co_name != "<lambda>":
        for node in nodes:
            if isinstance(node, ast.Lambda) or node.name != code.co_name:
                continue
            first = min([node.lineno] + [d.lineno for d in node.decorator_list])
            if first == code.co_firstlineno or node.lineno == code.co_firstlineno:
                yield node
        return
    # Several lambdas can stand on one line: the one whose body holds exactly this code's positions.
    spans = [(a, c, b, d) for a, b, c, d in code.co_positions()]
    real = [s for s in spans if None not in s and s[:2] != s[2:]]
    best: list[tuple[tuple[int, int], Any]] = []
    for node in nodes:
        if not isinstance(node, ast.Lambda):
            continue
        body: Any = node.body
        lo, hi = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
        names = tuple(a.arg for a in (*node.args.args, *node.args.kwonlyargs))
        count = code.co_argcount + code.co_kwonlyargcount
        if code.co_varnames[:count] != names or not real:
            continue
        if all(lo <= (a, c) and (b, d) <= hi for a, c, b, d in real):
            best.append(((hi[0] - lo[0], hi[1] - lo[1]), node))
    if best:  # nested lambdas: the innermost that still holds all positions
        yield min(best, key=lambda item: item[0])[1]


@dataclass(frozen=True, slots=True)
class Access:
    """How a captured value is read again at each call: from a name, then attributes and items. `key` tells
    places with one name apart: two functions that one function returned have variables of the same names."""

    name: str
    key: Hashable
    read: Any = None  # zero-argument callable

    @property
    def is_default(self) -> bool:
        """True for the default of a function's parameter."""
        return isinstance(self.key, tuple) and self.key[0] == "default"

    def attribute(self, attr: str) -> Access:
        """Return the access of an attribute of this value."""
        read = self.read
        return Access(f"{self.name}_{attr}", (self.key, "attribute", attr), lambda: getattr(read(), attr))

    def item(self, key: Any) -> Access:
        """Return the access of an item of this value."""
        read = self.read
        text = str(key) if str(key).isidentifier() or isinstance(key, int) else "item"
        what = repr(key) if isinstance(key, slice) else key
        return Access(f"{self.name}_{text}", (self.key, "item", what), lambda: read()[key])

    def kind(self) -> Access:
        """Return the access of the type of this value."""
        read = self.read
        return Access(self.name, (self.key, "type"), lambda: type(read()))


def label_of(function: types.FunctionType) -> str:
    """Return what is put before the names of a function's parameters: of `Filter.__init__` the class."""
    names = function.__qualname__.replace("<", "").replace(">", "").split(".")
    return names[-2] if names[-1].startswith("__") and len(names) > 1 else names[-1]


def free_name(function: types.FunctionType, name: str) -> tuple[Any, Access | None] | None:
    """Return (value, access) of a name not bound in the function: closure cell, global, builtin."""
    if name in function.__code__.co_freevars:
        cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
        try:
            return cell.cell_contents, Access(name, ("cell", id(cell)), lambda: cell.cell_contents)
        except ValueError:
            return None
    if name in function.__globals__:
        scope = function.__globals__
        return scope[name], Access(name, ("global", id(scope), name), lambda: scope[name])
    builtins = function.__globals__.get("__builtins__", {})
    table = builtins if isinstance(builtins, dict) else vars(builtins)
    return (table[name], None) if name in table else None
