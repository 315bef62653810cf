"""The check of results under `debug=True`: each leaf has the shape and dtype that its type says."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.driver.assemble import gatherer
from s2sad.driver.binding import Values
from s2sad.errors import InternalError
from s2sad.ir.core import Function
from s2sad.ir.structure import pick
from s2sad.ir.tree import leaves
from s2sad.ir.types import Array, Type


def check_results(fn: Function, values: Values, result: Any) -> None:
    """Raise InternalError where a result of `fn` does not have its type; `values` are its arguments. A
    gradient has the type of its argument. Sizes that are known at run time only are not compared."""
    order = [i for p in fn.signature for i in leaves(p.tree)]
    symbols: dict[str, int] = {}
    for i, leaf in zip(order, gatherer([p.tree for p in fn.signature])(values), strict=True):
        symbols |= {f"{fn.params[i].name}.{axis}": n for axis, n in enumerate(np.shape(leaf))}
        if isinstance(leaf, int | np.integer):
            symbols[fn.params[i].name] = int(leaf)
    types = fn.result_types
    for k, leaf in pick(fn.result, result).items():
        if not _conforms(leaf, types[k], symbols):
            found = f"{np.result_type(leaf)} of shape {np.shape(leaf)}"
            why = f"result {k} of {fn.name} is {found}, but its type is {types[k]}"
            raise InternalError("S905", why, "please report this with the program", fn.origin)


def _conforms(leaf: Any, t: Type, symbols: dict[str, int]) -> bool:
    if np.ndim(leaf) != t.ndim or np.result_type(leaf) != t.dtype:
        return False
    if not isinstance(t, Array):
        return True
    expected = [size.evaluate(symbols) for size in t.shape]
    return all(n is None or n == m for n, m in zip(expected, np.shape(leaf), strict=True))
