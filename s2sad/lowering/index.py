"""getitem, setitem, accum: views compose index maps, writes are nests over the part written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.ir import path as paths
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.path import At, Fancy, New, Path, Permute, Span
from s2sad.ir.size import Size, slice_length
from s2sad.ir.types import INT, WEAK_INT, Array, Scalar
from s2sad.lowering.code import ONE, ZERO
from s2sad.lowering.context import Lowerer
from s2sad.lowering.slices import checked, normalized
from s2sad.lowering.views import Index, Lazy, Rep, Strided, Terms, whole
from s2sad.record import dataclass, replace

MASK_MISMATCH = "boolean index did not match indexed array along axis {}"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The part of a buffer that a path selects: its shape and where its elements are."""

    shape: tuple[Size, ...]
    dims: Index
    place: Callable[[Index], Index]  # index in the part -> index in the buffer
    view: Strided | None  # where the part is a strided view
    index_reps: tuple[Rep, ...] = ()


def lower_getitem(low: Lowerer, instr: Instr) -> None:
    """Lower a read: an element, a view that costs nothing, or a gather."""
    x, operands = instr.args[0], instr.args[1:]
    path: Path = instr.param("path")
    rep = low.rep(x)
    if isinstance(rep, Lazy) and _is_element(path, rep.type.ndim):
        indices = (low.scalar(a) for a in operands)
        place = tuple(checked(low.code, i, low.dim(rep, k), k) for k, i in enumerate(indices))
        low.define_scalar(instr.result, low.read(rep, place))
        return
    whole_rep = low.buffer(rep)
    head, tail = split(path)
    count = paths.operand_count(head)
    source = part_of(low, instr, whole_rep, head, operands[:count])
    rest = operands[count:]
    rep = source
    if tail:
        rep = _gather(low, source, tail[0], rest)
        if tail[1:]:
            count = paths.operand_count(tail[:1])
            rep = view(low, low.buffer(rep), tail[1:], tuple(map(low.scalar, rest[count:])))
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, low.read(rep, ()))
        return
    assert isinstance(instr.result.type, Array)
    low.define(instr.result, _with_sizes(low, rep, instr.result.type))


def _is_element(path: Path, ndim: int) -> bool:
    """True if a path selects one element by an index along each axis."""
    if len(path) != 1 or not isinstance(path[0], paths.Index):
        return False
    return len(path[0].items) == ndim and all(isinstance(item, At) for item in path[0].items)


def part_of(low: Lowerer, instr: Instr, x: Strided, path: Path, operands: Sequence[Operand]) -> Strided:
    """Return the view that an instruction reads or writes; an entry of a tape is where it was put."""
    indices = tuple(map(low.scalar, operands))
    low.code.trusts_index = instr.role == "tape"
    found = view(low, x, path, indices)
    low.code.trusts_index = False
    return found


def _with_sizes(low: Lowerer, rep: Rep, t: Array) -> Rep:
    # the source's own names for the sizes: two reads of `x[1:-1]` are then known to agree
    if rep.type.shape == t.shape:
        return rep
    dims = tuple(low.number(s, d) for s, d in zip(t.shape, low.dims(rep), strict=True))
    if isinstance(rep, Lazy):
        return Lazy(t, dims, rep.element, rep.reads, rep.elsewhere)
    return Strided(rep.base, t, dims, rep.offsets, rep.axes, rep.whole and not dims, rep.view)


def split(path: Path) -> tuple[Path, Path]:
    """Return the basic steps at the front, and the rest from the first index array on."""
    for k in range(len(path)):
        if paths.is_fancy(path[k : k + 1]):
            return path[:k], path[k:]
    return path, ()


def view(low: Lowerer, rep: Strided, path: Path, operands: Index) -> Strided:
    """Return the view that a basic path selects."""
    if not path:
        return rep
    rest = list(operands)
    found = rep
    for step in path:
        if isinstance(step, Permute):
            dims = low.dims(found)
            shape = tuple(found.type.shape[a] for a in step.axes)
            found = Strided(
                found.base,
                Array(found.type.dtype, shape),
                tuple(dims[a] for a in step.axes),
                found.offsets,
                tuple(found.axes[a] for a in step.axes),
            )
        else:
            found = _indexed(low, found, step.items, rest)
    return replace(found, whole=False, view=(rep, path, operands))


def _indexed(low: Lowerer, x: Strided, items: tuple[paths.Item, ...], rest: list[Operand]) -> Strided:
    code = low.code
    offsets = list(x.offsets)
    axes: list[Terms] = []
    dims: list[Operand] = []
    shape: list[Size] = []
    axis = 0
    for item in items:
        if isinstance(item, New):
            axes.append(())
            dims.append(ONE)
            shape.append(Size.of(1))
            continue
        if isinstance(item, Span) and not (item.lo or item.hi or item.step):
            axes.append(x.axes[axis])
            dims.append(low.dim(x, axis))
            shape.append(x.type.shape[axis])
            axis += 1
            continue
        n = low.dim(x, axis)
        if isinstance(item, At):
            i = checked(code, rest.pop(0), n, axis)
            for b, stride in x.axes[axis]:
                offsets[b] = _step(low, offsets[b], i, stride)
        else:
            assert isinstance(item, Span)
            bounds = [rest.pop(0) if there else None for there in (item.lo, item.hi, item.step)]
            start, count, step = normalized(code, n, *bounds)
            for b, stride in x.axes[axis]:
                offsets[b] = _step(low, offsets[b], start, stride)
            axes.append(tuple((b, code.mul(stride, step)) for b, stride in x.axes[axis]))
            size = slice_size(x.type.shape[axis], bounds)
            dims.append(count if size is None else low.number(size, count))
            shape.append(size if size is not None else low.code.sizes.fresh())
        axis += 1
    for k in range(axis, x.type.ndim):
        axes.append(x.axes[k])
        dims.append(low.dim(x, k))
        shape.append(x.type.shape[k])
    t = Array(x.type.dtype, tuple(shape))
    return Strided(x.base, t, tuple(dims), tuple(offsets), tuple(axes))


def _step(low: Lowerer, offset: Operand, i: Operand, stride: Operand) -> Operand:
    if stride == Literal(-1):
        return low.code.sub(offset, i)
    return low.code.add(offset, low.code.mul(i, stride))


def slice_size(n: Size, bounds: Sequence[Operand | None]) -> Size | None:
    """Return the symbolic length of a slice, None where a bound is not known."""
    known: list[Size | None] = []
    for b in bounds:
        size = b.type.size if b is not None and isinstance(b.type, Scalar) else None
        if b is not None and size is None:
            return None
        known.append(size)
    return slice_length(n, *known)


# -- index arrays ------------------------------------------------------------------------------------


def _gather(low: Lowerer, rep: Strided, step: paths.Step, operands: Sequence[Operand]) -> Lazy:
    part = fancy_part(low, rep, step, operands)
    bases = tuple(v for r in (rep, *part.index_reps) for v in bases_of(r))
    return Lazy(
        Array(rep.type.dtype, part.shape),
        part.dims,
        lambda index: low.read_base(rep.base, part.place(index)),
        (),
        bases,
    )


def bases_of(rep: Rep) -> tuple[Value, ...]:
    """Return the buffers an array reads."""
    if isinstance(rep, Strided):
        return (rep.base,)
    return (*(r.base for r in rep.reads), *rep.elsewhere)


def fancy_part(
    low: Lowerer, x: Strided, step: paths.Step, operands: Sequence[Operand], written: Value | None = None
) -> Part:
    """Return the part of `x` that an Index step with index arrays selects. Index arrays that may
    share memory with the buffer about to be `written` are copied."""
    assert isinstance(step, paths.Index)
    rest = list(operands)
    advanced: list[tuple[int, Rep]] = []  # (axis of x, index array)
    in_bounds: set[int] = set()  # axes indexed by masks: no check needed
    where: list[int] = []
    basic: list[tuple[int, Operand, Operand] | None] = []  # (axis, start, step) per plain result axis
    shape: list[Size] = []
    dims: list[Operand] = []
    place_at = 0
    axis = 0
    for k, item in enumerate(step.items):
        if isinstance(item, New):
            basic.append(None)
            shape.append(Size.of(1))
            dims.append(ONE)
        elif isinstance(item, Span):
            bounds = [low.scalar(rest.pop(0)) if b else None for b in (item.lo, item.hi, item.step)]
            start, count, stride = normalized(low.code, low.dim(x, axis), *bounds)
            size = slice_size(x.type.shape[axis], bounds)
            basic.append((axis, start, stride))
            shape.append(size if size is not None else low.code.sizes.fresh())
            dims.append(count if size is None else low.number(size, count))
            axis += 1
        else:
            if not advanced:
                place_at = len(basic)
            where.append(k)
            if isinstance(item, Fancy) and item.mask:
                mask = low.buffer(low.rep(rest.pop(0)))
                advanced += [(axis + d, rep) for d, rep in enumerate(nonzero(low, mask, x, axis))]
                in_bounds |= set(range(axis, axis + item.ndim))
                axis += item.ndim
            else:
                advanced.append((axis, _index_array(low, low.rep(rest.pop(0)), written)))
                axis += 1
    for k in range(axis, x.type.ndim):
        basic.append((k, ZERO, ONE))
        shape.append(x.type.shape[k])
        dims.append(low.dim(x, k))
    if where != list(range(where[0], where[-1] + 1)):
        place_at = 0
    reps = [rep for _, rep in advanced]
    joined = paths.broadcast([r.type.shape for r in reps], low.code.sizes.fresh)
    joined_dims = low.meet(reps, joined, IndexError)
    fitted = [low.fit(r, joined_dims, joined) for r in reps]
    xdims = low.dims(x)

    def place(index: Index) -> Index:
        inner = index[place_at : place_at + len(joined)]
        plain = (*index[:place_at], *index[place_at + len(joined) :])
        at: list[Operand] = [ZERO] * x.type.ndim
        for (a, _), rep in zip(advanced, fitted, strict=True):
            i = low.read(rep, inner)
            at[a] = i if a in in_bounds else checked(low.code, i, xdims[a], a)
        for spec, i in zip(basic, plain, strict=True):
            if spec is not None:
                at[spec[0]] = _step(low, spec[1], i, spec[2])
        return low.place(x, tuple(at))

    return Part(
        (*shape[:place_at], *joined, *shape[place_at:]),
        (*dims[:place_at], *joined_dims, *dims[place_at:]),
        place,
        None,
        tuple(reps),
    )


def _index_array(low: Lowerer, rep: Rep, written: Value | None) -> Rep:
    if not rep.type.ndim:
        return rep
    if written is not None and any(
        low.storage.may_alias(low.roots[b], low.roots[written]) for b in bases_of(rep)
    ):
        return low.fill(rep)
    return low.buffer(rep)


def nonzero(low: Lowerer, mask: Rep, x: Rep | None = None, axis: int = 0) -> list[Rep]:
    """Return one int array per axis of `mask`: where it is True, in C order."""
    code = low.code
    if x is not None:
        for d in range(mask.type.ndim):
            if not low.agree(mask, d, x, axis + d):
                differ = code.differ(low.dim(mask, d), low.dim(x, axis + d))
                code.fail_if(differ, IndexError, MASK_MISMATCH.format(axis + d))
    dims = low.dims(mask)
    start = code.op("widen", ZERO, type=WEAK_INT)

    def count(index: Index, state: list[Operand]) -> Sequence[Operand]:
        one = low.read(mask, index)
        return code.branch(one, lambda: (code.op("add", state[0], ONE),), lambda: (state[0],))

    (total,) = code.nest(dims, (start,), count)
    t = Array(INT, (code.sizes.fresh(),))
    code.remember(t.shape[0], total)
    buffers = [low.allocate(INT, (total,), t, "") for _ in dims]

    def write(index: Index, state: list[Operand]) -> Sequence[Operand]:
        def then() -> Sequence[Operand]:
            written: list[Operand] = []
            for b, i in zip(state[1:], index, strict=True):
                assert isinstance(b, Value)
                written.append(low.write_base(b, (state[0],), i))
            return (code.op("add", state[0], ONE), *written)

        return code.branch(low.read(mask, index), then, lambda: state)

    _, *filled = code.nest(dims, (start, *buffers), write)
    return [whole(low.version(b, f)) for b, f in zip(buffers, filled, strict=True) if isinstance(f, Value)]


def lower_size(low: Lowerer, instr: Instr) -> None:
    """Lower `x.shape[axis]` or `x.size`."""
    rep = low.rep(instr.args[0])
    axis = instr.param("axis")
    found = low.code.product(low.dims(rep)) if axis is None else low.dim(rep, axis)
    low.define_scalar(instr.result, found)


def lower_count_like(low: Lowerer, instr: Instr) -> None:
    """Lower 0, 1, 2, ... in the shape of x."""
    rep = low.rep(instr.args[0])
    dims = low.dims(rep)
    assert isinstance(instr.result.type, Array)
    low.define(instr.result, Lazy(instr.result.type, dims, lambda index: flat(low, index, dims)))


def flat(low: Lowerer, index: Index, dims: Index) -> Operand:
    """Return the position of an index in C order."""
    position: Operand = ZERO
    for i, n in zip(index, dims, strict=True):
        position = low.code.add(low.code.mul(position, n), i)
    return position


TABLE = {"getitem": lower_getitem, "size": lower_size, "count_like": lower_count_like}
