"""Passes on IR text: what comes out is what the file says, and computes the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from random_ir import assert_same_outcome

from s2sad.ir import interp
from s2sad.ir.core import Function
from s2sad.ir.parse import parse
from s2sad.ir.text import print_function
from s2sad.ir.walk import every_instr
from s2sad.ops import OPS
from s2sad.passes.base import Pass
from s2sad.passes.cse import cse
from s2sad.passes.dce import dce
from s2sad.passes.elements import elements
from s2sad.passes.hints import hints
from s2sad.passes.inline import inline
from s2sad.passes.join import join
from s2sad.passes.order import order
from s2sad.passes.prune import prune
from s2sad.passes.repeat import repeat
from s2sad.passes.shapes import shapes
from s2sad.passes.simplify import ROWS, simplify
from s2sad.passes.site import Definitions, Site
from s2sad.passes.stores import stores
from s2sad.passes.typed import typed
from s2sad.passes.unname import unname

FOLDER = Path(__file__).parent.parent / "golden" / "passes"
STEPS: tuple[Pass, ...] = (
    elements,
    hints,
    simplify,
    cse,
    prune,
    join,
    stores,
    shapes,
    dce,
    inline,
    typed,
    order,
    unname,
    repeat,
)
PASSES = {step.__name__: step for step in STEPS}
CASES = sorted(path for name in PASSES for path in (FOLDER / name).glob("*.ir"))
SAME = "# the same"


def sections(path: Path) -> tuple[str, str, str]:
    head, rest = path.read_text(encoding="utf-8").split("# before\n")
    before, after = rest.split("# after\n")
    return head, before, after


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_golden(path: Path, update_golden: bool) -> None:
    step = PASSES[path.parent.name]
    head, text, expected = sections(path)
    before = parse(text, OPS)
    for instr in every_instr(before):
        if step is inline and instr.op.name == "call":
            instr.param("callee").extra["inline"] = True
    after = step(before)
    found = SAME if after is before else print_function(after, types=True)
    if update_golden:
        path.write_text(f"{head}# before\n{text}# after\n{found}\n", encoding="utf-8")
        return
    assert found == expected.rstrip()
    if after is not before:
        assert print_function(parse(found, OPS), types=True) == found
    assert step(after) is after
    with np.errstate(all="ignore"):
        for seed in range(3):
            assert_same_outcome(before, after, seed, outcome, signs=False)


def outcome(fn: Function, *leaves: object) -> tuple[object, ...]:
    try:
        return interp.run(fn, *leaves)
    except IndexError as error:
        return (type(error).__name__,)
    except (ArithmeticError, ValueError) as error:
        return (type(error).__name__, str(error))


def test_every_pass_has_cases_in_which_nothing_happens() -> None:
    unchanged = [path for path in CASES if sections(path)[2].rstrip() == SAME]
    assert {path.parent.name for path in unchanged} == set(PASSES)


def sites(fn: Function) -> Iterator[Site]:
    """Yield every generated instruction of straight-line code as rows see it."""
    by = {r: i for i in fn.block.instrs for r in i.results}
    uses: dict[object, int] = {}
    for instr in fn.block.instrs:
        for a in instr.args:
            uses[a] = uses.get(a, 0) + 1
    defined = Definitions(by, dict.fromkeys(by, 0), uses)  # type: ignore[arg-type]
    for instr in fn.block.instrs:
        if instr.role and len(instr.results) == 1:
            yield Site(instr, defined, 0)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.pattern)
def test_every_row_has_a_case(row: object) -> None:
    fits = [
        path.stem
        for path in (FOLDER / "simplify").glob("*.ir")
        for site in sites(parse(sections(path)[1], OPS))
        if site.instr.op.name in row.ops and row.apply(site) is not None  # type: ignore[attr-defined]
    ]
    assert fits
