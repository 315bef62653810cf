"""What is known to be wrong, and what is otherwise than NumPy's by design and said so in the documentation:
(call, case) -> codes and kinds of problems. What is not found any more must leave the list."""

from __future__ import annotations

from pathlib import Path

Problems = dict[tuple[str, str], set[str]]
DEFECTS = Path(__file__).with_name("known.txt")
BY_DESIGN = Path(__file__).with_name("by_design.txt")


def listed(file: Path) -> Problems:
    """Return the kinds of problems of a list by call and case."""
    found: Problems = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kinds, case, call = line.split(maxsplit=2)
            found[call, case] = set(kinds.split(","))
    return found


def known() -> Problems:
    """Return all of both lists."""
    return listed(DEFECTS) | listed(BY_DESIGN)
