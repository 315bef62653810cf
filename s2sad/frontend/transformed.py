"""Calls of s2sad's transforms inside a program: grad(f)(x), jvp(f, xs, dots), stop_gradient(x)."""

from __future__ import annotations

from typing import Any

from s2sad.frontend.functions import Functions
from s2sad.frontend.values import Abstract, Static


class Transforms(Functions):
    """s2sad inside s2sad."""

    def call_transformed(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of calling grad(f), jvp, ... inside a program."""
        raise self.refuse("S126", "calling this transform inside a program is not supported yet", "", node)


__all__ = ["Static", "Transforms"]
