"""Memory that a kernel keeps for the next call: to get new pages from the system takes longer than most loops
take to fill them.

The process has a few places for blocks, each with its size in its first bytes. A call takes a block out,
alone, and hands arrays out of it, one after the other; what does not fit is allocated for the call. At its
end it puts a block back that would have been enough."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.types import Dtype
from s2sad.machine.arrays import Buffer, count_of, declare_memory, rows
from s2sad.machine.names import FEW, KEPT
from s2sad.machine.writer import Writer

HEADER = 64  # bytes at the beginning of a block, and of each array that is not in it; also the alignment

# of one call: its block, how much of it is in use, its size, what would have been needed, and a chain of the
# arrays that are not in it
STATE = "%state = type { ptr, i64, i64, i64, ptr }"
TAKE = f"""define internal void @take(ptr %arena) noinline nounwind {{
entry:
  store %state {{ ptr null, i64 0, i64 0, i64 {HEADER}, ptr null }}, ptr %arena
  br label %head
head:
  %k = phi i64 [ 1, %entry ], [ %next, %more ]
  %place = getelementptr inbounds ptr, ptr @{KEPT}, i64 %k
  %seen = load atomic ptr, ptr %place monotonic, align 8
  %none = icmp eq ptr %seen, null
  br i1 %none, label %more, label %try
try:
  %block = atomicrmw xchg ptr %place, ptr null acq_rel
  %late = icmp eq ptr %block, null
  br i1 %late, label %more, label %found
found:
  %size = load i64, ptr %block
  %used_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 1
  %size_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 2
  store ptr %block, ptr %arena
  store i64 {HEADER}, ptr %used_at
  store i64 %size, ptr %size_at
  ret void
more:
  %next = add i64 %k, 1
  %last = icmp eq i64 %k, {FEW}
  br i1 %last, label %done, label %head
done:
  ret void
}}"""
LEND = f"""define internal noalias ptr @lend(ptr %arena, i64 %count, i64 %size, i1 %zero) noinline nounwind {{
entry:
  %pair = call {{i64, i1}} @llvm.umul.with.overflow.i64(i64 %count, i64 %size)
  %bytes = extractvalue {{i64, i1}} %pair, 0
  %over = extractvalue {{i64, i1}} %pair, 1
  %large = icmp ugt i64 %bytes, 4611686018427387904
  %bad = or i1 %over, %large
  br i1 %bad, label %none, label %some
some:
  %least = call i64 @llvm.umax.i64(i64 %bytes, i64 1)
  %more = add i64 %least, {HEADER - 1}
  %whole = and i64 %more, -{HEADER}
  %used_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 1
  %size_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 2
  %used = load i64, ptr %used_at
  %all = load i64, ptr %size_at
  %end = add i64 %used, %whole
  %fits = icmp ule i64 %end, %all
  br i1 %fits, label %inside, label %outside
inside:
  %block = load ptr, ptr %arena
  %part = getelementptr inbounds i8, ptr %block, i64 %used
  store i64 %end, ptr %used_at
  br label %made
outside:
  %total = add i64 %whole, {HEADER}
  %new = call ptr @lines(i64 %total)
  %failed = icmp eq ptr %new, null
  br i1 %failed, label %none, label %chained
chained:
  %chain_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 4
  %chain = load ptr, ptr %chain_at
  store ptr %chain, ptr %new
  store ptr %new, ptr %chain_at
  %after = getelementptr inbounds i8, ptr %new, i64 {HEADER}
  br label %made
made:
  %data = phi ptr [ %part, %inside ], [ %after, %chained ]
  %need_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 3
  %need = load i64, ptr %need_at
  %needed = add i64 %need, %whole
  store i64 %needed, ptr %need_at
  br i1 %zero, label %set, label %done
set:
  call void @llvm.memset.p0.i64(ptr align {HEADER} %data, i8 0, i64 %bytes, i1 false)
  ret ptr %data
done:
  ret ptr %data
none:
  ret ptr null
}}"""
# a new block costs nothing: its pages are got when they are used
GIVE = f"""define internal void @give(ptr %arena) noinline nounwind {{
entry:
  %chain_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 4
  %first = load ptr, ptr %chain_at
  br label %chain
chain:
  %it = phi ptr [ %first, %entry ], [ %following, %drop ]
  %end = icmp eq ptr %it, null
  br i1 %end, label %enough, label %drop
drop:
  %following = load ptr, ptr %it
  call void @free(ptr %it)
  br label %chain
enough:
  %old = load ptr, ptr %arena
  %size_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 2
  %need_at = getelementptr inbounds %state, ptr %arena, i32 0, i32 3
  %size = load i64, ptr %size_at
  %need = load i64, ptr %need_at
  %most = load atomic i64, ptr @{KEPT} monotonic, align 8
  %less = icmp ult i64 %size, %need
  %may = icmp ule i64 %need, %most
  %grow = and i1 %less, %may
  br i1 %grow, label %larger, label %same
larger:
  call void @free(ptr %old)
  %new = call ptr @lines(i64 %need)
  %failed = icmp eq ptr %new, null
  br i1 %failed, label %done, label %sized
sized:
  store i64 %need, ptr %new
  br label %put
same:
  %keeps = icmp ule i64 %size, %most
  %is = icmp ne ptr %old, null
  %again = and i1 %keeps, %is
  br i1 %again, label %put, label %away
put:
  %block = phi ptr [ %new, %sized ], [ %old, %same ]
  br label %head
head:
  %k = phi i64 [ 1, %put ], [ %next, %more ]
  %place = getelementptr inbounds ptr, ptr @{KEPT}, i64 %k
  %tried = cmpxchg ptr %place, ptr null, ptr %block acq_rel monotonic
  %kept = extractvalue {{ptr, i1}} %tried, 1
  br i1 %kept, label %done, label %more
more:
  %next = add i64 %k, 1
  %last = icmp eq i64 %k, {FEW}
  br i1 %last, label %away, label %head
away:
  %unwanted = phi ptr [ %old, %same ], [ %block, %more ]
  call void @free(ptr %unwanted)
  br label %done
done:
  ret void
}}"""


def place(w: Writer) -> str:
    """Return a place for what a call knows of its block."""
    declare_memory(w.module)
    w.module.declared[KEPT] = f"@{KEPT} = external global [{FEW + 1} x ptr]"
    w.module.helpers |= {"state": STATE, "take": TAKE, "lend": LEND, "give": GIVE}
    return w.slot("%state")


def take(w: Writer, arena: str) -> None:
    """Take a block out, if there is one."""
    w.do(f"call void @take(ptr {arena})")


def give(w: Writer, arena: str) -> None:
    """Put a block back, and give up what was not in it."""
    w.do(f"call void @give(ptr {arena})")


def lent(w: Writer, dtype: Dtype, dims: Sequence[str], zero: bool) -> Buffer:
    """Return memory that nobody owns but the call; its data is null where there is none."""
    size = count_of(w, dims)
    flag = str(zero).lower()
    data = w.value(f"call noalias ptr @lend(ptr %arena, i64 {size}, i64 {dtype.itemsize}, i1 {flag})")
    return rows(w, dtype, data, dims)
