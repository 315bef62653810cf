"""A call that several threads share: each runs a function for a part of a loop's trips.

The trips are cut into as many equal parts as there are threads, in their order. The caller runs the first
part, on the arrays themselves; each other thread has a record with the arguments of its part, and memory of
its own for sums and for arrays that trips use one after the other. When all have ended, the sums are added up
in the order of the parts, so that the result depends on the number of threads only. Of threads that raised,
the first in that order counts. A thread that cannot be had is no error: the caller runs its part.

Threads live as long as the call: nothing of them is left for a process that forks, and calls from several
threads of Python know nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from s2sad.ir.core import Instr, Literal
from s2sad.ir.loops import SHARED, SUM
from s2sad.ir.types import F8, INT, Array, Dtype
from s2sad.machine import arrays
from s2sad.machine.arrays import Buffer
from s2sad.machine.frame import Frame, Signature
from s2sad.machine.functions import intrinsic
from s2sad.machine.writer import NotHere, Number, Writer, constant, kind_of

THREADS = "s2sad.threads"  # how many there are, and the least work for them, in operations
CREATE, JOIN = "pthread_create", "pthread_join"
LINE = 128  # bytes: what two threads write lies at least that far apart
STATUS, FAILURE, HANDLE, STARTED, PART, ARGUMENTS = range(6)  # the places in a record
COPIED = 4  # operations that a thread's copy of an element takes: zeroed, added up

Groups = Sequence[Sequence[str]]


def worth_threads(f: Frame, instr: Instr) -> None:
    """Return whether a loop has so much to do that threads are worth their while."""
    w = f.w
    lo, hi, step, cost, *copied = instr.args
    count = _trips(f.w, f.index(lo), f.index(hi), _step(step))
    threads, least = _setting(w, 0), _double(w, _setting(w, 1))
    for x in copied:
        size = w.value(
            f"fmul double {_double(w, arrays.count_of(w, f.array(x).dims))}, {_double(w, threads)}"
        )
        copies = w.value(f"fmul double {size}, {constant(float(COPIED), F8).text}")
        least = w.value(f"fadd double {least}, {copies}")
    work = w.value(f"fmul double {_double(w, count)}, {_double(w, f.index(cost))}")
    much = w.value(f"fcmp oge double {work}, {least}")
    several = w.value(f"icmp sgt i64 {intrinsic(w, 'smin', (_int(threads), _int(count))).text}, 1")
    f.env[instr.result] = Number(w.value(f"and i1 {much}, {several}"), instr.result.type.dtype)


def _int(text: str) -> Number:
    return Number(text, INT)


def _double(w: Writer, n: str) -> str:
    return w.value(f"sitofp i64 {n} to double")


def _setting(w: Writer, k: int) -> str:
    w.module.declared.setdefault(THREADS, f"@{THREADS} = external global [2 x i64]")
    return w.value(f"load i64, ptr getelementptr inbounds (i8, ptr @{THREADS}, i64 {8 * k})")


def _step(step: object) -> int:
    if not isinstance(step, Literal) or not step.value:
        raise NotHere("a loop whose step is not known")
    return int(step.value.real)


def _trips(w: Writer, lo: str, hi: str, step: int) -> str:
    """Return the number of trips of a loop."""
    first, last = (lo, hi) if step > 0 else (hi, lo)
    n = w.value(f"sub i64 {last}, {first}")
    if abs(step) > 1:
        n = w.value(f"sdiv i64 {w.value(f'add i64 {n}, {abs(step) - 1}')}, {abs(step)}")
    return intrinsic(w, "smax", (_int(n), constant(0, INT))).text


@dataclass(frozen=True, slots=True)
class _Own:
    """An array of which each thread but the first has its own: where it is among the flat arguments, the
    array, its bytes, and the others with their distance."""

    argument: int
    array: Buffer
    bytes: str
    copies: str
    stride: str
    is_sum: bool


def shared_call(f: Frame, instr: Instr, kinds: Sequence[str], signature: Signature, groups: Groups) -> None:
    """Write the call of a function for the trips of a loop, in parts. `groups` has what is passed for each
    parameter; `kinds` what is done with what the loop carries."""
    _Shared(f, instr, kinds, signature, groups).write()


class _Shared:
    def __init__(
        self, f: Frame, instr: Instr, kinds: Sequence[str], signature: Signature, groups: Groups
    ) -> None:
        self.f, self.w, self.instr, self.kinds, self.signature = f, f.w, instr, kinds, signature
        self.flat = [a for group in groups for a in group]
        starts = [sum(map(len, groups[:k])) for k in range(len(groups))]
        self.starts = starts[2:]  # of what is carried
        self.sums = [  # scalars: the slot, and its place among them
            k for k, r in enumerate(instr.results) if not isinstance(r.type, Array)
        ]
        for r, place in zip(instr.results, signature.returned, strict=True):
            if isinstance(r.type, Array) and (place is None or r not in f.roots.same):
                raise NotHere("a loop of threads that ends with another array")
        self.results = ARGUMENTS + len(self.flat)  # where these are in a record
        self.sizes = self.results + len(self.sums)
        carried = zip(instr.results, kinds, strict=True)
        own = sum(isinstance(r.type, Array) and kind != SHARED for r, kind in carried)
        self.record = -(-8 * (self.sizes + own) // LINE) * LINE

    def write(self) -> None:
        f, w = self.f, self.w
        step = _step(self.instr.param("step"))
        lo = f.index(self.instr.args[0])
        count = _trips(w, lo, f.index(self.instr.args[1]), step)
        threads = intrinsic(w, "smin", (_int(_setting(w, 0)), _int(count))).text
        others = w.value(f"sub i64 {threads}, 1")
        cells = w.value(f"mul i64 {threads}, {self.record // 8}")
        records = f.allocate(INT, [cells]).data
        own = self.copies(others)
        task = self.task(own)

        def at(k: str, cell: int) -> str:
            offset = w.value(f"mul i64 {k}, {self.record}")
            record = w.value(f"getelementptr inbounds i8, ptr {records}, i64 {offset}")
            return w.value(f"getelementptr inbounds i8, ptr {record}, i64 {8 * cell}")

        size, more = (w.value(f"{word} i64 {count}, {threads}") for word in ("udiv", "urem"))

        def fill(index: Sequence[str]) -> None:
            (k,) = index
            start, end = (self.bound(lo, step, size, more, c) for c in (k, w.value(f"add i64 {k}, 1")))
            self.fill(k, start, end, own, at)

        arrays.nest(w, [threads], (), fill)
        w.module.declare("i32", CREATE, "ptr", "ptr", "ptr", "ptr")
        w.module.declare("i32", JOIN, "i64", "ptr")

        def start(index: Sequence[str]) -> None:
            k = w.value(f"add i64 {index[0]}, 1")
            given = f"ptr {at(k, HANDLE)}, ptr null, ptr @{task}, ptr {at(k, STATUS)}"
            failed = w.value(f"call i32 @{CREATE}({given})")
            started = w.value(f"icmp eq i32 {failed}, 0")
            w.do(f"store i64 {w.value(f'zext i1 {started} to i64')}, ptr {at(k, STARTED)}")

        arrays.nest(w, [others], (), start)
        w.do(f"call ptr @{task}(ptr {at('0', STATUS)})")

        def wait(index: Sequence[str]) -> None:
            k = w.value(f"add i64 {index[0]}, 1")
            alone, joined, done = w.block(), w.block(), w.block()
            started = w.value(f"load i64, ptr {at(k, STARTED)}")
            w.branch(w.value(f"icmp ne i64 {started}, 0"), joined, alone)
            w.begin(joined)
            w.do(f"call i32 @{JOIN}(i64 {w.value(f'load i64, ptr {at(k, HANDLE)}')}, ptr null)")
            w.jump(done)
            w.begin(alone)
            w.do(f"call ptr @{task}(ptr {at(k, STATUS)})")
            w.jump(done)
            w.begin(done)

        arrays.nest(w, [others], (), wait)
        self.check(threads, at)
        for x in own:
            if x.is_sum:
                self.add_up(x, others)
        for n, slot in enumerate(self.sums):
            self.f.env[self.instr.results[slot]] = self.total(slot, n, others, at)

    def bound(self, lo: str, step: int, size: str, more: str, k: str) -> str:
        """Return where part k begins: the first parts have one trip more where the parts are not equal."""
        w = self.w
        extra = intrinsic(w, "smin", (_int(k), _int(more))).text
        trips = w.value(f"add i64 {w.value(f'mul i64 {size}, {k}')}, {extra}")
        return w.value(f"add i64 {lo}, {w.value(f'mul i64 {trips}, {step}')}")

    def copies(self, others: str) -> list[_Own]:
        """Return the arrays that threads have their own of, with memory for them."""
        f, w = self.f, self.w
        found: list[_Own] = []
        for k, (r, kind) in enumerate(zip(self.instr.results, self.kinds, strict=True)):
            if not isinstance(r.type, Array) or kind == SHARED:
                continue
            x = f.array(self.instr.args[2 + k])
            if not x.in_rows or not x.aligned:
                raise NotHere("sums of threads in an array with gaps")
            size = w.value(f"mul i64 {arrays.count_of(w, x.dims)}, {x.dtype.itemsize}")
            stride = w.value(f"and i64 {w.value(f'add i64 {size}, {2 * LINE - 1}')}, {-LINE}")
            cells = w.value(f"lshr i64 {w.value(f'mul i64 {stride}, {others}')}, 3")
            copies = f.allocate(INT, [cells]).data
            found.append(_Own(self.starts[k], x, size, copies, stride, kind == SUM))
        return found

    def fill(self, k: str, start: str, end: str, own: Sequence[_Own], at: Callable[[str, int], str]) -> None:
        """Write the record of part k."""
        w = self.w
        is_first = w.value(f"icmp eq i64 {k}, 0")
        flat = list(self.flat)
        flat[0], flat[1] = f"i64 {start}", f"i64 {end}"
        for slot in self.sums:
            kind, text = flat[self.starts[slot]].split(" ", 1)
            neutral = _neutral(self.signature.types[slot].dtype)
            flat[self.starts[slot]] = (
                f"{kind} {w.value(f'select i1 {is_first}, {kind} {text}, {kind} {neutral}')}"
            )
        for n, x in enumerate(own):
            offset = w.value(f"mul i64 {w.value(f'sub i64 {k}, 1')}, {x.stride}")
            copy = w.value(f"getelementptr i8, ptr {x.copies}, i64 {offset}")
            flat[x.argument] = f"ptr {w.value(f'select i1 {is_first}, ptr {x.array.data}, ptr {copy}')}"
            w.do(f"store i64 {x.bytes}, ptr {at(k, self.sizes + n)}")
        w.do(f"store i64 {k}, ptr {at(k, PART)}")
        for n, a in enumerate(flat):
            w.do(f"store {a}, ptr {at(k, ARGUMENTS + n)}")

    def task(self, own: Sequence[_Own]) -> str:
        """Write the function that a thread runs, with its record, and return its name."""
        module = self.w.module
        w = Writer(module)

        def cell(k: int) -> str:
            return w.value(f"getelementptr inbounds i8, ptr %record, i64 {8 * k}")

        zero, call = w.block(), w.block()
        part = w.value(f"load i64, ptr {cell(PART)}")
        w.branch(w.value(f"icmp eq i64 {part}, 0"), call, zero)
        w.begin(zero)
        module.declare("void", "llvm.memset.p0.i64", "ptr", "i8", "i64", "i1")
        for n, x in enumerate(own):
            data = w.value(f"load ptr, ptr {cell(ARGUMENTS + x.argument)}")
            size = w.value(f"load i64, ptr {cell(self.sizes + n)}")
            w.do(f"call void @llvm.memset.p0.i64(ptr {data}, i8 0, i64 {size}, i1 false)")
        w.jump(call)
        w.begin(call)
        given = [f"ptr {cell(FAILURE)}", "ptr null", "ptr null", "ptr null"]
        for n, a in enumerate(self.flat):
            kind = a.split(" ", 1)[0]
            given.append(f"{kind} {w.value(f'load {kind}, ptr {cell(ARGUMENTS + n)}')}")
        given += [f"ptr {cell(self.results + n)}" for n in range(len(self.sums))]
        status = w.value(f"call i32 @{self.signature.name}({', '.join(given)})")
        w.do(f"store i64 {w.value(f'zext i32 {status} to i64')}, ptr {cell(STATUS)}")
        w.end("ret ptr null")
        name = f"task{len(module.functions)}_{self.signature.name}"
        head = f"define internal ptr @{name}(ptr %record) {module.attribute('noinline nounwind')} {{"
        module.functions.append(f"{head}\n{w.body()}\n}}")
        return name

    def check(self, threads: str, at: Callable[[str, int], str]) -> None:
        """Leave as the first part did that failed."""
        w = self.w
        status, failure = w.slot("i64"), w.slot("i64")
        w.do(f"store i64 0, ptr {status}")
        w.do(f"store i64 0, ptr {failure}")

        def look(index: Sequence[str]) -> None:
            (k,) = index
            seen = w.value(f"load i64, ptr {status}")
            take, done = w.block(), w.block()
            w.branch(w.value(f"icmp eq i64 {seen}, 0"), take, done)
            w.begin(take)
            for cell, to in ((STATUS, status), (FAILURE, failure)):
                w.do(f"store i64 {w.value(f'load i64, ptr {at(k, cell)}')}, ptr {to}")
            w.jump(done)
            w.begin(done)

        arrays.nest(w, [threads], (), look)
        found = w.value(f"trunc i64 {w.value(f'load i64, ptr {status}')} to i32")

        def leave() -> None:
            w.do(f"store i64 {w.value(f'load i64, ptr {failure}')}, ptr %failure")
            self.f.fail(found)

        self.f.unless(w.value(f"icmp ne i32 {found}, 0"), leave)

    def add_up(self, x: _Own, others: str) -> None:
        """Add the sums of the other threads to an array."""
        w = self.w
        count = arrays.count_of(w, x.array.dims)
        line = replace(x.array, dims=(count,), strides=("1",))

        def add(index: Sequence[str]) -> None:
            offset = w.value(f"mul i64 {index[0]}, {x.stride}")
            part = replace(line, data=w.value(f"getelementptr inbounds i8, ptr {x.copies}, i64 {offset}"))

            def one(place: Sequence[str]) -> None:
                sum_of = [arrays.load(w, a, place) for a in (line, part)]
                arrays.store(w, line, place, _added(w, *sum_of))

            arrays.nest(w, [count], (), one)

        arrays.nest(w, [others], (), add)

    def total(self, slot: int, n: int, others: str, at: Callable[[str, int], str]) -> Number:
        """Return the sum of a scalar over the parts."""
        w = self.w
        dtype = self.signature.types[slot].dtype
        place = w.slot(kind_of(dtype))

        def part(k: str) -> Number:
            return Number(arrays.load_from(w, at(k, self.results + n), dtype), dtype)

        arrays.store_at(w, place, part("0"))

        def add(index: Sequence[str]) -> None:
            before = Number(arrays.load_from(w, place, dtype), dtype)
            arrays.store_at(w, place, _added(w, before, part(w.value(f"add i64 {index[0]}, 1"))))

        arrays.nest(w, [others], (), add)
        return Number(arrays.load_from(w, place, dtype), dtype)


def _neutral(dtype: Dtype) -> str:
    return constant(-0.0 if dtype.kind == "f" else 0, dtype).text


def _added(w: Writer, a: Number, b: Number) -> Number:
    word = "fadd" if a.dtype.kind == "f" else "add"
    return Number(w.value(f"{word} {kind_of(a.dtype)} {a.text}, {b.text}"), a.dtype)
