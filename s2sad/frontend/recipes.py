"""Calls of NumPy functions that are read as programs, and of the methods of ufuncs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.frontend.builtins import hashable
from s2sad.frontend.containers import Containers
from s2sad.frontend.programs import AT_RUN_TIME, OF_UFUNCS, PROGRAMS
from s2sad.frontend.values import Abstract, Num, Ref, Static
from s2sad.ir.core import Literal, Value


class Recipes(Containers):
    """Programs in place of calls."""

    def program_of(
        self, value: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract]
    ) -> Callable[..., Any] | None:
        """Return the program that a NumPy function stands for, None if it is no such function."""
        if not hashable(value):
            return None
        if value not in AT_RUN_TIME:
            return PROGRAMS.get(value)
        program, name, place = AT_RUN_TIME[value]
        given = kwargs.get(name, args[place] if len(args) > place else Static(None))
        if isinstance(given, Static) and given.value is None and args:
            x = self.contents(args[0])
            return program if isinstance(x, Ref) and not x.type.shape[0].is_const else None
        return program if isinstance(given, Num) and isinstance(given.operand, Value) else None

    def array_put(
        self, ref: Ref, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """`x.put(index, values)`."""
        return self.call_program(PROGRAMS[np.put], (ref, *args), kwargs, node)

    def array_partition(
        self, ref: Ref, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """`x.partition(k)`, in place."""
        self.write(ref, None, self.call_value(Static(np.partition), (ref, *args), kwargs, node))
        return Static(None)

    def ufunc_method(
        self, method: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """`np.logaddexp.accumulate(x)` and the like."""
        ufunc, name = method.__self__, method.__name__
        if name == "at":
            return self.ufunc_at(ufunc, args, node)
        if (ufunc.nin, ufunc.nout) != (2, 1) or name not in OF_UFUNCS:
            raise self.unknown(method, node)
        if name == "outer":
            return self.call_program(OF_UFUNCS[name], (Static(ufunc), *args), kwargs, node)
        places = ("array", "indices", "axis", "dtype") if name == "reduceat" else ("array", "axis", "dtype")
        bound = dict(zip(places, args, strict=False)) | kwargs
        if set(bound) - set(places) or "array" not in bound:
            why = f"of the arguments of ufunc.{name} only {', '.join(places)} are supported"
            raise self.refuse("S118", why, "leave out the others", node)
        bound.setdefault("axis", Num(Literal(0)))
        dtype = self.static_value(bound.get("dtype", Static(None)), "`dtype`", node)
        if dtype is None:
            dtype = self.dtype_of_fold(ufunc, self.leaf(bound["array"], node).dtype, node)
        bound["dtype"] = Static(np.dtype(dtype))
        return self.call_program(OF_UFUNCS[name], (Static(ufunc),), bound, node)

    def dtype_of_fold(self, ufunc: np.ufunc, dtype: Any, node: Any) -> Any:
        """Return the dtype of what a ufunc makes of many elements."""
        with np.errstate(all="ignore"):
            return self.evaluated(lambda: ufunc.reduce(np.ones(2, dtype)).dtype, node=node).value  # type: ignore[attr-defined]
