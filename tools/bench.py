"""Measure derivatives beside their primals and beside other tools, and print ratios.

    python tools/bench.py [--kernel NAME]... [--sizes small,full,large,million] [--repeat 20]
                          [--peers jax,torch | --no-peers] [--no-processes] [-o FILE.json]

Needs the extra `jit`; peers (jax, torch, autograd, enzyme-ad) are measured where they are installed.
docs/performance.md says what is measured and how to read it.

One process on one processor core, one thread. Per kernel and size, these take turns of 20 ms (at least one
call), as often as --repeat says or until one has used 10 s: the loop primal compiled by Numba with its
default flags; `grad` and `value_and_grad` under jit, and `grad` without, of each spelling; each peer's
gradient, of the kernel as it is or rewritten for the tool (benchmark/peer_*.py). Before that each has run
twice, compared with s2sad's gradient: a wrong one is not timed, and one that takes over 5 s is "too slow".
Ratios are of minima.

Then, in processes of their own, per kernel and spelling: seconds from the start to the first gradient, with
an empty cache folder and again with what the first left there, and the peak memory of primal and gradient.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmark import cases, primals
from benchmark.clock import Contestant, race
from benchmark.peers import PACKAGES, Peer, installed
from benchmark.processes import memory, starts
from benchmark.report import Process, Run, as_json, environment, processes, ratios, spread
from corpus.kernels import Kernel

import s2sad
from s2sad.settings import settings

CALL, BUDGET = 5.0, 10.0  # seconds that one call may take, and all calls of one contestant
COMPILE = 300.0  # seconds that the first call of a compiled function may take
AGREEMENT = 1e-6  # far above rounding, far below a wrong term
CHAOTIC = "million"  # the size at which no two roundings of lorenz agree: nothing is compared


def measured(name: str, kernels: list[Kernel], size: str, peers: list[Peer], rounds: int) -> Run:
    """Return the times of a kernel at a size."""
    args = cases.arguments(kernels[0], size)
    compiled, given = primals.compiled(name), primals.prepared(name, args)
    run = Run(name, size, Contestant("primal", lambda: compiled(*given)))
    value = run.primal.try_out(COMPILE, CALL)
    check_primal(kernels[0], compiled)

    reference: Any = None
    for kernel in kernels:
        group = derivatives(kernel, cases.arguments(kernel, size))
        run.spellings[kernel.spelling] = group
        for contestant in group:
            jit = contestant is not group[2]
            found = contestant.try_out(COMPILE if jit else 2 * CALL, CALL)
            if found is None or size == CHAOTIC:
                continue
            if contestant is group[1]:
                agree(contestant, found[0], value)
                found = found[1]
            reference = found if reference is None else reference
            agree(contestant, found, reference)
    if size != CHAOTIC:
        run.peers = rivals(name, args, kernels[0].argnums, peers, reference)
    race(run.contestants, rounds, BUDGET)
    return run


def check_primal(kernel: Kernel, compiled: Any) -> None:
    """Stop if the denominator computes something else."""
    tiny = kernel.make(**kernel.small)
    error = cases.disagreement(compiled(*primals.prepared(kernel.name, tiny)), kernel.f(*tiny))
    if error > AGREEMENT:
        sys.exit(f"the compiled primal of {kernel.name} is off by {error:.1e}")


def derivatives(kernel: Kernel, args: Any) -> list[Contestant]:
    """Return the derivatives that s2sad makes of a kernel."""
    functions = (
        ("grad", s2sad.grad(kernel.f, argnums=kernel.argnums, jit=True)),
        ("value_and_grad", s2sad.value_and_grad(kernel.f, argnums=kernel.argnums, jit=True)),
        ("grad, no jit", s2sad.grad(kernel.f, argnums=kernel.argnums)),
    )
    return [Contestant(label, lambda f=f: f(*args)) for label, f in functions]  # type: ignore[misc]


def rivals(
    name: str, args: Any, argnums: tuple[int, ...], peers: list[Peer], reference: Any
) -> list[Contestant]:
    """Return the peers that have a program for this kernel, tried out."""
    found = []
    for peer in peers:
        program = peer.prepare(name, args, argnums)
        if program is not None:
            contestant = Contestant(peer.column, program)
            gradient = contestant.try_out(COMPILE if peer.compiles else 2 * CALL, CALL)
            if gradient is not None:
                agree(contestant, gradient, reference)
            found.append(contestant)
    return found


def agree(contestant: Contestant, found: Any, reference: Any) -> None:
    """Note on a contestant that it is wrong, if it is: it is not timed then."""
    error = cases.disagreement(found, reference)
    if not error <= AGREEMENT:
        contestant.note = f"wrong: {error:.0e}"
        print(f"{contestant.label} differs by {error:.1e}", file=sys.stderr)


def parsed() -> argparse.Namespace:
    """Return the options."""
    text = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=text)
    add = parser.add_argument
    add(
        "--kernel", action="append", choices=cases.WORK, default=[], help="measure this one (may be repeated)"
    )
    add("--sizes", default="full", help=f"of {','.join(cases.SIZES)}: 1/8, 1, 4 times the work; lorenz only")
    add("--peers", default=",".join(PACKAGES), help="of %(default)s")
    add("--no-peers", action="store_true", help="s2sad alone")
    add("--repeat", type=int, default=20, help="turns of each contestant (%(default)s)")
    add("--no-processes", action="store_true", help="leave out start, caching and memory")
    add("-o", "--output", type=Path, help="write all figures as JSON")
    options = parser.parse_args()
    options.sizes = options.sizes.split(",")
    options.peers = [] if options.no_peers else options.peers.split(",")
    if wrong := (set(options.sizes) - set(cases.SIZES)) | (set(options.peers) - set(PACKAGES)):
        parser.error(f"unknown: {', '.join(sorted(wrong))}")
    return options


def main() -> int:
    """Print the tables."""
    options = parsed()
    faulthandler.enable()  # peers are much native code
    settings.cache = "0"  # the first call is to compile; child processes have a cache of their own
    if hasattr(os, "sched_setaffinity"):  # whatever starts threads all the same: they share one core
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    peers, versions = installed(options.peers)
    where = environment(versions)
    print(", ".join(f"{key} {value}" for key, value in where.items()))
    columns = [peer.column for peer in peers]
    runs: list[Run] = []
    children: list[Process] = []
    for name, kernels in cases.spellings(options.kernel).items():
        sizes = cases.sizes(name, options.sizes)
        for size in sizes:
            print(f"{name} {size} ...", file=sys.stderr, flush=True)
            runs.append(measured(name, kernels, size, peers, options.repeat))
        if not options.no_processes:
            print(f"{name} processes ...", file=sys.stderr, flush=True)
            children += [
                Process(kernel.id, starts(kernel.id), {size: memory(kernel.id, size) for size in sizes})
                for kernel in kernels
            ]
        if options.output is not None:
            options.output.write_text(json.dumps(as_json(runs, children, where), indent=1) + "\n")
    print("\nTimes over the compiled loop primal's, minima:\n")
    print(ratios(runs, columns))
    if apart := spread(runs):
        print(f"\n{apart}")
    if children:
        print("\nThe way to the first gradient, and the memory of a call over its arguments:\n")
        print(processes(children, runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
