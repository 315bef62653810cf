"""README's program runs, and prints what README says it prints."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_program_prints_the_emitted_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], update_golden: bool
):
    text = README.read_text(encoding="utf-8")
    program, shown = BLOCK.findall(text)[:2]
    file = tmp_path / "model.py"
    file.write_text(program, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("model", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if update_golden:
        README.write_text(text.replace(shown, module.gradient.source), encoding="utf-8")
        return
    assert module.gradient.source == shown
    assert shown.strip() in capsys.readouterr().out


def test_the_program_has_about_twenty_lines():
    program = BLOCK.findall(README.read_text(encoding="utf-8"))[0]
    assert 10 <= len(program.splitlines()) <= 22
