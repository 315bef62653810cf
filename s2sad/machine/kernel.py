"""A lowered function as the text of an LLVM module, and how what it returns is read."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Function
from s2sad.machine.entry import write_entry
from s2sad.machine.frame import Program
from s2sad.machine.function import emit
from s2sad.machine.layouts import Raised
from s2sad.machine.library import Callback
from s2sad.machine.writer import NotHere
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A module, what is called of Python, and the exceptions that it raises by number."""

    text: str
    symbols: tuple[str, ...]
    callbacks: tuple[Callback, ...]
    raised: Raised


def code_of(fn: Function, layouts: Sequence[str]) -> Code:
    """Return the code of a kernel whose arguments lie in memory as `layouts` say. NotHere is raised where a
    function has something in it that is not known here."""
    program = Program()
    signature = emit(program, fn, layouts)
    if fn.writes and signature.returned[-len(fn.writes) :] != fn.writes:
        raise NotHere("a written argument whose last version may lie elsewhere")
    write_entry(program, fn, signature, layouts)
    module = program.module
    return Code(module.text(), tuple(module.symbols()), tuple(program.callbacks), tuple(program.raised))
