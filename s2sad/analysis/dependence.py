"""Which elements of an argument each element of a result may depend on: an abstract run at given arguments.

The program runs on numbers, so that its branches, trips and indices are those of this point; beside each
float stands a label, the number of the set of argument elements that its derivative may involve.
Functions must be bufferized: writes happen in place, on labels as on numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from s2sad.ir import path as paths
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.interp import render_message
from s2sad.ir.op import Kind
from s2sad.ir.types import is_differentiable

NOTHING = 0  # the label of the empty set

# linear ops that only move elements, or fill up with zeros: they do with labels what they do with numbers
MOVES = {
    "getitem", "triu", "tril", "roll", "repeat", "tile", "pad", "diagonal", "diag_embed", "copy", "array0",
    "broadcast_to", "broadcast_like", "reshape", "reshape_like", "concatenate", "stack", "item0", "array_of",
}  # fmt: skip
SAME = {"cast", "to_float", "to_complex", "real", "imag", "conjugate"}
RUNNING = {"cumsum", "cumprod", "cummax", "cummin"}
BY_ELEMENT = {"where", "where0", "phase", "math_ldexp"}


class Sets:
    """Sets of ints under labels; equal sets have one label."""

    def __init__(self) -> None:
        self.members: list[frozenset[int]] = [frozenset()]
        self.labels: dict[frozenset[int], int] = {frozenset(): NOTHING}
        self.pairs: dict[tuple[int, int], int] = {}

    def label(self, members: frozenset[int]) -> int:
        """Return the label of a set."""
        found = self.labels.get(members)
        if found is None:
            found = self.labels[members] = len(self.members)
            self.members.append(members)
        return found

    def join(self, a: int, b: int) -> int:
        """Return the label of the union of two sets."""
        if a == b or not b:
            return a
        if not a:
            return b
        key = (a, b) if a < b else (b, a)
        found = self.pairs.get(key)
        if found is None:
            found = self.pairs[key] = self.label(self.members[a] | self.members[b])
        return found

    def join_all(self, labels: Iterable[int]) -> int:
        """Return the label of the union of many sets."""
        chosen = set(labels)
        chosen.discard(NOTHING)
        if len(chosen) < 2:
            return chosen.pop() if chosen else NOTHING
        return self.label(frozenset().union(*(self.members[k] for k in chosen)))

    def join_arrays(self, a: Any, b: Any) -> Any:
        """Return the unions element by element, broadcast."""
        if not (isinstance(a, np.ndarray) and a.ndim) and not (isinstance(b, np.ndarray) and b.ndim):
            return self.join(int(a), int(b))
        left, right = np.broadcast_arrays(a, b)
        if not np.any(right):
            return left.copy()
        if not np.any(left):
            return right.copy()
        count = len(self.members)
        pairs, where = np.unique(left * count + right, return_inverse=True)
        made = [self.join(int(p // count), int(p % count)) for p in pairs]
        return np.array(made, dtype=np.int64)[where].reshape(left.shape)

    def reduce(self, x: Any, axes: Sequence[int], keepdims: bool) -> Any:
        """Return the unions along axes."""
        kept = [k for k in range(x.ndim) if k not in axes]
        shape = [x.shape[k] for k in kept]
        width = int(np.prod([x.shape[k] for k in axes], dtype=np.int64))
        rows = np.transpose(x, [*kept, *axes]).reshape(int(np.prod(shape, dtype=np.int64)), width)
        found = np.array([self.join_all(row) for row in rows.tolist()], dtype=np.int64)
        if keepdims:
            shape = [n if k in kept else 1 for k, n in enumerate(x.shape)]
        return found.reshape(shape) if shape else int(found[0])


class _Exit:
    def __init__(self, kind: str, values: tuple[Any, ...], labels: tuple[Any, ...]):
        self.kind, self.values, self.labels = kind, values, labels


class _Known:
    """What is the same at every run of an instruction."""

    __slots__ = ("floats", "moved", "params", "tracked")

    def __init__(self, instr: Instr):
        op = instr.op
        self.params = dict(instr.params)
        self.floats = [is_differentiable(a.type) for a in instr.args]
        self.moved = frozenset(op.linear_args or range(len(instr.args))) if op.name in MOVES else frozenset()
        self.tracked = op.kind is not Kind.NONDIFF and any(is_differentiable(r.type) for r in instr.results)


class Run:
    """One abstract run."""

    def __init__(self) -> None:
        self.sets = Sets()
        self.known: dict[Instr, _Known] = {}

    def function(self, fn: Function, values: Sequence[Any], labels: Sequence[Any]) -> _Exit:
        """Return values and labels of the result leaves. Arrays given may be written."""
        return self.block(fn.block, _Env(dict(zip(fn.params, zip(values, labels, strict=True), strict=True))))

    def block(self, block: Block, env: _Env) -> _Exit:
        """Return how a block is left."""
        for instr in block.instrs:
            out = self.instr(instr, env)
            if out is not None:
                return out
        return self.end(block.end, env)

    def end(self, end: End, env: _Env) -> _Exit:
        """Return the exit that an end makes."""
        pairs = [env.read(a) for a in end.args]
        values = tuple(v for v, _ in pairs)
        if end.kind == "raise":
            params = dict(end.params)
            raise params["exception"](render_message(params["message"], values))
        return _Exit(end.kind, values, tuple(k for _, k in pairs))

    def instr(self, instr: Instr, env: _Env) -> _Exit | None:
        """Run an instruction; return the exit if it leaves the block."""
        pairs = [env.read(a) for a in instr.args]
        match instr.op.name:
            case "if":
                out = self.block(instr.blocks[0 if pairs[0][0] else 1], env)
                if out.kind != "yield":
                    return out
                env.bind(instr.results, out.values, out.labels)
            case "for":
                bounds = [v for v, _ in pairs[:3]]
                return self.loop(instr, pairs[3:], env, range(*bounds))
            case "while":
                return self.loop(instr, pairs, env, None)
            case "call":
                out = self.function(instr.param("callee"), *zip(*pairs, strict=True))
                env.bind(instr.results, out.values, out.labels)
            case "print" | "comment":
                pass
            case _:
                self.apply(instr, [v for v, _ in pairs], [k for _, k in pairs], env)
        return None

    def loop(
        self, instr: Instr, carried: list[tuple[Any, Any]], env: _Env, trips: range | None
    ) -> _Exit | None:
        """Run a loop: over a range, or while its condition holds."""
        body = instr.blocks[-1]
        count = 0
        while True:
            if trips is not None:
                if count == len(trips):
                    break
                carried = [(trips[count], NOTHING), *carried]
            else:
                env.update(instr.blocks[0].params, carried)
                if not self.block(instr.blocks[0], env).values[0]:
                    break
            env.update(body.params, carried)
            out = self.block(body, env)
            if out.kind == "return":
                return out
            carried = list(zip(out.values, out.labels, strict=True))
            count += 1
            if out.kind == "break":
                break
        env.update(instr.results, carried)
        return None

    def apply(self, instr: Instr, values: list[Any], labels: list[Any], env: _Env) -> None:
        """Run an op on numbers and on labels."""
        known = self.known.get(instr)
        if known is None:
            known = self.known[instr] = _Known(instr)
        params = known.params
        if instr.op.name in ("setitem", "accum"):
            x, v, *index = values
            how = "set" if instr.op.name == "setitem" else "at" if params.get("at") else "add"
            if known.floats[0]:
                self.write(labels[0], labels[1], params["path"], index, how)
            paths.assign(x, params["path"], index, v, how)
            env.bind(instr.results, (x,), (labels[0],))
            return
        made = instr.op.evaluate(*values, **params)
        results = (made,) if instr.op.results == 1 else made or ()
        if known.tracked:
            found = self.labels(instr, known, values, labels, results)
        else:
            found = [np.zeros(r.shape, np.int64) if isinstance(r, np.ndarray) else NOTHING for r in results]
        env.bind(instr.results, results, tuple(found))

    def write(self, x: Any, v: Any, path: paths.Path, index: Sequence[Any], how: str) -> None:
        """Write labels; what is added joins what is there."""
        if how == "set":
            paths.assign(x, path, index, v)
        elif how == "add" and not paths.is_fancy(path):
            paths.assign(x, path, index, self.sets.join_arrays(paths.apply(x, path, index), v))
        else:
            places = np.ravel(paths.apply(np.arange(x.size).reshape(x.shape), path, index))
            shape = np.shape(paths.apply(x, path, index))
            for place, label in zip(
                places.tolist(), np.ravel(np.broadcast_to(v, shape)).tolist(), strict=True
            ):
                x.flat[place] = self.sets.join(int(x.flat[place]), label)

    def labels(
        self, instr: Instr, known: _Known, values: list[Any], labels: list[Any], results: Sequence[Any]
    ) -> list[Any]:
        """Return the labels of an op's results."""
        op, params = instr.op, known.params
        if op.name in MOVES:
            mixed = [
                k if i in known.moved else v for i, (k, v) in enumerate(zip(labels, values, strict=True))
            ]
            return [op.evaluate(*mixed, **params)]
        tracked = [k if there else NOTHING for there, k in zip(known.floats, labels, strict=True)]
        if op.name == "full":
            return [np.full(np.shape(results[0]), tracked[0])]
        if op.name == "full_like":
            return [np.full(np.shape(results[0]), tracked[1])]
        if op.name in SAME:
            return [np.copy(labels[0]) if np.ndim(labels[0]) else labels[0]]
        if op.kind is Kind.ELEMENTWISE or op.name in BY_ELEMENT:
            return [self.by_element(tracked, np.shape(results[0]))]
        if op.kind is Kind.REDUCTION and np.ndim(values[0]):
            axis = params.get("axis")
            axes = range(np.ndim(values[0])) if axis is None else np.atleast_1d(axis) % np.ndim(values[0])
            return [self.sets.reduce(labels[0], [int(k) for k in axes], bool(params.get("keepdims")))]
        special = SPECIAL.get(op.name)
        if special is not None:
            found = special(self.sets, values, tracked, params)
            return [np.copy(np.broadcast_to(found, np.shape(results[0]))) if np.ndim(results[0]) else found]
        return self.mixed(tracked, results)

    def by_element(self, labels: list[Any], shape: tuple[int, ...]) -> Any:
        """Return the unions of operands, broadcast."""
        found: Any = NOTHING
        for k in labels:
            found = self.sets.join_arrays(found, k)
        return np.copy(np.broadcast_to(found, shape)) if shape else int(found)

    def mixed(self, labels: list[Any], results: Sequence[Any]) -> list[Any]:
        """Return the labels of results each element of which may depend on everything."""
        every = self.sets.join_all(k for part in labels for k in np.unique(part).tolist())
        return [np.full(np.shape(r), every) if np.ndim(r) else every for r in results]


class _Env(dict[Value, tuple[Any, Any]]):
    """Value and labels of what is bound."""

    def read(self, a: Operand) -> tuple[Any, Any]:
        return (a.value, NOTHING) if isinstance(a, Literal) else self[a]

    def bind(self, targets: tuple[Value, ...], values: tuple[Any, ...], labels: tuple[Any, ...]) -> None:
        self.update(zip(targets, zip(values, labels, strict=True), strict=True))

    def update(self, *args: Any) -> None:  # also from parallel sequences
        super().update(zip(*args, strict=True) if len(args) == 2 else args[0])


Special = Callable[[Sets, list[Any], list[Any], dict[str, Any]], Any]


def _matmul(sets: Sets, values: list[Any], labels: list[Any], params: dict[str, Any]) -> Any:
    left, right = (np.broadcast_to(k, np.shape(v)) for k, v in zip(labels, values, strict=True))
    rows = sets.reduce(left, [left.ndim - 1], False)
    columns = sets.reduce(right, [max(right.ndim - 2, 0)], False)
    if left.ndim > 1 and right.ndim > 1:
        rows, columns = np.expand_dims(rows, -1), np.expand_dims(columns, -2)
    return sets.join_arrays(rows, columns)


def _outer(sets: Sets, values: list[Any], labels: list[Any], params: dict[str, Any]) -> Any:
    left, right = (np.ravel(np.broadcast_to(k, np.shape(v))) for k, v in zip(labels, values, strict=True))
    return sets.join_arrays(left[:, None], right[None, :])


def _sparse_product(sets: Sets, values: list[Any], labels: list[Any], params: dict[str, Any]) -> Any:
    rows = values[0].tocsr()
    found = [
        sets.reduce(np.atleast_1d(labels[1][rows.indices[lo:hi]]), [0], False)
        for lo, hi in zip(rows.indptr[:-1], rows.indptr[1:], strict=True)
    ]
    return np.array(found, dtype=np.int64).reshape(rows.shape[0], *np.shape(labels[1])[1:])


def _unbroadcast(sets: Sets, values: list[Any], labels: list[Any], params: dict[str, Any]) -> Any:
    shape = np.shape(values[1])
    x = np.asarray(np.broadcast_to(labels[0], np.shape(values[0])))
    lead = x.ndim - len(shape)
    axes = [k for k in range(x.ndim) if k < lead or (shape[k - lead] == 1 and x.shape[k] != 1)]
    found = sets.reduce(x, axes, True) if axes else x
    return np.reshape(found, shape) if shape else int(np.ravel(found)[0])


def _running(sets: Sets, values: list[Any], labels: list[Any], params: dict[str, Any]) -> Any:
    axis = params.get("axis")
    x = np.ravel(labels[0]) if axis is None else np.array(labels[0])
    lines = np.moveaxis(x, axis or 0, 0)
    for k in range(1, len(lines)):
        lines[k] = sets.join_arrays(lines[k - 1], lines[k])
    return x


def _sorted(sets: Sets, values: list[Any], labels: list[Any], params: dict[str, Any]) -> Any:
    return sets.reduce(labels[0], [params.get("axis", -1) % np.ndim(labels[0])], True)


SPECIAL: dict[str, Special] = {
    "matmul": _matmul, "outer": _outer, "unbroadcast": _unbroadcast, "sort": _sorted,
    "sparse_product": _sparse_product, **dict.fromkeys(RUNNING, _running),
}  # fmt: skip


def dependence(fn: Function, leaves: Sequence[Any], varied: int, result: int) -> tuple[int, Any, Any]:
    """Return (size of the result, rows, columns): the pairs of an element of result leaf `result` and an
    element of argument leaf `varied` that the one may depend on, both counted in C order, by rows."""
    run = Run()
    labels: list[Any] = []
    copies = [x.copy() if isinstance(x, np.ndarray) else x for x in leaves]
    for k, x in enumerate(copies):
        if k != varied:
            labels.append(np.zeros(np.shape(x), np.int64) if isinstance(x, np.ndarray) else NOTHING)
        elif isinstance(x, np.ndarray):
            one = [run.sets.label(frozenset((j,))) for j in range(x.size)]
            labels.append(np.array(one, dtype=np.int64).reshape(x.shape))
        else:
            labels.append(run.sets.label(frozenset((0,))))
    with np.errstate(all="ignore"):
        found = np.ravel(run.function(fn, copies, labels).labels[result])
    members = [sorted(run.sets.members[k]) for k in found.tolist()]
    columns = np.array([j for row in members for j in row], dtype=np.int64)
    rows = np.repeat(np.arange(len(members)), [len(row) for row in members])
    return len(members), rows, columns
