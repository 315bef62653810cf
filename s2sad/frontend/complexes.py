"""Complex numbers where real ones are kept: NumPy's lose their imaginary part, Python's raise TypeError."""

from __future__ import annotations

from typing import Any

from s2sad.frontend.memory import Memory
from s2sad.frontend.values import Abstract, ListRow, Num, Ref, Series, Struct
from s2sad.ir.core import Operand
from s2sad.ir.types import Scalar, Type
from s2sad.ops.expr import Leaf, Unclear

NO_REAL = "TypeError: must be real number, not complex"


class Complexes(Memory):
    """What tells complex numbers of Python from those of NumPy."""

    def stored(self, target: Ref, value: Abstract, node: Any) -> Abstract:
        """Return what is to be written to an array: NumPy makes its items of those of a list one by one."""
        contents = self.contents(value)
        if not isinstance(contents, Struct | Series | ListRow):
            return value
        if target.type.dtype.kind in "iuf" and self.holds_complex(contents):
            raise self.mismatch("S319", NO_REAL, "", node)
        return contents if isinstance(contents, ListRow) else self.array_of(contents, node)

    def holds_complex(self, value: Abstract) -> bool:
        """True if there may be a complex number of Python in a list: NumPy makes no real one of it."""
        contents = self.contents(value)
        match contents:
            case Struct(items=items):
                return any(map(self.holds_complex, items))
            case Series(rows=rows, items=items):
                is_unclear = self.unclear and rows.type.dtype.kind == "c"
                of_numbers = items == "lists" or rows.type.ndim == 1
                return items in ("complexes", "some complex") or (is_unclear and of_numbers)
            case ListRow(type=t):
                return self.unclear and t.dtype.kind == "c"
            case Num(operand):
                return is_python_complex(operand.type) or self.is_unclear(operand.type)
        return False

    def is_unclear(self, t: Type) -> bool:
        """True of a complex number that may be Python's, taken out of a list that does not tell."""
        return self.unclear and isinstance(t, Scalar) and t.dtype.kind == "c" and not t.weak

    def number_leaf(self, operand: Operand) -> Leaf:
        """Return a number as an argument of an op."""
        return Unclear(operand) if self.is_unclear(operand.type) else Leaf(operand)

    def note_complex(self, joined: Type, types: list[Type]) -> None:
        """Note that a name is a complex number of Python on some paths and one of NumPy on others."""
        if not is_python_complex(joined) and any(map(is_python_complex, types)):
            self.unclear = True

    def check_real(self, source: Operand, ref: Ref) -> None:
        """Raise where a complex number that may be Python's is stored in an array of real ones."""
        t = source.type
        if ref.type.dtype.kind not in "iuf":
            return
        if is_python_complex(t):
            raise self.mismatch("S319", NO_REAL)
        if self.is_unclear(t):
            why = "a complex number that may be Python's, of which NumPy makes no real one, is stored in an"
            raise self.mismatch("S312", f"{why} array of {ref.type.dtype}", "take a part of it: z.real")


def is_python_complex(t: Type) -> bool:
    """True of the type of Python's complex numbers."""
    return isinstance(t, Scalar) and t.weak and t.dtype.kind == "c"
