"""Whole Jacobians, assembled from compiled jvps and pullbacks over basis vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from s2sad.derivative import Derivative, Pullback
from s2sad.driver.arguments import active_leaves, bars_tree
from s2sad.driver.chunks import Chunks, chunks, worth_an_axis
from s2sad.driver.compiled import Compiled
from s2sad.driver.draws import Replay
from s2sad.driver.jacobian import complex_rows
from s2sad.driver.program import Variant
from s2sad.driver.seeds import basis, spread, zero
from s2sad.ir.structure import map_tree, pick, rebuild
from s2sad.ir.transformed import Transformed
from s2sad.ir.tree import Leaf, Node, Static, Tree, leaves
from s2sad.record import replace


class ByChunks(Derivative):
    """A Jacobian that is computed along many seeds at once."""

    def __init__(self, record: Transformed, chunk_size: int | None = None):
        super().__init__(record)
        self.chunk_size = chunk_size
        self.chunks = Chunks()

    def __reduce__(self) -> Any:
        made = super().__reduce__()
        return made if isinstance(made, str) else (type(self), (self.__s2sad__, self.chunk_size))


class ForwardJacobian(ByChunks):
    """The Jacobian column by column: a jvp along many basis vectors at once."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the Jacobian: the result's structure over that of the chosen arguments."""
        variant, values = self.program.find(args, kwargs)
        record = self.__s2sad__
        flags = active_leaves(variant.outline, record.argnums, real=True)
        found = variant.binding.leaves(values)
        xs = [found[i] for i, flag in enumerate(flags) if flag]
        many = worth_an_axis(sum(map(np.size, xs)), self.chunk_size)
        together = self.chunks.forward(variant) if many else None
        if together is not None:
            return self.by_chunks(variant, values, xs, together)
        runs = [(k, j, basis(xs, k, j)) for k, x in enumerate(xs) for j in range(np.size(x))]
        tree, _ = split_aux(variant.outline.result, None, record.has_aux)
        table: dict[tuple[int, int], Any] = {}
        replay = Replay(variant.primal, found)
        out = variant.run(values, [zero(x) for x in xs])
        y, _ = split_aux(out[0], None, record.has_aux)
        ys = float_results(tree, y)
        _allocate(table, ys, xs)
        for k, j, seeds in runs:
            replay.rewind()
            _, y_dot = variant.run(values, seeds)
            given = spread(tree, ys, split_aux(y_dot, None, record.has_aux)[0], "y_dot")
            for i in ys:
                column = given.get(i, zero(ys[i]))
                table[i, k].reshape(np.size(ys[i]), np.size(xs[k]))[:, j] = np.reshape(column, -1)
        return _result(table, variant, tree, flags, record, xs, ys, out[0])

    def by_chunks(self, variant: Variant, values: Sequence[Any], xs: list[Any], together: Compiled) -> Any:
        """Return the Jacobian, along many columns at once."""
        record = self.__s2sad__
        flags = active_leaves(variant.outline, record.argnums, real=True)
        tree, _ = split_aux(variant.outline.result, None, record.has_aux)
        blocks: dict[int, list[Any]] = {}
        out: Any = None
        for seeds, _ in chunks(xs, self.chunk_size):
            out = variant.run(values, seeds, together)
            found = pick(tree, split_aux(out[1], None, record.has_aux)[0])
            for i, y_dots in found.items():
                if y_dots is not None:
                    blocks.setdefault(i, []).append(y_dots)
        ys = float_results(tree, split_aux(out[0], None, record.has_aux)[0])
        starts = np.cumsum([0, *map(np.size, xs)])
        table: dict[tuple[int, int], Any] = {}
        for i, y in ys.items():
            columns = np.concatenate(blocks[i]) if len(blocks[i]) > 1 else blocks[i][0]
            for k, x in enumerate(xs):
                part = columns[starts[k] : starts[k + 1]].reshape(np.size(x), np.size(y)).T
                table[i, k] = np.ascontiguousarray(part).reshape(np.shape(y) + np.shape(x))
        return _result(table, variant, tree, flags, record, xs, ys, out[0])


class ReverseJacobian(ByChunks):
    """The Jacobian row by row: one forward sweep, and a reverse sweep for many rows at once."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the Jacobian: the result's structure over that of the chosen arguments."""
        variant, values = self.program.find(args, kwargs)
        return self.rows(variant, values, variant.forward(values))

    def rows(self, variant: Variant, values: Sequence[Any], out: tuple[Any, Any]) -> Any:
        """Return the Jacobian, given what the forward sweep returned."""
        record = self.__s2sad__
        flags = active_leaves(variant.outline, record.argnums, real=True)
        found = variant.binding.leaves(values)
        xs = [found[i] for i, flag in enumerate(flags) if flag]
        bars = bars_tree(variant.outline, record.argnums, flags, 0)
        tree, _ = split_aux(variant.outline.result, None, record.has_aux)
        y, tape = out
        pullback = Pullback(variant, y, tape, record.has_aux)
        ys = float_results(tree, split_aux(y, None, record.has_aux)[0])
        if _some_complex(ys):
            raise complex_rows(variant.outline)
        table: dict[tuple[int, int], Any] = {}
        _allocate(table, ys, xs)
        order = sorted(pullback.zeros)
        every = [pullback.zeros[i] for i in order]
        many = worth_an_axis(sum(map(np.size, every)), self.chunk_size)
        together = self.chunks.reverse(variant) if many else None
        if together is not None:
            self.fill_by_chunks(table, pullback, bars, order, every, xs, together)
            return _result(table, variant, tree, flags, record, xs, ys, y)
        for i in ys:
            for j in range(np.size(ys[i])):
                given = pick(bars, pullback.pull(basis(every, order.index(i), j)))
                for k, row in given.items():
                    table[i, k].reshape(np.size(ys[i]), np.size(xs[k]))[j] = np.reshape(row, -1)
        return _result(table, variant, tree, flags, record, xs, ys, y)

    def fill_by_chunks(
        self,
        table: dict[tuple[int, int], Any],
        pullback: Pullback,
        bars: Tree,
        order: list[int],
        every: list[Any],
        xs: list[Any],
        together: Compiled,
    ) -> None:
        """Fill in the Jacobian, many rows at once."""
        starts = np.cumsum([0, *map(np.size, every)]).tolist()
        for seeds, chosen in chunks(every, self.chunk_size):
            given = pick(bars, pullback.pull(seeds, together))
            for n, i in enumerate(order):
                lo, hi = max(chosen.start, starts[n]), min(chosen.stop, starts[n + 1])
                if lo >= hi or (i, 0) not in table:  # one of aux
                    continue
                for k, rows in given.items():
                    part = table[i, k].reshape(np.size(every[n]), np.size(xs[k]))
                    part[lo - starts[n] : hi - starts[n]] = np.reshape(
                        rows[lo - chosen.start : hi - chosen.start], (hi - lo, np.size(xs[k]))
                    )


class Jacobian(ReverseJacobian):
    """The Jacobian by rows or by columns, whichever needs fewer runs; that of complex results by columns,
    for a cotangent of 1 yields the real part of a row only."""

    def __init__(self, record: Transformed, chunk_size: int | None = None):
        super().__init__(record, chunk_size)
        self.by_columns = ForwardJacobian(replace(record, kind="jacfwd"), chunk_size)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the Jacobian: the result's structure over that of the chosen arguments."""
        variant, values = self.program.find(args, kwargs)
        record = self.__s2sad__
        found = variant.binding.leaves(values)
        replay = Replay(variant.primal, found)
        out = variant.forward(values)
        tree, _ = split_aux(variant.outline.result, None, record.has_aux)
        ys = float_results(tree, split_aux(out[0], None, record.has_aux)[0])
        height = sum(map(np.size, ys.values()))
        flags = active_leaves(variant.outline, record.argnums, real=True)
        width = sum(np.size(x) for x, flag in zip(found, flags, strict=True) if flag)
        if height <= width and not _some_complex(ys):
            return self.rows(variant, values, out)
        replay.rewind()
        return self.by_columns(*args, **kwargs)


def split_aux(value: Any, absent: Any, has_aux: bool) -> tuple[Any, Any]:
    """Return (value, aux) of a result or of its structure; aux is `absent` if there is none."""
    if not has_aux:
        return value, absent
    first, second = value.items if isinstance(value, Node) else value
    return first, second


def float_results(tree: Tree, y: Any) -> dict[int, Any]:
    """Return the float leaves of a result by leaf index."""
    return {k: leaf for k, leaf in pick(tree, y).items() if np.result_type(leaf).kind in "fc"}


def _some_complex(ys: dict[int, Any]) -> bool:
    return any(map(np.iscomplexobj, ys.values()))


def _allocate(table: dict[tuple[int, int], Any], ys: dict[int, Any], xs: list[Any]) -> None:
    for i, y in ys.items():
        for k, x in enumerate(xs):
            table[i, k] = np.zeros(np.shape(y) + np.shape(x), np.result_type(y))


def _result(
    table: dict[tuple[int, int], Any],
    variant: Variant,
    tree: Tree,
    flags: tuple[bool, ...],
    record: Transformed,
    xs: list[Any],
    ys: dict[int, Any],
    y: Any,
) -> Any:
    inner = bars_tree(variant.outline, record.argnums, flags, 0)

    def block(i: int) -> Any:
        if i not in ys:
            return None
        return rebuild(inner, [_entry(table[i, k], ys[i], x) for k, x in enumerate(xs)])

    blocks = {i: block(i) for i in leaves(tree)}
    outer = map_tree(tree, lambda i: Leaf(i) if i in ys else Static(None))
    jacobian = rebuild(outer, blocks)
    return (jacobian, y[1]) if record.has_aux else jacobian


def _entry(entry: Any, y: Any, x: Any) -> Any:
    # a number's derivative by a number is a number of the same kind
    if isinstance(y, np.ndarray) or isinstance(x, np.ndarray):
        return entry
    return entry[()] if isinstance(y, np.generic) or isinstance(x, np.generic) else entry.item()
