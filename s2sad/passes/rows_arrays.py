"""Rewrites of array instructions whose outcome the types already tell, and of selections."""

from __future__ import annotations

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Alias, Kind
from s2sad.ir.path import At, Index, Path, Permute, Span, is_fancy, may_repeat
from s2sad.ir.types import without_sizes
from s2sad.passes.site import Answer, Made, Row, Site, is_array, is_number, is_weak, is_whole, same_type

ZEROS = ("zeros", "zeros_like")
BLANK = (*ZEROS, "empty", "empty_like", "full", "full_like", "ones", "ones_like")


def _itself(site: Site) -> Answer:
    return site.args[0] if same_type(site.args[0].type, site.type) else None


def _number_again(site: Site) -> Answer:
    """Leave out a Python number made a NumPy number and a Python number again."""
    inner = site.definer(site.args[0], "widen")
    if inner is None or inner.result.type.dtype != np.float64 or not isinstance(inner.args[0], Value):
        return None
    return inner.args[0] if same_type(inner.args[0].type, site.type) else None


def _sum_over_nothing(site: Site) -> Answer:
    return _itself(site) if site.instr.param("axis", 0) == () else None


def _whole(site: Site) -> Answer:
    return _itself(site) if is_whole(site.instr.param("path")) else None


def _transposed_back(site: Site) -> Answer:
    """Leave out two permutations of axes that undo each other."""
    inner = site.definer(site.args[0], "getitem")
    if inner is None:
        return None
    match (*inner.param("path"), *site.instr.param("path")):
        case (Permute(first), Permute(last)) if tuple(first[k] for k in last) == tuple(range(len(last))):
            return inner.args[0] if same_type(inner.args[0].type, site.type) else None
    return None


def _axes_left_out(site: Site) -> Answer:
    """Leave the axes out of which the one element is taken."""
    total = site.part(site.args[0], "sum")
    path: Path = site.instr.param("path")
    if total is None or not total.param("keepdims") or len(path) != 1 or not isinstance(path[0], Index):
        return None
    axis = total.param("axis")
    ndim = total.args[0].type.ndim
    gone = range(ndim) if axis is None else {k % ndim for k in ((axis,) if isinstance(axis, int) else axis)}
    expected = tuple(At() if k in gone else Span() for k in range(ndim))
    if path[0].items != expected or any(not is_number(a, 0) for a in site.args[1:]):
        return None
    return Made("sum", total.args, params=(("axis", axis), ("keepdims", False)))


def _spread_anyhow(site: Site) -> Answer:
    """Spread a number over the shape that is wanted, not over another one first."""
    spread = site.near(site.args[0], "broadcast_like", "broadcast_to")
    if spread is None or is_array(spread.args[0]):
        return None
    return Made("broadcast_like", (spread.args[0], site.args[1]))


def _sparse_back(site: Site) -> Answer:
    inner = site.definer(site.args[0], "sparse_transpose")
    return None if inner is None else inner.args[0]


def _stored(site: Site) -> Answer:
    """Take what has just been stored at the very place that is read."""
    path: Path = site.instr.param("path")
    store = site.definer(site.args[0], "setitem")
    if store is None or is_fancy(path) or store.param("path") != path or store.args[2:] != site.args[1:]:
        return None
    return store.args[1] if same_type(store.args[1].type, site.type) else None


def _copy(site: Site) -> Answer:
    fresh = site.definer(site.args[0])
    if fresh is None or not fresh.role or fresh.blocks or fresh.op.alias is not Alias.FRESH:
        return None
    value = site.args[0]
    assert isinstance(value, Value)
    return value if site.defined.uses.get(value, 0) <= 1 else None


def _overwritten(site: Site) -> Answer:
    """Assign instead of filling an array that was only just made."""
    target, value = site.args[:2]
    blank = site.definer(target, *(BLANK if site.instr.op.name == "setitem" else ZEROS))
    if blank is None or not blank.role or site.defined.uses.get(blank.result, 0) > 1:
        return None
    if not is_whole(site.instr.param("path")) or (
        site.instr.op.name == "accum" and site.instr.role != "reverse"
    ):
        return None
    if same_type(value.type, site.type):
        return value
    if is_array(value) or not blank.op.name.endswith("_like") or not is_array(blank.args[0]):
        return None
    return Made("full_like", (blank.args[0], value), params=(("dtype", blank.param("dtype")),))


def _stored_twice(site: Site) -> Answer:
    target, value, *operands = site.args
    path: Path = site.instr.param("path")
    first = site.definer(target, "setitem", "accum")
    if first is None or not first.role or first.param("path") != path or list(first.args[2:]) != operands:
        return None
    if may_repeat(path) or site.defined.uses.get(first.result, 0) > 1:
        return None
    return Made("setitem", (first.args[0], value, *operands), params=site.instr.params)


def _hit_once(site: Site) -> Answer:
    if not site.instr.param("at") or may_repeat(site.instr.param("path")):
        return None
    params = tuple((key, value) for key, value in site.instr.params if key != "at")
    return Made("accum", site.args, params=params)


def _nothing_added(site: Site) -> Answer:
    return site.args[0] if is_number(site.args[1], 0) and site.instr.role == "reverse" else None


def _unbroadcast_operand(site: Site) -> Answer:
    """Leave out a broadcast that the operation itself, or the assignment, does as well."""
    if site.instr.op.name in ("setitem", "accum"):
        return _broadcast_stored(site)
    if site.instr.op.kind is not Kind.ELEMENTWISE and site.instr.op.name != "where":
        return None
    for k, a in enumerate(site.args):
        spread = site.definer(a, "broadcast_like", "broadcast_to")
        others = [b for j, b in enumerate(site.args) if j != k]
        if spread is None or not any(is_array(b) and b.type.shape == site.type.shape for b in others):
            continue
        source = spread.args[0]
        if source.type.dtype == a.type.dtype and _promotes_alike(source, others):
            args = (*site.args[:k], source, *site.args[k + 1 :])
            return Made(site.instr.op.name, args, params=site.instr.params)
    return None


def _promotes_alike(source: Operand, others: list[Operand]) -> bool:
    """True if a Python number `source` gives the dtype that an array of its dtype would give."""
    if not is_weak(source):
        return True
    return all(is_weak(b) or b.type.dtype.kind == "b" or b.type.dtype == source.type.dtype for b in others)


def _broadcast_stored(site: Site) -> Answer:
    target, value, *operands = site.args
    spread = site.definer(value, "broadcast_like", "broadcast_to")
    if spread is None or not is_whole(site.instr.param("path")) or value.type.shape != target.type.shape:
        return None
    source = spread.args[0]
    if site.instr.op.name == "accum" and not _promotes_alike(source, [target]):
        return None
    return Made(site.instr.op.name, (target, source, *operands), params=site.instr.params)


def _choice_known(site: Site) -> Answer:
    condition, a, b = site.args
    if isinstance(condition, Literal):
        chosen = a if condition.value else b
        return chosen if same_type(chosen.type, site.type) else None
    return a if a == b and same_type(a.type, site.type) else None


def _choice_turned(site: Site) -> Answer:
    condition, a, b = site.args
    inverse = site.part(condition, "logical_not", "not_")
    if inverse is None or inverse.args[0].type.dtype.kind != "b":
        return None
    return Made("where", (inverse.args[0], b, a))


def _choice_repeated(site: Site) -> Answer:
    condition, a, b = site.args
    if (inner := _decided(site, a)) is not None and _stands_for(inner.args[1], a, site):
        return Made("where", (condition, inner.args[1], b))
    if (inner := _decided(site, b)) is not None and _stands_for(inner.args[2], b, site):
        return Made("where", (condition, a, inner.args[2]))
    return None


def _decided(site: Site, choice: Operand) -> Instr | None:
    inner = site.near(choice, "where")
    return inner if inner is not None and inner.args[0] == site.args[0] else None


def _stands_for(chosen: Operand, choice: Operand, site: Site) -> bool:
    if is_weak(chosen) or chosen.type.dtype != choice.type.dtype:
        return False
    return site.type.shape in (site.args[0].type.shape, chosen.type.shape)


def _choice_of_all(site: Site) -> Answer:
    """A mask that says c or not c says nothing."""
    mask = site.definer(site.args[0], "bitwise_or", "logical_or")
    if mask is None or not same_type(site.args[1].type, site.type):
        return None
    for a, b in (mask.args, mask.args[::-1]):
        inverse = site.definer(a, "logical_not")
        if inverse is not None and inverse.args[0] == b and b.type.dtype.kind == "b":
            return site.args[1]
    return None


def _choices_joined(site: Site) -> Answer:
    """Choices of 0.0 where the other is not make one choice."""
    if site.instr.role != "reverse":
        return None
    left, right = (site.part(a, "where") for a in site.args)
    if left is None or right is None or left.args[0] != right.args[0]:
        return None
    condition = left.args[0]
    for one, other in ((left, right), (right, left)):
        if is_number(one.args[1], 0) and is_number(other.args[2], 0):
            chosen, rest = other.args[1], one.args[2]
            if all(a.type.dtype == site.type.dtype and not is_weak(a) for a in (chosen, rest)):
                return (
                    Made("where", (condition, chosen, rest))
                    if same_type(left.result.type, site.type)
                    else None
                )
    return None


def _twice_not(site: Site) -> Answer:
    inner = site.definer(site.args[0], site.instr.op.name)
    return inner.args[0] if inner is not None and same_type(inner.args[0].type, site.type) else None


def _said_already(site: Site) -> Answer:
    """Leave out a condition that the other one is or holds."""
    for whole, part in (site.args, site.args[::-1]):
        inner = site.definer(whole, site.instr.op.name)
        said = whole == part or (inner is not None and part in inner.args)
        if said and part.type.dtype.kind == "b" and same_type(whole.type, site.type):
            return whole
    return None


def _blank(site: Site, k: int) -> Instr | None:
    """Return what makes argument k, if that is an array made for its shape."""
    blank = site.definer(site.args[k], "empty")
    return blank if blank is not None and blank.role else None


def _size_of_blank(site: Site) -> Answer:
    blank, axis = _blank(site, 0), site.instr.param("axis")
    if blank is None or axis is None:
        return None
    n = blank.args[axis]
    return n if without_sizes(n.type) == without_sizes(site.type) else None


def _zeros_like_blank(site: Site) -> Answer:
    blank = _blank(site, 0)
    if blank is None or not is_array(site.args[0]):
        return None
    dtype = site.instr.param("dtype") or blank.result.type.dtype
    return Made("zeros", blank.args, params=(("dtype", dtype),))


def _spread_like_blank(site: Site) -> Answer:
    blank = _blank(site, 1)
    return None if blank is None else Made("broadcast_to", (site.args[0], *blank.args))


SPREADING = ("multiply", "add", "subtract", "divide", "where", "setitem", "accum")
SAME = "shapes are provably equal"

ARRAYS = (
    Row(("size",), "np.empty((n, m)).shape[0]", "n", "made for its shape", _size_of_blank),
    Row(("zeros_like",), "np.zeros_like(np.empty(n))", "np.zeros(n)", SAME, _zeros_like_blank),
    Row(
        ("broadcast_like",),
        "np.broadcast_to(x, np.empty(n).shape)",
        "broadcast_to(x, n)",
        SAME,
        _spread_like_blank,
    ),
    Row(("cast",), "x.astype(x.dtype)", "x", "same dtype, same values", _itself),
    Row(("to_float",), "float(np.float64(x))", "x", "a Python float has the precision", _number_again),
    Row(("broadcast_like", "broadcast_to"), "np.broadcast_to(x, x.shape)", "x", SAME, _itself),
    Row(
        ("reshape_like",),
        "np.broadcast_to(1.0, n).reshape(x.shape)",
        "np.broadcast_to(1.0, x.shape)",
        SAME,
        _spread_anyhow,
    ),
    Row(("unbroadcast",), "unbroadcast(x, x.shape)", "x", SAME, _itself),
    Row(("reshape",), "x.reshape(x.shape)", "x", SAME, _itself),
    Row(("sum",), "sum(x, axis=())", "x", "nothing is added", _sum_over_nothing),
    Row(("getitem",), "x[:, :]", "x", "all of it", _whole),
    Row(("getitem",), "np.sum(x, 0, keepdims=True)[0]", "np.sum(x, 0)", "the same sums", _axes_left_out),
    Row(("getitem",), "x.T.T", "x", "one undoes the other", _transposed_back),
    Row(("sparse_transpose",), "A.T.T of a sparse matrix", "A", "one undoes the other", _sparse_back),
    Row(("getitem",), "x[i] = v; x[i]", "v", "just stored there, with the same kind and dtype", _stored),
    Row(("copy",), "copy(a + b)", "a + b", "fresh, and read nowhere else", _copy),
    Row(("setitem",), "a = empty_like(x); a[:] = v", "v", "all of it is overwritten", _overwritten),
    Row(("accum",), "a = zeros_like(x); a[:] += v", "v", "in reverse sweeps: -0.0 for 0.0", _overwritten),
    Row(("setitem",), "x[i] = v; x[i] = w", "x[i] = w", "the first is overwritten unread", _stored_twice),
    Row(("accum",), "np.add.at(x, i, v)", "x[i] += v", "no element occurs twice", _hit_once),
    Row(("accum",), "x[i] += 0.0", "x", "in reverse sweeps: -0.0 for 0.0", _nothing_added),
    Row(SPREADING, "broadcast_to(g, x.shape) * x", "g * x", "x has that shape", _unbroadcast_operand),
    Row(("where",), "where(True, a, b), where(c, a, a)", "a", "the choice is known", _choice_known),
    Row(("where",), "where(not c, a, b)", "where(c, b, a)", "the same choice", _choice_turned),
    Row(("where",), "where(c, where(c, a, b), d)", "where(c, a, d)", "the same choice", _choice_repeated),
    Row(("where",), "where(c | ~c, a, b)", "a", "one of them holds", _choice_of_all),
    Row(("add",), "where(c, a, 0.0) + where(c, 0.0, b)", "where(c, a, b)", "-0.0 for 0.0", _choices_joined),
    Row(("bitwise_and", "bitwise_or"), "c & c, (a & c) & c", "c, a & c", "said already", _said_already),
    Row(("logical_not", "not_"), "not not c", "c", "bools: kind and dtype are the same", _twice_not),
)
