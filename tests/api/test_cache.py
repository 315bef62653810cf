"""Compiled kernels between processes: kept once, found again, harmless when damaged."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from s2sad import cli
from s2sad.driver import store
from s2sad.settings import settings

PROGRAM = """
import sys
import numpy as np
import s2sad
from s2sad.machine import binary

compilations = []
compiled = binary.compiled

def counted(text):
    compilations.append(text)
    return compiled(text)

binary.compiled = counted

def f(x, w):
    total = 0.0
    for i in range(x.shape[0]):
        total += np.exp(x[i]) * w[i] ** {power}
    return total

x, w = np.arange(5.0) / 5, np.ones(5) + np.arange(5)
g = s2sad.grad(f, argnums=(0, 1), jit=True)(x, w)
assert np.allclose(g[0], np.exp(x) * w ** {power}), g
assert np.allclose(g[1], {power} * np.exp(x) * w ** ({power} - 1)), g
assert "numba" not in sys.modules
print("compiled" if compilations else "read")
"""


def run(folder: Path, power: int = 2, **environ: str) -> str:
    """Return what the program prints in a process of its own."""
    file = next(p for p in folder.parents if p.is_dir()) / f"program{power}.py"
    file.write_text(PROGRAM.replace("{power}", str(power)))
    env = os.environ | {"S2SAD_CACHE": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)} | environ
    done = subprocess.run([sys.executable, str(file)], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_second_process_reads_what_the_first_compiled(tmp_path: Path):
    folder = tmp_path / "cache"
    assert run(folder) == "compiled"
    assert run(folder) == "read"
    assert run(folder, power=3) == "compiled", "another program"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for damage in (lambda b: b[: len(b) // 2], lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:], lambda b: b""):
        for file in folder.glob("*.bin"):  # damaged: compiled again
            file.write_bytes(damage(file.read_bytes()))
        assert run(folder) == "compiled"
        assert run(folder) == "read"


def test_processes_that_begin_together(tmp_path: Path):
    folder = tmp_path / "cache"
    file = tmp_path / "program2.py"
    file.write_text(PROGRAM.replace("{power}", "2"))
    env = os.environ | {"S2SAD_CACHE": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    running = [
        subprocess.Popen([sys.executable, str(file)], env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [p.communicate()[0].strip() in ("compiled", "read") for p in running] == [True] * 3
    assert not list(folder.glob("*.tmp"))
    assert run(folder) == "read"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert run(blocked / "cache") == "compiled"
    assert run(tmp_path / "off", S2SAD_CACHE="0") == "compiled"
    assert not (tmp_path / "off").exists()


def test_the_command_shows_and_clears(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with settings.override(cache=str(tmp_path / "c")):
        path = store.file_for("import numpy as np\n", "f_grad")
        assert path is not None
        assert path.read_text() == "import numpy as np\n"
        assert store.file_for("import numpy as np\n", "f_grad") == path
        store.keep(store.key("text", "g"), b"code")
        assert store.read(store.key("text", "g")) == b"code"
        assert store.read(store.key("text, another", "g")) is None
        assert cli.main(["cache"]) == 0
        assert "f_grad_" in capsys.readouterr().out
        assert cli.main(["cache", "--clear"]) == 0
        assert "2 files removed" in capsys.readouterr().out
        assert list(store.kept()) == []
