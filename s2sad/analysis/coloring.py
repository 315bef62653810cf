"""Colourings of sparsity patterns: columns of one colour share a seed, and their entries are told apart.

Greedy, in order of falling degree (Gebremedhin, Manne and Pothen, "What color is your Jacobian?", SIAM
Review 47, 2005; Curtis, Powell and Reid 1974; Coleman and More 1983).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from s2sad.record import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Which entries of a matrix may differ from zero: `columns[ends[i]:ends[i+1]]` of row i, rising."""

    shape: tuple[int, int]
    ends: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, shape: tuple[int, int], rows: np.ndarray, columns: np.ndarray) -> Pattern:
        """Return the pattern of the entries at (rows, columns), in any order, repeated or not."""
        places = np.unique(np.asarray(rows, np.int64) * max(shape[1], 1) + columns)
        counts = np.bincount(places // max(shape[1], 1), minlength=shape[0])
        return cls(shape, np.concatenate(([0], np.cumsum(counts))), places % max(shape[1], 1))

    @property
    def rows(self) -> np.ndarray:
        """Return the row of each entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.ends))

    @property
    def turned(self) -> Pattern:
        """Return the pattern of the transpose."""
        return Pattern.of((self.shape[1], self.shape[0]), self.columns, self.rows)

    @property
    def symmetric(self) -> Pattern:
        """Return the pattern of this matrix and its transpose together."""
        both = np.concatenate((self.rows, self.columns)), np.concatenate((self.columns, self.rows))
        return Pattern.of(self.shape, *both)

    def lists(self) -> list[list[int]]:
        """Return the columns of each row as lists."""
        columns, ends = self.columns.tolist(), self.ends.tolist()
        return [columns[lo:hi] for lo, hi in itertools.pairwise(ends)]


def distance_two(pattern: Pattern) -> np.ndarray:
    """Return a colour per column such that no two columns of one colour have an entry in the same row."""
    rows, columns = pattern.lists(), pattern.turned.lists()
    colors = [-1] * len(columns)
    for j in _by_degree(columns):
        taken = {colors[k] for i in columns[j] for k in rows[i]}
        colors[j] = _first_free(taken)
    return np.array(colors, dtype=np.int64)


def star(pattern: Pattern) -> np.ndarray:
    """Return a colour per column of a symmetric pattern such that neighbours differ and no path of four
    vertices has two colours only: each entry is then alone in its row or in its column."""
    near = [[k for k in row if k != j] for j, row in enumerate(pattern.lists())]
    colors = [-1] * len(near)
    for v in _by_degree(near):
        taken: set[int] = set()
        for w in near[v]:
            c = colors[w]
            if c < 0:  # two neighbours of what is not coloured yet
                taken.update(colors[x] for x in near[w])
                continue
            taken.add(c)
            for x in near[w]:
                fourth = x != v and colors[x] >= 0 and colors[x] not in taken
                if fourth and any(colors[y] == c and y != w for y in near[x]):
                    taken.add(colors[x])
        # v may stand in the middle: two neighbours of one colour, and one neighbour more of either
        seen: dict[int, int] = {}
        for w in near[v]:
            c = colors[w]
            if c >= 0 and c in seen:
                taken.update(colors[x] for u in (w, seen[c]) for x in near[u] if x != v)
            seen[c] = w
        colors[v] = _first_free(taken)
    return np.array(colors, dtype=np.int64)


def direct(pattern: Pattern, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each entry (in the pattern's order) the row and the colour of the product of a symmetric
    matrix with the seeds at which the entry stands alone."""
    i, j = pattern.rows, pattern.columns
    count = color_count(colors)
    alone = np.bincount(i * count + colors[j], minlength=pattern.shape[0] * count) == 1
    here = alone[i * count + colors[j]]
    assert np.all(here | alone[j * count + colors[i]]), "a star colouring tells all entries apart"
    return np.where(here, i, j), np.where(here, colors[j], colors[i])


def color_count(colors: np.ndarray) -> int:
    """Return the number of colours, which are 0, 1, 2, ..."""
    return int(colors.max(initial=-1)) + 1


def _by_degree(lists: Sequence[Sequence[int]]) -> list[int]:
    return sorted(range(len(lists)), key=lambda j: -len(lists[j]))


def _first_free(taken: set[int]) -> int:
    color = 0
    while color in taken:
        color += 1
    return color
