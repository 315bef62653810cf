"""From a Python function and example arguments to an IR Function."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import gast
import numpy as np

from s2sad.errors import UnsupportedSyntax
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.functions import Transform, trim_returns
from s2sad.frontend.library import calling, is_library
from s2sad.frontend.machine import Body
from s2sad.frontend.source import Access, Source
from s2sad.frontend.transformed import Derived
from s2sad.frontend.values import Abstract, Num, Static, Struct, held
from s2sad.frontend.vmapped import Vmaps
from s2sad.ir.core import Block, End, Function, Parameter, Value
from s2sad.ir.structure import describe as describe_argument
from s2sad.ir.transformed import Transformed, record_of
from s2sad.ir.tree import Static as StaticTree
from s2sad.ir.tree import renumber
from s2sad.ir.types import Array, Sparse, Type
from s2sad.ir.verify import verify
from s2sad.ir.walk import rewrite_types

KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_POSITIONAL: "variadic",
    inspect.Parameter.VAR_KEYWORD: "variadic_keyword",
}


def build(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any] | None = None,
    *,
    transform: Transform | None = None,
    values: bool = True,
) -> Function:
    """Return the IR of `function` for arguments like the examples: same structure, dtypes, ranks and
    static values. Facts about sizes are taken from the examples, or, without `values`, sizes that
    meet are assumed equal. `transform(record, fn)` derives a Function where the program itself calls
    grad, jvp and the like."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))
    try:
        wanted: tuple[Type, ...] | None = None
        for _ in range(8):
            root = Root(function, transform, values)
            fn, found = root.build(args, dict(kwargs or {}), wanted)
            if found is None:
                return verify(fn, "frontend")
            wanted = found
        raise root.internal("the types of the results do not settle")
    except RecursionError:
        raise UnsupportedSyntax(
            "S115", "the program is nested too deeply", "write recursion as a loop"
        ) from None
    finally:
        sys.setrecursionlimit(limit)


class Root(Vmaps):
    """The build of one IR function."""

    def __init__(self, function: Any, transform: Transform | None, values: bool):
        super().__init__(Assumptions({}, trusting=not values), transform)
        self.function = function
        self.params: list[Value] = []
        self.signature: list[Parameter] = []
        self.partial_keywords: dict[str, Static] = {}
        self.given: tuple[int, tuple[str, ...]] = (0, ())  # how many by position, which by keyword
        self.defaults: dict[str, Callable[[], Any]] = {}  # of parameters that are not given

    def build(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], wanted: tuple[Type, ...] | None
    ) -> tuple[Function, tuple[Type, ...] | None]:
        """Return the Function, and the result types to build it again with if its returns differ."""
        body = Body(wanted)
        self.given = (len(args), tuple(kwargs))
        source, leading = self.underlying(self.function)
        node = source.node
        names = self.parameters(source, leading, args, kwargs, body)
        self.push(source, node, None, names, body)
        self.taken |= set(self.frames[0].locals)
        self.at(node)
        record = record_of(self.function)
        if record is not None and record.kind == "vmap":
            end: Any = self.root_return(self.run_vmapped(record, source, leading, names, args, kwargs), node)
        elif record is not None and record.is_called:  # its body is a call of itself, with its rule
            derived = Derived(record, held(record.function))
            end = self.root_return(self.call_derived(derived, tuple(names.values()), {}, node), node)
        elif isinstance(node, gast.Lambda):
            end = self.root_return(self.expr(node.body), node.body)
        else:
            end = self.run(node.body)
            if end is None:
                end = self.root_return(Static(None), node)
        assert isinstance(end, End)
        return self.finished(source, end, body), self.unsettled(body)

    def underlying(self, function: Any) -> tuple[Source, tuple[Abstract, ...]]:
        """Return the Python function that a callable runs, and its already bound leading arguments."""
        record = record_of(function)
        if record is not None and record.function is not None:  # not what it shows of itself once called
            return self.underlying(record.function)
        if hasattr(function, "py_func"):
            return self.underlying(function.py_func)
        if is_library(function):
            return self.source(calling(function, *self.given)), ()
        if isinstance(function, types.FunctionType):
            return self.source(function), ()
        if isinstance(function, types.MethodType):
            source, leading = self.underlying(function.__func__)
            return source, (*leading, held(function.__self__))
        if isinstance(function, functools.partial):
            return self.underlying_partial(function)
        inner = getattr(function, "__wrapped__", None)
        if inner is not None and callable(inner):
            return self.underlying(inner)
        call = inspect.getattr_static(type(function), "__call__", None)
        if isinstance(call, types.FunctionType):
            return self.source(call), (held(function),)
        name = getattr(function, "__name__", type(function).__name__)
        raise UnsupportedSyntax(
            "S101", f"`{name}` is not written in Python", "wrap it: def f(x): return " + name + "(x)"
        )

    def run_vmapped(
        self,
        record: Transformed,
        source: Source,
        leading: tuple[Abstract, ...],
        names: dict[str, Abstract],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Abstract:
        """Return the result of a vmapped function whose parameters are those of the function itself: what
        is given by position is batched as in_axes says, what is given by keyword along 0, defaults not."""
        given: list[Abstract] = []
        keywords: dict[str, Abstract] = {}
        defaults: dict[str, Abstract] = {}
        for p in list(inspect.signature(source.function, follow_wrapped=False).parameters.values())[
            len(leading) :
        ]:
            value = names[p.name]
            if p.kind is p.VAR_POSITIONAL:
                given += self.static_items(value, source.node)
            elif p.kind is p.VAR_KEYWORD:
                box = self.contents(value)
                assert isinstance(box, Struct)
                keywords.update(zip(box.keys, box.items, strict=True))
            elif p.kind is not p.KEYWORD_ONLY and len(given) < len(args):
                given.append(value)
            elif p.name in kwargs:
                keywords[p.name] = value
            elif p.kind is not p.POSITIONAL_ONLY and p.name not in self.partial_keywords:
                defaults[p.name] = value
        derived = Derived(record, held(record.function))
        return self.called_vmap(derived, tuple(given), keywords, source.node, defaults)

    def underlying_partial(self, function: Any) -> tuple[Source, tuple[Abstract, ...]]:
        """Return what a functools.partial runs; its keywords become defaults."""
        count, keywords = self.given
        more = [k for k in function.keywords if k not in keywords]
        self.given = (count + len(function.args), (*keywords, *more))
        source, leading = self.underlying(function.func)
        bound = tuple(
            Static(v, Access(f"partial_{k}", ("partial", id(function), k), lambda k=k: function.args[k]))
            for k, v in enumerate(function.args)
        )
        self.partial_keywords.update(
            {
                k: Static(
                    v, Access(f"partial_{k}", ("partial", id(function), k), lambda k=k: function.keywords[k])
                )
                for k, v in function.keywords.items()
            }
        )
        return source, (*leading, *bound)

    def parameters(
        self,
        source: Source,
        leading: tuple[Abstract, ...],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        body: Body,
    ) -> dict[str, Abstract]:
        """Return the names bound at entry; fill in the flat parameters and the signature."""
        signature = inspect.signature(source.function, follow_wrapped=False)
        spec = [p for p in signature.parameters.values()]
        names: dict[str, Abstract] = {}
        self.taken |= {p.name for p in spec}
        for p, value in zip(spec, leading, strict=False):
            names[p.name] = self.captured(value) if isinstance(value, Static) else value
        rest = spec[len(leading) :]
        for name in (k for k in self.partial_keywords if k not in kwargs):
            names[name] = self.captured(self.partial_keywords[name])
        rest = [p for p in rest if p.name not in names]
        bound = inspect.Signature([self.plain(p) for p in rest], __validate_parameters__=False).bind(
            *args, **kwargs
        )
        defaults = self.function_defaults(source.function)
        self.defaults = {
            p.name: access.read
            for p in rest
            if p.name not in bound.arguments
            and p.name in defaults
            and (access := defaults[p.name].access) is not None
        }
        bound.apply_defaults()
        leaf_names: set[str] = set()
        for p in rest:
            value = bound.arguments[p.name]
            tree, leaves, found = describe_argument(value, p.name, len(self.params), leaf_names)
            abstract = [self.parameter_leaf(v, x, body) for v, x in zip(leaves, found, strict=True)]
            offset = len(self.params)
            self.params += leaves
            local = renumber(tree, {k: k - offset for k in range(offset, len(self.params))})
            names[p.name] = self.from_tree(local, abstract)
            has_default = p.default is not inspect.Parameter.empty
            self.signature.append(
                Parameter(p.name, tree, KINDS[p.kind], p.default if has_default else None, has_default)
            )
        return names

    def has_singles(self) -> bool:
        """True if the program is given single precision."""
        given = (*self.params, *(leaf for _, leaf in self.hidden.values()))
        return any(v.type.dtype.char in "efF" for v in given)

    def plain(self, p: inspect.Parameter) -> inspect.Parameter:
        """Return a parameter without its annotation."""
        return p.replace(annotation=inspect.Parameter.empty)

    def parameter_leaf(self, leaf: Value, example: Any, body: Body) -> Abstract:
        """Return the abstract value of one leaf of an argument."""
        if isinstance(leaf.type, Array):
            ref = self.new_buffer(leaf, leaf.name)
            body.entry[ref.buffer] = leaf
            shape = getattr(example, "shape", ())
            self.sizes.concrete.update({f"{leaf.name}.{k}": int(n) for k, n in enumerate(shape)})
            return ref
        if isinstance(leaf.type, Sparse) and example is not None:
            self.sizes.concrete.update({f"{leaf.name}.{k}": int(n) for k, n in enumerate(example.shape)})
        if leaf.type.dtype.kind in "iu" and isinstance(example, int | np.integer):
            self.sizes.concrete[leaf.name] = int(example)
        return Num(leaf)

    def finished(self, source: Source, end: End, body: Body) -> Function:
        """Return the Function: unwritten parameters are dropped from the returns."""
        buffers = list(body.entry)
        kept = [k for k, b in enumerate(buffers) if b in self.written_roots(body)]
        block = Block((), tuple(self.builder.instrs), end)
        block = trim_returns(block, len(buffers), kept)
        params = list(self.params)
        signature = list(self.signature)
        for parameter, leaf in self.hidden.values():
            tree = renumber(parameter.tree, {-1: len(params)})
            params.append(leaf)
            signature.append(Parameter(parameter.name, tree, "captured", parameter.default, True))
        writes = tuple(params.index(body.entry[buffers[k]]) for k in kept)
        node = source.node
        fn = Function(
            name=source.name + ("_vmap" if getattr(record_of(self.function), "kind", "") == "vmap" else ""),
            params=tuple(params),
            block=block,
            signature=tuple(signature),
            result=body.tree if body.tree is not None else StaticTree(None),
            writes=writes,
            facts=tuple(self.sizes.facts),
            doc=source.function.__doc__ or "",
            origin=source.origin(node),
            extra={
                "captured": dict(self.readers),
                "static_captures": tuple(self.static_captures),
                "defaults": self.defaults,
                "emitted": source.is_emitted,
            },
        )
        return self.with_canonical_sizes(fn)

    def written_roots(self, body: Body) -> set[int]:
        """Return the parameter buffers that are written, directly or through a joined name."""
        found = set(self.written)
        for buffer in list(found):
            found |= {b for b in body.entry if frozenset((b, buffer)) in self.overlaps}
        return found & set(body.entry)

    def with_canonical_sizes(self, fn: Function) -> Function:
        """Return the function with all assumed equalities applied to its types, and suggested names."""
        return rewrite_types(fn, self.sizes.canonical, self.suggested)
