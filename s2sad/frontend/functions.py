"""User functions: inlining, nested functions, captured values, s2sad's transforms inside programs."""

from __future__ import annotations

import enum
import functools
import inspect
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import gast
import numpy as np

from s2sad.errors import S2sadError
from s2sad.frontend import syntax
from s2sad.frontend.arrays import constant, describe
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.joins import U64, join_types, overflows, unlike
from s2sad.frontend.machine import Body, Buffer, Frame
from s2sad.frontend.outcome import RETURN, Returned
from s2sad.frontend.source import Access, Source, label_of, source_of
from s2sad.frontend.statements import Statements
from s2sad.frontend.values import (
    OPENED,
    Abstract,
    Closure,
    Generator,
    Lazy,
    Num,
    Partial,
    Ref,
    Static,
    Struct,
    is_plain,
    snapshot,
    tuple_of,
)
from s2sad.ir.core import Block, End, Function, Literal, Operand, Parameter, Value
from s2sad.ir.structure import is_sparse, leaf_type
from s2sad.ir.tree import Leaf, Node, Tree
from s2sad.ir.tree import Static as StaticTree
from s2sad.ir.types import STREAMS, WEAK_INT, Array, Type, without_sizes
from s2sad.ops import OPS
from s2sad.ops.expr import apply, apply_all
from s2sad.ops.support import SUPPORT
from s2sad.record import replace

ENDLESS = "S115"
MAX_DEPTH = 40
MAX_CALLS = 250  # of a function from within itself: what calls itself twice grows fast
MAX_ITEMS = 200

CHANGING = (set, bytearray, deque, list, dict)
"""Objects that may have other things in them at the next call, and are not opened."""
Transform = Callable[[Any, Function], Function]


class Functions(Statements):
    """Calls of user functions."""

    def __init__(self, sizes: Assumptions, transform: Transform | None):
        super().__init__(sizes)
        self.transform = transform
        self.hidden: dict[Hashable, tuple[Parameter, Value]] = {}  # captured parameters by access key
        self.hidden_values: dict[Hashable, Abstract] = {}
        self.readers: dict[str, Callable[[], Any]] = {}
        self.static_captures: list[tuple[Callable[[], Any], Any]] = []
        self.static_seen: set[Hashable] = set()
        self.taken: set[str] = set()
        self.sources: dict[Any, Source] = {}
        self.recursive_calls: dict[Any, int] = {}  # of each function from within itself

    def captured(self, value: Static, node: Any = None) -> Abstract:
        """Return a captured Python object: numbers and arrays become hidden parameters, read again at each
        call; everything else, and ints that are defaults (`order=2`), is static, and checked at each call."""
        v, access = value.value, value.access
        number = isinstance(v, int | float | complex | np.generic) and not isinstance(v, bool | np.bool_)
        if access is None:
            if type(v) in (list, dict):
                return self.structured(v, node)
            return constant(v) if not isinstance(v, np.generic) else value
        if isinstance(v, np.bool_):
            read = access.read
            v, access = bool(v), replace(access, read=lambda: bool(read()))
        if type(v) is bool or (type(v) is int and access.is_default):
            self.remember(access, v)
            return Num(Literal(v))
        if isinstance(v, enum.Enum):
            self.remember(access, v)
            return value
        if number and not isinstance(v, np.generic) and type(v) not in (int, float, complex):
            why = f"`{access.name}` is a {type(v).__name__}, which may have operators of its own"
            raise self.mismatch("S304", why, f"pass {type(v).__mro__[-2].__name__}({access.name})", node)
        if number or type(v) is np.ndarray or isinstance(v, STREAMS) or is_sparse(v):
            return self.hidden_parameter(v, access, node)
        if isinstance(v, types.MethodType):  # another object each time it is read
            self.remember(access.attribute("__func__"), v.__func__)
            return value
        if type(v) in OPENED or _has_fields(v):
            self.remember(access.kind(), type(v))
            return value
        self.remember(access, v)
        if isinstance(v, CHANGING):
            read = access.read
            self.remember(Access(access.name, (access.key, "all"), lambda: snapshot(read())), snapshot(v))
        return value

    def remember(self, access: Access, value: Any) -> None:
        """Note a static captured value, to be checked at each call."""
        key = (access.key, id(value))
        if key not in self.static_seen and access.read is not None:
            self.static_seen.add(key)
            self.static_captures.append((access.read, value))

    def remember_plain(self, access: Access, value: Any) -> None:
        """Note what was computed of captured values, if it can be compared at each call."""
        if is_plain(value):
            self.remember(access, value)

    def structured(self, value: Any, node: Any) -> Abstract:
        """Return a fresh list or dict of compile-time values as a container."""
        if isinstance(value, list):
            items = tuple(self.captured(Static(v), node) for v in value)
            return self.box(Struct("list", tuple(range(len(items))), items))
        return self.box(
            Struct("dict", tuple(value), tuple(self.captured(Static(v), node) for v in value.values()))
        )

    def hidden_parameter(self, value: Any, access: Access, node: Any) -> Abstract:
        """Return the parameter that holds a captured number or array."""
        if access.key in self.hidden_values:
            return self.hidden_values[access.key]
        if isinstance(value, np.ndarray) and value.dtype.kind not in "biufc":
            read = access.read
            now = Access(access.name, (access.key, "bytes"), lambda: read().tobytes())
            self.remember(now, value.tobytes())
            return Static(value)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise self.mismatch("S316", "an int beyond 64 bits cannot be compiled", "use a float", node)
        name, k = access.name, 1
        while name in self.taken:
            k += 1
            name = f"{access.name}_{k}"
        self.taken.add(name)
        leaf = Value(name, leaf_type(value, name))
        if isinstance(value, np.ndarray) or is_sparse(value):
            self.sizes.concrete.update({f"{name}.{d}": n for d, n in enumerate(value.shape)})
        elif isinstance(value, int | np.integer):
            self.sizes.concrete[name] = int(value)
        parameter = Parameter(name, Leaf(-1), "captured", value, True)
        self.hidden[access.key] = (parameter, leaf)
        self.readers[name] = access.read
        made: Abstract
        if isinstance(leaf.type, Array):
            buffer = self.fresh_id()
            self.buffers[buffer] = Buffer(access.name, outer=True)
            self.fixed[buffer] = leaf
            made = Ref(buffer, (), (), leaf.type)
        else:
            made = Num(leaf)
        self.hidden_values[access.key] = made
        return made

    def contents(self, value: Abstract) -> Abstract:
        """Return the contents of a container; captured records open on demand."""
        if isinstance(value, Static) and value.access is not None and type(value.value) in OPENED:
            return self.opened(value)
        return super().contents(value)

    def opened(self, value: Static) -> Abstract:
        """Return a captured tuple, list or dict as a structure of captured items."""
        v, access = value.value, value.access
        assert access is not None
        keys = tuple(v) if isinstance(v, dict) else tuple(range(len(v)))
        if len(keys) > MAX_ITEMS:
            raise self.mismatch(
                "S307",
                f"a container of {len(keys)} items is too large to be read",
                "make it an array: np.array(items)",
            )
        items = tuple(self.captured(Static(v[k], access.item(k))) for k in keys)
        self.static_captures_keys(access, v)
        kind = "dict" if isinstance(v, dict) else type(v).__name__
        return Struct(kind, keys, items, type(v) if kind == "dict" and type(v) is OrderedDict else None)

    def static_captures_keys(self, access: Access, value: Any) -> None:
        """Note the length or keys of a captured container, to be checked at each call."""
        key = (access.key, "items", len(value))
        if key in self.static_seen:
            return
        self.static_seen.add(key)
        read = access.read
        if isinstance(value, dict):
            self.static_captures.append((lambda: repr(list(read())), repr(list(value))))
        else:
            self.static_captures.append((lambda: len(read()), len(value)))

    def source(self, function: types.FunctionType) -> Source:
        """Return the source of a function."""
        if function not in self.sources:
            try:
                self.sources[function] = source_of(function)
            except S2sadError as error:
                raise error.located(self.place()) from None
            if not _is_ours(function):  # notebooks that reload modules give functions new code
                self.static_captures.append((lambda: function.__code__, function.__code__))
        return self.sources[function]

    def called_source(self, function: types.FunctionType, node: Any) -> Source:
        """Return the source of a function that is called: all of one of ours has the place of the call."""
        source = self.source(function)
        return replace(source, call=self.place(node)) if _is_ours(function) else source

    def push(
        self,
        source: Source,
        node: Any,
        parent: int | None,
        names: dict[str, Abstract],
        body: Body | None = None,
    ) -> Frame:
        """Enter a function."""
        statements = node.body if isinstance(node.body, list) else []
        args = node.args
        params = [a.id for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
        params += [a.id for a in (args.vararg, args.kwarg) if a is not None]
        nonlocals = syntax.declared(statements, gast.Nonlocal)
        globals_ = syntax.declared(statements, gast.Global)
        assigned = frozenset(syntax.assigned_names(statements)) - globals_
        own = assigned | frozenset(params)
        frame = Frame(self.fresh_id(), source, node, parent, body, own, nonlocals, globals_)
        self.info[frame.id] = frame
        self.frames.append(frame)
        self.state.frames[frame.id] = names
        return frame

    def shared_names(self, frame: Frame) -> frozenset[str]:
        """Return the names of a frame that nested functions may assign."""
        return syntax.shared_names(frame.node)

    def bound_arguments(
        self,
        node: Any,
        defaults: Mapping[str, Abstract],
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        label: str,
        place: Any,
    ) -> dict[str, Abstract]:
        """Return the parameters of a function bound to arguments, as Python binds them."""
        a = node.args
        kinds = inspect.Parameter
        spec = [kinds(p.id, kinds.POSITIONAL_ONLY) for p in a.posonlyargs]
        spec += [kinds(p.id, kinds.POSITIONAL_OR_KEYWORD) for p in a.args]
        if a.vararg is not None:
            spec.append(kinds(a.vararg.id, kinds.VAR_POSITIONAL))
        spec += [kinds(p.id, kinds.KEYWORD_ONLY) for p in a.kwonlyargs]
        if a.kwarg is not None:
            spec.append(kinds(a.kwarg.id, kinds.VAR_KEYWORD))
        spec = [p.replace(default=defaults[p.name]) if p.name in defaults else p for p in spec]
        try:
            bound = inspect.Signature(spec, __validate_parameters__=False).bind(*args, **kwargs)
        except TypeError as error:
            raise self.mismatch("S319", f"TypeError: {label}() {error}", "", place) from error
        bound.apply_defaults()
        names: dict[str, Abstract] = {}
        for p in spec:
            value = bound.arguments[p.name]
            if isinstance(value, Generator):  # what it reads are names of the caller
                value = Lazy("iter", (self.listed(value),))
            if p.kind is kinds.VAR_POSITIONAL:
                value = tuple_of(value)
            elif p.kind is kinds.VAR_KEYWORD:
                value = self.box(Struct("dict", tuple(value), tuple(value.values())))
            names[p.name] = value
        return names

    def function_defaults(self, function: types.FunctionType) -> dict[str, Static]:
        """Return the defaults of a Python function as captured values."""
        code = function.__code__
        positional = code.co_varnames[: code.co_argcount]
        given = function.__defaults__ or ()
        found: dict[str, Static] = {}
        owner = label_of(function)
        for k, name in enumerate(positional[len(positional) - len(given) :]):
            place = ("default", id(function), name)
            access = Access(f"{owner}_{name}", place, lambda k=k: (function.__defaults__ or ())[k])
            found[name] = Static(given[k], access)
        for name, value in (function.__kwdefaults__ or {}).items():
            place = ("default", id(function), name)
            access = Access(f"{owner}_{name}", place, lambda n=name: (function.__kwdefaults__ or {})[n])
            found[name] = Static(value, access)
        return found

    def call_function(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a Python function: read in place."""
        inner = getattr(function, "__wrapped__", None)
        if isinstance(inner, types.FunctionType) and _only_caches(function):
            function = inner
        source = self.called_source(function, node)
        if source.name in SUPPORT and gast.dump(source.node) == _support_dump(source.name):
            return self.call_support(source.name, args, kwargs)
        names = self.bound_arguments(
            source.node, self.function_defaults(function), args, kwargs, function.__name__, node
        )
        names = {k: self.captured(v) if isinstance(v, Static) and v.access else v for k, v in names.items()}
        return self.enter(source, source.node, None, names, node)

    def call_support(self, op: str, args: tuple[Abstract, ...], kwargs: dict[str, Abstract]) -> Abstract:
        """Return a function of emitted text as the op it stands for: `unbroadcast(g, x.shape)`."""
        if op != "unbroadcast":
            params = {k: self.static_value(v, k, None) for k, v in kwargs.items()}
            made = apply_all if OPS[op].results > 1 else apply
            return self.absorb(made(op, *map(self.leaf, args), **params), {})
        shape = self.contents(args[1])
        assert isinstance(shape, Struct)
        if shape.shape_of is not None:
            like: Any = self.leaf(shape.shape_of)
        else:
            like = apply("empty", *(self.leaf(item) for item in shape.items), dtype=np.dtype(np.float64))
        return self.absorb(apply(op, self.leaf(args[0]), like), {})

    def call_closure(
        self, closure: Closure, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling a nested function: read in place."""
        names = self.bound_arguments(closure.node, closure.defaults, args, kwargs, closure.name, node)
        return self.enter(closure.source, closure.node, closure.frame, names, node)

    def enter(
        self, source: Source, callee: Any, parent: int | None, names: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of a user function: read in place, or called as a function of its own."""
        raise NotImplementedError

    def inline(
        self, source: Source, callee: Any, parent: int | None, names: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of reading a function's body here."""
        depth = sum(f.node is callee for f in self.frames)
        calls = self.recursive_calls[callee] = self.recursive_calls.get(callee, 0) + 1 if depth else 0
        if depth >= MAX_DEPTH or calls > MAX_CALLS:
            raise self.refuse(
                ENDLESS,
                f"the recursion of `{getattr(callee, 'name', 'lambda')}` does not end at compile time",
                "write it as a loop, or make the depth a literal",
                node,
            )
        origin = self.builder.origin
        frame = self.push(source, callee, parent, names)
        try:
            if isinstance(callee, gast.Lambda):
                value = self.expr(callee.body)
            else:
                outcome = self.run(callee.body)
                if outcome is not None and not isinstance(outcome, Returned):
                    raise self.refuse(
                        "S125", f"`{callee.name}` never returns here", "return a value on some path", node
                    )
                value = self.state.frames[frame.id].pop(RETURN, Static(None))
        finally:
            self.frames.remove(frame)
        self.builder.origin = origin
        return self.checked(value, f"the result of {getattr(callee, 'name', 'lambda')}")

    def bound_method(self, function: Static, owner: Abstract) -> Abstract:
        """Return a function with its first argument bound."""
        return Partial(function, (owner,))

    def root_return(self, value: Abstract, node: Any) -> End:
        """Return the end of the IR function: the leaves of the result, then the array parameters."""
        body = self.frame.body
        assert body is not None
        leaves: list[Abstract] = []
        tree = self.to_tree(value, leaves, node)
        if body.tree is None:
            body.tree = tree
        elif not same_tree(body.tree, tree):
            raise self.mismatch(
                "S324",
                "the returned values differ in structure between paths",
                "return the same structure",
                node,
            )
        operands: list[Operand] = [self.operand(v, node) for v in leaves]
        wanted = body.wanted
        body.returned.append(tuple(operands))
        if wanted is not None:
            operands = [self.convert(o, t) for o, t in zip(operands, wanted, strict=True)]
            literal = [isinstance(o, Literal) for o in operands]
            body.seen.append(
                tuple(t if k else o.type for o, t, k in zip(operands, wanted, literal, strict=True))
            )
        else:
            body.seen.append(tuple(o.type for o in operands))
        for buffer, entry in body.entry.items():
            assert isinstance(entry.type, Array)
            self.check_fresh(Ref(buffer, (), (), entry.type))
        finals = [self.state.buffers[b] for b in body.entry]
        return self.end("return", *operands, *finals)

    def unsettled(self, body: Body) -> tuple[Type, ...] | None:
        """Return the joined result types if the returns disagree, else None."""
        if not body.seen:
            return None
        joined = list(body.seen[0])
        for types_ in body.seen[1:]:
            for k, t in enumerate(types_):
                both = join_types(joined[k], t)
                if both is None:
                    raise self.mismatch(
                        "S324", "the returned values differ in rank or dtype between paths", "return one kind"
                    )
                joined[k] = both
        for k, t in enumerate(joined):
            if any(overflows(found[k], t) for found in body.returned):
                if t.dtype == U64:
                    poison = unlike("the result")
                    raise self.mismatch(poison.code, poison.why, poison.instead)
                joined[k] = WEAK_INT
        if all(
            without_sizes(t) == without_sizes(j) for ts in body.seen for t, j in zip(ts, joined, strict=True)
        ):
            return None
        return tuple(joined)

    def from_tree(self, tree: Tree, leaves: Sequence[Abstract] | Mapping[int, Abstract]) -> Abstract:
        """Return the abstract value of a structure."""
        match tree:
            case Leaf(index):
                return leaves[index]
            case StaticTree(value):
                return constant(value)
            case Node():
                items = tuple(self.from_tree(i, leaves) for i in tree.items)
                return self.like(Struct(tree.kind, tree.keys, items, tree.cls), items)
        raise self.internal("unknown tree")

    def to_tree(self, value: Abstract, leaves: list[Any], node: Any = None) -> Tree:
        """Return the structure of a value; its numbers and arrays are appended to `leaves`."""
        box = self.contents(value)
        match box:
            case Num() | Ref():
                leaves.append(box)
                return Leaf(len(leaves) - 1)
            case Static(value=v):
                if isinstance(v, np.ndarray | np.generic) and v.dtype.kind in "biufc":
                    leaves.append(self.wrap(self.operand(box)))
                    return Leaf(len(leaves) - 1)
                return StaticTree(v)
            case Struct():
                items = tuple(self.to_tree(i, leaves, node) for i in box.items)
                kind = box.kind if box.kind != "slice" else "tuple"
                return Node(kind, box.keys, items, box.cls)
        raise self.mismatch("S323", f"{describe(box)} cannot be returned or passed on here", "", node)


def _has_fields(value: Any) -> bool:
    return hasattr(type(value), "_fields") or hasattr(type(value), "__dataclass_fields__")


def _is_ours(function: types.FunctionType) -> bool:
    return (function.__module__ or "").startswith("s2sad.")


def _only_caches(function: Any) -> bool:
    # functools.lru_cache and similar wrappers compute the same function
    return not isinstance(function, types.FunctionType)


@functools.cache
def _support_dump(name: str) -> str:
    return str(gast.dump(gast.parse(SUPPORT[name]).body[0]))


def same_tree(a: Tree, b: Tree) -> bool:
    """True if two results have the same structure."""
    if isinstance(a, Node) and isinstance(b, Node):
        return (a.kind, a.keys, a.cls) == (b.kind, b.keys, b.cls) and all(map(same_tree, a.items, b.items))
    if isinstance(a, StaticTree) and isinstance(b, StaticTree):
        return a.value is b.value or (type(a.value) is type(b.value) and bool(a.value == b.value))
    return type(a) is type(b)


def trim_returns(block: Block, finals: int, kept: list[int]) -> Block:
    """Return the block with only the `kept` of the `finals` last values of every return."""

    def visit(b: Block) -> Block:
        instrs = tuple(replace(i, blocks=tuple(map(visit, i.blocks))) if i.blocks else i for i in b.instrs)
        end = b.end
        if end.kind == "return":
            head, tail = end.args[: len(end.args) - finals], end.args[len(end.args) - finals :]
            end = replace(end, args=(*head, *(tail[k] for k in kept)))
        return Block(b.params, instrs, end)

    return visit(block)
