"""The command line, run in process on files in a temporary package."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys

import numpy as np
import pytest

from s2sad.cli import main
from s2sad.errors import TypeMismatch
from s2sad.example import example_for, from_annotation, from_expression

MODEL = """
import numpy as np
from numpy.typing import NDArray

import s2sad

RATE = 0.3


def loss(w, x):
    total = 0.0
    for i in range(x.shape[0]):
        t = x[i] * w[i]
        if t > 0.0:
            total += t * t
    return total


def annotated(w: "f8[:, :]", x: "f8[:]", scale: float = 1.0):
    return np.tanh(w @ x) * scale


def unranked(x: NDArray[np.float64]):
    return np.sum(x)


def refused(x: "f8[:]"):
    with open("f") as f:
        return x


@s2sad.value_and_grad(argnums=1)
def decorated(a: float, b: float):
    return a * b * b


def wrong(x):
    return np.floor(x) * x
"""


@pytest.fixture
def model(tmp_path, monkeypatch, request):
    name = "model_" + "".join(c if c.isalnum() else "_" for c in request.node.name)
    package = tmp_path / f"{name}_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    path = package / "model.py"
    path.write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    return str(path)


def run(capsys, *argv):
    code = main([str(a) for a in argv])
    out = capsys.readouterr()
    assert (code == 0) == (out.err == ""), out.err
    return code, out.out or out.err


def defined(text, tmp_path, name):
    path = tmp_path / "emitted.py"
    path.write_text(text)
    return runpy.run_path(str(path))[name]


def test_emit_vjp_of_guessed_ranks(model, capsys, tmp_path):
    code, text = run(capsys, "emit", f"{model}::loss", "--wrt", "w")
    assert code == 0
    assert "signature: loss(w: f8[:], x: f8[:])  (guessed)" in text
    f = defined(text, tmp_path, "loss_vjp")
    value, w_bar = f(np.array([1.0, -2.0]), np.array([3.0, 4.0]))
    assert value == 9.0 and w_bar.tolist() == [18.0, 0.0]


def test_unpacking_a_shape_tells_a_guessed_rank(capsys, tmp_path):
    path = tmp_path / "shapes.py"
    path.write_text("def f(a, x):\n    n, m = a.shape\n    return a[0, 0] * m + x.shape[0] * n * a.sum()\n")
    code, text = run(capsys, "emit", f"{path}::f")
    assert code == 0
    assert "signature: f(a: f8[:, :], x: f8[:])  (guessed)" in text


def test_emit_all_floats_by_default(model, capsys, tmp_path):
    _, text = run(capsys, "emit", f"{model}::loss", "--like", "np.ones(2), np.ones(2)")
    assert "(given by example)" in text
    value, (w_bar, x_bar) = defined(text, tmp_path, "loss_vjp")(np.ones(2), np.full(2, 2.0), 3.0)
    assert value == 8.0 and w_bar.tolist() == [24.0, 24.0] and x_bar.tolist() == [12.0, 12.0]


@pytest.mark.parametrize("mode", ["grad", "value_and_grad", "vjp", "jvp", "hvp", "primal"])
def test_modes(model, capsys, mode, tmp_path):
    code, text = run(capsys, "emit", f"{model}::loss", "--mode", mode, "--wrt", "w")
    assert code == 0
    compile(text, "emitted", "exec")
    assert text == run(capsys, "emit", f"{model}::loss", "--mode", mode, "--wrt", "w")[1]


def test_emit_annotated_to_a_file(model, capsys, tmp_path):
    out = tmp_path / "out.py"
    code, _ = run(capsys, "emit", f"{model}::annotated", "--wrt", "w,x", "-o", out)
    assert code == 0 and "(from annotations)" in out.read_text()
    f = runpy.run_path(str(out))["annotated_vjp"]
    w, x = np.arange(6.0).reshape(2, 3) / 7, np.ones(3)
    _, (w_bar, x_bar) = f(w, x, y_bar=np.ones(2))
    s = 1.0 - np.tanh(w @ x) ** 2
    np.testing.assert_allclose(w_bar, np.outer(s, x))
    np.testing.assert_allclose(x_bar, w.T @ s)


def test_emit_decorated(model, capsys, tmp_path):
    code, text = run(capsys, "emit", model)
    assert code == 0
    assert "def decorated" in text and "annotated" not in text
    compile(text, "emitted", "exec")


def test_lowered(model, capsys):
    code, text = run(capsys, "emit", f"{model}::annotated", "--lowered")
    assert code == 0 and "for " in text


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["emit", "{model}::unranked"], r'"f8\[:, :\]"'),
        (["emit", "{model}::refused"], "model.py:"),
        (["emit", "{model}::nothing"], "no function"),
        (["emit", "missing.py"], "no file"),
        (["emit", "{model}::loss", "--wrt", "q"], "no parameter"),
        (["emit", "{model}::loss", "--like", "np.ones("], "--like"),
        (["check", "{model}::loss"], "--like"),
        (["ir", "{model}::loss", "--after", "nonsense"], "no pass"),
        (["ops", "nonsense"], "no function or operation"),
        (["ops", "nanargmax"], "the nearest: argmax, np.nanmax, np.argmax"),
    ],
)
def test_errors_are_messages(model, capsys, argv, says):
    code, text = run(capsys, *(a.format(model=model) for a in argv))
    assert code == 1 and "Traceback" not in text
    assert re.search(says, text), text


def test_check(model, capsys):
    code, text = run(capsys, "check", f"{model}::loss", "--like", "np.ones(2), np.array([2.0, -1.0])")
    assert code == 0 and "agree" in text


def test_ir_and_stages(model, capsys):
    assert "func loss(" in run(capsys, "ir", f"{model}::loss")[1]
    assert "func loss(" in run(capsys, "ir", f"{model}::loss", "--after", "build")[1]
    assert "func loss_vjp(" in run(capsys, "ir", f"{model}::loss", "--mode", "vjp")[1]


def test_explain(model, capsys):
    code, text = run(capsys, "explain", f"{model}::loss", "--wrt", "w")
    assert code == 0
    lines = {line.split("  # ")[0].strip(): line.partition("  # ")[2] for line in text.splitlines()}
    assert [note for code, note in lines.items() if "total += t * t" in code] == ["active (multiply, add)"]
    (product,) = [note for code, note in lines.items() if "t = x[i] * w[i]" in code]
    assert product == "active (getitem, multiply); recomputed: t"
    assert [note for code, note in lines.items() if "total = 0.0" in code] == [""]


def test_ops(capsys):
    _, table = run(capsys, "ops")
    assert "tanh" in table and "matmul" in table
    _, row = run(capsys, "ops", "tanh")
    assert "elementwise" in row and "np.tanh" in row
    assert "return y, (1.0 - y * y) * x_dot" in row and "return y, ((1.0 - y * y) * y_bar,)" in row


def test_ops_of_a_function_made_of_others(capsys):
    _, row = run(capsys, "ops", "np.average")
    assert "made of      mean" in row and "def average_vjp(a, y_bar=1.0)" in row
    _, row = run(capsys, "ops", "scipy.special.gammainc")
    assert "def gammainc_jvp(x1, x2, x2_dot)" in row  # x1 has no rule


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "s2sad", "ops", "exp"], capture_output=True, text=True, check=True
    )
    assert "elementwise" in done.stdout


def test_annotations():
    assert (
        from_annotation("x", "f4[:, 1]").shape[1] == 1 and from_annotation("x", "f4[:]").dtype == np.float32
    )
    assert from_annotation("x", "f8[]").shape == () and from_annotation("x", float) == 1.0
    assert from_annotation("n", "int") == 2 and from_annotation("b", "b1[:]").dtype == bool
    for bad in ("f8[x]", "NDArray[np.float64]", list):
        with pytest.raises(TypeMismatch, match="rank"):
            from_annotation("x", bad)


def test_examples():
    def f(a, b: "f8[:]", c=2.0, *, d: float):
        return a

    example = example_for(f, None, {})
    assert example.args[0] == 1.0 and example.args[1].shape == (3,) and dict(example.kwargs) == {"d": 1.0}
    assert example.guessed == {"a"}
    assert from_expression("k * 2", {"k": 2.0}) == (4.0,)
    assert example_for(f, "1.0, np.ones(2)", {}).args[0] == 1.0
