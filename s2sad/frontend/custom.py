"""Calls of functions with a derivative of the user's own (custom_jvp, custom_vjp).

The function is called as it is, with a Rule beside it (`ir/rule.py`): the user's functions, read for the
arguments of the call into Functions over the leaves of arguments, residuals and cotangents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from s2sad.errors import Origin
from s2sad.frontend.assume import Assumptions
from s2sad.frontend.callees import NotPure, shared_results, tree_of
from s2sad.frontend.fit import Out, arranged, misfit, pairs, same_values, two_parts
from s2sad.frontend.functions import Transform
from s2sad.frontend.source import Access, Source
from s2sad.frontend.transformed import Derived, Transforms
from s2sad.frontend.values import Abstract, Closure, Num, Ref, Static, Struct, tuple_of
from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, End, Function, Instr, Operand, Parameter, Value, returns
from s2sad.ir.rule import Link, Read, Rule, Tangent
from s2sad.ir.transformed import IDENTITY, Given, record_of
from s2sad.ir.tree import Leaf, Node, Tree, leaves, renumber
from s2sad.ir.types import Type, is_differentiable
from s2sad.ir.walk import Copier
from s2sad.ops import OPS
from s2sad.record import dataclass, replace

ATTEMPTS = 4  # at a rule that calls its own function and reads variables around it


@dataclass(slots=True, eq=False)
class Ruled:
    """A function with its rule, for certain arguments. A call gives the leaves of the arguments, then what
    function and rule read around them."""

    fn: Function  # all parameters and results are leaves
    whole: Function  # the same with the structures of the user's function
    rule: Rule
    around: tuple[Value, ...]
    shares: bool  # a result is memory of an argument, in Python


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A function of the user's, read: its parameters hold `operands`, then the values `lifted`."""

    fn: Function
    operands: tuple[Operand, ...]
    lifted: tuple[Value, ...]

    @property
    def around(self) -> tuple[Value, ...]:
        """Return all that the parameters but the first hold."""
        found = tuple(v for v in (*self.operands[1:], *self.lifted) if isinstance(v, Value))
        assert len(found) == len(self.operands) - 1 + len(self.lifted)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """The arguments of a call: their leaves are the first operands; `places[k]` are those of argument k."""

    args: tuple[Abstract, ...]
    places: tuple[range, ...]
    nondiff: tuple[int, ...]
    primal: Reading

    def of(self, chosen: Sequence[int]) -> list[int]:
        """Return the places of the leaves of some arguments."""
        return [j for k in chosen for j in self.places[k]]

    @property
    def diff(self) -> tuple[int, ...]:
        """Return the arguments that a derivative is asked for."""
        return tuple(k for k in range(len(self.args)) if k not in self.nondiff)


class CustomRules(Transforms):
    """Functions with rules of their own."""

    def __init__(self, sizes: Assumptions, transform: Transform | None):
        super().__init__(sizes, transform)
        self.ruled: dict[Any, Ruled] = {}
        self.filling: list[Given] = []  # rules that are being read

    def called_custom(
        self, derived: Derived, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of calling a function with rules of its own."""
        ruled, operands, refs = self.ruled_call(derived, args, kwargs, node)
        results = [self.wrap(r) for r in self.emit_ruled(ruled, operands)]
        if ruled.shares:  # in Python a write to one of them is seen in the other
            found = {r.buffer for r in results if isinstance(r, Ref)}
            self.overlaps |= {frozenset((a, b)) for a in found for b in refs}
        return self.from_tree(ruled.whole.result, results)

    def function_of(
        self, function: Abstract, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> tuple[Function, list[Operand]]:
        """Return a function value read into an IR Function, and the operands of its parameters."""
        if not (isinstance(function, Derived) and function.record.given is not None):
            return super().function_of(function, args, kwargs, node)
        ruled, operands, _ = self.ruled_call(function, args, kwargs, node)
        return ruled_function(ruled, ruled.whole, self.sizes, self.place(node)), operands

    def emit_ruled(self, ruled: Ruled, operands: Sequence[Operand]) -> tuple[Value, ...]:
        """Append the call of a function with a rule and return its results."""
        here = self.builder
        return here.add(ruled_instr(ruled, tuple(operands), self.sizes, here.origin))

    def ruled_call(
        self, derived: Derived, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> tuple[Ruled, list[Operand], set[int]]:
        """Return a function with its rule, the operands of a call, and the buffers of the arguments."""
        assert derived.record.given is not None
        assert isinstance(derived.function, Static)
        function, given = derived.function.value, derived.record.given
        for part in ("jvp", "fwd", "bwd"):  # a rule that is given anew is read anew
            access = Access(part, ("rule", id(given), part), lambda part=part: getattr(given, part))
            self.remember(access, getattr(given, part))
        bound = self.positional(function, args, kwargs, node)
        operands, places, key = self.flattened(bound, node)
        found = self.ruled.get((given, key))
        if found is None:
            found = self.make_ruled((given, key), function, given, bound, places, node)
        refs = {a.buffer for a in self.arrays(bound)}
        return found, [*operands, *found.around], refs

    def positional(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> tuple[Abstract, ...]:
        """Return the arguments of a call in the order of the parameters, defaults filled in."""
        if record_of(function) is not None:  # one that is not read: by position
            if kwargs:
                name = getattr(function, "__name__", "function")
                raise self.refuse("S118", f"`{name}` is called by position", "leave the names out", node)
            return args
        source = self.source(function)
        a = source.node.args
        names = self.bound_arguments(
            source.node, self.function_defaults(function), args, kwargs, source.name, node
        )
        found: list[Abstract] = []
        for name, value in names.items():
            if isinstance(value, Static) and value.access:
                value = self.captured(value)
            if a.vararg is not None and name == a.vararg.id:
                assert isinstance(value, Struct)
                found += value.items
            elif a.kwarg is not None and name == a.kwarg.id:
                if self.static_items(value, node):
                    why = "a function with a rule of its own cannot take **keywords"
                    raise self.refuse("S118", why, "name its parameters", node)
            else:
                found.append(value)
        return tuple(found)

    def flattened(
        self, args: tuple[Abstract, ...], node: Any
    ) -> tuple[list[Operand], tuple[range, ...], tuple[Any, ...]]:
        """Return the leaves of arguments, which of them belong to each argument, and a key of their types."""
        operands: list[Operand] = []
        key: list[Any] = []
        places = []
        for value in args:
            first = len(operands)
            self.argument_tree(value, operands, key, True, node)
            places.append(range(first, len(operands)))
        return operands, tuple(places), tuple(key)

    def reading(self, function: Any, args: tuple[Abstract, ...], node: Any) -> Reading:
        """Return a function of the user's, or the value of one, read for these arguments."""
        if isinstance(function, Static):
            function = function.value
        if isinstance(function, Closure):
            names = self.bound_arguments(function.node, function.defaults, args, {}, function.name, node)
            return self.read_own(function.source, function.node, function.frame, names, len(args), node)
        record = record_of(function)
        if record is not None and record.kind in IDENTITY:
            return self.reading(record.function, args, node)
        if record is not None:
            name = getattr(function, "__name__", "function")
            return self.reading(self.defined_here(Static(function), name, len(args), []), args, node)
        source = self.called_source(function, node)
        defaults = self.function_defaults(function)
        names = self.bound_arguments(source.node, defaults, args, {}, source.name, node)
        names = {k: self.captured(v) if isinstance(v, Static) and v.access else v for k, v in names.items()}
        return self.read_own(source, source.node, None, names, len(args), node)

    def read_own(
        self,
        source: Source,
        callee: Any,
        parent: int | None,
        names: dict[str, Abstract],
        given: int,
        node: Any,
    ) -> Reading:
        """Return a function read with its parameters bound; its results may be its arguments. Parameters
        beyond the `given` ones have their defaults, which are read as other values around it are."""
        operands: list[Operand] = []
        trees = {
            name: self.argument_tree(v, operands, [], True, node) if k < given else v
            for k, (name, v) in enumerate(names.items())
        }
        try:
            fn, lifted = self.build_callee(
                source, callee, parent, trees, operands, node, own=False, whole=True
            )
        except NotPure:
            why = f"`{source.name}` has a rule of its own or is part of one: it must not write its arguments"
            raise self.refuse("S127", why, "copy first", node) from None
        return Reading(fn, tuple(operands), lifted)

    def make_ruled(
        self,
        key: Any,
        function: Any,
        given: Given,
        args: tuple[Abstract, ...],
        places: tuple[range, ...],
        node: Any,
    ) -> Ruled:
        """Return a function with its rule. The rule may call the function, and read more around it than
        the function does: then it is read again, now that this is known."""
        nondiff = tuple(k % len(args) for k in given.nondiff)
        call = Call(args, places, nondiff, self.reading(function, args, node))
        around = call.primal.lifted
        if given in self.filling:  # called by its own rule, with other arguments: without end, perhaps
            made = self.ruled[key] = self.unruled(call, around)
            made.rule.pending = self.later(made.rule, lambda: self.fill(made, call, given, node), node)
            return made
        self.filling.append(given)
        try:
            for _ in range(ATTEMPTS):
                known = self.known_key(key)
                made = self.ruled[key] = self.ruled[known] = self.unruled(call, around)
                more = self.fill(made, call, given, node)
                if not more and known == self.known_key(key):
                    return made
                around = (*around, *more)
        finally:
            self.filling.remove(given)
        raise self.internal("what a rule reads around it does not settle")

    def known_key(self, key: Any) -> Any:
        """Return a key of argument types by what is known of sizes now: reading a rule teaches more."""
        given, parts = key
        sizes = (tuple(map(self.sizes.canonical, p[1])) if _is_array(p) else None for p in parts)
        return given, tuple(p if s is None else (p[0], s) for p, s in zip(parts, sizes, strict=True))

    def later(self, rule: Rule, fill: Callable[[], list[Value]], node: Any) -> Callable[[], None]:
        """Return what fills in a rule when it is asked for: it is read in the present state, and may need
        nothing that is not known now."""
        state, frames, origin = self.state.copy(), list(self.frames), self.builder.origin

        def filled() -> None:
            outer = self.state, self.frames, self.builder
            self.state, self.frames, self.builder = state, frames, Builder(self.sizes, origin)
            facts = len(self.sizes.facts)
            try:
                if fill() or len(self.sizes.facts) > facts:
                    why = f"`{rule.name}` is called by its own rule in a way that cannot be followed"
                    raise self.refuse("S129", why, "call another function there", node)
            finally:
                self.state, self.frames, self.builder = outer

        return filled

    def unruled(self, call: Call, around: tuple[Value, ...]) -> Ruled:
        """Return a function with a rule that is still empty."""
        fn = call.primal.fn
        count = len(call.primal.operands)
        held = [*fn.params[:count], *(Value(v.name, self.parameter_type(v.type)) for v in around)]
        params = [k if k < len(fn.params) else None for k in range(len(held))]
        flat = arranged(fn, params, held, [Out(k) for k in range(len(fn.result_types))])
        targets = tuple(k for k in call.of(call.diff) if is_differentiable(held[k].type))
        rule = Rule(fn.name, targets, fn.origin, around=tuple(range(count, len(held))))
        extra = [Parameter(f"around{k}", Leaf(k), "keyword") for k in range(len(fn.params), len(held))]
        whole = replace(fn, signature=(*fn.signature, *extra))
        return Ruled(flat, whole, rule, around, any(map(any, shared_results(fn.block, fn.params))))

    def fill(self, ruled: Ruled, call: Call, given: Given, node: Any) -> list[Value]:
        """Fill in a rule; return the values it reads that are not operands of the call."""
        around = _Around(len(call.primal.operands), ruled.around)
        if given.jvp is not None:
            ruled.rule.tangent = self.tangent(ruled, call, given.jvp, around, node)
        if given.fwd is not None and given.bwd is not None:
            ruled.rule.link = self.link(ruled, call, given.fwd, given.bwd, around, node)
        return around.missing

    def tangent(self, ruled: Ruled, call: Call, jvp: Any, around: _Around, node: Any) -> Tangent:
        """Return the user's rule for forward mode."""
        dots: list[Abstract] = [self.twin(call.args[k], []) for k in call.diff]
        primals = tuple_of([call.args[k] for k in call.diff])
        read = self.reading(jvp, (*(call.args[k] for k in call.nondiff), primals, tuple_of(dots)), node)
        fn, wanted = read.fn, ruled.whole
        y, y_dot = two_parts(fn, "a rule for forward mode", "(y, y_dot)")
        values = same_values(fn, "a rule for forward mode", y, wanted, self.sizes)
        types = wanted.result_types
        found = pairs(wanted.result, y_dot)
        if found is None:
            raise misfit(fn, f"the tangent is not in the structure of what {wanted.name} returns")
        results = [Out(j, types[k]) for k, j in enumerate(values)]
        places: dict[int, int] = {}
        for k, j in found:
            if j is not None and is_differentiable(types[k]):
                _check_rank(fn, fn.result_types[j], types[k], "a tangent")
                places[k] = len(results)
                fits = self.one_shape(fn.result_types[j], types[k])
                results.append(Out(j, types[k], None if fits else values[k]))
        count = len(ruled.fn.params)
        order = [*call.of(call.nondiff), *call.of(call.diff)]
        order += range(count, count + len(ruled.rule.targets))
        order += [around.place(v) for v in read.lifted]
        where = {place: j for j, place in enumerate(order)}
        held = list(ruled.fn.params)
        held += (Value(f"{held[k].name}_dot", held[k].type) for k in ruled.rule.targets)
        made = arranged(fn, [where.get(k) for k in range(len(held))], held, results)
        return Tangent(made, places)

    def link(self, ruled: Ruled, call: Call, fwd: Any, bwd: Any, around: _Around, node: Any) -> Link:
        """Return the user's rule for reverse mode."""
        wanted = ruled.whole
        read = self.reading(fwd, call.args, node)
        y, kept = two_parts(read.fn, "the forward half of a rule", "(y, residuals)")
        values = same_values(read.fn, "the forward half of a rule", y, wanted, self.sizes)
        order = [*call.of(range(len(call.args))), *(around.place(v) for v in read.lifted)]
        where = {place: j for j, place in enumerate(order)}
        results = [Out(j, t) for j, t in zip(values, wanted.result_types, strict=True)]
        sources: dict[int, Read] = {}  # of residuals
        for j in leaves(kept):
            p = _passed_on(read.fn, j)
            if p is not None:
                sources[j] = ("argument", order[p])
            else:
                sources[j] = ("result", len(results))
                results.append(Out(j))
        held = ruled.fn.params
        forward = arranged(read.fn, [where.get(k) for k in range(len(held))], held, results)
        residuals = {j: self.wrap(Value(f"kept{j}", read.fn.result_types[j])) for j in leaves(kept)}
        seeds: list[int] = []
        y_bar = self.twin_of_result(wanted, seeds)
        given = tuple(call.args[k] for k in call.nondiff)
        back = self.reading(bwd, (*given, self.from_tree(kept, residuals), y_bar), node)
        reads: list[Read] = [("argument", k) for k in call.of(call.nondiff)]
        reads += [sources[j] for j in leaves(kept)]
        reads += [("seed", k) for k in seeds]
        reads += [("argument", around.place(v)) for v in back.lifted]
        targets = self.cotangents(ruled, call, back.fn)
        params: list[int | None] = list(range(len(reads)))
        named, chosen = list(back.fn.params), list[Out]()
        for place, j in targets.items():
            t, like = ruled.fn.params[place].type, None
            if not self.one_shape(back.fn.result_types[j], t):  # the shape is that of the argument
                like = len(reads)
                reads.append(("argument", place))
                params.append(None)
                named.append(Value("like", t))
            chosen.append(Out(j, t, like_param=like))
        reverse = arranged(back.fn, params, named, chosen)
        return Link(forward, reverse, tuple(reads), len(values), tuple(targets))

    def one_shape(self, a: Type, b: Type) -> bool:
        """True if two types are known to have one shape."""
        return tuple(map(self.sizes.canonical, a.shape)) == tuple(map(self.sizes.canonical, b.shape))

    def cotangents(self, ruled: Ruled, call: Call, fn: Function) -> dict[int, int]:
        """Return for the leaves of arguments that have a cotangent which result of the reverse half it is."""
        name, count = ruled.whole.name, len(call.diff)
        tree = fn.result
        if not (isinstance(tree, Node) and tree.kind == "tuple" and len(tree.items) == count):
            why = f"the reverse half of a rule returns a tuple, with one cotangent per argument of {name}"
            instead = "return (x_bar,) for one argument, None where there is no cotangent"
            raise misfit(fn, f"{why} ({count})", instead)
        found: dict[int, int] = {}
        for k, item in zip(call.diff, tree.items, strict=True):
            both = pairs(self.structure(call.args[k], call.places[k].start), item)
            if both is None:
                raise misfit(fn, f"the cotangent of argument {k} of {name} does not have its structure")
            for place, j in both:
                if j is not None and place in ruled.rule.targets:
                    t = ruled.fn.params[place].type
                    _check_rank(fn, fn.result_types[j], t, f"the cotangent of argument {k} of {name}")
                    found[place] = j
        return found

    def structure(self, value: Abstract, first: int) -> Tree:
        """Return the structure of an argument over the places of its leaves, which begin with `first`."""
        operands: list[Operand] = []
        tree = tree_of(self.argument_tree(value, operands, [], True, None))
        return renumber(tree, {k: first + k for k in range(len(operands))})

    def twin(self, value: Abstract, found: list[Value]) -> Abstract:
        """Return a value of the same structure with a tangent for each float; append the tangents."""
        box = self.contents(value)
        match box:
            case Num() | Ref():
                t = self.parameter_type(self.operand(box).type)
                if not is_differentiable(t):
                    return Static(None)
                found.append(Value("", t))
                return self.wrap(found[-1])
            case Struct():
                items = tuple(self.twin(i, found) for i in box.items)
                return self.like(box, items)
        return Static(None)

    def twin_of_result(self, fn: Function, seeds: list[int]) -> Abstract:
        """Return what a cotangent of a function's result is; append the results that have one."""
        found: list[Abstract] = []
        for t in fn.result_types:
            found.append(self.wrap(Value("y_bar", t)) if is_differentiable(t) else Static(None))
        seeds += [k for k in leaves(fn.result) if is_differentiable(fn.result_types[k])]
        return self.from_tree(fn.result, found)


class _Around:
    """Places of the values that a rule reads around it, after those of the arguments."""

    def __init__(self, first: int, known: tuple[Value, ...]):
        self.first, self.known = first, known
        self.missing: list[Value] = []

    def place(self, v: Value) -> int:
        """Return the place of a value among the operands of a call."""
        if v in self.known:
            return self.first + self.known.index(v)
        if v not in self.missing:
            self.missing.append(v)
        return self.first + len(self.known) + self.missing.index(v)


def ruled_instr(ruled: Ruled, operands: tuple[Operand, ...], sizes: Sizes, origin: Origin | None) -> Instr:
    """Return the call of a function with a rule."""
    copier = Copier(sizes)
    results = tuple(Value("", copier.type(t)) for t in ruled.fn.result_types)
    params = (("callee", ruled.fn), ("rule", ruled.rule))
    return Instr(OPS["call"], operands, results, params, (), origin)


def ruled_function(ruled: Ruled, like: Function, sizes: Sizes, origin: Origin | None) -> Function:
    """Return a function like `like` that does nothing but call a function with a rule."""
    params = tuple(Value(p.name, p.type) for p in ruled.fn.params)
    instr = ruled_instr(ruled, params, sizes, origin)
    return replace(
        like, params=params, block=Block((), (instr,), End("return", instr.results, origin=origin))
    )


def _passed_on(fn: Function, j: int) -> int | None:
    """Return which parameter result j is, if it is one on all paths."""
    found = {end.args[j] for end in returns(fn.block)}
    only = found.pop() if len(found) == 1 else None
    return fn.params.index(only) if isinstance(only, Value) and only in fn.params else None


def _is_array(part: Any) -> bool:
    """True if a part of a key of argument types is that of an array: its dtype and its shape."""
    return isinstance(part, tuple) and len(part) == 2 and isinstance(part[1], tuple)


def _check_rank(fn: Function, t: Type, wanted: Type, what: str) -> None:
    if t.ndim != wanted.ndim:
        raise misfit(
            fn, f"{what} has rank {t.ndim}, not {wanted.ndim}", "return one of the shape of its primal"
        )
