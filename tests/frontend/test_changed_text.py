"""A file that has changed since it was imported: its functions run what it said then, and are refused."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

import s2sad

OLD = (
    "def f(x):\n    return 2.0 * x\n\n\ng = lambda x: x * 3.0  # noqa\n\n\ndef h(x):\n    return f(x) + 1.0\n"
)


def loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rewrite(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("2.0 * x", "3.0 * x", "fh"),
        ("2.0 * x", "2.0 * x * x", "fh"),
        ("x * 3.0", "x * 4.0", "g"),
        ("f(x) + 1.0", "g(x) + 1.0", "h"),
        ("2.0", "2", "fh"),
    ],
)
def test_changed_functions_are_refused(tmp_path: Path, old: str, new: str, names: str):
    path = tmp_path / "changing.py"
    rewrite(path, OLD)
    module = loaded(path)
    rewrite(path, OLD.replace(old, new))
    for name in names:
        with pytest.raises(s2sad.S2sadError, match=r"S101 .* does not match the running code"):
            s2sad.grad(getattr(module, name))(1.0)
    for name in set("fgh") - set(names):
        s2sad.grad(getattr(module, name))(1.0)


def test_what_has_not_changed_is_read(tmp_path: Path):
    path = tmp_path / "moving.py"
    rewrite(path, OLD)
    module = loaded(path)
    rewrite(path, OLD + "\n\ndef more(x):\n    return x\n")
    assert s2sad.grad(module.f)(1.0) == 2.0
    assert s2sad.grad(module.h)(1.0) == 2.0


def test_functions_that_are_given_new_code_are_read_again(tmp_path: Path):
    """What notebooks do that reload modules: the functions stay, with new code."""
    path = tmp_path / "reloaded.py"
    rewrite(path, OLD)
    module = loaded(path)
    derivatives = [(s2sad.grad(f, jit=jit), f) for f in (module.f, module.h) for jit in (False, True)]
    assert [d(1.0) for d, _ in derivatives] == [2.0] * 4
    assert s2sad.vjp(module.h, 1.0)[1](1.0) == (2.0,)
    rewrite(path, OLD.replace("2.0 * x", "x * x * x"))
    module.f.__code__ = loaded(path).f.__code__
    assert [d(1.0) for d, _ in derivatives] == [3.0] * 4
    assert s2sad.vjp(module.h, 1.0)[1](1.0) == (3.0,)
