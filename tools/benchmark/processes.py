"""Child processes: start to first gradient without and with a filled cache, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHILD = Path(__file__).with_name("child.py")

# every block of some size comes from the system and goes back to it, so that the resident set shows it
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}

Figures = dict[str, float]


def child(settings: dict[str, str], *arguments: str) -> Figures:
    """Return what a child prints; nothing if it fails."""
    environment = {**os.environ, **settings}
    command = [sys.executable, str(CHILD), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{' '.join(arguments)}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return {}
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def starts(kernel: str) -> dict[str, Figures]:
    """Return the seconds of a process with an empty cache, and of the next one."""
    with tempfile.TemporaryDirectory() as cache:
        settings = {"S2SAD_CACHE": cache}
        return {run: child(settings, "start", kernel, repr(time.monotonic())) for run in ("first", "second")}


def memory(kernel: str, size: str) -> Figures:
    """Return the bytes of the arguments, and at the peak of primal and gradient over them."""
    return child({**ALLOCATOR, "S2SAD_CACHE": "0"}, "memory", kernel, size)
