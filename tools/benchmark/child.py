"""What only a process of its own can tell, printed as JSON.

    python tools/benchmark/child.py start KERNEL SPAWNED     seconds from SPAWNED (time.monotonic) on
    python tools/benchmark/child.py memory KERNEL SIZE       bytes at the peak of primal and gradient

`start` imports what a program would that has this kernel in a file of its own, no more: the way to the first
gradient has to be short. The memory of a call is the high-water mark of the resident set during it, over the
resident set before it, which has the arguments and all that is compiled, but no tape that was kept for reuse:
the calls before had tiny arguments. Only Linux lets a process put its mark back; it counts pages in batches,
so a quarter of a MiB is noise.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
importlib.import_module("benchmark")  # which says where the rest is

STATUS = Path("/proc/self/status")


def start(wanted: str, spawned: float) -> dict[str, float]:
    """Return the seconds from the start of the process to s2sad, to the arguments, to the first gradient."""
    s2sad = importlib.import_module("s2sad")
    ready = time.monotonic()
    if wanted != "black_scholes/vectorised":  # the one kernel that imports SciPy
        sys.modules["scipy.special"] = None  # type: ignore[assignment]
    kernel = next(k for k in importlib.import_module("corpus.kernels").KERNELS if k.id == wanted)
    if sys.modules["scipy.special"] is None:
        del sys.modules["scipy.special"]
    args = kernel.make(**kernel.small)
    given = time.monotonic()
    s2sad.grad(kernel.f, argnums=kernel.argnums, jit=True)(*args)
    return {
        "imported": ready - spawned,
        "arguments": given - spawned,
        "gradient": time.monotonic() - spawned,
    }


def resident(entry: str) -> int:
    """Return bytes: VmRSS now, VmHWM at the peak."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(entry))
    return 1024 * int(line.split()[1])


def peak(call: Callable[[], Any]) -> int:
    """Return by how many bytes the resident set grows during a call."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    call()
    return resident("VmHWM") - before


def memory(wanted: str, size: str) -> dict[str, float]:
    """Return the bytes of arguments, primal and gradient; nothing where the system does not tell."""
    if not STATUS.exists():
        return {}
    cases = importlib.import_module("benchmark.cases")
    primals = importlib.import_module("benchmark.primals")
    kernel = next(k for k in cases.KERNELS if k.id == wanted)
    loops = cases.spellings([kernel.name])[kernel.name][0]
    primal = primals.compiled(kernel.name)
    primal(*primals.prepared(kernel.name, loops.make(**kernel.small)))
    gradient = importlib.import_module("s2sad").grad(kernel.f, argnums=kernel.argnums, jit=True)
    gradient(*kernel.make(**kernel.small))
    args = cases.arguments(kernel, size)
    given = primals.prepared(kernel.name, cases.arguments(loops, size))
    return {
        "arguments": sum(leaf.nbytes for leaf in cases.leaves(args)),
        "primal": peak(lambda: primal(*given)),
        "gradient": peak(lambda: gradient(*args)),
    }


if __name__ == "__main__":
    mode, kernel_id, last = sys.argv[1:]
    print(json.dumps(start(kernel_id, float(last)) if mode == "start" else memory(kernel_id, last)))
