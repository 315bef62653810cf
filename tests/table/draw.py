"""The arguments of a case: drawn apart from each other, so that no step of a difference crosses a kink."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = {"f": np.float32, "c": np.complex128, "i": np.int64, "b": np.bool_}


def arguments(call: str, case: str, names: tuple[str, ...], domain: Callable[[str], Any]) -> tuple[Any, ...]:
    """Return the arguments of a case, the same at every run."""
    rng = np.random.default_rng(zlib.crc32(f"{call} {case}".encode()))
    tokens = [Token.read(text) for text in case.split(",")] if names else []
    assert len(tokens) == len(names), f"{call}: {case} has not one token for each of {names}"
    domains = [domain(name) for name in names]
    counts: Counter[Any] = Counter()
    for token, d in zip(tokens, domains, strict=True):
        counts[d] += token.count
    pools = {d: apart(n, d, rng) for d, n in counts.items() if isinstance(d, tuple)}
    found = []
    for token, d in zip(tokens, domains, strict=True):
        pool = pools.get(d, np.zeros(0))
        found.append(token.argument(pool[: token.count], d, rng))
        pools[d] = pool[token.count :]
    return tuple(found)


@dataclass(frozen=True)
class Token:
    """What a case says of one argument."""

    dtype: Any
    kind: str  # `s` a Python number, `n` a NumPy scalar, else an array
    shape: tuple[int, ...]
    layout: str

    @classmethod
    def read(cls, text: str) -> Token:
        """Return the token of a text."""
        dtype = DTYPES.get(text[0], np.float64)
        rest = text[1:] if text[0] in DTYPES else text
        layout = rest[-1] if rest[-1] in "FNR" else ""
        shape = tuple(int(c) for c in rest if c.isdigit())
        return cls(np.dtype(dtype), rest[0], shape, layout)

    @property
    def count(self) -> int:
        """Return the number of elements."""
        return int(np.prod(self.shape))

    def argument(self, pool: Any, domain: Any, rng: np.random.Generator) -> Any:
        """Return the argument, of the numbers of the pool."""
        values = self.numbers(pool, domain, rng)
        if self.kind == "s":
            return values[()].item()
        return values[()] if self.kind == "n" else placed(values, self.layout)

    def numbers(self, pool: Any, domain: Any, rng: np.random.Generator) -> Any:
        """Return numbers of the domain in a new array."""
        if self.dtype.kind == "b":
            return np.asarray(rng.uniform(size=self.shape) < 0.6)
        if callable(domain):
            real = domain(self.shape, rng)
            imaginary = 0.3j * domain(self.shape, rng) if self.dtype.kind == "c" else 0.0
            return np.asarray(real + imaginary).astype(self.dtype)
        if self.dtype.kind == "i":
            lo, hi = int(np.ceil(domain[0])), int(np.floor(domain[1]))
            return np.asarray(rng.integers(lo, hi, endpoint=True, size=self.shape))
        if self.dtype.kind == "c":
            pool = pool + 0.5j * apart(self.count, domain, rng)
        return np.asarray(pool.reshape(self.shape)).astype(self.dtype)


def apart(count: int, domain: tuple[float, float], rng: np.random.Generator) -> Any:
    """Return numbers of an interval no two of which are close to each other, nor to a multiple of 0.05."""
    places = (rng.permutation(count) + 0.5 + rng.uniform(-0.2, 0.2, size=count)) / max(count, 1)
    if count == 1:
        places = rng.uniform(0.05, 0.95, size=1)
    found = (domain[0] + (domain[1] - domain[0]) * places) / 0.05
    whole = np.floor(found)
    return 0.05 * (whole + 0.3 + 0.4 * (found - whole))


def placed(values: Any, layout: str) -> Any:
    """Return the values in memory of another layout."""
    if layout == "F":
        return np.asfortranarray(values)
    if layout == "R":
        return values[(slice(None, None, -1),) * values.ndim].copy()[(slice(None, None, -1),) * values.ndim]
    if layout == "N":
        wide = np.zeros(tuple(2 * n for n in values.shape), values.dtype)
        wide[(slice(None, None, 2),) * values.ndim] = values
        return wide[(slice(None, None, 2),) * values.ndim]
    return values


def direction(value: Any, rng: np.random.Generator) -> Any:
    """Return a tangent of one number or array, None of what does not vary."""
    kind = np.asarray(value).dtype.kind
    if kind not in "fc":
        return None
    drawn = rng.uniform(0.3, 1.0, size=np.shape(value)) * rng.choice([-1.0, 1.0], size=np.shape(value))
    if kind == "c":
        drawn = drawn + 1j * rng.uniform(-1.0, 1.0, size=np.shape(value))
    return like(value, drawn)


def like(value: Any, numbers: Any) -> Any:
    """Return numbers in the kind and dtype of a value."""
    if isinstance(value, np.ndarray):
        return np.asarray(numbers).astype(value.dtype)
    if isinstance(value, np.generic):
        return value.dtype.type(numbers)
    return type(value)(numbers)


def doubled(value: Any) -> Any:
    """Return a value in float64 where it is float32, as it stands in memory."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype == np.float32:
        return value.astype(np.float64)
    return value.copy(order="K") if isinstance(value, np.ndarray) else value


def moved(value: Any, dot: Any, step: float) -> Any:
    """Return value + step * dot, in its kind."""
    if dot is None:
        return value.copy(order="K") if isinstance(value, np.ndarray) else value
    wide = doubled(value)
    return like(wide, wide + step * np.asarray(dot).astype(np.result_type(wide)))
