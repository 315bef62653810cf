"""Plans of earlier compilations: found again, worth the same, and never those of another program."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from property.programs import generated
from property.test_fusion import ACTIVE, inputs, outcome, scalar_of
from property.verdicts import loaded

import s2sad
from s2sad.driver import plans, program
from s2sad.settings import settings

PROGRAM = """
import numpy as np

RATE = {rate}
TURN = {turn}
WEIGHTS = np.arange(3.0) * RATE
SETTINGS = {{"gain": 2.0, "steps": {steps}}}

def helper(x, gain):
    return np.{inner}(x * gain)

def f(x, w):
    total = 0.0
    for i in range(SETTINGS["steps"]):
        total += helper(x[i], SETTINGS["gain"]) * w["v"][i] * WEIGHTS[i]
    if TURN:
        total = -total
    x[0] = total * RATE
    return total + np.sum(x @ x)
"""
GIVEN = {"rate": 0.5, "turn": False, "steps": 3, "inner": "tanh"}
X, W = np.arange(1.0, 4.0) / 3.0, {"v": np.array([0.3, -0.2, 0.1])}
MODES: dict[str, Callable[[Any], Any]] = {
    "jit": lambda f: s2sad.jit(f)(X.copy(), W),
    "grad": lambda f: s2sad.grad(f, argnums=(0, 1), jit=True)(X, W),
    "value_and_grad": lambda f: s2sad.value_and_grad(f, jit=True)(X, W),
    "sqrt": lambda f: s2sad.grad(f, jit=True, checkpoint="sqrt")(X, W),
    "parallel": lambda f: s2sad.grad(f, jit="parallel")(X, W),
    "jvp": lambda f: s2sad.jvp(f, (X, W), (X + 1.0, W), jit=True),
    "vjp": lambda f: [s2sad.vjp(f, X, W, jit=True)[1](seed) for seed in (1.0, 2.0)],
    "hvp": lambda f: s2sad.hvp(f, (X, W), (X + 1.0, W), jit=True),
    "hessian": lambda f: s2sad.hessian(f, jit=True)(X, W),
    "second": lambda f: s2sad.grad(lambda x, w: np.sum(s2sad.grad(f)(x, w) ** 2), jit=True)(X, W),
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A cache folder of its own."""
    with settings.override(cache=str(tmp_path / "cache")):
        yield tmp_path / "cache"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a plan was found, for each compilation."""
    seen: list[bool] = []

    def noted(*args: Any) -> Any:
        plan = plans.find(*args)
        seen.append(plan is not None)
        return plan

    monkeypatch.setattr(program, "find", noted)
    return seen


def module(path: Path, **changes: Any) -> ModuleType:
    """Return the program, written with changes and imported anew: as another process would."""
    path.write_text(PROGRAM.format(**GIVEN | changes))
    spec = importlib.util.spec_from_file_location("planned", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def same(a: Any, b: Any) -> bool:
    """True if results are the same to the last bit, and of the same types."""
    if isinstance(a, dict):
        return type(a) is type(b) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)


@pytest.mark.parametrize("mode", MODES)
def test_the_second_compilation_is_a_plan(mode: str, folder: Path, found: list[bool], tmp_path: Path):
    first = MODES[mode](module(tmp_path / "planned.py").f)
    again = MODES[mode](module(tmp_path / "planned.py").f)
    half = len(found) // 2
    assert found == [False] * half + [True] * half
    assert half
    assert same(first, again)
    assert list(folder.glob("*.plan"))


@pytest.mark.parametrize(
    "change", [{"rate": 0.7}, {"turn": True}, {"steps": 2}, {"inner": "sin"}], ids=lambda c: next(iter(c))
)
@pytest.mark.parametrize("mode", ["grad", "vjp"])
def test_what_has_changed_outside_counts(mode: str, change: dict[str, Any], folder: Path, tmp_path: Path):
    before = MODES[mode](module(tmp_path / "planned.py").f)
    changed = module(tmp_path / "planned.py", **change).f
    got = MODES[mode](changed)
    with settings.override(cache="0"):
        want = MODES[mode](changed)
    assert same(got, want)
    assert not same(got, before)


def test_numbers_read_at_each_call_are_read_at_each_call(folder: Path, found: list[bool], tmp_path: Path):
    MODES["grad"](module(tmp_path / "planned.py").f)
    other = module(tmp_path / "planned.py", rate=0.7)
    slope = s2sad.grad(other.f, jit=True)
    for rate in (0.7, 0.9, 0.5):
        other.RATE, other.WEIGHTS = rate, np.arange(3.0) * rate
        np.testing.assert_allclose(slope(X, W), s2sad.grad(other.f)(X, W), rtol=1e-14)
    other.TURN = True
    np.testing.assert_allclose(slope(X, W), s2sad.grad(other.f)(X, W), rtol=1e-14)


def test_texts_are_those_of_the_compilation(folder: Path, found: list[bool], tmp_path: Path):
    texts = []
    for _ in range(2):
        slope = s2sad.value_and_grad(module(tmp_path / "planned.py").f, jit=True)
        slope(X, W)
        passes = [name for name, _ in slope.stages]
        texts.append((slope.lowered_source, slope.source, slope.explain(), str(slope.ir), passes))
    assert found == [False, True]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("suffix", ["plan", "bin"])
@pytest.mark.parametrize("damage", [lambda b: b[:-7], lambda b: b"", None], ids=["cut", "empty", "gone"])
def test_damage_is_harmless(suffix: str, damage: Any, folder: Path, tmp_path: Path):
    f = module(tmp_path / "planned.py").f
    want = MODES["vjp"](f), MODES["grad"](f)
    for file in folder.glob(f"*.{suffix}"):
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage(file.read_bytes()))
    f = module(tmp_path / "planned.py").f
    assert same(want, (MODES["vjp"](f), MODES["grad"](f)))


def in_place(x, k):
    x[k] = x[k] * x[0]
    return np.sum(x * x)


def test_calls_of_every_kind(folder: Path, found: list[bool]):
    for _ in range(2):
        for jit in (s2sad.jit(in_place), s2sad.grad(in_place, jit=True)):
            plain = in_place if isinstance(jit(X.copy(), 1), float) else s2sad.grad(in_place)
            rows = np.arange(12.0).reshape(4, 3)
            for x in (X, np.asfortranarray(rows)[:, 1], X[::-1], X.astype(np.float32)):
                np.testing.assert_allclose(jit(x.copy(), 1), plain(x.copy(), 1), rtol=1e-6)
            with pytest.raises(IndexError, match="index"):
                jit(X.copy(), 3)
        written = X.copy()
        s2sad.jit(in_place)(written, 1)
        assert written[1] == X[1] * X[0]
    assert found.count(True) >= 6


WEIGHTS, BUFFER = np.array([1.0, 2.0]), np.zeros(2)


def of_defaults(x, w=WEIGHTS, *, steps=2, buffer=BUFFER):
    total = 0.0
    for i in range(steps):
        total += x[i] * w[i]
    buffer[0] = buffer[0] + total
    return total


def test_defaults_are_those_of_now(folder: Path, found: list[bool]):
    for first in (True, False):
        gradient, run = s2sad.grad(of_defaults, jit=True), s2sad.jit(of_defaults)
        before = BUFFER[0]
        assert run(np.ones(2)) == np.sum(WEIGHTS)
        assert BUFFER[0] == before + np.sum(WEIGHTS)
        WEIGHTS[0] = 9.0 if first else 1.0
        assert gradient(np.ones(2)).tolist() == WEIGHTS.tolist()
    assert found == [False, False, True, True]


class Point:
    """Not a name that means the same in every process."""

    def __init__(self, x: Any) -> None:
        self.x = x


def squares(p):
    return np.sum(p.x * p.x)


def outside(x: np.ndarray) -> np.ndarray:
    return x * x


outside_ruled = s2sad.defrule(outside, lambda g, x, y: g * 2.0 * x)


def test_what_only_this_process_knows_is_not_kept(folder: Path, found: list[bool]):
    for _ in range(2):
        assert s2sad.grad(lambda x: np.sum(outside_ruled(x)), jit=True)(X).tolist() == (2.0 * X).tolist()
        assert s2sad.grad(squares, jit=True)(Point(X)).x.tolist() == (2.0 * X).tolist()
        assert s2sad.grad(in_place, jit=True, debug=True)(X, 1).shape == (3,)
    assert found == [False] * 6
    assert not list(folder.glob("*.plan"))


def test_a_rule_is_part_of_the_name(folder: Path, found: list[bool]):
    for factor in (3.0, 3.0, 4.0, 5.0):
        ruled = s2sad.custom_jvp(lambda x: np.sin(x))
        if factor < 5.0:  # read again at each call
            ruled.defjvp(lambda primals, tangents, k=factor: (np.sin(primals[0]), k * tangents[0]))
        else:
            ruled.defjvp(lambda primals, tangents: (np.sin(primals[0]), 5.0 * tangents[0]))
        assert s2sad.grad(lambda x: np.sum(ruled(x)), jit=True)(X).tolist() == [factor] * 3  # noqa: B023
    assert found == [False, True, True, False]


def test_random_programs(folder: Path, found: list[bool]):
    for number in range(40, 50):
        results = []
        for _ in range(2):
            total = scalar_of(loaded(generated(number).text, f"program_{number}"))
            gradient = s2sad.value_and_grad(total, argnums=ACTIVE, jit=True)
            results.append([outcome(gradient, inputs(number, *size)) for size in ((3, 2), (4, 3), (0, 2))])
        for first, second in zip(*results, strict=True):
            assert type(first) is type(second)
            np.testing.assert_equal(first, second)
    assert found.count(True) >= 8, found
