"""Other tools, where they are installed: each is a module beside this one, imported only then."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

PACKAGES = {"jax": "jax", "torch": "torch", "autograd": "autograd", "enzyme": "enzyme_ad"}

Args = tuple[Any, ...]
Prepare = Callable[[str, Args, tuple[int, ...]], Callable[[], Any] | None]


@dataclass(frozen=True)
class Peer:
    """A column of the table. `prepare(name, args, argnums)` takes the arguments of the loops spelling and
    gives a function that computes the gradient and waits for it, or None if there is no program."""

    column: str
    prepare: Prepare
    compiles: bool


def installed(wanted: list[str]) -> tuple[list[Peer], dict[str, str]]:
    """Return the peers among those wanted that are installed, and the versions of their packages."""
    peers: list[Peer] = []
    versions = {}
    for name in wanted:
        package = PACKAGES[name]
        if importlib.util.find_spec(package) is not None:
            peers += importlib.import_module(f"benchmark.peer_{name}").PEERS
            versions[name] = version(package)
    return peers, versions
