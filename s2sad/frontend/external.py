"""Calls of functions that are called but not read (`s2sad.external`)."""

from __future__ import annotations

import sys
from typing import Any

from s2sad.frontend.solutions import Solutions
from s2sad.frontend.transformed import Derived
from s2sad.frontend.values import Abstract, Num, Ref, Static
from s2sad.ir.core import Literal, Operand
from s2sad.ir.transformed import record_of
from s2sad.ops.external import Slot

CONSTANTS = (bool, int, float, str, type(None))


class Externals(Solutions):
    """Functions that run in Python, outside of what is read."""

    def called_external(
        self, derived: Derived, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return the result of calling a function that is not read."""
        assert isinstance(derived.function, Static)
        function = derived.function.value
        name = getattr(function, "__name__", "function")
        if kwargs:
            raise self.refuse("S118", f"`{name}` is called by position", "leave the names out", node)
        self.check_importable(function, node)
        shape = self.call_value(Static(derived.record.result), args, {}, node)
        like = self.operand(self.contents(shape), node)
        operands: list[Operand] = []
        slots: list[Slot] = []
        for a in args:
            box = self.contents(a)
            if isinstance(box, Static) and (callable(box.value) or isinstance(box.value, CONSTANTS)):
                if callable(box.value):
                    self.check_importable(box.value, node)
                slots.append(("constant", box.value))
            elif isinstance(box, Num) and isinstance(box.operand, Literal):
                slots.append(("constant", box.operand.value))
            elif isinstance(box, Num | Ref):
                slots.append(("operand", len(operands)))
                operands.append(self.operand(box, node))
            else:
                why = f"an argument of `{name}` is neither an array nor a number nor a constant"
                raise self.refuse("S118", why, "pass its parts", node)
        return self.wrap(self.emit("external", like, *operands, function=function, slots=tuple(slots)))

    def check_importable(self, function: Any, node: Any) -> None:
        """Raise UnsupportedSyntax if emitted text could not import a function."""
        module = sys.modules.get(getattr(function, "__module__", "") or "")
        found = getattr(module, getattr(function, "__name__", ""), None)
        record = record_of(found)
        while record is not None and record.function is not None and found is not function:
            found = record.function
            record = record_of(found)
        if found is not function:
            name = getattr(function, "__name__", repr(function))
            why = f"`{name}` is called but not read, and emitted text cannot import it"
            raise self.refuse("S130", why, "define it at the top of a module", node)
