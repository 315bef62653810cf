"""Golden source: programs and the exact text emitted for them, each text executed and read again.

A case is one file of tests/golden/{jvp,vjp,grad}: flags, inputs, the program, and after `# output` what
is emitted for its last function. `pytest --update-golden` rewrites the outputs.
"""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from oracle import active_leaves, assert_close, assert_same, copied, differences, direction, inner, map_tree
from written import written

import s2sad
from s2sad.driver.program import Program
from s2sad.ir.transformed import Transformed

FOLDER = Path(__file__).parent / "golden"
MARK = "# output\n"


def loaded(text: str, file: str, folder: str = "") -> dict[str, Any]:
    """Return the names of a program, alone in its namespace."""
    file = f"<{folder}>/{file}" if folder else file
    return written(text, file, {"__name__": Path(file).stem})


def last_function(text: str) -> str:
    """Return the name of the last function of a text."""
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)][-1]


@dataclass(frozen=True)
class Case:
    """One golden file."""

    path: Path

    @cached_property
    def parts(self) -> tuple[str, str]:
        """Return the program with its two lines of head, and the expected output."""
        program, _, output = self.path.read_text(encoding="utf-8").partition(MARK)
        return program, output

    @property
    def name(self) -> str:
        """Return folder and stem."""
        return f"{self.path.parent.name}/{self.path.stem}"

    @cached_property
    def mode(self) -> str:
        """Return grad, vjp or jvp."""
        return self.head("flags").split()[0]

    def head(self, word: str) -> str:
        """Return what stands behind `# word:`."""
        for line in self.parts[0].splitlines():
            if line.startswith(f"# {word}: "):
                return line.removeprefix(f"# {word}: ")
        raise AssertionError(f"{self.path} has no line `# {word}:`")

    @cached_property
    def f(self) -> Callable[..., Any]:
        """Return the function of the case."""
        program = self.parts[0]
        names = loaded(program, f"{self.path.stem}.py", self.path.parent.name)
        f: Callable[..., Any] = names[last_function(program)]
        return f

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Return the named inputs."""
        rng = np.random.default_rng(0)
        given: dict[str, Any] = {}
        exec(self.head("inputs"), {"np": np, "rng": rng}, given)
        return given

    @cached_property
    def args(self) -> tuple[Any, ...]:
        """Return the inputs as positional arguments."""
        return tuple(self.inputs.values())

    @cached_property
    def argnums(self) -> tuple[int, ...]:
        """Return the positions of --wrt, by default of all arguments that can vary."""
        words = self.head("flags").split()
        if "--wrt" in words:
            wrt = words[words.index("--wrt") + 1].split(",")
            return tuple(list(self.inputs).index(name) for name in wrt)
        return tuple(k for k, arg in enumerate(self.args) if active_leaves(arg))

    def emit(self) -> str:
        """Return what is emitted now."""
        return emitted(self.mode, self.f, self.argnums, self.args)

    def tangents(self) -> tuple[Any, ...]:
        """Return tangents with None leaves for what does not vary."""
        rng = np.random.default_rng(1)
        return tuple(
            direction(rng, arg) if k in self.argnums else map_tree(lambda leaf: None, arg)
            for k, arg in enumerate(self.args)
        )


def emitted(mode: str, f: Callable[..., Any], argnums: tuple[int, ...], args: tuple[Any, ...]) -> str:
    """Return the text emitted for f."""
    chosen = argnums[0] if len(argnums) == 1 else argnums
    program = Program(Transformed(mode, f, chosen))
    return program.find(copied(args), {})[0].main.source


CASES = [Case(path) for mode in ("vjp", "jvp", "grad") for path in sorted((FOLDER / mode).glob("*.py"))]
EACH = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def test_there_are_enough_cases():
    assert len(CASES) >= 43
    assert len({case.path.stem for case in CASES}) == len(CASES)  # the names under which texts are found


@EACH
def test_text(case: Case, update_golden: bool):
    text = case.emit()
    if update_golden:
        case.path.write_text(case.parts[0] + MARK + text, encoding="utf-8")
        return
    assert text == case.parts[1]


def run(case: Case, text: str) -> Any:
    """Return what the text computes at the inputs: (value, derivative), or the gradient."""
    names = loaded(text, f"emitted_{case.path.stem}.py")
    f = names[last_function(text)]
    args = copied(case.args)
    if case.mode == "jvp":
        return f(*args, *(dot for k, dot in enumerate(case.tangents()) if k in case.argnums))
    return f(*args)


@EACH
def test_runs_alone_and_is_right(case: Case):
    """The text needs nothing but NumPy; value bit for bit, derivative against differences."""
    value = case.f(*copied(case.args))
    scalar = np.ndim(value) == 0 if not isinstance(value, tuple) else False
    rng = np.random.default_rng(2)
    value_bar: Any = 1.0 if scalar else direction(rng, value)
    text = case.emit()
    if case.mode == "vjp" and not scalar:
        names = loaded(text, f"emitted_{case.path.stem}.py")
        got, bar = names[last_function(text)](*copied(case.args), value_bar)
    elif case.mode == "grad":
        got, bar = value, run(case, text)
    else:
        got, bar = run(case, text)
    assert_same(got, value, "value")
    slopes = differences(case.f, case.args, case.tangents(), 1e-4)
    if case.mode == "jvp":
        assert_close(active_leaves(bar), slopes, 1e-8, "tangent")
        return
    bars = bar if len(case.argnums) > 1 else (bar,)
    left = inner(active_leaves(value_bar), slopes)
    right = inner(bars, tuple(case.tangents()[k] for k in case.argnums))
    assert abs(left - right) <= 1e-8 * max(1.0, abs(left))


def body(text: str) -> str:
    """Return the last function of a text without its name, docstring and comments."""
    node = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)][-1]
    if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
        node.body = node.body[1:]
    node.name = "f"
    return ast.unparse(node)


DIFFERS = {  # text that does not come back as it was; each must be taken off the list once it does
    "vjp/concatenate",  # writes through the name of a view come back as writes to its base
}


@EACH
def test_reading_and_emitting_again_changes_nothing(case: Case):
    text = case.emit()
    f = loaded(text, f"emitted_{case.path.stem}.py")[last_function(text)]
    args = copied(case.args)
    if case.mode == "jvp":
        args += tuple(dot for k, dot in enumerate(case.tangents()) if k in case.argnums)
    elif case.mode == "vjp":
        value = case.f(*copied(case.args))
        bar = direction(np.random.default_rng(2), value)
        args += (bar,)
    again = emitted("primal", f, (0,), args)
    assert (body(again) == body(text)) == (case.name not in DIFFERS)
    if case.name in DIFFERS:  # from then on nothing changes
        g = loaded(again, f"again_{case.path.stem}.py")[last_function(again)]
        assert body(emitted("primal", g, (0,), args)) == body(again)
    name = last_function(text)
    once, twice = (
        f(*copied(args)),
        loaded(again, f"again_{case.path.stem}.py")[last_function(again)](*copied(args)),
    )
    assert_same(twice, once, f"what {name} returns when read and emitted again")


@EACH
def test_second_order_through_the_text(case: Case):
    """The emitted function is differentiated as any other: forward over what was emitted."""
    if case.mode == "jvp":
        return
    text = case.emit()
    f = loaded(text, f"emitted_{case.path.stem}.py")[last_function(text)]
    tangents = tuple(dot if k in case.argnums else None for k, dot in enumerate(case.tangents()))
    args, dots = case.args, tangents
    if case.mode == "vjp":
        value = case.f(*copied(case.args))
        bar = direction(np.random.default_rng(2), value)
        args, dots = (*args, bar), (*dots, None)
    got = s2sad.jvp(f, args, dots)[1]
    spread = tuple(
        map_tree(lambda leaf: None, arg) if dot is None else dot for arg, dot in zip(args, dots, strict=True)
    )
    expected = differences(f, args, spread, 1e-4)
    assert_close(active_leaves(got), expected, 1e-6, "second order")


def lines_of_code(text: str) -> int:
    """Return the number of lines that are neither blank nor comment nor docstring nor import."""
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[0], ast.Expr):
            node.body = node.body[1:]
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return len(ast.unparse(tree).replace("\n\n", "\n").strip().splitlines())


def test_emitted_lines_over_primal_lines():
    ratios = {case.name: lines_of_code(case.emit()) / lines_of_code(case.parts[0]) for case in CASES}
    worst = sorted(ratios, key=lambda name: ratios[name])[-3:]
    report = ", ".join(f"{name} {ratios[name]:.2f}" for name in worst)
    assert median(ratios.values()) <= 2.5, report
    assert max(ratios.values()) <= 4.0, report


def digest() -> str:
    """Return a hash of everything that is emitted."""
    return hashlib.sha256("".join(case.emit() for case in CASES).encode()).hexdigest()


def test_emission_does_not_depend_on_the_hash_seed():
    command = [sys.executable, "-c", "import test_golden; print(test_golden.digest())"]
    found = {digest()}
    for seed in ("1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)}
        ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        found.add(ran.stdout.strip())
    assert len(found) == 1


def test_emitted_size_is_linear_in_a_chain_of_helpers():
    sizes = []
    for depth in (4, 8, 16):
        text = "import numpy as np\n\n\ndef h0(x):\n    return np.sin(x) * x\n"
        for k in range(1, depth + 1):
            text += f"\n\ndef h{k}(x):\n    a = h{k - 1}(x)\n    return a * h{k - 1}(a + 1.0)\n"
        f = loaded(text, f"chain_{depth}.py")[f"h{depth}"]
        sizes.append(lines_of_code(emitted("grad", f, (0,), (0.3,))))
    assert sizes[2] <= 2.5 * sizes[1] <= 6.25 * sizes[0]


def test_the_fourth_derivative_of_tanh_is_short():
    def f(x: Any) -> Any:
        return np.tanh(x)

    fourth = s2sad.grad(s2sad.grad(s2sad.grad(s2sad.grad(f))))
    t = np.tanh(0.5)
    assert_close(fourth(0.5), (1 - t**2) * (16 * t - 24 * t**3), 1e-12, "value")
    function = [node for node in ast.parse(fourth.source).body if isinstance(node, ast.FunctionDef)][-1]
    assert len([node for node in function.body if not isinstance(node, ast.Expr)]) <= 12
