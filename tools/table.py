"""Check every call form of tests/table, all cases, and print how many there are and what is wrong.

    python tools/table.py [--family reduce] [--grep TEXT] [--jit none|lowered|first|all] [--report FILE]
                          [--defects FILE]

`--jit lowered` runs the loop nests as plain Python; `first` compiles the first case of every form by Numba,
`all` every case. `--defects` rewrites the list of known defects from what is found.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = "# What is known to be wrong: the code or kind, the case, the call."
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from table.all_rows import FAMILIES  # noqa: E402
from table.check import check  # noqa: E402
from table.coverage import called  # noqa: E402
from table.known import BY_DESIGN, DEFECTS, listed  # noqa: E402


def entry(kinds: set[str], case: str, call: str) -> str:
    """Return a line of the list of what is known."""
    return f"{','.join(sorted(kinds)):20} {case:10} {call}"


def main() -> int:
    """Return 1 if something is wrong that is not known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=FAMILIES)
    parser.add_argument("--grep", default="")
    parser.add_argument("--jit", choices=("none", "lowered", "first", "all"), default="lowered")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--defects", type=Path)
    options = parser.parse_args()
    start, defect, design = time.process_time(), listed(DEFECTS), listed(BY_DESIGN)
    counts: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    lines: list[str] = []
    defects: list[str] = []
    rows = [
        r
        for f, rows in FAMILIES.items()
        if options.family in (None, f)
        for r in rows
        if options.grep in r.call
    ]
    for row in rows:
        counts["call forms"] += 1
        for k, case in enumerate(row.cases):
            compiled = options.jit == "all" or (options.jit == "first" and k == 0)
            outcome = check(row, case, lowered=options.jit != "none", compiled=compiled)
            counts["cases"] += 1
            counts["compiled"] += compiled
            counts["raise as NumPy does"] += outcome.raised
            counts["refused"] += bool(outcome.refused)
            codes[outcome.refused] += bool(outcome.refused)
            case = case.partition("!")[0]
            meant = design.get((row.call, case), set())
            problems = [(kind, text) for kind, text in outcome.problems if kind not in meant]
            counts["otherwise by design"] += bool(outcome.problems) and not problems
            if problems:
                kinds = {kind for kind, _ in problems}
                counts["failures"] += 1
                counts["failures not known"] += bool(kinds - defect.get((row.call, case), set()))
                defects.append(entry(kinds, case, row.call))
            for kind, text in problems:
                line = f"{kind:10} {row.call}  [{case}]  {text}"
                lines.append(line)
                print(line[:400], flush=True)
    functions, members = called(rows)
    summary = [f"{len(functions):6d} functions and types, {len(members)} methods and attributes"]
    summary += [f"{n:6d} {what}" for what, n in sorted(counts.items())]
    summary += [f"{n:6d} refused with {code}" for code, n in sorted(codes.items()) if n]
    summary += [f"{time.process_time() - start:6.0f} CPU seconds"]
    print("\n".join(summary))
    if options.report:
        options.report.write_text("\n".join([*summary, "", *lines]) + "\n", encoding="utf-8")
    if options.defects:
        tried = {row.call for row in rows}
        defects += [entry(k, case, call) for (call, case), k in defect.items() if call not in tried]
        options.defects.write_text("\n".join([HEAD, *sorted(defects)]) + "\n", encoding="utf-8")
    return int(counts["failures not known"] > 0)


if __name__ == "__main__":
    sys.exit(main())
