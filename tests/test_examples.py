"""The examples run, print their emitted source, and find what they look for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Any:
    """Return what the example's main() returns, run in an empty folder."""
    monkeypatch.chdir(folder)
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    spec.loader.exec_module(module)
    return module.main()


def test_every_example_is_short():
    sizes = {path.name: len(path.read_text().splitlines()) for path in EXAMPLES.glob("*.py")}
    assert len(sizes) >= 5
    assert all(10 <= size <= 80 for size in sizes.values()), sizes


def test_lynx_hare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    params, residual = run("lynx_hare", monkeypatch, tmp_path)
    expected = [0.5402, 0.0272, 0.7964, 0.0237, 34.60, 5.845]
    np.testing.assert_allclose(params, expected, rtol=5e-3)
    assert abs(residual - 2.0187) < 1e-3
    text = capsys.readouterr().out
    assert "def loss_value_and_grad(" in text or "def loss_vjp(" in text
    assert "# reverse sweep" in text


def test_heat_inverse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert run("heat_inverse", monkeypatch, tmp_path) < 0.04


def test_newton_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    slopes, exact = run("newton_root", monkeypatch, tmp_path)
    np.testing.assert_allclose(slopes, exact, rtol=1e-10)


def test_rosenbrock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    np.testing.assert_allclose(run("rosenbrock", monkeypatch, tmp_path), np.ones(6), atol=1e-4)


def test_mlp_digits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    if importlib.util.find_spec("sklearn") is None:
        with pytest.raises(SystemExit, match="scikit-learn"):
            run("mlp_digits", monkeypatch, tmp_path)
    else:
        assert run("mlp_digits", monkeypatch, tmp_path) > 0.93
