"""Time by turns: every contestant runs a moment, then the next one, so that noise meets all alike."""

from __future__ import annotations

import contextlib
import gc
import signal
import statistics
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

TURN = 0.02  # seconds that one turn lasts at least; a call that takes longer is a turn


class TooSlow(BaseException):
    """What ends a call that takes too long: no Exception, so that no library catches it."""


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the block after so many seconds, and again should a callback have swallowed it (native
    code is only interrupted when it returns). No garbage is collected, as in the turns."""

    def stop(number: int, frame: types.FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    gc.disable()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


@dataclass
class Contestant:
    """A computation, finished when `run` returns, and how long its calls took."""

    label: str
    run: Callable[[], Any]
    note: str = ""  # why it has no times
    first_seconds: float = 0.0  # of the first call, with what it compiles
    seconds: list[float] = field(default_factory=list)

    @property
    def least(self) -> float | None:
        """The shortest call, None if there was none."""
        return min(self.seconds, default=None)

    @property
    def median(self) -> float | None:
        """The median call, None if there was none."""
        return statistics.median(self.seconds) if self.seconds else None

    def try_out(self, first: float, next_ones: float) -> Any:
        """Return what the second call gives, or None with a note if a call takes longer than it may."""
        try:
            with limit(first):
                start = time.perf_counter()
                self.run()
                self.first_seconds = time.perf_counter() - start
            with limit(next_ones):
                start = time.perf_counter()
                result = self.run()
                if time.perf_counter() - start <= next_ones:
                    return result
        except TooSlow:
            pass
        except Exception as error:
            self.note = f"{type(error).__name__}: {error}".splitlines()[0]
            return None
        self.note = "too slow"
        return None


def race(contestants: list[Contestant], rounds: int, budget: float) -> None:
    """Time them in turns; one that has used its budget of seconds leaves."""
    running = [c for c in contestants if not c.note]
    spent = dict.fromkeys(map(id, running), 0.0)
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        for contestant in running:
            spent[id(contestant)] += _turn(contestant)
        gc.enable()
        running = [c for c in running if spent[id(c)] < budget]


def _turn(contestant: Contestant) -> float:
    total = 0.0
    while total < TURN:
        start = time.perf_counter()
        contestant.run()
        seconds = time.perf_counter() - start
        contestant.seconds.append(seconds)
        total += seconds
    return total
