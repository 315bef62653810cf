"""Arrays: where their elements are, views of them, and their memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from s2sad.ir import path as paths
from s2sad.ir.types import BOOL, INT, Dtype
from s2sad.machine.arithmetic import choose, compare
from s2sad.machine.functions import intrinsic
from s2sad.machine.parts import joined, parts, real_dtype
from s2sad.machine.scalars import wrapped
from s2sad.machine.writer import Module, NotHere, Number, Writer, constant, stored
from s2sad.record import dataclass, replace

ZERO = constant(0, INT)
Body = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Buffer:
    """An array as LLVM's values. Strides count elements, or bytes where `by_bytes`. `owner` is what keeps
    the memory: empty for memory from outside, else the pointer to be released; `counted`: the pointer is
    to a cell that counts owners."""

    dtype: Dtype
    data: str
    dims: tuple[str, ...]
    strides: tuple[str, ...]
    by_bytes: bool = False
    in_rows: bool = False  # in C order without gaps
    aligned: bool = True
    owner: str = ""
    counted: bool = False


def rows(w: Writer, dtype: Dtype, data: str, dims: Sequence[str]) -> Buffer:
    """Return an array in C order."""
    return Buffer(dtype, data, tuple(dims), strides_of(w, dims), in_rows=True)


def strides_of(w: Writer, dims: Sequence[str]) -> tuple[str, ...]:
    """Return the strides of an array in C order, in elements."""
    found = ["1"] if dims else []
    for n in reversed(dims[1:]):
        found.append(n if found[-1] == "1" else w.value(f"mul nsw i64 {found[-1]}, {n}"))
    return tuple(reversed(found))


def address(w: Writer, x: Buffer, index: Sequence[str]) -> str:
    """Return the address of an element."""
    total = ""
    for i, stride in zip(index, x.strides, strict=True):
        if i == "0":
            continue
        part = i if stride == "1" else w.value(f"mul nsw i64 {i}, {stride}")
        total = w.value(f"add nsw i64 {total}, {part}") if total else part
    if not total:
        return x.data
    unit = "i8" if x.by_bytes else stored(x.dtype)
    return w.value(f"getelementptr inbounds {unit}, ptr {x.data}, i64 {total}")


def load(w: Writer, x: Buffer, index: Sequence[str]) -> Number:
    """Return an element."""
    place = address(w, x, index)
    return Number(load_from(w, place, x.dtype, x.aligned), x.dtype)


def load_from(w: Writer, place: str, dtype: Dtype, aligned: bool = True) -> str:
    """Return the number at an address."""
    if dtype.kind == "c":  # LLVM would take a pair apart, and forget what is said of the access
        part = real_dtype(dtype)
        loads = (load_from(w, at, part, aligned) for at in _places(w, place, part))
        return joined(w, *(Number(text, part) for text in loads)).text
    kind = stored(dtype)
    size = dtype.itemsize if aligned else 1
    found = w.value(f"load {kind}, ptr {place}, align {size}{w.group}")
    return w.value(f"icmp ne i8 {found}, 0") if dtype == BOOL else found


def store(w: Writer, x: Buffer, index: Sequence[str], v: Number) -> None:
    """Write an element."""
    store_at(w, address(w, x, index), v, x.aligned)


def store_at(w: Writer, place: str, v: Number, aligned: bool = True) -> None:
    """Write a number to an address."""
    if v.dtype.kind == "c":
        both = parts(w, v)
        for at, part in zip(_places(w, place, both[0].dtype), both, strict=True):
            store_at(w, at, part, aligned)
        return
    text = w.value(f"zext i1 {v.text} to i8") if v.dtype == BOOL else v.text
    size = v.dtype.itemsize if aligned else 1
    w.do(f"store {stored(v.dtype)} {text}, ptr {place}, align {size}{w.group}")


def _places(w: Writer, place: str, part: Dtype) -> tuple[str, str]:
    """Return where the parts of a complex number are."""
    return place, w.value(f"getelementptr inbounds i8, ptr {place}, i64 {part.itemsize}")


# --- views --------------------------------------------------------------------------------------


def view(w: Writer, x: Buffer, path: paths.Path, operands: Sequence[Number]) -> Buffer:
    """Return the part of an array that a path selects, as a view."""
    rest = list(operands)
    for step in path:
        if isinstance(step, paths.Permute):
            x = replace(
                x,
                dims=tuple(x.dims[k] for k in step.axes),
                strides=tuple(x.strides[k] for k in step.axes),
                in_rows=x.in_rows and step.axes == tuple(range(len(step.axes))),
            )
        else:
            x = _indexed(w, x, step.items, rest)
    return x


def _indexed(w: Writer, x: Buffer, items: Sequence[paths.Item], rest: list[Number]) -> Buffer:
    dims: list[str] = []
    strides: list[str] = []
    firsts: list[str] = []
    k = 0
    for item in items:
        if isinstance(item, paths.New):
            dims.append("1")
            strides.append("0")
            continue
        n = Number(x.dims[k], INT)
        match item:
            case paths.At():
                firsts.append(wrapped(w, rest.pop(0), n).text)
            case paths.Span(lo, hi, False):
                first = _bound(w, rest.pop(0), n) if lo else ZERO
                last = _bound(w, rest.pop(0), n) if hi else n
                length = Number(w.value(f"sub i64 {last.text}, {first.text}"), INT) if lo else last
                dims.append(intrinsic(w, "smax", (length, ZERO)).text)
                strides.append(x.strides[k])
                firsts.append(first.text)
            case paths.Span(lo, hi, True):
                bounds = [rest.pop(0) if given else None for given in (lo, hi)]
                step = rest.pop(0)
                first, length = _stepped(w, n, bounds, step)
                dims.append(length.text)
                strides.append(w.value(f"mul i64 {x.strides[k]}, {step.text}"))
                firsts.append(first.text)
            case _:
                raise NotHere("views by index arrays")
        k += 1
    plain = all(i == paths.Span() for i in items)
    leading = sum(isinstance(i, paths.At) for i in items)
    # x[i, j] of an array in rows is one in rows; so is x[a:b]
    keeps = x.in_rows and (
        plain
        or all(isinstance(i, paths.At) if k < leading else i == paths.Span() for k, i in enumerate(items))
    )
    data = address(w, x, firsts)
    return replace(x, data=data, dims=tuple(dims), strides=tuple(strides), in_rows=keeps)


def _bound(w: Writer, a: Number, n: Number) -> Number:
    """Return a bound of a slice as a number from 0 to n."""
    return intrinsic(w, "smin", (intrinsic(w, "smax", (wrapped(w, a, n), ZERO)), n))


def _stepped(w: Writer, n: Number, bounds: Sequence[Number | None], step: Number) -> tuple[Number, Number]:
    """Return the first index and the length of a slice, as `slice.indices` finds them."""
    up = compare(w, "greater", (step, ZERO))
    last = Number(w.value(f"sub i64 {n.text}, 1"), INT)
    least, most = choose(w, up, ZERO, constant(-1, INT)), choose(w, up, n, last)
    ends = choose(w, up, least, most), choose(w, up, most, least)
    lo, hi = (
        end if b is None else intrinsic(w, "smin", (intrinsic(w, "smax", (wrapped(w, b, n), least)), most))
        for b, end in zip(bounds, ends, strict=True)
    )
    above, below = choose(w, up, hi, lo), choose(w, up, lo, hi)
    gap = w.value(f"sub i64 {above.text}, {below.text}")
    size = intrinsic(w, "smax", (intrinsic(w, "abs", (step,)), constant(1, INT))).text
    more = w.value(f"add i64 {gap}, {w.value(f'sub i64 {size}, 1')}")
    length = intrinsic(w, "smax", (Number(w.value(f"sdiv i64 {more}, {size}"), INT), ZERO))
    # of a part with nothing in it, the first element may be outside
    return choose(w, compare(w, "equal", (length, ZERO)), ZERO, lo), length


# --- memory -------------------------------------------------------------------------------------

# large pages make new memory cheaper, where the system gives them to who asks; NumPy asks from this size on
LARGE, LARGE_PAGES, PAGE = 1 << 22, 14, 4096  # bytes; MADV_HUGEPAGE
ASK = f"""
  %many = icmp uge i64 %bytes, {LARGE}
  %is = icmp ne ptr %new, null
  %ask = and i1 %many, %is
  br i1 %ask, label %large, label %done
large:
  %at = ptrtoint ptr %new to i64
  %after = add i64 %at, {PAGE - 1}
  %page = and i64 %after, -{PAGE}
  %skip = sub i64 %page, %at
  %rest = sub i64 %bytes, %skip
  %first = inttoptr i64 %page to ptr
  %ignored = call i32 @madvise(ptr %first, i64 %rest, i32 {LARGE_PAGES})"""
LINES = f"""define internal noalias ptr @lines(i64 %bytes) noinline nounwind {{
entry:
  %new = call ptr @aligned_alloc(i64 64, i64 %bytes){ASK if sys.platform == "linux" else ""}
  br label %done
done:
  ret ptr %new
}}"""
ALLOCATE = """define internal noalias ptr @allocate(i64 %count, i64 %size, i1 %zero) noinline nounwind {
entry:
  %pair = call {i64, i1} @llvm.umul.with.overflow.i64(i64 %count, i64 %size)
  %bytes = extractvalue {i64, i1} %pair, 0
  %over = extractvalue {i64, i1} %pair, 1
  %large = icmp ugt i64 %bytes, 9223372036854775000
  %bad = or i1 %over, %large
  br i1 %bad, label %none, label %some
some:
  %little = icmp ule i64 %bytes, 4096
  br i1 %little, label %quick, label %wide
quick:
  %least = call i64 @llvm.umax.i64(i64 %bytes, i64 1)
  %chunk = call ptr @malloc(i64 %least)
  br label %made
wide:
  %more = add i64 %bytes, 63
  %whole = and i64 %more, -64
  %lines = call ptr @lines(i64 %whole)
  br label %made
made:
  %data = phi ptr [ %chunk, %quick ], [ %lines, %wide ]
  %found = icmp ne ptr %data, null
  %clear = and i1 %found, %zero
  br i1 %clear, label %set, label %done
set:
  call void @llvm.memset.p0.i64(ptr align 16 %data, i8 0, i64 %bytes, i1 false)
  ret ptr %data
done:
  ret ptr %data
none:
  ret ptr null
}"""
CELL = """define internal ptr @cell(ptr %data) {
entry:
  %cell = call ptr @malloc(i64 16)
  store i64 1, ptr %cell
  %place = getelementptr inbounds i8, ptr %cell, i64 8
  store ptr %data, ptr %place
  ret ptr %cell
}"""
RETAIN = """define internal void @retain(ptr %cell) {
entry:
  %none = icmp eq ptr %cell, null
  br i1 %none, label %done, label %count
count:
  %n = load i64, ptr %cell
  %m = add i64 %n, 1
  store i64 %m, ptr %cell
  br label %done
done:
  ret void
}"""
RELEASE = """define internal void @release(ptr %cell) {
entry:
  %none = icmp eq ptr %cell, null
  br i1 %none, label %done, label %count
count:
  %n = load i64, ptr %cell
  %m = sub i64 %n, 1
  store i64 %m, ptr %cell
  %last = icmp eq i64 %m, 0
  br i1 %last, label %drop, label %done
drop:
  %place = getelementptr inbounds i8, ptr %cell, i64 8
  %data = load ptr, ptr %place
  call void @free(ptr %data)
  call void @free(ptr %cell)
  br label %done
done:
  ret void
}"""


def count_of(w: Writer, dims: Sequence[str]) -> str:
    """Return the number of elements; the largest int where it is none."""
    total = "1"
    for n in dims:
        if total == "1":
            total = n
            continue
        w.module.declare("{i64, i1}", "llvm.umul.with.overflow.i64", "i64", "i64")
        pair = w.value(f"call {{i64, i1}} @llvm.umul.with.overflow.i64(i64 {total}, i64 {n})")
        number = w.value(f"extractvalue {{i64, i1}} {pair}, 0")
        over = w.value(f"extractvalue {{i64, i1}} {pair}, 1")
        total = w.value(f"select i1 {over}, i64 {2**63 - 1}, i64 {number}")
    return total


def declare_memory(module: Module) -> None:
    """Note the functions that get and give up memory."""
    module.declare("{i64, i1}", "llvm.umul.with.overflow.i64", "i64", "i64")
    module.declare("i64", "llvm.umax.i64", "i64", "i64")
    module.declare("void", "llvm.memset.p0.i64", "ptr", "i8", "i64", "i1")
    module.declare("noalias ptr", "malloc", "i64")
    module.declare("noalias ptr", "aligned_alloc", "i64", "i64")
    if sys.platform == "linux":
        module.declare("i32", "madvise", "ptr", "i64", "i32")
    module.helpers["lines"] = LINES
    module.declare("void", "free", "ptr")


def allocate(w: Writer, dtype: Dtype, dims: Sequence[str], zero: bool, counted: bool) -> Buffer:
    """Return new memory; its data is null where there is none."""
    declare_memory(w.module)
    w.module.helpers["allocate"] = ALLOCATE
    size = count_of(w, dims)
    data = w.value(f"call noalias ptr @allocate(i64 {size}, i64 {dtype.itemsize}, i1 {str(zero).lower()})")
    owner = data
    if counted:
        w.module.helpers |= {"cell": CELL, "retain": RETAIN, "release": RELEASE}
        owner = w.value(f"call ptr @cell(ptr {data})")
    return replace(rows(w, dtype, data, dims), owner=owner, counted=counted)


def release(w: Writer, owner: str, counted: bool) -> None:
    """Give memory up."""
    w.do(f"call void @{'release' if counted else 'free'}(ptr {owner})")


def retain(w: Writer, x: Buffer) -> None:
    """Note one more owner of an array's memory; memory from outside has none."""
    w.module.declare("void", "free", "ptr")
    w.module.helpers |= {"retain": RETAIN, "release": RELEASE}
    if x.owner and not x.counted:
        raise NotHere("an array with owners that are not counted")
    w.do(f"call void @retain(ptr {x.owner or 'null'})")


def nest(w: Writer, dims: Sequence[str], index: Sequence[str], body: Body) -> None:
    """Write loops over all indices of a shape, and `body(index)` in them."""
    if not dims:
        body(index)
        return
    head, inside, done = w.block(), w.block(), w.block()
    before = w.label
    i, following = w.name(), w.name()
    w.jump(head)
    w.begin(head)
    place = len(w.lines)
    w.branch(compare(w, "less", (Number(i, INT), Number(dims[0], INT))), inside, done)
    w.begin(inside)
    nest(w, dims[1:], [*index, i], body)
    w.do(f"{following} = add nsw i64 {i}, 1")
    w.lines.insert(place, f"  {i} = phi i64 [ 0, %{before} ], [ {following}, %{w.label} ]")
    w.jump(head)
    w.begin(done)


def copied(w: Writer, x: Buffer, to: Buffer) -> None:
    """Copy the elements of an array to another of its shape."""
    nest(w, x.dims, (), lambda index: store(w, to, index, load(w, x, index)))
