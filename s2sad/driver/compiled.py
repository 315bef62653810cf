"""From a finished Function to something callable, with its text."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from s2sad.driver.assemble import assembler, gatherer
from s2sad.driver.binding import Values
from s2sad.driver.native import Ready, load_kernel, load_ready
from s2sad.driver.trace import Trace
from s2sad.emit.load import load
from s2sad.ir.core import Function
from s2sad.ir.structure import pick
from s2sad.ir.transformed import PARALLEL, Jit
from s2sad.ir.tree import Leaf, Node, Tree, leaves
from s2sad.ir.types import Scalar, Sparse, Type
from s2sad.late import late
from s2sad.record import replace

if TYPE_CHECKING:
    from s2sad.driver import pipeline
    from s2sad.emit import names, source
    from s2sad.lowering import lower as lowering
    from s2sad.lowering import optimize
else:
    pipeline = late("s2sad.driver.pipeline")
    names = late("s2sad.emit.names")
    source = late("s2sad.emit.source")
    lowering = late("s2sad.lowering.lower")
    optimize = late("s2sad.lowering.optimize")

_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "variadic",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "variadic_keyword",
}


class Compiled:
    """One emitted function: `ir`, `source` and the callable. `call(values)` takes one Python value
    per parameter and returns the Python result. Result leaves in `exact` that are NumPy scalars by type
    are returned as such, even where the text leaves a Python number.

    With the machine code of an earlier process, `fn` is an outline, and `whole()` the function itself."""

    def __init__(
        self,
        fn: Function,
        trace: Trace,
        jit: Jit = False,
        exact: frozenset[int] = frozenset(),
        ready: Ready | None = None,
        whole: Callable[[], Function] | None = None,
    ):
        self.outline, self.whole = fn, whole
        self.trace = trace
        self.ready = ready
        self.jit = jit
        self.flat = all(isinstance(p.tree, Leaf) for p in fn.signature)
        self.returned = without_records(fn.result)
        types = fn.result_types
        strong = [k for k in leaves(fn.result) if is_strong(types[k])]
        self.kinds = {k: types[k].dtype.type for k in strong if jit or k in exact}
        self.assemble = assembler(fn.result, self.kinds)
        self.call: Callable[[Values], Any] = self._native() if jit else self._plain()

    @functools.cached_property
    def ir(self) -> Function:
        """The function before its writes were put in place."""
        return self.outline if self.whole is None else self.whole()

    @functools.cached_property
    def prepared(self) -> Function:
        """The function before its writes are put in place, in the order in which it is emitted."""
        return pipeline.run(pipeline.PREPARE, self.ir, self.trace)

    @functools.cached_property
    def finished(self) -> Function:
        """The function as it is emitted."""
        return self._in_place(self.prepared)

    def _in_place(self, fn: Function) -> Function:
        """Return a prepared function with its writes in place."""
        return pipeline.run(pipeline.PLACE, fn, self.trace)

    @functools.cached_property
    def source(self) -> str:
        """The text that is shown."""
        text: str = source.module(self.finished)
        self.trace.text(self.ir.name, text)
        return text

    @functools.cached_property
    def function(self) -> Callable[..., Any]:
        """The emitted function, as a function of Python."""
        # What runs differs from what is shown in two ways: captured values are parameters, not lines, for
        # they are read at each call; and objects are returned as tuples, for a gradient in the structure
        # of an object need not be one that its class would make.
        captured = any(p.kind == "captured" for p in self.ir.signature)
        if captured or self.returned is not self.outline.result:
            text = source.module(replace(self.finished, result=self.returned), captured_as_lines=False)
        else:
            text = self.source
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        function: Callable[..., Any] = load(text, f"<s2sad {self.ir.name} {digest}>")[self.ir.name]
        return function

    @functools.cached_property
    def loops(self) -> Function:
        """The loop-nest form of the function."""
        steps = (*optimize.NESTS, *optimize.THREADED) if self.jit == PARALLEL else optimize.NESTS
        fn = pipeline.run(optimize.STACKS, self.prepared, self.trace)
        fn = self.finished if fn is self.prepared else self._in_place(fn)
        return pipeline.run(steps, self.trace.step("lower", lowering.lower(fn)), self.trace)

    @functools.cached_property
    def lowered_source(self) -> str:
        """The text of the loop-nest form that is shown."""
        return source.module(self.loops)

    def _native(self) -> Callable[[Values], Any]:
        """Return `call` by way of a compiled kernel over flat leaves."""
        kernel = load_ready(self.ready, lambda: self.loops) if self.ready is not None else None
        if kernel is None:
            kernel = load_kernel(self.loops, self._note)
        flat, assemble = self.flat, self.assemble
        gather = gatherer([p.tree for p in self.outline.signature])
        given = [i for p in self.outline.signature for i in leaves(p.tree)]
        if given != sorted(given):  # captured values may stand between leaves and their tangents
            in_order, flat = gather, False
            ranks = sorted(range(len(given)), key=given.__getitem__)

            def gather(values: Values) -> Any:
                found = in_order(values)
                return [found[k] for k in ranks]

        sparse = [k for k, p in enumerate(self.outline.params) if isinstance(p.type, Sparse)]

        def call(values: Values) -> Any:
            found = values if flat else gather(values)
            if sparse:
                found = list(found)
                for k in sparse:
                    found[k] = rows_of(found[k])
            return assemble(kernel(*found))

        return call

    def _note(self, ready: Ready) -> None:
        self.ready = ready

    def _plain(self) -> Callable[[Values], Any]:
        """Return `call` by way of the emitted Python function."""
        function, places = self.function, self._places()
        if places is None:
            run: Callable[[Values], Any] = lambda values: function(*values)  # noqa: E731
        else:

            def run(values: Values) -> Any:
                args, kwargs = placed(places, values)
                return function(*args, **kwargs)

        if not self.kinds and self.returned is self.outline.result:
            return run
        returned, assemble = self.returned, self.assemble

        def call(values: Values) -> Any:
            found = pick(returned, run(values))
            return assemble(found)  # type: ignore[arg-type]  # by leaf index

        return call

    def _places(self) -> tuple[tuple[str, str], ...] | None:
        """Return how each parameter is passed to the emitted function; None if all are positional."""
        takes = inspect.signature(self.function).parameters
        found: list[tuple[str, str]] = []
        for p in self.outline.signature:
            name = names.identifier(p.name, names.RESERVED)
            kind = takes[name].kind if name in takes else None
            found.append((_KINDS[kind] if kind is not None else "absent", name))
        return None if all(kind == "positional" for kind, _ in found) else tuple(found)


def rows_of(matrix: Any) -> tuple[Any, Any, Any, int]:
    """Return a sparse matrix as compiled code takes it: data, indices, row ends, the number of columns."""
    by_rows = matrix.tocsr()
    return by_rows.data, by_rows.indices, by_rows.indptr, by_rows.shape[1]


def is_strong(t: Type) -> bool:
    """True for the types of NumPy scalars: compiled code returns Python numbers for them."""
    return isinstance(t, Scalar) and not t.weak


def placed(places: tuple[tuple[str, str], ...], values: Values) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and keyword arguments of a call, given how each value is passed."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for (kind, name), value in zip(places, values, strict=True):
        match kind:
            case "positional":
                args.append(value)
            case "variadic":
                args.extend(value)
            case "variadic_keyword":
                kwargs.update(value)
            case "keyword":
                kwargs[name] = value
    return args, kwargs


def without_records(tree: Tree) -> Tree:
    """Return the tree with objects replaced by tuples; the same tree if there are none."""
    if not isinstance(tree, Node):
        return tree
    items = tuple(map(without_records, tree.items))
    if tree.kind == "record":
        return Node("tuple", tuple(range(len(items))), items)
    same = all(new is old for new, old in zip(items, tree.items, strict=True))
    return tree if same else Node(tree.kind, tree.keys, items, tree.cls)
