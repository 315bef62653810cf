"""Write docs/ops.md from the table of operations.

    python tools/gen_docs.py [--check]

With --check nothing is written; the exit code says whether the page is up to date.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from s2sad.ops import OPS
from s2sad.ops.describe import page

PAGE = Path(__file__).parent.parent / "docs" / "ops.md"


def main() -> int:
    """Return 1 if the page had to change and --check was given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = page(OPS)
    if check:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
