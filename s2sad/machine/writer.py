"""Text of LLVM: a module's declarations and one function's lines."""

from __future__ import annotations

import sys
from dataclasses import field

import numpy as np

from s2sad.ir.types import Dtype
from s2sad.record import dataclass

KINDS = {
    "b1": "i1", "i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64", "u1": "i8", "u2": "i16", "u4": "i32",
    "u8": "i64", "f4": "float", "f8": "double", "c8": "{float,float}", "c16": "{double,double}",
}  # fmt: skip

# functions of C take the parts of complex numbers in registers
PASSES_PARTS = sys.platform != "win32"


class NotHere(Exception):
    """Says of a program that it holds what machine code is not made of here."""


def kind_of(dtype: Dtype) -> str:
    """Return LLVM's type of a number in a register."""
    kind = KINDS.get(dtype.str.lstrip("|=<"))
    if dtype.kind == "c" and not PASSES_PARTS:
        kind = None
    if kind is None:
        raise NotHere(f"numbers of dtype {dtype}")
    return kind


def stored(dtype: Dtype) -> str:
    """Return LLVM's type of a number in memory."""
    kind = kind_of(dtype)
    return "i8" if kind == "i1" else kind


@dataclass(frozen=True, slots=True)
class Number:
    """A scalar in a register, or a constant."""

    text: str
    dtype: Dtype


@dataclass(slots=True)
class Module:
    """Declarations, helper functions and functions, in the order in which they are made."""

    declared: dict[str, str] = field(default_factory=dict)  # symbol -> declaration
    helpers: dict[str, str] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    attributes: dict[str, int] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)  # symbols that only the vectoriser is to find
    independent: int = 0  # loops whose trips are

    def declare(self, result: str, symbol: str, *args: str, attributes: str = "") -> None:
        """Note a function that is elsewhere."""
        line = f"declare {result} @{symbol}({', '.join(args)}) {attributes}".rstrip()
        self.declared.setdefault(symbol, line)

    def attribute(self, text: str) -> str:
        """Return the name of a group of attributes."""
        return f"#{self.attributes.setdefault(text, len(self.attributes))}"

    def keep(self, symbol: str) -> None:
        """Keep a declaration that nothing calls yet."""
        if symbol not in self.kept:
            self.kept.append(symbol)

    def independent_loop(self) -> tuple[str, str]:
        """Return what is said with each access of a loop of independent trips, and where it goes on."""
        self.independent += 1
        k = 3 * self.independent
        return f", !llvm.access.group !{k - 2}", f", !llvm.loop !{k - 1}"

    def text(self) -> str:
        """Return the module."""
        parts = [*self.declared.values(), *self.helpers.values(), *self.functions]
        if self.kept:
            names = ", ".join(f"ptr @{s}" for s in self.kept)
            parts.append(
                f"@llvm.compiler.used = appending global [{len(self.kept)} x ptr] [{names}], "
                'section "llvm.metadata"'
            )
        parts += [f"attributes #{k} = {{ {text} }}" for text, k in self.attributes.items()]
        parts.append('!0 = !{!"branch_weights", i32 1, i32 2000}')
        for k in range(3, 3 * self.independent + 1, 3):
            parts.append(f"!{k - 2} = distinct !{{}}")
            parts.append(f"!{k - 1} = distinct !{{!{k - 1}, !{k}}}")
            parts.append(f'!{k} = !{{!"llvm.loop.parallel_accesses", !{k - 2}}}')
        return "\n".join(parts) + "\n"

    def symbols(self) -> list[str]:
        """Return what the module expects to find elsewhere."""
        return [s for s in self.declared if not s.startswith("llvm.")]


class Writer:
    """The lines of one function. `slots` are stack places, all made at its beginning."""

    def __init__(self, module: Module):
        self.module = module
        self.lines: list[str] = []
        self.slots: list[str] = []
        self.count = 0
        self.label = "entry"
        self.open = True  # False after a jump, until a block begins
        self.group = ""  # of accesses of elements

    def name(self) -> str:
        """Return a new name."""
        self.count += 1
        return f"%v{self.count}"

    def value(self, text: str) -> str:
        """Write an instruction and return the name of its result."""
        name = self.name()
        self.do(f"{name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Write an instruction without a result."""
        if not self.open:  # code after a jump
            self.begin(self.block())
        self.lines.append(f"  {text}")

    def slot(self, kind: str) -> str:
        """Return a place on the stack for one value."""
        name = self.name()
        self.slots.append(f"  {name} = alloca {kind}")
        return name

    def block(self) -> str:
        """Return the name of a block to come."""
        self.count += 1
        return f"b{self.count}"

    def begin(self, block: str) -> None:
        """Begin a block; what is before it falls through."""
        if self.open:
            self.jump(block)
        self.lines.append(f"{block}:")
        self.label, self.open = block, True

    def jump(self, block: str, how: str = "") -> None:
        """Go to a block."""
        self.end(f"br label %{block}{how}")

    def branch(self, condition: str, yes: str, no: str, weights: str = "") -> None:
        """Go to one of two blocks."""
        self.end(f"br i1 {condition}, label %{yes}, label %{no}{weights}")

    def end(self, text: str) -> None:
        """Write the last instruction of a block."""
        self.do(text)
        self.open = False

    def body(self) -> str:
        """Return the lines of the function."""
        return "\n".join(["entry:", *self.slots, *self.lines])


def constant(value: complex, dtype: Dtype) -> Number:
    """Return a number that is known."""
    kind = kind_of(dtype)
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        real, imag = (f"{kind_of(part)} {constant(x, part).text}" for x in (value.real, value.imag))
        return Number(f"{{ {real}, {imag} }}", dtype)
    assert not isinstance(value, complex)
    if kind == "i1":
        return Number("true" if value else "false", dtype)
    if dtype.kind in "iu":
        return Number(str(int(value)), dtype)
    with np.errstate(all="ignore"):
        bits = int(np.float64(dtype.type(value)).view(np.uint64))
    return Number(f"0x{bits:016X}", dtype)
