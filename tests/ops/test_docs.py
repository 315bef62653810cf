"""docs/ops.md is what the table says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from s2sad.ops import OPS
from s2sad.ops.describe import row

ROOT = Path(__file__).parents[2]


def test_page_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, "tools/gen_docs.py", "--check"], cwd=ROOT)
    assert done.returncode == 0, "run python tools/gen_docs.py"


def test_a_row_says_what_is_read() -> None:
    assert row(OPS["tanh"]).derivative == "(1.0 - y * y) * g"
    assert row(OPS["tanh"]).reads == "y"
    assert row(OPS["divide"]).reads == "b, y"
    assert row(OPS["add"]).reads == ""
    assert row(OPS["mean"]).reads == "shape of x"
