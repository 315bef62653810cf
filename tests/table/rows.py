"""The words of the table: a row is a call form and the cases at which it is checked.

A case has one token per name in the call (in the order x, y, z, i, j, m), separated by commas:
`[dtype]shape[layout]`. dtype: nothing for float64, f float32, c complex128, i int64, b bool. shape: a digit
per dimension, `-` an array of rank 0, `s` a Python number, `n` a NumPy scalar. layout: nothing for C order,
F for Fortran order, N for every second element, R for reversed axes. `!S202` after a case: the code with
which it is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

ARGUMENTS = "xyzijm"
REAL, POSITIVE, UNIT, OPEN, ABOVE_ONE = (-2.0, 2.0), (0.3, 3.0), (0.1, 0.9), (-0.9, 0.9), (1.2, 3.0)

REDUCED = "34 f34 c34 234 34F 34N 04 11 -"
REAL_REDUCED = "34 f34 234 34F 34N 04 11 -"
UNARY = "34 f3 c3 s n fn - 34F 34N 0"
REAL_UNARY = "34 f3 s n fn - 34F 34N 0"
BINARY = "34,34 34,4 3,31 s,3 f3,s f3,f3 c3,3 f3,3 n,34F s,s n,n -,3 0,1 34N,34 i3,3"
REAL_BINARY = "34,34 34,4 3,31 s,3 f3,s f3,f3 f3,3 n,34F s,s n,n -,3 0,1 34N,34 i3,3"


@dataclass(frozen=True)
class Row:
    """A call form: its text, its cases, and where its arguments are drawn from."""

    call: str
    cases: tuple[str, ...]
    on: Any = REAL  # a domain (lo, hi), a function of a shape and a generator, or a dict of such by name
    refused: str = ""  # the code with which every case is refused
    fixed: str = ""  # the arguments without a rule (S203 where they vary)
    loose: float = 1.0  # a factor of the tolerances of derivatives
    value: float = 1e-13  # the tolerance of the value
    lowered: str = ""  # the code with which compiled code is refused
    second: bool = True
    tree: Any = field(default=None, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the arguments, in order."""
        found = {n.id for n in ast.walk(ast.parse(self.call, mode="eval")) if isinstance(n, ast.Name)}
        return tuple(name for name in ARGUMENTS if name in found)

    def domain(self, name: str) -> Any:
        """Return where an argument is drawn from."""
        return self.on.get(name, REAL) if isinstance(self.on, dict) else self.on


def rows(cases: str, *calls: str, **options: Any) -> list[Row]:
    """Return a row for each call, all with the same cases and options."""
    return [Row(call, tuple(cases.split()), **options) for call in calls]


def each(names: str | Iterable[str], template: str, cases: str, **options: Any) -> list[Row]:
    """Return a row for each name, which stands for `{}` of the template."""
    found = names.split() if isinstance(names, str) else names
    return rows(cases, *(template.replace("{}", name) for name in found), **options)
