"""Minimum cuts, and the choice between taping and recomputing that is made with them.

The choice is exact for the cost model: recomputing a value requires that its operands can be had, which
makes it a project-selection problem, and those are minimum cuts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable

from s2sad.record import dataclass

INFINITE = float("inf")


class Network:
    """A flow network; nodes are any hashable things."""

    def __init__(self) -> None:
        self.number: dict[Hashable, int] = {}
        self.edges: list[list[int]] = []  # per node: indices into the arrays below
        self.head: list[int] = []
        self.room: list[float] = []
        self.unbounded = False

    def node(self, key: Hashable) -> int:
        """Return the number of a node, adding it if it is new."""
        if key not in self.number:
            self.number[key] = len(self.edges)
            self.edges.append([])
        return self.number[key]

    def connect(self, a: Hashable, b: Hashable, capacity: float) -> None:
        """Add an edge from a to b."""
        u, v = self.node(a), self.node(b)
        for source, target, room in ((u, v, capacity), (v, u, 0.0)):
            self.edges[source].append(len(self.head))
            self.head.append(target)
            self.room.append(room)

    def cut(self, source: Hashable, sink: Hashable) -> set[Hashable] | None:
        """Return the nodes on the sink's side of a minimum cut, as small a side as possible; None if
        every cut is infinite."""
        s, t = self.node(source), self.node(sink)
        while self._augment(s, t):
            pass
        if self.unbounded:
            return None
        reaching = {t}
        todo = deque([t])
        while todo:  # nodes from which the sink can still be reached
            v = todo.popleft()
            for e in self.edges[v]:
                u = self.head[e]
                if u not in reaching and self.room[e ^ 1] > 0.0:
                    reaching.add(u)
                    todo.append(u)
        return {key for key, n in self.number.items() if n in reaching}

    def _augment(self, s: int, t: int) -> bool:
        """Send flow along a shortest path (Edmonds-Karp); False if there is none."""
        via: dict[int, int] = {s: -1}
        todo = deque([s])
        while todo and t not in via:
            u = todo.popleft()
            for e in self.edges[u]:
                if self.room[e] > 0.0 and self.head[e] not in via:
                    via[self.head[e]] = e
                    todo.append(self.head[e])
        if t not in via:
            return False
        path = []
        v = t
        while v != s:
            path.append(via[v])
            v = self.head[via[v] ^ 1]
        amount = min(self.room[e] for e in path)
        if amount == INFINITE:
            self.unbounded = True
            return False
        for e in path:
            self.room[e] -= amount
            self.room[e ^ 1] += amount
        return True


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that the reverse sweep could need: what it costs to tape it (None: cannot be), and to
    compute it again (None: cannot be) from `operands`, by `producer` (shared by values computed at once)."""

    key: Hashable
    store: float | None
    recompute: float | None
    producer: Hashable
    operands: tuple[Hashable, ...]


def choose(candidates: Iterable[Candidate], required: Iterable[Hashable]) -> set[Hashable] | None:
    """Return the keys to tape so that all required values can be had at least cost; None if they
    cannot be had. Operands that are no candidates are free."""
    network = Network()
    known = {c.key: c for c in candidates}
    source, sink = "source", "sink"
    seen: set[Hashable] = set()
    for c in known.values():
        network.connect(("in", c.key), ("out", c.key), INFINITE if c.store is None else c.store)
        network.connect(("op", c.producer), ("in", c.key), INFINITE)
        if c.producer in seen:
            continue
        seen.add(c.producer)
        network.connect(source, ("op", c.producer), INFINITE if c.recompute is None else c.recompute)
        for x in c.operands:
            if x in known:
                network.connect(("out", x), ("op", c.producer), INFINITE)
    for key in required:
        if key in known:
            network.connect(("out", key), sink, INFINITE)
    side = network.cut(source, sink)
    if side is None:
        return None
    return {k for k in known if ("out", k) in side and ("in", k) not in side}
