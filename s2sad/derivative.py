"""The callables that the API returns: derivative objects, their pullbacks and their text."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from s2sad.driver.arguments import active_leaves, argument_trees, float_argnums
from s2sad.driver.compiled import Compiled
from s2sad.driver.conforming import check_results
from s2sad.driver.draws import Replay
from s2sad.driver.program import Program, Variant
from s2sad.driver.seeds import spread, zero
from s2sad.errors import S2sadError
from s2sad.ir.core import Function
from s2sad.ir.structure import pick, rebuild
from s2sad.ir.transformed import Transformed
from s2sad.ir.tree import Node
from s2sad.late import late
from s2sad.record import replace

if TYPE_CHECKING:
    import html as markup

    from s2sad import explain as explaining
else:
    explaining, markup = late("s2sad.explain"), late("html")


class Derivative:
    """A transformed function: called like the function itself, compiled at the first call for each
    structure, dtype and rank of its arguments."""

    def __init__(self, record: Transformed):
        assert record.function is not None
        self.__s2sad__ = record
        self._primal = record.function
        for name in functools.WRAPPER_ASSIGNMENTS:
            if hasattr(self._primal, name):
                setattr(self, name, getattr(self._primal, name))
        self.program = Program(program_record(record))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the derivative at these arguments."""
        last = self.program.last
        values = last.quick(args) if last is not None and not kwargs else None
        if last is not None and values is not None:
            return last.main.call(values)
        variant, values = self.program.find(args, kwargs)
        return variant.run(values)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<s2sad {self.__s2sad__.kind} of {getattr(self._primal, '__qualname__', self._primal)}>"

    def __reduce__(self) -> Any:
        # a decorated function is found by its name, where that name leads back to this object
        name, module = getattr(self, "__qualname__", ""), getattr(self, "__module__", "")
        if _resolve(module, name) is self:
            return name
        return type(self), (self.__s2sad__,)

    @property
    def __wrapped__(self) -> Any:
        """What `inspect` shows of this object: the emitted function of the last variant, and before
        the first call the primal."""
        return self._primal if self.program.last is None else self.program.last.main.function

    @property
    def __signature__(self) -> inspect.Signature:
        """The signature of the function it was made from."""
        return inspect.signature(self._primal)

    @property
    def variant(self) -> Variant:
        """The variant of the last call."""
        if self.program.last is None:
            why = f"{self!r} has not been compiled yet"
            raise S2sadError("S340", why, "call it once, or use .source_for(*args)")
        return self.program.last

    @property
    def source(self) -> str:
        """The emitted text of the last variant."""
        return self.variant.main.source

    @property
    def lowered_source(self) -> str:
        """The text of the last variant as loop nests: what is compiled under `jit=True`."""
        return self.variant.main.lowered_source

    @property
    def ir(self) -> Function:
        """The IR of the last variant, before its writes were put in place."""
        return self.variant.ir

    @property
    def stages(self) -> tuple[tuple[str, Function], ...]:
        """The IR after each pass that changed it, as (pass name, Function)."""
        return self.variant.passed()

    def source_for(self, *args: Any, **kwargs: Any) -> str:
        """Return the emitted text for these arguments, without running it."""
        return self.program.find(args, kwargs, called=False)[0].main.source

    def explain(self) -> str:
        """Return the function's source with notes: active lines, taped and recomputed values."""
        return explaining.explain(self.variant)

    def _repr_html_(self) -> str:
        text = repr(self) if self.program.last is None else self.source
        return f"<pre><code>{markup.escape(text)}</code></pre>"


class Unchanged(Derivative):
    """A function that only carries a mark (checkpoint): a plain call runs it as it is."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function itself returns."""
        return self._primal(*args, **kwargs)


class Vmapped(Derivative):
    """A vmapped function: its program is read as if it were the user's."""

    def __init__(self, record: Transformed):
        super().__init__(record)
        self.program = Program(Transformed("primal", self, jit=record.jit))


class Pullback:
    """The linear map from cotangents of the result to cotangents of the arguments, at one point.
    It keeps what it needs and may be called any number of times, from any thread."""

    def __init__(self, variant: Variant, y: Any, tape: tuple[Any, ...], has_aux: bool):
        self.variant, self.tape = variant, tape
        tree = variant.outline.result
        found = pick(tree, y)
        self.result = tree.items[0] if has_aux and isinstance(tree, Node) else tree
        # what a cotangent must fit is kept as zeros: the caller may change y itself
        self.zeros = {k: zero(leaf) for k, leaf in found.items() if np.result_type(leaf).kind in "fc"}

    def __call__(self, y_bar: Any) -> Any:
        """Return the cotangents of all primals: None for ints, bools and static values."""
        given = spread(self.result, self.zeros, y_bar, "y_bar")
        return self.pull([given.get(k, z) for k, z in sorted(self.zeros.items())])

    def pull(self, seeds: list[Any], reverse: Compiled | None = None) -> Any:
        """Return the cotangents for seeds of the float leaves of the result, in order; `reverse`: by another
        function like the reverse sweep."""
        reverse = reverse or self.variant.halves[1]
        padded = [None] * (len(reverse.outline.params) - len(seeds)) + seeds
        seeded = (rebuild(p.tree, padded) for p in reverse.outline.signature[1:])
        values = [self.tape, *seeded]
        cotangents = reverse.call(values)
        if self.variant.debug:
            check_results(reverse.ir, values, cotangents)
        return cotangents

    def __repr__(self) -> str:
        return f"<s2sad pullback of {self.variant.outline.name}>"


class Linearized:
    """The linear map from tangents of the arguments to tangents of the result, at one point."""

    def __init__(self, variant: Variant, values: Sequence[Any]):
        self.variant = variant
        fn = variant.primal
        variant.binding.check_overlap(values)  # before the copies, which share nothing
        held = [
            leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in variant.binding.leaves(values)
        ]
        self.held = held  # copies: the caller may change the arguments
        self.values = [rebuild(p.tree, held) for p in fn.signature]
        self.active = active_leaves(fn, float_argnums(fn))
        self.replay = Replay(fn, held)

    def __call__(self, *tangents: Any) -> Any:
        """Return the tangent of the result; a tangent None means not varied."""
        trees = [tree for _, tree in argument_trees(self.variant.outline)]
        if len(tangents) != len(trees):
            raise TypeError(f"{len(tangents)} tangents for {len(trees)} primals")
        given: dict[int, Any] = {}
        for k, (tree, tangent) in enumerate(zip(trees, tangents, strict=True)):
            given.update(spread(tree, self.held, tangent, f"tangents[{k}]"))
        return self.replay.again(lambda: self._run(given))[1]

    def value(self) -> Any:
        """Return the primal result."""
        return self._run({})[0]

    def _run(self, given: dict[int, Any]) -> Any:
        seeds = [given.get(k, zero(self.held[k])) for k, flag in enumerate(self.active) if flag]
        return self.variant.run(self.values, seeds)


def program_record(record: Transformed) -> Transformed:
    """Return what the driver is asked for: `primal`, `grad`, `value_and_grad`, `jvp` or `pullback`."""
    kinds = {
        "jit": "primal",
        "checkpoint": "primal",
        "jacfwd": "jvp",
        "sparse_jacobian": "jvp",
        "jacrev": "pullback",
        "jacobian": "pullback",
        "vmap": "primal",
    }
    fun = record.function
    if record.kind in ("hessian", "sparse_hessian"):
        fun = Derivative(Transformed("slope", fun, record.argnums, record.has_aux))
        return replace(record, kind="jvp", function=fun)
    return replace(record, kind=kinds.get(record.kind, record.kind), jit=record.jit or record.kind == "jit")


def _resolve(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
