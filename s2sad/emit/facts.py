"""Assumptions about sizes that NumPy would not check, as tests at the head of a function."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from s2sad.emit.constants import quoted
from s2sad.emit.layout import INDENT
from s2sad.ir.core import Fact, Function, Value
from s2sad.ir.size import Atom, Size
from s2sad.ir.tree import leaves
from s2sad.ir.types import Array, Sparse


def fact_lines(fn: Function, texts: Mapping[Value, str], names: Mapping[Value, str]) -> Iterator[str]:
    """Yield `if ...: raise ValueError(...)` for each fact whose violation would not raise by itself;
    `texts` tells how parameters are written, `names` what some of them are called in the text."""
    symbols = size_symbols(fn, texts)
    local = size_symbols(fn, {**texts, **names})
    promised = _promised(fn) if fn.extra.get("emitted") else frozenset()
    for fact in dict.fromkeys(fn.facts):
        if fact.raises or promised & (fact.left.symbols() | fact.right.symbols()):
            continue
        try:
            left, right = size_text(fact.left, symbols), size_text(fact.right, symbols)
            test = f"{size_text(fact.left, local)} != {size_text(fact.right, local)}"
        except KeyError:  # a size that is known at run time only: checked where it arises
            continue
        bound = _bound(fact)
        if bound is not None:
            text, least = size_text(bound[0], symbols), bound[1]
            sign, word = ("<", "least") if bound[2] else (">", "most")
            yield f"{INDENT}if {size_text(bound[0], local)} {sign} {least}:"
            yield f"{INDENT * 2}raise ValueError({quoted(f'{_place(fact)}{text} must be at {word} {least}')})"
            continue
        yield f"{INDENT}if {test}:"
        yield f"{INDENT * 2}raise ValueError({quoted(_message(fact, left, right))})"


def size_symbols(fn: Function, texts: Mapping[Value, str]) -> dict[str, str]:
    """Return how the sizes of parameters are written, and ints that are parameters."""
    symbols: dict[str, str] = {}
    for p in fn.params:
        if isinstance(p.type, Array | Sparse):
            for k in range(p.type.ndim if isinstance(p.type, Array) else 2):
                symbols[f"{p.name}.{k}"] = f"{texts[p]}.shape[{k}]"
        else:
            symbols[p.name] = texts[p]
    return symbols


def _promised(fn: Function) -> frozenset[str]:
    """Return the size symbols of tangents and cotangents that an emitted function takes: `x_dot` and `x_d1`
    have the shape of `x`, `y_bar` that of the value, which the text does not check."""
    names = {p.name for p in fn.signature}
    ends = r"_(dot|d\d+)$" if "_jet" in fn.name else "_dot$"
    dots = {name for name in names if (base := re.sub(ends, "", name)) != name and base in names}
    bars = {name for name in names if re.fullmatch(r"y_bar\d*", name)}
    seeds = [fn.params[k] for p in fn.signature if p.name in dots | bars for k in leaves(p.tree)]
    return frozenset(f"{p.name}.{k}" for p in seeds for k in range(p.type.ndim))


def _bound(fact: Fact) -> tuple[Size, int, bool] | None:
    """Return what of ints is at least (True) or at most a number, if a fact says that: `min(n, 0) == 0`."""
    for small, least in ((fact.left, fact.right), (fact.right, fact.left)):
        atom, k = small.terms[0] if len(small.terms) == 1 and not small.const else (None, 0)
        if atom is None or k != 1 or atom.kind != "minimum" or not least.is_const or least not in atom.parts:
            continue
        n = next(p for p in atom.parts if p != least)
        if any("." in s for s in n.symbols()):
            continue
        if all(factor < 0 for _, factor in n.terms):
            return -(n - n.const), n.const - least.const, False
        return n - n.const, least.const - n.const, True
    return None


def _place(fact: Fact) -> str:
    return f"{fact.origin}: " if fact.origin else ""


def _message(fact: Fact, left: str, right: str) -> str:
    return f"{_place(fact)}{left} must equal {right}"


def size_text(size: Size, symbols: Mapping[str, str]) -> str:
    """Return a size as an expression; KeyError if a symbol has no text."""
    text = ""
    for atom, k in size.terms:
        sign = " - " if k < 0 else " + " if text else ""
        sign = sign.strip() if not text else sign
        text += sign + (f"{abs(k)} * " if abs(k) != 1 else "") + _atom(atom, symbols)
    if not text:
        return str(size.const)
    return text + (f" + {size.const}" if size.const > 0 else f" - {-size.const}" if size.const else "")


def _atom(atom: Atom, symbols: Mapping[str, str]) -> str:
    if atom.kind == "symbol":
        return symbols[atom.name]
    parts = [size_text(p, symbols) for p in atom.parts]
    match atom.kind:
        case "clamp":
            return f"max({parts[0]}, 0)"
        case "minimum":
            return f"min({', '.join(parts)})"
        case "product":
            return " * ".join(map(_grouped, parts))
        case "slice":
            return f"len(range({parts[0]})[{_slice(*parts)}])"
        case _:
            return f"({_grouped(parts[0])} // {_grouped(parts[1])})"


def _slice(whole: str, lo: str, hi: str, step: str) -> str:
    ends = f"{lo if lo != '0' else ''}:{hi if hi != whole else ''}"
    return f"{ends}:{step}" if step != "1" else ends


def _grouped(text: str) -> str:
    return f"({text})" if " " in text else text
