"""A call that several threads share: each runs a function for a part of a loop's trips.

The trips are cut into as many equal parts as there are threads, in their order. The caller runs the first
part, on the arrays themselves; each other thread has a record with the arguments of its part, and memory of
its own for sums and for arrays that trips use one after the other. When all have ended, the sums are added up
in the order of the parts, so that the result depends on the number of threads only. Of threads that raised,
the first in that order counts. A thread that cannot be had is no error: the caller runs its part.

Threads live as long as the call: nothing of them is left for a process that forks, and calls from several
threads of Python know nothing of each other."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Instr, Literal
from s2sad.ir.loops import SHARED, SUM
from s2sad.ir.types import F8, INT, Array, Dtype
from s2sad.machine import arrays
from s2sad.machine.arithmetic import arithmetic
from s2sad.machine.arrays import Buffer
from s2sad.machine.frame import Frame, Signature
from s2sad.machine.functions import intrinsic
from s2sad.machine.names import CREATE, JOIN, THREADS
from s2sad.machine.writer import Module, NotHere, Number, Writer, constant, kind_of
from s2sad.record import dataclass

LINE = 128  # bytes: what two threads write lies at least that far apart
COPIED = 4  # operations that a thread's own element takes: zeroed, added up

# a part's record, by places of 8 bytes: how it ended, its thread, which part it is, what all parts share;
# then its sums
STATUS, FAILURE, HANDLE, STARTED, PART, COMMON, RESULTS = range(7)

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
    array, and where its bytes, the other arrays and their distance are in what the parts share."""

    argument: int
    array: Buffer
    place: int
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
        self.starts = [sum(map(len, groups[:k])) for k in range(2, len(groups))]  # of what is carried
        self.sums = [k for k, r in enumerate(instr.results) if not isinstance(r.type, Array)]
        for r, place in zip(instr.results, signature.returned, strict=True):
            if isinstance(r.type, Array) and (place is None or r not in f.roots.same):
                raise NotHere("a loop of threads that ends with another array")
        if any(
            v.type.dtype.kind == "c" for v in (*instr.args, *instr.results) if not isinstance(v.type, Array)
        ):
            raise NotHere("complex numbers that are handed to threads")
        self.record = -(-8 * (RESULTS + len(self.sums)) // LINE) * LINE
        self.common: list[str] = []  # the arguments, how the trips are cut, the arrays that are not shared

    def write(self) -> None:
        f, w = self.f, self.w
        step = _step(self.instr.param("step"))
        lo, hi = (f.index(a) for a in self.instr.args[:2])
        count = _trips(w, lo, hi, step)
        threads = intrinsic(w, "smin", (_int(_setting(w, 0)), _int(count))).text
        others = w.value(f"sub i64 {threads}, 1")
        size, more = (w.value(f"{word} i64 {count}, {threads}") for word in ("udiv", "urem"))
        self.common += [f"i64 {lo}", *self.flat[1:], f"i64 {size}", f"i64 {more}"]
        own = self.copies(others)
        task = self.task(step, own)
        common = w.slot(f"[{len(self.common)} x i64]")
        for n, a in enumerate(self.common):
            w.do(f"store {a}, ptr {_cell(w, common, n)}")
        records = f.allocate(INT, [w.value(f"mul i64 {threads}, {self.record // 8}")]).data
        _declare_share(w.module)
        given = f"ptr @{task}, ptr {common}, ptr {records}, i64 {self.record}, i64 {threads}, ptr %failure"
        status = w.value(f"call i32 @share({given})")
        f.unless(w.value(f"icmp ne i32 {status}, 0"), lambda: f.fail(status))
        for x in own:
            if x.is_sum:
                length = arrays.count_of(w, x.array.dims)
                name = _add_up(w.module, x.array.dtype)
                places = f"ptr {x.array.data}, i64 {length}, ptr {x.copies}, i64 {x.stride}, i64 {others}"
                w.do(f"call void @{name}({places})")
        for n, slot in enumerate(self.sums):
            dtype = self.signature.types[slot].dtype
            place = f"ptr {_cell(w, records, RESULTS + n)}, i64 {self.record}, i64 {others}"
            total = w.value(f"call {kind_of(dtype)} @{_total(w.module, dtype)}({place})")
            f.env[self.instr.results[slot]] = Number(total, dtype)

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
            found.append(_Own(self.starts[k], x, len(self.common), copies, stride, kind == SUM))
            self.common += [f"i64 {size}", f"ptr {copies}", f"i64 {stride}"]
        return found

    def task(self, step: int, own: Sequence[_Own]) -> str:
        """Write the function that a thread runs, with its record, and return its name."""
        module = self.w.module
        w = Writer(module)
        part = w.value(f"load i64, ptr {_cell(w, '%record', PART)}")
        common = w.value(f"load ptr, ptr {_cell(w, '%record', COMMON)}")
        is_first = w.value(f"icmp eq i64 {part}, 0")

        def shared(n: int) -> str:
            kind = self.common[n].split(" ", 1)[0]
            return w.value(f"load {kind}, ptr {_cell(w, common, n)}")

        flat = [shared(n) for n in range(len(self.flat))]
        lo, size, more = flat[0], shared(len(self.flat)), shared(len(self.flat) + 1)
        following = w.value(f"add i64 {part}, 1")
        flat[0], flat[1] = (_bound(w, lo, step, size, more, k) for k in (part, following))
        for slot in self.sums:
            n, dtype = self.starts[slot], self.signature.types[slot].dtype
            kind, neutral = kind_of(dtype), constant(-0.0 if dtype.kind == "f" else 0, dtype).text
            flat[n] = w.value(f"select i1 {is_first}, {kind} {flat[n]}, {kind} {neutral}")
        module.declare("void", "llvm.memset.p0.i64", "ptr", "i8", "i64", "i1")
        for x in own:
            amount, copies, stride = (shared(x.place + n) for n in range(3))
            offset = w.value(f"mul i64 {w.value(f'sub i64 {part}, 1')}, {stride}")
            copy = w.value(f"getelementptr i8, ptr {copies}, i64 {offset}")
            data = w.value(f"select i1 {is_first}, ptr {flat[x.argument]}, ptr {copy}")
            cleared = w.value(f"select i1 {is_first}, i64 0, i64 {amount}")
            w.do(f"call void @llvm.memset.p0.i64(ptr {data}, i8 0, i64 {cleared}, i1 false)")
            flat[x.argument] = data
        given = [f"ptr {_cell(w, '%record', FAILURE)}", "ptr null", "ptr null", "ptr null"]
        given += [f"{a.split(' ', 1)[0]} {v}" for a, v in zip(self.flat, flat, strict=True)]
        given += [f"ptr {_cell(w, '%record', RESULTS + n)}" for n in range(len(self.sums))]
        status = w.value(f"call i32 @{self.signature.name}({', '.join(given)})")
        w.do(f"store i64 {w.value(f'zext i32 {status} to i64')}, ptr {_cell(w, '%record', STATUS)}")
        w.end("ret ptr null")
        name = f"task{len(module.functions)}_{self.signature.name}"
        head = f"define internal ptr @{name}(ptr %record) {module.attribute('noinline nounwind')} {{"
        module.functions.append(f"{head}\n{w.body()}\n}}")
        return name


def _cell(w: Writer, start: str, n: int) -> str:
    return w.value(f"getelementptr inbounds i8, ptr {start}, i64 {8 * n}")


def _bound(w: Writer, lo: str, step: int, size: str, more: str, k: str) -> str:
    """Return where part k begins: the first parts have one trip more where the parts are not equal."""
    extra = intrinsic(w, "smin", (_int(k), _int(more))).text
    trips = w.value(f"add i64 {w.value(f'mul i64 {size}, {k}')}, {extra}")
    return w.value(f"add i64 {lo}, {w.value(f'mul i64 {trips}, {step}')}")


def _behind(w: Writer, k: str) -> str:
    return w.value(f"add i64 {k}, 1")


# --- what all such calls have in common -----------------------------------------------------------


def _declare_share(module: Module) -> None:
    """Write the function that starts threads, waits for them, and returns how the first of them ended that
    failed."""
    if "share" in module.helpers:
        return
    w = Writer(module)
    module.declare("i32", CREATE, "ptr", "ptr", "ptr", "ptr")
    module.declare("i32", JOIN, "i64", "ptr")
    others = w.value("sub i64 %threads, 1")

    def record(k: str) -> str:
        return w.value(f"getelementptr inbounds i8, ptr %records, i64 {w.value(f'mul i64 {k}, %size')}")

    def fill(index: Sequence[str]) -> None:
        at = record(index[0])
        w.do(f"store i64 {index[0]}, ptr {_cell(w, at, PART)}")
        w.do(f"store ptr %common, ptr {_cell(w, at, COMMON)}")

    def start(index: Sequence[str]) -> None:
        at = record(_behind(w, index[0]))
        failed = w.value(f"call i32 @{CREATE}(ptr {_cell(w, at, HANDLE)}, ptr null, ptr %task, ptr {at})")
        w.do(f"store i64 {w.value(f'sext i32 {failed} to i64')}, ptr {_cell(w, at, STARTED)}")

    def wait(index: Sequence[str]) -> None:
        at = record(_behind(w, index[0]))
        alone, joined, done = w.block(), w.block(), w.block()
        failed = w.value(f"load i64, ptr {_cell(w, at, STARTED)}")
        w.branch(w.value(f"icmp eq i64 {failed}, 0"), joined, alone)
        w.begin(joined)
        handle = w.value(f"load i64, ptr {_cell(w, at, HANDLE)}")
        w.do(f"call i32 @{JOIN}(i64 {handle}, ptr null)")
        w.jump(done)
        w.begin(alone)
        w.do(f"call ptr %task(ptr {at})")
        w.jump(done)
        w.begin(done)

    status = w.slot("i64")
    w.do(f"store i64 0, ptr {status}")

    def look(index: Sequence[str]) -> None:
        at = record(index[0])
        take, done = w.block(), w.block()
        w.branch(w.value(f"icmp eq i64 {w.value(f'load i64, ptr {status}')}, 0"), take, done)
        w.begin(take)
        for n, to in ((STATUS, status), (FAILURE, "%failure")):
            w.do(f"store i64 {w.value(f'load i64, ptr {_cell(w, at, n)}')}, ptr {to}")
        w.jump(done)
        w.begin(done)

    arrays.nest(w, ["%threads"], (), fill)
    arrays.nest(w, [others], (), start)
    w.do("call ptr %task(ptr %records)")
    arrays.nest(w, [others], (), wait)
    arrays.nest(w, ["%threads"], (), look)
    found = w.value(f"load i64, ptr {status}")
    w.end(f"ret i32 {w.value(f'trunc i64 {found} to i32')}")
    params = "ptr %task, ptr %common, ptr %records, i64 %size, i64 %threads, ptr %failure"
    module.helpers["share"] = f"define internal i32 @share({params}) noinline nounwind {{\n{w.body()}\n}}"


def _add_up(module: Module, dtype: Dtype) -> str:
    """Write the function that adds the arrays of the other threads to that of the first; return its name."""
    name = f"add_up_{dtype.name}"
    w = Writer(module)

    def add(index: Sequence[str]) -> None:
        offset = w.value(f"mul i64 {index[0]}, %stride")
        part = w.value(f"getelementptr inbounds i8, ptr %copies, i64 {offset}")
        x, y = (Buffer(dtype, data, ("%count",), ("1",), in_rows=True) for data in ("%data", part))

        def one(place: Sequence[str]) -> None:
            arrays.store(w, x, place, _added(w, *(arrays.load(w, a, place) for a in (x, y))))

        arrays.nest(w, ["%count"], (), one)

    if name not in module.helpers:
        arrays.nest(w, ["%others"], (), add)
        w.end("ret void")
        params = "ptr noalias %data, i64 %count, ptr noalias %copies, i64 %stride, i64 %others"
        head = f"define internal void @{name}({params}) noinline nounwind {{"
        module.helpers[name] = f"{head}\n{w.body()}\n}}"
    return name


def _total(module: Module, dtype: Dtype) -> str:
    """Write the function that adds up the numbers at one place of all records; return its name."""
    kind = kind_of(dtype)
    name = f"total_{dtype.name}"
    w = Writer(module)
    place = w.slot(kind)

    def add(index: Sequence[str]) -> None:
        offset = w.value(f"mul i64 {_behind(w, index[0])}, %size")
        at = w.value(f"getelementptr inbounds i8, ptr %first, i64 {offset}")
        numbers = [Number(arrays.load_from(w, p, dtype), dtype) for p in (place, at)]
        arrays.store_at(w, place, _added(w, *numbers))

    if name not in module.helpers:
        arrays.store_at(w, place, Number(arrays.load_from(w, "%first", dtype), dtype))
        arrays.nest(w, ["%others"], (), add)
        w.end(f"ret {kind} {arrays.load_from(w, place, dtype)}")
        head = f"define internal {kind} @{name}(ptr %first, i64 %size, i64 %others) noinline nounwind {{"
        module.helpers[name] = f"{head}\n{w.body()}\n}}"
    return name


def _added(w: Writer, a: Number, b: Number) -> Number:
    return arithmetic(w, "rounded_add", (a, b), a.dtype)
