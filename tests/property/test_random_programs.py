"""Random programs with fixed seeds: derivatives, lowered code, second order on a share. No value may be
wrong, nothing may crash."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from property.choices import Drawn
from property.programs import Builder, Program, generated
from property.verdicts import check_compiled, check_lowered, judge

PROGRAMS = 2000
SHARDS = 40
REFUSED = 0.01  # the share that may be refused


@pytest.mark.parametrize("shard", range(SHARDS))
def test_random_programs(shard: int):
    seeds = range(shard, PROGRAMS, SHARDS)
    failures, refused = [], []
    for number in seeds:
        text = generated(number).text
        # tools/long_run.py does that in both modes
        extra = partial(check_lowered, modes=("jvp",) if number % 2 else ("vjp",))
        verdict = judge(text, number, second=number % 5 == 0, extra=extra)
        if verdict.kind == "refused":
            refused.append(f"program {number}: {verdict.detail}")
        elif verdict.kind != "right":
            failures.append(f"program {number}: {verdict.kind}\n{verdict.detail}\n{text}")
    assert not failures, f"{len(failures)} of {len(seeds)}\n" + "\n".join(failures[:3])
    assert len(refused) <= REFUSED * len(seeds) + 1, "\n".join(refused)


@pytest.mark.parametrize("number", range(0, PROGRAMS, 40))
def test_compiled(number: int):
    text = generated(number).text
    sizes = ((3, 2), (0, 4), (4, 3))
    verdict = judge(text, number, sizes=sizes, extra=check_compiled, seconds=300.0, poison=False)
    assert verdict.kind in ("right", "refused"), f"{verdict.detail}\n{text}"


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a program; Hypothesis can make it smaller."""
    return Builder(Drawn(draw)).program()


@seed(1)
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_drawn_programs(program: Program):
    verdict = judge(program.text, extra=check_lowered)
    assert verdict.kind in ("right", "refused"), f"{verdict.detail}\n{program.text}"
