"""Statements with an effect: raise, assert, print."""

from __future__ import annotations

from typing import Any

import gast

from s2sad.frontend.assign import Assign
from s2sad.frontend.messages import pieces_of
from s2sad.frontend.outcome import Outcome
from s2sad.frontend.values import (
    Num,
    Ref,
    Series,
    Static,
)
from s2sad.ir.core import Literal, Operand
from s2sad.ops import OPS


class Effects(Assign):
    """Raising and printing."""

    def do_Raise(self, node: Any) -> Outcome:
        """Read a `Raise` statement."""
        if node.exc is None:
            raise self.refuse(
                "S104",
                "`raise` without an exception is not supported",
                "name it: raise ValueError(...)",
                node,
            )
        exception, template, values = self.message(node.exc)
        params = (("exception", exception), ("message", template))
        return self.end("raise", *values, params=params)

    def message(self, node: Any) -> tuple[type[BaseException], tuple[Any, ...], tuple[Operand, ...]]:
        """Return exception class, message template and values of `raise X(...)`."""
        call = isinstance(node, gast.Call)
        function = self.expr(node.func if call else node)
        if not (isinstance(function, Static) and isinstance(function.value, type)
                and issubclass(function.value, BaseException)):  # fmt: skip
            raise self.refuse(
                "S104", "only `raise Exception(message)` is supported", "raise a class with a message", node
            )
        if not call or not node.args:
            return function.value, (), ()
        template, values = self.template(node.args[0])
        return function.value, template, values

    def template(self, node: Any) -> tuple[tuple[Any, ...], tuple[Operand, ...]]:
        """Return a message as literal pieces and formatted run-time values."""
        parts: list[Any] = []
        values: list[Operand] = []
        for piece in pieces_of(node):
            if isinstance(piece, str):
                parts.append(piece)
                continue
            inner, given = piece
            spec = self.format_of(given)
            value = self.contents(self.expr(inner))
            if isinstance(value, Static):
                parts.append(format(value.value, spec))
            elif isinstance(value, Num | Ref):
                parts.append((len(values), spec))
                values.append(self.operand(value))
            else:
                parts.append(str(self.static_value(value, "a value in a message", node)))
        return tuple(parts), tuple(values)

    def format_of(self, given: Any) -> str:
        """Return a format specification: a text, or what an expression says."""
        if given is None or isinstance(given, str):
            return given or ""
        found = self.expr(given)
        return str(found.value) if isinstance(found, Static) else ""

    def print_call(self, node: Any) -> None:
        """Emit a print."""
        options: dict[str, Any] = {"sep": " ", "end": "\n"}
        for keyword in node.keywords:
            if keyword.arg in options:
                options[keyword.arg] = self.static_value(self.expr(keyword.value), "`sep` and `end`", node)
            elif keyword.arg != "flush":
                raise self.refuse("S118", f"print({keyword.arg}=...) is not supported", "", node)
        template: list[Any] = []
        values: list[Operand] = []
        for arg in node.args:
            if isinstance(arg, gast.JoinedStr):
                pieces, more = self.template(arg)
                shift = len(values)
                template.append(tuple((p[0] + shift, p[1]) if isinstance(p, tuple) else p for p in pieces))
                values += more
                continue
            value = self.contents(self.expr(arg))
            if isinstance(value, Num | Ref):
                template.append(len(values))
                values.append(self.operand(value))
            elif isinstance(value, Series):
                template.append(len(values))
                values.append(self.operand(self.series_rows(value)))
            else:
                template.append(str(self.static_value(value, "a printed value", node)))
        self.at(node)
        self.builder.emit_all(OPS["print"], *values, template=tuple(template), **options)

    def do_Assert(self, node: Any) -> Outcome:
        """Read a `Assert` statement."""
        cond = self.truth(node.test)
        if isinstance(cond, Literal) and cond.value:
            return None
        self.at(node)

        def failing() -> Outcome:
            template, values = self.template(node.msg) if node.msg is not None else ((), ())
            return self.end("raise", *values, params=(("exception", AssertionError), ("message", template)))

        if isinstance(cond, Literal):
            return failing()
        outcome: Outcome = self.run_if(cond, lambda: None, failing)
        return outcome
