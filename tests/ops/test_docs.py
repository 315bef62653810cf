"""docs/ops.md is what the table says."""

from __future__ import annotations

from pathlib import Path

from s2sad.ops import OPS
from s2sad.ops.describe import page, row

PAGE = Path(__file__).parents[2] / "docs" / "ops.md"


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(OPS), "run python tools/gen_docs.py"


def test_a_row_says_what_is_read() -> None:
    assert row(OPS["tanh"]).derivative == "(1.0 - y * y) * g"
    assert row(OPS["tanh"]).reads == "y"
    assert row(OPS["divide"]).reads == "b, y"
    assert row(OPS["add"]).reads == ""
    assert row(OPS["mean"]).reads == "shape of x"
