"""Random stencils in loops over time: their sums are gathered, what is overwritten is set to 0 with them,
and whatever stands in the way of that is seen."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from oracle import assert_close
from property.verdicts import lowering_interpreted
from written import written

import s2sad
from s2sad.lowering.nests import clear, gather

PROGRAMS, SHARDS = 80, 2


def taps(rng: random.Random, dims: int, reach: int) -> list[tuple[int, ...]]:
    """Return the offsets of a random stencil."""
    every = list(itertools.product(range(-reach, reach + 1), repeat=dims))
    return rng.sample(every, min(len(every), rng.choice([2, 3, 3, 4, 5, 6])))


def sliced(name: str, offsets: tuple[int, ...], reach: int) -> str:
    """Return the part of an array that is `offsets` from the inner one."""
    spans = [f"{reach + o or ''}:{o - reach or ''}" for o in offsets]
    return f"{name}[{', '.join(spans)}]"


def element(name: str, offsets: tuple[int, ...]) -> str:
    """Return the element that is `offsets` from that of the trip."""
    index = ", ".join(f"{'ijk'[d]} {'+-'[o < 0]} {abs(o)}" if o else "ijk"[d] for d, o in enumerate(offsets))
    return f"{name}[{index}]"


def update(rng: random.Random, dims: int, to: str, of: str, slices: bool, reach: int) -> Iterator[str]:
    """Yield the lines of one statement over the inside of an array."""
    offsets = taps(rng, dims, reach)
    factors = [rng.choice(["0.2 * ", "0.3 * ", "", "-0.4 * "]) for _ in offsets]
    here = rng.choice([(0,) * dims] * 5 + [offsets[0]])
    op = rng.choice(["="] * 5 + ["+="])
    if slices:
        right = " + ".join(f + sliced(of, o, reach) for f, o in zip(factors, offsets, strict=True))
        yield f"{sliced(to, here, reach)} {op} {right}"
        return
    right = " + ".join(f + element(of, o) for f, o in zip(factors, offsets, strict=True))
    for d in range(dims):
        down = rng.random() < 0.2
        span = f"n{d} - {reach + 1}, {reach - 1}, -1" if down else f"{reach}, n{d} - {reach}"
        yield f"{'    ' * d}for {'ijk'[d]} in range({span}):"
    yield f"{'    ' * dims}{element(to, here)} {op} {right}"


def extra(rng: random.Random, dims: int, names: list[str]) -> str:
    """Return a statement that may stand in the way."""
    x, y = rng.sample(names, 2)
    corner = ", ".join(["0"] * dims)
    return rng.choice(
        [
            f"{x}[0] = 0.5 * {y}[-1]",
            f"{x}[{corner}] += {y}[{corner}]",
            f"{x} *= 0.9",
            f"s += np.sum({x} * {y})",
            f"{x}, {y} = {y}, {x}",
            f"row = {x}[-1]; row += 0.1",
            f"{x} = {y} * 0.5",
            f"{x}[...] = np.sin({y})",
            f"{x}[1:-1] = 0.0",
            "if s > 0.3: continue",
        ]
    )


def program(seed: int) -> tuple[str, int]:
    """Return a random program and how many dimensions its arrays have."""
    rng = random.Random(seed)
    dims = rng.choice([1, 1, 2, 2, 2, 3])
    names = ["a", "b", "c"]
    lines = [f"{', '.join(f'n{d}' for d in range(dims))}, = a.shape", "a, b = a.copy(), b.copy()"]
    lines += [rng.choice(["c = np.zeros_like(a)", "c = 0.5 * a", "c = a[::-1].copy()"]), "s = 0.0"]
    lines.append(rng.choice(["for _ in range(steps):", "for _ in range(steps - 1, -1, -1):"]))
    to, of = rng.sample(names, 2)
    slices, reach = rng.random() < 0.5, rng.choice([1, 1, 2])
    for _ in range(rng.choice([1, 2, 2, 3])):
        if rng.random() < 0.1:
            slices, reach = not slices, 3 - reach
        to, of = (of, to) if rng.random() < 0.8 else rng.sample(names, 2)
        lines += [f"    {line}" for line in update(rng, dims, to, of, slices, reach)]
        if rng.random() < 0.15:
            lines.append(f"    {extra(rng, dims, names)}")
    result = rng.choice([f"np.sum({to} * w)"] * 3 + ["np.sum(w * a * np.sin(b)) + np.sum(c)"])
    lines.append(f"return s + {result}")
    return "def f(a, b, w, steps):\n" + "".join(f"    {line}\n" for line in lines), dims


def arguments(dims: int, shape: tuple[int, ...], steps: int) -> tuple[Any, ...]:
    rng = np.random.default_rng([dims, *shape, steps])
    return (*(rng.normal(size=shape[:dims]) for _ in range(3)), steps)


def outcome(f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return what a function returns, or the kind of error that it raises."""
    try:
        return f(*args)
    except (IndexError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_stencils(shard: int, monkeypatch: pytest.MonkeyPatch):
    set_together, moved = [], []
    set_before, moving = gather._Turner.set_before, clear._Mover.moved

    def counted_set(self: Any, *args: Any) -> Any:
        found = set_before(self, *args)
        set_together.append(found is not None)
        return found

    monkeypatch.setattr(gather._Turner, "set_before", counted_set)
    monkeypatch.setattr(clear._Mover, "moved", lambda *args: (moved.append(1), moving(*args))[1])
    for seed in range(shard, PROGRAMS, SHARDS):
        check(seed)
    assert sum(set_together) >= PROGRAMS // SHARDS // 4, "nothing is set with its sums"
    assert moved, "nothing is cleared first"


def check(seed: int) -> None:
    """Check the gradients of a program in loop nests against those on NumPy."""
    text, dims = program(seed)
    f = written(text, f"<stencil {seed}>", {"np": np})["f"]
    plain, nests = (s2sad.value_and_grad(f, argnums=(0, 1, 2), jit=jit) for jit in (False, True))
    with lowering_interpreted():
        for shape in ((5, 4, 6), (2, 3, 2), (3, 5, 3), (1, 1, 1)):
            for steps in (2, 0):
                args = arguments(dims, shape, steps)
                want = outcome(plain, args)
                got = outcome(nests, args)
                if isinstance(want, type):
                    assert got is want, text
                else:
                    assert_close(got, want, 1e-12, text)


@pytest.mark.parametrize("seed", range(0, PROGRAMS, 20))
def test_compiled(seed: int):
    text, dims = program(seed)
    f = written(text, f"<stencil {seed}>", {"np": np})["f"]
    plain, compiled = (s2sad.value_and_grad(f, argnums=(0, 1, 2), jit=jit) for jit in (False, True))
    for shape in ((6, 9, 7), (3, 4, 3)):
        args = arguments(dims, shape, 3)
        assert_close(compiled(*args), plain(*args), 1e-11, text)
