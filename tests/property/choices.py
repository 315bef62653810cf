"""Where a generated program's choices come from: a seeded generator, or Hypothesis."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices(Protocol):
    """A source of choices."""

    def below(self, n: int) -> int:
        """Return an int in range(n)."""
        ...


class Seeded:
    """Choices by a seeded generator: fast."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def below(self, n: int) -> int:
        """Return an int in range(n)."""
        return int(self.random.random() * n)


class Drawn:
    """Choices by Hypothesis, which can shrink them."""

    def __init__(self, draw: Callable[[Any], Any]):
        self.draw = draw

    def below(self, n: int) -> int:
        """Return an int in range(n)."""
        return int(self.draw(st.integers(0, n - 1)))


def pick(choices: Choices, items: Sequence[T]) -> T:
    """Return one of the items."""
    return items[choices.below(len(items))]


def weighted(choices: Choices, items: Sequence[tuple[int, T]]) -> T:
    """Return one of the items, each with its weight."""
    k = choices.below(sum(weight for weight, _ in items))
    for weight, item in items:
        if k < weight:
            return item
        k -= weight
    raise AssertionError("weights are positive")
