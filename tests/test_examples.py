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


def test_conjugate_gradients(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    table = run("conjugate_gradients", monkeypatch, tmp_path)
    for steps, (unrolled, implicit, of_program, of_solution) in table.items():
        assert of_program < 1e-5  # the unrolled derivative is that of the program, stopped or not
        if steps <= 10:  # the other is not, and nearer to that of the solution
            assert of_solution > 1e-2
            assert implicit < unrolled
    assert max(table[30][:2]) < 1e-6


def test_finite_elements(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    error, before, after = run("finite_elements", monkeypatch, tmp_path)
    assert error < 1e-6
    assert after < 0.1 * before


def test_advection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    discrete, continuous, apart = run("advection", monkeypatch, tmp_path).T
    assert np.all(discrete < 1e-9)
    assert np.all(continuous > 1e-3)
    ratios = apart[:-1] / apart[1:]
    assert np.all((ratios > 1.6) & (ratios < 2.1))  # of first order, as the schemes
    assert ratios[-1] == np.max(ratios)


def test_smoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    error, before, after = run("smoke", monkeypatch, tmp_path)
    assert error < 1e-3  # the interpolation has kinks
    assert after < 0.3 * before


def test_ridge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    error, (unpenalised, one, chosen) = run("ridge", monkeypatch, tmp_path)
    assert error < 1e-8
    assert chosen < 0.5 * one < 0.5 * unpenalised


def test_ode_adjoints(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    errors = run("ode_adjoints", monkeypatch, tmp_path)
    for problem in ("oscillator, 2 times", "rod, 2 times", "rod, 11 times"):
        assert errors[problem, 1e-8, "discrete"] < 1e-6
        assert errors[problem, 1e-4, "discrete"] < 1e-2
    assert errors["oscillator, 2 times", 1e-8, "continuous"] < 1e-6
    assert errors["rod, 11 times", 1e-8, "continuous"] < 1e-6
    assert not errors["rod, 2 times", 1e-8, "continuous"] < 1e6  # the way back is unstable


def test_neural_ode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    seen, ahead = run("neural_ode", monkeypatch, tmp_path)
    assert seen < 0.025  # the noise is 0.02
    assert ahead < 0.2


def test_equilibrium_layer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    error, right = run("equilibrium_layer", monkeypatch, tmp_path)
    assert error < 1e-7
    assert right == 1.0


def test_maml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    slopes, losses = run("maml", monkeypatch, tmp_path)
    np.testing.assert_allclose(slopes["second order"], slopes["differences"], rtol=1e-7)
    assert abs(slopes["first order"] / slopes["differences"] - 1.0) > 0.1
    assert max(losses["second order"], losses["first order"]) < 0.2 * losses["at the start"]


def test_hypergradient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    _, distance, unrolled, implicit = run("hypergradient", monkeypatch, tmp_path).T
    assert np.all(np.diff(distance[:6]) < 0.0)
    assert unrolled[2] > unrolled[0]  # the curse: worse at first, while the iterates come nearer
    assert np.all(implicit[3:6] < unrolled[3:6])
    assert max(unrolled[-1], implicit[-1]) < 1e-12


def test_autoencoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    error, losses = run("autoencoder", monkeypatch, tmp_path)
    assert error < 1e-7
    assert losses[-1] < 0.3 * losses[0]


def test_tiled_attention(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    errors, peaks = run("tiled_attention", monkeypatch, tmp_path)
    assert max(errors.values()) < 1e-12
    assert peaks["attention"] < 0.1 * min(peaks["tiled"], peaks["textbook"])
