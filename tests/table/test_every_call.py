"""Every known function in the call forms that people write: value, both modes, second order, compiled."""

from __future__ import annotations

import pytest

from table.all_rows import FAMILIES, ROWS, SIZES, compiled_sample, sample
from table.check import check, check_reuse
from table.coverage import missing
from table.known import known
from table.rows import Row

KNOWN = known()
CHUNK = 40


def problems(row: Row, case: str, **levels: bool) -> list[str]:
    """Return the problems of a case that are not known, and the known ones that are gone."""
    outcome = check(row, case, **levels)
    listed = KNOWN.get((row.call, case), set())
    found = [f"{kind}: {row.call} ({case}): {text}" for kind, text in outcome.problems if kind not in listed]
    if listed and not outcome.problems and all(levels.values()):
        found.append(f"{row.call} ({case}) is right: take it off its list")
    return found


def test_every_known_function_has_a_row() -> None:
    assert missing(ROWS) == []


def test_a_function_without_a_row_is_found() -> None:
    assert "np.cumsum" in missing([row for row in ROWS if "np.cumsum(" not in row.call])
    assert "np.maximum.outer" in missing([row for row in ROWS if "maximum.outer" not in row.call])


def test_what_is_known_are_cases_of_the_table() -> None:
    cases = {(row.call, case.partition("!")[0]) for row in (*ROWS, *SIZES) for case in row.cases}
    assert set(KNOWN) <= cases


CHUNKS = [(family, k) for family in FAMILIES for k in range(0, len(list(sample(family))), CHUNK)]


@pytest.mark.parametrize(("family", "start"), CHUNKS)
def test_calls(family: str, start: int) -> None:
    found = []
    for row, case, lowered in list(sample(family))[start : start + CHUNK]:
        found += problems(row, case, lowered=lowered)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("row", "case"), compiled_sample(), ids=lambda v: getattr(v, "call", v))
def test_compiled(row: Row, case: str) -> None:
    found = problems(row, case, lowered=False, compiled=True)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("start", range(0, len(SIZES), CHUNK))
def test_one_function_at_many_sizes(start: int) -> None:
    found = []
    for row in SIZES[start : start + CHUNK]:
        problems = check_reuse(row)
        gone = {case for case in row.cases if (row.call, case) in KNOWN} - {case for case, _, _ in problems}
        found += [f"{row.call} ({case}) is right: take it off its list" for case in sorted(gone)]
        for case, kind, text in problems:
            if kind not in KNOWN.get((row.call, case), ()):
                found.append(f"{kind}: {row.call} ({case}): {text}")
    assert not found, "\n".join(found)
