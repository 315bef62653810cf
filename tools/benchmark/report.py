"""The tables, and the same figures as JSON."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmark.cases import TARGETS
from benchmark.clock import Contestant
from benchmark.processes import Figures

S2SAD = ("grad", "value_and_grad", "grad, no jit")
MIB = 2.0**20


@dataclass
class Run:
    """A kernel at a size: its primal, what s2sad reaches in each spelling, what the peers do."""

    name: str
    size: str
    primal: Contestant
    spellings: dict[str, list[Contestant]] = field(default_factory=dict)
    peers: list[Contestant] = field(default_factory=list)

    @property
    def contestants(self) -> list[Contestant]:
        """All that are timed in turns."""
        return [self.primal, *(c for group in self.spellings.values() for c in group), *self.peers]

    def ratio(self, contestant: Contestant) -> float | None:
        """Return its least time over the primal's."""
        return contestant.least / self.primal.least if contestant.least and self.primal.least else None

    def shown(self, contestant: Contestant) -> str:
        """Return its ratio or why it has none."""
        ratio = self.ratio(contestant)
        return number(ratio) if ratio is not None else contestant.note[:20] or "-"


@dataclass
class Process:
    """What child processes told of a kernel in one spelling."""

    kernel: str
    starts: dict[str, Figures] = field(default_factory=dict)
    memory: dict[str, Figures] = field(default_factory=dict)  # by size


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with so many digits, or a dash."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def table(head: Sequence[str], rows: list[list[str]]) -> str:
    """Return the rows as Markdown, in columns."""
    widths = [max(len(row[k]) for row in [list(head), *rows]) for k in range(len(head))]
    cells = [[cell.ljust(widths[k]) for k, cell in enumerate(row)] for row in [list(head), *rows]]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], f"|{'|'.join('-' * (w + 2) for w in widths)}|", *lines[1:]])


def ratios(runs: list[Run], columns: list[str]) -> str:
    """Return the table of times over the compiled loop primal's."""
    head = ["kernel", "size", "primal ms", *S2SAD, "target", "grad / target", *columns, "published"]
    rows = []
    for run in runs:
        target = TARGETS[run.name] if run.size == "full" else None
        peers = {c.label: run.shown(c) for c in run.peers}
        primal = number(1e3 * run.primal.least if run.primal.least else None)
        for spelling, group in run.spellings.items():
            row = [f"{run.name}/{spelling}", run.size, primal, *map(run.shown, group)]
            ratio = run.ratio(group[0])
            row += (
                [number(target.ratio), number(ratio / target.ratio if ratio else None)]
                if target
                else ["", ""]
            )
            row += [peers.get(column, "") for column in columns]
            rows.append([*row, target.published if target and primal else ""])
            primal, peers = "", {}  # once per kernel
    return table(head, rows)


def spread(runs: list[Run]) -> str:
    """Return how far the spellings of one kernel are apart."""
    found = []
    for run in runs:
        times = [group[0].least for group in run.spellings.values() if group[0].least]
        if len(times) > 1:
            found.append(f"{run.name} {run.size} {number(max(times) / min(times))}")
    return f"Slowest over fastest spelling: {', '.join(found)}." if found else ""


def processes(found: list[Process], runs: list[Run]) -> str:
    """Return the table of seconds to the first gradient and of memory."""
    head = ["kernel", "first call s", "process 1 s", "process 2 s", "of it imports s", "size"]
    head += ["arguments MiB", "primal MiB", "gradient MiB"]
    first_calls: dict[str, float] = {}
    for run in runs:
        for spelling, group in run.spellings.items():
            first_calls.setdefault(f"{run.name}/{spelling}", group[0].first_seconds)
    rows = []
    for one in found:
        first, second = one.starts.get("first", {}), one.starts.get("second", {})
        seconds = [first_calls.get(one.kernel), first.get("gradient"), second.get("gradient")]
        row = [one.kernel, *map(number, [*seconds, second.get("imported")])]
        for size, memory in one.memory.items() or {"": {}}.items():
            sizes = [memory.get(key) for key in ("arguments", "primal", "gradient")]
            rows.append([*row, size, *("-" if b is None else f"{b / MIB:.1f}" for b in sizes)])
            row = [""] * len(row)
    return table(head, rows)


def environment(peers: dict[str, str]) -> dict[str, str]:
    """Return what the figures depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "cpu": processor()}
    for package in ("numpy", "numba", "scipy"):
        found[package] = version(package)
    try:
        found["s2sad"] = version("s2sad")
    except PackageNotFoundError:  # run from a checkout
        found["s2sad"] = "checkout"
    return {**found, **peers, "date": time.strftime("%Y-%m-%d")}


def processor() -> str:
    """Return the processor's name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or sys.platform


def as_json(runs: list[Run], found: list[Process], where: dict[str, str]) -> dict[str, Any]:
    """Return everything: times in seconds, memory in bytes."""

    def one(run: Run, group: list[Contestant]) -> dict[str, Any]:
        return {
            c.label: {
                "least": c.least,
                "median": c.median,
                "calls": len(c.seconds),
                "ratio": run.ratio(c),
                "first": c.first_seconds,
                "note": c.note,
            }
            for c in group
        }

    return {
        "environment": where,
        "targets": {name: asdict(target) for name, target in TARGETS.items()},
        "runs": [
            {
                "kernel": run.name,
                "size": run.size,
                **one(run, [run.primal]),
                "s2sad": {spelling: one(run, group) for spelling, group in run.spellings.items()},
                "peers": one(run, run.peers),
            }
            for run in runs
        ],
        "processes": [asdict(process) for process in found],
    }
