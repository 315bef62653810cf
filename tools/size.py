"""Print the lines of code per folder of the package, and its largest files.

    python tools/size.py [--limit 500]

Fails if a file is longer than the limit.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Return 1 if a file of the package is too long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=500)
    limit = parser.parse_args().limit
    folders: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path in sorted((ROOT / "s2sad").rglob("*.py")):
        name = path.relative_to(ROOT)
        files[str(name)] = len(path.read_text(encoding="utf-8").splitlines())
        folders[str(name.parent)] += files[str(name)]
    for folder, lines in sorted(folders.items()):
        print(f"{lines:6d}  {folder}")
    print(f"{sum(folders.values()):6d}  in all, {len(files)} files; the largest:")
    for name, lines in files.most_common(5):
        print(f"{lines:6d}  {name}")
    return int(any(lines > limit for lines in files.values()))


if __name__ == "__main__":
    sys.exit(main())
