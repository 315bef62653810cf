"""What a check of derivatives found: a row per argument, mode and order."""

from __future__ import annotations

from typing import Any

from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One wrong number: where, what was found, and what was expected."""

    place: str  # "p['w'][0, 2]"; of a result: "d result[1] / d x[0]"
    found: Any
    expected: Any

    def __str__(self) -> str:
        gap = abs(self.found - self.expected)
        return f"{self.place}: found {self.found:.9g}, expected {self.expected:.9g}, off by {gap:.3g}"


@dataclass(frozen=True, slots=True)
class Row:
    """The check of the derivative by one argument in one mode. `gap` is the largest error, `allowed` what it
    may be; `how` says what the expected derivative is known by; `trouble` is the reason if that failed."""

    order: int
    mode: str  # fwd, rev; "fwd of rev" at order 2
    argument: str
    how: str
    gap: float
    allowed: float
    trouble: str = ""
    entries: tuple[Entry, ...] = ()

    @property
    def ok(self) -> bool:
        """True if the derivative is right."""
        return not self.trouble

    def __str__(self) -> str:
        head = f"order {self.order}, {self.mode}: {self.argument}"
        if self.ok:
            return f"{head}: off by {self.gap:.1e} of {self.allowed:.1e} allowed ({self.how})"
        return "\n".join([f"{head}: {self.trouble}", *(f"    {entry}" for entry in self.entries)])


@dataclass(frozen=True, slots=True)
class Report:
    """What `check_grads` found: `rows`, `ok`, and as a string one line per argument, mode and order."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """True if all derivatives are right."""
        return all(row.ok for row in self.rows)

    @property
    def wrong(self) -> tuple[Row, ...]:
        """The rows that failed."""
        return tuple(row for row in self.rows if not row.ok)

    def __str__(self) -> str:
        return "\n".join(map(str, self.rows))


class WrongDerivative(AssertionError):
    """A derivative that disagrees with differences; `report` tells which."""

    def __init__(self, report: Report):
        self.report = report
        super().__init__("\n".join(map(str, report.wrong)))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.report,)
