"""What is known to be refused or wrong: (call, case) -> codes and kinds of problems. What is not found any
more must leave the list."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("known.txt")


def known() -> dict[tuple[str, str], set[str]]:
    """Return the kinds of problems that are known by call and case."""
    found: dict[tuple[str, str], set[str]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kinds, case, call = line.split(maxsplit=2)
            found[call, case] = set(kinds.split(","))
    return found
