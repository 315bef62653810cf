"""Reading from final arrays instead of tapes: known cases, and random loop nests against the jvp."""

from __future__ import annotations

import numpy as np
import pytest
from written import written

from s2sad.analysis.program import Program
from s2sad.frontend.build import build
from s2sad.ir import interp
from s2sad.transforms.finals import final_elements
from s2sad.transforms.jvp import jvp
from s2sad.transforms.reverse import vjp
from tests.transforms.numeric import close, product


def lu(A0):
    A = A0.copy()
    n = A.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            A[i, k] = A[i, k] / A[k, k]
            for j in range(k + 1, n):
                A[i, j] = A[i, j] - A[i, k] * A[k, j]
    return np.sum(A * A)


def recurrence(x):
    y = np.zeros(x.shape[0])
    y[0] = x[0]
    for i in range(1, x.shape[0]):
        y[i] = np.sin(y[i - 1]) * x[i]
    return np.sum(y)


def relaxation(x, n):
    y = x.copy()
    for _ in range(n):
        for i in range(1, y.shape[0]):
            y[i] = y[i] * y[i - 1]
    return np.sum(y)


def wrapped(x):
    y = x.copy()
    for i in range(y.shape[0]):
        y[i] = y[i - 1] * y[i]
    return np.sum(y)


def backwards(x):
    y = x.copy()
    for i in range(y.shape[0] - 1):
        y[i] = y[i + 1] * y[i]
    return np.sum(y)


X = np.linspace(0.5, 1.5, 6)
M = np.linspace(0.5, 2.0, 16).reshape(4, 4) + 3.0 * np.eye(4)


def tapes(f, args, active):
    fn = vjp(build(f, args), active)
    return sum(1 for i in fn.block.walk() if i.role == "tape" and i.op.name == "empty")


def test_lu_needs_no_tape():
    assert tapes(lu, (M,), (True,)) == 0


def test_recurrences_tape_only_what_is_not_in_the_array():
    assert tapes(recurrence, (X,), (True,)) == 1  # the sine


@pytest.mark.parametrize(
    ("f", "args", "active"), [(relaxation, (X, 3), (True, False)), (wrapped, (X,), (True,))]
)
def test_overwritten_elements_are_taped(f, args, active):
    assert tapes(f, args, active) > 0


def test_an_element_that_is_overwritten_later_is_not_final():
    fn = build(backwards, (X,))
    found = final_elements(Program(fn))
    reads = [i.result for i in fn.block.walk() if i.op.name == "getitem" and i.result in found]
    assert not reads
    writes = [i.args[1] for i in fn.block.walk() if i.op.name == "setitem"]
    assert all(v in found for v in writes)


INDICES = ["i", "j", "i + 1", "j + 1", "i - 1", "j - 1", "0", "n - 1", "i + j", "n - i", "2 * j", "-1"]
LOOPS = [
    "for i in range({lo}, n):",
    "for i in range(n - 1, 0, -1):",
    "for i in range(1, n - 1):",
]
INNER = [
    "for j in range(i):",
    "for j in range(i + 1, n):",
    "for j in range(n):",
    "for j in range(1, n, 2):",
]


def nest(seed):
    """Return the text of a random nest of loops that updates an array in place."""
    rng = np.random.default_rng(seed)

    def pick(options):
        return str(options[int(rng.integers(len(options)))])

    def at(*names):
        usable = [s for s in INDICES if "j" in names or "j" not in s]
        first, second = pick(usable), pick(usable)
        return f"A[({first}) % m, ({second}) % m]" if rng.random() < 0.2 else f"A[{first}, {second}]"

    def statement(*names):
        kind = rng.random()
        target = at(*names)
        if kind < 0.25:
            return f"{target} *= np.sin({at(*names)})"
        if kind < 0.4:
            return f"{target} += {at(*names)} * {at(*names)}"
        return f"{target} = np.cos({at(*names)} * {at(*names)})"

    lines = ["def f(A0, n):", "    A = A0.copy()", "    m = A.shape[0]", "    s = 1.0"]
    lines.append("    " + pick(LOOPS).format(lo=pick(["0", "1", "2"])))
    for _ in range(int(rng.integers(1, 3))):
        lines.append("        " + statement("i"))
    if rng.random() < 0.8:
        lines.append("        " + pick(INNER))
        for _ in range(int(rng.integers(1, 3))):
            lines.append("            " + statement("i", "j"))
    if rng.random() < 0.5:
        lines.append("        " + statement("i"))
    if rng.random() < 0.3:
        lines += ["        if s > 50.0:", "            break"]
    lines.append("        s += A[1, 2] * A[2, 1]")
    if rng.random() < 0.3:
        lines.append("    A[1, 1] = A[2, 2] * s")
    lines.append("    return np.sum(A * A) * 0.5 + s")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(150))
def test_random_nests(seed):
    text = nest(seed)
    names = written(text, f"<nest {seed}>", {"np": np})
    rng = np.random.default_rng(seed)
    A, A_dot = rng.normal(size=(9, 9)), rng.normal(size=(9, 9))
    fn = build(names["f"], (A, 4))
    forward, reverse = jvp(fn, (True, False)), vjp(fn, (True, False))
    for n in (4, 3, 1, 0):
        _, value_dot = interp.run(forward, A, n, A_dot)
        _, bar = interp.run(reverse, A, n, 0.7)
        assert close(product([bar], [A_dot]), 0.7 * value_dot, 1e-9), text
