"""Tangents and cotangents given by users: taken apart along a structure, checked, converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from s2sad.errors import TypeMismatch
from s2sad.ir.tree import Leaf, Node, Static, Tree


def spread(
    tree: Tree,
    primals: Sequence[Any] | Mapping[int, Any],
    value: Any,
    name: str,
    change: Callable[[Any, Any, str], Any] | None = None,
) -> dict[int, Any]:
    """Return for each float leaf of `tree` (by leaf index; `primals` are the leaves' values) the leaf
    of `value`, in the primal's dtype and kind, or what `change` makes of it. None stands for zero: such
    leaves are left out."""
    match tree:
        case _ if value is None:
            return {}
        case Leaf(index):
            if isinstance(primals, Mapping) and index not in primals:
                raise TypeMismatch("S331", f"{name} belongs to a value that does not vary", "pass None")
            return {index: (change or convert)(primals[index], value, name)}
        case Static():
            raise TypeMismatch("S331", f"{name} belongs to a static value, which does not vary", "pass None")
        case Node():
            found: dict[int, Any] = {}
            for key, item, part in zip(tree.keys, tree.items, _parts(tree, value, name), strict=True):
                found.update(spread(item, primals, part, f"{name}[{key!r}]", change))
            return found


def convert_series(primal: Any, value: Any, name: str) -> tuple[Any, ...]:
    """Return the derivatives of a primal, in its shape, dtype and kind; None stands for zero."""
    if not isinstance(value, tuple | list):
        why = f"{name} is {type(value).__name__}, not the derivatives of its primal"
        raise TypeMismatch("S333", why, "pass a tuple with one derivative per order")
    orders = enumerate(value)
    terms = [convert(primal, zero(primal) if d is None else d, f"{name}[{k}]") for k, d in orders]
    if not terms:
        convert(primal, primal, name)  # refuses what does not vary
    return tuple(terms)


def convert(primal: Any, value: Any, name: str) -> Any:
    """Return `value` as a tangent or cotangent of `primal`: same shape, dtype and kind."""
    dtype = np.result_type(primal)
    if dtype.kind not in "fc":
        why = f"{name} belongs to a value of dtype {dtype}, which does not vary"
        raise TypeMismatch("S331", why, "pass None, or make the value a float")
    given = np.asarray(value)
    if given.dtype.kind not in "biufc" or (given.dtype.kind == "c" and dtype.kind != "c"):
        raise TypeMismatch("S332", f"{name} has dtype {given.dtype}, its primal {dtype}", "convert it first")
    if given.shape != np.shape(primal):
        why = f"{name} has shape {given.shape}, its primal {np.shape(primal)}"
        raise TypeMismatch("S333", why, "a tangent or cotangent has the shape of its primal")
    return like(primal, given)


def like(primal: Any, given: Any) -> Any:
    """Return a number or array `given` in the dtype and kind of `primal`."""
    if isinstance(primal, np.ndarray):
        return np.asarray(given, dtype=primal.dtype)
    if isinstance(primal, np.generic):
        return primal.dtype.type(given)
    return complex(given) if isinstance(primal, complex) else float(given)


def zero(primal: Any) -> Any:
    """Return zero in the shape, dtype and kind of `primal`."""
    return np.zeros_like(primal) if isinstance(primal, np.ndarray) else like(primal, 0.0)


def basis(primals: Sequence[Any], which: int, flat: int) -> list[Any]:
    """Return the seeds that are 1 at element `flat` of primal number `which` and else 0."""
    seeds = [zero(p) for p in primals]
    if isinstance(seeds[which], np.ndarray):
        seeds[which].reshape(-1)[flat] = 1.0
    else:
        seeds[which] = like(primals[which], 1.0)
    return seeds


def copied(value: Any) -> Any:
    """Return `value` if it is a scalar, a copy if it is an array."""
    return value.copy() if isinstance(value, np.ndarray) else value


def _parts(tree: Node, value: Any, name: str) -> tuple[Any, ...]:
    why = f"{name} does not have the structure of its primal"
    match tree.kind:
        case "tuple" | "list":
            if isinstance(value, tuple | list) and len(value) == len(tree.items):
                return tuple(value)
        case "dict":
            if isinstance(value, dict) and set(value) == set(tree.keys):
                return tuple(value[k] for k in tree.keys)
        case _:
            if isinstance(value, tree.cls):
                return tuple(getattr(value, k, None) for k in tree.keys)
    raise TypeMismatch("S333", why, "give it the same containers, with None where nothing varies")
