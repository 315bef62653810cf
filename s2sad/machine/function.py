"""A lowered function as a function of LLVM: control flow, calls, and who gives memory up."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import INDEPENDENT, MARK
from s2sad.ir.types import INT, Array, Opaque
from s2sad.machine import arrays, storage, threads
from s2sad.machine.arithmetic import compare
from s2sad.machine.arrays import Buffer
from s2sad.machine.conversions import convert, truth
from s2sad.machine.frame import UNLIKELY, Found, Frame, Loop, Place, Program, Scope, Signature, cells
from s2sad.machine.roots import returned_params, roots_of
from s2sad.machine.writer import NotHere, Number, constant, kind_of
from s2sad.record import replace

HIDDEN = "ptr %failure, ptr %library, ptr %thread, ptr %arena"


def emit(
    program: Program, fn: Function, layouts: Sequence[str], apart: bool = False, once: bool = True
) -> Signature:
    """Write a function whose arrays lie in memory as `layouts` say; `apart`: no two overlap; `once`: where it
    is called is no loop."""
    if (fn, once) not in program.named:
        name = f"f{len(program.named)}_{''.join(c for c in fn.name if c.isascii())}"
        roots = roots_of(fn)
        signature = Signature(name, returned_params(fn, roots), fn.result_types, tuple(layouts))
        program.named[fn, once] = signature
        _Emitter(program, fn, roots, signature, once).emit(layouts, apart)
    return program.named[fn, once]


class _Emitter(Frame):
    # -- the function ------------------------------------------------------------------------------
    def emit(self, layouts: Sequence[str], apart: bool) -> None:
        params = [HIDDEN]
        self.apart = apart
        for k, (p, layout) in enumerate(zip(self.fn.params, layouts, strict=True)):
            params += self.parameter(k, p, layout)
        for k, place in enumerate(self.signature.returned):
            if place is None:
                params.append(f"ptr noalias %r{k}")
        self.scopes.append(Scope())
        self.block(self.fn.block)
        attributes = self.w.module.attribute("noinline nounwind" if apart else "nounwind")
        head = f"define internal i32 @{self.signature.name}({', '.join(params)}) {attributes} {{"
        self.w.module.functions.append(f"{head}\n{self.w.body()}\n}}")

    def parameter(self, k: int, p: Value, layout: str) -> list[str]:
        t = p.type
        if isinstance(t, Opaque):
            raise NotHere("opaque arguments")
        if not isinstance(t, Array):
            self.env[p] = Number(f"%p{k}", t.dtype)
            return [f"{kind_of(t.dtype)} %p{k}"]
        kind_of(t.dtype)
        dims = tuple(f"%p{k}.n{d}" for d in range(t.ndim))
        self.natural |= set(dims)
        sizes = [f"i64 {n}" for n in dims]
        apart = "noalias " if self.apart else ""
        head = [f"ptr {apart}%p{k}", *sizes]
        match layout:
            case "C":
                self.env[p] = arrays.rows(self.w, t.dtype, f"%p{k}", dims)
                return head
            case "F":
                turned = tuple(reversed(arrays.strides_of(self.w, tuple(reversed(dims)))))
                self.env[p] = Buffer(t.dtype, f"%p{k}", dims, turned)
                return head
        strides = tuple(f"%p{k}.s{d}" for d in range(t.ndim))
        self.env[p] = Buffer(t.dtype, f"%p{k}", dims, strides, by_bytes=True, aligned=layout == "A")
        return [*head, *(f"i64 {s}" for s in strides)]

    # -- blocks ------------------------------------------------------------------------------------
    def block(self, block: Block) -> None:
        for instr in block.instrs:
            self.instr(instr)
        self.end(block.end)

    def end(self, end: End) -> None:
        params = dict(end.params)
        match end.kind:
            case "raise":
                parts = params["message"]
                if not all(isinstance(p, str) for p in parts):
                    raise NotHere("messages with values")
                self.raise_(params["exception"], "".join(parts))
            case "unreachable":
                self.w.end("unreachable")
            case "return":
                self.finish(end)
            case "break" | "continue":
                loop = self.loops[-1]
                self.hand_on(loop.places, end.args, loop.depth)
                self.w.jump(loop.out if end.kind == "break" else loop.next)

    def finish(self, end: End) -> None:
        moved: list[str] = []
        for k, (a, place) in enumerate(zip(end.args, self.signature.returned, strict=True)):
            t = self.signature.types[k]
            if place is not None:
                continue
            if not isinstance(t, Array):
                arrays.store_at(self.w, f"%r{k}", convert(self.w, self.number(a), t.dtype))
                continue
            x = self.array(a)
            is_new = x.owner == x.data and x.in_rows and (x.owner, False) in self.scopes[0].owners
            if not is_new or x.owner in moved:
                self.check_alone(k, x, end)
                fresh = self.allocate(x.dtype, x.dims)
                arrays.copied(self.w, x, fresh)
                self.scopes[-1].owners.pop()
                x = fresh
            moved.append(x.data)
            self.w.do(f"store ptr {x.data}, ptr %r{k}")
            for d, n in enumerate(x.dims):
                at = self.w.value(f"getelementptr inbounds i8, ptr %r{k}, i64 {8 * (d + 1)}")
                self.w.do(f"store i64 {n}, ptr {at}")
        self.give_up(0, kept=moved)
        self.w.end("ret i32 0")

    def check_alone(self, k: int, x: Buffer, end: End) -> None:
        """Refuse to copy a result that shares memory with a parameter or, maybe, with another result: without
        jit it would be changed together with that."""
        if self.fn.extra.get("fresh_results"):
            return
        places = zip(end.args, self.signature.returned, strict=True)
        others = [
            self.array(a)
            for j, (a, place) in enumerate(places)
            if j != k and place is None and isinstance(a.type, Array)
        ]
        if not x.owner or any(o.owner == x.owner or (o.counted and x.counted) for o in others):
            raise NotHere("a result that is part of something else")

    # -- instructions ------------------------------------------------------------------------------
    def instr(self, instr: Instr) -> None:
        match instr.op.name:
            case "if":
                self.branch(instr)
            case "for":
                self.counted_loop(instr)
            case "while":
                self.while_loop(instr)
            case "call":
                self.call(instr)
            case "copy" if isinstance(instr.result.type, Array):
                storage.copy_of(self, instr)
            case "worth_threads":
                threads.worth_threads(self, instr)
            case name:
                storage.WRITERS.get(name, storage.call_or_compute)(self, instr)

    # -- branches and loops ------------------------------------------------------------------------
    def places(self, results: Sequence[Value]) -> list[Place]:
        """Return places for values that differ by path."""
        found: list[Place] = []
        for r in results:
            t = r.type
            if not isinstance(t, Array):
                found.append(Place(t, number=self.w.slot(kind_of(t.dtype))))
            elif r in self.roots.same:
                found.append(Place(t))
            else:
                kind_of(t.dtype)
                dims = tuple(self.w.slot("i64") for _ in range(t.ndim))
                found.append(Place(t, data=self.w.slot("ptr"), dims=dims, owner=self.w.slot("ptr")))
        return found

    def put(self, places: Sequence[Place], values: Sequence[Found | None]) -> None:
        for place, v in zip(places, values, strict=True):
            if isinstance(v, Number):
                new = convert(self.w, v, place.type.dtype)
                self.w.do(f"store {kind_of(new.dtype)} {new.text}, ptr {place.number}")
            elif v is not None:
                self.w.do(f"store ptr {v.data}, ptr {place.data}")
                self.w.do(f"store ptr {v.owner or 'null'}, ptr {place.owner}")
                for n, at in zip(v.dims, place.dims, strict=True):
                    self.w.do(f"store i64 {n}, ptr {at}")

    def values(self, places: Sequence[Place], args: Sequence[Operand]) -> list[Found | None]:
        """Return what is put into places; arrays there get one more owner."""
        found: list[Found | None] = []
        for place, a in zip(places, args, strict=True):
            if place.number:
                found.append(self.number(a))
            elif not place.data:
                found.append(None)
            else:
                x = self.array(a)
                if not x.in_rows:
                    raise NotHere("views that differ by path")
                arrays.retain(self.w, x)
                found.append(x)
        return found

    def take(self, places: Sequence[Place], names: Sequence[Value]) -> None:
        """Define names by what is in places."""
        for place, name in zip(places, names, strict=True):
            if place.number:
                kind = kind_of(place.type.dtype)
                self.env[name] = Number(self.w.value(f"load {kind}, ptr {place.number}"), place.type.dtype)
            elif place.data:
                dims = [self.w.value(f"load i64, ptr {at}") for at in place.dims]
                self.natural |= set(dims)
                data, owner = (self.w.value(f"load ptr, ptr {at}") for at in (place.data, place.owner))
                made = arrays.rows(self.w, place.type.dtype, data, dims)
                self.env[name] = replace(made, owner=owner, counted=True)

    def own(self, places: Sequence[Place], names: Sequence[Value]) -> None:
        """Take what is in places, and own it from here on."""
        self.take(places, names)
        for place, name in zip(places, names, strict=True):
            if place.data:
                self.scopes[-1].owners.append((self.array(name).owner, True))

    def hand_on(self, places: Sequence[Place], args: Sequence[Operand], depth: int) -> None:
        """End a trip: the next one, or what follows the loop, gets these values."""
        values = self.values(places, args)
        for place in places:
            if place.data:
                arrays.release(self.w, self.w.value(f"load ptr, ptr {place.owner}"), counted=True)
        self.give_up(depth)
        self.put(places, values)

    def branch(self, instr: Instr) -> None:
        w = self.w
        places = self.places(instr.results)
        condition = truth(w, self.number(instr.args[0]))
        yes, no, after = w.block(), w.block(), w.block()
        leaves = [b.end.kind == "raise" for b in instr.blocks]
        w.branch(condition, yes, no, UNLIKELY if leaves == [True, False] else "")
        for name, block in zip((yes, no), instr.blocks, strict=True):
            w.begin(name)
            self.scopes.append(Scope())
            natural = set(self.natural)
            self.block(block)
            if block.end.kind == "yield":
                values = self.values(places, block.end.args)
                self.give_up(len(self.scopes) - 1)
                self.put(places, values)
                w.jump(after)
            self.natural = natural
            self.scopes.pop()
        w.begin(after)
        self.own(places, instr.results)

    def counted_loop(self, instr: Instr) -> None:
        w = self.w
        lo, hi, step = instr.args[:3]
        (body,) = instr.blocks
        counter = w.slot("i64")
        first, last, by = self.index(lo), Number(self.index(hi), INT), Number(self.index(step), INT)
        w.do(f"store i64 {first}, ptr {counter}")
        places = self.start(instr, instr.args[3:])
        head, inside, following, out = (w.block() for _ in range(4))
        w.begin(head)
        i = Number(w.value(f"load i64, ptr {counter}"), INT)
        w.branch(self.has_more(i, last, by, step), inside, out)
        w.begin(inside)
        self.env[body.params[0]] = i
        how = ""
        if instr.param(INDEPENDENT) and self.apart:
            w.group, how = w.module.independent_loop()
        self.trip(places, body, body.params[1:], following, out)
        w.group = ""
        w.begin(following)
        w.do(f"store i64 {w.value(f'add nsw i64 {i.text}, {by.text}')}, ptr {counter}")
        w.jump(head, how)
        self.after(places, instr, out)

    def has_more(self, i: Number, last: Number, by: Number, step: Operand) -> str:
        """Return whether a counter has not come to its end yet, by steps whose sign may show only now."""
        if isinstance(step, Literal):
            return compare(self.w, "less" if step.value.real > 0 else "greater", (i, last))
        is_up = compare(self.w, "greater", (by, constant(0, INT)))
        below, above = (compare(self.w, name, (i, last)) for name in ("less", "greater"))
        return self.w.value(f"select i1 {is_up}, i1 {below}, i1 {above}")

    def while_loop(self, instr: Instr) -> None:
        w = self.w
        test, body = instr.blocks
        places = self.start(instr, instr.args)
        head, inside, out = (w.block() for _ in range(3))
        w.begin(head)
        self.take(places, test.params)
        self.scopes.append(Scope())
        for inner in test.instrs:
            self.instr(inner)
        holds = truth(w, self.number(test.end.args[0]))
        self.give_up(len(self.scopes) - 1)
        self.scopes.pop()
        w.branch(holds, inside, out)
        w.begin(inside)
        self.trip(places, body, body.params, head, out)
        self.after(places, instr, out)

    def start(self, instr: Instr, inits: Sequence[Operand]) -> list[Place]:
        places = self.places(instr.results)
        self.put(places, self.values(places, inits))
        self.scopes.append(Scope(places=[p.owner for p in places if p.data], repeats=True))
        return places

    def trip(
        self, places: list[Place], body: Block, params: Sequence[Value], following: str, out: str
    ) -> None:
        self.take(places, params)
        natural = set(self.natural)
        self.loops.append(Loop(places, following, out, len(self.scopes)))
        self.scopes.append(Scope())
        self.block(body)
        if body.end.kind == "yield":
            self.hand_on(places, body.end.args, self.loops[-1].depth)
            self.w.jump(following)
        self.scopes.pop()
        self.loops.pop()
        self.natural = natural

    def after(self, places: list[Place], instr: Instr, out: str) -> None:
        self.w.begin(out)
        self.scopes.pop()
        self.own(places, instr.results)

    # -- calls -------------------------------------------------------------------------------------
    def call(self, instr: Instr) -> None:
        callee: Function = instr.param("callee")
        kinds = instr.param(MARK)
        apart = any(i.op.name == "stay_apart" for i in callee.block.instrs)
        layouts: list[str] = []
        groups: list[list[str]] = []
        for p, a in zip(callee.params, instr.args, strict=True):
            if not isinstance(p.type, Array):
                layouts.append("")
                n = convert(self.w, self.number(a), p.type.dtype)
                groups.append([f"{kind_of(n.dtype)} {n.text}"])
                continue
            layout, passed = self.passed(self.array(a))
            layouts.append(layout)
            groups.append(passed)
        signature = emit(self.program, callee, layouts, apart, self.runs_once() and kinds is None)
        if signature.layouts != tuple(layouts):
            raise NotHere("a function that is called with arrays of more than one layout")
        if kinds is not None and not instr.param("alone"):
            threads.shared_call(self, instr, kinds, signature, groups)
            return
        given = [*HIDDEN.split(", "), *(a for group in groups for a in group)]
        results: list[str] = []
        for t, place in zip(signature.types, signature.returned, strict=True):
            results.append(self.w.slot(f"[{cells(t)} x i64]") if place is None else "")
        given += [f"ptr {r}" for r in results if r]
        status = self.w.value(f"call i32 @{signature.name}({', '.join(given)})")
        self.unless(self.w.value(f"icmp ne i32 {status}, 0"), lambda: self.fail(status))
        for r, name, t in zip(results, instr.results, signature.types, strict=True):
            if r and isinstance(t, Array):
                self.env[name] = self.received(name, t, r)
            elif r:
                n = Number(arrays.load_from(self.w, r, t.dtype), t.dtype)
                self.env[name] = convert(self.w, n, name.type.dtype)

    def passed(self, x: Buffer) -> tuple[str, list[str]]:
        head = [f"ptr {x.data}", *(f"i64 {n}" for n in x.dims)]
        if x.in_rows and x.aligned:
            return "C", head
        strides = x.strides
        if not x.by_bytes:
            strides = tuple(self.w.value(f"mul i64 {s}, {x.dtype.itemsize}") for s in strides)
        return "A" if x.aligned else "U", head + [f"i64 {s}" for s in strides]

    def received(self, name: Value, t: Array, place: str) -> Buffer:
        """Return a new array that a call has left: its data, then its sizes. Where owners are counted, it is
        copied to memory that has a count."""
        data = self.w.value(f"load ptr, ptr {place}")
        dims = []
        for d in range(t.ndim):
            at = self.w.value(f"getelementptr inbounds i8, ptr {place}, i64 {8 * (d + 1)}")
            dims.append(self.w.value(f"load i64, ptr {at}"))
        self.natural |= set(dims)
        found = arrays.rows(self.w, t.dtype, data, dims)
        if name in self.roots.counted:
            made = self.allocate(t.dtype, dims, counted=True)
            arrays.copied(self.w, found, made)
            arrays.release(self.w, data, counted=False)
            return made
        self.scopes[-1].owners.append((data, False))
        return replace(found, owner=data)
