"""The `def` line: parameters with their defaults, and how the leaves inside them are written."""

from __future__ import annotations

from collections.abc import Iterator

from s2sad.emit.constants import constant_text, quoted
from s2sad.emit.layout import INDENT, WIDTH
from s2sad.emit.names import RESERVED, identifier
from s2sad.ir.core import Function, Parameter, Value
from s2sad.ir.tree import Leaf, Static, paths
from s2sad.ir.types import Array, Opaque
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """`plain`: leaves that are parameters themselves; `parts`: the text of leaves inside structured
    parameters; `globals`: captured scalars and their values, lines of the module."""

    parameters: tuple[tuple[Parameter, str], ...]
    plain: dict[Value, str]
    parts: dict[Value, str]
    globals: dict[Value, tuple[str, object]]

    @property
    def names(self) -> list[str]:
        """Return all names that the signature takes."""
        return [name for _, name in self.parameters] + [name for name, _ in self.globals.values()]


def signature_of(fn: Function, captured_as_lines: bool) -> Signature:
    """Return the signature; captured scalars become module lines or keyword-only parameters."""
    plain: dict[Value, str] = {}
    parts: dict[Value, str] = {}
    lines: dict[Value, tuple[str, object]] = {}
    shown: list[tuple[Parameter, str]] = []
    for p in fn.signature:
        name = identifier(p.name, RESERVED)
        if p.kind == "captured" and isinstance(p.tree, Static):
            continue
        if isinstance(p.tree, Leaf):
            value = fn.params[p.tree.index]
            if captured_as_lines and p.kind == "captured" and not isinstance(value.type, Array | Opaque):
                lines[value] = name, p.default
                continue
            plain[value] = name
        else:
            for index, path in paths(p.tree):
                parts[fn.params[index]] = name + "".join(_step(*step) for step in path)
        shown.append((p, name))
    return Signature(tuple(shown), plain, parts, lines)


def _step(kind: str, key: object) -> str:
    if kind == "attr":
        return f".{key}"
    return f"[{quoted(key) if isinstance(key, str) else repr(key)}]"


def def_lines(name: str, signature: Signature) -> list[str]:
    """Return the `def` line, over several lines if it is too wide."""
    parts = list(_parameters(signature))
    line = f"def {name}({', '.join(parts)}):"
    if len(line) <= WIDTH:
        return [line]
    inner = INDENT + ", ".join(parts)
    if len(inner) <= WIDTH:
        return [f"def {name}(", inner, "):"]
    return [f"def {name}(", *(f"{INDENT}{part}," for part in parts), "):"]


def _parameters(signature: Signature) -> Iterator[str]:
    positional = [(p, n) for p, n in signature.parameters if p.kind == "positional"]
    keyword = [(p, n) for p, n in signature.parameters if p.kind in ("keyword", "captured")]
    variadic = [n for p, n in signature.parameters if p.kind == "variadic"]
    rest = [n for p, n in signature.parameters if p.kind == "variadic_keyword"]
    optional = False
    for k, (p, n) in enumerate(positional):
        has_default = "=" in _parameter(p, n)
        if optional and not has_default:  # Python wants a default after a default
            keyword = positional[k:] + keyword
            positional = positional[:k]
            break
        optional = optional or has_default
    for p, n in positional:
        yield _parameter(p, n)
    if variadic:
        yield f"*{variadic[0]}"
    elif keyword:
        yield "*"
    for p, n in keyword:
        yield _parameter(p, n)
    if rest:
        yield f"**{rest[0]}"


def _parameter(p: Parameter, name: str) -> str:
    if not p.has_default:
        return name
    try:
        return f"{name}={constant_text(p.default)}"
    except ValueError:  # no text; of a static value none is needed
        return f"{name}=None" if isinstance(p.tree, Static) else name
