"""Settings: read from the environment, changed for a while."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from s2sad import InternalError, grad
from s2sad.driver import pipeline
from s2sad.ir.core import Block, Literal
from s2sad.settings import Settings, read, settings


def test_read():
    assert read({}) == Settings(0, "", 1)
    assert read({"S2SAD_DEBUG": "3", "S2SAD_DUMP": "d", "S2SAD_VERIFY": "2"}) == Settings(3, "d", 2)
    assert read({"S2SAD_CACHE": "~/c"}) == Settings(cache="~/c")
    assert read({"S2SAD_DEBUG": "yes", "S2SAD_VERIFY": ""}) == Settings()


def test_override_restores():
    own = Settings()
    with own.override(debug=2, verify=0):
        assert (own.debug, own.verify) == (2, 0)
    assert own == Settings()


def cube(x):
    total = 0.0
    for v in x:
        total += v**3
    return total


def test_debug_and_dump(tmp_path, capsys):
    with settings.override(debug=3, dump=str(tmp_path), verify=2):
        assert grad(cube)(np.ones(2)).tolist() == [3.0, 3.0]
    files = sorted(p.name for p in (tmp_path / "cube").iterdir())
    assert files[0] == "01-build.ir" and files[-1] == "90-cube_grad.py" and "02-vjp.ir" in files
    said = capsys.readouterr().err
    assert "s2sad cube: vjp" in said and "def cube_grad" in said and "\n+" in said


def test_verify_runs_the_passes_on_the_arguments(monkeypatch):
    def wrong(fn):
        if fn.name != "cube" or fn.doc == "changed":
            return fn
        block = fn.block
        end = replace(block.end, args=(Literal(1.0),))
        return replace(fn, block=Block(block.params, block.instrs, end), doc="changed")

    monkeypatch.setattr(pipeline, "CLEAN", (wrong,))
    with settings.override(verify=0):
        grad(cube)(np.ones(2))
    with settings.override(verify=2), pytest.raises(InternalError, match="wrong changed the meaning of cube"):
        grad(cube)(np.ones(2))
