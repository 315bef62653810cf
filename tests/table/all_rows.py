"""The whole table, and what of it a test run looks at."""

from __future__ import annotations

from collections.abc import Iterator

from table import (
    rows_added,
    rows_elementwise,
    rows_fft,
    rows_linalg,
    rows_more,
    rows_numeric,
    rows_points,
    rows_python,
    rows_reduce,
    rows_scipy,
    rows_shape,
    rows_sizes,
    rows_special,
)
from table.rows import Row

FAMILIES = {
    "reduce": rows_reduce.ROWS,
    "elementwise": rows_elementwise.ROWS,
    "shape": rows_shape.ROWS,
    "linalg": rows_linalg.ROWS,
    "fft": rows_fft.ROWS,
    "special": rows_special.ROWS,
    "added": rows_added.ROWS,
    "more": rows_more.ROWS,
    "numeric": rows_numeric.ROWS,
    "points": rows_points.ROWS,
    "python": rows_python.ROWS,
    "scipy": rows_scipy.ROWS,
}
SIZES = rows_sizes.ROWS  # one function for all cases of a row
ROWS = [row for rows in FAMILIES.values() for row in rows]
LOWERED_EVERY, COMPILED_EVERY = 5, 150
PARTS = {"scipy": 3}  # a test run looks at every third row: there are other tests of SciPy


def sample(family: str) -> Iterator[tuple[Row, str, bool]]:
    """Return (row, case, lowered) for a test run: one case of each row, another one from row to row; of every
    fifth row it is lowered too."""
    for k, row in enumerate(FAMILIES[family][:: PARTS.get(family, 1)]):
        yield row, row.cases[k // 2 % len(row.cases)], k % LOWERED_EVERY == 0


def compiled_sample() -> list[tuple[Row, str]]:
    """Return the cases that a test run compiles: the first case of rows far apart."""
    compiled = [row for row in ROWS if not row.call.startswith(("scipy.", "(scipy."))][11::COMPILED_EVERY]
    return [(row, row.cases[0]) for row in compiled if not (row.refused or row.lowered)]
