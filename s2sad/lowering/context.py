"""The state of one lowering: what stands for each source value, and the primitives that all op
lowerings are written with (read an element, allocate and fill, broadcast, make a real array)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from s2sad.ir.core import Function, Instr, Literal, Operand, Value
from s2sad.ir.path import At
from s2sad.ir.path import Index as IndexStep
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Dtype, Scalar
from s2sad.lowering.code import ONE, ZERO, Code, is_run_time
from s2sad.lowering.overlap import Roots, Storage
from s2sad.lowering.views import Index, Lazy, Rep, Strided, whole
from s2sad.record import replace

LowerFunction = Callable[[Function], Function]


class Lowerer:
    """One function being lowered."""

    def __init__(self, code: Code, storage: Storage, lower_callee: LowerFunction):
        self.code = code
        self.storage = storage
        self.lower_callee = lower_callee
        self.reps: dict[Value, Rep] = {}
        self.scalars: dict[Value, Operand] = {}
        self.roots: dict[Value, Roots] = {}  # of lowered buffers
        self.dense: set[Value] = set()  # lowered buffers that are in C order
        self.lineage: dict[Value, object] = {}  # lowered buffers that are versions of one
        self.current: dict[Value, Value] = {}  # in a nest that writes: buffer -> its version there
        self.divisions: set[Value] = set()  # quotients of which the divisors are compared with zero
        self.positive: dict[Operand, Operand] = {}  # source conditions `n > 0`, and the lowered n
        self.maker: dict[Value, Instr] = {}  # of source values
        self.turned: dict[Value, tuple[Value, bool]] = {}  # sparse: the parameter, if transposed
        self.fusible: set[Value] = set()  # source values computed where they are read

    # -- source values -----------------------------------------------------------------------------
    def define(self, value: Value, rep: Rep) -> None:
        """Let `rep` stand for a source array; it becomes a real array unless it may stay lazy."""
        if isinstance(rep, Lazy) and value not in self.fusible:
            rep = self.fill(rep, value.name)
        if isinstance(rep, Strided) and rep.whole:
            self.roots[rep.base] = self.storage.roots(value)
        self.reps[value] = rep

    def define_scalar(self, value: Value, a: Operand) -> None:
        """Let `a` stand for a source scalar."""
        self.scalars[value] = a
        size = value.type.size if isinstance(value.type, Scalar) else None
        if isinstance(a, Value) and size is not None and not is_run_time(size):
            self.code.bounds.setdefault(a, (size, size))

    def define_element(self, value: Value, rep: Rep) -> None:
        """Define an op's result: an array, or the element of rank 0 where the op gives a scalar."""
        if isinstance(value.type, Scalar):
            self.define_scalar(value, self.read(rep, ()))
        else:
            self.define(value, rep)

    def rep(self, a: Operand) -> Rep:
        """Return what stands for an operand; a scalar is an array of rank 0."""
        if isinstance(a, Value) and isinstance(a.type, Array):
            return self.reps[a]
        found = self.scalar(a)
        return Lazy(Array(a.type.dtype, ()), (), lambda index: found)

    def scalar(self, a: Operand) -> Operand:
        """Return the lowered scalar for a source scalar, or for the only element of an array."""
        if isinstance(a, Literal):
            return a
        if isinstance(a.type, Array):
            rep = self.reps[a]
            return self.read(rep, (ZERO,) * rep.type.ndim)
        return self.scalars[a]

    def array(self, a: Operand, hint: str = "") -> Value:
        """Return a lowered array value for a source array."""
        assert isinstance(a, Value)
        return self.materialize(self.reps[a], hint or a.name)

    def operand(self, a: Operand) -> Operand:
        """Return the lowered operand for a source scalar or array."""
        return self.array(a) if isinstance(a.type, Array) else self.scalar(a)

    def bind(self, value: Value, a: Operand, dims: Index = ()) -> None:
        """Let a lowered operand stand for a source value."""
        if isinstance(a.type, Array):
            assert isinstance(a, Value)
            self.define(value, replace(whole(a), dims=dims))
        else:
            self.define_scalar(value, a)

    # -- sizes ---------------------------------------------------------------------------------------
    def dim(self, rep: Rep, axis: int) -> Operand:
        """Return the operand that holds one dimension."""
        size = rep.type.shape[axis]
        if rep.dims and not size.is_const:
            return rep.dims[axis]
        found = self.code.known(size)
        if found is not None:
            return found
        assert isinstance(rep, Strided)
        base, code = rep.base, self.code
        buffer = self.lineage.setdefault(base, object())
        return code.once(
            ("size", buffer, axis), lambda: code.remember(size, code.op("size", base, axis=axis))
        )

    def dims(self, rep: Rep) -> Index:
        """Return all dimensions."""
        return tuple(self.dim(rep, k) for k in range(rep.type.ndim))

    def number(self, size: Size, a: Operand) -> Operand:
        """Return the operand that holds `size`: one already in scope, or else `a`."""
        found = self.code.known(size)
        return self.code.remember(size, a) if found is None else found

    def agree(self, a: Rep, i: int, b: Rep, j: int) -> bool:
        """True if two dimensions are known to be equal."""
        size = a.type.shape[i]
        if self.code.same(size, b.type.shape[j]):
            return True
        return self.dim(a, i) == self.dim(b, j)

    def same_shape(self, a: Rep, b: Rep) -> bool:
        """True if two arrays are known to have the same shape."""
        return a.type.ndim == b.type.ndim and all(self.agree(a, k, b, k) for k in range(a.type.ndim))

    # -- elements ------------------------------------------------------------------------------------
    def read(self, rep: Rep, index: Index) -> Operand:
        """Return the element at `index`, which is in bounds and not negative."""
        if isinstance(rep, Lazy):
            return rep.element(index)
        return self.read_base(rep.base, self.place(rep, index))

    def place(self, rep: Strided, index: Index) -> Index:
        """Return the index in the base of the view's element at `index`."""
        place = list(rep.offsets)
        for i, terms in zip(index, rep.axes, strict=True):
            for axis, stride in terms:
                place[axis] = self._step(place[axis], i, stride)
        return tuple(place)

    def _step(self, offset: Operand, i: Operand, stride: Operand) -> Operand:
        if stride == Literal(-1):
            return self.code.sub(offset, i)
        return self.code.add(offset, self.code.mul(i, stride))

    def read_base(self, base: Value, place: Index) -> Value:
        """Return one element of a buffer."""
        base = self.current.get(base, base)
        if not place:
            return self.code.op("item0", base)
        return self.code.op("getitem", base, *place, path=(IndexStep((At(),) * len(place)),))

    def write_base(self, base: Value, place: Index, v: Operand, op: str = "setitem") -> Value:
        """Append a write (or, with `accum`, an addition) to one element; return the new version."""
        params = {"at": False} if op == "accum" else {}
        new = self.code.op(
            op, base, v, *place, path=(IndexStep((At(),) * len(place)),), hint=base.name, **params
        )
        return self.version(base, new)

    def version(self, old: Value, new: Value) -> Value:
        """Note that `new` is a version of buffer `old`, and return it."""
        self.lineage[new] = self.lineage.setdefault(old, object())
        self.roots[new] = self.roots.get(old, frozenset())
        if old in self.dense:
            self.dense.add(new)
        return new

    # -- memory --------------------------------------------------------------------------------------
    def allocate(
        self, dtype: Dtype, dims: Sequence[Operand], t: Array, hint: str, op: str = "empty"
    ) -> Value:
        """Append an allocation of the given type."""
        base = self.retype(self.code.op(op, *dims, dtype=dtype, hint=hint), Array(dtype, t.shape))
        self.dense.add(base)
        return base

    def retype(self, base: Value, t: Array) -> Value:
        """Return the value just defined, with the sizes that the source knows it by."""
        # The sizes of the source are the ones later checks compare; inference knows operands only.
        instrs = self.code.scopes[-1].builder.instrs
        last = instrs.pop()
        new = Value(base.name, t)
        self.code.add_instr(Instr(last.op, last.args, (new,), last.params, (), last.origin, last.role))
        self.roots[new] = frozenset({new})
        return new

    def fill(self, rep: Rep, hint: str = "") -> Strided:
        """Return a fresh buffer that holds the elements of `rep`."""
        dims = self.dims(rep)
        base = self.allocate(rep.type.dtype, dims, rep.type, hint)
        return whole(self.store(base, dims, lambda index: self.read(rep, index)))

    def store(
        self,
        base: Value,
        dims: Index,
        element: Callable[[Index], Operand],
        place: Callable[[Index], Index] = lambda index: index,
        op: str = "setitem",
    ) -> Value:
        """Append a nest over `dims` that writes element(index) to a buffer at place(index)."""

        def body(index: Index, state: list[Operand]) -> Sequence[Operand]:
            (buffer,) = state
            assert isinstance(buffer, Value)
            return (self.write_base(buffer, place(index), element(index), op),)

        (after,) = self.code.nest(dims, (base,), body)
        assert isinstance(after, Value)
        return self.version(base, after)

    def copy_into(
        self,
        base: Value,
        rep: Rep,
        place: Callable[[Index], Index] = lambda index: index,
        op: str = "setitem",
    ) -> Value:
        """Append a nest that writes (or adds) the elements of `rep` to a buffer at place(index)."""
        return self.store(base, self.dims(rep), lambda index: self.read(rep, index), place, op)

    def materialize(self, rep: Rep, hint: str = "") -> Value:
        """Return a lowered array value with the elements of `rep`; a view where NumPy has one."""
        if isinstance(rep, Strided) and rep.whole:
            return rep.base
        if isinstance(rep, Lazy) or rep.view is None:
            return self.fill(rep, hint).base
        parent, path, operands = rep.view
        base = self.materialize(parent)
        result = self.code.op("getitem", base, *operands, path=path, hint=hint)
        result = self.retype(result, rep.type)
        self.roots[result] = self.roots.get(base, frozenset())
        return result

    def buffer(self, rep: Rep, hint: str = "") -> Strided:
        """Return `rep` if it can be read any number of times at no cost, else its elements in memory."""
        return rep if isinstance(rep, Strided) else self.fill(rep, hint)

    @contextmanager
    def writing(self, base: Value, state: Value) -> Iterator[None]:
        """Within: reads of the buffer's earlier versions go to the version the nest carries."""
        token = self.lineage.setdefault(base, object())
        saved = dict(self.current)
        for value, other in self.lineage.items():
            if other is token:
                self.current[value] = state
        yield
        self.current = saved

    # -- broadcasting ----------------------------------------------------------------------------------
    def meet(
        self, reps: Sequence[Rep], shape: tuple[Size, ...], exception: type[Exception] = ValueError
    ) -> Index:
        """Return the dimensions of the broadcast of all, checking at run time what is not provable."""
        return tuple(
            self._meet_axis([r for r in reps if r.type.ndim >= len(shape) - k], k - len(shape), n, exception)
            for k, n in enumerate(shape)
        )

    def _meet_axis(self, reps: Sequence[Rep], axis: int, result: Size, exception: type[Exception]) -> Operand:
        distinct: list[Rep] = []
        for r in reps:
            if not any(self.agree(r, axis + r.type.ndim, d, axis + d.type.ndim) for d in distinct):
                distinct.append(r)
        found = [r for r in distinct if not r.type.shape[axis].is_one] or distinct
        found.sort(key=lambda r: not r.type.shape[axis].is_const)  # the others equal it or are 1
        total = self.dim(found[0], axis + found[0].type.ndim)
        for r in found[1:]:
            other = self.dim(r, axis + r.type.ndim)
            total = self._meet_two(total, found[0].type.shape[axis].is_const, other, exception)
        return self.number(result, total)

    def _meet_two(self, a: Operand, a_decides: bool, b: Operand, exception: type[Exception]) -> Operand:
        code = self.code

        def check() -> Operand:
            bad = code.differ(a, b, b) if a_decides else code.differ(a, b, b, a)
            code.fail_if(bad, exception, "operands could not be broadcast together")
            return a if a_decides else code.op("select", code.op("equal", a, ONE), b, a)

        return a if a == b else code.once(("meet", a, b), check)

    def fit(self, rep: Rep, dims: Index, shape: tuple[Size, ...]) -> Rep:
        """Return `rep` broadcast to dimensions that `meet` or a check found fitting."""
        lead = len(shape) - rep.type.ndim
        if not lead and all(self._equals(rep, k, n, dims[k]) for k, n in enumerate(shape)):
            return rep
        scales = [self.scale(rep, k, shape[lead + k], dims[lead + k]) for k in range(rep.type.ndim)]
        t = Array(rep.type.dtype, shape)
        if isinstance(rep, Strided):
            return self._fit_view(rep, t, dims, lead, scales)

        def index_of(index: Index) -> Index:
            return tuple(self.code.mul(i, s) for i, s in zip(index[lead:], scales, strict=True))

        reads = tuple(self._fit_view(r, t, dims, lead, scales) for r in rep.reads)
        return Lazy(t, dims, lambda index: rep.element(index_of(index)), reads, rep.elsewhere)

    def _equals(self, rep: Rep, axis: int, size: Size, n: Operand) -> bool:
        own = rep.type.shape[axis]
        return self.code.same(own, size) or self.dim(rep, axis) == n

    def _fit_view(self, rep: Strided, t: Array, dims: Index, lead: int, scales: Sequence[Operand]) -> Strided:
        axes = [
            tuple((b, self.code.mul(stride, s)) for b, stride in terms) if s != ZERO else ()
            for terms, s in zip(rep.axes, scales, strict=True)
        ]
        return Strided(rep.base, t, dims, rep.offsets, ((),) * lead + tuple(axes))

    def scale(self, rep: Rep, axis: int, size: Size, n: Operand) -> Operand:
        """Return 1, or 0 where a dimension of 1 is stretched to `size`, the number n: the factor of
        its index."""
        own = rep.type.shape[axis]
        if self._equals(rep, axis, size, n):
            return ONE
        if own.is_one:
            return ZERO
        if own.is_const:
            return ONE
        return self.one_or_zero(self.dim(rep, axis))

    def one_or_zero(self, n: Operand) -> Operand:
        """Return the factor of an index into a dimension that may be 1: then 0, else 1."""
        code = self.code
        return code.once(("scale", n), lambda: code.op("select", code.op("equal", n, ONE), ZERO, ONE))
