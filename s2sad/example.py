"""Example arguments for the command line: from an expression, from annotations, or guessed."""

from __future__ import annotations

import inspect
import math
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from s2sad.errors import S2sadError, TypeMismatch
from s2sad.ir.types import short
from s2sad.record import dataclass, replace

_ARRAY = re.compile(r"([biufc])(\d*)\[([\s:\d,]*)\]")
_SCALARS: dict[Any, Any] = {"float": 1.0, "int": 2, "complex": 1.0 + 0j, "bool": False}
_SIZE = 3  # of an example dimension: any number but 1, for types alone count


@dataclass(frozen=True)
class Example:
    """Example arguments; `guessed` holds the names of those whose rank was guessed."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    names: tuple[str, ...]
    guessed: frozenset[str] = frozenset()
    given: bool = False

    def raised(self, name: str, rank: int, error: S2sadError) -> Example:
        """Return the example with a guessed argument of at least the given rank."""
        if name not in self.guessed:
            raise error
        values = dict(zip(self.names, self.args, strict=False)) | dict(self.kwargs)
        if np.ndim(values[name]) >= rank:
            raise error
        array = np.ones((_SIZE,) * rank)
        if name in self.kwargs:
            return replace(self, kwargs={**self.kwargs, name: array})
        k = self.names.index(name)
        return replace(self, args=(*self.args[:k], array, *self.args[k + 1 :]))

    def header(self, function: str) -> str:
        """Return the comment that states the signature assumed by an emitted module."""
        shown = [f"{n}: {describe(a)}" for n, a in zip(self.names, self.args, strict=False)]
        shown += [f"{n}: {describe(a)}" for n, a in self.kwargs.items()]
        how = "given by example" if self.given else "guessed" if self.guessed else "from annotations"
        return f"# signature: {function}({', '.join(shown)})  ({how})\n" if shown else ""


def example_for(function: Callable[..., Any], like: str | None, namespace: dict[str, Any]) -> Example:
    """Return example arguments for a function."""
    signature = inspect.signature(function)
    names = tuple(signature.parameters)
    if like:
        return Example(from_expression(like, namespace), {}, names, given=True)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    guessed = set()
    for name, p in signature.parameters.items():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        if p.annotation is not p.empty:
            value = from_annotation(name, p.annotation)
        elif p.default is not p.empty:
            continue  # the function's own default
        else:
            value = 1.0
            guessed.add(name)
        if p.kind is p.KEYWORD_ONLY or len(args) < list(signature.parameters).index(name):
            kwargs[name] = value
        else:
            args.append(value)
    return Example(tuple(args), kwargs, names, frozenset(guessed))


def from_expression(text: str, namespace: dict[str, Any]) -> tuple[Any, ...]:
    """Return the arguments that a `--like` expression gives; it sees np, math and the module's names."""
    try:
        value = eval(text, {**namespace, "np": np, "math": math})
    except Exception as error:
        raise ValueError(f"--like {text!r}: {type(error).__name__}: {error}") from None
    return value if isinstance(value, tuple) and not hasattr(value, "_fields") else (value,)


def from_annotation(name: str, annotation: Any) -> Any:
    """Return an example of an annotated type: `float`, `int`, "f8[:, :]", "f4[:, 1]"."""
    if not isinstance(annotation, str):
        if annotation in (float, int, complex, bool):
            return _SCALARS[annotation.__name__]
        if isinstance(annotation, type) and issubclass(annotation, np.generic):
            return annotation(1)
        _ask_rank(name, annotation)
    text = annotation.strip().strip("'\"")
    if text in _SCALARS:
        return _SCALARS[text]
    found = _ARRAY.fullmatch(text)
    if found is None:
        _ask_rank(name, annotation)
        raise AssertionError("unreachable")
    kind, size, dims = found.groups()
    sizes = [d.strip() for d in dims.split(",")] if dims.strip() else []
    shape = tuple(_SIZE if d == ":" else int(d) for d in sizes)
    return np.ones(shape, np.dtype(kind + (size or {"b": "1", "c": "16"}.get(kind, "8"))))


def describe(value: Any) -> str:
    """Return a type as annotations write it."""
    if isinstance(value, np.ndarray):
        dims = ", ".join("1" if n == 1 else ":" for n in value.shape)
        return f"{short(value.dtype)}[{dims}]"
    return type(value).__name__


def _ask_rank(name: str, annotation: Any) -> typing.NoReturn:
    shown = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", repr(annotation))
    raise TypeMismatch(
        "S344",
        f"the annotation {shown} of {name} does not tell a rank",
        f'annotate {name}: "f8[:, :]" (or f8[:], f4[:], float), or pass --like with example arguments',
    )
