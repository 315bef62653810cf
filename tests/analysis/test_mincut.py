"""The choice of what to tape: against trying everything, on random graphs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from s2sad.analysis.mincut import Candidate, choose


def cost(candidates, required, taped):
    """Return the cost of a choice: tapes, and each producer once that has to run again; inf if it cannot."""
    known = {c.key: c for c in candidates}
    total = sum(known[k].store for k in taped)
    todo, had, ran = list(required), set(), set()
    while todo:
        k = todo.pop()
        if k in had or k not in known or k in taped:
            continue
        had.add(k)
        c = known[k]
        if c.recompute is None:
            return float("inf")
        if c.producer not in ran:
            ran.add(c.producer)
            total += c.recompute
        todo += c.operands
    return total


def graph(rng):
    size = int(rng.integers(2, 8))
    candidates = []
    for k in range(size):
        shared = k > 0 and rng.random() < 0.2
        if shared:
            before = candidates[-1]
            c = Candidate(k, float(rng.integers(1, 9)), before.recompute, before.producer, before.operands)
        else:
            again = None if k == 0 or rng.random() < 0.2 else float(rng.integers(0, 9))
            operands = tuple(int(j) for j in range(k) if rng.random() < 0.5)
            c = Candidate(k, float(rng.integers(1, 9)), again, ("op", k), operands)
        candidates.append(c)
    required = [int(k) for k in range(size) if rng.random() < 0.5] or [size - 1]
    return candidates, required


@pytest.mark.parametrize("seed", range(200))
def test_no_choice_is_cheaper(seed):
    candidates, required = graph(np.random.default_rng(seed))
    chosen = choose(candidates, required)
    keys = [c.key for c in candidates]
    subsets = itertools.chain.from_iterable(itertools.combinations(keys, n) for n in range(len(keys) + 1))
    best = min(cost(candidates, required, set(s)) for s in subsets)
    assert cost(candidates, required, chosen) == pytest.approx(best)


def test_views_of_one_array_tape_the_array():
    u = Candidate("u", 600.0, None, "loop", ())
    views = [Candidate(v, 588.0, 0.0, v, ("u",)) for v in ("left", "right")]
    gap = Candidate("gap", 588.0, 98.0, "gap", ("left", "right"))
    assert choose([u, *views, gap], ["left", "gap"]) == {"u"}


def test_impossible():
    assert choose([Candidate("x", None, None, "x", ())], ["x"]) is None


def test_free_operands_are_no_candidates():
    assert choose([Candidate("t", 6.0, 1.0, "t", ("free",))], ["t"]) == set()
