"""Checkpointing: the numbers of the plain gradient, in the memory and by the steps that the scheme allows."""

from __future__ import annotations

import math
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import assert_close, assert_same

import s2sad

U = np.linspace(0.1, 1.0, 4)


def diffusion(u0, c):
    u = u0.copy()
    for _ in range(20):
        u = u + 0.1 * np.sin(c * u)
        u[0] = u[-1] * 0.5
    return np.sum(u**2) * c


def while_and_break(u0, c):
    u, k, s = u0.copy(), 0, 0.0
    while k < 40:
        u = u + 0.1 * np.sin(c * u)
        s += np.sum(u) * c
        if np.sum(u) > 6.0:
            u[0] = 2.0 * c
            break
        k += 1
    return np.sum(u**2) + s * k


def with_history(u0, c):
    n = 12
    out, path, u = np.zeros(n), np.zeros((n, u0.shape[0])), u0.copy()
    for t in range(n):
        u = np.tanh(c * u) + 0.01 * t
        path[t] = u
        out[t] = np.sum(u**3)
    return np.sum(out**2) + np.sum(path[::2] ** 2)


def nested(u0, c):
    u = u0.copy()
    for _ in range(6):
        v = u * 1.0
        for _ in range(4):
            v = np.sin(v * c) + v
        u = v + u[::-1] * 0.1
    return np.sum(u)


def of_scalars(u0, c):
    a, b, k = u0[0], c, 0
    for t in range(13, 0, -2):
        if a > b:
            a, b = b * np.cos(a), a
            k += t
        else:
            a = a + 0.3 * b * k
    return a * b


def early_return(u0, c):
    u = u0.copy()
    for t in range(30):
        u = u * np.exp(-0.3 * c * u)
        if u[3] < 0.2:
            return np.sum(u) * c * t
    return np.sum(u**2)


def in_a_branch(u0, c):
    u = u0.copy()
    if c > 0.0:
        for _ in range(15):
            u = np.sin(u) * c + u
    else:
        u = u * c
    return np.sum(u * u) * c


def two_loops(u0, c):
    u, w = u0.copy(), c * u0
    for _ in range(7):
        u = np.sin(u * w)
    for _ in range(9):
        w = np.cos(w) * u + w
    return np.sum(w) * np.sum(u0 * w)


def no_trips(u0, c):
    u = u0.copy()
    for _ in range(0):
        u = np.sin(u * c)
    return np.sum(u) * c


EXACT = [diffusion, while_and_break, nested, of_scalars, early_return, two_loops, no_trips]
PROGRAMS = [*EXACT, with_history, in_a_branch]
SCHEMES = ["sqrt", 1, 2, 5, 100, "1KiB", "1B"]


@pytest.mark.parametrize("checkpoint", SCHEMES, ids=str)
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_the_numbers_of_the_plain_gradient(f: Any, checkpoint: Any) -> None:
    each = (0, 1)
    found = s2sad.value_and_grad(f, argnums=each, checkpoint=checkpoint)(U, 0.7)
    expected = s2sad.value_and_grad(f, argnums=each)(U, 0.7)
    if f in EXACT:
        assert_same(found, expected, f.__name__)
    else:  # sums over what is read several times are made in another order
        assert_close(found, expected, 1e-14, f.__name__)


@pytest.mark.parametrize("f", [while_and_break, with_history], ids=lambda f: f.__name__)
def test_compiled(f: Any) -> None:
    found = s2sad.grad(f, argnums=(0, 1), checkpoint=3, jit=True)(U, 0.7)
    assert_close(found, s2sad.grad(f, argnums=(0, 1))(U, 0.7), 1e-13, f.__name__)


@pytest.mark.parametrize("f", [diffusion, nested], ids=lambda f: f.__name__)
def test_second_order(f: Any) -> None:
    expected = s2sad.hessian(f)(U, 0.7)
    for outer in (s2sad.jacfwd, s2sad.jacrev):
        assert_close(outer(s2sad.grad(f, checkpoint=2))(U, 0.7), expected, 1e-12, outer.__name__)


def test_inside_a_program_and_of_vjp() -> None:
    def steered(u, c):
        return np.sum(s2sad.grad(diffusion, checkpoint=3)(u, c) ** 2)

    plain = np.sum(s2sad.grad(diffusion)(U, 0.7) ** 2)
    assert steered(U, 0.7) == plain
    assert s2sad.jit(steered).source_for(U, 0.7).count("snapshots") > 0
    _, pullback = s2sad.vjp(diffusion, U, 0.7, checkpoint="sqrt")
    assert_same(pullback(1.0), s2sad.vjp(diffusion, U, 0.7)[1](1.0), "vjp")

    def twice(u, c):
        return np.array([diffusion(u, c), diffusion(u, 2.0 * c)])

    found = s2sad.jacrev(twice, checkpoint=2)(U, 0.7)
    assert_close(found, s2sad.jacrev(twice)(U, 0.7), 1e-14, "jacrev")


# --- steps and bytes, counted ---------------------------------------------------------------------------


class Counting:
    """NumPy with a counter of calls of sin, and of the bytes of arrays that `empty` made: how many there were
    at a time at most."""

    def __init__(self) -> None:
        self.steps, self.held, self.bytes = 0, 0, 0

    def sin(self, x: Any) -> Any:
        self.steps += 1
        return np.sin(x)

    def empty(self, *args: Any, **kwargs: Any) -> Any:
        made = np.empty(*args, **kwargs)
        self.count(made.nbytes)
        weakref.finalize(made, self.count, -made.nbytes)
        return made

    def count(self, change: int) -> None:
        self.held += change
        self.bytes = max(self.bytes, self.held)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def march(u0, n):
    u = u0
    for _ in range(n):
        u = np.sin(u * u)
    return np.sum(u)


def counted(n: int, checkpoint: Any) -> Counting:
    """Return what the gradient of n steps needs: each step has one sine, and its reversal a cosine."""
    text = s2sad.grad(march, checkpoint=checkpoint).source_for(U, n)
    found, counting = run_counted(text, "march_grad", (U, n))
    assert_close(found, s2sad.grad(march)(U, n), 1e-13, "gradient")
    return counting


def run_counted(text: str, name: str, args: tuple[Any, ...]) -> tuple[Any, Counting]:
    """Return what an emitted function returns, and what it needs."""
    counting = Counting()
    names: dict[str, Any] = {"np": counting}
    exec(text.replace("import numpy as np", ""), names)
    return names[name](*args), counting


def fewest(n: int, snapshots: int) -> int:
    """Return the steps that revolve needs to reverse n steps (Griewank, Walther 2000): t n - C(s + t, t - 1),
    with the smallest t for which C(s + t, s) >= n."""
    t = next(t for t in range(1, n + 1) if math.comb(snapshots + t, snapshots) >= n)
    return t * n - math.comb(snapshots + t, t - 1)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 64, 101])
@pytest.mark.parametrize("snapshots", [1, 2, 3, 5, 10])
def test_no_more_steps_than_the_scheme_needs(n: int, snapshots: int) -> None:
    found = counted(n, snapshots)
    assert found.steps <= fewest(n, min(snapshots, n))
    assert found.bytes == min(snapshots, n) * (U.nbytes + 8)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 50, 400])
def test_by_the_root_each_trip_runs_twice(n: int) -> None:
    found, length = counted(n, "sqrt"), max(math.isqrt(n), 1)
    assert found.steps == 2 * n
    assert found.bytes == (-(-n // length) + length) * U.nbytes


@pytest.mark.parametrize(("budget", "most"), [(360, 6), (512, 5), (1024, 3), (4096, 2), (10**6, 2)])
def test_a_budget_is_kept(budget: int, most: int) -> None:
    for n in (0, 1, 3, 20, 50, 200, 400):
        found = counted(n, f"{budget}B")
        assert found.bytes <= budget
        assert found.steps <= most * n


def narrow(u0, a, n):
    u, w, s = u0, a * u0, 0.0
    for _ in range(n):
        v = np.sin(w[1:]) * u[0]
        u = np.sin(u * u)
        u[1] += v[2] * v[0]
        s += u[1] * np.exp(v[1])
    return s * np.sum(u)


def test_a_tape_may_hold_more_than_the_state() -> None:
    for n, budget in ((30, 700), (100, 900), (100, 4000)):
        gradient = s2sad.grad(narrow, argnums=(0, 1), checkpoint=f"{budget}B")
        found = run_counted(gradient.source_for(U, 0.7, n), "narrow_grad", (U, 0.7, n))
        assert_same(found[0], s2sad.grad(narrow, argnums=(0, 1))(U, 0.7, n), "gradient")
        assert found[1].bytes <= budget


BURGERS = """
import resource
import sys
import numpy as np
import s2sad

def burgers(u0, steps, c):
    u = u0.copy()
    for _ in range(steps):
        u[1:-1] -= c * u[1:-1] * (u[1:-1] - u[:-2])
    return np.sum(u * u)

u, steps, c = 1.0 + 0.3 * np.sin(np.linspace(0.0, 6.28, 5300)), 100_000, 1e-3
gradient = s2sad.grad(burgers, checkpoint="64MiB", jit=True)
gradient(u, 10, c)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = gradient(u, steps, c)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
direction = np.cos(np.arange(5300.0))
expected = s2sad.jvp(burgers, (u, steps, c), (direction, None, 0.0), jit=True)[1]
assert abs(found @ direction - expected) <= 1e-9 * abs(expected), (found @ direction, expected)
print((after - before) / (2**20 if sys.platform == "darwin" else 2**10))
"""


def test_a_hundred_thousand_steps(tmp_path: Path) -> None:
    script = tmp_path / "long_march.py"  # of which the tape would be 4.2 GB
    script.write_text(BURGERS)
    out = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=300)
    assert float(out.stdout) <= 64.0


def test_histories_are_not_copied() -> None:
    text = s2sad.grad(with_history, checkpoint=3).source_for(U, 0.7)
    assert "path_at" not in text
    assert "out_at" not in text
    assert "u_at" in text


# --- what cannot be done ----------------------------------------------------------------------------------


@pytest.mark.parametrize("checkpoint", ["squareroot", "64 bytes", True, 1.5])
def test_unknown_schemes(checkpoint: Any) -> None:
    with pytest.raises(TypeError, match="checkpoint is"):
        s2sad.grad(diffusion, checkpoint=checkpoint)


def test_no_snapshot() -> None:
    with pytest.raises(ValueError, match="at least one"):
        s2sad.grad(diffusion, checkpoint=0)


def diffusing(x, a, rng):
    n, total = x.shape[0], 0.0
    for t in range(2, 25, 2):
        z = rng.standard_normal(n)
        if t > 20 and x[0] > 1.0:
            break
        x = x + 0.1 * np.sin(a * x) + 0.2 * x * z + rng.normal(a, 0.3)
        total += np.sum(x) * t
    return np.sum(x * x) + total


def falling(x, a, rng):
    for k in range(x.shape[0] - 1, -1, -1):
        x = np.sin(x * rng.uniform(size=(2, 1)) + a)
        for _ in range(3):
            x = 1.1 * x
        x = x * rng.integers(1, 3) + k
    return np.sum(x)


@pytest.mark.parametrize("checkpoint", ["sqrt", 1, 3, "2KiB"])
@pytest.mark.parametrize("f", [diffusing, falling])
def test_draws_are_not_made_again(f: Any, checkpoint: Any) -> None:
    x, each = np.linspace(0.1, 1.0, 4) + np.zeros((4,) if f is diffusing else (2, 4)), (0, 1)

    def streams() -> Any:
        return np.random.default_rng(0)

    plain, found = streams(), streams()
    expected = s2sad.value_and_grad(f, argnums=each)(x, 0.7, plain)
    got = s2sad.value_and_grad(f, argnums=each, checkpoint=checkpoint)(x, 0.7, found)
    assert_close(got, expected, 1e-14, "gradient")
    assert plain.random() == found.random()
    direction = (x, 1.0, None)
    expected = s2sad.hvp(f, (x, 0.7, streams()), direction)
    got = s2sad.jvp(s2sad.grad(f, each, checkpoint=checkpoint), (x, 0.7, streams()), direction)[1]
    assert_close(got, expected, 1e-12, "hvp")
    if checkpoint in ("sqrt", "2KiB"):  # Numba takes seconds for each
        compiled = s2sad.grad(f, each, checkpoint=checkpoint, jit=True)(x, 0.7, streams())
        assert_close(compiled, s2sad.grad(f, each)(x, 0.7, streams()), 1e-13, "compiled")


def draws_in_a_branch(x, rng):
    for i in range(5):
        if i > 2:
            x = np.sin(x + rng.normal())
    return x


def draws_inside(x, rng):
    for _ in range(5):
        for _ in range(2):
            x = np.sin(x + rng.normal())
    return x


def draws_while(x, rng):
    while x < 5.0:
        x = x * x + 1.0 + abs(rng.normal())
    return x


def draws_more_and_more(x, rng):
    for i in range(5):
        x = np.sin(x + np.sum(rng.normal(size=i)))
    return x


@pytest.mark.parametrize(
    ("f", "why"),
    [
        (draws_in_a_branch, "in a branch"),
        (draws_inside, "in a loop inside"),
        (draws_while, "number of its trips"),
        (draws_more_and_more, "whose size"),
    ],
)
def test_draws_that_cannot_be_kept(f: Any, why: str) -> None:
    with pytest.raises(s2sad.UnsupportedOp, match=f"S206.*{why}"):
        s2sad.grad(f, checkpoint=2)(0.5, np.random.default_rng(0))


def test_a_state_that_grows() -> None:
    def grows(x):
        y = x
        for _ in range(3):
            y = np.concatenate((y, np.sin(y)))
        return np.sum(y**2)

    with pytest.raises(s2sad.UnsupportedOp, match="size of `y` may change"):
        s2sad.grad(grows, checkpoint=2)(U)


# --- functions that are run again ---------------------------------------------------------------------------


@s2sad.checkpoint
def layer(x, w):
    h = np.tanh(w @ x)
    return np.sin(h) * h + x


def network(x, w):
    for k in range(w.shape[0]):
        x = layer(x, w[k])
    return np.sum(x**2)


def plain_network(x, w):
    for k in range(w.shape[0]):
        h = np.tanh(w[k] @ x)
        x = np.sin(h) * h + x
    return np.sum(x**2)


def test_a_function_keeps_nothing_but_its_arguments() -> None:
    w = np.linspace(-0.5, 0.5, 32).reshape(2, 4, 4)
    each = (0, 1)
    found = s2sad.value_and_grad(network, argnums=each)
    assert_close(found(U, w), s2sad.value_and_grad(plain_network, argnums=each)(U, w), 1e-14, "gradient")
    assert found.source.count("_tape = ") == 1
    directions = (np.ones(4), np.ones((2, 4, 4)))
    expected = s2sad.hvp(plain_network, (U, w), directions)
    assert_close(s2sad.hvp(network, (U, w), directions), expected, 1e-12, "hvp")
    expected = s2sad.grad(plain_network)(U, w)
    assert_close(s2sad.grad(network, jit=True)(U, w), expected, 1e-13, "compiled")


def test_a_function_that_draws_is_refused() -> None:
    noisy = s2sad.checkpoint(lambda x, rng: np.sin(x + rng.normal()))
    with pytest.raises(s2sad.S2sadError, match="draws random numbers"):
        s2sad.grad(lambda x, rng: noisy(x, rng) ** 2)(0.5, np.random.default_rng(0))
