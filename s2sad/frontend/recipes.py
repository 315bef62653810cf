"""Calls of NumPy functions that are read as programs, and of the methods of ufuncs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.frontend.builtins import hashable
from s2sad.frontend.containers import Containers
from s2sad.frontend.programs import (
    AT_RUN_TIME,
    OF_UFUNCS,
    PROGRAMS,
    at,
    cross_of_two,
    delete_slice,
    dist,
    qr_of_wide,
    unique_along,
)
from s2sad.frontend.programs_python import PROGRAMS_OF_PYTHON
from s2sad.frontend.programs_scipy import scipy_program
from s2sad.frontend.values import Abstract, Num, Ref, Static, Struct
from s2sad.ir.core import Literal, Value

TRUE = Num(Literal(True))


class Recipes(Containers):
    """Programs in place of calls."""

    def program_of(
        self, value: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract]
    ) -> Callable[..., Any] | None:
        """Return the program that a NumPy function stands for, None if it is no such function."""
        if not hashable(value):
            return None
        if value is np.delete and len(args) > 1:
            obj = self.contents(args[1])
            return delete_slice if isinstance(obj, Struct) and obj.kind == "slice" else None
        if value is np.unique and (len(args) > 4 or "axis" in kwargs):
            axis = kwargs["axis"] if "axis" in kwargs else args[4]
            return None if isinstance(axis, Static) and axis.value is None else unique_along
        if value is math.dist and any(isinstance(self.contents(a), Ref) for a in args):
            return dist
        if value is np.cross and not kwargs and any(map(self.is_of_two, args[:2])):
            return cross_of_two
        if value is np.linalg.qr and args and self.is_wide(self.contents(args[0])):
            return qr_of_wide
        if value not in AT_RUN_TIME:
            return PROGRAMS.get(value) or PROGRAMS_OF_PYTHON.get(value) or scipy_program(value)
        program, name, place = AT_RUN_TIME[value]
        given = kwargs.get(name, args[place] if len(args) > place else Static(None))
        if isinstance(given, Static) and given.value is None and args:
            x = self.contents(args[0])
            return program if isinstance(x, Ref) and not x.type.shape[0].is_const else None
        return program if isinstance(given, Num) and isinstance(given.operand, Value) else None

    def is_masked(self, value: Any, kwargs: dict[str, Abstract]) -> bool:
        """True for calls of a ufunc on some elements only."""
        where = kwargs.get("where", Static(True))
        return isinstance(value, np.ufunc) and value.nout == 1 and where not in (Static(True), TRUE)

    def is_of_two(self, value: Abstract) -> bool:
        """True for vectors of two elements in the example arguments."""
        x = self.contents(value)
        return isinstance(x, Ref) and x.type.ndim > 0 and self.sizes.example(x.type.shape[-1]) == 2

    def is_wide(self, x: Abstract) -> bool:
        """True for matrices that have more columns than rows in the example arguments."""
        if not isinstance(x, Ref) or x.type.ndim < 2:
            return False
        rows, columns = map(self.sizes.example, x.type.shape[-2:])
        return rows is not None and columns is not None and rows < columns

    def call_unsupported(self, args: tuple[Abstract, ...], kwargs: Any, node: Any, name: str) -> Abstract:
        """`unsupported(why, instead)` in a program."""
        texts = [str(self.static_value(a, "a message", node)) for a in args]
        raise self.refuse("S118", texts[0], texts[1] if len(texts) > 1 else "", node)

    def known_now(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract | None:
        """Return the result of a call all of whose arguments are known before the run, else None."""
        given = [self.contents(a) for a in (*args, *kwargs.values())]
        if any(isinstance(a, Ref) or (isinstance(a, Static) and callable(a.value)) for a in given):
            return None
        try:
            values = [self.static_value(a, "an argument", node) for a in args]
            named = {k: self.static_value(v, "an argument", node) for k, v in kwargs.items()}
        except Exception:  # as for other functions: what is asked for is not known, or loops to unroll it
            return None
        return self.evaluated(lambda: function(*values, **named), node=node)

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
        if name == "at" and ufunc in (np.add, np.subtract):
            return self.ufunc_at(ufunc, args, node)
        if name == "at" and (ufunc.nin, ufunc.nout) == (2, 1):
            return self.call_program(at, (Static(ufunc), *args), kwargs, node)
        if (ufunc.nin, ufunc.nout) != (2, 1) or name not in OF_UFUNCS:
            why = f"np.{ufunc.__name__}.{name} is not supported"
            raise self.refuse("S118", why, "write it as a loop", node)
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
            found = self.evaluated(lambda: ufunc.reduce(np.ones(2, dtype)).dtype, node=node)
        assert isinstance(found, Static)
        return found.value
