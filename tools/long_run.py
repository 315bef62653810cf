"""Check many random programs and report: counts, refusals by code, what was wrong.

    python tools/long_run.py --count 50000 --jobs 2 --report long_run.txt

Program texts that failed are saved beside the report, made small with --shrink. Every 50th program is
compiled, with --compiled 0 none.
"""

from __future__ import annotations

import argparse
import gc
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from property.programs import generated
from property.shrink import shrunk
from property.verdicts import Verdict, check_compiled, check_lowered, judge

Job = tuple[int, int]  # seed, 0 or the share of compiled programs


def run(job: Job) -> tuple[int, Verdict, bool]:
    """Return the verdict on one program and whether it was compiled."""
    number, share = job
    if number % 20 == 0:
        gc.collect()
    text = generated(number).text
    verdict = judge(text, number, second=number % 5 == 0, extra=check_lowered)
    compiled = bool(share) and number % share == 0 and verdict.kind == "right"
    if compiled:
        sizes = ((3, 2), (0, 4), (4, 3))
        verdict = judge(text, number, sizes=sizes, extra=check_compiled, seconds=300.0, poison=False)
    return number, verdict, compiled


def verdicts(jobs: list[Job], workers: int) -> Iterator[tuple[int, Verdict, bool]]:
    """Yield the verdicts as they come."""
    if workers <= 1:
        yield from map(run, jobs)
        return
    with ProcessPoolExecutor(workers, initializer=gc.disable) as pool:  # a fifth of the time
        yield from pool.map(run, jobs, chunksize=10)


def fails_alike(verdict: Verdict, number: int, candidate: str) -> bool:
    """Return whether a smaller program fails in the same way."""
    try:
        other = judge(candidate, number, second=True, extra=check_lowered, seconds=5.0)
    except Exception:  # the smaller text is no program any more
        return False
    return (other.kind, other.code) == (verdict.kind, verdict.code) and words(other) == words(verdict)


def words(verdict: Verdict) -> str:
    """Return what a verdict says, without numbers."""
    first = verdict.detail.splitlines()[0] if verdict.detail else ""
    return re.sub(r"[\d.e+-]+", "0", first)[:40]


def report(kinds: Counter[str], codes: Counter[str], totals: Counter[str], seconds: float) -> str:
    """Return the figures as text."""
    count = sum(kinds.values())
    lines = [f"{count} programs in {seconds:.0f} s ({1e3 * seconds / max(count, 1):.0f} ms each)"]
    lines += [f"  {kind}: {n} ({100 * n / count:.2f} %)" for kind, n in sorted(kinds.items())]
    lines += [f"  {what}: {n}" for what, n in sorted(totals.items())]
    lines += [f"  refused with {code}: {n}" for code, n in codes.most_common()]
    return "\n".join(lines)


def main() -> int:
    """Return 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--compiled", type=int, default=50, help="compile every so manyth program")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--shrink", type=int, default=0, help="make so many failures small")
    parser.add_argument("--report", type=Path, default=Path("long_run.txt"))
    options = parser.parse_args()
    kinds: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    start = time.monotonic()
    folder = options.report.with_suffix("")
    todo = [(k, options.compiled) for k in range(options.first, options.first + options.count)]
    for number, verdict, compiled in verdicts(todo, options.jobs):
        kinds[verdict.kind] += 1
        codes[verdict.code] += verdict.kind == "refused"
        totals["points compared"] += verdict.points
        totals["points rounded in another order"] += verdict.rounded
        totals["points of second order"] += verdict.second
        totals["points that raise alike"] += verdict.raised
        totals["points that raise in a conversion not used"] += verdict.unused
        totals["programs compiled"] += compiled
        if verdict.kind != "right":
            text = generated(number).text
            if verdict.kind != "refused" and options.shrink > 0:
                options.shrink -= 1
                text = shrunk(text, lambda t, v=verdict, k=number: fails_alike(v, k, t))
            folder.mkdir(parents=True, exist_ok=True)
            note = "".join(f"# {line}\n" for line in verdict.detail.splitlines())
            (folder / f"{verdict.kind}_{number}.py").write_text(f"{note}{text}")
        if sum(kinds.values()) % 500 == 0:
            print(report(kinds, codes, totals, time.monotonic() - start), flush=True)
    text = report(kinds, +codes, totals, time.monotonic() - start)
    options.report.write_text(text + "\n")
    print(text)
    return int(kinds["wrong"] + kinds["crash"] > 0)


if __name__ == "__main__":
    sys.exit(main())
