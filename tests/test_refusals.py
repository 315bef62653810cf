"""Golden refusals: every code has a program that is refused, with the exact message.

A case is one file of tests/golden/errors: `# call:` says how it is provoked, `# error` what is said.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from test_golden import loaded

import s2sad
from s2sad.example import example_for

FOLDER = Path(__file__).parent / "golden" / "errors"
MARK = "# error\n"
CASES = sorted(FOLDER.glob("*.py"))
SOURCES = Path(s2sad.__file__).parent


def provoked(path: Path) -> s2sad.S2sadError:
    """Return the error of a case."""
    program = path.read_text(encoding="utf-8").partition(MARK)[0]
    names = loaded(program, path.name, path.parent.name)
    call = next(line for line in program.splitlines() if line.startswith("# call: ")).removeprefix("# call: ")
    with pytest.raises(s2sad.S2sadError) as caught:
        eval(call, names | {"s2sad": s2sad, "np": np, "example_for": example_for})
    return caught.value


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_refusal(path: Path, update_golden: bool):
    error = provoked(path)
    program, _, expected = path.read_text(encoding="utf-8").partition(MARK)
    message = "".join(f"# {line}\n" if line else "#\n" for line in str(error).splitlines())
    if update_golden:
        path.write_text(program + MARK + message, encoding="utf-8")
        return
    assert message == expected


def test_every_code_has_a_case():
    used: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        used |= set(re.findall(r'"(S[1-4]\d\d)"', path.read_text(encoding="utf-8")))
    covered = set()
    for path in CASES:
        covered |= set(re.findall(r"\bS\d\d\d\b", path.read_text(encoding="utf-8").partition(MARK)[2]))
    assert used - covered == {"S290"}  # below


def test_jit_without_numba_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    for name in ("numba", "llvmlite"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("s2sad.emit.numba", "s2sad.machine.binary"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    f = loaded("def f(x):\n    return x * x\n", "without_numba.py")["f"]
    assert s2sad.grad(f)(2.0) == 4.0
    with pytest.raises(s2sad.S2sadError, match=r"s2sad\[jit\]") as caught:
        s2sad.grad(f, jit=True)(2.0)
    assert caught.value.code == "S290"


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_refusal_says_where_and_what_instead(path: Path):
    error = provoked(path)
    assert error.why
    assert error.code.startswith("S9") is False
    if error.code[1] in "12":
        assert error.origin is not None
        assert error.instead
