"""What is measured: the kernels with their sizes, and the figures they are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from corpus.kernels import KERNELS, Kernel

SIZES = ("small", "full", "large", "million")

# Keyword arguments of `Kernel.make`: an eighth of the full work, the full work, four times as much. In the
# grids it is their width that grows, so that small ones fit into the caches and large ones do not.
WORK: dict[str, tuple[dict[str, Any], ...]] = {
    "gmm": ({"n": 125}, {}, {"n": 4000}),
    "lstm": ({"steps": 129}, {}, {"steps": 4093}),
    "mlp": ({"batch": 32}, {}, {"batch": 1024}),
    "seidel": ({"n": 72}, {}, {"n": 398}),
    "jacobi2d": ({"n": 72}, {}, {"n": 398}),
    "lorenz": ({"steps": 1250}, {}, {"steps": 40_000}, {"steps": 1_000_000}),
    "black_scholes": ({"n": 125_000}, {}, {"n": 4_000_000}),
    "logsumexp": ({"n": 125_000}, {}, {"n": 4_000_000}),
    "gp": ({"n": 150}, {}, {"n": 476}),
    "newton": ({"n": 12_500}, {}, {"n": 400_000}),
    "mandel": ({"n": 2_500}, {}, {"n": 80_000}),
}


@dataclass(frozen=True)
class Target:
    """The ratio (gradient / Numba-compiled loop primal) to reach at full size, and what was measured of other
    tools on another machine: read these as orders of magnitude."""

    ratio: float
    published: str


TARGETS = {
    "gmm": Target(0.5, "torch.compile 0.59, hand C++ 1.5, JAX 2.3"),
    "lstm": Target(0.7, "Enzyme 2.0, Tapenade 4.0, JAX 4.4"),
    "mlp": Target(2.0, "torch.compile 2.1, JAX 4.1"),
    "seidel": Target(0.75, "hand C 0.70, Enzyme 1.3, JAX 3.5"),
    "jacobi2d": Target(1.2, "hand C 1.1, Enzyme 5.2, JAX 26"),
    "lorenz": Target(1.6, "hand C 1.6, Enzyme 2.0, JAX 200"),
    "black_scholes": Target(0.35, "torch.compile 0.77, hand C 1.7, JAX 2.7"),
    "logsumexp": Target(0.6, "JAX 0.75"),
    "gp": Target(1.6, "torch 1.9, JAX 2.5"),
    "newton": Target(2.5, "hand implicit 0.92, Enzyme 9.0, JAX 68"),
    "mandel": Target(1.0, "hand C 0.95, JAX 2.0, Enzyme 15"),
}


def spellings(names: list[str]) -> dict[str, list[Kernel]]:
    """Return the kernels by name, loops first."""
    found: dict[str, list[Kernel]] = {name: [] for name in names or WORK}
    for kernel in sorted(KERNELS, key=lambda k: k.spelling != "loops"):
        if kernel.name in found:
            found[kernel.name].append(kernel)
    return found


def arguments(kernel: Kernel, size: str) -> tuple[Any, ...] | None:
    """Return the kernel's arguments, None if it has no such size."""
    position = SIZES.index(size)
    work = WORK[kernel.name]
    return kernel.make(**work[position]) if position < len(work) else None


def leaves(tree: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Yield what dicts, lists and tuples hold, as arrays."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        for item in tree:
            yield from leaves(item)
    else:
        yield np.asarray(tree)


def disagreement(got: Any, reference: Any) -> float:
    """Return the largest difference of two gradients, relative to the largest number in each leaf of the
    reference. They may be of different structure, as the spellings of lstm are, if the order is the same."""
    found = np.concatenate([np.ravel(leaf) for leaf in leaves(got)])
    worst, start = 0.0, 0
    for leaf in leaves(reference):
        piece = found[start : start + leaf.size]
        if piece.size != leaf.size or not np.all(np.isfinite(piece)):
            return np.inf
        worst = max(worst, float(np.max(np.abs(piece - leaf.ravel())) / np.max(np.abs(leaf))))
        start += leaf.size
    return worst if start == found.size else np.inf
