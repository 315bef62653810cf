"""Products of matrices: small ones in a loop, others by NumPy, which calls BLAS."""

from __future__ import annotations

from s2sad.ir.types import INT, Dtype
from s2sad.machine import library
from s2sad.machine.arithmetic import compare
from s2sad.machine.arrays import Buffer
from s2sad.machine.writer import NotHere, Number, Writer, kind_of

MATRIX_PRODUCT = 280  # in NumPy's table
READ, WRITE = library.MAY_READ, library.MAY_READ | library.IN_ROWS | library.MAY_WRITE
SMALL = 2000  # multiplications, which take less time than the way to BLAS

# row by row, so that the innermost loop may be vectorised
SMALL_PRODUCT = """define internal void @product_{kind}(ptr noalias %c, ptr %a, ptr %b, i64 %m, i64 %n,
    i64 %k, i64 %a0, i64 %a1, i64 %b0, i64 %b1) noinline nounwind {{
entry:
  %row = mul i64 %n, {size}
  %bytes = mul i64 %row, %m
  call void @llvm.memset.p0.i64(ptr align {size} %c, i8 0, i64 %bytes, i1 false)
  br label %head_i
head_i:
  %i = phi i64 [ 0, %entry ], [ %i1, %next_i ]
  %more_i = icmp slt i64 %i, %m
  br i1 %more_i, label %body_i, label %done
body_i:
  %ci = mul nsw i64 %i, %row
  %c_row = getelementptr inbounds i8, ptr %c, i64 %ci
  %ai = mul nsw i64 %i, %a0
  %a_row = getelementptr inbounds i8, ptr %a, i64 %ai
  br label %head_l
head_l:
  %l = phi i64 [ 0, %body_i ], [ %l1, %next_l ]
  %more_l = icmp slt i64 %l, %k
  br i1 %more_l, label %body_l, label %next_i
body_l:
  %al = mul nsw i64 %l, %a1
  %a_at = getelementptr inbounds i8, ptr %a_row, i64 %al
  %x = load {kind}, ptr %a_at, align 1
  %bl = mul nsw i64 %l, %b0
  %b_row = getelementptr inbounds i8, ptr %b, i64 %bl
  br label %head_j
head_j:
  %j = phi i64 [ 0, %body_l ], [ %j1, %body_j ]
  %more_j = icmp slt i64 %j, %n
  br i1 %more_j, label %body_j, label %next_l
body_j:
  %bj = mul nsw i64 %j, %b1
  %b_at = getelementptr inbounds i8, ptr %b_row, i64 %bj
  %y = load {kind}, ptr %b_at, align 1
  %cj = getelementptr inbounds {kind}, ptr %c_row, i64 %j
  %old = load {kind}, ptr %cj
  %xy = fmul contract {kind} %x, %y
  %new = fadd contract {kind} %old, %xy
  store {kind} %new, ptr %cj
  %j1 = add nsw i64 %j, 1
  br label %head_j
next_l:
  %l1 = add nsw i64 %l, 1
  br label %head_l
next_i:
  %i1 = add nsw i64 %i, 1
  br label %head_i
done:
  ret void
}}"""


def product(w: Writer, a: Buffer, b: Buffer, c: Buffer, thread: str) -> str:
    """Write the product of two arrays of rank 1 or 2 to `c`; return whether that went wrong."""
    dtype, kind = a.dtype, kind_of(a.dtype)
    if dtype.kind != "f" or b.dtype != dtype or not c.in_rows:
        raise NotHere("products of other numbers than floats")
    library.declare(w)
    (m, k), (a0, a1) = _matrix(w, a, as_row=True)
    (_, n), (b0, b1) = _matrix(w, b, as_row=False)
    size = w.value(f"mul i64 {w.value(f'mul i64 {m}, {n}')}, {k}")
    failed = w.slot("i1")
    small, large, done = w.block(), w.block(), w.block()
    w.do(f"store i1 false, ptr {failed}")
    w.branch(w.value(f"icmp ule i64 {size}, {SMALL}"), small, large)
    w.begin(small)
    w.module.declare("void", "llvm.memset.p0.i64", "ptr", "i8", "i64", "i1")
    w.module.helpers[f"product_{kind}"] = SMALL_PRODUCT.format(kind=kind, size=dtype.itemsize)
    sizes = ", ".join(f"i64 {v}" for v in (m, n, k, a0, a1, b0, b1))
    w.do(f"call void @product_{kind}(ptr {c.data}, ptr {a.data}, ptr {b.data}, {sizes})")
    w.jump(done)
    w.begin(large)
    w.do(f"call void @PyEval_RestoreThread(ptr {w.value(f'load ptr, ptr {thread}')})")
    arrays = [library.array_of(w, x, flags) for x, flags in ((a, READ), (b, READ), (c, WRITE))]
    maker = library.from_table(w, MATRIX_PRODUCT)
    found = w.value(f"call ptr {maker}(ptr {arrays[0]}, ptr {arrays[1]}, ptr {arrays[2]})")
    for x in (*arrays, found):
        w.do(f"call void @Py_DecRef(ptr {x})")
    w.do(f"store i1 {w.value(f'icmp eq ptr {found}, null')}, ptr {failed}")
    w.do(f"store ptr {w.value('call ptr @PyEval_SaveThread()')}, ptr {thread}")
    w.jump(done)
    w.begin(done)
    return w.value(f"load i1, ptr {failed}")


def unlike(w: Writer, a: Buffer, b: Buffer) -> str:
    """Return whether two arrays do not fit for a product."""
    return compare(w, "not_equal", (Number(a.dims[-1], INT), Number(b.dims[0], INT)))


def _matrix(w: Writer, x: Buffer, as_row: bool) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return sizes and strides, in bytes, of an array as a matrix."""
    strides = [s if x.by_bytes else _scaled(w, s, x.dtype) for s in x.strides]
    if len(x.dims) == 2:
        return (x.dims[0], x.dims[1]), (strides[0], strides[1])
    if as_row:
        return ("1", x.dims[0]), ("0", strides[0])
    return (x.dims[0], "1"), (strides[0], "0")


def _scaled(w: Writer, stride: str, dtype: Dtype) -> str:
    return str(dtype.itemsize) if stride == "1" else w.value(f"mul i64 {stride}, {dtype.itemsize}")
